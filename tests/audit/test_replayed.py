"""A replay's report is signed, rests on a checkpoint, and is never taken for one."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from services.audit.proof import signed as sealed
from services.audit.replayed import ORIGIN, read, signed
from services.cli import app
from shared.merkle import Tree
from shared.note import BadSignature, Checkpoint, NotANote, Note, SigningKey, b64
from tests.audit.history import KEY, LENGTH, log

LOG = log()
TOLD = {
    "of": "taizhang/log",
    "at": "2026-09-01T12:00:00+00:00",
    "good": False,
    "log": {"events": 9, "streams": 2, "position": 9, "root": "ab", "sealed": 8, "counts": {}},
    "position": LENGTH,
    "gone_on_from": 0,
    "documents": 5,
    "views": {"rectification.issues.v1": 5},
    "found": 1,
    "differences": ["issues s/某: 不同\n\n\x1b[2K"],
}
STRANGER = SigningKey.of("taizhang/log", bytes([1] * 32))


def test_a_report_is_read_back_as_it_was_signed() -> None:
    assert read(signed(TOLD, KEY).encode(), [KEY.public]) == TOLD


def test_a_report_is_no_checkpoint_and_a_checkpoint_no_report() -> None:
    report = signed(TOLD, KEY).encode()
    checkpoint = Checkpoint("taizhang/log", LENGTH, Tree().root()).signed(KEY).encode()

    with pytest.raises(NotANote):
        sealed(report, [KEY.public])
    with pytest.raises(NotANote, match="no report"):
        read(checkpoint, [KEY.public])
    with pytest.raises(NotANote):  # nobody may have a key of a name that begins so
        SigningKey.of(f"{ORIGIN}taizhang/log", bytes(32))


def test_no_report_says_anything_a_checkpoint_could() -> None:
    """Not even one whose log is called like a checkpoint's first lines."""
    text = f"{ORIGIN}x\n7\n{b64(bytes(32))}\n"
    said = Checkpoint.read(text)

    assert said.origin != "x"
    with pytest.raises(BadSignature):
        sealed(f"{text}\n{KEY.sign(text)}".encode(), [KEY.public])
    with pytest.raises(NotANote):
        read(f"{text}\n{KEY.sign(text)}".encode(), [KEY.public])


@given(place=st.integers(min_value=0), flip=st.integers(1, 255))
def test_any_changed_byte_of_a_report_is_found(place: int, flip: int) -> None:
    report = bytearray(signed(TOLD, KEY).encode())
    report[place % len(report)] ^= flip

    with pytest.raises((NotANote, BadSignature)):
        read(bytes(report), [KEY.public])


@pytest.mark.parametrize(
    "stored", [b"", b"\xff", b"x" * 2_000_000, signed(TOLD, KEY).encode()[:-20], b"{}\n\n"]
)
def test_what_is_cut_or_foreign_is_no_report(stored: bytes) -> None:
    with pytest.raises(NotANote):
        read(stored, [KEY.public])


def test_a_report_by_a_stranger_or_of_another_log_is_not_signed() -> None:
    other = SigningKey.of("other/log", bytes([2] * 32))
    note = Note.read(signed(TOLD, KEY).encode())

    with pytest.raises(BadSignature):
        read(signed(TOLD, STRANGER).encode(), [KEY.public])
    with pytest.raises(BadSignature, match="not signed by taizhang/log"):
        read(f"{note.text}\n{other.sign(note.text)}".encode(), [KEY.public, other.public])


def test_a_third_party_checks_a_report_with_one_command(tmp_path: Path) -> None:
    file, keys = tmp_path / "report", tmp_path / "keys"
    keys.write_text(f"{KEY.public}\n")
    file.write_text(signed(TOLD, KEY))
    arguments = ["replay", "verify", str(file), "--keys", str(keys)]
    bad = CliRunner().invoke(app, arguments)
    file.write_text(signed({**TOLD, "good": True}, KEY))
    good = CliRunner().invoke(app, arguments)
    data = CliRunner().invoke(app, [*arguments, "--json"])
    file.write_text(signed({**TOLD, "gone_on_from": 3}, KEY))
    gone_on = CliRunner().invoke(app, arguments)
    keys.write_text(f"{STRANGER.public}\n")
    strange = CliRunner().invoke(app, arguments)
    file.unlink()
    gone = CliRunner().invoke(app, arguments)

    assert (bad.exit_code, good.exit_code, strange.exit_code, gone.exit_code) == (1, 0, 1, 2)
    assert (
        "issues s/某: 不同\ufffd\ufffd\ufffd[2K\n" in bad.stdout
    )  # nothing that steers the terminal
    assert "taizhang/log 2026-09-01T12:00:00+00:00 日志 9 个事件" in good.stdout
    assert f"重放至位置 {LENGTH} 文档 5 份 视图 1 个 不一致" in good.stdout
    assert "视图 1 个 续自位置 3 不一致" in gone_on.stdout
    assert "已签名至 8" in good.stdout
    assert json.loads(data.stdout)["good"] is True
    assert strange.stderr == f"taizhang: {file}: signed by no key we know\n"


def test_a_report_does_not_take_the_place_of_another(tmp_path: Path) -> None:
    there = tmp_path / "report"
    there.touch()
    ended = CliRunner().invoke(app, ["replay", "--out", str(there)])

    assert (ended.exit_code, there.read_bytes()) == (2, b"")

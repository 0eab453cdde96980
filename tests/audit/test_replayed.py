"""A replay's report is signed, rests on a checkpoint, and is never taken for one."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from services.audit.proof import signed as sealed
from services.audit.replayed import ORIGIN, Rests, read, signed
from services.cli import app
from shared.envelope import event_hash
from shared.journal import recorded
from shared.merkle import Tree
from shared.note import BadSignature, Checkpoint, NotANote, Note, SigningKey, b64
from tests.audit.history import KEY, LENGTH, log
from tests.audit.history import signed as shelved

LOG = log()
TOLD = {
    "log": "taizhang/log",
    "at": "2026-09-01T12:00:00+00:00",
    "good": False,
    "position": LENGTH,
    "documents": 5,
    "found": 1,
    "differences": ["issues s/某: 不同\n\n"],
    "broken": [],
    "root": "r",
    "checkpoint": None,
}
STRANGER = SigningKey.of("taizhang/log", bytes([1] * 32))


def rested(newest: bytes | None, length: int = LENGTH, missing: int = 0) -> Rests:
    """What a replay of so much of the log rests on."""
    rests = Rests(newest, [KEY.public])
    for stored in LOG[:length]:
        if stored.position != missing:
            rests.take(recorded(stored), event_hash(stored.subject, stored.headers, stored.body))
    return rests


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


def test_a_replay_rests_on_the_newest_checkpoint(tmp_path: Path) -> None:
    newest = shelved(tmp_path, LOG[:8]).newest()
    tree, whole = rested(None, 8), rested(newest)

    assert whole.wrong() == []
    assert whole.as_data()["checkpoint"] == {"size": 8, "root": tree.as_data()["root"]}
    assert whole.as_data()["root"] == rested(None).as_data()["root"] != tree.as_data()["root"]
    assert rested(None).as_data()["checkpoint"] is None


def test_a_log_that_is_not_the_signed_one_is_no_ground_for_a_replay(tmp_path: Path) -> None:
    newest = shelved(tmp_path / "one", LOG[:8]).newest()
    other = shelved(tmp_path / "other", log(8, said="坏")).newest()

    assert rested(newest, 7).wrong() == ["the log ends at 7, but 8 were signed"]
    assert rested(other).wrong() == ["the log up to 8 is not what was signed"]
    assert rested(None, missing=3).wrong() == ["position 3 is missing"]
    with pytest.raises(BadSignature):
        Rests(newest, [STRANGER.public])


def test_a_third_party_checks_a_report_with_one_command(tmp_path: Path) -> None:
    file, keys = tmp_path / "report", tmp_path / "keys"
    keys.write_text(f"{KEY.public}\n")
    file.write_text(signed(TOLD, KEY))
    arguments = ["replay", "verify", str(file), "--keys", str(keys)]
    bad = CliRunner().invoke(app, arguments)
    file.write_text(signed({**TOLD, "good": True, "checkpoint": {"size": 8, "root": "r"}}, KEY))
    good = CliRunner().invoke(app, arguments)
    data = CliRunner().invoke(app, [*arguments, "--json"])
    keys.write_text(f"{STRANGER.public}\n")
    strange = CliRunner().invoke(app, arguments)
    file.unlink()
    gone = CliRunner().invoke(app, arguments)

    assert (bad.exit_code, good.exit_code, strange.exit_code, gone.exit_code) == (1, 0, 1, 2)
    assert bad.stdout.startswith("issues s/某: 不同")
    assert f"taizhang/log 重放至位置 {LENGTH}" in good.stdout
    assert "上一签名检查点 8" in good.stdout
    assert json.loads(data.stdout)["good"] is True
    assert strange.stderr == f"taizhang: {file}: signed by no key we know\n"


def test_a_report_does_not_take_the_place_of_another(tmp_path: Path) -> None:
    there = tmp_path / "report"
    there.touch()
    ended = CliRunner().invoke(app, ["replay", "--out", str(there)])

    assert (ended.exit_code, there.read_bytes()) == (2, b"")

"""What `taizhang pack` says, and with which exit code: 0 good, 1 found something, 2 cannot run."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.audit.pack import Scope, written
from services.cli import app
from tests.audit.history import KEY
from tests.audit.packs import CANTEEN, SCHOOL, contents, packed, rewritten, shelf_of


@pytest.fixture(autouse=True)
def no_deployment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is there: no server, no key."""
    monkeypatch.setenv("TAIZHANG_NATS_URL", "nats://127.0.0.1:1")
    monkeypatch.setenv("TAIZHANG_AUDIT_KEY_FILE", str(tmp_path / "none.key"))


def said(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["pack", *arguments])


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    packed(shelf_of(tmp_path / "signed"), Scope(school=SCHOOL, issue=CANTEEN), tmp_path / "pack")
    return tmp_path / "pack"


def test_a_good_pack_is_told_line_by_line(pack: Path, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"{KEY.public}\n")
    found = said("verify", str(pack), "--keys", str(tmp_path / "keys"))
    assert found.exit_code == 0
    lines = found.output.splitlines()
    assert [line[0] for line in lines] == [*"✓" * 7, *"·" * 6, "核"]
    assert lines[-1] == "核查通过"


def test_a_pack_is_not_good_by_its_own_word(pack: Path) -> None:
    found = said("verify", str(pack))
    assert found.exit_code == 1
    assert found.output.startswith("✗ signature:")
    assert str(KEY.public) in found.output.splitlines()[0]
    assert json.loads(said("verify", str(pack), "--json").output)["counts"] == {"signature": 1}


def test_what_is_no_pack_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"")
    found = said("verify", str(tmp_path / "there"))
    assert (found.exit_code, found.stderr) == (1, "")
    assert found.output.startswith("✗ structure:")


def test_what_stands_in_a_pack_does_not_steer_the_terminal(pack: Path, tmp_path: Path) -> None:
    first, *rest = contents(pack)["events.jsonl"].splitlines(keepends=True)
    line = json.loads(first) | {"subject": "x\x1b[2J\n\u202e"}
    events = b"".join((written(line), b"\n", *rest))
    found = said("verify", str(rewritten(pack, tmp_path / "evil", events=events)))
    assert found.exit_code == 1
    assert "form 位置 3 x\ufffd[2J\ufffd\ufffd:" in found.output
    assert all(c.isprintable() or c == "\n" for c in found.output)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--school", "s-1"), "say --out"),
        (("--out", "x"), "say --out"),
        (("--issue", "i-1", "--all", "--out", "x"), "say --out"),
        (("--school", "s-1", "--all", "--out", "x"), "say --out"),
        (("--school", "S 1", "--out", "x"), "no such school"),
        (("--school", "s-1", "--out", "there"), "is there already"),
        (("--school", "s-1", "--out", "x"), "no public key"),
        (("verify", "nothing"), "No such file"),
        (("verify", "."), "Is a directory"),
        (("verify", "there", "--keys", "nothing"), "no public key"),
        (("verify", "there", "--keys", "there"), "no public key"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...], why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there").write_bytes(b"")
    ended = said(*arguments)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr.startswith("taizhang: ")
    assert ended.stderr.count("\n") == 1
    assert why in ended.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["there"]

"""Keys are made once, for the owner only, and what is none is told in one line."""

from pathlib import Path

import pytest

from services.audit.keys import NoKey, public_file, public_keys, signing_key
from shared.note import COSIGNATURE, SigningKey


def test_a_key_is_made_once_and_only_where_nothing_was_signed(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "audit.key"
    with pytest.raises(NoKey, match="restore it"):
        signing_key(path, "log", may_be_new=False)
    made = signing_key(path, "log")
    assert signing_key(path, "log").text() == made.text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert public_keys(public_file(path)) == [made.public]
    assert [p.name for p in sorted(path.parent.iterdir())] == ["audit.key", "audit.pub"]


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_witnesses_stand_beside_the_logs_own_key(tmp_path: Path, end: str) -> None:
    path = tmp_path / "audit.key"
    witness = SigningKey.of("w", bytes(32), type_=COSIGNATURE).public
    public_file(path).write_text(f"{witness}{end}")
    made = signing_key(path, "log")
    signing_key(path, "log")
    assert public_keys(public_file(path)) == [witness, made.public]


@pytest.mark.parametrize("held", [b"", b"no key", b"\xff", b"log+00000000+AAAA"])
def test_a_file_that_holds_something_else_is_told(tmp_path: Path, held: bytes) -> None:
    path = tmp_path / "audit.key"
    path.write_bytes(held)
    with pytest.raises(NoKey, match="does not hold a signing key"):
        signing_key(path, "log")
    with pytest.raises(NoKey, match="public key"):
        public_keys(path)


@pytest.mark.parametrize(
    "key",
    [SigningKey.of("other", bytes(32)), SigningKey.of("log", bytes(32), type_=COSIGNATURE)],
)
def test_a_key_that_nobody_would_take_for_the_logs_own_signs_nothing(
    tmp_path: Path, key: SigningKey
) -> None:
    path = tmp_path / "audit.key"
    path.write_text(key.text())
    with pytest.raises(NoKey, match="log does not sign with"):
        signing_key(path, "log")
    assert not public_file(path).exists()


def test_a_missing_or_unreadable_file_of_public_keys_is_told(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(NoKey):
            public_keys(path)
    with pytest.raises(NoKey):
        signing_key(tmp_path, "log")


def test_a_name_that_cannot_be_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoKey, match="without spaces"):
        signing_key(tmp_path / "audit.key", "a log")

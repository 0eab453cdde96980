"""`taizhang token`: signed with the key that the running product checks with, or not at all."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import app
from services.cli.base import CANNOT
from shared.callers import Unauthenticated
from shared.security import LOCAL_ISSUER, Issuer, Verifier


def token(*arguments: str) -> str:
    ended = CliRunner().invoke(app, ["token", *arguments])
    assert ended.exit_code == 0, ended.output
    return ended.stdout.strip()


@pytest.fixture
def issuer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Issuer:
    """The key that `TAIZHANG_ISSUER_FILE` names, with another one where an embedded stack was."""
    monkeypatch.chdir(tmp_path)
    Issuer.load(tmp_path / "data" / "embedded" / "issuer.pem")
    monkeypatch.setenv("TAIZHANG_ISSUER_FILE", "named.pem")
    return Issuer.load(tmp_path / "named.pem")


def test_it_says_who_what_and_where(issuer: Issuer) -> None:
    signed = token("wang", "--role", "operator", "--school", "school-1", "--lifetime", "60")

    claims = Verifier(issuer).claims(f"Bearer {signed}")

    assert (claims.issuer, claims.subject) == (LOCAL_ISSUER, "wang")
    assert (claims.roles, claims.school) == (frozenset({"operator"}), "school-1")


def test_a_key_that_is_named_comes_before_the_one_of_an_embedded_stack(issuer: Issuer) -> None:
    assert Verifier(issuer).claims(f"Bearer {token('wang')}").subject == "wang"
    other = token("wang", "--data", "data/embedded")
    with pytest.raises(Unauthenticated):
        Verifier(issuer).claims(f"Bearer {other}")


def test_without_a_key_there_is_no_token_and_no_new_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    ended = CliRunner().invoke(app, ["token", "wang"])

    assert (ended.exit_code, ended.stdout) == (CANNOT, "")
    assert ended.stderr == (
        "taizhang: no key at data/embedded/issuer.pem; start the product first\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_an_id_made_of_a_text_needs_the_key(issuer: Issuer, tmp_path: Path) -> None:
    again, other = Issuer.load(tmp_path / "named.pem"), Issuer.load(tmp_path / "other.pem")

    assert issuer.keyed("赖国栋") == again.keyed("赖国栋") != issuer.keyed("苏小梅")
    assert issuer.keyed("赖国栋") != other.keyed("赖国栋")

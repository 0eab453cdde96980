"""deploy/secrets.sh: random, private, and never a second opinion."""

import subprocess
from pathlib import Path

from tests.deploy.compose import ROOT, environment_of
from tests.deploy.conftest import SECRETS


def write(file: Path) -> dict[str, str]:
    subprocess.run([SECRETS, file], check=True, timeout=30)
    return environment_of(file)


def test_every_password_is_random_and_long(env_file: Path, tmp_path: Path) -> None:
    one, other = write(env_file), write(tmp_path / "other.env")
    assert set(one) == set(other)
    values = [*one.values(), *other.values()]
    assert len(set(values)) == len(values)
    assert all(len(v) == 49 and v.startswith("k") and v.isalnum() for v in values)


def test_the_file_is_for_its_owner_only(env_file: Path) -> None:
    env_file.touch(mode=0o644)
    write(env_file)
    assert env_file.stat().st_mode & 0o777 == 0o600


def test_what_is_there_stays_and_what_is_missing_is_added(env_file: Path) -> None:
    env_file.write_text("# mine\nGATEWAY_PORT=9000\nMONGO_PASSWORD=chosen")
    first = write(env_file)
    again = write(env_file)

    assert env_file.read_text().startswith("# mine\nGATEWAY_PORT=9000\nMONGO_PASSWORD=chosen\n")
    assert again == first
    assert set(first) > {"GATEWAY_PORT", "MONGO_PASSWORD", "TAIZHANG_NATS_PASSWORD_OPERATOR"}


def test_git_does_not_see_it() -> None:
    assert ".env" in (ROOT / ".gitignore").read_text().split()

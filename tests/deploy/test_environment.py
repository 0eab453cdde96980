"""deploy/environment.sh on a machine that lacks what it needs: one clear line, nothing left behind."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.compose import ROOT

NEEDED = ("sh", "dirname", "cat", "cksum", "tr", "rm")
LINE = "taizhang: install uv, or a python3 with pip, and run make again\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A clean clone as far as the script looks at it."""
    for name in ("deploy/environment.sh", "requirements/dev.txt", ".python-version"):
        (tmp_path / "checkout" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / "checkout" / name)
    return tmp_path / "checkout"


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A PATH with what every machine has, and no Python."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in NEEDED:
        found = shutil.which(name)
        assert found
        (programs / name).symlink_to(found)
    return programs


def run(checkout: Path, path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout / "deploy" / "environment.sh", "requirements/dev.txt"],
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def files(checkout: Path) -> set[str]:
    return {str(p.relative_to(checkout)) for p in checkout.rglob("*") if p.is_file()}


def test_without_uv_and_without_python_it_says_so_in_one_line(checkout: Path, bare: Path) -> None:
    before = files(checkout)

    ended = run(checkout, bare)

    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", LINE)
    assert files(checkout) == before


def test_a_python_without_pip_is_not_enough(checkout: Path, bare: Path) -> None:
    python = bare / "python3"
    python.write_text('#!/bin/sh\necho "No module named pip" >&2\nexit 1\n')
    python.chmod(0o755)
    before = files(checkout)

    ended = run(checkout, bare)

    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", LINE)
    assert files(checkout) == before


def test_without_a_python_that_is_new_enough_it_says_so_too(checkout: Path, bare: Path) -> None:
    uv = bare / "uv"
    uv.write_text('#!/bin/sh\necho "error: no interpreter found" >&2\nexit 2\n')
    uv.chmod(0o755)

    ended = run(checkout, bare)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("taizhang: no Python 3.12 or newer found")
    assert ended.stderr.count("\n") == 1


def test_what_was_made_from_these_requirements_is_not_made_again(
    checkout: Path, bare: Path
) -> None:
    pinned = (checkout / "requirements" / "dev.txt").read_bytes()
    pinned += (checkout / ".python-version").read_bytes()
    sums = subprocess.run(
        [bare / "cksum"], input=pinned, capture_output=True, timeout=10, check=True
    )
    (checkout / ".venv").mkdir()
    stamp = "-".join(sums.stdout.decode().split())
    (checkout / ".venv" / f".made-from-{stamp}").touch()

    assert run(checkout, bare).returncode == 0

"""The quick loop looks at what a change can reach, and at everything where that is not certain."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EVERY_SERVICE = ["tests/test_surface.py", "tests/gateway", "tests/test_golden.py"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with nothing in it that is not committed."""
    for name in ("tests/talks", "tests/study", "tests/campaign", "tests/shared"):
        (tmp_path / name).mkdir(parents=True)
    git = shutil.which("git")
    assert git
    subprocess.run([git, "init", "-q", tmp_path], check=True, timeout=20)
    return tmp_path


def reached(checkout: Path, *changed: str) -> list[str]:
    for path in changed:
        (checkout / path).parent.mkdir(parents=True, exist_ok=True)
        (checkout / path).touch()
    told = subprocess.run(
        [ROOT / "tests" / "reached.sh"],
        cwd=checkout,
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(checkout.parent)},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    return told.stdout.split()


def commit(checkout: Path, path: str) -> None:
    """A commit that adds one file."""
    (checkout / path).parent.mkdir(parents=True, exist_ok=True)
    (checkout / path).touch()
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    for words in (["add", "-A"], [*who, "commit", "-qm", path]):
        subprocess.run(["git", *words], cwd=checkout, check=True, timeout=20)  # noqa: S607


def test_before_the_first_commit_nothing_changed_reaches_everything(checkout: Path) -> None:
    assert reached(checkout) == ["tests"]


def test_where_all_is_committed_the_last_commit_counts(checkout: Path) -> None:
    commit(checkout, "shared/views.py")
    first = reached(checkout)
    commit(checkout, "services/talks/queries.py")

    assert first == ["tests"]
    assert reached(checkout) == ["tests/talks", *EVERY_SERVICE]
    assert reached(checkout, "services/study/app.py") == ["tests/study", *EVERY_SERVICE]


def test_words_reach_what_looks_at_every_service(checkout: Path) -> None:
    assert reached(checkout, "README.md", "docs/operating.md") == EVERY_SERVICE


@pytest.mark.parametrize(
    "changed",
    [
        "services/talks/domain/talk.py",
        "services/talks/queries.py",
        "services/talks/coverage.py",
        "tests/talks/test_talk.py",
    ],
)
def test_the_inside_of_a_service_reaches_its_own_tests(checkout: Path, changed: str) -> None:
    assert reached(checkout, changed) == ["tests/talks", *EVERY_SERVICE]


def test_two_services_reach_the_tests_of_both(checkout: Path) -> None:
    changed = ("services/talks/queries.py", "services/study/app.py", "services/talks/app.py")

    assert set(reached(checkout, *changed)) == {"tests/talks", "tests/study", *EVERY_SERVICE}


@pytest.mark.parametrize(
    "common",
    [
        "shared/views.py",
        "services/talks/events.py",
        "services/campaign/roster.py",
        "services/stack.py",
        "services/newcomer/app.py",
        "tests/scenario.py",
        "pyproject.toml",
        "docker-compose.yml",
    ],
)
def test_what_others_build_on_reaches_everything(checkout: Path, common: str) -> None:
    assert reached(checkout, "services/talks/queries.py", common) == ["tests"]


def test_a_file_that_is_no_checkouts_reaches_everything(tmp_path: Path) -> None:
    assert reached(tmp_path, "services/talks/queries.py") == ["tests"]

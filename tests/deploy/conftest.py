"""The deployment as an operator has it: passwords from deploy/secrets.sh, put into docker-compose.yml."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.compose import ROOT, containers, environment_of

SECRETS = ROOT / "deploy" / "secrets.sh"


@pytest.fixture(scope="session")
def passwords(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What deploy/secrets.sh writes."""
    file = tmp_path_factory.mktemp("secrets") / ".env"
    subprocess.run([SECRETS, file], check=True, timeout=30)
    return environment_of(file)


@pytest.fixture(scope="session")
def deployed(passwords: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Every container of docker-compose.yml by name, with those passwords."""
    return containers(passwords)


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    """Where a test may let deploy/secrets.sh write."""
    return tmp_path / ".env"

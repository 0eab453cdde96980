"""Servers for the live tests, and where tests put their data."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from shared.embedded import Embedded
from shared.settings import Settings

TEMPORARY = Path(__file__).parents[1] / "data" / "tests"
"""Where tests put their data: in the checkout; pytest gives every run a directory of its own in it."""
TEMPORARY.mkdir(parents=True, exist_ok=True)
os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(TEMPORARY))

pytest.register_assert_rewrite("tests.scenario")
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=50)
hypothesis.settings.load_profile("repeatable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long comes first, then what runs on servers: no worker is left with it at the end."""
    items.sort(key=lambda item: ("long" not in item.keywords, "live" not in item.keywords))


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A NATS server and a MongoDB-protocol server, started once."""
    data = tmp_path_factory.mktemp("servers")
    embedded = Embedded(data)
    yield embedded.start().with_changes(http_port=0, box_interval=0.05, audit_seconds=0.2)
    embedded.stop()
    shutil.rmtree(data, ignore_errors=True)


@pytest.fixture
def own_servers(tmp_path: Path) -> Iterator[tuple[Embedded, Settings]]:
    """Servers for one test that may do them harm."""
    embedded = Embedded(tmp_path / "servers")
    yield embedded, embedded.start().with_changes(http_port=0, box_interval=0.05)
    for name in embedded.pids:
        embedded.kill(name)  # nobody looks at these data again, and stopping takes two seconds

"""One running product for all live tests; each test has a school of its own in it."""

import logging
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from services.stack import Stack, running
from shared.settings import Settings
from tests.live.school import School, enrolled


@pytest_asyncio.fixture(scope="session")
async def stack(servers: Settings) -> AsyncIterator[Stack]:
    """The whole product, running."""
    async with running(servers) as product:
        yield product


@pytest_asyncio.fixture
async def school(stack: Stack) -> AsyncIterator[School]:
    """A school of the test's own, with people in the posts that matter."""
    async with enrolled(stack) as mine:
        yield mine


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A refusal is an answer: nothing is logged as an error, whatever is refused."""
    yield
    records = caplog.get_records("call")
    assert [r for r in records if r.levelno >= logging.ERROR or r.exc_info] == []

"""One running product for all live tests; each test has a school of its own in it."""

from collections.abc import AsyncIterator

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

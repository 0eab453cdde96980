"""A headless Chromium, as installed, before the running product of the live tests."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.live.conftest import school, stack

__all__ = ["chromium", "school", "shots", "stack"]

SHOTS = Path(__file__).parents[2] / "data" / "screenshots"
"""Where pictures of pages go, for people to look at."""
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"


@pytest_asyncio.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session")
async def shots() -> Path:
    """An empty place for pictures."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    return SHOTS

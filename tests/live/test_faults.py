"""Servers that go away: 503 with Retry-After, nothing half-done, and everything goes on when they return."""

import asyncio
from uuid import uuid4

import pytest

from services.stack import compared, running
from shared.embedded import Embedded
from shared.settings import Settings
from tests.live.school import School, enrolled

pytestmark = [pytest.mark.live, pytest.mark.long]

SAID = {"verbatim_text": "食堂的菜是凉的", "channel": "wechat"}
PATIENCE = 60  # seconds


async def until_it_succeeds(school: School, key: str) -> dict[str, object]:
    """Repeat one command with one key, as a careful client does."""
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = await school.ask(
                "teacher", "POST", "/opinions", SAID, Idempotency_Key=key, Taizhang_Min_Position="0"
            )
            if answer.is_success:
                return dict(answer.json())
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            assert answer.headers["Retry-After"]


async def until_ready(school: School) -> None:
    async with asyncio.timeout(PATIENCE):
        while (await school.client.get("/readyz", timeout=30)).status_code != 200:
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("server", ["nats", "mongo"])
async def test_a_server_that_dies_and_returns(
    own_servers: tuple[Embedded, Settings], server: str
) -> None:
    embedded, settings = own_servers
    async with running(settings) as stack, enrolled(stack) as school:
        first = await school.do("teacher", "/opinions", SAID)
        await school.settle()
        embedded.kill(server)

        key = str(uuid4())
        down = await school.ask(
            "teacher", "POST", "/opinions", SAID, Idempotency_Key=key, Taizhang_Min_Position="0"
        )
        unready = await school.client.get("/readyz", timeout=30)
        embedded.restart(server)
        said = await until_it_succeeds(school, key)
        again = await until_it_succeeds(school, key)
        await until_ready(school)
        await school.settle()

        assert (down.status_code, down.json()["code"]) == (503, "unavailable")
        assert down.headers["Retry-After"]
        assert unready.status_code == 503
        assert again == {**said, "repeated": True}
        listed = await school.get("clerk", "/opinions")
        assert {o["id"] for o in listed["items"]} == {first["id"], said["id"]}
        runtime = stack.runtimes["feedback"]
        assert (await compared(stack.settings, runtime.mongo)).good

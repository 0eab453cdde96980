"""The connection to the broker is everybody's: nobody may break it, and what breaks it must pass."""

import asyncio
import json

import httpx
import pytest

from services.stack import provisioned
from shared.broker import MAX_MESSAGE, Broker, TooLarge
from shared.decider import Unavailable
from shared.settings import Settings
from tests.live.school import School
from tests.live.wire import wired

pytestmark = pytest.mark.live

SAID = {"verbatim_text": "食堂的菜是凉的", "channel": "wechat"}
MEGABYTE = 1024 * 1024


async def padded(school: School, size: int) -> httpx.Response:
    """An opinion without a name in a body of so many bytes, most of them blanks."""
    body = json.dumps(SAID).encode()
    return await school.client.post(
        f"/v1/{school.id}/opinions",
        content=body + b" " * (size - len(body)),
        headers={"Taizhang-Min-Position": str(school.position)},
    )


@pytest.mark.parametrize("size", [MEGABYTE - 6, MEGABYTE])
async def test_blanks_around_a_body_harm_nobody(school: School, size: int) -> None:
    door = school.stack.gateway.broker
    before = door._connection.stats["reconnects"]

    answer = await padded(school, size)

    assert answer.status_code == 200, answer.text
    assert (await school.ask("teacher", "POST", "/opinions", SAID)).status_code == 201
    await door.round_trip()
    assert door._connection.stats["reconnects"] == before


async def test_a_body_of_one_byte_more_is_too_large(school: School) -> None:
    answer = await padded(school, MEGABYTE + 1)

    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


@pytest.mark.parametrize(
    ("body", "header"), [(MAX_MESSAGE, ""), (MAX_MESSAGE - 1_000, "x" * 1_000)]
)
async def test_a_message_the_server_would_not_take_is_not_sent(
    school: School, body: int, header: str
) -> None:
    door = school.stack.gateway.broker
    subject = f"qry.{school.id}.feedback.opinions"

    with pytest.raises(TooLarge):
        await door.ask(subject, b" " * body, {"Authorization": header})


@pytest.mark.parametrize(
    "complaint", ["Maximum Payload Violation", "Unknown Protocol Operation", "Stale Connection"]
)
async def test_whatever_the_server_complains_of_we_come_back(
    servers: Settings, complaint: str
) -> None:
    await provisioned(servers)
    heard: list[str] = []
    async with wired(int(servers.nats_url.rpartition(":")[2])) as wire:
        broker = Broker(
            f"nats://127.0.0.1:{wire.port}", "gateway", servers.password("gateway"), heard.append
        )
        await broker.open()

        wire.say(f"-ERR '{complaint}'\r\n".encode())
        async with asyncio.timeout(60):
            while not broker._reconnects:
                await asyncio.sleep(0.05)

        await broker.round_trip()
        await broker.close()
    assert any(complaint.lower() in what for what in heard)


async def test_a_message_too_large_for_the_server_cuts_only_its_own_moment(
    servers: Settings,
) -> None:
    await provisioned(servers)
    broker = Broker(servers.nats_url, "gateway", servers.password("gateway"))
    await broker.open()

    body = b" " * (MEGABYTE - 1)
    await broker._connection.publish("qry.x.feedback.opinions", body, headers={"a": "b" * 99})
    with pytest.raises(Unavailable):
        await broker.round_trip()

    async with asyncio.timeout(60):
        while not broker._connection.is_connected:
            await asyncio.sleep(0.05)
    await broker.round_trip()
    await broker.close()

"""A broker that is not as provisioned is seen at once, and provisioning puts it right."""

from typing import Any

import httpx
import pytest

from services.stack import SERVICES, Stack, provisioned, running
from shared.broker import EVENTS, SCHEDULES, Broker, JetStreamRefusal
from shared.embedded import Embedded
from shared.provision import operator
from shared.settings import Settings
from tests.live.command import taizhang

pytestmark = pytest.mark.live

POLICY = "rectification-open-issues"
SECOND = 10**9


async def changed(broker: Broker, stream: str, **settings: object) -> None:
    """Change a stream by hand, as an operator can."""
    config = (await broker.api(f"STREAM.INFO.{stream}"))["config"]
    await broker.api(f"STREAM.UPDATE.{stream}", {**config, **settings})


async def ready(stack: Stack) -> tuple[int, dict[str, Any]]:
    async with httpx.AsyncClient(base_url=stack.url, timeout=30) as client:
        answer = await client.get("/readyz")
        return answer.status_code, answer.json()["wrong"]


async def drifting(stack: Stack) -> set[str]:
    """The services whose metric says so."""
    async with httpx.AsyncClient(base_url=stack.url, timeout=30) as client:
        lines = (await client.get("/metrics")).text.splitlines()
    told = [line for line in lines if line.startswith("taizhang_config_drift{")]
    return {line.split('"')[1] for line in told if line.endswith(" 1.0")}


async def test_what_an_operator_changed_by_hand_is_seen_and_put_right(
    own_servers: tuple[Embedded, Settings],
) -> None:
    settings = own_servers[1]
    async with running(settings) as stack, operator(settings) as broker:
        assert await ready(stack) == (200, {})
        await changed(broker, EVENTS, max_msgs=1_000_000, duplicate_window=60 * SECOND)
        await changed(broker, SCHEDULES, max_msgs_per_subject=2)
        durable = await broker.api(f"CONSUMER.INFO.{EVENTS}.{POLICY}")
        config = {**durable["config"], "ack_wait": 60 * SECOND}
        create = f"CONSUMER.DURABLE.CREATE.{EVENTS}.{POLICY}"
        await broker.api(create, {"stream_name": EVENTS, "config": config})

        status, wrong = await ready(stack)

        services = {service.name for service in SERVICES}
        assert status == 503
        for name in services:
            assert "EVENTS.max_msgs: 1000000 instead of -1" in wrong[name]["drift"]
            assert (
                "EVENTS.duplicate_window: 60000000000 instead of 120000000000"
                in wrong[name]["drift"]
            )
        assert await drifting(stack) >= services

        ended = await taizhang(settings, "provision")

        assert (ended.code, ended.out.splitlines(), ended.err) == (
            0,
            [
                "stream EVENTS corrected",
                "stream SCHEDULES corrected",
                f"durable {POLICY} corrected",
            ],
            "",
        )
        assert await ready(stack) == (200, {})
        assert await drifting(stack) == set()
        after = await broker.api(f"CONSUMER.INFO.{EVENTS}.{POLICY}")
        assert after["config"]["ack_wait"] == 10 * SECOND
        assert (await taizhang(settings, "provision")).out == "nothing to change\n"


async def test_the_log_can_be_neither_purged_nor_made_purgeable(
    own_servers: tuple[Embedded, Settings],
) -> None:
    settings = own_servers[1]
    async with running(settings), operator(settings) as broker:
        with pytest.raises(JetStreamRefusal, match="purge"):
            await broker.api(f"STREAM.PURGE.{EVENTS}")
        with pytest.raises(JetStreamRefusal, match="deny purge"):
            await changed(broker, EVENTS, deny_purge=False)


async def test_what_cannot_be_put_right_is_said_in_one_line(
    own_servers: tuple[Embedded, Settings],
) -> None:
    settings = own_servers[1]
    await provisioned(settings)
    async with operator(settings) as broker:
        await changed(broker, EVENTS, sealed=True)

    ended = await taizhang(settings, "provision")

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("taizhang: ")
    assert "sealed" in ended.err
    assert ended.err.count("\n") == 1

"""`/readyz` when an operator's hand has been on the broker: it names what is wrong and never breaks."""

import logging
from typing import Any

import pytest

from services.clock.app import FIRED
from services.stack import NAMES, durables, provisioned, running
from shared.broker import EVENTS, SCHEDULES
from shared.embedded import Embedded
from shared.provision import drift, operator
from shared.settings import Settings
from tests.live.school import School, enrolled

pytestmark = pytest.mark.live

POLICY = "rectification-open-issues"


async def unready(school: School) -> dict[str, Any]:
    """What `/readyz` says is wrong."""
    answer = await school.client.get("/readyz", timeout=30)
    said = dict(answer.json())
    assert answer.status_code == (200 if said["ready"] else 503)
    return dict(said["wrong"])


async def test_it_names_what_an_operator_took_away_and_a_command_is_told_to_come_back(
    own_servers: tuple[Embedded, Settings], caplog: pytest.LogCaptureFixture
) -> None:
    _, settings = own_servers
    said = {"verbatim_text": "菜凉", "channel": "wechat"}
    async with (
        running(settings) as stack,
        enrolled(stack) as school,
        operator(settings) as broker,
    ):
        await school.settle()
        with caplog.at_level(logging.ERROR):
            await broker.api(f"CONSUMER.DELETE.{EVENTS}.{POLICY}")
            await broker.api(f"CONSUMER.DELETE.{SCHEDULES}.{FIRED}")
            without_durables = await unready(school)
            corrected = await provisioned(settings)
            with_durables = await unready(school)

            opinion = (await school.do("teacher", "/opinions", said))["id"]
            await broker.api(f"STREAM.DELETE.{EVENTS}")
            path, message = f"/opinions/{opinion}/send-message", {"text": "补充"}
            stale = await school.ask(
                "teacher", "POST", path, message, If_Match='"9"', Taizhang_Min_Position="0"
            )
            without_log = await unready(school)

    assert without_durables == {
        "rectification": {"drift": f"{POLICY}: missing"},
        "clock": {"drift": f"{FIRED}: missing"},
    }
    assert corrected == [f"durable {POLICY} created", f"durable {FIRED} created"]
    assert with_durables == {}
    assert (stale.status_code, stale.json()["code"]) == (503, "unavailable")
    assert set(without_log) == set(NAMES)
    assert [r.message for r in caplog.records if r.levelno == logging.ERROR] == []


CHANGES: dict[str, dict[str, object]] = {
    EVENTS: {
        "republish": {"src": "evt.>", "dest": "elsewhere.>"},
        "sources": [{"name": SCHEDULES}],
        "subject_transform": {"src": "evt.*.*.*.*", "dest": "evt.$1.$2.$3.$4"},
        "no_ack": True,
        "max_msgs": 1_000,
        "max_age": 10**15,
        "allow_direct": False,
        "allow_atomic": False,
    },
    SCHEDULES: {
        "republish": {"src": "sched.>", "dest": "elsewhere.>"},
        "max_msgs": 5,
        "max_age": 10**12,
    },
    POLICY: {
        "ack_wait": 10**12,
        "max_deliver": 1,
        "filter_subjects": ["evt.s-1.>"],
        "headers_only": True,
        "pause_until": "2099-01-01T00:00:00Z",
    },
}


async def test_every_change_by_hand_is_named_and_corrected(
    own_servers: tuple[Embedded, Settings],
) -> None:
    _, settings = own_servers
    await provisioned(settings)
    wanted = next(d for d in durables() if d["config"]["name"] == POLICY)
    async with operator(settings) as broker:

        async def drifted() -> set[str]:
            found = await drift(broker, replicas=1, only=(EVENTS, SCHEDULES), durables=durables())
            return {line.partition(":")[0] for line in found}

        async def alter(name: str, key: str, value: object) -> None:
            if key == "pause_until":
                await broker.api(f"CONSUMER.PAUSE.{EVENTS}.{POLICY}", {key: value})
            elif name == POLICY:
                config = {**wanted["config"], key: value}
                call = f"CONSUMER.DURABLE.CREATE.{EVENTS}.{POLICY}"
                await broker.api(call, {**wanted, "config": config})
            else:
                config = (await broker.api(f"STREAM.INFO.{name}"))["config"]
                await broker.api(f"STREAM.UPDATE.{name}", {**config, key: value})

        assert await drifted() == set()
        for name, changes in CHANGES.items():
            for key, value in changes.items():
                await alter(name, key, value)
                assert f"{name}.{key}" in await drifted()
                await provisioned(settings)
                assert await drifted() == set(), key
        await alter(EVENTS, "allow_msg_ttl", True)  # noqa: FBT003 -- JSON; cannot be undone
        assert await drifted() == {"EVENTS.allow_msg_ttl"}

"""Deadlines are spoken of when they are due, once each, whatever happens to the clock meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import pytest

from services.clock.app import FIRED, Clock
from services.rectification.events import IssueOpened
from services.stack import SERVICES, Stack, running
from shared.broker import SCHEDULES
from shared.embedded import Embedded
from shared.envelope import Record
from shared.provision import operator
from shared.runtime import now
from shared.settings import Settings
from tests.live.command import taizhang
from tests.live.school import ISSUE, School, enrolled, set_policy

pytestmark = [pytest.mark.live, pytest.mark.long]

PATIENCE = 120  # seconds
RUNGS = ["remind", "urge", "supervise", "account"]
LADDER = {
    "claim_within": ("PT2S", "duration"),
    "remind_before": ("PT1S", "periods"),
    "urge_after": ("PT0S", "duration"),
    "supervise_after": ("PT1S", "duration"),
    "accountability_after": ("PT2S", "duration"),
}


async def in_seconds(school: School, **other: str) -> None:
    """Put the school's ladder to seconds; `other` sets some of it otherwise."""
    plan = await set_policy(school)
    for setting, (value, unit) in LADDER.items():
        body = {"value": other.get(setting, value), "unit": unit, "reason": "试用"}
        await school.do("leader", f"/campaigns/{plan}/set-policy", {"setting": setting, **body})


async def opened(school: School) -> str:
    return str((await school.do("clerk", "/issues", ISSUE))["id"])


async def life(school: School, issue: str) -> list[Record]:
    return await school.stack.runtimes["rectification"].journal.read(
        f"evt.{school.id}.rectification.issue.{issue}"
    )


async def rungs(school: School, issue: str) -> list[str]:
    """The events after the opening, as the log has them."""
    names = {"reminded": "remind", "urged": "urge", "supervised": "supervise"}
    said = [r.type.split(".")[2] for r in (await life(school, issue))[1:]]
    return [names.get(word, "account" if "account" in word else word) for word in said]


async def spoken(school: School, issue: str, wanted: list[str]) -> None:
    """Wait until a deadline was spoken of so often."""
    async with asyncio.timeout(PATIENCE):
        while len(await rungs(school, issue)) < len(wanted):
            await asyncio.sleep(0.05)
    assert await rungs(school, issue) == wanted


async def watch(school: School, issue: str) -> Any:
    """When the issue's deadline is to be spoken of."""
    event = (await life(school, issue))[0].event
    assert isinstance(event, IssueOpened)
    return event.watch


async def until(moment: datetime) -> None:
    while now() <= moment:
        await asyncio.sleep(0.05)


async def consumed(stack: Stack) -> None:
    """Wait until every timer that has fired was dealt with."""
    async with operator(stack.settings) as broker, asyncio.timeout(PATIENCE):
        while True:
            info = await broker.api(f"CONSUMER.INFO.{SCHEDULES}.{FIRED}")
            if not info["num_pending"] and not info["num_ack_pending"]:
                return
            await asyncio.sleep(0.05)


async def timers(stack: Stack) -> int:
    """How many timers SCHEDULES holds."""
    async with operator(stack.settings) as broker:
        info = await broker.api(f"STREAM.INFO.{SCHEDULES}", {"subjects_filter": "sched.def.*"})
    return len(info["state"].get("subjects") or ())


async def restarted(stack: Stack) -> None:
    """A new clock in place of one that has stopped."""
    stack.clock = Clock.of(SERVICES, stack.settings)
    await stack.clock.start()


@asynccontextmanager
async def own_school(settings: Settings) -> AsyncIterator[School]:
    async with running(settings) as stack, enrolled(stack) as school:
        yield school


async def test_a_deadline_nobody_meets_climbs_the_ladder_each_rung_once(school: School) -> None:
    await in_seconds(school)
    issue = await opened(school)

    await spoken(school, issue, RUNGS)

    due = await watch(school, issue)
    moments = [*due.remind_at, due.urge_at, due.supervise_at, due.account_at]
    told = (await life(school, issue))[1:]
    assert all(r.at >= moment for r, moment in zip(told, moments, strict=True))
    assert [r.actor for r in told] == ["service:clock"] * 4
    await school.settle()
    shown = await school.get("clerk", f"/issues/{issue}")
    assert [rung["rung"] for rung in shown["rungs"]] == RUNGS
    assert {rung["concern"] for rung in shown["rungs"]} == {"claim"}
    await consumed(school.stack)
    assert await rungs(school, issue) == RUNGS


async def test_while_the_clock_is_away_nothing_is_lost_and_afterwards_nothing_comes_twice(
    own_servers: tuple[Embedded, Settings],
) -> None:
    async with own_school(own_servers[1]) as school:
        await in_seconds(school)
        issue = await opened(school)
        await spoken(school, issue, RUNGS[:1])
        await school.stack.clock.stop()
        behind = await opened(school)
        await until((await watch(school, behind)).account_at)

        await restarted(school.stack)

        await spoken(school, issue, RUNGS)
        await spoken(school, behind, RUNGS)
        await school.stack.clock.stop()
        views = school.stack.runtimes["rectification"].mongo
        assert await views.checkpoints().delete({"_id": "clock"}) == 1
        await restarted(school.stack)
        await school.settle()
        await consumed(school.stack)
        assert await rungs(school, issue) == await rungs(school, behind) == RUNGS


async def test_schedules_is_emptied_and_the_running_clock_builds_it_again(
    own_servers: tuple[Embedded, Settings],
) -> None:
    async with own_school(own_servers[1]) as school:
        await in_seconds(school)
        over = await opened(school)
        await spoken(school, over, RUNGS)
        await in_seconds(school, claim_within="PT15S")
        open_still = await opened(school)
        await school.settle()
        before = await timers(school.stack)

        ended = await taizhang(own_servers[1], "provision", "--timers")

        assert (ended.code, ended.err) == (0, "")
        assert ended.out == "SCHEDULES emptied: the clock builds it again within seconds\n"
        assert before == 4
        await spoken(school, open_still, RUNGS)
        await consumed(school.stack)
        assert await rungs(school, over) == RUNGS
        assert await timers(school.stack) == 0


async def test_a_timer_of_an_issue_that_ended_meanwhile_is_moot(
    own_servers: tuple[Embedded, Settings],
) -> None:
    async with own_school(own_servers[1]) as school:
        await in_seconds(school)
        issue = await opened(school)
        await school.settle()
        await school.stack.clock.stop()
        await school.do("leader", f"/issues/{issue}/void", {"reason": "登记有误"})
        await until((await watch(school, issue)).account_at)

        await restarted(school.stack)

        await school.settle()
        await consumed(school.stack)
        assert "account" not in await rungs(school, issue)
        assert (await rungs(school, issue))[-1] == "voided"
        assert await timers(school.stack) == 0

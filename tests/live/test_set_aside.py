"""What nobody can get past is set aside, on record, and the rest goes on; a replay forgets nothing."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from services.audit.verify import verified
from services.clock.app import Clock
from services.rectification.app import service as rectification
from services.rectification.domain.issue import RemindIssue
from services.rectification.events import ProgressReported
from services.stack import provisioned, running
from shared.broker import Broker
from shared.decider import PersonId, Remind, Unavailable
from shared.embedded import Embedded
from shared.envelope import GENESIS, Provenance, Record, Subject, draft, stamp
from shared.journal import Journal
from shared.mongo import Collection, Mongo
from shared.runtime import Runtime, now
from shared.security import Issuer
from shared.settings import Settings
from tests.live.school import enrolled

pytestmark = pytest.mark.live

GOLDEN = Path(__file__).parents[1] / "golden"
SAID = {"verbatim_text": "食堂的菜是凉的", "channel": "wechat"}
PATIENCE = 120  # seconds


async def bare(broker: Broker, subject: str, *, type_: str = "", body: bytes | None = None) -> int:
    """Put a message into the log as any user of the service could, with no more than a TYPE."""
    if body is None:
        body = (GOLDEN / f"{type_}.json").read_bytes()
    return (await broker.publish(subject, body, {"ce-type": type_} if type_ else {}))[0]


async def test_a_message_that_is_no_event_stops_nobody(
    own_servers: tuple[Embedded, Settings],
) -> None:
    _, settings = own_servers
    async with running(settings) as stack, enrolled(stack) as school:
        ours, theirs = (stack.runtimes[n].broker for n in ("rectification", "feedback"))
        issue = f"evt.{school.id}.rectification.issue"
        opened, closed = "rectification.issue.opened.v1", "feedback.collation.closed.v1"
        bares = [
            await bare(ours, f"{issue}.x1", body=b""),
            await bare(ours, f"{issue}.x2", body=b"\xff", type_="rectification.issue.vanished.v9"),
            await bare(ours, f"{issue}.x3", body=b"{}", type_=opened),
            await bare(ours, f"{issue}.x4", type_=opened),
            await bare(theirs, f"evt.{school.id}.feedback.collation.x5", type_=closed),
            await bare(theirs, f"evt.{school.id}.feedback.collation.x6", body=b"{}", type_=closed),
        ]
        posing = [  # as what the server itself says of a request
            (await ours.publish(f"{issue}.y{status}", b"?", {"Status": status}))[0]
            for status in ("100", "404", "408", "409")
        ]

        said = await school.do("teacher", "/opinions", SAID)
        await school.settle()

        assert (await school.get("clerk", "/opinions"))["items"][0]["id"] == said["id"]
        assert [wrong for r in stack.runtimes.values() if (wrong := await r.ready())] == []
        assert await stack.clock.ready() == {}
        parked = await stack.clock.mongo.keep("parked").find({})
        assert {p["position"] for p in parked} == {*bares[2:]}
        known = {"rectification", "feedback", "clock"}  # what others follow is their affair
        found = {(p["kind"], p["service"], p["position"]) for p in parked if p["service"] in known}
        assert found == {
            ("view", "rectification", bares[2]),
            ("view", "feedback", bares[2]),
            ("timer", "clock", bares[2]),
            ("view", "rectification", bares[3]),
            ("view", "feedback", bares[3]),
            ("timer", "clock", bares[3]),
            ("view", "rectification", bares[4]),
            ("view", "feedback", bares[4]),
            ("policy", "rectification", bares[4]),
            ("view", "rectification", bares[5]),
            ("view", "feedback", bares[5]),
            ("policy", "rectification", bares[5]),
        }
        commands = [p["command"].partition(" ")[0] for p in parked if p["kind"] == "policy"]
        assert sorted(commands) == ["", "open-issue", "open-issue"]
        report = await verified(stack.settings)
        assert {finding.position for finding in report.findings} == {*bares, *posing}


async def test_an_event_with_nothing_in_it_hides_none_behind_it(
    own_servers: tuple[Embedded, Settings],
) -> None:
    _, settings = own_servers
    await provisioned(settings)
    broker = Broker(settings.nats_url, "rectification", settings.password("rectification"))
    await broker.open()
    mongo = Mongo(settings.mongo_url, settings.mongo_database)
    subject = "evt.s-1.rectification.issue.x"
    for body in (b"", b"1", b"2", b"", b"4", b"5", b"6"):
        await bare(broker, subject, body=body, type_="x" if body else "")

    read: list[int] = []
    async for records in Journal(broker, mongo, "rectification").follow(
        "rectification-views", after=0
    ):
        read += [record.position for record in records]
        if len(read) >= 7:
            break

    assert read == [1, 2, 3, 4, 5, 6, 7]
    await broker.close()
    mongo.close()


async def test_a_fired_timer_that_fails_ends_nothing_and_is_tried_again(
    own_servers: tuple[Embedded, Settings],
) -> None:
    _, settings = own_servers
    async with running(settings) as stack:
        at_once = {
            "Nats-Schedule": f"@at {stamp(now())}",
            "Nats-Schedule-Target": "sched.fire.bad",
        }

        await stack.clock.broker.publish("sched.def.bad", b"?", at_once)

        async with asyncio.timeout(PATIENCE):
            while fired("failed") < 2:
                await asyncio.sleep(0.05)
        assert await stack.clock.ready() == {}


def fired(outcome: str) -> float:
    labels = {"service": "clock", "outcome": outcome}
    return REGISTRY.get_sample_value("taizhang_timers_fired_total", labels) or 0


@asynccontextmanager
async def clock(settings: Settings, timers: Any) -> AsyncIterator[Clock]:
    broker = Broker(settings.nats_url, "clock", settings.password("clock"))
    mongo = Mongo(settings.mongo_url, settings.mongo_database)
    issuer = Issuer.load(settings.issuer_file)
    mine = Clock(broker, mongo, issuer, {"rectification": timers})
    await mine.start()
    yield mine
    await mine.stop()


async def test_a_timer_that_cannot_be_told_is_set_aside_and_told_when_it_is_taken_up_again(
    own_servers: tuple[Embedded, Settings],
) -> None:
    _, settings = own_servers
    await provisioned(settings)
    log = Broker(settings.nats_url, "rectification", settings.password("rectification"))
    await log.open()
    moment = now()
    provenance = Provenance(PersonId("p"), moment, moment, uuid4(), "f", uuid4())
    place = Subject("s-1", "rectification", "issue", "i-1")
    event = draft(place, ProgressReported(text="x"), provenance, version=1, previous=GENESIS)
    position, _ = await log.publish(event.subject, event.body, event.headers)

    def wrong(_: Record) -> Iterable[Remind]:
        raise ZeroDivisionError

    def right(record: Record) -> Iterable[Remind]:
        yield Remind("once", record.at + timedelta(days=9), RemindIssue, {})

    async with clock(settings, wrong) as first:
        async with asyncio.timeout(PATIENCE):
            while first.position < position:
                await asyncio.sleep(0.05)
        (parked,) = await first.mongo.keep("parked").find({})
        assert await first.ready() == {}
        assert first._set == set()
        await first.mongo.views("checkpoints").update("clock", {"position": position})
        await decide(first.mongo.keep("parked"), "replay")
    assert parked["reason"] == "ZeroDivisionError: "
    assert (parked["kind"], parked["stream"], parked["position"]) == (
        "timer", event.subject, position,
    )  # fmt: skip

    async with clock(settings, wrong) as again:
        (parked,) = await again.mongo.keep("parked").find({})
        assert "decision" not in parked
        await decide(again.mongo.keep("parked"), "replay")

    async with clock(settings, right) as mended:
        assert await mended.mongo.keep("parked").find({}) == []
        assert len(mended._set) == 1
        assert REGISTRY.get_sample_value("taizhang_parked", {"service": "clock"}) == 0
    await log.close()


async def decide(parked: Collection, decision: str) -> None:
    for item in await parked.find({}):
        await parked.update(item["_id"], {"decision": decision})


async def test_what_shall_be_done_again_stays_on_record_until_it_is_done(
    own_servers: tuple[Embedded, Settings],
) -> None:
    _, settings = own_servers
    runtime = Runtime.of(rectification, settings)
    item = {
        "_id": "x",
        "service": "rectification",
        "kind": "policy",
        "policy": "open-issues",
        "position": 1,
        "decision": "replay",
    }
    await runtime.mongo.keep("parked").put(item)

    with pytest.raises(Unavailable):
        await runtime._retry_parked("policy")  # it is not connected to the log

    assert await runtime.mongo.keep("parked").find({}) == [item]
    runtime.mongo.close()


async def test_a_service_starts_though_nobody_takes_up_what_shall_be_done_again(
    own_servers: tuple[Embedded, Settings],
) -> None:
    _, settings = own_servers
    mongo = Mongo(settings.mongo_url, settings.mongo_database)
    item = {
        "service": "rectification",
        "position": 1,
        "decision": "replay",
        "stream": "evt.a.b.c.d",
    }
    renamed = {**item, "_id": "1", "kind": "policy", "policy": "open-things"}
    gone = {**item, "_id": "2", "kind": "view", "view": "issues.v0"}
    for one in (renamed, gone):
        await mongo.keep("parked").put(one)

    async with running(settings) as stack, enrolled(stack):
        assert await stack.runtimes["rectification"].ready() == {}

    assert await mongo.keep("parked").find({}) == [renamed, gone]
    mongo.close()

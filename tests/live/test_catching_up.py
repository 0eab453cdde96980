"""A service whose views have fallen behind: nothing is answered, decided or lost because of it."""

import asyncio
import json
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from pymongo import AsyncMongoClient

from services.rectification.app import service as rectification
from services.rectification.events import IssueOpened, IssueUrged, RectificationStarted
from services.stack import running
from shared import metrics
from shared import runtime as at_work
from shared.broker import Broker
from shared.decider import PersonId
from shared.embedded import Embedded
from shared.envelope import GENESIS, Provenance, Subject, draft
from shared.runtime import Lag, Runtime, now, progress_of, settled
from shared.settings import Settings
from tests.live.school import enrolled

pytestmark = pytest.mark.live

ISSUE = {
    "title": "食堂饭菜偏凉",
    "addressee": "team",
    "winds": ["bureaucratism"],
    "discovery": "self_found",
    "sources": [{"kind": "superior", "id": "letter-1"}],
}


async def forget_the_views(settings: Settings) -> None:
    """As an operator does who drops the database: it can be made again."""
    client: AsyncMongoClient[Any] = AsyncMongoClient(settings.mongo_url)
    await client.drop_database(settings.mongo_database)
    await client.close()


@asynccontextmanager
async def door(settings: Settings) -> AsyncIterator[Broker]:
    """A way to ask services, without the gateway."""
    broker = Broker(settings.nats_url, "gateway", settings.password("gateway"))
    await broker.open()
    yield broker
    await broker.close()


async def asked(broker: Broker, subject: str, token: str, body: object = None) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"}
    answer = await broker.ask(subject, json.dumps(body or {}).encode(), headers, within=15)
    return dict(json.loads(answer.body))


async def test_who_asks_at_once_is_answered_from_the_whole_log(
    own_servers: tuple[Embedded, Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, settings = own_servers
    async with running(settings) as stack, enrolled(stack, claim_within="PT1H") as school:
        await school.do("clerk", "/issues", ISSUE)
        await school.settle()
    clerk = school.tokens["clerk"]
    question = f"qry.{school.id}.rectification.issues"

    async with door(settings) as broker:
        await forget_the_views(settings)
        monkeypatch.setattr(at_work, "MIN_POSITION_WAIT", 0)
        service = Runtime.of(rectification, settings)
        await service.start()
        early, unready = await asyncio.gather(asked(broker, question, clerk), service.ready())
        monkeypatch.undo()
        patient, ready = await asked(broker, question, clerk), await service.ready()
        await service.stop()

        await forget_the_views(settings)
        service = Runtime.of(rectification, settings)
        await service.start()
        opened = await asked(
            broker, f"cmd.{school.id}.rectification.open-issue", clerk, {**ISSUE, "title": "排队"}
        )
        stored = await service.journal.read(
            f"evt.{school.id}.rectification.issue.{opened.get('id')}"
        )
        await service.stop()

    assert early["error"]["code"] == "not-there-yet"
    assert "catching up" in unready["lag"]
    assert [issue["title"] for issue in patient["found"]["items"]] == [ISSUE["title"]]
    assert ready == {}
    assert isinstance(stored[0].event, IssueOpened)
    assert stored[0].event.watch.due.at - stored[0].at == timedelta(hours=1)


async def test_a_timer_that_fires_while_its_service_catches_up_is_not_lost(
    own_servers: tuple[Embedded, Settings],
) -> None:
    _, settings = own_servers
    times = {"claim_within": "PT2S", "urge_after": "PT0S", "supervise_after": "PT1H"}
    waiting = metrics.TIMERS_FIRED.labels("clock", "unavailable")
    async with running(settings) as stack, enrolled(stack, **times) as school:
        broker, service = stack.gateway.broker, stack.runtimes["rectification"]
        issue = (await school.do("clerk", "/issues", ISSUE))["id"]
        floor, service._lag.floor = service._lag.floor, math.inf
        before = waiting._value.get()
        async with asyncio.timeout(120):
            while waiting._value.get() == before:
                await progress_of(broker, "clock")
        with pytest.raises(TimeoutError):
            await settled(broker, ["clock"], 1, within=0.5)
        service._lag.floor = floor
        await school.settle()
        told = await school.get("clerk", f"/issues/{issue}/biography")

    assert [event["type"] for event in told["items"]] == [IssueOpened.TYPE, IssueUrged.TYPE]


async def test_an_event_of_a_later_version_is_a_warning_and_no_fault(
    own_servers: tuple[Embedded, Settings],
) -> None:
    _, settings = own_servers
    async with running(settings) as stack, enrolled(stack) as school:
        moment, command = now(), uuid4()
        new = draft(
            Subject(school.id, "rectification", "issue", "i-1"),
            RectificationStarted(),
            Provenance(PersonId("p"), moment, moment, command, "f", command),
            version=1,
            previous=GENESIS,
        )
        strange = {**new.headers, "ce-type": "rectification.issue.vanished.v9"}
        await stack.runtimes["rectification"].broker.publish(new.subject, new.body, strange)
        await school.settle()
        answer = await school.client.get("/readyz")

    assert (answer.status_code, answer.json()["wrong"]) == (200, {})
    assert answer.json()["warnings"]["feedback"] == {"unknown": "1 events of unknown type skipped"}


def test_views_that_do_not_keep_up_are_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    lag = Lag(floor=5)
    starting, there, soon = lag.behind(4, 9), lag.behind(5, 9), lag.behind(8, 12)
    monkeypatch.setattr(at_work, "LAG_ALLOWED", -1)
    late, recovered = lag.behind(8, 12), lag.behind(9, 30)

    assert starting == "catching up: 4 of 9"
    assert (there, soon, recovered) == ("", "", "")
    assert late.startswith("8 of 12, not at 9 after")

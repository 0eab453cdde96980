"""Views on the real database: neither skipped nor applied twice, whatever stops in between."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from pydantic import BaseModel, ConfigDict

from services.rectification.events import IssueDeclined, ProgressReported, RectificationStarted
from services.stack import provisioned
from shared.broker import Broker
from shared.decider import Event, PersonId
from shared.envelope import GENESIS, Provenance, Record, Subject, draft
from shared.journal import Journal, LogDamaged
from shared.mongo import Mongo
from shared.runtime import now
from shared.settings import Settings
from shared.views import Projector, View, ledger

pytestmark = pytest.mark.live


class Counted(BaseModel):
    """How often something was said of a stream, and what last."""

    model_config = ConfigDict(frozen=True)
    times: int = 0
    last: str = ""


def counted(document: Counted | None, record: Record) -> Counted | None:
    match record.event:
        case ProgressReported(text="bad"):
            raise ZeroDivisionError
        case ProgressReported(text="gone"):
            return None
        case ProgressReported(text=text):
            times = document.times if document else 0
            return Counted(times=times + 1, last=text)
        case _:
            return document


CARD = View("cards", Counted, counted, (ProgressReported,))
INDEX = View(
    "index", Counted, counted, (ProgressReported,), kind="index",
    keys=lambda r: (r.stream[0], r.stream[-1]),
)  # fmt: skip
LEDGER = ledger("ledger", Counted, counted, (ProgressReported,))


@dataclass
class Desk:
    """A projector that a test feeds by hand."""

    mongo: Mongo
    broker: Broker
    service: str
    school: str
    position: int = 0

    async def projector(self, *views: View[Any]) -> Projector:
        journal = Journal(self.broker, self.mongo, self.service)
        projector = Projector(self.service, journal, self.mongo, views or (CARD, INDEX, LEDGER))
        await projector.prepare()
        return projector

    def said(self, stream: str, text: str = "x", event: Event | None = None) -> Record:
        self.position += 1
        moment = now()
        provenance = Provenance(PersonId("p"), moment, moment, uuid4(), "f", uuid4())
        new = draft(
            Subject(self.school, "rectification", "issue", stream),
            event or ProgressReported(text=text),
            provenance,
            version=2,
            previous=GENESIS,
        )
        return Record(self.position, new.subject, new.headers, new.body)

    async def shown(self, view: View[Any] = CARD) -> dict[str, tuple[int, int]]:
        found = await self.mongo.views(f"{self.service}.{view.collection}").find({})
        return {d["key"]: (d["times"], d["position"]) for d in found if "times" in d}


@pytest_asyncio.fixture
async def desk(servers: Settings) -> AsyncIterator[Desk]:
    await provisioned(servers)
    broker = Broker(servers.nats_url, "rectification", servers.password("rectification"))
    await broker.open()
    mongo = Mongo(servers.mongo_url, servers.mongo_database)
    yield Desk(mongo, broker, f"t{uuid4().hex[:8]}", f"s-{uuid4().hex[:8]}")
    await broker.close()
    mongo.close()


async def test_each_kind_of_view_keeps_its_documents(desk: Desk) -> None:
    projector = await desk.projector()

    await projector.apply([desk.said("a1"), desk.said("a2"), desk.said("a1", "y")])

    assert await desk.shown(CARD) == {"a1": (2, 3), "a2": (1, 2)}
    assert await desk.shown(INDEX) == {"a": (3, 3), "1": (2, 3), "2": (1, 2)}
    assert await desk.shown(LEDGER) == {"school": (3, 3)}
    assert projector.ledger(LEDGER, desk.school) == Counted(times=3, last="y")


async def test_a_batch_that_comes_again_changes_nothing(desk: Desk) -> None:
    projector = await desk.projector()
    batch = [desk.said("a1"), desk.said("a2")]
    await projector.apply(batch)

    await (await desk.projector()).apply(batch)

    assert await desk.shown() == {"a1": (1, 1), "a2": (1, 2)}


async def test_a_crash_before_the_checkpoint_is_made_good(desk: Desk) -> None:
    batch = [desk.said("a1"), desk.said("a2"), desk.said("a1")]
    await (await desk.projector()).apply(batch)
    await desk.mongo.views("checkpoints").delete({"_id": desk.service})

    again = await desk.projector()
    await again.apply([*batch, desk.said("a1")])

    assert again.position == 4
    assert await desk.shown() == {"a1": (3, 4), "a2": (1, 2)}
    assert await desk.shown(LEDGER) == {"school": (4, 4)}


async def test_a_crash_between_two_views_is_made_good(desk: Desk) -> None:
    batch = [desk.said("a1"), desk.said("a1")]
    await (await desk.projector(CARD)).apply(batch)
    await desk.mongo.views("checkpoints").delete({"_id": desk.service})

    await (await desk.projector(CARD, LEDGER)).apply(batch)

    assert await desk.shown(CARD) == {"a1": (2, 2)}
    assert await desk.shown(LEDGER) == {"school": (2, 2)}


async def test_two_projectors_at_once_do_each_others_work_only_once(desk: Desk) -> None:
    one, two = await desk.projector(), await desk.projector()
    first, second = [desk.said("a1")], [desk.said("a1"), desk.said("a2")]

    await one.apply(first)
    await two.apply(first)
    await two.apply(second)
    await one.apply(second)
    await one.apply([desk.said("a1")])

    assert await desk.shown() == {"a1": (3, 4), "a2": (1, 3)}


async def test_a_view_added_later_starts_at_the_beginning(desk: Desk) -> None:
    batch = [desk.said("a1"), desk.said("a2")]
    await (await desk.projector(CARD)).apply(batch)

    later = await desk.projector(CARD, LEDGER)
    begin = later.position
    await later.apply(batch)

    assert begin == 0
    assert await desk.shown(CARD) == {"a1": (1, 1), "a2": (1, 2)}
    assert await desk.shown(LEDGER) == {"school": (2, 2)}


async def test_a_document_that_goes_away_leaves_nothing(desk: Desk) -> None:
    projector = await desk.projector(CARD)
    await projector.apply([desk.said("a1")])
    await projector.apply([desk.said("a1", "gone")])
    await projector.save()

    stored = await desk.mongo.views(f"{desk.service}.{CARD.collection}").find({})

    assert stored == []
    await projector.apply([desk.said("a1", "back")])
    assert await desk.shown() == {"a1": (1, 3)}


async def test_one_bad_stream_is_parked_and_the_others_go_on(desk: Desk) -> None:
    projector = await desk.projector(CARD)

    await projector.apply(
        [desk.said("a1"), desk.said("a1", "bad"), desk.said("a1"), desk.said("b1")]
    )

    assert await desk.shown() == {"a1": (1, 1), "b1": (1, 4)}
    parked = await desk.mongo.keep("parked").find({"service": desk.service})
    assert [(p["position"], p["reason"].split(":")[0]) for p in parked] == [
        (2, "ZeroDivisionError")
    ]
    restarted = await desk.projector(CARD)
    await restarted.apply([desk.said("a1"), desk.said("b1")])
    assert await desk.shown() == {"a1": (1, 1), "b1": (2, 6)}


async def test_an_event_of_unknown_type_is_counted_and_skipped(desk: Desk) -> None:
    projector = await desk.projector(CARD)
    strange = desk.said("a1")
    headers = {**strange.headers, "ce-type": "rectification.issue.vanished.v9"}

    await projector.apply([Record(1, strange.subject, headers, b"?"), desk.said("a1")])

    assert (projector.unknown, projector.position) == (1, 2)
    assert await desk.shown() == {"a1": (1, 2)}


async def test_events_nobody_follows_move_the_position_only(desk: Desk) -> None:
    projector = await desk.projector(CARD)

    await projector.apply([desk.said("a1", event=RectificationStarted())])

    assert projector.position == 1
    assert await desk.shown() == {}
    assert IssueDeclined.TYPE not in {event.TYPE for event in CARD.follows}


async def test_a_log_shorter_than_what_was_read_is_damage(desk: Desk) -> None:
    journal = Journal(desk.broker, desk.mongo, desk.service)
    beyond = await desk.broker.last_position() + 1_000

    with pytest.raises(LogDamaged):
        async for _ in journal.follow("rectification-views", after=beyond):
            pass

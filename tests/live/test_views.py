"""Views on the real database: neither skipped nor applied twice, whatever stops in between."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from prometheus_client import REGISTRY
from pydantic import BaseModel, ConfigDict

from services.rectification.events import IssueDeclined, ProgressReported, RectificationStarted
from services.stack import provisioned
from shared import views
from shared.broker import EVENTS, Broker, JetStreamRefusal
from shared.decider import Event, PersonId, Unavailable
from shared.embedded import Embedded
from shared.envelope import GENESIS, Provenance, Record, Subject, draft
from shared.journal import Journal, LogDamaged
from shared.mongo import Collection, Mongo
from shared.runtime import now
from shared.settings import Settings
from shared.views import Overtaken, Projector, View, ledger, set_aside

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
        case ProgressReported(text="countless"):
            return Counted(times=2**64)
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


class Kept(BaseModel):
    """Everything that was said."""

    texts: tuple[str, ...] = ()
    times: int = 0


def kept(document: Kept | None, record: Record) -> Kept:
    texts = (*(document.texts if document else ()), record.event.model_dump()["text"])
    return Kept(texts=texts, times=len(texts))


def counted_rightly(document: Counted | None, record: Record) -> Counted:
    """As `counted`, without its mistake."""
    text = record.event.model_dump()["text"]
    return Counted(times=(document.times if document else 0) + 1, last=text)


ALL = View("all", Kept, kept, (ProgressReported,))
HALF_TOO_LARGE = "x" * 8_400_000
"""Two of them are more than the 16 MB a document may have."""


@dataclass
class Desk:
    """A projector that a test feeds by hand."""

    mongo: Mongo
    broker: Broker
    service: str
    school: str
    position: int = 0

    @property
    def parked(self) -> Collection:
        return self.mongo.keep("parked")

    async def reasons(self) -> list[tuple[int, str]]:
        found = await self.parked.find({"service": self.service}, sort="position")
        return [(p["position"], p["reason"].split(":")[0]) for p in found]

    async def projector(self, *views: View[Any]) -> Projector:
        journal = Journal(self.broker, self.mongo, self.service)
        projector = Projector(self.service, journal, self.mongo, views or (CARD, INDEX, LEDGER))
        await projector.prepare()
        return projector

    def said(
        self, stream: str, text: str = "x", event: Event | None = None, version: int = 2
    ) -> Record:
        self.position += 1
        moment = now()
        provenance = Provenance(PersonId("p"), moment, moment, uuid4(), "f", uuid4())
        new = draft(
            Subject(self.school, "rectification", "issue", stream),
            event or ProgressReported(text=text),
            provenance,
            version=version,
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


async def test_what_a_lost_database_may_have_forgotten_is_not_claimed(desk: Desk) -> None:
    projector = await desk.projector(CARD)
    await projector.apply([desk.said("a1")])
    await projector.apply([desk.said("a1")])
    desk.mongo._watch.pool_cleared(None)

    with pytest.raises(Overtaken):
        await projector.save()
    with pytest.raises(Overtaken):
        await projector.retry(CARD.collection, "evt.s.rectification.issue.a1")

    claimed = await desk.mongo.checkpoints().get(desk.service)
    assert claimed is not None
    assert claimed["position"] == 1
    await projector.prepare()
    await projector.apply([desk.said("a1")])
    await projector.save()
    assert (await desk.mongo.checkpoints().get(desk.service) or {})["position"] == 3


async def test_who_follows_begins_again_where_somebody_else_wrote(
    own_servers: tuple[Embedded, Settings], caplog: pytest.LogCaptureFixture
) -> None:
    _, settings = own_servers
    await provisioned(settings)
    broker = Broker(settings.nats_url, "rectification", settings.password("rectification"))
    await broker.open()
    mongo = Mongo(settings.mongo_url, settings.mongo_database)
    desk = Desk(mongo, broker, "rectification", "s-1")
    stale, other = await desk.projector(CARD, LEDGER), await desk.projector(CARD, LEDGER)

    async def told(stream: str) -> Record:
        record = desk.said(stream)
        assert await broker.publish(record.subject, record.body, record.headers) == (
            record.position,
            False,
        )
        return record

    await stale.apply([await told("a1")])
    await other.apply([await told("a1"), await told("a2")])
    await told("a1")
    following = asyncio.create_task(stale.run())
    arrived = await stale.reached(4, within=60)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)

    assert arrived
    assert "views begin again: Overtaken" in caplog.text
    assert await desk.shown() == {"a1": (3, 4), "a2": (1, 3)}
    assert stale.ledger(LEDGER, desk.school) == Counted(times=4, last="x")
    await broker.close()
    mongo.close()


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
    assert await desk.reasons() == [(2, "ZeroDivisionError")]
    restarted = await desk.projector(CARD)
    await restarted.apply([desk.said("a1"), desk.said("b1")])
    assert await desk.shown() == {"a1": (1, 1), "b1": (2, 6)}


async def test_a_document_too_large_to_be_stored_parks_its_stream(desk: Desk) -> None:
    projector = await desk.projector(ALL)

    await projector.apply(
        [
            desk.said("a1", HALF_TOO_LARGE),
            desk.said("b1"),
            desk.said("a1", HALF_TOO_LARGE),
            desk.said("a1"),
            desk.said("b1"),
        ]
    )

    assert await desk.reasons() == [(3, "Unwritable")]
    assert await desk.shown(ALL) == {"a1": (1, 1), "b1": (2, 5)}
    assert projector.position == 5


async def test_a_value_the_database_does_not_have_parks_its_stream(desk: Desk) -> None:
    projector = await desk.projector()

    await projector.apply([desk.said("a1"), desk.said("a1", "countless"), desk.said("b1")])
    await projector.apply([desk.said("a1"), desk.said("b1")])

    assert await desk.reasons() == [(2, "Unwritable")] * 3
    assert await desk.shown(CARD) == {"a1": (1, 1), "b1": (2, 5)}
    assert await desk.shown(INDEX) == {"a": (1, 1), "1": (3, 5), "b": (2, 5)}
    assert await desk.shown(LEDGER) == {"school": (3, 5)}
    assert projector.ledger(LEDGER, desk.school) == Counted(times=3, last="x")


async def test_an_event_without_its_headers_is_skipped_or_parked(desk: Desk) -> None:
    projector = await desk.projector()
    known = desk.said("a1")

    await projector.apply(
        [
            Record(1, f"evt.{desk.school}.rectification.issue.bare", {}, b""),
            Record(2, known.subject, {"ce-type": known.type}, known.body),
            Record(3, known.subject, {**known.headers, "ce-streamversion": "x"}, known.body),
            Record(4, f"{known.subject}-b", known.headers, known.body),
        ]
    )

    assert (projector.unknown, projector.position) == (1, 4)
    assert await desk.reasons() == [(2, "KeyError")] * 3
    assert await desk.shown(CARD) == {"a1-b": (1, 4)}


async def test_what_is_set_aside_is_on_record_before_it_is_passed_over(desk: Desk) -> None:
    projector = await desk.projector(CARD)
    batch = [desk.said("a1", "bad", version=1)]
    nowhere = Mongo("mongodb://127.0.0.1:1", "nothing")

    projector.mongo = nowhere
    with pytest.raises(Unavailable):
        await projector.apply(batch)
    projector.mongo = desk.mongo
    await projector.apply(batch)
    nowhere.close()

    assert await desk.reasons() == [(1, "ZeroDivisionError")]


async def test_what_came_before_the_bad_event_is_shown_when_a_view_is_made_anew(
    desk: Desk,
) -> None:
    batch = [desk.said("a1"), desk.said("a1", "bad"), desk.said("a1"), desk.said("b1")]
    before = await desk.projector()
    await before.apply(batch)
    shown = {view.collection: await desk.shown(view) for view in (CARD, INDEX, LEDGER)}

    await desk.mongo.views("checkpoints").delete({"_id": desk.service})
    for view in (CARD, INDEX, LEDGER):
        await before.collection(view).delete({})
    await (await desk.projector()).apply(batch)

    assert {view.collection: await desk.shown(view) for view in (CARD, INDEX, LEDGER)} == shown
    assert await desk.shown(LEDGER) == {"school": (2, 4)}


async def test_two_services_set_the_same_stream_aside_each_for_itself(desk: Desk) -> None:
    other = Desk(desk.mongo, desk.broker, f"{desk.service}x", desk.school)
    batch = [desk.said("a1", "bad")]

    await (await desk.projector(CARD)).apply(batch)
    await (await other.projector(CARD)).apply(batch)

    assert await desk.reasons() == await other.reasons() == [(1, "ZeroDivisionError")]


async def test_a_view_taken_up_again_survives_a_crash_in_the_middle(desk: Desk) -> None:
    first = await desk.projector(CARD, LEDGER)
    await first.apply([desk.said("a1"), desk.said("b1")])
    await first.save()
    interrupted = await desk.projector(CARD, LEDGER)

    assert await interrupted.retry(LEDGER.collection, desk.said("a1").subject)

    again = await desk.projector(CARD, LEDGER)
    desk.position = 0
    await again.apply([desk.said("a1"), desk.said("b1")])
    assert await desk.shown(LEDGER) == {"school": (2, 2)}
    assert await desk.shown(CARD) == {"a1": (1, 1), "b1": (1, 2)}


async def test_a_card_taken_up_again_comes_from_its_own_events(desk: Desk) -> None:
    stream = f"i-{uuid4().hex[:8]}"
    batch = []
    for version, text in enumerate(("x", "bad", "x"), start=1):
        record = desk.said(stream, text, version=version)
        position, _ = await desk.broker.publish(record.subject, record.body, record.headers)
        batch.append(Record(position, record.subject, record.headers, record.body))
    projector = await desk.projector(CARD)
    await projector.apply(batch)

    mended = replace(CARD, project=counted_rightly)
    restarted = await desk.projector(mended)
    assert await restarted.retry(mended.collection, batch[0].subject)

    assert await desk.shown(mended) == {stream: (3, batch[-1].position)}


async def test_a_view_that_is_no_longer_there_is_not_taken_up_again(desk: Desk) -> None:
    projector = await desk.projector(CARD)

    assert not await projector.retry("cards.v0", desk.said("a1").subject)


async def test_what_is_set_aside_is_counted_whatever_it_is_unless_it_is_skipped(
    desk: Desk,
) -> None:
    for n, (kind, decision) in enumerate(
        [("view", "skip"), ("view", "replay"), ("policy", None), ("box", None), ("policy", "skip")]
    ):
        item = {"service": desk.service, "kind": kind, "view": "cards.v1", "position": n}
        where = {"_id": f"{desk.service} {n}", "stream": f"s{n}"}
        await desk.parked.put({**item, **where, **({"decision": decision} if decision else {})})

    projector = await desk.projector(CARD)
    assert REGISTRY.get_sample_value("taizhang_parked", {"service": desk.service}) == 3
    await projector.apply([desk.said("a1", "bad")])
    assert REGISTRY.get_sample_value("taizhang_parked", {"service": desk.service}) == 4


@pytest.mark.parametrize(("decision", "then"), [("skip", "skip"), ("replay", None)])
async def test_what_is_set_aside_again_stays_skipped_but_not_done_again(
    desk: Desk, decision: str, then: str | None
) -> None:
    record = desk.said("a1")
    item = {"_id": f"{desk.service} x", "kind": "timer", "reason": "again"}

    await set_aside(desk.parked, desk.service, record, item)
    await desk.parked.update(item["_id"], {"decision": decision})
    await set_aside(desk.parked, desk.service, record, item)

    (parked,) = await desk.parked.find({"service": desk.service})
    assert parked.get("decision") == then


async def test_preparing_again_changes_nothing(desk: Desk) -> None:
    projector = await desk.projector(LEDGER)
    await projector.prepare()

    await projector.apply([desk.said("a1")])

    assert await desk.shown(LEDGER) == {"school": (1, 1)}
    assert projector.ledger(LEDGER, desk.school) == Counted(times=1, last="x")
    assert len(projector._foldings) == 1


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


# -- Folding ahead of the writer ---------------------------------------------------------------------


async def test_what_the_writer_took_while_a_batch_was_folded_is_not_due_again(desk: Desk) -> None:
    await (await desk.projector(CARD)).apply([desk.said("a1"), desk.said("b1")])
    projector = await desk.projector(CARD)
    (cards,) = projector._foldings
    await projector._fold_ahead([desk.said("a1")])

    folding = asyncio.create_task(projector._fold_ahead([desk.said("b1")]))
    await asyncio.sleep(0)  # it fetches what it has not at hand
    taken = cards.take_due()
    await folding

    assert taken == [f"{desk.school}/a1"]
    assert cards.take_due() == [f"{desk.school}/b1"]


async def test_a_document_that_became_due_while_it_was_taken_is_written_once(desk: Desk) -> None:
    projector = await desk.projector(CARD)
    (cards,) = projector._foldings
    await projector._fold_ahead([desk.said("a1")])
    taken = cards.take_due()
    await projector._fold_ahead([desk.said("a1")])

    first, second = cards.hand_over(taken), cards.hand_over(cards.take_due())

    assert [(loaded, d["position"]) for loaded, d in first] == [(None, 2)]
    assert second == []


async def test_what_changed_lately_waits_while_the_log_is_caught_up_with(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "RECENT", 2)
    projector = await desk.projector(CARD)
    projector._behind_until = 9
    await projector._fold_ahead([desk.said("a1"), desk.said("b1")])
    await projector._fold_ahead([desk.said("c1"), desk.said("b1")])

    (first,) = projector._take()[0]
    await projector._fold_ahead([desk.said("d1"), desk.said("b1")])
    (second,), claimed = projector._take()
    projector._behind_until = 0
    (rest,), at_last = projector._take()

    assert (first[1], second[1]) == ([f"{desk.school}/a1"], [f"{desk.school}/c1"])
    assert claimed == 0  # b1 has waited from the first batch on
    assert (sorted(rest[1]), at_last) == ([f"{desk.school}/b1", f"{desk.school}/d1"], 6)


async def test_an_event_of_unknown_type_is_counted_though_what_came_before_it_waits(
    desk: Desk,
) -> None:
    projector = await desk.projector(CARD)
    projector._behind_until = 9
    known, strange = desk.said("a1"), desk.said("b1")
    headers = {**strange.headers, "ce-type": "rectification.issue.vanished.v9"}
    unknown = Record(2, strange.subject, headers, b"?")
    async with asyncio.TaskGroup() as group:
        writing = group.create_task(projector._write_on())
        await projector._fold_ahead([known, unknown])
        while projector._came.is_set():
            await asyncio.sleep(0)
        held_back = projector.position

        arrived = await projector.reached(2, within=30)
        writing.cancel()

    assert (held_back, arrived, projector.unknown) == (0, True, 1)


class Leaderless(Broker):
    """A broker whose log has no leader yet."""

    async def last_position(self, stream: str = EVENTS) -> int:
        raise JetStreamRefusal(10008, f"{stream}: JetStream system temporarily unavailable")


@dataclass
class Waiting(Journal):
    """A log that is waited for."""

    followed: asyncio.Event = field(default_factory=asyncio.Event)

    async def follow(self, *_: object, **__: object) -> AsyncGenerator[list[Record]]:
        self.followed.set()
        await asyncio.Event().wait()
        yield []


async def test_a_log_without_a_leader_is_waited_for_and_nothing_is_read_anew(desk: Desk) -> None:
    journal = Waiting(Leaderless("nats://127.0.0.1:1", "nobody", ""), desk.mongo, desk.service)
    projector = Projector(desk.service, journal, desk.mongo, (CARD,))
    await projector.prepare()
    running = asyncio.create_task(projector.run())
    waited = asyncio.create_task(journal.followed.wait())
    await asyncio.wait({running, waited}, return_when=asyncio.FIRST_COMPLETED)

    assert (waited.done(), running.done(), projector.times_begun) == (True, False, 1)
    running.cancel()


async def test_who_waits_for_what_is_folded_gets_it_though_the_log_is_longer(desk: Desk) -> None:
    projector = await desk.projector(CARD)
    projector._behind_until = 9
    async with asyncio.TaskGroup() as group:
        writing = group.create_task(projector._write_on())
        await projector._fold_ahead([desk.said("a1"), desk.said("b1")])
        while projector._came.is_set():
            await asyncio.sleep(0)

        arrived = await projector.reached(1, within=30)
        writing.cancel()

    assert arrived
    assert await desk.shown() == {"a1": (1, 1), "b1": (1, 2)}


async def test_letting_go_of_documents_keeps_what_is_still_to_be_swept(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    projector = await desk.projector(CARD)
    await projector.apply([desk.said("a1"), desk.said("b1")])
    await projector.apply([desk.said("a1", "gone")])

    monkeypatch.setattr(views, "CARDS_IN_MEMORY", 0)
    projector._foldings[0].trim()
    await projector.save()
    await projector.apply([desk.said("a1", "back"), desk.said("b1")])

    assert await desk.shown() == {"a1": (1, 4), "b1": (2, 5)}


async def test_a_document_that_comes_back_while_its_tombstone_is_swept_is_new(desk: Desk) -> None:
    projector = await desk.projector(CARD)
    await projector.apply([desk.said("a1")])
    await projector.apply([desk.said("a1", "gone")])
    (cards,) = projector._foldings

    sweeping = asyncio.create_task(cards.sweep(projector.position))
    await asyncio.sleep(0)  # the tombstone is being deleted
    await projector._fold_ahead([desk.said("a1", "back")])
    await sweeping
    changes = cards.hand_over(cards.take_due())

    assert [(loaded, d["position"]) for loaded, d in changes] == [(None, 3)]
    assert await cards.collection.replace_guarded(changes) == 1
    assert await desk.shown() == {"a1": (1, 3)}


async def test_a_stream_that_begins_is_not_taken_for_the_beginning_of_what_it_names(
    desk: Desk,
) -> None:
    await (await desk.projector(INDEX)).apply([desk.said("a1"), desk.said("a2")])
    later = await desk.projector(INDEX)
    (index,) = later._foldings

    await later._fold_ahead([desk.said("a3", version=1)])
    changes = index.hand_over(index.take_due())

    assert {d["key"]: (loaded, d["times"]) for loaded, d in changes} == {
        "a": (2, 3),
        "3": (None, 1),
    }
    assert await index.collection.replace_guarded(changes) == 2


async def test_a_tombstone_that_a_crash_left_behind_is_swept_at_the_next_start(desk: Desk) -> None:
    projector = await desk.projector(CARD)
    await projector.apply([desk.said("a1")])
    await projector.apply([desk.said("a1", "gone")])
    stored = desk.mongo.views(f"{desk.service}.{CARD.collection}")
    await projector.save()
    await stored.insert({"_id": "left", "school": desk.school, "position": 1, "gone": True})

    await desk.projector(CARD)

    assert await stored.find({}) == []

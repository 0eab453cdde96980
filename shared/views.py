"""What people look at, kept in MongoDB and rebuilt from the log at will.

A *card* is one document per stream; an *index* has several, its keys read from the event alone; a
*ledger* is one bounded state per school that is also held in memory, where rules may ask it.
"""

import asyncio
import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from itertools import batched, takewhile
from typing import Any, Literal

from pydantic import BaseModel

from shared import metrics
from shared.broker import JetStreamRefusal
from shared.decider import Event, Unavailable
from shared.envelope import Record
from shared.journal import Journal, LogDamaged
from shared.mongo import Collection, Document, Mongo, Unwritable

log = logging.getLogger(__name__)

CHECKPOINT_AFTER = 1.0
"""Seconds between two checkpoints; what lies between is folded again after a crash."""
BREATH = 0.03
"""Seconds from one batch to the next at least, so that a busy time has fewer, larger ones."""
PAUSE = 0.25
"""Seconds from one batch to the next while nobody waits for the views: commands come first."""
LONG_PAUSE = 2.0
"""The same while commands press."""
LEDGERS_AFTER = 60.0
"""Seconds from one writing of the ledgers to the next, unless the log is quiet or somebody waits for it."""
AHEAD = 20_000
"""Events folded in memory before they must be written."""
RECENT = 2_000
"""Events; a document that changed within so many is not written yet while the log is being caught up with."""
INDEXED = ("school", "opened")
BULK = 500
"""Documents written at once."""
CARDS_IN_MEMORY = 20_000
ENVELOPE = frozenset({"_id", "school", "key", "position", "version", "opened", "gone"})
"""What a stored document has beside its content."""
AGAIN_AFTER = 0.2  # seconds until views begin again after trouble
NEVER = sys.maxsize  # a position no event has


def _stream(record: Record) -> tuple[str, ...]:
    return (record.stream,)


def _school(_: Record) -> tuple[str, ...]:
    return ("school",)


@dataclass(frozen=True)
class View[D: BaseModel]:
    """A collection and the pure function that keeps its documents up to date.

    `project(document, record)` gives the document after one more event, or `None` for none. It reads
    no clock and no other document. `follows` are the events it wants to see; `keys(record)` names the
    documents an event concerns. Raise `version` when the documents' meaning changes: the new version
    is built in a collection of its own.
    """

    name: str
    document: type[D]
    project: Callable[[D | None, Record], D | None]
    follows: tuple[type[Event], ...]
    kind: Literal["card", "index", "ledger"] = "card"
    keys: Callable[[Record], Iterable[str]] = _stream
    version: int = 1

    def __post_init__(self) -> None:
        """Refuse documents that would overwrite their own envelope."""
        if taken := ENVELOPE & {f.alias or n for n, f in self.document.model_fields.items()}:
            msg = f"{self.name}: {', '.join(sorted(taken))} belong to the envelope"
            raise TypeError(msg)

    @property
    def collection(self) -> str:
        """The collection of this version."""
        return f"{self.name}.v{self.version}"

    @property
    def checkpoint(self) -> str:
        """What the collection is called in a checkpoint's `views`."""
        return self.collection.replace(".", "/")


def ledger[D: BaseModel](
    name: str,
    document: type[D],
    project: Callable[[D | None, Record], D | None],
    follows: tuple[type[Event], ...],
    *,
    version: int = 1,
) -> View[D]:
    """A view with one document per school, held in memory."""
    return View(name, document, project, follows, "ledger", _school, version)


@dataclass
class Working:
    """A document while a batch is folded: what was loaded, what it has become."""

    document: BaseModel | None
    loaded: int | None
    position: int
    opened: int
    version: int = 0


@dataclass
class Folding:
    """One view and the documents it has at hand."""

    view: View[Any]
    collection: Collection
    checkpoint: int = 0
    cache: dict[str, Working] = field(default_factory=dict)
    parked: dict[str, int] = field(default_factory=dict)
    """Streams set aside, and from which position on."""
    graves: set[str] = field(default_factory=set)
    due: dict[str, int] = field(default_factory=dict)
    """Documents that are still to be written, the latest changed last, and the first position unwritten."""
    types: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Note the TYPEs the view follows."""
        self.types = frozenset(event.TYPE for event in self.view.follows)

    async def load(self, keys: Sequence[str], *, again: bool = False) -> None:
        """Fetch the documents that are not at hand; all of them `again` when somebody else wrote."""
        missing = [key for key in keys if again or key not in self.cache]
        if not missing:
            return
        found = await self.collection.get_many(missing)
        for key in missing:
            document = found.get(key)
            self.cache[key] = (
                Working(None, None, 0, 0) if document is None else _working(document, self.view)
            )

    def begin(self, keys: Iterable[str]) -> None:
        """Take for granted that what a stream begins with is new; if it is not, writing finds out."""
        for key in keys:
            self.cache.setdefault(key, Working(None, None, 0, 0))

    def fold(self, record: Record, key: str) -> None:
        """Apply an event to one document unless it had been applied before."""
        working = self.cache[key]
        if record.position > working.position:
            version = record.version
            working.document = self.view.project(working.document, record)
            working.position = record.position
            working.version = version
            working.opened = working.opened or record.position

    def changed(self, key: str) -> bool:
        """Whether a document at hand is further than the stored one."""
        working = self.cache[key]
        return working.position != (working.loaded or 0)

    def fall_due(self, keys: Iterable[str], since: int) -> None:
        """Note that documents were changed by events from a position on."""
        for key in keys:
            self.due[key] = self.due.pop(key, since)

    @property
    def unwritten(self) -> int:
        """The first position whose change is still to be written."""
        return min(self.due.values(), default=NEVER)

    def take_due(self, up_to: int = NEVER) -> list[str]:
        """The keys of what is to be written and was not changed after a position; no longer due then."""
        keys = list(takewhile(lambda key: self.cache[key].position <= up_to, self.due))
        for key in keys:
            del self.due[key]
        return keys

    def hand_over(self, keys: Iterable[str]) -> list[tuple[int | None, Document]]:
        """Documents to be written, as `change` gives them; from now on taken for stored."""
        keys = [key for key in keys if self.changed(key)]
        changes = [self.change(key) for key in keys]
        for key in keys:
            self.stored(key)
        return changes

    def stored(self, key: str) -> None:
        """Note that a document is stored, or on its way there, as it is at hand."""
        working = self.cache[key]
        working.loaded = working.position
        if working.document is None:
            self.graves.add(key)
        else:
            self.graves.discard(key)

    def written(self, key: str) -> Document:
        """A document as it is stored."""
        working = self.cache[key]
        school, _, own = key.partition("/")
        return as_stored(school, own, working)

    def change(self, key: str) -> tuple[int | None, Document]:
        """A document as it is to be stored, and the position it was made from."""
        return self.cache[key].loaded, self.written(key)

    @property
    def too_many(self) -> bool:
        """Whether there are more documents at hand than there should be."""
        return self.view.kind != "ledger" and len(self.cache) > CARDS_IN_MEMORY

    def trim(self) -> None:
        """Let go of the documents when there are too many, none of them being on its way; a ledger stays.

        So do tombstones: they are still to be swept away.
        """
        if self.too_many:
            self.cache = {key: self.cache[key] for key in self.graves}

    async def sweep(self, position: int) -> None:
        """Remove the tombstones that the checkpoint has passed."""
        passed = {k: w for k in self.graves if (w := self.cache[k]).position <= position}
        if not passed:
            return
        await self.collection.delete(
            {"_id": {"$in": list(passed)}, "gone": True, "position": {"$lte": position}}
        )
        for key, working in passed.items():
            working.loaded = None
            if working.position <= position:  # it has not come back meanwhile
                self.graves.discard(key)
                working.position = working.opened = working.version = 0


def as_stored(school: str, key: str, working: Working) -> Document:
    """The stored form: `_id` = school/key, the position folded up to and began at, the version there.

    For a card the version is that of its stream.
    """
    envelope = {
        "_id": f"{school}/{key}",
        "school": school,
        "key": key,
        "position": working.position,
        "version": working.version,
        "opened": working.opened,
    }
    if working.document is None:
        return {**envelope, "gone": True}
    return {**working.document.model_dump(mode="json"), **envelope}


def content(document: Document) -> Document:
    """A stored document without its envelope."""
    return {name: value for name, value in document.items() if name not in ENVELOPE}


def shown(document: Document) -> Document:
    """A stored document as it is answered: its content, its id, and how far it goes."""
    return {
        **content(document),
        "id": document["key"],
        "version": document["version"],
        "position": document["position"],
        "opened": document["opened"],
    }


def _working(document: Document, view: View[Any]) -> Working:
    gone = document.get("gone", False)
    return Working(
        None if gone else view.document.model_validate(content(document)),
        document["position"],
        document["position"],
        document["opened"],
        document["version"],
    )


# -- What is set aside ---------------------------------------------------------------------------


async def set_aside(
    parked: Collection, service: str, record: Record, item: Mapping[str, Any]
) -> None:
    """Put an event that a service cannot get past where people find it, durably.

    `item` has at least `_id`, `kind` and `reason`. What was skipped before stays so; what was to be
    done again waits for a new decision.
    """
    where = {"service": service, "stream": record.subject, "position": record.position}
    before = await parked.get(item["_id"]) or {}
    skipped = before.get("decision") == "skip" and before["position"] == record.position
    await parked.put({**where, **item, **({"decision": "skip"} if skipped else {})})
    await count_parked(parked, service)


async def count_parked(parked: Collection, service: str) -> None:
    """Show how many items of a service wait for a decision or for being done again."""
    waiting = await parked.count({"service": service, "decision": {"$ne": "skip"}})
    metrics.PARKED.labels(service).set(waiting)


def reason(error: Exception) -> str:
    """Why something was parked, when it was no refusal."""
    return f"{type(error).__name__}: {error}"[:500]


class Overtaken(Unavailable):
    """Somebody else wrote, or the database may have lost what was written: on from the checkpoint."""


@dataclass
class Projector:
    """Keeps all views of one service up to date with the log.

    Events are folded in memory as they come. What they changed is written now and then, at once when
    somebody waits for it: in one unordered bulk per view, each document only over the position it was
    made from. A checkpoint claims what was durable before it.
    A ledger grows with its school and is asked in memory: it is written when the log is quiet, once in
    `LEDGERS_AFTER` while it is not, and for whoever needs it `stored`; after a crash it is folded on from
    its own checkpoint. So a long import costs a few writings of it, not one per batch.
    Whenever something is not as expected (a document has moved on, one cannot be stored, the database
    was away) all that is held in memory is dropped, and the log is followed from the checkpoint, with
    care until that place is behind. So a crash, a restored database or a second projector neither
    skips an event nor applies one twice.
    """

    service: str
    journal: Journal
    mongo: Mongo
    views: tuple[View[Any], ...]
    position: int = 0
    yielding: Callable[[], bool] = lambda: False
    """Whether commands are pressing."""
    asked: bool = True
    """Whether anybody asks for documents by more than their id; then they are indexed."""
    follower: str = ""
    """Whose name consumer and checkpoint go by, if it is not the service's own projector."""
    damage: str = ""
    unknown: int = 0
    times_begun: int = 0
    """How often all that is in memory was read anew."""
    _watchers: dict[str, Callable[[str, Any], None]] = field(default_factory=dict)
    _foldings: list[Folding] = field(default_factory=list)
    _bare: list[Folding] = field(default_factory=list)
    """Those that get their index when the log is caught up with: until then it would cost half the time."""
    _moved: asyncio.Condition = field(default_factory=asyncio.Condition)
    _hurry: asyncio.Event = field(default_factory=asyncio.Event)
    _came: asyncio.Event = field(default_factory=asyncio.Event)
    _awaited: list[tuple[float, bool]] = field(default_factory=list)
    """Positions somebody waits for, and whether ledgers are to be stored up to there as well."""
    _quiet: bool = False
    """Whether nothing new was in the log when it was last looked at."""
    _ledgers_at: float = 0.0
    _claimed: Mapping[str, int] = field(default_factory=dict)
    _saved_at: float = 0.0
    _lost: int = 0
    _ahead: int = 0
    _strange: int = 0
    _behind_until: int = 0
    """Where the log ended when following began."""
    _careful_to: int = 0

    @property
    def _name(self) -> str:
        return self.follower or self.service

    @property
    def _checkpoints(self) -> Collection:
        return self.mongo.checkpoints()

    @property
    def _parked(self) -> Collection:
        return self.mongo.keep("parked")

    async def prepare(self) -> None:
        """Read the checkpoints; load every ledger into memory. Safe to repeat."""
        lost = self.mongo.lost
        saved = await self._checkpoints.get(self._name) or {}
        reached: Mapping[str, int] = saved.get("views", {})
        parked = await self._parked.find({"service": self.service, "kind": "view"})
        foldings = []
        for view in self.views:
            folding = Folding(
                view,
                self.collection(view),
                reached.get(view.checkpoint, 0),
            )
            mine = [p for p in parked if p["view"] == view.collection]
            folding.parked = {p["stream"]: p["position"] for p in mine}
            if self.asked and folding.checkpoint:
                await folding.collection.index(INDEXED)
            swept = {"gone": True, "position": {"$lte": folding.checkpoint}}
            await folding.collection.delete(swept)  # what a crash kept from being swept
            if view.kind == "ledger":
                await folding.load(
                    [d["_id"] for d in await folding.collection.find({}, fields=["_id"])]
                )
            foldings.append(folding)
        await count_parked(self._parked, self.service)
        self._foldings, self._lost = foldings, lost
        self._bare = [f for f in foldings if self.asked and not f.checkpoint]
        self.position = min((f.checkpoint for f in foldings), default=saved.get("position", 0))
        self._ahead, self._claimed = self.position, self._claim()
        self._strange, self._ledgers_at = 0, time.monotonic()
        self.times_begun += 1

    async def retry(self, collection: str, subject: str) -> bool:
        """Take a parked stream up again: a card from its own events, any other view from the start.

        Call between `prepare` and `run`; safe to repeat after an interruption. What fails again is
        parked again. `False` when there is no such view any more.
        """
        folding = next((f for f in self._foldings if f.view.collection == collection), None)
        if folding is None:
            return False
        folding.parked.pop(subject, None)
        if folding.view.kind == "card":
            past = await self.journal.read(subject)
            known = [r for r in past if r.position <= folding.checkpoint]
            keys = {f"{r.school}/{r.stream}" for r in known}
            await folding.collection.delete({"_id": {"$in": list(keys)}})
            for key in keys:
                folding.cache.pop(key, None)
            await self._fold_surely(folding, [r for r in known if r.type in folding.types])
        else:
            await self._checkpoints.update(self._name, {f"views.{folding.view.checkpoint}": 0})
            await folding.collection.delete({})
            folding.cache.clear()
            folding.checkpoint = self.position = self._ahead = 0
            self._claimed = {}
        await self.flush()
        return True

    @property
    def stored(self) -> int:
        """The log position up to which ledgers are stored as well."""
        return min([self.position, *(folding.checkpoint for folding in self._foldings)])

    def collection(self, view: View[Any]) -> Collection:
        """Where a view's documents are."""
        return self.mongo.views(f"{self.service}.{view.collection}")

    def ledger[D: BaseModel](self, view: View[D], school: str) -> D | None:
        """A ledger's state for a school, from memory."""
        folding = next(f for f in self._foldings if f.view is view)
        working = folding.cache.get(f"{school}/school")
        return working.document if working else None  # type: ignore[return-value]  # of this view

    def ledgers[D: BaseModel](self, view: View[D]) -> list[tuple[str, D]]:
        """A ledger's state for every school that has one, by the school's token, from memory."""
        folding = next(f for f in self._foldings if f.view is view)
        known = ((key.partition("/")[0], w.document) for key, w in sorted(folding.cache.items()))
        return [(school, document) for school, document in known if document]  # type: ignore[misc]  # of this view

    def watch[D: BaseModel](self, view: View[D], tell: Callable[[str, D], None]) -> None:
        """Tell a school's id and a document of a view whenever one was written, before that is claimed.

        It may already hold more than what was written. Whoever watches forgets all when `times_begun` grows.
        """
        self._watchers[view.name] = tell

    def _tell(self, folding: Folding, keys: Iterable[str]) -> None:
        """Tell who watches what was written."""
        if tell := self._watchers.get(folding.view.name):
            for key in keys:
                if (document := folding.cache[key].document) is not None:
                    tell(key.partition("/")[0], document)

    async def run(self) -> None:
        """Follow the log until cancelled. Call after `prepare`."""
        prepared = True
        while not self.damage:
            try:
                if not prepared:
                    await self.prepare()
                prepared = False
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._write_on())
                    await self._fold_on()
            except* LogDamaged as damaged:
                self.damage = str(damaged.exceptions[0])
                log.critical("%s: %s", self.service, self.damage)
            except* (Unavailable, Unwritable) as troubles:
                log.warning("%s: views begin again: %r", self.service, troubles.exceptions[0])
                self._careful_to = max(self._careful_to, self._ahead)
                await asyncio.sleep(AGAIN_AFTER)

    async def _fold_on(self) -> None:
        """Fold events as they come, not too far ahead of the writer."""
        with suppress(JetStreamRefusal, Unavailable):  # `follow` waits for the log
            self._behind_until = await self.journal.broker.last_position()
        following = self.journal.follow(f"{self._name}-views", after=self.position)
        async with aclosing(following):
            async for records in following:
                begun = time.monotonic()
                if any(folding.too_many for folding in self._foldings):
                    await self.reached(self._ahead, within=None)
                    for folding in self._foldings:
                        folding.trim()
                if records and records[0].position <= self._careful_to:
                    await self.apply(records)
                    continue
                await self._fold_ahead(records)
                await self.reached(self._ahead - AHEAD, within=None)
                if self._ahead < self._behind_until:
                    await asyncio.sleep(0)
                else:
                    await self._breathe(begun)

    async def _fold_ahead(self, records: list[Record]) -> None:
        """Fold a batch in memory, for the writer to take."""
        self._quiet = not records
        for folding, due in self._concerned(records):
            keys = await self._fold(folding, due)
            folding.fall_due(keys, due[0].position)
        if records:
            self._ahead = records[-1].position
            self._strange += _unknown(records)
        self._came.set()

    async def _breathe(self, begun: float) -> None:
        """Let others work and more events come, longer while nobody waits for what is not folded yet."""
        await asyncio.sleep(max(0.0, begun + BREATH - time.monotonic()))
        self._hurry.clear()
        if all(position <= self._ahead for position, _ in self._awaited):
            pause = LONG_PAUSE if self.yielding() else PAUSE
            with suppress(TimeoutError):
                async with asyncio.timeout(begun + pause - time.monotonic()):
                    await self._hurry.wait()

    async def _write_on(self) -> None:
        """Write what was folded; what is folded while the database is busy is written together."""
        while True:
            await self._came.wait()
            self._came.clear()
            taken, last = self._take()
            strange = 0
            if last == self._ahead > self.position:  # else they are told of when all is passed
                strange, self._strange = self._strange, 0
            for folding, keys in taken:
                for some in batched(keys, BULK):
                    changes = folding.hand_over(some)
                    if await folding.collection.replace_guarded(changes) != len(changes):
                        raise Overtaken(folding.view.name)
                    self._tell(folding, some)
            await self._passed(last if last > self.position else 0, strange)

    def _take(self) -> tuple[list[tuple[Folding, list[str]]], int]:
        """What is to be written now, and up to where all is written then.

        While the log is being caught up with, a document that changed lately is likely to change again,
        and waits; not if somebody waits for it.
        """
        waited_for = any(self.position < position <= self._ahead for position, _ in self._awaited)
        catching_up = self._ahead < self._behind_until
        up_to = self._ahead - RECENT if catching_up and not waited_for else self._ahead
        cards = [folding for folding in self._foldings if folding.view.kind != "ledger"]
        taken = [(folding, folding.take_due(up_to)) for folding in cards]
        left = min([self._ahead + 1, *(folding.unwritten for folding in cards)])
        if self._ledgers_fall_due():
            ledgers = [folding for folding in self._foldings if folding.view.kind == "ledger"]
            taken += [(folding, folding.take_due(self._ahead)) for folding in ledgers]
            self._ledgers_at = time.monotonic()
        return taken, left - 1

    def _ledgers_fall_due(self) -> bool:
        """Whether the ledgers are to be written now."""
        needed = any(stored and position <= self._ahead for position, stored in self._awaited)
        return needed or self._quiet or time.monotonic() - self._ledgers_at >= LEDGERS_AFTER

    def _concerned(self, records: list[Record]) -> Iterator[tuple[Folding, list[Record]]]:
        """Every view that has anything to do with a batch, and with which of its events."""
        for folding in self._foldings:
            types, after = folding.types, folding.checkpoint
            if due := [r for r in records if r.type in types and r.position > after]:
                yield folding, due

    async def apply(self, records: list[Record]) -> None:
        """Fold a batch and write it at once, over whatever somebody else wrote. Safe to repeat."""
        for folding, due in self._concerned(records):
            await self._fold_surely(folding, due)
        await self._passed(records[-1].position if records else 0, _unknown(records))

    async def _passed(self, last: int, unknown: int) -> None:
        """Note that a batch up to a position is written; claim it now and then."""
        if last >= self._behind_until:
            for folding in self._bare:
                await folding.collection.index(INDEXED)
            self._bare = []
        self.unknown += unknown
        metrics.UNKNOWN_TYPES.labels(self.service).inc(unknown)
        async with self._moved:
            self.position = last or self.position
            for folding in self._foldings:
                written = min(self.position, folding.unwritten - 1)
                folding.checkpoint = max(folding.checkpoint, written)
            self._moved.notify_all()
        metrics.VIEW_POSITION.labels(self.service).set(self.position)
        if not last or time.monotonic() - self._saved_at >= CHECKPOINT_AFTER:
            await self.save()

    async def _fold_surely(self, folding: Folding, records: list[Record]) -> None:
        """Fold events; where that makes a document nobody can store, park the stream that did it."""
        try:
            await self._write(folding, records)
        except Unwritable as error:
            await folding.load([k for k in folding.cache if folding.changed(k)], again=True)
            if len(records) == 1:
                await self._park(folding, records[0], error)
                return
            half = len(records) // 2
            await self._fold_surely(folding, records[:half])
            await self._fold_surely(folding, records[half:])

    async def _write(self, folding: Folding, records: list[Record]) -> None:
        """Fold events and write what they change; where somebody else wrote, fold on from there."""
        while True:
            keys = await self._fold(folding, records)
            changes = [folding.change(key) for key in keys]
            if await folding.collection.replace_guarded(changes) == len(changes):
                break
            await folding.load(keys, again=True)
        for key in keys:
            folding.stored(key)
        self._tell(folding, keys)

    async def _fold(self, folding: Folding, records: list[Record]) -> list[str]:
        """Fold events into the documents at hand; gives the keys of those that changed."""
        work = [(r, f"{r.school}/{key}") for r in records for key in self._keys(folding, r)]
        keys = list(dict.fromkeys(key for _, key in work))
        folding.begin(
            key
            for r, key in work
            if r.headers.get("ce-streamversion") == "1" and key == f"{r.school}/{r.stream}"
        )
        await folding.load(keys)
        for record, key in work:
            if record.position >= folding.parked.get(record.subject, NEVER):
                continue
            try:
                folding.fold(record, key)
            except Exception as error:  # noqa: BLE001 -- one bad stream must not stop the others
                await self._park(folding, record, error)
        return [key for key in keys if folding.changed(key)]

    def _keys(self, folding: Folding, record: Record) -> Iterable[str]:
        try:
            return tuple(folding.view.keys(record))
        except Exception:  # noqa: BLE001 -- `fold` meets the same error and parks the stream
            return (record.stream,)

    async def _park(self, folding: Folding, record: Record, error: Exception) -> None:
        """Set a stream aside for one view from an event on; the others go on."""
        log.error("%s: parked %s for %s", self.service, record.subject, folding.view.collection)
        view = folding.view.collection
        item = {"_id": f"{self.service}.{view} {record.subject}", "kind": "view", "view": view}
        await set_aside(self._parked, self.service, record, {**item, "reason": reason(error)})
        folding.parked[record.subject] = record.position

    async def save(self) -> None:
        """Write the checkpoint, if there is anything new to claim.

        Raises:
            Overtaken: as `flush` says.
        """
        claim = self._claim()
        if claim == self._claimed:
            return
        await self.flush()
        await self._checkpoints.update(self._name, claim)
        for folding in self._foldings:
            await folding.sweep(claim["position"])
        self._claimed, self._saved_at = claim, time.monotonic()

    def _claim(self) -> dict[str, int]:
        """What a checkpoint says now: how far each view is stored."""
        reached = {f"views.{f.view.checkpoint}": f.checkpoint for f in self._foldings}
        return {**reached, "position": self.position}

    async def flush(self) -> None:
        """See to it that what was written since `prepare` is on the database's disk.

        Raises:
            Overtaken: the database was lost, or dropped, meanwhile, and with it perhaps what was written.
        """
        there = await self._checkpoints.update(self._name, {"reaching": self.position})
        dropped = not there and any(self._claimed.values())
        if dropped or self.mongo.lost != self._lost:
            raise Overtaken("database")

    async def reached(self, position: float, *, within: float | None, stored: bool = False) -> bool:
        """Wait until the views have passed a position; `False` if they do not in time (seconds).

        With `stored` the ledgers have to be in the database up to there as well, not only in memory.
        """

        def there() -> bool:
            return (self.stored if stored else self.position) >= position

        if there():
            return True
        self._awaited.append((position, stored))
        self._hurry.set()
        self._came.set()
        try:
            async with asyncio.timeout(within), self._moved:
                await self._moved.wait_for(there)
        except TimeoutError:
            return False
        finally:
            self._awaited.remove((position, stored))
        return True


def _unknown(records: Iterable[Record]) -> int:
    """How many events are of no TYPE we know."""
    return sum(1 for r in records if r.type not in Event.known)

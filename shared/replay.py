"""Replay: fold the whole log afresh beside the live views, and compare what people are shown with it.

The fresh views are folded by the same `Projector` as the live ones, under a name of their own, into
collections of their own: memory stays flat, an interrupted replay goes on where it was (unless the
code of the views is another by then), and the live services are not disturbed. While the log moves on,
what differs only in how far it is folded is folded on to where the live document was when it was read.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import batched
from typing import Any, TypeGuard

from shared.broker import EVENTS, Broker, NobodyThere
from shared.decider import Decider, Unavailable
from shared.envelope import Record, Subject, stamp
from shared.journal import Journal, LogDamaged, dump_state, recorded, source_digest
from shared.mongo import Collection, Document, Mongo
from shared.runtime import Service, progress_of
from shared.views import NEVER, Folding, Projector, View, Working, as_stored


@dataclass
class Comparison:
    """What a fresh fold of the log gave, against what is stored."""

    position: int = 0
    """The log position the views are compared at or, as the log moves on, behind it."""
    source: str = ""
    """The digest of the code they were folded with."""
    gone_on_from: int = 0
    """Up to where an earlier run had folded that was interrupted; 0 where this one folded everything."""
    documents: int = 0
    views: dict[str, int] = field(default_factory=dict)
    """Documents by view and version, as `rectification.issues.v1`."""
    differences: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def as_data(self) -> dict[str, Any]:
        """The comparison as JSON-like data."""
        told = self.differences[:100]
        return {**vars(self), "found": len(self.differences), "differences": told}


async def whole_log(broker: Broker, *, after: int = 0) -> AsyncIterator[Record]:
    """Every event behind a position, in order, without a consumer."""
    while found := await broker.slice(EVENTS, after=after):
        for stored in found:
            yield recorded(stored)
        after = found[-1].position


async def compare(
    broker: Broker,
    mongo: Mongo,
    services: Iterable[Service],
    *,
    only: str = "",
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> Comparison:
    """Fold the views of the services from position 1 and compare, document by document.

    `broker` is the operator's connection. `only` names one view, `<service>.<view>`; `tell` is told now and
    then how far the fold is, and where the log ends.

    Raises:
        LogDamaged: a position is missing.
        UnknownView: there is no view of that name.
    """
    services = list(services)
    pairs = _pairs(mongo, services, only)
    result = Comparison(await broker.last_position(), digest_of(services))
    result.gone_on_from = await _take_up(broker, mongo, result.source)
    views = tuple(pair.view for pair in pairs)
    projector = Projector(REPLAY, Journal(broker, mongo, REPLAY), mongo, views, asked=False)
    async with _following(projector) as reached:
        await reached(result.position, tell)
    await _stored(broker, services, await broker.last_position())
    for pair in pairs:
        await pair.look()
        await pair.look_again(mongo, broker, after=projector.stored)
        result.views[pair.name] = pair.documents
        result.documents += pair.documents
        result.differences += pair.differences()
    await _clear(mongo)
    return result


REPLAY = "replay"
"""Whose name the fresh views, their checkpoint and what they park go by."""
STORED_WITHIN = 60.0  # seconds
PAGE = 500


class UnknownView(LookupError):  # noqa: N818 -- named after what it is
    """No service has a view of that name."""


@dataclass
class Pair:
    """A view as it is live and as it was folded afresh; ids of documents that differ, and how."""

    name: str
    view: View[Any]
    live: Collection
    fresh: Collection
    documents: int = 0
    different: dict[str, str] = field(default_factory=dict)
    unsettled: dict[str, str] = field(default_factory=dict)

    async def look(self) -> None:
        """Compare every document, those too whose ids are none of ours."""
        strange = await self.live.find({"_id": {"$not": {"$type": "string"}}}, limit=PAGE)
        self.different |= {str(document["_id"]): "not from the log" for document in strange}
        met = 0
        async for some in _pages(self.live):
            fresh = await self.fresh.get_many(some)
            met += sum(1 for key in some if _there(fresh.get(key)))
            self._note(some, fresh)
        self.documents = await self.fresh.count(STANDING)
        if met != self.documents:
            async for fresh in _pages(self.fresh):
                self._note(await self.live.get_many(fresh), fresh)

    async def look_again(self, mongo: Mongo, broker: Broker, *, after: int) -> None:
        """Compare those again that were not equally far, the fresh one folded on to where the live one is.

        So it does not matter how much is recorded meanwhile. `after` is how far the fresh ones are.
        """
        keys, self.unsettled = list(self.unsettled), {}
        mine = {"service": REPLAY, "kind": "view", "view": self.view.collection}
        parked = {p["stream"]: p["position"] for p in await mongo.keep("parked").find(mine)}
        for some in batched(keys, PAGE):
            folding = Folding(self.view, self.fresh, parked=parked)
            await folding.load(some)
            live = await self.live.get_many(some)
            last = await broker.last_position()
            async for record in whole_log(broker, after=after):
                if record.position > last:
                    break
                if record.type in folding.types:
                    _fold_on(folding, record, live)
            self._note(live, {key: folding.written(key) for key in some})

    def _note(self, live: Mapping[str, Document], fresh: Mapping[str, Document]) -> None:
        for key in live.keys() | fresh.keys():
            found, wanted = live.get(key), fresh.get(key)
            if not _there(found) and not _there(wanted):
                continue
            if not _there(found):
                self.unsettled[key] = "missing"
            elif not _there(wanted):
                self.unsettled[key] = "not from the log"
            elif found.get("position") != wanted["position"]:
                self.unsettled[key] = "differs in position"
            elif _canonical(found) != _canonical(wanted):
                fields = [f for f in found | wanted if found.get(f) != wanted.get(f)]
                self.different[key] = f"differs in {', '.join(fields) or 'form'}"

    def differences(self) -> list[str]:
        """A line per document that is not as the log says."""
        return [
            f"{self.name} {k}: {how}"
            for k, how in sorted((self.unsettled | self.different).items())
        ]


def _fold_on(folding: Folding, record: Record, live: Mapping[str, Document]) -> None:
    """Fold an event into those documents at hand that are not as far as their live ones.

    Where there is no live one any more, up to where there is to be none.
    """
    if record.position >= folding.parked.get(record.subject, NEVER):
        return
    try:
        for key in (f"{record.school}/{own}" for own in folding.view.keys(record)):
            if (working := folding.cache.get(key)) is None:
                continue
            there = live.get(key)
            if record.position <= _far(there) if _there(there) else working.document:
                folding.fold(record, key)
    except Exception:  # noqa: BLE001 -- what cannot be folded is set aside, as in the live views
        folding.parked[record.subject] = record.position


def _far(document: Document) -> int:
    """How far a stored document says that it is; nowhere, if somebody made that something else."""
    position = document.get("position")
    return position if isinstance(position, int) else 0


STANDING = {"gone": {"$ne": True}}


def _there(document: Document | None) -> TypeGuard[Document]:
    """Whether people are shown it: only what is exactly `True` takes a document away from them."""
    return document is not None and document.get("gone") is not True


def _pairs(mongo: Mongo, services: Iterable[Service], only: str) -> list[Pair]:
    pairs = []
    for service in services:
        for view in _views(service):
            if only in {"", f"{service.name}.{view.name}"}:
                own = replace(view, name=f"{service.name}.{view.name}")
                name = f"{service.name}.{view.collection}"
                fresh = mongo.views(f"{REPLAY}.{own.collection}")
                pairs.append(Pair(name, own, mongo.views(name), fresh))
    if only and not pairs:
        raise UnknownView(only)
    return pairs


async def _stored(broker: Broker, services: Iterable[Service], position: int) -> None:
    """Wait until the live views are stored up to a position; a service that does not run is as it is."""
    for service in services:
        with suppress(NobodyThere, TimeoutError):
            async with asyncio.timeout(STORED_WITHIN):
                behind = True
                while behind:
                    told = await progress_of(broker, service.name, position)
                    behind = told.get("views", 0) < position
                    await asyncio.sleep(0.01)


async def _pages(collection: Collection) -> AsyncIterator[dict[str, Document]]:
    """All standing documents in the order of their ids, some at a time, by id."""
    last, behind = "", "$gte"
    while found := await collection.find({"_id": {behind: last}, **STANDING}, limit=PAGE):
        last, behind = found[-1]["_id"], "$gt"
        yield {document["_id"]: document for document in found}


@asynccontextmanager
async def _following(projector: Projector) -> AsyncIterator[Callable[..., Awaitable[None]]]:
    """Fold while the block lasts; gives what waits for a position."""
    await projector.prepare()
    running = asyncio.create_task(projector.run())

    async def reached(position: int, tell: Callable[[int, int], None]) -> None:
        while not await projector.reached(position, within=0.2, stored=True):
            if running.done():
                await running
                raise LogDamaged(projector.damage)
            tell(projector.position, position)
        tell(position, position)

    try:
        yield reached
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        with suppress(Unavailable):
            await projector.save()


def digest_of(services: Iterable[Service]) -> str:
    """The source of the views: what was folded by other code is not gone on with."""
    views = [view for service in services for view in _views(service)]
    return source_digest(
        made.__module__ for view in views for made in (view.project, view.keys, view.document)
    )


async def _take_up(broker: Broker, mongo: Mongo, digest: str) -> int:
    """Keep what an interrupted replay has folded, unless by other code or from a log that was longer.

    Gives how far that goes.
    """
    begun = await mongo.checkpoints().get(REPLAY) or {}
    reached = max(begun.get("views", {}).values(), default=0)
    if begun.get("digest") != digest or reached > await broker.last_position():
        await _clear(mongo)
        await mongo.checkpoints().update(REPLAY, {"digest": digest})
        return 0
    return reached


async def _clear(mongo: Mongo) -> None:
    """Leave nothing of a replay."""
    await mongo.checkpoints().delete({"_id": REPLAY})
    await mongo.keep("parked").delete({"service": REPLAY})
    for name in await mongo.view_names():
        if name.startswith(f"{REPLAY}."):
            await mongo.views(name).drop()


# -- New versions --------------------------------------------------------------------------------


async def build_ahead(
    broker: Broker,
    mongo: Mongo,
    services: Iterable[Service],
    *,
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> list[str]:
    """Build views of versions that are not live yet, while the services go on with those that are.

    Call it with the code that is to come, `broker` being the operator's connection: when that code
    starts, it finds them built up to here. Gives their collections. Safe to repeat and to interrupt.
    """
    built = []
    for service in services:
        live = await mongo.checkpoints().get(service.name)
        views = tuple(v for v in _views(service) if live and v.checkpoint not in live["views"])
        if not views:
            continue
        follower = f"ahead-{service.name}"
        journal = Journal(broker, mongo, service.name)
        projector = Projector(service.name, journal, mongo, views, follower=follower)
        async with _following(projector) as reached:
            await reached(await broker.last_position(), tell)
        done = await mongo.checkpoints().get(follower) or {"views": {}}
        there = {f"views.{name}": position for name, position in done["views"].items()}
        await mongo.checkpoints().update(service.name, there)
        await mongo.checkpoints().delete({"_id": follower})
        built += [f"{service.name}.{view.collection}" for view in views]
    return built


async def drop_old(mongo: Mongo, services: Iterable[Service]) -> list[str]:
    """Remove what older code kept: collections of views, or versions of them, that are no more.

    Nothing of a service is removed before all its own are there. Gives what was removed.
    """
    there, dropped = await mongo.view_names(), []
    for service in services:
        live = (await mongo.checkpoints().get(service.name) or {}).get("views", {})
        views = _views(service)
        if any(view.checkpoint not in live for view in views):
            continue
        versions = {f"{service.name}.{view.name}": view.version for view in views}
        for name in (name for name in there if name.startswith(f"{service.name}.")):
            view_name, _, version = name.rpartition(".v")
            if version.isdecimal() and int(version) < versions.get(view_name, NEVER):
                dropped.append(name)
    for name in dropped:
        service_name, _, own = name.partition(".")
        claim = own.replace(".", "/")  # older code that comes back begins from nothing
        await mongo.checkpoints().unset(service_name, [f"views.{claim}"])
        await mongo.views(name).drop()
    return dropped


# -- As of ---------------------------------------------------------------------------------------


async def as_of(
    broker: Broker,
    services: Iterable[Service],
    name: str,
    school: str,
    key: str,
    *,
    position: int = NEVER,
    moment: datetime | None = None,
) -> Document | None:
    """One document of a view, or one stream, as it stood at a log position, or an instant by recording time.

    `name` is `<service>.<view>`, `key` the document's own within its school (a ledger's is `school`); or
    `<service>.<category>` and the stream's id, which gives its events and the state they fold to. What
    is sealed stays sealed. `None` when there was no such document, or no event of the stream, then.

    Raises:
        UnknownView: there is no view or kind of stream of that name.
    """
    until = stamp(moment) if moment else ""
    for service in services:
        for stream in service.streams:
            if name == f"{service.name}.{stream.decider.category}":
                subject = Subject(school, service.name, stream.decider.category, key)
                return await _stream_as_of(broker, stream.decider, subject, position, until)
        for view in _views(service):
            if name != f"{service.name}.{view.name}":
                continue
            working = Working(None, None, 0, 0)
            types = {event.TYPE for event in view.follows}
            async for record in whole_log(broker):
                said = record.headers.get("ce-recordedtime", "")  # what is no event has no time
                if record.position > position or (until and said > until):
                    break
                if record.type in types and record.school == school and key in view.keys(record):
                    working.document = view.project(working.document, record)
                    working.position, working.version = record.position, record.version
                    working.opened = working.opened or record.position
            return None if working.document is None else as_stored(school, key, working)
    raise UnknownView(name)


async def _stream_as_of(
    broker: Broker,
    decider: Decider[Any, Any, Any, Any],
    subject: Subject,
    position: int,
    until: str,
) -> Document | None:
    """The events of a stream up to a position or moment, and the state they fold to."""
    past: list[Record] = []
    if _TOKEN.fullmatch(subject.school) and _TOKEN.fullmatch(subject.id):
        for stored in await broker.history(EVENTS, str(subject), after=0):
            record = recorded(stored)
            said = record.headers.get("ce-recordedtime", "")
            if record.position > position or (until and said > until):
                break
            past.append(record)
    if not past:
        return None
    events = [
        {
            "position": record.position,
            "version": record.version,
            "at": record.at,
            "actor": record.actor,
            "type": record.type,
            "hash": record.hash,
            "event": record.event.model_dump(mode="json"),
        }
        for record in past
    ]
    state = dump_state(decider.fold(record.event for record in past))
    place = {"position": past[-1].position, "version": past[-1].version}
    return {"stream": str(subject), **place, "state": state, "events": events}


_TOKEN = re.compile(r"[a-z0-9-]{1,36}")


def _views(service: Service) -> tuple[View[Any], ...]:
    return (service.directory, *service.views)


def _canonical(document: Document) -> str:
    return json.dumps(document, sort_keys=True, ensure_ascii=False, default=str)

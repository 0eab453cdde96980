"""A service at work with its log and its collections in memory; everything else is the real thing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast
from uuid import UUID, uuid5

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.campaign.directory import Directory
from shared.decider import Event, PersonId
from shared.envelope import GENESIS, Draft, Provenance, Record, Subject, draft
from shared.journal import AlreadyRecorded, Conflict, Journal
from shared.mongo import Collection, Document, Mongo
from shared.privacy import Keyring, Privacy
from shared.runtime import Runtime, Service
from shared.security import Issuer
from shared.settings import Settings
from shared.views import Projector, Working

NOTHING = cast("Any", None)
TOWN = "wangxi"
"""The token of the school everything happens in."""
KEYS = {f"{TOWN}/opinion.o1": b"k" * 32}
"""The only key that is there from the start: most texts of these tests are in the clear."""

type Entry = tuple[str, Event] | tuple[str, Event, PersonId]
"""What happened to a stream, and who did it."""


@dataclass(frozen=True)
class Drawer(Collection):
    """A collection in memory."""

    documents: dict[str, Document] = field(default_factory=dict)

    async def get(self, key: str) -> Document | None:
        return self.documents.get(key)

    async def get_many(self, keys: Iterable[str]) -> dict[str, Document]:
        return {key: self.documents[key] for key in keys if key in self.documents}

    async def find(
        self,
        where: Mapping[str, Any],
        *,
        sort: str | Sequence[tuple[str, int]] = "_id",
        limit: int = 0,
        fields: Sequence[str] | None = None,
    ) -> list[Document]:
        found = [d for d in self.documents.values() if fits(d, where)]
        for name, way in reversed([(sort, 1)] if isinstance(sort, str) else sort):
            found.sort(key=partial(_rank, name=name), reverse=way < 0)
        wanted = {"_id", *(fields or ())}
        cut = [{k: v for k, v in d.items() if fields is None or k in wanted} for d in found]
        return cut[: limit or None]

    async def count(self, where: Mapping[str, Any]) -> int:
        return len(await self.find(where))

    async def insert(self, document: Document) -> bool:
        fresh = document["_id"] not in self.documents
        self.documents.setdefault(document["_id"], document)
        return fresh

    async def insert_missing(self, documents: Sequence[Document]) -> list[str]:
        return [d["_id"] for d in documents if not await self.insert(d)]

    async def put(self, document: Document) -> None:
        self.documents[document["_id"]] = document

    async def put_all(self, documents: Sequence[Document]) -> None:
        for document in documents:
            await self.put(document)

    async def update(self, key: str, changes: Mapping[str, Any], *, upsert: bool = True) -> bool:
        known = key in self.documents
        if upsert or known:
            document = self.documents.setdefault(key, {"_id": key})
            for name, value in changes.items():
                *path, last = name.split(".")
                place = document
                for part in path:
                    place = place.setdefault(part, {})
                place[last] = value
        return known

    async def replace_guarded(self, changes: Sequence[tuple[int | None, Document]]) -> int:
        for _, document in changes:
            await self.put(document)
        return len(changes)

    async def delete(self, where: Mapping[str, Any]) -> int:
        found = await self.find(where)
        for document in found:
            del self.documents[document["_id"]]
        return len(found)

    async def index(self, fields: Sequence[str]) -> None:
        pass


@dataclass
class Chest:
    """The two databases."""

    drawers: dict[str, Drawer] = field(default_factory=dict)
    lost: int = 0

    def checkpoints(self) -> Drawer:
        return self.views("checkpoints")

    def views(self, name: str) -> Drawer:
        return self.drawers.setdefault(f"views {name}", Drawer(NOTHING))

    def keep(self, name: str) -> Drawer:
        return self.drawers.setdefault(f"keep {name}", Drawer(NOTHING))


@dataclass
class Pages(Journal):
    """The log in memory, with the one check every append relies on."""

    log: list[Record] = field(default_factory=list)

    async def read(self, subject: str, *, after: int = 0) -> list[Record]:
        return [r for r in self.log if r.subject == subject and r.position > after]

    async def head(self, subject: str) -> int:
        return max((r.position for r in self.log if r.subject == subject), default=0)

    async def append(self, draft: Draft, *, after: int) -> int:
        for there in await self.read(draft.subject, after=after):
            if there.hash == draft.hash:
                return there.position
            mine = (there.id, there.fingerprint) == (draft.id, draft.headers["ce-commandhash"])
            raise AlreadyRecorded if mine else Conflict
        position = len(self.log) + 1
        self.log.append(Record(position, draft.subject, draft.headers, draft.body))
        return position


@dataclass
class Works:
    """The service with what it writes to laid open."""

    runtime: Runtime
    chest: Chest
    pages: Pages

    def kept(self, name: str) -> dict[str, Document]:
        return self.chest.keep(name).documents

    async def look(self) -> None:
        """Let the views see what is in the log."""
        seen = self.runtime.projector.position
        await self.runtime.projector.apply(self.pages.log[seen:])


async def works(service: Service, directory: Directory | None, **changes: Any) -> Works:
    """A service of the school, ready to decide."""
    chest = Chest()
    mongo = cast("Mongo", chest)
    pages = Pages(NOTHING, mongo, service.name)
    privacy = Privacy(Keyring(mongo, b"d" * 32, dict(KEYS)))
    views = (service.directory, *service.views)
    projector = Projector(service.name, pages, mongo, views)
    await projector.prepare()
    projector._foldings[0].cache[f"{TOWN}/school"] = Working(directory, None, 0, 0)
    issuer = Issuer(Ed25519PrivateKey.generate())
    settings = Settings().with_changes(**changes)
    runtime = Runtime(service, settings, mongo, NOTHING, issuer, privacy, pages, projector)
    return Works(runtime, chest, pages)


def record(
    event: Event, stream: str, position: int, *, by: PersonId, noon: datetime, version: int = 1
) -> Record:
    """An event in its place in the log; every position is a minute later."""
    service, category, *_ = event.TYPE.split(".")
    at = noon + timedelta(minutes=position)
    command = uuid5(UUID(int=0), f"{stream} {position}")
    provenance = Provenance(by, at, at, command, "0" * 64, command)
    place = Subject(TOWN, service, category, stream)
    new = draft(place, event, provenance, version=version, previous=GENESIS)
    return Record(position, new.subject, new.headers, new.body)


def log(*entries: Entry, by: PersonId, noon: datetime) -> list[Record]:
    """A log of (stream, event) or (stream, event, actor), from position 1, versions counted."""
    versions: dict[str, int] = {}
    records = []
    for position, (stream, event, *actor) in enumerate(entries, start=1):
        versions[stream] = version = versions.get(stream, 0) + 1
        who = actor[0] if actor else by
        records.append(record(event, stream, position, by=who, noon=noon, version=version))
    return records


def fits(document: Document, where: Mapping[str, Any]) -> bool:
    """Whether a document passes a filter of the operators the service uses."""
    return all(_fits(document, name, wanted) for name, wanted in where.items())


def _fits(document: Document, name: str, wanted: Any) -> bool:
    if name in JOINTS:
        return JOINTS[name](fits(document, one) for one in wanted)
    value = _at(document, name)
    tests = wanted.items() if isinstance(wanted, dict) else [("$eq", wanted)]
    return all(OPERATORS[operator](value, operand) for operator, operand in tests)


def _at(document: Document, name: str) -> Any:
    value: Any = document
    for part in name.split("."):
        if isinstance(value, list):
            value = [one.get(part) for one in value]
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value


def _rank(document: Document, name: str) -> Any:
    """Where a document stands in an order: what is not there comes first."""
    value = _at(document, name)
    return value is not None, value


def _is(value: Any, wanted: Any) -> bool:
    return value == wanted or (isinstance(value, list) and wanted in value)


JOINTS: dict[str, Callable[[Iterable[bool]], bool]] = {
    "$or": any,
    "$and": all,
    "$nor": lambda found: not any(found),
}
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": _is,
    "$ne": lambda value, wanted: not _is(value, wanted),
    "$in": lambda value, wanted: any(_is(value, one) for one in wanted),
    "$nin": lambda value, wanted: not any(_is(value, one) for one in wanted),
    "$gt": lambda value, wanted: value is not None and value > wanted,
    "$gte": lambda value, wanted: value is not None and value >= wanted,
    "$lt": lambda value, wanted: value is not None and value < wanted,
    "$lte": lambda value, wanted: value is not None and value <= wanted,
    "$not": lambda value, wanted: not all(OPERATORS[o](value, one) for o, one in wanted.items()),
    "$type": lambda value, _: isinstance(value, str),
    "$elemMatch": lambda value, wanted: any(fits(one, wanted) for one in value or ()),
}

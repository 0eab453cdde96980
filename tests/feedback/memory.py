"""The service at work with its log and its collections in memory; everything else is the real thing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.campaign.directory import Directory
from services.feedback.app import service
from shared.envelope import Draft, Record
from shared.journal import Conflict, Journal
from shared.mongo import Collection, Document, Mongo
from shared.privacy import Keyring, Privacy
from shared.runtime import Desk, Runtime
from shared.security import Issuer
from shared.settings import Settings
from shared.views import Projector, Working
from tests.feedback.school import NOON, SCHOOL, log

NOTHING = cast("Any", None)
KEYS = {"wangxi/opinion.o1": b"k" * 32}
"""The only key that is there from the start: most texts of these tests are in the clear."""


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
        names = [sort] if isinstance(sort, str) else [name for name, _ in sort]
        found = [d for d in self.documents.values() if fits(d, where)]
        found.sort(key=lambda d: [d[name] for name in names])
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

    async def update(self, key: str, changes: Mapping[str, Any], *, upsert: bool = True) -> bool:
        known = key in self.documents
        if upsert or known:
            self.documents[key] = {"_id": key, **self.documents.get(key, {}), **changes}
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
        if await self.head(draft.subject) != after:
            raise Conflict
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


async def after(*entries: Any, directory: Directory | None = SCHOOL) -> Desk:
    """A desk whose views have seen a log of (stream, event) or (stream, event, actor)."""
    at = await works(directory)
    await at.runtime.projector.apply(log(*entries))
    return at.runtime.desk("wangxi", NOON)


async def works(directory: Directory | None = SCHOOL, **changes: Any) -> Works:
    """The service of the school, ready to decide."""
    chest = Chest()
    mongo = cast("Mongo", chest)
    pages = Pages(NOTHING, mongo, service.name)
    privacy = Privacy(Keyring(mongo, b"d" * 32, dict(KEYS)))
    views = (service.directory, *service.views)
    projector = Projector(service.name, pages, mongo, views)
    await projector.prepare()
    projector._foldings[0].cache["wangxi/school"] = Working(directory, None, 0, 0)
    issuer = Issuer(Ed25519PrivateKey.generate())
    settings = Settings().with_changes(**changes)
    runtime = Runtime(service, settings, mongo, NOTHING, issuer, privacy, pages, projector)
    return Works(runtime, chest, pages)


def fits(document: Document, where: Mapping[str, Any]) -> bool:
    """Whether a document passes a filter of the operators the service uses."""
    return all(_fits(document, name, wanted) for name, wanted in where.items())


def _fits(document: Document, name: str, wanted: Any) -> bool:
    if name in {"$or", "$and"}:
        return {"$or": any, "$and": all}[name](fits(document, one) for one in wanted)
    value = document.get(name)
    tests = wanted.items() if isinstance(wanted, dict) else [("$eq", wanted)]
    return all(OPERATORS[operator](value, operand) for operator, operand in tests)


def _is(value: Any, wanted: Any) -> bool:
    return value == wanted or (isinstance(value, list) and wanted in value)


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": _is,
    "$ne": lambda value, wanted: not _is(value, wanted),
    "$in": lambda value, wanted: any(_is(value, one) for one in wanted),
    "$nin": lambda value, wanted: not any(_is(value, one) for one in wanted),
    "$gt": lambda value, wanted: value is not None and value > wanted,
    "$lte": lambda value, wanted: value is not None and value <= wanted,
}

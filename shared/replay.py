"""The audit's first half: fold the whole log afresh and compare with what people are shown."""

import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from shared.broker import EVENTS, Broker
from shared.decider import Event
from shared.envelope import GENESIS, Record, event_hash
from shared.journal import recorded
from shared.mongo import Document, Mongo
from shared.runtime import Service
from shared.views import View, Working, as_stored


@dataclass
class Chain:
    """Checks every stream's chain while the log goes by."""

    heads: dict[str, tuple[int, str]] = field(default_factory=dict)

    def check(self, record: Record, digest: str) -> list[tuple[str, str]]:
        """What is wrong with an event: check (hash, chain, version, schema, form) and detail.

        `digest` is its `event_hash`, worked out anew.
        """
        found = []
        version, previous = self.heads.get(record.subject, (0, GENESIS))
        try:
            if record.hash != digest:
                found.append(("hash", "the hash does not fit"))
            if record.previous != previous:
                found.append(("chain", "does not follow on the event before it"))
            if record.version != version + 1:
                found.append(("version", f"version {record.version} after {version}"))
            self.heads[record.subject] = (record.version, record.hash)
            if record.type not in Event.known:
                found.append(("schema", f"unknown type {record.headers.get('ce-type', '')}"))
            else:
                record.event  # noqa: B018 -- read against its schema
        except ValidationError as error:
            found.append(("schema", f"not readable as {record.type}: {error.error_count()} wrong"))
        except (KeyError, ValueError) as error:
            found.append(("form", f"not an event: {type(error).__name__} {error}"))
        return found


@dataclass
class Comparison:
    """What a fresh fold of the log gave, against what is stored."""

    events: int = 0
    streams: int = 0
    documents: int = 0
    differences: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.differences and not self.broken

    def as_data(self) -> dict[str, Any]:
        """The comparison as JSON-like data."""
        return {
            "good": self.good,
            "events": self.events,
            "streams": self.streams,
            "documents": self.documents,
            "differences": self.differences[:100],
            "broken": self.broken[:100],
        }


async def whole_log(broker: Broker) -> AsyncIterator[Record]:
    """Every event from position 1, in order, without a consumer."""
    after = 0
    while found := await broker.slice(EVENTS, after=after):
        for stored in found:
            yield recorded(stored)
        after = found[-1].position


async def compare(broker: Broker, mongo: Mongo, services: Iterable[Service]) -> Comparison:
    """Fold every view of the services from position 1 and compare, document by document.

    Call when the log is quiet and the views have settled.
    """
    services = list(services)
    views = {(s.name, v.collection): v for s in services for v in (s.directory, *s.views)}
    folds: dict[tuple[str, str], dict[str, Working]] = {key: {} for key in views}
    chain = Chain()
    result = Comparison()
    async for record in whole_log(broker):
        result.events += 1
        digest = event_hash(record.subject, record.headers, record.body)
        result.broken += [f"{record.position}: {why}" for _, why in chain.check(record, digest)]
        for key, view in views.items():
            if any(record.type == event.TYPE for event in view.follows):
                _fold(view, folds[key], record)
    result.streams = len(chain.heads)
    for (service, collection), fold in folds.items():
        fresh = {
            key: as_stored(*_split(key), working)
            for key, working in fold.items()
            if working.document is not None
        }
        stored = await mongo.views(f"{service}.{collection}").find({"gone": {"$ne": True}})
        result.documents += len(fresh)
        result.differences += _different(f"{service}.{collection}", fresh, stored)
    return result


def _fold(view: View[Any], fold: dict[str, Working], record: Record) -> None:
    for own in view.keys(record):
        working = fold.setdefault(f"{record.school}/{own}", Working(None, None, 0, 0))
        working.document = view.project(working.document, record)
        working.position, working.version = record.position, record.version
        working.opened = working.opened or record.position


def _split(key: str) -> tuple[str, str]:
    school, _, own = key.partition("/")
    return school, own


def _different(name: str, fresh: dict[str, Document], stored: list[Document]) -> list[str]:
    found = {document["_id"]: document for document in stored}
    lines = [f"{name} {key}: missing" for key in sorted(fresh.keys() - found.keys())]
    lines += [f"{name} {key}: not from the log" for key in sorted(found.keys() - fresh.keys())]
    for key in sorted(fresh.keys() & found.keys()):
        if _canonical(fresh[key]) != _canonical(found[key]):
            fields = [f for f in fresh[key] if fresh[key].get(f) != found[key].get(f)]
            lines.append(f"{name} {key}: differs in {', '.join(fields) or 'form'}")
    return lines


def _canonical(document: Document) -> str:
    return json.dumps(document, sort_keys=True, ensure_ascii=False, default=str)

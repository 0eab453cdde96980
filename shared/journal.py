"""The append-only record of what happened: load a stream, append to it, follow the whole log."""

import asyncio
import hashlib
import inspect
import sys
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field
from functools import cache
from inspect import ismodule
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from shared import metrics
from shared.broker import EVENTS, Broker, ConsumerLost, JetStreamRefusal, Stored, TooLarge
from shared.decider import Decider, Unavailable
from shared.envelope import GENESIS, Draft, Record
from shared.mongo import Collection, Mongo

MAX_EVENT = 768 * 1024
"""Bytes of body and headers; NATS resets the connection from 1 MB on."""
SNAPSHOT_EVERY = 20
"""Events between two snapshots of a stream."""
SNAPSHOTS_WITHIN = 1.0
"""Seconds until a snapshot is written, with the others of that while."""
REMEMBERED = 10_000
"""Streams held in memory."""

_MOVED = frozenset({10071, 10164, 10201})
"""JetStream: wrong last sequence (single, clustered) and a batch member already stored."""


class Conflict(Exception):  # noqa: N818 -- expected: somebody was faster, so decide again
    """The stream moved on since it was read."""


class AlreadyRecorded(Exception):  # noqa: N818 -- expected: read what it led to
    """The command was recorded by an earlier try, at another time."""


class LogDamaged(Exception):  # noqa: N818 -- a state of the world
    """The log has a gap, or is shorter than what was already read from it."""


_IDENTITY = ("ce-id", "ce-commandhash")
"""What makes a stored event the one we sent: the same command, with the same content."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a recorded command led to; enough to answer its repetition."""

    position: int
    version: int
    event: UUID
    type: str
    fingerprint: str


@dataclass
class Past:
    """A stream as far as it was read: its state, its head, and the commands it has seen."""

    state: Any
    version: int = 0
    position: int = 0
    hash: str = GENESIS
    commands: dict[UUID, Outcome] = field(default_factory=dict)

    def take(self, decider: Decider[Any, Any, Any, Any], record: Record) -> None:
        """Fold one more event."""
        self.state = decider.evolve(self.state, record.event)
        self.version, self.position, self.hash = record.version, record.position, record.hash
        self.commands[record.command] = Outcome(
            record.position, record.version, record.id, record.type, record.fingerprint
        )


@cache
def code_digest(decider: Decider[Any, Any, Any, Any]) -> str:
    """The source of `evolve` and of the events: a snapshot of other code is ignored."""
    events = {event.__module__ for event in decider.members(decider.events)}
    return source_digest({decider.evolve.__module__, *events})


def source_digest(of: Iterable[str]) -> str:
    """SHA-256 (hex) of the source of modules, and of every module of ours these take names from."""
    wanted, modules = {*of}, set[str]()
    while wanted:
        name = wanted.pop()
        modules.add(name)
        taken = {getattr(thing, "__module__", None) for thing in vars(sys.modules[name]).values()}
        taken |= {thing.__name__ for thing in vars(sys.modules[name]).values() if ismodule(thing)}
        ours = {m for m in taken if m and m.startswith("services.") and m in sys.modules}
        wanted |= ours - modules
    source = "".join(inspect.getsource(sys.modules[name]) for name in sorted(modules))
    return hashlib.sha256(source.encode()).hexdigest()


_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(state: type[Any]) -> TypeAdapter[Any]:
    if state not in _ADAPTERS:
        _ADAPTERS[state] = TypeAdapter(state)
    return _ADAPTERS[state]


def dump_state(state: Any) -> dict[str, Any]:  # noqa: ANN401 -- any of a decider's states
    """Write a state as JSON-like data with the name of its class."""
    return {
        "is": type(state).__name__,
        "has": _adapter(type(state)).dump_python(state, mode="json"),
    }


def load_state(decider: Decider[Any, Any, Any, Any], dumped: dict[str, Any]) -> Any:  # noqa: ANN401 -- as above
    """Read what `dump_state` wrote."""
    kind = next(s for s in decider.members(decider.states) if s.__name__ == dumped["is"])
    return _adapter(kind).validate_python(dumped["has"])


@dataclass
class Journal:
    """One service's way to the log."""

    broker: Broker
    mongo: Mongo
    service: str
    _streams: OrderedDict[str, Past] = field(default_factory=OrderedDict)
    _unsaved: dict[str, dict[str, Any]] = field(default_factory=dict)
    _saving: asyncio.Task[None] | None = None

    @property
    def _snapshots(self) -> Collection:
        return self.mongo.views(f"{self.service}.snapshots")

    # -- Loading -------------------------------------------------------------

    def remembered(self, subject: str) -> Past | None:
        """The stream as this process last saw it; it may have moved since."""
        past = self._streams.get(subject)
        if past:
            self._streams.move_to_end(subject)
        return past

    async def load(
        self, subject: str, decider: Decider[Any, Any, Any, Any], *, trust_snapshot: bool = True
    ) -> Past:
        """Read a stream: the newest snapshot, then what came behind it."""
        past = Past(decider.initial)
        saved = await self._snapshots.get(subject) if trust_snapshot else None
        if saved and saved["digest"] == code_digest(decider):
            past = _restored(saved, decider)
        for record in await self.read(subject, after=past.position):
            past.take(decider, record)
        self._remember(subject, past)
        return past

    async def read(self, subject: str, *, after: int = 0) -> list[Record]:
        """Every event of a stream behind a position, in order."""
        return [
            recorded(stored) for stored in await self.broker.history(EVENTS, subject, after=after)
        ]

    async def head(self, subject: str) -> int:
        """The position of a stream's last event, from the leader; 0 when there is none."""
        last = await self.broker.message(EVENTS, {"last_by_subj": subject})
        return last.position if last else 0

    def forget(self, subject: str) -> None:
        """Drop what is remembered of a stream."""
        self._streams.pop(subject, None)

    def _remember(self, subject: str, past: Past) -> None:
        self._streams[subject] = past
        self._streams.move_to_end(subject)
        while len(self._streams) > REMEMBERED:
            self._streams.popitem(last=False)

    # -- Appending -----------------------------------------------------------

    async def append(self, draft: Draft, *, after: int) -> int:
        """Record an event unless its stream has moved past `after`; give its position.

        The broker has it on disk when this returns. A lost acknowledgement is cleared up by looking
        at the leader: our event, if it was stored, is the first of its subject behind `after`.

        Raises:
            AlreadyRecorded: an earlier try of the same command with the same content is there.
            Conflict: another event is there.
            TooLarge: over `MAX_EVENT`.
            Unavailable: nobody knows; repeat with the same command id.
        """
        size = len(draft.body) + sum(len(k) + len(v) + 4 for k, v in draft.headers.items())
        if size > MAX_EVENT:
            raise TooLarge(str(size))
        headers = {
            **draft.headers,
            "Nats-Msg-Id": str(draft.id),
            "Nats-Expected-Last-Subject-Sequence": str(after),
        }
        begun = time.perf_counter()
        unsure: Exception | None = None
        try:
            position, duplicate = await self.broker.publish(draft.subject, draft.body, headers)
            if duplicate:
                unsure = Conflict()
        except JetStreamRefusal as refusal:
            unsure = Conflict() if refusal.code in _MOVED else Unavailable("log")
            if refusal.code not in _MOVED:
                self.broker.on_trouble(str(refusal))
        except Unavailable as trouble:
            unsure = trouble
        if unsure:
            position = await self._look(draft, after, unsure)
        metrics.APPEND_SECONDS.labels(self.service).observe(time.perf_counter() - begun)
        metrics.EVENTS.labels(self.service, draft.event.TYPE).inc()
        return position

    async def _look(self, draft: Draft, after: int, unsure: Exception) -> int:
        """Find out on the leader what became of an append; raise `unsure` where nothing is there."""
        found = await self.broker.message(EVENTS, {"seq": after + 1, "next_by_subj": draft.subject})
        if found is None:
            raise unsure
        if found.headers.get("ce-eventhash") == draft.hash:
            return found.position
        if all(found.headers.get(name) == draft.headers[name] for name in _IDENTITY):
            raise AlreadyRecorded
        raise Conflict

    def advance(
        self, draft: Draft, past: Past, position: int, decider: Decider[Any, Any, Any, Any]
    ) -> None:
        """Remember an event just appended, and save a snapshot now and then."""
        record = Record(position, draft.subject, draft.headers, draft.body, draft.event)
        past.take(decider, record)
        self._remember(draft.subject, past)
        if past.version % SNAPSHOT_EVERY == 0:
            self._unsaved[draft.subject] = _saved(draft.subject, past, decider)
            if self._saving is None or self._saving.done():
                self._saving = asyncio.create_task(self._save())

    async def close(self) -> None:
        """Let go of the snapshots not yet written."""
        if self._saving:
            self._saving.cancel()
            await asyncio.gather(self._saving, return_exceptions=True)

    async def _save(self) -> None:
        """Write the snapshots of a while in one bulk. A lost one only costs time."""
        while self._unsaved:
            await asyncio.sleep(SNAPSHOTS_WITHIN)
            saved, self._unsaved = self._unsaved, {}
            try:
                await self._snapshots.put_all(list(saved.values()))
            except Unavailable:
                self.broker.on_trouble(f"{len(saved)} snapshots not saved")

    # -- Following -----------------------------------------------------------

    async def follow(self, name: str, *, after: int) -> AsyncGenerator[list[Record]]:
        """Yield the whole log behind a position, in batches, for ever; an empty batch is a quiet while.

        A lost consumer or broker is waited for. Raises `LogDamaged` when the log is shorter than
        `after` or a position is missing in it.
        """
        position = after
        while True:
            try:
                if (last := await self.broker.last_position()) < position:
                    msg = f"the log ends at {last}, but {position} was read before"
                    raise LogDamaged(msg)
                async with self.broker.follow(name, after=position) as pull:
                    while True:
                        records = [recorded(stored) for stored in await pull.batch()]
                        if records:
                            lost = not _in_order(records, after=position)
                        else:
                            lost = await self.broker.last_position() > position
                        if lost:
                            records = await self._beyond(position)
                        position += len(records)
                        yield records
                        if lost:
                            raise ConsumerLost("gap")  # noqa: TRY301 -- make a new one
            except (ConsumerLost, JetStreamRefusal, Unavailable) as trouble:
                self.broker.on_trouble(f"following: {trouble}")
                await asyncio.sleep(0.2)

    async def _beyond(self, position: int) -> list[Record]:
        """The next events behind a position, read without a consumer.

        An event with neither headers nor body looks to NATS like the end of a streamed answer
        between accounts: what a consumer had to give behind it gets lost on the way.
        """
        records = [recorded(stored) for stored in await self.broker.slice(EVENTS, after=position)]
        if not _in_order(records, after=position):
            msg = f"a position behind {position} is missing in the log"
            raise LogDamaged(msg)
        return records


def _in_order(records: list[Record], *, after: int) -> bool:
    """Whether these are the very next events behind a position."""
    return [r.position for r in records] == [*range(after + 1, after + 1 + len(records))]


def recorded(stored: Stored) -> Record:
    """A message of the log as the event it holds."""
    return Record(stored.position, stored.subject, stored.headers, stored.body)


def _saved(subject: str, past: Past, decider: Decider[Any, Any, Any, Any]) -> dict[str, Any]:
    return {
        "_id": subject,
        "digest": code_digest(decider),
        "version": past.version,
        "position": past.position,
        "hash": past.hash,
        "state": dump_state(past.state),
        "commands": [
            [str(id_), o.position, o.version, str(o.event), o.type, o.fingerprint]
            for id_, o in past.commands.items()
        ],
    }


def _restored(saved: dict[str, Any], decider: Decider[Any, Any, Any, Any]) -> Past:
    return Past(
        load_state(decider, saved["state"]),
        saved["version"],
        saved["position"],
        saved["hash"],
        {UUID(id_): Outcome(p, v, UUID(e), t, f) for id_, p, v, e, t, f in saved["commands"]},
    )

"""Runs a service: takes commands, records events, keeps views, answers queries, reacts.

The only place with a clock and dice.
"""

import asyncio
import json
import logging
import math
import re
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any, ClassVar
from uuid import UUID, uuid4, uuid5
from weakref import WeakValueDictionary

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import to_json

from shared import metrics
from shared.broker import EVENTS, Answer, Asked, Broker, ConsumerLost, JetStreamRefusal, Stored
from shared.callers import (
    Caller,
    Claims,
    ForeignSchool,
    NotAllowed,
    Unauthenticated,
    UnknownPerson,
    UnknownSchool,
)
from shared.decider import (
    Command,
    Decider,
    NotFound,
    PersonId,
    Policy,
    Rejected,
    Send,
    Unavailable,
    kebab,
    wire,
)
from shared.envelope import Provenance, Record, Subject, draft, streams_of
from shared.journal import AlreadyRecorded, Conflict, Journal, Past, recorded
from shared.looks import Looks, Reading, look
from shared.marks import Occurred, SetByRuntime, fields_marked, tokens
from shared.mongo import Document, Mongo
from shared.privacy import Keyring, Privacy, ScopeErased, masked
from shared.provision import drift, durable
from shared.security import Issuer, Verifier
from shared.settings import Settings
from shared.views import Projector, View, content, count_parked, reason, set_aside

log = logging.getLogger(__name__)

ATTEMPTS = 8
CLOCK_TOLERANCE = timedelta(minutes=2)
"""How far a sender's clock may be ahead of ours."""
MIN_POSITION = "Taizhang-Min-Position"
"""The header by which a caller asks for answers from that log position on."""
EXPORT = "Taizhang-Export"
"""The header that says an answer becomes a table (`csv`, `xlsx`) somebody takes away: always on record."""
MIN_POSITION_WAIT = 5.0  # seconds
PROGRESS_WAIT = 1.0  # seconds
STORED_WITHIN = 5.0
PARTING_WITHIN = 2.0
"""Seconds a service that stops waits for its ledgers to be stored; if they are not, they are folded again."""
FAR = 1_000
"""Events ahead of the views from which on a position is only waited for if the log has it."""
LAG_ALLOWED = 30.0  # seconds until views must have what was at the log's end
POLICY_CONCURRENCY = 16
FORGET_AFTER = 1.0  # seconds until keys of who was erased are destroyed where nobody asks
PRESSING = 8
"""Requests at work from which on views give way to commands."""
EVERY = "any"
"""In the place of a school's token: no school in particular. No school is called so."""
PAGE_BYTES = 256 * 1024
"""A list answer is cut to this size, one that becomes a table to twice that; NATS takes no more than 1 MB."""


class Invalid(Rejected):
    """The request does not have the required form."""

    zh = "提交的内容不符合要求"

    def __init__(self, fields: Sequence[Mapping[str, object]]) -> None:
        """`fields` name what is wrong: `field`, `problem`; never the value that was sent."""
        super().__init__()
        self.fields = list(fields)


class UnknownCommand(Rejected):
    """There is no such command."""

    zh = "没有这个操作"


class UnknownQuery(Rejected):
    """There is no such view."""

    zh = "没有这个查询"


class KeyReused(Rejected):
    """This idempotency key was used for a different request."""

    zh = "该幂等键已用于另一个请求"


class VersionMismatch(Rejected):
    """It has changed since you read it."""

    zh = "内容已被他人更新,请刷新后再试"


class OccurredInTheFuture(Rejected):
    """Something that has not happened yet cannot be recorded."""

    zh = "发生时间不能晚于现在"


class NotThereYet(Rejected):
    """The views have not reached the position asked for."""

    zh = "数据尚未更新到所要求的位置"


class TextErased(Rejected):
    """What this would be added to has been erased."""

    zh = "相关内容已被删除,不能再补充"


Cursor = Annotated[int, Field(ge=0, lt=2**63)]
"""Where a page begins: behind the item that began at this log position; 0 is the beginning."""


class Query(BaseModel):
    """A question to a service's views. `path` is its place over HTTP, `allowed` who may ask.

    `method` is how it is asked there: `POST` where its fields are secrets, not at all (empty) where only
    the gateway itself asks it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    allowed: ClassVar[frozenset[str]] = frozenset()
    path: ClassVar[str]
    method: ClassVar[str] = "GET"
    zh: ClassVar[str]

    @classmethod
    def view(cls) -> str:
        """The last token of `qry.<school>.<service>.<view>`."""
        return kebab(cls.__name__)


class AcrossSchools(Query):
    """A question about one school that may also be asked of `any`.

    Then the answer is a page of what was found in each school that lets the caller ask, by the school's
    token. A school that does not is not in it, as if it did not exist; who is let in nowhere gets an
    empty page.
    """

    after: Cursor = 0
    limit: int = Field(50, ge=1, le=100)


@dataclass(frozen=True)
class Desk:
    """What facts and queries may look at: this service's views, in one school."""

    school: str
    at: datetime
    projector: Projector
    privacy: Privacy
    issuer: Issuer
    journal: Journal
    state: Any = None
    """The state of the stream that is being decided on, for facts that depend on it."""
    made: dict[str, bytes] = field(default_factory=dict)
    """Keys made in memory; they are kept if something is recorded."""
    sealed: bool = False
    """Whether who asks may read nothing that is sealed."""
    reading: Reading = field(default_factory=Reading)
    """What is opened for who asks, and whose words that is."""

    @property
    def position(self) -> int:
        """The log position up to which the views are stored; a ledger in memory may be further."""
        return self.projector.position

    async def key(self, scope: str) -> bytes:
        """The school's key of a scope; where it has none, one that is kept only with an event."""
        return await self.privacy.keyring.key(f"{self.school}/{scope}", self.made)

    def ledger[D: BaseModel](self, view: View[D]) -> D | None:
        """A ledger's state, from memory."""
        return self.projector.ledger(view, self.school)

    async def card[D: BaseModel](self, view: View[D], key: str) -> D | None:
        """One document of a card or index."""
        document = await self.document(view, key)
        return view.document.model_validate(content(document)) if document else None

    async def document(self, view: View[Any], key: str) -> Document | None:
        """One document as stored, position and all."""
        found = await self.projector.collection(view).get(f"{self.school}/{key}")
        return None if found is None or found.get("gone") else found

    async def find(
        self,
        view: View[Any],
        where: Mapping[str, Any],
        *,
        after: int = 0,
        limit: int = 0,
        order: Sequence[tuple[str, int]] = (),
    ) -> list[Document]:
        """Documents of this school in the order they began, behind the one that began at `after`.

        `order` names fields that come first in it, each with 1 or, downwards, -1.
        """
        return await self.projector.collection(view).find(
            {"school": self.school, "gone": {"$ne": True}, "opened": {"$gt": after}, **where},
            sort=[*order, ("opened", 1), ("_id", 1)],
            limit=limit,
        )

    async def open(self, tree: Any, *, shown: bool = True) -> Any:  # noqa: ANN401 -- JSON in, JSON out
        """The texts of a JSON-like tree, for a query that cuts something out of them.

        Not `shown` are texts that something is only worked out of.
        """
        if self.sealed:
            return masked(tree)
        if shown:
            self.reading.opened.update(tokens(tree))
        return await self.privacy.open(self.school, tree)

    def words_of(self, tree: Any, *people: str | None) -> None:  # noqa: ANN401 -- JSON
        """Say of texts in the answer that they are kept from others, and whose: said by or to them.

        Who reads their own leaves no record; who reads theirs, they see.
        """
        self.reading.belongs(tree, *people)

    async def on_record(
        self, where: Mapping[str, Any], *, after: int = 0, limit: int = 0, latest: int = 0
    ) -> list[Document]:
        """The looks at this school that were put on record, in their order, or the `latest` first."""
        return await self.projector.mongo.keep("looks").find(
            {"school": self.school, "opened": {"$gt": after}, **where},
            sort=[("opened", -1 if latest else 1)],
            limit=limit or latest,
        )

    async def count(self, view: View[Any], where: Mapping[str, Any]) -> int:
        """How many documents of this school fit."""
        return await self.projector.collection(view).count(
            {"school": self.school, "gone": {"$ne": True}, **where}
        )


type Facts = Callable[[Any, Desk], Awaitable[Any]]
type Answering = Callable[[Any, Desk, Caller], Awaitable[Any]]
type Detour = Callable[["Taken", "Runtime"], Awaitable["Reply | None"]]


@dataclass(frozen=True)
class TableOf:
    """A table people fill in, one creating command a row.

    `columns` are the accepted headings (Chinese or the field's name) by field; `shape` makes a row's
    cells (text, stripped, empty ones left out) the command's fields; `row` gives the cells, by field, of
    an item that the list at the same place tells of, so that a list taken away as a table is read again;
    `unique` are the fields that together may not come twice in one table, however they are written.
    """

    command: type[Command]
    columns: Mapping[str, str]
    shape: Callable[[Mapping[str, str]], Mapping[str, Any]]
    row: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    unique: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stream:
    """One kind of stream a service owns: how it decides, from which facts, its name in paths."""

    decider: Decider[Any, Any, Any, Any]
    plural: str
    facts: Facts


@dataclass(frozen=True)
class Service:
    """The table of contents of a service.

    `who(directory, claims, account, at)` tells who a token's bearer is in a school; `directory` is
    the ledger it reads. `founding` is the one command that may come to a school that is not enrolled.
    `erased` tells from the directory of which scopes the keys are destroyed for good.
    `detours` may answer a command otherwise than by recording an event.
    `figures` brings up to date what `/metrics` tells of its schools; it is called before each reading.
    `wrong` tells what readiness must say of what the chores do.
    `chores` run beside the service until it stops, `parting` is done just before, if a moment is enough
    for it; `tables` say how a table's row is a command.
    """

    name: str
    directory: View[Any]
    who: Callable[[Any, Claims, str, datetime], Caller]
    erased: Callable[[Any], tuple[str, ...]] = lambda _: ()
    streams: tuple[Stream, ...] = ()
    views: tuple[View[Any], ...] = ()
    queries: Mapping[type[Query], Answering] = field(default_factory=dict)
    policies: tuple[Policy, ...] = ()
    timers: Callable[[Record], Iterable[Any]] | None = None
    founding: type[Command] | None = None
    detours: Mapping[type[Command], Detour] = field(default_factory=dict)
    chores: tuple[Callable[["Runtime"], Awaitable[None]], ...] = ()
    parting: Callable[["Runtime"], Awaitable[None]] | None = None
    tables: tuple[TableOf, ...] = ()
    figures: Callable[["Runtime"], Awaitable[None]] | None = None
    wrong: Callable[["Runtime"], Mapping[str, str]] | None = None

    def durables(self) -> list[dict[str, Any]]:
        """The consumers whose positions the broker keeps for its policies."""
        return [
            durable(
                EVENTS,
                f"{self.name}-{policy.name}",
                starts=policy.starts,
                filters={streams_of(event.TYPE) for event in policy.follows},
            )
            for policy in self.policies
        ]

    def commands(self) -> dict[str, tuple[Stream, type[Command]]]:
        """Every command by its name on the wire."""
        return {
            kebab(command.__name__): (stream, command)
            for stream in self.streams
            for command in stream.decider.members(stream.decider.commands)
        }


@dataclass(frozen=True)
class Taken:
    """A command that was understood and whose sender is known."""

    school: str
    stream: Stream
    kind: type[Command]
    target: str | None
    body: BaseModel
    caller: Caller
    id: UUID
    at: datetime
    expected_version: int | None = None
    correlation: UUID | None = None
    causation: UUID | None = None
    traceparent: str | None = None
    dry_run: bool = False

    @property
    def name(self) -> str:
        """The command's name on the wire."""
        return kebab(self.kind.__name__)


@dataclass(frozen=True)
class Reply:
    """What a command led to: the stream, its head, and the event if one was recorded."""

    id: str
    position: int
    version: int
    event: UUID | None = None
    type: str | None = None
    repeated: bool = False
    more: Mapping[str, object] = field(default_factory=dict)

    def body(self) -> dict[str, object]:
        """The reply as JSON-like data."""
        return {
            "ok": True,
            "id": self.id,
            "position": self.position,
            "version": self.version,
            "event": str(self.event) if self.event else None,
            "type": self.type,
            "repeated": self.repeated,
            **self.more,
        }


def now() -> datetime:
    """The present moment, UTC."""
    return datetime.now(UTC)


@dataclass
class Lag:
    """Whether what follows the log keeps up with it.

    What was in the log at the start must be there before anything is decided; what comes later,
    within `LAG_ALLOWED`.
    """

    floor: float = math.inf
    _goal: int = 0
    _since: float = 0.0

    def behind(self, position: int, last: int) -> str:
        """How far behind the log's end a position is; empty when that is as it should be."""
        if position < self.floor:
            return f"catching up: {position} of {last}"
        if position >= self._goal:
            self._goal, self._since = last, time.monotonic()
        elif (late := time.monotonic() - self._since) > LAG_ALLOWED:
            return f"{position} of {last}, not at {self._goal} after {late:.0f} s"
        return ""


@dataclass
class Runtime:
    """One service at work."""

    service: Service
    settings: Settings
    mongo: Mongo
    broker: Broker
    issuer: Issuer
    privacy: Privacy
    journal: Journal
    projector: Projector
    looks: Looks = field(init=False)
    _lag: Lag = field(default_factory=Lag)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _locks: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    _erased: dict[str, set[str]] = field(default_factory=dict)
    """The scopes whose keys this process has destroyed and knows no more, by school."""
    _minute: datetime | None = None
    _callers: dict[tuple[str, Claims], tuple[BaseModel | None, Caller]] = field(
        default_factory=dict
    )
    """Who asked within this minute, and the directory they were found in."""

    def __post_init__(self) -> None:
        """Looks are kept where the keys are."""
        self.looks = Looks(self.mongo)

    @classmethod
    def of(cls, service: Service, settings: Settings) -> "Runtime":
        """Assemble a service; nothing is connected before `start`."""
        trouble = metrics.BROKER_TROUBLE.labels(service.name)

        def on_trouble(what: str) -> None:
            trouble.inc()
            log.warning("%s: %s", service.name, what)

        mongo = Mongo(settings.mongo_url, settings.mongo_database)
        broker = Broker(
            settings.nats_url,
            service.name,
            settings.password(service.name),
            on_trouble,
            settings.in_flight,
        )
        journal = Journal(broker, mongo, service.name)
        views = (service.directory, *service.views)

        def pressing() -> bool:
            return broker.at_work >= PRESSING

        return cls(
            service,
            settings,
            mongo,
            broker,
            Issuer.load(settings.issuer_file),
            Privacy(Keyring(mongo)),
            journal,
            Projector(service.name, journal, mongo, views, yielding=pressing),
        )

    # -- Life ----------------------------------------------------------------

    async def start(self) -> None:
        """Connect, load what is kept in memory, begin to follow and to answer.

        Nothing is decided, answered or caused before the views hold what the log holds now.

        Raises:
            WrongKey: the deployment's key is not the one that what is stored needs.
        """
        self._verifier = Verifier(self.issuer)
        self._commands = self.service.commands()
        self._queries = {query.view(): query for query in self.service.queries}
        self.broker.serve(f"cmd.*.{self.service.name}.*", self.service.name, self._on_command)
        self.broker.serve(f"qry.*.{self.service.name}.*", self.service.name, self._on_query)
        unlock = partial(self.privacy.keyring.unlock, self.settings.key_file)
        await patiently(unlock)
        await self.broker.open()
        await patiently(unlock)  # a rotation begun before could not see that this service starts
        await patiently(self._take_up)
        await patiently(self._measure)
        self._begin(self.projector.run())
        again = partial(patiently, partial(self._retry_parked, "policy"))
        self._begin(self._when_caught_up(again))
        self._begin(self._when_caught_up(self._forget_all))
        for policy in self.service.policies:
            self._begin(self._when_caught_up(partial(self._pursue, policy)))
        for chore in self.service.chores:
            self._begin(self._when_caught_up(partial(chore, self)))
        if self.service.figures:
            metrics.BEFORE_READING.append(self._tell)

    async def stop(self) -> None:
        """Answer what was asked, then leave."""
        with suppress(ValueError):
            metrics.BEFORE_READING.remove(self._tell)
        await self.projector.reached(self.projector.position, within=STORED_WITHIN, stored=True)
        if self.service.parting:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.service.parting(self), PARTING_WITHIN)
        await self.broker.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(Unavailable):
            await self.projector.save()
        await self.journal.close()
        self.mongo.close()

    async def _take_up(self) -> None:
        """Load what views go on from; fold again what an operator marked for it."""
        await self.projector.prepare()
        await self._retry_parked("view")

    async def _measure(self) -> None:
        """Note how far the views have to come before anything may be decided on them."""
        self._lag.floor = await self.broker.last_position()

    async def _when_caught_up(self, work: Callable[[], Awaitable[None]]) -> None:
        await self.projector.reached(self._lag.floor, within=None)
        await work()

    async def _forget_all(self) -> None:
        """Destroy the keys of all that the log says is erased, at the start and as it happens."""
        while True:
            for school, _ in self.projector.ledgers(self.service.directory):
                await patiently(partial(self._forget, school))
            await asyncio.sleep(FORGET_AFTER)

    async def _forget(self, school: str) -> None:
        """Destroy the keys of all that is erased in a school as far as the directory knows."""
        directory = self.projector.ledger(self.service.directory, school)
        erased = () if directory is None else self.service.erased(directory)
        done = self._erased.setdefault(school, set())
        if new := set(erased) - done:
            await self.privacy.keyring.destroy({f"{school}/{scope}" for scope in new})
            done |= new

    def _begin(self, work: Any) -> None:  # noqa: ANN401 -- a coroutine
        self._tasks.append(begun(work))

    async def ready(self) -> dict[str, str]:
        """What is wrong with this service, by topic; empty when it can do its work."""
        wrong: dict[str, str] = {}
        try:
            last = await self.broker.last_position()
            metrics.LOG_POSITION.labels(self.service.name).set(last)
            metrics.VIEW_LAG.labels(self.service.name).set(max(0, last - self.projector.position))
            if behind := self._lag.behind(self.projector.position, last):
                wrong["lag"] = behind
            drifted = await drift(
                self.broker, replicas=self.settings.replicas, durables=self.service.durables()
            )
            metrics.DRIFT.labels(self.service.name).set(bool(drifted))
            if drifted:
                wrong["drift"] = "; ".join(drifted)
        except (Unavailable, JetStreamRefusal):
            wrong["log"] = "no answer"
        try:
            await self.mongo.round_trip()
        except Unavailable:
            wrong["database"] = "no answer"
        if self.projector.damage:
            wrong["log"] = self.projector.damage
        stopped = [t for t in self._tasks if t.done() and (t.cancelled() or t.exception())]
        if stopped:
            wrong["tasks"] = f"{len(stopped)} stopped"
        return {**wrong, **(self.service.wrong(self) if self.service.wrong else {})}

    def warnings(self) -> dict[str, str]:
        """What a person should look at although the service does its work, by topic."""
        strange = self.projector.unknown
        return {"unknown": f"{strange} events of unknown type skipped"} if strange else {}

    async def _tell(self) -> None:
        """Bring the figures in `/metrics` up to date; they stay as they were while that cannot be."""
        if self.service.figures and self.projector.position >= self._lag.floor:
            with suppress(Unavailable):
                await self.service.figures(self)

    # -- Commands ------------------------------------------------------------

    async def _on_command(self, asked: Asked) -> Answer:
        name = asked.subject.rpartition(".")[2]
        label = name if name in self._commands else "unknown"
        outcome = "failed"
        try:
            reply = await self._take(asked)
            outcome = "repeated" if reply.repeated else "recorded" if reply.event else "nothing-new"
            return _answer(reply.body())
        except Rejected as refusal:
            outcome = "refused"
            metrics.REFUSALS.labels(self.service.name, refusal.code).inc()
            return refused(refusal)
        except (Unavailable, JetStreamRefusal) as trouble:
            outcome = "unavailable"
            return unavailable(trouble)
        except Exception:
            log.exception("%s: command %s failed", self.service.name, label)
            return failed()
        finally:
            metrics.COMMANDS.labels(self.service.name, label, outcome).inc()

    async def _take(self, asked: Asked) -> Reply:
        _, school, _, name = asked.subject.split(".")
        if name not in self._commands:
            raise UnknownCommand(name[:40] if name.isascii() else "")
        stream, kind = self._commands[name]
        moment = now()
        caller = await self._admit(asked, school, moment, kind)
        body = _parse(wire(kind), asked.body)
        target = None if kind.creates else asked.headers.get("Taizhang-Stream")
        taken = Taken(
            school,
            stream,
            kind,
            target if target is None else _id(target),
            body,
            caller,
            _uuid(asked.headers.get("Taizhang-Command-Id")),
            moment,
            _number(asked.headers.get("Taizhang-Expected-Version")),
            _uuid(asked.headers["Taizhang-Correlation-Id"])
            if "Taizhang-Correlation-Id" in asked.headers
            else None,
            _uuid(asked.headers["Taizhang-Causation-Id"])
            if "Taizhang-Causation-Id" in asked.headers
            else None,
            traced(asked.headers.get("traceparent")),
            "Taizhang-Dry-Run" in asked.headers,
        )
        detour = None if taken.dry_run else self.service.detours.get(kind)
        if detour:
            reply = await detour(taken, self)
            if reply is not None:
                return reply
        return await self.carry_out(taken)

    async def _admit(
        self, asked: Asked, school: str, moment: datetime, kind: type[Command] | type[Query]
    ) -> Caller:
        """Find out who asks and whether they may, after the views have reached what they ask for.

        For a school that is not enrolled nothing is made, no key either.
        """
        claims = await self._up_to_date(asked, school)
        directory = self.projector.ledger(self.service.directory, school)
        if school == EVERY or (directory is None and kind is not self.service.founding):
            raise UnknownSchool
        caller = await self._caller(claims, school, directory, moment)
        caller.demand(kind.allowed)
        if caller.sealed and not (issubclass(kind, Query) and kind.method == "GET"):
            raise NotAllowed
        return caller

    async def _up_to_date(self, asked: Asked, school: str) -> Claims:
        """What the sender's token says, once the views have reached what they ask for."""
        claims = self._verifier.claims(asked.headers.get("Authorization"))
        if not _is_id(school):
            raise UnknownSchool
        if claims.school and claims.school != school:
            raise ForeignSchool
        minimum = max(self._lag.floor, _number(asked.headers.get(MIN_POSITION)) or 0)
        wait = _number(asked.headers.get("Taizhang-Wait"))
        within = MIN_POSITION_WAIT if wait is None else min(wait, MIN_POSITION_WAIT)
        far = minimum > self.projector.position + FAR and minimum > self._lag.floor
        if far and minimum > await self.broker.last_position():
            raise NotThereYet
        if not await self.projector.reached(minimum, within=within):
            raise NotThereYet
        return claims

    async def _caller(
        self, claims: Claims, school: str, directory: BaseModel | None, moment: datetime
    ) -> Caller:
        """Who a token's bearer is; found again when the directory, or the minute, is another one."""
        minute = moment.replace(second=0, microsecond=0)
        if minute != self._minute:
            self._callers.clear()
            self._minute = minute
        known = self._callers.get((school, claims))
        if known and known[0] is directory:
            return known[1]
        account = ""
        if directory is not None and not claims.roles:
            account = await self.privacy.blind(school, "account", claims.issuer, claims.subject)
        caller = self.service.who(directory, claims, account, moment)
        self._callers[school, claims] = directory, caller
        return caller

    async def carry_out(self, taken: Taken) -> Reply:
        """Load, decide, append; when somebody was faster, decide again on what they left.

        A refusal or a "nothing new" is only given after a look at the leader: what is remembered may
        be old, an append of it could not have succeeded.
        """
        decider = taken.stream.decider
        command = self._understood(taken)
        target = await self._target(taken, command)
        command = command.model_copy(update={"stream": target})
        subject = str(Subject(taken.school, self.service.name, decider.category, target))
        fingerprint = await self.privacy.fingerprint(
            taken.school, taken.caller.id, f"{taken.name} {target}", taken.body.model_dump_json()
        )
        lock = self._locks.setdefault(subject, asyncio.Lock())
        async with lock:
            for attempt in range(ATTEMPTS):
                past = self._past(taken, subject, attempt) or await self.journal.load(
                    subject, decider, trust_snapshot=attempt < ATTEMPTS // 2
                )
                try:
                    return await self._decide(taken, command, target, subject, past, fingerprint)
                except AlreadyRecorded:
                    self.journal.forget(subject)
                except Conflict:
                    metrics.CONFLICTS.labels(self.service.name).inc()
                    self.journal.forget(subject)
            raise Unavailable("stream")

    def _past(self, taken: Taken, subject: str, attempt: int) -> Past | None:
        """What can be decided on without reading: a remembered stream, or a new one's beginning."""
        if remembered := self.journal.remembered(subject):
            return remembered
        if taken.kind.creates and attempt == 0:
            return Past(taken.stream.decider.initial)
        return None

    async def _decide(
        self,
        taken: Taken,
        command: Command,
        target: str,
        subject: str,
        past: Past,
        fingerprint: str,
    ) -> Reply:
        """One attempt. Raises `Conflict` or `AlreadyRecorded` where there was more than was known."""
        decider = taken.stream.decider
        if before := past.commands.get(taken.id):
            if before.fingerprint != fingerprint:
                raise KeyReused
            return Reply(
                target, before.position, before.version, before.event, before.type, repeated=True
            )
        desk = self.desk(taken.school, taken.at, past.state)
        try:
            if past.version == 0 and not taken.kind.creates:
                raise NotFound
            if taken.expected_version not in {None, past.version}:
                raise VersionMismatch(str(past.version))
            begins = past.version == 0
            sealed = await self.privacy.seal(
                command, taken.school, decider.category, target, desk.made, begins=begins
            )
            facts = await taken.stream.facts(sealed, desk)
            event = decider.decide(sealed, past.state, facts)
        except Rejected:
            await self._still(subject, past)
            raise
        if event is None:
            await self._still(subject, past)
            return Reply(target, past.position, past.version)
        if taken.dry_run:
            return Reply(
                target, past.position, past.version, type=event.TYPE, more={"dry_run": True}
            )
        provenance = Provenance(
            taken.caller.id,
            taken.at,
            _occurred(command) or taken.at,
            taken.id,
            fingerprint,
            taken.correlation or taken.id,
            taken.causation,
            taken.caller.on_behalf_of,
            desk.position,
            taken.traceparent,
        )
        place = Subject(taken.school, self.service.name, decider.category, target)
        new = draft(place, event, provenance, version=past.version + 1, previous=past.hash)
        if desk.made:
            await self._keep(desk.made, subject, past)
        position = await self.journal.append(new, after=past.position)
        self.journal.advance(new, past, position, decider)
        return Reply(target, position, past.version, new.id, event.TYPE)

    async def _keep(self, keys: Mapping[str, bytes], subject: str, past: Past) -> None:
        """Make new keys durable before the event that needs them; where others were faster, conflict."""
        try:
            kept = await self.privacy.keyring.keep(keys)
        except ScopeErased:
            await self._still(subject, past)
            raise TextErased from None
        if not kept:
            raise Conflict

    async def _still(self, subject: str, past: Past) -> None:
        if await self.journal.head(subject) != past.position:
            raise Conflict

    def _understood(self, taken: Taken) -> Command:
        """The command as the domain sees it: the sender's part, who and when, nothing derived yet."""
        runtime_fields = dict.fromkeys(fields_marked(taken.kind, SetByRuntime))
        given = {name: getattr(taken.body, name) for name in type(taken.body).model_fields}
        command = taken.kind.model_construct(
            **{**runtime_fields, **given, "by": taken.caller.id, "at": taken.at}
        )
        occurred = _occurred(command)
        if occurred and occurred > taken.at + CLOCK_TOLERANCE:
            raise OccurredInTheFuture
        return command

    async def _target(self, taken: Taken, command: Command) -> str:
        """The stream a command is for; a created one's id follows from the command or from a rule."""
        category = taken.stream.decider.category
        if not taken.kind.creates:
            if taken.target is None:
                raise Invalid([{"field": "Taizhang-Stream", "problem": "missing"}])
            return taken.target
        if taken.kind.one_per_school:
            return taken.school
        if unique := command.unique():
            return await self.privacy.stream_id(taken.school, category, unique)
        return taken.target or str(uuid5(taken.id, category))

    def desk(self, school: str, at: datetime, state: Any = None) -> Desk:  # noqa: ANN401 -- any stream's
        """This service's views, in one school."""
        return Desk(school, at, self.projector, self.privacy, self.issuer, self.journal, state)

    # -- Queries -------------------------------------------------------------

    async def _on_query(self, asked: Asked) -> Answer:
        _, school, _, name = asked.subject.split(".")
        label, outcome = (name if name in self._queries else "unknown"), "failed"
        try:
            if name == "progress":
                return _answer(await self._progress(_number(asked.headers.get(MIN_POSITION))))
            if name not in self._queries:
                raise UnknownQuery  # noqa: TRY301 -- answered like any other refusal
            kind = self._queries[name]
            moment = now()
            if school == EVERY and issubclass(kind, AcrossSchools):
                position, found = await self._across(asked, kind, moment)
                found = _page(found)
            else:
                caller = await self._admit(asked, school, moment, kind)
                query = _parse(kind, asked.body or b"{}")
                desk = self.desk(school, moment)
                position = desk.position
                found = await self._found(query, desk, caller, asked.headers.get(EXPORT, ""))
            outcome = "answered"
            return _answer({"ok": True, "position": position, "found": found})
        except Rejected as refusal:
            outcome = "refused"
            return refused(refusal)
        except (Unavailable, JetStreamRefusal) as trouble:
            outcome = "unavailable"
            return unavailable(trouble)
        except Exception:
            log.exception("%s: query %s failed", self.service.name, label)
            return failed()
        finally:
            metrics.QUERIES.labels(self.service.name, label, outcome).inc()

    async def _found(self, query: Query, desk: Desk, caller: Caller, export: str = "") -> Any:  # noqa: ANN401 -- JSON
        """What a query finds, its tokens opened; what is to be on record is, before it is answered."""
        await self._forget(desk.school)
        desk = replace(desk, sealed=caller.sealed)
        found = await self.service.queries[type(query)](query, desk, caller)
        room = PAGE_BYTES * 2 if export else PAGE_BYTES
        if caller.sealed:
            answer, read = _page(masked(found), room), {}
        else:
            there = {*tokens(found)}
            answer = _page(await self.privacy.open(desk.school, found, there), room)
            if _listed(found) and len(answer["items"]) < len(found["items"]):
                there = {*tokens({**found, "items": found["items"][: len(answer["items"])]})}
            read = desk.reading.streams(
                there,
                caller.id,
                lambda scope: self.privacy.keyring.is_erased(f"{desk.school}/{scope}"),
            )
        if read or export or caller.on_record:
            await self.looks.record(
                look(
                    desk.school,
                    caller.id,
                    query.view(),
                    service=self.service.name,
                    asked=_asked(query),
                    position=desk.position,
                    export=export,
                    rows=len(answer["items"]) if _listed(answer) else 1,
                    streams=read,
                )
            )
        return answer

    async def _across(
        self, asked: Asked, kind: type[AcrossSchools], moment: datetime
    ) -> tuple[int, Mapping[str, Any]]:
        """One page of what a query finds in the schools that let its sender ask, and as of where."""
        claims = await self._up_to_date(asked, EVERY)
        if "anonymous" in claims.roles:
            raise Unauthenticated
        query = _parse(kind, asked.body or b"{}")
        position = self.projector.position
        open_to: list[tuple[str, Caller]] = []
        for school, directory in self.projector.ledgers(self.service.directory):
            with suppress(UnknownPerson):
                caller = await self._caller(claims, school, directory, moment)
                if caller.roles & kind.allowed:
                    open_to.append((school, caller))
        last = query.after + query.limit
        items = []
        for n, (school, caller) in enumerate(open_to[query.after : last], start=query.after + 1):
            found = await self._found(query, self.desk(school, moment), caller)
            items.append({"school": school, **found, "opened": n})
            await asyncio.sleep(0)
        following = last if last < len(open_to) else None
        return position, {"items": items, "next": following, "total": len(open_to)}

    async def _progress(self, position: int | None) -> dict[str, object]:
        """How far this service is: positions of its views and policies, and what is wrong.

        Whoever names a position waits a little for the views to get there, and to be stored.
        """
        await self.projector.reached(position or 0, within=PROGRESS_WAIT, stored=True)
        return {
            "ok": True,
            "views": self.projector.stored,
            "policies": {
                policy.name: await self._policy_position(policy) for policy in self.service.policies
            },
            "wrong": await self.ready(),
            "warnings": self.warnings(),
        }

    # -- Policies ------------------------------------------------------------

    def _durable(self, policy: Policy) -> str:
        return f"{self.service.name}-{policy.name}"

    async def _policy_position(self, policy: Policy) -> int:
        """The last position a policy is done with; everything, if nothing is waiting for it.

        Nothing, if its durable cannot be asked: `ready` says so.
        """
        try:
            info = await self.broker.api(f"CONSUMER.INFO.{EVENTS}.{self._durable(policy)}")
        except (Unavailable, JetStreamRefusal):
            return 0
        if not info["num_pending"] and not info["num_ack_pending"]:
            return max(int(info["delivered"]["stream_seq"]), await self.broker.last_position())
        return int(info["ack_floor"]["stream_seq"])

    async def _pursue(self, policy: Policy) -> None:
        """React to the log, event by event, from the policy's durable position."""
        while True:
            try:
                async with self.broker.pull(EVENTS, self._durable(policy), batch=100) as pull:
                    while True:
                        for stored in await pull.batch():
                            await self._react_surely(policy, stored)
            except (ConsumerLost, JetStreamRefusal, Unavailable) as trouble:
                self.broker.on_trouble(f"policy {policy.name}: {trouble}")
                await asyncio.sleep(0.2)

    async def _react_surely(self, policy: Policy, stored: Stored) -> None:
        record = recorded(stored)
        if _followed(policy, record):
            await self.projector.reached(
                record.position, within=None
            )  # what its facts are read from
        while True:
            try:
                await self._react(policy, record)
            except (Unavailable, JetStreamRefusal):
                await asyncio.sleep(0.5)
            else:
                await self.broker.acknowledge(stored)
                return

    async def _react(self, policy: Policy, record: Record) -> None:
        if not _followed(policy, record):
            return
        try:
            wanted = list(policy.react(record))
        except Exception as error:
            log.exception("policy %s failed at %d", policy.name, record.position)
            await self._park(policy, record, "", reason(error))
            return
        for start in range(0, len(wanted), POLICY_CONCURRENCY):
            some = list(enumerate(wanted))[start : start + POLICY_CONCURRENCY]
            await asyncio.gather(*(self._send(policy, record, n, send) for n, send in some))

    async def _send(self, policy: Policy, record: Record, n: int, send: Send) -> None:
        """Carry out one command of a policy; a refused one, or one that fails, is parked."""
        what = f"{kebab(send.command.__name__)} {send.stream}"
        try:
            await self.carry_out(await self._wanted(policy, record, n, send))
        except Rejected as refusal:
            await self._park(policy, record, what, refusal.code)
        except (Unavailable, JetStreamRefusal):
            raise
        except Exception as error:
            log.exception("policy %s failed at %d: %s", policy.name, record.position, what)
            await self._park(policy, record, what, reason(error))

    async def _wanted(self, policy: Policy, record: Record, n: int, send: Send) -> Taken:
        """The `n`th command a policy wants because of an event, by this service for who caused it."""
        me = PersonId(f"service:{self.service.name}")
        opened = await self.privacy.open(record.school, dict(send.body))
        return Taken(
            record.school,
            self._commands[kebab(send.command.__name__)][0],
            send.command,
            send.stream,
            _parse(wire(send.command), json.dumps(opened).encode()),
            Caller(me, frozenset({"service"}), record.actor),
            uuid5(record.id, f"{policy.name} {send.stream} {n}"),
            now(),
            correlation=record.correlation,
            causation=record.id,
        )

    async def _retry_parked(self, kind: str) -> None:
        """Do again what an operator marked for it; what is parked anew meanwhile has no decision yet."""
        parked = self.mongo.keep("parked")
        name = self.service.name
        for item in await parked.find({"service": name, "decision": "replay", "kind": kind}):
            if await self._did_again(item):
                await parked.delete({"_id": item["_id"], "decision": "replay"})
            else:
                log.error("%s: nothing here takes up %s", name, item["_id"])
        await count_parked(parked, name)

    async def _did_again(self, item: Document) -> bool:
        """Fold a view's stream or react to an event again; `False` if nobody does that any more."""
        if item["kind"] == "view":
            return await self.projector.retry(item["view"], item["stream"])
        policy = next((p for p in self.service.policies if p.name == item["policy"]), None)
        stored = await self.broker.message(EVENTS, {"seq": item["position"]})
        if policy is None or stored is None:
            return False
        await self._react(policy, recorded(stored))
        return True

    async def _park(self, policy: Policy, record: Record, what: str, why: str) -> None:
        """Set a command of a policy aside, or what it should have made of an event."""
        item = {"_id": f"{self._durable(policy)} {record.position} {what}", "kind": "policy"}
        more = {"policy": policy.name, "command": what, "reason": why}
        await set_aside(self.mongo.keep("parked"), self.service.name, record, {**item, **more})


# -- Settling -----------------------------------------------------------------------------------


async def settled(
    broker: Broker, services: Iterable[str], position: int, *, within: float = 30.0
) -> int:
    """Wait until views and policies have passed a position, and everything they caused in turn.

    Timers still to fire are not waited for, those that have fired are. Gives the log's last
    position. `broker` must be allowed to ask `qry.>`.

    Raises:
        TimeoutError: not within that many seconds.
    """
    services = list(services)
    async with asyncio.timeout(within):
        while True:
            behind = False
            for service in services:
                progress = await progress_of(broker, service, position)
                reached = [progress.get("views", -1), *progress.get("policies", {}).values()]
                behind |= any(at < position for at in reached)
            last = await broker.last_position()
            if not behind and last <= position:
                return last
            position = max(position, last)
            await asyncio.sleep(0.01)


async def progress_of(broker: Broker, service: str, position: int = 0) -> dict[str, Any]:
    """How far a service is and what is wrong with it, from itself; `error` if it cannot tell.

    Where a `position` is named, the service hurries to get there and waits a little before it answers.
    """
    headers = {MIN_POSITION: str(position)}
    answer = await broker.ask(f"qry.any.{service}.progress", b"{}", headers)
    return dict(json.loads(answer.body))


# -- Small things -------------------------------------------------------------------------------


async def patiently(work: Callable[[], Awaitable[None]]) -> None:
    """Do something that needs a server, as soon as it is there."""
    while True:
        try:
            await work()
        except (Unavailable, JetStreamRefusal) as trouble:
            log.warning("waiting: %s", trouble)
            await asyncio.sleep(0.5)
        else:
            return


def begun(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Start a task that says so when a bug ends it."""
    task = asyncio.create_task(work)
    task.add_done_callback(_loud)
    return task


def _loud(task: asyncio.Task[None]) -> None:
    """A task that ends with a bug says so."""
    if not task.cancelled() and (error := task.exception()):
        log.critical("a task stopped", exc_info=error)


def _followed(policy: Policy, record: Record) -> bool:
    """Whether a policy is about an event; it is shown all others of the same streams as well."""
    return record.type in {event.TYPE for event in policy.follows}


def _parse[M: BaseModel](model: type[M], body: bytes) -> M:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise Invalid(problems(error)) from None


def problems(error: ValidationError) -> list[dict[str, object]]:
    """What is wrong, field by field, without a word of what was sent."""
    return [
        {
            "field": ".".join(str(part) for part in problem["loc"]),
            "problem": problem["type"],
            "message": problem["msg"],
        }
        for problem in error.errors(include_input=False, include_url=False, include_context=False)
    ]


def _occurred(command: BaseModel) -> datetime | None:
    """When the sender says it happened, if the command says so."""
    moments = (getattr(command, name) for name in fields_marked(type(command), Occurred))
    return next((moment for moment in moments if isinstance(moment, datetime)), None)


def _uuid(text: str | None) -> UUID:
    if text is None:
        return uuid4()
    try:
        return UUID(text)
    except ValueError:
        raise Invalid([{"field": "Taizhang-Command-Id", "problem": "uuid"}]) from None


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or not text.isascii() or len(text) > 18:  # noqa: PLR2004 -- fits 63 bits
        raise Invalid([{"field": "header", "problem": "number"}])
    return int(text)


def traced(text: str | None) -> str | None:
    """A W3C trace parent; nothing where it is none."""
    return text if text and _TRACEPARENT.fullmatch(text) else None


_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def _id(text: str) -> str:
    if _is_id(text):
        return text
    raise Invalid([{"field": "id", "problem": "pattern"}])


def _is_id(text: str) -> bool:
    return bool(_ID.fullmatch(text))


_ID = re.compile(r"[a-z0-9-]{1,36}")


def _answer(body: Mapping[str, object]) -> Answer:
    return Answer(to_json(body))


def _page(found: Any, room: int = PAGE_BYTES) -> Any:  # noqa: ANN401 -- JSON
    """Cut a list so that it fits one message; `next` then continues behind the last item given."""
    if not _listed(found):
        return found
    for n, item in enumerate(found["items"]):
        room -= len(to_json(item))
        if room < 0 and n:
            kept = found["items"][:n]
            return {**found, "items": kept, "next": kept[-1]["opened"]}
    return found


def _listed(found: Any) -> bool:  # noqa: ANN401 -- JSON
    return isinstance(found, dict) and "items" in found


def _asked(query: Query) -> dict[str, Any]:
    """What was asked, as it goes on record; nothing where it is secret."""
    return query.model_dump(mode="json", exclude_defaults=True) if query.method == "GET" else {}


def _error(code: str, zh: str, en: str, **more: object) -> Answer:
    body = {"error": {"code": code, "title": {"zh": zh, "en": en}, **more}}
    return Answer(_answer(body).body, {"Nats-Service-Error-Code": code, "Nats-Service-Error": code})


def refused(refusal: Rejected) -> Answer:
    """A refusal as both doors give it: stable code, both languages, what is missing."""
    more: dict[str, object] = {"detail": refusal.detail} if refusal.detail else {}
    if isinstance(refusal, Invalid):
        more["fields"] = refusal.fields
    english = (type(refusal).__doc__ or refusal.code).strip().split("\n")[0]
    return _error(refusal.code, refusal.zh, english, **more)


def unavailable(trouble: Unavailable | JetStreamRefusal) -> Answer:
    """The log or the database is away: nothing happened, or it will be found out on repeating."""
    what = str(trouble) if isinstance(trouble, Unavailable) else "log"
    return _error(
        "unavailable",
        "系统暂时不可用,请稍后重试",
        "Temporarily unavailable, please repeat",
        detail=what,
    )


def failed() -> Answer:
    """A bug; it was logged."""
    return _error("internal", "系统内部错误", "Internal error")

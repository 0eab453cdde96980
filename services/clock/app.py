"""The clock, assembled: it follows the log, keeps SCHEDULES as every service's timers say, and fires.

SCHEDULES is a view of the log: it may be emptied and built again at any time. A timer that fires twice
sends the same command id twice, which counts once.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from shared import metrics
from shared.broker import SCHEDULES, Answer, Asked, Broker, ConsumerLost, JetStreamRefusal, Stored
from shared.decider import Event, Forget, Remind, Unavailable, kebab
from shared.envelope import Record, stamp
from shared.journal import Journal, LogDamaged
from shared.mongo import Collection, Mongo
from shared.runtime import Service, begun, patiently
from shared.security import Issuer
from shared.settings import Settings
from shared.views import count_parked, reason, set_aside

log = logging.getLogger(__name__)

FIRED = "clock-fired"
AT_ONCE = 64  # timers being set at the same time
CHECKPOINT_EVERY = 2_000  # events without a timer before the checkpoint is written all the same
KEEP_FIRED = "720h"  # how long a fired timer waits for a clock that is away
RETRY = 2.0  # seconds until a command that found nobody is sent again

_TEMPORARY = frozenset({"unavailable", "internal", "not-there-yet"})
_AGAIN = frozenset({"unavailable", "failed"})


@dataclass
class Clock:
    """Timers of all services."""

    broker: Broker
    mongo: Mongo
    issuer: Issuer
    services: Mapping[str, Callable[[Record], Iterable[Remind | Forget]]]
    position: int = 0
    damage: str = ""
    _set: set[str] = field(default_factory=set)
    _saved: int = 0
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @classmethod
    def of(cls, services: Iterable[Service], settings: Settings) -> "Clock":
        """Assemble the clock; nothing is connected before `start`."""
        trouble = metrics.BROKER_TROUBLE.labels("clock")

        def on_trouble(what: str) -> None:
            trouble.inc()
            log.warning("clock: %s", what)

        broker = Broker(settings.nats_url, "clock", settings.password("clock"), on_trouble)
        mongo = Mongo(settings.mongo_url, settings.mongo_database)
        timers = {s.name: s.timers for s in services if s.timers}
        return cls(broker, mongo, Issuer.load(settings.issuer_file), timers)

    async def start(self) -> None:
        """Connect, see which timers are set, begin to follow and to fire."""
        self.broker.serve("qry.*.clock.*", "clock", self._on_query)
        await patiently(self._load_checkpoint)
        await self.broker.open()
        await patiently(self._load_timers)
        await patiently(self._retry_parked)
        self._tasks += [begun(self._follow()), begun(self._fire())]

    async def stop(self) -> None:
        """Leave; SCHEDULES goes on without us."""
        await self.broker.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.mongo.close()

    async def ready(self) -> dict[str, str]:
        """What is wrong, by topic."""
        wrong: dict[str, str] = {}
        try:
            await self.broker.round_trip()
        except Unavailable:
            wrong["log"] = "no answer"
        try:
            await self.mongo.round_trip()
        except Unavailable:
            wrong["database"] = "no answer"
        if self.damage:
            wrong["log"] = self.damage
        if stopped := [task for task in self._tasks if task.done()]:
            wrong["tasks"] = f"{len(stopped)} stopped"
        return wrong

    async def _on_query(self, _: Asked) -> Answer:
        body = {"ok": True, "views": self.position, "policies": {}, "wrong": await self.ready()}
        return Answer(json.dumps(body).encode())

    @property
    def _journal(self) -> Journal:
        return Journal(self.broker, self.mongo, "clock")

    @property
    def _parked(self) -> Collection:
        return self.mongo.keep("parked")

    async def _load_checkpoint(self) -> None:
        checkpoints = self.mongo.checkpoints()
        await checkpoints.insert({"_id": "clock", "position": 0})
        saved = await checkpoints.get("clock") or {}
        self.position = self._saved = saved.get("position", 0)

    async def _load_timers(self) -> None:
        info = await self.broker.api(f"STREAM.INFO.{SCHEDULES}", {"subjects_filter": "sched.def.*"})
        self._set = {s.rpartition(".")[2] for s in info["state"].get("subjects") or ()}

    # -- Setting ---------------------------------------------------------------

    async def _follow(self) -> None:
        try:
            while True:
                async with aclosing(
                    self._journal.follow("clock-views", after=self.position)
                ) as batches:
                    async for records in batches:
                        reached = self.position
                        await patiently(partial(self._apply, records))
                        if self.position < reached:
                            break  # SCHEDULES was emptied: from the beginning again
        except LogDamaged as damage:
            self.damage = str(damage)
            log.critical("clock: %s", damage)

    async def _apply(self, records: list[Record]) -> None:
        """Set and drop what a batch of events asks for, then move on."""
        if not records:
            await self._save(self.position)
            return
        work = await self._obey(records)
        self.position = last = records[-1].position
        if work or last - self._saved >= CHECKPOINT_EVERY:
            await self._save(last)
        metrics.TIMERS.labels("clock").set(len(self._set))

    async def _save(self, position: int) -> None:
        """Write the checkpoint; where there is none any more, begin anew: SCHEDULES was emptied."""
        if await self.mongo.checkpoints().update("clock", {"position": position}, upsert=False):
            self._saved = position
        else:
            self._set.clear()
            await self._load_checkpoint()

    async def _obey(self, records: Iterable[Record]) -> int:
        """Set and drop what events ask for; only the last word on each timer counts."""
        words: dict[str, Word] = {}
        for record in records:
            timers = self.services.get(record.service)
            if timers and record.type in Event.known:
                try:
                    words |= {w.timer: w for w in [_word(record, t) for t in timers(record)]}
                except Exception as error:
                    log.exception("clock: no timers from position %d", record.position)
                    await self._park(record, error)
        work = list(words.values())
        for start in range(0, len(work), AT_ONCE):
            await asyncio.gather(*(self._keep(w) for w in work[start : start + AT_ONCE]))
        return len(work)

    async def _keep(self, word: "Word") -> None:
        if word.sets:
            await self.broker.publish(f"sched.def.{word.timer}", word.body, word.headers)
            self._set.add(word.timer)
        elif word.timer in self._set:
            await self.broker.publish(f"sched.off.{word.timer}", word.body, word.headers)
            self._set.discard(word.timer)

    async def _park(self, record: Record, error: Exception) -> None:
        """Set an event aside whose timers could not be told; its stream's next ones go on."""
        item = {"_id": f"clock {record.position}", "kind": "timer", "reason": reason(error)}
        await set_aside(self._parked, "clock", record, item)

    async def _retry_parked(self) -> None:
        """Do again what an operator marked for it: from that event on, all the stream says of timers."""
        for item in await self._parked.find({"service": "clock", "decision": "replay"}):
            past = await self._journal.read(item["stream"], after=item["position"] - 1)
            await self._obey(r for r in past if r.position <= self.position)
            await self._parked.delete({"_id": item["_id"], "decision": "replay"})
        await count_parked(self._parked, "clock")

    # -- Firing ----------------------------------------------------------------

    async def _fire(self) -> None:
        while True:
            try:
                async with self.broker.pull(SCHEDULES, FIRED, batch=100) as pull:
                    while True:
                        turns: dict[str, list[Stored]] = {}
                        for stored in await pull.batch():
                            turns.setdefault(_stream(stored), []).append(stored)
                        await asyncio.gather(*(self._in_turn(some) for some in turns.values()))
            except (ConsumerLost, JetStreamRefusal, Unavailable) as trouble:
                self.broker.on_trouble(f"firing: {trouble}")
                await asyncio.sleep(0.2)

    async def _in_turn(self, fired: list[Stored]) -> None:
        """Send what fired for one stream in its order: nobody is called to account before being urged."""
        for stored in fired:
            await self._send(stored)

    async def _send(self, stored: Stored) -> None:
        """Give the command to its service; an answer that would not be another one ends the timer."""
        self._set.discard(stored.subject.rpartition(".")[2])
        try:
            outcome = await self._tell(json.loads(stored.body))
        except Unavailable:
            outcome = "unavailable"
        except Exception:
            log.exception("clock: %s failed", stored.subject)
            outcome = "failed"
        metrics.TIMERS_FIRED.labels("clock", outcome).inc()
        with suppress(Unavailable):
            if outcome in _AGAIN:
                await self.broker.later(stored, RETRY)
            else:
                await self.broker.acknowledge(stored)

    async def _tell(self, fire: Mapping[str, Any]) -> str:
        headers = {
            "Authorization": f"Bearer {self.issuer.service_token('clock')}",
            "Taizhang-Stream": fire["stream"],
            "Taizhang-Command-Id": fire["id"],
            "Taizhang-Causation-Id": fire["cause"],
            "Taizhang-Correlation-Id": fire["correlation"],
        }
        answer = await self.broker.ask(fire["subject"], json.dumps(fire["body"]).encode(), headers)
        code = answer.headers.get("Nats-Service-Error-Code", "")
        return "unavailable" if code in _TEMPORARY else "moot" if code else "done"


def _stream(fired: Stored) -> str:
    """Whose turn it is: the stream a fired timer is for."""
    with suppress(ValueError, KeyError, TypeError):
        return str(json.loads(fired.body)["stream"])
    return fired.subject


@dataclass(frozen=True)
class Word:
    """What an event says about one timer, as it is told to the broker."""

    timer: str
    sets: bool
    body: bytes
    headers: Mapping[str, str]


def _word(record: Record, timer: Remind | Forget) -> Word:
    identity = uuid5(NAMESPACE_URL, f"{record.subject} {timer.name}").hex
    if isinstance(timer, Remind):
        schedule = {
            "Nats-Schedule": f"@at {stamp(timer.at)}",
            "Nats-Schedule-Target": f"sched.fire.{identity}",
            "Nats-Schedule-TTL": KEEP_FIRED,
        }
        return Word(identity, True, json.dumps(_fire(record, timer)).encode(), schedule)  # noqa: FBT003 -- a field
    purge = {
        "Nats-Schedule-Next": "purge",
        "Nats-Scheduler": f"sched.def.{identity}",
        "Nats-TTL": "60s",
    }
    return Word(identity, False, b"", purge)  # noqa: FBT003 -- as above


def _fire(record: Record, timer: Remind) -> dict[str, Any]:
    """What a timer says when it fires: which command, to whom, because of what."""
    name = kebab(timer.command.__name__)
    return {
        "subject": f"cmd.{record.school}.{record.service}.{name}",
        "stream": record.stream,
        "id": str(uuid5(record.id, f"timer {timer.name}")),
        "cause": str(record.id),
        "correlation": str(record.correlation),
        "body": dict(timer.body),
    }

"""A school's traces at hand, so that a board is not read from the database each time.

What a query needs is every trace of the school, and between two queries few of them move. So they are
kept in memory as the rules read them: read once from the database, and from then on told by who writes
them. A view that began again, or another one, is read from the start. What was worked out for the position
before is kept where no stream moved that it looked at (`World.moved`).
"""

import asyncio
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from weakref import ref

from services.campaign.calendar import duration
from services.campaign.directory import Directory
from services.oversight.projection import directory, traces
from services.oversight.rules.evidence import Life, Trace
from services.oversight.rules.world import World
from shared.callers import UnknownSchool
from shared.looks import number_of
from shared.runtime import Desk, Runtime, now, patiently
from shared.views import Projector, content

MANY = 500
"""Traces after which others get their turn."""
EXPIRE_EVERY = 3600  # seconds between two removals of looks kept long enough
DAYS_KEPT = 4
"""Worlds of how many days are kept: today's, and those of a comparison."""


@dataclass
class Kept:
    """A world, and the streams whose lives are longer than it knows, by kind."""

    world: World
    moved: dict[str, set[str]] = field(default_factory=dict)


class Shelf:
    """The lives of one school as of a position or a little later, and the worlds made of them."""

    def __init__(self, projector: Projector) -> None:
        """Nothing is read yet."""
        self.of = ref(projector)
        self.times_begun = projector.times_begun
        self.position = 0
        self.complete = False
        self.lives: dict[str, dict[str, Life]] = {}
        self.worlds: dict[date, Kept] = {}

    def holds(self, projector: Projector) -> bool:
        """Whether what is here is what the views hold, or still being read from them."""
        return self.of() is projector and self.times_begun == projector.times_begun

    async def catch_up(self, desk: Desk) -> None:
        """Be complete up to the position of the views."""
        position = desk.position
        if not self.complete:
            for n, document in enumerate(await desk.find(traces, {}), start=1):
                self.take_in(Trace.model_validate(content(document)))
                if n % MANY == 0:
                    await asyncio.sleep(0)
            self.complete = True
        self.position = max(position, self.position)

    def take_in(self, trace: Trace) -> None:
        """Keep a life as it is now, unless more of it is known already."""
        kind = self.lives.setdefault(trace.of, {})
        known = kind.get(trace.stream)
        if known is None or known.last.position < trace.facts[-1].position:
            kind[trace.stream] = Life.read(trace, known)
            for kept in self.worlds.values():
                kept.moved.setdefault(trace.of, set()).add(trace.stream)

    def world(self, known: Directory, day: date) -> World:
        """The school at the end of a day."""
        kept = self.worlds.pop(day, None)
        if kept is None:
            world = World.at(known, day, self.lives, self.position)
            kept = Kept(world, self._longer({of: set(some) for of, some in self.lives.items()}))
        elif kept.world.directory is not known or kept.world.position != self.position:
            world = kept.world.moved(known, self.lives, self.position, kept.moved)
            kept = Kept(world, self._longer(kept.moved))
        while len(self.worlds) >= DAYS_KEPT:
            del self.worlds[next(iter(self.worlds))]
        self.worlds[day] = kept
        return kept.world

    def _longer(self, moved: dict[str, set[str]]) -> dict[str, set[str]]:
        """Those of some streams whose lives go on behind the position."""
        longer = {
            of: {i for i in ids if self.lives[of][i].last.position > self.position}
            for of, ids in moved.items()
        }
        return {of: ids for of, ids in longer.items() if ids}


_SHELVES: dict[str, Shelf] = {}
"""One per school."""


async def world(desk: Desk, day: date | None = None) -> World:
    """The school at the end of a day, today if none is given.

    Raises:
        UnknownSchool: there is no such school.
    """
    known = desk.ledger(directory)
    if known is None:
        raise UnknownSchool
    shelf = _SHELVES.get(desk.school)
    if shelf is None or not shelf.holds(desk.projector):
        shelf = _SHELVES[desk.school] = Shelf(desk.projector)
        desk.projector.watch(traces, partial(_told, desk.projector))
    await shelf.catch_up(desk)
    now = known.day(desk.at)
    return shelf.world(known, min(day or now, now))


def _told(projector: Projector, school: str, trace: Trace) -> None:
    """A trace was written; a shelf that is not there yet will read it."""
    if (shelf := _SHELVES.get(school)) and shelf.holds(projector):
        shelf.take_in(trace)


def today(desk: Desk) -> date:
    """The day it is at the school."""
    known = desk.ledger(directory)
    if known is None:
        raise UnknownSchool
    return known.day(desk.at)


async def take_down(runtime: Runtime) -> None:
    """Read what there is once; from now on it is told."""
    await patiently(partial(_take_down, runtime))


async def let_looks_go(runtime: Runtime) -> None:
    """Remove the looks that were kept as long as policy says."""
    while True:
        await patiently(partial(expire, runtime, now()))
        await asyncio.sleep(EXPIRE_EVERY)


async def expire(runtime: Runtime, at: datetime) -> None:
    """Remove every school's looks from before its `looks_kept`."""
    for school, known in runtime.projector.ledgers(directory):
        before = number_of(at - duration(known.policy.setting("looks_kept").value))
        old = {"school": school, "opened": {"$lt": before}}
        await runtime.mongo.keep("looks").delete(old)


async def _take_down(runtime: Runtime) -> None:
    for fields in (("school", "opened"), ("school", "streams.stream"), ("school", "whose")):
        await runtime.mongo.keep("looks").index(fields)
    for known in await runtime.projector.collection(directory).find({}, fields=["school"]):
        await world(runtime.desk(known["school"], now()))

"""A school's traces at hand, so that a board is not read from the database each time.

What a query needs is every trace of the school, and between two queries few of them move. So they are
kept in memory as the rules read them, and before each answer those that were written behind the
position known so far are fetched. A view that has gone back, or another one, is read from the start. What was
worked out for the position before is kept where no stream moved that it looked at (`World.at`).
"""

import asyncio
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any
from weakref import ref

from services.campaign.directory import Directory
from services.oversight.projection import directory, traces
from services.oversight.rules.evidence import Life, Trace
from services.oversight.rules.world import World
from shared.callers import UnknownSchool
from shared.mongo import Document
from shared.runtime import Desk, Runtime, now, patiently
from shared.views import content

MANY = 500
"""Traces after which others get their turn."""
DAYS_KEPT = 4
"""Worlds of how many days are kept: today's, and those of a comparison."""


@dataclass
class Kept:
    """A world, and which streams have moved since it was made, by kind."""

    world: World
    moved: dict[str, set[str]] = field(default_factory=dict)


@dataclass
class Shelf:
    """The lives of one school as of a position, and the worlds made of them."""

    of: Any
    position: int = 0
    lives: dict[str, dict[str, Life]] = field(default_factory=dict)
    worlds: dict[date, Kept] = field(default_factory=dict)

    async def catch_up(self, desk: Desk) -> None:
        """Take in every trace that moved; those written ahead of the position are taken in again later."""
        position = desk.position
        if position <= self.position:
            return
        found = await (
            desk.moved(traces, self.position) if self.position else desk.find(traces, {})
        )
        for n, document in enumerate(found, start=1):
            self._take_in(document)
            if n % MANY == 0:
                await asyncio.sleep(0)
        self.position = max(position, self.position)

    def _take_in(self, document: Document) -> None:
        life = Life.read(Trace.model_validate(content(document)))
        kind = self.lives.setdefault(life.of, {})
        known = kind.get(life.id)
        if known is None or known.last.position <= life.last.position:
            kind[life.id] = life
        for kept in self.worlds.values():
            kept.moved.setdefault(life.of, set()).add(life.id)

    def world(self, known: Directory, day: date) -> World:
        """The school at the end of a day."""
        kept = self.worlds.pop(day, None)
        if kept is None:
            kept = Kept(World.at(known, day, self.lives, self.position))
        elif kept.world.directory is not known or kept.world.position != self.position:
            kept = Kept(kept.world.moved(known, self.lives, self.position, kept.moved))
        while len(self.worlds) >= DAYS_KEPT:
            del self.worlds[next(iter(self.worlds))]
        self.worlds[day] = kept
        return kept.world


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
    if shelf is None or shelf.of() is not desk.projector or shelf.position > desk.position:
        shelf = _SHELVES[desk.school] = Shelf(ref(desk.projector))
    await shelf.catch_up(desk)
    now = known.day(desk.at)
    return shelf.world(known, min(day or now, now))


def today(desk: Desk) -> date:
    """The day it is at the school."""
    known = desk.ledger(directory)
    if known is None:
        raise UnknownSchool
    return known.day(desk.at)


async def take_down(runtime: Runtime) -> None:
    """See to it that what moved is found without looking at everything; read what there is once."""
    await patiently(partial(_take_down, runtime))


async def _take_down(runtime: Runtime) -> None:
    await runtime.projector.collection(traces).index(("position",))
    await runtime.mongo.keep("looks").index(("school", "opened"))
    for known in await runtime.projector.collection(directory).find({}, fields=["school"]):
        await world(runtime.desk(known["school"], now()))

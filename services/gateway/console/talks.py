"""Who has talked with whom one by one: the coverage matrix. What was said is not here."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response

from services.gateway.console.door import Door

type State = Literal["self", "done", "part", "miss", "void"]
"""Oneself, talked and all agree, talked and not all have said so, not yet, not asked for."""


@dataclass(frozen=True)
class Row:
    """One person's line: how they stand with each of the others, and how many of whom they need."""

    person: str
    cells: list[tuple[str, State]]
    done: int
    all: int


def state(pair: Mapping[str, Any] | None) -> State:
    """How two stand; none is asked for nothing."""
    if pair is None:
        return "void"
    if not pair["held"]:
        return "miss"
    return "done" if pair["confirmed"] else "part"


def grid(pairs: Iterable[Mapping[str, Any]], names: Mapping[str, str]) -> list[Row]:
    """Everybody who has to talk against everybody, in the order of their names on the roster."""
    known = {frozenset(pair["people"]): pair for pair in pairs}
    found = {person for two in known for person in two}
    people = sorted(found, key=lambda p: ([*names].index(p) if p in names else len(names), p))

    def cell(one: str, other: str) -> State:
        return "self" if one == other else state(known.get(frozenset((one, other))))

    rows = [(one, [(other, cell(one, other)) for other in people]) for one in people]
    return [
        Row(
            person,
            cells,
            sum(how in {"done", "part"} for _, how in cells),
            sum(how in {"done", "part", "miss"} for _, how in cells),
        )
        for person, cells in rows
    ]


class Talks:
    """The page of talks."""

    def __init__(self, door: Door) -> None:
        """The door lets people in."""
        self.door = door

    async def show(self, request: Request) -> Response:
        """The matrix as the roster of today has it."""
        visit = await self.door.member(request)
        found, names, units = await asyncio.gather(
            visit.find("talk-coverage"), visit.names(), visit.departments()
        )
        team = [*found["leader_member"]["items"], *found["members"]["items"]]
        return visit.page(
            "talks.html", found["position"], "talks",
            found=found, names=names, units=units, rows=grid(team, names),
            heads=[(p["people"], state(p)) for p in found["member_head"]["items"]],
        )  # fmt: skip

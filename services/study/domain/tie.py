"""A team member's contact unit (联系点), one at a time: one stream per member (R18).

Two members may share a unit.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, assert_never

from pydantic import Field

from services.campaign.calendar import Day
from services.campaign.directory import Directory
from services.campaign.events import UnitKind
from services.study.domain import (
    CHECKERS,
    EndsBeforeItBegins,
    by_today,
    may_record_for,
    must_be_here,
    somebody_else,
)
from services.study.events import TieCorrected, TieEnded, TieEvent, TieOpened, TieVoided
from shared.decider import Command, Decider, OutOfOrder, PersonId, Rejected
from shared.marks import Id, Prose

CONTACT_UNITS = (UnitKind.grade, UnitKind.department)

# -- Commands ------------------------------------------------------------------------------------

Number = Annotated[int, Field(ge=1, le=9999)]


class OpenTie(Command):
    """Somebody takes on a grade or department as their contact unit; one written down late has an end."""

    zh = "登记联系点"
    allowed = frozenset({"person"})
    creates = True
    person: Id
    unit: Id
    since: Day
    until: Day | None = None

    def unique(self) -> tuple[str, ...]:
        """One stream per member."""
        return (self.person,)


class EndTie(Command):
    """The present tie ends with a day."""

    zh = "结束联系点"
    allowed = frozenset({"person"})
    until: Day


class CorrectTie(Command):
    """Put a clerk's mistake right; without `until` the tie goes on."""

    zh = "更正联系点"
    allowed = frozenset({"person"})
    number: Number
    unit: Id
    since: Day
    until: Day | None = None
    reason: Prose


class VoidTie(Command):
    """Strike out a tie that never was; it stays visible and counts nowhere."""

    zh = "作废联系点"
    allowed = CHECKERS
    number: Number
    reason: Prose


type TieCommand = OpenTie | EndTie | CorrectTie | VoidTie

# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tie:
    """One contact unit, from a day on until and with another; `voided` says why it counts nowhere."""

    number: int
    unit: str
    since: date
    recorded_by: PersonId
    until: date | None = None
    voided: str | None = None

    def meets(self, since: date, until: date | None) -> bool:
        """Whether it has a day in common with a period."""
        begins_in_time = until is None or self.since <= until
        return begins_in_time and (self.until is None or since <= self.until)


@dataclass(frozen=True)
class Untied:
    """No contact unit yet."""


@dataclass(frozen=True)
class Tied:
    """Every tie of one member, in the order they were recorded."""

    person: PersonId
    ties: tuple[Tie, ...]


type Ties = Untied | Tied

# -- Rules ---------------------------------------------------------------------------------------


class AlreadyTied(Rejected):
    """A member has one contact unit at a time; the present tie ends first (R18)."""

    zh = "该成员已有联系点,须先结束现有联系点"


class TiesOverlap(Rejected):
    """Another tie of this member has some of these days."""

    zh = "与该成员另一联系点的时间重叠"


class NoSuchTie(Rejected):
    """The member has no such tie, or it was struck out."""

    zh = "该成员没有此联系点,或已作废"


class NoSuchContactUnit(Rejected):
    """No such grade or department existed on that day."""

    zh = "当日没有此年级或部门"


# -- Deciding ------------------------------------------------------------------------------------


def decide(command: TieCommand, ties: Ties, directory: Directory) -> TieEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    ties = directory.roster.settled(ties)
    match command, ties:
        case OpenTie(), Untied():
            return _opened(command, 1, directory)
        case OpenTie(person=person), Tied(person=known) if person == known:
            if any(_same(command, tie) for tie in _standing(ties)):
                return None
            _apart(_standing(ties), command.since, command.until)
            return _opened(command, len(ties.ties) + 1, directory)

        case EndTie(until=until), Tied(person=person):
            may_record_for(person, command, directory)
            standing = _standing(ties)
            present = next((tie for tie in standing if tie.until is None), None)
            if present is None:
                if standing and standing[-1].until == until:
                    return None
                raise NoSuchTie
            _dated(present.since, until, command, directory)
            return TieEnded(number=present.number, until=until)

        case CorrectTie(number=number, unit=unit, since=since, until=until), Tied(person=person):
            tie = _tie(ties, number)
            if (unit, since, until) == (tie.unit, tie.since, tie.until):
                return None
            may_record_for(person, command, directory)
            _dated(since, until, command, directory)
            must_be_here(since, directory, person)
            _exists(unit, since, directory)
            _apart([t for t in _standing(ties) if t != tie], since, until)
            return TieCorrected(
                number=number, unit=unit, since=since, until=until, reason=command.reason
            )

        case VoidTie(number=number, reason=reason), Tied(ties=known):
            if any((t.number, t.voided) == (number, reason) for t in known):
                return None
            somebody_else(command, _tie(ties, number).recorded_by)
            return TieVoided(number=number, reason=reason)

        case _:
            raise OutOfOrder


def _opened(command: OpenTie, number: int, directory: Directory) -> TieOpened:
    may_record_for(command.person, command, directory)
    _dated(command.since, command.until, command, directory)
    must_be_here(command.since, directory, command.person)
    _exists(command.unit, command.since, directory)
    return TieOpened(
        number=number,
        person=PersonId(command.person),
        unit=command.unit,
        since=command.since,
        until=command.until,
        recorded_by=command.by,
    )


def _same(command: OpenTie, tie: Tie) -> bool:
    """Whether a tie is the one that is to be opened; it may have ended since."""
    same = (command.unit, command.since) == (tie.unit, tie.since)
    return same and command.until in {None, tie.until}


def _standing(ties: Tied) -> list[Tie]:
    """The ties that count, the latest last."""
    return sorted((tie for tie in ties.ties if tie.voided is None), key=lambda tie: tie.since)


def _tie(ties: Tied, number: int) -> Tie:
    found = next((tie for tie in _standing(ties) if tie.number == number), None)
    if found is None:
        raise NoSuchTie
    return found


def _dated(since: date, until: date | None, command: Command, directory: Directory) -> None:
    if until is not None and until < since:
        raise EndsBeforeItBegins
    by_today(until or since, command.at, directory)


def _apart(others: list[Tie], since: date, until: date | None) -> None:
    clashes = [tie for tie in others if tie.meets(since, until)]
    if any(tie.until is None for tie in clashes):
        raise AlreadyTied
    if clashes:
        raise TiesOverlap


def _exists(unit: str, day: date, directory: Directory) -> None:
    if not any(directory.has_unit(unit, kind, day) for kind in CONTACT_UNITS):
        raise NoSuchContactUnit(unit)


# -- Evolving ------------------------------------------------------------------------------------


def evolve(ties: Ties, event: TieEvent) -> Ties:
    """What happened, happened: no rules here."""
    match event:
        case TieOpened(number=number, person=person, unit=unit, since=since, until=until):
            before = ties.ties if isinstance(ties, Tied) else ()
            new = Tie(number, unit, since, event.recorded_by, until)
            return Tied(person, (*before, new))
        case _:
            return _changed(ties, event) if isinstance(ties, Tied) else ties


def _changed(ties: Tied, event: TieEnded | TieCorrected | TieVoided) -> Tied:
    match event:
        case TieEnded(number=number, until=until):
            return _with(ties, number, until=until)
        case TieCorrected(number=number, unit=unit, since=since, until=until):
            return _with(ties, number, unit=unit, since=since, until=until)
        case TieVoided(number=number, reason=reason):
            return _with(ties, number, voided=reason)
        case _:
            assert_never(event)


def _with(ties: Tied, number: int, **changes: object) -> Tied:
    return replace(
        ties,
        ties=tuple(
            replace(tie, **changes) if tie.number == number else tie  # type: ignore[arg-type]  # a tie's own fields
            for tie in ties.ties
        ),
    )


decider: Decider[TieCommand, TieEvent, Ties, Directory] = Decider(
    "tie", Untied(), decide, evolve, TieCommand, TieEvent, Ties
)

"""Somebody has read an item of the catalogue: one stream per person and item (R10)."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, assert_never

from pydantic import Field

from services.campaign.calendar import Day
from services.campaign.directory import Directory
from services.study.domain import (
    CHECKERS,
    AlreadyRecorded,
    NoSuchItem,
    by_today,
    may_record_for,
    must_be_here,
    somebody_else,
)
from services.study.events import ReadingCorrected, ReadingEvent, ReadingRecorded, ReadingVoided
from shared.decider import Command, Decider, OutOfOrder, PersonId, Rejected
from shared.marks import Id, Prose

# -- Facts ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Facts:
    """What a decision on a reading looks at; `edition` is the item's present one, if it counts."""

    directory: Directory
    edition: int | None = None


# -- Commands ------------------------------------------------------------------------------------


class RecordReading(Command):
    """Somebody has read an item, in its present edition."""

    zh = "登记学习篇目"
    allowed = frozenset({"person"})
    creates = True
    person: Id
    item: Id
    on: Day

    def unique(self) -> tuple[str, ...]:
        """One stream per person and item."""
        return (self.person, self.item)


class CorrectReading(Command):
    """Put a clerk's mistake right: which edition was read, on which day."""

    zh = "更正学习篇目登记"
    allowed = frozenset({"person"})
    edition: Annotated[int, Field(ge=1, le=999)]
    on: Day
    reason: Prose


class VoidReading(Command):
    """Strike out a reading that did not take place; it may be recorded anew."""

    zh = "作废学习篇目登记"
    allowed = CHECKERS
    reason: Prose


type ReadingCommand = RecordReading | CorrectReading | VoidReading

# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unread:
    """Not read."""


@dataclass(frozen=True)
class Read:
    """Read, in this edition, on this day."""

    person: PersonId
    item: str
    edition: int
    on: date
    recorded_by: PersonId


@dataclass(frozen=True)
class Voided:
    """A clerk's mistake; counts nowhere."""

    reason: str


type Reading = Unread | Read | Voided

# -- Rules ---------------------------------------------------------------------------------------


class NoSuchEdition(Rejected):
    """The item has no such edition."""

    zh = "该篇目没有这一版"


def decide(command: ReadingCommand, reading: Reading, facts: Facts) -> ReadingEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    reading = facts.directory.roster.settled(reading)
    match command, reading:
        case RecordReading(), Unread() | Voided():
            return _recorded(command, facts)
        case RecordReading(person=person, item=item, on=day), Read(edition=edition):
            if (person, item) != (reading.person, reading.item):
                raise OutOfOrder
            if facts.edition is not None and edition < facts.edition:
                return _recorded(command, facts)
            if day != reading.on:
                raise AlreadyRecorded
            return None

        case CorrectReading(edition=edition, on=day, reason=reason), Read(person=person):
            if (edition, day) == (reading.edition, reading.on):
                return None
            if edition > max(facts.edition or 0, reading.edition):
                raise NoSuchEdition
            _dated(person, day, command, facts)
            return ReadingCorrected(edition=edition, on=day, reason=reason)

        case VoidReading(reason=reason), Read(recorded_by=recorder):
            somebody_else(command, recorder)
            return ReadingVoided(reason=reason)
        case VoidReading(reason=reason), Voided(before) if reason == before:
            return None

        case _:
            raise OutOfOrder


def _recorded(command: RecordReading, facts: Facts) -> ReadingRecorded:
    _dated(command.person, command.on, command, facts)
    if facts.edition is None:
        raise NoSuchItem(command.item)
    return ReadingRecorded(
        person=PersonId(command.person),
        item=command.item,
        edition=facts.edition,
        on=command.on,
        recorded_by=command.by,
    )


def _dated(person: str, day: date, command: Command, facts: Facts) -> None:
    may_record_for(person, command, facts.directory)
    by_today(day, command.at, facts.directory)
    must_be_here(day, facts.directory, person)


# -- Evolving ------------------------------------------------------------------------------------


def evolve(reading: Reading, event: ReadingEvent) -> Reading:
    """What happened, happened: no rules here."""
    match event:
        case ReadingRecorded():
            return Read(**dict(event))
        case ReadingCorrected(edition=edition, on=day) if isinstance(reading, Read):
            return replace(reading, edition=edition, on=day)
        case ReadingCorrected():
            return reading
        case ReadingVoided(reason=reason):
            return Voided(reason)
        case _:
            assert_never(event)


decider: Decider[ReadingCommand, ReadingEvent, Reading, Facts] = Decider(
    "reading", Unread(), decide, evolve, ReadingCommand, ReadingEvent, Reading
)

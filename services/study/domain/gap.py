"""What somebody finds lacking in themselves: one stream per campaign, person and aspect (R13)."""

from dataclasses import dataclass, replace
from datetime import date
from typing import assert_never

from services.campaign.calendar import Day
from services.campaign.directory import Directory
from services.study.domain import (
    CHECKERS,
    AlreadyRecorded,
    by_today,
    may_record_for,
    must_be_here,
    must_be_known,
    somebody_else,
)
from services.study.events import Aspect, GapCorrected, GapEvent, GapRecorded, GapVoided
from shared.decider import Command, Decider, OutOfOrder, PersonId
from shared.marks import Id, Prose

# -- Commands ------------------------------------------------------------------------------------


class RecordGap(Command):
    """Write down what is lacking in one of the five aspects."""

    zh = "登记查找的差距"
    allowed = frozenset({"person"})
    creates = True
    campaign: Id
    person: Id
    aspect: Aspect
    text: Prose
    found_on: Day

    def unique(self) -> tuple[str, ...]:
        """One stream per campaign, person and aspect."""
        return (self.campaign, self.person, self.aspect)


class CorrectGap(Command):
    """Put the record right."""

    zh = "更正查找的差距"
    allowed = frozenset({"person"})
    text: Prose
    found_on: Day
    reason: Prose


class VoidGap(Command):
    """Strike out a record that should not be there; it may be recorded anew."""

    zh = "作废查找的差距"
    allowed = CHECKERS
    reason: Prose


type GapCommand = RecordGap | CorrectGap | VoidGap

# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unrecorded:
    """Nothing found yet."""


@dataclass(frozen=True)
class Recorded:
    """What was found, by whom about whom."""

    campaign: str
    person: PersonId
    aspect: Aspect
    text: str
    found_on: date
    recorded_by: PersonId


@dataclass(frozen=True)
class Voided:
    """A clerk's mistake; counts nowhere."""

    reason: str


type Gap = Unrecorded | Recorded | Voided

# -- Deciding ------------------------------------------------------------------------------------


def decide(command: GapCommand, gap: Gap, directory: Directory) -> GapEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    gap = directory.roster.settled(gap)
    match command, gap:
        case RecordGap(by=recorder, person=person), Unrecorded() | Voided():
            must_be_known(command.campaign, directory)
            _dated(person, command.found_on, command, directory)
            return GapRecorded(
                campaign=command.campaign,
                person=PersonId(person),
                aspect=command.aspect,
                text=command.text,
                found_on=command.found_on,
                recorded_by=recorder,
            )
        case RecordGap(text=text, found_on=day), Recorded():
            whose = (command.campaign, command.person, command.aspect)
            if whose != (gap.campaign, gap.person, gap.aspect):
                raise OutOfOrder
            if (text, day) != (gap.text, gap.found_on):
                raise AlreadyRecorded
            return None

        case CorrectGap(text=text, found_on=day, reason=reason), Recorded(person=person):
            if (text, day) == (gap.text, gap.found_on):
                return None
            _dated(person, day, command, directory)
            return GapCorrected(text=text, found_on=day, reason=reason)

        case VoidGap(reason=reason), Recorded(person=person, recorded_by=recorder):
            somebody_else(command, person, recorder)
            return GapVoided(reason=reason)
        case VoidGap(reason=reason), Voided(before) if reason == before:
            return None

        case _:
            raise OutOfOrder


def _dated(person: str, day: date, command: Command, directory: Directory) -> None:
    may_record_for(person, command, directory)
    by_today(day, command.at, directory)
    must_be_here(day, directory, person)


# -- Evolving ------------------------------------------------------------------------------------


def evolve(gap: Gap, event: GapEvent) -> Gap:
    """What happened, happened: no rules here."""
    match event:
        case GapRecorded():
            return Recorded(**dict(event))
        case GapCorrected(text=text, found_on=day) if isinstance(gap, Recorded):
            return replace(gap, text=text, found_on=day)
        case GapCorrected():
            return gap
        case GapVoided(reason=reason):
            return Voided(reason)
        case _:
            assert_never(event)


decider: Decider[GapCommand, GapEvent, Gap, Directory] = Decider(
    "gap", Unrecorded(), decide, evolve, GapCommand, GapEvent, Gap
)

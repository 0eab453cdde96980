"""Inspections against the frugality regulations and others (R07); what they find becomes issues."""

from dataclasses import dataclass
from datetime import date
from typing import assert_never

from services.campaign.calendar import Day
from services.campaign.directory import Directory
from services.campaign.domain import by_today
from services.campaign.events import (
    InspectionCorrected,
    InspectionEvent,
    InspectionKind,
    InspectionRecorded,
    InspectionVoided,
    Role,
)
from shared.decider import Command, Decider, OutOfOrder
from shared.marks import Prose

INSPECTORS = frozenset(
    {Role.school_administrator, Role.principal_leader, Role.team_member, Role.supervisor}
)

# -- Commands ------------------------------------------------------------------------------------


class RecordInspection(Command):
    """Put an inspection on record: by which measure, when, of what, and what it found."""

    zh = "登记检查"
    allowed = INSPECTORS
    creates = True
    kind: InspectionKind
    held_on: Day
    scope: Prose
    found: Prose


class CorrectInspection(Command):
    """Put the record of an inspection right."""

    zh = "更正检查记录"
    allowed = INSPECTORS
    kind: InspectionKind
    held_on: Day
    scope: Prose
    found: Prose
    reason: Prose


class VoidInspection(Command):
    """Strike out the record of an inspection that was never held."""

    zh = "作废检查记录"
    allowed = INSPECTORS
    reason: Prose


type InspectionCommand = RecordInspection | CorrectInspection | VoidInspection

# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unknown:
    """No such inspection."""


@dataclass(frozen=True)
class Recorded:
    """As it is written down, and why it was last corrected."""

    kind: InspectionKind
    held_on: date
    scope: str
    found: str
    reason: str | None = None


@dataclass(frozen=True)
class Voided:
    """A clerk's mistake; counts nowhere."""

    reason: str


type Inspection = Unknown | Recorded | Voided


def decide(
    command: InspectionCommand, inspection: Inspection, directory: Directory
) -> InspectionEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    match command, inspection:
        case RecordInspection(kind=kind, held_on=day, scope=scope, found=found), Unknown():
            by_today(day, command.at, directory)
            return InspectionRecorded(kind=kind, held_on=day, scope=scope, found=found)
        case RecordInspection(kind=kind, held_on=day, scope=scope, found=found), Recorded():
            if Recorded(kind, day, scope, found) == inspection:
                return None
            raise OutOfOrder

        case (
            CorrectInspection(kind=kind, held_on=day, scope=scope, found=found, reason=reason),
            Recorded(),
        ):
            if Recorded(kind, day, scope, found, reason) == inspection:
                return None
            by_today(day, command.at, directory)
            return InspectionCorrected(
                kind=kind, held_on=day, scope=scope, found=found, reason=reason
            )

        case VoidInspection(reason=reason), Recorded():
            return InspectionVoided(reason=reason)
        case VoidInspection(reason=reason), Voided(before) if reason == before:
            return None

        case _:
            raise OutOfOrder


def evolve(_: Inspection, event: InspectionEvent) -> Inspection:
    """What happened, happened: no rules here."""
    match event:
        case InspectionRecorded(kind=kind, held_on=day, scope=scope, found=found):
            return Recorded(kind, day, scope, found)
        case InspectionCorrected(kind=kind, held_on=day, scope=scope, found=found, reason=reason):
            return Recorded(kind, day, scope, found, reason)
        case InspectionVoided(reason=reason):
            return Voided(reason)
        case _:
            assert_never(event)


decider: Decider[InspectionCommand, InspectionEvent, Inspection, Directory] = Decider(
    "inspection",
    Unknown(),
    decide,
    evolve,
    commands=InspectionCommand,
    events=InspectionEvent,
    states=Inspection,
)

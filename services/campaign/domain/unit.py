"""The units of a school: departments, party branches, grades, subject groups."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import assert_never

from services.campaign.calendar import Day
from services.campaign.directory import Directory
from services.campaign.domain import ADMINISTRATION
from services.campaign.events import (
    UnitClosed,
    UnitCorrected,
    UnitEntered,
    UnitEvent,
    UnitKind,
    UnitReopened,
    UnitVoided,
)
from shared.decider import Command, Decider, OutOfOrder, Rejected
from shared.marks import Line, Prose

# -- Commands ------------------------------------------------------------------------------------


class EnterUnit(Command):
    """Enter a department, branch, grade or subject group."""

    zh = "登记部门、支部、年级或教研组"
    allowed = ADMINISTRATION
    creates = True
    kind: UnitKind
    name: Line


class CorrectUnit(Command):
    """Put a unit's kind or name right."""

    zh = "更正部门、支部、年级或教研组"
    allowed = ADMINISTRATION
    kind: UnitKind
    name: Line
    reason: Prose


class CloseUnit(Command):
    """Say which day is a unit's last, past or to come."""

    zh = "撤销部门、支部、年级或教研组"
    allowed = ADMINISTRATION
    on: Day


class ReopenUnit(Command):
    """Take a closing back."""

    zh = "恢复部门、支部、年级或教研组"
    allowed = ADMINISTRATION
    reason: Prose


class VoidUnit(Command):
    """Strike out a unit that should never have been entered."""

    zh = "作废部门、支部、年级或教研组"
    allowed = ADMINISTRATION
    reason: Prose


type UnitCommand = EnterUnit | CorrectUnit | CloseUnit | ReopenUnit | VoidUnit

# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unknown:
    """No such unit."""


@dataclass(frozen=True)
class Entry:
    """What is written down of a unit, and why it was last corrected or reopened."""

    kind: UnitKind
    name: str
    corrected_for: str | None = None
    reopened_for: str | None = None


@dataclass(frozen=True)
class Open:
    """It exists."""

    entry: Entry


@dataclass(frozen=True)
class Closed:
    """Its last day is known."""

    entry: Entry
    on: date


@dataclass(frozen=True)
class Voided:
    """A clerk's mistake; counts nowhere."""

    reason: str


type Unit = Unknown | Open | Closed | Voided

# -- Rules ---------------------------------------------------------------------------------------


class UnitInUse(Rejected):
    """People still belong to this unit, head it or oversee it; `detail` names them."""

    zh = "该单位仍有成员、负责人或分管领导"


def decide(command: UnitCommand, unit: Unit, directory: Directory) -> UnitEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    match command, unit:
        case EnterUnit(kind=kind, name=name), Unknown():
            return UnitEntered(kind=kind, name=name)
        case EnterUnit(kind=kind, name=name), Open(entry) if entry == Entry(kind, name):
            return None

        case CorrectUnit(kind=kind, name=name, reason=reason), Open(entry) | Closed(entry):
            if (kind, name, reason) == (entry.kind, entry.name, entry.corrected_for):
                return None
            if kind is not entry.kind:
                _unused(command.stream, None, directory)
            return UnitCorrected(kind=kind, name=name, reason=reason)

        case CloseUnit(on=on), Open():
            _unused(command.stream, on + timedelta(days=1), directory)
            return UnitClosed(on=on)
        case CloseUnit(on=on), Closed(on=day) if on == day:
            return None

        case ReopenUnit(reason=reason), Closed():
            return UnitReopened(reason=reason)
        case ReopenUnit(reason=reason), Open(entry) if reason == entry.reopened_for:
            return None

        case VoidUnit(reason=reason), Open() | Closed():
            _unused(command.stream, None, directory)
            return UnitVoided(reason=reason)
        case VoidUnit(reason=reason), Voided(before) if reason == before:
            return None

        case _:
            raise OutOfOrder


def _unused(unit: str, since: date | None, directory: Directory) -> None:
    """Refuse when somebody has to do with a unit: ever, or on a day and later."""
    people = sorted(
        person
        for person, entry in directory.roster.people.items()
        if entry.counts and entry.attached(unit, since)
    )
    if people:
        raise UnitInUse(" ".join(people))


def evolve(unit: Unit, event: UnitEvent) -> Unit:
    """What happened, happened: no rules here."""
    match event:
        case UnitEntered(kind=kind, name=name):
            return Open(Entry(kind, name))
        case UnitCorrected(kind=kind, name=name, reason=reason):
            entry = replace(_entry(unit), kind=kind, name=name, corrected_for=reason)
            return replace(unit, entry=entry) if isinstance(unit, Closed) else Open(entry)
        case UnitClosed(on=on):
            return Closed(_entry(unit), on)
        case UnitReopened(reason=reason):
            return Open(replace(_entry(unit), reopened_for=reason))
        case UnitVoided(reason=reason):
            return Voided(reason)
        case _:
            assert_never(event)


def _entry(unit: Unit) -> Entry:
    """What is written down of a unit that is there.

    Raises:
        LookupError: there is none; such a history was never recorded.
    """
    if isinstance(unit, Open | Closed):
        return unit.entry
    raise LookupError


decider: Decider[UnitCommand, UnitEvent, Unit, Directory] = Decider(
    "unit",
    Unknown(),
    decide,
    evolve,
    commands=UnitCommand,
    events=UnitEvent,
    states=Unit,
)

"""Inspections against the frugality regulations and others (R07); what they find becomes issues."""

from dataclasses import dataclass, replace
from datetime import date
from typing import assert_never

from services.campaign.calendar import Day
from services.campaign.directory import Directory
from services.campaign.domain import FourEyes, NotInRoster, by_today, recorded_by
from services.campaign.events import (
    InspectionCorrected,
    InspectionEvent,
    InspectionFindingRaised,
    InspectionKind,
    InspectionRecorded,
    InspectionVoided,
    Role,
)
from services.feedback.events import Addressee, Discovery, Topic, Wind
from shared.decider import Command, Decider, OutOfOrder, PersonId, Rejected
from shared.marks import Id, Line, Prose

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


class RaiseFinding(Command):
    """Put forward a problem an inspection found: rectification opens an issue of it (R07).

    What was put wrongly is corrected or voided on the ledger.
    """

    zh = "提出检查发现的问题"
    allowed = INSPECTORS
    key: Id
    title: Line
    description: Prose | None = None
    addressee: Addressee
    person: Id | None = None
    winds: tuple[Wind, ...] = ()
    not_four_winds: bool = False
    topics: tuple[Topic, ...] = ()
    discovery: Discovery
    key_issue: bool = False
    strongly_reflected: bool = False


class VoidInspection(Command):
    """Strike out the record of an inspection that was never held."""

    zh = "作废检查记录"
    allowed = INSPECTORS
    reason: Prose


type InspectionCommand = RecordInspection | CorrectInspection | RaiseFinding | VoidInspection

# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unknown:
    """No such inspection."""


@dataclass(frozen=True)
class Recorded:
    """As it is written down, who wrote it first, why it was last corrected, what was raised of it."""

    kind: InspectionKind
    held_on: date
    scope: str
    found: str
    recorded_by: PersonId | None = None
    by_supervision: bool = False
    reason: str | None = None
    raised: tuple[InspectionFindingRaised, ...] = ()


@dataclass(frozen=True)
class Voided:
    """A clerk's mistake; counts nowhere."""

    reason: str


type Inspection = Unknown | Recorded | Voided

# -- Rules ---------------------------------------------------------------------------------------


class RecordedBySupervision(Rejected):
    """What the supervision group recorded only the supervision group puts right or strikes out."""

    zh = "督导组登记的检查只能由督导组更正或作废"


class KeyTaken(Rejected):
    """Another finding of this inspection has this key."""

    zh = "该编号已用于本次检查的另一个问题"


class AddresseeUnclear(Rejected):
    """A personal issue names the person, a team's issue does not (R33)."""

    zh = "个人问题须写明本人,班子问题不得指定个人"


class WindsUnclear(Rejected):
    """An issue has at least one of the four winds or is marked as none of them, not both (R45)."""

    zh = "须选择四风类别或注明不属于四风"


def decide(
    command: InspectionCommand, inspection: Inspection, directory: Directory
) -> InspectionEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    match command, inspection:
        case RecordInspection(held_on=day), Unknown():
            by_today(day, command.at, directory)
            return _recorded(command, directory)
        case RecordInspection(), Recorded():
            if evolve(Unknown(), _recorded(command, directory)) == inspection:
                return None
            raise OutOfOrder

        case (
            CorrectInspection(kind=kind, held_on=day, scope=scope, found=found, reason=reason),
            Recorded(),
        ):
            event = InspectionCorrected(
                kind=kind, held_on=day, scope=scope, found=found, reason=reason
            )
            if evolve(inspection, event) == inspection:
                return None
            by_today(day, command.at, directory)
            _may_change(command, inspection, directory)
            return event

        case RaiseFinding(key=key), Recorded(raised=raised):
            finding = _finding(command)
            if finding in raised:
                return None
            if any(known.key == key for known in raised):
                raise KeyTaken(key)
            _as_an_issue(command, directory)
            return finding

        case VoidInspection(reason=reason), Recorded(recorded_by=recorder, raised=raised):
            if recorded_by(recorder, command.by, directory):
                raise FourEyes
            _may_change(command, inspection, directory)
            return InspectionVoided(reason=reason, problems=tuple(f.key for f in raised))
        case VoidInspection(reason=reason), Voided(before) if reason == before:
            return None

        case _:
            raise OutOfOrder


def _recorded(command: RecordInspection, directory: Directory) -> InspectionRecorded:
    return InspectionRecorded(
        kind=command.kind,
        held_on=command.held_on,
        scope=command.scope,
        found=command.found,
        recorded_by=command.by,
        by_supervision=_supervising(command, directory),
    )


def _finding(command: RaiseFinding) -> InspectionFindingRaised:
    said = command.model_dump(exclude={"by", "at", "stream"})
    return InspectionFindingRaised.model_validate(said)


def _as_an_issue(finding: RaiseFinding, directory: Directory) -> None:
    """Refuse what rectification could not open an issue of."""
    if (finding.addressee is Addressee.member) != (finding.person is not None):
        raise AddresseeUnclear
    if bool(finding.winds) == finding.not_four_winds:
        raise WindsUnclear
    if finding.person:
        present = directory.roster.present(PersonId(finding.person), directory.day(finding.at))
        if not present:
            raise NotInRoster(finding.person)


def _may_change(command: Command, inspection: Recorded, directory: Directory) -> None:
    if inspection.by_supervision and not _supervising(command, directory):
        raise RecordedBySupervision


def _supervising(command: Command, directory: Directory) -> bool:
    """Whether the sender belongs to the supervision group today."""
    return Role.supervisor in directory.roster.roles(command.by, directory.day(command.at))


def evolve(inspection: Inspection, event: InspectionEvent) -> Inspection:
    """What happened, happened: no rules here."""
    match event:
        case InspectionRecorded():
            return Recorded(**dict(event))
        case InspectionCorrected() if isinstance(inspection, Recorded):
            return replace(inspection, **dict(event))
        case InspectionFindingRaised() if isinstance(inspection, Recorded):
            return replace(inspection, raised=(*inspection.raised, event))
        case InspectionVoided(reason=reason):
            return Voided(reason)
        case InspectionCorrected() | InspectionFindingRaised():
            return inspection
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

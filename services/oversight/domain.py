"""What people say of a finding: that they saw it, or that it need not be put right.

A finding has no stream until somebody says that they saw it; its id follows from the rule, the subject
and the period, so all that is said of one finding is one history. Only the supervision group lets a
finding pass, and gives a reason; it goes on being found and is told as waived.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Literal, assert_never

from pydantic import Field, StringConstraints

from services.campaign.directory import Directory
from services.campaign.events import Role
from services.oversight.events import (
    AcknowledgementCorrected,
    AcknowledgementVoided,
    FindingAcknowledged,
    FindingEvent,
    ObligationWaived,
    WaiverCorrected,
    WaiverLifted,
    WaiverVoided,
)
from shared.decider import Command, Decider, OutOfOrder, PersonId, Rejected
from shared.marks import Id, Prose

READERS = frozenset(
    {Role.supervisor, Role.principal_leader, Role.team_member, Role.school_administrator}
)
SUPERVISORS = frozenset({Role.supervisor})

# -- Facts ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Facts:
    """What the engine says of the finding today: whether there is such a thing, and how it stands."""

    directory: Directory
    standing: Literal["done", "missing", "waived", "shown", "nothing"] = "nothing"

    def same(self, one: PersonId, other: PersonId) -> bool:
        """Whether two ids are one person's."""
        roster = self.directory.roster
        return roster.identity(one) == roster.identity(other)


# -- Commands ------------------------------------------------------------------------------------

RuleId = Annotated[str, StringConstraints(pattern=r"^R[0-9]{2}(\.[a-z-]{1,30})?$")]
"""A rule of the catalogue (`R46`), or one check of it (`R06.mass-closing`)."""

PeriodId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
"""A period as the outstanding list names it: `campaign`, `week-2023-02-13`, `once` …"""


class AcknowledgeFinding(Command):
    """Say that what is missing, or does not add up, was seen; it goes on counting."""

    zh = "知悉"
    allowed = READERS
    creates = True
    rule: RuleId
    subject: Annotated[tuple[Id, ...], Field(min_length=1, max_length=3)]
    period: PeriodId
    remark: Prose | None = None

    def unique(self) -> tuple[str, ...]:
        """One history per rule, subject and period."""
        return ("finding", self.rule, "|".join(self.subject), self.period)


class CorrectAcknowledgement(Command):
    """Put the remark of an acknowledgement right."""

    zh = "更正知悉意见"
    allowed = READERS
    remark: Prose | None = None
    reason: Prose


class VoidAcknowledgement(Command):
    """Take an acknowledgement back that was a mistake."""

    zh = "作废知悉"
    allowed = READERS
    reason: Prose


class WaiveObligation(Command):
    """Let what was seen pass; only the supervision group may, and says why."""

    zh = "豁免"
    allowed = SUPERVISORS
    reason: Prose


class CorrectWaiver(Command):
    """Put the reason given for a waiver right."""

    zh = "更正豁免理由"
    allowed = SUPERVISORS
    waiver_reason: Prose
    reason: Prose


class LiftWaiver(Command):
    """End a waiver: from now on it counts as missing again."""

    zh = "撤销豁免"
    allowed = SUPERVISORS
    reason: Prose


class VoidWaiver(Command):
    """Declare that a waiver should never have been; another one of the supervision group says so."""

    zh = "作废豁免"
    allowed = SUPERVISORS
    reason: Prose


type FindingCommand = (
    AcknowledgeFinding
    | CorrectAcknowledgement
    | VoidAcknowledgement
    | WaiveObligation
    | CorrectWaiver
    | LiftWaiver
    | VoidWaiver
)

# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unremarked:
    """Nobody said anything of it; `voided` is why an acknowledgement was taken back, if one was."""

    voided: str | None = None


@dataclass(frozen=True)
class Seen:
    """What it is, who acknowledged it, and with which remark."""

    rule: str
    subject: tuple[str, ...]
    period: str
    by: PersonId
    remark: str | None


@dataclass(frozen=True)
class Acknowledged:
    """Seen; `ended` is why a waiver was lifted or voided before, if one was."""

    seen: Seen
    ended: tuple[Literal["lifted", "voided"], str] | None = None


@dataclass(frozen=True)
class Waived:
    """Let pass, by whom and why."""

    seen: Seen
    by: PersonId
    reason: str


type Finding = Unremarked | Acknowledged | Waived

# -- Rules ---------------------------------------------------------------------------------------


class NothingFound(Rejected):
    """There is no such obligation or finding."""

    zh = "没有这项要求或发现"


class AlreadyFulfilled(Rejected):
    """What is done is no finding."""

    zh = "该项已完成"


class SecondSupervisor(Rejected):
    """A waiver is voided by another member of the supervision group than gave it."""

    zh = "作废豁免须由督导组另一人办理"


# -- Deciding ------------------------------------------------------------------------------------


def decide(command: FindingCommand, finding: Finding, facts: Facts) -> FindingEvent | None:  # noqa: C901, PLR0911, PLR0912 -- a table
    """One row per thing that may happen; what is not listed is refused."""
    match command, finding:
        case AcknowledgeFinding(by=person, remark=remark), Unremarked():
            _must_be_missing(facts)
            return FindingAcknowledged(
                rule=command.rule,
                subject=command.subject,
                period=command.period,
                acknowledged_by=person,
                remark=remark,
            )
        case AcknowledgeFinding(by=person, remark=remark), Acknowledged(seen) | Waived(seen):
            if facts.same(person, seen.by) and remark == seen.remark:
                return None
            raise OutOfOrder
        case CorrectAcknowledgement(remark=remark, reason=reason), Acknowledged(seen):
            if remark == seen.remark:
                return None
            return AcknowledgementCorrected(remark=remark, reason=reason)
        case VoidAcknowledgement(reason=reason), Acknowledged():
            return AcknowledgementVoided(reason=reason)
        case VoidAcknowledgement(reason=reason), Unremarked(before) if reason == before:
            return None

        case WaiveObligation(by=person, reason=reason), Acknowledged(seen):
            _must_be_missing(facts)
            return ObligationWaived(
                rule=seen.rule,
                subject=seen.subject,
                period=seen.period,
                waived_by=person,
                reason=reason,
            )
        case WaiveObligation(by=person, reason=reason), Waived(by=before, reason=given):
            if facts.same(person, before) and reason == given:
                return None
            raise OutOfOrder
        case CorrectWaiver(waiver_reason=told, reason=reason), Waived(reason=given):
            return None if told == given else WaiverCorrected(waiver_reason=told, reason=reason)
        case LiftWaiver(reason=reason), Waived():
            return WaiverLifted(reason=reason)
        case LiftWaiver(reason=reason), Acknowledged(ended=("lifted", before)) if reason == before:
            return None
        case VoidWaiver(by=person, reason=reason), Waived(by=before):
            if facts.same(person, before):
                raise SecondSupervisor
            return WaiverVoided(reason=reason)
        case VoidWaiver(reason=reason), Acknowledged(ended=("voided", before)) if reason == before:
            return None

        case _:
            raise OutOfOrder


def _must_be_missing(facts: Facts) -> None:
    if facts.standing == "done":
        raise AlreadyFulfilled
    if facts.standing != "missing":
        raise NothingFound


# -- Evolving ------------------------------------------------------------------------------------


def evolve(finding: Finding, event: FindingEvent) -> Finding:  # noqa: PLR0911 -- a table
    """What happened, happened: no rules here."""
    match event:
        case FindingAcknowledged():
            seen = Seen(
                event.rule, event.subject, event.period, event.acknowledged_by, event.remark
            )
            return Acknowledged(seen)
        case AcknowledgementCorrected(remark=remark) if isinstance(finding, Acknowledged):
            return replace(finding, seen=replace(finding.seen, remark=remark))
        case AcknowledgementVoided(reason=reason):
            return Unremarked(reason)
        case ObligationWaived(waived_by=person, reason=reason) if isinstance(finding, Acknowledged):
            return Waived(finding.seen, person, reason)
        case WaiverCorrected(waiver_reason=reason) if isinstance(finding, Waived):
            return replace(finding, reason=reason)
        case WaiverLifted(reason=reason) if isinstance(finding, Waived):
            return Acknowledged(finding.seen, ("lifted", reason))
        case WaiverVoided(reason=reason) if isinstance(finding, Waived):
            return Acknowledged(finding.seen, ("voided", reason))
        case (
            AcknowledgementCorrected()
            | ObligationWaived()
            | WaiverCorrected()
            | WaiverLifted()
            | WaiverVoided()
        ):
            return finding
        case _:
            assert_never(event)


decider: Decider[FindingCommand, FindingEvent, Finding, Facts] = Decider(
    "finding",
    Unremarked(),
    decide,
    evolve,
    commands=FindingCommand,
    events=FindingEvent,
    states=Finding,
)

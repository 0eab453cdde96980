"""What people say of a finding: that they saw it, or that it need not be put right.

A finding has no stream until somebody says something of it; its id follows from the rule, the
subject and the period, so all that is said of one finding is one history.
"""

from dataclasses import dataclass
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

# -- Facts ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Facts:
    """What the engine says of the finding today: whether it is owed at all, and how it stands."""

    directory: Directory
    standing: Literal["done", "missing", "waived", "nothing"] = "nothing"

    def same(self, one: PersonId, other: PersonId) -> bool:
        """Whether two ids are one person's."""
        return self.directory.roster.identity(one) == self.directory.roster.identity(other)


# -- Commands ------------------------------------------------------------------------------------

RuleId = Annotated[str, StringConstraints(pattern=r"^R[0-9]{2}(\.[a-z-]{1,30})?$")]
"""A rule of the catalogue, or one check of it (`R06.mass-closing`)."""

Term = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
"""A period as the outstanding list names it: `campaign`, or a kind and its first day."""


class _OnFinding(Command):
    """A command that begins or finds the history of one finding."""

    creates = True
    rule: RuleId
    subject: Annotated[tuple[Id, ...], Field(min_length=1, max_length=3)]
    period: Term

    def unique(self) -> tuple[str, ...]:
        """One history per rule, subject and period."""
        return ("finding", self.rule, "|".join(self.subject), self.period)


class AcknowledgeFinding(_OnFinding):
    """Say that a finding was seen; it goes on counting."""

    zh = "知悉"
    allowed = READERS
    remark: Prose | None = None


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


class WaiveObligation(_OnFinding):
    """Let a missing obligation pass; only the supervision group may, and says why."""

    zh = "豁免"
    allowed = frozenset({Role.supervisor})
    reason: Prose


class CorrectWaiver(Command):
    """Put the reason given for a waiver right."""

    zh = "更正豁免理由"
    allowed = frozenset({Role.supervisor})
    waiver_reason: Prose
    reason: Prose


class LiftWaiver(Command):
    """End a waiver: from now on the obligation is owed again."""

    zh = "撤销豁免"
    allowed = frozenset({Role.supervisor})
    reason: Prose


class VoidWaiver(Command):
    """Declare that a waiver should never have been; a second supervisor says so."""

    zh = "作废豁免"
    allowed = frozenset({Role.supervisor})
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
    """Nobody said anything of it."""


@dataclass(frozen=True)
class Acknowledged:
    """Seen by somebody; `lifted` is why a waiver was ended or voided before, if one was."""

    by: PersonId
    remark: str | None = None
    lifted: str | None = None


@dataclass(frozen=True)
class Waived:
    """Let pass by the supervision group, after somebody had seen it or not."""

    by: PersonId
    reason: str
    seen: Acknowledged | None = None


@dataclass(frozen=True)
class Ended:
    """An acknowledgement voided, or a waiver lifted or voided; for that reason."""

    reason: str
    what: Literal["acknowledgement-voided", "waiver-lifted", "waiver-voided"]


type Finding = Unremarked | Acknowledged | Waived | Ended

# -- Rules ---------------------------------------------------------------------------------------


class NothingFound(Rejected):
    """There is no such obligation or finding."""

    zh = "没有这项要求或发现"


class AlreadyFulfilled(Rejected):
    """What is done needs no waiver."""

    zh = "该项已完成,无需豁免"


class SecondSupervisor(Rejected):
    """A waiver is voided by another member of the supervision group than gave it."""

    zh = "作废豁免须由督导组另一人办理"


# -- Deciding ------------------------------------------------------------------------------------


def decide(command: FindingCommand, finding: Finding, facts: Facts) -> FindingEvent | None:  # noqa: C901, PLR0911, PLR0912 -- a table
    """One row per thing that may happen; what is not listed is refused."""
    match command, finding:
        case AcknowledgeFinding(by=person, remark=remark), Unremarked() | Ended():
            _must_be_missing(facts)
            return FindingAcknowledged(
                rule=command.rule,
                subject=command.subject,
                period=command.period,
                acknowledged_by=person,
                remark=remark,
            )
        case AcknowledgeFinding(by=person, remark=remark), Acknowledged(by=before):
            if facts.same(person, before) and remark == finding.remark:
                return None
            raise OutOfOrder
        case CorrectAcknowledgement(remark=remark, reason=reason), Acknowledged():
            if remark == finding.remark:
                return None
            return AcknowledgementCorrected(remark=remark, reason=reason)
        case VoidAcknowledgement(reason=reason), Acknowledged():
            return AcknowledgementVoided(reason=reason)
        case VoidAcknowledgement(reason=reason), Ended(before, "acknowledgement-voided") if (
            reason == before
        ):
            return None

        case WaiveObligation(by=person, reason=reason), Unremarked() | Acknowledged() | Ended():
            _must_be_missing(facts)
            return ObligationWaived(
                rule=command.rule,
                subject=command.subject,
                period=command.period,
                waived_by=person,
                reason=reason,
            )
        case WaiveObligation(by=person, reason=reason), Waived(by=before):
            if facts.same(person, before) and reason == finding.reason:
                return None
            raise OutOfOrder
        case CorrectWaiver(waiver_reason=told, reason=reason), Waived():
            if told == finding.reason:
                return None
            return WaiverCorrected(waiver_reason=told, reason=reason)
        case LiftWaiver(reason=reason), Waived():
            return WaiverLifted(reason=reason)
        case VoidWaiver(by=person, reason=reason), Waived(by=before):
            if facts.same(person, before):
                raise SecondSupervisor
            return WaiverVoided(reason=reason)
        case (
            (LiftWaiver(reason=reason), Ended(before, "waiver-lifted") | Acknowledged(lifted=before))
            | (
                VoidWaiver(reason=reason),
                Ended(before, "waiver-voided") | Acknowledged(lifted=before),
            )
        ) if reason == before:
            return None

        case _:
            raise OutOfOrder


def _must_be_missing(facts: Facts) -> None:
    if facts.standing == "nothing":
        raise NothingFound
    if facts.standing == "done":
        raise AlreadyFulfilled


# -- Evolving ------------------------------------------------------------------------------------


def evolve(finding: Finding, event: FindingEvent) -> Finding:  # noqa: PLR0911 -- a table
    """What happened, happened: no rules here."""
    match event:
        case FindingAcknowledged(acknowledged_by=person, remark=remark):
            return Acknowledged(person, remark)
        case AcknowledgementCorrected(remark=remark):
            return Acknowledged(finding.by, remark) if isinstance(finding, Acknowledged) else finding
        case AcknowledgementVoided(reason=reason):
            return Ended(reason, "acknowledgement-voided")
        case ObligationWaived(waived_by=person, reason=reason):
            seen = finding if isinstance(finding, Acknowledged) else None
            return Waived(person, reason, seen)
        case WaiverCorrected(waiver_reason=reason):
            if not isinstance(finding, Waived):
                return finding
            return Waived(finding.by, reason, finding.seen)
        case WaiverLifted(reason=reason):
            return _ended(finding, reason, "waiver-lifted")
        case WaiverVoided(reason=reason):
            return _ended(finding, reason, "waiver-voided")
        case _:
            assert_never(event)


def _ended(
    finding: Finding, reason: str, what: Literal["waiver-lifted", "waiver-voided"]
) -> Finding:
    """Without the waiver: seen, if it was seen before."""
    seen = finding.seen if isinstance(finding, Waived) else None
    return Acknowledged(seen.by, seen.remark, reason) if seen else Ended(reason, what)


decider: Decider[FindingCommand, FindingEvent, Finding, Facts] = Decider(
    "finding",
    Unremarked(),
    decide,
    evolve,
    commands=FindingCommand,
    events=FindingEvent,
    states=Finding,
)

"""The rectification plan of a campaign: task sheet, timetable, division of work, time limits."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, assert_never

from pydantic import ConfigDict, Field

from services.campaign.directory import Directory
from services.campaign.events import Role
from services.rectification.domain.issue import (
    LEADERS,
    EndsBeforeItBegins,
    FourEyes,
    NoSuchIssue,
    must_be_here,
    must_be_near,
)
from services.rectification.events import (
    Origin,
    PlanEvent,
    PlanLine,
    PlanLineRemoved,
    PlanLineSet,
    RectificationPlanAdopted,
    RectificationPlanCorrected,
    RectificationPlanDrafted,
    RectificationPlanReopened,
    RectificationPlanVoided,
)
from shared.decider import Command, Decider, Instant, OutOfOrder, PersonId, Rejected
from shared.marks import Id, Line, Occurred, Prose

PLANNERS = frozenset({Role.principal_leader, Role.team_member, Role.school_administrator})

# -- Facts ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Facts:
    """What a decision on a plan looks at beside the plan.

    `issues` are those the command names that are on the ledger and not ended; `team_issues` all
    issues of the team that a plan has to cover, from whatever source (R90); `measures` those the
    command names that are on record and count.
    """

    directory: Directory
    issues: frozenset[str] = frozenset()
    team_issues: frozenset[str] = frozenset()
    measures: frozenset[Origin] = frozenset()


# -- Commands ------------------------------------------------------------------------------------


class DraftRectificationPlan(Command):
    """Begin the plan of a campaign; there is one per campaign."""

    zh = "起草整改方案"
    allowed = PLANNERS
    creates = True
    campaign: Id
    title: Line

    def unique(self) -> tuple[str, ...]:
        """One per campaign."""
        return ("plan", self.campaign)


class CorrectRectificationPlan(Command):
    """Put a clerk's mistake in the title right; the lines have their own commands."""

    zh = "更正整改方案"
    allowed = PLANNERS
    title: Line
    reason: Prose


class OriginAsked(Origin):
    """A measure as a sender names it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    id: Id
    key: Id


class SetPlanLine(Command):
    """Say who does what about an issue, with whom and by when; nothing may be missing (R92).

    It may name the measures it carries out, each where it was taken.
    """

    zh = "编制整改任务"
    allowed = PLANNERS
    issue: Id
    task: Prose
    owner: Id
    division: Annotated[tuple[Id, ...], Field(min_length=1, max_length=50)]
    begins_on: date
    due_on: date
    key_problem: bool = False
    origins: Annotated[tuple[OriginAsked, ...], Field(max_length=50)] = ()

    @property
    def measures(self) -> tuple[Origin, ...]:
        """The measures it names, each once."""
        named = (Origin(kind=o.kind, id=o.id, key=o.key) for o in self.origins)
        return tuple(dict.fromkeys(named))


class RemovePlanLine(Command):
    """Take an issue out of the plan."""

    zh = "删除整改任务"
    allowed = PLANNERS
    issue: Id
    reason: Prose


class AdoptRectificationPlan(Command):
    """Put the plan into force, with what it leaves uncovered on record."""

    zh = "审议通过整改方案"
    allowed = frozenset({Role.principal_leader})
    occurred_at: Annotated[Instant | None, Occurred()] = None


class ReopenRectificationPlan(Command):
    """Revise an adopted plan; it has to be adopted again."""

    zh = "修订整改方案"
    allowed = LEADERS
    reason: Prose


class VoidRectificationPlan(Command):
    """Declare that the plan should never have been; another may be drafted in its place."""

    zh = "作废整改方案"
    allowed = LEADERS
    reason: Prose


type PlanCommand = (
    DraftRectificationPlan
    | CorrectRectificationPlan
    | SetPlanLine
    | RemovePlanLine
    | AdoptRectificationPlan
    | ReopenRectificationPlan
    | VoidRectificationPlan
)


# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sheet:
    """What the plan says, one line per issue."""

    campaign: str
    title: str
    drafted_by: PersonId
    lines: tuple[PlanLine, ...] = ()
    revision: int = 1

    @property
    def issues(self) -> frozenset[str]:
        """The issues it covers."""
        return frozenset(line.issue for line in self.lines)

    def origins(self, issue: str) -> frozenset[Origin]:
        """The measures the line for an issue carries out."""
        return frozenset(o for line in self.lines if line.issue == issue for o in line.origins)


@dataclass(frozen=True)
class Undrafted:
    """The campaign has no plan."""


@dataclass(frozen=True)
class Drafted:
    """Being written, for the first time or anew."""

    sheet: Sheet


@dataclass(frozen=True)
class Adopted:
    """In force."""

    sheet: Sheet


@dataclass(frozen=True)
class Voided:
    """Should never have been."""


type Plan = Undrafted | Drafted | Adopted | Voided


# -- Rules ---------------------------------------------------------------------------------------


class NoSuchCampaign(Rejected):
    """There is no such campaign."""

    zh = "没有这项活动"


class PlanExists(Rejected):
    """The campaign has a rectification plan already."""

    zh = "该活动已有整改方案"


class PlanInForce(Rejected):
    """An adopted plan is reopened before it is changed."""

    zh = "整改方案已审议通过,修改前须先启动修订"


class NoSuchLine(Rejected):
    """The plan has no line for this issue."""

    zh = "方案中没有针对该问题的整改任务"


class UnknownMeasure(Rejected):
    """There is no such measure, or it was voided where it was taken."""

    zh = "没有这项措施,或已作废"


class EmptyPlan(Rejected):
    """A plan without a single line is none."""

    zh = "整改方案没有任何整改任务,不能通过"


# -- Deciding ------------------------------------------------------------------------------------


def decide(command: PlanCommand, plan: Plan, facts: Facts) -> PlanEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    plan = facts.directory.roster.settled(plan)
    match command, plan:
        case DraftRectificationPlan(campaign=campaign, title=title), Undrafted() | Voided():
            if campaign not in facts.directory.campaigns:
                raise NoSuchCampaign(campaign)
            return RectificationPlanDrafted(campaign=campaign, title=title, drafted_by=command.by)
        case DraftRectificationPlan(campaign=campaign, title=title), Drafted(sheet):
            if (campaign, title) != (sheet.campaign, sheet.title):
                raise PlanExists
            return None
        case DraftRectificationPlan(), Adopted():
            raise PlanExists
        case CorrectRectificationPlan(title=title, reason=reason), Drafted(sheet) | Adopted(sheet):
            if title == sheet.title:
                return None
            return RectificationPlanCorrected(title=title, reason=reason)

        case SetPlanLine(), Drafted(sheet):
            line = _line(command, sheet, facts)
            return None if line in sheet.lines else PlanLineSet(line=line)
        case RemovePlanLine(issue=issue, reason=reason), Drafted(sheet):
            if issue not in sheet.issues:
                raise NoSuchLine(issue)
            return PlanLineRemoved(issue=issue, reason=reason)
        case SetPlanLine() | RemovePlanLine(), Adopted():
            raise PlanInForce

        case AdoptRectificationPlan(), Drafted(sheet):
            if not sheet.lines:
                raise EmptyPlan
            uncovered = tuple(sorted(facts.team_issues - sheet.issues))
            return RectificationPlanAdopted(revision=sheet.revision, uncovered=uncovered)
        case AdoptRectificationPlan(), Adopted():
            return None
        case ReopenRectificationPlan(reason=reason), Adopted(sheet):
            return RectificationPlanReopened(revision=sheet.revision + 1, reason=reason)
        case VoidRectificationPlan(by=person, reason=reason), Drafted(sheet) | Adopted(sheet):
            if person == sheet.drafted_by:
                raise FourEyes
            return RectificationPlanVoided(reason=reason)

        case _:
            raise OutOfOrder


def _line(command: SetPlanLine, sheet: Sheet, facts: Facts) -> PlanLine:
    """A line that may stand in a plan. It may be entered after its time: paper comes late.

    A measure the line named before may have been voided in the meantime.
    """
    if command.issue not in facts.issues:
        raise NoSuchIssue(command.issue)
    known = facts.measures | sheet.origins(command.issue)
    if unknown := {f"{o.kind}.{o.id}/{o.key}" for o in command.measures if o not in known}:
        raise UnknownMeasure(" ".join(sorted(unknown)))
    for person in (command.owner, *command.division):
        must_be_here(person, facts.directory, command.at)
    if command.due_on < command.begins_on:
        raise EndsBeforeItBegins
    for day in (command.begins_on, command.due_on):
        must_be_near(day, facts.directory, command.at)
    return PlanLine(
        issue=command.issue,
        task=command.task,
        owner=PersonId(command.owner),
        division=tuple(PersonId(person) for person in command.division),
        begins_on=command.begins_on,
        due_on=command.due_on,
        key_problem=command.key_problem,
        origins=command.measures,
    )


# -- Evolving ------------------------------------------------------------------------------------


def evolve(plan: Plan, event: PlanEvent) -> Plan:
    """What happened, happened: no rules here."""
    match event:
        case RectificationPlanDrafted(campaign=campaign, title=title, drafted_by=person):
            return Drafted(Sheet(campaign, title, person))
        case RectificationPlanCorrected(title=title):
            sheet = replace(_sheet(plan), title=title)
            return Adopted(sheet) if isinstance(plan, Adopted) else Drafted(sheet)
        case PlanLineSet(line=line):
            return Drafted(_without(_sheet(plan), line.issue, line))
        case PlanLineRemoved(issue=issue):
            return Drafted(_without(_sheet(plan), issue))
        case RectificationPlanAdopted():
            return Adopted(_sheet(plan))
        case RectificationPlanReopened(revision=revision):
            return Drafted(replace(_sheet(plan), revision=revision))
        case RectificationPlanVoided():
            return Voided()
        case _:
            assert_never(event)


def _sheet(plan: Plan) -> Sheet:
    return plan.sheet  # type: ignore[union-attr]  # every event but the first finds one


def _without(sheet: Sheet, issue: str, *instead: PlanLine) -> Sheet:
    others = tuple(line for line in sheet.lines if line.issue != issue)
    return replace(sheet, lines=(*others, *instead))


decider: Decider[PlanCommand, PlanEvent, Plan, Facts] = Decider(
    "plan", Undrafted(), decide, evolve, PlanCommand, PlanEvent, Plan
)

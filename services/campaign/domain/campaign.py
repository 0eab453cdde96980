"""A campaign: its plan is drafted, approved from outside, filed, and only then carried out."""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Annotated, assert_never

from pydantic import ConfigDict, Field

from services.campaign.calendar import Day, duration
from services.campaign.defaults import SETTINGS
from services.campaign.directory import Directory
from services.campaign.domain import (
    ADMINISTRATION,
    EndsBeforeItBegins,
    FourEyes,
    by_today,
    in_order,
)
from services.campaign.events import (
    CampaignConcluded,
    CampaignEvent,
    CampaignResumed,
    CampaignStarted,
    CampaignVoided,
    PlanApproved,
    PlanDrafted,
    PlanFiled,
    PlanRevised,
    PlanSentBack,
    PolicySet,
    Role,
    SettingUnit,
    Stage,
    StageName,
    StartCorrected,
)
from shared.decider import Command, Decider, OutOfOrder, PersonId, Rejected
from shared.marks import Id, Line, PlainLine, Prose

PLANNERS = frozenset({Role.principal_leader, Role.school_administrator, Role.team_member})
LEADERS = frozenset({Role.principal_leader, Role.school_administrator})
SUPERVISION = frozenset({Role.supervisor})

# -- Commands ------------------------------------------------------------------------------------


class StageAsked(Stage):
    """A stage as a sender gives it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    begins_on: Day
    ends_on: Day

    def stage(self) -> Stage:
        """The stage as it is stored."""
        return Stage(**dict(self))


Stages = Annotated[tuple[StageAsked, ...], Field(max_length=len(StageName))]


class DraftPlan(Command):
    """Draft the implementation plan of a campaign, which may follow on an earlier one."""

    zh = "起草活动实施方案"
    allowed = PLANNERS
    creates = True
    title: Line
    begins_on: Day
    ends_on: Day
    stages: Stages
    follows_on: Id | None = None


class ReviewPlan(Command):
    """Approve the plan, or send it back with remarks; until it is filed one may think again."""

    zh = "审核活动实施方案"
    allowed = SUPERVISION
    approved: bool
    remarks: Prose | None = None


class FilePlan(Command):
    """Record that the approved plan was filed, and with whom."""

    zh = "报备活动实施方案"
    allowed = LEADERS
    filed_with: Line


class RevisePlan(Command):
    """Change the plan; it needs approval and filing again."""

    zh = "修订活动实施方案"
    allowed = PLANNERS
    title: Line
    begins_on: Day
    ends_on: Day
    stages: Stages
    reason: Prose


class SetPolicy(Command):
    """Set one figure the plan leaves to policy; what was computed earlier stays what it was."""

    zh = "设置政策参数"
    allowed = ADMINISTRATION
    setting: PlainLine
    value: PlainLine
    unit: SettingUnit
    reason: Prose


class StartCampaign(Command):
    """Say on which day the campaign began."""

    zh = "启动活动"
    allowed = LEADERS
    on: Day


class CorrectStart(Command):
    """Put the day right on which the campaign began."""

    zh = "更正启动日期"
    allowed = LEADERS
    on: Day
    reason: Prose


class ConcludeCampaign(Command):
    """Say on which day the campaign ended, and what came of it."""

    zh = "结束活动"
    allowed = LEADERS
    on: Day
    summary: Prose


class ResumeCampaign(Command):
    """Take a conclusion back."""

    zh = "恢复活动"
    allowed = LEADERS
    reason: Prose


class VoidCampaign(Command):
    """Strike out a campaign that should never have been entered; takes a second person."""

    zh = "作废活动"
    allowed = ADMINISTRATION
    reason: Prose


type CampaignCommand = (
    DraftPlan
    | ReviewPlan
    | FilePlan
    | RevisePlan
    | SetPolicy
    | StartCampaign
    | CorrectStart
    | ConcludeCampaign
    | ResumeCampaign
    | VoidCampaign
)

# -- States --------------------------------------------------------------------------------------


class Standing(StrEnum):
    """How far the plan in its present revision has come."""

    drafted = "drafted"
    sent_back = "sent_back"
    approved = "approved"
    filed = "filed"


@dataclass(frozen=True)
class Plan:
    """The plan as it stands: its text, who wrote it, how far it has come, what was set by policy.

    `reason` is that of the last revision, `remarks` and `filed_with` those of this one; `settings`
    hold the last setting of each name.
    """

    title: str
    begins_on: date
    ends_on: date
    stages: tuple[Stage, ...]
    follows_on: str | None
    authors: tuple[PersonId, ...]
    revision: int = 1
    standing: Standing = Standing.drafted
    reason: str | None = None
    remarks: str | None = None
    filed_with: str | None = None
    settings: tuple[PolicySet, ...] = ()


@dataclass(frozen=True)
class Unknown:
    """No such campaign."""


@dataclass(frozen=True)
class Planned:
    """Not begun."""

    plan: Plan


@dataclass(frozen=True)
class Running:
    """Begun on a day; why that day was corrected, why a conclusion was taken back."""

    plan: Plan
    started_on: date
    corrected_for: str | None = None
    resumed_for: str | None = None


@dataclass(frozen=True)
class Concluded:
    """Over."""

    ran: Running
    on: date
    summary: str


@dataclass(frozen=True)
class Voided:
    """A clerk's mistake; counts nowhere."""

    reason: str


type Campaign = Unknown | Planned | Running | Concluded | Voided

# -- Rules ---------------------------------------------------------------------------------------


class StagesIncomplete(Rejected):
    """A plan has each of the three stages exactly once (R03); `detail` names those that are not."""

    zh = "方案必须写明三个环节,每个环节一次"


class StageOutsideCampaign(Rejected):
    """A stage lies within the campaign; `detail` names the one that does not."""

    zh = "环节的起止日期超出活动起止日期"


class UnknownCampaign(Rejected):
    """There is no such campaign to follow on."""

    zh = "没有所承接的活动"


class RemarksMissing(Rejected):
    """A plan is sent back with remarks."""

    zh = "退回方案必须写明意见"


class PlanNotApproved(Rejected):
    """Only a plan the supervision group has approved is filed (R02)."""

    zh = "方案未经督导组审核同意,不能报备"


class PlanNotFiled(Rejected):
    """A campaign starts, and ends, on a plan that is approved and filed (R02)."""

    zh = "方案尚未报备,活动不能启动或结束"


class AnotherIsRunning(Rejected):
    """One campaign runs at a time; `detail` names the one to be concluded first."""

    zh = "已有活动在进行,请先结束该活动"


class UnknownSetting(Rejected):
    """There is no such policy setting."""

    zh = "没有这个政策参数"


class WrongUnit(Rejected):
    """This setting does not count in that unit; `detail` names its own."""

    zh = "该参数的单位不正确"


class MalformedValue(Rejected):
    """This is not a value of that unit."""

    zh = "参数值的格式不正确"


class KeptTooShort(Rejected):
    """What is evidence is kept longer than that."""

    zh = "短于规定的最短保留期限"


def decide(
    command: CampaignCommand, campaign: Campaign, directory: Directory
) -> CampaignEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    match command, campaign:
        case DraftPlan(), Unknown():
            return _drafted(command, directory)
        case DraftPlan(), Planned(plan) if plan == _plan(_drafted(command, directory)):
            return None

        case ReviewPlan(), Planned(plan) | Running(plan):
            return _reviewed(command, plan)
        case FilePlan(filed_with=filed_with), Planned(plan) | Running(plan):
            return _filed(filed_with, plan)
        case RevisePlan(), Planned(plan) | Running(plan):
            return _revised(command, plan)
        case SetPolicy(), Planned(plan) | Running(plan):
            return _set(command, plan)

        case StartCampaign(on=on), Planned(plan):
            _begin(command, plan, directory)
            by_today(on, command.at, directory)
            return CampaignStarted(on=on)
        case StartCampaign(on=on), Running(started_on=day) if on == day:
            return None
        case CorrectStart(on=on, reason=reason), Running(_, day, before):
            if (on, reason) == (day, before):
                return None
            by_today(on, command.at, directory)
            return StartCorrected(on=on, reason=reason)

        case ConcludeCampaign(on=on, summary=summary), Running(plan, started_on):
            if plan.standing is not Standing.filed:
                raise PlanNotFiled
            by_today(on, command.at, directory)
            if on < started_on:
                raise EndsBeforeItBegins
            return CampaignConcluded(on=on, summary=summary)
        case ConcludeCampaign(on=on, summary=summary), Concluded(_, day, before):
            if (on, summary) == (day, before):
                return None
            raise OutOfOrder
        case ResumeCampaign(reason=reason), Concluded(ran):
            _begin(command, ran.plan, directory)
            return CampaignResumed(reason=reason)
        case ResumeCampaign(reason=reason), Running(resumed_for=before) if reason == before:
            return None

        case VoidCampaign(reason=reason), Planned() | Running() | Concluded():
            if command.by in _plan_of(campaign).authors:
                raise FourEyes
            return CampaignVoided(reason=reason)
        case VoidCampaign(reason=reason), Voided(before) if reason == before:
            return None

        case _:
            raise OutOfOrder


def _drafted(command: DraftPlan, directory: Directory) -> PlanDrafted:
    stages = _staged(command)
    if command.follows_on and command.follows_on not in directory.campaigns:
        raise UnknownCampaign(command.follows_on)
    return PlanDrafted(
        title=command.title,
        begins_on=command.begins_on,
        ends_on=command.ends_on,
        stages=stages,
        drafted_by=command.by,
        follows_on=command.follows_on,
    )


def _revised(command: RevisePlan, plan: Plan) -> PlanRevised | None:
    stages = _staged(command)
    asked = (command.title, command.begins_on, command.ends_on, stages, command.reason)
    if asked == (plan.title, plan.begins_on, plan.ends_on, plan.stages, plan.reason):
        return None
    return PlanRevised(
        revision=plan.revision + 1,
        title=command.title,
        begins_on=command.begins_on,
        ends_on=command.ends_on,
        stages=stages,
        revised_by=command.by,
        reason=command.reason,
    )


def _staged(command: DraftPlan | RevisePlan) -> tuple[Stage, ...]:
    """The three stages in the order of the plan; they may overlap (R03, R04)."""
    in_order(command.begins_on, command.ends_on)
    named = [stage.name for stage in command.stages]
    if wrong := [name for name in StageName if named.count(name) != 1]:
        raise StagesIncomplete(" ".join(wrong))
    for stage in command.stages:
        in_order(stage.begins_on, stage.ends_on)
        if stage.begins_on < command.begins_on or command.ends_on < stage.ends_on:
            raise StageOutsideCampaign(stage.name)
    order = list(StageName)
    return tuple(
        asked.stage() for asked in sorted(command.stages, key=lambda s: order.index(s.name))
    )


def _reviewed(command: ReviewPlan, plan: Plan) -> PlanApproved | PlanSentBack | None:
    """Only the supervision group gets here; whoever wrote the plan does not judge it."""
    if command.by in plan.authors:
        raise FourEyes
    same = command.remarks == plan.remarks
    match command.approved, plan.standing:
        case True, Standing.approved | Standing.filed if same:
            return None
        case False, Standing.sent_back if same:
            return None
        case True, Standing.drafted | Standing.sent_back:
            return PlanApproved(revision=plan.revision, remarks=command.remarks)
        case False, Standing.drafted | Standing.sent_back | Standing.approved:
            if command.remarks is None:
                raise RemarksMissing
            return PlanSentBack(revision=plan.revision, remarks=command.remarks)
        case _:
            raise OutOfOrder


def _filed(filed_with: str, plan: Plan) -> PlanFiled | None:
    match plan.standing:
        case Standing.approved:
            return PlanFiled(revision=plan.revision, filed_with=filed_with)
        case Standing.filed if plan.filed_with == filed_with:
            return None
        case Standing.filed:
            raise OutOfOrder
        case _:
            raise PlanNotApproved


def _set(command: SetPolicy, plan: Plan) -> PolicySet | None:
    known = SETTINGS.get(command.setting)
    if known is None:
        raise UnknownSetting
    if not known.takes(command.unit):
        raise WrongUnit(known.unit)
    if not known.accepts(command.value, command.unit):
        raise MalformedValue(command.unit)
    if known.least and duration(command.value) < duration(known.least):
        raise KeptTooShort(known.least)
    event = PolicySet(
        setting=command.setting, value=command.value, unit=command.unit, reason=command.reason
    )
    return None if event in plan.settings else event


def _begin(command: Command, plan: Plan, directory: Directory) -> None:
    """Refuse to let a campaign run on a plan not filed, or beside another one."""
    if plan.standing is not Standing.filed:
        raise PlanNotFiled
    running = [
        other
        for other, entry in directory.campaigns.items()
        if other != command.stream and entry.state == "running"
    ]
    if running:
        raise AnotherIsRunning(" ".join(running))


def evolve(campaign: Campaign, event: CampaignEvent) -> Campaign:
    """What happened, happened: no rules here."""
    match event:
        case PlanDrafted():
            return Planned(_plan(event))
        case PlanApproved(remarks=remarks):
            plan = replace(_plan_of(campaign), standing=Standing.approved, remarks=remarks)
            return _with(campaign, plan)
        case PlanSentBack(remarks=remarks):
            plan = replace(_plan_of(campaign), standing=Standing.sent_back, remarks=remarks)
            return _with(campaign, plan)
        case PlanFiled(filed_with=filed_with):
            plan = replace(_plan_of(campaign), standing=Standing.filed, filed_with=filed_with)
            return _with(campaign, plan)
        case PlanRevised():
            return _with(campaign, _after(_plan_of(campaign), event))
        case PolicySet(setting=setting):
            plan = _plan_of(campaign)
            others = (s for s in plan.settings if s.setting != setting)
            return _with(campaign, replace(plan, settings=(*others, event)))
        case CampaignStarted(on=on):
            return Running(_plan_of(campaign), on)
        case StartCorrected(on=on, reason=reason):
            return replace(_run_of(campaign), started_on=on, corrected_for=reason)
        case CampaignConcluded(on=on, summary=summary):
            return Concluded(_run_of(campaign), on, summary)
        case CampaignResumed(reason=reason):
            return replace(_run_of(campaign), resumed_for=reason)
        case CampaignVoided(reason=reason):
            return Voided(reason)
        case _:
            assert_never(event)


def _plan(event: PlanDrafted) -> Plan:
    return Plan(
        event.title,
        event.begins_on,
        event.ends_on,
        event.stages,
        event.follows_on,
        (event.drafted_by,),
    )


def _after(plan: Plan, event: PlanRevised) -> Plan:
    """The plan as revised: neither approved nor filed any more."""
    return replace(
        plan,
        title=event.title,
        begins_on=event.begins_on,
        ends_on=event.ends_on,
        stages=event.stages,
        authors=tuple(dict.fromkeys((*plan.authors, event.revised_by))),
        revision=event.revision,
        standing=Standing.drafted,
        reason=event.reason,
        remarks=None,
        filed_with=None,
    )


def _with(campaign: Campaign, plan: Plan) -> Campaign:
    """The campaign with another plan; it goes on running if it does."""
    return replace(campaign, plan=plan) if isinstance(campaign, Running) else Planned(plan)


def _plan_of(campaign: Campaign) -> Plan:
    return campaign.plan if isinstance(campaign, Planned) else _run_of(campaign).plan


def _run_of(campaign: Campaign) -> Running:
    """The course of a campaign that has begun.

    Raises:
        LookupError: it has not; such a history was never recorded.
    """
    match campaign:
        case Running():
            return campaign
        case Concluded(ran):
            return ran
        case _:
            raise LookupError


decider: Decider[CampaignCommand, CampaignEvent, Campaign, Directory] = Decider(
    "campaign",
    Unknown(),
    decide,
    evolve,
    commands=CampaignCommand,
    events=CampaignEvent,
    states=Campaign,
)

"""Every command of rectification at least once, as the laws try them on every reachable state."""

from dataclasses import replace
from datetime import date
from typing import Any

from services.feedback.events import Addressee
from services.rectification.domain import plan, regulation
from services.rectification.domain.issue import (
    AddEvidence,
    AssignIssue,
    CallToAccount,
    ClaimIssue,
    ConvertToLongTerm,
    CorrectIssue,
    DeclineIssue,
    DismissObjection,
    ExplainNotPossible,
    GrantExtension,
    LookBack,
    MeasureAsked,
    MergeIssue,
    NoteSourceCorrected,
    NoteSourceVoided,
    OpenIssue,
    PlanMeasures,
    PublishNotice,
    RaiseObjection,
    RecordVerdict,
    RefuseExtension,
    RemindIssue,
    ReopenIssue,
    ReportProgress,
    RequestExtension,
    RequestStrikeOff,
    ReturnIssue,
    SourceAsked,
    StartRectification,
    StrikeOff,
    SuperviseIssue,
    TransferIssue,
    UpholdObjection,
    UrgeIssue,
    VerifyIssue,
    VoidIssue,
)
from services.rectification.domain.plan import (
    AdoptRectificationPlan,
    CorrectRectificationPlan,
    DraftRectificationPlan,
    OriginAsked,
    RemovePlanLine,
    ReopenRectificationPlan,
    SetPlanLine,
    VoidRectificationPlan,
)
from services.rectification.domain.regulation import (
    AbolishRegulation,
    AdoptRegulation,
    CorrectRegulation,
    DraftRegulation,
    ReviseRegulation,
    VoidRegulation,
)
from services.rectification.events import (
    Concern,
    Mode,
    Origin,
    OriginKind,
    ReopenCause,
    ReturnReason,
    Satisfied,
    Solved,
    SourceKind,
)
from shared.decider import Command, PersonId
from tests.rectification.cast import (
    CLOCK,
    COLLATOR,
    FACTS,
    HELPER,
    LATER,
    LEADER,
    MEASURE,
    MEMBER,
    ORIGINATOR,
    OWNER,
    RECEIPT,
    REVIEWER,
    SCHOOL,
    SERVICE,
    SHA_AFTER,
    SOURCE,
    STRANGER,
    SUPERVISOR,
    TODAY,
    by,
    due,
    objected,
    opened,
    planned,
)

# -- issue ----------------------------------------------------------------------------------------

FOUND_IN = SourceAsked(kind=SourceKind.meeting, id="meeting-1")
ISSUE_FACTS = replace(FACTS, other="open", voiced=frozenset({"opinion-2"}))
"""The facts that let everything happen: the other issue is open, the opinion was the caller's."""


def _open(**changes: Any) -> OpenIssue:
    source = SourceAsked.model_validate(dict(SOURCE))
    said = {name: getattr(opened, name) for name in ("title", "winds", "topics", "discovery")}
    return by(COLLATOR, OpenIssue, **{**said, "sources": (source,), **changes})


def _plan(owner: PersonId, mode: Mode = Mode.time_limited, **measure: Any) -> PlanMeasures:
    return by(
        owner,
        PlanMeasures,
        mode=mode,
        measures=(MeasureAsked.model_validate({**dict(MEASURE), "owner": HELPER, **measure}),),
        reviewer=REVIEWER,
        accountable_leader=LEADER,
        responsible_department="logistics",
    )


def _worked_on_by(owner: PersonId) -> tuple[Command, ...]:
    """What the owner does from the plan to the request for the strike-off."""
    return (
        _plan(owner),
        by(owner, StartRectification),
        by(owner, RequestStrikeOff, statement="四楼连测十晚水温达标", evidence=(SHA_AFTER,)),
    )


ISSUE_COMMANDS: tuple[Command, ...] = (
    _open(addressee=Addressee.team),
    _open(addressee=Addressee.member, person=MEMBER),
    by(COLLATOR, CorrectIssue, title="更正后的标题", winds=opened.winds, reason="标题有误"),
    by(SUPERVISOR, VoidIssue, reason="重复录入"),
    by(OWNER, ClaimIssue),
    by(MEMBER, ClaimIssue),
    by(LEADER, AssignIssue, owner=OWNER, reason="总务处职责范围"),
    by(OWNER, DeclineIssue, reason="属德育处管理"),
    by(LEADER, TransferIssue, to=OWNER, reason="由总务处牵头"),
    by(LEADER, TransferIssue, to=LEADER, reason="由书记牵头"),
    *_worked_on_by(OWNER),
    _plan(OWNER, deliverable="增压泵验收单、供水时段通知、水温记录"),
    _plan(OWNER, Mode.long_term),
    *_worked_on_by(LEADER),
    by(HELPER, ReportProgress, text="增压泵已到货"),
    by(
        HELPER, AddEvidence, sha256=SHA_AFTER, phase="after", media_type="image/jpeg", name="整改后"
    ),
    by(OWNER, RequestExtension, until=date(2023, 6, 16), reason="厂家延期供货"),
    by(SUPERVISOR, GrantExtension, remarks="仅此一次"),
    by(SUPERVISOR, RefuseExtension, reason="可先行调整供水时段"),
    by(REVIEWER, VerifyIssue, finding="四楼水温不低于四十度"),
    by(SUPERVISOR, VerifyIssue, finding="抽查属实"),
    by(REVIEWER, ReturnIssue, code=ReturnReason.not_solved, reason="周末没有热水"),
    by(COLLATOR, PublishNotice, text="整改结果公示"),
    by(STRANGER, RaiseObjection, text="周末仍然没有热水"),
    by(SUPERVISOR, UpholdObjection, answer="情况属实"),
    by(SUPERVISOR, DismissObjection, answer="系管道检修"),
    by(LEADER, StrikeOff, at=LATER),
    by(SUPERVISOR, StrikeOff, at=LATER),
    by(RECEIPT, RecordVerdict, solved=Solved.unsolved, satisfied=Satisfied.dissatisfied),
    by(ORIGINATOR, RecordVerdict, solved=Solved.solved, satisfied=Satisfied.satisfied),
    *(
        by(SUPERVISOR, ReopenIssue, cause=cause, reason="问题反弹", owner=OWNER)
        for cause in ReopenCause
    ),
    by(
        SUPERVISOR,
        LookBack,
        measures_concrete=True,
        solved_on_time=True,
        accepted_by_the_masses=False,
        rules_in_force=True,
        relapse=True,
        finding="开学后又没有热水",
    ),
    by(SUPERVISOR, ConvertToLongTerm, reason="须在暑假更换管网", stage_goal="完成招标"),
    by(SUPERVISOR, ExplainNotPossible, explanation="产权不属于学校"),
    by(COLLATOR, MergeIssue, into="issue-2", reason="同一问题"),
    *(
        by(SERVICE, note, source=FOUND_IN, key="hot-water", event="event-1")
        for note in (NoteSourceCorrected, NoteSourceVoided)
    ),
    by(CLOCK, RemindIssue, concern=Concern.claim, due_at=due("claim_within").at),
    by(CLOCK, UrgeIssue, concern=Concern.plan, due_at=due("plan_within").at),
    by(CLOCK, SuperviseIssue, concern=Concern.rectification, due_at=planned.watch.due.at),
    by(CLOCK, CallToAccount, concern=Concern.objection, due_at=objected.watch.due.at),
)

# -- plan -----------------------------------------------------------------------------------------

RESOLVED = Origin(kind=OriginKind.meeting, id="meeting-1", key="m-1")
PLAN_FACTS = plan.Facts(
    SCHOOL,
    issues=frozenset({"issue-1", "issue-2"}),
    team_issues=frozenset({"issue-1", "issue-2", "issue-3"}),
    measures=frozenset({RESOLVED}),
)


def _line(issue: str, task: str, *origins: Origin) -> SetPlanLine:
    return by(
        MEMBER,
        SetPlanLine,
        stream="plan-1",
        issue=issue,
        task=task,
        owner=OWNER,
        division=(HELPER,),
        begins_on=TODAY,
        due_on=date(2023, 8, 31),
        key_problem=True,
        origins=tuple(OriginAsked.model_validate(dict(origin)) for origin in origins),
    )


PLAN_COMMANDS: tuple[Command, ...] = (
    by(MEMBER, DraftRectificationPlan, campaign="campaign-1", title="领导班子整改方案"),
    by(MEMBER, CorrectRectificationPlan, title="领导班子四风问题整改方案", reason="标题不全"),
    _line("issue-1", "更换增压泵,公布供水时段"),
    _line("issue-1", "更换增压泵和四楼管道", RESOLVED),
    _line("issue-2", "取消十三种台账"),
    by(MEMBER, RemovePlanLine, issue="issue-1", reason="已并入另一项"),
    by(LEADER, AdoptRectificationPlan),
    by(SUPERVISOR, ReopenRectificationPlan, reason="补充民主生活会查摆的问题"),
    by(SUPERVISOR, VoidRectificationPlan, reason="录入错误"),
)

# -- regulation -----------------------------------------------------------------------------------

REGULATION_FACTS = regulation.Facts(SCHOOL, issues=frozenset({"issue-1", "issue-2"}))

_WORDING: dict[str, Any] = {
    "title": "宿舍热水供应管理办法",
    "text": "第一条 热水供应至二十二点三十分。",
    "answers": ("issue-1",),
}
_REVISED: dict[str, Any] = {
    "title": "宿舍热水供应和报修管理办法",
    "text": "第一条 热水供应至二十二点三十分。第二条 报修当日答复。",
    "answers": ("issue-1", "issue-2"),
    "reason": "补充报修条款",
}
_CORRECTED: dict[str, Any] = {**_WORDING, "title": "学生宿舍热水供应管理办法", "reason": "标题抄错"}

REGULATION_COMMANDS: tuple[Command, ...] = (
    by(OWNER, DraftRegulation, **_WORDING),
    by(LEADER, ReviseRegulation, **_REVISED),
    by(LEADER, CorrectRegulation, **_CORRECTED),
    by(LEADER, CorrectRegulation, **_CORRECTED, in_force_on=date(2023, 9, 1)),
    by(
        LEADER,
        CorrectRegulation,
        **_CORRECTED,
        in_force_on=date(2023, 9, 1),
        abolished_on=date(2024, 8, 31),
    ),
    by(LEADER, AdoptRegulation, in_force_on=date(2023, 6, 1)),
    by(LEADER, AbolishRegulation, on=date(2024, 7, 1), reason="由学校章程取代"),
    by(SUPERVISOR, VoidRegulation, reason="录入错误"),
)

"""A meeting is planned, approved, dated, waved through, put off or called off before it is held."""

from dataclasses import replace
from datetime import date

import pytest

from services.meetings.domain.meeting import (
    AgreeDate,
    ApproveMeetingPlan,
    BranchUnclear,
    CancelMeeting,
    HeldAlready,
    NoSuchBranch,
    NoSuchCampaign,
    NoSuchMeeting,
    NotInTheSchool,
    NotOnRecord,
    NotTheKeeper,
    NotYourBranch,
    PlanMeeting,
    PostponeMeeting,
    ProgrammeMissing,
    RecordedOtherwise,
    Reported,
    ReportUnclear,
    RestoreMeetingGate,
    ReviseMeetingPlan,
    SendBackMeetingPlan,
    WaiveMeetingGate,
    WrongKindOfMeeting,
    decider,
)
from services.meetings.events import (
    MeetingCancelled,
    MeetingDateAgreed,
    MeetingGate,
    MeetingGateRestored,
    MeetingGateWaived,
    MeetingKind,
    MeetingPlanApproved,
    MeetingPlanRevised,
    MeetingPlanSentBack,
    MeetingPostponed,
)
from shared.decider import Event, OutOfOrder, PersonId, Rejected
from tests.meetings.meeting_cast import (
    AGREED_ON,
    BEFORE,
    BRANCH,
    BRIEFING,
    CLERK,
    CLOSED,
    FACTS,
    GONE,
    HELD,
    LEADER,
    LEADERSHIP,
    NOON,
    PLANNED,
    READY,
    SECRETARY,
    SUPERVISOR,
    TEACHER,
    agreed,
    approved,
    branch_planned,
    briefing_planned,
    by,
    cancelled,
    deputised,
    planned,
)
from tests.scenario import Scenario

meeting = Scenario(decider, FACTS)

PLAN = {name: value for name, value in planned if name != "planned_by"}


def plan(who: PersonId = CLERK, /, **changes: object) -> PlanMeeting:
    return by(who, PlanMeeting, **{**PLAN, **changes})


def revise(who: PersonId = CLERK, /, **changes: object) -> ReviseMeetingPlan:
    told = {n: v for n, v in PLAN.items() if n not in {"kind", "campaign"}}
    return by(who, ReviseMeetingPlan, **{**told, "reason": "改在礼堂", **changes})


ORGANISATIONAL = {"kind": MeetingKind.organisational_life, "branch": "liberal", "chair": SECRETARY}
TELLING = {"kind": MeetingKind.briefing, "reports_on": "meeting-0", "programme": None, "on": None}

# -- Planning -------------------------------------------------------------------------------------


def test_a_meeting_is_planned_for_the_campaign_that_runs() -> None:
    meeting.when(plan()).then(planned)
    meeting.when(plan(campaign=None)).then(planned)
    meeting.given(planned).when(plan(campaign=None)).then_nothing()


def test_a_late_paper_may_name_a_campaign_that_is_over() -> None:
    late = planned.model_copy(update={"campaign": "campaign-0"})
    meeting.when(plan(campaign="campaign-0")).then(late)
    meeting.when(plan(campaign="campaign-9")).then_rejected(NoSuchCampaign)


def test_planning_twice_counts_once_and_other_words_are_not_swallowed() -> None:
    meeting.given(planned).when(plan()).then_nothing()
    for other in (
        {"title": "民主生活会"},
        {"on": AGREED_ON},
        {"kind": MeetingKind.leadership},
        {"campaign": "campaign-0"},
    ):
        meeting.given(planned).when(plan(**other)).then_rejected(RecordedOtherwise)
    meeting.given(*HELD).when(plan()).then_rejected(OutOfOrder)


def test_a_branch_meeting_names_its_branch_and_no_other_meeting_does() -> None:
    secretarys = branch_planned.model_copy(update={"programme": planned.programme})
    told = {**ORGANISATIONAL, "title": "专题组织生活会"}
    meeting.when(plan(SECRETARY, **told)).then(secretarys)
    meeting.when(plan(kind=MeetingKind.organisational_life)).then_rejected(BranchUnclear)
    meeting.when(plan(branch="liberal")).then_rejected(BranchUnclear)
    study = {"kind": MeetingKind.study_discussion}
    meeting.when(plan(**study)).then(planned.model_copy(update=study))
    of_a_branch = {**study, "branch": "liberal"}
    meeting.when(plan(**of_a_branch)).then(planned.model_copy(update=of_a_branch))


@pytest.mark.parametrize("branch", ["retired", "grade-8", "nowhere"])
def test_the_branch_is_one_that_exists(branch: str) -> None:
    told = {**ORGANISATIONAL, "branch": branch}
    meeting.when(plan(**told)).then_rejected(NoSuchBranch)


def test_a_secretary_convenes_the_meetings_of_their_own_branch() -> None:
    meeting.when(plan(SECRETARY, **{**ORGANISATIONAL, "branch": "science"})).then_rejected(
        NotYourBranch
    )
    meeting.when(plan(SECRETARY)).then_rejected(NotYourBranch)
    meeting.when(plan(TEACHER, **ORGANISATIONAL)).then_rejected(NotYourBranch)
    standing_in = replace(FACTS, directory=deputised(SECRETARY, TEACHER))
    assert meeting.knowing(standing_in).when(plan(TEACHER, **ORGANISATIONAL)).decided()


def test_a_briefing_names_the_democratic_life_meeting_it_reports_on() -> None:
    named = briefing_planned.model_copy(update={"reports_on": "meeting-0"})
    told = {**TELLING, "title": named.title}
    meeting.when(plan(**told)).then(named)
    meeting.when(plan(kind=MeetingKind.briefing)).then_rejected(ReportUnclear)
    meeting.when(plan(reports_on="meeting-0")).then_rejected(ReportUnclear)
    unheard = replace(FACTS, reported=Reported(MeetingKind.democratic_life))
    meeting.knowing(unheard).when(plan(**told)).then(named)
    for wrong in (None, Reported(MeetingKind.leadership)):
        facts = replace(FACTS, reported=wrong)
        meeting.knowing(facts).when(plan(**told)).then_rejected(NoSuchMeeting)


def test_who_is_named_is_in_the_school() -> None:
    meeting.when(plan(chair=GONE)).then_rejected(NotInTheSchool)
    meeting.when(plan(invited=(TEACHER, GONE))).then_rejected(NotInTheSchool)
    once = planned.model_copy(update={"invited": (TEACHER,)})
    meeting.when(plan(invited=(TEACHER, TEACHER))).then(once)


# -- Revising -------------------------------------------------------------------------------------


def test_a_revised_plan_is_another_revision() -> None:
    revised = MeetingPlanRevised(
        revision=2,
        title=planned.title,
        place="礼堂",
        chair=LEADER,
        on=planned.on,
        programme=planned.programme,
        reason="改在礼堂",
    )
    meeting.given(*READY).when(revise(place="礼堂")).then(revised)
    meeting.given(*READY, revised).when(revise(place="礼堂")).then_nothing()
    meeting.given(*READY).when(revise()).then_nothing()


def test_a_revision_keeps_to_the_rules_of_its_kind() -> None:
    meeting.given(*PLANNED).when(revise(branch="liberal")).then_rejected(BranchUnclear)
    meeting.given(*PLANNED).when(revise(chair=GONE)).then_rejected(NotInTheSchool)
    meeting.given(*PLANNED).when(revise(TEACHER, place="礼堂")).then_rejected(NotTheKeeper)
    meeting.given(*HELD).when(revise(place="礼堂")).then_rejected(HeldAlready)


# -- Approval (R66) -------------------------------------------------------------------------------

APPROVE = {"remarks": "准备充分", "occurred_at": BEFORE}
sent_back = MeetingPlanSentBack(revision=1, remarks="谈心不够深入")


def test_the_supervision_group_approves_the_plan() -> None:
    meeting.given(*PLANNED).when(by(SUPERVISOR, ApproveMeetingPlan, **APPROVE)).then(approved)
    now = MeetingPlanApproved(revision=1, approved_at=NOON)
    meeting.given(*PLANNED).when(by(SUPERVISOR, ApproveMeetingPlan)).then(now)
    meeting.given(*READY).when(by(SUPERVISOR, ApproveMeetingPlan, **APPROVE)).then_nothing()
    meeting.given(*READY).when(by(SUPERVISOR, ApproveMeetingPlan)).then(now)
    meeting.given(*PLANNED, now).when(by(SUPERVISOR, ApproveMeetingPlan, **APPROVE)).then(approved)
    assert ApproveMeetingPlan.allowed == SendBackMeetingPlan.allowed == {"supervisor"}


def test_a_plan_without_a_programme_cannot_be_approved() -> None:
    bare = planned.model_copy(update={"programme": None})
    meeting.given(bare).when(by(SUPERVISOR, ApproveMeetingPlan)).then_rejected(ProgrammeMissing)


def test_a_plan_sent_back_or_revised_has_to_be_approved_again() -> None:
    back = by(SUPERVISOR, SendBackMeetingPlan, remarks="谈心不够深入")
    meeting.given(*READY).when(back).then(sent_back)
    meeting.given(*READY, sent_back).when(back).then_nothing()
    meeting.given(*READY, sent_back).when(by(SUPERVISOR, ApproveMeetingPlan, **APPROVE)).then(
        approved
    )


# -- The date (R67) -------------------------------------------------------------------------------


def test_the_day_is_agreed_and_may_be_agreed_anew() -> None:
    agree = by(SUPERVISOR, AgreeDate, on=AGREED_ON, occurred_at=BEFORE)
    meeting.given(*PLANNED, approved).when(agree).then(agreed)
    meeting.given(*READY).when(agree).then_nothing()
    late = agreed.model_copy(update={"agreed_at": NOON})
    meeting.given(*PLANNED, late).when(agree).then(agreed)
    meeting.given(*READY).when(by(SUPERVISOR, AgreeDate, on=AGREED_ON)).then_nothing()
    another = MeetingDateAgreed(on=date(2023, 7, 8), agreed_at=NOON)
    meeting.given(*READY).when(by(SUPERVISOR, AgreeDate, on=another.on)).then(another)


# -- Waving through -------------------------------------------------------------------------------


def test_the_supervision_group_waves_a_gate_through_with_a_reason() -> None:
    for gate in MeetingGate:
        waive = by(SUPERVISOR, WaiveMeetingGate, gate=gate, reason="上级统一安排")
        waived = MeetingGateWaived(gate=gate, reason="上级统一安排")
        meeting.given(*PLANNED).when(waive).then(waived)
        meeting.given(*PLANNED, waived).when(waive).then_nothing()
        other = by(SUPERVISOR, WaiveMeetingGate, gate=gate, reason="时间紧")
        meeting.given(*PLANNED, waived).when(other).then_rejected(RecordedOtherwise)
        restore = by(SUPERVISOR, RestoreMeetingGate, gate=gate, reason="误操作")
        restored = MeetingGateRestored(gate=gate, reason="误操作")
        meeting.given(*PLANNED, waived).when(restore).then(restored)
        meeting.given(*PLANNED, waived, restored).when(restore).then_rejected(NotOnRecord)
        meeting.given(*PLANNED, waived, restored).when(other).decided()
    assert WaiveMeetingGate.allowed == RestoreMeetingGate.allowed == {"supervisor"}


OF_SUPERVISORS = [
    by(SUPERVISOR, ApproveMeetingPlan),
    by(SUPERVISOR, SendBackMeetingPlan, remarks="…"),
    by(SUPERVISOR, AgreeDate, on=AGREED_ON),
    by(SUPERVISOR, WaiveMeetingGate, gate=MeetingGate.plan_approval, reason="…"),
]


@pytest.mark.parametrize("command", OF_SUPERVISORS, ids=lambda c: type(c).__name__)
@pytest.mark.parametrize("past", [BRANCH[:1], BRIEFING[:1], LEADERSHIP[:1]])
def test_only_a_democratic_life_meeting_waits_for_the_supervision_group(
    command: ApproveMeetingPlan, past: tuple[Event, ...]
) -> None:
    meeting.given(*past).when(command).then_rejected(WrongKindOfMeeting)


# -- Putting off, calling off ---------------------------------------------------------------------


def test_a_meeting_put_off_needs_its_date_agreed_anew() -> None:
    postpone = by(CLERK, PostponeMeeting, on=date(2023, 7, 14), reason="台风停课")
    put_off = MeetingPostponed(on=date(2023, 7, 14), reason="台风停课")
    meeting.given(*READY).when(postpone).then(put_off)
    meeting.given(*READY, put_off).when(postpone).then_nothing()
    again = by(SUPERVISOR, AgreeDate, on=AGREED_ON, occurred_at=BEFORE)
    meeting.given(*READY, put_off).when(again).then(agreed)
    meeting.given(*READY, put_off, agreed).when(postpone).then(put_off)
    open_ended = by(CLERK, PostponeMeeting, reason="台风停课")
    meeting.given(*READY, put_off).when(open_ended).then(MeetingPostponed(reason="台风停课"))


def test_a_meeting_called_off_is_over() -> None:
    cancel = by(CLERK, CancelMeeting, reason="并入下次会议")
    meeting.given(*READY).when(cancel).then(cancelled)
    meeting.given(*READY, cancelled).when(cancel).then_nothing()
    other = by(CLERK, CancelMeeting, reason="台风停课")
    meeting.given(*READY, cancelled).when(other).then_rejected(RecordedOtherwise)
    meeting.given(*READY, cancelled).when(plan()).then_rejected(OutOfOrder)


@pytest.mark.parametrize(
    ("who", "rule"),
    [(TEACHER, NotTheKeeper), (LEADER, None), (CLERK, None), (SUPERVISOR, NotTheKeeper)],
)
def test_who_convenes_or_chairs_it_or_manages_the_school_calls_it_off(
    who: PersonId, rule: type[Rejected] | None
) -> None:
    outcome = meeting.given(*PLANNED).when(by(who, CancelMeeting, reason="并入下次会议"))
    if rule:
        outcome.then_rejected(rule)
    else:
        outcome.then(MeetingCancelled(reason="并入下次会议"))


@pytest.mark.parametrize(
    "command",
    [
        *OF_SUPERVISORS,
        by(CLERK, PostponeMeeting, reason="台风停课"),
        by(CLERK, CancelMeeting, reason="台风停课"),
    ],
    ids=lambda c: type(c).__name__,
)
@pytest.mark.parametrize("past", [HELD, CLOSED], ids=["held", "closed"])
def test_nothing_is_planned_any_more_once_it_was_held(
    command: CancelMeeting, past: tuple[Event, ...]
) -> None:
    meeting.given(*past).when(command).then_rejected(HeldAlready)

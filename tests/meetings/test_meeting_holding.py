"""A meeting is held when it may be, ended, locked, corrected by a second person, appraised, voided."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.meetings.domain.meeting import (
    AppraiseMeeting,
    BriefingBeforeMeeting,
    ChairNotAPrincipalLeader,
    CloseMinutes,
    CorrectMeetingAppraisal,
    CorrectMinutes,
    DateNotAgreed,
    EndMeeting,
    EndsBeforeItBegins,
    EndUnclear,
    FourEyes,
    HasNotHappenedYet,
    HoldMeeting,
    MinutesStillOpen,
    NobodyAttended,
    NoSuchBranch,
    NotAppraisedYet,
    NotEndedYet,
    NotHeldYet,
    NotInTheSchool,
    NotOnRecord,
    NotOnTheAgreedDay,
    NotTheKeeper,
    PlanNotApproved,
    RecordedOtherwise,
    Reported,
    VoidMeeting,
    VoidMeetingEntry,
    WrongKindOfMeeting,
    decider,
)
from services.meetings.events import (
    MeetingAppraisalCorrected,
    MeetingEntry,
    MeetingEntryVoided,
    MeetingGate,
    MeetingGateWaived,
    MeetingGrade,
    MeetingKind,
    MeetingPlanRevised,
    MeetingPlanSentBack,
    MeetingPostponed,
    MinutesCorrected,
)
from shared.decider import Event, OutOfOrder, PersonId
from tests.meetings.meeting_cast import (
    AGREED_ON,
    APPRAISED,
    BEGAN,
    BRANCH,
    BRIEFING,
    CLERK,
    CLOSED,
    FACTS,
    GONE,
    HELD,
    LEADER,
    LEADERSHIP,
    MEMBER,
    NOON,
    OPEN,
    OVER,
    PLANNED,
    READY,
    SEATED,
    SECOND_CLERK,
    SECOND_SUPERVISOR,
    SECRETARY,
    SUPERVISOR,
    TEACHER,
    agreed,
    appraised,
    approved,
    branch_held,
    briefing_began,
    briefing_held,
    briefing_planned,
    by,
    cancelled,
    changed,
    closed,
    deputised,
    ended,
    held,
    planned,
    seated,
    voided,
)
from tests.scenario import Scenario

meeting = Scenario(decider, FACTS)


def hold(
    who: PersonId = CLERK,
    /,
    began_at: datetime = BEGAN,
    chair: PersonId = LEADER,
    recorder: PersonId = CLERK,
) -> HoldMeeting:
    return by(who, HoldMeeting, began_at=began_at, chair=chair, recorder=recorder)


# -- Holding (R66, R67) ---------------------------------------------------------------------------


def test_a_democratic_life_meeting_is_held_once_plan_and_date_are_agreed() -> None:
    meeting.given(*READY).when(hold()).then(held)
    meeting.given(*HELD).when(hold()).then_nothing()
    meeting.given(*CLOSED).when(hold()).then_nothing()
    meeting.given(*HELD).when(hold(chair=MEMBER)).then_rejected(RecordedOtherwise)


revised = MeetingPlanRevised(
    revision=2, title="专题民主生活会", place="礼堂", chair=LEADER, programme="…", reason="…"
)


@pytest.mark.parametrize(
    "past",
    [
        (planned, agreed),
        (planned, agreed, approved.model_copy(update={"approved_at": OVER})),
        (*READY, MeetingPlanSentBack(revision=1, remarks="…")),
        (*READY, revised),
    ],
    ids=["never", "afterwards", "sent back", "revised"],
)
def test_it_is_not_held_before_its_plan_is_approved(past: tuple[Event, ...]) -> None:
    meeting.given(*past).when(hold()).then_rejected(PlanNotApproved)
    waived = MeetingGateWaived(gate=MeetingGate.plan_approval, reason="上级统一安排")
    meeting.given(*past, waived).when(hold()).then(held)


@pytest.mark.parametrize(
    "past",
    [
        (planned, approved),
        (planned, approved, agreed.model_copy(update={"agreed_at": OVER})),
        (*READY, MeetingPostponed(reason="台风停课")),
    ],
    ids=["never", "afterwards", "put off"],
)
def test_it_is_not_held_before_its_date_is_agreed(past: tuple[Event, ...]) -> None:
    meeting.given(*past).when(hold()).then_rejected(DateNotAgreed)
    waived = MeetingGateWaived(gate=MeetingGate.date_agreement, reason="上级统一安排")
    meeting.given(*past, waived).when(hold()).then(held)


def test_it_is_held_on_the_day_that_was_agreed() -> None:
    next_day = BEGAN + timedelta(days=1)
    meeting.given(*READY).when(hold(began_at=next_day)).then_rejected(NotOnTheAgreedDay)
    midnight = datetime.fromisoformat("2023-07-07T00:05:00+08:00")
    assert meeting.given(*READY).when(hold(began_at=midnight)).decided()


def test_other_meetings_wait_for_nobody() -> None:
    told = hold(SECRETARY, chair=SECRETARY, recorder=TEACHER)
    meeting.given(*BRANCH[:1]).when(told).then(branch_held)
    meeting.given(*LEADERSHIP[:1]).when(hold()).then(held)


def test_the_branch_still_exists_that_day() -> None:
    branch = BRANCH[0].model_copy(update={"branch": "retired"})
    meeting.given(branch).when(hold()).then_rejected(NoSuchBranch)


def test_chair_and_recorder_are_in_the_school_that_day() -> None:
    meeting.given(*READY).when(hold(chair=GONE)).then_rejected(NotInTheSchool)
    meeting.given(*READY).when(hold(recorder=GONE)).then_rejected(NotInTheSchool)
    early = datetime.fromisoformat("2023-06-30T10:00:00+08:00")
    assert meeting.given(*LEADERSHIP[:1]).when(hold(began_at=early, chair=GONE)).decided()


def test_only_who_convenes_chairs_or_manages_opens_it() -> None:
    meeting.given(*READY).when(hold(TEACHER)).then_rejected(NotTheKeeper)
    meeting.given(*READY).when(hold(SUPERVISOR)).then_rejected(NotTheKeeper)
    meeting.given(*READY).when(hold(LEADER)).then(held)


# -- Briefing (R75, R76) --------------------------------------------------------------------------

brief = hold(began_at=briefing_began)
briefing = meeting.given(briefing_planned)


def test_a_briefing_comes_after_the_appraised_meeting_under_a_principal_leader() -> None:
    briefing.when(brief).then(briefing_held)


@pytest.mark.parametrize(
    "reported",
    [
        None,
        Reported(MeetingKind.democratic_life),
        Reported(MeetingKind.democratic_life, briefing_began + timedelta(minutes=1), OVER),
    ],
    ids=["called off", "not ended", "later"],
)
def test_a_briefing_does_not_come_before_the_meeting(reported: Reported | None) -> None:
    facts = replace(FACTS, reported=reported)
    briefing.knowing(facts).when(brief).then_rejected(BriefingBeforeMeeting)


@pytest.mark.parametrize("appraised_at", [None, briefing_began + timedelta(minutes=1)])
def test_a_briefing_does_not_come_before_the_appraisal(appraised_at: datetime | None) -> None:
    reported = Reported(MeetingKind.democratic_life, OVER, appraised_at)
    facts = replace(FACTS, reported=reported)
    briefing.knowing(facts).when(brief).then_rejected(NotAppraisedYet)


def test_a_principal_leader_of_that_day_chairs_the_briefing() -> None:
    told = hold(began_at=briefing_began, chair=MEMBER)
    briefing.when(told).then_rejected(ChairNotAPrincipalLeader)
    standing_in = replace(FACTS, directory=deputised(LEADER, MEMBER))
    by_deputy = briefing_held.model_copy(update={"chair": MEMBER})
    briefing.knowing(standing_in).when(told).then(by_deputy)


# -- Ending, locking ------------------------------------------------------------------------------


def test_a_meeting_ends_once_after_it_began() -> None:
    meeting.given(*HELD).when(by(CLERK, EndMeeting, ended_at=OVER)).then(ended)
    for past in (OPEN, CLOSED):
        meeting.given(*past).when(by(CLERK, EndMeeting, ended_at=OVER)).then_nothing()
        other = by(CLERK, EndMeeting, ended_at=NOON)
        meeting.given(*past).when(other).then_rejected(RecordedOtherwise)
    never = by(CLERK, EndMeeting, ended_at=BEGAN)
    meeting.given(*HELD).when(never).then_rejected(EndsBeforeItBegins)
    meeting.given(*READY).when(never).then_rejected(NotHeldYet)


def test_minutes_are_locked_after_the_end_if_anybody_was_there() -> None:
    meeting.given(*OPEN).when(by(CLERK, CloseMinutes)).then(closed)
    meeting.given(*CLOSED).when(by(LEADER, CloseMinutes)).then_nothing()
    meeting.given(*SEATED).when(by(CLERK, CloseMinutes)).then_rejected(NotEndedYet)
    meeting.given(*HELD, ended).when(by(CLERK, CloseMinutes)).then_rejected(NobodyAttended)
    meeting.given(*OPEN).when(by(TEACHER, CloseMinutes)).then_rejected(NotTheKeeper)


# -- Correcting the minutes -----------------------------------------------------------------------

MINUTES = {
    "title": "专题民主生活会",
    "place": "行政楼三楼会议室",
    "chair": LEADER,
    "recorder": CLERK,
    "began_at": BEGAN,
    "ended_at": OVER,
    "reason": "抄录有误",
}


def correct(who: PersonId = SECOND_CLERK, /, **changes: object) -> CorrectMinutes:
    return by(who, CorrectMinutes, **{**MINUTES, **changes})


corrected = MinutesCorrected(
    title="专题民主生活会",
    place="礼堂",
    chair=LEADER,
    recorder=CLERK,
    on=AGREED_ON,
    began_at=BEGAN,
    ended_at=OVER,
    reason="抄录有误",
)


def test_a_second_person_corrects_locked_minutes() -> None:
    meeting.given(*CLOSED).when(correct(place="礼堂")).then(corrected)
    meeting.given(*CLOSED, corrected).when(correct(place="礼堂")).then_nothing()
    meeting.given(*CLOSED).when(correct()).then_nothing()
    meeting.given(*CLOSED).when(correct(CLERK, place="礼堂")).then_rejected(FourEyes)
    meeting.given(*CLOSED).when(correct(TEACHER, place="礼堂")).then_rejected(NotTheKeeper)
    meeting.given(*OPEN).when(correct(CLERK, place="礼堂")).then(corrected)


def test_whoever_locked_them_is_no_second_person() -> None:
    by_another = closed.model_copy(update={"closed_by": SECOND_CLERK})
    meeting.given(*OPEN, by_another).when(correct(place="礼堂")).then_rejected(FourEyes)


def test_corrected_minutes_keep_to_the_rules_of_holding() -> None:
    ready = meeting.given(*CLOSED)
    day_later = {"began_at": BEGAN + timedelta(days=1), "ended_at": OVER + timedelta(days=1)}
    ready.when(correct(**day_later)).then_rejected(NotOnTheAgreedDay)
    ready.when(correct(chair=GONE)).then_rejected(NotInTheSchool)
    ready.when(correct(ended_at=BEGAN)).then_rejected(EndsBeforeItBegins)
    ready.when(correct(ended_at=NOON + timedelta(hours=1))).then_rejected(HasNotHappenedYet)
    ready.when(correct(ended_at=None)).then_rejected(EndUnclear)
    meeting.given(*SEATED).when(correct(place="礼堂")).then_rejected(EndUnclear)
    meeting.given(*PLANNED).when(correct()).then_rejected(NotHeldYet)


def test_corrected_minutes_do_not_move_a_meeting_to_a_day_somebody_there_was_not_in_the_school() -> (
    None
):
    facts = replace(FACTS, directory=changed(MEMBER, joined_on=AGREED_ON))
    past = (*LEADERSHIP, seated, ended)
    earlier = correct(title="领导班子会议", began_at=BEGAN - timedelta(days=1))
    meeting.knowing(facts).given(*past).when(earlier).then_rejected(NotInTheSchool)
    assert meeting.given(*past).when(earlier).decided()


# -- Appraising (R74, R76) ------------------------------------------------------------------------

APPRAISAL = {"grade": MeetingGrade.good, "text": "开出了新意"}
when_said = {"occurred_at": appraised.appraised_at}


def test_the_supervision_group_appraises_once_the_minutes_are_locked() -> None:
    appraise = by(SUPERVISOR, AppraiseMeeting, **APPRAISAL, **when_said)
    meeting.given(*CLOSED).when(appraise).then(appraised)
    meeting.given(*APPRAISED).when(appraise).then_nothing()
    meeting.given(*OPEN).when(appraise).then_rejected(MinutesStillOpen)
    meeting.given(*READY).when(appraise).then_rejected(NotHeldYet)
    worse = by(SUPERVISOR, AppraiseMeeting, grade=MeetingGrade.poor, text="走了过场")
    meeting.given(*APPRAISED).when(worse).then_rejected(RecordedOtherwise)
    assert AppraiseMeeting.allowed == {"supervisor"}


def test_a_branch_meeting_is_appraised_too_and_no_other() -> None:
    appraise = by(SUPERVISOR, AppraiseMeeting, **APPRAISAL, **when_said)
    meeting.given(*BRANCH, seated, ended, closed).when(appraise).then(appraised)
    for past in (BRIEFING, LEADERSHIP):
        meeting.given(*past, seated, closed).when(appraise).then_rejected(WrongKindOfMeeting)


def test_another_supervisor_corrects_or_voids_an_appraisal() -> None:
    told = {"grade": MeetingGrade.average, "text": "批评不够尖锐", "reason": "抄录有误"}
    better = MeetingAppraisalCorrected(**told)
    correct_it = by(SECOND_SUPERVISOR, CorrectMeetingAppraisal, **told)
    meeting.given(*APPRAISED).when(correct_it).then(better)
    meeting.given(*APPRAISED, better).when(correct_it).then_nothing()
    alone = by(SUPERVISOR, CorrectMeetingAppraisal, **told)
    meeting.given(*APPRAISED).when(alone).then_rejected(FourEyes)
    meeting.given(*CLOSED).when(correct_it).then_rejected(NotOnRecord)
    meeting.given(*OPEN).when(correct_it).then_rejected(MinutesStillOpen)
    entry = {"entry": MeetingEntry.appraisal, "key": "appraisal", "reason": "评错了会议"}
    gone = MeetingEntryVoided(**entry)
    meeting.given(*APPRAISED).when(by(SECOND_SUPERVISOR, VoidMeetingEntry, **entry)).then(gone)
    meeting.given(*APPRAISED).when(by(SUPERVISOR, VoidMeetingEntry, **entry)).then_rejected(
        FourEyes
    )
    meeting.given(*APPRAISED).when(by(SECOND_CLERK, VoidMeetingEntry, **entry)).then_rejected(
        NotTheKeeper
    )
    meeting.given(*CLOSED).when(by(SUPERVISOR, VoidMeetingEntry, **entry)).then_rejected(
        NotOnRecord
    )
    anew = by(SUPERVISOR, AppraiseMeeting, **APPRAISAL, **when_said)
    meeting.given(*APPRAISED, gone).when(anew).then(appraised)


# -- Voiding --------------------------------------------------------------------------------------


STRUCK_OUT = MeetingEntryVoided(entry=MeetingEntry.problem, key="p-1", reason="重复录入")


@pytest.mark.parametrize(
    ("past", "problems"),
    [
        (PLANNED, ()),
        (HELD, ()),
        (CLOSED, ("p-1",)),
        ((*CLOSED, STRUCK_OUT), ()),
        ((*PLANNED, cancelled), ()),
    ],
)
def test_a_second_person_voids_a_meeting_and_what_it_had_raised_is_named(
    past: tuple[Event, ...], problems: tuple[str, ...]
) -> None:
    void = by(SUPERVISOR, VoidMeeting, reason="重复录入")
    meeting.given(*past).when(void).then(voided.model_copy(update={"problems": problems}))
    alone = by(CLERK, VoidMeeting, reason="重复录入")
    meeting.given(*past).when(alone).then_rejected(FourEyes)
    meeting.given(*past, voided).when(void).then_rejected(OutOfOrder)


def test_who_kept_or_locked_the_record_does_not_void_it() -> None:
    kept = held.model_copy(update={"recorder": SECOND_CLERK})
    locked = closed.model_copy(update={"closed_by": LEADER})
    past = (*READY, kept, seated, ended, locked)
    for who in (SECOND_CLERK, LEADER):
        meeting.given(*past).when(by(who, VoidMeeting, reason="重复录入")).then_rejected(FourEyes)
    void = by(SUPERVISOR, VoidMeeting, reason="重复录入")
    meeting.given(*past).when(void).then(voided)


def test_nothing_is_voided_that_never_was() -> None:
    meeting.when(by(SUPERVISOR, VoidMeeting, reason="重复录入")).then_rejected(OutOfOrder)

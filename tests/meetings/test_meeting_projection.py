"""The views: what a meeting, a speech and the ledger of who met look like after what happened."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest

from services.feedback.events import Wind
from services.meetings.domain.criticism import Gathering, Gatherings, Spoken
from services.meetings.domain.meeting import decider
from services.meetings.events import (
    Attendance,
    AttendanceCorrected,
    AttendanceRecorded,
    BriefingPart,
    BriefingPartCorrected,
    BriefingPartReported,
    MeasureCorrected,
    MeetingAppraisalCorrected,
    MeetingDateAgreed,
    MeetingEntry,
    MeetingEntryVoided,
    MeetingEvent,
    MeetingGate,
    MeetingGateRestored,
    MeetingGateWaived,
    MeetingGrade,
    MeetingPlanRevised,
    MeetingPlanSentBack,
    MeetingPostponed,
    MeetingProblemCorrected,
    MinutesCorrected,
    PaperKind,
    SpeechCorrected,
    SpeechVoided,
)
from services.meetings.projection import meeting as projection
from services.meetings.projection.meeting import (
    MeetingCard,
    Speech,
    adoptable,
    gathered,
    meeting_card,
    speech,
    speeches,
)
from services.rectification.events import (
    RectificationPlanDrafted,
    RectificationPlanVoided,
    RegulationDrafted,
    RegulationVoided,
)
from shared.decider import Event
from tests.meetings.meeting_cast import (
    AGREED_ON,
    APPRAISED,
    BEGAN,
    BRANCH,
    BRIEFING,
    CLERK,
    CLOSED,
    HELD,
    LEADER,
    LEADERSHIP,
    MEMBER,
    OPEN,
    OTHER_MEMBER,
    OVER,
    PLANNED,
    READY,
    SEATED,
    SPOKEN,
    SUPERVISOR,
    TEACHER,
    TODAY,
    adopted,
    agreed,
    appraised,
    approved,
    branch_planned,
    cancelled,
    criticism,
    examined,
    held,
    lived,
    log,
    made_up,
    measure,
    part_told,
    planned,
    problem,
    seat,
    seated,
    voided,
)

REWORDED = SpeechCorrected(**{**dict(criticism), "text": "报修回应慢", "reason": "漏记"})
STRUCK = SpeechVoided(number=3, reason="未曾发言")


def void(entry: MeetingEntry, key: str) -> MeetingEntryVoided:
    return MeetingEntryVoided(entry=entry, key=key, reason="记错")


def card(*past: Event) -> MeetingCard:
    found: MeetingCard | None = None
    for record in log(*lived("meeting-1", past)):
        found = meeting_card(found, record)
    assert found
    return found


def ledger(*past: Event) -> Gatherings:
    found: Gatherings | None = None
    for record in log(*lived("meeting-1", past)):
        found = gathered(found, record)
    assert found
    return found


def gathering(*past: Event) -> Gathering:
    return ledger(*past).meetings["meeting-1"]


def spoken(*past: Event) -> Speech | None:
    found: Speech | None = None
    for record in log(*lived("meeting-1", past)):
        found = speech(found, record)
    return found


# -- The card -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("past", "stage"),
    [
        (PLANNED, "planned"),
        (READY, "planned"),
        (HELD, "held"),
        (OPEN, "held"),
        (CLOSED, "closed"),
        (APPRAISED, "closed"),
        ((*PLANNED, cancelled), "cancelled"),
        ((*CLOSED, voided), "voided"),
    ],
)
def test_a_meeting_stands_where_it_got(past: tuple[Event, ...], stage: str) -> None:
    assert card(*past).stage == stage


def test_what_is_planned_is_on_the_card() -> None:
    found = card(*PLANNED)
    for name, value in planned:
        assert getattr(found, name) == value
    assert card(branch_planned).branch == "liberal"


def test_a_revision_withdraws_the_approval_and_keeps_count() -> None:
    revised = MeetingPlanRevised(
        revision=2, title="专题民主生活会", place="礼堂", chair=MEMBER, reason="改在礼堂"
    )
    found = card(*READY, revised)
    assert (found.revision, found.place, found.chair) == (2, "礼堂", MEMBER)
    assert found.approved_at is None
    assert found.kind is planned.kind
    back = MeetingPlanSentBack(revision=1, remarks="谈心不够")
    found = card(*READY, back, back)
    assert (found.approved_at, found.remarks, found.sent_back) == (None, "谈心不够", 2)
    assert card(*READY).remarks == approved.remarks


def test_the_day_is_the_one_intended_then_agreed_then_held() -> None:
    assert card(*PLANNED).on == planned.on
    assert card(*READY).on == card(*READY).agreed_on == AGREED_ON
    put_off = MeetingPostponed(on=date(2023, 7, 14), reason="台风停课")
    found = card(*READY, put_off)
    assert (found.on, found.agreed_on, found.postponed) == (date(2023, 7, 14), None, 1)
    again = MeetingDateAgreed(on=date(2023, 7, 15), agreed_at=BEGAN)
    assert card(*READY, put_off, again).on == date(2023, 7, 15)
    assert card(*LEADERSHIP).on == AGREED_ON


def test_what_was_waved_through_is_on_the_card_with_its_reason() -> None:
    waived = MeetingGateWaived(gate=MeetingGate.plan_approval, reason="上级统一安排")
    assert [dict(w) for w in card(*PLANNED, waived).waived] == [dict(waived)]
    restored = MeetingGateRestored(gate=MeetingGate.plan_approval, reason="误操作")
    assert card(*PLANNED, waived, restored).waived == ()


def test_who_was_there_is_on_the_card_by_name() -> None:
    found = {p.person: p for p in card(*OPEN, made_up).attendance}
    assert found[LEADER].attendance is Attendance.present
    assert found[OTHER_MEMBER].excuse == "赴省厅参加培训"
    assert (found[OTHER_MEMBER].made_up_on, found[OTHER_MEMBER].by_what) == (
        TODAY,
        made_up.by_what,
    )
    came = AttendanceCorrected(attendee=seat(OTHER_MEMBER), reason="点名有误")
    found = {p.person: p for p in card(*OPEN, came).attendance}
    assert (found[OTHER_MEMBER].attendance, found[OTHER_MEMBER].excuse) == ("present", None)
    forgotten = AttendanceCorrected(attendee=seat(TEACHER), reason="漏登记")
    assert TEACHER in {p.person for p in card(*CLOSED, forgotten).attendance}
    undone = card(*OPEN, made_up, void(MeetingEntry.make_up, OTHER_MEMBER))
    assert all(p.made_up_on is None and p.by_what is None for p in undone.attendance)
    gone = card(*OPEN, void(MeetingEntry.attendance, SUPERVISOR))
    assert SUPERVISOR not in {p.person for p in gone.attendance}


def test_what_came_out_of_it_is_on_the_card_and_stays_when_voided() -> None:
    found = card(*OPEN)
    assert [p.key for p in found.problems] == ["p-1"]
    assert found.measures[0].owner == MEMBER
    corrected = MeetingProblemCorrected(
        **{**dict(problem), "winds": (Wind.bureaucratism,), "reason": "…"}
    )
    assert card(*OPEN, corrected).problems[0].winds == ("bureaucratism",)
    moved = MeasureCorrected(**{**dict(measure), "owner": LEADER, "reason": "…"})
    assert card(*OPEN, moved).measures[0].owner == LEADER
    struck = card(*OPEN, void(MeetingEntry.problem, "p-1"), void(MeetingEntry.measure, "m-1"))
    assert (struck.problems[0].voided, struck.measures[0].voided) == ("记错", "记错")


def test_what_was_adopted_and_told_is_on_the_card() -> None:
    found = card(*LEADERSHIP, adopted)
    assert [(p.kind, p.id) for p in found.adopted] == [(PaperKind.examination, "examination-1")]
    assert not card(*LEADERSHIP, adopted, void(MeetingEntry.adoption, "examination-1")).adopted
    told = BriefingPartReported(part=BriefingPart.measures, text="十二条措施")
    assert card(*BRIEFING, part_told, told).told == {
        BriefingPart.preparation: part_told.text,
        BriefingPart.measures: "十二条措施",
    }
    less = BriefingPartCorrected(part=BriefingPart.measures, text="十条", reason="…")
    assert card(*BRIEFING, told, less).told == {BriefingPart.measures: "十条"}
    gone = void(MeetingEntry.briefing_part, "measures")
    assert card(*BRIEFING, part_told, told, gone).told == {BriefingPart.preparation: part_told.text}


def test_the_appraisal_is_on_the_card() -> None:
    found = card(*APPRAISED)
    assert (found.grade, found.appraisal) == (MeetingGrade.good, appraised.text)
    assert (found.appraised_by, found.appraised_at) == (SUPERVISOR, appraised.appraised_at)
    worse = MeetingAppraisalCorrected(grade=MeetingGrade.poor, text="走过场", reason="…")
    found = card(*APPRAISED, worse)
    assert (found.grade, found.appraisal, found.appraised_by) == ("poor", "走过场", SUPERVISOR)
    gone = card(*APPRAISED, void(MeetingEntry.appraisal, "appraisal"))
    assert (gone.grade, gone.appraisal, gone.appraised_at) == (None, None, None)


def test_corrected_minutes_say_the_new_and_count_the_corrections() -> None:
    fixed = MinutesCorrected(
        title="民主生活会",
        place="礼堂",
        chair=MEMBER,
        recorder=TEACHER,
        on=AGREED_ON,
        began_at=BEGAN,
        ended_at=OVER,
        reason="抄录有误",
    )
    found = card(*CLOSED, fixed)
    assert (found.title, found.place, found.recorder) == ("民主生活会", "礼堂", TEACHER)
    assert (found.stage, found.corrections) == ("closed", 1)
    assert card(*CLOSED).corrections == 0


def test_a_card_survives_the_database() -> None:
    found = card(*APPRAISED, made_up)
    assert MeetingCard.model_validate(found.model_dump(mode="json")) == found


# -- Speeches -------------------------------------------------------------------------------------


def test_a_speech_has_its_words_and_stays_when_voided() -> None:
    found = spoken(criticism)
    assert found
    assert (found.meeting, found.text, found.receiver) == ("meeting-1", criticism.text, MEMBER)
    found = spoken(criticism, REWORDED)
    assert found
    assert (found.text, found.corrections, found.voided) == ("报修回应慢", 1, None)
    found = spoken(criticism, STRUCK)
    assert found
    assert (found.text, found.voided) == (criticism.text, "未曾发言")
    assert spoken(REWORDED) is None


def test_every_speech_is_a_document_of_its_own() -> None:
    records = log(*lived("meeting-1", (examined, criticism, REWORDED, STRUCK)))
    assert [list(speeches.keys(record)) for record in records] == [
        ["meeting-1.1"],
        ["meeting-1.3"],
        ["meeting-1.3"],
        ["meeting-1.3"],
    ]


# -- Who met --------------------------------------------------------------------------------------


def test_the_ledger_knows_who_criticised_whom_and_who_was_there() -> None:
    found = gathering(*OPEN, made_up)
    assert found.on == AGREED_ON
    assert found.seats == {s.person: s.attendance for s in seated.attendees}
    assert found.made_up == (OTHER_MEMBER,)
    assert found.speeches[3] == Spoken(
        number=3, act=criticism.act, speaker=LEADER, receiver=MEMBER, talk="talk-1"
    )
    assert gathering(*READY).on is None
    assert gathering(*BRANCH).branch == "liberal"


def test_corrections_and_voids_reach_the_ledger() -> None:
    unlinked = REWORDED.model_copy(update={"talk": None, "number": 3})
    assert gathering(*OPEN, unlinked).speeches[3].talk is None
    assert set(gathering(*OPEN, STRUCK).speeches) == {1, 2}
    came = AttendanceCorrected(attendee=seat(OTHER_MEMBER), reason="…")
    assert gathering(*OPEN, came).seats[OTHER_MEMBER] is Attendance.present
    gone = void(MeetingEntry.attendance, SUPERVISOR)
    assert SUPERVISOR not in gathering(*OPEN, gone).seats
    assert gathering(*OPEN, made_up, void(MeetingEntry.make_up, OTHER_MEMBER)).made_up == ()
    problem_gone = void(MeetingEntry.problem, "p-1")
    assert gathering(*OPEN, problem_gone) == gathering(*OPEN)
    fixed = MinutesCorrected(
        title="…",
        place="…",
        chair=LEADER,
        recorder=CLERK,
        on=date(2023, 7, 8),
        began_at=BEGAN,
        reason="…",
    )
    assert gathering(*OPEN, fixed).on == date(2023, 7, 8)
    revised = MeetingPlanRevised(
        revision=2, title="…", place="…", chair=LEADER, invited=(TEACHER,), reason="…"
    )
    assert gathering(*PLANNED, revised).invited == (TEACHER,)


@pytest.mark.parametrize("ending", [voided, cancelled])
def test_a_voided_or_called_off_meeting_counts_nowhere(ending: Event) -> None:
    assert ledger(*CLOSED, ending).meetings == {}
    assert ledger(*CLOSED, ending, made_up).meetings == {}


def test_the_ledger_holds_no_word_of_what_was_said() -> None:
    written = ledger(*APPRAISED, made_up).model_dump_json()
    texts = (planned.title, examined.text, criticism.text, problem.title, made_up.by_what)
    assert not any(text in written for text in texts)


def test_the_ledger_survives_the_database() -> None:
    found = ledger(*APPRAISED, made_up)
    assert Gatherings.model_validate(found.model_dump(mode="json")) == found


@pytest.mark.parametrize(
    "past",
    [SEATED, SPOKEN, OPEN, (*OPEN, REWORDED), (*OPEN, STRUCK), (*OPEN, agreed, held)],
)
def test_ledger_card_and_rules_agree_on_who_was_there_and_what_was_said(
    past: tuple[Any, ...],
) -> None:
    state: Any = decider.fold(past)
    ruled = {s.person: s.attendance for s in state.minutes.seats}
    assert gathering(*past).seats == ruled or isinstance(past[-1], type(held))
    assert {p.person: p.attendance for p in card(*past).attendance} == gathering(*past).seats
    said = {
        s.number: (s.act, s.speaker, s.receiver) for s in state.minutes.speeches if not s.voided
    }
    if not isinstance(past[-1], type(held)):
        assert {
            n: (s.act, s.speaker, s.receiver) for n, s in gathering(*past).speeches.items()
        } == said


# -- Papers to adopt ------------------------------------------------------------------------------


def test_a_paper_can_be_adopted_from_its_draft_until_it_is_void() -> None:
    def paper(*past: Event) -> PaperKind | None:
        found = None
        for record in log(*(("paper-1", event) for event in past)):
            found = adoptable(found, record)
        return found.kind if found else None

    plan = RectificationPlanDrafted(campaign="campaign-1", title="整改方案", drafted_by=LEADER)
    rule = RegulationDrafted(title="会议制度", text="双周一次", answers=(), drafted_by=CLERK)
    assert paper(plan) is PaperKind.plan
    assert paper(rule) is PaperKind.regulation
    assert paper(plan, RectificationPlanVoided(reason="…")) is None
    assert paper(rule, RegulationVoided(reason="…")) is None


def test_every_event_of_a_meeting_is_followed_by_a_view() -> None:
    followed = set(projection.meetings.follows) | set(speeches.follows)
    every: Iterable[type[Event]] = MeetingEvent.__value__.__args__
    assert set(every) <= followed
    assert AttendanceRecorded in projection.gatherings.follows

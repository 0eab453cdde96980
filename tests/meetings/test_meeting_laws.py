"""What holds however it goes with a meeting. Every reachable state is tried."""

from dataclasses import fields
from functools import cache
from typing import Any

import pytest

from services.meetings.domain.meeting import (
    AdoptDocument,
    AgreeDate,
    AppraiseMeeting,
    ApproveMeetingPlan,
    CancelMeeting,
    Closed,
    CloseMinutes,
    CorrectAttendance,
    CorrectBriefingPart,
    CorrectMeasure,
    CorrectMeetingAppraisal,
    CorrectMeetingProblem,
    CorrectMinutes,
    CorrectSpeech,
    EndMeeting,
    FourEyes,
    Held,
    HoldMeeting,
    MakeUpAbsence,
    Meeting,
    PlanMeeting,
    PostponeMeeting,
    RaiseProblemAtMeeting,
    RecordAttendance,
    RecordSpeech,
    ReportBriefingPart,
    ResolveMeasure,
    RestoreMeetingGate,
    ReviseMeetingPlan,
    SendBackMeetingPlan,
    VoidMeeting,
    VoidMeetingEntry,
    VoidSpeech,
    WaiveMeetingGate,
    decider,
)
from services.meetings.events import (
    Attendance,
    BriefingPart,
    MeetingEntry,
    MeetingGate,
    MeetingGrade,
    MeetingHeld,
    MeetingKind,
    MinutesCorrected,
    PaperKind,
    SpeechCorrected,
    SpeechRecorded,
)
from shared.decider import Command, Event, Rejected
from shared.journal import dump_state, load_state
from tests.meetings.meeting_cast import (
    AGREED_ON,
    BEFORE,
    BEGAN,
    CLERK,
    FACTS,
    LEADER,
    OTHER_MEMBER,
    OVER,
    SECOND_CLERK,
    SECOND_SUPERVISOR,
    SUPERVISOR,
    TODAY,
    briefing_began,
    briefing_planned,
    by,
    criticism,
    leadership_planned,
    made_up,
    measure,
    planned,
    problem,
    seat,
    self_criticism,
)
from tests.rectification.test_laws import otherwise
from tests.scenario import Laws

pytestmark = pytest.mark.thorough

REASON = {"reason": "抄录有误"}


def plan(event: Any) -> PlanMeeting:
    return by(CLERK, PlanMeeting, **{n: v for n, v in event if n != "planned_by"})


def revision(event: Any) -> dict[str, Any]:
    told = {n: v for n, v in event if n not in {"kind", "campaign", "planned_by"}}
    return {**told, "place": "礼堂", **REASON}


MINUTES = {
    "title": "专题民主生活会",
    "place": "礼堂",
    "chair": LEADER,
    "recorder": CLERK,
    "began_at": BEGAN,
    **REASON,
}

COMMANDS: tuple[Command, ...] = (
    plan(planned),
    plan(briefing_planned),
    plan(leadership_planned),
    by(CLERK, ReviseMeetingPlan, **revision(planned)),
    by(SUPERVISOR, ApproveMeetingPlan, remarks="准备充分", occurred_at=BEFORE),
    by(SUPERVISOR, SendBackMeetingPlan, remarks="谈心不够深入"),
    by(SUPERVISOR, AgreeDate, on=AGREED_ON, occurred_at=BEFORE),
    by(SUPERVISOR, WaiveMeetingGate, gate=MeetingGate.plan_approval, **REASON),
    by(SUPERVISOR, RestoreMeetingGate, gate=MeetingGate.plan_approval, **REASON),
    by(CLERK, PostponeMeeting, on=TODAY, **REASON),
    by(CLERK, CancelMeeting, **REASON),
    by(CLERK, HoldMeeting, began_at=BEGAN, chair=LEADER, recorder=CLERK),
    by(CLERK, HoldMeeting, began_at=briefing_began, chair=LEADER, recorder=CLERK),
    by(CLERK, EndMeeting, ended_at=OVER),
    by(
        CLERK,
        RecordAttendance,
        attendees=tuple(dict(s) for s in (seat(LEADER), seat(OTHER_MEMBER, "出差"))),
    ),
    by(
        SECOND_CLERK,
        CorrectAttendance,
        **{**dict(seat(OTHER_MEMBER)), **REASON},
    ),
    by(CLERK, MakeUpAbsence, person=OTHER_MEMBER, by_what=made_up.by_what),
    by(CLERK, RecordSpeech, **dict(self_criticism)),
    by(CLERK, RecordSpeech, **dict(criticism)),
    by(SECOND_CLERK, CorrectSpeech, **{**dict(criticism), "text": "报修回应慢", **REASON}),
    by(SECOND_CLERK, VoidSpeech, number=criticism.number, **REASON),
    by(CLERK, RaiseProblemAtMeeting, **dict(problem)),
    by(SECOND_CLERK, CorrectMeetingProblem, **{**dict(problem), "title": "文山会海", **REASON}),
    by(CLERK, ResolveMeasure, **dict(measure)),
    by(SECOND_CLERK, CorrectMeasure, **{**dict(measure), "owner": LEADER, **REASON}),
    by(CLERK, AdoptDocument, kind=PaperKind.examination, id="examination-1"),
    by(CLERK, ReportBriefingPart, part=BriefingPart.measures, text="十二条措施"),
    by(SECOND_CLERK, CorrectBriefingPart, part=BriefingPart.measures, text="十条", **REASON),
    *(
        by(SECOND_CLERK, VoidMeetingEntry, entry=entry, key=key, **REASON)
        for entry, key in (
            (MeetingEntry.attendance, OTHER_MEMBER),
            (MeetingEntry.make_up, OTHER_MEMBER),
            (MeetingEntry.problem, "p-1"),
            (MeetingEntry.measure, "m-1"),
            (MeetingEntry.adoption, "examination-1"),
            (MeetingEntry.briefing_part, "measures"),
        )
    ),
    by(
        SECOND_SUPERVISOR,
        VoidMeetingEntry,
        entry=MeetingEntry.appraisal,
        key="appraisal",
        **REASON,
    ),
    by(CLERK, CloseMinutes),
    by(SECOND_CLERK, CorrectMinutes, **MINUTES),
    by(SECOND_CLERK, CorrectMinutes, **MINUTES, ended_at=OVER),
    by(SUPERVISOR, AppraiseMeeting, grade=MeetingGrade.good, text="开出了新意"),
    by(
        SECOND_SUPERVISOR,
        CorrectMeetingAppraisal,
        grade=MeetingGrade.average,
        text="批评不够尖锐",
        **REASON,
    ),
    by(SUPERVISOR, VoidMeeting, **REASON),
)


def standing(state: Any) -> object:
    """Where a meeting stands, and of its record only what was put there last."""
    has = {field.name: getattr(state, field.name) for field in fields(state)}
    plan, minutes = has.get("plan"), has.get("minutes")
    prepared = plan and (
        plan.kind,
        plan.approved_at,
        plan.agreed_on,
        bool(plan.reviewed),
        bool(plan.put_off),
        plan.waived,
        plan.place,
    )
    if plan is None or minutes is None:
        return type(state), prepared
    entry, speech = (lines[-1] if lines else None for lines in (minutes.entries, minutes.speeches))
    return (
        type(state),
        plan.kind,
        minutes.ended_at,
        minutes.on,
        tuple(s.attendance for s in minutes.seats),
        entry and (entry.entry, entry.voided),
        speech and (speech.number, speech.voided),
    )


LAWS = Laws(decider, FACTS, COMMANDS, standing)

type Happening = tuple[Any, Command, Event, Any]


@cache
def reachable() -> list[Any]:
    return LAWS.reachable()


@cache
def happenings() -> list[Happening]:
    return [
        (state, command, event, decider.evolve(state, event))  # type: ignore[arg-type]  # a meeting's
        for state in reachable()
        for command in COMMANDS
        if (event := LAWS.attempt(command, state))
    ]


def test_every_command_is_tried_and_accepted_somewhere() -> None:
    LAWS.check_every_command_is_tried()
    LAWS.check_every_command_is_accepted_somewhere(reachable())


def test_every_event_happens() -> None:
    LAWS.check_every_event_happens(reachable())


def test_every_state_is_reached() -> None:
    assert {type(state) for state in reachable()} == set(decider.members(Meeting))


def test_a_command_sent_twice_counts_once() -> None:
    LAWS.check_twice_counts_once(reachable())


def test_a_command_that_says_something_else_is_never_taken_for_the_same() -> None:
    for _, command, _, after in happenings():
        for other in otherwise(command):
            try:
                event = decider.decide(other, after, FACTS)  # type: ignore[arg-type]  # a meeting's
            except Rejected:
                continue
            assert event is not None, f"{other} swallowed after {command}"


def test_every_event_is_read_back_as_it_was_written() -> None:
    for _, _, event, _ in happenings():
        assert type(event).model_validate_json(event.model_dump_json()) == event


def test_every_state_survives_a_snapshot() -> None:
    for state in reachable():
        assert load_state(decider, dump_state(state)) == state


def test_the_beginning_is_left_once() -> None:
    for before, command, _, after in happenings():
        assert type(after) is not type(decider.initial)
        assert type(command).creates or before != decider.initial


def test_a_meeting_ends_where_its_events_say_so() -> None:
    LAWS.check_it_ends_where_its_events_say(reachable())


def test_no_democratic_life_meeting_is_held_without_approval_and_an_agreed_day_or_a_waiver() -> (
    None
):
    held = [step for step in happenings() if isinstance(step[2], MeetingHeld | MinutesCorrected)]
    assert held
    for _, _, event, after in held:
        if after.plan.kind is MeetingKind.democratic_life:
            waived = {waiver.gate for waiver in after.plan.waived}
            assert after.plan.approved_at or MeetingGate.plan_approval in waived
            assert after.plan.agreed_on == getattr(event, "on", None)


def test_nobody_speaks_who_is_not_on_record_as_present() -> None:
    spoken = [s for s in happenings() if isinstance(s[2], SpeechRecorded | SpeechCorrected)]
    assert spoken
    for _, _, event, after in spoken:
        seats = {s.person: s.attendance for s in after.minutes.seats}
        assert seats[getattr(event, "speaker", None)] is Attendance.present
    for state in reachable():
        if isinstance(state, Held | Closed):
            there = {s.person for s in state.minutes.seats if s.attendance is Attendance.present}
            assert {s.speaker for s in state.minutes.speeches if not s.voided} <= there


def test_locked_minutes_are_changed_only_by_a_second_person() -> None:
    closed = [state for state in reachable() if isinstance(state, Closed)]
    changing = [c for c in COMMANDS if type(c).__name__.startswith(("Correct", "Void"))]
    assert closed
    for state in closed:
        for command in changing:
            if isinstance(command, CorrectMeetingAppraisal) or command.by == SECOND_SUPERVISOR:
                continue
            own = command.model_copy(update={"by": CLERK})
            with pytest.raises(Rejected) as refusal:
                decider.decide(own, state, FACTS)  # type: ignore[arg-type]  # a meeting's
            assert refusal.type is FourEyes, own


def test_the_state_holds_no_word_of_what_was_said() -> None:
    words = {criticism.text, self_criticism.text, problem.title, measure.text, made_up.by_what}
    for state in reachable():
        written = repr(state)
        assert not any(word in written for word in words)

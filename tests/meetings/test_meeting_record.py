"""What is put on record of a meeting: who was there, who said what, what came out of it."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from services.feedback.events import Addressee, Wind
from services.meetings.domain.meeting import (
    AddresseeUnclear,
    AdoptDocument,
    CorrectAttendance,
    CorrectBriefingPart,
    CorrectMeasure,
    CorrectMeetingProblem,
    CorrectSpeech,
    CriticisesOneself,
    DueBeforeTheMeeting,
    ExcuseUnclear,
    FourEyes,
    HasSpoken,
    MadeUpTooEarly,
    MakeUpAbsence,
    MinutesLocked,
    NamedTwice,
    NoSuchPaper,
    NotAbsent,
    NotAPrincipalLeader,
    NotAttending,
    NotHeldYet,
    NotInTheSchool,
    NotOnRecord,
    NotTheKeeper,
    RaiseProblemAtMeeting,
    ReceiverUnclear,
    RecordAttendance,
    RecordedOtherwise,
    RecordSpeech,
    ReportBriefingPart,
    ResolveMeasure,
    TalkUnclear,
    VoidMeetingEntry,
    VoidSpeech,
    WindsUnclear,
    WrongKindOfMeeting,
    decider,
)
from services.meetings.events import (
    Attendance,
    AttendanceCorrected,
    AttendanceRecorded,
    BriefingPart,
    BriefingPartCorrected,
    MeasureCorrected,
    MeetingEntry,
    MeetingEntryVoided,
    MeetingProblemCorrected,
    PaperKind,
    SpeechAct,
    SpeechCorrected,
    SpeechRecorded,
    SpeechVoided,
)
from shared.decider import Command, Event, OutOfOrder, PersonId
from tests.meetings.meeting_cast import (
    AGREED_ON,
    BRANCH,
    BRIEFING,
    CLERK,
    CLOSED,
    COLLEAGUE,
    FACTS,
    GONE,
    HELD,
    LEADER,
    LEADERSHIP,
    MEMBER,
    OPEN,
    OTHER_MEMBER,
    OVER,
    READY,
    SEATED,
    SECOND_CLERK,
    SECRETARY,
    SPOKEN,
    SUPERVISOR,
    TEACHER,
    TODAY,
    adopted,
    by,
    changed,
    closed,
    criticism,
    deputised,
    ended,
    examined,
    made_up,
    measure,
    part_told,
    planned,
    problem,
    seat,
    seated,
    self_criticism,
    voided,
)
from tests.scenario import Scenario

meeting = Scenario(decider, FACTS)

# -- Attendance -----------------------------------------------------------------------------------


def attend(*people: Any, who: PersonId = CLERK) -> RecordAttendance:
    return by(who, RecordAttendance, attendees=tuple(dict(person) for person in people))


def test_attendance_is_recorded_by_name() -> None:
    meeting.given(*HELD).when(attend(*seated.attendees)).then(seated)
    meeting.given(*SEATED).when(attend(*seated.attendees)).then_nothing()
    meeting.given(*SEATED).when(attend(seat(LEADER), seat(TEACHER))).then(
        AttendanceRecorded(attendees=(seat(TEACHER),))
    )


def test_what_is_on_record_is_not_overwritten() -> None:
    for other in (seat(OTHER_MEMBER), seat(OTHER_MEMBER, "病假"), seat(LEADER, "病假")):
        meeting.given(*SEATED).when(attend(other)).then_rejected(RecordedOtherwise)


def test_an_absence_has_a_reason_and_a_presence_has_none() -> None:
    silent = {"person": TEACHER, "attendance": Attendance.absent}
    meeting.given(*HELD).when(attend(silent)).then_rejected(ExcuseUnclear)
    both = {"person": TEACHER, "attendance": Attendance.present, "excuse": "病假"}
    meeting.given(*HELD).when(attend(both)).then_rejected(ExcuseUnclear)


def test_nobody_attends_twice_or_from_outside_the_school() -> None:
    meeting.given(*HELD).when(attend(seat(TEACHER), seat(TEACHER))).then_rejected(NamedTwice)
    meeting.given(*HELD).when(attend(seat(GONE))).then_rejected(NotInTheSchool)
    came_later = replace(FACTS, directory=changed(TEACHER, joined_on=TODAY))
    meeting.knowing(came_later).given(*HELD).when(attend(seat(TEACHER))).then_rejected(
        NotInTheSchool
    )
    left_since = replace(FACTS, directory=changed(TEACHER, left_on=AGREED_ON))
    assert meeting.knowing(left_since).given(*HELD).when(attend(seat(TEACHER))).decided()


def correct_seat(who: PersonId, person: PersonId, excuse: str | None = None) -> CorrectAttendance:
    return by(who, CorrectAttendance, **dict(seat(person, excuse)), reason="点名有误")


def test_attendance_is_corrected_and_after_locking_by_a_second_person() -> None:
    came = AttendanceCorrected(attendee=seat(OTHER_MEMBER), reason="点名有误")
    meeting.given(*OPEN).when(correct_seat(CLERK, OTHER_MEMBER)).then(came)
    meeting.given(*OPEN, came).when(correct_seat(CLERK, OTHER_MEMBER)).then_nothing()
    meeting.given(*CLOSED).when(correct_seat(SECOND_CLERK, OTHER_MEMBER)).then(came)
    meeting.given(*CLOSED).when(correct_seat(CLERK, OTHER_MEMBER)).then_rejected(FourEyes)
    forgotten = AttendanceCorrected(attendee=seat(TEACHER), reason="点名有误")
    meeting.given(*CLOSED).when(correct_seat(SECOND_CLERK, TEACHER)).then(forgotten)
    meeting.given(*CLOSED).when(correct_seat(SECOND_CLERK, GONE)).then_rejected(NotInTheSchool)
    bare = by(
        CLERK, CorrectAttendance, person=MEMBER, attendance=Attendance.absent, reason="点名有误"
    )
    meeting.given(*OPEN).when(bare).then_rejected(ExcuseUnclear)


def test_whoever_has_spoken_was_there() -> None:
    meeting.given(*SPOKEN).when(correct_seat(CLERK, LEADER, "病假")).then_rejected(HasSpoken)
    meeting.given(*SPOKEN).when(void(MeetingEntry.attendance, LEADER)).then_rejected(HasSpoken)
    silenced = [SpeechVoided(number=n, reason="…") for n in (1, 2, 3)]
    assert meeting.given(*SPOKEN, *silenced).when(correct_seat(CLERK, LEADER, "病假")).decided()


# -- Making up (R79) ------------------------------------------------------------------------------

MAKE_UP = {"person": OTHER_MEMBER, "by_what": made_up.by_what}


@pytest.mark.parametrize("past", [OPEN, CLOSED], ids=["open", "locked"])
def test_an_absentee_makes_up_for_it_even_after_the_minutes_are_locked(
    past: tuple[Event, ...],
) -> None:
    meeting.given(*past).when(by(CLERK, MakeUpAbsence, **MAKE_UP)).then(made_up)
    meeting.given(*past, made_up).when(by(CLERK, MakeUpAbsence, **MAKE_UP)).then_nothing()
    other = {**MAKE_UP, "by_what": "看了录像"}
    meeting.given(*past, made_up).when(by(CLERK, MakeUpAbsence, **other)).then_rejected(
        RecordedOtherwise
    )


def test_only_an_absence_is_made_up_for_and_not_before_the_meeting() -> None:
    for who in (LEADER, TEACHER):
        told = {**MAKE_UP, "person": who}
        meeting.given(*OPEN).when(by(CLERK, MakeUpAbsence, **told)).then_rejected(NotAbsent)
    early = {**MAKE_UP, "occurred_at": OVER - timedelta(minutes=1)}
    meeting.given(*OPEN).when(by(CLERK, MakeUpAbsence, **early)).then_rejected(MadeUpTooEarly)


# -- Speeches (R54, R68-R73) ----------------------------------------------------------------------


def speak(who: PersonId = CLERK, /, **said: object) -> RecordSpeech:
    return by(who, RecordSpeech, **said)


def say(speech: SpeechRecorded, **changes: object) -> RecordSpeech:
    return speak(**{**dict(speech), **changes})


@pytest.mark.parametrize("speech", [examined, self_criticism, criticism])
def test_a_speech_is_recorded_once(speech: SpeechRecorded) -> None:
    meeting.given(*SEATED).when(say(speech)).then(speech)
    meeting.given(*SEATED, speech).when(say(speech)).then_nothing()
    meeting.given(*SEATED, speech).when(say(speech, text="另一番话")).then_rejected(
        RecordedOtherwise
    )


def test_a_criticism_not_talked_over_beforehand_is_recorded_all_the_same() -> None:
    unlinked = criticism.model_copy(update={"talk": None})
    meeting.given(*SEATED).when(say(unlinked)).then(unlinked)
    meeting.given(*SEATED).when(say(self_criticism, talk="talk-1")).then_rejected(TalkUnclear)


@pytest.mark.parametrize("speaker", [OTHER_MEMBER, TEACHER], ids=["absent", "not recorded"])
@pytest.mark.parametrize("speech", [self_criticism, criticism])
def test_whoever_was_not_there_says_nothing(speaker: PersonId, speech: SpeechRecorded) -> None:
    meeting.given(*SEATED).when(say(speech, speaker=speaker)).then_rejected(NotAttending)
    again = (*SEATED, made_up)
    meeting.given(*again).when(say(speech, speaker=speaker)).then_rejected(NotAttending)


def test_criticism_is_of_somebody_else_who_is_in_the_school() -> None:
    seats = meeting.given(*SEATED)
    seats.when(say(criticism, receiver=LEADER)).then_rejected(CriticisesOneself)
    seats.when(say(criticism, receiver=GONE)).then_rejected(NotInTheSchool)
    seats.when(say(criticism, receiver="nobody")).then_rejected(NotInTheSchool)
    seats.when(say(criticism, receiver=None)).then_rejected(ReceiverUnclear)
    absentee = criticism.model_copy(update={"receiver": OTHER_MEMBER})
    seats.when(say(absentee)).then(absentee)


def test_a_comment_may_be_for_somebody_and_nothing_else_is() -> None:
    for receiver in (MEMBER, None):
        comment = SpeechRecorded(
            number=9, act=SpeechAct.comment, speaker=LEADER, receiver=receiver, text="点评"
        )
        meeting.given(*SEATED).when(say(comment)).then(comment)
    for act in (SpeechAct.self_criticism, SpeechAct.other, SpeechAct.team_self_examination):
        told = say(self_criticism, act=act, receiver=MEMBER)
        meeting.given(*SEATED).when(told).then_rejected(ReceiverUnclear)


def test_a_principal_leader_speaks_for_the_team() -> None:
    by_member = say(examined, speaker=MEMBER)
    meeting.given(*SEATED).when(by_member).then_rejected(NotAPrincipalLeader)
    standing_in = replace(FACTS, directory=deputised(LEADER, MEMBER))
    assert meeting.knowing(standing_in).given(*SEATED).when(by_member).decided()


@pytest.mark.parametrize("act", [SpeechAct.self_criticism, SpeechAct.criticism])
@pytest.mark.parametrize("past", [BRIEFING, LEADERSHIP], ids=["briefing", "leadership"])
def test_people_criticise_each_other_where_a_meeting_is_for_it(
    act: SpeechAct, past: tuple[Event, ...]
) -> None:
    told = say(criticism if act is SpeechAct.criticism else self_criticism)
    meeting.given(*past, seated).when(told).then_rejected(WrongKindOfMeeting)
    assert meeting.given(*BRANCH, seated).when(told).decided()


def test_only_a_democratic_life_meeting_hears_the_teams_examination() -> None:
    meeting.given(*BRANCH, seated).when(say(examined)).then_rejected(WrongKindOfMeeting)


def test_nothing_is_said_before_the_meeting_or_after_its_minutes_are_locked() -> None:
    meeting.given(*READY).when(say(examined)).then_rejected(NotHeldYet)
    meeting.given(*CLOSED).when(say(examined, number=9)).then_rejected(MinutesLocked)
    meeting.given(planned, voided).when(say(examined)).then_rejected(OutOfOrder)


@pytest.mark.parametrize(
    ("who", "heard"),
    [(CLERK, True), (LEADER, True), (SECOND_CLERK, True), (MEMBER, False), (SUPERVISOR, False)],
)
def test_who_keeps_the_record_records(who: PersonId, *, heard: bool) -> None:
    outcome = meeting.given(*SEATED).when(speak(who, **dict(examined)))
    if heard:
        outcome.then(examined)
    else:
        outcome.then_rejected(NotTheKeeper)


def test_the_recorder_of_a_branch_meeting_records_it() -> None:
    seats = AttendanceRecorded(attendees=(seat(SECRETARY), seat(TEACHER)))
    told = {"number": 1, "act": SpeechAct.self_criticism, "speaker": SECRETARY, "text": "学习不深"}
    for who in (TEACHER, SECRETARY):
        assert meeting.given(*BRANCH, seats).when(speak(who, **told)).decided()
    meeting.given(*BRANCH, seats).when(speak(COLLEAGUE, **told)).then_rejected(NotTheKeeper)


REWORDED = SpeechCorrected(**{**dict(criticism), "text": "后勤报修回应慢"}, reason="漏记两字")


def reword(who: PersonId, **changes: object) -> CorrectSpeech:
    return by(who, CorrectSpeech, **{**dict(REWORDED), **changes})


def test_a_speech_is_corrected_and_after_locking_by_a_second_person() -> None:
    meeting.given(*OPEN).when(reword(CLERK)).then(REWORDED)
    meeting.given(*OPEN, REWORDED).when(reword(CLERK)).then_nothing()
    meeting.given(*CLOSED).when(reword(SECOND_CLERK)).then(REWORDED)
    meeting.given(*CLOSED).when(reword(CLERK)).then_rejected(FourEyes)
    meeting.given(*SEATED).when(reword(CLERK)).then_rejected(NotOnRecord)
    meeting.given(*OPEN).when(reword(CLERK, receiver=LEADER)).then_rejected(CriticisesOneself)
    meeting.given(*OPEN).when(reword(CLERK, speaker=OTHER_MEMBER)).then_rejected(NotAttending)


def test_a_voided_speech_stays_void() -> None:
    gone = SpeechVoided(number=3, reason="未曾发言")
    strike = by(CLERK, VoidSpeech, number=3, reason="未曾发言")
    meeting.given(*OPEN).when(strike).then(gone)
    meeting.given(*OPEN, gone).when(strike).then_rejected(NotOnRecord)
    meeting.given(*OPEN, gone).when(say(criticism)).then_rejected(RecordedOtherwise)
    meeting.given(*OPEN, gone).when(reword(CLERK)).then_rejected(NotOnRecord)
    meeting.given(*CLOSED).when(strike).then_rejected(FourEyes)
    second = by(SECOND_CLERK, VoidSpeech, number=3, reason="未曾发言")
    meeting.given(*CLOSED).when(second).then(gone)


# -- Problems and measures ------------------------------------------------------------------------


def raise_problem(**changes: object) -> RaiseProblemAtMeeting:
    return by(CLERK, RaiseProblemAtMeeting, **{**dict(problem), **changes})


def test_a_problem_is_named_as_it_is_to_stand_on_the_ledger() -> None:
    meeting.given(*SPOKEN).when(raise_problem()).then(problem)
    meeting.given(*OPEN).when(raise_problem()).then_nothing()
    meeting.given(*OPEN).when(raise_problem(title="会议多")).then_rejected(RecordedOtherwise)
    about = {"addressee": Addressee.member, "person": MEMBER}
    personal = problem.model_copy(update=about)
    meeting.given(*SPOKEN).when(raise_problem(**about)).then(personal)


def test_a_problem_that_the_ledger_would_refuse_is_refused_here() -> None:
    at = meeting.given(*SPOKEN)
    at.when(raise_problem(person=MEMBER)).then_rejected(AddresseeUnclear)
    at.when(raise_problem(addressee=Addressee.member)).then_rejected(AddresseeUnclear)
    at.when(raise_problem(winds=())).then_rejected(WindsUnclear)
    at.when(raise_problem(not_four_winds=True)).then_rejected(WindsUnclear)
    gone = {"addressee": Addressee.member, "person": GONE}
    at.when(raise_problem(**gone)).then_rejected(NotInTheSchool)
    other = problem.model_copy(update={"winds": (), "not_four_winds": True})
    at.when(raise_problem(winds=(), not_four_winds=True)).then(other)


def test_a_problem_is_corrected_or_voided_and_its_key_is_used_once() -> None:
    told = {**dict(problem), "winds": (Wind.bureaucratism,), "reason": "归类有误"}
    better = MeetingProblemCorrected(**told)
    meeting.given(*OPEN).when(by(CLERK, CorrectMeetingProblem, **told)).then(better)
    again = by(SECOND_CLERK, CorrectMeetingProblem, **told)
    meeting.given(*CLOSED).when(again).then(better)
    meeting.given(*CLOSED, better).when(again).then_nothing()
    meeting.given(*CLOSED).when(by(CLERK, CorrectMeetingProblem, **told)).then_rejected(FourEyes)
    meeting.given(*SPOKEN).when(by(CLERK, CorrectMeetingProblem, **told)).then_rejected(NotOnRecord)
    gone = MeetingEntryVoided(entry=MeetingEntry.problem, key="p-1", reason="记错")
    meeting.given(*OPEN).when(void(MeetingEntry.problem, "p-1")).then(gone)
    meeting.given(*OPEN, gone).when(raise_problem()).then_rejected(RecordedOtherwise)


def resolve(**changes: object) -> ResolveMeasure:
    return by(CLERK, ResolveMeasure, **{**dict(measure), **changes})


def test_a_measure_is_resolved_with_owner_deadline_and_deliverable() -> None:
    meeting.given(*SPOKEN).when(resolve()).then(measure)
    meeting.given(*OPEN).when(resolve()).then_nothing()
    meeting.given(*OPEN).when(resolve(owner=LEADER)).then_rejected(RecordedOtherwise)
    meeting.given(*SPOKEN).when(resolve(owner=GONE)).then_rejected(NotInTheSchool)
    day_before = AGREED_ON - timedelta(days=1)
    meeting.given(*SPOKEN).when(resolve(due_on=day_before)).then_rejected(DueBeforeTheMeeting)
    twice = resolve(issues=("issue-1", "issue-1"))
    meeting.given(*SPOKEN).when(twice).then(measure)


def test_a_measure_is_corrected_or_voided() -> None:
    told = {**dict(measure), "due_on": date(2023, 9, 30), "reason": "抄录有误"}
    better = MeasureCorrected(**told)
    meeting.given(*OPEN).when(by(CLERK, CorrectMeasure, **told)).then(better)
    meeting.given(*OPEN, better).when(by(CLERK, CorrectMeasure, **told)).then_nothing()
    meeting.given(*CLOSED).when(by(CLERK, CorrectMeasure, **told)).then_rejected(FourEyes)
    gone = MeetingEntryVoided(entry=MeetingEntry.measure, key="m-1", reason="记错")
    meeting.given(*CLOSED).when(void(MeetingEntry.measure, "m-1", SECOND_CLERK)).then(gone)
    meeting.given(*OPEN, gone).when(resolve()).then_rejected(RecordedOtherwise)


# -- Adopting (R65), briefing (R76) ---------------------------------------------------------------

adopt = by(CLERK, AdoptDocument, kind=PaperKind.examination, id="examination-1")


def test_a_leadership_meeting_adopts_a_paper_that_is_there() -> None:
    meeting.given(*LEADERSHIP).when(adopt).then(adopted)
    meeting.given(*LEADERSHIP, adopted).when(adopt).then_nothing()
    other = by(CLERK, AdoptDocument, kind=PaperKind.plan, id="examination-1")
    meeting.given(*LEADERSHIP, adopted).when(other).then_rejected(RecordedOtherwise)
    nothing = replace(FACTS, adoptable=False)
    meeting.knowing(nothing).given(*LEADERSHIP).when(adopt).then_rejected(NoSuchPaper)
    meeting.knowing(nothing).given(*LEADERSHIP, adopted).when(adopt).then_nothing()
    meeting.given(*SPOKEN).when(adopt).then_rejected(WrongKindOfMeeting)
    gone = MeetingEntryVoided(entry=MeetingEntry.adoption, key="examination-1", reason="记错")
    strike = void(MeetingEntry.adoption, "examination-1")
    meeting.given(*LEADERSHIP, adopted).when(strike).then(gone)
    meeting.given(*LEADERSHIP, adopted, gone).when(adopt).then(adopted)


tell = by(CLERK, ReportBriefingPart, part=BriefingPart.preparation, text=part_told.text)


def test_a_briefing_tells_its_four_parts() -> None:
    meeting.given(*BRIEFING).when(tell).then(part_told)
    meeting.given(*BRIEFING, part_told).when(tell).then_nothing()
    other = by(CLERK, ReportBriefingPart, part=BriefingPart.preparation, text="略")
    meeting.given(*BRIEFING, part_told).when(other).then_rejected(RecordedOtherwise)
    for part in BriefingPart:
        assert (
            meeting.given(*BRIEFING)
            .when(by(CLERK, ReportBriefingPart, part=part, text="略"))
            .decided()
        )
    meeting.given(*SPOKEN).when(tell).then_rejected(WrongKindOfMeeting)


def test_what_a_briefing_told_is_corrected_or_voided() -> None:
    told = {"part": BriefingPart.preparation, "text": "略", "reason": "抄录有误"}
    better = BriefingPartCorrected(**told)
    meeting.given(*BRIEFING, part_told).when(by(CLERK, CorrectBriefingPart, **told)).then(better)
    meeting.given(*BRIEFING, part_told, better).when(
        by(CLERK, CorrectBriefingPart, **told)
    ).then_nothing()
    meeting.given(*BRIEFING).when(by(CLERK, CorrectBriefingPart, **told)).then_rejected(NotOnRecord)
    gone = MeetingEntryVoided(
        entry=MeetingEntry.briefing_part, key="criticism_and_self_criticism", reason="记错"
    )
    criticised = part_told.model_copy(update={"part": BriefingPart.criticism_and_self_criticism})
    strike = void(MeetingEntry.briefing_part, "criticism_and_self_criticism")
    meeting.given(*BRIEFING, criticised).when(strike).then(gone)
    again = by(CLERK, ReportBriefingPart, **dict(criticised))
    meeting.given(*BRIEFING, criticised, gone).when(again).then(criticised)


# -- Voiding entries ------------------------------------------------------------------------------


def void(entry: MeetingEntry, key: str, who: PersonId = CLERK) -> VoidMeetingEntry:
    return by(who, VoidMeetingEntry, entry=entry, key=key, reason="记错")


@pytest.mark.parametrize(
    ("entry", "key"),
    [
        (MeetingEntry.attendance, SUPERVISOR),
        (MeetingEntry.make_up, OTHER_MEMBER),
        (MeetingEntry.problem, "p-1"),
        (MeetingEntry.measure, "m-1"),
    ],
)
def test_an_entry_is_voided_once_and_after_locking_by_a_second_person(
    entry: MeetingEntry, key: str
) -> None:
    gone = MeetingEntryVoided(entry=entry, key=key, reason="记错")
    meeting.given(*OPEN, made_up).when(void(entry, key)).then(gone)
    meeting.given(*OPEN, made_up, gone).when(void(entry, key)).then_rejected(NotOnRecord)
    locked = meeting.given(*OPEN, made_up, closed)
    locked.when(void(entry, key, SECOND_CLERK)).then(gone)
    locked.when(void(entry, key)).then_rejected(FourEyes)
    meeting.given(*HELD).when(void(entry, key)).then_rejected(NotOnRecord)


def test_a_make_up_or_a_seat_voided_may_be_recorded_anew() -> None:
    gone = MeetingEntryVoided(entry=MeetingEntry.make_up, key=OTHER_MEMBER, reason="记错")
    anew = by(CLERK, MakeUpAbsence, **MAKE_UP)
    meeting.given(*CLOSED, made_up, gone).when(anew).then(made_up)
    left = MeetingEntryVoided(entry=MeetingEntry.attendance, key=SUPERVISOR, reason="记错")
    back = attend(seat(SUPERVISOR))
    meeting.given(*SEATED, left).when(back).then(AttendanceRecorded(attendees=(seat(SUPERVISOR),)))


# -- Locked, or not yet ---------------------------------------------------------------------------

NEW: list[Command] = [
    attend(seat(TEACHER)),
    say(criticism, number=9),
    raise_problem(key="p-2"),
    resolve(key="m-2"),
    adopt,
    tell,
]


@pytest.mark.parametrize("command", NEW, ids=lambda c: type(c).__name__)
def test_locked_minutes_take_nothing_new(command: Command) -> None:
    meeting.given(*CLOSED).when(command).then_rejected(MinutesLocked)


@pytest.mark.parametrize("command", NEW, ids=lambda c: type(c).__name__)
def test_what_was_not_held_has_no_record(command: Command) -> None:
    meeting.given(*READY).when(command).then_rejected(NotHeldYet)


@pytest.mark.parametrize("command", NEW, ids=lambda c: type(c).__name__)
def test_a_stranger_puts_nothing_on_record(command: Command) -> None:
    strangers = command.model_copy(update={"by": COLLEAGUE})
    meeting.given(*SPOKEN, ended).when(strangers).then_rejected(NotTheKeeper)


# -- Duplicates -----------------------------------------------------------------------------------

TWIN = PersonId("he-zhiyuan-2")
merged = meeting.knowing(replace(FACTS, directory=changed(TWIN, merged_into=OTHER_MEMBER)))
AS_TWIN = (*HELD, AttendanceRecorded(attendees=(seat(LEADER), seat(TWIN, "出差"))), ended)


def test_a_duplicate_entry_of_a_person_is_the_same_person() -> None:
    there = (*HELD, AttendanceRecorded(attendees=(seat(LEADER), seat(TWIN))))
    own = self_criticism.model_copy(update={"speaker": OTHER_MEMBER})
    merged.given(*there).when(say(own)).then(own)
    merged.given(*AS_TWIN).when(say(own)).then_rejected(NotAttending)
    said_as_twin = criticism.model_copy(update={"speaker": TWIN, "receiver": LEADER})
    strike = correct_seat(CLERK, OTHER_MEMBER, "病假")
    merged.given(*there, said_as_twin).when(strike).then_rejected(HasSpoken)


def test_whoever_was_seated_under_a_duplicate_entry_stays_seated_there() -> None:
    at = merged.given(*AS_TWIN)
    at.when(attend(seat(OTHER_MEMBER, "出差"))).then_nothing()
    came = AttendanceCorrected(attendee=seat(TWIN), reason="点名有误")
    at.when(correct_seat(CLERK, OTHER_MEMBER)).then(came)
    merged.given(*AS_TWIN, came).when(correct_seat(CLERK, OTHER_MEMBER)).then_nothing()
    twins = made_up.model_copy(update={"person": TWIN})
    at.when(by(CLERK, MakeUpAbsence, **MAKE_UP)).then(twins)
    for entry in (MeetingEntry.make_up, MeetingEntry.attendance):
        gone = MeetingEntryVoided(entry=entry, key=TWIN, reason="记错")
        merged.given(*AS_TWIN, twins).when(void(entry, OTHER_MEMBER)).then(gone)

"""Studying together: of which kind, when, where, what, and who was there (R11, R12)."""

from datetime import date
from typing import Any

import pytest

from services.study.domain import FourEyes, InTheFuture, NoSuchItem, NotHere
from services.study.domain.session import (
    BranchUnclear,
    CorrectStudySession,
    Facts,
    LecturerMissing,
    PresentAndExcused,
    RecordStudyAttendance,
    RecordStudySession,
    VoidStudySession,
    decider,
)
from services.study.events import (
    Organiser,
    SessionKind,
    Slogan,
    StudyAttendanceRecorded,
    StudySessionCorrected,
    StudySessionRecorded,
    StudySessionVoided,
)
from shared.decider import Event, OutOfOrder
from tests.scenario import Scenario
from tests.study.cast import (
    GONE,
    MEMBER,
    OFFICER,
    SCHOOL,
    SECRETARY,
    STRANGER,
    SUPERVISOR,
    TEACHER,
    TODAY,
    TOMORROW,
    TWIN,
    YESTERDAY,
    by,
)

FACTS = Facts(SCHOOL, items=frozenset({"item-1", "item-2"}))
session = Scenario(decider, FACTS)

LECTURE: dict[str, Any] = {
    "kind": SessionKind.expert_lecture,
    "held_on": YESTERDAY,
    "place": "阶梯教室",
    "theme": "群众路线的历史与现实",
    "organiser": Organiser.school,
    "branch": None,
    "lecturer": "市委党校讲师",
    "items": ("item-1",),
    "slogans": (Slogan.five_in_the_lead,),
}
recorded = StudySessionRecorded(**LECTURE, recorded_by=OFFICER)
attended = StudyAttendanceRecorded(present=(MEMBER, TEACHER), excused=(STRANGER,))
voided = StudySessionVoided(reason="重复登记")

RECORDED: tuple[Event, ...] = (recorded,)
ATTENDED = (*RECORDED, attended)
VOIDED = (*RECORDED, voided)


def record(**changes: Any) -> RecordStudySession:
    return by(OFFICER, RecordStudySession, **{**LECTURE, **changes})


def correct(**changes: Any) -> CorrectStudySession:
    return by(OFFICER, CorrectStudySession, **{**LECTURE, "reason": "抄错", **changes})


def attend(*present: str, excused: tuple[str, ...] = ()) -> RecordStudyAttendance:
    return by(OFFICER, RecordStudyAttendance, present=present, excused=excused)


@pytest.mark.parametrize("kind", SessionKind)
def test_a_session_of_every_kind_is_recorded(kind: SessionKind) -> None:
    session.given().when(record(kind=kind, branch="liberal")).then(
        recorded.model_copy(update={"kind": kind, "branch": "liberal"})
    )


def test_recording_again_records_nothing() -> None:
    session.given(*RECORDED).when(record()).then_nothing()
    session.given(*RECORDED).when(record(items=("item-1", "item-1"))).then_nothing()
    session.given(*RECORDED).when(record(place="会议室")).then_rejected(OutOfOrder)


def test_a_session_is_not_in_the_future() -> None:
    session.given().when(record(held_on=TODAY)).then(recorded.model_copy(update={"held_on": TODAY}))
    session.given().when(record(held_on=TOMORROW)).then_rejected(InTheFuture)


@pytest.mark.parametrize("branch", [None, "nowhere", "grade-8"])
def test_branch_study_names_a_branch(branch: str | None) -> None:
    study = record(kind=SessionKind.branch_study, branch=branch)
    session.given().when(study).then_rejected(BranchUnclear)


def test_a_lecture_names_its_lecturer() -> None:
    session.given().when(record(lecturer=None)).then_rejected(LecturerMissing)
    film = record(kind=SessionKind.warning_education_film, lecturer=None)
    assert session.given().when(film).decided()


def test_a_session_covers_items_of_the_catalogue() -> None:
    session.given().when(record(items=("item-1", "item-9"))).then_rejected(NoSuchItem)


def test_a_session_is_corrected() -> None:
    session.given(*ATTENDED).when(correct(place="会议室")).then(
        StudySessionCorrected(**{**LECTURE, "place": "会议室"}, reason="抄错")
    )
    session.given(*RECORDED).when(correct()).then_nothing()


def test_an_item_covered_before_may_be_withdrawn_since() -> None:
    later = session.knowing(Facts(SCHOOL))
    assert later.given(*RECORDED).when(correct(place="会议室")).decided()


def test_a_session_cannot_be_moved_to_a_day_when_somebody_present_was_not_here() -> None:
    was_here = StudyAttendanceRecorded(present=(MEMBER,))
    before = session.given(*RECORDED, was_here)
    before.when(correct(held_on=date(2022, 8, 31))).then_rejected(NotHere)


def test_who_was_there_and_who_was_excused_is_said_by_name() -> None:
    session.given(*RECORDED).when(attend(MEMBER, TEACHER, excused=(STRANGER,))).then(attended)
    session.given(*ATTENDED).when(attend(MEMBER, TEACHER, excused=(STRANGER,))).then_nothing()
    session.given(*RECORDED).when(attend(MEMBER, MEMBER)).then(
        StudyAttendanceRecorded(present=(MEMBER,))
    )


def test_what_is_said_last_of_attendance_counts() -> None:
    session.given(*ATTENDED).when(attend(MEMBER)).then(StudyAttendanceRecorded(present=(MEMBER,)))


@pytest.mark.parametrize("person", ["nobody", GONE, TWIN])
def test_who_is_unknown_gone_or_merged_away_was_not_there(person: str) -> None:
    session.given(*RECORDED).when(attend(MEMBER, person)).then_rejected(NotHere)
    session.given(*RECORDED).when(attend(MEMBER, excused=(person,))).then_rejected(NotHere)


def test_nobody_is_present_and_excused() -> None:
    twice = attend(MEMBER, excused=(MEMBER,))
    session.given(*RECORDED).when(twice).then_rejected(PresentAndExcused)


def test_a_session_is_struck_out_by_somebody_else() -> None:
    for person in (SECRETARY, SUPERVISOR):
        void = by(person, VoidStudySession, reason=voided.reason)
        session.given(*ATTENDED).when(void).then(voided)
    own = by(OFFICER, VoidStudySession, reason=voided.reason)
    session.given(*RECORDED).when(own).then_rejected(FourEyes)


def test_what_was_struck_out_stays_so() -> None:
    again = by(SECRETARY, VoidStudySession, reason=voided.reason)
    session.given(*VOIDED).when(again).then_nothing()
    other = by(SECRETARY, VoidStudySession, reason="其他")
    for command in (record(), correct(), attend(MEMBER), other):
        session.given(*VOIDED).when(command).then_rejected(OutOfOrder)


def test_what_is_not_there_is_neither_corrected_nor_attended() -> None:
    for command in (correct(), attend(MEMBER), by(SECRETARY, VoidStudySession, reason="x")):
        session.given().when(command).then_rejected(OutOfOrder)

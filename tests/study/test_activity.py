"""The six ones: what is recorded of them, and what a visit leads to (R16-R28)."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.feedback.events import Addressee, Discovery, Topic, Wind
from services.study.domain import FourEyes, InTheFuture, NotHere, OnlyForOneself
from services.study.domain.activity import (
    NEEDED,
    VISITS,
    ActivityUnclear,
    AddresseeUnclear,
    CorrectActivity,
    NoDifficulty,
    NotAPositiveAmount,
    NotAVisit,
    OutsideSchoolYear,
    OutsideTerm,
    ProblemKeyTaken,
    RaiseProblemFromActivity,
    RecordActivity,
    ReopenDifficulty,
    SolvedBeforehand,
    SolveDifficulty,
    VisitedOneself,
    VoidActivity,
    WindsUnclear,
    decider,
)
from services.study.events import (
    ActivityCorrected,
    ActivityKind,
    ActivityProblemRaised,
    ActivityRecorded,
    ActivityVoided,
    DifficultyReopened,
    DifficultySolved,
    Slogan,
)
from shared.decider import Event, OutOfOrder, PersonId
from tests.scenario import Scenario
from tests.study.cast import (
    GONE,
    IN_JULY,
    IN_WINTER,
    MEMBER,
    NOON,
    OFFICER,
    SCHOOL,
    SECRETARY,
    STRANGER,
    SUPERVISOR,
    TODAY,
    TOMORROW,
    TWIN,
    YESTERDAY,
    by,
)

activity = Scenario(decider, SCHOOL)

TELLING: dict[str, Any] = {
    "title": "八年级(3)班 数学",
    "pupil": "pupil-17",
    "amount": Decimal("2022.00"),
    "visited": STRANGER,
}


def telling(kind: ActivityKind) -> dict[str, Any]:
    """What an activity of a kind says."""
    return {name: TELLING[name] for name in NEEDED[kind]}


LESSON: dict[str, Any] = {
    "kind": ActivityKind.lesson_observation,
    "person": MEMBER,
    "on": TODAY,
    "title": TELLING["title"],
    "remarks": "课堂提问只叫前排",
    "slogans": (Slogan.five_by_example,),
}
VISIT: dict[str, Any] = {
    "kind": ActivityKind.staff_visit,
    "person": MEMBER,
    "on": YESTERDAY,
    "visited": STRANGER,
    "difficulty": "住院期间无人接送孩子",
}
lesson = ActivityRecorded(**LESSON, recorded_by=MEMBER)
visit = ActivityRecorded(**VISIT, recorded_by=MEMBER)
solved = DifficultySolved(on=TODAY, how="年级组轮流接送两周")
reopened = DifficultyReopened(reason="登记错了人")
corrected = ActivityCorrected(**{**LESSON, "on": YESTERDAY}, reason="日期抄错")
PROBLEM: dict[str, Any] = {
    "key": "one",
    "title": "课堂提问只叫前排学生",
    "description": "后三排一节课没有一次提问",
    "addressee": Addressee.team,
    "winds": (Wind.formalism,),
    "topics": (Topic.teaching,),
    "discovery": Discovery.self_found,
}
raised = ActivityProblemRaised(**PROBLEM)
voided = ActivityVoided(reason="当天并未听课")

HEARD: tuple[Event, ...] = (lesson,)
VISITED: tuple[Event, ...] = (visit,)
SOLVED = (*VISITED, solved)
RAISED = (*HEARD, raised)
VOIDED = (*HEARD, voided)


def record(who: PersonId = MEMBER, base: dict[str, Any] = LESSON, **changes: Any) -> RecordActivity:
    return by(who, RecordActivity, **{**base, **changes})


def correct(
    who: PersonId = MEMBER, base: dict[str, Any] = LESSON, **changes: Any
) -> CorrectActivity:
    return by(who, CorrectActivity, **{**base, "reason": "日期抄错", **changes})


def solve(who: PersonId = MEMBER, on: date = TODAY, how: str = solved.how) -> SolveDifficulty:
    return by(who, SolveDifficulty, on=on, how=how)


def reopen(who: PersonId = MEMBER, reason: str = reopened.reason) -> ReopenDifficulty:
    return by(who, ReopenDifficulty, reason=reason)


def raise_problem(who: PersonId = MEMBER, **changes: Any) -> RaiseProblemFromActivity:
    return by(who, RaiseProblemFromActivity, **{**PROBLEM, **changes})


def void(who: PersonId = SUPERVISOR, reason: str = voided.reason) -> VoidActivity:
    return by(who, VoidActivity, reason=reason)


# -- Recording ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ActivityKind)
def test_each_of_the_six_ones_is_recorded(kind: ActivityKind) -> None:
    said = {"kind": kind, "person": MEMBER, "on": TODAY, **telling(kind)}
    activity.given().when(record(base=said)).then(ActivityRecorded(**said, recorded_by=MEMBER))


@pytest.mark.parametrize("kind", ActivityKind)
def test_what_its_kind_needs_is_said_and_nothing_else(kind: ActivityKind) -> None:
    said = {"kind": kind, "person": MEMBER, "on": TODAY, **telling(kind)}
    for name, value in TELLING.items():
        other = {**said, name: None if name in said else value}
        activity.given().when(record(base=other)).then_rejected(ActivityUnclear)


def test_only_a_staff_visit_hears_of_a_difficulty() -> None:
    activity.given().when(record(difficulty="困难")).then_rejected(ActivityUnclear)
    activity.given().when(record(base=VISIT)).then(visit)


def test_recording_again_records_nothing() -> None:
    activity.given(*HEARD).when(record()).then_nothing()
    activity.given(*RAISED).when(record()).then_nothing()
    activity.given(*HEARD).when(record(title="别的课")).then_rejected(OutOfOrder)


def donation(amount: str) -> RecordActivity:
    said = {"kind": ActivityKind.donation, "person": MEMBER, "on": TODAY, "pupil": "pupil-17"}
    return record(base=said, amount=Decimal(amount))


@pytest.mark.parametrize("amount", ["0", "0.00", "-0.01", "-2022"])
def test_a_donation_is_more_than_nothing(amount: str) -> None:
    activity.given().when(donation(amount)).then_rejected(NotAPositiveAmount)


@pytest.mark.parametrize("amount", ["2022", "2022.0", "2022.00"])
def test_an_amount_is_in_yuan_to_the_fen(amount: str) -> None:
    event = activity.given().when(donation(amount)).decided()
    assert isinstance(event, ActivityRecorded)
    assert str(event.amount) == "2022.00"
    activity.given(event).when(donation("2022")).then_nothing()


def test_it_is_not_in_the_future() -> None:
    activity.given().when(record(on=TOMORROW)).then_rejected(InTheFuture)


minutes = st.integers(0, 40 * 24 * 60).map(lambda n: NOON + timedelta(minutes=n))


@given(minutes, st.integers(-3, 3))
def test_today_is_the_day_it_is_in_shanghai(at: datetime, days: int) -> None:
    today = (at + timedelta(hours=8)).date()
    on = today + timedelta(days=days)
    asked = activity.given().when(by(MEMBER, RecordActivity, at=at, **{**LESSON, "on": on}))
    if days > 0:
        asked.then_rejected(InTheFuture)
    else:
        asked.then(lesson.model_copy(update={"on": on}))


@pytest.mark.parametrize("kind", ActivityKind)
def test_it_is_in_a_term_or_at_least_in_a_school_year(kind: ActivityKind) -> None:
    weekly_or_termly = {
        ActivityKind.lesson_observation,
        ActivityKind.canteen_meal,
        ActivityKind.dormitory_visit,
        ActivityKind.named_tutoring,
    }
    long_here = SCHOOL.roster.people[MEMBER].model_copy(update={"joined_on": date(2020, 1, 1)})
    people = {**SCHOOL.roster.people, MEMBER: long_here, STRANGER: long_here}
    roster = SCHOOL.roster.model_copy(update={"people": people})
    before = activity.knowing(SCHOOL.model_copy(update={"roster": roster}))
    said = {"kind": kind, "person": MEMBER, **telling(kind)}
    winter = before.given().when(record(base=said, on=IN_WINTER))
    july = before.given().when(record(base=said, on=IN_JULY))
    if kind in weekly_or_termly:
        winter.then_rejected(OutsideTerm)
        july.then_rejected(OutsideTerm)
    else:
        assert winter.decided()
        july.then_rejected(OutsideSchoolYear)


@pytest.mark.parametrize("person", ["nobody", GONE, TWIN])
def test_who_did_it_and_whom_it_was_paid_to_were_here(person: str) -> None:
    activity.given().when(record(OFFICER, person=person)).then_rejected(NotHere)
    activity.given().when(record(base=VISIT, on=TODAY, visited=person)).then_rejected(NotHere)


def test_a_visit_is_paid_to_somebody_else() -> None:
    activity.given().when(record(base=VISIT, visited=MEMBER)).then_rejected(VisitedOneself)


def test_everybody_records_their_own_and_the_office_for_everybody() -> None:
    for clerk in (OFFICER, SECRETARY):
        activity.given().when(record(clerk)).then(lesson.model_copy(update={"recorded_by": clerk}))
    activity.given().when(record(STRANGER)).then_rejected(OnlyForOneself)


# -- Correcting and striking out ------------------------------------------------------------------


def test_an_activity_is_corrected() -> None:
    activity.given(*HEARD).when(correct(on=YESTERDAY)).then(corrected)
    activity.given(*HEARD, corrected).when(correct(on=YESTERDAY)).then_nothing()
    activity.given(*HEARD).when(correct(STRANGER, on=YESTERDAY)).then_rejected(OnlyForOneself)


def test_nobody_makes_anothers_activity_their_own() -> None:
    mine = correct(STRANGER, person=STRANGER)
    activity.given(*HEARD).when(mine).then_rejected(OnlyForOneself)


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"on": TOMORROW}, InTheFuture),
        ({"on": IN_WINTER}, OutsideTerm),
        ({"title": None}, ActivityUnclear),
    ],
    ids=str,
)
def test_a_correction_is_held_to_the_same_rules(wrong: dict[str, Any], rule: Any) -> None:
    activity.given(*HEARD).when(correct(**wrong)).then_rejected(rule)


def test_an_activity_is_struck_out_by_somebody_else() -> None:
    activity.given(*RAISED[:-1]).when(void()).then(voided)
    raised = voided.model_copy(update={"problems": ("one",)})
    activity.given(*RAISED).when(void()).then(raised)
    activity.given(*VOIDED).when(void()).then_nothing()
    clerks = lesson.model_copy(update={"recorded_by": OFFICER})
    activity.given(clerks).when(void(OFFICER)).then_rejected(FourEyes)
    for command in (record(), correct(), solve(), reopen(), raise_problem(), void(reason="别的")):
        activity.given(*VOIDED).when(command).then_rejected(OutOfOrder)


def test_what_is_not_there_is_not_changed() -> None:
    for command in (correct(), solve(), reopen(), raise_problem(), void()):
        activity.given().when(command).then_rejected(OutOfOrder)


# -- Difficulties ---------------------------------------------------------------------------------


def test_a_difficulty_is_solved() -> None:
    activity.given(*VISITED).when(solve()).then(solved)
    activity.given(*SOLVED).when(solve()).then_nothing()
    activity.given(*SOLVED).when(solve(how="别的办法")).then_rejected(OutOfOrder)
    activity.given(*VISITED).when(solve(STRANGER)).then_rejected(OnlyForOneself)


def test_a_difficulty_is_solved_between_the_visit_and_today() -> None:
    activity.given(*VISITED).when(solve(on=date(2023, 5, 6))).then_rejected(SolvedBeforehand)
    activity.given(*VISITED).when(solve(on=TOMORROW)).then_rejected(InTheFuture)


def test_where_there_was_no_difficulty_none_is_solved() -> None:
    activity.given(*HEARD).when(solve()).then_rejected(NoDifficulty)


def test_that_it_was_solved_can_be_taken_back() -> None:
    activity.given(*SOLVED).when(reopen()).then(reopened)
    activity.given(*SOLVED, reopened).when(reopen()).then_nothing()
    activity.given(*SOLVED, reopened).when(solve()).then(solved)
    activity.given(*SOLVED).when(reopen(STRANGER)).then_rejected(OnlyForOneself)
    activity.given(*VISITED).when(reopen()).then_rejected(OutOfOrder)


def test_a_correction_does_not_lose_a_difficulty_that_was_solved() -> None:
    without = correct(base=VISIT, difficulty=None)
    activity.given(*SOLVED).when(without).then_rejected(SolvedBeforehand)
    yesterday = DifficultySolved(on=YESTERDAY, how=solved.how)
    later = correct(base=VISIT, on=TODAY)
    activity.given(*VISITED, yesterday).when(later).then_rejected(SolvedBeforehand)
    assert activity.given(*VISITED).when(without).decided()


# -- Problems -------------------------------------------------------------------------------------


def test_a_visit_raises_a_problem() -> None:
    activity.given(*HEARD).when(raise_problem()).then(raised)
    activity.given(*RAISED).when(raise_problem()).then_nothing()
    activity.given(*RAISED).when(raise_problem(key="two")).then(
        raised.model_copy(update={"key": "two"})
    )


def test_a_key_names_one_problem() -> None:
    other = raise_problem(title="别的问题")
    activity.given(*RAISED).when(other).then_rejected(ProblemKeyTaken)


def test_who_did_not_see_it_does_not_raise_it() -> None:
    activity.given(*HEARD).when(raise_problem(STRANGER)).then_rejected(OnlyForOneself)
    assert activity.given(*HEARD).when(raise_problem(OFFICER)).decided()


@pytest.mark.parametrize("kind", ActivityKind)
def test_only_visits_and_lessons_raise_problems(kind: ActivityKind) -> None:
    said = {"kind": kind, "person": MEMBER, "on": TODAY, **telling(kind)}
    done = activity.given(ActivityRecorded(**said, recorded_by=MEMBER)).when(raise_problem())
    if kind in VISITS:
        done.then(raised)
    else:
        done.then_rejected(NotAVisit)


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"addressee": Addressee.member}, AddresseeUnclear),
        ({"person": STRANGER}, AddresseeUnclear),
        ({"winds": ()}, WindsUnclear),
        ({"not_four_winds": True}, WindsUnclear),
        ({"addressee": Addressee.member, "person": GONE}, NotHere),
        ({"addressee": Addressee.member, "person": "nobody"}, NotHere),
    ],
    ids=str,
)
def test_it_is_what_rectification_opens_an_issue_of(wrong: dict[str, Any], rule: Any) -> None:
    activity.given(*HEARD).when(raise_problem(**wrong)).then_rejected(rule)


def test_a_problem_says_what_an_issue_is_opened_with() -> None:
    issue = {"title", "description", "addressee", "person", "winds", "not_four_winds", "topics"}
    issue |= {"discovery", "key_issue", "strongly_reflected"}
    assert set(ActivityProblemRaised.model_fields) == issue | {"key"}

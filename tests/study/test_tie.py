"""A member's contact unit: one at a time, two members may share one (R18)."""

from datetime import date
from typing import Any

import pytest

from services.study.domain import (
    EndsBeforeItBegins,
    FourEyes,
    InTheFuture,
    NotHere,
    OnlyForOneself,
)
from services.study.domain.tie import (
    AlreadyTied,
    CorrectTie,
    EndTie,
    NoSuchContactUnit,
    NoSuchTie,
    OpenTie,
    TiesOverlap,
    VoidTie,
    decider,
)
from services.study.events import TieCorrected, TieEnded, TieOpened, TieVoided
from shared.decider import Event, OutOfOrder, PersonId
from tests.scenario import Scenario
from tests.study.cast import (
    GONE,
    MEMBER,
    OFFICER,
    SCHOOL,
    SECRETARY,
    STRANGER,
    TODAY,
    TOMORROW,
    TWIN,
    YESTERDAY,
    by,
)

tie = Scenario(decider, SCHOOL)

SINCE, UNTIL, NEXT = date(2023, 2, 13), date(2023, 4, 14), date(2023, 4, 17)
opened = TieOpened(number=1, person=MEMBER, unit="grade-8", since=SINCE, recorded_by=MEMBER)
ended = TieEnded(number=1, until=UNTIL)
second = TieOpened(number=2, person=MEMBER, unit="logistics", since=NEXT, recorded_by=MEMBER)
corrected = TieCorrected(number=1, unit="logistics", since=SINCE, reason="抄错")
voided = TieVoided(number=1, reason="登记错人")

OPEN: tuple[Event, ...] = (opened,)
ENDED = (*OPEN, ended)
MOVED = (*ENDED, second)
VOIDED = (*OPEN, voided)


def open_tie(who: PersonId = MEMBER, **changes: Any) -> OpenTie:
    return by(who, OpenTie, **{"person": MEMBER, "unit": "grade-8", "since": SINCE, **changes})


def end(until: date = UNTIL, who: PersonId = MEMBER) -> EndTie:
    return by(who, EndTie, until=until)


def correct(who: PersonId = MEMBER, **changes: Any) -> CorrectTie:
    said = {"number": 1, "unit": "logistics", "since": SINCE, "reason": "抄错", **changes}
    return by(who, CorrectTie, **said)


def void(who: PersonId = SECRETARY, number: int = 1, reason: str = "登记错人") -> VoidTie:
    return by(who, VoidTie, number=number, reason=reason)


def test_a_member_takes_on_a_grade_or_a_department() -> None:
    tie.given().when(open_tie()).then(opened)
    tie.given().when(open_tie(unit="logistics")).then(
        opened.model_copy(update={"unit": "logistics"})
    )
    tie.given(*OPEN).when(open_tie()).then_nothing()
    assert open_tie().unique() == (MEMBER,)


def test_a_second_one_at_the_same_time_is_refused() -> None:
    tie.given(*OPEN).when(open_tie(unit="logistics", since=NEXT)).then_rejected(AlreadyTied)
    tie.given(*ENDED).when(open_tie(unit="logistics", since=NEXT)).then(second)
    tie.given(*ENDED).when(open_tie(unit="logistics", since=UNTIL)).then_rejected(TiesOverlap)
    tie.given(*ENDED).when(open_tie(unit="logistics", since=date(2023, 2, 1))).then_rejected(
        TiesOverlap
    )


def test_a_tie_that_ended_is_written_down_late() -> None:
    earlier: dict[str, Any] = {
        "unit": "logistics",
        "since": date(2022, 9, 5),
        "until": date(2023, 1, 13),
    }
    late = opened.model_copy(update={**earlier, "number": 2})
    tie.given(*OPEN).when(open_tie(**earlier)).then(late)
    tie.given(*OPEN, late).when(open_tie(**earlier)).then_nothing()
    too_long = open_tie(**{**earlier, "until": SINCE})
    tie.given(*OPEN).when(too_long).then_rejected(AlreadyTied)
    backwards = open_tie(since=UNTIL, until=SINCE)
    tie.given().when(backwards).then_rejected(EndsBeforeItBegins)


def test_two_members_may_share_a_unit() -> None:
    other = by(OFFICER, OpenTie, person=STRANGER, unit="grade-8", since=SINCE)
    tie.given().when(other).then(
        opened.model_copy(update={"person": STRANGER, "recorded_by": OFFICER})
    )


@pytest.mark.parametrize("unit", ["nowhere", "liberal", "union"])
def test_the_unit_is_a_grade_or_department_of_that_day(unit: str) -> None:
    late: dict[str, Any] = {"unit": unit, "since": TODAY}
    tie.given().when(open_tie(**late)).then_rejected(NoSuchContactUnit)
    tie.given(*OPEN).when(correct(**late)).then_rejected(NoSuchContactUnit)


@pytest.mark.parametrize("person", ["nobody", TWIN])
def test_the_member_was_here(person: str) -> None:
    tie.given().when(open_tie(OFFICER, person=person)).then_rejected(NotHere)
    tie.given().when(open_tie(OFFICER, person=GONE, since=TODAY)).then_rejected(NotHere)


def test_everybody_records_their_own_and_the_office_for_everybody() -> None:
    for command in (open_tie(STRANGER), end(who=STRANGER), correct(STRANGER)):
        past = () if isinstance(command, OpenTie) else OPEN
        tie.given(*past).when(command).then_rejected(OnlyForOneself)
    tie.given(*OPEN).when(end(who=OFFICER)).then(ended)


def test_a_tie_ends_with_a_day() -> None:
    tie.given(*OPEN).when(end()).then(ended)
    tie.given(*ENDED).when(end()).then_nothing()
    tie.given(*ENDED).when(end(TODAY)).then_rejected(NoSuchTie)
    tie.given(*MOVED).when(end(TODAY)).then(TieEnded(number=2, until=TODAY))


def test_a_tie_neither_begins_nor_ends_in_the_future_nor_before_it_began() -> None:
    tie.given().when(open_tie(since=TOMORROW)).then_rejected(InTheFuture)
    tie.given(*OPEN).when(end(TOMORROW)).then_rejected(InTheFuture)
    tie.given(*OPEN).when(end(date(2023, 2, 12))).then_rejected(EndsBeforeItBegins)


def test_a_tie_is_corrected() -> None:
    tie.given(*OPEN).when(correct()).then(corrected)
    tie.given(*OPEN, corrected).when(correct()).then_nothing()
    tie.given(*ENDED).when(correct(unit="grade-8", until=YESTERDAY)).then(
        TieCorrected(number=1, unit="grade-8", since=SINCE, until=YESTERDAY, reason="抄错")
    )
    tie.given(*OPEN).when(correct(number=2)).then_rejected(NoSuchTie)


@pytest.mark.parametrize("until", [None, NEXT, TODAY])
def test_a_correction_makes_no_two_ties_at_once(until: date | None) -> None:
    longer = correct(unit="grade-8", until=until)
    tie.given(*MOVED).when(longer).then_rejected(AlreadyTied)
    over = TieEnded(number=2, until=TODAY)
    tie.given(*MOVED, over).when(longer).then_rejected(TiesOverlap)


def test_a_correction_keeps_the_days_in_order() -> None:
    wrong = correct(until=date(2023, 2, 12))
    tie.given(*OPEN).when(wrong).then_rejected(EndsBeforeItBegins)


def test_a_tie_is_struck_out_by_somebody_else() -> None:
    tie.given(*OPEN).when(void()).then(voided)
    tie.given(*VOIDED).when(void()).then_nothing()
    tie.given(*VOIDED).when(void(reason="别的")).then_rejected(NoSuchTie)
    tie.given(*VOIDED).when(correct()).then_rejected(NoSuchTie)
    clerks = opened.model_copy(update={"recorded_by": SECRETARY})
    tie.given(clerks).when(void()).then_rejected(FourEyes)


def test_what_was_struck_out_leaves_room() -> None:
    tie.given(*VOIDED).when(open_tie(unit="logistics", since=NEXT)).then(second)
    tie.given(*VOIDED).when(open_tie()).then(opened.model_copy(update={"number": 2}))


def test_another_members_ties_are_another_stream() -> None:
    tie.given(*OPEN).when(open_tie(OFFICER, person=STRANGER)).then_rejected(OutOfOrder)


def test_where_there_is_no_tie_none_is_ended() -> None:
    for command in (end(), correct(), void()):
        tie.given().when(command).then_rejected(OutOfOrder)

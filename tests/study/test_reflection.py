"""A reflection is written, and rated by a reader who did not write it (R14, R15)."""

from datetime import date
from typing import Any

import pytest

from services.study.domain import FourEyes, InTheFuture, NotHere, OnlyForOneself
from services.study.domain.reflection import (
    CorrectReflection,
    OwnReflection,
    RateReflection,
    SubmitReflection,
    VoidReflection,
    decider,
)
from services.study.events import (
    Rating,
    ReflectionCorrected,
    ReflectionRated,
    ReflectionSubmitted,
    ReflectionVoided,
)
from shared.decider import Event, OutOfOrder, PersonId
from tests.scenario import Scenario
from tests.study.cast import (
    CADRE,
    GONE,
    LEADER,
    OFFICER,
    SCHOOL,
    SECRETARY,
    STRANGER,
    SUPERVISOR,
    TODAY,
    TOMORROW,
    TWIN,
    by,
)

reflection = Scenario(decider, SCHOOL)

WORDING: dict[str, Any] = {
    "title": "把服务窗口搬到学生身边",
    "text": "总务工作离学生最近,也最容易只看报表不看人。",
    "length": 22,
    "written_on": date(2023, 4, 20),
}
submitted = ReflectionSubmitted(author=CADRE, **WORDING, recorded_by=CADRE)
corrected = ReflectionCorrected(**{**WORDING, "title": "总务工作学习心得"}, reason="标题抄错")
rated = ReflectionRated(reader=LEADER, rating=Rating.good, comment="联系实际,有具体做法")
voided = ReflectionVoided(reason="与他人雷同,退回重写")
SUBMITTED: tuple[Event, ...] = (submitted,)
RATED = (*SUBMITTED, rated)
VOIDED = (*SUBMITTED, voided)


def submit(who: PersonId = CADRE, **changes: Any) -> SubmitReflection:
    return by(who, SubmitReflection, **{"author": CADRE, **WORDING, **changes})


def correct(who: PersonId = CADRE, **changes: Any) -> CorrectReflection:
    said = {**WORDING, "title": "总务工作学习心得", "reason": "标题抄错", **changes}
    return by(who, CorrectReflection, **said)


def rate(who: PersonId = LEADER, rating: Rating = Rating.good) -> RateReflection:
    return by(who, RateReflection, rating=rating, comment=rated.comment)


def void(who: PersonId = SUPERVISOR, reason: str = voided.reason) -> VoidReflection:
    return by(who, VoidReflection, reason=reason)


def test_an_author_hands_in_their_own() -> None:
    reflection.given().when(submit()).then(submitted)
    reflection.given(*SUBMITTED).when(submit()).then_nothing()
    reflection.given().when(submit(STRANGER)).then_rejected(OnlyForOneself)


def test_the_office_enters_what_was_handed_in_on_paper() -> None:
    reflection.given().when(submit(OFFICER)).then(
        submitted.model_copy(update={"recorded_by": OFFICER})
    )


@pytest.mark.parametrize(
    "other", [{"title": "别的"}, {"text": "别的"}, {"author": LEADER}], ids=str
)
def test_another_reflection_is_not_taken_for_the_same(other: dict[str, Any]) -> None:
    reflection.given(*SUBMITTED).when(submit(OFFICER, **other)).then_rejected(OutOfOrder)


def test_a_reflection_is_not_written_in_the_future() -> None:
    assert reflection.given().when(submit(written_on=TODAY)).decided()
    reflection.given().when(submit(written_on=TOMORROW)).then_rejected(InTheFuture)
    reflection.given(*SUBMITTED).when(correct(written_on=TOMORROW)).then_rejected(InTheFuture)


@pytest.mark.parametrize("person", ["nobody", TWIN])
def test_its_author_was_here(person: str) -> None:
    reflection.given().when(submit(OFFICER, author=person)).then_rejected(NotHere)


def test_who_has_left_may_have_written_before() -> None:
    assert reflection.given().when(submit(OFFICER, author=GONE)).decided()
    late = submit(OFFICER, author=GONE, written_on=TODAY)
    reflection.given().when(late).then_rejected(NotHere)


def test_a_reflection_is_corrected_by_its_author_or_the_office() -> None:
    for person in (CADRE, OFFICER):
        reflection.given(*RATED).when(correct(person)).then(corrected)
    reflection.given(*SUBMITTED, corrected).when(correct()).then_nothing()
    reflection.given(*SUBMITTED).when(correct(STRANGER)).then_rejected(OnlyForOneself)


def test_a_reader_rates_it_and_may_think_again() -> None:
    reflection.given(*SUBMITTED).when(rate()).then(rated)
    reflection.given(*RATED).when(rate()).then_nothing()
    reflection.given(*RATED).when(rate(rating=Rating.poor)).then(
        rated.model_copy(update={"rating": Rating.poor})
    )
    reflection.given(*RATED).when(rate(SECRETARY)).then(
        rated.model_copy(update={"reader": SECRETARY})
    )


def test_nobody_rates_their_own() -> None:
    own = submitted.model_copy(update={"author": LEADER})
    reflection.given(own).when(rate()).then_rejected(OwnReflection)


def test_not_even_under_the_id_of_a_merged_duplicate() -> None:
    twins = submitted.model_copy(update={"author": TWIN})
    member = rate(PersonId("tan-huifen"))
    reflection.given(twins).when(member).then_rejected(OwnReflection)


def test_a_reflection_is_struck_out_by_somebody_else() -> None:
    reflection.given(*RATED).when(void()).then(voided)
    reflection.given(*VOIDED).when(void()).then_nothing()
    for own in (
        submitted.model_copy(update={"author": SUPERVISOR}),
        submitted.model_copy(update={"recorded_by": SUPERVISOR}),
    ):
        reflection.given(own).when(void()).then_rejected(FourEyes)


def test_what_was_struck_out_stays_so() -> None:
    for command in (submit(), correct(), rate(), void(reason="别的")):
        reflection.given(*VOIDED).when(command).then_rejected(OutOfOrder)


def test_what_was_not_written_is_neither_corrected_nor_rated() -> None:
    for command in (correct(), rate(), void()):
        reflection.given().when(command).then_rejected(OutOfOrder)

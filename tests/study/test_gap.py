"""What people find lacking in themselves, in five aspects (R13)."""

from datetime import date
from typing import Any

import pytest

from services.study.domain import (
    AlreadyRecorded,
    FourEyes,
    InTheFuture,
    NoSuchCampaign,
    NotHere,
    OnlyForOneself,
)
from services.study.domain.gap import CorrectGap, RecordGap, VoidGap, decider
from services.study.events import Aspect, GapCorrected, GapRecorded, GapVoided
from shared.decider import Event, OutOfOrder, PersonId
from tests.scenario import Scenario
from tests.study.cast import (
    CAMPAIGN,
    OFFICER,
    SCHOOL,
    SECRETARY,
    STRANGER,
    TEACHER,
    TOMORROW,
    TWIN,
    by,
)

gap = Scenario(decider, SCHOOL)

FOUND: dict[str, Any] = {
    "campaign": CAMPAIGN,
    "person": TEACHER,
    "aspect": Aspect.service,
    "text": "家访只去近处,远的学生一个学期没有去过",
    "found_on": date(2023, 4, 12),
}
recorded = GapRecorded(**FOUND, recorded_by=TEACHER)
corrected = GapCorrected(text="家访不均", found_on=FOUND["found_on"], reason="抄错")
voided = GapVoided(reason="登记错人")
RECORDED: tuple[Event, ...] = (recorded,)
VOIDED = (*RECORDED, voided)


def record(who: PersonId = TEACHER, **changes: Any) -> RecordGap:
    return by(who, RecordGap, **{**FOUND, **changes})


def correct(who: PersonId = TEACHER, **changes: Any) -> CorrectGap:
    said = {"text": "家访不均", "found_on": FOUND["found_on"], "reason": "抄错", **changes}
    return by(who, CorrectGap, **said)


def void(who: PersonId = SECRETARY, reason: str = voided.reason) -> VoidGap:
    return by(who, VoidGap, reason=reason)


@pytest.mark.parametrize("aspect", Aspect)
def test_a_gap_is_recorded_in_each_aspect_once(aspect: Aspect) -> None:
    expected = recorded.model_copy(update={"aspect": aspect})
    gap.given().when(record(aspect=aspect)).then(expected)
    gap.given(expected).when(record(aspect=aspect)).then_nothing()
    assert record(aspect=aspect).unique() == (CAMPAIGN, TEACHER, aspect)


def test_other_words_are_a_correction() -> None:
    gap.given(*RECORDED).when(record(text="别的")).then_rejected(AlreadyRecorded)
    gap.given(*RECORDED).when(correct()).then(corrected)
    gap.given(*RECORDED, corrected).when(correct()).then_nothing()


def test_what_belongs_to_another_stream_is_not_taken_for_the_same() -> None:
    gap.given(*RECORDED).when(record(aspect=Aspect.style)).then_rejected(OutOfOrder)


def test_everybody_finds_their_own_and_the_office_enters_it() -> None:
    gap.given().when(record(OFFICER)).then(recorded.model_copy(update={"recorded_by": OFFICER}))
    gap.given().when(record(STRANGER)).then_rejected(OnlyForOneself)
    gap.given(*RECORDED).when(correct(STRANGER)).then_rejected(OnlyForOneself)


def test_a_gap_belongs_to_a_campaign() -> None:
    gap.given().when(record(campaign="campaign-9")).then_rejected(NoSuchCampaign)


def test_it_was_found_by_somebody_here_and_not_in_the_future() -> None:
    gap.given().when(record(found_on=TOMORROW)).then_rejected(InTheFuture)
    gap.given().when(record(OFFICER, person=TWIN)).then_rejected(NotHere)
    gap.given(*RECORDED).when(correct(found_on=TOMORROW)).then_rejected(InTheFuture)


def test_it_is_struck_out_by_somebody_else_and_may_be_recorded_anew() -> None:
    gap.given(*RECORDED).when(void()).then(voided)
    gap.given(*VOIDED).when(void()).then_nothing()
    gap.given(*VOIDED).when(record()).then(recorded)
    gap.given(*VOIDED).when(void(reason="别的")).then_rejected(OutOfOrder)
    own = recorded.model_copy(update={"person": SECRETARY})
    gap.given(own).when(void()).then_rejected(FourEyes)
    for command in (correct(), void()):
        gap.given().when(command).then_rejected(OutOfOrder)

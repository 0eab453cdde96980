"""How somebody rates themselves before and after the study (R30)."""

from typing import Any

from services.study.domain import AlreadyRecorded, NoSuchCampaign, OnlyForOneself
from services.study.domain.self_rating import (
    CorrectSelfRating,
    RecordSelfRating,
    ScoresAsked,
    VoidSelfRating,
    decider,
)
from services.study.events import (
    Phase,
    Scores,
    SelfRatingCorrected,
    SelfRatingRecorded,
    SelfRatingVoided,
)
from shared.decider import Event, OutOfOrder, PersonId
from tests.scenario import Scenario
from tests.study.cast import CAMPAIGN, LEADER, SCHOOL, TEACHER, by

rating = Scenario(decider, SCHOOL)

LOW: dict[str, int] = {
    "mass_line_theory": 2,
    "mass_line_history": 2,
    "public_concerns": 3,
    "own_detachment": 1,
    "working_methods": 2,
}
HIGH = dict.fromkeys(LOW, 4)
recorded = SelfRatingRecorded(
    campaign=CAMPAIGN, person=TEACHER, phase=Phase.before, scores=Scores(**LOW)
)
corrected = SelfRatingCorrected(scores=Scores(**HIGH), reason="填错")
voided = SelfRatingVoided(reason="重新填写")
RECORDED: tuple[Event, ...] = (recorded,)
VOIDED = (*RECORDED, voided)


def record(who: PersonId = TEACHER, **changes: Any) -> RecordSelfRating:
    said = {"campaign": CAMPAIGN, "phase": Phase.before, "scores": ScoresAsked(**LOW), **changes}
    return by(who, RecordSelfRating, **said)


def correct(who: PersonId = TEACHER) -> CorrectSelfRating:
    return by(who, CorrectSelfRating, scores=ScoresAsked(**HIGH), reason="填错")


def void(who: PersonId = TEACHER, reason: str = voided.reason) -> VoidSelfRating:
    return by(who, VoidSelfRating, reason=reason)


def test_somebody_rates_themselves_once_in_each_phase() -> None:
    rating.given().when(record()).then(recorded)
    rating.given(*RECORDED).when(record()).then_nothing()
    rating.given(*RECORDED).when(record(scores=ScoresAsked(**HIGH))).then_rejected(AlreadyRecorded)
    rating.given(*RECORDED).when(record(phase=Phase.after)).then_rejected(OutOfOrder)
    assert record().unique() == (CAMPAIGN, TEACHER, Phase.before)


def test_it_belongs_to_a_campaign() -> None:
    rating.given().when(record(campaign="campaign-9")).then_rejected(NoSuchCampaign)


def test_nobody_rates_another() -> None:
    for command in (record(LEADER), correct(LEADER), void(LEADER)):
        rating.given(*RECORDED).when(command).then_rejected(OnlyForOneself)
    rating.given(*VOIDED).when(record(LEADER)).then_rejected(OnlyForOneself)


def test_a_rating_is_corrected_or_taken_back_and_given_anew() -> None:
    rating.given(*RECORDED).when(correct()).then(corrected)
    rating.given(*RECORDED, corrected).when(correct()).then_nothing()
    rating.given(*RECORDED).when(void()).then(voided)
    rating.given(*VOIDED).when(void()).then_nothing()
    rating.given(*VOIDED).when(record()).then(recorded)
    rating.given(*VOIDED).when(void(reason="别的")).then_rejected(OutOfOrder)


def test_what_is_not_there_is_not_changed() -> None:
    for command in (correct(), void()):
        rating.given().when(command).then_rejected(OutOfOrder)

"""A regulation is drafted, adopted, revised, abolished, with the issues it answers (建章立制)."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.rectification.domain.issue import FourEyes, NoSuchIssue, TooFarAway
from services.rectification.domain.regulation import (
    AbolishedTooEarly,
    AbolishRegulation,
    AdoptRegulation,
    AlreadyAdopted,
    CorrectRegulation,
    DatesUnclear,
    DraftRegulation,
    Facts,
    NotInForce,
    OnlyALeader,
    ReviseRegulation,
    VoidRegulation,
    decider,
)
from services.rectification.events import (
    RegulationAbolished,
    RegulationAdopted,
    RegulationCorrected,
    RegulationDrafted,
    RegulationRevised,
    RegulationVoided,
)
from shared.decider import Event, OutOfOrder, PersonId
from tests.rectification.cast import LEADER, OWNER, SCHOOL, SUPERVISOR, by
from tests.scenario import Scenario

FACTS = Facts(SCHOOL, issues=frozenset({"issue-1", "issue-2"}))
regulation = Scenario(decider, FACTS)

BEGINS, ENDS = date(2023, 6, 1), date(2024, 7, 1)
WORDING: dict[str, Any] = {
    "title": "宿舍热水供应管理办法",
    "text": "第一条 热水供应至二十二点三十分。",
    "answers": ("issue-1",),
}
REVISED: dict[str, Any] = {
    "title": "宿舍热水供应和报修管理办法",
    "text": "第一条 热水供应至二十二点三十分。第二条 报修当日答复。",
    "answers": ("issue-1", "issue-2"),
    "reason": "补充报修条款",
}
CORRECTED: dict[str, Any] = {**WORDING, "title": "学生宿舍热水供应管理办法", "reason": "标题抄错"}

drafted = RegulationDrafted(**WORDING, drafted_by=OWNER)
adopted = RegulationAdopted(in_force_on=BEGINS)
revised = RegulationRevised(revision=2, **REVISED)
abolished = RegulationAbolished(on=ENDS, reason="由学校章程取代")
voided = RegulationVoided(reason="录入错误")

DRAFTED: tuple[Event, ...] = (drafted,)
ADOPTED = (*DRAFTED, adopted)
ABOLISHED = (*ADOPTED, abolished)
VOIDED = (*DRAFTED, voided)

ABSENT = pytest.mark.parametrize("past", [(), VOIDED], ids=["nothing", "voided"])


def draft(**changes: Any) -> DraftRegulation:
    return by(OWNER, DraftRegulation, **{**WORDING, **changes})


def adopt(day: date = BEGINS) -> AdoptRegulation:
    return by(LEADER, AdoptRegulation, in_force_on=day)


def revise(person: PersonId = LEADER, **changes: Any) -> ReviseRegulation:
    return by(person, ReviseRegulation, **{**REVISED, **changes})


def correct(person: PersonId = LEADER, **changes: Any) -> CorrectRegulation:
    return by(person, CorrectRegulation, **{**CORRECTED, **changes})


def abolish(day: date = ENDS, reason: str = abolished.reason) -> AbolishRegulation:
    return by(LEADER, AbolishRegulation, on=day, reason=reason)


def void(person: PersonId = SUPERVISOR) -> VoidRegulation:
    return by(person, VoidRegulation, reason="录入错误")


# -- Drafting -------------------------------------------------------------------------------------


def test_a_regulation_is_drafted_with_the_issues_it_answers() -> None:
    regulation.given().when(draft()).then(drafted)


def test_a_regulation_may_answer_no_issue_in_particular() -> None:
    regulation.given().when(draft(answers=())).then(drafted.model_copy(update={"answers": ()}))


def test_an_issue_named_twice_is_answered_once() -> None:
    regulation.given().when(draft(answers=("issue-2", "issue-1", "issue-2"))).then(
        drafted.model_copy(update={"answers": ("issue-2", "issue-1")})
    )


def test_a_regulation_answers_issues_that_are_on_the_ledger() -> None:
    regulation.given().when(draft(answers=("issue-1", "issue-9"))).then_rejected(NoSuchIssue)


def test_drafting_again_records_nothing() -> None:
    regulation.given(*DRAFTED).when(draft()).then_nothing()
    regulation.given(*DRAFTED).when(draft(answers=("issue-1", "issue-1"))).then_nothing()


@pytest.mark.parametrize("other", [{"title": "办法"}, {"text": "第一条"}, {"answers": ()}], ids=str)
def test_drafting_other_words_is_not_taken_for_the_same(other: dict[str, Any]) -> None:
    regulation.given(*DRAFTED).when(draft(**other)).then_rejected(OutOfOrder)


@pytest.mark.parametrize("past", [ADOPTED, ABOLISHED, VOIDED], ids=["adopted", "over", "voided"])
def test_what_was_drafted_before_is_not_drafted_again(past: tuple[Event, ...]) -> None:
    regulation.given(*past).when(draft()).then_rejected(OutOfOrder)


# -- Adopting -------------------------------------------------------------------------------------


@pytest.mark.parametrize("day", [BEGINS, date(2022, 9, 1), date(2023, 9, 1)], ids=str)
def test_a_regulation_comes_into_force_on_a_day_past_or_future(day: date) -> None:
    regulation.given(*DRAFTED).when(adopt(day)).then(RegulationAdopted(in_force_on=day))


def test_adopting_again_records_nothing() -> None:
    regulation.given(*ADOPTED).when(adopt()).then_nothing()


def test_adopting_from_another_day_on_is_not_taken_for_the_same() -> None:
    regulation.given(*ADOPTED).when(adopt(date(2023, 9, 1))).then_rejected(AlreadyAdopted)


@pytest.mark.parametrize("day", [date.min, date.max], ids=str)
def test_a_regulation_comes_into_force_in_this_century(day: date) -> None:
    regulation.given(*DRAFTED).when(adopt(day)).then_rejected(TooFarAway)


@pytest.mark.parametrize("past", [(), ABOLISHED, VOIDED], ids=["nothing", "over", "voided"])
def test_only_a_draft_is_adopted(past: tuple[Event, ...]) -> None:
    regulation.given(*past).when(adopt()).then_rejected(OutOfOrder)


# -- Revising -------------------------------------------------------------------------------------


@pytest.mark.parametrize("past", [DRAFTED, ADOPTED], ids=["drafted", "adopted"])
def test_a_regulation_is_revised(past: tuple[Event, ...]) -> None:
    regulation.given(*past).when(revise()).then(revised)


def test_a_draft_is_revised_by_whoever_may_draft() -> None:
    regulation.given(*DRAFTED).when(revise(OWNER)).then(revised)


def test_what_is_in_force_is_revised_by_a_leader() -> None:
    regulation.given(*ADOPTED).when(revise(OWNER)).then_rejected(OnlyALeader)


def test_revisions_are_counted_and_what_is_in_force_stays_so() -> None:
    regulation.given(*ADOPTED, revised).when(revise(title="办法")).then(
        revised.model_copy(update={"revision": 3, "title": "办法"})
    )
    regulation.given(*ADOPTED, revised).when(adopt()).then_nothing()


def test_revising_nothing_records_nothing() -> None:
    regulation.given(*ADOPTED, revised).when(revise()).then_nothing()


def test_a_revision_answers_issues_that_are_on_the_ledger() -> None:
    regulation.given(*ADOPTED).when(revise(answers=("issue-9",))).then_rejected(NoSuchIssue)


def test_an_issue_answered_before_may_have_been_merged_in_the_meantime() -> None:
    merged = regulation.knowing(replace(FACTS, issues=frozenset({"issue-2"})))
    merged.given(*ADOPTED).when(revise()).then(revised)


@pytest.mark.parametrize("past", [(), ABOLISHED, VOIDED], ids=["nothing", "over", "voided"])
def test_what_is_not_there_is_not_revised(past: tuple[Event, ...]) -> None:
    regulation.given(*past).when(revise()).then_rejected(OutOfOrder)


# -- Correcting -----------------------------------------------------------------------------------

CORRECTING: dict[str, tuple[tuple[Event, ...], dict[str, Any]]] = {
    "drafted": (DRAFTED, {}),
    "adopted": (ADOPTED, {"in_force_on": date(2023, 9, 1)}),
    "abolished": (ABOLISHED, {"in_force_on": date(2023, 9, 1), "abolished_on": date(2024, 8, 31)}),
}


@pytest.mark.parametrize("stage", CORRECTING)
def test_a_clerks_mistake_is_corrected_without_a_new_revision(stage: str) -> None:
    past, dates = CORRECTING[stage]
    corrected = RegulationCorrected(**CORRECTED, **dates)
    regulation.given(*past).when(correct(**dates)).then(corrected)
    now = decider.fold((*past, corrected))  # type: ignore[arg-type]  # all are a regulation's
    assert now.paper.title == CORRECTED["title"]  # type: ignore[union-attr]  # as above
    assert now.paper.revision == 1  # type: ignore[union-attr]  # as above
    assert {name: getattr(now, name) for name in dates} == dates


@pytest.mark.parametrize("stage", CORRECTING)
def test_a_correction_names_the_dates_there_are(stage: str) -> None:
    past, _ = CORRECTING[stage]
    for _, dates in (CORRECTING[other] for other in CORRECTING if other != stage):
        regulation.given(*past).when(correct(**dates)).then_rejected(DatesUnclear)


def test_correcting_nothing_records_nothing() -> None:
    regulation.given(*DRAFTED).when(correct(title=WORDING["title"])).then_nothing()
    regulation.given(*ADOPTED).when(
        correct(title=WORDING["title"], in_force_on=BEGINS)
    ).then_nothing()
    regulation.given(*ABOLISHED).when(
        correct(title=WORDING["title"], in_force_on=BEGINS, abolished_on=ENDS)
    ).then_nothing()


def test_a_correction_does_not_abolish_it_before_it_was_in_force() -> None:
    regulation.given(*ABOLISHED).when(correct(in_force_on=ENDS, abolished_on=BEGINS)).then_rejected(
        AbolishedTooEarly
    )


def test_a_correction_may_say_that_it_was_never_in_force_for_more_than_a_day() -> None:
    dates = {"in_force_on": BEGINS, "abolished_on": BEGINS}
    regulation.given(*ABOLISHED).when(correct(LEADER, **dates)).then(
        RegulationCorrected(**CORRECTED, **dates)
    )


@pytest.mark.parametrize(
    "dates",
    [
        {"in_force_on": date.min, "abolished_on": ENDS},
        {"in_force_on": BEGINS, "abolished_on": date.max},
    ],
    ids=str,
)
def test_a_correction_stays_in_this_century(dates: dict[str, Any]) -> None:
    regulation.given(*ABOLISHED).when(correct(**dates)).then_rejected(TooFarAway)


def test_a_correction_answers_issues_that_are_on_the_ledger() -> None:
    regulation.given(*DRAFTED).when(correct(answers=("issue-9",))).then_rejected(NoSuchIssue)


@pytest.mark.parametrize("stage", ["adopted", "abolished"])
def test_what_was_in_force_is_corrected_by_a_leader(stage: str) -> None:
    past, dates = CORRECTING[stage]
    regulation.given(*past).when(correct(OWNER, **dates)).then_rejected(OnlyALeader)


@ABSENT
def test_what_is_not_there_is_not_corrected(past: tuple[Event, ...]) -> None:
    regulation.given(*past).when(correct()).then_rejected(OutOfOrder)


# -- Abolishing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("day", [BEGINS, ENDS], ids=str)
def test_a_regulation_is_abolished_from_a_day_on(day: date) -> None:
    regulation.given(*ADOPTED).when(abolish(day)).then(
        RegulationAbolished(on=day, reason=abolished.reason)
    )


def test_a_regulation_is_not_abolished_before_it_is_in_force() -> None:
    regulation.given(*ADOPTED).when(abolish(date(2023, 5, 31))).then_rejected(AbolishedTooEarly)


def test_a_regulation_is_abolished_in_this_century() -> None:
    regulation.given(*ADOPTED).when(abolish(date.max)).then_rejected(TooFarAway)


def test_abolishing_again_records_nothing() -> None:
    regulation.given(*ABOLISHED).when(abolish()).then_nothing()


def test_abolishing_otherwise_is_not_taken_for_the_same() -> None:
    regulation.given(*ABOLISHED).when(abolish(BEGINS)).then_rejected(OutOfOrder)
    regulation.given(*ABOLISHED).when(abolish(reason="不再适用")).then_rejected(OutOfOrder)


def test_a_draft_is_not_abolished() -> None:
    regulation.given(*DRAFTED).when(abolish()).then_rejected(NotInForce)


@ABSENT
def test_what_is_not_there_is_not_abolished(past: tuple[Event, ...]) -> None:
    regulation.given(*past).when(abolish()).then_rejected(OutOfOrder)


# -- Voiding --------------------------------------------------------------------------------------


@pytest.mark.parametrize("past", [DRAFTED, ADOPTED, ABOLISHED])
def test_a_second_person_voids_a_regulation(past: tuple[Event, ...]) -> None:
    regulation.given(*past).when(void()).then(voided)


@pytest.mark.parametrize("past", [DRAFTED, ADOPTED, ABOLISHED])
def test_whoever_drafted_a_regulation_does_not_void_it(past: tuple[Event, ...]) -> None:
    regulation.given(*past).when(void(OWNER)).then_rejected(FourEyes)


@ABSENT
def test_what_is_not_there_is_not_voided(past: tuple[Event, ...]) -> None:
    regulation.given(*past).when(void()).then_rejected(OutOfOrder)

"""Endings that do not count as solved: it takes long, or it cannot be done."""

import pytest

from services.rectification.domain.issue import (
    ConvertToLongTerm,
    ExplainNotPossible,
    FourEyes,
    NotPossible,
    PartyToTheMatter,
    decider,
)
from services.rectification.events import ConvertedToLongTerm, ExplainedNotPossible
from shared.decider import Event, OutOfOrder, PersonId
from tests.rectification.cast import (
    AWAITING,
    FACTS,
    LEADER,
    LONG_TERM,
    MEMBER,
    NOT_POSSIBLE,
    ON_NOTICE,
    OPEN,
    OWNED,
    OWNER,
    PLANNED,
    SHOWN,
    STRUCK_OFF,
    SUPERVISOR,
    UNDERWAY,
    about_member,
    after,
    by,
    due,
    opened_about_member,
    watch,
)
from tests.scenario import Scenario

issue = Scenario(decider, FACTS)

converted = ConvertedToLongTerm(
    reason="宿舍楼管网须在暑假整体更换",
    stage_goal="本学期完成设计和招标",
    watch=watch(due("long_term_within")),
)
explained = ExplainedNotPossible(
    explanation="宿舍楼产权不属于学校,已书面报请主管部门", verdicts_until=due("verdict_within")
)


def convert(
    person: PersonId = LEADER,
    reason: str = converted.reason,
    stage_goal: str = converted.stage_goal,
) -> ConvertToLongTerm:
    return by(person, ConvertToLongTerm, reason=reason, stage_goal=stage_goal)


def explain(
    person: PersonId = LEADER, explanation: str = explained.explanation
) -> ExplainNotPossible:
    return by(person, ExplainNotPossible, explanation=explanation)


# -- Long term ------------------------------------------------------------------------------------


@pytest.mark.parametrize("past", [OWNED, PLANNED, UNDERWAY])
@pytest.mark.parametrize("person", [LEADER, SUPERVISOR])
def test_a_leader_admits_that_it_takes_long(person: PersonId, past: tuple[Event, ...]) -> None:
    issue.given(*past).when(convert(person)).then(converted)


def test_evidence_is_kept_over_the_conversion() -> None:
    assert after(*SHOWN, converted).evidence == after(*SHOWN).evidence


def test_converting_again_records_nothing() -> None:
    issue.given(*LONG_TERM).when(convert()).then_nothing()


def test_another_reason_or_goal_is_not_taken_for_the_same() -> None:
    issue.given(*LONG_TERM).when(convert(reason="经费不足")).then_rejected(OutOfOrder)
    issue.given(*LONG_TERM).when(convert(stage_goal="完成设计")).then_rejected(OutOfOrder)


def test_the_owner_does_not_give_themselves_long() -> None:
    issue.given(*UNDERWAY).when(convert(OWNER)).then_rejected(FourEyes)


def test_the_person_an_issue_is_about_does_not_say_that_it_takes_long() -> None:
    issue.given(*about_member(UNDERWAY)).when(convert(MEMBER)).then_rejected(PartyToTheMatter)


@pytest.mark.parametrize("past", [OPEN, AWAITING, ON_NOTICE, STRUCK_OFF])
def test_only_what_somebody_holds_and_works_on_takes_long(past: tuple[Event, ...]) -> None:
    issue.given(*past).when(convert()).then_rejected(OutOfOrder)


# -- Not possible ---------------------------------------------------------------------------------


@pytest.mark.parametrize("past", [OPEN, OWNED, PLANNED, UNDERWAY, LONG_TERM])
@pytest.mark.parametrize("person", [LEADER, SUPERVISOR])
def test_a_leader_explains_why_it_cannot_be_done(person: PersonId, past: tuple[Event, ...]) -> None:
    issue.given(*past).when(explain(person)).then(explained)


def test_what_nobody_held_when_it_was_explained_has_no_owner() -> None:
    now = after(*OPEN, explained)
    assert isinstance(now, NotPossible)
    assert now.owner is None


def test_explaining_again_records_nothing() -> None:
    issue.given(*NOT_POSSIBLE).when(explain()).then_nothing()


def test_another_explanation_is_not_taken_for_the_same() -> None:
    issue.given(*NOT_POSSIBLE).when(explain(explanation="经费不足")).then_rejected(OutOfOrder)


@pytest.mark.parametrize("past", [OWNED, UNDERWAY, LONG_TERM])
def test_the_owner_does_not_explain_it_away(past: tuple[Event, ...]) -> None:
    issue.given(*past).when(explain(OWNER)).then_rejected(FourEyes)


def test_the_person_an_issue_is_about_does_not_explain_it_away() -> None:
    issue.given(opened_about_member).when(explain(MEMBER)).then_rejected(PartyToTheMatter)
    issue.given(*about_member(UNDERWAY)).when(explain(MEMBER)).then_rejected(PartyToTheMatter)


@pytest.mark.parametrize("past", [AWAITING, ON_NOTICE, STRUCK_OFF])
def test_what_is_being_checked_or_done_is_not_explained_away(past: tuple[Event, ...]) -> None:
    issue.given(*past).when(explain()).then_rejected(OutOfOrder)

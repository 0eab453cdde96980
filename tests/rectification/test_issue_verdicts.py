"""Those who spoke up judge the outcome: solved and satisfied are asked apart, one verdict each."""

from dataclasses import replace
from datetime import datetime

import pytest

from services.rectification.domain.issue import (
    AlreadyJudged,
    FourEyes,
    NotAnOriginator,
    PartyToTheMatter,
    RecordVerdict,
    VerdictsClosed,
    decider,
)
from services.rectification.events import (
    IssueTransferred,
    ReopenCause,
    Satisfied,
    Solved,
    VerdictRecorded,
)
from shared.decider import Event, OutOfOrder, PersonId
from tests.rectification.cast import (
    AWAITING,
    FACTS,
    LATER,
    MEMBER,
    NOON,
    NOT_POSSIBLE,
    ON_NOTICE,
    ORIGINATOR,
    OWNER,
    RECEIPT,
    SHOWN,
    STRANGER,
    STRUCK_OFF,
    about_member,
    after,
    by,
    published,
    strike_off_requested,
    struck_off,
    verified,
)
from tests.scenario import Scenario

issue = Scenario(decider, FACTS)
heard = issue.knowing(replace(FACTS, voiced=frozenset({"opinion-2", "opinion-8"})))

ENDED = pytest.mark.parametrize("past", [STRUCK_OFF, NOT_POSSIBLE], ids=["struck off", "explained"])


def judge(
    person: PersonId,
    solved: Solved = Solved.partly_solved,
    satisfied: Satisfied = Satisfied.satisfied,
    comment: str | None = "四楼好了,二楼还差一点",
    at: datetime = NOON,
) -> RecordVerdict:
    return by(person, RecordVerdict, solved=solved, satisfied=satisfied, comment=comment, at=at)


def verdict(person: PersonId, solved: Solved = Solved.partly_solved) -> VerdictRecorded:
    return VerdictRecorded(
        originator=person,
        solved=solved,
        satisfied=Satisfied.satisfied,
        comment="四楼好了,二楼还差一点",
    )


@ENDED
def test_whoever_spoke_up_in_person_judges_the_outcome(past: tuple[Event, ...]) -> None:
    heard.given(*past).when(judge(ORIGINATOR)).then(verdict(ORIGINATOR))


@ENDED
def test_whoever_has_a_receipt_judges_the_outcome(past: tuple[Event, ...]) -> None:
    issue.given(*past).when(judge(RECEIPT)).then(verdict(RECEIPT))


def test_the_originators_of_a_merged_issue_judge_the_one_it_went_into() -> None:
    facts = replace(FACTS, inherited=frozenset({"opinion-9"}))
    receipt = PersonId("originator:opinion-9")
    issue.knowing(facts).given(*STRUCK_OFF).when(judge(receipt)).then(verdict(receipt))
    voiced = replace(facts, voiced=frozenset({"opinion-9"}))
    issue.knowing(voiced).given(*STRUCK_OFF).when(judge(ORIGINATOR)).then(verdict(ORIGINATOR))


@ENDED
def test_nobody_else_judges_it(past: tuple[Event, ...]) -> None:
    issue.given(*past).when(judge(STRANGER)).then_rejected(NotAnOriginator)
    elsewhere = replace(FACTS, voiced=frozenset({"opinion-8"}))
    issue.knowing(elsewhere).given(*past).when(judge(STRANGER)).then_rejected(NotAnOriginator)
    other = PersonId("originator:opinion-9")
    issue.given(*past).when(judge(other)).then_rejected(NotAnOriginator)


def test_a_person_whose_id_looks_like_an_opinion_has_no_receipt() -> None:
    issue.given(*STRUCK_OFF).when(judge(PersonId("opinion-1"))).then_rejected(NotAnOriginator)


def test_the_owner_does_not_judge_their_own_work() -> None:
    heard.given(*STRUCK_OFF).when(judge(OWNER)).then_rejected(FourEyes)


def test_the_person_an_issue_is_about_does_not_judge_it() -> None:
    heard.given(*about_member(STRUCK_OFF)).when(judge(MEMBER)).then_rejected(PartyToTheMatter)


@ENDED
def test_judging_again_records_nothing(past: tuple[Event, ...]) -> None:
    issue.given(*past, verdict(RECEIPT)).when(judge(RECEIPT)).then_nothing()
    issue.given(*past, verdict(RECEIPT)).when(judge(RECEIPT, at=LATER)).then_nothing()


@ENDED
def test_nobody_judges_twice(past: tuple[Event, ...]) -> None:
    for other in (
        judge(RECEIPT, Solved.unsolved),
        judge(RECEIPT, satisfied=Satisfied.dissatisfied),
        judge(RECEIPT, comment=None),
    ):
        issue.given(*past, verdict(RECEIPT)).when(other).then_rejected(AlreadyJudged)


@ENDED
def test_every_originator_has_a_verdict_of_their_own(past: tuple[Event, ...]) -> None:
    heard.given(*past, verdict(RECEIPT)).when(judge(ORIGINATOR)).then(verdict(ORIGINATOR))


@ENDED
def test_the_time_for_verdicts_ends(past: tuple[Event, ...]) -> None:
    end = struck_off.verdicts_until.at
    issue.given(*past).when(judge(RECEIPT, at=end)).then_rejected(VerdictsClosed)


@ENDED
def test_a_verdict_that_nothing_was_solved_is_a_ground_to_reopen(past: tuple[Event, ...]) -> None:
    assert after(*past, verdict(RECEIPT, Solved.unsolved)).grounds == {ReopenCause.verdict_unsolved}


@ENDED
@pytest.mark.parametrize("solved", [Solved.solved, Solved.partly_solved])
def test_any_other_verdict_is_none(solved: Solved, past: tuple[Event, ...]) -> None:
    assert after(*past, verdict(RECEIPT, solved)).grounds == frozenset()


@pytest.mark.parametrize("past", [(), AWAITING, ON_NOTICE])
def test_there_is_nothing_to_judge_before_the_end(past: tuple[Event, ...]) -> None:
    issue.given(*past).when(judge(RECEIPT)).then_rejected(OutOfOrder)


def test_the_owner_who_counts_is_the_one_at_the_end() -> None:
    handed_over = IssueTransferred(owner=STRANGER, former=OWNER, reason="岗位调整")
    past = (*SHOWN, handed_over, strike_off_requested, verified, published, struck_off)
    heard.given(*past).when(judge(STRANGER)).then_rejected(FourEyes)

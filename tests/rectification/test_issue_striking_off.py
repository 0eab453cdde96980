"""Solved, published, then struck off, one by one and by somebody else (R43)."""

from dataclasses import replace
from datetime import datetime

import pytest

from services.rectification.domain.issue import (
    FourEyes,
    NoticeNotOver,
    NotPublished,
    NotVerified,
    ObjectionPending,
    OpenSubIssues,
    PartyToTheMatter,
    StrikeOff,
    decider,
)
from services.rectification.events import (
    IssueStruckOff,
    IssueTransferred,
    ObjectionDismissed,
)
from shared.decider import Event, OutOfOrder, PersonId
from tests.rectification.cast import (
    AWAITING,
    FACTS,
    LATER,
    LEADER,
    LONG_TERM,
    MEMBER,
    NOON,
    NOT_POSSIBLE,
    ON_NOTICE,
    OPEN,
    OWNED,
    OWNER,
    PLANNED,
    REVIEWER,
    SHOWN,
    STRUCK_OFF,
    SUPERVISOR,
    UNDERWAY,
    VERIFIED,
    VOIDED,
    about_member,
    by,
    days,
    due,
    objected,
    published,
    strike_off_requested,
    verified,
)
from tests.scenario import Scenario

issue = Scenario(decider, FACTS)

END = published.until.at


def strike_off(person: PersonId = LEADER, at: datetime = LATER) -> StrikeOff:
    return by(person, StrikeOff, at=at)


@pytest.mark.parametrize("person", [LEADER, SUPERVISOR])
def test_what_was_verified_and_published_is_struck_off_after_the_notice(person: PersonId) -> None:
    issue.given(*ON_NOTICE).when(strike_off(person)).then(
        IssueStruckOff(verifier=REVIEWER, verdicts_until=due("verdict_within", LATER))
    )


def test_the_notice_is_over_at_the_end_of_its_last_day_and_no_earlier() -> None:
    almost = END.replace(minute=59, hour=END.hour - 1, second=59)
    issue.given(*ON_NOTICE).when(strike_off(at=almost)).then_rejected(NoticeNotOver)
    issue.given(*ON_NOTICE).when(strike_off(at=END)).then(
        IssueStruckOff(verifier=REVIEWER, verdicts_until=due("verdict_within", END))
    )


def test_striking_off_again_records_nothing() -> None:
    issue.given(*STRUCK_OFF).when(strike_off()).then_nothing()


def test_the_owner_does_not_strike_it_off() -> None:
    handed_over = IssueTransferred(owner=LEADER, former=OWNER, reason="牵头")
    past = (*SHOWN, handed_over, strike_off_requested, verified, published)
    issue.given(*past).when(strike_off(LEADER)).then_rejected(FourEyes)


def test_the_person_an_issue_is_about_does_not_strike_it_off() -> None:
    issue.given(*about_member(ON_NOTICE)).when(strike_off(MEMBER)).then_rejected(PartyToTheMatter)


def test_what_has_an_objection_pending_is_not_struck_off() -> None:
    issue.given(*ON_NOTICE, objected).when(strike_off()).then_rejected(ObjectionPending)


def test_after_a_dismissed_objection_the_notice_lasts_longer() -> None:
    until = published.until.model_copy(update={"at": END + days(3)})
    past = (*ON_NOTICE, objected, ObjectionDismissed(answer="不属实", until=until))
    issue.given(*past).when(strike_off(at=END)).then_rejected(NoticeNotOver)
    event = issue.given(*past).when(strike_off(at=END + days(3))).decided()
    assert isinstance(event, IssueStruckOff)


def test_a_parent_with_open_children_is_not_struck_off() -> None:
    facts = replace(FACTS, children=("issue-4", "issue-3"))
    outcome = issue.knowing(facts).given(*ON_NOTICE).when(strike_off())
    outcome.then_rejected(OpenSubIssues)


def test_the_open_children_are_named() -> None:
    facts = replace(FACTS, children=("issue-4", "issue-3"))
    with pytest.raises(OpenSubIssues, match=r"^issue-3 issue-4$"):
        issue.knowing(facts).given(*ON_NOTICE).when(strike_off()).decided()


def test_what_was_not_published_is_not_struck_off() -> None:
    issue.given(*VERIFIED).when(strike_off()).then_rejected(NotPublished)


@pytest.mark.parametrize("past", [OPEN, OWNED, PLANNED, UNDERWAY, AWAITING])
def test_what_was_not_verified_is_not_struck_off(past: tuple[Event, ...]) -> None:
    issue.given(*past).when(strike_off()).then_rejected(NotVerified)


@pytest.mark.parametrize(
    "past", [(), LONG_TERM, NOT_POSSIBLE, VOIDED], ids=["nothing", "long", "impossible", "void"]
)
def test_what_ended_otherwise_is_not_struck_off(past: tuple[Event, ...]) -> None:
    issue.given(*past).when(strike_off()).then_rejected(OutOfOrder)


def test_a_strike_off_on_the_day_of_the_notice_is_too_early() -> None:
    issue.given(*ON_NOTICE).when(strike_off(at=NOON)).then_rejected(NoticeNotOver)


def test_whoever_held_it_before_does_not_strike_it_off() -> None:
    held = IssueTransferred(owner=LEADER, former=OWNER, reason="由书记牵头")
    back = IssueTransferred(owner=OWNER, former=LEADER, reason="交回")
    past = (*SHOWN, held, back, strike_off_requested, verified, published)
    issue.given(*past).when(by(LEADER, StrikeOff, at=LATER)).then_rejected(FourEyes)

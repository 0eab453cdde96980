"""The owner says it is put right and shows it; somebody else goes and looks (R43)."""

import pytest

from services.rectification.domain.issue import (
    FourEyes,
    NoEvidence,
    NotTheOwner,
    NotTheReviewer,
    PartyToTheMatter,
    RequestStrikeOff,
    ReturnIssue,
    VerifyIssue,
    decider,
)
from services.rectification.events import (
    EvidenceAdded,
    IssueReturned,
    IssueTransferred,
    IssueVerified,
    ReturnReason,
)
from shared.decider import Command, Event, OutOfOrder, PersonId
from tests.rectification.cast import (
    AWAITING,
    FACTS,
    HELPER,
    LEADER,
    MEMBER,
    ON_NOTICE,
    OWNER,
    PLANNED,
    REVIEWER,
    SHA_AFTER,
    SHA_BEFORE,
    SHOWN,
    STRANGER,
    SUPERVISOR,
    UNDERWAY,
    VERIFIED,
    about_member,
    after,
    before_shown,
    by,
    planned,
    strike_off_requested,
    verified,
)
from tests.scenario import Scenario

issue = Scenario(decider, FACTS)

returned = IssueReturned(
    verifier=REVIEWER,
    code=ReturnReason.only_on_paper,
    reason="周末两天四楼没有热水",
    times=1,
    watch=planned.watch,
)


def request(
    person: PersonId = OWNER,
    evidence: tuple[str, ...] = (SHA_BEFORE, SHA_AFTER),
    statement: str = strike_off_requested.statement,
) -> RequestStrikeOff:
    return by(person, RequestStrikeOff, statement=statement, evidence=evidence)


def verify(person: PersonId, finding: str = verified.finding) -> VerifyIssue:
    return by(person, VerifyIssue, finding=finding)


def send_back(person: PersonId) -> ReturnIssue:
    return by(person, ReturnIssue, code=ReturnReason.only_on_paper, reason="周末两天四楼没有热水")


# -- Asking for the strike-off --------------------------------------------------------------------


def test_the_owner_asks_for_the_strike_off_with_a_statement_and_evidence() -> None:
    issue.given(*SHOWN).when(request()).then(strike_off_requested)


def test_asking_again_records_nothing() -> None:
    issue.given(*AWAITING).when(request()).then_nothing()


def test_asking_again_with_other_words_is_not_taken_for_the_same() -> None:
    issue.given(*AWAITING).when(request(statement="都好了")).then_rejected(OutOfOrder)
    issue.given(*AWAITING).when(request(evidence=(SHA_AFTER,))).then_rejected(OutOfOrder)


@pytest.mark.parametrize("past", [SHOWN, AWAITING])
def test_nobody_asks_for_the_owner(past: tuple[Event, ...]) -> None:
    issue.given(*past).when(request(HELPER)).then_rejected(NotTheOwner)


def test_a_strike_off_without_evidence_on_record_is_not_asked_for() -> None:
    issue.given(*UNDERWAY).when(request()).then_rejected(NoEvidence)


def test_evidence_of_how_it_was_before_is_not_enough() -> None:
    issue.given(*UNDERWAY, before_shown).when(request(evidence=(SHA_BEFORE,))).then_rejected(
        NoEvidence
    )
    issue.given(*SHOWN).when(request(evidence=(SHA_BEFORE,))).then_rejected(NoEvidence)


def test_nothing_is_shown_that_was_not_added_before() -> None:
    issue.given(*SHOWN).when(request(evidence=(SHA_AFTER, "c" * 64))).then_rejected(NoEvidence)


def test_a_strike_off_is_not_asked_for_before_the_start() -> None:
    issue.given(*PLANNED).when(request()).then_rejected(OutOfOrder)


# -- Verifying ------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", [REVIEWER, SUPERVISOR])
def test_the_reviewer_or_the_supervision_group_verifies(person: PersonId) -> None:
    issue.given(*AWAITING).when(verify(person)).then(
        IssueVerified(verifier=person, finding=verified.finding)
    )


def test_verifying_again_records_nothing() -> None:
    issue.given(*VERIFIED).when(verify(REVIEWER)).then_nothing()


def test_what_is_verified_is_not_verified_otherwise() -> None:
    issue.given(*VERIFIED).when(verify(SUPERVISOR)).then_rejected(OutOfOrder)
    issue.given(*VERIFIED).when(verify(REVIEWER, "另一结论")).then_rejected(OutOfOrder)
    issue.given(*VERIFIED).when(send_back(REVIEWER)).then_rejected(OutOfOrder)


@pytest.mark.parametrize("command", [verify(OWNER), send_back(OWNER)], ids=["verify", "return"])
def test_the_owner_does_not_check_their_own_work(command: Command) -> None:
    issue.given(*AWAITING).when(command).then_rejected(FourEyes)


@pytest.mark.parametrize("command", [verify(HELPER), send_back(HELPER)], ids=["verify", "return"])
def test_a_helper_does_not_check_their_own_work(command: Command) -> None:
    issue.given(*AWAITING).when(command).then_rejected(FourEyes)


def test_not_even_a_supervisor_checks_what_they_hold() -> None:
    handed_over = IssueTransferred(owner=SUPERVISOR, former=OWNER, reason="牵头")
    past = (*SHOWN, handed_over, strike_off_requested)
    issue.given(*past).when(verify(SUPERVISOR)).then_rejected(FourEyes)


@pytest.mark.parametrize("command", [verify(MEMBER), send_back(MEMBER)], ids=["verify", "return"])
def test_the_person_an_issue_is_about_does_not_check_it(command: Command) -> None:
    issue.given(*about_member(AWAITING)).when(command).then_rejected(PartyToTheMatter)


@pytest.mark.parametrize("person", [LEADER, STRANGER])
def test_nobody_else_checks_it(person: PersonId) -> None:
    issue.given(*AWAITING).when(verify(person)).then_rejected(NotTheReviewer)
    issue.given(*AWAITING).when(send_back(person)).then_rejected(NotTheReviewer)


@pytest.mark.parametrize("past", [UNDERWAY, ON_NOTICE])
def test_only_what_waits_for_it_is_checked(past: tuple[Event, ...]) -> None:
    issue.given(*past).when(verify(REVIEWER)).then_rejected(OutOfOrder)
    issue.given(*past).when(send_back(REVIEWER)).then_rejected(OutOfOrder)


# -- Returning ------------------------------------------------------------------------------------


def test_what_is_not_put_right_goes_back_to_the_owner() -> None:
    issue.given(*AWAITING).when(send_back(REVIEWER)).then(returned)


def test_returns_are_counted() -> None:
    event = (
        issue.given(*AWAITING, returned, strike_off_requested).when(send_back(SUPERVISOR)).decided()
    )
    assert isinstance(event, IssueReturned)
    assert event.times == 2


def test_a_returned_issue_keeps_its_evidence_its_plan_and_its_deadline() -> None:
    before, now = after(*SHOWN), after(*AWAITING, returned)
    assert (now.evidence, now.plan, now.watch) == (before.evidence, before.plan, before.watch)


def test_a_returned_issue_can_be_shown_and_asked_for_anew() -> None:
    fresh = EvidenceAdded(
        evidence=before_shown.evidence.model_copy(update={"sha256": "c" * 64, "phase": "after"})
    )
    issue.given(*AWAITING, returned, fresh).when(request(evidence=("c" * 64,))).then(
        strike_off_requested.model_copy(update={"evidence": ("c" * 64,)})
    )


def test_whoever_held_it_before_does_not_verify_it() -> None:
    """A supervisor who had it, worked on it and handed it over; nobody names them in the plan."""
    held = IssueTransferred(owner=SUPERVISOR, former=OWNER, reason="督办")
    back = IssueTransferred(owner=OWNER, former=SUPERVISOR, reason="交回")
    past = (*SHOWN, held, back, strike_off_requested)
    issue.given(*past).when(verify(SUPERVISOR)).then_rejected(FourEyes)
    issue.given(*past).when(send_back(SUPERVISOR)).then_rejected(FourEyes)
    issue.given(*past).when(verify(REVIEWER)).then(verified)

"""One person holds an issue: by claiming it, by being told to, or because it was handed over."""

from dataclasses import replace

import pytest

from services.rectification.domain.issue import (
    AddressedToAnother,
    AlreadyOwned,
    AssignIssue,
    ClaimIssue,
    CollationStillOpen,
    DeclineIssue,
    FourEyes,
    NobodyThere,
    NotTheOwner,
    TransferIssue,
    decider,
)
from services.rectification.events import (
    IssueAssigned,
    IssueClaimed,
    IssueDeclined,
    IssueTransferred,
)
from shared.decider import Event, OutOfOrder, PersonId
from tests.rectification.cast import (
    AWAITING,
    FACTS,
    GONE,
    HELPER,
    LATER,
    LEADER,
    LONG_TERM,
    MEMBER,
    NOT_POSSIBLE,
    OPEN,
    OWNED,
    OWNER,
    PLANNED,
    REVIEWER,
    STRANGER,
    STRUCK_OFF,
    SUPERVISOR,
    UNDERWAY,
    after,
    by,
    claimed,
    claimed_by_member,
    due,
    opened,
    opened_about_member,
    watch,
    without,
)
from tests.scenario import Scenario

issue = Scenario(decider, FACTS)
collating = replace(FACTS, open_collations=frozenset({"collation-1"}))

HELD = [OWNED, PLANNED, UNDERWAY]
assigned = IssueAssigned(owner=OWNER, reason="总务处职责范围", watch=watch(due("plan_within")))
declined = IssueDeclined(owner=OWNER, reason="属德育处管理", watch=watch(due("claim_within")))
transferred = IssueTransferred(owner=HELPER, former=OWNER, reason="调往分校区")


def assign(owner: PersonId, reason: str = "总务处职责范围") -> AssignIssue:
    return by(LEADER, AssignIssue, owner=owner, reason=reason)


def transfer(person: PersonId, to: PersonId, reason: str = "调往分校区") -> TransferIssue:
    return by(person, TransferIssue, to=to, reason=reason)


# -- Claiming -------------------------------------------------------------------------------------


def test_an_open_issue_goes_to_whoever_claims_it() -> None:
    issue.given(*OPEN).when(by(OWNER, ClaimIssue)).then(claimed)


@pytest.mark.parametrize("past", HELD)
def test_claiming_again_records_nothing(past: tuple[Event, ...]) -> None:
    issue.given(*past).when(by(OWNER, ClaimIssue)).then_nothing()


@pytest.mark.parametrize("past", HELD)
def test_a_claimed_issue_cannot_be_taken_over(past: tuple[Event, ...]) -> None:
    issue.given(*past).when(by(STRANGER, ClaimIssue)).then_rejected(AlreadyOwned)


def test_a_personal_issue_is_claimed_by_its_person() -> None:
    issue.given(opened_about_member).when(by(MEMBER, ClaimIssue)).then(claimed_by_member)


def test_a_personal_issue_is_claimed_by_nobody_else() -> None:
    issue.given(opened_about_member).when(by(OWNER, ClaimIssue)).then_rejected(AddressedToAnother)


def test_a_personal_issue_is_not_claimed_before_its_collation_is_closed() -> None:
    issue.knowing(collating).given(opened_about_member).when(by(MEMBER, ClaimIssue)).then_rejected(
        CollationStillOpen
    )


def test_an_issue_of_the_team_may_be_claimed_while_collating_goes_on() -> None:
    issue.knowing(collating).given(*OPEN).when(by(OWNER, ClaimIssue)).then(claimed)


def test_what_is_not_on_the_ledger_or_is_done_cannot_be_claimed() -> None:
    for past in ((), AWAITING, STRUCK_OFF, LONG_TERM, NOT_POSSIBLE):
        issue.given(*past).when(by(OWNER, ClaimIssue)).then_rejected(OutOfOrder)


# -- Assigning ------------------------------------------------------------------------------------


def test_an_open_issue_is_assigned_to_whom_a_leader_names() -> None:
    issue.given(*OPEN).when(assign(OWNER)).then(assigned)


def test_assigning_again_records_nothing() -> None:
    issue.given(*OPEN, assigned).when(assign(OWNER)).then_nothing()


def test_an_assigned_issue_is_assigned_to_nobody_else_and_for_no_other_reason() -> None:
    issue.given(*OPEN, assigned).when(assign(HELPER)).then_rejected(AlreadyOwned)
    issue.given(*OPEN, assigned).when(assign(OWNER, "领导决定")).then_rejected(AlreadyOwned)


@pytest.mark.parametrize("past", HELD)
def test_what_was_claimed_is_not_assigned_even_to_whoever_claimed_it(
    past: tuple[Event, ...],
) -> None:
    issue.given(*past).when(assign(OWNER)).then_rejected(AlreadyOwned)


def test_somebody_who_has_left_is_not_assigned_anything() -> None:
    issue.given(*OPEN).when(assign(GONE)).then_rejected(NobodyThere)


def test_a_personal_issue_is_assigned_to_its_person_only() -> None:
    issue.given(opened_about_member).when(assign(OWNER)).then_rejected(AddressedToAnother)
    issue.given(opened_about_member).when(assign(MEMBER)).then(
        assigned.model_copy(update={"owner": MEMBER})
    )


def test_a_personal_issue_of_somebody_who_has_left_is_assigned_to_somebody_else() -> None:
    left = issue.knowing(without(MEMBER)).given(opened_about_member)
    left.when(assign(OWNER)).then(assigned)
    left.when(assign(MEMBER)).then_rejected(NobodyThere)
    left.when(by(OWNER, ClaimIssue)).then_rejected(AddressedToAnother)
    still_collating = replace(without(MEMBER), open_collations=frozenset({"collation-1"}))
    issue.knowing(still_collating).given(opened_about_member).when(assign(OWNER)).then_rejected(
        CollationStillOpen
    )


def test_a_personal_issue_is_not_assigned_before_its_collation_is_closed() -> None:
    issue.knowing(collating).given(opened_about_member).when(assign(MEMBER)).then_rejected(
        CollationStillOpen
    )


def test_whoever_was_told_to_and_says_so_again_changes_nothing() -> None:
    issue.given(*OPEN, assigned).when(by(OWNER, ClaimIssue)).then_nothing()


# -- Declining ------------------------------------------------------------------------------------


def test_an_issue_is_given_back_before_anything_is_planned() -> None:
    issue.given(*OWNED).when(by(OWNER, DeclineIssue, reason="属德育处管理")).then(declined)


def test_a_declined_issue_is_open_to_others_with_a_new_deadline() -> None:
    issue.given(*OWNED, declined).when(by(STRANGER, ClaimIssue, at=LATER)).then(
        IssueClaimed(owner=STRANGER, watch=watch(due("plan_within", LATER), LATER))
    )


def test_nobody_declines_for_the_owner() -> None:
    issue.given(*OWNED).when(by(LEADER, DeclineIssue, reason="不合适")).then_rejected(NotTheOwner)


def test_what_is_planned_is_not_declined_any_more() -> None:
    issue.given(*PLANNED).when(by(OWNER, DeclineIssue, reason="太忙")).then_rejected(OutOfOrder)


def test_an_open_issue_has_nobody_who_could_decline_it() -> None:
    issue.given(*OPEN).when(by(OWNER, DeclineIssue, reason="太忙")).then_rejected(OutOfOrder)


# -- Transferring ---------------------------------------------------------------------------------


@pytest.mark.parametrize("past", [*HELD, LONG_TERM])
@pytest.mark.parametrize("person", [OWNER, LEADER, SUPERVISOR])
def test_the_owner_or_a_leader_hands_an_issue_over(
    person: PersonId, past: tuple[Event, ...]
) -> None:
    issue.given(*past).when(transfer(person, HELPER)).then(transferred)


def test_the_new_owner_goes_on_where_the_old_one_was() -> None:
    before, now = after(*UNDERWAY), after(*UNDERWAY, transferred)
    case = replace(before.case, handed="调往分校区", held_by=frozenset({OWNER, HELPER}))
    assert now == replace(before, owner=HELPER, case=case)


def test_nobody_else_hands_an_issue_over() -> None:
    issue.given(*UNDERWAY).when(transfer(HELPER, HELPER)).then_rejected(NotTheOwner)


def test_an_issue_is_not_handed_to_somebody_who_has_left() -> None:
    issue.given(*UNDERWAY).when(transfer(LEADER, GONE)).then_rejected(NobodyThere)


@pytest.mark.parametrize("past", [PLANNED, UNDERWAY])
def test_an_issue_is_not_handed_to_whoever_will_check_it(past: tuple[Event, ...]) -> None:
    issue.given(*past).when(transfer(OWNER, REVIEWER)).then_rejected(FourEyes)


def test_before_a_reviewer_is_named_an_issue_goes_to_anybody() -> None:
    issue.given(*OWNED).when(transfer(OWNER, REVIEWER)).then(
        transferred.model_copy(update={"owner": REVIEWER})
    )


def test_handing_over_again_records_nothing() -> None:
    issue.given(*UNDERWAY, transferred).when(transfer(OWNER, HELPER)).then_nothing()


def test_handing_over_to_the_owner_is_refused() -> None:
    issue.given(*UNDERWAY).when(transfer(OWNER, OWNER)).then_rejected(AlreadyOwned)
    issue.given(*UNDERWAY, transferred).when(transfer(LEADER, HELPER, "退休")).then_rejected(
        AlreadyOwned
    )


def test_what_waits_for_its_reviewer_is_not_handed_over() -> None:
    issue.given(*AWAITING).when(transfer(OWNER, HELPER)).then_rejected(OutOfOrder)


def test_why_an_issue_was_handed_over_is_forgotten_when_it_is_declined() -> None:
    state = after(opened, assigned, declined)
    assert state == after(opened, claimed, declined)

"""An account is one person's; whose tokens open it is never stored."""

import pytest
from pydantic import ValidationError

from services.campaign.domain import AppointedFromOutside, NotInRoster
from services.campaign.domain.account import (
    AccountTaken,
    CloseAccount,
    HandOverAccount,
    OpenAccount,
    decider,
)
from services.campaign.events import AccountClosed, AccountHandedOver, AccountOpened
from shared.decider import OutOfOrder, PersonId, wire
from shared.marks import BlindIndex, mark
from tests.campaign.examples import (
    ADMIN,
    DIRECTORY,
    GONE,
    HEAD,
    NOBODY,
    NOON,
    OPERATOR,
    SUPERVISOR,
    TEACHER,
    TODAY,
)
from tests.scenario import Scenario

INDEX = "5e" * 32

account = Scenario(decider, DIRECTORY)
opened = AccountOpened(account=INDEX, person=TEACHER)
handed_over = AccountHandedOver(account=INDEX, person=HEAD, reason="开错")
closed = AccountClosed(account=INDEX, reason="离校")


def open_for(person: PersonId = TEACHER, by: PersonId = ADMIN) -> OpenAccount:
    return OpenAccount(
        by=by, at=NOON, issuer="https://id.example", subject="u-1", person=person, account=INDEX
    )


def hand_over(to: PersonId = HEAD, reason: str = "开错", by: PersonId = ADMIN) -> HandOverAccount:
    return HandOverAccount(by=by, at=NOON, person=to, reason=reason)


def close(reason: str = "离校", by: PersonId = ADMIN) -> CloseAccount:
    return CloseAccount(by=by, at=NOON, reason=reason)


def test_an_account_is_opened_for_somebody_in_the_roster() -> None:
    account.given().when(open_for()).then(opened)


def test_issuer_and_subject_are_not_in_the_event() -> None:
    event = account.given().when(open_for()).decided()
    assert event is not None
    assert event.model_dump() == {"account": INDEX, "person": TEACHER}


def test_there_is_one_account_per_issuer_and_subject() -> None:
    assert open_for(TEACHER).unique() == open_for(HEAD).unique()


def test_the_index_is_the_one_tokens_are_looked_up_by() -> None:
    blind = mark(OpenAccount.model_fields["account"], BlindIndex)
    assert blind == BlindIndex(of=("issuer", "subject"), kind="account")


def test_opening_it_again_records_nothing() -> None:
    account.given(opened).when(open_for()).then_nothing()


def test_an_account_is_not_opened_for_two() -> None:
    account.given(opened).when(open_for(HEAD)).then_rejected(AccountTaken)


@pytest.mark.parametrize("person", [NOBODY, GONE])
def test_nobody_outside_the_roster_gets_an_account(person: PersonId) -> None:
    account.given().when(open_for(person)).then_rejected(NotInRoster)
    account.given(opened).when(hand_over(person)).then_rejected(NotInRoster)


def test_the_last_day_at_school_is_a_day_at_school() -> None:
    leaving = DIRECTORY.roster.people[TEACHER].model_copy(update={"left_on": TODAY})
    people = {**DIRECTORY.roster.people, TEACHER: leaving}
    roster = DIRECTORY.roster.model_copy(update={"people": people})
    account.knowing(DIRECTORY.model_copy(update={"roster": roster})).given().when(open_for()).then(
        opened
    )


def test_an_account_is_handed_over() -> None:
    account.given(opened).when(hand_over()).then(handed_over)


def test_handing_it_over_again_records_nothing() -> None:
    account.given(opened, handed_over).when(hand_over()).then_nothing()


def test_it_is_not_handed_over_to_whom_it_belongs() -> None:
    account.given(opened).when(hand_over(TEACHER)).then_rejected(OutOfOrder)


def test_an_account_is_closed() -> None:
    account.given(opened).when(close()).then(closed)


def test_closing_it_again_records_nothing() -> None:
    account.given(opened, closed).when(close()).then_nothing()


def test_it_is_closed_for_one_reason() -> None:
    account.given(opened, closed).when(close("另一理由")).then_rejected(OutOfOrder)


def test_a_closed_account_is_opened_again() -> None:
    account.given(opened, closed).when(open_for(HEAD)).then(
        AccountOpened(account=INDEX, person=HEAD)
    )


def test_a_closed_account_is_not_handed_over() -> None:
    account.given(opened, closed).when(hand_over()).then_rejected(OutOfOrder)


def test_only_an_operator_lets_the_supervision_group_in() -> None:
    account.given().when(open_for(SUPERVISOR)).then_rejected(AppointedFromOutside)
    account.given().when(open_for(SUPERVISOR, by=OPERATOR)).then(
        AccountOpened(account=INDEX, person=SUPERVISOR)
    )


def test_only_an_operator_makes_an_account_the_supervision_groups_or_takes_it_away() -> None:
    theirs = AccountOpened(account=INDEX, person=SUPERVISOR)
    account.given(opened).when(hand_over(SUPERVISOR)).then_rejected(AppointedFromOutside)
    account.given(theirs).when(hand_over(TEACHER)).then_rejected(AppointedFromOutside)
    account.given(theirs).when(close()).then_rejected(AppointedFromOutside)
    account.given(theirs).when(close(by=OPERATOR)).then(closed)


def test_a_history_that_begins_in_the_middle_is_none() -> None:
    with pytest.raises(LookupError):
        decider.fold([closed])


@pytest.mark.parametrize(
    "sent",
    [
        '{"issuer": "", "subject": "u", "person": "p"}',
        '{"issuer": "i", "subject": " u", "person": "p"}',
        '{"issuer": "i", "subject": "u\\u001fv", "person": "p"}',
        '{"issuer": "i", "subject": "' + "u" * 256 + '", "person": "p"}',
        '{"issuer": "i", "subject": "u", "person": "P"}',
        '{"issuer": "i", "subject": "u", "person": "p", "account": "' + INDEX + '"}',
    ],
)
def test_bad_input_is_not_understood(sent: str) -> None:
    with pytest.raises(ValidationError):
        wire(OpenAccount).model_validate_json(sent)

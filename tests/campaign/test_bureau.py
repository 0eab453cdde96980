"""A bureau sees a school's sums once it is admitted, and what is behind them if the school says so."""

import pytest
from pydantic import ValidationError

from services.campaign.domain.account import AccountTaken, BureausAccount
from services.campaign.domain.account import decider as accounts
from services.campaign.domain.bureau import (
    AdmitBureau,
    AlreadyAdmitted,
    CorrectBureau,
    DismissBureau,
    GrantDrillDown,
    WithdrawDrillDown,
    decider,
)
from services.campaign.events import (
    AccountOpened,
    BureauAdmitted,
    BureauCorrected,
    BureauDismissed,
    DrillDownGranted,
    DrillDownWithdrawn,
    Role,
    SchoolEnrolled,
)
from shared.callers import Caller, UnknownPerson
from shared.decider import Event, OutOfOrder, PersonId, wire
from shared.marks import BlindIndex, mark
from tests.campaign.examples import ADMIN, DIRECTORY, HEAD, NOON, directory_after, log
from tests.campaign.test_account import INDEX, open_for
from tests.scenario import Scenario

bureau = Scenario(decider, DIRECTORY)
admitted = BureauAdmitted(account=INDEX, name="市委教育工委")
corrected = BureauCorrected(name="市委教育工委办公室", reason="全称")
granted = DrillDownGranted(reason="专项督导")
withdrawn = DrillDownWithdrawn(reason="督导结束")
dismissed = BureauDismissed(reason="改隶")


def admit(name: str = "市委教育工委", account: str = INDEX) -> AdmitBureau:
    return AdmitBureau(
        by=ADMIN, at=NOON, issuer="https://id.example", subject="b-1", name=name, account=account
    )


def correct(name: str = "市委教育工委办公室", reason: str = "全称") -> CorrectBureau:
    return CorrectBureau(by=ADMIN, at=NOON, name=name, reason=reason)


def grant(reason: str = "专项督导") -> GrantDrillDown:
    return GrantDrillDown(by=HEAD, at=NOON, reason=reason)


def withdraw(reason: str = "督导结束") -> WithdrawDrillDown:
    return WithdrawDrillDown(by=HEAD, at=NOON, reason=reason)


def dismiss(reason: str = "改隶") -> DismissBureau:
    return DismissBureau(by=ADMIN, at=NOON, reason=reason)


def test_a_bureau_is_admitted_by_what_its_tokens_say_and_that_is_not_kept() -> None:
    bureau.given().when(admit()).then(admitted)
    bureau.given(admitted).when(admit()).then_nothing()
    assert mark(AdmitBureau.model_fields["account"], BlindIndex) == BlindIndex(
        of=("issuer", "subject"), kind="account"
    )
    assert admit().unique() == admit("另一名称").unique()


def test_it_has_one_name_that_is_put_right() -> None:
    bureau.given(admitted).when(admit("另一名称")).then_rejected(AlreadyAdmitted)
    bureau.given(admitted).when(correct()).then(corrected)
    bureau.given(admitted, granted).when(correct()).then(corrected)
    bureau.given(admitted, granted, corrected).when(correct()).then_nothing()
    bureau.given(admitted, corrected).when(admit()).then_rejected(AlreadyAdmitted)


def test_only_a_principal_leader_lets_it_look_behind_the_sums() -> None:
    assert GrantDrillDown.allowed == {Role.principal_leader}
    bureau.given(admitted).when(grant()).then(granted)
    bureau.given(admitted, granted).when(grant()).then_nothing()
    bureau.given(admitted, granted).when(grant("另")).then_rejected(OutOfOrder)
    bureau.given().when(grant()).then_rejected(OutOfOrder)


def test_what_was_granted_is_withdrawn_and_can_be_granted_again() -> None:
    bureau.given(admitted, granted).when(withdraw()).then(withdrawn)
    bureau.given(admitted, granted, withdrawn).when(withdraw()).then_nothing()
    bureau.given(admitted, granted, withdrawn).when(grant()).then(granted)
    bureau.given(admitted).when(withdraw()).then_rejected(OutOfOrder)


def test_a_dismissed_one_comes_back_without_what_it_was_granted() -> None:
    bureau.given(admitted, granted).when(dismiss()).then(dismissed)
    bureau.given(admitted, dismissed).when(dismiss()).then_nothing()
    bureau.given(admitted, dismissed).when(dismiss("另")).then_rejected(OutOfOrder)
    bureau.given(admitted, dismissed).when(grant()).then_rejected(OutOfOrder)
    bureau.given(admitted, granted, dismissed).when(admit()).then(admitted)
    bureau.given(admitted, granted, dismissed, admitted).when(grant("另")).then(
        DrillDownGranted(reason="另")
    )


def test_nobody_is_of_the_school_and_of_its_bureau_by_one_account() -> None:
    bureau.given().when(admit(account="0a")).then_rejected(AccountTaken)
    theirs = {"b1": {"account": INDEX}}
    under = DIRECTORY.model_validate({**DIRECTORY.model_dump(by_alias=True), "bureaus": theirs})
    Scenario(accounts, under).given().when(open_for()).then_rejected(BureausAccount)


def test_a_history_that_begins_in_the_middle_is_none() -> None:
    for event in (granted, corrected, withdrawn, dismissed):
        with pytest.raises(LookupError):
            decider.fold([event])


@pytest.mark.parametrize(
    "sent",
    [
        '{"issuer": "i", "subject": "s"}',
        '{"issuer": "i", "subject": "s", "name": ""}',
        '{"issuer": "", "subject": "s", "name": "n"}',
        '{"issuer": "i", "subject": "s", "name": "n", "account": "' + INDEX + '"}',
    ],
)
def test_bad_input_is_not_understood(sent: str) -> None:
    with pytest.raises(ValidationError):
        wire(AdmitBureau).model_validate_json(sent)


# -- Who asks --------------------------------------------------------------------------------------

ENROLLED = ("no1", SchoolEnrolled(name="校", zone="Asia/Shanghai", language="zh"))


def asking(*events: Event) -> Caller:
    """The bearer of the bureau's token after these events."""
    known = directory_after(log(ENROLLED, *(("b1", event) for event in events)))
    assert known is not None
    return known.caller(INDEX, NOON)


def test_a_bureau_is_that_and_nothing_else_and_every_look_is_on_record() -> None:
    sums_only = Caller(PersonId("bureau:b1"), frozenset({"bureau"}), on_record=True)
    assert asking(admitted) == sums_only
    assert asking(admitted, corrected) == sums_only
    assert asking(admitted, granted).roles == {"bureau", "granted_bureau"}
    assert asking(admitted, granted, withdrawn) == sums_only
    assert asking(admitted, granted, dismissed, admitted) == sums_only


def test_a_bureau_the_school_left_is_nobody_there() -> None:
    with pytest.raises(UnknownPerson):
        asking(admitted, dismissed)


def test_an_account_that_somehow_is_both_is_the_bureaus() -> None:
    opened = AccountOpened(account=INDEX, person=PersonId("ana"))
    known = directory_after(log(ENROLLED, ("b1", admitted), ("a", opened)))
    assert known is not None
    assert known.caller(INDEX, NOON).roles == {"bureau"}

"""Units are entered, put right, closed, reopened, struck out; never under people's feet."""

from datetime import date

import pytest
from pydantic import ValidationError

from services.campaign.domain.unit import (
    CloseUnit,
    CorrectUnit,
    EnterUnit,
    ReopenUnit,
    UnitInUse,
    VoidUnit,
    decider,
)
from services.campaign.events import (
    UnitClosed,
    UnitCorrected,
    UnitEntered,
    UnitKind,
    UnitReopened,
    UnitVoided,
)
from shared.decider import OutOfOrder, wire
from tests.campaign.examples import ADMIN, DIRECTORY, LOGISTICS, NOON, SCIENCE, TEACHING, TODAY
from tests.scenario import Scenario

unit = Scenario(decider, DIRECTORY)
entered = UnitEntered(kind=UnitKind.department, name="总务处")
corrected = UnitCorrected(kind=UnitKind.department, name="总务科", reason="写错")
closed = UnitClosed(on=TODAY)
reopened = UnitReopened(reason="并未撤销")
voided = UnitVoided(reason="重复")


def enter(name: str = "总务处") -> EnterUnit:
    return EnterUnit(by=ADMIN, at=NOON, stream=LOGISTICS, kind=UnitKind.department, name=name)


def correct(
    name: str = "总务科",
    reason: str = "写错",
    kind: UnitKind = UnitKind.department,
    stream: str = LOGISTICS,
) -> CorrectUnit:
    return CorrectUnit(by=ADMIN, at=NOON, stream=stream, kind=kind, name=name, reason=reason)


def close(on: date = TODAY, stream: str = LOGISTICS) -> CloseUnit:
    return CloseUnit(by=ADMIN, at=NOON, stream=stream, on=on)


def reopen(reason: str = "并未撤销") -> ReopenUnit:
    return ReopenUnit(by=ADMIN, at=NOON, stream=LOGISTICS, reason=reason)


def void(reason: str = "重复", stream: str = LOGISTICS) -> VoidUnit:
    return VoidUnit(by=ADMIN, at=NOON, stream=stream, reason=reason)


def test_a_unit_is_entered() -> None:
    unit.given().when(enter()).then(entered)


def test_entering_it_again_records_nothing() -> None:
    unit.given(entered).when(enter()).then_nothing()


def test_entering_it_again_under_another_name_is_refused() -> None:
    unit.given(entered).when(enter("教务处")).then_rejected(OutOfOrder)


def test_its_name_is_put_right() -> None:
    unit.given(entered).when(correct()).then(corrected)


def test_putting_it_right_again_records_nothing() -> None:
    unit.given(entered, corrected).when(correct()).then_nothing()


def test_a_closed_unit_is_put_right_and_stays_closed() -> None:
    unit.given(entered, closed).when(correct()).then(corrected)
    unit.given(entered, closed, corrected).when(close()).then_nothing()


def test_a_department_nobody_has_to_do_with_turns_out_to_be_a_grade() -> None:
    unit.given(entered).when(correct(kind=UnitKind.grade)).then(
        UnitCorrected(kind=UnitKind.grade, name="总务科", reason="写错")
    )


def test_a_department_with_an_overseer_stays_a_department() -> None:
    unit.given(entered).when(correct(kind=UnitKind.grade, stream=TEACHING)).then_rejected(UnitInUse)


def test_a_unit_is_closed() -> None:
    unit.given(entered).when(close()).then(closed)


def test_a_unit_can_be_closed_ahead() -> None:
    unit.given(entered).when(close(date(2023, 8, 31))).then(UnitClosed(on=date(2023, 8, 31)))


def test_closing_it_again_records_nothing() -> None:
    unit.given(entered, closed).when(close()).then_nothing()


def test_it_closes_on_one_day_only() -> None:
    unit.given(entered, closed).when(close(date(2023, 8, 31))).then_rejected(OutOfOrder)


def test_a_branch_with_members_is_not_closed() -> None:
    unit.given(entered).when(close(stream=SCIENCE)).then_rejected(UnitInUse)


def test_a_closing_is_taken_back() -> None:
    unit.given(entered, closed).when(reopen()).then(reopened)


def test_taking_it_back_again_records_nothing() -> None:
    unit.given(entered, closed, reopened).when(reopen()).then_nothing()


def test_an_open_unit_is_not_reopened() -> None:
    unit.given(entered).when(reopen()).then_rejected(OutOfOrder)


def test_a_unit_is_struck_out() -> None:
    unit.given(entered).when(void()).then(voided)
    unit.given(entered, closed).when(void()).then(voided)


def test_striking_it_out_again_records_nothing() -> None:
    unit.given(entered, voided).when(void()).then_nothing()


def test_a_department_with_an_overseer_is_not_struck_out() -> None:
    unit.given(entered).when(void(stream=TEACHING)).then_rejected(UnitInUse)


def test_a_unit_struck_out_stays_so() -> None:
    for command in (enter(), correct(), close(), reopen(), void("另一理由")):
        unit.given(entered, voided).when(command).then_rejected(OutOfOrder)


def test_a_history_that_begins_in_the_middle_is_none() -> None:
    with pytest.raises(LookupError):
        decider.fold([closed])


@pytest.mark.parametrize(
    "sent",
    [
        '{"kind": "department", "name": " "}',
        '{"kind": "department", "name": "' + "长" * 201 + '"}',
        '{"kind": "committee", "name": "教务处"}',
        '{"kind": "department", "name": "教务处", "stream": "x"}',
    ],
)
def test_bad_input_is_not_understood(sent: str) -> None:
    with pytest.raises(ValidationError):
        wire(EnterUnit).model_validate_json(sent)


@pytest.mark.parametrize("day", ["1899-12-31", "2200-01-01", "9999-12-31", "2023-02-29", "now"])
def test_a_day_out_of_all_memory_is_not_understood(day: str) -> None:
    with pytest.raises(ValidationError):
        wire(CloseUnit).model_validate_json(f'{{"on": "{day}"}}')

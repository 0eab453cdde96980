"""Inspections are put on record, put right, struck out (R07)."""

from datetime import date

import pytest
from pydantic import ValidationError

from services.campaign.domain import InTheFuture
from services.campaign.domain.inspection import (
    CorrectInspection,
    RecordInspection,
    VoidInspection,
    decider,
)
from services.campaign.events import (
    InspectionCorrected,
    InspectionKind,
    InspectionRecorded,
    InspectionVoided,
)
from shared.decider import OutOfOrder, wire
from tests.campaign.examples import ADMIN, DIRECTORY, NOON, TODAY, TOMORROW, YESTERDAY
from tests.scenario import Scenario

FRUGALITY = InspectionKind.frugality_regulations

inspection = Scenario(decider, DIRECTORY)
recorded = InspectionRecorded(
    kind=FRUGALITY, held_on=TODAY, scope="公务接待", found="两笔接待没有清单"
)
corrected = InspectionCorrected(
    kind=FRUGALITY, held_on=YESTERDAY, scope="公务接待", found="两笔接待没有清单", reason="日期"
)
voided = InspectionVoided(reason="没有进行")


def hold(on: date = TODAY, found: str = "两笔接待没有清单") -> RecordInspection:
    return RecordInspection(
        by=ADMIN, at=NOON, kind=FRUGALITY, held_on=on, scope="公务接待", found=found
    )


def correct(on: date = YESTERDAY, reason: str = "日期") -> CorrectInspection:
    return CorrectInspection(
        by=ADMIN,
        at=NOON,
        kind=FRUGALITY,
        held_on=on,
        scope="公务接待",
        found="两笔接待没有清单",
        reason=reason,
    )


def void(reason: str = "没有进行") -> VoidInspection:
    return VoidInspection(by=ADMIN, at=NOON, reason=reason)


def test_an_inspection_is_put_on_record() -> None:
    inspection.given().when(hold()).then(recorded)


def test_recording_it_again_records_nothing() -> None:
    inspection.given(recorded).when(hold()).then_nothing()


def test_the_record_is_not_overwritten() -> None:
    inspection.given(recorded).when(hold(found="没有问题")).then_rejected(OutOfOrder)


def test_an_inspection_to_come_is_not_on_record() -> None:
    inspection.given().when(hold(TOMORROW)).then_rejected(InTheFuture)
    inspection.given(recorded).when(correct(TOMORROW)).then_rejected(InTheFuture)


def test_the_record_is_put_right() -> None:
    inspection.given(recorded).when(correct()).then(corrected)


def test_putting_it_right_again_records_nothing() -> None:
    inspection.given(recorded, corrected).when(correct()).then_nothing()


def test_the_record_is_struck_out() -> None:
    inspection.given(recorded).when(void()).then(voided)


def test_striking_it_out_again_records_nothing() -> None:
    inspection.given(recorded, voided).when(void()).then_nothing()


def test_a_record_struck_out_stays_so() -> None:
    for command in (hold(), correct(), void("另一理由")):
        inspection.given(recorded, voided).when(command).then_rejected(OutOfOrder)


def test_nothing_is_put_right_that_was_not_recorded() -> None:
    for command in (correct(), void()):
        inspection.given().when(command).then_rejected(OutOfOrder)


@pytest.mark.parametrize(
    "sent",
    [
        '{"kind": "any", "held_on": "2023-03-01", "scope": "x", "found": "y"}',
        '{"kind": "other", "held_on": "2023-3-1", "scope": "x", "found": "y"}',
        '{"kind": "other", "held_on": "2023-03-01", "scope": "", "found": "y"}',
        '{"kind": "other", "held_on": "2023-03-01", "scope": "x", "found": "\\u0000"}',
        '{"kind": "other", "held_on": "2023-03-01", "scope": "x", "found": "'
        + "长" * 20_001
        + '"}',
    ],
)
def test_bad_input_is_not_understood(sent: str) -> None:
    with pytest.raises(ValidationError):
        wire(RecordInspection).model_validate_json(sent)

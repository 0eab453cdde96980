"""Inspections are put on record, put right, struck out (R07)."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from services.campaign.domain import FourEyes, InTheFuture, NotInRoster
from services.campaign.domain.inspection import (
    AddresseeUnclear,
    CorrectInspection,
    KeyTaken,
    RaiseFinding,
    RecordedBySupervision,
    RecordInspection,
    VoidInspection,
    WindsUnclear,
    decider,
)
from services.campaign.events import (
    InspectionCorrected,
    InspectionFindingRaised,
    InspectionKind,
    InspectionRecorded,
    InspectionVoided,
)
from services.feedback.events import Addressee, Discovery, Wind
from shared.decider import OutOfOrder, PersonId, Rejected, wire
from tests.campaign.examples import (
    ADMIN,
    DIRECTORY,
    GONE,
    HEAD,
    NOON,
    SPARE,
    SUPERVISOR,
    TODAY,
    TOMORROW,
    YESTERDAY,
)
from tests.scenario import Scenario

FRUGALITY = InspectionKind.frugality_regulations

inspection = Scenario(decider, DIRECTORY)
recorded = InspectionRecorded(
    kind=FRUGALITY,
    held_on=TODAY,
    scope="公务接待",
    found="两笔接待没有清单",
    recorded_by=ADMIN,
)
supervised = recorded.model_copy(update={"recorded_by": SUPERVISOR, "by_supervision": True})
corrected = InspectionCorrected(
    kind=FRUGALITY, held_on=YESTERDAY, scope="公务接待", found="两笔接待没有清单", reason="日期"
)
raised = InspectionFindingRaised(
    key="receptions",
    title="接待没有清单",
    addressee=Addressee.team,
    winds=(Wind.extravagance,),
    discovery=Discovery.superior_pointed,
)
voided = InspectionVoided(reason="没有进行")


def hold(
    on: date = TODAY, found: str = "两笔接待没有清单", by: PersonId = ADMIN
) -> RecordInspection:
    return RecordInspection(
        by=by, at=NOON, kind=FRUGALITY, held_on=on, scope="公务接待", found=found
    )


def correct(on: date = YESTERDAY, reason: str = "日期", by: PersonId = ADMIN) -> CorrectInspection:
    return CorrectInspection(
        by=by,
        at=NOON,
        kind=FRUGALITY,
        held_on=on,
        scope="公务接待",
        found="两笔接待没有清单",
        reason=reason,
    )


def put_forward(**changes: Any) -> RaiseFinding:
    said = {**dict(raised), "by": ADMIN, "at": NOON}
    return RaiseFinding.model_validate({**said, **changes})


def void(reason: str = "没有进行", by: PersonId = HEAD) -> VoidInspection:
    return VoidInspection(by=by, at=NOON, reason=reason)


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
    named = voided.model_copy(update={"problems": (raised.key,)})
    inspection.given(recorded, raised).when(void()).then(named)


def test_whoever_recorded_it_does_not_strike_it_out() -> None:
    inspection.given(recorded).when(void(by=ADMIN)).then_rejected(FourEyes)
    inspection.given(recorded, corrected).when(void(by=ADMIN)).then_rejected(FourEyes)
    twin = DIRECTORY.roster.people[ADMIN].model_copy(update={"merged_into": ADMIN})
    people = {**DIRECTORY.roster.people, SPARE: twin}
    roster = DIRECTORY.roster.model_copy(update={"people": people})
    by_twin = recorded.model_copy(update={"recorded_by": SPARE})
    inspection.knowing(DIRECTORY.model_copy(update={"roster": roster})).given(by_twin).when(
        void(by=ADMIN)
    ).then_rejected(FourEyes)


def test_what_the_supervision_group_recorded_is_not_the_inspecteds_to_change() -> None:
    inspection.given().when(hold(by=SUPERVISOR)).then(supervised)
    for past in ((supervised,), (supervised, corrected)):
        for command in (void(), correct(reason="另")):
            inspection.given(*past).when(command).then_rejected(RecordedBySupervision)
    inspection.given(supervised).when(correct(by=SUPERVISOR)).then(corrected)
    by_another = supervised.model_copy(update={"recorded_by": SPARE})
    inspection.given(by_another).when(void(by=SUPERVISOR)).then(voided)


def test_a_record_of_before_it_said_who_wrote_it_is_struck_out_by_anybody() -> None:
    of_old = recorded.model_copy(update={"recorded_by": None})
    inspection.given(of_old).when(void(by=ADMIN)).then(voided)


def test_what_it_found_is_put_forward_one_problem_at_a_time() -> None:
    inspection.given(recorded).when(put_forward()).then(raised)
    other = raised.model_copy(
        update={"key": "cars", "addressee": Addressee.member, "person": HEAD, "description": "…"}
    )
    inspection.given(recorded, raised, corrected).when(put_forward(**dict(other))).then(other)


def test_the_same_problem_is_put_forward_once() -> None:
    inspection.given(recorded, raised).when(put_forward()).then_nothing()
    inspection.given(recorded, raised).when(put_forward(title="另")).then_rejected(KeyTaken)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"person": HEAD}, AddresseeUnclear),
        ({"addressee": Addressee.member}, AddresseeUnclear),
        ({"addressee": Addressee.member, "person": GONE}, NotInRoster),
        ({"winds": ()}, WindsUnclear),
        ({"not_four_winds": True}, WindsUnclear),
    ],
)
def test_what_cannot_become_an_issue_is_not_put_forward(
    changes: dict[str, Any], rule: type[Rejected]
) -> None:
    inspection.given(recorded).when(put_forward(**changes)).then_rejected(rule)


def test_nothing_is_put_forward_of_an_inspection_there_is_not() -> None:
    inspection.given().when(put_forward()).then_rejected(OutOfOrder)
    inspection.given(recorded, voided).when(put_forward()).then_rejected(OutOfOrder)


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

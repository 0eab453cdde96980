"""A school is enrolled once, by an operator, under its own token."""

import pytest
from pydantic import ValidationError

from services.campaign.domain.school import AlreadyEnrolled, CorrectSchool, EnrolSchool, decider
from services.campaign.events import SchoolCorrected, SchoolEnrolled
from shared.decider import OutOfOrder, wire
from tests.campaign.examples import NOON, OPERATOR
from tests.scenario import Scenario

school = Scenario(decider)
enrolled = SchoolEnrolled(name="江北中学", zone="Asia/Shanghai", language="zh")
corrected = SchoolCorrected(name="江北初级中学", zone="Asia/Shanghai", language="zh", reason="更名")


def enrol(name: str = "江北中学") -> EnrolSchool:
    return EnrolSchool(by=OPERATOR, at=NOON, stream="no1", name=name, zone="Asia/Shanghai")


def correct(name: str = "江北初级中学", reason: str = "更名") -> CorrectSchool:
    return CorrectSchool(
        by=OPERATOR, at=NOON, stream="no1", name=name, zone="Asia/Shanghai", reason=reason
    )


def test_a_school_is_enrolled() -> None:
    school.given().when(enrol()).then(enrolled)


def test_enrolling_it_again_records_nothing() -> None:
    school.given(enrolled).when(enrol()).then_nothing()


def test_it_cannot_be_enrolled_differently() -> None:
    school.given(enrolled).when(enrol("江南中学")).then_rejected(AlreadyEnrolled)


def test_a_school_has_one_entry() -> None:
    assert EnrolSchool.one_per_school


def test_its_entry_is_put_right() -> None:
    school.given(enrolled).when(correct()).then(corrected)


def test_putting_it_right_again_records_nothing() -> None:
    school.given(enrolled, corrected).when(correct()).then_nothing()


def test_another_reason_for_the_same_name_is_recorded() -> None:
    again = corrected.model_copy(update={"reason": "上级批复"})
    school.given(enrolled, corrected).when(correct(reason="上级批复")).then(again)


def test_a_school_nobody_enrolled_cannot_be_put_right() -> None:
    school.given().when(correct()).then_rejected(OutOfOrder)


@pytest.mark.parametrize(
    "sent",
    [
        "{}",
        '{"name": "", "zone": "Asia/Shanghai"}',
        '{"name": "两\\n行", "zone": "Asia/Shanghai"}',
        '{"name": "江北中学", "zone": "Asia/Nowhere"}',
        '{"name": "江北中学", "zone": "../etc/passwd"}',
        '{"name": "江北中学", "zone": "Asia/Shanghai", "language": "fr"}',
        '{"name": "江北中学", "zone": "Asia/Shanghai", "by": "me"}',
        '{"name": "江北中学", "zone": "Asia/Shanghai", "at": "2023-01-01T00:00:00Z"}',
    ],
)
def test_bad_input_is_not_understood(sent: str) -> None:
    with pytest.raises(ValidationError):
        wire(EnrolSchool).model_validate_json(sent)


def test_good_input_is_understood() -> None:
    wire(EnrolSchool).model_validate_json(
        '{"name": "江北中学", "zone": "Asia/Shanghai", "language": "en"}'
    )

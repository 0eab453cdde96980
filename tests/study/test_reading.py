"""Somebody has read an item of the catalogue (R10)."""

from datetime import date
from typing import Any

import pytest

from services.study.domain import (
    AlreadyRecorded,
    FourEyes,
    InTheFuture,
    NoSuchItem,
    NotHere,
    OnlyForOneself,
)
from services.study.domain.reading import (
    CorrectReading,
    Facts,
    NoSuchEdition,
    RecordReading,
    VoidReading,
    decider,
)
from services.study.events import ReadingCorrected, ReadingRecorded, ReadingVoided
from shared.decider import Event, OutOfOrder, PersonId
from tests.scenario import Scenario
from tests.study.cast import (
    GONE,
    MEMBER,
    OFFICER,
    SCHOOL,
    SECRETARY,
    STRANGER,
    TEACHER,
    TODAY,
    TOMORROW,
    TWIN,
    YESTERDAY,
    by,
)

reading = Scenario(decider, Facts(SCHOOL, edition=1))
second_edition = Scenario(decider, Facts(SCHOOL, edition=2))

recorded = ReadingRecorded(
    person=TEACHER, item="item-1", edition=1, on=YESTERDAY, recorded_by=TEACHER
)
corrected = ReadingCorrected(edition=1, on=TODAY, reason="抄错")
voided = ReadingVoided(reason="并未学习")
RECORDED: tuple[Event, ...] = (recorded,)
VOIDED = (*RECORDED, voided)


def record(who: PersonId = TEACHER, **changes: Any) -> RecordReading:
    return by(
        who, RecordReading, **{"person": TEACHER, "item": "item-1", "on": YESTERDAY, **changes}
    )


def correct(who: PersonId = TEACHER, **changes: Any) -> CorrectReading:
    return by(who, CorrectReading, **{"edition": 1, "on": TODAY, "reason": "抄错", **changes})


def test_a_reading_is_recorded_once() -> None:
    reading.given().when(record()).then(recorded)
    reading.given(*RECORDED).when(record()).then_nothing()
    reading.given(*RECORDED).when(record(on=TODAY)).then_rejected(AlreadyRecorded)


def test_one_stream_per_person_and_item() -> None:
    assert record().unique() == (TEACHER, "item-1")


def test_the_office_enters_it_for_others_and_nobody_else_does() -> None:
    reading.given().when(record(OFFICER)).then(recorded.model_copy(update={"recorded_by": OFFICER}))
    reading.given().when(record(STRANGER)).then_rejected(OnlyForOneself)
    reading.given(*RECORDED).when(correct(STRANGER)).then_rejected(OnlyForOneself)


def test_a_new_edition_is_read_anew() -> None:
    second_edition.given(*RECORDED).when(record(on=TODAY)).then(
        recorded.model_copy(update={"edition": 2, "on": TODAY})
    )


def test_what_is_not_in_the_catalogue_is_not_read() -> None:
    nothing = Scenario(decider, Facts(SCHOOL))
    nothing.given().when(record()).then_rejected(NoSuchItem)
    nothing.given(*RECORDED).when(correct()).then(corrected)


def test_a_reading_is_not_in_the_future() -> None:
    reading.given().when(record(on=TOMORROW)).then_rejected(InTheFuture)
    reading.given(*RECORDED).when(correct(on=TOMORROW)).then_rejected(InTheFuture)


@pytest.mark.parametrize("person", ["nobody", GONE, TWIN])
def test_nobody_reads_who_is_not_here(person: str) -> None:
    reading.given().when(record(OFFICER, person=person)).then_rejected(NotHere)


def test_a_reading_is_corrected() -> None:
    reading.given(*RECORDED).when(correct()).then(corrected)
    reading.given(*RECORDED, corrected).when(correct()).then_nothing()
    reading.given(*RECORDED).when(correct(edition=2)).then_rejected(NoSuchEdition)
    reading.given(*RECORDED).when(correct(on=date(2022, 8, 31))).then_rejected(NotHere)


def test_a_reading_is_struck_out_by_somebody_else_and_may_be_recorded_anew() -> None:
    void = by(SECRETARY, VoidReading, reason="并未学习")
    reading.given(*RECORDED).when(void).then(voided)
    reading.given(*VOIDED).when(void).then_nothing()
    reading.given(*VOIDED).when(record()).then(recorded)
    reading.given(*VOIDED).when(correct()).then_rejected(OutOfOrder)
    own = recorded.model_copy(update={"recorded_by": SECRETARY})
    reading.given(own).when(void).then_rejected(FourEyes)


def test_another_persons_reading_is_another_stream() -> None:
    reading.given(*RECORDED).when(record(OFFICER, person=MEMBER)).then_rejected(OutOfOrder)


def test_what_was_not_read_is_not_changed() -> None:
    reading.given().when(correct()).then_rejected(OutOfOrder)
    reading.given().when(by(SECRETARY, VoidReading, reason="x")).then_rejected(OutOfOrder)

"""A row of the weekly sheet becomes the command that records it."""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import pytest
from pydantic import BaseModel, ValidationError

from services.study.events import ActivityKind
from services.study.tables import KINDS, activities
from shared.decider import wire

ROW = {"kind": "听课", "person": "tan-huifen", "on": "2023-05-08", "title": "八年级(3)班 数学"}


def read(row: Mapping[str, str]) -> BaseModel:
    """The command of a row, as the import reads it."""
    return wire(activities.command).model_validate_json(json.dumps(activities.shape(row)))


@pytest.mark.parametrize("kind", ["听课", "lesson_observation"])
def test_a_row_names_its_kind_in_either_language(kind: str) -> None:
    said = read({**ROW, "kind": kind}).model_dump(exclude_defaults=True)
    assert said == {**ROW, "kind": ActivityKind.lesson_observation, "on": date(2023, 5, 8)}


def test_a_row_may_name_an_amount_and_a_pupil() -> None:
    row = {**ROW, "kind": "捐资", "amount": "2022", "pupil": "pupil-12"}
    said = read(row).model_dump()
    assert (said["amount"], said["pupil"]) == (Decimal(2022), "pupil-12")


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "喝茶"},
        {"on": "5月8日"},
        {"person": "谭慧芬"},
        {"pupil": "王小明"},
        {"amount": "两千"},
    ],
    ids=str,
)
def test_a_row_that_says_something_else_is_not_understood(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        read({**ROW, **wrong})


def test_an_activity_becomes_the_row_it_is_read_from() -> None:
    item = {**ROW, "kind": "lesson_observation", "amount": None, "id": "a1", "stage": "recorded"}
    cells = {k: v for k, v in activities.row(item).items() if k in activities.columns.values()}
    assert {k: v for k, v in cells.items() if v is not None} == ROW


def test_every_column_is_a_field_and_every_kind_has_a_chinese_name() -> None:
    assert set(activities.columns.values()) <= set(wire(activities.command).model_fields)
    assert set(KINDS.values()) == set(ActivityKind)

"""A row of a roster or of units becomes the command that enters it."""

import json
from collections.abc import Mapping

import pytest
from pydantic import BaseModel, ValidationError

from services.campaign.events import Role, UnitKind
from services.campaign.tables import KINDS, ROLES, roster, units
from shared.decider import wire
from shared.runtime import TableOf


def read(table: TableOf, row: Mapping[str, str]) -> BaseModel:
    """The command of a row, as the import reads it."""
    return wire(table.command).model_validate_json(json.dumps(table.shape(row)))


@pytest.mark.parametrize("kind", ["部门", "department"])
def test_a_row_of_units_names_its_kind_in_either_language(kind: str) -> None:
    assert read(units, {"kind": kind, "name": "教务处"}).model_dump() == {
        "kind": UnitKind.department,
        "name": "教务处",
    }


def test_a_row_of_the_roster() -> None:
    row = {
        "name": "赖国栋",
        "number": "T9",
        "joined_on": "2023-01-01",
        "posts": "部门负责人@logistics；党员:2020-05-01|party_cadre|预备党员",
        "branch": "science",
        "oversees": "teaching、logistics",
    }
    fields = read(roster, row).model_dump(mode="json")
    assert fields["posts"] == [
        {"role": "department_head", "since": "2023-01-01", "unit": "logistics"},
        {"role": "party_member", "since": "2020-05-01", "unit": None},
        {"role": "party_cadre", "since": "2023-01-01", "unit": None},
        {"role": "probationary_member", "since": "2023-01-01", "unit": None},
    ]
    assert (fields["branch"], fields["oversees"]) == ("science", ["teaching", "logistics"])


def test_a_row_may_have_a_name_and_a_day_only() -> None:
    fields = read(roster, {"name": "赖国栋", "joined_on": "2023-01-01"}).model_dump()
    assert (fields["posts"], fields["number"], fields["branch"]) == ((), None, None)


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"name": "赖国栋"},
        {"name": "赖国栋", "joined_on": "1月1日"},
        {"name": "赖国栋", "joined_on": "2023-02-29"},
        {"name": "赖国栋", "joined_on": "2023-13-01"},
        {"name": "赖国栋", "joined_on": "2023-01-01", "posts": "党员:2023-04-31"},
        {"name": "赖国栋", "joined_on": "2023-01-01", "column_4": "党员"},
        {"name": "赖国栋", "joined_on": "2023-01-01", "posts": "校长"},
        {"name": "赖国栋", "joined_on": "2023-01-01", "posts": "@"},
        {"name": "赖国栋", "joined_on": "2023-01-01", "posts": "党员:"},
        {"name": "赖国栋", "joined_on": "2023-01-01", "branch": "理科党支部"},
    ],
)
def test_a_row_that_says_something_else_is_not_understood(row: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        read(roster, row)


def test_every_column_is_a_field_and_every_role_and_kind_has_a_chinese_name() -> None:
    for table in (roster, units):
        assert set(table.columns.values()) <= set(wire(table.command).model_fields)
        assert set(table.unique) <= set(table.columns.values())
    assert set(ROLES.values()) == set(Role)
    assert set(KINDS.values()) == set(UnitKind)

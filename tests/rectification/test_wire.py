"""What a sender may say at all: bad input never reaches a decision, and no free text goes unsealed."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from services.campaign.events import Role
from services.rectification.domain import issue, plan, regulation
from shared.decider import Command, Decider, Rejected, wire
from shared.marks import MAX_TEXT, marked
from tests.rectification.everything import ISSUE_COMMANDS, PLAN_COMMANDS, REGULATION_COMMANDS

DECIDERS: tuple[Decider[Any, Any, Any, Any], ...] = (
    issue.decider,
    plan.decider,
    regulation.decider,
)
KINDS: tuple[type[Command], ...] = tuple(
    kind for decider in DECIDERS for kind in decider.members(decider.commands)
)
SAID = {
    type(command): command for command in (*ISSUE_COMMANDS, *PLAN_COMMANDS, *REGULATION_COMMANDS)
}


NO_TEXTS = (
    "",
    " \n\t ",
    "\u200b",
    "热水\x00",
    "热水\x1b[31m",
    "\ud800",
    "水" * (MAX_TEXT + 1),
    7,
    ["水"],
)
"""Empty, blank, invisible, unprintable, half a character, too long, no text at all."""


def body(kind: type[Command]) -> dict[str, Any]:
    """A good body of a command, as a sender gives it."""
    said = SAID[kind].model_dump(mode="json")
    return {name: said[name] for name in wire(kind).model_fields}


def read(kind: type[Command], said: dict[str, Any]) -> BaseModel:
    return wire(kind).model_validate_json(json.dumps(said))


def refused(kind: type[Command], said: dict[str, Any], *field: str) -> bool:
    """Whether a body is refused, because of that field or because it is no JSON at all."""
    try:
        read(kind, said)
    except ValidationError as error:
        return any(
            problem["loc"][: len(field)] == field or problem["type"] == "json_invalid"
            for problem in error.errors()
        )
    return False


def texts(kind: type[Command]) -> Iterator[str]:
    """The free texts of a command."""
    for name, what in marked(kind).items():
        if not (isinstance(what, type) and issubclass(what, BaseModel)):
            yield name


def schema(kind: type[Command]) -> dict[str, Any]:
    """The fields of a command in JSON Schema, without the alternative `null`."""
    described = {}
    for name, said in wire(kind).model_json_schema()["properties"].items():
        options = [option for option in said.get("anyOf", [said]) if option.get("type") != "null"]
        described[name] = options[0]
    return described


# -- Every command --------------------------------------------------------------------------------


def test_a_good_body_is_read_as_it_was_meant() -> None:
    for kind in KINDS:
        said = read(kind, body(kind))
        for name in wire(kind).model_fields:
            assert getattr(said, name) == getattr(SAID[kind], name), (kind, name)


def test_nobody_says_who_they_are_or_what_time_it_is() -> None:
    forbidden = {"by": "luo-chengye", "at": "2023-05-08T04:00:00Z", "stream": "issue-1", "x": True}
    for kind in KINDS:
        for name, value in forbidden.items():
            assert refused(kind, {**body(kind), name: value}, name), (kind, name)


def test_nothing_that_is_required_may_be_missing() -> None:
    for kind in KINDS:
        for name, field in wire(kind).model_fields.items():
            rest = {key: value for key, value in body(kind).items() if key != name}
            assert refused(kind, rest, name) is field.is_required(), (kind, name)


def test_a_text_says_something_and_can_be_printed() -> None:
    for kind in KINDS:
        for name in texts(kind):
            for wrong in NO_TEXTS:
                assert refused(kind, {**body(kind), name: wrong}, name), (kind, name, wrong)


def test_every_free_text_is_sealed() -> None:
    for kind in KINDS:
        for name, said in schema(kind).items():
            if said.get("type") == "string" and not {"pattern", "format", "enum"} & said.keys():
                assert name in marked(kind), (kind, name)


def test_every_code_date_and_id_has_its_form() -> None:
    for kind in KINDS:
        for name in wire(kind).model_fields.keys() - marked(kind).keys():
            for wrong in ("No Such Thing!", 5, {"a": 1}, 1.5):
                assert refused(kind, {**body(kind), name: wrong}, name), (kind, name, wrong)


def test_a_command_has_a_chinese_name_and_known_roles() -> None:
    roles = {role.value for role in Role}
    for kind in KINDS:
        assert any("\u4e00" <= character <= "\u9fff" for character in kind.zh), kind
        assert kind.__doc__
        assert kind.allowed
        assert kind.allowed <= roles | {"person", "service", "originator"}, kind


def test_one_command_begins_each_kind_of_stream() -> None:
    creating = [kind.__name__ for kind in KINDS if kind.creates]
    assert creating == ["OpenIssue", "DraftRectificationPlan", "DraftRegulation"]


def test_every_refusal_says_why_in_both_languages() -> None:
    modules = {issue.__name__, plan.__name__, regulation.__name__}
    rules = [rule for rule in Rejected.__subclasses__() if rule.__module__ in modules]
    assert rules
    for rule in rules:
        assert rule.__doc__
        assert rule.zh != Rejected.zh


# -- Some of them ---------------------------------------------------------------------------------


@pytest.mark.parametrize("title", ["两\n行", "水" * 201])
@pytest.mark.parametrize(
    "kind",
    [issue.OpenIssue, issue.CorrectIssue, plan.DraftRectificationPlan, regulation.DraftRegulation],
)
def test_a_title_is_one_short_line(kind: type[Command], title: str) -> None:
    assert refused(kind, {**body(kind), "title": title}, "title")


@pytest.mark.parametrize("moment", ["2023-05-08T12:00:00", "2023-05-08", "昨天"])
@pytest.mark.parametrize("kind", [issue.OpenIssue, issue.ClaimIssue, issue.VerifyIssue])
def test_a_time_without_a_zone_is_not_one(kind: type[Command], moment: str) -> None:
    assert refused(kind, {**body(kind), "occurred_at": moment}, "occurred_at")


@pytest.mark.parametrize("day", ["2023-02-30", "2023-5-8", "08.05.2023", 20230508])
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (issue.PlanMeasures, "due_on"),
        (issue.RequestExtension, "until"),
        (plan.SetPlanLine, "begins_on"),
        (regulation.AdoptRegulation, "in_force_on"),
    ],
)
def test_a_day_is_a_day_of_the_calendar(kind: type[Command], name: str, day: object) -> None:
    assert refused(kind, {**body(kind), name: day}, name)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (issue.OpenIssue, "sources", []),
        (issue.OpenIssue, "sources", [{"kind": "rumour", "id": "x"}]),
        (issue.OpenIssue, "sources", [{"kind": "talk", "id": "Talk 1"}]),
        (issue.OpenIssue, "sources", [{"kind": "talk", "id": "talk-1", "who": "x"}]),
        (issue.OpenIssue, "sources", [{"kind": "talk", "id": f"talk-{n}"} for n in range(101)]),
        (issue.OpenIssue, "winds", ["laziness"]),
        (issue.OpenIssue, "key_issue", "yes"),
        (issue.PlanMeasures, "measures", []),
        (issue.PlanMeasures, "measures", [{"text": "修水泵"}]),
        (issue.AddEvidence, "sha256", "A" * 64),
        (issue.AddEvidence, "sha256", "a" * 63),
        (issue.AddEvidence, "phase", "during"),
        (issue.AddEvidence, "media_type", "image"),
        (issue.AddEvidence, "media_type", "text/html; charset=utf-8"),
        (issue.RequestStrikeOff, "evidence", []),
        (issue.RequestStrikeOff, "evidence", ["a" * 64] * 51),
        (issue.RemindIssue, "due_at", "2023-05-08T12:00:00"),
        (issue.LookBack, "relapse", 0),
        (plan.SetPlanLine, "division", []),
        (plan.SetPlanLine, "division", ["p-1"] * 51),
        (plan.SetPlanLine, "key_problem", None),
        (plan.SetPlanLine, "origins", [{"kind": "rumour", "id": "m-1", "key": "a"}]),
        (plan.SetPlanLine, "origins", [{"kind": "meeting", "id": "m-1"}]),
        (plan.SetPlanLine, "origins", [{"kind": "meeting", "id": "m-1", "key": ""}]),
        (plan.SetPlanLine, "origins", [{"kind": "meeting", "id": "M 1", "key": "a"}]),
        (plan.SetPlanLine, "origins", [{"kind": "meeting", "id": "m", "key": "a", "x": 1}]),
        (plan.SetPlanLine, "origins", [{"kind": "meeting", "id": "m", "key": "a"}] * 51),
        (regulation.DraftRegulation, "answers", ["issue-1"] * 501),
        (regulation.DraftRegulation, "answers", ["Issue 1"]),
    ],
)
def test_it_is_refused(kind: type[Command], name: str, value: object) -> None:
    assert refused(kind, {**body(kind), name: value}, name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text", " "),
        ("deliverable", ""),
        ("owner", "P 1"),
        ("helpers", "p-1"),
        ("begins_on", "soon"),
        ("price", 5),
    ],
)
def test_a_measure_is_refused_too(name: str, value: object) -> None:
    measure = {**body(issue.PlanMeasures)["measures"][0], name: value}
    assert refused(
        issue.PlanMeasures, {**body(issue.PlanMeasures), "measures": [measure]}, "measures"
    )

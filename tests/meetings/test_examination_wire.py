"""What a sender may say of examinations and appraisals: bad input never reaches a decision."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from services.campaign.events import Role
from services.meetings import box
from services.meetings.domain import appraisal, examination
from services.meetings.events import AppraisalEvent, ExaminationEvent
from shared.decider import Command, Decider, Event, Rejected, wire
from shared.marks import MAX_TEXT, marked
from tests.meetings.examination_commands import APPRAISAL_COMMANDS, EXAMINATION_COMMANDS

DECIDERS: tuple[Decider[Any, Any, Any, Any], ...] = (examination.decider, appraisal.decider)
KINDS: tuple[type[Command], ...] = tuple(
    kind for decider in DECIDERS for kind in decider.members(decider.commands)
)
SAID = {type(command): command for command in (*EXAMINATION_COMMANDS, *APPRAISAL_COMMANDS)}

NO_TEXTS = ("", " \n\t ", "\u200b", "批评\x00", "\ud800", "水" * (MAX_TEXT + 1), 7, ["水"])
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


def texts(kind: type[BaseModel]) -> Iterator[str]:
    """The free texts of a command or event."""
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


def test_a_good_body_is_read_as_it_was_meant() -> None:
    for kind in KINDS:
        said = read(kind, body(kind))
        for name in wire(kind).model_fields:
            assert getattr(said, name) == getattr(SAID[kind], name), (kind, name)


def test_nobody_says_who_they_are_what_time_it_is_or_how_long_a_text_is() -> None:
    forbidden = {"by": "x", "at": "2023-05-08T04:00:00Z", "stream": "e-1", "x": True} | {
        "basic_situation_length": 9
    }
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


def test_what_is_sealed_in_a_command_is_sealed_in_its_event() -> None:
    events: tuple[type[Event], ...] = (
        *ExaminationEvent.__value__.__args__,
        *AppraisalEvent.__value__.__args__,
    )
    for event in events:
        for name in ("reason", "text", "remarks", "scope", "thought", "action"):
            assert name not in event.model_fields or name in marked(event), (event, name)


def test_a_command_has_a_chinese_name_and_known_roles() -> None:
    roles = {role.value for role in Role}
    for kind in KINDS:
        assert any("\u4e00" <= character <= "\u9fff" for character in kind.zh), kind
        assert kind.__doc__
        assert kind.allowed
        assert kind.allowed <= roles | {"person"}, kind


def test_one_command_begins_each_kind_of_stream() -> None:
    creating = [kind.__name__ for kind in KINDS if kind.creates]
    assert creating == ["DraftExamination", "OpenAppraisal"]


def test_every_refusal_says_why_in_both_languages() -> None:
    modules = {examination.__name__, appraisal.__name__, box.__name__}
    rules = [rule for rule in Rejected.__subclasses__() if rule.__module__ in modules]
    assert len(rules) > 40
    for rule in rules:
        assert rule.__doc__
        assert rule.zh != Rejected.zh


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (examination.DraftExamination, "subject", "department"),
        (examination.DraftExamination, "causes", [{"text": "学习不深", "aspects": ["money"]}]),
        (examination.DraftExamination, "causes", [{"text": "学习不深"}] * 21),
        (examination.DraftExamination, "measures", [{"key": "m-1", "text": " "}]),
        (
            examination.DraftExamination,
            "measures",
            [{"key": "m-1", "text": "多听课", "owner": "P 1"}],
        ),
        (
            examination.DraftExamination,
            "measures",
            [{"key": "m-1", "text": "多听课", "due_on": "soon"}],
        ),
        (examination.DraftExamination, "measures", [{"key": "m-1", "text": "多听课", "price": 5}]),
        (examination.DraftExamination, "measures", [{"text": "多听课"}]),
        (examination.DraftExamination, "measures", [{"key": "m-1", "text": "多听课"}] * 31),
        (examination.DraftExamination, "answers", ["Issue 1"]),
        (examination.WaiveExaminationGate, "gate", "everything"),
        (examination.ConsultOnExamination, "replies", -1),
        (examination.ConsultOnExamination, "replies", "42"),
        (examination.SendBackExamination, "rewrite_by", "2023-02-30"),
        (appraisal.OpenAppraisal, "on", "08.05.2023"),
        (appraisal.OpenAppraisal, "branch", "文科"),
        (appraisal.OpenBallot, "although_not_secret", 1),
        (appraisal.RecordResult, "grade", "superb"),
        (appraisal.DisposeMember, "disposition", "promotion"),
        (appraisal.VoidAppraisalEntry, "entry", "ballot"),
    ],
)
def test_it_is_refused(kind: type[Command], name: str, value: object) -> None:
    assert refused(kind, {**body(kind), name: value}, name)


@pytest.mark.parametrize(
    "marks",
    [
        [],
        [{"member": "M 1", "grade": "good"}],
        [{"member": "m-1", "grade": "superb"}],
        [{"member": "m-1"}],
        [{"member": "m-1", "grade": "good", "voter": "m-2"}],
        [{"member": "m-1", "grade": "good"}] * 501,
    ],
)
def test_a_slip_is_refused_that_is_none(marks: Any) -> None:
    asked = {"appraisal": "a-1", "code": "1001-ABCD-EFGH-JKMN", "marks": marks}
    with pytest.raises(ValidationError):
        box.CastBallot.model_validate_json(json.dumps(asked))

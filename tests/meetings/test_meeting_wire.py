"""What a sender may say about a meeting at all; bad input never reaches a decision."""

import json
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from services.campaign.events import Role
from services.meetings.domain import meeting
from services.meetings.domain.meeting import (
    AppraiseMeeting,
    CorrectAttendance,
    HoldMeeting,
    PlanMeeting,
    PostponeMeeting,
    RaiseProblemAtMeeting,
    RecordAttendance,
    RecordSpeech,
    ResolveMeasure,
    VoidMeetingEntry,
)
from shared.decider import Command, wire
from shared.marks import MAX_TEXT, marked
from tests.meetings.test_meeting_laws import COMMANDS

KINDS: tuple[type[Command], ...] = meeting.decider.members(meeting.MeetingCommand)
SAID = {type(command): command for command in COMMANDS}
NO_TEXTS = ("", " \n\t ", "\u200b", "热水\x00", "\ud800", "水" * (MAX_TEXT + 1), 7, ["水"])


def body(kind: type[Command]) -> dict[str, Any]:
    """A good body of a command, as a sender gives it."""
    said = SAID[kind].model_dump(mode="json")
    return {name: said[name] for name in wire(kind).model_fields}


def read(kind: type[Command], said: dict[str, Any]) -> BaseModel:
    return wire(kind).model_validate_json(json.dumps(said))


def refused(kind: type[Command], said: dict[str, Any], field: str) -> bool:
    """Whether a body is refused, because of that field or because it is no JSON at all."""
    try:
        read(kind, said)
    except ValidationError as error:
        return any(p["loc"][:1] == (field,) or p["type"] == "json_invalid" for p in error.errors())
    return False


def texts(kind: type[Command]) -> list[str]:
    """The free texts of a command."""
    return [
        name
        for name, what in marked(kind).items()
        if not (isinstance(what, type) and issubclass(what, BaseModel))
    ]


def test_a_good_body_is_read_as_it_was_meant() -> None:
    for kind in KINDS:
        said = read(kind, body(kind))
        for name in wire(kind).model_fields:
            assert getattr(said, name) == getattr(SAID[kind], name), (kind, name)


def test_nobody_says_who_they_are_or_what_time_it_is() -> None:
    forbidden = {"by": "luo-chengye", "at": "2023-05-08T04:00:00Z", "stream": "x-1", "x": True}
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
        for name, said in wire(kind).model_json_schema()["properties"].items():
            for option in said.get("anyOf", [said]):
                free = not {"pattern", "format", "enum", "const"} & option.keys()
                if option.get("type") == "string" and free:
                    assert name in marked(kind), (kind, name)


def test_every_code_date_and_id_has_its_form() -> None:
    for kind in KINDS:
        for name in wire(kind).model_fields.keys() - marked(kind).keys() - {"number"}:
            for wrong in ("No Such Thing!", 5, {"a": 1}, 1.5):
                assert refused(kind, {**body(kind), name: wrong}, name), (kind, name, wrong)


def test_a_command_has_a_chinese_name_and_known_roles() -> None:
    roles = {role.value for role in Role} | {"person"}
    for kind in KINDS:
        assert any("\u4e00" <= character <= "\u9fff" for character in kind.zh), kind
        assert kind.__doc__
        assert kind.allowed
        assert kind.allowed <= roles, kind


def test_one_command_begins_a_meeting() -> None:
    assert [kind for kind in KINDS if kind.creates] == [PlanMeeting]


ATTENDEE = {"person": "p-1", "attendance": "present"}


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (PlanMeeting, "kind", "party"),
        (PlanMeeting, "on", "2023-02-30"),
        (PlanMeeting, "on", "2203-01-01"),
        (PlanMeeting, "invited", ["p-1"] * 501),
        (PlanMeeting, "title", "两\n行"),
        (PostponeMeeting, "on", "0001-01-01"),
        (HoldMeeting, "began_at", "2023-07-07T14:30:00"),
        (HoldMeeting, "began_at", "2023-07-07"),
        (RecordAttendance, "attendees", []),
        (RecordAttendance, "attendees", [{**ATTENDEE, "attendance": "late"}]),
        (RecordAttendance, "attendees", [{**ATTENDEE, "seat": 4}]),
        (RecordAttendance, "attendees", [{**ATTENDEE, "person": "P 1"}]),
        (RecordAttendance, "attendees", [ATTENDEE] * 501),
        (CorrectAttendance, "excuse", "病假\n事假"),
        (RecordSpeech, "number", 0),
        (RecordSpeech, "number", 10_000),
        (RecordSpeech, "number", "1"),
        (RecordSpeech, "act", "praise"),
        (RaiseProblemAtMeeting, "winds", ["laziness"]),
        (RaiseProblemAtMeeting, "key", "P 1"),
        (ResolveMeasure, "due_on", "soon"),
        (ResolveMeasure, "issues", ["issue-1"] * 501),
        (AppraiseMeeting, "grade", "excellent"),
        (VoidMeetingEntry, "key", "a b"),
        (VoidMeetingEntry, "entry", "speech"),
    ],
)
def test_it_is_refused(kind: type[Command], name: str, value: object) -> None:
    assert refused(kind, {**body(kind), name: value}, name)

"""What a sender may say at all: bad input never reaches a decision, and no free text goes unsealed."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from services.campaign.events import Role
from services.talks.domain import request, talk
from shared.decider import Command, Decider, Rejected, wire
from shared.marks import MAX_TEXT, marked
from tests.talks.everything import REQUEST_COMMANDS, TALK_COMMANDS

DECIDERS: tuple[Decider[Any, Any, Any, Any], ...] = (talk.decider, request.decider)
KINDS: tuple[type[Command], ...] = tuple(
    kind for decider in DECIDERS for kind in decider.members(decider.commands)
)
SAID = {type(command): command for command in reversed((*TALK_COMMANDS, *REQUEST_COMMANDS))}

NO_TEXTS = ("", " \n\t ", "\u200b", "谈心\x00", "\ud800", "谈" * (MAX_TEXT + 1), 7, ["谈"])
"""Empty, blank, invisible, unprintable, half a character, too long, no text at all."""


def body(kind: type[Command]) -> dict[str, Any]:
    """A good body of a command, as a sender gives it."""
    said = SAID[kind].model_dump(mode="json")
    return {name: said[name] for name in wire(kind).model_fields}


def refused(kind: type[Command], said: dict[str, Any], *field: str) -> bool:
    """Whether a body is refused, because of that field or because it is no JSON at all."""
    try:
        wire(kind).model_validate_json(json.dumps(said))
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


def schema(kind: type[BaseModel]) -> dict[str, Any]:
    """The fields of a model in JSON Schema, without the alternative `null`."""
    described = {}
    for name, said in kind.model_json_schema()["properties"].items():
        options = [option for option in said.get("anyOf", [said]) if option.get("type") != "null"]
        described[name] = options[0]
    return described


def test_a_good_body_is_read_as_it_was_meant() -> None:
    for kind in KINDS:
        said = wire(kind).model_validate_json(json.dumps(body(kind)))
        for name in wire(kind).model_fields:
            assert getattr(said, name) == getattr(SAID[kind], name), (kind, name)


def test_nobody_says_who_they_are_or_what_time_it_is() -> None:
    forbidden = {"by": "luo-chengye", "at": "2023-05-08T04:00:00Z", "stream": "talk-1", "x": True}
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
    models: list[type[BaseModel]] = [talk.SideAsked, talk.CommunicatedAsked]
    for kind in models + [wire(kind) for kind in KINDS]:
        for name, said in schema(kind).items():
            if said.get("type") == "string" and not {"pattern", "format", "enum"} & said.keys():
                assert name in marked(kind), (kind, name)


def test_every_code_date_and_id_has_its_form() -> None:
    for kind in KINDS:
        for name in wire(kind).model_fields.keys() - marked(kind).keys():
            for wrong in ("No Such Thing!", 5, {"a": 1}, 1.5):
                assert refused(kind, {**body(kind), name: wrong}, name), (kind, name, wrong)


def test_a_command_has_a_chinese_name_and_known_roles() -> None:
    roles = {role.value for role in Role} | {"person", "service"}
    for kind in KINDS:
        assert any("\u4e00" <= character <= "\u9fff" for character in kind.zh), kind
        assert kind.__doc__
        assert kind.allowed
        assert kind.allowed <= roles, kind


def test_a_talk_begins_arranged_or_on_record_and_a_request_by_being_made() -> None:
    creating = [kind.__name__ for kind in KINDS if kind.creates]
    assert creating == ["ArrangeTalk", "RecordTalk", "RequestTalk"]


def test_every_refusal_says_why_in_both_languages() -> None:
    modules = {talk.__name__, request.__name__}
    rules = [rule for rule in Rejected.__subclasses__() if rule.__module__ in modules]
    assert rules
    for rule in rules:
        assert rule.__doc__
        assert rule.zh != Rejected.zh


@pytest.mark.parametrize("moment", ["2023-05-08T12:00:00", "2023-05-08", "昨天"])
@pytest.mark.parametrize("name", ["begun_at", "ended_at"])
def test_a_time_without_a_zone_is_not_one(name: str, moment: str) -> None:
    assert refused(talk.RecordTalk, {**body(talk.RecordTalk), name: moment}, name)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (talk.ArrangeTalk, "parties", []),
        (talk.ArrangeTalk, "parties", ["P 1"]),
        (talk.ArrangeTalk, "parties", [f"p-{n}" for n in range(201)]),
        (talk.ArrangeTalk, "kind", "monologue"),
        (talk.ArrangeTalk, "place", "两\n行"),
        (talk.RecordTalk, "outsider", "两\n行"),
        (talk.RecordTalk, "others", [f"p-{n}" for n in range(51)]),
        (talk.RecordTalk, "sides", [{"party": "p-1", "secret": "…"}]),
        (talk.RecordTalk, "sides", [{"party": "P 1"}]),
        (talk.RecordTalk, "sides", [{"party": "p-1", "asked_about_me": "yes"}]),
        (talk.RecordTalk, "sides", [{"party": "p-1", "strengths": " "}]),
        (talk.RecordTalk, "communicated", [{"giver": "p-1", "receiver": "p-2"}]),
        (
            talk.RecordTalk,
            "communicated",
            [{"giver": "p-1", "receiver": "p-2", "criticism": ""}],
        ),
        (talk.ReleaseTalk, "audiences", ["the-press"]),
        (talk.RaiseProblem, "winds", ["laziness"]),
        (talk.RaiseProblem, "title", "谈" * 201),
        (talk.RaiseProblem, "key", "作业"),
        (request.RequestTalk, "asked", None),
    ],
)
def test_it_is_refused(kind: type[Command], name: str, value: object) -> None:
    assert refused(kind, {**body(kind), name: value}, name)

"""What a sender may say at all: bad input never reaches a decision, and no free text goes unsealed."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from services.campaign.events import Role
from services.study import domain
from services.study.app import service
from services.study.domain.activity import RecordActivity
from services.study.domain.self_rating import RecordSelfRating
from services.study.domain.session import RecordStudyAttendance, RecordStudySession
from shared.decider import Command, Rejected, wire
from shared.marks import MAX_TEXT, marked
from tests.study.everything import DONATION, EVERYTHING

KINDS: tuple[type[Command], ...] = tuple(command for _, command in service.commands().values())
SAID = {type(command): command for _, _, commands in EVERYTHING for command in commands}

NO_TEXTS = ("", " \n\t ", "\u200b", "学习\x00", "\ud800", "学" * (MAX_TEXT + 1), 7, ["学"])
"""Empty, blank, invisible, unprintable, half a character, too long, no text at all."""


def body(kind: type[Command], command: Command | None = None) -> dict[str, Any]:
    """A good body of a command, as a sender gives it."""
    said = (command or SAID[kind]).model_dump(mode="json")
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
    for name, what in marked(kind).items():
        if not (isinstance(what, type) and issubclass(what, BaseModel)):
            yield name


def test_a_good_body_is_read_as_it_was_meant() -> None:
    for kind in KINDS:
        said = read(kind, body(kind))
        for name in wire(kind).model_fields:
            assert getattr(said, name) == getattr(SAID[kind], name), (kind, name)


def test_nobody_says_who_they_are_what_time_it_is_or_how_long_a_text_is() -> None:
    forbidden = {"by": "p", "at": "2023-05-08T04:00:00Z", "stream": "s", "length": 9, "x": True}
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
            options = [o for o in said.get("anyOf", [said]) if o.get("type") != "null"]
            form = options[0]
            if form.get("type") == "string" and not {"pattern", "format", "enum"} & form.keys():
                assert name in marked(kind), (kind, name)


def test_every_code_date_and_id_has_its_form() -> None:
    for kind in KINDS:
        for name in wire(kind).model_fields.keys() - marked(kind).keys():
            for wrong in ("No Such Thing!", {"a": 1}, [5]):
                assert refused(kind, {**body(kind), name: wrong}, name), (kind, name, wrong)


def test_a_command_has_a_chinese_name_and_known_roles() -> None:
    roles = {role.value for role in Role} | {"person"}
    for kind in KINDS:
        assert any("\u4e00" <= character <= "\u9fff" for character in kind.zh), kind
        assert kind.__doc__
        assert kind.allowed
        assert kind.allowed <= roles, kind


def test_one_command_begins_each_kind_of_stream() -> None:
    for stream in service.streams:
        kinds: tuple[type[Command], ...] = stream.decider.members(stream.decider.commands)
        assert sum(kind.creates for kind in kinds) == 1, stream.plural


def test_every_refusal_says_why_in_both_languages() -> None:
    rules = [r for r in Rejected.__subclasses__() if r.__module__.startswith(domain.__name__)]
    assert rules
    for rule in rules:
        assert rule.__doc__
        assert rule.zh != Rejected.zh


# -- Some of them ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pupil", ["王小明", "wang-xiaoming", "pupil-", "pupil-12345", "pupil-1a", "440106200801011234"]
)
def test_a_pupil_is_a_pseudonym_and_nothing_else_fits_in(pupil: str) -> None:
    assert refused(RecordActivity, {**body(RecordActivity, DONATION), "pupil": pupil}, "pupil")


@pytest.mark.parametrize("amount", ["2022.001", "1e99", "NaN", "Infinity", "二千", "9999999999.99"])
def test_an_amount_is_a_decimal_of_two_places(amount: str) -> None:
    assert refused(RecordActivity, {**body(RecordActivity, DONATION), "amount": amount}, "amount")


@pytest.mark.parametrize("amount", ["2022", "2022.5", "2022.50", "0", "-1"])
def test_what_a_rule_refuses_is_read_first(amount: str) -> None:
    said = read(RecordActivity, {**body(RecordActivity, DONATION), "amount": amount})
    assert getattr(said, "amount", None) == Decimal(amount)


@pytest.mark.parametrize("score", [0, 6, 2.5, "3", None])
def test_a_score_is_one_to_five(score: object) -> None:
    said = body(RecordSelfRating)
    scores = {**said["scores"], "public_concerns": score}
    assert refused(RecordSelfRating, {**said, "scores": scores}, "scores", "public_concerns")


@pytest.mark.parametrize("day", ["2023-02-30", "1023-05-08", "2223-05-08", "08.05.2023", 20230508])
def test_a_day_is_a_day_within_memory(day: object) -> None:
    assert refused(RecordActivity, {**body(RecordActivity), "on": day}, "on")


@pytest.mark.parametrize("kind", ["tea", "", None, 1])
def test_the_kinds_are_closed_lists(kind: object) -> None:
    for command in (RecordActivity, RecordStudySession):
        assert refused(command, {**body(command), "kind": kind}, "kind")


def test_not_the_whole_town_attends() -> None:
    crowd = [f"p-{n}" for n in range(501)]
    assert refused(RecordStudyAttendance, {"present": crowd}, "present")

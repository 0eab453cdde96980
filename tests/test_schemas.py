"""What is stored is published as a schema, and no change of an event may lose what is stored."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field
from typer.testing import CliRunner

from services.cli import app
from services.stack import SERVICES
from shared.schemas import incompatible, lost, schemas_of
from tests.test_golden import EVENTS

PUBLISHED = Path(__file__).parents[1] / "docs" / "schemas"
STREAMS = [service.name for service in SERVICES if service.streams]


@pytest.mark.parametrize("service", STREAMS)
def test_what_is_published_is_what_is_stored(service: str) -> None:
    published = json.loads((PUBLISHED / f"{service}.json").read_text())

    assert lost(published, schemas_of(service)) == []
    assert published == schemas_of(service), "run `make schemas`"


def test_every_stored_event_is_published() -> None:
    assert {p.stem for p in PUBLISHED.iterdir()} == set(STREAMS)
    assert {type_ for s in STREAMS for type_ in schemas_of(s)} == {e.TYPE for e in EVENTS}


THEN: dict[str, Any] = {
    "$defs": {
        "Wind": {"enum": ["formalism", "hedonism"], "type": "string"},
        "Part": {
            "properties": {"text": {"type": "string", "maxLength": 9, "minLength": 1}},
            "required": ["text"],
            "type": "object",
        },
    },
    "properties": {
        "wind": {"$ref": "#/$defs/Wind"},
        "parts": {"items": {"$ref": "#/$defs/Part"}, "type": "array"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "times": {"type": "integer", "default": 0},
        "pair": {"prefixItems": [{"type": "string"}], "type": "array"},
        "counts": {"additionalProperties": {"type": "integer"}, "type": "object"},
    },
    "required": ["wind", "parts"],
    "type": "object",
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The schema with something else, or nothing, at a place."""
    schema = json.loads(json.dumps(THEN))
    *way, last = path.split("/")
    at = schema
    for step in way:
        at = at[int(step)] if isinstance(at, list) else at[step]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return dict(schema)


@pytest.mark.parametrize(
    ("path", "value", "loss"),
    [
        ("properties/wind", None, "event.wind: gone"),
        ("properties/parts/items", {"type": "string"}, "event.parts[].text: gone"),
        ("properties/times/type", "string", "event.times: type changed"),
        ("properties/times/default", 1, "event.times: default changed"),
        ("properties/note", {"type": "string"}, "event.note: an alternative is gone"),
        ("properties/note/default", None, "event.note: default changed"),
        ("properties/pair/prefixItems", [], "event.pair: prefixItems changed"),
        ("properties/pair/prefixItems/0/type", "integer", "event.pair[0]: type changed"),
        ("properties/counts", {"type": "object"}, "event.counts: additionalProperties changed"),
        ("required", ["wind", "parts", "times"], "event.times: now required"),
        ("$defs/Wind/enum", ["formalism"], "event.wind: no longer allows hedonism"),
        ("$defs/Part/required", ["text", "more"], "event.parts[].more: now required"),
        ("$defs/Part/properties/text/maxLength", 8, "event.parts[].text: maxLength changed"),
        ("$defs/Part/properties/text/minLength", 2, "event.parts[].text: minLength changed"),
        ("$defs/Part/properties/text/pattern", "^a", "event.parts[].text: pattern changed"),
    ],
)
def test_what_would_lose_stored_events_is_named(path: str, value: Any, loss: str) -> None:
    assert loss in incompatible(THEN, changed(path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("properties/more", {"type": "string", "default": ""}),
        ("properties/wind/description", "another word for it"),
        ("$defs/Wind/enum", ["formalism", "hedonism", "extravagance"]),
        ("properties/times", {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": 0}),
        ("$defs/Part/properties/text/maxLength", 10),
        ("$defs/Part/properties/text/maxLength", None),
        ("$defs/Part/properties/text/minLength", 0),
        ("required", ["wind"]),
    ],
)
def test_what_only_adds_is_allowed(path: str, value: Any) -> None:
    assert incompatible(THEN, changed(path, value)) == []


class Node(BaseModel):
    """A part that may hold others like itself."""

    name: str = Field(max_length=9)
    under: "Node | str | None" = None


def test_a_part_that_holds_its_like_is_compared_to_the_end() -> None:
    then = Node.model_json_schema()
    now = json.loads(json.dumps(then).replace('"maxLength": 9', '"maxLength": 8'))

    assert incompatible(then, then) == []
    assert "event.name: maxLength changed" in incompatible(then, now)
    assert incompatible(now, then) == []


def test_what_was_lost_in_one_place_is_not_taken_for_compared_in_another() -> None:
    """A pair of references that failed as one alternative fails as the next one too."""
    part = {"$ref": "#/$defs/Part"}
    then = changed("properties/note", {"anyOf": [part, {"type": "integer"}]})
    then["properties"]["other"] = {"anyOf": [part, {"type": "null"}]}
    del then["properties"]["parts"]  # else it is named there, once
    now = json.loads(json.dumps(then).replace('"maxLength": 9', '"maxLength": 8'))

    assert {"event.note: an alternative is gone", "event.other: an alternative is gone"} <= {
        *incompatible(then, now)
    }


def test_a_type_is_published_for_ever() -> None:
    assert lost({"a.b.c.v1": THEN}, {}) == ["a.b.c.v1: gone"]


def test_publishing_anew_refuses_what_would_lose_stored_events(tmp_path: Path) -> None:
    first = CliRunner().invoke(app, ["schemas", str(tmp_path)])
    path = tmp_path / "talks.json"
    before = json.loads(path.read_text())
    path.write_text(json.dumps({**before, "talks.talk.sung.v1": THEN}))

    again = CliRunner().invoke(app, ["schemas", str(tmp_path)])

    assert (first.exit_code, before) == (0, schemas_of("talks"))
    assert (again.exit_code, again.stderr) == (1, "talks.talk.sung.v1: gone\n")
    assert "talks.talk.sung.v1" in json.loads(path.read_text())

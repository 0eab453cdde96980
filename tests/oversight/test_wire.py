"""What a sender may say at all, and what of it is sealed; yesterday's events stay readable."""

import json
from pathlib import Path

import pytest

from services.oversight.app import service
from services.oversight.domain import decider
from shared.decider import Command, Event, wire
from shared.marks import SetByRuntime, fields_marked, marked
from tests.oversight.test_finding import COMMANDS

GOLDEN = Path(__file__).parents[1] / "golden"
EVENTS: tuple[type[Event], ...] = decider.members(decider.events)
KINDS: tuple[type[Command], ...] = decider.members(decider.commands)
TEXTS = {"remark", "reason", "waiver_reason"}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.TYPE)
def test_a_stored_event_can_still_be_read(event: type[Event]) -> None:
    body = (GOLDEN / f"{event.TYPE}.json").read_text()
    read = event.model_validate_json(body)
    assert json.loads(read.model_dump_json()).items() >= json.loads(body).items()


@pytest.mark.parametrize("kind", KINDS)
def test_a_command_says_what_it_is(kind: type[Command]) -> None:
    assert kind.zh
    assert kind.__doc__
    assert kind.allowed


@pytest.mark.parametrize("kind", [*KINDS, *EVENTS])
def test_every_text_is_sealed(kind: type[Command] | type[Event]) -> None:
    assert marked(kind).keys() == TEXTS & kind.model_fields.keys()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_body_is_read_as_it_is_sent(command: Command) -> None:
    fields = wire(type(command)).model_fields
    said = {name: getattr(command, name) for name in fields}
    read = wire(type(command)).model_validate_json(json.dumps(said))
    assert {name: getattr(read, name) for name in fields} == said


@pytest.mark.parametrize("text", ["", " \n", "\u200b", "病\x00假", 7])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_text_that_is_none_is_refused(command: Command, text: object) -> None:
    kind = type(command)
    for name in TEXTS & wire(kind).model_fields.keys():
        said = {n: getattr(command, n) for n in wire(kind).model_fields} | {name: text}
        with pytest.raises(ValueError, match="validation error"):
            wire(kind).model_validate_json(json.dumps(said))


def test_nobody_says_for_whom_or_when_they_act() -> None:
    for kind in KINDS:
        assert not {"by", "at", "stream"} & wire(kind).model_fields.keys()
        assert {"by", "at", "stream"} <= fields_marked(kind, SetByRuntime).keys()


def test_the_service_names_each_thing_once() -> None:
    assert len(service.commands()) == len(KINDS)
    assert len({view.name for view in service.views}) == len(service.views)
    assert len({query.path for query in service.queries}) == len(service.queries)
    assert all(query.zh and query.__doc__ for query in service.queries)

"""What holds for every stream of study however it goes. Every state the commands reach is tried."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from services.study.domain.activity import Recorded
from services.study.domain.catalogue import Listed
from services.study.domain.tie import Tied
from shared.decider import Command, Event, Rejected, wire
from shared.journal import dump_state, load_state
from tests.scenario import Laws
from tests.study.everything import EVERYTHING

pytestmark = pytest.mark.thorough


def standing(state: Any) -> Any:
    """A state without what only grows."""
    if isinstance(state, Tied):
        return replace(state, ties=tuple(replace(t, number=0) for t in state.ties[-1:]))
    if isinstance(state, Listed):
        return replace(state, edition=0)
    if isinstance(state, Recorded):
        return replace(state, problems=state.problems[:1])
    return state


STREAMS = {
    decider.category: Laws(decider, facts, commands, standing)
    for decider, facts, commands in EVERYTHING
}
EVERY = pytest.mark.parametrize("laws", STREAMS.values(), ids=STREAMS)

type Happening = tuple[Any, Command, Event, Any]
"""The state before, the command, the event, the state after."""


@cache
def _lived(category: str) -> tuple[list[Any], list[Happening]]:
    laws = STREAMS[category]
    states = laws.reachable()
    return states, [
        (state, command, event, laws.decider.evolve(state, event))
        for state in states
        for command in laws.commands
        if (event := laws.attempt(command, state))
    ]


def reachable(laws: Laws) -> list[Any]:
    return _lived(laws.decider.category)[0]


def happenings(laws: Laws) -> list[Happening]:
    return _lived(laws.decider.category)[1]


@EVERY
def test_every_command_is_tried_and_accepted_somewhere(laws: Laws) -> None:
    laws.check_every_command_is_tried()
    laws.check_every_command_is_accepted_somewhere(reachable(laws))


@EVERY
def test_every_event_happens(laws: Laws) -> None:
    laws.check_every_event_happens(reachable(laws))


@EVERY
def test_every_state_is_reached(laws: Laws) -> None:
    reached = {type(state) for state in reachable(laws)}
    assert reached == set(laws.decider.members(laws.decider.states))


@EVERY
def test_a_command_sent_twice_counts_once(laws: Laws) -> None:
    laws.check_twice_counts_once(reachable(laws))


@EVERY
def test_a_command_that_says_something_else_is_never_taken_for_the_same(laws: Laws) -> None:
    for _, command, _, after in happenings(laws):
        for other in otherwise(command):
            try:
                event = laws.decider.decide(other, after, laws.facts)
            except Rejected:
                continue
            assert event is not None, f"{other} swallowed after {command}"


@EVERY
def test_a_stream_ends_where_its_events_say_so(laws: Laws) -> None:
    laws.check_it_ends_where_its_events_say(reachable(laws))


@EVERY
def test_every_event_is_read_back_as_it_was_written(laws: Laws) -> None:
    for _, _, event, _ in happenings(laws):
        assert type(event).model_validate_json(event.model_dump_json()) == event


@EVERY
def test_every_state_survives_a_snapshot(laws: Laws) -> None:
    for state in reachable(laws):
        assert load_state(laws.decider, dump_state(state)) == state


@EVERY
def test_the_beginning_is_left_once(laws: Laws) -> None:
    for before, command, _, after in happenings(laws):
        assert type(after) is not type(laws.decider.initial)
        assert type(command).creates or before != laws.decider.initial


@EVERY
def test_what_never_began_is_not_changed_by_what_follows(laws: Laws) -> None:
    for before, command, event, _ in happenings(laws):
        first = type(command).creates or type(event).__name__.endswith("Voided")
        if not first and before != laws.decider.initial:
            assert laws.decider.evolve(laws.decider.initial, event) == laws.decider.initial


def otherwise(command: Command) -> Iterator[Command]:
    """The same command with one thing said differently; the reason of a correction is left alone."""
    for name in wire(type(command)).model_fields:
        if type(command).__name__.startswith(("Correct", "Revise")) and name == "reason":
            continue
        other = _other(getattr(command, name))
        if other is not None:
            with suppress(ValidationError):  # not every other word may be said
                yield type(command).model_validate({**dict(command), name: other})


def _other(value: Any) -> Any:
    """Something else of the same kind; none where nothing was said."""
    other: Any = None
    match value:
        case Enum():
            other = next(x for x in type(value) if x is not value)
        case bool():
            other = not value
        case int() | Decimal():
            other = value + 1
        case str():
            other = value[:-1] + ("0" if value[-1] != "0" else "1")
        case date():
            other = value - timedelta(days=1)
        case (first, *rest):
            other = (_other(first), *rest)
        case BaseModel():
            name = next(iter(type(value).model_fields))
            other = value.model_copy(update={name: _other(getattr(value, name))})
        case _:
            pass
    return other

"""What holds for every stream of feedback however its life goes: every reachable state is tried."""

import json

import pytest

from services.feedback.domain.opinion import SendMessage
from shared.decider import Command
from shared.journal import dump_state, load_state
from tests.feedback import (
    test_collation,
    test_disclosure,
    test_opinion,
    test_report,
    test_solicitation,
)
from tests.scenario import Laws

pytestmark = pytest.mark.thorough


def _key(state: object) -> str:
    """A state, whatever was written to it: that only grows."""
    dumped = dump_state(state)
    if "entry" in dumped["has"]:
        dumped["has"]["entry"] |= {"messages": 0, "written": 0}
    return json.dumps(dumped, sort_keys=True)


LAWS = [
    Laws(each.decider, each.facts, each.commands, _key)
    for each in (
        test_solicitation.laws,
        test_opinion.laws,
        test_collation.laws,
        test_report.laws,
        test_disclosure.laws,
    )
]
every_stream = pytest.mark.parametrize("laws", LAWS, ids=lambda laws: laws.decider.category)
REPEATABLE: tuple[type[Command], ...] = (SendMessage,)


@pytest.fixture
def states(laws: Laws) -> list[object]:
    return laws.states


@every_stream
def test_no_command_was_forgotten(laws: Laws, states: list[object]) -> None:
    assert states
    laws.check_every_command_is_tried()


@every_stream
def test_every_command_is_accepted_somewhere(laws: Laws, states: list[object]) -> None:
    laws.check_every_command_is_accepted_somewhere(states)


@every_stream
def test_every_event_happens(laws: Laws, states: list[object]) -> None:
    laws.check_every_event_happens(states)


@every_stream
def test_a_command_sent_twice_counts_once(laws: Laws, states: list[object]) -> None:
    laws.check_twice_counts_once(states, REPEATABLE)


@every_stream
def test_a_stream_ends_where_its_events_say_so(laws: Laws, states: list[object]) -> None:
    laws.check_it_ends_where_its_events_say(states)


@every_stream
def test_every_state_is_reached(laws: Laws, states: list[object]) -> None:
    assert {type(s) for s in states} == set(laws.decider.members(laws.decider.states))


@every_stream
def test_a_state_read_back_from_a_snapshot_is_the_same(laws: Laws, states: list[object]) -> None:
    for state in states:
        stored = json.loads(json.dumps(dump_state(state)))
        assert load_state(laws.decider, stored) == state


@every_stream
def test_a_closed_or_voided_stream_records_nothing_but_what_is_listed(
    laws: Laws, states: list[object]
) -> None:
    last = {"Voided", "Closed", "Withdrawn"}
    listed = {
        "solicitation": {"OpenSolicitation", "CorrectSolicitation", "VoidSolicitation"},
        "opinion": {
            "SendMessage", "RedactOpinion", "LiftMasking", "CorrectOpinion", "VoidOpinion",
        },
        "collation": set(),
        "report": set(),
        "disclosure": {"RequestDisclosure"},
    }[laws.decider.category]  # fmt: skip
    accepted = {
        type(command).__name__
        for state in states
        if type(state).__name__ in last
        for command in laws.commands
        if laws.attempt(command, state)
    }
    assert accepted <= listed

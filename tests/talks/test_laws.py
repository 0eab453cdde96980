"""What holds however it goes with a talk or a request. Every reachable state is tried."""

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from services.talks.domain import request, talk
from services.talks.domain.request import VoidRequestedTalk
from services.talks.domain.talk import ConfirmTalk, Held, RearrangeTalk, VoidTalk
from services.talks.events import TalkConfirmed, TalkCorrected, TalkVoided
from shared.decider import Command, Event, Rejected
from shared.journal import dump_state, load_state
from tests.rectification.test_laws import otherwise
from tests.scenario import Laws
from tests.talks.cast import ASKED_FOR, FACTS, MEMBER, SUPERVISOR, TEACHER, by
from tests.talks.everything import REQUEST_COMMANDS, TALK_COMMANDS

pytestmark = pytest.mark.thorough


def in_any_order(state: Any) -> Any:
    """A talk, whoever disputed or released first."""
    if not isinstance(state, Held):
        return state
    return (
        str(state.told),
        state.request,
        state.recorded_by,
        state.confirmed,
        frozenset(state.disputes),
        frozenset(state.releases),
        len(state.problems),
    )


TALK = Laws(talk.decider, ASKED_FOR, TALK_COMMANDS, in_any_order)
REQUEST = Laws(request.decider, FACTS, REQUEST_COMMANDS)

EVERY = pytest.mark.parametrize("laws", [TALK, REQUEST], ids=lambda laws: laws.decider.category)


@cache
def _lived(category: str) -> tuple[list[Any], list[tuple[Any, Command, Event, Any]]]:
    laws = TALK if category == "talk" else REQUEST
    states = laws.reachable()
    return states, [
        (state, command, event, laws.decider.evolve(state, event))
        for state in states
        for command in laws.commands
        if (event := laws.attempt(command, state))
    ]


def reachable(laws: Laws) -> list[Any]:
    return _lived(laws.decider.category)[0]


def happenings(laws: Laws) -> list[tuple[Any, Command, Event, Any]]:
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
    assert {type(state) for state in reachable(laws)} == set(
        laws.decider.members(laws.decider.states)
    )


@EVERY
def test_a_command_sent_twice_counts_once(laws: Laws) -> None:
    laws.check_twice_counts_once(reachable(laws))


@EVERY
def test_a_command_that_says_something_else_is_never_taken_for_the_same(laws: Laws) -> None:
    """But for why an arrangement was left as it is, and for a talk that answers no request anyway."""
    for _, command, _, after in happenings(laws):
        if isinstance(command, VoidRequestedTalk):
            continue
        for other in otherwise(command):
            if isinstance(command, RearrangeTalk) and other == only_another_reason(command, other):
                continue
            try:
                event = laws.decider.decide(other, after, laws.facts)
            except Rejected:
                continue
            assert event is not None, f"{other} swallowed after {command}"


def only_another_reason(command: Command, other: Command) -> Command:
    return command.model_copy(update={"reason": getattr(other, "reason", None)})


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
def test_a_stream_ends_where_its_events_say_so(laws: Laws) -> None:
    laws.check_it_ends_where_its_events_say(reachable(laws))


def test_nobody_confirms_what_they_have_not_seen() -> None:
    corrections = [step for step in happenings(TALK) if isinstance(step[2], TalkCorrected)]
    assert corrections
    for _, _, _, after in corrections:
        assert (after.confirmed, after.disputes, after.releases) == (frozenset(), (), ())


def test_a_talk_is_confirmed_by_all_only_when_each_party_said_so() -> None:
    agreed = [s for s in reachable(TALK) if isinstance(s, Held) and s.confirmed_by_all]
    assert agreed
    for state in agreed:
        assert state.confirmed == {MEMBER, TEACHER}
        assert state.disputes == ()
    for state in reachable(TALK):
        if isinstance(state, Held) and MEMBER not in state.confirmed:
            after = talk.evolve(state, TalkConfirmed(party=TEACHER))
            assert not getattr(after, "confirmed_by_all", True)


def test_no_party_makes_a_talk_disappear() -> None:
    voided = [step for step in happenings(TALK) if isinstance(step[2], TalkVoided)]
    assert voided
    for before, command, *_ in voided:
        assert command.by == SUPERVISOR
        for who in (MEMBER, TEACHER):
            assert TALK.attempt(by(who, VoidTalk, reason="没有这次谈话"), before) is None


def test_a_confirmation_changes_nothing_that_was_said() -> None:
    confirmed = [step for step in happenings(TALK) if isinstance(step[1], ConfirmTalk)]
    assert confirmed
    for before, _, _, after in confirmed:
        assert replace(after, confirmed=before.confirmed, disputes=before.disputes) == before

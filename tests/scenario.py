"""Given these events, when this command, then that event: how every decider is tested."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import pytest

from shared.decider import Command, Decider, Event, Rejected


@dataclass(frozen=True)
class Outcome:
    decider: Decider[Any, Any, Any, Any]
    facts: Any
    past: tuple[Event, ...]
    command: Command

    def then(self, expected: Event) -> None:
        __tracebackhide__ = True
        assert self.decided() == expected

    def then_nothing(self) -> None:
        assert self.decided() is None

    def then_rejected(self, rule: type[Rejected]) -> None:
        with pytest.raises(Rejected) as refusal:
            self.decided()
        assert refusal.type is rule

    def decided(self) -> Event | None:
        event = self.decider.decide(self.command, self.decider.fold(self.past), self.facts)
        assert event is None or isinstance(event, Event)
        return event


@dataclass(frozen=True)
class Scenario:
    """One kind of stream, the facts it is decided on, and what happened so far."""

    decider: Decider[Any, Any, Any, Any]
    facts: Any = None
    past: tuple[Event, ...] = ()

    def given(self, *past: Event) -> "Scenario":
        return replace(self, past=past)

    def knowing(self, facts: object) -> "Scenario":
        return replace(self, facts=facts)

    def when(self, command: Command) -> Outcome:
        return Outcome(self.decider, self.facts, self.past, command)


@dataclass(frozen=True)
class Laws:
    """What holds for a stream however its life goes: every state the commands can reach is tried.

    `commands` has at least one of every kind; `key` forgets what only grows (counts, lists), so that
    the states are finitely many.
    """

    decider: Decider[Any, Any, Any, Any]
    facts: Any
    commands: tuple[Command, ...]
    key: Callable[[Any], Any] = lambda state: state
    tried: ClassVar[set[str]] = set()
    """The kinds of stream there are laws of."""

    def __post_init__(self) -> None:
        self.tried.add(self.decider.category)

    def attempt(self, command: Command, state: Any) -> Event | None:
        try:
            event = self.decider.decide(command, state, self.facts)
        except Rejected:
            return None
        assert event is None or isinstance(event, Event)
        return event

    @cached_property
    def states(self) -> list[Any]:
        return self.reachable()

    def reachable(self) -> list[Any]:
        seen = {self.key(self.decider.initial): self.decider.initial}
        frontier = deque(seen.values())
        while frontier:
            state = frontier.popleft()
            for command in self.commands:
                if event := self.attempt(command, state):
                    after = self.decider.evolve(state, event)
                    if self.key(after) not in seen:
                        seen[self.key(after)] = after
                        frontier.append(after)
        return list(seen.values())

    def check_every_command_is_tried(self) -> None:
        assert {type(c) for c in self.commands} == set(self.decider.members(self.decider.commands))

    def check_every_command_is_accepted_somewhere(self, states: Iterable[Any]) -> None:
        states = list(states)
        for command in self.commands:
            assert any(self.attempt(command, state) for state in states), command

    def check_every_event_happens(self, states: Iterable[Any]) -> None:
        happened = {
            type(event)
            for state in states
            for command in self.commands
            if (event := self.attempt(command, state))
        }
        assert happened == set(self.decider.members(self.decider.events))

    def check_twice_counts_once(
        self, states: Iterable[Any], repeatable: tuple[type[Command], ...] = ()
    ) -> None:
        """A command sent again finds its work done, but for those that may be said again and again."""
        for state in states:
            for command in self.commands:
                if isinstance(command, repeatable):
                    continue
                if event := self.attempt(command, state):
                    after = self.decider.evolve(state, event)
                    assert self.attempt(command, after) is None, f"{command} twice from {state}"

    def check_it_ends_where_its_events_say(
        self, states: Iterable[Any], others: tuple[Command, ...] = ()
    ) -> None:
        """Behind an event that `ends` nothing is accepted; where nothing is, the last event said so."""
        over: dict[Any, bool] = {}
        for state in states:
            for command in self.commands:
                if event := self.attempt(command, state):
                    after = self.decider.evolve(state, event)
                    if (key := self.key(after)) not in over:
                        over[key] = not any(
                            self.attempt(next_, after) for next_ in (*self.commands, *others)
                        )
                    assert over[key] is event.ends, f"{event} in {state}"

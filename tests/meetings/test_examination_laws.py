"""What holds however it goes with a self-examination or an appraisal. Every reachable state is tried."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from services.meetings.domain import appraisal, examination
from services.meetings.domain.appraisal import Counted, RecordResult, VoidAppraisalEntry
from services.meetings.domain.examination import Reviewed, Submitted
from services.meetings.events import (
    AppraisalEntry,
    BallotOpened,
    ExaminationReviewed,
    ExaminationSubmitted,
    MemberRecommended,
)
from shared.decider import Command, Event, Rejected, wire
from shared.journal import dump_state, load_state
from tests.meetings.examination_cast import CADRE, LEADER, SUPERVISOR, by
from tests.meetings.examination_commands import (
    APPRAISAL_COMMANDS,
    APPRAISAL_FACTS,
    EXAMINATION_COMMANDS,
    EXAMINATION_FACTS,
)
from tests.scenario import Laws

pytestmark = pytest.mark.thorough


def uncounted(state: Any) -> object:
    """A self-examination without the number of its rounds."""
    if hasattr(state, "frame"):
        return replace(state, frame=replace(state.frame, rounds=0))
    return state


def unballoted(state: Any) -> object:
    """Where an appraisal stands: without what only grows, and without words once there are results."""
    if not hasattr(state, "sheet"):
        return type(state)
    entries = {(e.kind, e.member) for e in state.sheet.entries}
    decided = {entry for entry in entries if entry[0] not in appraisal.SPOKEN}
    return type(state), frozenset(decided or entries), state.sheet.members


EXAMINATION = Laws(examination.decider, EXAMINATION_FACTS, EXAMINATION_COMMANDS, uncounted)
APPRAISAL = Laws(appraisal.decider, APPRAISAL_FACTS, APPRAISAL_COMMANDS, unballoted)

type Happening = tuple[Any, Command, Event, Any]
"""The state before, the command, the event, the state after."""

EVERY = pytest.mark.parametrize(
    "laws", [EXAMINATION, APPRAISAL], ids=lambda laws: laws.decider.category
)


@cache
def _lived(category: str) -> tuple[list[Any], list[Happening]]:
    laws = next(x for x in (EXAMINATION, APPRAISAL) if x.decider.category == category)
    states = laws.reachable()
    happenings = [
        (state, command, event, laws.decider.evolve(state, event))
        for state in states
        for command in laws.commands
        if (event := laws.attempt(command, state))
    ]
    return states, happenings


def reachable(laws: Laws) -> list[Any]:
    return _lived(laws.decider.category)[0]


def happenings(laws: Laws) -> list[Happening]:
    return _lived(laws.decider.category)[1]


# -- Of both --------------------------------------------------------------------------------------


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
    seen: set[tuple[type, type]] = set()
    for before, command, _, after in happenings(laws):
        if (type(before), type(command)) in seen:
            continue  # one of a kind is enough: the words of a state decide nothing
        seen.add((type(before), type(command)))
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
    written = {event.model_dump_json(): event for _, _, event, _ in happenings(laws)}
    for body, event in written.items():
        assert type(event).model_validate_json(body) == event


@EVERY
def test_every_state_survives_a_snapshot(laws: Laws) -> None:
    for state in reachable(laws):
        assert load_state(laws.decider, dump_state(state)) == state


@EVERY
def test_the_beginning_is_left_once(laws: Laws) -> None:
    for before, command, _, after in happenings(laws):
        assert type(after) is not type(laws.decider.initial)
        assert type(command).creates or before != laws.decider.initial


def otherwise(command: Command) -> Iterator[Command]:
    """The same command with one thing said differently.

    The reason of a correction is left alone: when nothing is left to correct, nothing is recorded.
    Who enters something for another, and when it happened, are the envelope's.
    """
    corrects = type(command).__name__.startswith("Correct")
    for name in wire(type(command)).model_fields:
        if name == "occurred_at" or (corrects and name == "reason"):
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
        case int():
            other = value + 1
        case str():
            other = value[:-1] + ("0" if value[-1] != "0" else "1")
        case datetime() | date():
            other = value + timedelta(days=1)
        case (first, *rest):
            other = (_other(first), *rest)
        case BaseModel():
            name = next(iter(type(value).model_fields))
            other = value.model_copy(update={name: _other(getattr(value, name))})
        case _:
            pass
    return other


# -- Of a self-examination ------------------------------------------------------------------------


def test_nothing_is_submitted_with_a_section_missing_unless_it_was_waived() -> None:
    submitted = [h for h in happenings(EXAMINATION) if isinstance(h[2], ExaminationSubmitted)]
    assert submitted
    for before, *_ in submitted:
        written = all(getattr(before.paper, name) for name in examination.SECTIONS)
        assert written or before.frame.waived
    assert any(not before.paper.basic_situation for before, *_ in submitted)


def test_what_has_to_be_adopted_is_never_reviewed_without() -> None:
    reviewed = [h for h in happenings(EXAMINATION) if isinstance(h[2], ExaminationReviewed)]
    assert {before.frame.to_be_adopted for before, *_ in reviewed} == {True, False}
    for before, _, _, after in reviewed:
        assert isinstance(after, Reviewed)
        if before.frame.to_be_adopted:
            assert after.meeting
            assert after.consultation
        else:
            assert isinstance(before, Submitted)


def test_no_author_judges_waives_or_voids_their_own() -> None:
    judging = (
        examination.WaiveExaminationGate,
        examination.RestoreExaminationGate,
        examination.ReviewExamination,
        examination.SendBackExamination,
        examination.VoidExamination,
    )
    commands = [
        command.model_copy(update={"by": person})
        for command in EXAMINATION_COMMANDS
        if isinstance(command, judging)
        for person in (CADRE, LEADER, SUPERVISOR)
    ]
    for state in reachable(EXAMINATION):
        for command in commands:
            if hasattr(state, "frame") and command.by in state.frame.authors:
                assert EXAMINATION.attempt(command, state) is None, f"{command} in {state}"


# -- Of an appraisal ------------------------------------------------------------------------------


def test_nobody_is_recommended_but_with_the_best_grade() -> None:
    recommended = [h for h in happenings(APPRAISAL) if isinstance(h[2], MemberRecommended)]
    assert recommended
    for before, _, event, _ in recommended:
        assert before.sheet.grade(getattr(event, "member", "")) is before.sheet.scale[0]


def test_what_rests_on_a_result_never_stands_without_it() -> None:
    for state in reachable(APPRAISAL):
        if hasattr(state, "sheet"):
            for entry in state.sheet.entries:
                if entry.kind in appraisal.RESTING:
                    assert state.sheet.grade(entry.member), state


def test_results_are_only_of_counted_ballots() -> None:
    for state in reachable(APPRAISAL):
        entries = getattr(getattr(state, "sheet", None), "entries", ())
        if any(entry.kind is AppraisalEntry.result for entry in entries):
            assert isinstance(state, Counted)


def test_no_two_ballots_of_an_appraisal_have_the_same_number() -> None:
    def opened(state: Any) -> int:
        return int(getattr(getattr(state, "sheet", state), "ballots", 0))

    for before, _, event, after in happenings(APPRAISAL):
        new = isinstance(event, BallotOpened)
        assert opened(after) == opened(before) + new
        assert not new or getattr(event, "round", None) == opened(after)


def test_what_is_voided_may_be_entered_anew() -> None:
    result = next(c for c in APPRAISAL_COMMANDS if isinstance(c, RecordResult))
    said: dict[str, Any] = {"entry": AppraisalEntry.result, "member": CADRE, "reason": "录错"}
    void = by(LEADER, VoidAppraisalEntry, **said)
    voided = [
        APPRAISAL.decider.evolve(state, event)
        for state in reachable(APPRAISAL)
        if (event := APPRAISAL.attempt(void, state))
    ]
    assert voided
    for after in voided:
        assert APPRAISAL.attempt(result, after)

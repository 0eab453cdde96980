"""What holds however it goes with an issue, a plan, a regulation. Every reachable state is tried."""

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from services.rectification.domain import issue, plan, regulation
from services.rectification.domain.issue import (
    CallToAccount,
    CorrectIssue,
    Merged,
    MergedElsewhere,
    RemindIssue,
    ReportProgress,
    SuperviseIssue,
    UrgeIssue,
)
from services.rectification.events import (
    ExtensionGranted,
    IssueReopened,
    IssueReturned,
    IssueStruckOff,
    IssueVerified,
    MeasuresPlanned,
    NoticePublished,
    ObjectionDismissed,
    ObjectionRaised,
    ObjectionUpheld,
)
from shared.decider import Command, Event, PersonId, Rejected, wire
from shared.journal import dump_state, load_state
from tests.rectification.cast import (
    COLLATOR,
    HELPER,
    LATER,
    LEADER,
    MEMBER,
    NOON,
    OWNER,
    REVIEWER,
    SERVICE,
    SUPERVISOR,
    by,
)
from tests.rectification.everything import (
    ISSUE_COMMANDS,
    ISSUE_FACTS,
    PLAN_COMMANDS,
    PLAN_FACTS,
    REGULATION_COMMANDS,
    REGULATION_FACTS,
)
from tests.scenario import Laws

pytestmark = pytest.mark.thorough

SAID_AGAIN: tuple[type[Command], ...] = (
    ReportProgress,
    RemindIssue,
    UrgeIssue,
    SuperviseIssue,
    CallToAccount,
)
"""What may be said again and again, and is recorded each time."""


def standing(state: Any) -> object:
    """Where an issue stands, without what only grows or hinders nothing: counts, wordings, verdicts."""
    has = {field.name: getattr(state, field.name) for field in fields(state)}
    return (
        type(state),
        has.get("owner"),
        has["case"].person if "case" in has else None,
        has["watch"].due.on if "watch" in has else None,
        bool(has.get("evidence")),
        bool(has.get("extension")),
        bool(has.get("objection")),
        has.get("grounds"),
    )


def unrevised(state: Any) -> object:
    """A plan or regulation without the number of its revision."""
    for name in ("sheet", "paper"):
        if hasattr(state, name):
            return replace(state, **{name: replace(getattr(state, name), revision=0)})
    return state


ISSUE = Laws(issue.decider, ISSUE_FACTS, ISSUE_COMMANDS, standing)
PLAN = Laws(plan.decider, PLAN_FACTS, PLAN_COMMANDS, unrevised)
REGULATION = Laws(regulation.decider, REGULATION_FACTS, REGULATION_COMMANDS, unrevised)

type Happening = tuple[Any, Command, Event, Any]
"""The state before, the command, the event, the state after."""

EVERY = pytest.mark.parametrize(
    "laws", [ISSUE, PLAN, REGULATION], ids=lambda laws: laws.decider.category
)


@cache
def _lived(category: str) -> tuple[list[Any], list[Happening]]:
    laws = next(x for x in (ISSUE, PLAN, REGULATION) if x.decider.category == category)
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


# -- Of all three ---------------------------------------------------------------------------------


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
    laws.check_twice_counts_once(reachable(laws), SAID_AGAIN)


@EVERY
def test_a_command_that_says_something_else_is_never_taken_for_the_same(laws: Laws) -> None:
    for _, command, _, after in happenings(laws):
        if isinstance(command, SAID_AGAIN):
            continue
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


def otherwise(command: Command) -> Iterator[Command]:
    """The same command with one thing said differently.

    The reason of a correction is left alone: when nothing is left to correct, nothing is recorded.
    When something happened is the envelope's, not the state's.
    """
    for name in wire(type(command)).model_fields:
        corrects = type(command).__name__.startswith(("Correct", "Revise"))
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


# -- Of an issue ----------------------------------------------------------------------------------

PEOPLE = (OWNER, LEADER, MEMBER, HELPER, REVIEWER, SUPERVISOR)

IMPATIENT = tuple(
    command
    for person in PEOPLE
    for command in (
        by(person, issue.VerifyIssue, finding="属实"),
        by(person, issue.StrikeOff, at=NOON),
        by(person, issue.StrikeOff, at=LATER),
    )
)
"""What anybody might try to get an issue off the ledger, too early or not."""


@dataclass(frozen=True)
class Trail:
    """What was done on the way, remembered apart from the rules."""

    first_due: date | None = None
    verified_by: PersonId | None = None
    notice_ends: datetime | None = None
    objected: bool = False

    def then(self, before: Any, event: Event) -> "Trail":
        """The trail after one more event; work that begins anew makes it forget what was checked."""
        now = self
        match event:
            case MeasuresPlanned(watch=watch) if not hasattr(before, "plan"):
                now = Trail(self.first_due or watch.due.on)
            case IssueVerified(verifier=person):
                now = Trail(self.first_due, person)
            case NoticePublished(until=until):
                now = replace(self, notice_ends=until.at)
            case ObjectionRaised():
                now = replace(self, objected=True)
            case ObjectionDismissed(until=until):
                ends = until.at if until else self.notice_ends
                now = replace(self, objected=False, notice_ends=ends)
            case IssueReturned() | ObjectionUpheld():
                now = Trail(self.first_due)
            case IssueReopened():
                now = Trail()
            case _:
                pass
        return now


type Step = tuple[Trail, Any, Command, Event, Any]
"""The trail so far, and what happened then."""


@cache
def steps() -> list[Step]:
    """Every trail through every state, with whatever happens on it."""
    start: tuple[Any, Trail] = (ISSUE.decider.initial, Trail())
    seen = {(standing(start[0]), start[1])}
    frontier = deque([start])
    taken: list[Step] = []
    while frontier:
        state, trail = frontier.popleft()
        for command in (*ISSUE_COMMANDS, *IMPATIENT):
            if event := ISSUE.attempt(command, state):
                after = ISSUE.decider.evolve(state, event)
                taken.append((trail, state, command, event, after))
                further = trail.then(state, event)
                if (standing(after), further) not in seen:
                    seen.add((standing(after), further))
                    frontier.append((after, further))
    return taken


def test_nothing_is_struck_off_without_a_verification_and_a_notice_that_has_expired() -> None:
    struck_off = [step for step in steps() if isinstance(step[3], IssueStruckOff)]
    assert struck_off
    for trail, before, command, event, _ in struck_off:
        assert trail.verified_by
        assert trail.verified_by == getattr(event, "verifier", None)
        assert trail.notice_ends
        assert command.at >= trail.notice_ends
        assert not trail.objected
        assert command.by not in {before.owner, before.case.person}


def test_the_first_deadline_is_never_lost() -> None:
    planned = [step for step in steps() if hasattr(step[4], "plan")]
    assert planned
    for trail, before, _, event, after in planned:
        assert after.plan.first_due.on == trail.then(before, event).first_due


def test_what_was_shown_is_never_lost_while_it_is_worked_on() -> None:
    shown = [step for step in happenings(ISSUE) if getattr(step[0], "evidence", ())]
    assert any(isinstance(before, issue.LongTerm) for before, *_ in shown)
    assert any(isinstance(before, issue.Planned) for before, *_ in shown)
    for before, _, _, after in shown:
        if not isinstance(after, issue.StruckOff | issue.NotPossible | Merged | issue.Voided):
            assert after.evidence[: len(before.evidence)] == before.evidence


def test_an_extension_says_which_deadline_it_replaced() -> None:
    extended = [step for step in steps() if isinstance(step[3], ExtensionGranted)]
    assert extended
    for _, before, _, event, after in extended:
        assert (getattr(event, "former", None), after.plan) == (before.watch.due, before.plan)


def test_nobody_checks_decides_or_undoes_what_they_hold_or_what_is_about_them() -> None:
    judging = (
        issue.CorrectIssue,
        issue.VoidIssue,
        issue.GrantExtension,
        issue.RefuseExtension,
        issue.VerifyIssue,
        issue.ReturnIssue,
        issue.PublishNotice,
        issue.UpholdObjection,
        issue.DismissObjection,
        issue.StrikeOff,
        issue.RecordVerdict,
        issue.ReopenIssue,
        issue.LookBack,
        issue.ConvertToLongTerm,
        issue.ExplainNotPossible,
        issue.MergeIssue,
    )
    commands = [
        command.model_copy(update={"by": person})
        for command in ISSUE_COMMANDS
        if isinstance(command, judging)
        for person in PEOPLE
    ]
    for state in reachable(ISSUE):
        case = getattr(state, "case", None)
        concerned = {getattr(state, "owner", None), case and case.person}
        for command in commands:
            if command.by in concerned:
                assert ISSUE.attempt(command, state) is None, f"{command} in {state}"


def test_nobody_who_worked_on_an_issue_verifies_it() -> None:
    for state in reachable(ISSUE):
        if isinstance(state, issue.StrikeOffAsked):
            for person in state.plan.involved:
                verify = by(person, issue.VerifyIssue, finding="属实")
                assert ISSUE.attempt(verify, state) is None


def test_nobody_who_ever_held_an_issue_verifies_it_or_strikes_it_off() -> None:
    owned_before = [
        s for s in reachable(ISSUE) if hasattr(s, "owner") and s.case.held_by - {s.owner}
    ]
    assert owned_before
    for state in owned_before:
        for person in state.case.held_by:
            for command in IMPATIENT:
                tried = command.model_copy(update={"by": person})
                assert not ISSUE.attempt(tried, state), f"{tried} in {state}"


def test_whatever_is_said_to_a_merged_issue_is_answered_with_where_it_went() -> None:
    merged = [state for state in reachable(ISSUE) if isinstance(state, Merged)]
    assert merged
    for state in merged:
        for command in ISSUE_COMMANDS:
            if (command.by, type(command)) != (
                COLLATOR,
                issue.MergeIssue,
            ) and command.by != SERVICE:
                with pytest.raises(MergedElsewhere, match=f"^{state.into}$"):
                    ISSUE.decider.decide(command, state, ISSUE_FACTS)


def test_a_correction_changes_neither_the_stage_nor_the_deadline() -> None:
    for before, command, _, after in happenings(ISSUE):
        if isinstance(command, CorrectIssue):
            assert standing(before) == standing(after)

"""What an issue comes from was put right or voided there: that is noted, wherever the issue stands."""

from typing import Any

import pytest

from services.rectification.domain.issue import (
    NoteSourceCorrected,
    NoteSourceVoided,
    Voided,
    decider,
)
from services.rectification.events import Source, SourceCorrected, SourceKind, SourceVoided
from services.rectification.projection import issue_card
from shared.decider import Command, Event, OutOfOrder
from shared.journal import dump_state, load_state
from tests.rectification.cast import FACTS, SERVICE, STAGES, after, by
from tests.rectification.everything import FOUND_IN
from tests.rectification.memory import lived, log
from tests.scenario import Scenario

issue = Scenario(decider, FACTS)

MEETING = Source(kind=SourceKind.meeting, id="meeting-1")
SAID: dict[str, Any] = {"source": MEETING, "key": "hot-water", "event": "event-1"}
NOTES: list[tuple[type[Command], Event]] = [
    (NoteSourceCorrected, SourceCorrected(**SAID)),
    (NoteSourceVoided, SourceVoided(**SAID)),
]
ON_THE_LEDGER = {name: past for name, past in STAGES.items() if name not in {"unopened", "voided"}}


def note(kind: type[Command], event: str = "event-1") -> Command:
    return by(SERVICE, kind, source=FOUND_IN, key="hot-water", event=event)


@pytest.mark.parametrize("past", ON_THE_LEDGER.values(), ids=ON_THE_LEDGER)
@pytest.mark.parametrize(("kind", "noted"), NOTES)
def test_it_is_noted_once_and_nothing_else_changes(
    kind: type[Command], noted: Event, past: tuple[Event, ...]
) -> None:
    issue.given(*past).when(note(kind)).then(noted)
    issue.given(*past, noted).when(note(kind)).then_nothing()
    before, state = after(*past), after(*past, noted)
    assert type(state) is type(before)
    assert {n: v for n, v in vars(state).items() if n != "case"} == {
        n: v for n, v in vars(before).items() if n != "case"
    }
    assert load_state(decider, dump_state(state)) == state


@pytest.mark.parametrize(("kind", "noted"), NOTES)
def test_what_happens_there_again_is_noted_again(kind: type[Command], noted: Event) -> None:
    again = noted.model_copy(update={"event": "event-2"})
    issue.given(*STAGES["owned"], noted).when(note(kind, "event-2")).then(again)
    for other, event in NOTES:
        if other is not kind:
            issue.given(*STAGES["owned"], noted).when(note(other)).then(event)


@pytest.mark.parametrize("kind", [kind for kind, _ in NOTES])
def test_a_voided_issue_needs_no_notice_and_what_is_not_there_gets_none(
    kind: type[Command],
) -> None:
    issue.given(*STAGES["voided"]).when(note(kind)).then_nothing()
    issue.when(note(kind)).then_rejected(OutOfOrder)
    assert after(*STAGES["voided"]) == Voided()


@pytest.mark.parametrize("past", ON_THE_LEDGER.values(), ids=ON_THE_LEDGER)
def test_the_ledger_shows_it_beside_what_it_showed_before(past: tuple[Event, ...]) -> None:
    records = log(*lived("issue-1", *past, *(event for _, event in NOTES)))
    card = None
    for record in records[:-2]:
        card = issue_card(card, record)
    noted = card
    for record in records[-2:]:
        noted = issue_card(noted, record)
    assert card is not None
    assert noted is not None
    assert noted.model_copy(update={"notices": ()}) == card
    assert [(n.source, n.event, n.voided, n.at) for n in noted.notices] == [
        (MEETING, "event-1", False, records[-2].at),
        (MEETING, "event-1", True, records[-1].at),
    ]

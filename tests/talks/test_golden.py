"""Every event of talks has its golden file, with something in every field that may hold something."""

import json
from pathlib import Path

import pytest

from services.talks.app import service
from services.talks.events import TalkVoided
from shared.decider import Event

GOLDEN = Path(__file__).parents[1] / "golden"
EVENTS: list[type[Event]] = [
    event for stream in service.streams for event in stream.decider.members(stream.decider.events)
]

SINCE: dict[type[Event], set[str]] = {TalkVoided: {"problems"}}
"""Fields that came after the golden file."""


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.TYPE)
def test_it_is_read_and_nothing_is_missing(event: type[Event]) -> None:
    body = json.loads((GOLDEN / f"{event.TYPE}.json").read_text())
    since = SINCE.get(event, set())
    assert event.model_validate(body).model_dump(mode="json", exclude=since) == body
    assert body.keys() == event.model_fields.keys() - since

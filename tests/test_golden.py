"""Events written last year can be read this year. Golden files are added, never edited."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.stack import SERVICES
from shared.decider import Event

GOLDEN = Path(__file__).parent / "golden"
EVENTS: list[type[Event]] = sorted(
    {event for service in SERVICES for stream in service.streams
     for event in stream.decider.members(stream.decider.events)},
    key=lambda event: event.TYPE,
)  # fmt: skip


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.TYPE)
def test_it_can_still_be_read(event: type[Event]) -> None:
    body = (GOLDEN / f"{event.TYPE}.json").read_text()

    read = event.model_validate_json(body)

    assert kept(json.loads(read.model_dump_json()), json.loads(body))


def kept(now: Any, then: Any) -> bool:
    """Whether all that was said then is still said; parts may have got fields since."""
    match now, then:
        case dict(), dict():
            return all(name in now and kept(now[name], then[name]) for name in then)
        case list(), list():
            return len(now) == len(then) and all(map(kept, now, then))
        case _:
            return bool(now == then)


def test_no_stored_event_was_forgotten() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == {event.TYPE for event in EVENTS}


def test_every_type_says_where_it_belongs() -> None:
    for service in SERVICES:
        for stream in service.streams:
            events: tuple[type[Event], ...] = stream.decider.members(stream.decider.events)
            for event in events:
                name, category, fact, version = event.TYPE.split(".")
                assert (name, category) == (service.name, stream.decider.category), event
                assert fact.replace("-", "").isalpha(), event
                assert version == "v1", event

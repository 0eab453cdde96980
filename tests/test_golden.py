"""Events written last year can be read this year. Golden files are added, never edited."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from services.stack import SERVICES
from shared.decider import Decider, Event, newest, read, versioned

GOLDEN = Path(__file__).parent / "golden"


def members(decider: Decider[Any, Any, Any, Any]) -> tuple[type[Event], ...]:
    """The events a decider records."""
    return decider.members(decider.events)


RECORDED: dict[str, str] = {
    event.TYPE: f"{service.name}.{stream.decider.category}"
    for service in SERVICES
    for stream in service.streams
    for event in members(stream.decider)
}
"""What is recorded today, and in whose streams."""


def versions(services: Iterable[str]) -> list[type[Event]]:
    """Every version of every event of some services, as the code knows them."""
    known = {*services}
    return [event for type_, event in sorted(Event.known.items()) if type_.split(".")[0] in known]


EVENTS = versions(service.name for service in SERVICES)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.TYPE)
def test_it_can_still_be_read(event: type[Event]) -> None:
    stays_readable(event, (GOLDEN / f"{event.TYPE}.json").read_text())


def stays_readable(event: type[Event], body: str) -> None:
    """A stored body still says all it said, to its own version and, as it is read today, to the newest."""
    said = event.model_validate_json(body)
    today = read(event.TYPE, body)

    assert kept(json.loads(said.model_dump_json()), json.loads(body))
    assert newest(event.TYPE) == today.TYPE
    assert read(today.TYPE, today.model_dump_json()) == today


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


def test_every_version_is_read_as_one_that_is_recorded() -> None:
    assert {newest(event.TYPE) for event in EVENTS} == RECORDED.keys()
    for type_ in RECORDED:
        name, version = versioned(type_)
        assert {f"{name}.v{n}" for n in range(1, version + 1)} <= Event.known.keys()


def test_who_follows_an_event_names_what_is_recorded_today() -> None:
    """Records are of today's TYPE whatever was stored: an old version would never come."""
    for service in SERVICES:
        views = {view.name: view.follows for view in (service.directory, *service.views)}
        for name, follows in (views | {p.name: p.follows for p in service.policies}).items():
            assert {event.TYPE for event in follows} <= RECORDED.keys(), name


def test_every_type_says_where_it_belongs() -> None:
    for type_, place in RECORDED.items():
        name, category, fact, version = type_.split(".")
        assert f"{name}.{category}" == place
        assert fact.replace("-", "").isalpha(), type_
        assert version[:1] == "v", type_
        assert int(version[1:]) > 0, type_

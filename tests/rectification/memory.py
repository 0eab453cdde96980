"""Rectification at work in memory."""

from typing import Any

from services.campaign.directory import Directory
from services.rectification.app import service
from shared.callers import Caller
from shared.decider import Event, PersonId
from shared.envelope import Record
from shared.runtime import Desk
from tests import memory
from tests.memory import TOWN, Entry
from tests.rectification.cast import COLLATOR, NOON, SCHOOL, TODAY


def log(*entries: Entry) -> list[Record]:
    """A log of (stream, event) or (stream, event, actor); a collator's doing where none is named."""
    return memory.log(*entries, by=COLLATOR, noon=NOON)


def lived(issue: str, *past: Event) -> list[Entry]:
    """What happened to one issue."""
    return [(issue, event) for event in past]


async def after(*entries: Any, directory: Directory | None = SCHOOL) -> Desk:
    """A desk whose views have seen a log, and that can look it up."""
    at = await memory.works(service, directory)
    at.pages.log.extend(log(*entries))
    await at.look()
    return at.runtime.desk(TOWN, NOON)


def caller(person: PersonId) -> Caller:
    """Who asks, with the roles of that day."""
    for vouched in ("originator", "operator"):
        if person.startswith(f"{vouched}:"):
            return Caller(person, frozenset({vouched}))
    roles = SCHOOL.roster.roles(person, TODAY)
    return Caller(person, frozenset({"person", *(role.value for role in roles)}))

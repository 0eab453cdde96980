"""Talks at work in memory."""

from typing import Any

from services.campaign.directory import Directory
from services.talks.app import service
from shared.callers import Caller
from shared.decider import PersonId
from shared.envelope import Record
from shared.runtime import Desk
from tests import memory
from tests.memory import TOWN, Entry
from tests.talks.cast import MEMBER, NOON, SCHOOL, TODAY


def log(*entries: Entry) -> list[Record]:
    """A log of (stream, event) or (stream, event, actor); the member's doing where none is named."""
    return memory.log(*entries, by=MEMBER, noon=NOON)


async def after(*entries: Any, directory: Directory | None = SCHOOL) -> Desk:
    """A desk whose views have seen a log."""
    at = await memory.works(service, directory)
    at.pages.log.extend(log(*entries))
    await at.look()
    return at.runtime.desk(TOWN, NOON)


def caller(who: PersonId, directory: Directory = SCHOOL) -> Caller:
    """Who asks, with the roles of that day."""
    if who.startswith("operator:"):
        return Caller(who, frozenset({"operator"}))
    roles = directory.roster.roles(who, TODAY)
    return Caller(who, frozenset({"person", *(role.value for role in roles)}))

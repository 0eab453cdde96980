"""Study at work in memory."""

from typing import Any

from services.campaign.directory import Directory
from services.study.app import service
from shared.callers import Caller
from shared.decider import PersonId
from shared.envelope import Record
from shared.runtime import Desk
from tests import memory
from tests.memory import TOWN, Entry
from tests.study.cast import NOON, OFFICER, SCHOOL, TODAY


def log(*entries: Entry) -> list[Record]:
    """A log of (stream, event) or (stream, event, actor); the office's doing where none is named."""
    return memory.log(*entries, by=OFFICER, noon=NOON)


async def after(*entries: Any, directory: Directory | None = SCHOOL) -> Desk:
    """A desk whose views have seen a log, and that can look it up."""
    at = await memory.works(service, directory)
    at.pages.log.extend(log(*entries))
    await at.look()
    return at.runtime.desk(TOWN, NOON)


def caller(person: PersonId) -> Caller:
    """Who asks, with the roles of that day."""
    roles = SCHOOL.roster.roles(person, TODAY)
    return Caller(person, frozenset({"person", *(role.value for role in roles)}))

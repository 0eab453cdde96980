"""Oversight at work in memory."""

from datetime import UTC, datetime

from services.campaign.directory import Directory
from services.oversight.app import service
from shared.callers import Caller
from shared.decider import PersonId
from shared.runtime import Desk
from tests import memory
from tests.memory import TOWN, Works
from tests.oversight.town import SCHOOL, TODAY, Entry, records

NOON = datetime(2023, 6, 30, 4, tzinfo=UTC)


async def works(*entries: Entry, directory: Directory | None = SCHOOL) -> Works:
    """The service whose views have seen these entries."""
    at = await memory.works(service, directory)
    at.pages.log.extend(records(entries))
    await at.look()
    return at


async def after(*entries: Entry, directory: Directory | None = SCHOOL) -> Desk:
    """A desk whose views have seen these entries."""
    return (await works(*entries, directory=directory)).runtime.desk(TOWN, NOON)


def caller(person: PersonId) -> Caller:
    """Who asks, with the roles of that day."""
    roles = SCHOOL.roster.roles(person, TODAY)
    return Caller(person, frozenset({"person", *(role.value for role in roles)}))

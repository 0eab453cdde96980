"""Feedback at work in memory."""

from typing import Any

from services.campaign.directory import Directory
from services.feedback.app import service
from shared.runtime import Desk
from tests import memory
from tests.feedback.school import NOON, SCHOOL, log
from tests.memory import TOWN, Works


async def after(*entries: Any, directory: Directory | None = SCHOOL) -> Desk:
    """A desk whose views have seen a log of (stream, event) or (stream, event, actor)."""
    at = await works(directory)
    await at.runtime.projector.apply(log(*entries))
    return at.runtime.desk(TOWN, NOON)


async def works(directory: Directory | None = SCHOOL, **changes: Any) -> Works:
    """Feedback, ready to decide."""
    return await memory.works(service, directory, **changes)

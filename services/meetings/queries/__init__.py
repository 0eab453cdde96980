"""What may be asked of meetings, and the facts its rules look at, stream by stream."""

from services.campaign.directory import Directory
from services.campaign.events import Role
from services.meetings.projection import directory
from shared.callers import UnknownSchool
from shared.runtime import Desk

PEOPLE = frozenset({"person", "operator"})
CONFIDANTS = frozenset({Role.principal_leader, Role.supervisor})
"""Who reads every self-examination and everything said in appraisals."""


def known_to(desk: Desk) -> Directory:
    """The school as its views know it."""
    known = desk.ledger(directory)
    if known is None:
        raise UnknownSchool
    return known

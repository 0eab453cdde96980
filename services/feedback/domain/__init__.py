"""The rules of feedback, a module per kind of stream; here is what they share."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from services.campaign.directory import Directory
from services.campaign.events import Role
from shared.decider import PersonId, Rejected

CLERKS = frozenset({Role.collator, Role.school_administrator})
"""Who keeps the opinions of a school in order."""
ORGANISATION = CLERKS | {Role.principal_leader}
"""Who may act in the organisation's name."""
TEAM = frozenset({Role.principal_leader, Role.team_member})
"""Who belongs to the leadership team."""


class FourEyes(Rejected):
    """Whoever recorded it may not also declare it void."""

    zh = "录入人不能自行作废，须由另一人操作"


class InOwnCause(Rejected):
    """Whoever an opinion is about may not decide what becomes of it."""

    zh = "被反映人不得处理针对本人的意见"


class DateInTheFuture(Rejected):
    """A day that is to come cannot be when it happened."""

    zh = "日期不能晚于今天"


class UnknownSolicitation(Rejected):
    """There is no such solicitation, or it was voided."""

    zh = "没有这次征求意见，或已作废"


class UnknownOpinion(Rejected):
    """There is no such opinion."""

    zh = "没有这条意见"


def roles(directory: Directory, person: PersonId, at: datetime) -> frozenset[Role]:
    """What somebody is in the school on the day of an instant."""
    return directory.roster.roles(person, directory.day(at))


def known_as(directory: Directory, person: str | None) -> PersonId | None:
    """By which id somebody is known today: duplicates in the roster may have been merged since."""
    return directory.roster.identity(PersonId(person)) if person else None


def in_order[K: StrEnum](kind: type[K], values: Iterable[K]) -> tuple[K, ...]:
    """Each of the values once, in the order of their list, so that equal choices look equal."""
    chosen = set(values)
    return tuple(value for value in kind if value in chosen)

"""The rules of campaign, a module per kind of stream; here what several of them share."""

from datetime import date, datetime

from services.campaign.directory import Directory
from services.campaign.events import Role
from shared.decider import PersonId, Rejected

OPERATOR = frozenset({"operator"})
ADMINISTRATION = OPERATOR | {Role.school_administrator, Role.principal_leader}
"""Who keeps people, units, accounts and calendar; an operator enters the first people."""


class EndsBeforeItBegins(Rejected):
    """The last day is earlier than the first."""

    zh = "结束日期早于开始日期"


class InTheFuture(Rejected):
    """What has not happened yet cannot be recorded as done."""

    zh = "日期不能晚于今天"


class FourEyes(Rejected):
    """Nobody reviews, strikes out or takes back what they wrote or recorded themselves."""

    zh = "不得审核、作废或撤销本人起草或登记的内容,须由另一人操作"


class NotInRoster(Rejected):
    """No such person is in the roster of this school."""

    zh = "花名册中没有此人"


class UnknownUnit(Rejected):
    """No unit of that kind exists here on that day."""

    zh = "当日没有这个部门、支部、年级或教研组"


class AppointedFromOutside(Rejected):
    """The supervision group comes from outside: only an operator enters it or gives it accounts."""

    zh = "督导组由上级派出,其人员和账号只能由平台运营方登记"


def in_order(begins_on: date, ends_on: date) -> None:
    """Refuse days that end before they begin."""
    if ends_on < begins_on:
        raise EndsBeforeItBegins


def by_today(day: date, at: datetime, directory: Directory) -> None:
    """Refuse a day that is still to come in the school's zone."""
    if day > directory.day(at):
        raise InTheFuture


def is_operator(by: PersonId) -> bool:
    """Whether an operator of the deployment asks; no person's id looks like that."""
    return by.startswith("operator:")


def recorded_by(recorder: PersonId | None, person: PersonId, directory: Directory) -> bool:
    """Whether somebody recorded it, under this entry of theirs or one that was merged into it."""
    return recorder is not None and directory.roster.identity(recorder) == person


def supervises(person: PersonId, today: date, directory: Directory) -> bool:
    """Whether somebody belongs to the supervision group, today or from a later day on."""
    entry = directory.roster.people.get(directory.roster.identity(person))
    return entry is not None and entry.counts and entry.keeps(Role.supervisor, today)

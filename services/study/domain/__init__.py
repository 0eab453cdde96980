"""The rules of study, a module per kind of stream; here what several of them share."""

from datetime import date, datetime

from services.campaign.calendar import SchoolYear
from services.campaign.directory import Directory
from services.campaign.events import Role
from shared.decider import Command, PersonId, Rejected

OFFICE = frozenset({Role.school_administrator, Role.principal_leader, Role.branch_secretary})
"""Who keeps the study records, and enters what others hand in on paper."""
READERS = frozenset({Role.principal_leader, Role.branch_secretary, Role.supervisor})
"""Who reads what people wrote about themselves, and rates it (R15)."""
CHECKERS = OFFICE | {Role.supervisor}
"""Who strikes out a record that somebody else made."""


class FourEyes(Rejected):
    """Nobody strikes out what they recorded or wrote themselves."""

    zh = "不得作废本人登记或撰写的内容,须由另一人操作"


class InTheFuture(Rejected):
    """What has not happened yet cannot be recorded as done."""

    zh = "日期不能晚于今天"


class EndsBeforeItBegins(Rejected):
    """The last day is earlier than the first."""

    zh = "结束日期早于开始日期"


class NotHere(Rejected):
    """No such person belonged to the school on that day."""

    zh = "当日本校花名册中没有此人"


class OnlyForOneself(Rejected):
    """Everybody records their own; only the office enters it for others."""

    zh = "只能登记本人的内容,代他人登记须由办公室人员操作"


class AlreadyRecorded(Rejected):
    """This is on record with other words or on another day: correct that record."""

    zh = "已有登记且内容不同,请更正原登记"


class NoSuchCampaign(Rejected):
    """There is no such campaign."""

    zh = "没有这个教育实践活动"


class NoSuchItem(Rejected):
    """There is no such item in the reading catalogue, or it counts no longer."""

    zh = "学习目录中没有此篇目,或已不再有效"


def by_today(day: date, at: datetime, directory: Directory) -> None:
    """Refuse a day that is still to come in the school's zone."""
    if day > directory.day(at):
        raise InTheFuture


def must_be_here(day: date, directory: Directory, *people: str) -> None:
    """Refuse who is unknown, merged away, or did not belong to the school on a day."""
    present = directory.roster.present
    if absent := [person for person in people if not present(PersonId(person), day)]:
        raise NotHere(" ".join(sorted(absent)))


def may_record_for(person: str, command: Command, directory: Directory) -> None:
    """Let somebody record their own, and the office everybody's."""
    roles = directory.roster.roles(command.by, directory.day(command.at))
    if command.by != person and not roles & OFFICE:
        raise OnlyForOneself


def somebody_else(command: Command, *people: str) -> None:
    """Refuse those whose own record it is."""
    if command.by in people:
        raise FourEyes


def must_be_known(campaign: str, directory: Directory) -> None:
    """Refuse a campaign that does not exist."""
    if campaign not in directory.campaigns:
        raise NoSuchCampaign(campaign)


def school_year(day: date, directory: Directory) -> SchoolYear | None:
    """The school year a day is in, vacations included, if it is in one."""
    return next((year for year in directory.calendar.years if day in year), None)

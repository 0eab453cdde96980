"""A school's calendar: school years and terms, holidays, and days of school made up for them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Annotated, assert_never

from pydantic import ConfigDict, Field

from services.campaign import calendar as calendars
from services.campaign.calendar import Day, SchoolYear
from services.campaign.directory import Directory
from services.campaign.domain import ADMINISTRATION, in_order
from services.campaign.events import (
    CalendarEvent,
    HolidayCancelled,
    HolidayDeclared,
    MakeUpDayCancelled,
    MakeUpDayDeclared,
    SchoolYearCancelled,
    SchoolYearSet,
    Term,
)
from shared.decider import Command, Decider, Rejected
from shared.marks import Line, Prose

MOST_TERMS = 6

# -- Commands ------------------------------------------------------------------------------------


class TermAsked(Term):
    """A term as a sender gives it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    number: int = Field(ge=1, le=MOST_TERMS)
    begins_on: Day
    ends_on: Day

    def term(self) -> Term:
        """The term as it is stored."""
        return Term(**dict(self))


class SetSchoolYear(Command):
    """Set a school year and its terms, for the first time or anew: its first day tells which."""

    zh = "设置学年和学期"
    allowed = ADMINISTRATION
    creates = True
    one_per_school = True
    begins_on: Day
    ends_on: Day
    terms: Annotated[tuple[TermAsked, ...], Field(min_length=1, max_length=MOST_TERMS)]


class CancelSchoolYear(Command):
    """Take a school year out of the calendar."""

    zh = "取消学年"
    allowed = ADMINISTRATION
    begins_on: Day
    reason: Prose


class DeclareHoliday(Command):
    """Days without school, first and last included; a vacation is one too."""

    zh = "设置假期"
    allowed = ADMINISTRATION
    begins_on: Day
    ends_on: Day
    name: Line


class CancelHoliday(Command):
    """Take a holiday back."""

    zh = "取消假期"
    allowed = ADMINISTRATION
    begins_on: Day
    ends_on: Day
    reason: Prose


class DeclareMakeUpDay(Command):
    """School on a day that would have none (调休上课)."""

    zh = "设置补课日"
    allowed = ADMINISTRATION
    on: Day


class CancelMakeUpDay(Command):
    """Take a make-up day back."""

    zh = "取消补课日"
    allowed = ADMINISTRATION
    on: Day
    reason: Prose


type CalendarCommand = (
    SetSchoolYear
    | CancelSchoolYear
    | DeclareHoliday
    | CancelHoliday
    | DeclareMakeUpDay
    | CancelMakeUpDay
)

# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Calendar:
    """The calendar as every service folds it, its holidays by name, and what was cancelled."""

    days: calendars.Calendar
    holidays: tuple[HolidayDeclared, ...] = ()
    cancelled_years: tuple[SchoolYearCancelled, ...] = ()
    cancelled_holidays: tuple[HolidayCancelled, ...] = ()
    cancelled_make_up_days: tuple[MakeUpDayCancelled, ...] = ()


# -- Rules ---------------------------------------------------------------------------------------


class TermsOutOfOrder(Rejected):
    """Terms are numbered 1, 2, … and each begins after the one before has ended."""

    zh = "学期须从1起连续编号,且依次不重叠"


class TermOutsideYear(Rejected):
    """A term lies within its school year; `detail` is the number of the one that does not."""

    zh = "学期超出学年起止日期"


class YearsOverlap(Rejected):
    """Two school years share no day; `detail` is the first day of the other one."""

    zh = "与另一学年重叠"


class AlreadyASchoolDay(Rejected):
    """There is school on that day anyway."""

    zh = "当日本来就是教学日"


class NotInCalendar(Rejected):
    """The calendar does not have that."""

    zh = "校历中没有这一项"


def decide(command: CalendarCommand, calendar: Calendar, _: Directory) -> CalendarEvent | None:
    """One row per thing that may happen.

    A calendar is always the same kind of thing, so what decides is whether it has the thing named.
    """
    match command:
        case SetSchoolYear(begins_on=begins_on, ends_on=ends_on):
            terms = _termed(command, calendar)
            year = SchoolYear(begins_on=begins_on, ends_on=ends_on, terms=terms)
            if year in calendar.days.years:
                return None
            return SchoolYearSet(begins_on=begins_on, ends_on=ends_on, terms=terms)
        case CancelSchoolYear(begins_on=begins_on, reason=reason):
            year_gone = SchoolYearCancelled(begins_on=begins_on, reason=reason)
            there = any(year.begins_on == begins_on for year in calendar.days.years)
            return _cancelled(year_gone, calendar.cancelled_years, there=there)

        case DeclareHoliday(begins_on=begins_on, ends_on=ends_on, name=name):
            in_order(begins_on, ends_on)
            holiday = HolidayDeclared(begins_on=begins_on, ends_on=ends_on, name=name)
            return None if holiday in calendar.holidays else holiday
        case CancelHoliday(begins_on=begins_on, ends_on=ends_on, reason=reason):
            holiday_gone = HolidayCancelled(begins_on=begins_on, ends_on=ends_on, reason=reason)
            there = any((h.begins_on, h.ends_on) == (begins_on, ends_on) for h in calendar.holidays)
            return _cancelled(holiday_gone, calendar.cancelled_holidays, there=there)

        case DeclareMakeUpDay(on=on):
            if on in calendar.days.make_up_days:
                return None
            if calendar.days.is_school_day(on):
                raise AlreadyASchoolDay
            return MakeUpDayDeclared(on=on)
        case CancelMakeUpDay(on=on, reason=reason):
            day_gone = MakeUpDayCancelled(on=on, reason=reason)
            there = on in calendar.days.make_up_days
            return _cancelled(day_gone, calendar.cancelled_make_up_days, there=there)

        case _:
            assert_never(command)


def _cancelled[E](event: E, before: Iterable[E], *, there: bool) -> E | None:
    """A cancellation of what is there; nothing where the same one had been made."""
    if there:
        return event
    if event in before:
        return None
    raise NotInCalendar


def _termed(command: SetSchoolYear, calendar: Calendar) -> tuple[Term, ...]:
    """The terms, if they and the year are in order."""
    in_order(command.begins_on, command.ends_on)
    terms = tuple(asked.term() for asked in command.terms)
    for term in terms:
        in_order(term.begins_on, term.ends_on)
        if term.begins_on < command.begins_on or command.ends_on < term.ends_on:
            raise TermOutsideYear(str(term.number))
    if [term.number for term in terms] != list(range(1, len(terms) + 1)) or any(
        later.begins_on <= earlier.ends_on for earlier, later in pairwise(terms)
    ):
        raise TermsOutOfOrder
    for year in calendar.days.years:
        if year.begins_on != command.begins_on and (
            year.begins_on <= command.ends_on and command.begins_on <= year.ends_on
        ):
            raise YearsOverlap(year.begins_on.isoformat())
    return terms


def evolve(calendar: Calendar, event: CalendarEvent) -> Calendar:
    """What happened, happened: no rules here."""
    after = replace(calendar, days=calendars.evolve(calendar.days, event))
    match event:
        case SchoolYearSet() | MakeUpDayDeclared():
            return after
        case SchoolYearCancelled():
            return replace(after, cancelled_years=(*calendar.cancelled_years, event))
        case HolidayDeclared(begins_on=begin, ends_on=end):
            return replace(after, holidays=(*_without(calendar, begin, end), event))
        case HolidayCancelled(begins_on=begin, ends_on=end):
            return replace(
                after,
                holidays=_without(calendar, begin, end),
                cancelled_holidays=(*calendar.cancelled_holidays, event),
            )
        case MakeUpDayCancelled():
            return replace(after, cancelled_make_up_days=(*calendar.cancelled_make_up_days, event))
        case _:
            assert_never(event)


def _without(calendar: Calendar, begins_on: date, ends_on: date) -> tuple[HolidayDeclared, ...]:
    return tuple(h for h in calendar.holidays if (h.begins_on, h.ends_on) != (begins_on, ends_on))


decider: Decider[CalendarCommand, CalendarEvent, Calendar, Directory] = Decider(
    "calendar",
    Calendar(calendars.Calendar()),
    decide,
    evolve,
    commands=CalendarCommand,
    events=CalendarEvent,
    states=Calendar,
)

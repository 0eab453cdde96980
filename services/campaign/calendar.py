"""School years, terms, teaching weeks, holidays; and how far away a deadline is. Pure."""

import re
from datetime import date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.campaign.events import (
    HolidayCancelled,
    HolidayDeclared,
    MakeUpDayCancelled,
    MakeUpDayDeclared,
    SchoolYearCancelled,
    SchoolYearSet,
    SettingUnit,
    Term,
)
from shared.decider import Event, Instant

FARTHEST = 3_660
"""Days a deadline may be looked for into the future, about ten years."""

Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2199, 12, 31))]
"""A date as a sender may give it: within any school's memory, and safe to count from."""

_DURATION = re.compile(
    r"P(?=.)(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?=.)(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,8})S)?)?"
)
_SATURDAY = 5
_WEEK = 7  # days

MORNING = time(8)
"""When people are reminded, in the school's zone."""


def duration(text: str) -> timedelta:
    """Read an ISO 8601 duration of weeks, days, hours, minutes and seconds (`P7D`, `PT2S`).

    Raises:
        ValueError: it is none, or has years or months, whose length is not fixed.
    """
    if not (found := _DURATION.fullmatch(text)):
        msg = "not an ISO 8601 duration of weeks, days, hours, minutes, seconds"
        raise ValueError(msg)
    return timedelta(**{name: int(value) for name, value in found.groupdict().items() if value})


class Period(BaseModel):
    """A length of time as policy gives it: a number of school days, or an ISO 8601 duration."""

    model_config = ConfigDict(frozen=True)
    value: str
    unit: SettingUnit


class Deadline(BaseModel):
    """When something is due: the instant (UTC) and the day it belongs to in the school's zone."""

    model_config = ConfigDict(frozen=True)
    at: Instant
    on: date


class Span(BaseModel):
    """Days from the first to the last, both included."""

    model_config = ConfigDict(frozen=True)
    begins_on: date
    ends_on: date

    def __contains__(self, day: date) -> bool:
        """Whether a day is in it."""
        return self.begins_on <= day <= self.ends_on


class SchoolYear(Span):
    """A school year and its terms."""

    terms: tuple[Term, ...]


class TeachingWeek(Span):
    """The part of a week (Monday to Sunday) that is in a term; the term's weeks count from 1."""

    number: int


class Calendar(BaseModel):
    """A school's calendar.

    A school day is a weekday that is no holiday, or a make-up day. Vacations are holidays. Days
    outside every school year still count by weekday, so a deadline always exists.
    """

    model_config = ConfigDict(frozen=True)
    years: tuple[SchoolYear, ...] = ()
    holidays: tuple[Span, ...] = ()
    make_up_days: frozenset[date] = frozenset()

    def is_school_day(self, day: date) -> bool:
        """Whether there is school on a day."""
        if day in self.make_up_days:
            return True
        return day.weekday() < _SATURDAY and not any(day in span for span in self.holidays)

    def school_days_from(self, day: date, count: int) -> date:
        """The day that many school days later (earlier, if negative); 0 is the day itself."""
        step = timedelta(days=1 if count > 0 else -1)
        left = abs(count)
        for _ in range(FARTHEST):
            if not left:
                return day
            day += step
            left -= self.is_school_day(day)
        return day

    def school_days_between(self, earlier: date, later: date) -> int:
        """How many school days there are behind `earlier`, up to and with `later`."""
        days = range(1, (later - earlier).days + 1)
        return sum(self.is_school_day(earlier + timedelta(days=n)) for n in days)

    def due(self, at: datetime, period: Period, zone: str) -> Deadline:
        """When a period that begins at an instant ends.

        School days end with the day in the school's zone (at the midnight that follows it); a
        duration is counted in seconds.
        """
        place = ZoneInfo(zone)
        if period.unit is SettingUnit.school_days:
            on = self.school_days_from(at.astimezone(place).date(), int(period.value))
            return Deadline(at=end_of_day(on, zone), on=on)
        moment = at + duration(period.value)
        return Deadline(at=moment, on=moment.astimezone(place).date())

    def before(self, due: Deadline, period: Period, zone: str) -> datetime:
        """The instant a period before a deadline: for school days at 8:00 of that day."""
        if period.unit is SettingUnit.school_days:
            on = self.school_days_from(due.on, -int(period.value))
            return datetime.combine(on, MORNING, ZoneInfo(zone))
        return due.at - duration(period.value)

    def beyond(self, due: Deadline, period: Period, zone: str) -> datetime:
        """The instant a period after a deadline: for school days the end of that day."""
        if period.unit is SettingUnit.school_days:
            on = self.school_days_from(due.on, int(period.value))
            return max(due.at, end_of_day(on, zone))
        return due.at + duration(period.value)

    def term(self, day: date) -> tuple[SchoolYear, Term] | None:
        """The school year and term a day is in, if it is in one."""
        for year in self.years:
            for term in year.terms:
                if term.begins_on <= day <= term.ends_on:
                    return year, term
        return None

    def teaching_week(self, day: date) -> int | None:
        """Which week of its term a day is in: from 1, beginning on Monday; none outside terms."""
        found = self.term(day)
        return found and (day - _monday(found[1].begins_on)).days // _WEEK + 1

    def teaching_weeks(self, term: Term) -> tuple[TeachingWeek, ...]:
        """The weeks of a term in which there is school at all; a week off keeps its number."""
        first = _monday(term.begins_on)
        count = (term.ends_on - first).days // _WEEK + 1
        weeks = (
            TeachingWeek(
                number=n + 1,
                begins_on=max(term.begins_on, first + timedelta(weeks=n)),
                ends_on=min(term.ends_on, first + timedelta(weeks=n, days=_WEEK - 1)),
            )
            for n in range(count)
        )
        return tuple(
            week
            for week in weeks
            if self.is_school_day(week.begins_on)
            or self.school_days_between(week.begins_on, week.ends_on)
        )


def end_of_day(day: date, zone: str) -> datetime:
    """The midnight that ends a day in a zone."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone))


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _known_zone(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        msg = "not a time zone of the IANA database"
        raise ValueError(msg) from error
    return zone


Zone = Annotated[str, AfterValidator(_known_zone)]
"""The name of a time zone in the IANA database, such as `Asia/Shanghai`."""


def evolve(calendar: Calendar, event: Event) -> Calendar:  # noqa: PLR0911 -- a table
    """The calendar after one more event of a `calendar` stream."""
    match event:
        case SchoolYearSet(begins_on=begin, ends_on=end, terms=terms):
            others = tuple(y for y in calendar.years if y.begins_on != begin)
            year = SchoolYear(begins_on=begin, ends_on=end, terms=terms)
            years = tuple(sorted((*others, year), key=lambda y: y.begins_on))
            return calendar.model_copy(update={"years": years})
        case SchoolYearCancelled(begins_on=begin):
            years = tuple(y for y in calendar.years if y.begins_on != begin)
            return calendar.model_copy(update={"years": years})
        case HolidayDeclared(begins_on=begin, ends_on=end):
            new = Span(begins_on=begin, ends_on=end)
            holidays = (*(span for span in calendar.holidays if span != new), new)
            return calendar.model_copy(update={"holidays": holidays})
        case HolidayCancelled(begins_on=begin, ends_on=end):
            gone = Span(begins_on=begin, ends_on=end)
            holidays = tuple(span for span in calendar.holidays if span != gone)
            return calendar.model_copy(update={"holidays": holidays})
        case MakeUpDayDeclared(on=day):
            return calendar.model_copy(update={"make_up_days": calendar.make_up_days | {day}})
        case MakeUpDayCancelled(on=day):
            return calendar.model_copy(update={"make_up_days": calendar.make_up_days - {day}})
        case _:
            return calendar

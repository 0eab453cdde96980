"""Counting school days, teaching weeks and durations, against counting them naively."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.campaign.calendar import (
    FARTHEST,
    MORNING,
    Calendar,
    Period,
    SchoolYear,
    Span,
    duration,
    end_of_day,
    evolve,
)
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
from shared.decider import Event

pytestmark = pytest.mark.thorough

ONE_DAY = timedelta(days=1)
SHANGHAI = "Asia/Shanghai"

days = st.dates(date(2022, 1, 1), date(2024, 12, 31))
zones = st.sampled_from([SHANGHAI, "UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia"])
FIRST = datetime(2022, 1, 1, tzinfo=UTC)
instants = st.integers(0, 3 * 366 * 86_400).map(lambda seconds: FIRST + timedelta(seconds=seconds))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    begins = draw(st.lists(days, max_size=6))
    lengths = draw(st.lists(st.integers(0, 40), min_size=len(begins), max_size=len(begins)))
    spans = zip(begins, lengths, strict=True)
    return Calendar(
        holidays=tuple(
            Span(begins_on=begin, ends_on=begin + length * ONE_DAY) for begin, length in spans
        ),
        make_up_days=frozenset(draw(st.lists(days, max_size=6))),
    )


def there_is_school(calendar: Calendar, day: date) -> bool:
    """The definition, spelled out: a make-up day, or a weekday that no holiday has."""
    off = {
        holiday.begins_on + n * ONE_DAY
        for holiday in calendar.holidays
        for n in range((holiday.ends_on - holiday.begins_on).days + 1)
    }
    weekend = day.isoweekday() in {6, 7}
    return day in calendar.make_up_days or not (weekend or day in off)


@given(calendars(), days)
def test_a_school_day_is_a_weekday_without_holiday_or_a_make_up_day(
    calendar: Calendar, day: date
) -> None:
    assert calendar.is_school_day(day) is there_is_school(calendar, day)


@given(calendars(), days, st.integers(0, 60))
def test_the_nth_school_day_has_n_school_days_up_to_it(
    calendar: Calendar, day: date, count: int
) -> None:
    later = calendar.school_days_from(day, count)
    passed = [day + n * ONE_DAY for n in range(1, (later - day).days + 1)]
    assert sum(there_is_school(calendar, d) for d in passed) == count
    assert not count or there_is_school(calendar, later)


@given(calendars(), days, st.integers(1, 60))
def test_counting_back_is_counting_forward_from_the_other_end(
    calendar: Calendar, day: date, count: int
) -> None:
    earlier = calendar.school_days_from(day, -count)
    passed = [earlier + n * ONE_DAY for n in range((day - earlier).days)]
    assert sum(there_is_school(calendar, d) for d in passed) == count
    assert there_is_school(calendar, earlier)


@given(calendars(), days, st.integers(0, 30), st.integers(0, 30))
def test_periods_add_up(calendar: Calendar, day: date, first: int, second: int) -> None:
    by_way = calendar.school_days_from(calendar.school_days_from(day, first), second)
    assert by_way == calendar.school_days_from(day, first + second)


@given(calendars(), days, st.integers(-60, 200))
def test_between_two_days_every_school_day_counts_once(
    calendar: Calendar, day: date, length: int
) -> None:
    later = day + length * ONE_DAY
    naive = sum(there_is_school(calendar, day + n * ONE_DAY) for n in range(1, length + 1))
    assert calendar.school_days_between(day, later) == naive


def test_even_an_endless_holiday_ends_the_search() -> None:
    day = date(2023, 1, 1)
    forever = Calendar(holidays=(Span(begins_on=day, ends_on=date(2199, 12, 31)),))
    assert forever.school_days_from(day, 1) == day + FARTHEST * ONE_DAY


# -- Deadlines -------------------------------------------------------------------------------------


@given(calendars(), instants, st.integers(0, 30), zones)
def test_school_days_end_with_the_day_in_the_schools_zone(
    calendar: Calendar, at: datetime, count: int, zone: str
) -> None:
    due = calendar.due(at, Period(value=str(count), unit=SettingUnit.school_days), zone)
    last = (due.at - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date()
    assert last == due.on
    assert due.on == calendar.school_days_from(at.astimezone(ZoneInfo(zone)).date(), count)


@given(calendars(), instants, st.integers(0, 10**6), zones)
def test_a_duration_is_counted_in_seconds(
    calendar: Calendar, at: datetime, seconds: int, zone: str
) -> None:
    due = calendar.due(at, Period(value=f"PT{seconds}S", unit=SettingUnit.duration), zone)
    assert (due.at - at).total_seconds() == seconds
    assert due.on == due.at.astimezone(ZoneInfo(zone)).date()


@given(calendars(), instants, st.integers(0, 20), st.integers(0, 20), zones)
def test_reminders_come_before_and_escalations_after(
    calendar: Calendar, at: datetime, early: int, late: int, zone: str
) -> None:
    due = calendar.due(at, Period(value="5", unit=SettingUnit.school_days), zone)
    before = calendar.before(due, Period(value=str(early), unit=SettingUnit.school_days), zone)
    beyond = calendar.beyond(due, Period(value=str(late), unit=SettingUnit.school_days), zone)
    assert before < due.at <= beyond
    assert before.time() == MORNING
    assert calendar.school_days_between(before.date(), due.on) == early
    assert beyond == end_of_day(calendar.school_days_from(due.on, late), zone)


def test_reminders_and_escalations_by_duration_are_counted_from_the_instant() -> None:
    at = datetime(2023, 3, 1, 4, tzinfo=UTC)
    due = Calendar().due(at, Period(value="PT10S", unit=SettingUnit.duration), SHANGHAI)
    three = Period(value="PT3S", unit=SettingUnit.duration)
    assert Calendar().before(due, three, SHANGHAI) == at + timedelta(seconds=7)
    assert Calendar().beyond(due, three, SHANGHAI) == at + timedelta(seconds=13)


def test_three_school_days_from_the_eve_of_labour_day() -> None:
    """The holiday of 2023 as it was: 29 April to 3 May, made up on 23 April and 6 May."""
    calendar = Calendar(
        holidays=(Span(begins_on=date(2023, 4, 29), ends_on=date(2023, 5, 3)),),
        make_up_days=frozenset({date(2023, 4, 23), date(2023, 5, 6)}),
    )
    friday = datetime(2023, 4, 28, 1, tzinfo=UTC)
    due = calendar.due(friday, Period(value="3", unit=SettingUnit.school_days), SHANGHAI)
    assert due.on == date(2023, 5, 6)
    assert due.at == datetime(2023, 5, 6, 16, tzinfo=UTC)


# -- Durations -------------------------------------------------------------------------------------


@given(
    st.integers(0, 9_999),
    st.integers(0, 99_999),
    st.integers(0, 999_999),
    st.integers(0, 999_999),
    st.integers(0, 99_999_999),
)
def test_a_duration_is_the_sum_of_its_parts(
    weeks: int, days_: int, hours: int, minutes: int, seconds: int
) -> None:
    text = f"P{weeks}W{days_}DT{hours}H{minutes}M{seconds}S"
    naive = ((weeks * 7 + days_) * 24 + hours) * 3600 + minutes * 60 + seconds
    assert duration(text).total_seconds() == naive


@pytest.mark.parametrize(
    ("text", "seconds"), [("P7D", 604_800), ("PT2S", 2), ("P1W", 604_800), ("PT0S", 0)]
)
def test_parts_may_be_left_out(text: str, seconds: int) -> None:
    assert duration(text).total_seconds() == seconds


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1", "P1Y", "P1M", "1D", "P1DT", "PT1.5S", "-P1D", "P1D\n", "P１D "]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="ISO 8601"):
        duration(text)


# -- Terms and weeks -------------------------------------------------------------------------------

SPRING = Term(number=2, begins_on=date(2023, 2, 15), ends_on=date(2023, 7, 7))
YEAR = SchoolYear(begins_on=date(2022, 9, 1), ends_on=date(2023, 8, 31), terms=(SPRING,))


def test_weeks_begin_on_monday_whichever_day_the_term_begins() -> None:
    calendar = Calendar(years=(YEAR,))
    assert calendar.teaching_week(date(2023, 2, 15)) == 1
    assert calendar.teaching_week(date(2023, 2, 19)) == 1
    assert calendar.teaching_week(date(2023, 2, 20)) == 2


def test_outside_the_terms_there_is_no_teaching_week() -> None:
    calendar = Calendar(years=(YEAR,))
    assert calendar.teaching_week(date(2023, 2, 14)) is None
    assert calendar.teaching_week(date(2023, 7, 8)) is None
    assert calendar.term(date(2023, 7, 8)) is None
    assert calendar.term(date(2023, 7, 7)) == (YEAR, SPRING)


def test_a_week_off_keeps_its_number() -> None:
    golden_week = Span(begins_on=date(2023, 5, 1), ends_on=date(2023, 5, 5))
    calendar = Calendar(years=(YEAR,), holidays=(golden_week,))
    numbers = [week.number for week in calendar.teaching_weeks(SPRING)]
    assert numbers == [n for n in range(1, 22) if n != 12]


@given(calendars(), days, st.integers(0, 200))
def test_the_teaching_weeks_of_a_term_are_its_school_days_by_week(
    calendar: Calendar, begin: date, length: int
) -> None:
    term = Term(number=1, begins_on=begin, ends_on=begin + length * ONE_DAY)
    year = SchoolYear(begins_on=term.begins_on, ends_on=term.ends_on, terms=(term,))
    calendar = calendar.model_copy(update={"years": (year,)})
    naive = {
        calendar.teaching_week(begin + n * ONE_DAY)
        for n in range(length + 1)
        if there_is_school(calendar, begin + n * ONE_DAY)
    }
    weeks = calendar.teaching_weeks(term)
    assert {week.number for week in weeks} == naive
    for week in weeks:
        inside = [week.begins_on, week.ends_on]
        assert {calendar.teaching_week(day) for day in inside} == {week.number}


# -- Folding ---------------------------------------------------------------------------------------


def after(*events: Event) -> Calendar:
    calendar = Calendar()
    for event in events:
        calendar = evolve(calendar, event)
    return calendar


def test_a_year_set_anew_replaces_itself_and_the_others_stay_in_order() -> None:
    later = SchoolYearSet(begins_on=date(2023, 9, 1), ends_on=date(2024, 8, 31), terms=())
    first = SchoolYearSet(begins_on=YEAR.begins_on, ends_on=YEAR.ends_on, terms=())
    anew = SchoolYearSet(begins_on=YEAR.begins_on, ends_on=YEAR.ends_on, terms=(SPRING,))
    assert [y.begins_on.year for y in after(later, first, anew).years] == [2022, 2023]
    assert after(later, first, anew).years[0] == YEAR
    gone = SchoolYearCancelled(begins_on=YEAR.begins_on, reason="…")
    assert [y.begins_on.year for y in after(later, first, gone).years] == [2023]


def test_a_holiday_declared_twice_is_there_once_and_a_cancelled_one_is_not() -> None:
    day = date(2023, 5, 1)
    declared = HolidayDeclared(begins_on=day, ends_on=day, name="劳动节")
    renamed = HolidayDeclared(begins_on=day, ends_on=day, name="五一")
    cancelled = HolidayCancelled(begins_on=day, ends_on=day, reason="…")
    assert after(declared, renamed).holidays == (Span(begins_on=day, ends_on=day),)
    assert after(declared, renamed, cancelled) == Calendar()


def test_a_make_up_day_comes_and_goes() -> None:
    saturday = date(2023, 5, 6)
    declared = MakeUpDayDeclared(on=saturday)
    assert after(declared).is_school_day(saturday)
    assert after(declared, MakeUpDayCancelled(on=saturday, reason="…")) == Calendar()

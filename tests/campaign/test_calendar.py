"""The calendar of a school: what may be set, declared, cancelled."""

from datetime import date

import pytest
from pydantic import ValidationError

from services.campaign.domain import EndsBeforeItBegins
from services.campaign.domain.calendar import (
    AlreadyASchoolDay,
    CancelHoliday,
    CancelMakeUpDay,
    CancelSchoolYear,
    DeclareHoliday,
    DeclareMakeUpDay,
    NotInCalendar,
    SetSchoolYear,
    TermAsked,
    TermOutsideYear,
    TermsOutOfOrder,
    YearsOverlap,
    decider,
)
from services.campaign.events import (
    HolidayCancelled,
    HolidayDeclared,
    MakeUpDayCancelled,
    MakeUpDayDeclared,
    SchoolYearCancelled,
    SchoolYearSet,
    Term,
)
from shared.decider import wire
from tests.campaign.examples import ADMIN, DIRECTORY, NOON
from tests.scenario import Scenario

BEGIN, END = date(2022, 9, 1), date(2023, 8, 31)
AUTUMN = Term(number=1, begins_on=date(2022, 9, 1), ends_on=date(2023, 1, 13))
SPRING = Term(number=2, begins_on=date(2023, 2, 13), ends_on=date(2023, 7, 7))
MAY_1, MAY_3 = date(2023, 5, 1), date(2023, 5, 3)
SATURDAY = date(2023, 5, 6)

calendar = Scenario(decider, DIRECTORY)
year = SchoolYearSet(begins_on=BEGIN, ends_on=END, terms=(AUTUMN, SPRING))
year_cancelled = SchoolYearCancelled(begins_on=BEGIN, reason="日期有误")
holiday = HolidayDeclared(begins_on=MAY_1, ends_on=MAY_3, name="劳动节")
holiday_cancelled = HolidayCancelled(begins_on=MAY_1, ends_on=MAY_3, reason="调整")
make_up = MakeUpDayDeclared(on=SATURDAY)
make_up_cancelled = MakeUpDayCancelled(on=SATURDAY, reason="调整")


def set_year(*terms: Term, begins_on: date = BEGIN, ends_on: date = END) -> SetSchoolYear:
    asked = tuple(TermAsked(**dict(term)) for term in terms or (AUTUMN, SPRING))
    return SetSchoolYear(
        by=ADMIN, at=NOON, stream="no1", begins_on=begins_on, ends_on=ends_on, terms=asked
    )


def cancel_year(reason: str = "日期有误") -> CancelSchoolYear:
    return CancelSchoolYear(by=ADMIN, at=NOON, stream="no1", begins_on=BEGIN, reason=reason)


def declare(name: str = "劳动节", begins_on: date = MAY_1) -> DeclareHoliday:
    return DeclareHoliday(
        by=ADMIN, at=NOON, stream="no1", begins_on=begins_on, ends_on=MAY_3, name=name
    )


def cancel(reason: str = "调整") -> CancelHoliday:
    return CancelHoliday(
        by=ADMIN, at=NOON, stream="no1", begins_on=MAY_1, ends_on=MAY_3, reason=reason
    )


def declare_make_up(on: date = SATURDAY) -> DeclareMakeUpDay:
    return DeclareMakeUpDay(by=ADMIN, at=NOON, stream="no1", on=on)


def cancel_make_up(reason: str = "调整") -> CancelMakeUpDay:
    return CancelMakeUpDay(by=ADMIN, at=NOON, stream="no1", on=SATURDAY, reason=reason)


def test_a_school_year_is_set() -> None:
    calendar.given().when(set_year()).then(year)


def test_a_school_year_may_come_later_too() -> None:
    calendar.given(holiday).when(set_year()).then(year)


def test_setting_it_again_records_nothing() -> None:
    calendar.given(year).when(set_year()).then_nothing()


def test_its_terms_are_set_anew() -> None:
    longer = SPRING.model_copy(update={"ends_on": date(2023, 7, 14)})
    calendar.given(year).when(set_year(AUTUMN, longer)).then(
        SchoolYearSet(begins_on=BEGIN, ends_on=END, terms=(AUTUMN, longer))
    )


def test_a_school_has_one_calendar() -> None:
    assert SetSchoolYear.one_per_school


def test_a_year_and_a_term_end_after_they_begin() -> None:
    calendar.given().when(set_year(begins_on=END, ends_on=BEGIN)).then_rejected(EndsBeforeItBegins)
    backwards = AUTUMN.model_copy(update={"ends_on": date(2022, 8, 1)})
    calendar.given().when(set_year(backwards, SPRING)).then_rejected(EndsBeforeItBegins)


def test_terms_lie_within_their_year() -> None:
    late = SPRING.model_copy(update={"ends_on": date(2023, 9, 1)})
    calendar.given().when(set_year(AUTUMN, late)).then_rejected(TermOutsideYear)


@pytest.mark.parametrize(
    "terms",
    [
        (SPRING, AUTUMN),
        (AUTUMN, SPRING.model_copy(update={"number": 3})),
        (AUTUMN, SPRING.model_copy(update={"begins_on": AUTUMN.ends_on})),
    ],
)
def test_terms_are_numbered_and_follow_each_other(terms: tuple[Term, ...]) -> None:
    calendar.given().when(set_year(*terms)).then_rejected(TermsOutOfOrder)


def test_two_years_share_no_day() -> None:
    term = Term(number=1, begins_on=date(2023, 9, 1), ends_on=date(2024, 1, 12))
    next_begin, next_end = END, date(2024, 8, 31)
    calendar.given(year).when(set_year(term, begins_on=next_begin, ends_on=next_end)).then_rejected(
        YearsOverlap
    )


def test_a_term_may_last_to_the_end_of_its_year() -> None:
    long = SPRING.model_copy(update={"ends_on": END})
    calendar.given().when(set_year(AUTUMN, long)).then(
        SchoolYearSet(begins_on=BEGIN, ends_on=END, terms=(AUTUMN, long))
    )


def test_the_year_before_ends_the_day_before() -> None:
    term = Term(number=1, begins_on=date(2021, 9, 1), ends_on=date(2022, 1, 14))
    calendar.given(year).when(
        set_year(term, begins_on=date(2021, 9, 1), ends_on=BEGIN)
    ).then_rejected(YearsOverlap)


def test_the_next_year_begins_the_day_after() -> None:
    term = Term(number=1, begins_on=date(2023, 9, 1), ends_on=date(2024, 1, 12))
    begin, end = date(2023, 9, 1), date(2024, 8, 31)
    calendar.given(year).when(set_year(term, begins_on=begin, ends_on=end)).then(
        SchoolYearSet(begins_on=begin, ends_on=end, terms=(term,))
    )


def test_a_year_is_cancelled() -> None:
    calendar.given(year).when(cancel_year()).then(year_cancelled)


def test_cancelling_it_again_records_nothing() -> None:
    calendar.given(year, year_cancelled).when(cancel_year()).then_nothing()


def test_what_is_not_in_the_calendar_is_not_cancelled() -> None:
    for command in (cancel_year("另"), cancel("另"), cancel_make_up("另")):
        calendar.given(
            year, year_cancelled, holiday, holiday_cancelled, make_up, make_up_cancelled
        ).when(command).then_rejected(NotInCalendar)


def test_a_holiday_is_declared() -> None:
    calendar.given(year).when(declare()).then(holiday)


def test_declaring_it_again_records_nothing() -> None:
    calendar.given(year, holiday).when(declare()).then_nothing()


def test_a_holiday_is_renamed() -> None:
    renamed = holiday.model_copy(update={"name": "五一"})
    calendar.given(year, holiday).when(declare("五一")).then(renamed)
    calendar.given(year, holiday, renamed).when(declare("五一")).then_nothing()


def test_a_holiday_may_be_one_day() -> None:
    calendar.given(year).when(declare(begins_on=MAY_3)).then(
        HolidayDeclared(begins_on=MAY_3, ends_on=MAY_3, name="劳动节")
    )


def test_a_holiday_ends_after_it_begins() -> None:
    calendar.given(year).when(declare(begins_on=date(2023, 5, 4))).then_rejected(EndsBeforeItBegins)


def test_a_holiday_is_cancelled() -> None:
    calendar.given(year, holiday).when(cancel()).then(holiday_cancelled)


def test_cancelling_a_holiday_again_records_nothing() -> None:
    calendar.given(year, holiday, holiday_cancelled).when(cancel()).then_nothing()


def test_a_cancelled_holiday_is_declared_and_cancelled_once_more() -> None:
    past = (year, holiday, holiday_cancelled)
    calendar.given(*past).when(declare()).then(holiday)
    calendar.given(*past, holiday).when(cancel()).then(holiday_cancelled)


def test_a_make_up_day_is_declared() -> None:
    calendar.given(year).when(declare_make_up()).then(make_up)


def test_declaring_a_make_up_day_again_records_nothing() -> None:
    calendar.given(year, make_up).when(declare_make_up()).then_nothing()


def test_a_day_with_school_is_not_made_up() -> None:
    calendar.given(year).when(declare_make_up(MAY_1)).then_rejected(AlreadyASchoolDay)


def test_school_may_be_made_up_on_a_holiday() -> None:
    calendar.given(year, holiday).when(declare_make_up(MAY_3)).then(MakeUpDayDeclared(on=MAY_3))


def test_a_make_up_day_is_cancelled() -> None:
    calendar.given(year, make_up).when(cancel_make_up()).then(make_up_cancelled)


def test_cancelling_a_make_up_day_again_records_nothing() -> None:
    calendar.given(year, make_up, make_up_cancelled).when(cancel_make_up()).then_nothing()


@pytest.mark.parametrize(
    "terms",
    [
        "[]",
        '[{"number": "1", "begins_on": "2022-09-01", "ends_on": "2023-01-13"}]',
        '[{"number": 0, "begins_on": "2022-09-01", "ends_on": "2023-01-13"}]',
        '[{"number": 1, "begins_on": "2022-09-01", "ends_on": "2023-01-13", "name": "x"}]',
        '[{"number": 1, "begins_on": 1662000000, "ends_on": "2023-01-13"}]',
    ],
)
def test_bad_input_is_not_understood(terms: str) -> None:
    with pytest.raises(ValidationError):
        wire(SetSchoolYear).model_validate_json(
            f'{{"begins_on": "2022-09-01", "ends_on": "2023-08-31", "terms": {terms}}}'
        )

"""The boards: who has done what, who owes it still; against a count done day by day."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.campaign.calendar import Calendar, SchoolYear, Span
from services.campaign.directory import Directory
from services.campaign.events import Role, Term
from services.campaign.roster import Deputising, Holding, Person
from services.study.domain.activity import WEEKLY, YEARLY
from services.study.domain.boards import (
    TEAM,
    Contact,
    Done,
    Item,
    LeaderRow,
    MemberRow,
    Read,
    Week,
    gap_matrix,
    leader_six_ones,
    member_six_ones,
    place,
    reading_matrix,
    standing,
    submissions,
    tally,
    tie_board,
)
from services.study.events import ActivityKind, Aspect
from shared.decider import PersonId
from tests.study.cast import (
    CADRE,
    CALENDAR,
    CAMPAIGN,
    ENROLLED,
    GONE,
    LEADER,
    MEMBER,
    SCHOOL,
    SECRETARY,
    STAGE,
    TEACHER,
    TODAY,
    TWIN,
    YEAR,
    of_people,
)

pytestmark = pytest.mark.thorough

DAY = timedelta(days=1)
LESSON, MEAL, DORMITORY = WEEKLY
SPAN = Span(begins_on=STAGE.begins_on, ends_on=STAGE.ends_on)


def leaders(*done: Done, as_of: date = TODAY, school: Directory = SCHOOL) -> dict[str, LeaderRow]:
    return {row.person: row for row in leader_six_ones(done, (), school, YEAR, as_of)}


def members(*done: Done, as_of: date = TODAY, school: Directory = SCHOOL) -> dict[str, MemberRow]:
    return {row.person: row for row in member_six_ones(done, school, YEAR, as_of)}


def spring(row: LeaderRow) -> dict[int, Week]:
    return {week.week: week for week in row.weeks if week.term == 2}


def somebody(*posts: Holding, **more: Any) -> Person:
    return Person(name="somebody", joined_on=ENROLLED, posts=posts, **more)


def team_member(since: date = ENROLLED, until: date | None = None) -> Holding:
    return Holding(role=Role.team_member, since=since, until=until)


P1, P2 = PersonId("p-1"), PersonId("p-2")

# -- Standing -------------------------------------------------------------------------------------


def test_what_is_owed_is_missing_once_the_period_has_ended_with_the_day() -> None:
    ends = date(2023, 5, 7)
    assert standing(done=True, ends_on=ends, as_of=TODAY) == "done"
    assert standing(done=False, ends_on=ends, as_of=ends) == "missing"
    assert standing(done=False, ends_on=ends, as_of=ends - DAY) == "open"


# -- Leaders --------------------------------------------------------------------------------------


def test_every_team_member_has_three_a_week() -> None:
    board = leaders(
        Done(LESSON, MEMBER, date(2023, 5, 4)),
        Done(MEAL, MEMBER, date(2023, 5, 7)),
        Done(DORMITORY, MEMBER, date(2023, 5, 8)),
    )
    assert set(board) == {LEADER, MEMBER, GONE}
    weeks = spring(board[MEMBER])
    assert set(weeks) == set(range(1, 14))
    assert (weeks[12].begins_on, weeks[12].ends_on) == (date(2023, 5, 1), date(2023, 5, 7))
    twelfth, thirteenth = weeks[12], weeks[13]
    assert (twelfth.lesson_observation, twelfth.canteen_meal) == ("done", "done")
    assert twelfth.dormitory_visit == "missing"
    assert thirteenth.dormitory_visit == "done"
    assert thirteenth.lesson_observation == "open"


def test_weeks_off_are_nobodys() -> None:
    autumn = {week.week for week in leaders()[MEMBER].weeks if week.term == 1}
    october = CALENDAR.teaching_week(date(2022, 10, 3))
    assert october not in autumn
    assert autumn == set(range(1, 21)) - {october}


def test_a_week_is_owed_by_who_held_the_post_on_a_school_day_of_it() -> None:
    school = of_people(
        {
            P1: somebody(team_member(until=date(2023, 5, 3))),  # the holiday's last day
            P2: somebody(team_member(since=date(2023, 5, 6))),  # a Saturday with school
        }
    )
    board = leaders(school=school)
    assert max(spring(board[P1])) == 11
    assert min(spring(board[P2])) == 12


def test_who_leaves_and_comes_back_owes_the_weeks_between_to_nobody() -> None:
    away = somebody(team_member(until=date(2023, 3, 3)), team_member(since=date(2023, 4, 10)))
    weeks = spring(leaders(school=of_people({P1: away}))[P1])
    assert set(weeks) == {1, 2, 3, 9, 10, 11, 12, 13}


def test_a_deputy_owes_nothing_and_a_principal_leader_belongs_to_the_team() -> None:
    named = Deputising(deputy=P2, since=ENROLLED, until=date(2023, 8, 31))
    principal = somebody(Holding(role=Role.principal_leader, since=ENROLLED), deputies=(named,))
    assert set(leaders(school=of_people({P1: principal, P2: somebody()}))) == {P1}


def test_what_a_merged_duplicate_did_is_the_persons() -> None:
    board = leaders(Done(LESSON, TWIN, date(2023, 5, 4)))
    assert spring(board[MEMBER])[12].lesson_observation == "done"
    assert TWIN not in board


def test_as_of_an_earlier_day_what_came_later_is_not_there() -> None:
    done = (Done(LESSON, MEMBER, date(2023, 5, 4)), Done(LESSON, MEMBER, date(2023, 4, 20)))
    weeks = spring(leaders(*done, as_of=date(2023, 4, 21))[MEMBER])
    assert max(weeks) == 10
    assert weeks[10].lesson_observation == "done"


def test_missing_weeks_are_counted() -> None:
    row = leaders(Done(LESSON, MEMBER, date(2023, 5, 4)))[MEMBER]
    weeks = len(row.weeks) - 1  # the present one is open
    assert row.missing_weeks == {
        "lesson_observation": weeks - 1,
        "canteen_meal": weeks,
        "dormitory_visit": weeks,
    }


def gift(amount: str, pupil: str = "pupil-1", on: date = TODAY) -> Done:
    return Done(ActivityKind.donation, MEMBER, on, pupil, Decimal(amount))


@pytest.mark.parametrize(
    ("gifts", "donated", "how"),
    [
        ((), "0", "open"),
        ((gift("2021.99"),), "2021.99", "open"),
        ((gift("2022"),), "2022", "done"),
        ((gift("1000"), gift("1022", "pupil-2")), "2022", "done"),
        ((gift("2022", on=date(2022, 8, 31)),), "0", "open"),
    ],
    ids=str,
)
def test_donations_are_summed_against_the_schools_amount(
    gifts: tuple[Done, ...], donated: str, how: str
) -> None:
    row = leaders(*gifts)[MEMBER]
    assert (row.donated, row.donation) == (Decimal(donated), how)
    assert row.pupils == len({one.pupil for one in gifts if one.on >= YEAR.begins_on})


def test_the_amount_is_missing_when_the_school_year_is_over() -> None:
    row = leaders(gift("1"), as_of=YEAR.ends_on)[MEMBER]
    assert row.donation == "missing"


def test_where_the_school_has_set_no_amount_the_board_says_so() -> None:
    unset = SCHOOL.model_copy(update={"campaigns": {}})
    assert leaders(gift("9999"), school=unset)[MEMBER].donation == "unset"
    assert SCHOOL.campaigns[CAMPAIGN].policy.setting("donation_amount").value == "2022"


def test_a_visit_and_a_difficulty_solved_are_two_things() -> None:
    visit = Done(ActivityKind.staff_visit, MEMBER, date(2023, 3, 1), solved_on=date(2023, 4, 1))
    row = leaders(visit)[MEMBER]
    assert (row.staff_visits, row.staff_visit) == (1, "done")
    assert (row.difficulties_solved, row.difficulty_solved) == (1, "done")
    earlier = leaders(visit, as_of=date(2023, 3, 31))[MEMBER]
    assert (earlier.staff_visit, earlier.difficulty_solved) == ("done", "open")


# -- Ties -----------------------------------------------------------------------------------------


def test_exactly_one_contact_unit_is_asked_for() -> None:
    contacts = (
        Contact(LEADER, "grade-8", ENROLLED, date(2023, 2, 28)),
        Contact(LEADER, "logistics", date(2023, 3, 1)),
        Contact(TWIN, "grade-8", ENROLLED),
    )
    rows = {row.person: row for row in tie_board(contacts, SCHOOL, TODAY)}
    assert set(rows) == {LEADER, MEMBER}
    assert (rows[LEADER].units, rows[LEADER].standing) == (("logistics",), "tied")
    assert (rows[MEMBER].units, rows[MEMBER].standing) == (("grade-8",), "tied")
    before = {row.person: row for row in tie_board(contacts, SCHOOL, date(2023, 2, 28))}
    assert before[LEADER].units == ("grade-8",)
    assert before[GONE].standing == "missing"
    two = (*contacts, Contact(MEMBER, "logistics", ENROLLED))
    several = {row.person: row for row in tie_board(two, SCHOOL, TODAY)}
    assert several[MEMBER].standing == "several"
    assert leader_six_ones((), two, SCHOOL, YEAR, TODAY)[-1].contact_units == ()


# -- Members --------------------------------------------------------------------------------------


def test_a_member_owes_five_a_year_and_one_a_term() -> None:
    board = members(
        Done(ActivityKind.open_class, TEACHER, date(2023, 3, 3)),
        Done(ActivityKind.named_tutoring, TEACHER, date(2022, 9, 30), "pupil-3"),
    )
    assert set(board) == {LEADER, MEMBER, CADRE, TEACHER, SECRETARY, GONE}
    row = board[TEACHER]
    assert row.yearly == {
        kind.value: "done" if kind is ActivityKind.open_class else "open" for kind in YEARLY
    }
    assert [(t.term, t.named_tutoring, t.pupils) for t in row.terms] == [
        (1, "done", 1),
        (2, "open", 0),
    ]
    assert board[CADRE].terms[0].named_tutoring == "missing"


def test_at_the_end_of_the_year_what_was_not_done_is_missing() -> None:
    row = members(as_of=YEAR.ends_on)[TEACHER]
    assert set(row.yearly.values()) == {"missing"}
    assert [t.named_tutoring for t in row.terms] == ["missing", "missing"]


def test_who_became_a_member_in_spring_owes_the_spring_term_only() -> None:
    new = somebody(Holding(role=Role.party_member, since=date(2023, 3, 1)))
    row = members(school=of_people({P1: new}))[P1]
    assert [t.term for t in row.terms] == [2]


# -- Counting -------------------------------------------------------------------------------------


def test_activities_are_counted_by_week_term_or_year() -> None:
    done = [
        Done(LESSON, MEMBER, date(2023, 5, 4)),
        Done(LESSON, TWIN, date(2023, 5, 6)),
        Done(LESSON, MEMBER, date(2023, 2, 14)),
        gift("10.50"),
    ]

    def counts(by: Any) -> list[tuple[str, int | None, int | None, int, Decimal]]:
        rows = tally(done, SCHOOL, YEAR, TODAY, by)
        return [(r.kind.value, r.term, r.week, r.times, r.amount) for r in rows]

    nothing = Decimal(0)
    assert counts("week") == [
        ("lesson_observation", 2, 1, 1, nothing),
        ("lesson_observation", 2, 12, 2, nothing),
        ("donation", 2, 13, 1, Decimal("10.50")),
    ]
    assert counts("term") == [
        ("donation", 2, None, 1, Decimal("10.50")),
        ("lesson_observation", 2, None, 3, nothing),
    ]
    assert [row[:4] for row in counts("year")] == [
        ("donation", None, None, 1),
        ("lesson_observation", None, None, 3),
    ]


def test_a_day_outside_every_term_has_no_week() -> None:
    winter = place(date(2023, 1, 25), SCHOOL)
    assert (winter.school_year, winter.term, winter.week) == (YEAR.begins_on, None, None)
    assert place(date(2022, 8, 1), SCHOOL).school_year is None


# -- Reading, gaps, reflections -------------------------------------------------------------------


def test_who_read_an_earlier_edition_has_yet_to_read_the_new_one() -> None:
    items = [Item("a", STAGE.begins_on, edition=2), Item("b", STAGE.begins_on)]
    read = [
        Read(TEACHER, "a", 1, date(2023, 3, 1)),
        Read(TWIN, "a", 2, date(2023, 4, 1)),
        Read(MEMBER, "a", 1, date(2023, 4, 2)),
        Read(MEMBER, "b", 1, date(2023, 5, 9)),
    ]
    rows = {r.person: r for r in reading_matrix(items, read, SCHOOL, Role.party_member, TODAY)}
    assert set(rows) == {LEADER, MEMBER, CADRE, TEACHER, SECRETARY}
    assert (rows[TEACHER].read, rows[TEACHER].outdated, rows[TEACHER].missing) == (
        (),
        ("a",),
        ("b",),
    )
    assert (rows[MEMBER].read, rows[MEMBER].missing) == (("a",), ("b",))


def test_an_item_is_owed_while_it_is_on_the_list() -> None:
    item = Item("a", date(2023, 3, 1), withdrawn_on=date(2023, 4, 1))

    def owed(day: date) -> bool:
        (row,) = reading_matrix([item], [], only_a_member(), Role.party_member, day)
        return bool(row.missing)

    assert [owed(date(2023, 3, 1) - DAY), owed(date(2023, 3, 1))] == [False, True]
    assert [owed(date(2023, 3, 31)), owed(date(2023, 4, 1))] == [True, False]


def only_a_member() -> Directory:
    return of_people({P1: somebody(Holding(role=Role.party_member, since=ENROLLED))})


def test_gaps_are_looked_for_in_five_aspects() -> None:
    found = [
        (P1, Aspect.service, date(2023, 4, 1)),
        (P1, Aspect.purpose, date(2023, 4, 2)),
        (P1, Aspect.style, date(2023, 5, 9)),
    ]
    (row,) = gap_matrix(found, only_a_member(), Role.party_member, TODAY)
    assert row.found == (Aspect.purpose, Aspect.service)
    assert row.missing == (Aspect.style, Aspect.spirit, Aspect.integrity)


def test_a_reflection_counts_when_it_is_dated_inside_the_stage() -> None:
    written = [
        (LEADER, STAGE.begins_on - DAY),
        (TWIN, STAGE.ends_on),
        (CADRE, STAGE.ends_on + DAY),
        (TEACHER, STAGE.begins_on),
    ]
    told = submissions(written, SCHOOL, SPAN, TODAY)
    assert told.submitted == (MEMBER,)
    assert told.not_submitted == (CADRE, LEADER, GONE)


def test_who_was_no_cadre_in_the_stage_owes_no_reflection() -> None:
    late = somebody(Holding(role=Role.party_cadre, since=STAGE.ends_on + DAY))
    assert submissions([], of_people({P1: late}), SPAN, TODAY).not_submitted == ()
    early = somebody(Holding(role=Role.party_cadre, since=STAGE.begins_on))
    assert submissions([], of_people({P1: early}), SPAN, TODAY).not_submitted == (P1,)


# -- Against a naive count ------------------------------------------------------------------------

days = st.dates(date(2022, 8, 20), date(2023, 9, 10))
close = st.dates(date(2023, 2, 20), date(2023, 3, 19))
"""Four weeks, so that what is done meets what is owed."""
evenings = close | days | st.integers(0, 3).map(lambda n: date(2023, 2, 26) + 7 * n * DAY)
"""The day a board is asked for; often a Sunday, when a week is over."""


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    autumn = draw(st.dates(date(2022, 9, 1), date(2022, 9, 12)))
    winter = draw(st.dates(date(2023, 1, 2), date(2023, 1, 20)))
    spring = draw(st.dates(date(2023, 2, 6), date(2023, 2, 20)))
    summer = draw(st.dates(date(2023, 6, 26), date(2023, 7, 14)))
    terms = (
        Term(number=1, begins_on=autumn, ends_on=winter),
        Term(number=2, begins_on=spring, ends_on=summer),
    )
    year = SchoolYear(begins_on=date(2022, 9, 1), ends_on=date(2023, 8, 31), terms=terms)
    holidays = draw(st.lists(st.tuples(days, st.integers(0, 12)), max_size=4))
    return Calendar(
        years=(year,),
        holidays=tuple(Span(begins_on=d, ends_on=d + n * DAY) for d, n in holidays),
        make_up_days=frozenset(draw(st.lists(days, max_size=4))),
    )


@st.composite
def people(draw: st.DrawFn) -> Person:
    posts = []
    roles = st.sampled_from([Role.team_member, Role.principal_leader, Role.party_member])
    for _ in range(draw(st.integers(0, 3))):
        since = draw(days | st.just(ENROLLED))
        length = draw(st.none() | st.integers(0, 200))
        until = None if length is None else since + length * DAY
        posts.append(Holding(role=draw(roles), since=since, until=until))
    joined = draw(st.dates(date(2022, 8, 1), date(2022, 12, 1)))
    left = draw(st.none() | st.dates(date(2023, 1, 1), date(2023, 9, 1)))
    return Person(name="~", joined_on=joined, left_on=left, posts=tuple(posts))


schools = st.builds(
    lambda calendar, crowd: of_people(
        {PersonId(f"p-{n}"): person for n, person in enumerate(crowd)}
    ).model_copy(update={"calendar": calendar}),
    calendars(),
    st.lists(people(), min_size=1, max_size=3),
)
deeds = st.lists(
    st.builds(
        Done,
        st.sampled_from([LESSON, MEAL, ActivityKind.named_tutoring, ActivityKind.open_class]),
        st.sampled_from(["p-0", "p-1", "p-2"]).map(PersonId),
        close | days,
        st.just("pupil-1"),
    ),
    max_size=25,
)


def every_day(first: date, last: date) -> list[date]:
    return [first + n * DAY for n in range((last - first).days + 1)]


def there_is_school(calendar: Calendar, day: date) -> bool:
    off = any(h.begins_on <= day <= h.ends_on for h in calendar.holidays)
    return day in calendar.make_up_days or (day.isoweekday() < 6 and not off)


def has(person: Person, roles: frozenset[Role], day: date) -> bool:
    if day < person.joined_on or (person.left_on and day > person.left_on):
        return False
    return any(
        post.role in roles and post.since <= day and (post.until is None or day <= post.until)
        for post in person.posts
    )


def naive_weeks(
    school: Directory, done: list[Done], as_of: date
) -> dict[tuple[PersonId, int, int], tuple[str, str, str]]:
    """Who owes which week and how it stands, looking at every day of the terms one by one."""
    (year,) = school.calendar.years
    found = {}
    for person, entry in school.roster.people.items():
        for term in year.terms:
            weeks: dict[date, list[date]] = {}
            for day in every_day(term.begins_on, term.ends_on):
                weeks.setdefault(day - day.weekday() * DAY, []).append(day)
            for number, week in enumerate(weeks.values(), start=1):
                owed = [
                    day
                    for day in week
                    if day <= as_of
                    and there_is_school(school.calendar, day)
                    and has(entry, TEAM, day)
                ]
                if owed:
                    found[person, term.number, number] = tuple(
                        "done"
                        if any(
                            d.kind is kind and d.person == person and d.on in week and d.on <= as_of
                            for d in done
                        )
                        else "missing"
                        if week[-1] <= as_of
                        else "open"
                        for kind in WEEKLY
                    )
    return found  # type: ignore[return-value]  # a tuple over the weekly three


@given(schools, deeds, evenings)
def test_the_leaders_board_says_what_a_count_day_by_day_says(
    school: Directory, done: list[Done], as_of: date
) -> None:
    (year,) = school.calendar.years
    board = leader_six_ones(done, (), school, year, as_of)
    shown = {
        (row.person, week.term, week.week): (
            week.lesson_observation,
            week.canteen_meal,
            week.dormitory_visit,
        )
        for row in board
        for week in row.weeks
    }
    assert shown == naive_weeks(school, done, as_of)


@given(schools, deeds, evenings)
def test_the_members_board_says_what_a_count_day_by_day_says(
    school: Directory, done: list[Done], as_of: date
) -> None:
    (year,) = school.calendar.years
    members = frozenset({Role.party_member})
    expected = {}
    for person, entry in school.roster.people.items():
        for term in year.terms:
            term_days = every_day(term.begins_on, term.ends_on)
            if any(
                day <= as_of and there_is_school(school.calendar, day) and has(entry, members, day)
                for day in term_days
            ):
                tutored = any(
                    d.kind is ActivityKind.named_tutoring
                    and d.person == person
                    and d.on in term_days
                    and d.on <= as_of
                    for d in done
                )
                over = "missing" if term.ends_on <= as_of else "open"
                expected[person, term.number] = "done" if tutored else over
    board = member_six_ones(done, school, year, as_of)
    assert {(r.person, t.term): t.named_tutoring for r in board for t in r.terms} == expected
    for row in board:
        taught = any(
            d.kind is ActivityKind.open_class
            and d.person == row.person
            and year.begins_on <= d.on <= min(year.ends_on, as_of)
            for d in done
        )
        late = "missing" if year.ends_on <= as_of else "open"
        assert row.yearly["open_class"] == ("done" if taught else late)


@given(schools, days)
def test_every_day_of_a_term_is_in_one_of_its_weeks_and_no_other_day_is(
    school: Directory, day: date
) -> None:
    (year,) = school.calendar.years
    at = place(day, school)
    terms = [term for term in year.terms if term.begins_on <= day <= term.ends_on]
    assert (at.term is None) is (not terms)
    assert (at.week is None) is (not terms)
    assert (at.school_year is None) is (not year.begins_on <= day <= year.ends_on)
    if terms and at.week:
        first = terms[0].begins_on
        monday = first - first.weekday() * DAY + (at.week - 1) * 7 * DAY
        assert monday <= day < monday + 7 * DAY


@given(schools, deeds, evenings)
def test_no_activity_is_counted_twice_or_lost(
    school: Directory, done: list[Done], as_of: date
) -> None:
    (year,) = school.calendar.years
    inside = [d for d in done if year.begins_on <= d.on <= min(year.ends_on, as_of)]
    for by in ("week", "term", "year"):
        rows = tally(done, school, year, as_of, by)
        assert sum(row.times for row in rows) == len(inside)

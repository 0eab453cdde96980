"""Who joins, leaves, changes post or branch is counted right on any day: against a naive count."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.campaign.calendar import Calendar, Span
from services.campaign.events import Role
from services.campaign.roster import Absence, Holding, Membership, Overseeing, Person
from services.meetings.events import MeetingKind
from services.oversight.events import FindingAcknowledged, ObligationWaived
from services.oversight.rules.catalogue import BY_ID, RULES
from services.oversight.rules.engine import obligations
from services.study.events import ActivityKind
from shared.decider import PersonId
from tests.oversight.deeds import did, met, talked
from tests.oversight.town import (
    ARTS,
    NEW_YEAR,
    SCHOOL,
    SCIENCE,
    TEACHER,
    TEACHING,
    TODAY,
    WU,
    YEAR,
    ZHOU,
    Entry,
    school,
    someone,
    world,
)

pytestmark = pytest.mark.thorough

DAYS = st.dates(NEW_YEAR, TODAY)
ROLES = (Role.principal_leader, Role.team_member, Role.party_member, Role.party_cadre)


@st.composite
def stretches(draw: st.DrawFn) -> tuple[date, date | None]:
    since = draw(DAYS)
    until = draw(st.none() | st.dates(since, TODAY))
    return since, until


@st.composite
def persons(draw: st.DrawFn) -> Person:
    joined, left = draw(stretches())
    posts = tuple(
        Holding(role=role, since=since, until=until)
        for role in ROLES
        for since, until in draw(st.lists(stretches(), max_size=1))
    )
    branches = tuple(
        Membership(branch=branch, since=since, until=until)
        for branch in (ARTS, SCIENCE)
        for since, until in draw(st.lists(stretches(), max_size=1))
    )
    away = tuple(
        Absence(since=since, until=until)
        for since, until in draw(st.lists(stretches(), max_size=1))
    )
    return Person(
        name="…", joined_on=joined, left_on=left, posts=posts, branches=branches, absences=away
    )


ROSTERS = st.lists(persons(), min_size=1, max_size=6).map(
    lambda some: {PersonId(f"p{n}"): person for n, person in enumerate(some)}
)


def is_one(person: Person, role: Role, day: date) -> bool:
    """Day by day, without the roster's own methods."""
    if day < person.joined_on or (person.left_on and person.left_on < day):
        return False
    if any(a.since <= day and (a.until is None or day <= a.until) for a in person.absences):
        return False
    return any(
        p.role is role and p.since <= day and (p.until is None or day <= p.until)
        for p in person.posts
    )


def subjects(rule: str, people: dict[PersonId, Person], day: date, *entries: Entry) -> set[object]:
    at = world(*entries, day=day, directory=school(people))
    return {(one.subject, one.period) for one in obligations(BY_ID[rule], at)}


@settings(max_examples=60, deadline=None)
@given(ROSTERS, DAYS)
def test_pairs_are_those_of_the_day(people: dict[PersonId, Person], day: date) -> None:
    leaders = [p for p in people if is_one(people[p], Role.principal_leader, day)]
    members = [p for p in people if is_one(people[p], Role.team_member, day)]
    each = {((min(a, b), max(a, b)), "campaign") for a in leaders for b in members if a != b}
    among = {((min(a, b), max(a, b)), "campaign") for a in members for b in members if a != b}
    assert subjects("R46", people, day) == each
    assert subjects("R47", people, day) == among


@settings(max_examples=60, deadline=None)
@given(ROSTERS, DAYS)
def test_a_week_is_owed_by_who_was_of_the_team_on_a_school_day_of_it(
    people: dict[PersonId, Person], day: date
) -> None:
    expected = set()
    monday = NEW_YEAR - timedelta(days=NEW_YEAR.weekday())
    while monday <= day:
        for number in range(7):
            on = monday + timedelta(days=number)
            in_term = next((t for t in YEAR.terms if t.begins_on <= on <= t.ends_on), None)
            if in_term is None or on.weekday() > 4 or on > day:
                continue
            first = max(monday, in_term.begins_on)
            expected |= {
                ((p,), f"week-{first}")
                for p, entry in people.items()
                if is_one(entry, Role.team_member, on) or is_one(entry, Role.principal_leader, on)
            }
        monday += timedelta(days=7)
    assert subjects("R19", people, day) == expected


@settings(max_examples=40, deadline=None)
@given(ROSTERS, DAYS, st.lists(st.tuples(st.integers(0, 5), DAYS), max_size=8))
def test_done_is_what_was_done_in_the_period_and_known_by_the_day(
    people: dict[PersonId, Person], day: date, done: list[tuple[int, date]]
) -> None:
    entries = [
        did(f"x{n}", ActivityKind.monograph_study, PersonId(f"p{who}"), on)
        for n, (who, on) in enumerate(done)
    ]
    at = world(*entries, day=day, directory=school(people))
    states = {one.subject[0]: one.state for one in obligations(BY_ID["R23"], at)}
    for person, state in states.items():
        did_it = any(f"p{who}" == person and on <= day for who, on in done)
        assert (state == "done") == did_it


@settings(max_examples=40, deadline=None)
@given(ROSTERS, DAYS)
def test_cadres_are_those_of_the_day_and_the_team_owes_one(
    people: dict[PersonId, Person], day: date
) -> None:
    cadres = {((p,), "campaign") for p in people if is_one(people[p], Role.party_cadre, day)}
    assert subjects("R59", people, day) == cadres | {(("team",), "campaign")}


@settings(max_examples=40, deadline=None)
@given(ROSTERS, DAYS, st.lists(st.tuples(st.integers(0, 5), stretches()), max_size=4))
def test_who_oversees_and_who_heads_are_those_of_the_day(
    people: dict[PersonId, Person], day: date, heading: list[tuple[int, tuple[date, date | None]]]
) -> None:
    chosen = {n: stretch for n, stretch in heading if f"p{n}" in people}
    with_heads = {
        person: entry.model_copy(
            update={
                "posts": (
                    *entry.posts,
                    *(
                        Holding(role=Role.department_head, unit=TEACHING, since=since, until=until)
                        for n, (since, until) in chosen.items()
                        if person == f"p{n}"
                    ),
                ),
                "overseeing": (Overseeing(department=TEACHING, since=NEW_YEAR),)
                if person == "p0"
                else (),
            }
        )
        for person, entry in people.items()
    }
    heads = [p for p in with_heads if is_one(with_heads[p], Role.department_head, day)]
    first = with_heads[PersonId("p0")]
    of_the_team = is_one(first, Role.team_member, day) or is_one(first, Role.principal_leader, day)
    expected = {(("p0", p), "campaign") for p in heads if p != "p0"} if of_the_team else set()
    assert subjects("R48", with_heads, day) == expected


@settings(max_examples=40, deadline=None)
@given(ROSTERS, DAYS)
def test_members_of_a_branch_are_those_of_the_day(
    people: dict[PersonId, Person], day: date
) -> None:
    def belongs(person: Person) -> bool:
        """To the branch of the latest membership, if it is this one."""
        held = [
            m.branch
            for m in person.branches
            if m.since <= day and (m.until is None or day <= m.until)
        ]
        return is_one(person, Role.party_member, day) and held[-1:] == [ARTS]

    expected = {((p,), "campaign") for p in people if belongs(people[p])}
    assert subjects("R82", people, day) == expected


def test_who_is_on_probation_owes_what_every_party_member_owes() -> None:
    whole = SCHOOL.roster.people
    trial = {**whole, TEACHER: someone(Role.probationary_member, branch=ARTS)}
    nobody = {**whole, TEACHER: someone(branch=ARTS)}
    sat = met("m1", MeetingKind.organisational_life, branch=ARTS)
    asked = {rule.id: subjects(rule.id, whole, TODAY, *sat) for rule in RULES if rule.population}
    assert {rule: subjects(rule, trial, TODAY, *sat) for rule in asked} == asked
    less = {rule for rule in asked if subjects(rule, nobody, TODAY, *sat) != asked[rule]}
    of_members = {"R13", "R23", "R24", "R25", "R26", "R27", "R28", "R79", "R81", "R82", "R83"}
    assert less == of_members | {"R84"}


def weeks(holidays: tuple[Span, ...] = (), make_up: frozenset[date] = frozenset()) -> set[str]:
    calendar = Calendar(years=(YEAR,), holidays=holidays, make_up_days=make_up)
    off = SCHOOL.model_copy(update={"calendar": calendar})
    some = obligations(BY_ID["R19"], world(directory=off))
    return {one.period for one in some}


def test_a_week_off_is_nobodys_unless_a_day_of_it_is_made_up_for() -> None:
    labour_day = Span(begins_on=date(2023, 5, 1), ends_on=date(2023, 5, 5))
    assert weeks() - weeks((labour_day,)) == {"week-2023-05-01"}
    assert weeks((labour_day,), frozenset({date(2023, 5, 6)})) == weeks()


def test_vacation_is_nobodys() -> None:
    assert not {w for w in weeks() if "week-2023-01-23" <= w < "week-2023-02-13"}


def test_a_waiver_of_a_pair_holds_for_whoever_they_are_now() -> None:
    """The pair was waived under the id of a duplicate that was merged since."""
    duplicate = PersonId("a-duplicate")
    people = dict(SCHOOL.roster.people)
    people[duplicate] = people[WU].model_copy(update={"merged_into": WU})
    seen = FindingAcknowledged(
        rule="R47", subject=(duplicate, ZHOU), period="campaign", acknowledged_by=WU
    )
    waived = ObligationWaived(
        rule="R47", subject=(duplicate, ZHOU), period="campaign", waived_by=WU, reason="…"
    )
    at = world(Entry("f1", seen), Entry("f1", waived), directory=school(people))
    states = {one.subject: one.state for one in obligations(BY_ID["R47"], at)}
    assert states[WU, ZHOU] == "waived"


def test_what_two_ids_of_one_person_did_counts_as_one_persons() -> None:
    people = {
        PersonId("p0"): Person(
            name="…",
            joined_on=NEW_YEAR,
            posts=(
                Holding(role=Role.team_member, since=NEW_YEAR),
                Holding(role=Role.principal_leader, since=NEW_YEAR),
            ),
        ),
        PersonId("p1"): Person(
            name="…",
            joined_on=NEW_YEAR,
            posts=(Holding(role=Role.team_member, since=NEW_YEAR),),
        ),
        PersonId("twice"): Person(name="…", joined_on=NEW_YEAR, merged_into=PersonId("p1")),
    }
    at = world(talked("t1", PersonId("p0"), PersonId("twice")), directory=school(people))
    (pair,) = obligations(BY_ID["R46"], at)
    assert (pair.subject, pair.state) == (("p0", "p1"), "done")


def test_a_later_entry_of_an_earlier_day_is_not_known_before_it_was_made() -> None:
    late = did("x1", ActivityKind.monograph_study, PersonId("zhou"), date(2023, 3, 1))
    entered = Entry(late.stream, late.event, date(2023, 6, 1))
    before = world(entered, day=date(2023, 5, 1))
    after = world(entered, day=date(2023, 6, 1))

    def state(at: object) -> str:
        some = obligations(BY_ID["R23"], at)  # type: ignore[arg-type]
        return next(one.state for one in some if one.subject == ("zhou",))

    assert state(before) == "missing"
    assert state(after) == "done"

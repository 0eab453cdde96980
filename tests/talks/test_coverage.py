"""Who has to talk with whom as of a day, and who has (R46-R48, R55, R56)."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.campaign.directory import Directory
from services.campaign.events import Role, UnitKind
from services.campaign.roster import Holding, Membership, Overseeing, Person, Roster
from services.talks.coverage import (
    BranchCover,
    Coverage,
    Lead,
    PairCover,
    TalkFact,
    Talks,
    coverage,
    fold,
)
from services.talks.events import TalkKind
from shared.decider import PersonId
from tests.memory import Entry
from tests.talks.cast import (
    ANOTHER,
    BEGUN,
    CONFIRMED,
    ENDED,
    ENROLLED,
    HEAD,
    HEADMASTER,
    LEADER,
    MEMBER,
    SCHOOL,
    SECRETARY,
    TEACHER,
    TODAY,
    corrected,
    days,
    disputed,
    held,
    member_confirmed,
    merged,
    teacher_confirmed,
    voided,
)
from tests.talks.memory import log

pytestmark = pytest.mark.thorough


def fact(*parties: PersonId, ago: int = 0, agreed: bool = False, **more: Any) -> TalkFact:
    """A talk one by one, so many days ago."""
    said: dict[str, Any] = {
        "kind": TalkKind.one_by_one,
        "parties": parties,
        "branch": None,
        "begun_at": BEGUN - days(ago),
        "ended_at": ENDED - days(ago),
        "confirmed": parties if agreed else (),
    }
    return TalkFact(**{**said, **more})


def covered(*facts: TalkFact, on: date = TODAY, since: date | None = None) -> Coverage:
    return coverage(SCHOOL, {f"talk-{n}": f for n, f in enumerate(facts, 1)}, on, since=since)


def pair(*people: PersonId) -> tuple[PersonId, ...]:
    return tuple(sorted(people))


def pairs(found: Iterable[PairCover]) -> set[tuple[PersonId, ...]]:
    return {cover.people for cover in found}


def done(found: Iterable[PairCover]) -> dict[tuple[PersonId, ...], tuple[str, ...]]:
    return {cover.people: cover.held for cover in found if cover.held}


# -- Who has to ------------------------------------------------------------------------------------


def test_each_principal_leader_talks_with_each_member() -> None:
    assert pairs(covered().leader_member) == {
        pair(LEADER, HEADMASTER),
        pair(LEADER, MEMBER),
        pair(HEADMASTER, MEMBER),
    }


def test_the_members_talk_with_each_other() -> None:
    assert pairs(covered().members) == {
        pair(LEADER, HEADMASTER),
        pair(LEADER, MEMBER),
        pair(HEADMASTER, MEMBER),
    }


def test_who_oversees_a_department_talks_with_its_head() -> None:
    assert pairs(covered().member_head) == {pair(MEMBER, HEAD)}


def test_every_branch_that_exists_has_to_talk() -> None:
    assert [b.branch for b in covered().branches] == ["liberal", "science"]
    before = covered(on=date(2023, 4, 1)).branches
    assert [b.branch for b in before] == ["liberal", "retired", "science"]


def test_who_leads_a_branch_and_the_administration_goes_first() -> None:
    assert [(lead.person, lead.role, lead.branch) for lead in covered().leads] == [
        (SECRETARY, Role.branch_secretary, "liberal"),
        (HEADMASTER, Role.administrative_head, "liberal"),
    ]


def test_nobody_has_to_who_was_not_there_on_the_day() -> None:
    before = covered(on=ENROLLED - days(1))
    assert not (*before.leader_member, *before.members, *before.member_head, *before.leads)


# -- Who has ---------------------------------------------------------------------------------------


def test_a_talk_of_two_covers_them_under_every_rule_it_falls_under() -> None:
    found = covered(fact(MEMBER, LEADER))
    assert done(found.leader_member) == {pair(MEMBER, LEADER): ("talk-1",)}
    assert done(found.members) == {pair(MEMBER, LEADER): ("talk-1",)}
    assert done(found.member_head) == {}


def test_a_group_or_branch_talk_never_counts_as_one_by_one() -> None:
    group = fact(LEADER, MEMBER, HEADMASTER, HEAD, kind=TalkKind.group)
    branch = fact(MEMBER, LEADER, kind=TalkKind.branch, branch="liberal")
    found = covered(group, branch)
    assert not any(done(c) for c in (found.leader_member, found.members, found.member_head))


def test_what_everybody_confirmed_is_told_from_what_was_merely_held() -> None:
    half = fact(MEMBER, LEADER, confirmed=(MEMBER,))
    (found,) = [c for c in covered(half, fact(MEMBER, LEADER, agreed=True)).leader_member if c.held]
    assert (found.held, found.confirmed) == (("talk-1", "talk-2"), ("talk-2",))


def test_a_disputed_talk_counts_nowhere() -> None:
    found = covered(fact(MEMBER, LEADER, disputed=(LEADER,), agreed=True))
    assert found == covered()


def test_a_talk_counts_from_the_first_day_to_the_day_asked_about() -> None:
    then = fact(MEMBER, LEADER, ago=10)
    day = TODAY - days(10)
    assert done(covered(then, on=day, since=day).members)
    assert not done(covered(then, on=day - days(1)).members)
    assert not done(covered(then, since=day + days(1)).members)


def test_the_day_is_the_schools() -> None:
    late = fact(MEMBER, LEADER, begun_at=datetime(2023, 5, 7, 16, tzinfo=UTC))
    early = fact(MEMBER, LEADER, begun_at=datetime(2023, 5, 7, 15, 59, tzinfo=UTC))
    assert done(covered(late, since=TODAY).members)
    assert not done(covered(early, since=TODAY).members)


def test_a_talk_with_somebody_on_no_roster_covers_no_pair() -> None:
    assert covered(fact(MEMBER)) == covered()


def test_who_was_entered_twice_talked_once() -> None:
    school = merged(MEMBER)
    talks = {"talk-1": fact(PersonId(f"{MEMBER}-2"), LEADER)}
    assert done(coverage(school, talks, TODAY).members) == {pair(MEMBER, LEADER): ("talk-1",)}


# -- Branches --------------------------------------------------------------------------------------


def branches(*facts: TalkFact) -> dict[str, tuple[str, ...]]:
    return {b.branch: b.held for b in covered(*facts).branches}


def test_a_branch_talks_together_or_its_members_among_themselves() -> None:
    together = fact(MEMBER, LEADER, kind=TalkKind.branch, branch="science")
    two = fact(SECRETARY, TEACHER)
    mixed = fact(SECRETARY, MEMBER)
    assert branches(together, two, mixed) == {"liberal": ("talk-2",), "science": ("talk-1",)}


def test_a_talk_of_nobody_of_any_branch_and_one_of_a_single_member_are_no_branchs() -> None:
    assert branches(fact(LEADER, MEMBER), fact(SECRETARY)) == {"liberal": (), "science": ()}


def test_a_branch_says_what_was_confirmed() -> None:
    (liberal, _) = covered(fact(SECRETARY, TEACHER, agreed=True)).branches
    assert liberal == BranchCover(branch="liberal", held=("talk-1",), confirmed=("talk-1",))


def leads(*facts: TalkFact) -> dict[PersonId, bool]:
    return {lead.person: lead.leads for lead in covered(*facts).leads}


def test_going_first_is_having_talked_and_not_later_than_the_others() -> None:
    first = fact(SECRETARY, MEMBER, ago=3)
    same_day = fact(HEADMASTER, MEMBER, ago=2)
    others = fact(TEACHER, ANOTHER, ago=2)
    assert leads(first, same_day, others) == {SECRETARY: True, HEADMASTER: True}
    assert leads(others) == {SECRETARY: False, HEADMASTER: False}
    assert leads(first) == {SECRETARY: True, HEADMASTER: False}
    earlier = fact(ANOTHER, MEMBER, ago=4)
    assert leads(first, same_day, others, earlier) == {SECRETARY: False, HEADMASTER: False}


def test_who_is_of_another_branch_or_of_none_does_not_hurry_them() -> None:
    earlier = fact(MEMBER, LEADER, ago=9)
    assert leads(earlier, fact(SECRETARY, HEADMASTER)) == {SECRETARY: True, HEADMASTER: True}


def test_an_administrative_head_of_no_branch_goes_before_nobody() -> None:
    people = SCHOOL.roster.people
    alone = people[HEADMASTER].model_copy(update={"branches": ()})
    school = SCHOOL.model_copy(update={"roster": Roster(people={**people, HEADMASTER: alone})})
    talks = {"talk-1": fact(TEACHER, ANOTHER, ago=9), "talk-2": fact(HEADMASTER, MEMBER)}
    assert coverage(school, talks, TODAY).leads[-1] == Lead(
        person=HEADMASTER,
        role=Role.administrative_head,
        branch=None,
        first_on=TODAY,
        others_first_on=None,
    )


# -- The facts -------------------------------------------------------------------------------------


def told(*entries: Entry) -> dict[str, TalkFact]:
    known: Talks | None = None
    for record in log(*entries):
        known = fold(known, record)
    return known.talks if known else {}


def test_a_fact_is_who_when_and_how_long_and_nothing_that_was_said() -> None:
    one = told(("talk-1", held))["talk-1"]
    assert one == fact(MEMBER, TEACHER)
    assert one.minutes == 50
    assert not set(TalkFact.model_fields) & {"sides", "communicated", "helped", "place", "outsider"}


def test_a_fact_says_who_confirms_and_who_disputes() -> None:
    agreed = told(*(("talk-1", event) for event in CONFIRMED))["talk-1"]
    assert (agreed.confirmed_by_all, agreed.counts) == (True, True)
    doubted = told(*(("talk-1", event) for event in (*CONFIRMED, disputed)))["talk-1"]
    assert (doubted.confirmed, doubted.counts) == ((MEMBER,), False)
    after_all = told(*(("talk-1", e) for e in (held, disputed, teacher_confirmed)))["talk-1"]
    assert (after_all.confirmed, after_all.counts) == ((TEACHER,), True)


def test_a_corrected_talk_is_to_be_confirmed_anew() -> None:
    moved = corrected.model_copy(update={"ended_at": ENDED + timedelta(minutes=10)})
    one = told(("talk-1", held), ("talk-1", member_confirmed), ("talk-1", moved))["talk-1"]
    assert one == fact(MEMBER, TEACHER, ended_at=moved.ended_at)


def test_what_was_voided_is_gone() -> None:
    assert told(("talk-1", held), ("talk-2", held), ("talk-1", voided)).keys() == {"talk-2"}


# -- Counted otherwise -----------------------------------------------------------------------------

NAMES = [PersonId(f"p-{n}") for n in range(5)]
DAYS = st.integers(0, 6).map(lambda n: TODAY + days(n))
POSTS: list[tuple[Role, str | None]] = [
    (Role.principal_leader, None),
    (Role.team_member, None),
    (Role.department_head, "logistics"),
    (Role.branch_secretary, "liberal"),
    (Role.administrative_head, None),
]


@st.composite
def people(draw: st.DrawFn) -> Person:
    """Somebody who joins, takes and leaves posts, and perhaps goes, within a week."""

    def spans() -> tuple[date, date | None]:
        return draw(DAYS), draw(st.none() | DAYS)

    joined, left = spans()
    posts = [
        Holding(role=role, unit=unit, since=since, until=until)
        for role, unit in draw(st.lists(st.sampled_from(POSTS), unique=True, max_size=4))
        for since, until in [spans()]
    ]
    since, until = spans()
    return Person(
        name="…",
        joined_on=joined,
        left_on=left,
        posts=tuple(posts),
        branches=(Membership(branch="liberal", since=since, until=until),) * draw(st.booleans()),
        overseeing=(Overseeing(department="logistics", since=since, until=until),)
        * draw(st.booleans()),
    )


@st.composite
def facts(draw: st.DrawFn) -> TalkFact:
    parties = tuple(draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=3, unique=True)))
    kind = TalkKind.one_by_one if len(parties) == 2 else TalkKind.group
    return fact(
        *parties,
        ago=-draw(st.integers(0, 6)),
        kind=kind,
        confirmed=tuple(draw(st.sets(st.sampled_from(parties)))),
        disputed=tuple(draw(st.sets(st.sampled_from(parties), max_size=1))),
    )


def has(school: Directory, who: PersonId, role: Role, day: date, unit: str | None = None) -> bool:
    entry = school.roster.people[who]
    here = entry.joined_on <= day and (entry.left_on is None or day <= entry.left_on)
    return here and any(
        p.role is role and p.unit == unit and p.since <= day and (p.until is None or day <= p.until)
        for p in entry.posts
    )


def oversees(school: Directory, who: PersonId, day: date) -> bool:
    return any(
        o.since <= day and (o.until is None or day <= o.until)
        for o in school.roster.people[who].overseeing
    )


@given(
    st.lists(people(), min_size=5, max_size=5),
    st.lists(facts(), max_size=6),
    DAYS,
    st.none() | DAYS,
)
def test_it_is_what_a_naive_count_over_any_roster_gives(
    entries: list[Person], told: list[TalkFact], on: date, since: date | None
) -> None:
    school = SCHOOL.model_copy(
        update={"roster": Roster(people=dict(zip(NAMES, entries, strict=True)))}
    )
    talks = {f"talk-{n}": f for n, f in enumerate(told)}
    found = coverage(school, talks, on, since=since)
    required: dict[str, set[frozenset[PersonId]]] = {"R46": set(), "R47": set(), "R48": set()}
    for a, b in product(NAMES, NAMES):
        if a == b:
            continue
        leads = has(school, a, Role.principal_leader, on)
        member = has(school, a, Role.team_member, on)
        if leads and has(school, b, Role.team_member, on):
            required["R46"].add(frozenset((a, b)))
        if member and has(school, b, Role.team_member, on):
            required["R47"].add(frozenset((a, b)))
        head = has(school, b, Role.department_head, on, "logistics")
        if (leads or member) and head and oversees(school, a, on):
            required["R48"].add(frozenset((a, b)))
    counted = {"R46": found.leader_member, "R47": found.members, "R48": found.member_head}
    for rule, covers in counted.items():
        assert {frozenset(c.people) for c in covers} == required[rule]
        assert len(covers) == len(required[rule])
        for cover in covers:
            theirs = {
                key: f
                for key, f in talks.items()
                if set(f.parties) == set(cover.people)
                and not f.disputed
                and (since or date.min) <= school.day(f.begun_at) <= on
            }
            assert set(cover.held) == theirs.keys()
            assert set(cover.confirmed) == {
                key for key, f in theirs.items() if len(f.confirmed) == 2
            }


def test_the_units_of_these_rosters_exist() -> None:
    assert SCHOOL.has_unit("logistics", UnitKind.department, TODAY)
    assert SCHOOL.has_unit("liberal", UnitKind.branch, TODAY + days(6))

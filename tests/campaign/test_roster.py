"""Who was what on which day, against marking every day of a year one by one."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.campaign.directory import Directory, School, Unit
from services.campaign.domain.person import (
    Entered,
    JoinBranch,
    LeaveBranch,
    LeaveOversight,
    LeavePost,
    LeaveSchool,
    PersonCommand,
    RejoinSchool,
    TakeOversight,
    TakePost,
    VoidLeaving,
    VoidMembership,
    VoidOversight,
    VoidPost,
    decider,
)
from services.campaign.events import (
    BranchJoined,
    BranchLeft,
    DeputyNamed,
    DeputyRecalled,
    LeavingVoided,
    MembershipVoided,
    MergeVoided,
    OversightLeft,
    OversightTaken,
    OversightVoided,
    PersonCorrected,
    PersonEntered,
    PersonEvent,
    PersonMerged,
    PersonVoided,
    Post,
    PostLeft,
    PostTaken,
    PostVoided,
    RejoiningVoided,
    Role,
    SchoolLeft,
    SchoolRejoined,
    UnitKind,
)
from services.campaign.roster import Person, Roster, changed, entered, evolve
from shared.decider import Command, PersonId, Rejected
from tests.campaign.examples import (
    DIRECTORY,
    HEAD,
    NEW_YEAR,
    NOON,
    OPERATOR,
    SCIENCE,
    SUPERVISOR,
    TEACHER,
    TEACHING,
    TODAY,
    TOMORROW,
    YESTERDAY,
)

pytestmark = pytest.mark.thorough

ROLES = (Role.team_member, Role.principal_leader)
BRANCHES = ("b1", "b2", "b3")
DEPARTMENTS = ("d1", "d2")
ONE_DAY = timedelta(days=1)
WINDOW = [NEW_YEAR + n * ONE_DAY for n in range(40)]

FACTS = Directory(
    school=School(name="…", zone="Asia/Shanghai", language="zh"),
    units={b: Unit(kind=UnitKind.branch, name="…") for b in BRANCHES}
    | {d: Unit(kind=UnitKind.department, name="…") for d in DEPARTMENTS},
)
FIRST = PersonEntered(name="…", joined_on=WINDOW[5])

some_day = st.sampled_from(WINDOW)
roles = st.sampled_from(ROLES)
branches = st.sampled_from(BRANCHES)
departments = st.sampled_from(DEPARTMENTS)


def asked[C: Command](kind: type[C], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[C]:
    return st.builds(kind, by=st.just(OPERATOR), at=st.just(NOON), stream=st.just("p1"), **fields)


commands: st.SearchStrategy[PersonCommand] = st.one_of(
    asked(TakePost, role=roles, since=some_day),
    asked(LeavePost, role=roles, until=some_day),
    asked(VoidPost, role=roles, since=some_day, reason=st.just("…")),
    asked(JoinBranch, branch=branches, since=some_day),
    asked(LeaveBranch, branch=branches, until=some_day),
    asked(VoidMembership, branch=branches, since=some_day, reason=st.just("…")),
    asked(TakeOversight, department=departments, since=some_day),
    asked(LeaveOversight, department=departments, until=some_day),
    asked(VoidOversight, department=departments, since=some_day, reason=st.just("…")),
    asked(LeaveSchool, on=some_day),
    asked(VoidLeaving, reason=st.just("…")),
    asked(RejoinSchool, on=some_day),
)


class Marked:
    """A wall calendar on which every day is marked by hand: what is held since when."""

    def __init__(self, joined_on: date) -> None:
        self.here: dict[date, bool] = {day: day >= joined_on for day in WINDOW}
        self.last: date | None = None
        self.held: dict[tuple[str, str], dict[date, date]] = {}
        self.branch: dict[date, tuple[str, date]] = {}

    def take(self, thing: tuple[str, str], since: date) -> None:
        self.held.setdefault(thing, {}).update({d: since for d in WINDOW if d >= since})

    def leave(self, thing: tuple[str, str], until: date) -> None:
        marks = self.held[thing]
        stint = marks[until]
        self.held[thing] = {d: s for d, s in marks.items() if not (s == stint and d > until)}

    def void(self, thing: tuple[str, str], since: date) -> None:
        self.held[thing] = {d: s for d, s in self.held[thing].items() if s != since}

    def join(self, branch: str, since: date) -> None:
        for day in (d for d in WINDOW if d >= since):
            if day in self.branch and self.branch[day][1] > since:
                break
            self.branch[day] = (branch, since)

    def leave_branch(self, until: date) -> None:
        stint = self.branch[until]
        self.branch = {d: m for d, m in self.branch.items() if not (m == stint and d > until)}

    def void_branch(self, branch: str, since: date) -> None:
        self.branch = {d: m for d, m in self.branch.items() if m != (branch, since)}

    def leave_school(self, on: date) -> None:
        self.last = on
        self.here |= {d: False for d in WINDOW if d > on}

    def stay(self) -> None:
        assert self.last is not None
        self.here |= {d: True for d in WINDOW if d > self.last}
        self.last = None

    def come_back(self, on: date) -> None:
        assert self.last is not None
        gone = self.last
        self.here |= {d: True for d in WINDOW if d >= on}
        self.held = {t: {d: s for d, s in m.items() if d <= gone} for t, m in self.held.items()}
        self.branch = {d: m for d, m in self.branch.items() if d <= gone}
        self.last = None

    def mark(self, event: PersonEvent) -> None:  # noqa: C901, PLR0912 -- a table
        match event:
            case PostTaken(role=role, since=since):
                self.take(("role", role), since)
            case PostLeft(role=role, until=until):
                self.leave(("role", role), until)
            case PostVoided(role=role, since=since):
                self.void(("role", role), since)
            case OversightTaken(department=department, since=since):
                self.take(("department", department), since)
            case OversightLeft(department=department, until=until):
                self.leave(("department", department), until)
            case OversightVoided(department=department, since=since):
                self.void(("department", department), since)
            case BranchJoined(branch=branch, since=since):
                self.join(branch, since)
            case BranchLeft(until=until):
                self.leave_branch(until)
            case MembershipVoided(branch=branch, since=since):
                self.void_branch(branch, since)
            case SchoolLeft(on=on):
                self.leave_school(on)
            case LeavingVoided():
                self.stay()
            case SchoolRejoined(on=on):
                self.come_back(on)
            case _:
                pytest.fail(f"not marked: {event}")

    def of(self, kind: str, day: date) -> set[str]:
        return {name for (k, name), marks in self.held.items() if k == kind and day in marks}


@given(st.lists(commands, max_size=25))
def test_the_dated_roster_says_what_marking_every_day_says(asked_for: list[PersonCommand]) -> None:
    state, entry, wall = decider.fold([FIRST]), entered(FIRST), Marked(WINDOW[5])
    for command in asked_for:
        try:
            event = decider.decide(command, state, FACTS)
        except Rejected:
            continue
        if event:
            state, entry = decider.evolve(state, event), changed(entry, event)
            wall.mark(event)
        for day in WINDOW:
            here = wall.here[day]
            assert entry.present(day) is here
            assert entry.roles(day) == (wall.of("role", day) if here else set())
            assert entry.departments(day) == wall.of("department", day)
            branch = wall.branch.get(day)
            assert entry.branch(day) == (branch[0] if branch else None)


@given(st.lists(commands, max_size=25))
def test_at_most_one_holding_one_branch_and_one_oversight_at_a_time(
    asked_for: list[PersonCommand],
) -> None:
    state = decider.fold([FIRST])
    for command in asked_for:
        try:
            event = decider.decide(command, state, FACTS)
        except Rejected:
            continue
        state = decider.evolve(state, event) if event else state
    assert isinstance(state, Entered)
    entry = state.entry
    for day in WINDOW:
        held = [(p.role, p.unit) for p in entry.posts if p.holds(day)]
        overseen = [o.department for o in entry.overseeing if o.holds(day)]
        assert len(held) == len(set(held))
        assert len(overseen) == len(set(overseen))
        assert sum(m.holds(day) for m in entry.branches) <= 1
    assert [m.since for m in entry.branches] == sorted(m.since for m in entry.branches)


def test_a_membership_that_never_held_ends_no_other() -> None:
    joined = BranchJoined(branch="b1", since=WINDOW[6])
    back = [SchoolLeft(on=WINDOW[5]), SchoolRejoined(on=WINDOW[6])]
    earlier = BranchJoined(branch="b1", since=WINDOW[5])

    entry = entered(FIRST)
    for event in (joined, *back, earlier):
        entry = changed(entry, event)

    assert entry.branch(WINDOW[6]) == "b1"


# -- One by one ------------------------------------------------------------------------------------

MEMBER_OF_SCIENCE = BranchJoined(branch=SCIENCE, since=NEW_YEAR)
MEMBER = PersonEntered(
    name="…",
    joined_on=NEW_YEAR,
    posts=(
        Post(role=Role.department_head, since=NEW_YEAR, unit=TEACHING),
        Post(role=Role.party_member, since=NEW_YEAR),
    ),
    branch=SCIENCE,
    oversees=(TEACHING,),
)


def after(*events: PersonEvent) -> Person:
    person = entered(MEMBER)
    for event in events:
        person = changed(person, event)
    return person


def test_both_days_of_a_post_belong_to_it() -> None:
    person = after(PostLeft(role=Role.department_head, until=TODAY, unit=TEACHING))
    assert person.units(Role.department_head, NEW_YEAR) == {TEACHING}
    assert person.units(Role.department_head, TODAY) == {TEACHING}
    assert person.units(Role.department_head, TOMORROW) == frozenset()


def test_leaving_a_post_of_one_unit_keeps_that_of_another() -> None:
    person = after(
        PostTaken(role=Role.department_head, since=TODAY, unit="logistics"),
        PostLeft(role=Role.department_head, until=TODAY, unit=TEACHING),
    )
    assert person.units(Role.department_head, TOMORROW) == {"logistics"}


def test_whoever_has_left_is_nothing_any_more() -> None:
    person = after(SchoolLeft(on=TODAY))
    assert person.roles(TODAY) == {Role.department_head, Role.party_member}
    assert person.roles(TOMORROW) == frozenset()
    assert person.units(Role.department_head, TOMORROW) == frozenset()
    assert not person.keeps(Role.party_member, TOMORROW)
    assert person.keeps(Role.party_member, TODAY)


def test_coming_back_does_not_bring_the_posts_back() -> None:
    person = after(SchoolLeft(on=YESTERDAY), SchoolRejoined(on=TOMORROW))
    assert [person.present(d) for d in (YESTERDAY, TODAY, TOMORROW)] == [True, False, True]
    assert person.roles(TOMORROW) == frozenset()
    assert person.branch(TOMORROW) is None
    assert person.departments(TOMORROW) == frozenset()


def test_a_leaving_struck_out_leaves_everything_as_it_was() -> None:
    assert after(SchoolLeft(on=YESTERDAY), LeavingVoided(reason="…")) == after()


def test_a_corrected_day_of_joining_takes_along_what_began_with_it() -> None:
    earlier = date(2022, 9, 1)
    person = after(
        PostTaken(role=Role.team_member, since=TODAY),
        PersonCorrected(name="…", joined_on=earlier, reason="…"),
    )
    assert person.roles(earlier) == {Role.department_head, Role.party_member}
    assert person.branch(earlier) == SCIENCE
    assert person.departments(earlier) == {TEACHING}
    assert Role.team_member not in person.roles(YESTERDAY)


def test_a_correction_that_says_nothing_of_joining_leaves_it() -> None:
    person = after(PersonCorrected(name="名", number="T1", number_index="i", reason="…"))
    assert (person.name, person.number, person.number_index) == ("名", "T1", "i")
    assert person.joined_on == NEW_YEAR


def test_an_entry_is_tied_to_its_units() -> None:
    person = after(OversightLeft(department=TEACHING, until=YESTERDAY))
    assert person.attached(TEACHING, TODAY)
    assert person.attached(SCIENCE)
    assert not person.attached("maths")
    assert not after(SchoolLeft(on=YESTERDAY)).attached(TEACHING, TODAY)
    assert after(SchoolLeft(on=YESTERDAY)).attached(TEACHING)


# -- The roster ------------------------------------------------------------------------------------

A, B, C = PersonId("a"), PersonId("b"), PersonId("c")


def roster_after(*events: tuple[PersonId, PersonEvent]) -> Roster:
    roster = Roster()
    for person, event in ((A, MEMBER), (B, MEMBER), (C, MEMBER), *events):
        roster = evolve(roster, person, event)
    return roster


def test_a_deputy_has_the_posts_of_the_absent_for_as_long_as_the_leave() -> None:
    roster = roster_after(
        (A, PostTaken(role=Role.principal_leader, since=NEW_YEAR)),
        (A, DeputyNamed(deputy=B, since=TODAY, until=TODAY)),
    )
    assert Role.principal_leader not in roster.roles(B, YESTERDAY)
    assert Role.principal_leader in roster.roles(B, TODAY)
    assert Role.principal_leader not in roster.roles(B, TOMORROW)
    assert roster.holders(Role.principal_leader, TODAY) == {A}


def test_no_deputy_is_a_party_member_for_somebody_else() -> None:
    outsider = PersonEntered(name="…", joined_on=NEW_YEAR)
    roster = evolve(roster_after(), PersonId("d"), outsider)
    roster = evolve(roster, A, DeputyNamed(deputy=PersonId("d"), since=TODAY, until=TODAY))
    assert roster.roles(PersonId("d"), TODAY) == {Role.department_head}


def test_who_is_on_probation_is_a_party_member_for_that_time() -> None:
    trial = PostTaken(role=Role.probationary_member, since=NEW_YEAR)
    roster = evolve(roster_after(), PersonId("d"), PersonEntered(name="…", joined_on=NEW_YEAR))
    roster = evolve(evolve(roster, PersonId("d"), trial), PersonId("d"), MEMBER_OF_SCIENCE)
    both = {Role.party_member, Role.probationary_member}
    assert roster.roles(PersonId("d"), TODAY) == roster.people[PersonId("d")].ever == both
    assert PersonId("d") in roster.party(SCIENCE, TODAY)
    over = evolve(roster, PersonId("d"), PostLeft(role=trial.role, until=YESTERDAY))
    assert over.roles(PersonId("d"), TODAY) == frozenset()
    assert PersonId("d") not in over.party(SCIENCE, TODAY)
    assert roster.party(SCIENCE, YESTERDAY) == over.party(SCIENCE, YESTERDAY)


def test_a_deputy_does_not_pass_on_what_is_borrowed() -> None:
    roster = roster_after(
        (A, PostTaken(role=Role.principal_leader, since=NEW_YEAR)),
        (A, DeputyNamed(deputy=B, since=TODAY, until=TODAY)),
        (B, DeputyNamed(deputy=C, since=TODAY, until=TODAY)),
    )
    assert Role.principal_leader not in roster.roles(C, TODAY)


def test_a_recalled_deputy_is_none_any_more() -> None:
    roster = roster_after(
        (A, PostTaken(role=Role.principal_leader, since=NEW_YEAR)),
        (A, DeputyNamed(deputy=B, since=TODAY, until=date(2023, 12, 31))),
        (A, DeputyRecalled(deputy=B, until=TODAY)),
    )
    assert Role.principal_leader in roster.roles(B, TODAY)
    assert Role.principal_leader not in roster.roles(B, TOMORROW)


def test_who_acts_in_a_role_holds_it_or_deputises_for_who_holds_it() -> None:
    roster = roster_after(
        (A, PostTaken(role=Role.principal_leader, since=NEW_YEAR)),
        (A, DeputyNamed(deputy=B, since=TODAY, until=TOMORROW)),
        (B, DeputyNamed(deputy=C, since=TODAY, until=TOMORROW)),
        (A, DeputyNamed(deputy=C, since=NEW_YEAR, until=YESTERDAY)),
        (B, SchoolLeft(on=TODAY)),
    )
    assert roster.acting(Role.principal_leader, YESTERDAY) == {A, C}
    assert roster.acting(Role.principal_leader, TODAY) == {A, B}
    assert roster.acting(Role.principal_leader, TOMORROW) == {A}
    for day in (YESTERDAY, TODAY, TOMORROW):
        for role in Role:
            assert roster.acting(role, day) == {
                p for p in (A, B, C) if role in roster.roles(p, day)
            }


def test_a_deputy_entered_twice_is_a_deputy_all_the_same() -> None:
    roster = roster_after(
        (A, PostTaken(role=Role.principal_leader, since=NEW_YEAR)),
        (A, DeputyNamed(deputy=C, since=TODAY, until=TODAY)),
        (C, PersonMerged(into=B, reason="…")),
    )
    assert Role.principal_leader in roster.roles(B, TODAY)
    assert roster.acting(Role.principal_leader, TODAY) == {A, B}


def test_a_leave_named_anew_from_the_same_day_replaces_the_old_one() -> None:
    roster = roster_after(
        (A, DeputyNamed(deputy=B, since=TODAY, until=date(2023, 12, 31))),
        (A, DeputyNamed(deputy=B, since=TODAY, until=TOMORROW)),
    )
    assert [d.until for d in roster.people[A].deputies] == [TOMORROW]


def test_populations_are_those_who_count() -> None:
    roster = roster_after((B, PersonVoided(reason="…")), (C, SchoolLeft(on=YESTERDAY)))
    assert roster.holders(Role.party_member, TODAY) == {A}
    assert roster.members(SCIENCE, TODAY) == {A}
    assert roster.members(SCIENCE, YESTERDAY) == {A, C}
    assert roster.holders(Role.department_head, TODAY, TEACHING) == {A}
    assert roster.holders(Role.department_head, TODAY, "logistics") == frozenset()
    assert [roster.present(p, TODAY) for p in (A, B, C, PersonId("x"))] == [
        True,
        False,
        False,
        False,
    ]
    assert roster.roles(PersonId("x"), TODAY) == frozenset()


def test_a_merged_duplicate_is_the_one_it_was_merged_into() -> None:
    roster = roster_after(
        (A, PersonMerged(into=B, reason="…")), (B, PersonMerged(into=C, reason="…"))
    )
    assert [roster.identity(p) for p in (A, B, C)] == [C, C, C]
    assert roster.identity(PersonId("x")) == "x"
    assert [roster.aliases(p) for p in (A, B, C)] == [(A,), (B,), (C, A, B)]
    assert roster.aliases(PersonId("x")) == ("x",)
    assert not roster.present(A, TODAY)


@dataclass(frozen=True)
class Held:
    """Something of a stream that names people."""

    owner: PersonId
    others: tuple[PersonId, ...]
    kept: frozenset[PersonId]
    post: DeputyNamed
    on: date = TODAY
    part: "Held | None" = None


def test_a_state_names_people_as_the_entries_that_stand() -> None:
    def held(person: PersonId, part: Held | None = None) -> Held:
        leave = DeputyNamed(deputy=person, since=TODAY, until=TODAY)
        return Held(person, (C, person), frozenset({C, person}), leave, part=part)

    roster = roster_after((A, PersonMerged(into=B, reason="…")))
    assert roster.settled(held(A, held(A))) == held(B, held(B))
    same = held(A)
    assert roster_after().settled(same) is same


def test_a_merging_taken_back_leaves_two_people() -> None:
    before = roster_after()
    apart = roster_after((A, PersonMerged(into=B, reason="…")), (A, MergeVoided(reason="…")))
    assert apart == before


def test_a_return_taken_back_leaves_somebody_who_left() -> None:
    gone = roster_after((A, SchoolLeft(on=YESTERDAY)))
    back = (A, SchoolRejoined(on=date(2023, 4, 1)))
    away = roster_after((A, SchoolLeft(on=YESTERDAY)), back, (A, RejoiningVoided(reason="…")))
    assert (away.people[A].left_on, away.people[A].absences) == (YESTERDAY, ())
    for day in (YESTERDAY, TODAY, date(2023, 4, 1)):
        assert away.roles(A, day) == gone.roles(A, day)
        assert away.members(SCIENCE, day) == gone.members(SCIENCE, day)
    assert not away.people[A].keeps(Role.party_member, TODAY)


def test_two_entries_merged_into_each_other_are_nobody() -> None:
    """Two clerks at the same moment; neither entry counts, and nothing loops."""
    roster = roster_after(
        (A, PersonMerged(into=B, reason="…")), (B, PersonMerged(into=A, reason="…"))
    )
    assert not roster.present(roster.identity(A), TODAY)


def test_a_number_belongs_to_the_entry_that_stands() -> None:
    numbered = PersonCorrected(name="…", number="T1", number_index="i", reason="…")
    roster = roster_after((A, numbered), (B, numbered))
    assert roster.with_number("i") == A
    assert evolve(roster, A, PersonMerged(into=B, reason="…")).with_number("i") == B
    assert roster.with_number("other") is None


def test_who_shares_a_number_is_found_until_one_of_them_is_put_right() -> None:
    numbered = PersonCorrected(name="…", number="T1", number_index="i", reason="…")
    without = PersonCorrected(name="…", reason="…")
    both = roster_after((A, numbered), (B, numbered))
    assert both.duplicates() == ((A, B),)
    assert evolve(both, A, PersonMerged(into=B, reason="…")).duplicates() == ()
    assert evolve(both, B, without).duplicates() == ()
    assert roster_after((A, without), (B, without)).duplicates() == ()


def test_who_has_a_number_is_kept_up_as_it_would_be_found_out() -> None:
    numbered = PersonCorrected(name="…", number="T1", number_index="i", reason="…")
    renumbered = PersonCorrected(name="…", number="T2", number_index="j", reason="…")
    roster = roster_after()
    assert roster.numbers == {}
    for person, event in (
        (B, numbered), (A, numbered), (A, renumbered), (B, PersonMerged(into=A, reason="…")),
        (B, MergeVoided(reason="…")), (B, renumbered), (A, PersonVoided(reason="…")),
    ):  # fmt: skip
        before, known = roster, {**roster.numbers}
        roster = evolve(roster, person, event)
        assert before.numbers == known
        kept = {number: people for number, people in roster.numbers.items() if people}
        backwards = dict(reversed(roster.people.items()))
        assert kept == Roster(people=roster.people).numbers == Roster(people=backwards).numbers


def test_a_roster_is_not_looked_through_for_every_number(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = 0
    there = vars(Person)["counts"].fget

    def counting(entry: Person) -> bool:
        nonlocal looked
        looked += 1
        return bool(there(entry))

    monkeypatch.setattr(Person, "counts", property(counting))
    roster = Roster()
    for n in range(500):
        assert roster.with_number(f"i{n}") is None
        event = PersonEntered(name="…", number=f"T{n}", number_index=f"i{n}", joined_on=TODAY)
        roster = evolve(roster, PersonId(f"p{n}"), event)

    assert looked <= 2 * 500


def test_the_examples_hold() -> None:
    roster = DIRECTORY.roster
    assert roster.holders(Role.principal_leader, TODAY) == {HEAD}
    assert roster.holders(Role.supervisor, TODAY) == {SUPERVISOR}
    assert roster.with_number("index-of-T1") == TEACHER

"""Who was what on which day. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict

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
    PersonMerged,
    PersonVoided,
    PostLeft,
    PostTaken,
    PostVoided,
    RejoiningVoided,
    Role,
    SchoolLeft,
    SchoolRejoined,
)
from shared.decider import Event, PersonId

QUALITIES = frozenset({Role.party_member, Role.probationary_member, Role.party_cadre})
"""What somebody is, rather than a post: no deputy has it for them."""


class Dated(BaseModel):
    """Something that holds from a day on, until and with another."""

    model_config = ConfigDict(frozen=True)
    since: date
    until: date | None = None

    def holds(self, day: date) -> bool:
        """Whether it holds on a day."""
        return self.since <= day and self.reaches(day)

    def reaches(self, day: date) -> bool:
        """Whether it holds, or will begin to hold, on a day or later."""
        return self.until is None or day <= self.until


class Holding(Dated):
    """A role held, for a unit where it is one unit's."""

    role: Role
    unit: str | None = None


class Membership(Dated):
    """Belonging to a branch."""

    branch: str


class Overseeing(Dated):
    """Overseeing (分管) a department."""

    department: str


class Deputising(Dated):
    """Somebody standing in for this person."""

    deputy: PersonId


class Absence(Dated):
    """Between leaving the school and coming back to it."""


class Person(BaseModel):
    """One roster entry with everything dated. Name and number stay sealed.

    A person has at most one holding of a role and unit on a day, one branch, one overseeing of a
    department; memberships stand in the order of their days.
    """

    model_config = ConfigDict(frozen=True)
    name: str
    number: str | None = None
    number_index: str | None = None
    joined_on: date
    left_on: date | None = None
    posts: tuple[Holding, ...] = ()
    branches: tuple[Membership, ...] = ()
    overseeing: tuple[Overseeing, ...] = ()
    deputies: tuple[Deputising, ...] = ()
    absences: tuple[Absence, ...] = ()
    merged_into: PersonId | None = None
    voided: bool = False

    @property
    def counts(self) -> bool:
        """Whether the entry stands: neither voided nor merged into another."""
        return not self.voided and self.merged_into is None

    def present(self, day: date) -> bool:
        """Whether the person belongs to the school on a day and counts at all."""
        if not self.counts or any(absence.holds(day) for absence in self.absences):
            return False
        return self.joined_on <= day and (self.left_on is None or day <= self.left_on)

    def roles(self, day: date) -> frozenset[Role]:
        """The roles held on a day."""
        if not self.present(day):
            return frozenset()
        return _implied(post.role for post in self.posts if post.holds(day))

    @property
    def ever(self) -> frozenset[Role]:
        """The roles held on any day at all."""
        return _implied(post.role for post in self.posts)

    def units(self, role: Role, day: date) -> frozenset[str]:
        """The units a role is held for on a day: of what somebody is head or secretary."""
        if not self.present(day):
            return frozenset()
        held = (post for post in self.posts if post.role is role and post.holds(day))
        return frozenset(post.unit for post in held if post.unit)

    def keeps(self, role: Role, since: date) -> bool:
        """Whether a role is held on a day or a later one."""
        return not self._gone(since) and any(
            post.role is role and post.reaches(since) for post in self.posts
        )

    def attached(self, unit: str, since: date | None = None) -> bool:
        """Whether a post, membership or oversight ties to a unit: ever, or on a day and later."""
        if since and self._gone(since):
            return False
        ties = (
            *(post for post in self.posts if post.unit == unit),
            *(membership for membership in self.branches if membership.branch == unit),
            *(oversight for oversight in self.overseeing if oversight.department == unit),
        )
        return any(since is None or tie.reaches(since) for tie in ties)

    def _gone(self, day: date) -> bool:
        return self.left_on is not None and self.left_on < day

    def branch(self, day: date) -> str | None:
        """The branch belonged to on a day."""
        return next((m.branch for m in reversed(self.branches) if m.holds(day)), None)

    def departments(self, day: date) -> frozenset[str]:
        """The departments overseen on a day."""
        return frozenset(o.department for o in self.overseeing if o.holds(day))


class Roster(BaseModel):
    """All people of a school by id."""

    model_config = ConfigDict(frozen=True)
    people: dict[PersonId, Person] = {}

    @cached_property
    def numbers(self) -> dict[str, tuple[PersonId, ...]]:
        """Who has each of the school's own numbers, by its blind index; more than one by mistake.

        Found out when first asked and kept up from then on, so that entering ten thousand people is not
        ten thousand looks at all of them.
        """
        numbers: dict[str, tuple[PersonId, ...]] = {}
        for person in sorted(self.people):
            if number := _number(self.people[person]):
                numbers[number] = (*numbers.get(number, ()), person)
        return numbers

    def having(self, person: PersonId, entry: Person) -> "Roster":
        """The roster with this entry for a person."""
        changes: dict[str, object] = {"people": {**self.people, person: entry}}
        if "numbers" in self.__dict__:
            changes["numbers"] = self._numbered(person, entry)
        return self.model_copy(update=changes)

    def _numbered(self, person: PersonId, entry: Person) -> dict[str, tuple[PersonId, ...]]:
        before, after = _number(self.people.get(person)), _number(entry)
        if before == after:
            return self.numbers
        numbers = {**self.numbers}
        if before:
            numbers[before] = tuple(p for p in numbers[before] if p != person)
        if after:
            numbers[after] = tuple(sorted({*numbers.get(after, ()), person}))
        return numbers

    def roles(self, person: PersonId, day: date) -> frozenset[Role]:
        """A person's own roles on a day and the posts of whom they deputise for."""
        entry = self.people.get(person)
        if entry is None or not entry.present(day):
            return frozenset()
        lent = (
            other.roles(day) - QUALITIES
            for other in self.people.values()
            if any(d.holds(day) and self.identity(d.deputy) == person for d in other.deputies)
        )
        return entry.roles(day).union(*lent)

    def holders(self, role: Role, day: date, unit: str | None = None) -> frozenset[PersonId]:
        """Everybody who holds a role themselves on a day; of one unit, if one is named."""
        return frozenset(
            person
            for person, entry in self.people.items()
            if role in entry.roles(day) and (unit is None or unit in entry.units(role, day))
        )

    def acting(self, role: Role, day: date) -> frozenset[PersonId]:
        """Everybody who has a role on a day: themselves, or as a deputy of who holds it."""
        held = self.holders(role, day)
        if role in QUALITIES:
            return held
        deputies = {
            self.identity(named.deputy)
            for person in held
            for named in self.people[person].deputies
            if named.holds(day)
        }
        return held | {person for person in deputies if self.present(person, day)}

    def members(self, branch: str, day: date) -> frozenset[PersonId]:
        """Everybody who belongs to a branch on a day."""
        return frozenset(
            person
            for person, entry in self.people.items()
            if entry.present(day) and entry.branch(day) == branch
        )

    def party(self, branch: str, day: date) -> frozenset[PersonId]:
        """The party members of a branch on a day, leaders and probationary members included (R79)."""
        return self.members(branch, day) & self.holders(Role.party_member, day)

    def present(self, person: PersonId, day: date) -> bool:
        """Whether somebody belongs to the school on a day."""
        return person in self.people and self.people[person].present(day)

    def identity(self, person: PersonId) -> PersonId:
        """Who somebody is: the entry that stands, where duplicates were merged."""
        seen = {person}
        while (entry := self.people.get(person)) and entry.merged_into:
            if entry.merged_into in seen:
                break
            person = entry.merged_into
            seen.add(person)
        return person

    def aliases(self, person: PersonId) -> tuple[PersonId, ...]:
        """Every id somebody goes or went by: their own, and those of duplicates merged into it."""
        merged = (other for other, entry in self.people.items() if entry.merged_into)
        return (person, *(other for other in merged if self.identity(other) == person))

    def settled[T](self, state: T) -> T:
        """A state with everybody in it named by the entry that stands: rules compare plain ids."""
        merged: dict[str, str] = {
            p: self.identity(p) for p, entry in self.people.items() if entry.merged_into
        }
        renamed: T = _renamed(state, merged) if merged else state
        return renamed

    def with_number(self, number_index: str) -> PersonId | None:
        """Who has the school's own number, by its blind index."""
        return next(iter(self.numbers.get(number_index, ())), None)

    def duplicates(self) -> tuple[tuple[PersonId, ...], ...]:
        """Those who share one of the school's own numbers, by two clerks at the same moment."""
        return tuple(sorted(several for several in self.numbers.values() if len(several) > 1))


def _number(entry: Person | None) -> str | None:
    """The blind index of the number that is somebody's, while their entry counts."""
    return entry.number_index if entry and entry.counts else None


def _implied(roles: Iterable[Role]) -> frozenset[Role]:
    """These roles; who is a probationary member is a party member."""
    held = frozenset(roles)
    return held | {Role.party_member} if Role.probationary_member in held else held


def _renamed(value: Any, names: Mapping[str, str]) -> Any:  # noqa: ANN401 -- whatever a state is made of
    """The same with other names, down to the last part. Ids are random: no two things share one."""
    match value:
        case str():
            return names.get(value, value)
        case tuple() | frozenset():
            return type(value)(_renamed(part, names) for part in value)
        case BaseModel():
            return value.model_copy(update={n: _renamed(part, names) for n, part in value})
        case _ if is_dataclass(value) and not isinstance(value, type):
            parts = {f.name: _renamed(getattr(value, f.name), names) for f in fields(value)}
            return replace(value, **parts)
        case _:
            return value


def evolve(roster: Roster, person: PersonId, event: Event) -> Roster:
    """The roster after one more event of a person's stream."""
    entry = (
        entered(event)
        if isinstance(event, PersonEntered)
        else changed(roster.people[person], event)
    )
    return roster.having(person, entry)


def entered(event: PersonEntered) -> Person:
    """The entry a stream begins with; branch and oversight count from the day of joining."""
    since = event.joined_on
    return Person(
        name=event.name,
        number=event.number,
        number_index=event.number_index,
        joined_on=since,
        posts=tuple(Holding(role=p.role, since=p.since, unit=p.unit) for p in event.posts),
        branches=(Membership(branch=event.branch, since=since),) if event.branch else (),
        overseeing=tuple(Overseeing(department=d, since=since) for d in event.oversees),
    )


def changed[P: Person](entry: P, event: Event) -> P:
    """The entry after one more event."""
    return entry.model_copy(update=_changes(entry, event))


def _changes(entry: Person, event: Event) -> dict[str, object]:  # noqa: C901, PLR0911, PLR0912 -- a table
    match event:
        case PersonCorrected():
            return _corrected(entry, event)
        case PostTaken(role=role, since=since, unit=unit):
            return {"posts": (*entry.posts, Holding(role=role, since=since, unit=unit))}
        case PostLeft(role=role, until=until, unit=unit):
            return {
                "posts": tuple(
                    _ended(p, until) if (p.role, p.unit) == (role, unit) and p.holds(until) else p
                    for p in entry.posts
                )
            }
        case PostVoided(role=role, since=since, unit=unit):
            void = Holding(role=role, since=since, unit=unit)
            return {"posts": tuple(p for p in entry.posts if not _same(p, void))}
        case BranchJoined(branch=branch, since=since):
            return {"branches": _joined(entry.branches, branch, since)}
        case BranchLeft(until=until):
            return {
                "branches": tuple(_ended(m, until) if m.holds(until) else m for m in entry.branches)
            }
        case MembershipVoided(branch=branch, since=since):
            gone = Membership(branch=branch, since=since)
            return {"branches": tuple(m for m in entry.branches if not _same(m, gone))}
        case OversightTaken(department=department, since=since):
            return {
                "overseeing": (*entry.overseeing, Overseeing(department=department, since=since))
            }
        case OversightLeft(department=department, until=until):
            return {
                "overseeing": tuple(
                    _ended(o, until) if o.department == department and o.holds(until) else o
                    for o in entry.overseeing
                )
            }
        case OversightVoided(department=department, since=since):
            none = Overseeing(department=department, since=since)
            return {"overseeing": tuple(o for o in entry.overseeing if not _same(o, none))}
        case DeputyNamed(deputy=deputy, since=since, until=until):
            named = Deputising(deputy=deputy, since=since, until=until)
            return {"deputies": (*(d for d in entry.deputies if not _same(d, named)), named)}
        case DeputyRecalled(deputy=deputy, until=until):
            return {
                "deputies": tuple(
                    _ended(d, until) if d.deputy == deputy else d for d in entry.deputies
                )
            }
        case SchoolLeft(on=day):
            return {"left_on": day}
        case LeavingVoided():
            return {"left_on": None}
        case SchoolRejoined(on=day):
            return _rejoined(entry, day)
        case RejoiningVoided():
            *absences, last = entry.absences
            return {"left_on": _day_before(last.since), "absences": tuple(absences)}
        case PersonMerged(into=other):
            return {"merged_into": other}
        case MergeVoided():
            return {"merged_into": None}
        case PersonVoided():
            return {"voided": True}
        case _:
            return {}


def _corrected(entry: Person, event: PersonCorrected) -> dict[str, object]:
    """Name, number, and the day of joining: what began on that day begins on the corrected one."""
    told: dict[str, object] = {
        "name": event.name,
        "number": event.number,
        "number_index": event.number_index,
    }
    if event.joined_on is None:
        return told
    old, new = entry.joined_on, event.joined_on
    return told | {
        "joined_on": new,
        "posts": tuple(_moved(p, old, new) for p in entry.posts),
        "branches": tuple(_moved(m, old, new) for m in entry.branches),
        "overseeing": tuple(_moved(o, old, new) for o in entry.overseeing),
    }


def _joined(
    memberships: tuple[Membership, ...], branch: str, since: date
) -> tuple[Membership, ...]:
    """Belong to a branch from a day on: until the day before another one is joined later."""
    earlier = tuple(_ended(m, _day_before(since)) for m in memberships if m.since < since)
    later = tuple(m for m in memberships if m.since > since)
    held = [m for m in later if m.until is None or m.since <= m.until]
    until = _day_before(held[0].since) if held else None
    return (*earlier, Membership(branch=branch, since=since, until=until), *later)


def _rejoined(entry: Person, day: date) -> dict[str, object]:
    """Back at school: what was held when leaving ended then, and is not taken up by itself."""
    left = entry.left_on or _day_before(day)
    return {
        "left_on": None,
        "absences": (*entry.absences, Absence(since=_day_after(left), until=_day_before(day))),
        "posts": tuple(_ended(p, left) for p in entry.posts),
        "branches": tuple(_ended(m, left) for m in entry.branches),
        "overseeing": tuple(_ended(o, left) for o in entry.overseeing),
        "deputies": tuple(_ended(d, left) for d in entry.deputies),
    }


def back_on(absence: Absence) -> date:
    """The day of coming back."""
    return _day_after(absence.until) if absence.until else absence.since


def _same(one: Dated, other: Dated) -> bool:
    """Whether two are the same thing from the same day on, however long."""
    return one.model_copy(update={"until": None}) == other.model_copy(update={"until": None})


def _ended[D: Dated](dated: D, until: date) -> D:
    """What still held is ended; what had ended before stays as it was."""
    if dated.until is not None and dated.until <= until:
        return dated
    return dated.model_copy(update={"until": until})


def _moved[D: Dated](dated: D, old: date, new: date) -> D:
    return dated.model_copy(update={"since": new}) if dated.since == old else dated


def _day_before(day: date) -> date:
    return day - timedelta(days=1)


def _day_after(day: date) -> date:
    return day + timedelta(days=1)

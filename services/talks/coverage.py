"""Who has talked with whom, and who still has to (R46-R48, R55, R56). Pure.

The facts hold nothing of what was said, so other services may fold and use them as well.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from itertools import combinations

from pydantic import BaseModel, ConfigDict

from services.campaign.directory import Directory
from services.campaign.events import Role, UnitKind
from services.talks.events import (
    TalkConfirmed,
    TalkCorrected,
    TalkDisputed,
    TalkHeld,
    TalkKind,
    TalkVoided,
)
from shared.decider import Event, Instant, PersonId
from shared.envelope import Record

FOLLOWS: tuple[type[Event], ...] = (
    TalkHeld,
    TalkCorrected,
    TalkConfirmed,
    TalkDisputed,
    TalkVoided,
)
"""The events that say that a talk took place."""


class _Document(BaseModel):
    """A part of a document or an answer."""

    model_config = ConfigDict(frozen=True)


class TalkFact(_Document):
    """That a talk took place: between whom, when, how long, and whether they agree on it."""

    kind: TalkKind
    parties: tuple[PersonId, ...]
    branch: str | None
    begun_at: Instant
    ended_at: Instant
    confirmed: tuple[PersonId, ...] = ()
    disputed: tuple[PersonId, ...] = ()

    @property
    def minutes(self) -> int:
        """How long it was, in whole minutes."""
        return minutes_between(self.begun_at, self.ended_at)

    @property
    def counts(self) -> bool:
        """Whether it counts as held: nobody who was there says that it was otherwise."""
        return not self.disputed

    @property
    def confirmed_by_all(self) -> bool:
        """Whether every party says that it was as recorded."""
        return set(self.confirmed) >= set(self.parties)


class Talks(_Document):
    """All talks of a school that were held and not voided, by id."""

    talks: dict[str, TalkFact] = {}


def minutes_between(begun: Instant, ended: Instant) -> int:
    """Whole minutes between two moments."""
    return int((ended - begun).total_seconds()) // 60


def fold(known: Talks | None, record: Record) -> Talks | None:
    """The talks after one more event."""
    talks = known.talks if known else {}
    stream, event = record.stream, record.event
    if isinstance(event, TalkHeld | TalkCorrected):
        fact = TalkFact(
            kind=event.kind,
            parties=event.parties,
            branch=event.branch,
            begun_at=event.begun_at,
            ended_at=event.ended_at,
        )
        return Talks(talks={**talks, stream: fact})
    if stream not in talks:
        return known
    if isinstance(event, TalkVoided):
        return Talks(talks={key: fact for key, fact in talks.items() if key != stream})
    changed = talks[stream].model_copy(update=_judged(talks[stream], event))
    return Talks(talks={**talks, stream: changed})


def _judged(fact: TalkFact, event: Event) -> dict[str, object]:
    match event:
        case TalkConfirmed(party=person):
            return {
                "confirmed": (*_without(fact.confirmed, person), person),
                "disputed": _without(fact.disputed, person),
            }
        case TalkDisputed(party=person):
            return {
                "confirmed": _without(fact.confirmed, person),
                "disputed": (*_without(fact.disputed, person), person),
            }
        case _:
            return {}


def _without(people: tuple[PersonId, ...], person: PersonId) -> tuple[PersonId, ...]:
    return tuple(other for other in people if other != person)


# -- Who has to talk with whom -------------------------------------------------------------------


class PairCover(_Document):
    """Two who have to talk one by one, and the talks in which they did."""

    people: tuple[PersonId, PersonId]
    held: tuple[str, ...] = ()
    confirmed: tuple[str, ...] = ()


class BranchCover(_Document):
    """A branch that has to talk, and its talks."""

    branch: str
    held: tuple[str, ...] = ()
    confirmed: tuple[str, ...] = ()


class Lead(_Document):
    """Somebody who has to go first in talking, and whether they did, by day (R56, 带头)."""

    person: PersonId
    role: Role
    branch: str | None
    first_on: date | None
    others_first_on: date | None

    @property
    def leads(self) -> bool:
        """Whether they have talked, and nobody else of the branch on an earlier day."""
        if self.first_on is None:
            return False
        return self.others_first_on is None or self.first_on <= self.others_first_on


class Coverage(_Document):
    """Who has to talk as of a day, and who has; `since` is the first day that counts, if one is."""

    on: date
    since: date | None
    leader_member: tuple[PairCover, ...]
    members: tuple[PairCover, ...]
    member_head: tuple[PairCover, ...]
    branches: tuple[BranchCover, ...]
    leads: tuple[Lead, ...]


type Pair = tuple[PersonId, PersonId]


def coverage(
    directory: Directory, talks: Mapping[str, TalkFact], on: date, *, since: date | None = None
) -> Coverage:
    """What the roster of a day requires, and the talks up to then that fulfil it.

    A group or branch talk never counts as one by one (R46, 逐一); a disputed one counts nowhere.
    """
    roster = directory.roster
    counting = {
        key: roster.settled(fact)
        for key, fact in sorted(talks.items())
        if fact.counts and (since or date.min) <= directory.day(fact.begun_at) <= on
    }
    talked: dict[Pair, list[str]] = {}
    for key, fact in counting.items():
        if fact.kind is TalkKind.one_by_one and len(fact.parties) > 1:
            one, other = fact.parties
            talked.setdefault(_pair(one, other), []).append(key)

    def covered(pairs: Iterable[Pair]) -> tuple[PairCover, ...]:
        return tuple(
            PairCover(
                people=pair,
                held=tuple(talked.get(pair, ())),
                confirmed=_confirmed(talked.get(pair, ()), counting),
            )
            for pair in sorted(set(pairs))
        )

    leaders = roster.holders(Role.principal_leader, on)
    members = roster.holders(Role.team_member, on)
    return Coverage(
        on=on,
        since=since,
        leader_member=covered(_pair(a, b) for a in leaders for b in members if a != b),
        members=covered(_pair(a, b) for a, b in combinations(members, 2)),
        member_head=covered(_overseen(directory, leaders | members, on)),
        branches=_branches(directory, counting, on),
        leads=_leads(directory, counting, on),
    )


def _pair(one: PersonId, other: PersonId) -> Pair:
    return (one, other) if one <= other else (other, one)


def _confirmed(keys: Iterable[str], talks: Mapping[str, TalkFact]) -> tuple[str, ...]:
    return tuple(key for key in keys if talks[key].confirmed_by_all)


def _overseen(directory: Directory, team: Iterable[PersonId], on: date) -> Iterable[Pair]:
    """Each of the team with the heads of the departments they oversee (R48)."""
    roster = directory.roster
    for member in team:
        for department in roster.people[member].departments(on):
            for head in roster.holders(Role.department_head, on, department):
                if head != member:
                    yield _pair(member, head)


def _existing(directory: Directory, on: date) -> tuple[str, ...]:
    """The branches there are on a day."""
    return tuple(
        unit for unit in sorted(directory.units) if directory.has_unit(unit, UnitKind.branch, on)
    )


def _branches(
    directory: Directory, talks: Mapping[str, TalkFact], on: date
) -> tuple[BranchCover, ...]:
    """Every branch with its talks: those it held together, and those among its own members (R55)."""
    found: dict[str, list[str]] = {branch: [] for branch in _existing(directory, on)}
    for key, fact in talks.items():
        branch = fact.branch or _common_branch(directory, fact)
        if branch in found:
            found[branch].append(key)
    return tuple(
        BranchCover(branch=branch, held=tuple(keys), confirmed=_confirmed(keys, talks))
        for branch, keys in found.items()
    )


def _common_branch(directory: Directory, fact: TalkFact) -> str | None:
    """The branch that all who talked belonged to on that day, if there were two at least."""
    day, people = directory.day(fact.begun_at), directory.roster.people
    entries = [people.get(person) for person in fact.parties]
    branches = {entry.branch(day) if entry else None for entry in entries}
    return branches.pop() if len(branches) == 1 and len(entries) > 1 else None


def _leads(directory: Directory, talks: Mapping[str, TalkFact], on: date) -> tuple[Lead, ...]:
    """Branch secretaries and administrative heads, and when the rest of their branch began (R56)."""
    roster = directory.roster
    first: dict[PersonId, date] = {}
    for fact in talks.values():
        day = directory.day(fact.begun_at)
        first |= {p: min(day, first.get(p, day)) for p in fact.parties}
    heads = roster.holders(Role.administrative_head, on)
    leading: list[tuple[Role, PersonId, str | None]] = []
    others_first: dict[str | None, date] = {}
    for branch in _existing(directory, on):
        secretaries = roster.holders(Role.branch_secretary, on, branch)
        leading += ((Role.branch_secretary, person, branch) for person in sorted(secretaries))
        others = roster.members(branch, on) - secretaries - heads
        if days := [first[person] for person in others if person in first]:
            others_first[branch] = min(days)
    leading += (
        (Role.administrative_head, person, roster.people[person].branch(on))
        for person in sorted(heads)
    )
    return tuple(
        Lead(
            person=person,
            role=role,
            branch=branch,
            first_on=first.get(person),
            others_first_on=others_first.get(branch),
        )
        for role, person, branch in leading
    )

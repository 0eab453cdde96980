"""The boards of study as of the end of a day: who has done what, who owes it still, whose time is not up.

How the dated roster is read: somebody owes a teaching week, a term, a school year or a stage if they
held the post themselves (not as a deputy) on at least one school day of it up to the day asked for.
So who joins, leaves or changes post in the middle owes the weeks before or behind the change and the
week of the change itself, if a school day of it was theirs; whoever is away from school owes nothing;
vacation weeks and weeks off are nobody's. A principal leader belongs to the team, with or without the
post of a team member. What is owed is `missing` once the period has ended, `open` until then. What
counts is the day on which it was done, however late it was written down.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from services.campaign.calendar import Calendar, SchoolYear, Span
from services.campaign.directory import Directory
from services.campaign.events import Role, Term
from services.campaign.roster import Person
from services.study.domain import school_year
from services.study.domain.activity import WEEKLY, YEARLY
from services.study.events import ActivityKind, Aspect
from shared.decider import PersonId

TEAM = frozenset({Role.team_member, Role.principal_leader})
MEMBERS = frozenset({Role.party_member})
CADRES = frozenset({Role.party_cadre})

type Standing = Literal["done", "missing", "open"]
"""Done; owed and not done; not done, but there is time left."""


@dataclass(frozen=True)
class Done:
    """An activity that counts; a pupil is a pseudonym, an amount in yuan."""

    kind: ActivityKind
    person: PersonId
    on: date
    pupil: str | None = None
    amount: Decimal | None = None
    solved_on: date | None = None


@dataclass(frozen=True)
class Contact:
    """A member's contact unit, from a day on until and with another."""

    person: PersonId
    unit: str
    since: date
    until: date | None = None


@dataclass(frozen=True)
class Item:
    """A required item of the catalogue: from when, until when, in which edition."""

    id: str
    since: date
    edition: int = 1
    withdrawn_on: date | None = None


@dataclass(frozen=True)
class Read:
    """Somebody has read an item in an edition."""

    person: PersonId
    item: str
    edition: int
    on: date


# -- Who owes what ---------------------------------------------------------------------------------


def standing(*, done: bool, ends_on: date, as_of: date) -> Standing:
    """How somebody stands with what they owe by the end of a period."""
    if done:
        return "done"
    return "missing" if ends_on <= as_of else "open"


def school_days(calendar: Calendar, span: Span, as_of: date) -> tuple[date, ...]:
    """The school days of a span, as far as they have come."""
    last = min(span.ends_on, as_of)
    days = (span.begins_on + timedelta(days=n) for n in range((last - span.begins_on).days + 1))
    return tuple(day for day in days if calendar.is_school_day(day))


def held(entry: Person, roles: frozenset[Role], days: Collection[date]) -> bool:
    """Whether somebody held one of the roles themselves on one of the days."""
    return bool(roles & entry.ever) and any(roles & entry.roles(day) for day in days)


def owing(
    directory: Directory, roles: frozenset[Role], days: Collection[date]
) -> tuple[PersonId, ...]:
    """Everybody who held one of the roles on one of the days, in the order of their ids."""
    people = directory.roster.people.items()
    return tuple(sorted(person for person, entry in people if held(entry, roles, days)))


def term_span(term: Term) -> Span:
    """A term as a span of days."""
    return Span(begins_on=term.begins_on, ends_on=term.ends_on)


def counted(done: Iterable[Done], directory: Directory, span: Span, as_of: date) -> list[Done]:
    """What was done in a span by the end of a day, by whoever the one who did it is now."""
    last = min(span.ends_on, as_of)
    identity = directory.roster.identity
    return [
        replace(
            one,
            person=identity(one.person),
            solved_on=one.solved_on if one.solved_on and one.solved_on <= as_of else None,
        )
        for one in done
        if span.begins_on <= one.on <= last
    ]


# -- Leaders' six ones -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Week:
    """One member's teaching week: the number in its term, and the weekly three (R19-R21)."""

    term: int
    week: int
    begins_on: date
    ends_on: date
    lesson_observation: Standing
    canteen_meal: Standing
    dormitory_visit: Standing


@dataclass(frozen=True)
class LeaderRow:
    """One team member's six ones in a school year.

    `donation` is `unset` where the school has set no amount (R16); `contact_units` are those of the
    day, of which there should be exactly one (R18).
    """

    person: PersonId
    weeks: tuple[Week, ...]
    missing_weeks: Mapping[str, int]
    donated: Decimal
    pupils: int
    donation: Standing | Literal["unset"]
    staff_visits: int
    staff_visit: Standing
    difficulties_solved: int
    difficulty_solved: Standing
    contact_units: tuple[str, ...]


def leader_six_ones(
    done: Iterable[Done],
    contacts: Iterable[Contact],
    directory: Directory,
    year: SchoolYear,
    as_of: date,
) -> list[LeaderRow]:
    """A row per team member of a school year: three a week, the donation, the visit, the tie."""
    mine = _by_person(counted(done, directory, year, as_of))
    tied = contact_units(contacts, directory, as_of)
    weeks = [
        (term.number, week, school_days(directory.calendar, week, as_of))
        for term in year.terms
        for week in directory.calendar.teaching_weeks(term)
    ]
    amount = donation_amount(directory)
    rows = []
    for person in owing(directory, TEAM, school_days(directory.calendar, year, as_of)):
        entry, deeds = directory.roster.people[person], mine.get(person, [])
        dates = {kind: {d.on for d in deeds if d.kind is kind} for kind in WEEKLY}
        own = tuple(
            Week(
                term,
                week.number,
                week.begins_on,
                week.ends_on,
                *(
                    standing(
                        done=any(day in week for day in dates[kind]),
                        ends_on=week.ends_on,
                        as_of=as_of,
                    )
                    for kind in WEEKLY
                ),
            )
            for term, week, days in weeks
            if held(entry, TEAM, days)
        )
        rows.append(_leader(person, own, deeds, amount, tied.get(person, ()), year.ends_on, as_of))
    return rows


def _leader(
    person: PersonId,
    weeks: tuple[Week, ...],
    deeds: list[Done],
    amount: Decimal | None,
    units: tuple[str, ...],
    ends_on: date,
    as_of: date,
) -> LeaderRow:
    donated = sum((d.amount for d in deeds if d.amount is not None), Decimal(0))
    pairing = (ActivityKind.donation, ActivityKind.pairing_support)
    pupils = {d.pupil for d in deeds if d.kind in pairing}
    visits = [d for d in deeds if d.kind is ActivityKind.staff_visit]
    solved = [d for d in visits if d.solved_on]

    def by_the_end(*, done: bool) -> Standing:
        return standing(done=done, ends_on=ends_on, as_of=as_of)

    return LeaderRow(
        person=person,
        weeks=weeks,
        missing_weeks={
            kind.value: sum(getattr(week, kind.value) == "missing" for week in weeks)
            for kind in WEEKLY
        },
        donated=donated,
        pupils=len(pupils),
        donation="unset" if amount is None else by_the_end(done=donated >= amount and bool(pupils)),
        staff_visits=len(visits),
        staff_visit=by_the_end(done=bool(visits)),
        difficulties_solved=len(solved),
        difficulty_solved=by_the_end(done=bool(solved)),
        contact_units=units,
    )


def donation_amount(directory: Directory) -> Decimal | None:
    """How many yuan a team member gives in a school year; none until the school has set it (R16)."""
    try:
        return Decimal(directory.policy.setting("donation_amount").value)
    except KeyError:
        return None


def contact_units(
    contacts: Iterable[Contact], directory: Directory, as_of: date
) -> dict[PersonId, tuple[str, ...]]:
    """The contact units everybody has on a day."""
    found: dict[PersonId, set[str]] = {}
    for tie in contacts:
        if tie.since <= as_of and (tie.until is None or as_of <= tie.until):
            found.setdefault(directory.roster.identity(tie.person), set()).add(tie.unit)
    return {person: tuple(sorted(units)) for person, units in found.items()}


def _by_person(done: Iterable[Done]) -> dict[PersonId, list[Done]]:
    found: dict[PersonId, list[Done]] = {}
    for one in done:
        found.setdefault(one.person, []).append(one)
    return found


@dataclass(frozen=True)
class TieRow:
    """One team member's contact unit on a day: exactly one is asked for (R18)."""

    person: PersonId
    units: tuple[str, ...]
    standing: Literal["tied", "missing", "several"]


def tie_board(contacts: Iterable[Contact], directory: Directory, as_of: date) -> list[TieRow]:
    """A row per team member of the day."""
    units = contact_units(contacts, directory, as_of)
    rows = []
    for person in owing(directory, TEAM, (as_of,)):
        own = units.get(person, ())
        how: Literal["tied", "missing", "several"] = (
            "several" if len(own) > 1 else "tied" if own else "missing"
        )
        rows.append(TieRow(person, own, how))
    return rows


# -- Members' six ones -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Tutoring:
    """Whether a member tutored a named pupil in a term, and how many (R28)."""

    term: int
    begins_on: date
    ends_on: date
    pupils: int
    named_tutoring: Standing


@dataclass(frozen=True)
class MemberRow:
    """One party member's six ones in a school year: five in the year, one a term."""

    person: PersonId
    yearly: Mapping[str, Standing]
    terms: tuple[Tutoring, ...]


def member_six_ones(
    done: Iterable[Done], directory: Directory, year: SchoolYear, as_of: date
) -> list[MemberRow]:
    """A row per party member of a school year (R23-R28)."""
    mine = _by_person(counted(done, directory, year, as_of))
    calendar = directory.calendar
    terms = [(term, school_days(calendar, term_span(term), as_of)) for term in year.terms]
    rows = []
    for person in owing(directory, MEMBERS, school_days(calendar, year, as_of)):
        entry, deeds = directory.roster.people[person], mine.get(person, [])
        kinds = {d.kind for d in deeds}
        rows.append(
            MemberRow(
                person,
                {
                    kind.value: standing(done=kind in kinds, ends_on=year.ends_on, as_of=as_of)
                    for kind in YEARLY
                },
                tuple(
                    _tutoring(term, deeds, as_of)
                    for term, days in terms
                    if held(entry, MEMBERS, days)
                ),
            )
        )
    return rows


def _tutoring(term: Term, deeds: list[Done], as_of: date) -> Tutoring:
    pupils = {
        d.pupil for d in deeds if d.kind is ActivityKind.named_tutoring and d.on in term_span(term)
    }
    how = standing(done=bool(pupils), ends_on=term.ends_on, as_of=as_of)
    return Tutoring(term.number, term.begins_on, term.ends_on, len(pupils), how)


# -- Counting --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """Where a day lies in the school's calendar: the first day of its school year, term, teaching week."""

    school_year: date | None
    term: int | None
    week: int | None


def place(day: date, directory: Directory) -> Place:
    """The school year, term and teaching week of a day, as far as it has them."""
    year, found = school_year(day, directory), directory.calendar.term(day)
    return Place(
        year.begins_on if year else None,
        found[1].number if found else None,
        directory.calendar.teaching_week(day),
    )


type Grain = Literal["week", "term", "year"]


@dataclass(frozen=True)
class Count:
    """How often somebody did one of the six ones in a period, and for how many yuan."""

    person: PersonId
    kind: ActivityKind
    school_year: date | None
    term: int | None
    week: int | None
    times: int
    amount: Decimal


def tally(
    done: Iterable[Done], directory: Directory, span: Span, as_of: date, by: Grain
) -> list[Count]:
    """What everybody did, counted by teaching week, term or school year."""
    sums: dict[tuple[PersonId, ActivityKind, Place], tuple[int, Decimal]] = {}
    for one in counted(done, directory, span, as_of):
        at = place(one.on, directory)
        if by != "week":
            at = replace(at, week=None)
        if by == "year":
            at = replace(at, term=None)
        times, amount = sums.get((one.person, one.kind, at), (0, Decimal(0)))
        sums[one.person, one.kind, at] = times + 1, amount + (one.amount or Decimal(0))
    rows = [
        Count(person, kind, at.school_year, at.term, at.week, times, amount)
        for (person, kind, at), (times, amount) in sums.items()
    ]
    return sorted(rows, key=_order)


def _order(row: Count) -> tuple[PersonId, date, int, int, str]:
    year = row.school_year or date.min
    return row.person, year, row.term or 0, row.week or 0, row.kind.value


# -- Reading, gaps, reflections --------------------------------------------------------------------


@dataclass(frozen=True)
class ReadingRow:
    """What somebody has read of the catalogue, read in an earlier edition only, not read at all (R10)."""

    person: PersonId
    read: tuple[str, ...]
    outdated: tuple[str, ...]
    missing: tuple[str, ...]


def reading_matrix(
    items: Iterable[Item], read: Iterable[Read], directory: Directory, role: Role, as_of: date
) -> list[ReadingRow]:
    """A row per person who has the role on the day, over the items required then."""
    wanted = {
        item.id: item.edition
        for item in items
        if item.since <= as_of and (item.withdrawn_on is None or as_of < item.withdrawn_on)
    }
    known: dict[tuple[PersonId, str], int] = {}
    for one in read:
        if one.on <= as_of:
            key = directory.roster.identity(one.person), one.item
            known[key] = max(one.edition, known.get(key, 0))
    rows = []
    for person in sorted(directory.roster.holders(role, as_of)):
        editions = {item: known.get((person, item), 0) for item in sorted(wanted)}
        rows.append(
            ReadingRow(
                person,
                tuple(item for item, edition in editions.items() if edition >= wanted[item]),
                tuple(item for item, edition in editions.items() if 0 < edition < wanted[item]),
                tuple(item for item, edition in editions.items() if not edition),
            )
        )
    return rows


@dataclass(frozen=True)
class GapRow:
    """In which of the five aspects somebody has looked for what they lack, and in which not (R13)."""

    person: PersonId
    found: tuple[Aspect, ...]
    missing: tuple[Aspect, ...]


def gap_matrix(
    found: Iterable[tuple[PersonId, Aspect, date]], directory: Directory, role: Role, as_of: date
) -> list[GapRow]:
    """A row per person who has the role on the day."""
    known: set[tuple[PersonId, Aspect]] = {
        (directory.roster.identity(person), aspect) for person, aspect, on in found if on <= as_of
    }
    return [
        GapRow(
            person,
            tuple(aspect for aspect in Aspect if (person, aspect) in known),
            tuple(aspect for aspect in Aspect if (person, aspect) not in known),
        )
        for person in sorted(directory.roster.holders(role, as_of))
    ]


@dataclass(frozen=True)
class Submissions:
    """Which party cadres wrote a reflection inside a stage, and which still owe it (R14)."""

    submitted: tuple[PersonId, ...]
    not_submitted: tuple[PersonId, ...]


def submissions(
    written: Iterable[tuple[PersonId, date]], directory: Directory, stage: Span, as_of: date
) -> Submissions:
    """The party cadres of a stage, by whether they wrote a reflection dated inside it."""
    last = min(stage.ends_on, as_of)
    authors = {
        directory.roster.identity(author) for author, on in written if stage.begins_on <= on <= last
    }
    cadres = owing(directory, CADRES, school_days(directory.calendar, stage, as_of))
    return Submissions(
        tuple(person for person in cadres if person in authors),
        tuple(person for person in cadres if person not in authors),
    )

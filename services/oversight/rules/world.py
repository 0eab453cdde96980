"""A school as the rules see it on one day: people, calendar, and what had happened by then. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from services.campaign.calendar import end_of_day
from services.campaign.directory import Campaign, Directory
from services.campaign.events import Role, StageName, UnitKind
from services.feedback.events import CollatedOpinion, OpinionSubmitted, SolicitationOpened
from services.meetings.events import MeetingKind
from services.oversight.rules import lines
from services.oversight.rules.evidence import Happened, Life
from services.oversight.rules.lines import (
    Appraisal,
    Collation,
    Examination,
    Issue,
    Meeting,
    Plan,
    Remarks,
    Talk,
    Tie,
)
from services.talks.events import TalkKind

type Lives = Mapping[str, Mapping[str, Life]]
"""Every stream of a school: by service and category, then by id."""

type Subject = tuple[str, ...]
"""Whom or what a rule binds: a person, a pair, an issue …; one to three ids."""


@dataclass(frozen=True)
class Period:
    """A stretch of days in which something is owed once; without days it is owed at any time."""

    key: str
    begins_on: date = date.min
    ends_on: date = date.max

    def __contains__(self, day: date) -> bool:
        """Whether a day is in it."""
        return self.begins_on <= day <= self.ends_on


ONCE = Period("once")
UNORDERED = frozenset({"R46", "R47", "R48"})
"""Rules of two people of whom neither comes first."""


ACTIVITY = "study.activity"


@dataclass
class Activities:
    """The activities that count, by person and kind: the one kind of stream a school has many of."""

    by: dict[tuple[str, str], dict[str, Life]] = field(default_factory=dict)
    whose: dict[str, tuple[str, str]] = field(default_factory=dict)

    def put(self, stream: str, life: Life | None) -> None:
        """Take in what became of one activity."""
        if stream in self.whose:
            del self.by[self.whose.pop(stream)][stream]
        if life and not life.voided:
            whose = self.whose[stream] = (life.what.person, life.what.kind.value)
            self.by.setdefault(whose, {})[stream] = life


@dataclass(frozen=True)
class Watched(Mapping[str, Mapping[str, Life]]):
    """The streams of a school, and which kinds of them were looked at."""

    streams: Lives
    by: Mapping[tuple[str, str], Mapping[str, Life]]
    looked_at: list[set[str]]

    @property
    def activities(self) -> Mapping[tuple[str, str], Mapping[str, Life]]:
        """The activities that count, by person and kind."""
        for reading in self.looked_at[-1:]:
            reading.add(ACTIVITY)
        return self.by

    def __getitem__(self, of: str) -> Mapping[str, Life]:
        """The streams of a kind."""
        for reading in self.looked_at[-1:]:
            reading.add(of)
        return self.streams[of]

    def __iter__(self) -> Iterator[str]:
        return iter(self.streams)

    def __len__(self) -> int:
        return len(self.streams)


@dataclass
class World:
    """One school at the end of a day, known up to a log position.

    What is made of it is made once, and what was made for an earlier position is taken over where no
    stream moved of a kind that was looked at in making it.
    """

    directory: Directory
    day: date
    streams: Lives
    position: int = 0
    done: Activities = field(default_factory=Activities)
    made: dict[Any, tuple[Any, frozenset[str]]] = field(default_factory=dict)
    _looked_at: list[set[str]] = field(default_factory=list)

    @classmethod
    def at(cls, directory: Directory, day: date, streams: Lives, position: int) -> "World":
        """What was known at the end of a day, of the log up to a position: later entries are cut off."""
        return cls(directory, day, {}, 0).moved(directory, streams, position, None)

    def moved(
        self,
        directory: Directory,
        streams: Lives,
        position: int,
        moved: Mapping[str, AbstractSet[str]] | None,
    ) -> "World":
        """The same day at a later position, since when these streams moved, by kind; all, if none is named.

        This world is not to be used any more.
        """
        end = end_of_day(self.day, directory.school.zone)
        cut: dict[str, dict[str, Life]] = {of: dict(some) for of, some in self.streams.items()}
        moving = moved if moved is not None else {of: some.keys() for of, some in streams.items()}
        for of, ids in moving.items():
            known = cut.setdefault(of, {})
            for i in ids:
                life = streams[of][i].until(end, position)
                if life:
                    known[i] = life
                if of == ACTIVITY:
                    self.done.put(i, life)
        still = self.made if directory is self.directory else {}
        made = {key: one for key, one in still.items() if one[1].isdisjoint(moving)}
        return World(directory, self.day, cut, position, self.done, made)

    @property
    def lives(self) -> Watched:
        """Every stream by kind and id."""
        return Watched(self.streams, self.done.by, self._looked_at)

    def once[T](self, key: object, make: Callable[[], T]) -> T:
        """Something that is made once."""
        if key not in self.made:
            self._looked_at.append(set())
            try:
                value = make()
            finally:
                seen = self._looked_at.pop()
            self.made[key] = (value, frozenset(seen))
        found: T
        found, looked_at = self.made[key]
        for reading in self._looked_at[-1:]:
            reading.update(looked_at)
        return found

    # -- Days ----------------------------------------------------------------

    def on(self, moment: datetime) -> date:
        """The day of an instant in the school's zone."""
        return self.directory.day(moment)

    @cached_property
    def campaign(self) -> Campaign | None:
        """The campaign that counts."""
        current = self.directory.current
        return self.directory.campaigns[current] if current else None

    @cached_property
    def window(self) -> Period | None:
        """The campaign's days: from its plan's first to its last, or as long as it goes on."""
        if (entry := self.campaign) is None:
            return None
        begins = min(entry.begins_on, entry.started_on or entry.begins_on)
        return Period("campaign", begins, max(entry.ends_on, entry.concluded_on or begins))

    def stage(self, name: StageName) -> Period | None:
        """The days of a stage."""
        stages = self.campaign.stages if self.campaign else ()
        key = name.value.replace("_", "-")
        found = next((s for s in stages if s.name is name), None)
        return None if found is None else Period(key, found.begins_on, found.ends_on)

    def periods(self, kind: str) -> tuple[Period, ...]:
        """The periods of a kind that have begun and touch the campaign."""
        return self.once(("periods", kind), lambda: self._periods(kind))

    def _periods(self, kind: str) -> tuple[Period, ...]:
        if kind == "once":
            return (ONCE,)
        if kind == "now":
            return (Period("now", self.day, self.day),)
        if self.window is None:
            return ()
        found: Iterable[Period | None]
        match kind:
            case "campaign":
                found = (self.window,)
            case "study_stage":
                found = (self.stage(StageName.study_and_listening),)
            case "until_criticism_ends":
                second = self.stage(StageName.problem_finding_and_criticism)
                found = (
                    second
                    and Period("until-criticism-ends", self.window.begins_on, second.ends_on),
                )
            case "school_year":
                found = (
                    Period(f"school-year-{y.begins_on}", y.begins_on, y.ends_on)
                    for y in self.directory.calendar.years
                )
            case "term":
                found = (
                    Period(f"term-{t.begins_on}", t.begins_on, t.ends_on)
                    for y in self.directory.calendar.years
                    for t in y.terms
                )
            case _:
                found = self._weeks()
        return tuple(p for p in found if p and self._counts(p))

    def _weeks(self) -> Iterable[Period]:
        """Teaching weeks in which there is school."""
        calendar = self.directory.calendar
        for year in calendar.years:
            for term in year.terms:
                for week in calendar.teaching_weeks(term):
                    yield Period(f"week-{week.begins_on}", week.begins_on, week.ends_on)

    def _counts(self, period: Period) -> bool:
        """Whether a period has begun and has a day of the campaign."""
        return (
            self.window is not None
            and period.begins_on <= self.day
            and period.ends_on >= self.window.begins_on
            and period.begins_on <= self.window.ends_on
        )

    def reference(self, period: Period) -> date:
        """The day whose roster counts for a period: its last, or today while it runs."""
        return min(period.ends_on, self.day)

    # -- People --------------------------------------------------------------

    @cached_property
    def _merged(self) -> dict[str, str]:
        roster = self.directory.roster
        return {p: roster.identity(p) for p, entry in roster.people.items() if entry.merged_into}

    def who(self, person: str) -> str:
        """Who somebody is, where duplicates were merged."""
        return self._merged.get(person, person)

    def holders(self, role: Role, day: date) -> tuple[str, ...]:
        """Who holds a role on a day, in a fixed order."""
        return self.once(
            (role, day), lambda: tuple(sorted(self.directory.roster.holders(role, day)))
        )

    def team(self, day: date) -> tuple[str, ...]:
        """The leadership team on a day, principal leaders included."""
        leaders = self.holders(Role.principal_leader, day)
        return tuple(sorted({*self.holders(Role.team_member, day), *leaders}))

    def members(self, day: date) -> tuple[str, ...]:
        """The members of the team on a day who are no principal leaders."""
        leaders = self.holders(Role.principal_leader, day)
        return tuple(p for p in self.holders(Role.team_member, day) if p not in leaders)

    def owing(self, roles: frozenset[Role], period: Period) -> tuple[str, ...]:
        """Who held one of the roles themselves on a school day of a period, as far as it has come.

        So who comes, goes or changes post in the middle owes what a school day of theirs was in.
        """
        return self.once(("owing", roles, period.key), lambda: self._owing(roles, period))

    def _owing(self, roles: frozenset[Role], period: Period) -> tuple[str, ...]:
        days = self._school_days(period)
        people = self.directory.roster.people.items()
        able = ((p, entry) for p, entry in people if roles & entry.ever)
        return tuple(
            sorted(p for p, entry in able if any(roles & entry.roles(day) for day in days))
        )

    def _school_days(self, period: Period) -> list[date]:
        length = (self.reference(period) - period.begins_on).days
        days = (period.begins_on + timedelta(days=n) for n in range(length + 1))
        return [day for day in days if self.directory.calendar.is_school_day(day)]

    @cached_property
    def branches(self) -> tuple[str, ...]:
        """The branches there are today."""
        day = self.day
        return tuple(
            sorted(
                unit
                for unit in self.directory.units
                if self.directory.has_unit(unit, UnitKind.branch, day)
            )
        )

    def branch_members(self, branch: str, day: date) -> tuple[str, ...]:
        """The party members of a branch on a day, leaders included as ordinary members."""
        return tuple(sorted(self.directory.roster.party(branch, day)))

    def secretaries(self, branch: str, day: date) -> frozenset[str]:
        """Who leads a branch on a day."""
        return frozenset(self.directory.roster.holders(Role.branch_secretary, day, branch))

    def setting(self, name: str) -> str:
        """What the school has set, else the default."""
        return self.directory.period(name).value

    # -- What happened -------------------------------------------------------

    def counting(self, of: str) -> list[Life]:
        """The streams of a kind that were not voided, in the order of their ids."""
        return self.once(
            ("counting", of),
            lambda: [life for _, life in sorted(self.lives.get(of, {}).items()) if not life.voided],
        )

    def _made_of[T](self, of: str, make: Callable[[Life], T | None]) -> dict[str, T]:
        def all_of_them() -> dict[str, T]:
            found = ((life.id, life.noted(make)) for life in self.counting(of))
            return {i: made for i, made in found if made is not None}

        return self.once(("made", of), all_of_them)

    def _of_the_campaign[T: Meeting | Examination | Appraisal](
        self, of: str, make: Callable[[Life], T | None]
    ) -> dict[str, T]:
        """What counts in the campaign that counts; another one's is another's."""
        current = self.directory.current

        def of_this_one() -> dict[str, T]:
            every = self._made_of(of, make)
            return {i: one for i, one in every.items() if one.campaign in {None, current}}

        return self.once(("campaign's", of), of_this_one)

    @property
    def issues(self) -> dict[str, Issue]:
        """The ledger."""
        return self._made_of("rectification.issue", lines.issue)

    @property
    def plans(self) -> dict[str, Plan]:
        """The rectification plans."""
        return self._made_of("rectification.plan", lines.plan)

    @property
    def collations(self) -> dict[str, Collation]:
        """The closed collations."""
        return self._made_of("feedback.collation", lines.collation)

    @property
    def talks(self) -> dict[str, Talk]:
        """The talks that count."""
        return self._made_of("talks.talk", lines.talk)

    @property
    def meetings(self) -> dict[str, Meeting]:
        """The meetings of this campaign, or of none, that were held."""
        return self._of_the_campaign("meetings.meeting", lines.meeting)

    @property
    def examinations(self) -> dict[str, Examination]:
        """The self-examinations of this campaign."""
        return self._of_the_campaign("meetings.examination", lines.examination)

    @property
    def appraisals(self) -> dict[str, Appraisal]:
        """The appraisals of members in this campaign."""
        return self._of_the_campaign("meetings.appraisal", lines.appraisal)

    @property
    def opinions(self) -> dict[str, Life]:
        """The opinions that stand."""
        return self.once(
            "opinions",
            lambda: {
                life.id: life
                for life in self.counting("feedback.opinion")
                if isinstance(life.first.event, OpinionSubmitted)
            },
        )

    @property
    def solicitations(self) -> dict[str, tuple[Happened, Any]]:
        """The solicitations: how each began, what it says now."""
        return self.once(
            "solicitations",
            lambda: {
                life.id: (life.standing[0], life.what)
                for life in self.counting("feedback.solicitation")
                if isinstance(life.standing[0].event, SolicitationOpened)
            },
        )

    @property
    def ties(self) -> list[Tie]:
        """Everybody's contact units."""
        return self.once("ties", self._ties)

    def _ties(self) -> list[Tie]:
        some = self.lives.get("study.tie", {})
        return [tie for _, life in sorted(some.items()) for tie in life.noted(lines.ties)]

    @property
    def remarks(self) -> dict[tuple[str, Subject, str], Remarks]:
        """What was said of findings, by rule, subject and period."""
        return self.once("remarks", self._remarks)

    def _remarks(self) -> dict[tuple[str, Subject, str], Remarks]:
        found: dict[tuple[str, Subject, str], Remarks] = {}
        for _, life in sorted(self.lives.get("oversight.finding", {}).items()):
            if said := life.noted(lines.remarks):
                key = (said.rule, self.named(said.rule, said.subject), said.period)
                other = found.get(key)
                found[key] = lines.together(said, other) if other else said
        return found

    def named(self, rule: str, subject: Subject) -> Subject:
        """A subject as the engine names it: by the entries that stand, a pair of two in its order."""
        standing = tuple(self.who(part) for part in subject)
        return tuple(sorted(standing)) if rule in UNORDERED else standing

    # -- Indexes -------------------------------------------------------------

    @property
    def pair_talks(self) -> dict[frozenset[str], list[Talk]]:
        """The one-by-one talks of each two people; a group talk is none (R46)."""
        return self.once("pair_talks", self._pair_talks)

    def _pair_talks(self) -> dict[frozenset[str], list[Talk]]:
        found: dict[frozenset[str], list[Talk]] = {}
        for talk in self.talks.values():
            pair = frozenset(self.who(p) for p in talk.told.parties)
            if talk.told.kind is TalkKind.one_by_one and len(pair) == 2:  # noqa: PLR2004 -- two
                found.setdefault(pair, []).append(talk)
        for several in found.values():
            several.sort(key=lambda talk: (talk.told.begun_at, talk.id))
        return found

    def activities(self, person: str, kind: str) -> list[Life]:
        """What somebody did of a kind, under whatever id, in the order of the days."""
        by = self.lives.activities
        return self.once(
            ("activities", person, kind),
            lambda: sorted(
                (life for i in self._ids(person) for life in by.get((i, kind), {}).values()),
                key=lambda life: (life.what.on, life.id),
            ),
        )

    def _ids(self, person: str) -> tuple[str, ...]:
        """Every id somebody goes or went by."""
        merged = self._merged
        return (person, *(i for i in merged if merged[i] == person)) if merged else (person,)

    def did(self, person: str, kind: str, period: Period) -> tuple[str, ...]:
        """What somebody did of a kind in a period."""
        return tuple(
            life.standing[0].id for life in self.activities(person, kind) if life.what.on in period
        )

    def held(self, kind: MeetingKind) -> list[Meeting]:
        """The meetings of a kind that were held, in the order of their days."""
        some = [m for m in self.meetings.values() if m.kind is kind]
        return sorted(some, key=lambda m: (m.on or date.min, m.id))

    @property
    def collated(self) -> dict[str, tuple[str, ...]]:
        """What became of an opinion in a closed collation: grouped, or a part of it set aside."""
        return self.once("collated", self._collated)

    def _collated(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for collation in self.collations.values():
            heard: tuple[CollatedOpinion, ...] = collation.opened.event.opinions
            grouped = {p.opinion for i in collation.closed.event.issues for p in i.parts}
            for one in heard:
                if one.opinion in grouped:
                    found[one.opinion] = (collation.closed.id,)
                elif aside := collation.set_aside.get(one.opinion):
                    found[one.opinion] = (aside.id, collation.closed.id)
        for issue in self.issues.values():
            for source in issue.what.sources:
                for opinion in source.opinions:
                    found.setdefault(opinion, (issue.opened.id,))
        return found

    def pairs_of(self, someone: Iterable[str]) -> list[Subject]:
        """Every two different people, each pair once, in a fixed order."""
        people = sorted(set(someone))
        return [(a, b) for n, a in enumerate(people) for b in people[n + 1 :]]

"""Who was there and who criticised whom, held against what the plan asks. Facts without a word of text."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from pydantic import BaseModel, ConfigDict

from services.campaign.events import Role
from services.campaign.roster import Roster
from services.meetings.events import Attendance, MeetingKind, SpeechAct
from shared.decider import PersonId

GROUPS = (
    Role.team_member,
    Role.school_administrator,
    Role.grade_head,
    Role.subject_group_head,
)
"""Who a briefing is for (R77)."""

type Pair = tuple[PersonId | None, PersonId | None]
"""Who is to say it, to whom; of oneself to oneself; nobody where it does not matter who."""


class _Document(BaseModel):
    """A part of a document."""

    model_config = ConfigDict(frozen=True)


class Spoken(_Document):
    """A speech: its place in the order, what it was, whose, to whom, talked over where (R54)."""

    number: int
    act: SpeechAct
    speaker: PersonId
    receiver: PersonId | None = None
    talk: str | None = None


class Gathering(_Document):
    """A meeting as far as anything is computed from it; `on` only once it was held."""

    kind: MeetingKind
    campaign: str | None = None
    branch: str | None = None
    invited: tuple[PersonId, ...] = ()
    on: date | None = None
    seats: dict[PersonId, Attendance] = {}
    made_up: tuple[PersonId, ...] = ()
    speeches: dict[int, Spoken] = {}


class Gatherings(BaseModel):
    """Every meeting of a school that counts."""

    model_config = ConfigDict(frozen=True)
    meetings: dict[str, Gathering] = {}

    def held(
        self, kind: MeetingKind, campaign: str | None = None, branch: str | None = None
    ) -> tuple[Gathering, ...]:
        """The meetings of a kind that were held, the earliest first."""
        found = (
            (gathering.on, gathering)
            for gathering in self.meetings.values()
            if gathering.on
            and gathering.kind is kind
            and campaign in {None, gathering.campaign}
            and branch in {None, gathering.branch}
        )
        return tuple(gathering for _, gathering in sorted(found, key=lambda dated: dated[0]))


@dataclass(frozen=True)
class Finding:
    """What a rule asks and what of it is missing; what is only `shown` is asked by nobody (R72)."""

    rule: str
    asked: tuple[Pair, ...]
    missing: tuple[Pair, ...]
    shown: bool = False

    @property
    def holds(self) -> bool:
        """Whether nothing that is asked is missing."""
        return self.shown or not self.missing


@dataclass(frozen=True)
class Criticism:
    """Who criticised whom how often, what the plan asks of it, and what was not talked over (R54)."""

    given: dict[PersonId, dict[PersonId, int]]
    findings: tuple[Finding, ...]
    unlinked: tuple[Pair, ...]


def of_the_team(meetings: Iterable[Gathering], roster: Roster, day: date) -> Criticism:
    """What democratic life meetings owe the team of a day (R68-R73)."""
    spoken = tuple(_in_order(meetings, roster))
    leaders = sorted(roster.holders(Role.principal_leader, day))
    members = sorted(roster.holders(Role.team_member, day) - set(leaders))
    examined = any(
        s.act is SpeechAct.team_self_examination and s.speaker in leaders for s in spoken
    )
    edges = _edges(spoken)
    ahead = _before(spoken, members)
    return Criticism(
        _given(spoken),
        (
            _finding("R68", [(None, None)], lambda _: examined),
            _finding("R69", [(p, p) for p in leaders], lambda pair: pair[0] in ahead),
            _finding("R70", [(p, m) for p in leaders for m in members], edges.__contains__),
            _finding("R71", [(m, m) for m in members], edges.__contains__),
            _finding(
                "R72",
                [(m, o) for m in members for o in members if m != o],
                edges.__contains__,
                shown=True,
            ),
            _finding("R73", [(m, p) for m in members for p in leaders], edges.__contains__),
        ),
        _unlinked(spoken),
    )


def of_a_branch(meetings: Iterable[Gathering], roster: Roster, day: date, branch: str) -> Criticism:
    """What organisational life meetings owe a branch's members of a day (R80, R81)."""
    spoken = tuple(_in_order(meetings, roster))
    heads = sorted(roster.holders(Role.branch_secretary, day, branch))
    members = sorted(roster.party(branch, day) - set(heads))
    edges = _edges(spoken)
    first = next((s.speaker for s in spoken if s.act is SpeechAct.self_criticism), None)
    return Criticism(
        _given(spoken),
        (
            _finding("R80", [(None, None)], lambda _: first in heads),
            _finding("R81", [(m, p) for m in members for p in heads], edges.__contains__),
        ),
        _unlinked(spoken),
    )


def _in_order(meetings: Iterable[Gathering], roster: Roster) -> Iterator[Spoken]:
    """What was said, meeting by meeting, by and to the people who stand in the roster."""
    for meeting in meetings:
        for _, speech in sorted(meeting.speeches.items()):
            people = {
                "speaker": roster.identity(speech.speaker),
                "receiver": speech.receiver and roster.identity(speech.receiver),
            }
            yield speech.model_copy(update=people)


def _edges(spoken: Iterable[Spoken]) -> frozenset[Pair]:
    """Criticism as giver and receiver; self-criticism leads back to the speaker, and nothing else does.

    Who turned out to be one person did not criticise themselves by criticising each other.
    """
    spoken = tuple(spoken)
    of_others = {(s.speaker, s.receiver) for s in spoken if s.act is SpeechAct.criticism}
    selves = {(s.speaker, s.speaker) for s in spoken if s.act is SpeechAct.self_criticism}
    return frozenset({pair for pair in of_others if pair[0] != pair[1]} | selves)


def _given(spoken: Iterable[Spoken]) -> dict[PersonId, dict[PersonId, int]]:
    counts: dict[PersonId, dict[PersonId, int]] = {}
    for s in spoken:
        if s.act is SpeechAct.criticism and s.receiver and s.receiver != s.speaker:
            row = counts.setdefault(s.speaker, {})
            row[s.receiver] = row.get(s.receiver, 0) + 1
    return counts


def _before(spoken: Iterable[Spoken], members: Iterable[PersonId]) -> frozenset[PersonId]:
    """Whose self-criticism came before that of any of the members."""
    ahead: set[PersonId] = set()
    for s in spoken:
        if s.act is SpeechAct.self_criticism:
            if s.speaker in set(members):
                break
            ahead.add(s.speaker)
    return frozenset(ahead)


def _unlinked(spoken: Iterable[Spoken]) -> tuple[Pair, ...]:
    return tuple(
        (s.speaker, s.receiver) for s in spoken if s.act is SpeechAct.criticism and s.talk is None
    )


def _finding(
    rule: str, asked: Iterable[Pair], given: Callable[[Pair], bool], *, shown: bool = False
) -> Finding:
    pairs = tuple(asked)
    return Finding(rule, pairs, tuple(p for p in pairs if not given(p)), shown)


# -- Attendance ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Presence:
    """Who was to come and who came; `owing` are absent or unrecorded and have not made up for it.

    `groups` are those of a briefing with who of each was there (R77).
    """

    expected: tuple[PersonId, ...]
    present: tuple[PersonId, ...]
    absent: tuple[PersonId, ...]
    unrecorded: tuple[PersonId, ...]
    made_up: tuple[PersonId, ...]
    owing: tuple[PersonId, ...]
    guests: tuple[PersonId, ...]
    groups: dict[str, dict[str, tuple[PersonId, ...]]]


def presence(meeting: Gathering, roster: Roster, day: date) -> Presence:
    """Attendance held against the roster of a day (R77, R79)."""
    seats = {roster.identity(person): seat for person, seat in meeting.seats.items()}
    there = {person for person, seat in seats.items() if seat is Attendance.present}
    absent = seats.keys() - there
    made_up = {roster.identity(person) for person in meeting.made_up} & absent
    expected = _expected(meeting, roster, day)
    groups = GROUPS if meeting.kind is MeetingKind.briefing else ()
    return Presence(
        expected=tuple(sorted(expected)),
        present=tuple(sorted(there)),
        absent=tuple(sorted(absent)),
        unrecorded=tuple(sorted(expected - seats.keys())),
        made_up=tuple(sorted(made_up)),
        owing=tuple(sorted(expected - there - made_up)),
        guests=tuple(sorted(there - expected)),
        groups={group.value: _group(group, there, roster, day) for group in groups},
    )


def _expected(meeting: Gathering, roster: Roster, day: date) -> frozenset[PersonId]:
    """Who a meeting of its kind is for, and who was invited beside."""
    invited = frozenset(map(roster.identity, meeting.invited))
    match meeting.kind:
        case MeetingKind.organisational_life:
            return invited | roster.party(meeting.branch or "", day)
        case MeetingKind.democratic_life | MeetingKind.leadership:
            return invited | _team(roster, day)
        case MeetingKind.briefing:
            return invited.union(*(_members(group, roster, day) for group in GROUPS))
        case _:
            return invited


def _team(roster: Roster, day: date) -> frozenset[PersonId]:
    return roster.holders(Role.team_member, day) | roster.holders(Role.principal_leader, day)


def _members(group: Role, roster: Roster, day: date) -> frozenset[PersonId]:
    return _team(roster, day) if group is Role.team_member else roster.holders(group, day)


def _group(
    group: Role, there: set[PersonId], roster: Roster, day: date
) -> dict[str, tuple[PersonId, ...]]:
    members = _members(group, roster, day)
    return {
        "present": tuple(sorted(members & there)),
        "absent": tuple(sorted(members - there)),
    }

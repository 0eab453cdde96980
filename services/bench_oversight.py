"""How fast the board of all rules is: a year of a school of 150 people, on servers of its own."""

import asyncio
import json
import statistics
import time
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from itertools import islice
from typing import Any
from uuid import UUID, uuid5

from services.bench import SCHOOL, servers, serving, throughput
from services.campaign.calendar import Deadline, end_of_day
from services.campaign.events import (
    CampaignStarted,
    PersonEntered,
    PlanDrafted,
    Post,
    Role,
    SchoolEnrolled,
    SchoolYearSet,
    Stage,
    StageName,
    Term,
    UnitEntered,
    UnitKind,
)
from services.feedback.events import (
    Addressee,
    Channel,
    Discovery,
    OpinionAcknowledged,
    OpinionSubmitted,
    Wind,
)
from services.meetings.events import (
    Attendance,
    AttendanceRecorded,
    Attendee,
    MeetingHeld,
    MeetingKind,
    MeetingPlanned,
    SpeechAct,
    SpeechRecorded,
)
from services.rectification.events import (
    Evidence,
    EvidenceAdded,
    IssueClaimed,
    IssueOpened,
    IssueStruckOff,
    IssueVerified,
    Measure,
    MeasuresPlanned,
    Mode,
    ProgressReported,
    RectificationStarted,
    Satisfied,
    Solved,
    Source,
    SourceKind,
    StrikeOffRequested,
    VerdictRecorded,
    Watch,
)
from services.stack import provisioned
from services.study.events import ActivityKind, ActivityRecorded
from services.talks.events import TalkHeld, TalkKind
from shared.broker import Broker
from shared.decider import Event, PersonId
from shared.envelope import GENESIS, Provenance, Subject, draft
from shared.runtime import settled
from shared.security import Issuer

BEGIN = date(2023, 1, 1)
ZONE = "Asia/Shanghai"
PEOPLE, TEAM, BRANCHES = 150, 9, 6
OPINIONS, ISSUES, TWICE_A_MONTH = 2_000, 700, 24
LAST = date(2023, 12, 29)
"""The day the board is asked for."""
BY = PersonId("p0")
WRITERS = ("campaign", "feedback", "rectification", "study", "talks", "meetings", "gateway")


@dataclass(frozen=True)
class Entry:
    """An event of a stream, on a day."""

    stream: str
    event: Event
    on: date


YEAR = 60_000
"""Events of a year of 2,000 opinions, 700 issues, 150 people and their weekly activities."""


def year(count: int) -> Iterator[Entry]:
    """The first so many events of a year, day by day: a shorter log is the same school, earlier."""
    latest: dict[str, date] = {}

    def recorded(entry: Entry) -> date:
        """The day an event is written: no stream goes back."""
        latest[entry.stream] = max(entry.on, latest.get(entry.stream, entry.on))
        return latest[entry.stream]

    yield from islice(sorted(islice(_year(), max(count, YEAR)), key=recorded), count)


def _year() -> Iterator[Entry]:
    yield from _school()
    for n in range(OPINIONS):
        yield from _opinion(n)
    for n in range(ISSUES):
        yield from _issue(n)
    for n in range(TEAM * PEOPLE):
        a, b = n % TEAM, n // TEAM
        if a != b:
            yield _talk(n, a, b)
    team = [*range(TEAM)]
    yield from _meeting("life", MeetingKind.democratic_life, team, BEGIN + timedelta(days=120))
    for n in range(BRANCHES):
        members, on = [*range(n, PEOPLE, BRANCHES)], BEGIN + timedelta(days=150 + n)
        yield from _meeting(f"life-{n}", MeetingKind.organisational_life, members, on, n)
    for n in range(TWICE_A_MONTH):
        on = BEGIN + timedelta(days=14 * n)
        yield from _meeting(f"team-{n}", MeetingKind.leadership, team, on)
    yield from _activities()


def _school() -> Iterator[Entry]:
    yield Entry(SCHOOL, SchoolEnrolled(name="示范中学", zone=ZONE, language="zh"), BEGIN)
    terms = (
        Term(number=1, begins_on=date(2023, 1, 1), ends_on=date(2023, 7, 10)),
        Term(number=2, begins_on=date(2023, 9, 1), ends_on=date(2023, 12, 31)),
    )
    year_set = SchoolYearSet(begins_on=BEGIN, ends_on=date(2023, 12, 31), terms=terms)
    yield Entry(SCHOOL, year_set, BEGIN)
    for n in range(BRANCHES):
        yield Entry(f"branch-{n}", UnitEntered(kind=UnitKind.branch, name="支部"), BEGIN)
    for n in range(PEOPLE):
        roles = [Role.party_member]
        roles += [Role.party_cadre] if n < 3 * TEAM else []
        roles += [Role.team_member] if n < TEAM else []
        roles += [Role.principal_leader] if n < 2 else []  # noqa: PLR2004 -- secretary, headmaster
        posts = tuple(Post(role=role, since=BEGIN) for role in roles)
        entered = PersonEntered(
            name="某", joined_on=BEGIN, posts=posts, branch=f"branch-{n % BRANCHES}"
        )
        yield Entry(f"p{n}", entered, BEGIN)
    stages = tuple(
        Stage(name=name, begins_on=BEGIN, ends_on=date(2023, 12, 31)) for name in StageName
    )
    drafted = PlanDrafted(
        title="方案", begins_on=BEGIN, ends_on=date(2023, 12, 31), stages=stages, drafted_by=BY
    )
    yield Entry("campaign", drafted, BEGIN)
    yield Entry("campaign", CampaignStarted(on=BEGIN), BEGIN)


def _day(n: int) -> date:
    return BEGIN + timedelta(days=n % 360)


def _opinion(n: int) -> Iterator[Entry]:
    submitted = OpinionSubmitted(
        verbatim_text="饭菜偏凉",
        salt="盐",
        verbatim_sha256="a" * 64,
        length=4,
        channel=Channel.wechat,
    )
    yield Entry(f"o{n}", submitted, _day(n))
    yield Entry(f"o{n}", OpinionAcknowledged(), _day(n))


def _watch(on: date) -> Watch:
    at = end_of_day(on, ZONE)
    due = Deadline(at=at, on=on)
    return Watch(due=due, remind_at=(), urge_at=at, supervise_at=at, account_at=at)


def _issue(n: int) -> Iterator[Entry]:
    owner, day = PersonId(f"p{n % TEAM}"), _day(n)
    opened = IssueOpened(
        title="饭菜偏凉",
        addressee=Addressee.team,
        winds=(Wind.formalism,),
        discovery=Discovery.raised_by_public,
        sources=(Source(kind=SourceKind.collation, id="c", opinions=(f"o{n}",)),),
        raised_by=BY,
        watch=_watch(day),
    )
    measure = Measure(text="换", owner=owner, begins_on=day, due_on=day, deliverable="照片")
    planned = MeasuresPlanned(
        mode=Mode.immediate,
        measures=(measure,),
        reviewer=PersonId("p20"),
        accountable_leader=BY,
        watch=_watch(day + timedelta(days=9)),
    )
    file = Evidence(sha256=f"{n:064x}", phase="after", media_type="image/png", name="照片")
    yield from (
        Entry(f"i{n}", event, day)
        for event in (
            opened,
            IssueClaimed(owner=owner, watch=_watch(day)),
            planned,
            RectificationStarted(),
            *(ProgressReported(text="在办") for _ in range(10)),
            EvidenceAdded(evidence=file),
            StrikeOffRequested(statement="已换", evidence=(file.sha256,)),
            IssueVerified(verifier=PersonId("p20"), finding="属实"),
            IssueStruckOff(verifier=PersonId("p20"), verdicts_until=_watch(day).due),
            VerdictRecorded(
                originator=PersonId(f"originator:o{n}"),
                solved=Solved.solved,
                satisfied=Satisfied.satisfied,
            ),
        )
    )


def _talk(n: int, a: int, b: int) -> Entry:
    at = datetime.combine(_day(n), clock(2), UTC)
    held = TalkHeld(
        kind=TalkKind.one_by_one,
        parties=(PersonId(f"p{a}"), PersonId(f"p{b}")),
        place="办公室",
        begun_at=at,
        ended_at=at + timedelta(minutes=40),
        recorded_by=PersonId(f"p{a}"),
    )
    return Entry(f"t{n}", held, _day(n))


def _meeting(
    stream: str, kind: MeetingKind, people: list[int], on: date, branch: int | None = None
) -> Iterator[Entry]:
    """Planned, held, attended; where life is looked at, everybody criticises themselves and each other."""
    ids = [PersonId(f"p{n}") for n in people]
    at = datetime.combine(on, clock(2), UTC)
    planned = MeetingPlanned(
        kind=kind,
        campaign="campaign",
        branch=None if branch is None else f"branch-{branch}",
        title="会议",
        place="会议室",
        chair=ids[0],
        on=on,
        planned_by=BY,
    )
    present = tuple(Attendee(person=p, attendance=Attendance.present) for p in ids)
    yield Entry(stream, planned, on)
    yield Entry(stream, MeetingHeld(on=on, began_at=at, chair=ids[0], recorder=BY), on)
    yield Entry(stream, AttendanceRecorded(attendees=present), on)
    pairs = [(a, b) for a in ids for b in ids] if kind is not MeetingKind.leadership else []
    for number, (speaker, receiver) in enumerate(pairs, start=1):
        alone = speaker == receiver
        spoken = SpeechRecorded(
            number=number,
            act=SpeechAct.self_criticism if alone else SpeechAct.criticism,
            speaker=speaker,
            receiver=None if alone else receiver,
            text="意见",
        )
        yield Entry(stream, spoken, on)


def _activities() -> Iterator[Entry]:
    """Everybody, week by week, in turn; more than are ever asked for."""
    kinds = [*ActivityKind]
    for n in range(1_000_000):
        person, week = n % PEOPLE, (n // PEOPLE) % 52
        kind = kinds[(n // PEOPLE) % len(kinds)]
        day = BEGIN + timedelta(days=week * 7 + person % 5)
        event = ActivityRecorded(
            kind=kind, person=PersonId(f"p{person}"), on=day, pupil="x", recorded_by=BY
        )
        yield Entry(f"a{n}", event, day)


# -- Measuring -----------------------------------------------------------------------------------


SIZES = (10_000, 30_000, YEAR)


async def oversight(counts: tuple[int, ...] = SIZES) -> dict[str, Any]:
    """One log that grows while the service follows it; at each size, how late and how slow the board is.

    From the last event to a board that counts it: after a burst of thousands (`current_after_burst_seconds`),
    and after a single one (`current_after_seconds`, median of 5). A board when nothing has happened: the
    first, and the median of 20. `growth` is each size's figures as multiples of the smallest size's.
    """
    with servers() as settings:
        await provisioned(settings)
        brokers = {
            name: Broker(settings.nats_url, name, settings.password(name)) for name in WRITERS
        }
        for broker in brokers.values():
            await broker.open()
        token = Issuer.load(settings.issuer_file).token(
            "operator:bench", roles=frozenset({"operator"}), lifetime=3600
        )
        log = Log(brokers)
        board = Board(brokers["gateway"], {"Authorization": f"Bearer {token}"})
        entries = [*year(counts[-1])]
        async with serving(settings, "oversight"):
            sizes = [await _measure(log, board, entries[log.length : count]) for count in counts]
        for broker in brokers.values():
            await broker.close()
    return {
        **{name: [size[name] for size in sizes] for name in sizes[0]},
        "growth": {
            name: [round(size[name] / sizes[0][name], 2) for size in sizes] for name in GROWING
        },
    }


GROWING = ("events", "current_after_seconds", "board_ms")
EXTRA, AGAIN = 5, 20


async def _measure(log: "Log", board: "Board", entries: list[Entry]) -> dict[str, Any]:
    begun = time.perf_counter()
    position = await log.fill(entries)
    written = time.perf_counter()
    await board.at(position)
    burst = time.perf_counter() - written
    size = log.length
    first = await timed(board.at(position))
    again = [await timed(board.at(position)) for _ in range(AGAIN)]
    fresh = []
    for n in range(EXTRA):
        entry = Entry(f"extra-{size}-{n}", _talk(n, 0, 1).event, _day(n))
        fresh.append(await timed(board.at(await log.append(entry))))
    return {
        "events": size,
        "written_per_second": round(len(entries) / (written - begun)),
        "current_after_burst_seconds": round(burst, 2),
        "current_after_seconds": round(statistics.median(fresh), 3),
        "first_board_ms": round(first * 1000, 1),
        "board_ms": round(statistics.median(again) * 1000, 1),
    }


async def timed(work: Coroutine[Any, Any, object]) -> float:
    """The seconds something takes."""
    begun = time.perf_counter()
    await work
    return time.perf_counter() - begun


@dataclass(frozen=True)
class Board:
    """The board as a caller asks for it over NATS."""

    broker: Broker
    headers: Mapping[str, str]

    async def at(self, position: int) -> None:
        """A board that counts everything up to a position."""
        async with asyncio.timeout(300):
            await settled(self.broker, ["oversight"], position, within=300)
            body = json.dumps({"as_of": LAST.isoformat()}).encode()
            answer = await self.broker.ask(
                f"qry.{SCHOOL}.oversight.board", body, self.headers, within=120
            )
        reply = json.loads(answer.body)
        if "error" in reply or not any(rule.get("numerator") for rule in reply["found"]["rules"]):
            raise RuntimeError(answer.body.decode())
        if reply["found"]["position"] < position:
            raise RuntimeError(reply["found"]["position"])


@dataclass
class Log:
    """The log as it is written, by each service's own connection: nobody may write another's events."""

    brokers: Mapping[str, Broker]
    length: int = 0
    heads: dict[str, tuple[str, int, int]] = field(default_factory=dict)

    async def fill(self, entries: list[Entry]) -> int:
        """Write entries, each stream in its order, several streams at once; gives the last position."""
        streams: dict[str, list[Entry]] = {}
        for entry in entries:
            streams.setdefault(str(_place(entry)), []).append(entry)
        told = [*streams.values()]
        last = 0

        async def one(n: int) -> None:
            nonlocal last
            for entry in told[n]:
                last = max(last, await self.append(entry))

        await throughput(len(told), one)
        return last

    async def append(self, entry: Entry) -> int:
        """Write one more event of a stream; gives its position."""
        place = _place(entry)
        previous, version, after = self.heads.get(str(place), (GENESIS, 0, 0))
        at = datetime.combine(entry.on, clock(3), UTC)
        command = uuid5(UUID(int=0), f"{place} {version}")
        provenance = Provenance(BY, at, at, command, "0" * 64, command)
        new = draft(place, entry.event, provenance, version=version + 1, previous=previous)
        headers = {**new.headers, "Nats-Expected-Last-Subject-Sequence": str(after)}
        position, _ = await self.brokers[place.service].publish(new.subject, new.body, headers)
        self.heads[str(place)] = (new.hash, version + 1, position)
        self.length += 1
        return position


def _place(entry: Entry) -> Subject:
    service, category, *_ = entry.event.TYPE.split(".")
    return Subject(SCHOOL, service, category, entry.stream)

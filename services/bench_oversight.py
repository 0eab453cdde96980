"""How fast the board of all rules is: a year of a school of 150 people, on servers of its own."""

import asyncio
import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from typing import Any
from uuid import UUID, uuid5

from services.bench import SCHOOL, servers, throughput
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
from services.oversight import queries
from services.oversight.app import service
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
from shared.callers import Caller
from shared.decider import Event, PersonId
from shared.envelope import GENESIS, Draft, Provenance, Subject, draft
from shared.journal import Journal
from shared.mongo import Mongo
from shared.privacy import Keyring, Privacy, deployment_key
from shared.runtime import Desk
from shared.security import Issuer
from shared.views import Projector

BEGIN = date(2023, 1, 1)
ZONE = "Asia/Shanghai"
PEOPLE, TEAM, BRANCHES = 150, 9, 6
OPINIONS, ISSUES = 2_000, 700
NOW = datetime(2023, 12, 29, 4, tzinfo=UTC)
BY = PersonId("p0")
WRITERS = ("campaign", "feedback", "rectification", "study", "talks", "oversight")
ASKS = Caller(BY, frozenset({"person", "principal_leader"}))


@dataclass(frozen=True)
class Entry:
    """An event of a stream, on a day."""

    stream: str
    event: Event
    on: date


def year(count: int) -> Iterator[Entry]:
    """So many events: the school, its opinions, issues and talks, then activities week by week."""
    for n, entry in enumerate(_year()):
        if n == count:
            return
        yield entry


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


async def oversight(counts: tuple[int, ...] = (10_000, 30_000, 60_000)) -> dict[str, Any]:
    """For each size of the log: folding it, a board from nothing, a board after one more event, any board."""
    return {"runs": [await _run(count) for count in counts]}


async def _run(count: int) -> dict[str, Any]:
    with servers() as settings:
        await provisioned(settings)
        mongo = Mongo(settings.mongo_url, settings.mongo_database)
        brokers = {
            name: Broker(settings.nats_url, name, settings.password(name)) for name in WRITERS
        }
        for broker in brokers.values():
            await broker.open()
        await _fill(brokers, [*year(count)])
        journal = Journal(brokers["oversight"], mongo, "oversight")
        views = (service.directory, *service.views)
        projector = Projector("oversight", journal, mongo, views)
        await projector.prepare()
        await projector.collection(service.views[0]).index(("school", "position"))
        begun = time.perf_counter()
        following = asyncio.create_task(projector.run())
        await projector.reached(count, within=600)
        folded = time.perf_counter() - begun
        privacy = Privacy(Keyring(mongo, deployment_key(settings.key_file)))
        issuer = Issuer.load(settings.issuer_file)

        async def board() -> float:
            begun = time.perf_counter()
            desk = Desk(SCHOOL, NOW, projector, privacy, issuer, journal)
            found = await queries.all_rows(queries.Board(), desk, ASKS)
            if not any(rule.get("numerator") for rule in found["rules"]):
                raise RuntimeError(found)
            return time.perf_counter() - begun

        first = await board()
        fresh = []
        for n in range(5):
            begun = time.perf_counter()
            entry = Entry(f"extra-{n}", _talk(n, 0, 1).event, _day(n))
            await _append(brokers, entry, GENESIS, 1, 0)
            await projector.reached(count + n + 1, within=60)
            await board()
            fresh.append(time.perf_counter() - begun)
        again = [await board() for _ in range(20)]
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        for broker in brokers.values():
            await broker.close()
        mongo.close()
    return {
        "events": count,
        "fold_seconds": round(folded, 2),
        "first_board_seconds": round(first, 2),
        "current_after_seconds": round(statistics.median(fresh), 3),
        "board_ms": round(statistics.median(again) * 1000, 1),
    }


type Brokers = Mapping[str, Broker]
"""Each service's own connection: nobody may write another's events."""


async def _fill(brokers: Brokers, entries: list[Entry]) -> None:
    """Write a log, each stream in its order, several streams at once."""
    streams: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        _, category, *_ = entry.event.TYPE.split(".")
        streams.setdefault((category, entry.stream), []).append(entry)
    told = [*streams.values()]

    async def one(n: int) -> None:
        previous, position = GENESIS, 0
        for version, entry in enumerate(told[n], start=1):
            new, position = await _append(brokers, entry, previous, version, position)
            previous = new.hash

    await throughput(len(told), one)


async def _append(
    brokers: Brokers, entry: Entry, previous: str, version: int, after: int
) -> tuple[Draft, int]:
    service_name, category, *_ = entry.event.TYPE.split(".")
    at = datetime.combine(entry.on, clock(3), UTC)
    command = uuid5(UUID(int=0), f"{category}.{entry.stream} {version}")
    provenance = Provenance(BY, at, at, command, "0" * 64, command)
    place = Subject(SCHOOL, service_name, category, entry.stream)
    new = draft(place, entry.event, provenance, version=version, previous=previous)
    headers = {**new.headers, "Nats-Expected-Last-Subject-Sequence": str(after)}
    position, _ = await brokers[service_name].publish(new.subject, new.body, headers)
    return new, position

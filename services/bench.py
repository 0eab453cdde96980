"""Speeds as ratios to raw calls in the same run, on servers of their own, services in processes of theirs."""

import asyncio
import json
import os
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from services.campaign.calendar import Deadline
from services.campaign.events import (
    AccountOpened,
    PersonEntered,
    Post,
    Role,
    SchoolEnrolled,
)
from services.feedback.events import Addressee, Discovery, Wind
from services.rectification.app import service as rectification
from services.rectification.events import (
    IssueOpened,
    ProgressReported,
    Source,
    SourceKind,
    Watch,
)
from services.stack import provisioned
from shared.broker import EVENTS, Broker, Stored, plain
from shared.decider import Event, PersonId
from shared.embedded import Embedded
from shared.envelope import GENESIS, Draft, Provenance, Subject, draft
from shared.journal import Journal
from shared.mongo import Mongo
from shared.privacy import Keyring, Privacy, deployment_key
from shared.runtime import Service, progress_of, settled
from shared.security import LOCAL_ISSUER, Issuer
from shared.settings import Settings
from shared.views import Projector

SCHOOL = "bench"
IN_FLIGHT = 64
ROUNDS = 5
PEOPLE = {
    "p1": (Role.team_member, Role.principal_leader),
    "p2": (Role.team_member,),
    "p3": (Role.supervisor,),
    "p4": (Role.collator,),
}

type One = Callable[[int], Awaitable[None]]
type Publish = Callable[[str, bytes, dict[str, str]], Awaitable[None]]


@contextmanager
def servers() -> Iterator[Settings]:
    """Servers with a directory that is gone afterwards."""
    data = Path(tempfile.mkdtemp(prefix="taizhang-bench-"))
    embedded = Embedded(data)
    try:
        yield embedded.start()
    finally:
        embedded.stop()
        shutil.rmtree(data, ignore_errors=True)


@asynccontextmanager
async def serving(settings: Settings, *names: str) -> AsyncIterator[None]:
    """Services as processes of their own, ready."""
    environment = {
        **os.environ,
        "TAIZHANG_NATS_URL": settings.nats_url,
        "TAIZHANG_NATS_PASSWORDS": json.dumps(
            {user: p.get_secret_value() for user, p in settings.nats_passwords.items()}
        ),
        "TAIZHANG_MONGO_URL": settings.mongo_url,
        "TAIZHANG_KEY_FILE": str(settings.key_file),
        "TAIZHANG_ISSUER_FILE": str(settings.issuer_file),
        "TAIZHANG_HTTP_PORT": "0",
    }
    children = [
        subprocess.Popen(  # noqa: ASYNC220, S603 -- our own command; nothing else runs yet
            [sys.executable, "-m", "services.cli", "serve", name], env=environment
        )
        for name in names
    ]
    broker = Broker(settings.nats_url, "gateway", settings.password("gateway"))
    await broker.open()
    try:
        async with asyncio.timeout(30):
            for name in names:
                while True:
                    try:
                        await progress_of(broker, name)
                        break
                    except Exception:  # noqa: BLE001 -- not there yet
                        await asyncio.sleep(0.05)
        yield
    finally:
        await broker.close()
        for child in children:
            child.terminate()
        for child in children:
            child.wait(20)


async def throughput(count: int, one: One) -> float:
    """Calls a second with 64 in flight."""
    numbers = iter(range(count))

    async def worker() -> None:
        for n in numbers:
            await one(n)

    begun = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    return count / (time.perf_counter() - begun)


async def alone(count: int, one: One) -> float:
    """Median of the milliseconds of a call, one at a time."""
    took = []
    for n in range(count):
        begun = time.perf_counter()
        await one(n)
        took.append(time.perf_counter() - begun)
    return statistics.median(took) * 1000


async def _record(journal: Journal, category: str, stream: str, event: Event) -> int:
    moment = datetime.now(UTC)
    provenance = Provenance(PersonId("operator:bench"), moment, moment, uuid4(), "0" * 64, uuid4())
    place = Subject(SCHOOL, "campaign", category, stream)
    return await journal.append(
        draft(place, event, provenance, version=1, previous=GENESIS), after=0
    )


async def _school(journal: Journal, privacy: Privacy) -> int:
    """The least a school needs: its entry, four people, their accounts."""
    enrolled = SchoolEnrolled(name="示范中学", zone="Asia/Shanghai", language="zh")
    position = await _record(journal, "school", SCHOOL, enrolled)
    since = date(2020, 1, 1)
    for person, roles in PEOPLE.items():
        posts = tuple(Post(role=role, since=since) for role in roles)
        entered = PersonEntered(name=person, joined_on=since, posts=posts)
        await _record(journal, "person", person, entered)
        account = await privacy.blind(SCHOOL, "account", LOCAL_ISSUER, person)
        opened = AccountOpened(account=account, person=PersonId(person))
        position = await _record(journal, "account", person, opened)
    return position


async def commands(count: int) -> dict[str, Any]:
    """Commands through NATS against the client library's own `js.publish` of such events."""
    with servers() as settings:
        await provisioned(settings)
        mongo = Mongo(settings.mongo_url, settings.mongo_database)
        privacy = Privacy(Keyring(mongo, deployment_key(settings.key_file)))
        raw_broker = Broker(settings.nats_url, "campaign", settings.password("campaign"))
        await raw_broker.open()
        client = Broker(settings.nats_url, "gateway", settings.password("gateway"))
        await client.open()
        position = await _school(Journal(raw_broker, mongo, "campaign"), privacy)
        raw = await plain(settings.nats_url, "campaign", settings.password("campaign"))
        js = raw.jetstream()

        async def publish(subject: str, body: bytes, headers: dict[str, str]) -> None:
            await js.publish(subject, body, timeout=30, headers=headers)

        async with serving(settings, "rectification"):
            await settled(client, ["rectification"], position)
            issuer = Issuer.load(settings.issuer_file)
            found = await _measure(count, client, raw_broker, publish, issuer)
        await raw.close()
        await client.close()
        await raw_broker.close()
        mongo.close()
    return found


async def _measure(
    count: int, client: Broker, reader: Broker, raw_publish: Publish, issuer: Issuer
) -> dict[str, Any]:
    tokens = {person: issuer.token(person, lifetime=3600) for person in PEOPLE}

    async def command(name: str, who: str, stream: str | None, body: object) -> str:
        headers = {
            "Authorization": f"Bearer {tokens[who]}",
            "Taizhang-Command-Id": str(uuid4()),
            **({"Taizhang-Stream": stream} if stream else {}),
        }
        text = json.dumps(body, ensure_ascii=False).encode()
        answer = await client.ask(f"cmd.{SCHOOL}.rectification.{name}", text, headers, within=30)
        reply = json.loads(answer.body)
        if "error" in reply:
            raise RuntimeError(answer.body.decode())
        return str(reply["id"])

    issues: list[str] = []

    async def open_one(n: int) -> None:
        issues.append(await command("open-issue", "p4", None, _opening(n)))

    opening = await throughput(256, open_one)
    for issue in issues:
        await command("claim-issue", "p2", issue, {})
        await command("plan-measures", "p2", issue, _PLAN)
        await command("start-rectification", "p2", issue, {})

    async def report(n: int) -> None:
        await command("report-progress", "p2", issues[n % len(issues)], {"text": _progress(n)})

    await report(0)
    reported = await _last_of(reader, issues[0])
    headers = {name: v for name, v in reported.headers.items() if not name.startswith("Nats-")}

    async def publish(_: int) -> None:
        message = {**headers, "Nats-Msg-Id": str(uuid4()), "ce-id": str(uuid4())}
        message["Nats-Expected-Last-Subject-Sequence"] = "0"
        await raw_publish(f"evt.{SCHOOL}.campaign.raw.{uuid4()}", reported.body, message)

    raw, through = [], []
    for _ in range(3):
        raw.append(await throughput(count, publish))
        through.append(await throughput(count, report))
    await settled(client, ["rectification"], 0, within=120)
    lone_raw, lone = [], []
    for _ in range(3):
        lone_raw.append(await alone(200, publish))
        lone.append(await alone(200, report))
    return {
        "ratio_64": statistics.median(through) / statistics.median(raw),
        "lone_p50_ratio": statistics.median(lone) / statistics.median(lone_raw),
        "raw_per_second": [round(x) for x in raw],
        "commands_per_second": [round(x) for x in through],
        "opening_per_second": round(opening),
        "lone_raw_ms": [round(x, 2) for x in lone_raw],
        "lone_command_ms": [round(x, 2) for x in lone],
        "count": count,
        "in_flight": IN_FLIGHT,
    }


async def _last_of(broker: Broker, issue: str) -> Stored:
    subject = str(Subject(SCHOOL, "rectification", "issue", issue))
    found = await broker.message(EVENTS, {"last_by_subj": subject})
    if found is None:
        raise RuntimeError(subject)
    return found


def _opening(n: int) -> dict[str, Any]:
    return {
        "title": f"食堂饭菜偏凉 {n}",
        "addressee": "team",
        "winds": ["formalism"],
        "discovery": "raised_by_public",
        "sources": [{"kind": "superior", "id": "bench"}],
    }


_PLAN: dict[str, Any] = {
    "mode": "time_limited",
    "measures": [
        {
            "text": "更换保温餐台",
            "owner": "p2",
            "begins_on": date.today().isoformat(),  # noqa: DTZ011 -- any day near today
            "due_on": (date.today() + timedelta(days=30)).isoformat(),  # noqa: DTZ011 -- as above
            "deliverable": "照片",
        }
    ],
    "reviewer": "p3",
    "accountable_leader": "p1",
}


def _progress(n: int) -> str:
    return f"第{n}次反馈:已联系厂家更换保温设备,食堂每天由值周领导抽查两次并登记温度。"


# -- Views -------------------------------------------------------------------------------------------


async def views(count: int) -> dict[str, Any]:
    """Following the log into views against a raw ordered read plus a raw bulk write of the same documents.

    Each in turn, every time into a database of its own; the ratio is the median of the rounds' ratios.
    """
    followed, read, written = [], [], []
    with servers() as settings:
        await provisioned(settings)
        user = "rectification"
        broker = Broker(settings.nats_url, user, settings.password(user))
        await broker.open()
        await filled(broker, count)
        for n in range(ROUNDS):
            mongo = Mongo(settings.mongo_url, f"bench-{n}")
            took, documents = await follow(broker, mongo, rectification)
            followed.append(took)
            read.append(await raw_read(broker, count))
            written.append(await raw_write(mongo, documents))
            mongo.close()
        await broker.close()
    rounds = zip(read, written, followed, strict=True)
    return {
        "ratio": statistics.median((r + w) / f for r, w, f in rounds),
        "events": count,
        "documents": len(documents),
        "follow_seconds": [round(x, 3) for x in followed],
        "raw_read_seconds": [round(x, 3) for x in read],
        "raw_write_seconds": [round(x, 3) for x in written],
    }


async def filled(broker: Broker, count: int) -> None:
    """A log of issues that are opened and reported on, ten events each."""
    moment = datetime.now(UTC)
    watch = Watch(
        due=Deadline(at=moment, on=moment.date()),
        remind_at=(),
        urge_at=moment,
        supervise_at=moment,
        account_at=moment,
    )
    opened = IssueOpened(
        title="食堂饭菜偏凉",
        addressee=Addressee.team,
        winds=(Wind.formalism,),
        discovery=Discovery.raised_by_public,
        sources=(Source(kind=SourceKind.superior, id="bench"),),
        raised_by=PersonId("p4"),
        watch=watch,
    )

    async def one(n: int) -> None:
        stream = f"issue-{n}"
        place = Subject(SCHOOL, "rectification", "issue", stream)
        previous, position = GENESIS, 0
        for version in range(1, 11):
            event: Event = opened if version == 1 else ProgressReported(text=_progress(version))
            provenance = Provenance(PersonId("p2"), moment, moment, uuid4(), "0" * 64, uuid4())
            new: Draft = draft(place, event, provenance, version=version, previous=previous)
            position, _ = await broker.publish(
                new.subject,
                new.body,
                {**new.headers, "Nats-Expected-Last-Subject-Sequence": str(position)},
            )
            previous = new.hash

    await throughput(count // 10, one)


async def follow(
    broker: Broker, mongo: Mongo, service: Service
) -> tuple[float, list[dict[str, Any]]]:
    """How long a service takes to follow the whole log into its views, and what is in them then."""
    last = await broker.last_position()
    journal = Journal(broker, mongo, service.name)
    projector = Projector(service.name, journal, mongo, (service.directory, *service.views))
    await projector.prepare()
    begun = time.perf_counter()
    following = asyncio.create_task(projector.run())
    if not await projector.reached(last, within=600):
        raise TimeoutError
    took = time.perf_counter() - begun
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await projector.save()
    documents: list[dict[str, Any]] = []
    for view in service.views:
        documents += await projector.collection(view).find({})
    return took, documents


async def raw_read(broker: Broker, count: int) -> float:
    """How long it takes to read so many messages in order."""
    begun = time.perf_counter()
    read = 0
    async with broker.follow("rectification-views", after=0) as pull:
        while read < count:
            read += len(await pull.batch())
    return time.perf_counter() - begun


async def raw_write(mongo: Mongo, documents: list[dict[str, Any]]) -> float:
    """How long it takes to insert documents into a collection of their own."""
    collection = mongo.views(f"raw-{secrets.token_hex(4)}")
    begun = time.perf_counter()
    for start in range(0, len(documents), 500):
        some = documents[start : start + 500]
        await collection.replace_guarded([(None, document) for document in some])
    return time.perf_counter() - begun

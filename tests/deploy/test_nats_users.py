"""deploy/nats.conf on the real server: every user does what it may, and is refused everything else."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import nats
import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.aio.msg import Msg

from services.stack import SERVICES as RUNNING
from services.stack import durables, provisioned, running
from shared.embedded import USERS, Embedded
from shared.settings import Settings
from tests.live.school import School, enrolled
from tests.live.test_raising import raised_everywhere
from tests.live.test_receipts import in_the_log

pytestmark = pytest.mark.live

SERVICES = tuple(service.name for service in RUNNING)
STREAMS = ("EVENTS", "SCHEDULES")
FOLLOWING = {user: f"EVENTS.{user}-views" for user in (*SERVICES, "clock")}
"""The consumer each service makes for itself."""
DURABLE = {
    "talks": "EVENTS.talks-answer-requests",
    "rectification": "EVENTS.rectification-open-issues",
    "clock": "SCHEDULES.clock-fired",
}
"""The consumers whose position the broker keeps, provisioned."""
ACK = "1.1.1.1.1.0"

EVERYTHING = {
    *(f"evt.s-1.{user}.thing.1" for user in USERS),
    *(f"cmd.s-1.{user}.do" for user in USERS),
    *(f"qry.s-1.{user}.ask" for user in USERS),
    *(f"_INBOX_{user}.x" for user in USERS),
    *("sched.def.x", "sched.off.x", "sched.fire.x", "anything.else", "$SYS.REQ.SERVER.PING"),
    *("$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.LIST"),
    *(
        f"$JS.API.STREAM.{verb}.{stream}"
        for verb in ("INFO", "CREATE", "UPDATE", "DELETE", "PURGE", "MSG.GET", "MSG.DELETE")
        for stream in (*STREAMS, "NEW")
    ),
    *(
        f"$JS.API.STREAM.{verb}.{stream}"
        for verb in ("SNAPSHOT", "RESTORE", "LEADER.STEPDOWN", "PEER.REMOVE")
        for stream in STREAMS
    ),
    *(f"$JS.API.DIRECT.GET.{stream}" for stream in STREAMS),
    *(f"$JS.API.DIRECT.GET.{stream}.evt.s-1.campaign.thing.1" for stream in STREAMS),
    *(f"$JS.API.CONSUMER.{verb}.{stream}" for verb in ("NAMES", "LIST") for stream in STREAMS),
    *(
        f"$JS.API.CONSUMER.{verb}.{consumer}"
        for verb in ("CREATE", "DURABLE.CREATE", "DELETE", "INFO", "MSG.NEXT", "PAUSE", "UNPIN")
        for consumer in (*FOLLOWING.values(), *DURABLE.values(), "EVENTS.new", "SCHEDULES.new")
    ),
    *(f"$JS.ACK.{consumer}.{ACK}" for consumer in (*DURABLE.values(), "EVENTS.campaign-views")),
}
"""One subject of every kind there is to publish to."""


def reading(user: str) -> set[str]:
    """What a service needs to follow the log and to read a stream of it."""
    return {
        "$JS.API.INFO",
        "$JS.API.STREAM.INFO.EVENTS",
        *(f"$JS.API.CONSUMER.{v}.{FOLLOWING[user]}" for v in ("CREATE", "DELETE", "MSG.NEXT")),
    }


def working(user: str) -> set[str]:
    """What a service needs to take commands: its own events, and its streams' history."""
    history = {"$JS.API.STREAM.MSG.GET.EVENTS", "$JS.API.DIRECT.GET.EVENTS"}
    return reading(user) | history | {f"evt.s-1.{user}.thing.1"}


def pursuing(user: str) -> set[str]:
    """What is needed to work through a durable consumer."""
    consumer = DURABLE[user]
    return {
        f"$JS.API.CONSUMER.INFO.{consumer}",
        f"$JS.API.CONSUMER.MSG.NEXT.{consumer}",
        f"$JS.ACK.{consumer}.{ACK}",
    }


MAY_PUBLISH = {
    **{user: working(user) for user in SERVICES},
    **{user: working(user) | pursuing(user) for user in SERVICES if user in DURABLE},
    "clock": reading("clock")
    | pursuing("clock")
    | {"sched.def.x", "sched.off.x", "$JS.API.STREAM.INFO.SCHEDULES"}
    | {"$JS.API.DIRECT.GET.EVENTS"}
    | {subject for subject in EVERYTHING if subject.startswith("cmd.")},
    "gateway": {"$JS.API.INFO", "$JS.API.STREAM.INFO.EVENTS"}
    | {subject for subject in EVERYTHING if subject.startswith(("cmd.", "qry."))},
    "operator": {s for s in EVERYTHING if s.startswith(("$JS.API.", "qry."))},
}
MAY_SUBSCRIBE = {
    **{user: {f"cmd.*.{user}.*", f"qry.*.{user}.*", f"_INBOX_{user}.>"} for user in SERVICES},
    "clock": {"qry.*.clock.*", "_INBOX_clock.>"},
    "gateway": {"_INBOX_gateway.>"},
    "operator": {"_INBOX_operator.>"},
}
LISTENING = {
    *(f"{kind}.*.{user}.*" for kind in ("cmd", "qry") for user in USERS),
    *(f"evt.*.{user}.>" for user in USERS),
    *(f"_INBOX_{user}.>" for user in USERS),
    *(">", "*", "evt.>", "cmd.>", "qry.>", "sched.>", "_INBOX.>", "$JS.>", "$SYS.>"),
}
"""What there is to listen to."""
BODIES: dict[str, object] = {
    "$JS.API.STREAM.CREATE.NEW": {"name": "NEW", "subjects": ["new"]},
    "$JS.API.STREAM.UPDATE.EVENTS": {
        "name": "EVENTS",
        "subjects": ["evt.*.*.*.*"],
        "max_msgs": 1,
    },
    "$JS.API.STREAM.PURGE.SCHEDULES": {},
    "$JS.API.STREAM.MSG.DELETE.EVENTS": {"seq": 1},
    "$JS.API.STREAM.MSG.DELETE.SCHEDULES": {"seq": 1},
    **{
        f"$JS.API.CONSUMER.CREATE.{consumer}": {
            "stream_name": consumer.partition(".")[0],
            "config": {"name": consumer.partition(".")[2], "ack_policy": "none"},
        }
        for consumer in (*FOLLOWING.values(), "EVENTS.new", "SCHEDULES.new")
    },
}
"""What makes a request one that would be carried out."""


@dataclass
class User:
    """A connection as one user, and what the server complained about."""

    name: str
    client: Client
    complaints: list[str] = field(default_factory=list)

    async def refused(self, subject: str, body: object = None, *, reply: str = "") -> bool:
        """Publish; whether the server refused it."""
        self.complaints.clear()
        data = b"" if body is None else json.dumps(body).encode()
        await self.client.publish(subject, data, reply=reply)
        await self.caught_up()
        return bool(self.complaints)

    async def deaf(self, subject: str) -> bool:
        """Subscribe; whether the server refused it."""
        self.complaints.clear()
        subscription = await self.client.subscribe(subject)
        await self.caught_up()
        await subscription.unsubscribe()
        return bool(self.complaints)

    async def caught_up(self) -> None:
        """Wait until the server has dealt with what was sent, and its complaints are here.

        Not by `flush`: its ping may overtake what is still to be sent.
        """
        await self.client.request("$JS.API.INFO", timeout=30)

    async def ask(
        self, subject: str, body: object = None, headers: dict[str, str] | None = None
    ) -> Any:
        """Request; the answer's JSON."""
        data = b"" if body is None else json.dumps(body).encode()
        answer = await self.client.request(subject, data, timeout=30, headers=headers)
        return json.loads(answer.data)


@asynccontextmanager
async def connected(settings: Settings, name: str) -> AsyncIterator[User]:
    """A user's connection, with its own inbox prefix."""
    complaints: list[str] = []

    async def complain(error: Exception) -> None:
        complaints.append(str(error))

    client = await nats.connect(
        settings.nats_url,
        user=name,
        password=settings.password(name),
        inbox_prefix=f"_INBOX_{name}".encode(),
        error_cb=complain,
        allow_reconnect=False,
        connect_timeout=30,
    )
    try:
        yield User(name, client, complaints)
    finally:
        await client.close()


@dataclass
class Log:
    """The broker's state, as the operator sees it."""

    operator: User

    async def state(self) -> dict[str, Any]:
        """Everything that is kept: streams with their settings, contents and consumers."""
        streams = (await self.operator.ask("$JS.API.STREAM.NAMES"))["streams"]
        kept: dict[str, Any] = {}
        for stream in streams:
            info = await self.operator.ask(f"$JS.API.STREAM.INFO.{stream}")
            consumers = await self.operator.ask(f"$JS.API.CONSUMER.LIST.{stream}")
            kept[stream] = (
                info["config"],
                {k: info["state"][k] for k in ("messages", "first_seq", "last_seq")},
                {c["name"]: c["config"] for c in consumers["consumers"]},
            )
        return kept

    async def last(self, stream: str = "EVENTS") -> int:
        return int((await self.state())[stream][1]["last_seq"])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Settings]]:
    """A server of our own, started as everywhere; its directory and the settings."""
    embedded = Embedded(tmp_path_factory.mktemp("users"))
    try:
        yield embedded.data, embedded.start().with_changes(http_port=0, box_interval=0.05)
    finally:
        embedded.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def log(server: tuple[Path, Settings]) -> AsyncIterator[Log]:
    """The streams, provisioned, with an event and a timer in them."""
    _, settings = server
    await provisioned(settings)
    async with (
        connected(settings, "operator") as operator,
        connected(settings, "campaign") as campaign,
        connected(settings, "clock") as clock,
    ):
        assert (await campaign.ask("evt.s-1.campaign.thing.1"))["seq"] == 1
        schedule = {
            "Nats-Schedule": "@at 2099-01-01T00:00:00Z",
            "Nats-Schedule-Target": "sched.fire.1",
        }
        assert (await clock.ask("sched.def.1", {}, schedule))["seq"] == 1
        yield Log(operator)


def violations(data: Path) -> list[str]:
    """What the server itself wrote down as not allowed."""
    lines = (data / "nats.log").read_text().splitlines()
    return [line for line in lines if "Violation" in line]


# -- Who gets in -------------------------------------------------------------------------------------


async def greeted(settings: Settings, **login: str) -> bytes:
    """What the server says to a login, in its own protocol: the client leaks a socket when it is refused."""
    url = urlsplit(settings.nats_url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    try:
        assert (await reader.readline()).startswith(b"INFO ")
        writer.write(
            b"CONNECT " + json.dumps({"verbose": False, **login}).encode() + b"\r\nPING\r\n"
        )
        return await asyncio.wait_for(reader.readline(), 30)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def test_nobody_gets_in_without_their_own_password(server: tuple[Path, Settings]) -> None:
    _, settings = server
    right = settings.password("operator")
    assert await greeted(settings, user="operator", **{"pass": right}) == b"PONG\r\n"
    for login in (
        {},
        {"user": "operator"},
        {"user": "operator", "pass": ""},
        {"user": "campaign", "pass": right},
        {"user": "nobody", "pass": right},
        {"auth_token": right},
    ):
        assert b"Authorization Violation" in await greeted(settings, **login), login


# -- The table ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", USERS)
async def test_a_user_may_publish_what_it_needs_and_nothing_else(
    user: str, server: tuple[Path, Settings], log: Log
) -> None:
    _, settings = server
    before = await log.state()
    async with connected(settings, user) as me:
        forbidden = EVERYTHING - MAY_PUBLISH[user]
        refused = {s for s in sorted(forbidden) if await me.refused(s, BODIES.get(s))}
        assert refused == forbidden
        assert await log.state() == before
        harmless = {s for s in MAY_PUBLISH[user] if user != "operator" or s.startswith("qry.")}
        refused = {s for s in sorted(harmless) if await me.refused(s)}
        assert refused == set()


@pytest.mark.parametrize("user", USERS)
async def test_a_user_hears_what_is_meant_for_it_and_nothing_else(
    user: str, server: tuple[Path, Settings], log: Log
) -> None:
    _, settings = server
    assert log
    async with connected(settings, user) as me:
        assert {s for s in sorted(LISTENING) if not await me.deaf(s)} == MAY_SUBSCRIBE[user]


def test_the_table_is_about_the_users_there_are() -> None:
    assert set(MAY_PUBLISH) == set(MAY_SUBSCRIBE) == set(USERS)
    provisioned_for = {d["config"]["name"]: d["stream_name"] for d in durables()}
    assert {f"{stream}.{name}" for name, stream in provisioned_for.items()} == set(DURABLE.values())
    for subjects in MAY_PUBLISH.values():
        assert subjects <= EVERYTHING
    for subjects in MAY_SUBSCRIBE.values():
        assert subjects <= LISTENING


# -- What is allowed has its effect, what is not has none -----------------------------------------------


@pytest.mark.parametrize("user", SERVICES)
async def test_a_service_records_its_own_events_and_reads_everybodys(
    user: str, server: tuple[Path, Settings], log: Log
) -> None:
    _, settings = server
    last = await log.last()
    async with connected(settings, user) as me:
        assert (await me.ask(f"evt.s-1.{user}.thing.2", {}))["seq"] == last + 1
        found = await me.ask("$JS.API.STREAM.MSG.GET.EVENTS", {"seq": 1})
        assert found["message"]["subject"] == "evt.s-1.campaign.thing.1"
        name = f"{user}-views"
        config = {"name": name, "ack_policy": "none", "deliver_policy": "all"}
        made = await me.ask(
            f"$JS.API.CONSUMER.CREATE.EVENTS.{name}", {"stream_name": "EVENTS", "config": config}
        )
        assert made["num_pending"] == last + 1
        inbox = me.client.new_inbox()
        delivered = await me.client.subscribe(inbox)
        await me.client.publish(
            f"$JS.API.CONSUMER.MSG.NEXT.EVENTS.{name}", b'{"batch": 1}', reply=inbox
        )
        assert (await delivered.next_msg(30)).subject == "evt.s-1.campaign.thing.1"
        assert (await me.ask(f"$JS.API.CONSUMER.DELETE.EVENTS.{name}"))["success"]
        assert me.complaints == []


async def test_no_header_makes_an_append_take_something_away(
    server: tuple[Path, Settings], log: Log
) -> None:
    _, settings = server
    before = await log.state()
    async with connected(settings, "campaign") as me:
        for headers in (
            {"Nats-Rollup": "all"},
            {"Nats-Rollup": "sub"},
            {"Nats-TTL": "1s"},
            {
                "Nats-Schedule": "@at 2000-01-01T00:00:00Z",
                "Nats-Schedule-Target": "evt.s-1.rectification.thing.1",
            },
            {"Nats-Schedule-Next": "purge", "Nats-Scheduler": "evt.s-1.campaign.thing.1"},
        ):
            answer = await me.ask("evt.s-1.campaign.thing.1", {}, headers)
            assert "error" in answer, headers
    assert await log.state() == before


async def test_a_service_answers_a_question_once(server: tuple[Path, Settings], log: Log) -> None:
    _, settings = server
    assert log
    async with (
        connected(settings, "gateway") as gateway,
        connected(settings, "campaign") as campaign,
        connected(settings, "feedback") as feedback,
    ):
        asked: asyncio.Queue[Msg] = asyncio.Queue()
        await campaign.client.subscribe("qry.*.campaign.*", "campaign", cb=asked.put)
        await campaign.caught_up()

        waiting = asyncio.create_task(gateway.ask("qry.s-1.campaign.people"))
        question = await asyncio.wait_for(asked.get(), 30)
        assert await feedback.refused(question.reply, {"ok": "forged"})
        assert not await campaign.refused(question.reply, {"ok": True})
        assert await waiting == {"ok": True}
        assert await campaign.refused(question.reply, {"ok": "again"})


async def test_the_operator_alone_changes_streams(server: tuple[Path, Settings], log: Log) -> None:
    _, settings = server
    name = f"SCRATCH-{uuid4().hex[:8]}"
    before = await log.state()
    config = {"name": name, "subjects": [f"scratch.{name}"], "storage": "memory"}
    api = "$JS.API.STREAM"
    assert (await log.operator.ask(f"{api}.CREATE.{name}", config))["config"]["name"] == name
    updated = await log.operator.ask(f"{api}.UPDATE.{name}", {**config, "max_msgs": 5})
    assert updated["config"]["max_msgs"] == 5
    assert (await log.operator.ask(f"{api}.PURGE.{name}"))["success"]
    for user in set(USERS) - {"operator"}:
        async with connected(settings, user) as me:
            for verb in ("UPDATE", "PURGE", "DELETE"):
                assert await me.refused(
                    f"{api}.{verb}.{name}", config if verb == "UPDATE" else None
                )
    assert (await log.operator.ask(f"{api}.DELETE.{name}"))["success"]
    assert await log.state() == before


async def test_an_answer_goes_no_further_than_who_asked_may(
    server: tuple[Path, Settings], log: Log
) -> None:
    _, settings = server
    before = await log.state()
    async with connected(settings, "campaign") as me:
        for reply in (
            "evt.s-1.rectification.thing.1",
            "sched.off.x",
            "$JS.API.STREAM.PURGE.SCHEDULES",
            "$JS.API.STREAM.DELETE.SCHEDULES",
        ):
            await me.refused("$JS.API.DIRECT.GET.EVENTS", {"seq": 1}, reply=reply)
            await me.refused("$JS.API.STREAM.INFO.EVENTS", reply=reply)
    assert await log.state() == before


# -- The product itself ----------------------------------------------------------------------------------


async def lived(school: School) -> None:
    """What makes every user do everything it does: commands, queries, a policy, a timer, the box."""
    opinion = {"verbatim_text": "食堂的菜到我们手里都凉了", "channel": "symposium"}
    said = (await school.do("teacher", "/opinions", opinion))["id"]
    dropped = await school.ask(None, "POST", "/opinions", {**opinion, "channel": "suggestion_box"})
    assert dropped.is_success, dropped.text
    await in_the_log(school, dropped.json()["id"])
    issue = await school.collated(said)
    await school.do("member", f"/issues/{issue}/claim")
    await raised_everywhere(school)


async def test_the_product_does_nothing_it_is_not_allowed_to(tmp_path: Path) -> None:
    embedded = Embedded(tmp_path / "servers")
    try:
        settings = embedded.start().with_changes(http_port=0, box_interval=0.05)
        async with running(settings) as stack:
            async with enrolled(stack) as school:
                await lived(school)
            brokers = [r.broker for r in stack.runtimes.values()]
            for broker in (*brokers, stack.clock.broker, stack.gateway.broker):
                assert broker._violations == [], broker.user
            assert stack.clock._set
        assert violations(embedded.data) == []
    finally:
        embedded.stop()


async def test_the_server_writes_down_who_tried_what_is_not_allowed(
    server: tuple[Path, Settings], log: Log
) -> None:
    data, settings = server
    assert log
    async with connected(settings, "feedback") as me:
        assert await me.refused("evt.s-2.campaign.thing.1")
    assert any("user:feedback" in v and "evt.s-2.campaign" in v for v in violations(data))

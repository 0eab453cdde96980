"""The demo killed with -9 in the middle of its work, servers and all, and everything started again."""

import asyncio
import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.demo import cast as casting
from services.demo.cast import BLOCKED, CLERKS, OPERATOR, Cast
from services.demo.rectifying import RUNGS
from services.rectification.events import IssueOpened
from services.rectification.policy import issue_of
from services.stack import NAMES, Stack, compared, running
from shared.embedded import Embedded
from shared.replay import whole_log
from shared.runtime import settled

pytestmark = [pytest.mark.live, pytest.mark.long]

ROOT = Path(__file__).parents[2]
TEXTS = 36  # opinions; every third is given without a name
PATIENCE = 120  # seconds


@dataclass
class Noted:
    """The demo's commands as it wrote them down, by key: what was sent, what came of it."""

    sent: dict[str, dict[str, Any]] = field(default_factory=dict)
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, path: Path) -> "Noted":
        noted = cls()
        for line in path.read_text().splitlines() if path.exists() else ():
            with suppress(json.JSONDecodeError):  # the line that was being written
                one = json.loads(line)
                if "told" not in one:
                    noted.sent[one["key"]] = one
                elif one["status"] < 300:
                    noted.told[one["key"]] = one["told"]
                else:
                    noted.refused.add(one["key"])
        return noted

    def count(self, fits: Callable[[Mapping[str, Any]], bool]) -> int:
        """How many commands of a kind were acknowledged."""
        return sum(fits(one) for key, one in self.sent.items() if key in self.told)


def something_waits_in_the_box(noted: Noted) -> bool:
    nameless = noted.count(lambda c: c["path"] == "opinions" and c["who"] is None)
    return nameless >= TEXTS // 6


def issues_are_being_opened(noted: Noted) -> bool:
    return noted.count(lambda c: c["path"].endswith("/close")) > 0


def deadlines_are_running(noted: Noted) -> bool:
    after = noted.count(lambda c: c["body"].get("setting") == "public_notice")
    return after > 0 and noted.count(lambda c: c["path"].endswith("/plan-measures")) > 12


@contextmanager
def demo(data: Path, opinions: Path, record: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`taizhang demo` as a process of its own."""
    command = [sys.executable, "-m", "services.cli", "demo", "--json", "--data", str(data)]
    child = subprocess.Popen(
        [*command, "--opinions", str(opinions), "--record", str(record)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield child
    finally:
        child.kill()
        child.wait(30)


async def killed_when(
    moment: Callable[[Noted], bool], data: Path, opinions: Path, record: Path
) -> Noted:
    """Play until a moment, then end all of it as a power failure would: at once, with SIGKILL."""
    with demo(data, opinions, record) as child:
        async with asyncio.timeout(PATIENCE):
            while not moment(Noted.read(record)):
                assert child.poll() is None, "the demo has ended too early"
                await asyncio.sleep(0.02)
        servers = [int((data / f"{name}.pid").read_text()) for name in ("nats", "mongo")]
        for pid in (child.pid, *servers):
            os.kill(pid, signal.SIGKILL)
    return Noted.read(record)


@dataclass
class Again:
    """One school of the demo after the restart, where its commands are sent again."""

    stack: Stack
    client: httpx.AsyncClient
    noted: Noted
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(16))

    def __post_init__(self) -> None:
        self.school = next(iter(self.noted.sent.values()))["school"]
        cast = Cast(self.school, self.stack.gateway.issuer, casting.roster())
        for who in (OPERATOR, *(person.key for person in cast.roster)):
            cast.admit(who)
        self.tokens = cast.tokens

    async def send(self, key: str) -> httpx.Response:
        """The command of a key, as it was."""
        one = self.noted.sent[key]
        headers = {"Idempotency-Key": key}
        if one["who"]:
            headers["Authorization"] = f"Bearer {self.tokens[one['who']]}"
        url = f"/v1/{self.school}/{one['path']}"
        async with self.turns:
            return await self.client.post(url, json=one["body"], headers=headers)

    async def send_all(self, keys: list[str]) -> dict[str, httpx.Response]:
        """The commands of some keys, many at once."""
        answers = await asyncio.gather(*map(self.send, keys))
        return dict(zip(keys, answers, strict=True))

    async def all(self, path: str) -> list[dict[str, Any]]:
        """Every item of a list."""
        found: list[dict[str, Any]] = []
        after: int | None = 0
        headers = {"Authorization": f"Bearer {self.tokens[CLERKS[0]]}"}
        while after is not None:
            url = f"/v1/{self.school}/{path}?after={after}&limit=200"
            page = (await self.client.get(url, headers=headers)).json()
            found += page["items"]
            after = page["next"]
        return found


def counts(told: Mapping[str, Any]) -> bool:
    """Whether an answer says that something was recorded, or waits in the box."""
    return bool(told.get("event") or told.get("receipt"))


async def assert_nothing_is_lost_or_twice(again: Again) -> None:
    """Everything acknowledged is there, at its place; what was under way counts once."""
    noted, stack = again.noted, again.stack
    recorded = {key: told for key, told in noted.told.items() if counts(told)}
    unsure = [key for key in noted.sent if key not in noted.told.keys() | noted.refused]

    repeated = await again.send_all(list(recorded))
    now_sent = await again.send_all(unsure)
    and_again = await again.send_all([k for k, a in now_sent.items() if counts(a.json())])

    for key, first in recorded.items():
        assert repeated[key].json() == {**first, "repeated": True}, noted.sent[key]
    for key, answer in and_again.items():
        assert answer.json() == {**now_sent[key].json(), "repeated": True}, noted.sent[key]

    runtime = stack.runtimes["feedback"]
    async with asyncio.timeout(PATIENCE):
        while await runtime.mongo.keep("box").count({}):
            await asyncio.sleep(0.1)
    await settled(stack.gateway.broker, NAMES, 0, within=PATIENCE)
    log = {record.position: str(record.id) async for record in whole_log(runtime.broker)}
    assert {
        t["position"]: t["event"] for t in recorded.values() if t["event"]
    }.items() <= log.items()
    assert len(log) == len(set(log.values())) == max(log)

    told = {**recorded, **{key: answer.json() for key, answer in and_again.items()}}
    said = {told[key]["id"] for key in told if noted.sent[key]["path"] == "opinions"}
    assert {opinion["id"] for opinion in await again.all("opinions")} == said


async def assert_every_group_became_one_issue(again: Again) -> None:
    """The policy was at work, or had done its work: a group of the collation is an issue, once."""
    places = [(c["path"].split("/"), c["body"]) for c in again.noted.sent.values()]
    groups = [issue_of(place[1], b["key"]) for place, b in places if place[-1] == "group-opinions"]
    broker = again.stack.runtimes["feedback"].broker
    opened = [
        record.stream
        async for record in whole_log(broker)
        if record.school == again.school
        and isinstance(record.event, IssueOpened)
        and any(source.opinions for source in record.event.sources)
    ]

    assert groups
    assert sorted(opened) == sorted(groups)


async def assert_every_rung_is_climbed_once(again: Again) -> None:
    """The timers that were running fire, each once."""
    blocked = next(i for i in await again.all("issues") if i["title"] == BLOCKED.title)
    headers = {"Authorization": f"Bearer {again.tokens[CLERKS[0]]}"}
    rungs: list[str] = []
    async with asyncio.timeout(PATIENCE):
        while set(rungs) != RUNGS:
            await asyncio.sleep(0.1)
            url = f"/v1/{again.school}/issues/{blocked['id']}"
            issue = (await again.client.get(url, headers=headers)).json()
            rungs = [rung["rung"] for rung in issue["rungs"]]
    assert len(rungs) == len(RUNGS)


async def test_killed_in_the_middle_of_the_demo_it_loses_nothing_and_repeats_nothing(
    tmp_path: Path,
) -> None:
    data, opinions = tmp_path / "data", tmp_path / "opinions.csv"
    with opinions.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["text"], *([f"第 {n} 条意见"] for n in range(TEXTS))])

    moments = (something_waits_in_the_box, issues_are_being_opened, deadlines_are_running)
    noted = [await killed_when(m, data, opinions, tmp_path / m.__name__) for m in moments]

    embedded = Embedded(data)
    settings = embedded.start().with_changes(http_port=0, box_interval=0.5)
    try:
        async with (
            running(settings) as stack,
            httpx.AsyncClient(base_url=stack.url, timeout=60) as client,
        ):
            schools = [Again(stack, client, one) for one in noted]
            assert len({again.school for again in schools}) == len(moments)
            for again in schools:
                await assert_nothing_is_lost_or_twice(again)
            for again in schools[1:]:
                await assert_every_group_became_one_issue(again)
            await assert_every_rung_is_climbed_once(schools[-1])
            await settled(stack.gateway.broker, NAMES, 0, within=PATIENCE)
            runtime = stack.runtimes["feedback"]
            comparison = await compared(stack.settings, runtime.mongo)
    finally:
        embedded.stop()

    assert comparison.good, comparison.as_data()

"""The whole product killed with -9 in the middle of its work, servers and all, and started again."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from services.stack import SERVICES, running
from shared.embedded import Embedded
from shared.replay import compare
from shared.runtime import now
from shared.security import LOCAL_ISSUER, Issuer
from tests.live.school import School

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]
AT_ONCE = 8
ACKNOWLEDGED_BEFORE = 60


@contextmanager
def product(data: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`taizhang up` as a process of its own, and where it listens."""
    command = [sys.executable, "-m", "services.cli", "up", "--data", str(data)]
    child = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert child.stdout is not None
        for line in child.stdout:
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                yield child, found[0]
                return
        pytest.fail("the product did not start")
    finally:
        child.terminate()
        child.wait(30)
        if child.stdout:
            child.stdout.close()


def kill_everything(child: subprocess.Popen[str], data: Path) -> None:
    """As a power failure would: the product and both servers, at once, with SIGKILL."""
    servers = [int((data / f"{name}.pid").read_text()) for name in ("nats", "mongo")]
    for pid in (child.pid, *servers):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    child.wait(10)


@dataclass
class Client:
    """Submits opinions, each under a key of its own, and remembers what was acknowledged."""

    url: str
    school: str
    token: str
    acknowledged: dict[str, dict[str, object]] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)

    async def submit(self, client: httpx.AsyncClient, key: str) -> httpx.Response:
        return await client.post(
            f"{self.url}/v1/{self.school}/opinions",
            json={"verbatim_text": f"第 {key} 条意见", "channel": "symposium"},
            headers={"Authorization": f"Bearer {self.token}", "Idempotency-Key": key},
        )

    async def work(self, client: httpx.AsyncClient) -> None:
        """Until nobody answers any more."""
        with suppress(httpx.HTTPError):
            while True:
                key = str(uuid4())
                self.keys.append(key)
                answer = await self.submit(client, key)
                if answer.is_success:
                    self.acknowledged[key] = answer.json()


async def found_a_school(url: str, issuer: Issuer) -> tuple[str, str]:
    """A school with one teacher; gives the school and the teacher's token."""
    school, operator = f"s-{uuid4().hex[:8]}", frozenset({"operator"})
    token = issuer.token("operator:tests", roles=operator, lifetime=600)
    async with httpx.AsyncClient(
        base_url=f"{url}/v1/{school}", headers={"Authorization": f"Bearer {token}"}, timeout=30
    ) as client:
        joined = now().date().replace(year=now().year - 1).isoformat()
        enrolled = await client.post("/schools", json={"name": "示范中学", "zone": "Asia/Shanghai"})
        seen = {"Taizhang-Min-Position": enrolled.headers["Taizhang-Position"]}
        person = await client.post(
            "/people", json={"name": "某老师", "joined_on": joined}, headers=seen
        )
        seen = {"Taizhang-Min-Position": person.headers["Taizhang-Position"]}
        account = {"issuer": LOCAL_ISSUER, "subject": school, "person": person.json()["id"]}
        opened = await client.post("/accounts", json=account, headers=seen)
        teacher = issuer.token(school, lifetime=600)
        said = await client.get(
            "/settings",
            headers={
                "Authorization": f"Bearer {teacher}",
                "Taizhang-Min-Position": opened.headers["Taizhang-Position"],
            },
        )
        assert said.status_code == 200, said.text
    return school, teacher


async def test_killed_in_the_middle_it_loses_nothing_acknowledged_and_repeats_nothing(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    with product(data) as (child, url):
        issuer = Issuer.load(data / "issuer.pem")
        school, token = await found_a_school(url, issuer)
        mine = Client(url, school, token)
        async with httpx.AsyncClient(timeout=30) as client:
            workers = [asyncio.create_task(mine.work(client)) for _ in range(AT_ONCE)]
            async with asyncio.timeout(60):
                while len(mine.acknowledged) < ACKNOWLEDGED_BEFORE:
                    await asyncio.sleep(0.01)
            kill_everything(child, data)
            await asyncio.gather(*workers)
    assert len(mine.keys) > len(mine.acknowledged)

    embedded = Embedded(data)
    settings = embedded.start().with_changes(http_port=0)
    try:
        async with running(settings) as stack:
            mine.url = stack.url
            async with httpx.AsyncClient(timeout=60) as client:
                replies = {key: (await mine.submit(client, key)).json() for key in mine.keys}
                desk = School(stack, school, client, tokens={"teacher": token})
                desk.position = max(int(reply["position"]) for reply in replies.values())
                await desk.settle()
            runtime = stack.runtimes["feedback"]
            submitted = await runtime.mongo.views("feedback.opinions.v1").count({"school": school})
            comparison = await compare(runtime.broker, runtime.mongo, SERVICES)
    finally:
        embedded.stop()

    for key, first in mine.acknowledged.items():
        assert replies[key] == {**first, "repeated": True}
    assert submitted == len(mine.keys)
    assert len({reply["event"] for reply in replies.values()}) == len(mine.keys)
    assert comparison.as_data()["good"], comparison.as_data()

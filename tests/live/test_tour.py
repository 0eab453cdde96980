"""README's tour, typed as it stands there: every line of it works, and the end is what it says."""

import asyncio
import json
import os
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.stack import Stack

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]
PASTED = 60  # seconds


def blocks(file: str) -> list[str]:
    """The shell blocks of a README."""
    return re.findall(r"^```bash\n(.*?)^```$", (ROOT / file).read_text(), re.DOTALL | re.MULTILINE)


async def pasted(shell: str, **variables: str) -> list[dict[str, Any]]:
    """Paste something into a fresh bash in the checkout; what it printed, line by line."""
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-eo",
        "pipefail",
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **variables},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    told, complaints = await asyncio.wait_for(process.communicate(shell.encode()), PASTED)
    assert (process.returncode, complaints.decode()) == (0, ""), told.decode()
    return [json.loads(line) for line in told.splitlines()]


async def test_every_line_of_the_tour_works_as_typed(stack: Stack) -> None:
    (tour,) = blocks("README.md")

    answers = await pasted(
        tour, TAIZHANG_URL=stack.url, TAIZHANG_ISSUER_FILE=str(stack.settings.issuer_file)
    )

    assert len(answers) == len(re.findall(r'^call "', tour, re.MULTILINE)) == 8
    assert [a for a in answers if "code" in a] == []
    school, person, account, said, heard, anonymous, receipt, ledger = answers
    assert [a["type"] for a in (school, person, account, said)] == [
        "campaign.school.enrolled.v1",
        "campaign.person.entered.v1",
        "campaign.account.opened.v1",
        "feedback.opinion.submitted.v1",
    ]
    assert [(o["id"], o["verbatim_text"]) for o in heard["items"]] == [
        (said["id"], "食堂的菜到我们手里都凉了")
    ]
    assert re.fullmatch(r"(\d{4}-){3}\d{4}", anonymous["receipt"])
    assert (receipt["id"], ledger["items"]) == (anonymous["id"], [])
    body = {"code": anonymous["receipt"]}
    async with httpx.AsyncClient(base_url=f"{stack.url}/v1/school-1") as client:
        async with asyncio.timeout(PASTED):
            while (found := (await client.post("/receipts", json=body)).json())[
                "state"
            ] == "received":
                await asyncio.sleep(0.05)
    assert (found["state"], found["verbatim_text"]) == ("submitted", "打饭要排半小时")


def test_the_tour_is_short_and_its_server_is_started_by_make() -> None:
    assert "`make up HTTP=127.0.0.1:8080`" in (ROOT / "README.md").read_text()
    (tour,) = blocks("README.md")
    assert len(tour.splitlines()) <= 14
    assert blocks("README.zh-CN.md") == []
    makefile = (ROOT / "Makefile").read_text()
    for file in ("README.md", "README.zh-CN.md"):
        for target in re.findall(r"^    make (\w+)", (ROOT / file).read_text(), re.MULTILINE):
            assert f"\n{target}: env" in makefile

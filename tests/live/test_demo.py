"""The demo is the product's own proof: it must come out right, twice, and with anybody's texts."""

import asyncio
import csv
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from services.demo.cast import texts_of
from services.demo.story import play
from services.rectification.events import IssueEvent, VerdictRecorded
from services.stack import Stack

pytestmark = pytest.mark.live

WITHIN = 240  # seconds for one demo, on a machine that has other things to do

NASTY = [
    "食堂的\t菜\u00a0凉了",
    "热",
    "第一行\n第二行\r\n第三行",
    '他说"没办法",就走了',
    "=HYPERLINK(1)",
    "~1~not-a-token",
    "热水器🔥坏了 \u202e反过来",
    "长" * 20_000,
    *["宿舍没有热水"] * 3,
    "",
    " \u3000\t",
    "\u200b\u200b",
    "响铃\x07",
    "太长" * 10_001,
]
BROKEN = {
    "R14": "黎振邦",
    "R15": "",
    "R16": "蓝素琴",
    "R47": "曾楠、蓝素琴",
    "R52": "",
    "R54": "",
}
"""Rules the story breaks, and the people the product has to name for each; else it names a record."""
UNFIT = 5
"""How many of them say nothing, or more than can be said."""


async def demo(data: Path) -> dict[str, Any]:
    """One run of the command, to the data it prints."""
    command = [sys.executable, "-m", "services.cli", "demo", "--json", "--data", str(data)]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        told, complaints = await asyncio.wait_for(process.communicate(), WITHIN)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    assert process.returncode == 0, complaints.decode()[-2_000:] + told.decode()[-2_000:]
    result: dict[str, Any] = json.loads(told)
    return result


async def test_the_demo_comes_out_right_twice_in_the_same_place(tmp_path: Path) -> None:
    first, second = await demo(tmp_path), await demo(tmp_path)

    assert (first["school"], second["school"]) == ("demo-1", "demo-2")
    for told in (first, second):
        assert told["good"], [check for check in told["checks"] if not check["good"]]
        assert told["people"] >= 60
        assert told["branches"] == 3
        assert told["opinions"]["recorded"] == 300
        assert told["opinions"]["anonymous"] == 105
        assert told["balance"] == {"received": 300, "grouped": 280, "refused": 20, "left": 0}
        assert told["summary"]["total"] >= 40
        assert {event.TYPE for event in IssueEvent.__value__.__args__} <= told["events"].keys()
        assert len(told["refusals"]) >= 60
        assert [r for r in told["refusals"] if not r["good"]] == []
        assert len(told["board"]) == 88
        assert {broken["rule"]: broken["named"] for broken in told["broken"]} == BROKEN
        assert told["ballot"]["printed"] == told["ballot"]["counted"] == 11
        assert len(told["traced"]) == 3
        assert told["comparison"]["good"]
        assert told["biography"]["events"][-1]["type"] == VerdictRecorded.TYPE
    assert second["comparison"]["events"] > first["comparison"]["events"]


async def test_the_demo_plays_with_texts_as_nasty_as_they_come(
    stack: Stack, tmp_path: Path
) -> None:
    path = tmp_path / "opinions.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([["id", "body"], *enumerate(NASTY)])
    texts = texts_of(path, "body")

    result = await play(stack, opinions=texts, tell=lambda _: None)

    assert texts == NASTY
    assert result.good, [check for check in result.checks if not check.good]
    assert result.opinions["unfit"] == {"invalid": UNFIT}
    assert result.opinions["recorded"] == len(NASTY) - UNFIT
    assert result.balance["left"] == 0


@pytest.mark.parametrize("raw", [b"id,text\n1,x\n", b"\xff\xfe\x00", b""])
def test_a_file_without_the_column_is_refused_in_one_line(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "opinions.csv"
    path.write_bytes(raw)
    with pytest.raises(ValueError, match=r"opinions\.csv"):
        texts_of(path, "body")

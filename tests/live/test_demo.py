"""The demo is the product's own proof: it must come out right, twice, and with anybody's texts."""

import asyncio
import csv
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from services.demo.cast import texts_of
from services.rectification.events import IssueEvent, VerdictRecorded

pytestmark = [pytest.mark.live, pytest.mark.long]

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


async def demo(data: Path, *options: str) -> dict[str, Any]:
    """One run of the command, to the data it prints."""
    command = [sys.executable, "-m", "services.cli", "demo", "--json", "--data", str(data)]
    process = await asyncio.create_subprocess_exec(
        *command, *options, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
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


def texts_file(path: Path) -> Path:
    """The nasty texts as somebody would have them, in a table."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([["id", "body"], *enumerate(NASTY)])
    return path


async def test_the_demo_comes_out_right_and_again_in_the_same_place_with_nasty_texts(
    tmp_path: Path,
) -> None:
    path = texts_file(tmp_path / "opinions.csv")

    first = await demo(tmp_path / "data")
    second = await demo(tmp_path / "data", "--opinions", str(path), "--text-column", "body")

    assert (first["school"], second["school"]) == ("demo-1", "demo-2")
    for told in (first, second):
        assert told["good"], [check for check in told["checks"] if not check["good"]]
        assert told["people"] >= 60
        assert told["branches"] == 3
        assert told["summary"]["total"] >= 40
        assert {event.TYPE for event in IssueEvent.__value__.__args__} <= told["events"].keys()
        assert len(told["refusals"]) >= 60
        assert [r for r in told["refusals"] if not r["good"]] == []
        assert len(told["board"]) == 88
        assert {broken["rule"]: broken["named"] for broken in told["broken"]} == BROKEN
        assert told["ballot"]["printed"] == told["ballot"]["counted"] == 11
        assert told["log"]["good"]
        assert not told["comparison"]["found"]
        assert VerdictRecorded.TYPE in {e["type"] for e in told["biography"]["events"]}
    assert first["opinions"]["recorded"] == 300
    assert first["opinions"]["anonymous"] == 105
    assert first["balance"] == {"received": 300, "grouped": 280, "refused": 20, "left": 0}
    assert len(first["traced"]) == 3
    assert second["opinions"]["unfit"] == {"invalid": UNFIT}
    assert second["opinions"]["recorded"] == len(NASTY) - UNFIT
    assert second["balance"]["left"] == 0
    assert second["log"]["events"] > first["log"]["events"]


def test_texts_come_out_of_a_table_as_they_are(tmp_path: Path) -> None:
    assert texts_of(texts_file(tmp_path / "opinions.csv"), "body") == NASTY


@pytest.mark.parametrize("raw", [b"id,text\n1,x\n", b"\xff\xfe\x00", b""])
def test_a_file_without_the_column_is_refused_in_one_line(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "opinions.csv"
    path.write_bytes(raw)
    with pytest.raises(ValueError, match=r"opinions\.csv"):
        texts_of(path, "body")

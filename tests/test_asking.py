"""The commands that ask the gateway: one line when it cannot be asked, words shown as they are."""

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import typer
from pydantic_core import to_json
from typer.testing import CliRunner

from services.cli import app
from services.cli.ask import Door, life, schools
from services.cli.base import CANNOT, out, run
from services.oversight.rules.overview import overview
from shared.decider import Unavailable
from shared.journal import LogDamaged
from tests.oversight.deeds import opened
from tests.oversight.test_figures import FIVE
from tests.oversight.town import TODAY, world

if TYPE_CHECKING:
    from wsgiref.types import StartResponse

ASKING = (["rules"], ["outstanding"], ["diff", "2023-05-01", "2023-05-08"], ["biography", "i1"],
          ["overview"])  # fmt: skip
NOWHERE = ("http://127.0.0.1:1", "127.0.0.1", "http://127.0.0.1:port", "http://[", "")


def asked(*arguments: str, url: str = NOWHERE[0], bearer: str = "signed") -> tuple[int, str, str]:
    place = ("--school", "school-1", "--url", url)
    ended = CliRunner().invoke(app, [*arguments, *place], env={"TAIZHANG_TOKEN": bearer})
    assert ended.exception is None or isinstance(ended.exception, SystemExit)
    return ended.exit_code, ended.stdout, ended.stderr


@pytest.mark.parametrize("arguments", ASKING, ids=lambda a: str(a[0]))
def test_a_gateway_that_does_not_answer_is_one_line(arguments: list[str]) -> None:
    code, told, why = asked(*arguments)

    assert (code, told) == (CANNOT, "")
    assert why.startswith("taizhang: http://127.0.0.1:1 does not answer: ")
    assert why.count("\n") == 1


@pytest.mark.parametrize("url", NOWHERE)
def test_what_is_no_address_is_one_line_too(url: str) -> None:
    code, told, why = asked("rules", url=url)

    assert (code, told) == (CANNOT, "")
    assert why.startswith("taizhang: ")
    assert why.count("\n") == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [("404 ", b'{"detail": "Not Found"}'), ("200 ", b"[]"), ("200 ", b"welcome")],
)
def test_what_is_no_gateway_is_one_line_too(
    status: str, body: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    def elsewhere(_: object, start: "StartResponse") -> list[bytes]:
        start(status, [])
        return [body]

    client = httpx.Client(transport=httpx.WSGITransport(app=elsewhere), base_url="http://x")
    with client, pytest.raises(typer.Exit) as ended:
        Door(client).get("board")

    assert ended.value.exit_code == CANNOT
    assert capsys.readouterr().err == (
        f"taizhang: http://x/board is no door of taizhang ({status.strip()})\n"
    )


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (LogDamaged("a position behind 7 is missing in the log"),) * 2,
        (Unavailable("database"), "the database does not answer"),
    ],
    ids=["damaged", "away"],
)
def test_what_keeps_a_command_from_its_work_is_one_line(
    trouble: Exception, told: object, capsys: pytest.CaptureFixture[str]
) -> None:
    async def work() -> int:
        raise trouble

    with pytest.raises(typer.Exit) as ended:
        run(work())

    assert ended.value.exit_code == CANNOT
    assert capsys.readouterr().err == f"taizhang: {told}\n"


def test_a_token_that_cannot_be_sent_is_one_line() -> None:
    assert asked("rules", bearer="令牌") == (
        CANNOT,
        "",
        "taizhang: no such address, school or token\n",
    )


def test_what_people_wrote_is_printed_as_they_wrote_it() -> None:
    event: dict[str, Any] = {"position": 1, "at": "2023-05-01T02:00:00Z", "actor": "p1"}
    words = {"text": "见[/附件]与[red]标注:smile:"}
    told: dict[str, Any] = {
        "id": "i1",
        "items": [{**event, "type": "a.b.c.v1", "event": words}],
        "sources": [{"kind": "talk", "id": "t1"}],
        "lines": [{"plan": "p1", "due_on": "2023-06-30", "task": "更换[增压泵]"}],
        "regulations": [{"id": "r1", "title": "供水办法", "stage": "adopted"}],
        "names": {"p1": "韩朴"},
    }

    with out.capture() as printed:
        out.print(life(told), width=200)

    plan, rule = "p1 2023-06-30 更换[增压泵]", "adopted 供水办法"
    for shown in (words["text"], "韩朴", "talk t1", plan, rule):
        assert shown in printed.get()


def test_schools_are_printed_in_sums_and_a_rate_of_few_is_a_dash() -> None:
    told = [
        {"name": "示范中学", **overview(world(*some), TODAY)} for some in (FIVE, [opened("i1")])
    ]

    with out.capture() as printed:
        out.print(schools({"items": json.loads(to_json(told))}), width=80)

    rows = [line.split("│")[1:-1] for line in printed.get().splitlines() if "示范中学" in line]
    many, few = ([cell.strip() for cell in row] for row in rows)
    assert (many[:2], many[4:]) == (["示范中学", "无"], ["5/5", "0/0", "20% 60% 76%"])
    assert few[4:] == ["0/1", "1/1", "-"]


@pytest.mark.parametrize(
    "when",
    [[], ["--position", "1", "--at", "2026-01-01T00:00:00Z"], ["--at", "2026-01-01T00:00:00"]],
)
def test_a_moment_is_a_position_or_an_instant_with_its_zone(when: list[str]) -> None:
    ended = CliRunner().invoke(app, ["as-of", "rectification.issues", "s-1", "i-1", *when])
    assert ended.exit_code == CANNOT

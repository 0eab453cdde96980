"""The commands that ask the gateway: one line when it cannot be asked, words shown as they are."""

from typing import Any

import pytest
from typer.testing import CliRunner

from services.cli import CANNOT, app, life, out

ASKING = (["rules"], ["outstanding"], ["diff", "2023-05-01", "2023-05-08"], ["biography", "i1"])
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
    }

    with out.capture() as printed:
        out.print(life(told), width=200)

    for shown in (words["text"], "talk t1", "p1 2023-06-30 更换[增压泵]"):
        assert shown in printed.get()

"""Keys and repetitions: what is sent again counts once, and nobody's keys are in another's way."""

import asyncio
from typing import Any

import pytest

from tests.live.school import School

pytestmark = pytest.mark.live

SAID = {"verbatim_text": "食堂的菜是凉的", "channel": "wechat"}
OTHER = {"verbatim_text": "操场的灯坏了", "channel": "wechat"}


async def test_two_people_may_both_count_from_one(school: School) -> None:
    first = await school.do("teacher", "/opinions", SAID, Idempotency_Key="1")
    second = await school.do("clerk", "/opinions", OTHER, Idempotency_Key="1")

    again = await school.do("teacher", "/opinions", SAID, Idempotency_Key="1")

    assert second["id"] != first["id"]
    assert not second["repeated"]
    assert again == {**first, "repeated": True}


async def test_one_persons_key_is_good_for_one_request(school: School) -> None:
    await school.do("teacher", "/opinions", SAID, Idempotency_Key="1")

    problem = await school.refused("teacher", "/opinions", OTHER, Idempotency_Key="1")

    assert (problem["status"], problem["code"]) == (422, "key-reused")


async def imported(school: School, who: str, plural: str, table: str) -> Any:
    answer = await school.client.post(
        f"/v1/{school.id}/{plural}/import",
        content=table.encode(),
        headers={
            "Authorization": f"Bearer {school.tokens[who]}",
            "Taizhang-Min-Position": str(school.position),
        },
    )
    assert answer.status_code == 200, answer.text
    school.position = max(school.position, int(answer.headers["Taizhang-Position"]))
    return answer.json()


@pytest.mark.parametrize(
    ("plural", "table"),
    [
        ("people", "姓名,编号,到校日期\n赖国栋,T1,2023-01-01\n苏小梅,,2020-09-01\n"),
        ("opinions", "意见原文,渠道\n食堂的菜是凉的,座谈会\n食堂的菜是凉的,座谈会\n"),
    ],
)
async def test_a_colleagues_upload_of_the_same_file_finds_it_there(
    school: School, plural: str, table: str
) -> None:
    await school.enter("colleague", ("school_administrator", "collator"))
    first = await imported(school, "clerk", plural, table)
    before = await school.settle()

    second = await imported(school, "colleague", plural, table)
    own = await imported(school, "clerk", plural, table)

    assert (first["accepted"], second["accepted"], second["refused"]) == (2, 2, 0), second
    assert [(row["ok"], row["repeated"]) for row in second["rows"]] == [(True, True)] * 2
    assert own["rows"] == [{**row, "repeated": True} for row in first["rows"]]
    assert await school.settle() == before


async def test_who_waits_for_a_position_is_answered_when_it_comes(school: School) -> None:
    await school.settle()
    ahead = str(school.position + 1)

    seen, _ = await asyncio.gather(
        school.ask("clerk", "GET", "/opinions", Taizhang_Min_Position=ahead, Prefer="wait=5"),
        school.do("teacher", "/opinions", SAID),
    )

    assert seen.status_code == 200
    assert int(seen.headers["Taizhang-Position"]) >= int(ahead)

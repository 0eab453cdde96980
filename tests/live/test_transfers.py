"""Somebody leaves: all their issues go to somebody else in one request, and each tells what became of it."""

from typing import Any
from uuid import uuid4

import pytest

from services.gateway import transfers
from shared.envelope import Record
from tests.live.school import ISSUE, School
from tests.live.test_journey import measures

pytestmark = pytest.mark.live

REASON = "调离"


async def claimed(school: School, count: int, who: str = "member") -> list[str]:
    """Issues that somebody has claimed, in the order of the ledger."""
    issues = [str((await school.do("clerk", "/issues", ISSUE))["id"]) for _ in range(count)]
    for issue in issues:
        await school.do(who, f"/issues/{issue}/claim")
    return issues


def body(school: School, to: str) -> dict[str, str]:
    return {"to": school.people[to], "reason": REASON}


def path(school: School, who: str = "member", query: str = "") -> str:
    return f"/people/{school.people[who]}/transfer-issues{query}"


async def life(school: School, issue: str) -> list[Record]:
    return await school.stack.runtimes["rectification"].journal.read(
        f"evt.{school.id}.rectification.issue.{issue}"
    )


async def owner(school: School, issue: str) -> Any:
    return (await school.get("clerk", f"/issues/{issue}"))["owner"]


async def test_everything_goes_however_many_pages_it_is_and_repeating_it_changes_nothing(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfers, "PAGE", 2)
    theirs = await claimed(school, 1, "other")
    mine = await claimed(school, 5)
    goal = {"reason": "需分期", "stage_goal": "本学期完成一半"}
    await school.do("leader", f"/issues/{mine[0]}/convert-to-long-term", goal)
    key = str(uuid4())

    told = await school.do("leader", path(school), body(school, "other"), Idempotency_Key=key)
    again = await school.do("leader", path(school), body(school, "other"), Idempotency_Key=key)
    later = await school.do("leader", path(school), body(school, "other"))

    assert (told["accepted"], told["refused"], told["dry_run"]) == (5, 0, False), told
    assert [(row["row"], row["id"]) for row in told["rows"]] == list(enumerate(mine, start=1))
    assert {row["type"] for row in told["rows"]} == {"rectification.issue.transferred.v1"}
    assert again == {**told, "rows": [{**row, "repeated": True} for row in told["rows"]]}
    assert later["rows"] == []
    for issue in (*mine, *theirs):
        assert await owner(school, issue) == school.people["other"]
        transferred = [r for r in await life(school, issue) if "transferred" in r.type]
        assert len(transferred) == (issue in mine)


async def test_what_is_refused_stays_and_says_why_and_the_rest_goes(school: School) -> None:
    simple, planned = await claimed(school, 2)
    await school.do("member", f"/issues/{planned}/plan-measures", measures(school))  # other reviews

    dry = await school.do("leader", path(school, query="?dry_run=1"), body(school, "other"))
    assert await owner(school, simple) == school.people["member"]
    told = await school.do("leader", path(school), body(school, "other"))

    assert (dry["dry_run"], dry["accepted"], dry["refused"]) == (True, 1, 1)
    assert (told["dry_run"], told["accepted"], told["refused"]) == (False, 1, 1)
    good, bad = told["rows"]
    assert (good["id"], good["ok"]) == (simple, True)
    assert (bad["id"], bad["ok"], bad["code"]) == (planned, False, "four-eyes")
    assert bad["title"]["zh"]
    assert await owner(school, planned) == school.people["member"]


async def test_the_commands_own_rights_decide(school: School) -> None:
    (issue,) = await claimed(school, 1)

    nobody = await school.ask(None, "POST", path(school), body(school, "other"))
    stranger = await school.do("teacher", path(school), body(school, "other"))
    own = await school.do("member", path(school), body(school, "other"))

    assert (nobody.status_code, nobody.json()["code"]) == (401, "unauthenticated")
    assert [row["code"] for row in stranger["rows"]] == ["not-the-owner"]
    assert [row["ok"] for row in own["rows"]] == [True]
    assert await owner(school, issue) == school.people["other"]


async def test_nobody_of_that_id(school: School) -> None:
    (issue,) = await claimed(school, 1)
    nobody = {"to": str(uuid4()), "reason": REASON}

    unknown = await school.ask(
        "leader", "POST", f"/people/{uuid4()}/transfer-issues", body(school, "other")
    )
    told = await school.do("leader", path(school), nobody)
    unfit = await school.ask("leader", "POST", path(school), {"to": "a.b", "reason": REASON})

    assert (unknown.status_code, unknown.json()["code"]) == (404, "not-found")
    assert [(row["id"], row["code"]) for row in told["rows"]] == [(issue, "nobody-there")]
    assert (unfit.status_code, unfit.json()["code"]) == (422, "invalid")
    assert await owner(school, issue) == school.people["member"]

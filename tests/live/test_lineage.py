"""Measures of a self-examination and of a meeting become lines of the plan; what has none is listed (R90)."""

from datetime import timedelta
from typing import Any

import pytest

from tests.live.refusing import assert_refused
from tests.live.school import ISSUE, School, set_policy
from tests.live.test_meetings import SECTIONS, WORDS, held, over, today
from tests.live.test_oversight import figures

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("quiet")]

SOON = (today() + timedelta(days=30)).isoformat()


async def promised(school: School, campaign: str, issue: str) -> dict[str, str]:
    """A measure of a self-examination that was handed in; gives how a line names it."""
    measure = {"key": "pump", "text": "更换增压泵", "issues": [issue]}
    paper = {**dict.fromkeys(SECTIONS, WORDS), "measures": [measure]}
    mine = {"campaign": campaign, "subject": "person", "person": school.people["member"]}
    report = (await school.do("member", "/examinations", {**mine, **paper}))["id"]
    await school.do("member", f"/examinations/{report}/submit")
    return {"kind": "examination", "id": report, "key": "pump"}


async def resolved(school: School, issue: str) -> dict[str, str]:
    """A measure that a democratic life meeting resolved; gives how a line names it."""
    meeting = await held(school)
    resolving = {"key": "m-1", "text": "取消十三种台账", "deliverable": "目录", "due_on": SOON}
    who = {"owner": school.people["member"], "issues": [issue]}
    await school.do("clerk", f"{meeting}/resolve-measure", {**resolving, **who})
    await over(school, meeting)
    return {"kind": "meeting", "id": meeting.rpartition("/")[2], "key": "m-1"}


async def uncovered(school: School) -> tuple[list[tuple[str, str]], list[str]]:
    """The measures, and the issues of the team, that no plan has a line for."""
    await school.settle()
    found = (await school.get("leader", "/measures?covered=false"))["items"]
    measures = [(m["id"], one["key"]) for m in found for one in m["measures"]]
    owed = (await school.get("leader", "/outstanding?rule=R90"))["items"]
    return measures, sorted(item["subject"][0] for item in owed)


def line(school: School, issue: str, *origins: dict[str, str]) -> dict[str, Any]:
    people = school.people
    when = {"begins_on": today().isoformat(), "due_on": SOON}
    who = {"owner": people["member"], "division": [people["other"]]}
    return {"issue": issue, "task": "按措施整改", **who, **when, "origins": origins}


async def test_measures_become_lines_of_the_plan_until_nothing_is_left_uncovered(
    school: School,
) -> None:
    campaign = await set_policy(school)
    pump, papers = [(await school.do("clerk", "/issues", ISSUE))["id"] for _ in range(2)]
    await school.settle()
    promise, resolution = await promised(school, campaign, pump), await resolved(school, papers)
    both = [(taken["id"], taken["key"]) for taken in (promise, resolution)]
    assert await uncovered(school) == (both, sorted((pump, papers)))

    draft = {"campaign": campaign, "title": "领导班子整改方案"}
    plan = f"/plans/{(await school.do('leader', '/plans', draft))['id']}"
    invented = line(school, pump, {**promise, "key": "invented"})
    await assert_refused(school, "unknown-measure", "member", f"{plan}/set-plan-line", invented)
    await school.do("member", f"{plan}/set-plan-line", line(school, pump, promise))
    await school.do("leader", f"{plan}/adopt")
    assert await uncovered(school) == (both[1:], [papers])
    (shown,) = (await school.get("teacher", "/plans"))["items"]
    assert shown["uncovered"] == shown["uncovered_now"] == [papers]
    assert shown["lines"][0]["origins"] == [{**promise, "counts": True}]

    await school.do("leader", f"{plan}/reopen", {"reason": "补充民主生活会查摆的问题"})
    await school.do("member", f"{plan}/set-plan-line", line(school, papers, resolution))
    await school.do("leader", f"{plan}/adopt")
    assert await uncovered(school) == ([], [])
    assert (await figures(school, "R90"))[:2] == (2, 2)

    told = await school.get("teacher", f"/issues/{papers}/biography")
    assert told["items"][-1]["type"] == "rectification.plan.line-set.v1"
    assert [(one["stage"], one["origins"]) for one in told["lines"]] == [("adopted", [resolution])]

"""What is found in a talk, at a meeting, on a visit, by an inspection stands on the ledger."""

from datetime import timedelta
from typing import Any

import pytest

from shared.runtime import now
from tests.live.school import School

pytestmark = pytest.mark.live

PROBLEM: dict[str, Any] = {
    "key": "hot-water",
    "title": "四楼晚自习后没有热水",
    "description": "报修三次无人答复",
    "addressee": "team",
    "winds": ["bureaucratism"],
    "topics": ["dormitory"],
    "discovery": "peer_raised",
    "strongly_reflected": True,
}


async def raised_everywhere(school: School) -> dict[str, str]:
    """Raise one problem in each place where problems are found; gives the places by the source's kind."""
    member, leader = school.people["member"], school.people["leader"]
    today, began = _days_away(0), (now() - timedelta(hours=1)).isoformat()
    year = {"begins_on": _days_away(-100), "ends_on": _days_away(100)}
    await school.do("clerk", "/calendars", {**year, "terms": [{**year, "number": 1}]})

    asked = (await school.do("member", "/talk-requests", {"asked": leader, "about": "热水"}))["id"]
    await school.do("leader", f"/talk-requests/{asked}/accept", {})
    pair = {"kind": "one_by_one", "parties": [leader, member], "place": "办公室"}
    planned = {**pair, "planned_at": began, "request": asked}
    talk = (await school.do("leader", "/talks", planned))["id"]
    held = {**pair, "begun_at": began, "ended_at": now().isoformat()}
    await school.do("leader", f"/talks/{talk}/hold", held)
    await school.do("member", f"/talks/{talk}/raise-problem", PROBLEM)

    outline = {"kind": "leadership", "title": "班子会", "place": "会议室", "chair": leader}
    meeting = (await school.do("leader", "/meetings", outline))["id"]
    opened = {"began_at": began, "chair": leader, "recorder": school.people["clerk"]}
    await school.do("leader", f"/meetings/{meeting}/hold", opened)
    await school.do("leader", f"/meetings/{meeting}/raise-problem-at", PROBLEM)

    visited = {"kind": "staff_visit", "person": member, "visited": school.people["teacher"]}
    visit = (await school.do("member", "/activities", {**visited, "on": today}))["id"]
    await school.do("member", f"/activities/{visit}/raise-problem-from", PROBLEM)

    looked = {"kind": "other", "held_on": today, "scope": "宿舍", "found": "没有热水"}
    inspection = (await school.do("clerk", "/inspections", looked))["id"]
    await school.do("clerk", f"/inspections/{inspection}/raise-finding", PROBLEM)

    await school.settle()
    return {"talk": talk, "meeting": meeting, "visit": visit, "inspection": inspection}


def _days_away(days: int) -> str:
    return (now() + timedelta(days=days)).date().isoformat()


async def test_it_becomes_an_issue_that_says_where_it_comes_from(school: School) -> None:
    places = await raised_everywhere(school)

    issues = (await school.get("teacher", "/issues"))["items"]

    assert {i["sources"][0]["kind"]: i["sources"][0]["id"] for i in issues} == places
    said = PROBLEM.keys() - {"key"}
    for issue in issues:
        assert {name: issue[name] for name in said} == {name: PROBLEM[name] for name in said}
        told = (await school.get("teacher", f"/issues/{issue['id']}/biography"))["items"]
        assert [item["event"]["title"] for item in told] == [PROBLEM["title"]] * 2
    request = (await school.get("member", "/talk-requests"))["items"][0]
    assert request["talk"] == places["talk"]


async def test_what_becomes_of_it_there_reaches_the_issue_which_stands(school: School) -> None:
    places = await raised_everywhere(school)
    issues = (await school.get("teacher", "/issues"))["items"]
    found = {i["sources"][0]["kind"]: i["id"] for i in issues}
    for kind in ("meeting", "visit"):
        await school.do("member", f"/issues/{found[kind]}/claim")

    meeting, reason = f"/meetings/{places['meeting']}", {"reason": "重复登记"}
    reworded = {**PROBLEM, "title": "五楼没有热水", "reason": "楼层记错"}
    await school.do("clerk", f"{meeting}/correct-meeting-problem", reworded)
    await school.do("supervisor", f"{meeting}/void", reason)
    await school.do("supervisor", f"/talks/{places['talk']}/void", reason)
    await school.do("clerk", f"/activities/{places['visit']}/void", reason)
    await school.do("leader", f"/inspections/{places['inspection']}/void", reason)
    await school.settle()

    for kind, issue in found.items():
        line = await school.get("member", f"/issues/{issue}")
        assert line["title"] == PROBLEM["title"]
        assert line["stage"] == ("owned" if kind in {"meeting", "visit"} else "open")
        heard = [False, True] if kind == "meeting" else [True]
        assert [notice["voided"] for notice in line["notices"]] == heard
    findings = (await school.get("leader", "/findings?rule=R41.source-voided"))["items"]
    assert {one["subject"][0] for one in findings} == set(found.values())
    told = (await school.get("member", f"/issues/{found['meeting']}/biography"))["items"]
    assert [item["type"].split(".", 1)[1] for item in told][-4:] == [
        "issue.claimed.v1",
        "meeting.problem-corrected.v1",
        "issue.source-corrected.v1",
        "issue.source-voided.v1",
    ]
    parked = school.stack.runtimes["rectification"].mongo.keep("parked")
    assert await parked.find({"stream": {"$regex": f"^evt.{school.id}"}}) == []


async def test_whoever_raised_it_does_not_void_it_and_nobody_invents_a_source(
    school: School,
) -> None:
    places = await raised_everywhere(school)
    issues = (await school.get("clerk", "/issues"))["items"]
    found = {i["sources"][0]["kind"]: i["id"] for i in issues}

    void = {"reason": "重复"}
    own = await school.refused("clerk", f"/issues/{found['inspection']}/void", void)
    assert own["code"] == "four-eyes"
    await school.do("clerk", f"/issues/{found['talk']}/void", void)

    asked = {name: PROBLEM[name] for name in PROBLEM.keys() - {"key"}}
    for kind, place in places.items():
        invented = {**asked, "sources": [{"kind": kind, "id": f"{kind}-1"}]}
        assert (await school.refused("member", "/issues", invented))["code"] == "unknown-source"
        true = {**asked, "sources": [{"kind": kind, "id": place}]}
        await school.do("member", "/issues", true)

"""Meetings and self-examinations through the HTTP door: each waits for what has to come first."""

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.runtime import now
from tests.live.refusing import assert_refused
from tests.live.school import ISSUE, School, set_policy

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("quiet")]

WORDS = "对群众反映的热水问题拖了半年"
HIDDEN = {"masked": "sealed"}


def today() -> date:
    return now().astimezone(ZoneInfo("Asia/Shanghai")).date()


async def planned(school: School, kind: str = "democratic_life", **more: Any) -> str:
    """A meeting that the principal leader convenes; gives its path."""
    plan = {"kind": kind, "title": "专题会", "place": "会议室", "chair": school.people["leader"]}
    programme = {"programme": "会前学习、征求意见、谈心谈话"} if kind == "democratic_life" else {}
    told = await school.do("leader", "/meetings", {**plan, **programme, **more})
    return f"/meetings/{told['id']}"


def opening(school: School) -> dict[str, str]:
    people = school.people
    return {
        "began_at": now().isoformat(),
        "chair": people["leader"],
        "recorder": people["clerk"],
    }


async def held(school: School) -> str:
    """A democratic life meeting that was approved and agreed on, and is going on without `other`."""
    meeting = await planned(school)
    await school.do("supervisor", f"{meeting}/approve-meeting-plan")
    await school.do("supervisor", f"{meeting}/agree-date", {"on": today().isoformat()})
    await school.do("leader", f"{meeting}/hold", opening(school))
    there = [
        {"person": school.people[key], "attendance": "present"} for key in ("leader", "member")
    ]
    away = {"person": school.people["other"], "attendance": "absent", "excuse": "出差"}
    await school.do("clerk", f"{meeting}/record-attendance", {"attendees": [*there, away]})
    return meeting


def criticism(school: School, giver: str, receiver: str, number: int = 1) -> dict[str, Any]:
    people = school.people
    act = {"number": number, "act": "criticism", "text": WORDS}
    return {**act, "speaker": people[giver], "receiver": people[receiver]}


async def over(school: School, meeting: str) -> None:
    """End it and lock its minutes."""
    await school.do("leader", f"{meeting}/end", {"ended_at": now().isoformat()})
    await school.do("clerk", f"{meeting}/close-minutes")


async def test_only_who_is_there_criticises_and_only_while_the_minutes_are_open(
    school: School,
) -> None:
    meeting = await held(school)
    path = f"{meeting}/record-speech"
    absent = criticism(school, "other", "leader")
    await assert_refused(school, "not-attending", "clerk", path, absent)
    own = criticism(school, "leader", "leader")
    await assert_refused(school, "criticises-oneself", "clerk", path, own)
    await school.do("clerk", path, criticism(school, "leader", "member"))
    twice = {**criticism(school, "leader", "member"), "text": "另一句"}
    await assert_refused(school, "recorded-otherwise", "clerk", path, twice)
    await assert_refused(school, "not-ended-yet", "clerk", f"{meeting}/close-minutes")
    await over(school, meeting)

    late = criticism(school, "member", "leader", 2)
    await assert_refused(school, "minutes-locked", "clerk", path, late)
    correction = {**criticism(school, "leader", "member"), "text": "记错", "reason": "更正"}
    await assert_refused(school, "four-eyes", "clerk", f"{meeting}/correct-speech", correction)
    given = (await school.get("teacher", f"{meeting}/criticism"))["rules"]
    r70 = next(rule for rule in given if rule["rule"] == "R70")
    assert [pair["receiver"] for pair in r70["missing"]] == [school.people["other"]]


async def test_minutes_are_read_by_who_was_there_and_masked_for_others(school: School) -> None:
    meeting = await held(school)
    await school.do("clerk", f"{meeting}/record-speech", criticism(school, "leader", "member"))

    read = {
        who: (await school.get(who, f"{meeting}/minutes"))["items"][0]["text"]
        for who in ("leader", "member", "supervisor", "clerk", "other", "teacher")
    }

    assert read == {
        **dict.fromkeys(("leader", "member", "supervisor", "clerk"), WORDS),
        **dict.fromkeys(("other", "teacher"), HIDDEN),
    }


async def test_who_missed_the_branchs_meeting_makes_up_for_it(school: School) -> None:
    await set_policy(school)
    branch = (await school.do("operator", "/units", {"kind": "branch", "name": "理科支部"}))["id"]
    for key in ("leader", "member"):
        since = {"branch": branch, "since": today().isoformat()}
        await school.do("operator", f"/people/{school.people[key]}/join-branch", since)
    meeting = await planned(school, "organisational_life", branch=branch)
    await school.do("leader", f"{meeting}/hold", opening(school))
    seats = [
        {"person": school.people["leader"], "attendance": "present"},
        {"person": school.people["member"], "attendance": "absent", "excuse": "出差"},
    ]
    await school.do("clerk", f"{meeting}/record-attendance", {"attendees": seats})
    path = f"{meeting}/make-up-absence"
    early = (now() - timedelta(hours=1)).isoformat()
    made_up = {"person": school.people["member"], "by_what": "书记当面传达"}
    there = {**made_up, "person": school.people["leader"]}
    await assert_refused(school, "not-absent", "clerk", path, there)
    before = {**made_up, "occurred_at": early}
    await assert_refused(school, "made-up-too-early", "clerk", path, before)
    await over(school, meeting)

    async def owing() -> tuple[list[str], int]:
        seen = await school.get("teacher", f"{meeting}/attendance")
        return seen["owing"], (await school.get("leader", "/outstanding?rule=R79"))["total"]

    assert await owing() == ([school.people["member"]], 1)
    await school.do("leader", path, made_up)
    assert await owing() == ([], 0)


PARTS = ("preparation", "criticism_and_self_criticism", "measures", "supervision_evaluation")


async def test_what_the_supervision_group_thought_of_the_meeting_is_told_at_its_briefing(
    school: School,
) -> None:
    await set_policy(school)
    meeting = await held(school)
    grade = {"grade": "good", "text": "实事求是"}
    await assert_refused(school, "minutes-still-open", "supervisor", f"{meeting}/appraise", grade)
    await over(school, meeting)
    await assert_refused(school, "not-allowed", "leader", f"{meeting}/appraise", grade)
    await school.do("supervisor", f"{meeting}/appraise", grade)

    briefing = await planned(school, "briefing", reports_on=meeting.rpartition("/")[2])
    await school.do("leader", f"{briefing}/hold", opening(school))
    there = [{"person": school.people[key], "attendance": "present"} for key in ("leader", "clerk")]
    await school.do("clerk", f"{briefing}/record-attendance", {"attendees": there})
    for part in PARTS[1:]:
        await school.do("clerk", f"{briefing}/report-briefing-part", {"part": part, "text": WORDS})

    unrepresented = (await school.get("teacher", f"{briefing}/attendance"))["unrepresented"]
    assert unrepresented == ["grade_head", "subject_group_head"]
    rules = {line["rule"]: line for line in (await school.get("teacher", "/board"))["rules"]}
    standing = [(rules[r]["numerator"], rules[r]["missing"]) for r in ("R74", "R75", "R76", "R77")]
    assert standing == [(1, 0), (1, 0), (3, 1), (2, 2)]


def paper(school: School, campaign: str, *sections: str) -> dict[str, Any]:
    own = {"campaign": campaign, "subject": "person", "person": school.people["member"]}
    return {**own, **dict.fromkeys(sections, WORDS)}


def teams(campaign: str) -> dict[str, Any]:
    return {"campaign": campaign, "subject": "team", **dict.fromkeys(SECTIONS, WORDS)}


SECTIONS = ("basic_situation", "manifestations", "cause_analysis", "improvement_measures")


async def test_an_examination_is_submitted_with_four_sections_and_its_issues_claimed(
    school: School,
) -> None:
    campaign = await set_policy(school)
    mine = {**ISSUE, "addressee": "member", "person": school.people["member"]}
    issue = (await school.do("clerk", "/issues", mine))["id"]
    await school.settle()
    drafted = paper(school, campaign, *SECTIONS[:3])
    await assert_refused(school, "not-the-author", "other", "/examinations", drafted)
    report = f"/examinations/{(await school.do('member', '/examinations', drafted))['id']}"
    await assert_refused(school, "sections-missing", "member", f"{report}/submit")
    await school.do("member", f"{report}/revise", dict.fromkeys(SECTIONS, WORDS))
    await assert_refused(school, "issues-unclaimed", "member", f"{report}/submit")
    await school.do("member", f"/issues/{issue}/claim")
    await school.settle()

    await school.do("member", f"{report}/submit")

    assert WORDS in str(await school.get("member", report))
    assert WORDS not in str(await school.get("teacher", report))

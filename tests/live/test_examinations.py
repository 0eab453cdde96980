"""The team's self-examination through the HTTP door: adopted, consulted on, sent back, reviewed (R65)."""

from datetime import timedelta
from typing import Any

import pytest

from tests.live.refusing import assert_refused
from tests.live.school import School, set_policy
from tests.live.test_meetings import SECTIONS, opening, over, planned, teams, today

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("quiet")]


async def adopted(school: School, report: str) -> str:
    """Let a meeting of the leadership adopt it; gives the meeting's id."""
    meeting = await planned(school, "leadership")
    which = {"meeting": meeting.rpartition("/")[2]}
    await assert_refused(school, "no-such-meeting", "leader", f"{report}/adopt", which)
    await school.do("leader", f"{meeting}/hold", opening(school))
    there = [{"person": school.people[k], "attendance": "present"} for k in ("leader", "member")]
    await school.do("clerk", f"{meeting}/record-attendance", {"attendees": there})
    paper = {"kind": "examination", "id": report.rpartition("/")[2]}
    await school.do("clerk", f"{meeting}/adopt-document", paper)
    await over(school, meeting)
    await school.do("leader", f"{report}/adopt", which)
    return which["meeting"]


async def test_the_teams_report_is_adopted_sent_back_and_reviewed_in_a_second_round(
    school: School,
) -> None:
    drafted = teams(await set_policy(school))
    report = f"/examinations/{(await school.do('leader', '/examinations', drafted))['id']}"
    scope = {"scope": "全体党员和年级组长", "replies": 31}

    async def refused(code: str, who: str, verb: str, body: dict[str, Any]) -> None:
        await assert_refused(school, code, who, f"{report}/{verb}", body)

    async def standing() -> tuple[str, int, int]:
        card = await school.get("teacher", report)
        owed = await school.get("leader", "/outstanding?rule=R65")
        return card["stage"], card["rounds"], owed["total"]

    await school.do("member", f"{report}/submit")
    await refused("not-adopted-yet", "leader", "consult-on", scope)
    first = await adopted(school, report)
    await school.do("member", f"{report}/consult-on", scope)
    assert await standing() == ("consulted", 0, 0)
    await refused("already-consulted", "member", "consult-on", {**scope, "replies": 3})
    words = {"remarks": "没有点到具体事例", "rewrite_by": (today() - timedelta(days=1)).isoformat()}
    await refused("due-in-the-past", "supervisor", "send-back", words)
    back = {**words, "rewrite_by": (today() + timedelta(days=7)).isoformat()}
    await refused("not-allowed", "leader", "send-back", back)
    await school.do("supervisor", f"{report}/send-back", back)

    assert await standing() == ("drafted", 1, 0)
    await refused("not-the-author", "teacher", "revise", dict.fromkeys(SECTIONS, "代笔"))
    better = dict.fromkeys(SECTIONS, "晚自习后热水停供,三位班主任反映半年未答复")
    await school.do("member", f"{report}/revise", better)
    await school.do("leader", f"{report}/submit")
    assert await standing() == ("submitted", 1, 1)
    await refused("not-adopted-yet", "supervisor", "review", {})
    await refused("adopted-before-the-rewriting", "leader", "adopt", {"meeting": first})
    await adopted(school, report)
    await school.do("leader", f"{report}/consult-on", {**scope, "replies": 12})
    await school.do("supervisor", f"{report}/review", {"remarks": "见人见事"})

    assert await standing() == ("reviewed", 1, 0)
    await refused("already-submitted", "member", "revise", better)
    seen = await school.get("teacher", report)
    assert (seen["replies"], seen["paper"]["manifestations"]) == (12, better["manifestations"])

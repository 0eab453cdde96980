"""The plan's hard rules and gates, a row each: refused through the HTTP door, nothing stored.

R66, R67, R75 and R76 are in `test_meetings.py` in the order of a meeting.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from shared.runtime import now
from tests.live.refusing import assert_refused
from tests.live.school import ISSUE, School, set_policy
from tests.live.test_ballot import voting
from tests.live.test_meetings import SECTIONS, WORDS, paper

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("quiet")]

type Broken = tuple[str, str, str, dict[str, Any]]
"""The refusal's code, who asks, and for what."""


async def filing_what_nobody_reviewed(school: School) -> Broken:
    campaign = await set_policy(school)
    body = {"filed_with": "教育工委领导小组"}
    return "plan-not-approved", "leader", f"/campaigns/{campaign}/file-plan", body


def _asking(campaign: str, name: str) -> dict[str, Any]:
    today = now().date().isoformat()
    about = {"in_name_of": name, "campaign": campaign, "subject": "four_winds", "scope": "全校"}
    return {**about, "channels": ["symposium"], "opens_on": today, "closes_on": today}


async def asking_twice_for_the_organisation(school: School) -> Broken:
    asking = _asking(await set_policy(school), "organisation")
    await school.do("clerk", "/solicitations", asking)
    return "already-solicited", "clerk", "/solicitations", {**asking, "scope": "再问一遍"}


async def asking_by_oneself_for_the_organisation(school: School) -> Broken:
    asking = _asking(await set_policy(school), "organisation")
    return "not-the-organisation", "member", "/solicitations", asking


async def _personal(school: School) -> str:
    issue = {**ISSUE, "addressee": "member", "person": school.people["member"]}
    told = await school.do("clerk", "/issues", issue)
    await school.settle()
    return str(told["id"])


async def submitting_before_claiming(school: School) -> Broken:
    campaign = await set_policy(school)
    await _personal(school)
    drafted = paper(school, campaign, *SECTIONS)
    report = (await school.do("member", "/examinations", drafted))["id"]
    return "issues-unclaimed", "member", f"/examinations/{report}/submit", {}


async def rewording_what_was_said(school: School) -> Broken:
    said = {"verbatim_text": "食堂的菜是凉的", "channel": "symposium"}
    opinion = (await school.do("teacher", "/opinions", said))["id"]
    body = {**said, "verbatim_text": "食堂的菜很好", "reason": "润色"}
    return "invalid", "teacher", f"/opinions/{opinion}/correct", body


async def closing_a_batch_out_of_balance(school: School) -> Broken:
    said = {"verbatim_text": "食堂的菜是凉的", "channel": "symposium"}
    opinion = (await school.do("teacher", "/opinions", said))["id"]
    batch = (await school.do("clerk", "/collations", {"opinions": [opinion]}))["id"]
    return "unbalanced-collation", "clerk", f"/collations/{batch}/close", {}


async def _claimed(school: School) -> str:
    issue = (await school.do("clerk", "/issues", ISSUE))["id"]
    await school.do("member", f"/issues/{issue}/claim")
    return f"/issues/{issue}"


async def striking_off_what_nobody_verified(school: School) -> Broken:
    return "not-verified", "supervisor", f"{await _claimed(school)}/strike-off", {}


async def starting_without_a_plan(school: School) -> Broken:
    return "no-plan-yet", "member", f"{await _claimed(school)}/start-rectification", {}


async def submitting_three_sections(school: School) -> Broken:
    drafted = paper(school, await set_policy(school), *SECTIONS[:3])
    report = (await school.do("member", "/examinations", drafted))["id"]
    return "sections-missing", "member", f"/examinations/{report}/submit", {}


async def _team_paper(school: School) -> dict[str, Any]:
    sections = dict.fromkeys(SECTIONS, WORDS)
    return {"campaign": await set_policy(school), "subject": "team", **sections}


async def drafting_the_teams_without_its_leader(school: School) -> Broken:
    return "not-under-a-leader", "member", "/examinations", await _team_paper(school)


async def reviewing_what_was_not_adopted(school: School) -> Broken:
    report = (await school.do("leader", "/examinations", await _team_paper(school)))["id"]
    await school.do("leader", f"/examinations/{report}/submit")
    return "not-adopted-yet", "supervisor", f"/examinations/{report}/review", {}


async def recommending_who_is_not_of_the_best_grade(school: School) -> Broken:
    branch = await voting(school)
    await branch.cast(0, "qualified")
    await school.do("voter-0", f"{branch.path}/close-ballot")
    result = {"member": branch.members[0], "grade": "qualified"}
    await school.do("leader", f"{branch.path}/record-result", result)
    body = {"member": branch.members[0], "text": "推荐"}
    return "not-a-model", "leader", f"{branch.path}/recommend-member", body


@pytest.mark.parametrize(
    ("rule", "breaking"),
    [
        ("R02", filing_what_nobody_reviewed),
        ("R32", asking_twice_for_the_organisation),
        ("R33", submitting_before_claiming),
        ("R34", asking_by_oneself_for_the_organisation),
        ("R36", rewording_what_was_said),
        ("R38", closing_a_batch_out_of_balance),
        ("R43", striking_off_what_nobody_verified),
        ("R60", submitting_three_sections),
        ("R65", drafting_the_teams_without_its_leader),
        ("R65", reviewing_what_was_not_adopted),
        ("R85", recommending_who_is_not_of_the_best_grade),
        ("R92", starting_without_a_plan),
    ],
)
async def test_breaking_a_hard_rule_is_refused(
    school: School, rule: str, breaking: Callable[[School], Awaitable[Broken]]
) -> None:
    code, who, path, body = await breaking(school)

    await assert_refused(school, code, who, path, body)
    assert rule in {r["id"] for r in (await school.get("teacher", "/rules"))["items"]}

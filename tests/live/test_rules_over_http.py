"""The plan's hard rules and gates, a row each: refused through the HTTP door, nothing stored.

That no rule of the catalogue and no refusal of a rule lacks its row is for
`tests/oversight/test_catalogue.py` to say.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from services.stack import Stack
from shared.runtime import now
from tests.live.refusing import assert_refused
from tests.live.school import ISSUE, School, enrolled, set_policy
from tests.live.test_ballot import voting
from tests.live.test_journey import measures
from tests.live.test_meetings import SECTIONS, held, opening, over, paper, planned, teams, today

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("quiet")]


@pytest_asyncio.fixture(scope="module")
async def school(stack: Stack) -> AsyncIterator[School]:
    """One school for all rows: each breaks its rule in a campaign of its own."""
    async with enrolled(stack) as mine:
        yield mine


type Broken = tuple[str, str, dict[str, Any]]
"""Who asks, and for what."""


async def filing_what_nobody_reviewed(school: School) -> Broken:
    campaign = await set_policy(school)
    body = {"filed_with": "教育工委领导小组"}
    return "leader", f"/campaigns/{campaign}/file-plan", body


def _asking(campaign: str, name: str) -> dict[str, Any]:
    today = now().date().isoformat()
    about = {"in_name_of": name, "campaign": campaign, "subject": "four_winds", "scope": "全校"}
    return {**about, "channels": ["symposium"], "opens_on": today, "closes_on": today}


async def asking_twice_for_the_organisation(school: School) -> Broken:
    asking = _asking(await set_policy(school), "organisation")
    await school.do("clerk", "/solicitations", asking)
    return "clerk", "/solicitations", {**asking, "scope": "再问一遍"}


async def asking_by_oneself_for_the_organisation(school: School) -> Broken:
    asking = _asking(await set_policy(school), "organisation")
    return "member", "/solicitations", asking


async def _personal(school: School, **more: Any) -> str:
    issue = {**ISSUE, "addressee": "member", "person": school.people["member"], **more}
    told = await school.do("clerk", "/issues", issue)
    await school.settle()
    return str(told["id"])


async def claiming_before_the_batch_is_closed(school: School) -> Broken:
    said = {"verbatim_text": "答应的事没有下文", "channel": "symposium"}
    opinion = (await school.do("teacher", "/opinions", said))["id"]
    batch = (await school.do("clerk", "/collations", {"opinions": [opinion]}))["id"]
    issue = await _personal(school, sources=[{"kind": "collation", "id": batch}])
    return "member", f"/issues/{issue}/claim", {}


async def submitting_before_claiming(school: School) -> Broken:
    campaign = await set_policy(school)
    await _personal(school)
    drafted = paper(school, campaign, *SECTIONS)
    report = (await school.do("member", "/examinations", drafted))["id"]
    return "member", f"/examinations/{report}/submit", {}


async def rewording_what_was_said(school: School) -> Broken:
    said = {"verbatim_text": "食堂的菜是凉的", "channel": "symposium"}
    opinion = (await school.do("teacher", "/opinions", said))["id"]
    body = {**said, "verbatim_text": "食堂的菜很好", "reason": "润色"}
    return "teacher", f"/opinions/{opinion}/correct", body


async def closing_a_batch_out_of_balance(school: School) -> Broken:
    said = {"verbatim_text": "食堂的菜是凉的", "channel": "symposium"}
    opinion = (await school.do("teacher", "/opinions", said))["id"]
    batch = (await school.do("clerk", "/collations", {"opinions": [opinion]}))["id"]
    return "clerk", f"/collations/{batch}/close", {}


async def _claimed(school: School) -> str:
    issue = (await school.do("clerk", "/issues", ISSUE))["id"]
    await school.do("member", f"/issues/{issue}/claim")
    return f"/issues/{issue}"


async def striking_off_what_nobody_verified(school: School) -> Broken:
    return "supervisor", f"{await _claimed(school)}/strike-off", {}


async def starting_without_a_plan(school: School) -> Broken:
    return "member", f"{await _claimed(school)}/start-rectification", {}


async def submitting_three_sections(school: School) -> Broken:
    drafted = paper(school, await set_policy(school), *SECTIONS[:3])
    report = (await school.do("member", "/examinations", drafted))["id"]
    return "member", f"/examinations/{report}/submit", {}


async def drafting_the_teams_without_its_leader(school: School) -> Broken:
    return "member", "/examinations", teams(await set_policy(school))


async def _submitted(school: School) -> str:
    drafted = teams(await set_policy(school))
    report = f"/examinations/{(await school.do('leader', '/examinations', drafted))['id']}"
    await school.do("leader", f"{report}/submit")
    return report


async def reviewing_what_was_not_adopted(school: School) -> Broken:
    return "supervisor", f"{await _submitted(school)}/review", {}


async def reviewing_what_nobody_was_consulted_on(school: School) -> Broken:
    report = await _submitted(school)
    meeting = await planned(school, "leadership")
    await school.do("leader", f"{meeting}/hold", opening(school))
    await school.do("leader", f"{report}/adopt", {"meeting": meeting.rpartition("/")[2]})
    return "supervisor", f"{report}/review", {}


async def meeting_before_the_plan_is_approved(school: School) -> Broken:
    return "leader", f"{await planned(school)}/hold", opening(school)


async def _approved(school: School) -> str:
    meeting = await planned(school)
    await school.do("supervisor", f"{meeting}/approve-meeting-plan")
    return meeting


async def meeting_before_the_day_is_agreed(school: School) -> Broken:
    return "leader", f"{await _approved(school)}/hold", opening(school)


async def meeting_on_another_day(school: School) -> Broken:
    meeting = await _approved(school)
    tomorrow = (today() + timedelta(days=1)).isoformat()
    await school.do("supervisor", f"{meeting}/agree-date", {"on": tomorrow})
    return "leader", f"{meeting}/hold", opening(school)


async def _briefing(school: School, meeting: str) -> str:
    told = await planned(school, "briefing", reports_on=meeting.rpartition("/")[2])
    return f"{told}/hold"


async def briefing_before_the_meeting_is_over(school: School) -> Broken:
    return "leader", await _briefing(school, await held(school)), opening(school)


async def briefing_before_the_evaluation(school: School) -> Broken:
    meeting = await held(school)
    await over(school, meeting)
    return "leader", await _briefing(school, meeting), opening(school)


async def briefing_under_somebody_else(school: School) -> Broken:
    path = await _briefing(school, await held(school))
    return "leader", path, {**opening(school), "chair": school.people["member"]}


async def recommending_who_is_not_of_the_best_grade(school: School) -> Broken:
    branch = await voting(school)
    await branch.cast(0, "qualified")
    await school.do("voter-0", f"{branch.path}/close-ballot")
    result = {"member": branch.members[0], "grade": "qualified"}
    await school.do("leader", f"{branch.path}/record-result", result)
    body = {"member": branch.members[0], "text": "推荐"}
    return "leader", f"{branch.path}/recommend-member", body


BREAKING: tuple[tuple[str, str, Callable[[School], Awaitable[Broken]]], ...] = (
    ("R02", "plan-not-approved", filing_what_nobody_reviewed),
    ("R32", "already-solicited", asking_twice_for_the_organisation),
    ("R33", "collation-still-open", claiming_before_the_batch_is_closed),
    ("R33", "issues-unclaimed", submitting_before_claiming),
    ("R34", "not-the-organisation", asking_by_oneself_for_the_organisation),
    ("R36", "invalid", rewording_what_was_said),
    ("R38", "unbalanced-collation", closing_a_batch_out_of_balance),
    ("R43", "not-verified", striking_off_what_nobody_verified),
    ("R60", "sections-missing", submitting_three_sections),
    ("R65", "not-under-a-leader", drafting_the_teams_without_its_leader),
    ("R65", "not-adopted-yet", reviewing_what_was_not_adopted),
    ("R65", "not-consulted-yet", reviewing_what_nobody_was_consulted_on),
    ("R66", "plan-not-approved", meeting_before_the_plan_is_approved),
    ("R67", "date-not-agreed", meeting_before_the_day_is_agreed),
    ("R67", "not-on-the-agreed-day", meeting_on_another_day),
    ("R75", "briefing-before-meeting", briefing_before_the_meeting_is_over),
    ("R75", "chair-not-a-principal-leader", briefing_under_somebody_else),
    ("R76", "not-appraised-yet", briefing_before_the_evaluation),
    ("R85", "not-a-model", recommending_who_is_not_of_the_best_grade),
    ("R92", "no-plan-yet", starting_without_a_plan),
)
"""Which rule, as what its breach is refused, and how it is broken."""


@pytest.mark.parametrize(("rule", "code", "breaking"), BREAKING)
async def test_breaking_a_hard_rule_is_refused(
    school: School, rule: str, code: str, breaking: Callable[[School], Awaitable[Broken]]
) -> None:
    who, path, body = await breaking(school)

    await assert_refused(school, code, who, path, body)
    catalogue = (await school.get("teacher", "/rules"))["items"]
    assert code in next(r["refusals"] for r in catalogue if r["id"] == rule)


async def test_things_are_put_right_from_the_first_stage_on(school: School) -> None:
    """R04 refuses nothing: whatever the stage, the ledger takes what is found."""
    names = ("study_and_listening", "problem_finding_and_criticism")
    day, later = today().isoformat(), (today() + timedelta(days=90)).isoformat()
    stages = [
        {"name": name, "begins_on": begins, "ends_on": later}
        for name, begins in zip(names, (day, later), strict=True)
    ]
    third = {**stages[1], "name": "rectification_and_institution_building"}
    plan = {"title": "实施方案", "begins_on": day, "ends_on": later, "stages": [*stages, third]}
    await school.do("clerk", "/campaigns", plan)

    issue = await _claimed(school)
    await school.do("member", f"{issue}/plan-measures", measures(school))
    await school.do("member", f"{issue}/start-rectification")

    assert (await school.get("clerk", issue))["stage"] == "underway"

"""What cannot have been, a row each: refused through the HTTP door also where it comes as a correction.

What is only said wrong when it is first entered is with its subject: talks, meetings, ballots, study.
"""

from datetime import timedelta
from typing import Any

import pytest

from shared.runtime import now
from tests.live.refusing import assert_refused
from tests.live.school import School
from tests.live.test_ballot import appraising
from tests.live.test_meetings import criticism, held
from tests.live.test_study import away, in_term
from tests.live.test_talks import held as talked

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("quiet")]


async def test_what_cannot_have_been_is_refused(school: School) -> None:
    people = school.people
    await in_term(school)
    gift = {"kind": "donation", "person": people["member"], "on": away(-1), "pupil": "pupil-1"}
    given = (await school.do("member", "/activities", {**gift, "amount": "2022"}))["id"]
    talk = (await school.do("leader", "/talks/record", talked(school)))["id"]
    meeting = await held(school)
    branch = await appraising(school, 5)
    unit = {"kind": "branch", "name": "文科支部"}
    other = (await school.do("operator", "/units", unit))["id"]
    of_branch = await school.get("voter-0", branch.path)
    again = {"campaign": of_branch["campaign"], "branch": of_branch["branch"], "on": away(-1)}
    scale = {"setting": "grading_scale", "value": "gold|silver", "unit": "scale", "reason": "试"}
    await school.do("leader", f"/campaigns/{again['campaign']}/set-policy", scale)
    twin = await school.enter("twin", ("party_member",), branch=other)
    await school.do(
        "operator", f"/people/{twin}/merge", {"into": people["other"], "reason": "重复"}
    )

    hour_ago = (now() - timedelta(hours=1)).isoformat()
    correct, corrected = f"/talks/{talk}/correct", {**talked(school), "reason": "记错"}
    same = [people["leader"]] * 2
    backwards = {**corrected, "ended_at": f"{away(-3)}T00:00:00Z"}
    twins, circle = f"/people/{people['other']}/merge", {"into": twin, "reason": "重复"}
    put_right, wrong = f"/activities/{given}/correct", {**gift, "reason": "记错"}
    stranger = criticism(school, "teacher", "leader")
    rows: list[tuple[str, str, str, dict[str, Any]]] = [
        ("talking-with-oneself", "leader", correct, {**corrected, "parties": same}),
        ("ends-before-it-begins", "leader", correct, backwards),
        ("not-a-positive-amount", "member", put_right, {**wrong, "amount": "0"}),
        ("not-a-positive-amount", "member", put_right, {**wrong, "amount": "-2022"}),
        ("outside-school-year", "member", put_right, {**wrong, "amount": "1", "on": away(-60)}),
        ("ends-before-it-begins", "leader", f"{meeting}/end", {"ended_at": hour_ago}),
        ("not-attending", "clerk", f"{meeting}/record-speech", stranger),
        ("appraisal-exists", "voter-0", "/appraisals", again),
        ("unknown-scale", "leader", "/appraisals", {**again, "branch": other}),
        ("not-in-roster", "operator", twins, circle),
    ]

    for code, who, path, body in rows:
        await assert_refused(school, code, who, path, body)

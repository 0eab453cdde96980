"""One issue, from the spoken word to the verdict, through the HTTP door of the running stack."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.rectification.projection import issues
from services.stack import SERVICES, running
from shared.embedded import Embedded
from shared.replay import compare
from shared.runtime import now
from shared.settings import Settings
from tests.live.school import School, enrolled, set_policy

pytestmark = pytest.mark.live

PHOTO = "a" * 64


def measures(school: School) -> dict[str, Any]:
    today = now().date()
    return {
        "mode": "immediate",
        "measures": [
            {
                "text": "更换保温餐台",
                "owner": school.people["member"],
                "begins_on": today.isoformat(),
                "due_on": (today + timedelta(days=30)).isoformat(),
                "deliverable": "照片与发票",
            }
        ],
        "reviewer": school.people["other"],
        "accountable_leader": school.people["leader"],
        "due_on": (today + timedelta(days=30)).isoformat(),
    }


async def collated(school: School, *texts: str) -> tuple[str, list[str]]:
    """Opinions by the teacher, grouped into one issue; gives the issue's id and the opinions'."""
    opinions = [
        (await school.do("teacher", "/opinions", {"verbatim_text": t, "channel": "symposium"}))[
            "id"
        ]
        for t in texts
    ]
    return await school.collated(*opinions), opinions


async def struck_off(school: School, issue: str) -> None:
    """Everything from claiming to striking off."""
    path = f"/issues/{issue}"
    await school.do("member", f"{path}/claim")
    await school.do("member", f"{path}/plan-measures", measures(school))
    await school.do("member", f"{path}/start-rectification")
    await school.do("member", f"{path}/report-progress", {"text": "设备已到货"})
    photo = {"sha256": PHOTO, "phase": "after", "media_type": "image/jpeg", "name": "整改后.jpg"}
    await school.do("member", f"{path}/add-evidence", photo)
    await school.do(
        "member", f"{path}/request-strike-off", {"statement": "已更换", "evidence": [PHOTO]}
    )
    await school.do("other", f"{path}/verify", {"finding": "现场查看属实"})
    await school.do("clerk", f"{path}/publish-notice", {"text": "拟销号公示"})
    while (await school.ask("supervisor", "POST", f"{path}/strike-off", {})).status_code == 409:
        await asyncio.sleep(0.05)  # the notice lasts until its instant, by the wall clock


async def test_an_issue_lives_from_the_spoken_word_to_the_verdict(school: School) -> None:
    await set_policy(school, public_notice="PT0S")
    issue, opinions = await collated(school, "食堂的菜到我们手里都凉了", "打饭排队半小时，菜是凉的")

    await struck_off(school, issue)
    verdict = {"solved": "solved", "satisfied": "satisfied", "comment": "现在是热的了"}
    await school.do("teacher", f"/issues/{issue}/record-verdict", verdict)
    await school.settle()

    line = await school.get("clerk", f"/issues/{issue}")
    assert line["stage"] == "struck_off"
    assert line["title"] == "食堂饭菜偏凉"
    assert [v["comment"] for v in line["verdicts"]] == ["现在是热的了"]
    told = await school.get("clerk", f"/issues/{issue}/biography")
    assert [e["position"] for e in told["items"]] == sorted(e["position"] for e in told["items"])
    assert told["items"][0]["type"] == "feedback.opinion.submitted.v1"
    assert told["items"][0]["event"]["verbatim_text"] == "食堂的菜到我们手里都凉了"
    assert told["items"][-1]["type"] == "rectification.issue.verdict-recorded.v1"
    assert set(told["opinions"]) == set(opinions)


async def test_a_fresh_fold_of_the_log_gives_what_people_are_shown(
    own_servers: tuple[Embedded, Settings],
) -> None:
    async with running(own_servers[1]) as stack, enrolled(stack) as school:
        await collated(school, "宿舍热水经常停")
        await school.settle()
        runtime = stack.runtimes["feedback"]

        comparison = await compare(runtime.broker, runtime.mongo, SERVICES)

        assert comparison.as_data()["differences"] == []
        assert comparison.broken == []
        assert comparison.events == school.position
        assert comparison.documents > 10


async def test_a_view_changed_by_hand_is_found(own_servers: tuple[Embedded, Settings]) -> None:
    async with running(own_servers[1]) as stack, enrolled(stack) as school:
        issue, _ = await collated(school, "宿舍热水经常停")
        runtime = stack.runtimes["rectification"]
        view = f"rectification.{issues.collection}"
        await runtime.mongo.views(view).update(f"{school.id}/{issue}", {"stage": "struck_off"})

        comparison = await compare(runtime.broker, runtime.mongo, SERVICES)

        assert comparison.differences == [f"{view} {school.id}/{issue}: differs in stage"]


async def test_a_repeated_command_gets_the_first_answer(school: School) -> None:
    key = str(uuid4())
    opinion = {"verbatim_text": "操场的灯坏了", "channel": "wechat"}

    first = await school.do("teacher", "/opinions", opinion, Idempotency_Key=key)
    again = await school.do("teacher", "/opinions", opinion, Idempotency_Key=key)
    other = await school.refused(
        "teacher", "/opinions", {**opinion, "verbatim_text": "别的"}, Idempotency_Key=key
    )

    assert again == {**first, "repeated": True}
    assert other["code"] == "key-reused"

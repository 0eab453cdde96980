"""Talks through the HTTP door: arranged, held, confirmed, shown to whom both parties say."""

from datetime import timedelta
from typing import Any

import pytest

from shared.runtime import now
from tests.live.refusing import assert_refused
from tests.live.school import School

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("quiet")]

SAID = "开会总是拖到很晚"
HIDDEN = {"masked": "sealed"}


def pair(school: School, *more: str) -> dict[str, Any]:
    """The principal leader and a member of the team, one by one."""
    people = [school.people[key] for key in ("leader", "member", *more)]
    return {"kind": "one_by_one", "parties": people, "place": "三楼小会议室"}


def held(school: School, **more: Any) -> dict[str, Any]:
    """Half an hour in which something was said."""
    begun = now() - timedelta(hours=1)
    side = {"party": school.people["leader"], "asked_about_me": True, "opinion_about_me": SAID}
    times = {"begun_at": begun.isoformat(), "ended_at": (begun + timedelta(minutes=30)).isoformat()}
    return {**pair(school), **times, "sides": [side], **more}


async def arranged(school: School, **more: Any) -> str:
    plan = {**pair(school), "planned_at": (now() + timedelta(days=1)).isoformat(), **more}
    return str((await school.do("leader", "/talks", plan))["id"])


async def seen(school: School, talk: str, who: str) -> dict[str, Any]:
    return dict(await school.get(who, f"/talks/{talk}"))


async def test_a_talk_is_arranged_held_and_confirmed_by_both(school: School) -> None:
    before = (await school.get("teacher", "/talk-coverage"))["leader_member"]
    talk = await arranged(school)
    assert (await seen(school, talk, "member"))["state"] == "arranged"

    await school.do("leader", f"/talks/{talk}/hold", held(school))
    await school.do("leader", f"/talks/{talk}/confirm")
    once = (await school.get("teacher", "/talk-coverage"))["leader_member"]
    await school.do("member", f"/talks/{talk}/confirm")

    assert (await seen(school, talk, "member"))["state"] == "confirmed"
    after = (await school.get("teacher", "/talk-coverage"))["leader_member"]
    figures = [[c[n] for n in ("required", "held", "confirmed")] for c in (before, once, after)]
    assert figures == [[2, 0, 0], [2, 1, 0], [2, 1, 1]]
    missing = [{*people} for people in after["missing"]]
    assert missing == [{school.people["leader"], school.people["other"]}]


async def test_what_was_said_is_shown_to_those_both_released_it_to(school: School) -> None:
    talk = await arranged(school)
    await school.do("leader", f"/talks/{talk}/hold", held(school))

    async def opinion(who: str) -> Any:
        return (await seen(school, talk, who))["sides"][0]["opinion_about_me"]

    assert [await opinion(who) for who in ("leader", "member")] == [SAID, SAID]
    assert [await opinion(who) for who in ("other", "supervisor", "clerk")] == [HIDDEN] * 3
    listed = (await school.get("other", "/talks"))["items"]
    assert SAID not in str(listed)
    assert (await seen(school, talk, "teacher"))["place"] == HIDDEN

    await school.do("leader", f"/talks/{talk}/release", {"audiences": ["leadership_team"]})
    assert await opinion("other") == HIDDEN
    both = {"audiences": ["leadership_team", "everybody"]}
    await school.do("member", f"/talks/{talk}/release", both)
    assert [await opinion(who) for who in ("other", "teacher")] == [SAID, HIDDEN]

    await school.do("member", f"/talks/{talk}/release", {"audiences": []})
    assert await opinion("other") == HIDDEN


async def test_a_correction_is_confirmed_anew_and_releases_nothing(school: School) -> None:
    talk = await arranged(school)
    await school.do("leader", f"/talks/{talk}/hold", held(school))
    for who in ("leader", "member"):
        await school.do(who, f"/talks/{talk}/release", {"audiences": ["everybody"]})
        await school.do(who, f"/talks/{talk}/confirm")
    corrected = held(school, helped="一起看了群众意见", reason="补充")
    await assert_refused(school, "confirmed-by-all", "leader", f"/talks/{talk}/correct", corrected)

    await school.do("member", f"/talks/{talk}/dispute", {"reason": "少记了一条"})
    assert (await seen(school, talk, "leader"))["state"] == "disputed"
    await school.do("leader", f"/talks/{talk}/correct", corrected)

    card = await seen(school, talk, "leader")
    assert (card["state"], card["helped"]) == ("held", "一起看了群众意见")
    assert (await seen(school, talk, "member"))["helped"] is None
    assert (await seen(school, talk, "teacher"))["sides"][0]["opinion_about_me"] == HIDDEN


async def test_a_request_is_answered_by_the_talk_it_led_to(school: School) -> None:
    wish = {"asked": school.people["leader"], "about": "想谈谈值班安排"}
    request = (await school.do("member", "/talk-requests", wish))["id"]
    path = f"/talk-requests/{request}"
    await assert_refused(school, "not-the-asked", "other", f"{path}/accept")
    await school.do("leader", f"{path}/accept", {"remarks": "明天下午"})
    shown = {who: await school.get(who, path) for who in ("leader", "clerk")}
    assert [shown[who]["about"] for who in ("leader", "clerk")] == [wish["about"], HIDDEN]

    talk = await arranged(school, request=request)
    await school.do("member", f"/talks/{talk}/hold", held(school))
    await school.settle()

    answered = await school.get("member", path)
    assert (answered["state"], answered["talk"]) == ("held", talk)
    hidden = await school.ask("teacher", "GET", path)
    assert (hidden.status_code, hidden.json()["code"]) == (404, "not-found")


async def test_nobody_talks_with_themselves(school: School) -> None:
    leader, soon = school.people["leader"], now().isoformat()
    alone = {**pair(school), "parties": [leader, leader]}
    told = {"giver": leader, "receiver": leader, "criticism": "不够耐心"}

    refused = "talking-with-oneself"
    await assert_refused(school, refused, "leader", "/talks", {**alone, "planned_at": soon})
    await assert_refused(school, refused, "leader", "/talks/record", {**held(school), **alone})
    criticised = held(school, communicated=[told])
    await assert_refused(school, refused, "leader", "/talks/record", criticised)
    await assert_refused(school, refused, "leader", "/talk-requests", {"asked": leader})


async def test_a_talk_that_cannot_have_been_is_refused(school: School) -> None:
    talk = await arranged(school)
    begun = now() - timedelta(hours=2)
    stranger = {"party": school.people["other"], "strengths": "踏实"}
    three = [school.people[key] for key in ("leader", "member", "other")]
    rows: list[tuple[str, dict[str, Any]]] = [
        ("ends-before-it-begins", {"ended_at": (begun - timedelta(hours=3)).isoformat()}),
        ("longer-than-a-day", {"begun_at": (begun - timedelta(days=2)).isoformat()}),
        ("occurred-in-the-future", {"ended_at": (now() + timedelta(hours=1)).isoformat()}),
        ("stranger-to-the-talk", {"sides": [stranger]}),
        ("two-to-a-talk", {"parties": three}),
        ("nobody-there", {"parties": [school.people["leader"], "nobody"]}),
        ("branch-unclear", {"branch": "b-1"}),
    ]

    for code, wrong in rows:
        told = {**held(school), **wrong}
        await assert_refused(school, code, "leader", f"/talks/{talk}/hold", told)


async def test_a_talk_is_the_business_of_its_parties(school: School) -> None:
    talk = await arranged(school)
    plan = {**pair(school), "planned_at": now().isoformat()}
    await assert_refused(school, "not-for-you-to-arrange", "teacher", "/talks", plan)
    path = f"/talks/{talk}"
    await assert_refused(school, "out-of-order", "member", f"{path}/confirm")
    strange = "not-a-party-to-the-talk"
    await assert_refused(school, strange, "supervisor", f"{path}/hold", held(school))
    await school.do("leader", f"{path}/hold", held(school))

    await assert_refused(school, strange, "teacher", f"{path}/confirm")
    await assert_refused(school, strange, "other", f"{path}/dispute", {"reason": "不是这样"})
    await assert_refused(school, strange, "clerk", f"{path}/release", {"audiences": []})
    await assert_refused(school, "four-eyes", "leader", f"{path}/void", {"reason": "没谈"})
    await assert_refused(school, "not-allowed", "teacher", f"{path}/void", {"reason": "没谈"})
    await school.do("supervisor", f"{path}/void", {"reason": "没谈"})
    covered = await school.get("teacher", "/talk-coverage")
    assert covered["leader_member"]["held"] == 0

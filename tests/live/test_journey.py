"""One issue, from the spoken word to the verdict, through the HTTP door of the running stack."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from services.audit.keys import public_file, public_keys
from services.audit.proof import signed
from services.audit.replayed import read
from services.audit.shelf import Shelf
from services.campaign.app import service as campaign
from services.rectification.app import service as rectification
from services.rectification.projection import issues
from services.stack import SERVICES, Stack, running
from shared.embedded import Embedded
from shared.journal import Journal
from shared.mongo import Mongo
from shared.provision import operator
from shared.replay import (
    REPLAY,
    _pairs,
    as_of,
    build_ahead,
    compare,
    digest_of,
    drop_old,
    whole_log,
)
from shared.runtime import now
from shared.settings import Settings
from shared.views import Projector
from tests.live.command import taizhang
from tests.live.school import ISSUE, School, enrolled, set_policy

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


async def on_notice(school: School, issue: str) -> None:
    """Everything from claiming to the public notice."""
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


async def struck_off(school: School, issue: str) -> None:
    """Everything from claiming to striking off."""
    path = f"/issues/{issue}"
    await on_notice(school, issue)
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


async def test_a_replay_gives_what_people_are_shown_or_says_what_was_changed_by_hand(
    own_servers: tuple[Embedded, Settings],
) -> None:
    settings = own_servers[1]
    mongo = Mongo(settings.mongo_url, settings.mongo_database)
    async with running(settings) as stack, enrolled(stack) as school:
        issue, _ = await collated(school, "宿舍热水经常停")
        other = (await school.do("clerk", "/issues", ISSUE))["id"]
        end = await school.settle()
        view = f"rectification.{issues.collection}"

        whole = await taizhang(settings, "replay", "--compare", "--json")
        await mongo.views(view).update(f"{school.id}/{issue}", {"stage": "struck_off"})
        await mongo.views(view).insert(
            {"_id": f"{school.id}/x", "school": school.id, "position": 1}
        )
        await mongo.views(view).insert({"_id": "", "school": school.id, "position": 1})
        gone = {"_id": f"{school.id}/y", "school": school.id, "position": 1, "gone": 1}
        await mongo.views(view).insert(gone)  # not what takes a document away from people
        await mongo._views[view].insert_one({"_id": 7, "school": school.id})
        await mongo._views[view].update_one(
            {"_id": f"{school.id}/{other}"}, {"$unset": {"position": 1}}
        )
        one = await taizhang(settings, "replay", "--view", "rectification.issues")
        none = await taizhang(settings, "replay", "--view", "rectification.nothing")
    keyless = {"TAIZHANG_AUDIT_KEY_FILE": str(settings.audit_directory / "nothing.key")}
    stopped = await taizhang(settings, "replay", "--view", "rectification.issues", **keyless)
    left = [n for n in await mongo.view_names() if "replay" in n]
    mongo.close()
    newest = await asyncio.to_thread(Shelf(settings.audit_directory).newest)

    told = json.loads(whole.out)
    assert (whole.code, told["good"], told["log"]["events"]) == (0, True, end)
    assert told["documents"] > 10
    stored = await asyncio.to_thread(Path(told["signed"]).read_bytes)
    known = public_keys(public_file(settings.audit_key_file))
    report = read(stored, known)
    assert signed(newest or b"", known).size >= end  # what was unsigned is signed at the stop
    assert {**told, **report} == told
    assert report["position"] == end
    assert report["log"]["sealed"] <= end
    assert report["views"][view] == 2
    assert one.code == 1
    (log, fold, *differences, where), (*_, unsigned) = (
        one.out.splitlines(),
        stopped.out.splitlines(),
    )
    assert f"日志 {end} 个事件" in log
    assert fold.startswith(f"重放至位置 {end} 文档 2 份")
    assert sorted(differences) == sorted(
        [
            f"{view} : not from the log",
            f"{view} 7: not from the log",
            f"{view} {school.id}/{issue}: differs in stage",
            f"{view} {school.id}/{other}: differs in position",
            f"{view} {school.id}/x: not from the log",
            f"{view} {school.id}/y: not from the log",
        ]
    )
    assert where.startswith(f"signed: {settings.audit_directory}")
    assert (stopped.code, stopped.out.splitlines()[2:-1]) == (1, differences)
    assert unsigned.startswith("unsigned: the signing key ")
    assert (none.code, none.err) == (2, "taizhang: there is no view rectification.nothing\n")
    assert left == []


async def test_a_document_and_a_stream_are_told_as_they_stood_then(
    stack: Stack, school: School
) -> None:
    issue = str((await school.do("clerk", "/issues", ISSUE))["id"])
    opened = school.position
    await school.do("member", f"/issues/{issue}/claim")
    await school.settle()
    ask = ("as-of", "rectification.issues", school.id, issue)

    then = await taizhang(stack.settings, *ask, "--position", str(opened))
    later = await taizhang(stack.settings, *ask, "--at", now().isoformat())
    async with operator(stack.settings) as broker:
        none = await as_of(broker, SERVICES, *ask[1:], position=opened - 1)

    mongo = stack.runtimes["rectification"].mongo
    live = await mongo.views(f"rectification.{issues.collection}").get(f"{school.id}/{issue}")
    assert json.loads(later.out) == live
    told = json.loads(then.out)
    assert (told["stage"], told["owner"], told["position"]) == ("open", None, opened)
    assert str(ISSUE["title"]) not in then.out  # what is sealed stays sealed
    assert none is None
    looks = (await school.get("leader", "/looks"))["items"]
    assert [(look["query"], look["asked"]["key"]) for look in looks] == [("as-of", issue)] * 2
    assert {look["by"].partition(":")[0] for look in looks} == {"operator"}

    ask = ("as-of", "rectification.issue", school.id, issue)
    stream = await taizhang(stack.settings, *ask, "--position", str(opened))
    async with operator(stack.settings) as broker:
        grown = await as_of(broker, SERVICES, *ask[1:], moment=now())
        before = await as_of(broker, SERVICES, *ask[1:], position=opened - 1)
        everything = await as_of(broker, SERVICES, *ask[1:3], "*")
    told = json.loads(stream.out)
    assert (told["state"]["is"], told["version"], told["position"]) == ("Open", 1, opened)
    assert [event["type"] for event in told["events"]] == ["rectification.issue.opened.v1"]
    assert str(ISSUE["title"]) not in stream.out
    assert grown is not None
    assert (grown["state"]["is"], grown["version"]) == ("Owned", 2)
    assert (before, everything) == (None, None)


@pytest.mark.parametrize(
    ("changed", "goes_on"),
    [({}, True), ({"digest": "of other code"}, False), ({"views.x": 10**9}, False)],
    ids=["the same", "by other code", "from a longer log"],
)
async def test_a_replay_that_was_interrupted_goes_on_where_it_was(
    stack: Stack, school: School, changed: dict[str, Any], *, goes_on: bool
) -> None:
    mongo = stack.runtimes["rectification"].mongo
    issue = (await school.do("clerk", "/issues", ISSUE))["id"]
    await school.settle()
    (pair,) = _pairs(mongo, (rectification,), "rectification.issues")
    async with operator(stack.settings) as broker:
        half = Projector(REPLAY, Journal(broker, mongo, REPLAY), mongo, (pair.view,))
        await half.prepare()
        await half.apply([record async for record in whole_log(broker)])
        await half.save()
        folded = half.position
        known = {"digest": digest_of((rectification,)), **changed}
        await mongo.checkpoints().update(REPLAY, known)
        await pair.fresh.update(f"{school.id}/{issue}", {"title": "另一件事"})
        await school.do("clerk", "/issues", ISSUE)
        await school.settle()

        told = await compare(broker, mongo, (rectification,), only="rectification.issues")

    # what had been folded was not folded again
    again = [f"{pair.name} {school.id}/{issue}: differs in title"]
    assert told.differences == (again if goes_on else [])
    assert told.gone_on_from == (folded if goes_on else 0)


async def test_a_log_that_never_rests_is_replayed_and_only_what_was_changed_by_hand_is_found(
    stack: Stack, school: School
) -> None:
    mongo = stack.runtimes["rectification"].mongo
    issue = (await school.do("clerk", "/issues", ISSUE))["id"]
    await school.settle()
    card = mongo.views(f"rectification.{issues.collection}")
    await card.update(f"{school.id}/{issue}", {"title": "另一件事"})
    recorded, begun = 0, asyncio.Event()

    async def record() -> None:
        nonlocal recorded
        while True:
            await school.do(
                "clerk", "/people", {"name": f"新来的{recorded}", "joined_on": "2024-09-01"}
            )
            await school.do("clerk", "/issues", ISSUE)
            recorded += 1
            begun.set()

    recording = asyncio.gather(*(record() for _ in range(6)))
    async with operator(stack.settings) as broker:
        await begun.wait()
        before = recorded
        told = await compare(broker, mongo, (campaign, rectification))
    assert not recording.done()
    recording.cancel()
    await asyncio.gather(recording, return_exceptions=True)

    assert recorded > before + 1
    collection = f"rectification.{issues.collection}"
    assert told.differences == [f"{collection} {school.id}/{issue}: differs in title"]
    await card.update(f"{school.id}/{issue}", {"title": ISSUE["title"]})


async def test_a_view_of_a_new_version_is_built_while_the_old_one_is_live(
    own_servers: tuple[Embedded, Settings],
) -> None:
    settings = own_servers[1]
    new = replace(issues, version=issues.version + 1)
    others = tuple(view for view in rectification.views if view is not issues)
    coming = replace(rectification, views=(new, *others))
    mongo = Mongo(settings.mongo_url, settings.mongo_database)
    async with running(settings) as stack, enrolled(stack) as school:
        issue = (await school.do("clerk", "/issues", ISSUE))["id"]
        await school.settle()
        await stack.runtimes["rectification"].projector.save()

        async with operator(settings) as broker:
            built = await build_ahead(broker, mongo, (coming,))
            again = await build_ahead(broker, mongo, (coming,))
            journal = Journal(broker, mongo, "rectification")
            starting = Projector("rectification", journal, mongo, (new,))
            await starting.prepare()
        early = await drop_old(mongo, (rectification,))
        await school.do("member", f"/issues/{issue}/claim")
        seen = await school.get("clerk", f"/issues/{issue}")
        (shown,) = await starting.collection(new).find({})
    before = await mongo.view_names()
    dropped = await drop_old(mongo, (coming,))
    after = await mongo.view_names()
    rolled_back = Projector("rectification", journal, mongo, (issues,))
    await rolled_back.prepare()
    mongo.close()

    assert (built, again) == ([f"rectification.{new.collection}"], [])
    assert starting.position == shown["position"]
    assert (shown["key"], shown["stage"], seen["stage"]) == (issue, "open", "owned")
    assert early == []  # what is to come is not the old code's to remove
    assert dropped == [f"rectification.{issues.collection}"]
    assert {*before} - {*after} == {*dropped}
    assert rolled_back.position == 0  # what older code needs is folded again


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

"""Who reads what others said is on record before they read it; an auditor reads nothing sealed at all."""

import re
from typing import Any

import pytest

from shared.callers import Caller
from shared.runtime import Query, now
from tests.live.school import ISSUE, School, set_policy
from tests.live.test_meetings import criticism
from tests.live.test_meetings import held as meeting_held
from tests.live.test_receipts import dropped, in_the_log
from tests.live.test_receipts import look as look_up
from tests.live.test_talks import held as talk_held

pytestmark = pytest.mark.live

SECRET = "只给几个人看的话"
SEALED = {"masked": "sealed"}
REASON = {"reason": SECRET}


async def told(school: School) -> dict[str, str]:
    """Something secret said in every way there is; gives an id for each parameter of a path."""
    campaign, people = await set_policy(school), school.people
    voice = {"recorded_by_clerk": True, "voiced_by": SECRET, "contact": SECRET}
    said = {"verbatim_text": SECRET, "channel": "symposium"}
    opinion = (await school.do("clerk", "/opinions", {**said, **voice}))["id"]
    own = (await school.do("teacher", "/opinions", {**said, "verbatim_text": f"{SECRET}!"}))["id"]
    hide = {"ranges": [{"start": 8, "end": 9}], "mode": "masking", **REASON}
    await school.do("clerk", f"/opinions/{own}/redact", hide)
    asked = {"opinion": opinion, **REASON}
    disclosure = (await school.do("supervisor", "/disclosures", asked))["id"]
    await school.do("clerk", f"/disclosures/{disclosure}/approve", REASON)
    issue = await school.collated(opinion)
    about = {"asked": people["leader"], "about": SECRET}
    request = (await school.do("member", "/talk-requests", about))["id"]
    side = {"party": people["leader"], "asked_about_me": True, "opinion_about_me": SECRET}
    talk = (await school.do("leader", "/talks/record", talk_held(school, sides=[side])))["id"]
    words = {"title": SECRET, "text": SECRET, "written_on": now().date().isoformat()}
    written = {**words, "author": people["member"]}
    reflection = (await school.do("member", "/reflections", written))["id"]
    paper = {"campaign": campaign, "subject": "person", "person": people["member"]}
    paper |= {"manifestations": SECRET, "basic_situation": SECRET}
    examination = (await school.do("member", "/examinations", paper))["id"]
    gap = {"campaign": campaign, "person": people["member"], "aspect": "style"}
    gap |= {"text": SECRET, "found_on": now().date().isoformat()}
    await school.do("member", "/gaps", gap)
    meeting = await meeting_held(school)
    speech = {**criticism(school, "leader", "member"), "text": SECRET}
    await school.do("clerk", f"{meeting}/record-speech", speech)
    await school.settle()
    collation = (await school.get("clerk", "/collations"))["items"][0]["id"]
    return {
        "opinions": opinion, "own": own, "issues": issue, "talk-requests": request, "talks": talk,
        "reflections": reflection, "examinations": examination, "collations": collation,
        "meetings": meeting.rpartition("/")[2], "people": people["member"], "campaigns": campaign,
    }  # fmt: skip


def doors(school: School, ids: dict[str, str]) -> dict[str, str]:
    """Every question that can be put: a path with ids that are there, and its view."""
    found: dict[str, str] = {}
    for route in school.stack.gateway.routes:
        if not issubclass(route.kind, Query) or route.method != "GET":
            continue
        path = route.path.removeprefix("/v1/{school}")
        kind = path.split("/")[1]
        path = path.replace("{id}", ids.get(kind, "nobody")).replace("{member}", ids["people"])
        needed = {
            name for name, field in route.kind.model_fields.items() if field.is_required()
        } - set(re.findall(r"{(\w+)}", route.path))
        known = {"rule": "R46", "subject": f"{school.people['leader']},{school.people['member']}",
                 "period": "campaign", "since": "2023-01-01", "position": "1", "old": "1"}  # fmt: skip
        asked = "&".join(f"{name}={known[name]}" for name in sorted(needed))
        found[f"{path}?{asked}"] = route.kind.view()
    return found


async def looks(school: School, who: str = "operator", asked: str = "") -> list[dict[str, Any]]:
    return list((await school.get(who, f"/looks?limit=200{asked}"))["items"])


async def test_every_door_that_tells_what_is_for_some_leaves_a_record_and_no_other(
    school: School,
) -> None:
    ids = await told(school)
    me = school.people["supervisor"]
    tells: dict[str, bool] = {}
    for path, view in doors(school, ids).items():
        before = len(await looks(school, asked=f"&by={me}"))
        answer = await school.ask("supervisor", "GET", path)
        after = await looks(school, asked=f"&by={me}")
        secret = SECRET in answer.text
        if secret:
            assert [look["query"] for look in after[before:]] == [view], path
            assert after[before:][0]["read"], path
        tells[view] = tells.get(view, False) or secret
        assert SECRET not in str(after)

    assert {told for told, secret in tells.items() if secret} >= {
        "opinions", "opinion", "disclosures", "issue-opinions", "collation-opinions", "issue-biography",
        "reflection", "examination", "gaps", "meeting-minutes",
    }  # fmt: skip
    assert not {"people", "issues", "board", "rules"} & {
        look["query"] for look in await looks(school, asked=f"&by={me}")
    }


async def test_what_everybody_may_see_leaves_no_record(school: School) -> None:
    ids = await told(school)
    answered = [await school.ask("teacher", "GET", path) for path in doors(school, ids)]
    assert sum(answer.status_code == 200 for answer in answered) > 40
    assert not any(SECRET in answer.text.replace(f"{SECRET}!", "") for answer in answered)
    assert await looks(school, asked=f"&by={school.people['teacher']}") == []


async def test_an_auditor_asks_everything_and_reads_nothing_that_is_sealed(school: School) -> None:
    ids = await told(school)
    school.tokens["auditor"] = school.token("auditor:firm", roles=frozenset({"auditor"}))
    answered: dict[str, Any] = {}
    for path, view in doors(school, {**ids, "opinions": ids["own"]}).items():
        answer = await school.ask("auditor", "GET", path)
        assert answer.status_code in {200, 403, 404, 409, 422}, (path, answer.text)
        for word in (SECRET, "某member", "某leader", "示范中学", str(ISSUE["title"])):
            assert word not in answer.text, path
        if answer.status_code == 200:
            answered[view] = answer.json()

    assert len(answered) > 60
    everywhere = {"people", "opinions", "opinion", "talk", "issues", "issue", "issue-biography",
                  "examination", "gaps", "reflection", "meeting-minutes", "disclosures"}  # fmt: skip
    for asked in everywhere:
        assert str(SEALED) in str(answered[asked]), asked
    assert answered["newest-checkpoint"]["size"] > 0
    assert len(answered["people"]["items"]) == len(school.people)
    reads = await looks(school, asked="&by=auditor:firm")
    assert {look["query"] for look in reads} >= everywhere
    assert {look["read"] for look in reads} == {0}


async def test_an_auditor_changes_nothing(school: School) -> None:
    school.tokens["auditor"] = school.token("auditor:firm", roles=frozenset({"auditor"}))
    for route in school.stack.gateway.routes:
        if route.method == "POST" and not issubclass(route.kind, Query):
            path = route.path.removeprefix("/v1/{school}").replace("{id}", "nobody")
            if "receipts" in path or path.endswith(("import", "rows")):
                continue
            answer = await school.ask("auditor", "POST", path, {})
            assert answer.status_code in {403, 422}, (path, answer.text)
    refused = await school.refused("auditor", "/issues", ISSUE)
    assert refused["code"] == "not-allowed"


async def test_one_sees_who_read_ones_own_words_and_nothing_else_of_it(school: School) -> None:
    said = {"verbatim_text": SECRET, "channel": "symposium"}
    mine = (await school.do("teacher", "/opinions", said))["id"]
    other = (await school.do("member", "/opinions", said))["id"]
    await school.get("teacher", f"/opinions/{mine}")
    assert await looks(school, "teacher") == []
    await school.get("supervisor", "/opinions?channel=symposium")

    [look] = await looks(school, "teacher")
    assert look["by"] == school.people["supervisor"]
    assert look["streams"] == [f"opinion.{mine}"]
    assert not {"asked", "read", "rows", "whose"} & look.keys()
    assert await looks(school, "teacher", f"&stream=opinion.{other}") == []
    [whole] = await looks(school, "leader", f"&stream=opinion.{other}")
    assert whole["asked"] == {"channel": "symposium"}
    assert sorted(whole["streams"]) == sorted([f"opinion.{mine}", f"opinion.{other}"])
    assert school.people["teacher"] not in str(whole)
    assert await looks(school, "leader", "&since=2199-01-01") == []
    assert await looks(school, "leader", "&mine=true") == []


async def test_by_receipt_one_sees_who_read_ones_words(school: School) -> None:
    given = await dropped(school, "key-1", SECRET)
    await in_the_log(school, given["id"])
    assert (await look_up(school, given["receipt"]))["read"] == []
    await school.get("clerk", f"/opinions/{given['id']}")

    read = (await look_up(school, given["receipt"]))["read"]

    assert [r["by"] for r in read] == [school.people["clerk"]]


async def test_what_is_taken_away_as_a_table_is_on_record_with_its_rows(school: School) -> None:
    runtime = school.stack.runtimes["campaign"]
    query = next(q for q in runtime.service.queries if q.view() == "people")
    desk = runtime.desk(school.id, now())
    caller = Caller(school.people["clerk"], frozenset({"person"}))  # type: ignore[arg-type]

    await runtime._found(query(), desk, caller)
    await runtime._found(query(), desk, caller, "csv")

    [look] = await looks(school, asked="&by=" + school.people["clerk"])
    assert (look["query"], look["export"], look["rows"]) == ("people", "csv", len(school.people))

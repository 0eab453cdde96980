"""An originator without an account: says something, gets a receipt, and lives through it all with it."""

import asyncio
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from shared.broker import EVENTS
from tests.live.school import School, set_policy
from tests.live.test_journey import struck_off

pytestmark = pytest.mark.live

SAID = {"verbatim_text": "宿舍热水经常停", "channel": "suggestion_box"}


async def dropped(school: School, key: str, text: str = SAID["verbatim_text"]) -> dict[str, Any]:
    answer = await school.ask(
        None, "POST", "/opinions", {**SAID, "verbatim_text": text}, Idempotency_Key=key
    )
    assert answer.is_success, answer.text
    return dict(answer.json())


async def in_the_log(school: School, *opinions: str) -> None:
    """Wait for the next batches to bring these into the log, and for the views to show them."""
    journal = school.stack.runtimes["feedback"].journal
    async with asyncio.timeout(120):
        for opinion in opinions:
            subject = f"evt.{school.id}.feedback.opinion.{opinion}"
            while not (head := await journal.head(subject)):
                await asyncio.sleep(0.05)
            school.position = max(school.position, head)
    await school.settle()


async def look(school: School, code: str) -> dict[str, Any]:
    answer = await school.ask(None, "POST", "/receipts", {"code": code})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_receipt_is_given_once_and_shown_again_for_the_same_key(school: School) -> None:
    key = str(uuid4())

    first = await dropped(school, key)
    again = await dropped(school, key)
    other = await school.ask(
        None, "POST", "/opinions", {**SAID, "verbatim_text": "别的"}, Idempotency_Key=key
    )

    assert len(first["receipt"].replace("-", "")) == 16
    assert again["receipt"] == first["receipt"]
    assert (other.status_code, other.json()["code"]) == (422, "key-reused")
    await in_the_log(school, first["id"])
    assert (await look(school, first["receipt"]))["verbatim_text"] == SAID["verbatim_text"]


async def test_the_log_tells_neither_who_nor_when_nor_in_which_order(school: School) -> None:
    await set_policy(school, intake_batch="PT2S")
    await school.settle()
    given = await asyncio.gather(*(dropped(school, str(uuid4()), f"第{n}条") for n in range(12)))
    await in_the_log(school, *(g["id"] for g in given))
    broker = school.stack.runtimes["feedback"].broker

    stored = [
        (await broker.history(EVENTS, f"evt.{school.id}.feedback.opinion.{g['id']}", after=0))[0]
        for g in given
    ]

    for message in stored:
        assert message.headers["ce-actor"] == "anonymous"
        assert not {"ce-causationid", "traceparent", "ce-onbehalfof"} & message.headers.keys()
        assert message.headers["ce-recordedtime"] == message.headers["ce-time"]
        batch = datetime.fromisoformat(message.headers["ce-recordedtime"])
        assert (batch.second % 2, batch.microsecond) == (0, 0)
    assert len({message.headers["ce-recordedtime"] for message in stored}) < len(given)


async def test_with_a_receipt_one_follows_answers_and_judges(school: School) -> None:
    await set_policy(school, public_notice="PT0S")
    given = await dropped(school, str(uuid4()))
    await in_the_log(school, given["id"])
    collation = (await school.do("clerk", "/collations", {"opinions": [given["id"]]}))["id"]
    group = {
        "key": "water", "title": "宿舍热水不足", "parts": [{"opinion": given["id"]}],
        "addressee": "team", "winds": ["bureaucratism"], "not_four_winds": False, "topics": [],
        "discovery": "raised_by_public",
    }  # fmt: skip
    await school.do("clerk", f"/collations/{collation}/group-opinions", group)
    await school.do("clerk", f"/collations/{collation}/close")
    await school.settle()
    issue = (await school.get("clerk", "/issues"))["items"][0]["id"]
    await struck_off(school, issue)
    await school.settle()

    code = given["receipt"]
    message = {"code": code, "text": "周末也停"}
    sent = await school.ask(None, "POST", "/receipts/send-message", message)
    verdict = {"code": code, "issue": issue, "solved": "unsolved", "satisfied": "dissatisfied"}
    judged = await school.ask(None, "POST", "/receipts/record-verdict", verdict)
    twice = await school.ask(
        None, "POST", "/receipts/record-verdict", {**verdict, "solved": "solved"}
    )
    await school.settle()

    assert sent.status_code == 200, sent.text
    assert judged.status_code == 200, judged.text
    assert twice.json()["code"] == "already-judged"
    seen = await look(school, code)
    assert [b["id"] for b in seen["became"]] == [issue]
    assert len(seen["messages"]) == 1
    await school.do(
        "clerk", f"/issues/{issue}/reopen", {"cause": "verdict_unsolved", "reason": "群众不认可"}
    )


async def test_who_looks_has_seen_what_was_recorded_before(school: School) -> None:
    far = {"Taizhang_Min_Position": "1000000000"}
    problem = await school.refused(None, "/receipts", {"code": "0000-0000-0000-0000"}, **far)
    assert problem["code"] == "not-there-yet"


async def test_a_wrong_code_opens_nothing(school: School) -> None:
    for code in ("0000-0000-0000-0000", "1234567890123456"):
        answer = await school.ask(None, "POST", "/receipts", {"code": code})
        assert answer.json()["code"] == "unknown-receipt"
    nonsense = await school.ask(None, "POST", "/receipts", {"code": "abc"})
    assert nonsense.status_code == 422
    await school.refused(None, "/receipts/send-message", {"code": "1" * 16, "text": "x"})


async def test_a_receipt_of_one_opinion_is_none_for_another(school: School) -> None:
    mine, other = await dropped(school, str(uuid4())), await dropped(school, str(uuid4()))
    await in_the_log(school, mine["id"], other["id"])
    token = school.token(
        f"originator:{mine['id']}", roles=frozenset({"originator"}), school=school.id
    )

    answer = await school.ask(
        None, "POST", f"/opinions/{other['id']}/withdraw", {}, Authorization=f"Bearer {token}"
    )

    assert answer.status_code in {403, 409}


async def test_who_is_told_an_identity_is_known_to_whoever_left_it(school: School) -> None:
    said = {**SAID, "voiced_by": "退休教师", "contact": "13800000000"}
    answer = await school.ask(None, "POST", "/opinions", said, Idempotency_Key=str(uuid4()))
    opinion, code = answer.json()["id"], answer.json()["receipt"]
    await in_the_log(school, opinion)
    before = await school.get("leader", f"/opinions/{opinion}")
    asked = await school.do("leader", "/disclosures", {"opinion": opinion, "reason": "当面答谢"})
    path = f"/disclosures/{asked['id']}/approve"

    own = await school.refused("leader", path, {"reason": "本人同意"})
    await school.do("supervisor", path, {"reason": "本人同意"})

    told = await school.get("leader", f"/opinions/{opinion}")
    assert (before["voiced_by"], before["contact"]) == ({"masked": "sealed"},) * 2
    assert own["code"] == "not-allowed"
    assert (told["voiced_by"], told["contact"]) == ("退休教师", "13800000000")
    answer = await school.ask(None, "POST", "/receipts", {"code": code})
    [known] = answer.json()["disclosures"]
    assert (known["state"], known["reason"]) == ("disclosed", "本人同意")
    assert (known["requested_by"], known["approved_by"]) == (
        school.people["leader"],
        school.people["supervisor"],
    )

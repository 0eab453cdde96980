"""Who spoke up without being in the roster is erased by two people; what was said, stays and counts."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from shared.broker import EVENTS
from shared.envelope import event_hash
from shared.journal import recorded
from shared.runtime import FORGET_AFTER
from tests.live.school import School
from tests.live.test_receipts import in_the_log, look
from tests.live.test_talks import held, seen

pytestmark = pytest.mark.live

NAME, CONTACT, WORDS = "尉迟某某家长", "139-某某", "校门口车辆太多"
ERASED = {"masked": "erased"}
WHY = {"reason": "本人要求"}


async def erase(school: School, kind: str, record: str) -> None:
    """The clerk asks, the leader approves."""
    asked = await school.do(
        "clerk", "/erasures/request-text", {"kind": kind, "record": record, **WHY}
    )
    path = f"/erasures/{asked['id']}/approve"
    assert (await school.refused("clerk", path, WHY))["code"] == "four-eyes"
    await school.do("leader", path, WHY)


async def forgotten(school: School, scope: str) -> None:
    """Every service has dropped the key, within seconds."""
    name = f"{school.id}/{scope}"
    runtimes = school.stack.runtimes.values()
    async with asyncio.timeout(20 * FORGET_AFTER):
        while not all(runtime.privacy.keyring.is_erased(name) for runtime in runtimes):
            await asyncio.sleep(0.05)
    assert not any(runtime.privacy.keyring.known(name) for runtime in runtimes)


async def hashes(school: School, subject: str) -> list[str]:
    broker = school.stack.runtimes["feedback"].broker
    past = [
        recorded(s) for s in await broker.history(EVENTS, f"evt.{school.id}.{subject}", after=0)
    ]
    told = [record.hash for record in past]
    assert told == [event_hash(r.subject, r.headers, r.body) for r in past]
    return told


async def test_who_said_it_is_forgotten_everywhere_and_what_was_said_is_not(school: School) -> None:
    said: dict[str, Any] = {"verbatim_text": WORDS, "channel": "public_reception"}
    voice = {"recorded_by_clerk": True, "voiced_by": NAME, "contact": CONTACT}
    opinion = (await school.do("clerk", "/opinions", {**said, **voice}))["id"]
    path, scope = f"/opinions/{opinion}", f"opinion.{opinion}.originator"
    before = await school.get("clerk", path)
    assert (before["voiced_by"], before["contact"]) == (NAME, CONTACT)
    stood = await hashes(school, f"feedback.opinion.{opinion}")
    keys = school.stack.runtimes["feedback"].mongo.keep("keys")
    backup = await keys.get(f"{school.id}/{scope}")
    count = len((await school.get("clerk", "/opinions"))["items"])

    await erase(school, "originator", opinion)

    after = await school.get("clerk", path)
    assert (after["voiced_by"], after["contact"], after["verbatim_text"]) == (ERASED, ERASED, WORDS)
    assert len((await school.get("clerk", "/opinions"))["items"]) == count
    await forgotten(school, scope)
    assert await hashes(school, f"feedback.opinion.{opinion}") == stood
    [told] = (await school.get("clerk", "/erasures"))["items"]
    assert (told["kind"], told["record"], told["person"]) == ("originator", opinion, None)
    assert (told["state"], told["approved_by"]) == ("erased", school.people["leader"])

    assert backup is not None
    await keys.put(backup)
    assert (await school.get("clerk", path))["voiced_by"] == ERASED
    again = {"kind": "originator", "record": opinion, "reason": "再次"}
    assert (await school.refused("clerk", "/erasures/request-text", again))["code"] == "erased"


async def test_who_spoke_up_by_receipt_is_erased_and_goes_on_by_receipt(school: School) -> None:
    said = {"verbatim_text": WORDS, "channel": "suggestion_box", "contact": CONTACT}
    answer = await school.ask(None, "POST", "/opinions", said, Idempotency_Key=str(uuid4()))
    given = answer.json()
    await in_the_log(school, given["id"])
    assert (await school.get("clerk", f"/opinions/{given['id']}"))["contact"] == CONTACT

    await erase(school, "originator", given["id"])

    assert (await school.get("clerk", f"/opinions/{given['id']}"))["contact"] == ERASED
    message = {"code": given["receipt"], "text": "周末也这样"}
    sent = await school.ask(None, "POST", "/receipts/send-message", message)
    assert sent.is_success, sent.text
    await school.settle()
    found = await look(school, given["receipt"])
    assert (found["verbatim_text"], len(found["messages"])) == (WORDS, 1)


async def test_a_talk_is_kept_as_long_as_policy_says_but_not_who_came_from_outside(
    school: School,
) -> None:
    visit = {"parties": [school.people["leader"]], "outsider": NAME}
    talk = (await school.do("leader", "/talks/record", {**held(school), **visit, "sides": []}))[
        "id"
    ]
    assert (await seen(school, talk, "leader"))["outsider"] == NAME

    await erase(school, "outsider", talk)

    found = await seen(school, talk, "leader")
    assert found["outsider"] == ERASED
    assert found["place"] == held(school)["place"]
    await forgotten(school, f"talk.{talk}.outsider")
    whole = {"kind": "talk", "record": talk, **WHY}
    kept = await school.refused("clerk", "/erasures/request-text", whole)
    assert kept["code"] == "still-kept"
    nothing = {"kind": "talk", "record": str(uuid4()), **WHY}
    assert (await school.refused("clerk", "/erasures/request-text", nothing))["code"] == (
        "no-such-record"
    )
    due = await school.get("clerk", "/retention?on=2099-01-01&kind=talk")
    assert [(item["id"], item["state"]) for item in due["items"]] == [(talk, "due")]
    assert (await school.get("clerk", "/retention"))["items"] == []

"""Two people erase a third: every service forgets them, and nothing that was recorded changes."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from services.campaign.app import service as campaign
from shared.broker import EVENTS
from shared.chain import Chain
from shared.envelope import event_hash
from shared.journal import SNAPSHOT_EVERY, recorded
from shared.provision import operator
from shared.replay import compare
from shared.runtime import FORGET_AFTER, now
from tests.live.school import School

pytestmark = pytest.mark.live

NAME, NUMBER = "司徒某甲", "T-7788"
ERASED = {"masked": "erased"}


async def gone(school: School) -> str:
    """Somebody who was here and has left, known by name and number in every service."""
    person = await school.enter("gone", ("party_member",), name=NAME, number=NUMBER)
    left = (now() - timedelta(days=1)).date().isoformat()
    await school.do("clerk", f"/people/{person}/leave-school", {"on": left})
    return person


async def events(school: School) -> list[Any]:
    """Everything the log holds of a school, as it is stored."""
    broker = school.stack.runtimes["campaign"].broker
    found = []
    for category in ("person", "erasure", "school", "account"):
        subject = f"evt.{school.id}.campaign.{category}.*"
        found += [recorded(stored) for stored in await broker.history(EVENTS, subject, after=0)]
    return found


async def erase(school: School, person: str) -> str:
    """The clerk asks, the leader approves; gives the erasure's id."""
    asked = await school.do("clerk", "/erasures", {"person": person, "reason": "本人要求"})
    path = f"/erasures/{asked['id']}/approve"
    assert (await school.refused("clerk", path, {"reason": "同意"}))["code"] == "four-eyes"
    await school.do("leader", path, {"reason": "同意"})
    return str(asked["id"])


async def everything_stored(school: School) -> str:
    """All that views and snapshots hold of a school, as text."""
    mongo = school.stack.runtimes["campaign"].mongo
    here = {"_id": {"$regex": school.id}}
    names = (
        "campaign.people.v1",
        "campaign.directory.v1",
        "feedback.directory.v1",
        "campaign.snapshots",
    )
    return "".join([str(await mongo.views(name).find(here)) for name in names])


async def test_every_service_forgets_and_nothing_recorded_changes(school: School) -> None:
    person = await gone(school)
    for n in range(SNAPSHOT_EVERY):
        said = {"name": NAME, "number": NUMBER, "reason": f"第{n}次核对"}
        await school.do("clerk", f"/people/{person}/correct", said)
    await school.settle()
    before = await events(school)
    entered = next(
        r.event for r in before if r.type == "campaign.person.entered.v1" and r.stream == person
    )
    runtimes = school.stack.runtimes.values()
    for runtime in runtimes:  # who has opened it has the key in memory
        assert await runtime.privacy.open(school.id, entered.name) == NAME
    shown = await school.get("clerk", f"/people/{person}")
    assert (shown["name"], shown["number"], shown["erased"]) == (NAME, NUMBER, False)
    count = len((await school.get("clerk", "/people"))["items"])

    erasure = await erase(school, person)

    shown = await school.get("clerk", f"/people/{person}")
    assert (shown["name"], shown["number"], shown["erased"]) == (ERASED, ERASED, True)
    people = (await school.get("clerk", "/people"))["items"]
    assert len(people) == count
    assert [p["name"] for p in people if p["id"] == person] == [ERASED]
    [told] = (await school.get("clerk", "/erasures"))["items"]
    assert (told["id"], told["state"], told["person"]) == (erasure, "erased", person)
    assert (told["requested_by"], told["approved_by"]) == (
        school.people["clerk"],
        school.people["leader"],
    )
    assert NAME not in (await school.ask("clerk", "GET", "/people")).text

    name = f"{school.id}/person.{person}"
    async with asyncio.timeout(20 * FORGET_AFTER):
        while any(runtime.privacy.keyring.known(name) for runtime in runtimes):
            await asyncio.sleep(0.05)
    for runtime in runtimes:
        assert await runtime.privacy.open(school.id, entered.name) == ERASED

    after = await events(school)
    hashes = {r.position: r.hash for r in after}
    assert {r.position: r.hash for r in before}.items() <= hashes.items()
    chain = Chain()
    for record in after:
        assert chain.check(record, event_hash(record.subject, record.headers, record.body)) == []
    snapshot = f"evt.{school.id}.campaign.person.{person}"
    snapshots = school.stack.runtimes["campaign"].mongo.views("campaign.snapshots")
    async with asyncio.timeout(20):
        while await snapshots.get(snapshot) is None:
            await asyncio.sleep(0.05)
    stored = await everything_stored(school)
    assert snapshot in stored
    assert entered.name in stored
    assert NAME not in stored
    assert NUMBER not in stored


async def test_what_is_shown_is_what_the_log_says_also_of_who_was_erased(school: School) -> None:
    await erase(school, await gone(school))
    await school.settle()
    mongo = school.stack.runtimes["campaign"].mongo

    async with operator(school.stack.settings) as broker:
        for view in ("campaign.people", "campaign.directory", "campaign.erasures"):
            told = await compare(broker, mongo, (campaign,), only=view)
            assert told.good, told
            assert told.documents


async def test_a_key_that_comes_back_from_a_backup_revives_nobody(school: School) -> None:
    person = await gone(school)
    name = f"{school.id}/person.{person}"
    keys = school.stack.runtimes["campaign"].mongo.keep("keys")
    backup = await keys.get(name)
    assert backup is not None
    assert "wrapped" in backup
    await erase(school, person)
    await school.get("clerk", f"/people/{person}")
    assert await keys.get(name) == {"_id": name, "erased": True}

    await keys.put(backup)

    assert (await school.get("clerk", f"/people/{person}"))["name"] == ERASED


async def test_what_is_said_of_who_was_erased_is_refused(school: School) -> None:
    person = await gone(school)
    still = await school.refused(
        "clerk", "/erasures", {"person": school.people["teacher"], "reason": "误"}
    )
    assert still["code"] == "still-here"
    assert (await school.refused("teacher", "/erasures", {"person": person, "reason": "误"}))[
        "code"
    ] == "not-allowed"
    await erase(school, person)

    again = await school.refused("clerk", "/erasures", {"person": person, "reason": "再次"})
    named = await school.refused(
        "clerk", f"/people/{person}/correct", {"name": NAME, "reason": "恢复"}
    )

    assert [again["code"], named["code"]] == ["erased", "erased"]

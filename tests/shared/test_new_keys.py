"""A new key is in memory only until there is an event that needs it, and durable before that event."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

import pytest

from services.rectification.app import service
from services.rectification.domain.issue import OpenIssue, WindsUnclear
from shared.decider import Unavailable, kebab, wire
from shared.envelope import Draft
from shared.journal import AlreadyRecorded
from shared.marks import tokens
from shared.privacy import Keyring
from shared.runtime import Reply, Taken, TextErased
from tests.memory import TOWN, Pages, Works, works
from tests.rectification.cast import COLLATOR, NOON, SCHOOL, SUPERVISOR
from tests.rectification.memory import caller

SENDER = UUID("5c1d8a52-5b34-4a33-9f0e-20230508aaaa")
SENDER_OF_MORE = UUID("5c1d8a52-5b34-4a33-9f0e-20230508bbbb")
SAID: dict[str, Any] = {
    "title": "宿舍热水供应时间与晚自习脱节",
    "addressee": "team",
    "not_four_winds": True,
    "discovery": "superior_pointed",
    "sources": [{"kind": "superior", "id": "letter-1"}],
}


@dataclass
class Watched(Pages):
    """A log that sees whether the keys of an event are kept when it comes, and may lose its answers."""

    silent: int = 0

    async def append(self, draft: Draft, *, after: int) -> int:
        kept = await self.mongo.keep("keys").get_many(scopes(draft))
        assert kept.keys() == scopes(draft)
        if any(record.id == draft.id for record in self.log):
            raise AlreadyRecorded
        position = await super().append(draft, after=after)
        if self.silent:
            self.silent -= 1
            raise Unavailable("log")
        return position


def scopes(draft: Draft) -> set[str]:
    """The keys that an event's texts are sealed with."""
    return {f"{TOWN}/{token.split('~')[2]}" for token in tokens(draft.event.model_dump())}


async def at_work(silent: int = 0) -> Works:
    """The service; the school itself has been at work before."""
    at = await works(service, SCHOOL)
    at.pages = at.runtime.journal = Watched(**vars(at.pages), silent=silent)
    await at.runtime.privacy.fingerprint(TOWN, "", "", "")
    return at


async def opens(at: Works, **changes: Any) -> Reply:
    """Open an issue, under the same command id whatever it says."""
    name = kebab(OpenIssue.__name__)
    body = wire(OpenIssue).model_validate({**SAID, **changes}, strict=False)
    stream = service.commands()[name][0]
    taken = Taken(TOWN, stream, OpenIssue, None, body, caller(COLLATOR), SENDER, NOON)
    return await at.runtime.carry_out(taken)


async def opened(at: Works) -> object:
    """The words of the one issue there is."""
    (issue,) = at.pages.log
    return await at.runtime.privacy.open(TOWN, issue.event.model_dump()["title"])


async def test_a_command_that_is_refused_leaves_no_key() -> None:
    at = await at_work()
    before = dict(at.kept("keys"))
    with pytest.raises(WindsUnclear):
        await opens(at, winds=["formalism"])
    assert at.kept("keys") == before


async def test_the_keys_of_an_event_are_kept_before_it_is_recorded() -> None:
    at = await at_work()
    before = dict(at.kept("keys"))
    reply = await opens(at)
    assert at.kept("keys").keys() - before.keys() == {f"{TOWN}/issue.{reply.id}"}
    assert await opened(at) == SAID["title"]


async def test_who_repeats_what_was_recorded_without_an_answer_is_told_of_it() -> None:
    at = await at_work(silent=1)
    with pytest.raises(Unavailable):
        await opens(at)
    kept = dict(at.kept("keys"))
    for forgetful in (False, True):
        if forgetful:  # another process takes the repetition
            at.runtime.journal.forget(at.pages.log[0].subject)
            at.runtime.privacy.keyring._known.clear()
        reply = await opens(at)
        assert (reply.repeated, reply.event) == (True, at.pages.log[0].id)
    assert at.kept("keys") == kept
    assert await opened(at) == SAID["title"]


async def test_who_was_slower_seals_with_the_key_that_is_there() -> None:
    at, name = await at_work(), kebab(OpenIssue.__name__)
    issue = uuid5(SENDER, service.commands()[name][0].decider.category)
    other = Keyring(at.runtime.mongo, at.runtime.privacy.keyring.deployment)
    key = await other.ensure(f"{TOWN}/issue.{issue}")
    reply = await opens(at)
    assert (reply.id, reply.repeated) == (str(issue), False)
    assert await opened(at) == SAID["title"]
    assert at.runtime.privacy.keyring.known(f"{TOWN}/issue.{issue}") == key


async def test_two_who_do_the_same_at_once_record_it_once() -> None:
    at = await at_work()
    first, second = await asyncio.gather(opens(at), opens(at))
    assert {first.repeated, second.repeated} == {False, True}
    assert await opened(at) == SAID["title"]


async def test_nothing_is_recorded_where_the_key_was_destroyed() -> None:
    at = await at_work()
    issue = (await opens(at)).id
    scope = f"{TOWN}/issue.{issue}"
    at.kept("keys")[scope] = {"_id": scope, "erased": True}
    at.runtime.privacy.keyring._known.clear()
    stream, kind = service.commands()["void-issue"]
    body = wire(kind).model_validate({"reason": "重复录入"})
    void = Taken(TOWN, stream, kind, issue, body, caller(SUPERVISOR), SENDER_OF_MORE, NOON)
    with pytest.raises(TextErased):
        await at.runtime.carry_out(void)
    assert at.kept("keys")[scope] == {"_id": scope, "erased": True}
    assert len(at.pages.log) == 1


async def test_what_was_recorded_before_its_key_was_destroyed_is_told_to_who_repeats_it() -> None:
    at = await at_work()
    first = await opens(at)
    scope = f"{TOWN}/issue.{first.id}"
    at.kept("keys")[scope] = {"_id": scope, "erased": True}
    at.runtime.journal.forget(at.pages.log[0].subject)
    at.runtime.privacy.keyring._known.pop(scope)
    again = await opens(at)
    assert (again.repeated, again.event, len(at.pages.log)) == (True, first.event, 1)

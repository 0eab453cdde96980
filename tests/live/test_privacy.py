"""Sealing on the real key store: nobody who reads log or database reads a word."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from services.feedback.domain.opinion import SubmitOpinion
from services.stack import Stack
from shared.broker import EVENTS
from shared.mongo import Mongo
from shared.privacy import Keyring, Privacy, ScopeErased, deployment_key, salted_hash
from shared.runtime import now
from shared.settings import Settings
from tests.live.school import School

pytestmark = pytest.mark.live

WORDS = "食堂三号窗口的赵师傅总是少打菜"
SCHOOL = "s-privacy"


@pytest.fixture
def privacy(servers: Settings) -> Iterator[Privacy]:
    mongo = Mongo(servers.mongo_url, servers.mongo_database)
    yield Privacy(Keyring(mongo, deployment_key(servers.key_file)))
    mongo.close()


def said(stream: str, text: str = WORDS) -> SubmitOpinion:
    fields: dict[str, Any] = dict.fromkeys(SubmitOpinion.model_fields)
    fields |= {"verbatim_text": text, "voiced_by": "赵某", "at": now(), "stream": stream}
    return SubmitOpinion.model_construct(**fields)


async def sealed_for_good(privacy: Privacy, stream: str, text: str = WORDS) -> SubmitOpinion:
    """What somebody said in a stream, sealed with keys that are durable."""
    made: dict[str, bytes] = {}
    sealed = await privacy.seal(said(stream, text), SCHOOL, "opinion", stream, made)
    assert await privacy.keyring.keep(made)
    return sealed


async def test_neither_the_log_nor_the_database_holds_what_was_said(school: School) -> None:
    opinion = {"verbatim_text": WORDS, "channel": "other", "channel_text": "走廊里说的"}
    told = await school.do(
        "clerk", "/opinions", {**opinion, "recorded_by_clerk": True, "voiced_by": "赵某"}
    )
    await school.settle()
    runtime = school.stack.runtimes["feedback"]

    subject = f"evt.{school.id}.feedback.opinion.{told['id']}"
    stored = await runtime.broker.history(EVENTS, subject, after=0)
    document = await runtime.mongo.views("feedback.opinions.v1").get(f"{school.id}/{told['id']}")
    seen = await school.get("clerk", f"/opinions/{told['id']}")

    for raw in (stored[0].body.decode(), str(stored[0].headers), str(document)):
        assert not {"赵师傅", "赵某", "走廊"} & {w for w in ("赵师傅", "赵某", "走廊") if w in raw}
    assert seen["verbatim_text"] == WORDS


async def test_what_is_sealed_can_be_opened_again(privacy: Privacy) -> None:
    stream = str(uuid4())

    sealed = await sealed_for_good(privacy, stream)
    opened = await privacy.open(SCHOOL, {"a": [sealed.verbatim_text, sealed.voiced_by, 1]})

    assert opened == {"a": [WORDS, "赵某", 1]}
    assert sealed.length == len(WORDS)
    salt = await privacy.open(SCHOOL, sealed.salt)
    assert sealed.verbatim_sha256 == salted_hash(salt, WORDS)


async def test_equal_texts_of_one_field_give_equal_tokens_and_no_others_do(
    privacy: Privacy,
) -> None:
    one, two = str(uuid4()), str(uuid4())

    first = await sealed_for_good(privacy, one)
    again = await sealed_for_good(privacy, one)
    elsewhere = await sealed_for_good(privacy, two)
    otherwise = await sealed_for_good(privacy, one, "别的")

    assert first == again.model_copy(update={"at": first.at})
    assert len({first.verbatim_text, elsewhere.verbatim_text, otherwise.verbatim_text}) == 3


async def test_a_token_moved_elsewhere_or_changed_does_not_open(privacy: Privacy) -> None:
    stream = str(uuid4())
    token = (await sealed_for_good(privacy, stream)).verbatim_text
    _, one, scope, field, box = token.split("~")

    moved = f"~{one}~{scope}~title~{box}"
    changed = f"~{one}~{scope}~{field}~{'A' if box[0] != 'A' else 'B'}{box[1:]}"

    assert await privacy.open(SCHOOL, [moved, changed]) == [{"masked": "damaged"}] * 2
    assert await privacy.open("another", token) == {"masked": "erased"}


async def test_a_destroyed_key_leaves_a_mask_and_is_never_made_again(privacy: Privacy) -> None:
    stream = str(uuid4())
    sealed = await sealed_for_good(privacy, stream)
    name, never = f"{SCHOOL}/opinion.{stream}", f"{SCHOOL}/opinion.{uuid4()}"
    rings = [Keyring(privacy.keyring.mongo, privacy.keyring.deployment) for _ in range(8)]

    await asyncio.gather(*(ring.destroy([name, never]) for ring in (privacy.keyring, *rings)))

    fresh = Privacy(Keyring(privacy.keyring.mongo, privacy.keyring.deployment))
    for each in (privacy, fresh):
        assert await each.open(SCHOOL, sealed.verbatim_text) == {"masked": "erased"}
        assert await each.open(SCHOOL, sealed.voiced_by) == "赵某"
        with pytest.raises(ScopeErased):
            await sealed_for_good(each, stream)
        with pytest.raises(ScopeErased):
            await each.keyring.ensure(never)


async def test_many_who_need_one_key_get_the_same(privacy: Privacy) -> None:
    name = f"{SCHOOL}/opinion.{uuid4()}"
    other = Keyring(privacy.keyring.mongo, privacy.keyring.deployment)

    keys = await asyncio.gather(*(ring.ensure(name) for ring in (privacy.keyring, other) * 20))

    assert len(set(keys)) == 1
    assert len(keys[0]) == 32


async def test_of_two_who_make_a_key_at_once_one_has_to_seal_again(privacy: Privacy) -> None:
    other = Keyring(privacy.keyring.mongo, privacy.keyring.deployment)
    for rings in ((privacy.keyring, privacy.keyring), (privacy.keyring, other)):
        name = f"{SCHOOL}/opinion.{uuid4()}"
        tries: list[dict[str, bytes]] = [{}, {}]
        first, second = [await r.key(name, m) for r, m in zip(rings, tries, strict=True)]
        assert first != second

        kept = await asyncio.gather(*(r.keep(m) for r, m in zip(rings, tries, strict=True)))

        assert sorted(kept) == [False, True]
        right = first if kept[0] else second
        none: dict[str, bytes] = {}
        assert [await ring.key(name, none, new=True) for ring in rings] == [right, right]
        assert none == {}


async def test_a_text_that_looks_like_a_token_is_a_text(school: School) -> None:
    for text in ("~1~x", "~1~a~b~c~d", "~1~opinion.x~verbatim_text~AAAA"):
        told = await school.do("teacher", "/opinions", {"verbatim_text": text, "channel": "weibo"})
        seen = await school.get("clerk", f"/opinions/{told['id']}")
        assert seen["verbatim_text"] in (text, {"masked": "erased"})


async def test_the_key_store_holds_no_key_in_clear(privacy: Privacy, stack: Stack) -> None:
    name = f"{SCHOOL}/opinion.{uuid4()}"
    key = await privacy.keyring.ensure(name)

    document = await privacy.keyring.mongo.keep("keys").get(name)

    assert document is not None
    assert key not in bytes(document["wrapped"])
    assert stack.settings.key_file.stat().st_mode & 0o077 == 0

"""Erasing any of what can be erased changes no hash, closes just that, and no old key opens it again."""

import asyncio
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.campaign.domain.person import EnterPerson
from services.campaign.events import PersonEntered
from services.feedback.domain.opinion import SubmitOpinion
from services.feedback.events import OpinionSubmitted
from services.talks.domain.talk import RecordTalk
from services.talks.events import TalkArranged
from shared.chain import Chain
from shared.decider import Command, Event, PersonId
from shared.envelope import GENESIS, Provenance, Record, Subject, draft, event_hash
from shared.mongo import Mongo
from shared.privacy import ERASED, Keyring, Privacy
from tests.campaign.examples import NOON
from tests.memory import TOWN, Chest

STREAMS = [f"s{n}" for n in range(4)]
EVENTS: dict[str, type[Event]] = {
    "person": PersonEntered,
    "opinion": OpinionSubmitted,
    "talk": TalkArranged,
}
GOLDEN = Path(__file__).parents[1] / "golden"
SAID: dict[str, tuple[type[Command], dict[str, Any]]] = {
    "person": (EnterPerson, {"name": "某甲", "number": "T-1"}),
    "opinion": (SubmitOpinion, {"verbatim_text": "某话", "voiced_by": "某乙", "contact": "某号"}),
    "talk": (RecordTalk, {"outsider": "某家长", "place": "某处", "helped": "某事"}),
}
SCOPES = [
    f"{scope}.{stream}{part}"
    for stream in STREAMS
    for scope, parts in {
        "person": ("",),
        "opinion": ("", ".originator"),
        "talk": ("", ".outsider", ".help"),
    }.items()
    for part in parts
]
"""Every key the texts of these streams have."""


def command(category: str, stream: str) -> Command:
    kind, said = SAID[category]
    fields = {**dict.fromkeys(kind.model_fields), **said, "at": NOON, "stream": stream}
    return kind.model_construct(**fields)


async def recorded(privacy: Privacy) -> tuple[list[Record], dict[str, str]]:
    """A log of sealed events, hashed and chained as the log has them, and every token with its text."""
    log: list[Record] = []
    texts: dict[str, str] = {}
    for stream in STREAMS:
        for category, (_, said) in SAID.items():
            made: dict[str, bytes] = {}
            sealed = await privacy.seal(command(category, stream), TOWN, category, stream, made)
            await privacy.keyring.keep(made)
            texts |= {getattr(sealed, name): text for name, text in said.items()}
            log.append(_event(sealed, category, stream, len(log) + 1))
    return log, texts


def _event(sealed: Command, category: str, stream: str, position: int) -> Record:
    """The event of a command: an example of its kind, with the words of the command."""
    event = EVENTS[category]
    example = event.model_validate_json((GOLDEN / f"{event.TYPE}.json").read_text())
    words = {name for name in SAID[category][1] if name in event.model_fields}
    said = example.model_copy(update={name: getattr(sealed, name) for name in words})
    place = Subject(TOWN, event.TYPE.split(".")[0], category, stream)
    id_ = UUID(int=position)
    told = Provenance(PersonId("p"), NOON, NOON, id_, "0" * 64, id_)
    new = draft(place, said, told, version=1, previous=GENESIS)
    return Record(position, new.subject, new.headers, new.body)


@settings(max_examples=40, deadline=None)
@given(erased=st.sets(st.sampled_from(SCOPES)))
def test_erasing_any_of_it_changes_no_hash_and_closes_just_that(erased: set[str]) -> None:
    asyncio.run(_erases(erased))


async def _erases(erased: set[str]) -> None:
    mongo = cast("Mongo", Chest())
    privacy = Privacy(Keyring(mongo, b"d" * 32))
    log, texts = await recorded(privacy)
    before = [event_hash(r.subject, r.headers, r.body) for r in log]
    keys = mongo.keep("keys")
    backup = await keys.find({})
    names = {f"{TOWN}/{scope}" for scope in erased}

    await privacy.keyring.destroy(names)

    assert [event_hash(r.subject, r.headers, r.body) for r in log] == before
    chain = Chain()
    for record, digest in zip(log, before, strict=True):
        assert chain.check(record, digest) == []
    expected = {
        token: ERASED if token.split("~")[2] in erased else text for token, text in texts.items()
    }
    assert await privacy.open(TOWN, dict(zip(texts, texts, strict=True))) == expected

    await keys.put_all(backup)
    assert await privacy.open(TOWN, dict(zip(texts, texts, strict=True))) == expected
    started = Privacy(Keyring(mongo, b"d" * 32))
    await started.keyring.destroy(names)  # what the log says, again at the start
    assert await started.open(TOWN, dict(zip(texts, texts, strict=True))) == expected
    for document in await keys.find({}):
        assert ("wrapped" in document) is (document["_id"] not in names)

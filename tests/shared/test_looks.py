"""Who read what is on record: once each, before the answer, many in one write, and nothing without it."""

import asyncio
import inspect
import os
import pwd
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from services.campaign.directory import who
from services.cli.base import leave_record
from services.feedback.domain.opinion import SubmitOpinion
from services.feedback.events import (
    Channel,
    OpinionRedacted,
    OpinionSubmitted,
    RedactionMode,
    TextRange,
)
from services.feedback.queries import Opinions
from services.stack import SERVICES
from shared.callers import Caller, Claims
from shared.decider import Unavailable
from shared.looks import EVERYBODYS, LISTED, Looks, Reading, for_a_circle, look, number_of
from shared.marks import marked
from shared.mongo import Mongo
from shared.privacy import ERASED, SEALED
from tests.feedback.memory import works
from tests.feedback.school import LEADER, NOON, SCHOOL, SUPERVISOR, TEACHER, log
from tests.memory import NOTHING, TOWN, Chest, Drawer, Works

CIRCLES = frozenset(
    {
        *("opinion", "disclosure", "collation", "report", "talk", "request", "meeting"),
        *("examination", "appraisal", "reflection", "gap", "self-rating", "activity"),
        *("erasure", "account", "finding"),
    }
)
"""The categories whose texts some may read and others may not."""


def token(stream: str, name: str = "text", box: str = "QUJD") -> str:
    return f"~1~{stream}~{name}~{box}"


@dataclass(frozen=True)
class Counted(Drawer):
    """A drawer that knows how often it was written to, and may be away."""

    writes: list[int] = field(default_factory=list)
    away: list[bool] = field(default_factory=list)

    async def insert_missing(self, documents: Any) -> list[str]:
        await asyncio.sleep(0)
        if self.away and self.away.pop():
            raise Unavailable("database")
        self.writes.append(len(documents))
        return await super().insert_missing(documents)


def kept(**more: Any) -> tuple[Looks, Counted]:
    drawer = Counted(NOTHING, **more)
    return Looks(cast("Mongo", Chest({"keep looks": drawer}))), drawer


def one(kind: str) -> dict[str, Any]:
    return look("s", "p1", kind)


async def test_many_looks_at_once_share_a_write_and_each_is_there_once() -> None:
    looks, drawer = kept()

    await asyncio.gather(*(looks.record(one(f"q{n}")) for n in range(200)))

    found = await drawer.find({}, sort=[("opened", 1)])
    assert sorted(d["query"] for d in found) == sorted(f"q{n}" for n in range(200))
    assert len({d["opened"] for d in found}) == 200
    assert len(drawer.writes) < 5


async def test_two_processes_in_one_microsecond_lose_no_look() -> None:
    looks, drawer = kept()
    other = Looks(looks.mongo)
    looks._last = other._last = number_of(datetime(2100, 1, 1, tzinfo=UTC))

    await asyncio.gather(*(w.record(one(n)) for w, n in ((looks, "a"), (other, "b"))))
    await looks.record(one("c"))

    found = await drawer.find({}, sort=[("opened", 1)])
    assert [d["query"] for d in found] == ["a", "b", "c"]
    assert len({d["opened"] for d in found}) == 3


async def test_a_look_that_cannot_be_kept_is_said_and_the_next_one_is_kept() -> None:
    looks, drawer = kept(away=[True])

    with pytest.raises(Unavailable):
        await looks.record(one("lost"))
    await looks.record(one("kept"))

    assert [d["query"] for d in await drawer.find({})] == ["kept"]


async def test_who_takes_something_away_at_the_machine_is_not_called_what_they_like(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks, drawer = kept()
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")

    await leave_record(looks.mongo, "s", "pack")
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)  # a container's user may have no name
    await leave_record(looks.mongo, "s", "as-of")

    first, second = [d["by"] for d in await drawer.find({}, sort=[("opened", 1)])]
    assert first == f"operator:{pwd.getpwuid(os.geteuid()).pw_name}"
    assert second == "operator:uid-4000000000"


def test_every_kind_of_stream_is_everybodys_or_for_a_circle() -> None:
    """Whoever adds one has to say which; not said, it is for a circle."""
    told = {entry.partition("~")[0] for entry in EVERYBODYS}
    there = {s.decider.category for service in SERVICES for s in service.streams}
    assert CIRCLES | told == there
    assert CIRCLES.isdisjoint(told - {"meeting"})
    assert for_a_circle(token("dream.d1"))


def test_what_is_everybodys_by_field_is_a_sealed_field_of_its_category() -> None:
    """A field that was renamed would be for a circle, and nobody would see why."""
    fields = {
        (stream.decider.category, name)
        for service in SERVICES
        for stream in service.streams
        for command in stream.decider.members(stream.decider.commands)
        for name in _sealed(command)
    }
    named = {tuple(entry.split("~")) for entry in EVERYBODYS if "~" in entry}
    assert named <= fields
    assert {name for category, name in fields - named if category == "issue"} == {"comment"}


def _sealed(model: Any) -> set[str]:
    names: set[str] = set()
    for name, what in marked(model).items():
        names |= _sealed(what) if isinstance(what, type) else {name}
    return names


def test_ones_own_words_are_no_look_and_anothers_are() -> None:
    reading, mine, theirs = Reading(), token("talk.t1"), token("talk.t2.outsider")
    reading.belongs({"a": [mine]}, "me", None)
    reading.belongs(theirs, "you")
    found = [mine, theirs, token("meeting.m1", "title"), token("person.p1", "name")]

    assert reading.streams(found, "me") == {"talk.t2": {"you"}}
    assert reading.streams(found, "you") == {"talk.t1": {"me"}}
    assert reading.streams(found, "she") == {"talk.t1": {"me"}, "talk.t2": {"you"}}
    assert reading.streams([], "she") == {}


def test_what_a_query_opened_itself_counts_and_what_is_erased_does_not() -> None:
    reading = Reading({token("opinion.o1")})
    assert reading.streams([], "me") == {"opinion.o1": set()}
    found = [token("opinion.o1.originator"), token("opinion.o2")]
    gone = {"opinion.o1", "opinion.o2"}
    assert reading.streams(found, "me", gone.__contains__) == {"opinion.o1": set()}
    assert reading.streams(found, "me", (gone | {"opinion.o1.originator"}).__contains__) == {}


def test_a_field_everybody_sees_is_for_a_circle_where_a_query_says_so() -> None:
    reading, objection = Reading(), token("issue.i1")
    assert reading.streams([objection], "me") == {}
    reading.belongs(objection)
    assert reading.streams([objection], "me") == {"issue.i1": set()}


def test_a_look_names_so_many_streams_and_counts_all() -> None:
    read = {f"opinion.o{n}": {f"p{n}"} for n in range(LISTED + 7)}
    told = look("s", "p", "opinions", streams=read)
    assert (told["read"], len(told["streams"])) == (LISTED + 7, LISTED)
    assert not {"found", "answer"} & told.keys()


def test_no_query_opens_a_text_past_its_desk() -> None:
    """What the runtime does not know of is neither on record nor kept from an auditor."""
    asked = {inspect.getmodule(q) for service in SERVICES for q in service.queries}
    sources = {module.__name__: inspect.getsource(module) for module in asked if module}
    assert len(sources) > len(SERVICES)
    assert [name for name, source in sources.items() if ".privacy.open(" in source] == []


async def seen(at: Works, caller: Caller, export: str = "") -> str:
    """The one opinion, as somebody is told it."""
    desk = at.runtime.desk(TOWN, NOON)
    return str(await at.runtime._found(Opinions(), desk, caller, export))


async def heard() -> tuple[Works, str]:
    """Feedback that has heard an opinion of which a passage is hidden, and what its words are."""
    at = await works()
    made: dict[str, bytes] = {}
    fields: dict[str, Any] = dict.fromkeys(SubmitOpinion.model_fields)
    fields |= {"verbatim_text": "一二三四", "stream": "o1"}
    said = SubmitOpinion.model_construct(**fields)
    sealed = await at.runtime.privacy.seal(said, TOWN, "opinion", "o1", made)
    event = OpinionSubmitted(
        verbatim_text=sealed.verbatim_text, salt="…", verbatim_sha256="a" * 64, length=4,
        channel=Channel.weibo, submitted_by=TEACHER,
    )  # fmt: skip
    hide = OpinionRedacted(
        ranges=(TextRange(start=3, end=4),), mode=RedactionMode.masking, reason="…"
    )
    await at.runtime.projector.apply(log(("o1", event), ("o1", hide)))
    return at, "一二三"


async def test_what_is_not_on_record_is_not_answered_and_what_nobody_may_read_needs_none() -> None:
    at, words = await heard()
    drawer = Counted(NOTHING, away=[True])
    at.chest.drawers["keep looks"] = drawer
    reader = Caller(SUPERVISOR, frozenset({"person", "supervisor"}))
    with pytest.raises(Unavailable):
        await seen(at, reader)
    assert words in await seen(at, reader)
    assert words in await seen(at, Caller(TEACHER, frozenset({"person"})))
    assert words not in await seen(at, Caller(LEADER, frozenset({"person"})))
    [told] = await drawer.find({})
    assert (told["by"], told["streams"]) == (
        SUPERVISOR,
        [{"stream": "opinion.o1", "whose": sorted(["originator:o1", TEACHER])}],
    )
    assert words not in str(told)


async def test_to_an_auditor_nothing_is_opened_also_of_what_a_query_opens_itself() -> None:
    at, words = await heard()
    auditor = who(SCHOOL, Claims("i", "auditor:firm", frozenset({"auditor"})), "", NOON)
    answer = await seen(at, auditor)
    assert words not in answer
    assert str(SEALED) in answer
    [told] = at.kept("looks").values()
    assert (told["by"], told["read"]) == ("auditor:firm", 0)


async def test_of_a_text_whose_key_is_gone_nothing_was_read() -> None:
    at, _ = await heard()
    await at.runtime.privacy.keyring.destroy([f"{TOWN}/opinion.o1"])
    reader = Caller(SUPERVISOR, frozenset({"person", "supervisor"}))
    assert str(ERASED) in await seen(at, reader)
    assert at.kept("looks") == {}


def test_every_question_asked_by_get_names_no_secret() -> None:
    """What was asked is kept with a look; a code or a slip is asked for by POST, and is not."""
    asked = [q for service in SERVICES for q in service.queries if q.method == "GET"]
    fields = {name for query in asked for name in query.model_fields}
    assert {"after", "limit", "id"} <= fields
    assert not {"code", "slip", "receipt", "token", "text"} & fields

"""What was recorded as an old version of an event is read as today's, and the log stays as it is."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from pydantic import BaseModel, ValidationError

from services.oversight.rules.evidence import Life, trace
from services.stack import provisioned
from shared.broker import Broker
from shared.chain import Chain
from shared.decider import Decider, Event, Policy, newest, read
from shared.envelope import GENESIS, Draft, Provenance, Record, Subject, draft, event_hash
from shared.journal import AlreadyRecorded, Journal
from shared.mongo import Mongo
from shared.runtime import Service, now
from shared.schemas import schemas_of
from shared.settings import Settings
from shared.views import Projector, View
from tests.memory import NOTHING, Chest, Pages
from tests.test_golden import stays_readable, versions

SERVICE, CATEGORY = "rectification", "trial"
NOTED = f"{SERVICE}.{CATEGORY}.noted"


@dataclass(frozen=True)
class Kinds:
    """Three versions of one event; only the last is recorded today."""

    first: type[Any]
    second: type[Any]
    third: type[Any]


@pytest.fixture
def kinds(monkeypatch: pytest.MonkeyPatch) -> Kinds:
    """Known as long as the test runs."""
    monkeypatch.setattr(Event, "known", {**Event.known})
    monkeypatch.setattr(Event, "superseded", {**Event.superseded})

    class Third(Event):
        TYPE = f"{NOTED}.v3"
        ends = True
        words: tuple[str, ...]
        place: str

    class Second(Event):
        TYPE = f"{NOTED}.v2"
        text: str
        place: str

        def upcast(self) -> Third:
            return Third(words=tuple(self.text.split()), place=self.place)

    class First(Event):
        TYPE = f"{NOTED}.v1"
        text: str

        def upcast(self) -> Second:
            return Second(text=self.text, place="?")

    return Kinds(First, Second, Third)


def written(
    event: Event, command: UUID, *, after: Draft | None = None, school: str = "s1"
) -> Draft:
    moment = now()
    provenance = Provenance(cast("Any", "p"), moment, moment, command, "f", command)
    version = int(after.headers["ce-streamversion"]) + 1 if after else 1
    previous = after.hash if after else GENESIS
    place = Subject(school, SERVICE, CATEGORY, "i")
    return draft(place, event, provenance, version=version, previous=previous)


def record(new: Draft, position: int = 1) -> Record:
    return Record(position, new.subject, new.headers, new.body)


class Words(BaseModel):
    """Everything that was noted of a stream."""

    words: tuple[str, ...] = ()


def noted(document: Words | None, record: Record) -> Words:
    return Words(words=(*(document.words if document else ()), *cast("Any", record.event).words))


# -- Read ----------------------------------------------------------------------------------------------


def test_an_old_version_is_read_step_by_step_as_todays(kinds: Kinds) -> None:
    today = kinds.third(words=("a", "b"), place="?")

    assert read(f"{NOTED}.v1", b'{"text":"a b"}') == today
    assert read(f"{NOTED}.v2", b'{"text":"a b","place":"?"}') == today
    assert read(f"{NOTED}.v3", today.model_dump_json()) == today
    assert [newest(f"{NOTED}.v{n}") for n in (1, 2, 3)] == [f"{NOTED}.v3"] * 3


def test_a_body_that_is_not_of_its_own_version_is_not_read(kinds: Kinds) -> None:
    with pytest.raises(ValidationError):
        read(kinds.second.TYPE, b'{"text":"a b"}')


def test_a_version_that_is_left_out_is_a_bug(kinds: Kinds) -> None:
    kinds.first.upcast = lambda self: kinds.third(words=(self.text,), place="?")

    with pytest.raises(TypeError, match=r"noted\.v3 was made where .*noted\.v2 is next"):
        read(kinds.first.TYPE, b'{"text":"a b"}')


def test_a_record_is_of_todays_type_and_keeps_what_is_stored(kinds: Kinds) -> None:
    old = record(written(kinds.first(text="a b"), uuid4()))

    assert (old.type, old.event) == (kinds.third.TYPE, kinds.third(words=("a", "b"), place="?"))
    assert (old.headers["ce-type"], old.body) == (kinds.first.TYPE, b'{"text":"a b"}')
    assert old.intact()


def test_the_chain_goes_on_over_versions_and_ends_where_todays_does(kinds: Kinds) -> None:
    first = written(kinds.first(text="a"), uuid4())
    behind = written(kinds.third(words=("b",), place="c"), uuid4(), after=first)
    chain = Chain()

    assert chain.check(record(first), first.hash) == []
    assert chain.check(record(behind, 2), behind.hash) == [("end", "its stream had ended before")]


def test_an_old_version_is_held_against_its_own_schema(kinds: Kinds) -> None:
    new = written(kinds.second(text="a", place="b"), uuid4())
    body = b'{"words":["a"],"place":"b"}'
    digest = event_hash(new.subject, new.headers, body)
    forged = Record(1, new.subject, {**new.headers, "ce-eventhash": digest}, body)

    assert [check for check, _ in Chain().check(forged, digest)] == ["schema"]


def test_what_no_later_version_can_be_made_of_is_a_finding_and_no_accident(kinds: Kinds) -> None:
    kinds.second.upcast = lambda self: kinds.third(words=(self.text.split()[9],), place="?")
    new = written(kinds.first(text="a b"), uuid4())

    [(check, detail)] = Chain().check(record(new), new.hash)
    assert check == "form"
    assert "no rectification.trial.noted.v3 can be made of it: IndexError" in detail


def test_every_version_stays_published_and_readable(kinds: Kinds) -> None:
    every = {kinds.first, kinds.second, kinds.third}
    published = schemas_of(SERVICE)

    assert every <= {*versions([SERVICE])}
    for kind in every:
        assert published[kind.TYPE]["$id"] == f"/schemas/{kind.TYPE}.json"
        assert published[kind.TYPE]["required"] == list(kind.model_fields)
    stays_readable(kinds.first, '{"text":"a b"}')
    with pytest.raises(AssertionError):
        stays_readable(kinds.first, '{"text":"a b","place":"was said"}')


# -- Followed ------------------------------------------------------------------------------------------


def test_a_policy_and_its_durable_follow_every_version(kinds: Kinds) -> None:
    policy = Policy("tell", lambda _: (), (kinds.third,))
    service = Service(SERVICE, NOTHING, NOTHING, policies=(policy,))
    [durable] = service.durables()

    assert durable["config"]["filter_subjects"] == [f"evt.*.{SERVICE}.{CATEGORY}.*"]
    old = record(written(kinds.first(text="a"), uuid4()))
    assert old.type in {event.TYPE for event in policy.follows}


def test_a_trace_kept_by_older_code_is_read_as_todays(kinds: Kinds) -> None:
    with pytest.MonkeyPatch.context() as before:
        before.setattr(Event, "superseded", {})
        kept = trace(None, record(written(kinds.first(text="a b"), uuid4())))
    assert kept.facts[0].type == kinds.first.TYPE

    assert [h.event.TYPE for h in Life.read(kept).past] == [kinds.third.TYPE]


# -- The journal, in memory and on the real servers ------------------------------------------------------


@dataclass
class Bench:
    """A journal and what it writes to."""

    journal: Journal
    mongo: Mongo
    school: str


@pytest_asyncio.fixture(params=["memory", pytest.param("servers", marks=pytest.mark.live)])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    if request.param == "memory":
        mongo = cast("Mongo", Chest())
        yield Bench(Pages(NOTHING, mongo, SERVICE), mongo, "s1")
        return
    servers: Settings = request.getfixturevalue("servers")
    await provisioned(servers)
    broker = Broker(servers.nats_url, SERVICE, servers.password(SERVICE))
    await broker.open()
    mongo = Mongo(servers.mongo_url, servers.mongo_database)
    yield Bench(Journal(broker, mongo, SERVICE), mongo, f"s-{uuid4().hex[:8]}")
    await broker.close()
    mongo.close()


def decider(kinds: Kinds) -> Decider[Any, Any, Any, Any]:
    evolve: Callable[[Any, Any], Any] = lambda state, event: (*state, event)  # noqa: E731 -- one line
    return Decider(CATEGORY, (), NOTHING, evolve, NOTHING, kinds.third, tuple)


async def test_a_stream_goes_on_in_a_new_version(kinds: Kinds, bench: Bench) -> None:
    first = written(kinds.first(text="a b"), uuid4(), school=bench.school)
    begun = await bench.journal.append(first, after=0)
    second = written(
        kinds.third(words=("c",), place="d"), uuid4(), after=first, school=bench.school
    )
    await bench.journal.append(second, after=begun)

    past = await bench.journal.load(first.subject, decider(kinds))
    assert past.state == (kinds.third(words=("a", "b"), place="?"), second.event)
    assert (past.version, past.hash) == (2, second.hash)

    view = View("words", Words, noted, (kinds.third,))
    projector = Projector(f"t{uuid4().hex[:8]}", bench.journal, bench.mongo, (view,))
    await projector.prepare()
    await projector.apply(await bench.journal.read(first.subject))
    [shown] = await projector.collection(view).find({})
    assert shown["words"] in (["a", "b", "c"], ("a", "b", "c"))
    assert projector.unknown == 0


async def test_a_command_repeated_to_newer_code_is_known(kinds: Kinds, bench: Bench) -> None:
    command = uuid4()
    first = written(kinds.first(text="a"), command, school=bench.school)
    await bench.journal.append(first, after=0)
    again = written(kinds.third(words=("a",), place="b"), command, school=bench.school)

    with pytest.raises(AlreadyRecorded):
        await bench.journal.append(again, after=0)

    past = await bench.journal.load(first.subject, decider(kinds))
    assert past.commands[command].event == again.id

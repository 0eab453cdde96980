"""The journal on the real broker: whatever gets lost on the way, an event is there once or not at all."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from services.rectification.domain.issue import decider
from services.rectification.events import ProgressReported
from services.stack import provisioned
from shared import broker as door
from shared.broker import EVENTS, Broker, TooLarge
from shared.decider import PersonId, Unavailable
from shared.envelope import GENESIS, Draft, Provenance, Subject, draft
from shared.journal import MAX_EVENT, AlreadyRecorded, Conflict, Journal
from shared.mongo import Mongo
from shared.runtime import now
from shared.settings import Settings
from tests.live.wire import Wire, wired

pytestmark = pytest.mark.live


@dataclass
class Bench:
    """A journal on a stream of its own, and the wire it goes through."""

    journal: Journal
    plain: Broker
    wire: Wire
    place: Subject

    def written(self, text: str = "好", command: UUID | None = None, version: int = 1) -> Draft:
        moment, id_ = now(), command or uuid4()
        provenance = Provenance(PersonId("p"), moment, moment, id_, f"{text}", id_)
        return draft(
            self.place, ProgressReported(text=text), provenance, version=version, previous=GENESIS
        )

    async def stored(self) -> list[str]:
        """The ids of what the log holds of the stream."""
        found = await self.plain.history(EVENTS, str(self.place), after=0)
        return [m.headers["ce-id"] for m in found]


@pytest_asyncio.fixture
async def bench(servers: Settings) -> AsyncIterator[Bench]:
    await provisioned(servers)
    user, password = "rectification", servers.password("rectification")
    port = int(servers.nats_url.rpartition(":")[2])
    async with wired(port) as wire:
        through = Broker(f"nats://127.0.0.1:{wire.port}", user, password)
        plain = Broker(servers.nats_url, user, password)
        await through.open()
        await plain.open()
        mongo = Mongo(servers.mongo_url, servers.mongo_database)
        place = Subject(f"s-{uuid4().hex[:12]}", user, "issue", "i-1")
        yield Bench(Journal(through, mongo, user), plain, wire, place)
        wire.deaf = False
        await through.close()
        await plain.close()
        mongo.close()


async def test_an_append_tells_where_it_landed(bench: Bench) -> None:
    new = bench.written()

    position = await bench.journal.append(new, after=0)

    assert await bench.journal.head(str(bench.place)) == position
    assert await bench.stored() == [str(new.id)]


async def test_who_comes_second_conflicts(bench: Bench) -> None:
    await bench.journal.append(bench.written(), after=0)

    with pytest.raises(Conflict):
        await bench.journal.append(bench.written(), after=0)

    assert len(await bench.stored()) == 1


async def test_the_same_event_again_is_found_where_it_is(bench: Bench) -> None:
    new = bench.written()
    first = await bench.journal.append(new, after=0)

    assert await bench.journal.append(new, after=0) == first
    assert len(await bench.stored()) == 1


async def test_the_same_command_at_another_time_finds_what_the_first_try_recorded(
    bench: Bench,
) -> None:
    command = uuid4()
    await bench.journal.append(bench.written("好", command), after=0)

    with pytest.raises(AlreadyRecorded):
        await bench.journal.append(bench.written("好", command), after=0)

    assert len(await bench.stored()) == 1


async def test_the_same_command_with_other_content_is_not_taken_for_it(bench: Bench) -> None:
    command = uuid4()
    await bench.journal.append(bench.written("好", command), after=0)

    with pytest.raises(Conflict):
        await bench.journal.append(bench.written("坏", command), after=0)


async def test_a_lost_acknowledgement_leaves_one_event_and_says_so_when_asked_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "ANSWER_WITHIN", 0.5)
    new = bench.written()
    bench.wire.deaf = True

    with pytest.raises(Unavailable):
        await bench.journal.append(new, after=0)
    bench.wire.deaf = False
    position = await bench.journal.append(new, after=0)

    assert await bench.stored() == [str(new.id)]
    assert position == await bench.plain.last_position()


async def test_an_acknowledgement_lost_for_a_moment_is_cleared_up_at_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "ANSWER_WITHIN", 0.5)
    new = bench.written()
    bench.wire.deaf = True
    appending = asyncio.create_task(bench.journal.append(new, after=0))
    await bench.wire.heard.wait()
    bench.wire.deaf = False

    position = await appending

    assert await bench.stored() == [str(new.id)]
    assert position == await bench.plain.last_position()


async def test_an_event_that_is_too_large_is_not_sent(bench: Bench) -> None:
    with pytest.raises(TooLarge):
        await bench.journal.append(bench.written("x" * MAX_EVENT), after=0)

    assert await bench.stored() == []


async def test_many_at_once_and_one_wins(bench: Bench) -> None:
    tries = [bench.journal.append(bench.written(str(n)), after=0) for n in range(20)]

    outcomes = await asyncio.gather(*tries, return_exceptions=True)

    assert sum(isinstance(o, int) for o in outcomes) == 1
    assert sum(isinstance(o, Conflict) for o in outcomes) == 19
    assert len(await bench.stored()) == 1


async def test_history_comes_in_order_however_long_it_is(bench: Bench) -> None:
    position = 0
    for version in range(1, 1100):
        new = bench.written(str(version), version=version)
        headers = {**new.headers, "Nats-Expected-Last-Subject-Sequence": str(position)}
        position, _ = await bench.plain.publish(new.subject, new.body, headers)

    records = await bench.journal.read(str(bench.place))

    assert [r.version for r in records] == list(range(1, 1100))
    assert decider.category == "issue"

"""How fast the whole log is checked, as a ratio to reading and hashing the same bytes, and in what memory."""

import hashlib
import os
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from services.audit.keeper import Keeper
from services.audit.keys import public_file, public_keys
from services.audit.shelf import Shelf
from services.audit.verify import PROCESSES, Reading, verify
from services.bench import filled, follow, raw_read, raw_write, servers
from services.stack import SERVICES, provisioned
from shared.broker import Broker
from shared.mongo import Mongo
from shared.provision import operator
from shared.replay import compare
from shared.settings import Settings

ROUNDS = 3


@asynccontextmanager
async def _log(count: int) -> AsyncIterator[Settings]:
    """Servers of their own with a log of so many events."""
    with servers() as settings:
        await provisioned(settings)
        writer = Broker(settings.nats_url, "rectification", settings.password("rectification"))
        await writer.open()
        await filled(writer, count)
        await writer.close()
        yield settings


async def audit(count: int) -> dict[str, Any]:
    """`ratio`: time of raw pull + SHA-256 over time of the check, in turn in the same run; rates a second."""
    async with _log(count) as settings, operator(settings) as broker:
        keeper = Keeper(settings, broker)
        await keeper.begin()
        sealed = await _timed(keeper.seal())
        last = await broker.last_position()
        before = memory()
        peak = Peak()
        raw, own = [], []
        for _ in range(ROUNDS):
            raw.append(await _timed(_raw(broker, last)))
            own.append(await _timed(_check(settings, peak)))
    return {
        "events": last,
        "raw_per_second": round(last / statistics.median(raw)),
        "verify_per_second": round(last / statistics.median(own)),
        "seal_per_second": round(last / sealed),
        "ratio": round(statistics.median(r / o for r, o in zip(raw, own, strict=True)), 3),
        "processes": PROCESSES,
        "memory_mb": round(peak.reached),
        "memory_grown_mb": round(peak.reached - before),
    }


async def replay(count: int) -> dict[str, Any]:
    """`ratio`: time of a raw ordered read + raw bulk insert of all documents over that of a replay.

    Every view of every service is live before; what is timed of the replay is its fold.
    """
    folded, read, wrote = [], [], []
    async with _log(count) as settings:
        mongo = Mongo(settings.mongo_url, settings.mongo_database)
        async with operator(settings) as broker:
            documents = []
            for service in SERVICES:
                documents += (await follow(broker, mongo, service))[1]
            for _ in range(ROUNDS):
                begun = time.perf_counter()
                over: list[float] = []

                def moved(done: int, last: int) -> None:
                    if done == last:
                        over.append(time.perf_counter() - begun)  # noqa: B023 -- called in this round only

                told = await compare(broker, mongo, SERVICES, tell=moved)
                if not told.good or told.documents != len(documents):
                    raise RuntimeError(told.as_data())
                folded.append(over[-1])
                read.append(await raw_read(broker, count))
                wrote.append(await raw_write(mongo, documents))
        mongo.close()
    return {
        "ratio": statistics.median(
            (r + w) / f for r, w, f in zip(read, wrote, folded, strict=True)
        ),
        "events": count,
        "documents": len(documents),
        "replayed_per_second": round(count / statistics.median(folded)),
        "replay_seconds": [round(x, 3) for x in folded],
        "raw_read_seconds": [round(x, 3) for x in read],
        "raw_write_seconds": [round(x, 3) for x in wrote],
    }


def memory() -> float:
    """What this process and those it reads with hold, in MB: shared pages count once (PSS; Linux)."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    mine, held = {os.getpid()}, 0
    while more := {pid for pid, parent in parents.items() if parent in mine} - mine:
        mine |= more
    for pid in mine:
        with suppress(OSError):
            place = Path("/proc") / str(pid)
            if b"multiprocessing" in (place / "cmdline").read_bytes() or pid == os.getpid():
                rollup = (place / "smaps_rollup").read_text()
                held += int(rollup.partition("\nPss:")[2].split()[0])
    return held / 1024


@dataclass
class Peak:
    """The most that was ever held."""

    reached: float = 0

    def __call__(self, *_: int) -> None:
        """Look once more."""
        self.reached = max(self.reached, memory())


async def _timed(work: Any) -> float:  # noqa: ANN401 -- a coroutine
    begun = time.perf_counter()
    await work
    return time.perf_counter() - begun


async def _raw(broker: Broker, last: int) -> None:
    read = 0
    async with broker.follow("bench-raw", after=0) as pull:
        while read < last:
            for stored in await pull.batch():
                digest = hashlib.sha256(stored.subject.encode())
                digest.update("".join(stored.headers.values()).encode())
                digest.update(stored.body)
                digest.hexdigest()
                read += 1


async def _check(settings: Settings, peak: Peak) -> None:
    keys = public_keys(public_file(settings.audit_key_file))
    shelf, reading = (
        Shelf(settings.audit_directory),
        Reading(partial(operator, settings), PROCESSES),
    )
    report = await verify(reading, shelf, keys, replicas=settings.replicas, tell=peak)
    if not report.good:
        msg = f"the bench's own log is not good: {dict(report.counts)}"
        raise RuntimeError(msg)

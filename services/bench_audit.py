"""How fast the whole log is checked, as a ratio to reading and hashing the same bytes, and in what memory."""

import hashlib
import resource
import statistics
import time
from typing import Any

from services.audit.keeper import Keeper
from services.audit.keys import public_file, public_keys
from services.audit.shelf import Shelf
from services.audit.verify import verify
from services.bench import filled, servers
from services.stack import operator, provisioned
from shared.broker import Broker
from shared.settings import Settings

ROUNDS = 3


async def audit(count: int) -> dict[str, Any]:
    """`ratio`: raw pull + SHA-256, over the check, each in turn in the same run; rates a second."""
    with servers() as settings:
        await provisioned(settings)
        writer = Broker(settings.nats_url, "rectification", settings.password("rectification"))
        await writer.open()
        await filled(writer, count)
        await writer.close()
        async with operator(settings) as broker:
            keeper = Keeper(settings, broker)
            await keeper.begin()
            sealed = await _timed(keeper.seal())
            last = await broker.last_position()
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            raw, own = [], []
            for _ in range(ROUNDS):
                raw.append(await _timed(_raw(broker, last)))
                own.append(await _timed(_check(broker, settings)))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "events": last,
        "raw_per_second": round(last / statistics.median(raw)),
        "verify_per_second": round(last / statistics.median(own)),
        "seal_per_second": round(last / sealed),
        "ratio": round(statistics.median(r / o for r, o in zip(raw, own, strict=True)), 3),
        "memory_mb": round(after / 1024),
        "memory_grown_mb": round((after - before) / 1024),
    }


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


async def _check(broker: Broker, settings: Settings) -> None:
    keys = public_keys(public_file(settings.audit_key_file))
    shelf = Shelf(settings.audit_directory)
    report = await verify(broker, shelf, keys, replicas=settings.replicas)
    if not report.good:
        msg = f"the bench's own log is not good: {dict(report.counts)}"
        raise RuntimeError(msg)

"""The log read in several processes: none is left behind."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import cast

from services.audit.verify import Connect, Reading
from services.stack import SERVICES
from shared.broker import Broker
from shared.decider import Event


@asynccontextmanager
async def waiting(place: Path) -> AsyncIterator[Broker]:
    """The connection of a process that leaves its number and is answered by nobody."""
    (place / str(os.getpid())).touch()
    signal.pause()
    yield cast("Broker", None)


async def read(connect: Connect) -> None:
    async for _ in Reading(connect, processes=2, stretch=1)(4):
        pass


def test_a_helper_knows_every_type_there_is() -> None:
    source = "import services.audit.verify; from shared.decider import Event; print(*Event.known)"
    told = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True, timeout=30
    )
    known = {*told.stdout.split()}
    for service in SERVICES:
        for stream in service.streams:
            events: tuple[type[Event], ...] = stream.decider.members(stream.decider.events)
            assert {event.TYPE for event in events} <= known


def left_by(place: Path) -> list[int]:
    """The numbers of the processes that wait."""
    return [int(file.name) for file in place.iterdir()]


def alive(process: int) -> bool:
    """Whether there is such a process, and not only what is left until somebody asks how it ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_processes_end_with_who_started_them(tmp_path: Path) -> None:
    started = subprocess.Popen([sys.executable, "-m", __name__, str(tmp_path)])  # noqa: ASYNC220 -- ourselves
    processes: list[int] = []
    try:
        async with asyncio.timeout(20):
            while len(processes) < 2:
                await asyncio.sleep(0.05)
                processes = left_by(tmp_path)
            started.kill()
            started.wait()
            while any(map(alive, processes)):
                await asyncio.sleep(0.05)
    finally:
        for one in filter(alive, processes):
            os.kill(one, signal.SIGKILL)


if __name__ == "__main__":
    asyncio.run(read(partial(waiting, Path(sys.argv[1]))))

"""The whole product in one process: every service, the clock and the gateway, each as its own NATS user."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from services.audit.app import service as audit
from services.campaign.app import service as campaign
from services.clock.app import DURABLE, Clock
from services.feedback.app import service as feedback
from services.gateway.app import Gateway
from services.meetings.app import service as meetings
from services.oversight.app import service as oversight
from services.rectification.app import service as rectification
from services.study.app import service as study
from services.talks.app import service as talks
from shared.broker import NobodyThere
from shared.mongo import Mongo
from shared.provision import operator, provision
from shared.replay import Comparison, compare
from shared.runtime import Runtime, Service, progress_of
from shared.settings import Settings

SERVICES: tuple[Service, ...] = (
    campaign,
    feedback,
    talks,
    meetings,
    rectification,
    study,
    oversight,
    audit,
)
NAMES = (*(service.name for service in SERVICES), "clock")


def durables() -> list[dict[str, Any]]:
    """Every durable consumer the product needs."""
    return [*(durable for service in SERVICES for durable in service.durables()), DURABLE]


async def provisioned(settings: Settings) -> list[str]:
    """Bring the broker into the state the product needs; give what was changed."""
    async with operator(settings) as broker:
        return await provision(broker, durables(), replicas=settings.replicas)


async def compared(
    settings: Settings,
    mongo: Mongo,
    *,
    only: str = "",
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> Comparison:
    """Fold every view afresh and compare with what people are shown."""
    async with operator(settings) as broker:
        return await compare(broker, mongo, SERVICES, only=only, tell=tell)


async def answering(settings: Settings) -> list[str]:
    """The services that run now, anywhere.

    Raises:
        Unavailable: it cannot be told: the log, or a service that is there, does not answer.
    """
    found = []
    async with operator(settings) as broker:
        await broker.round_trip()
        for service in SERVICES:
            with suppress(NobodyThere):
                await progress_of(broker, service.name)
                found.append(service.name)
    return found


@dataclass
class Stack:
    """Everything there is to run."""

    settings: Settings

    def __post_init__(self) -> None:
        """Nothing is connected yet."""
        self.runtimes = {s.name: Runtime.of(s, self.settings) for s in SERVICES}
        self.clock = Clock.of(SERVICES, self.settings)
        self.gateway = Gateway(self.settings, SERVICES)

    async def start(self) -> None:
        """Provision, then start the services, the clock and the gateway; the first that cannot ends it."""
        await provisioned(self.settings)
        try:
            async with asyncio.TaskGroup() as starting:
                starting.create_task(self.clock.start())
                for runtime in self.runtimes.values():
                    starting.create_task(runtime.start())
        except ExceptionGroup as several:
            raise several.exceptions[0] from None
        await self.gateway.start()

    async def stop(self) -> None:
        """The door first, then what is behind it."""
        await self.gateway.stop()
        await asyncio.gather(*(r.stop() for r in self.runtimes.values()), self.clock.stop())

    @property
    def url(self) -> str:
        """Where the gateway listens."""
        return f"http://{self.settings.http_host}:{self.gateway.port}"


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Stack]:
    """The whole product, for as long as the block lasts."""
    stack = Stack(settings)
    try:
        await stack.start()
        yield stack
    finally:
        await stack.stop()


async def until_told() -> None:
    """Wait for SIGINT or SIGTERM."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    await told.wait()

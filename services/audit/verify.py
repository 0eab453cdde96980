"""The check of the whole log: whether what is recorded is what was recorded.

Memory grows with the number of streams, never with the number of events. Stretches of the log are
looked at by themselves, in processes where that is worth while, and joined in order.
"""

import asyncio
import gc
import os
import re
import signal
import sys
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    closing,
    suppress,
)
from dataclasses import asdict, dataclass, field
from functools import partial
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any, BinaryIO

import uvloop

from services.audit.keys import NoKey, public_file, public_keys
from services.audit.proof import signed
from services.audit.shelf import Shelf
from services.audit.stretch import Finding, Stretch
from shared.broker import ANSWER_WITHIN, EVENTS, Broker, ConsumerLost, JetStreamRefusal
from shared.chain import Chain
from shared.decider import Unavailable
from shared.merkle import HASH, Tree, stored_at
from shared.note import BadSignature, Checkpoint, NotANote, PublicKey
from shared.provision import drift, operator
from shared.settings import Settings

PROCESSES = min(2, os.cpu_count() or 1)
"""Processes that read a log of more than one stretch; each further one would hold some 80 MB."""
STRETCH = 10_000
"""Positions that are looked at in one go."""
AHEAD = 8
"""Stretches that are looked at before those that come first are done: a helper needs a while to begin."""
TOLD = 1000
"""Findings that are told one by one; the rest are counted."""
ATTEMPTS = 5  # a consumer that is lost is made anew so often without a step forward

type Connect = Callable[[], AbstractAsyncContextManager[Broker]]

_NAME = re.compile(r"(\d{19})\.(checkpoint|cosigned)")


@dataclass
class Report:
    """What was checked, and what was found."""

    events: int = 0
    position: int = 0
    """The log position up to which it was looked at."""
    streams: int = 0
    checkpoints: int = 0
    sealed: int = 0
    """The largest tree that fits a signed checkpoint."""
    root: str = ""
    """The root of the whole log (hex)."""
    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def good(self) -> bool:
        """Whether nothing was found."""
        return not self.counts

    def find(self, check: str, position: int, stream: str, detail: str) -> None:
        """Note a finding, told by its parts."""
        self.note(Finding(check, position, stream, detail))

    def note(self, finding: Finding) -> None:
        """Count a finding, and tell it while there are not too many."""
        self.counts[finding.check] += 1
        if len(self.findings) < TOLD:
            self.findings.append(finding)

    def as_data(self) -> dict[str, Any]:
        """The report as JSON-like data."""
        return {**vars(self), "good": self.good, "findings": [*map(asdict, self.findings)]}


class Verification:
    """Takes the log stretch by stretch, in order, and holds it against itself and what was signed."""

    def __init__(self, shelf: Shelf, keys: Sequence[PublicKey]) -> None:
        """`keys` are those whose signatures count."""
        self.report = Report()
        self.position = 0
        self._shelf = shelf
        self._keys = keys
        self._chain = Chain()
        self._tree = Tree()
        self._gap = 0
        """How many messages are missing right before here."""
        self._whole = True
        """Whether no message is missing so far: else there is no tree to compare."""
        self._forked = False
        self._found: list[Finding] = []
        """What was found in this stretch."""
        self._due: list[tuple[int, str]] = []
        self._nodes: BinaryIO | None = None
        try:
            self._due = self._named(shelf.names())
            with suppress(FileNotFoundError):
                self._nodes = shelf.nodes_file.open("rb")
        except OSError as trouble:
            self._find("checkpoint", 0, "", f"cannot be read: {trouble.strerror}")
        self._compare()
        self._tell()

    def _named(self, names: Sequence[str]) -> list[tuple[int, str]]:
        """The checkpoints by size, largest first."""
        due = []
        for name in names:
            if match := _NAME.fullmatch(name):
                due.append((int(match[1]), name))
            else:
                self._find("checkpoint", 0, "", f"{name} is no checkpoint of this log")
        return due[::-1]

    def join(self, stretch: Stretch) -> None:
        """Go on with the stretch that comes next."""
        self._found += stretch.findings
        for position, stream, check, detail in self._chain.join(stretch.chain):
            self._find(check, position, stream, detail)
        for hash_, stream in zip(stretch.leaves, stretch.streams, strict=True):
            self.position += 1
            if not hash_:
                self._gap += 1
                self._whole = False
                continue
            self._missing()
            self.report.events += 1
            if self._whole:
                self._grow(hash_, stream)
            elif self._nodes:  # behind a gap the kept leaves can still tell
                place = HASH * stored_at(0, self.position - 1)
                self._hold(hash_, os.pread(self._nodes.fileno(), HASH, place), stream)
        self._tell()

    def _missing(self) -> None:
        """Tell of the messages that are missing right before the one at hand, if any are."""
        if self._gap:
            first, last = self.position - self._gap, self.position - 1
            where = f"{first}" if first == last else f"{first} to {last}"
            self._find("contiguity", first, "", f"missing: {where}")
            self._gap = 0

    def _grow(self, hash_: bytes, stream: str) -> None:
        """Take a leaf into the tree; hold it against the kept nodes, then the tree against checkpoints."""
        made = self._tree.append(hash_)
        if self._nodes:
            kept = self._nodes.read(HASH * len(made))
            fits = self._hold(hash_, kept[:HASH], stream)
            if len(kept) < HASH * len(made):  # what is kept ends here, whatever is added meanwhile
                self._nodes.close()
                self._nodes = None
            elif fits and kept != b"".join(made) and not self._forked:
                what = "the log up to here is not what was kept"
                self._find("tree", self.position, stream, what)
                self._forked = True
        self._compare()

    def _hold(self, hash_: bytes, kept: bytes, stream: str) -> bool:
        """Hold a leaf against the kept one, if there is one."""
        fits = len(kept) < HASH or kept == hash_  # what is cut off was not written to its end
        if not fits:
            what = "not the message that was recorded here"
            self._find("tree", self.position, stream, what)
        return fits

    def _compare(self) -> None:
        """Hold the tree against every checkpoint of its size."""
        while self._due and self._due[-1][0] <= self._tree.size:
            size, name = self._due.pop()
            said = self._read(size, name)
            if said is None:
                continue
            if said.root == self._tree.root():
                self.report.sealed = size
            else:
                good = self.report.sealed
                self._find(
                    "tree",
                    size,
                    "",
                    f"{name}: what was signed here is not the log from {good + 1} on",
                )

    def _read(self, size: int, name: str) -> Checkpoint | None:
        """A checkpoint that is signed by the log itself; a finding where it is not."""
        self.report.checkpoints += 1
        try:
            said = signed((self._shelf.checkpoints / name).read_bytes(), self._keys)
        except OSError as trouble:
            self._find("checkpoint", size, "", f"{name} cannot be read: {trouble.strerror}")
        except NotANote as wrong:
            self._find("checkpoint", size, "", f"{name}: {wrong}")
        except BadSignature as wrong:
            self._find("signature", size, "", f"{name}: {wrong}")
        else:
            if said.size == size:
                return said
            self._find("checkpoint", size, "", f"{name} is of size {said.size}")
        return None

    def end(self, last: int) -> Report:
        """Say what is still missing where the log ends; the report."""
        if self.position < last or self._gap:
            self._gap += last - self.position
            self.position = last + 1
            self._whole = False
            self._missing()
        if self._whole:
            self.report.root = self._tree.root().hex()
        elif any(size <= last for size, _ in self._due):
            self._find(
                "tree",
                self._tree.size + 1,
                "",
                "cannot be worked out from here on: messages missing",
            )
        if not self._due and not self.report.checkpoints:
            self._find("checkpoint", 0, "", "there is none: nothing says what the log was")
        for size, name in reversed(self._due):
            if self._read(size, name) and size > last:
                detail = f"the log ends at {last}, but {name} was signed over {size}"
                self._find("length", size, "", detail)
        self.close()
        self.report.position = last
        self.report.streams = len(self._chain.heads)
        self._tell()
        return self.report

    def close(self) -> None:
        """Let go of the kept nodes."""
        if self._nodes:
            self._nodes.close()

    def _find(self, check: str, position: int, stream: str, detail: str) -> None:
        self._found.append(Finding(check, position, stream, detail))

    def _tell(self) -> None:
        """Put what was found into the report, in the order of positions."""
        for finding in sorted(self._found, key=lambda finding: finding.position):
            self.report.note(finding)
        self._found.clear()


@dataclass(frozen=True)
class Reading:
    """How the log is read: in so many processes (this one and its helpers), so much at a time.

    Each connects as the operator by itself, so `connect` must be something a process can be given.
    """

    connect: Connect
    processes: int = 1
    stretch: int = STRETCH

    async def __call__(self, last: int) -> AsyncIterator[Stretch]:
        """The stretches up to a position, in order.

        Raises:
            Unavailable: the log does not answer.
        """
        parts = [(n, min(n + self.stretch, last)) for n in range(0, last, self.stretch)]
        helpers = min(self.processes, len(parts)) - 1
        if helpers < 1:
            for part in parts:
                yield await _look(self.connect, *part)
            return
        context = get_context("forkserver")  # imports once what is needed, copies nothing
        context.set_forkserver_preload([__name__, *_main()])
        waiting = deque(parts)
        slots: deque[Stretch | Future[Stretch]] = deque()
        """The stretches that come next, in order: looked at, or in a helper's hands."""
        with ProcessPoolExecutor(helpers, context, _settle) as pool:
            try:
                while waiting or slots:
                    handed = sum(isinstance(slot, Future) and not slot.done() for slot in slots)
                    if waiting and handed < 2 * helpers and len(slots) < AHEAD:
                        slots.append(pool.submit(_looked_at, self.connect, *waiting.popleft()))
                        continue
                    first = slots[0]
                    if isinstance(first, Stretch):
                        slots.popleft()
                        yield first
                    elif first.done() or not waiting or len(slots) >= AHEAD:
                        yield await asyncio.wrap_future(first)
                        slots.popleft()
                    else:
                        slots.append(await _look(self.connect, *waiting.popleft()))
            except BrokenProcessPool:
                raise Unavailable("process that reads the log") from None
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


def _main() -> list[str]:
    """What was started; every helper imports it, so it is imported where they share it."""
    spec = sys.modules["__main__"].__spec__
    return [spec.name] if spec else []


def _settle() -> None:
    """In a process of its own, first of all: who started it ends it, and what was imported stays shared."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()
    gc.freeze()


def _end_with_parent() -> None:
    """Leave when who started this process was killed: nobody would ever tell it to."""
    if parent := parent_process():
        parent.join()
        os._exit(1)


def _looked_at(connect: Connect, after: int, until: int) -> Stretch:
    """In a process of its own: the messages behind a position, up to another."""
    return uvloop.run(_look(connect, after, until))


async def _look(connect: Connect, after: int, until: int) -> Stretch:
    async with _connected(connect) as broker:
        return await _read_through(broker, Stretch(after), until)


@asynccontextmanager
async def _connected(connect: Connect) -> AsyncIterator[Broker]:
    """A connection, soon or not at all."""
    async with AsyncExitStack() as opened:
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                broker = await opened.enter_async_context(connect())
        except TimeoutError:
            raise Unavailable("log") from None
        yield broker


async def verify(
    reading: Reading,
    shelf: Shelf,
    keys: Sequence[PublicKey],
    *,
    replicas: int,
    tell: Callable[[int, int], None] = lambda _, __: None,
) -> Report:
    """Check the whole log as it is now; `tell` is given position and end as it goes on.

    Raises:
        Unavailable: the log does not answer.
    """
    check = Verification(shelf, keys)
    async with _connected(reading.connect) as broker:
        for line in await drift(broker, replicas=replicas):
            check.report.find("drift", 0, "", line)
        try:
            last = await broker.last_position()
        except JetStreamRefusal as refusal:
            check.report.find("length", 0, "", f"there is no log: {refusal}")
            return check.end(0)
    with closing(check):
        async for stretch in reading(last):
            check.join(stretch)
            tell(check.position, last)
        return check.end(last)


async def _read_through(broker: Broker, stretch: Stretch, until: int) -> Stretch:
    """Give every message up to a position to the stretch, in order; stop where nothing comes any more."""
    name = f"verify-{os.getpid()}-{stretch.after}"
    attempts = ATTEMPTS
    while stretch.position < until and attempts:
        before = stretch.position
        try:
            async with broker.follow(name, after=stretch.position) as pull:
                while stretch.position < until:
                    batch = await pull.batch()
                    here = [stored for stored in batch if stored.position <= until]
                    for stored in here:
                        stretch.take(stored)
                    if len(here) < len(batch) or not batch:
                        stretch.reach(until)
                    await asyncio.sleep(0)
        except (ConsumerLost, Unavailable):
            attempts = ATTEMPTS if stretch.position > before else attempts - 1
            if not attempts:
                raise Unavailable("log") from None
            await asyncio.sleep(0.2)
        finally:
            with suppress(JetStreamRefusal, Unavailable):
                await broker.api(f"CONSUMER.DELETE.{EVENTS}.{name}")
    return stretch


async def verified(
    settings: Settings, *, tell: Callable[[int, int], None] = lambda _done, _all: None
) -> Report:
    """Check the log of a deployment; without public keys no signature counts.

    Raises: as `verify`.
    """
    public, unknown = [], ""
    try:
        public = public_keys(public_file(settings.audit_key_file))
    except NoKey as reason:
        unknown = str(reason)
    reading = Reading(partial(operator, settings), PROCESSES)
    shelf = Shelf(settings.audit_directory)
    report = await verify(reading, shelf, public, replicas=settings.replicas, tell=tell)
    if unknown:
        report.find("signature", 0, "", unknown)
    return report

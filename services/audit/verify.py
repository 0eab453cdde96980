"""The check of the whole log: whether what is recorded is what was recorded.

Memory grows with the number of streams, never with the number of events.
"""

import asyncio
import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any, BinaryIO

from services.audit.proof import signed
from services.audit.shelf import Shelf
from shared.broker import EVENTS, Broker, ConsumerLost, JetStreamRefusal, Stored
from shared.decider import Unavailable
from shared.envelope import event_hash, leaf
from shared.journal import recorded
from shared.merkle import HASH, Tree, leaf_hash, stored_at
from shared.note import BadSignature, Checkpoint, NotANote, PublicKey
from shared.provision import drift
from shared.replay import Chain

TOLD = 1000
"""Findings that are told one by one; the rest are counted."""
ATTEMPTS = 5  # a consumer that is lost is made anew so often without a step forward

_NAME = re.compile(r"(\d{19})\.(checkpoint|cosigned)")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: which check failed, where in the log, in which stream, and how.

    `check` is one of: drift, length, contiguity, form, hash, chain, version, end, schema, tree,
    checkpoint, signature. `position` is 0 and `stream` empty where it is no single message.
    """

    check: str
    position: int
    stream: str
    detail: str


@dataclass
class Report:
    """What was checked, and what was found."""

    events: int = 0
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
        """Note a finding."""
        self.counts[check] += 1
        if len(self.findings) < TOLD:
            self.findings.append(Finding(check, position, stream, detail))

    def as_data(self) -> dict[str, Any]:
        """The report as JSON-like data."""
        return {**vars(self), "good": self.good, "findings": [*map(asdict, self.findings)]}


class Verification:
    """Takes the log message by message, in order, and holds it against itself and what was signed."""

    def __init__(self, shelf: Shelf, keys: Sequence[PublicKey]) -> None:
        """`keys` are those whose signatures count."""
        self.report = Report()
        self.position = 0
        self._shelf = shelf
        self._keys = keys
        self._chain = Chain()
        self._tree = Tree()
        self._whole = True
        """Whether no message is missing so far: else there is no tree to compare."""
        self._forked = False
        self._due: list[tuple[int, str]] = []
        self._nodes: BinaryIO | None = None
        try:
            self._due = self._named(shelf.names())
            with suppress(FileNotFoundError):
                self._nodes = shelf.nodes_file.open("rb")
        except OSError as trouble:
            self.report.find("checkpoint", 0, "", f"cannot be read: {trouble.strerror}")
        self._compare()

    def _named(self, names: Sequence[str]) -> list[tuple[int, str]]:
        """The checkpoints by size, largest first."""
        due = []
        for name in names:
            if match := _NAME.fullmatch(name):
                due.append((int(match[1]), name))
            else:
                self.report.find("checkpoint", 0, "", f"{name} is no checkpoint of this log")
        return due[::-1]

    def take(self, stored: Stored) -> None:
        """Check one message and go on from it."""
        expected = self.position + 1
        if stored.position < expected:
            self.report.find("contiguity", stored.position, stored.subject, "comes a second time")
            return
        if stored.position > expected:
            self._missing(expected, stored.position - 1)
        self.position = stored.position
        self.report.events += 1
        digest = event_hash(stored.subject, stored.headers, stored.body)
        for check, detail in self._chain.check(recorded(stored), digest):
            self.report.find(check, stored.position, stored.subject, detail)
        hash_ = leaf_hash(leaf(stored.position, stored.headers, digest))
        if self._whole:
            self._grow(hash_, stored)
        elif self._nodes:  # behind a gap the kept leaves can still tell
            place = HASH * stored_at(0, stored.position - 1)
            self._hold(hash_, os.pread(self._nodes.fileno(), HASH, place), stored)

    def _missing(self, first: int, last: int) -> None:
        where = f"{first}" if first == last else f"{first} to {last}"
        self.report.find("contiguity", first, "", f"missing: {where}")
        self._whole = False

    def _grow(self, hash_: bytes, stored: Stored) -> None:
        """Take a leaf into the tree; hold it against the kept nodes, then the tree against checkpoints."""
        made = self._tree.append(hash_)
        if self._nodes:
            kept = self._nodes.read(HASH * len(made))
            fits = self._hold(hash_, kept[:HASH], stored)
            if len(kept) < HASH * len(made):  # what is kept ends here, whatever is added meanwhile
                self._nodes.close()
                self._nodes = None
            elif fits and kept != b"".join(made) and not self._forked:
                what = "the log up to here is not what was kept"
                self.report.find("tree", stored.position, stored.subject, what)
                self._forked = True
        self._compare()

    def _hold(self, hash_: bytes, kept: bytes, stored: Stored) -> bool:
        """Hold a leaf against the kept one, if there is one."""
        fits = kept in {b"", hash_}
        if not fits:
            what = "not the message that was recorded here"
            self.report.find("tree", stored.position, stored.subject, what)
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
                self.report.find(
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
            self.report.find("checkpoint", size, "", f"{name} cannot be read: {trouble.strerror}")
        except NotANote as wrong:
            self.report.find("checkpoint", size, "", f"{name}: {wrong}")
        except BadSignature as wrong:
            self.report.find("signature", size, "", f"{name}: {wrong}")
        else:
            if said.size == size:
                return said
            self.report.find("checkpoint", size, "", f"{name} is of size {said.size}")
        return None

    def end(self, last: int) -> Report:
        """Say what is still missing where the log ends; the report."""
        if self.position < last:
            self._missing(self.position + 1, last)
        if self._whole:
            self.report.root = self._tree.root().hex()
        elif any(size <= last for size, _ in self._due):
            self.report.find(
                "tree",
                self._tree.size + 1,
                "",
                "cannot be worked out from here on: messages missing",
            )
        if not self._due and not self.report.checkpoints:
            self.report.find("checkpoint", 0, "", "there is none: nothing says what the log was")
        for size, name in reversed(self._due):
            if self._read(size, name) and size > last:
                detail = f"the log ends at {last}, but {name} was signed over {size}"
                self.report.find("length", size, "", detail)
        if self._nodes:
            self._nodes.close()
        self.report.streams = len(self._chain.heads)
        return self.report


async def verify(
    broker: Broker,
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
    for line in await drift(broker, replicas=replicas):
        check.report.find("drift", 0, "", line)
    try:
        last = await broker.last_position()
    except JetStreamRefusal as refusal:
        check.report.find("length", 0, "", f"there is no log: {refusal}")
        return check.end(0)
    await _read_through(broker, check, last, tell)
    return check.end(last)


async def _read_through(
    broker: Broker, check: Verification, last: int, tell: Callable[[int, int], None]
) -> None:
    """Give every message up to `last` to the check, in order; stop where nothing comes any more."""
    name = f"verify-{os.getpid()}"
    attempts = ATTEMPTS
    while check.position < last and attempts:
        before = check.position
        try:
            async with broker.follow(name, after=check.position) as pull:
                while check.position < last:
                    batch = await pull.batch()
                    if not batch:
                        return
                    for stored in batch:
                        if stored.position <= last:
                            check.take(stored)
                    tell(min(check.position, last), last)
                    await asyncio.sleep(0)
        except (ConsumerLost, Unavailable):
            attempts = ATTEMPTS if check.position > before else attempts - 1
            if not attempts:
                raise Unavailable("log") from None
            await asyncio.sleep(0.2)
        finally:
            with suppress(JetStreamRefusal, Unavailable):
                await broker.api(f"CONSUMER.DELETE.{EVENTS}.{name}")

"""A stretch of the log looked at by itself: all that can be said of it without what comes before it. Pure."""

from dataclasses import dataclass, field

import services.campaign.events
import services.feedback.events
import services.meetings.events
import services.oversight.events
import services.rectification.events
import services.study.events
import services.talks.events  # noqa: F401 -- every TYPE there is can be read
from shared.broker import Stored
from shared.chain import Chain
from shared.envelope import event_hash, leaf
from shared.journal import recorded
from shared.merkle import leaf_hash


def leaf_of(stored: Stored) -> tuple[str, bytes]:
    """An event's hash worked out anew, and its leaf in the tree."""
    digest = event_hash(stored.subject, stored.headers, stored.body)
    return digest, leaf_hash(leaf(stored.position, stored.headers, digest))


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: where in the log, in which stream, which check failed, and how.

    `check` is one of: drift, length, contiguity, form, hash, chain, version, end, schema, tree,
    checkpoint, signature. `position` is 0 and `stream` empty where it is no single message.
    """

    check: str
    position: int
    stream: str
    detail: str


@dataclass
class Stretch:
    """The messages behind the position `after`: their leaves of the tree, their streams, and what is wrong.

    A message that is missing has an empty leaf. Memory grows with the length of the stretch.
    """

    after: int = 0
    leaves: list[bytes] = field(default_factory=list)
    streams: list[str] = field(default_factory=list)
    chain: Chain = field(default_factory=lambda: Chain(from_middle=True))
    findings: list[Finding] = field(default_factory=list)

    @property
    def position(self) -> int:
        """How far it goes."""
        return self.after + len(self.leaves)

    def take(self, stored: Stored) -> None:
        """Look at one message and go on from it."""
        skipped = stored.position - self.position - 1
        if skipped < 0:
            self._find("contiguity", stored, "comes a second time")
            return
        if skipped:
            self.reach(stored.position - 1)
        digest, hash_ = leaf_of(stored)
        for check, detail in self.chain.check(recorded(stored), digest):
            self._find(check, stored, detail)
        self.leaves.append(hash_)
        self.streams.append(stored.subject)

    def reach(self, position: int) -> None:
        """Say that nothing more comes up to a position."""
        missing = position - self.position
        self.leaves += [b""] * missing
        self.streams += [""] * missing

    def _find(self, check: str, stored: Stored, detail: str) -> None:
        self.findings.append(Finding(check, stored.position, stored.subject, detail))

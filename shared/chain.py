"""The chain of every stream: each event carries the hash of the one before it. Pure."""

from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic import ValidationError

from shared.decider import Event
from shared.envelope import GENESIS, Record


class Head(NamedTuple):
    """Version and hash of a stream's last event, and whether it ends the stream."""

    version: int = 0
    hash: str = GENESIS
    ends: bool = False


@dataclass
class Chain:
    """Checks every stream's chain while the log, or a stretch of it, goes by.

    In a stretch `from_middle` the first event of a stream is not held against the one before it until
    the stretch is joined to what comes before.
    """

    from_middle: bool = False
    heads: dict[str, Head] = field(default_factory=dict)
    starts: dict[str, tuple[int, Head]] = field(default_factory=dict)
    """Where a stream begins in the stretch: position, and the head it says it follows on."""

    def check(self, record: Record, digest: str) -> list[tuple[str, str]]:
        """What is wrong with an event: check (hash, chain, version, end, schema, form) and detail.

        `digest` is its `event_hash`, worked out anew.
        """
        found = []
        try:
            if record.hash != digest:
                found.append(("hash", "the hash does not fit"))
            version, subject = record.version, record.subject
            before = Head(version - 1, record.previous)
            if not self.from_middle or subject in self.heads:
                found += _broken(self.heads.get(subject, Head()), before)
            else:
                self.starts[subject] = record.position, before
            known = Event.known.get(record.type)
            self.heads[subject] = Head(version, record.hash, known is not None and known.ends)
            if known is None:
                found.append(("schema", f"unknown type {record.headers.get('ce-type', '')}"))
            else:
                record.event  # noqa: B018 -- read against its schema
        except ValidationError as error:
            found.append(("schema", f"not readable as {record.type}: {error.error_count()} wrong"))
        except (KeyError, ValueError, OverflowError) as error:
            found.append(("form", f"not an event: {type(error).__name__} {error}"))
        return found

    def join(self, stretch: "Chain") -> list[tuple[int, str, str, str]]:
        """Go on with the stretch that comes next.

        What is wrong where they meet, each as position, stream, check and detail.
        """
        found = [
            (position, subject, *broken)
            for subject, (position, before) in stretch.starts.items()
            for broken in _broken(self.heads.get(subject, Head()), before)
        ]
        self.heads |= stretch.heads
        return found


def _broken(head: Head, before: Head) -> list[tuple[str, str]]:
    """What is wrong where an event says it follows on `before`, and the stream's head is another."""
    found = []
    if head.hash != before.hash:
        found.append(("chain", "does not follow on the event before it"))
    if head.version != before.version:
        found.append(("version", f"version {before.version + 1} after {head.version}"))
    if head.ends:
        found.append(("end", "its stream had ended before"))
    return found

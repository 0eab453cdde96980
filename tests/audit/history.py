"""A small log as the server gives it, and the directory beside it with what was signed of it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from services.audit.shelf import Shelf
from services.audit.stretch import Stretch
from services.audit.verify import Report, Verification
from services.rectification.events import ProgressReported
from shared.broker import Stored
from shared.decider import PersonId
from shared.envelope import GENESIS, Provenance, Subject, draft, event_hash, leaf
from shared.merkle import Tree, leaf_hash
from shared.note import Checkpoint, SigningKey

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
KEY = SigningKey.of("taizhang/log", bytes(32))
LENGTH = 12
EVERY = 4  # positions between two checkpoints


def log(count: int = LENGTH, *, after: Sequence[Stored] = (), said: str = "好") -> list[Stored]:
    """So many events of three streams in turn, going on where there are some already."""
    found = [*after]
    heads: dict[str, tuple[int, str]] = {}
    for stored in after:
        version, _ = heads.get(stored.subject, (0, GENESIS))
        heads[stored.subject] = version + 1, stored.headers["ce-eventhash"]
    while len(found) < count:
        n = len(found) + 1
        place = Subject("s1", "rectification", "issue", f"i-{n % 3}")
        version, previous = heads.get(str(place), (0, GENESIS))
        cause = Provenance(PersonId("p1"), NOON, NOON, UUID(int=n), "ab" * 32, UUID(int=n))
        event = ProgressReported(text=f"{said} {n}")
        new = draft(place, event, cause, version=version + 1, previous=previous)
        heads[str(place)] = version + 1, new.hash
        headers = {**new.headers, "Nats-Msg-Id": str(new.id)}
        found.append(Stored(n, new.subject, headers, new.body))
    return found


def signed(
    directory: Path, events: Sequence[Stored], key: SigningKey = KEY, *, every: int = EVERY
) -> Shelf:
    """The directory as it is when the log was signed every few positions and at its end."""
    shelf, tree = Shelf(directory), Tree()
    for stored in events:
        digest = event_hash(stored.subject, stored.headers, stored.body)
        size = tree.size
        made = tree.append(leaf_hash(leaf(stored.position, stored.headers, digest)))
        shelf.extend(size, b"".join(made))
        if tree.size % every == 0 or tree.size == len(events):
            checkpoint = Checkpoint(key.public.name, tree.size, tree.root())
            shelf.keep(tree.size, checkpoint.signed(key))
    return shelf


def stretch(events: Iterable[Stored], after: int = 0) -> Stretch:
    """What a part of the log shows by itself."""
    part = Stretch(after)
    for stored in events:
        part.take(stored)
    return part


def checked(events: Iterable[Stored], shelf: Shelf, *, last: int, key: SigningKey = KEY) -> Report:
    """What the check finds in a log that says it ends at `last`."""
    check = Verification(shelf, [key.public])
    check.join(stretch(events))
    return check.end(last)


def renumbered(events: Iterable[Stored]) -> list[Stored]:
    """The same messages, at the positions in which they come."""
    return [replace(stored, position=n) for n, stored in enumerate(events, start=1)]


def found(report: Report) -> set[tuple[str, int]]:
    """Checks and positions of the findings."""
    return {(f.check, f.position) for f in report.findings}

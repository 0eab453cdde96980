"""The directory outside the broker: the nodes of the tree, and the signed checkpoints.

The nodes (`nodes`) only save work: they can be made again from the log. The checkpoints
(`checkpoints/<size>.checkpoint`) are the evidence: never written again, never removed.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from shared.files import write_once
from shared.merkle import HASH, Nodes, stored_at, stored_count

SEALED = ".checkpoint"
"""How the name of a signed checkpoint ends; before it stands its size in 19 digits."""
COSIGNED = ".cosigned"
"""How the name of the same checkpoint ends where witnesses signed it too."""


@dataclass(frozen=True)
class Shelf:
    """What is kept in the directory. Every call may raise `OSError`."""

    directory: Path

    @property
    def nodes_file(self) -> Path:
        """Every node of the tree, in the order of `shared.merkle.stored_at`."""
        return self.directory / "nodes"

    @property
    def checkpoints(self) -> Path:
        """Where the checkpoints are."""
        return self.directory / "checkpoints"

    def names(self) -> list[str]:
        """The files of checkpoints, smallest first; drafts of a killed process are passed over."""
        with suppress(FileNotFoundError):
            return sorted(f.name for f in self.checkpoints.iterdir() if not f.name.startswith("."))
        return []

    def newest(self) -> bytes | None:
        """The newest signed checkpoint, as stored."""
        names = [name for name in self.names() if name.endswith(SEALED)]
        return (self.checkpoints / names[-1]).read_bytes() if names else None

    def held(self) -> int:
        """How many nodes there are."""
        with suppress(FileNotFoundError):
            return self.nodes_file.stat().st_size // HASH
        return 0

    @contextmanager
    def nodes(self) -> Iterator[Nodes]:
        """Read nodes, as long as the block lasts; one that is not there is an `OSError`."""
        with self.nodes_file.open("rb", buffering=0) as file:

            def node(level: int, number: int) -> bytes:
                found = os.pread(file.fileno(), HASH, HASH * stored_at(level, number))
                if len(found) < HASH:
                    raise OSError(errno.ENODATA, "a node is not there")
                return found

            yield node

    def extend(self, size: int, nodes: bytes) -> None:
        """Write the nodes that come behind a tree of that size; on the disk when this returns.

        Two processes may do it at once: they write the same.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.nodes_file, os.O_WRONLY | os.O_CREAT, 0o644)
        with os.fdopen(descriptor, "wb") as file:
            file.seek(HASH * stored_count(size))
            file.write(nodes)
            file.flush()
            os.fsync(descriptor)

    def keep(self, size: int, note: str, ending: str = SEALED) -> None:
        """Write a signed checkpoint, whole or not at all; one that is there stays as it is."""
        write_once(self.checkpoints / f"{size:019}{ending}", note.encode())

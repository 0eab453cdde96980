"""Files that are written once: keys, and what is signed. Whole or not at all, and then on the disk."""

import os
import secrets
from contextlib import suppress
from pathlib import Path


def write_once(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write a file; one that is there stays as it is, also where another process is at it.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        draft.touch(mode)
        draft.write_bytes(content)
        to_disk(draft)
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    to_disk(path)


def to_disk(path: Path) -> None:
    """Make a file and its name durable."""
    for part in (path, path.parent):
        opened = os.open(part, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)

"""What a replay found, as a note (C2SP signed-note) signed with the key of the checkpoints. Pure.

It can never be taken for a checkpoint. A checkpoint's first line is the name of the key that signs it,
which has no space in it, and its second line is a number; a report's first line is `taizhang replay of
<log>`, and behind it JSON begins. A signature covers the whole text and nothing but the text.
"""

import json
from typing import Any

from services.audit.proof import signed as sealed
from shared.envelope import Record, leaf
from shared.merkle import Tree, leaf_hash
from shared.note import (
    ED25519,
    BadSignature,
    NotANote,
    Note,
    PublicKey,
    SigningKey,
    b64,
)

ORIGIN = "taizhang replay of "
"""How a report's first line begins; behind it stands the log's name."""


class Rests:
    """The tree over the log as a replay reads it, held against the newest checkpoint."""

    def __init__(self, newest: bytes | None, keys: list[PublicKey]) -> None:
        """`newest` as stored, if there is one; `keys` are those whose signatures count.

        Raises:
            NotANote, BadSignature: it is no checkpoint, or not signed so.
        """
        self.checkpoint = sealed(newest, keys) if newest else None
        self._tree = Tree()
        self._wrong: list[str] = []
        self._compare()

    def take(self, record: Record, digest: str) -> None:
        """Grow by the next event of the log; `digest` is its `event_hash`, worked out anew."""
        if record.position != self._tree.size + 1 and not self._wrong:
            self._wrong = [f"position {self._tree.size + 1} is missing"]
        self._tree.append(leaf_hash(leaf(record.position, record.headers, digest)))
        self._compare()

    def _compare(self) -> None:
        there = self.checkpoint
        if there and there.size == self._tree.size and there.root != self._tree.root():
            self._wrong.append(f"the log up to {there.size} is not what was signed")

    def wrong(self) -> list[str]:
        """Why the log that was read does not rest on the checkpoint; asked when all is read."""
        if self.checkpoint and self.checkpoint.size > self._tree.size:
            signed = self.checkpoint.size
            return [*self._wrong, f"the log ends at {self._tree.size}, but {signed} were signed"]
        return self._wrong

    def as_data(self) -> dict[str, Any]:
        """The root over all that was read, and the checkpoint it rests on."""
        on = self.checkpoint
        return {
            "root": b64(self._tree.root()),
            "checkpoint": on and {"size": on.size, "root": b64(on.root)},
        }


def signed(told: dict[str, Any], key: SigningKey) -> str:
    """A report as a signed note; the key has the log's name."""
    text = f"{ORIGIN}{key.public.name}\n{json.dumps(told, indent=1)}\n"
    return f"{text}\n{key.sign(text)}"


def read(stored: bytes, keys: list[PublicKey]) -> dict[str, Any]:
    """The report that a note holds, signed by the log it is about.

    Raises:
        NotANote: it is no report.
        BadSignature: it is not signed so.
    """
    note = Note.read(stored)
    line, _, body = note.text.partition("\n")
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    if not line.startswith(ORIGIN) or not isinstance(told, dict):
        msg = "no report of a replay"
        raise NotANote(msg)
    log = line.removeprefix(ORIGIN)
    if (log, ED25519) not in {(key.name, key.type) for key in note.signers(keys)}:
        msg = f"not signed by {log}"
        raise BadSignature(msg)
    return told

"""What a replay found, as a note (C2SP signed-note) signed with the key of the checkpoints. Pure.

It can never be taken for a checkpoint. A checkpoint's first line is the name of the key that signs it,
which has no space in it, and its second line is a number; a report's first line is `taizhang replay of
<log>`, and behind it JSON begins. A signature covers the whole text and nothing but the text.
"""

import json
from typing import Any

from shared.note import ED25519, BadSignature, NotANote, Note, PublicKey, SigningKey

ORIGIN = "taizhang replay of "
"""How a report's first line begins; behind it stands the log's name."""


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

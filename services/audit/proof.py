"""What a third party makes of a proof: it trusts a public key, and nothing else that it is told. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared.merkle import verify_consistency, verify_inclusion
from shared.note import ED25519, BadSignature, Checkpoint, Note, PublicKey, unb64

type Told = Mapping[str, Any]


def signed(stored: bytes, keys: Sequence[PublicKey]) -> Checkpoint:
    """A checkpoint that is signed by the log it is of.

    Raises:
        NotANote: it is no checkpoint.
        BadSignature: it is not signed so.
    """
    note = Note.read(stored)
    said = Checkpoint.read(note.text)
    if (said.origin, ED25519) not in {(key.name, key.type) for key in note.signers(keys)}:
        msg = f"not signed by {said.origin}"
        raise BadSignature(msg)
    return said


def included(told: Told, position: int, keys: Sequence[PublicKey]) -> Checkpoint:
    """The checkpoint an answer shows a log position to be in.

    Raises:
        NotANote, BadSignature: as `signed`, or it shows nothing of the kind.
    """
    sealed = signed(_text(told, "checkpoint"), keys)
    leaf, *path = _hashes([told.get("leaf"), *_list(told)])
    if not verify_inclusion(leaf, position - 1, sealed.size, path, sealed.root):
        msg = f"this does not prove that position {position} is in the log"
        raise BadSignature(msg)
    return sealed


def heir(
    kept: bytes, sealed: Checkpoint, keys: Sequence[PublicKey]
) -> tuple[int, Callable[[Told | None], None]]:
    """The size of a checkpoint kept from before, and the check of the answer that the log is its heir.

    Raises:
        NotANote, BadSignature: as `signed`; the check too, where the answer shows nothing of the kind.
    """
    old = signed(kept, keys)

    def check(told: Told | None) -> None:
        path = _hashes(_list(told or {"proof": []}))
        if old.origin != sealed.origin or not verify_consistency(
            old.size, sealed.size, old.root, sealed.root, path
        ):
            msg = f"the log is not a continuation of the one of size {old.size} that was signed before"
            raise BadSignature(msg)

    return old.size, check


def _text(told: Told, name: str) -> bytes:
    return str(told.get(name)).encode(errors="surrogatepass")


def _list(told: Told) -> list[object]:
    path = told.get("proof")
    return path if isinstance(path, list) else [None]


def _hashes(texts: Sequence[object]) -> list[bytes]:
    return [unb64(str(text)) for text in texts]

"""Signed notes and checkpoints, as transparency logs write them. Pure.

C2SP signed-note (https://c2sp.org/signed-note), tlog-checkpoint (https://c2sp.org/tlog-checkpoint),
tlog-cosignature v1 (https://c2sp.org/tlog-cosignature); signatures are Ed25519 (RFC 8032).
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

ED25519, COSIGNATURE = 1, 4
"""The signature types we know: a log's own, a witness's with a time (cosignature/v1)."""
MOST = 1_000_000
"""Bytes of a note that is read at all."""
MOST_SIGNATURES = 100
"""Signatures of a note that is read at all."""

_KEY = 32
_ID = 4
_TIME = 8
_PRIVATE = "PRIVATE+KEY+"
_SIGNATURE = re.compile(r"— ([^\s+]+) (\S+)")


class NotANote(ValueError):  # noqa: N818 -- what it is not
    """This is no signed note, checkpoint or key of a known form."""


class BadSignature(ValueError):  # noqa: N818 -- a finding
    """A signature by a known key does not fit, or there is none by a known key."""


@dataclass(frozen=True)
class PublicKey:
    """Who may have signed: a name, the signature type, the Ed25519 public key (32 bytes)."""

    name: str
    type: int
    key: bytes

    @property
    def id(self) -> bytes:
        """SHA-256(name ‖ 0x0A ‖ type ‖ key), its first four bytes."""
        named = self.name.encode() + b"\n" + bytes([self.type]) + self.key
        return hashlib.sha256(named).digest()[:_ID]

    def __str__(self) -> str:
        """The verifier key: `name+id+base64(type ‖ key)`."""
        return f"{self.name}+{self.id.hex()}+{b64(bytes([self.type]) + self.key)}"

    @classmethod
    def read(cls, text: str) -> "PublicKey":
        """Read a verifier key.

        Raises:
            NotANote: it is none, of a type we do not know, or its id is not its own.
        """
        key = cls(*_parts(text))
        if f"+{key.id.hex()}+" not in text:
            raise NotANote("the key's id is not its own")
        return key

    def signed(self, text: str, signature: bytes) -> bool:
        """Whether a signature of a note's text is by this key."""
        message = text.encode()
        if self.type == COSIGNATURE:
            message, signature = _timed(signature[:_TIME], text), signature[_TIME:]
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, repr=False)
class SigningKey:
    """Who signs. It is never shown: `text` is for the file that keeps it."""

    public: PublicKey
    _private: Ed25519PrivateKey

    @classmethod
    def of(cls, name: str, seed: bytes, *, type_: int = ED25519) -> "SigningKey":
        """The key of a name and 32 random bytes.

        Raises:
            NotANote: no such name may be, or it is not 32 bytes.
        """
        if not _named(name) or len(seed) != _KEY:
            raise NotANote("a key has a name without spaces and plus, and 32 bytes")
        private = Ed25519PrivateKey.from_private_bytes(seed)
        return cls(PublicKey(name, type_, private.public_key().public_bytes_raw()), private)

    @classmethod
    def read(cls, text: str) -> "SigningKey":
        """Read `PRIVATE+KEY+name+id+base64(type ‖ seed)`.

        Raises:
            NotANote: it is not of that form, or its id is not its own.
        """
        if not text.startswith(_PRIVATE):
            raise NotANote("no private key")
        name, type_, seed = _parts(text.removeprefix(_PRIVATE))
        key = cls.of(name, seed, type_=type_)
        if f"+{key.public.id.hex()}+" not in text:
            raise NotANote("the key's id is not its own")
        return key

    def text(self) -> str:
        """The key as it is kept in a file."""
        secret = bytes([self.public.type]) + self._private.private_bytes_raw()
        return f"{_PRIVATE}{self.public.name}+{self.public.id.hex()}+{b64(secret)}"

    def sign(self, text: str, *, at: int = 0) -> str:
        """A signature line for a note's text; `at` (seconds since 1970) is part of a cosignature."""
        signature = b""
        message = text.encode()
        if self.public.type == COSIGNATURE:
            signature = at.to_bytes(_TIME, "big")
            message = _timed(signature, text)
        signature += self._private.sign(message)
        return f"— {self.public.name} {b64(self.public.id + signature)}\n"


@dataclass(frozen=True)
class Signature:
    """A signature line: who is said to have signed, with which key, and the signature itself."""

    name: str
    id: bytes
    signature: bytes


@dataclass(frozen=True)
class Note:
    """A text and who signed it; the text ends in a line break."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def read(cls, stored: bytes) -> "Note":
        """Take a signed note apart; nothing is verified yet.

        Raises:
            NotANote: it is not of the form.
        """
        if len(stored) > MOST:
            raise NotANote("too large")
        try:
            whole = stored.decode()
        except UnicodeDecodeError:
            raise NotANote("not UTF-8") from None
        text, gap, lines = whole.rpartition("\n\n")
        if not gap or not lines.endswith("\n") or _CONTROL.search(whole):
            raise NotANote("no text, empty line and signatures")
        return cls(text + "\n", tuple(signatures(lines)))

    def signers(self, keys: Iterable[PublicKey]) -> list[PublicKey]:
        """The known keys that signed; signatures by others are passed over.

        Raises:
            BadSignature: one that says it is by a known key is not, or there is none.
        """
        known = {(key.name, key.id): key for key in keys}
        found = []
        for line in self.signatures:
            if key := known.get((line.name, line.id)):
                if not key.signed(self.text, line.signature):
                    raise BadSignature(f"not signed by {key.name}")
                found.append(key)
        if not found:
            raise BadSignature("signed by no key we know")
        return found


def signatures(lines: str) -> list[Signature]:
    """Read signature lines, as a note ends with and a witness answers with.

    Raises:
        NotANote: a line is none, there is none, or there are too many.
    """
    found = []
    for line in lines.splitlines():
        match = _SIGNATURE.fullmatch(line)
        raw = unb64(match[2]) if match else b""
        if match is None or len(raw) <= _ID:
            raise NotANote("not a signature line")
        found.append(Signature(match[1], raw[:_ID], raw[_ID:]))
    if not 0 < len(found) <= MOST_SIGNATURES:
        raise NotANote("no signature, or too many")
    return found


@dataclass(frozen=True)
class Checkpoint:
    """What a log says of itself: its name, how many leaves, and their root (RFC 6962)."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The text to be signed."""
        return f"{self.origin}\n{self.size}\n{b64(self.root)}\n"

    def signed(self, *keys: SigningKey, at: int = 0) -> str:
        """The signed note."""
        text = self.text()
        return f"{text}\n{''.join(key.sign(text, at=at) for key in keys)}"

    @classmethod
    def read(cls, text: str) -> "Checkpoint":
        """Read a note's text as a checkpoint; further lines are passed over.

        Raises:
            NotANote: it is none.
        """
        lines: Sequence[str] = text.split("\n")[:-1]
        if len(lines) < 3 or not all(lines) or not re.fullmatch(r"0|[1-9][0-9]{0,18}", lines[1]):  # noqa: PLR2004 -- origin, size, root
            raise NotANote("no checkpoint: origin, size, root")
        root = unb64(lines[2])
        if len(root) != hashlib.sha256().digest_size:
            raise NotANote("no checkpoint: the root is not 32 bytes")
        return cls(lines[0], int(lines[1]), root)


_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


def _timed(time: bytes, text: str) -> bytes:
    """What a witness signs (cosignature/v1)."""
    return f"cosignature/v1\ntime {int.from_bytes(time, 'big')}\n{text}".encode()


def _parts(text: str) -> tuple[str, int, bytes]:
    """Name, type and 32 bytes of a key's text."""
    name, _, rest = text.strip().partition("+")
    raw = unb64(rest.partition("+")[2])
    if not _named(name) or len(raw) != 1 + _KEY or raw[0] not in {ED25519, COSIGNATURE}:
        raise NotANote("no key of a known form")
    return name, raw[0], raw[1:]


def _named(name: str) -> bool:
    return bool(re.fullmatch(r"[^\s+]+", name))


def b64(raw: bytes) -> str:
    """Write base64 (RFC 4648), as notes and proofs do."""
    return base64.b64encode(raw).decode()


def unb64(text: str) -> bytes:
    """Read base64 as RFC 4648 writes it, and no other way of writing the same bytes.

    Raises:
        NotANote: it is not written so.
    """
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NotANote("not base64") from None
    if b64(raw) != text:
        raise NotANote("not base64")
    return raw

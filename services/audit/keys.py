"""The keys of checkpoints: one that signs, for the audit service only, and those that may be shown."""

import secrets
from pathlib import Path

from shared.files import write_once
from shared.note import ED25519, NotANote, PublicKey, SigningKey


class NoKey(Exception):  # noqa: N818 -- a condition, told in one line
    """The key is missing where it may not be made anew, or the file holds something else."""


def public_file(key_file: Path) -> Path:
    """Where the public keys are kept, one a line: the log's own and those of its witnesses."""
    return key_file.with_suffix(".pub")


def signing_key(key_file: Path, name: str, *, may_be_new: bool = True) -> SigningKey:
    """Read the key a log of that name signs with; make one, for the owner only, where none is.

    Its public key is added to the public file.

    Raises:
        NoKey: the file holds no such key, or is missing where it `may_be_new` no more.
    """
    try:
        if not key_file.exists():
            if not may_be_new:
                msg = f"the signing key {key_file} is missing, and what is signed needs it: restore it"
                raise NoKey(msg)
            secret = SigningKey.of(name, secrets.token_bytes(32)).text()
            write_once(key_file, f"{secret}\n".encode(), mode=0o600)
        key = SigningKey.read(key_file.read_text().strip())
        if (key.public.name, key.public.type) != (name, ED25519):
            msg = f"{key_file} holds a key of {key.public.name} that {name} does not sign with"
            raise NoKey(msg)
        known = public_file(key_file)
        held = known.read_text().splitlines() if known.exists() else []
        if str(key.public) not in held:
            with known.open("a") as file:
                file.write(f"\n{key.public}\n" if held else f"{key.public}\n")
    except (NotANote, UnicodeDecodeError) as wrong:
        msg = f"{key_file} does not hold a signing key: {wrong}"
        raise NoKey(msg) from None
    except OSError as trouble:
        msg = f"{trouble.filename}: {trouble.strerror}"
        raise NoKey(msg) from None
    return key


def public_keys(path: Path) -> list[PublicKey]:
    """Read public keys, one a line.

    Raises:
        NoKey: the file is missing, empty, or a line is no public key.
    """
    try:
        keys = [PublicKey.read(line) for line in path.read_text().splitlines() if line.strip()]
    except FileNotFoundError:
        keys = []
    except (NotANote, UnicodeDecodeError) as wrong:
        msg = f"{path} does not hold public keys: {wrong}"
        raise NoKey(msg) from None
    except OSError as trouble:
        msg = f"{path}: {trouble.strerror}"
        raise NoKey(msg) from None
    if not keys:
        msg = f"no public key at {path}"
        raise NoKey(msg)
    return keys

"""Personal fields and free texts are encrypted before anything is hashed, with keys that can be erased.

AES-256-GCM. A text's nonce is the first 96 bits of HMAC-SHA256(nonce key, AAD ‖ text), so sealing is
deterministic per scope and field: a repeated command gives the same bytes, and a rule can see that
two texts are equal and nothing else. Two different texts share a nonce with probability < 2⁻⁴⁰ even
after 2²⁸ texts under one key; keys are per person and per stream, so they see a few hundred.

A token is `~1~<scope>~<field>~<base64url(nonce ‖ ciphertext ‖ tag)>`; AAD = school ‖ scope ‖ field. The
event's TYPE is no part of it: sealing comes before deciding, and a correction that changes nothing
must be seen to change nothing.
"""

import asyncio
import hashlib
import hmac
import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.decider import Command
from shared.files import to_disk, write_once
from shared.marks import (
    TOKEN_PREFIX,
    BlindIndex,
    Length,
    Personal,
    Salt,
    SaltedHash,
    Sealed,
    fields_marked,
    is_token,
    tokens,
    transform,
)
from shared.mongo import Collection, Document, Mongo

ERASED = {"masked": "erased"}
"""What a reader sees in place of a text whose key is gone."""
SEALED = {"masked": "sealed"}
"""What a reader sees who may not read a text that is still there."""

_NONCE = 12
_KEY = 32
_CACHE = 20_000  # keys held in memory


class WrongKey(Exception):  # noqa: N818 -- a state of the world
    """The deployment's key is not the one that wrapped the stored keys."""


def deployment_key(path: Path, *, may_be_new: bool = True) -> bytes:
    """Read the deployment's key file (64 hex digits); make one, for the owner only, where none is.

    Raises:
        WrongKey: the file holds something else, or is missing where it `may_be_new` no more.
    """
    if not path.exists():
        if not may_be_new:
            msg = f"the deployment's key {path} is missing, and what is stored needs it: restore it"
            raise WrongKey(msg)
        write_once(path, secrets.token_hex(32).encode(), mode=0o600)
    try:
        key = bytes.fromhex(path.read_text().strip())
    except ValueError:
        key = b""
    if len(key) != _KEY:
        msg = f"{path} does not hold a key of 64 hex digits"
        raise WrongKey(msg)
    return key


def _subkey(key: bytes, purpose: str) -> bytes:
    return hmac.digest(key, purpose.encode(), "sha256")


@dataclass
class Keyring:
    """The keys of all scopes: made when first needed, wrapped by the deployment's key, erasable.

    Scopes are `person.<id>`, `<category>.<id>` or `<category>.<id>.<part>`, within a school.
    """

    mongo: Mongo
    deployment: bytes = field(default=b"", repr=False)
    _known: dict[str, bytes] = field(default_factory=dict)
    _wanted: dict[str, tuple[bytes, asyncio.Future[bytes]]] = field(default_factory=dict)
    _making: asyncio.Task[None] | None = None
    _erased: set[str] = field(default_factory=set)

    @property
    def _keys(self) -> Collection:
        return self.mongo.keep("keys")

    @property
    def _rotation(self) -> Collection:
        return self.mongo.keep("rotation")

    async def unlock(self, file: Path) -> None:
        """Take up the deployment's key from its file; make one where nothing was ever wrapped.

        Raises:
            WrongKey: what is stored was wrapped with another key, or its key is missing, or a
                rotation is not over.
        """
        if await self._rotation.get(ROTATION):
            msg = "a rotation of the deployment's key was begun: end it with `taizhang keys rotate`"
            raise WrongKey(msg)
        wrapped = await self._keys.find({"wrapped": {"$exists": True}}, limit=1)
        self.deployment = deployment_key(file, may_be_new=not wrapped)
        try:
            for document in wrapped:
                self._unwrap(document)
        except WrongKey:
            msg = (
                f"the deployment's key {file} is not the one that what is stored needs: restore it"
            )
            raise WrongKey(msg) from None

    def _wrapping(self) -> AESGCM:
        return AESGCM(_subkey(self.deployment, "wrap"))

    def _unwrap(self, document: Document) -> bytes:
        wrapped = document["wrapped"]
        try:
            return self._wrapping().decrypt(
                wrapped[:_NONCE], wrapped[_NONCE:], document["_id"].encode()
            )
        except InvalidTag:
            raise WrongKey(document["_id"]) from None

    def opens(self, document: Document) -> bool:
        """Whether a stored key was wrapped with this deployment key."""
        try:
            self._unwrap(document)
        except WrongKey:
            return False
        return True

    def wrapped_anew(self, document: Document, old: "Keyring") -> Document:
        """A stored key that another deployment key wrapped, wrapped with this one.

        Raises:
            WrongKey: the other did not wrap it.
        """
        return self._wrapped(document["_id"], old._unwrap(document))  # noqa: SLF001 -- of its own kind

    def _remember(self, name: str, key: bytes) -> bytes:
        if len(self._known) >= _CACHE:
            for old in list(self._known)[: _CACHE // 10]:
                del self._known[old]
        if name not in self._erased:
            self._known[name] = key
        return key

    async def destroy(self, names: Iterable[str]) -> None:
        """Destroy the keys of scopes, durably and for good; safe to repeat.

        From then on this process knows them no more, even if a key comes back from a backup.
        """
        names = set(names)
        self._erased |= names
        for name in names:
            self._known.pop(name, None)
        _ciphers.cache_clear()
        gone: dict[str, Document] = {name: {"_id": name, "erased": True} for name in names}
        if there := await self._keys.insert_missing(list(gone.values())):
            await self._keys.put_all([gone[name] for name in there])

    def is_erased(self, name: str) -> bool:
        """Whether this process has destroyed the key of a scope."""
        return name in self._erased

    def known(self, name: str) -> bytes | None:
        """The key of a scope if it is at hand."""
        return self._known.get(name)

    async def find(self, names: Iterable[str]) -> dict[str, bytes]:
        """The keys of those scopes that have one. Names are `<school>/<scope>`.

        Raises:
            WrongKey: one was wrapped with another deployment's key.
        """
        wanted = set(names)
        found = {name: self._known[name] for name in wanted if name in self._known}
        if missing := wanted - found.keys() - self._erased:
            documents = await self._keys.get_many(missing)
            for name, document in documents.items():
                if "wrapped" in document:
                    found[name] = self._remember(name, self._unwrap(document))
        return found

    async def key(self, name: str, made: dict[str, bytes], *, new: bool = False) -> bytes:
        """The key of a scope; where it has none, one in memory only, which is put into `made`.

        Whoever records something that needs it has to `keep` what was made first. Where the scope
        itself is `new`, nobody is asked whether it has a key; should it have one, keeping tells.

        Raises:
            WrongKey: as `find` does.
        """
        key = made.get(name) or self.known(name)
        if key is None and not new:
            key = (await self.find([name])).get(name)
        if key is None:
            key = made[name] = secrets.token_bytes(_KEY)
        return key

    async def ensure(self, name: str) -> bytes:
        """The key of a scope, made and durable before this returns.

        Raises:
            ScopeErased: the scope's key was destroyed.
            WrongKey: it was wrapped with another deployment's key.
        """
        return self.known(name) or await self._settled(name, secrets.token_bytes(_KEY))

    async def keep(self, made: Mapping[str, bytes]) -> bool:
        """Make keys durable that so far are in memory only.

        Gives whether they are now the keys of their scopes. Where a scope has got another one in the
        meantime that one counts, and is known from then on: what was sealed has to be sealed anew.

        Raises:
            ScopeErased, WrongKey: as `ensure` does.
        """
        settled = await asyncio.gather(*(self._settled(name, key) for name, key in made.items()))
        return settled == list(made.values())

    def _settled(self, name: str, key: bytes) -> asyncio.Future[bytes]:
        """Durably give a scope a key, unless it has one already; gives the one it has then.

        Many callers at once share one write. An erased scope never gets a key again.
        """
        if name not in self._wanted:
            self._wanted[name] = key, asyncio.get_running_loop().create_future()
            if self._making is None or self._making.done():
                self._making = asyncio.create_task(self._make())
        return asyncio.shield(self._wanted[name][1])

    async def _make(self) -> None:
        while self._wanted:
            batch, self._wanted = self._wanted, {}
            try:
                documents = {name: self._wrapped(name, key) for name, (key, _) in batch.items()}
                if there := await self._keys.insert_missing(list(documents.values())):
                    documents |= await self._keys.get_many(there)
            except Exception as error:  # noqa: BLE001 -- handed to whoever waits
                for _, waiting in batch.values():
                    waiting.set_exception(error)
                continue
            for name, (_, waiting) in batch.items():
                try:
                    if name in self._erased or "wrapped" not in documents[name]:
                        raise ScopeErased(name)  # noqa: TRY301 -- handed to whoever waits
                    waiting.set_result(self._remember(name, self._unwrap(documents[name])))
                except Exception as error:  # noqa: BLE001 -- as above
                    waiting.set_exception(error)

    def _wrapped(self, name: str, key: bytes) -> Document:
        nonce = secrets.token_bytes(_NONCE)
        return {"_id": name, "wrapped": nonce + self._wrapping().encrypt(nonce, key, name.encode())}


@dataclass(frozen=True)
class Rotation:
    """Gives the deployment a new key and wraps every stored key with it.

    No service may run meanwhile, and none starts before it is over. `file` holds the old key until nothing
    needs it, the new one waits beside it; an interrupted rotation goes on where it was. Afterwards
    the old one opens older backups of the keys, and nothing else needs it.
    """

    mongo: Mongo
    file: Path

    async def begin(self) -> bool:
        """Keep services from starting; gives whether this begins it, rather than goes on with it."""
        return await self.mongo.keep("rotation").insert({"_id": ROTATION})

    async def call_off(self) -> None:
        """Let services start again. Only where nothing was wrapped with the new key."""
        await self.mongo.keep("rotation").delete({"_id": ROTATION})

    async def run(self, tell: Callable[[int], None] = lambda _: None) -> tuple[int, Path]:
        """Wrap every key anew and put the new deployment key in the old one's place.

        Gives how many keys are wrapped with it, and where the old one is now; `tell` is told now and
        then how many so far.

        Raises:
            WrongKey: one opens with neither key, or a file does not hold one.
        """
        old = Keyring(self.mongo, deployment_key(self.file, may_be_new=False))
        waiting = self.file.with_name(f"{self.file.name}.new")
        new = Keyring(self.mongo, deployment_key(waiting))
        to_disk(waiting)
        keys = self.mongo.keep("keys")
        count, after = 0, ""
        while page := await keys.find(
            {"_id": {"$gt": after}, "wrapped": {"$exists": True}}, limit=_PAGE
        ):
            if anew := [
                new.wrapped_anew(document, old) for document in page if not new.opens(document)
            ]:
                await keys.put_all(anew)
            count, after = count + len(page), page[-1]["_id"]
            tell(count)
        fingerprint = _subkey(old.deployment, "fingerprint").hex()[:8]
        former = self.file.with_name(f"{self.file.name}.{fingerprint}")
        with suppress(FileExistsError):  # interrupted here before
            os.link(self.file, former)
        waiting.replace(self.file)
        to_disk(self.file)
        await self.call_off()
        return count, former


ROTATION = "deployment-key"
"""The one document of `taizhang_keep.rotation`, while a rotation is not over."""
_PAGE = 500


class ScopeErased(Exception):  # noqa: N818 -- a state of the world
    """The key of this scope was destroyed; nothing can be sealed under it any more."""


@dataclass(frozen=True)
class Privacy:
    """Sealing and opening for one process."""

    keyring: Keyring

    # -- Keyed hashes --------------------------------------------------------

    async def blind(self, school: str, *values: str) -> str:
        """A keyed index of values: equal for equal values of one school, 64 hex digits."""
        return await self._keyed(school, "index", "\x1f".join(values))

    async def fingerprint(self, school: str, sender: str, command: str, body: str) -> str:
        """What a repeated command id is compared by: a keyed hash of sender, command and body."""
        return await self._keyed(school, "commands", f"{sender}\x1f{command}\x1f{body}")

    async def stream_id(self, school: str, category: str, unique: tuple[str, ...]) -> str:
        """The id of the one stream that a unique thing may have: a UUID made of its blind index."""
        return str(UUID((await self.blind(school, category, *unique))[:32]))

    async def _keyed(self, school: str, purpose: str, text: str) -> str:
        key = await self.keyring.ensure(f"{school}/school.{purpose}")
        return hmac.digest(key, text.encode(), "sha256").hex()

    # -- Sealing -------------------------------------------------------------

    async def seal[C: Command](
        self,
        command: C,
        school: str,
        category: str,
        stream: str,
        made: dict[str, bytes],
        *,
        begins: bool = False,
    ) -> C:
        """Replace every marked text of a command by its token and fill in what is derived from it.

        Scopes that have no key get one in memory only, put into `made` (see `Keyring.key`); those of
        the stream itself are new where the command `begins` it.
        """

        async def key_of(where: str) -> bytes:
            new = begins and where.split(".")[1] == stream
            return await self.keyring.key(f"{school}/{where}", made, new=new)

        whole = command.model_copy(
            update={
                **await self._indexes(command, school),
                **await _derived(command, partial(key_of, f"{category}.{stream}")),
            }
        )
        keys: dict[str, bytes] = {}
        wanted: set[str] = set()

        def scope(what: object, owner: Any) -> str:  # noqa: ANN401 -- any model with the named field
            if isinstance(what, Personal):
                subject = stream if what.subject == "self" else getattr(owner, what.subject)
                return f"person.{subject}"
            part = f".{what.part}" if isinstance(what, Sealed) and what.part else ""
            return f"{category}.{stream}{part}"

        def seal(what: object, owner: Any, name: str, text: str) -> str:  # noqa: ANN401 -- as above
            where = scope(what, owner)
            key = keys.get(where) or self.keyring.known(f"{school}/{where}")
            if key is None:
                wanted.add(where)
                return text
            return _encrypt(key, school, where, name, text)

        while True:
            sealed = transform(whole, seal)
            if not wanted:
                return sealed
            keys |= {where: await key_of(where) for where in wanted}
            wanted.clear()

    async def _indexes(self, command: Command, school: str) -> dict[str, object]:
        """The blind indexes that a command's marks ask for."""
        return {
            name: await self._blinded(command, blind, school)
            for name, blind in fields_marked(type(command), BlindIndex).items()
        }

    async def _blinded(self, command: Command, blind: BlindIndex, school: str) -> str | None:
        if isinstance(blind.of, tuple):
            return await self.blind(school, blind.kind, *(getattr(command, n) for n in blind.of))
        text = getattr(command, blind.of)
        return text and await self.blind(school, blind.kind or blind.of, text.strip().casefold())

    # -- Opening -------------------------------------------------------------

    async def open(self, school: str, tree: Any, there: Iterable[str] | None = None) -> Any:  # noqa: ANN401 -- JSON in, JSON out
        """Replace every token in a JSON-like tree by its text, or by `ERASED` where the key is gone.

        Whoever knows its tokens says that these are `there`.
        """
        known = tokens(tree) if there is None else there
        names = {f"{school}/{token.split('~')[2]}" for token in known}
        keys = await self.keyring.find(names) if names else {}
        return _replace(tree, lambda token: _open(token, school, keys))


async def _derived(command: Command, key: Callable[[], Awaitable[bytes]]) -> dict[str, object]:
    """The salts, salted hashes and lengths that a command's marks ask for; `key` is its stream's."""
    kind = type(command)
    values: dict[str, object] = {}
    for name, length in fields_marked(kind, Length).items():
        values[name] = len(getattr(command, length.of) or "")
    salts: dict[str, str] = {}
    for name, salt in fields_marked(kind, Salt).items():
        text = getattr(command, salt.of).encode()
        salted = hmac.digest(_subkey(await key(), "salt"), text, "sha256").hex()
        values[name] = salts[salt.of] = salted[:32]
    for name, hashed in fields_marked(kind, SaltedHash).items():
        values[name] = salted_hash(salts[hashed.of], getattr(command, hashed.of))
    return values


def masked(tree: Any) -> Any:  # noqa: ANN401 -- JSON in, JSON out
    """Replace every token in a JSON-like tree by `SEALED`."""
    return _replace(tree, lambda _: SEALED)


def salted_hash(salt: str, text: str) -> str:
    """SHA-256 over the salt's 16 bytes and the text's UTF-8, in hex: what pins down a verbatim text."""
    return hashlib.sha256(bytes.fromhex(salt) + text.encode()).hexdigest()


@lru_cache(_CACHE)
def _ciphers(key: bytes) -> tuple[bytes, AESGCM]:
    """What is made of a scope's key: the key of the nonces and the cipher."""
    return _subkey(key, "nonce"), AESGCM(_subkey(key, "text"))


def _encrypt(key: bytes, school: str, scope: str, field_name: str, text: str) -> str:
    aad = f"{school}~{scope}~{field_name}".encode()
    plain = text.encode()
    nonce_key, cipher = _ciphers(key)
    nonce = hmac.digest(nonce_key, aad + b"\x00" + plain, "sha256")[:_NONCE]
    box = nonce + cipher.encrypt(nonce, plain, aad)
    return f"{TOKEN_PREFIX}{scope}~{field_name}~{urlsafe_b64encode(box).decode().rstrip('=')}"


def _open(token: str, school: str, keys: dict[str, bytes]) -> object:
    _, _, scope, field_name, box = token.split("~")
    key = keys.get(f"{school}/{scope}")
    if key is None:
        return ERASED
    raw = urlsafe_b64decode(box + "=" * (-len(box) % 4))
    try:
        plain = _ciphers(key)[1].decrypt(
            raw[:_NONCE], raw[_NONCE:], f"{school}~{scope}~{field_name}".encode()
        )
    except InvalidTag:
        return {"masked": "damaged"}
    return plain.decode()


def _replace(tree: Any, opened: Any) -> Any:  # noqa: ANN401 -- walks any JSON
    if isinstance(tree, str):
        return opened(tree) if is_token(tree) else tree
    if isinstance(tree, dict):
        return {name: _replace(value, opened) for name, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_replace(value, opened) for value in tree]
    return tree

"""Keeps the tree over the whole log and signs what it comes to, every so many events or seconds.

Leaf n of the tree (RFC 6962) is the message at position n + 1, event or not (`shared.envelope.leaf`).
A checkpoint is never signed over a log that is not a continuation of the one signed before.
"""

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

import httpx

from services.audit.keys import NoKey, public_file, public_keys, signing_key
from services.audit.proof import signed
from services.audit.shelf import COSIGNED, Shelf
from services.audit.stretch import leaf_of
from shared import metrics
from shared.broker import EVENTS, Broker, JetStreamRefusal, Stored
from shared.decider import Unavailable
from shared.journal import LogDamaged
from shared.merkle import Tree, root_of, stored_count
from shared.note import BadSignature, Checkpoint, NotANote, Note, SigningKey, signatures
from shared.runtime import Runtime
from shared.settings import Settings
from shared.views import Projector

log = logging.getLogger(__name__)

PACE = 0.5  # seconds between two looks at how far the log is
RETRY = 2.0  # seconds until what could not be written is tried again
WEBHOOK_WITHIN = 10.0  # seconds


@dataclass
class Keeper:
    """The tree of one deployment, and the newest checkpoint over it."""

    settings: Settings
    broker: Broker
    tree: Tree = field(default_factory=Tree)
    sealed: Checkpoint | None = None
    note: str = ""
    """The newest checkpoint as signed."""
    wrong: str = ""
    """Why no checkpoint can be signed at the moment."""
    begun: bool = False
    """Whether what is kept was taken up."""
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    _key: SigningKey | None = None

    @property
    def shelf(self) -> Shelf:
        """Where tree and checkpoints are kept."""
        return Shelf(self.settings.audit_directory)

    @property
    def key(self) -> SigningKey:
        """The key that signs, once `begin` has read it."""
        if self._key is None:
            msg = "not begun"
            raise NoKey(msg)
        return self._key

    async def begin(self) -> None:
        """Take up what is kept: the newest checkpoint, and the tree if its nodes still lead to it.

        Raises:
            NoKey: the key is missing or none.
            LogDamaged: the newest checkpoint is none, or the log is not what was signed.
            OSError: the directory cannot be read.
            Unavailable: the log does not answer.
        """
        stored = self.shelf.newest()
        self._key = signing_key(
            self.settings.audit_key_file, self.settings.audit_origin, may_be_new=stored is None
        )
        if stored is not None:
            try:
                known = public_keys(public_file(self.settings.audit_key_file))
                self.sealed = signed(stored, known)
            except (NotANote, BadSignature) as wrong:
                msg = f"the newest checkpoint is none of ours: {wrong}"
                raise LogDamaged(msg) from None
            self.note = stored.decode()
        self.tree = self._kept()
        if self.tree.size:
            await self._goes_on()

    def _kept(self) -> Tree:
        """The tree of the newest checkpoint, or an empty one where the nodes are not those signed."""
        sealed = self.sealed
        if sealed and sealed.size and self.shelf.held() >= stored_count(sealed.size):
            with self.shelf.nodes() as node:
                tree = Tree.of(sealed.size, node)
            if tree.root() == sealed.root:
                return tree
        return Tree()

    async def _goes_on(self) -> None:
        """See that the log holds at the tree's end what the tree does: a restored log may not."""
        size = self.tree.size
        await self._long_enough()
        found = await self.broker.slice(EVENTS, after=size - 1, limit=1)
        with self.shelf.nodes() as node:
            if not found or found[0].position != size or leaf_of(found[0])[1] != node(0, size - 1):
                msg = f"position {size} is not what was signed"
                raise LogDamaged(msg)

    async def _long_enough(self) -> int:
        """The log's end, which may not lie before what was signed."""
        last = await self.broker.last_position()
        signed = max(self.tree.size, self.sealed.size if self.sealed else 0)
        if last < signed:
            msg = f"the log ends at {last}, but {signed} were signed"
            raise LogDamaged(msg)
        return last

    async def go_on(self) -> None:
        """Take up what is kept, the first time; take in what the log holds by now, and sign it.

        Raises: as `begin`.
        """
        async with self._busy:
            if not self.begun:
                await self.begin()
                self.begun = True
            await self.seal()
            self.wrong = ""

    async def seal(self) -> None:
        """Take in what the log holds by now, and sign it.

        Raises: as `begin`.
        """
        last = await self._long_enough()
        while self.tree.size < last:
            found = await self.broker.slice(EVENTS, after=self.tree.size)
            if not found:
                raise Unavailable("log")
            await asyncio.to_thread(self._take, found[: last - self.tree.size])
        if self.sealed is None or self.sealed.size < self.tree.size:
            checkpoint = Checkpoint(self.settings.audit_origin, self.tree.size, self.tree.root())
            note = checkpoint.signed(self.key)
            await asyncio.to_thread(self.shelf.keep, checkpoint.size, note)
            self.sealed, self.note = checkpoint, note
            await self._tell_others(note)
        metrics.SEALED_POSITION.set(self.sealed.size)

    def _take(self, found: list[Stored]) -> None:
        """Grow the tree by messages; where their nodes cannot be written, it stays as it was."""
        tree = self.tree.copy()
        made: list[bytes] = []
        for stored in found:
            if stored.position != tree.size + 1:
                msg = f"position {tree.size + 1} is missing in the log"
                raise LogDamaged(msg)
            made += tree.append(leaf_of(stored)[1])
            if self.sealed and tree.size == self.sealed.size and tree.root() != self.sealed.root:
                msg = f"the log up to {tree.size} is not what was signed"
                raise LogDamaged(msg)
        if self.shelf.held() < stored_count(self.tree.size):
            self.tree = Tree()  # the nodes were taken away: from the beginning again
            msg = "the nodes are gone"
            raise OSError(msg)
        self.shelf.extend(self.tree.size, b"".join(made))
        self.tree = tree

    async def _tell_others(self, note: str) -> None:
        """Give a checkpoint to the second place; keep it with what witnesses there signed."""
        if not self.settings.audit_webhook:
            return
        try:
            async with httpx.AsyncClient(timeout=WEBHOOK_WITHIN) as client:
                answer = await client.post(
                    self.settings.audit_webhook,
                    content=note.encode(),
                    headers={"Content-Type": "text/plain; charset=utf-8"},
                )
            answer.raise_for_status()
            await asyncio.to_thread(self._keep_cosigned, note, answer.text)
        except (httpx.HTTPError, httpx.InvalidURL) as trouble:
            log.warning("audit: the webhook did not take a checkpoint: %s", type(trouble).__name__)

    def _keep_cosigned(self, note: str, answer: str) -> None:
        """Keep a checkpoint again with the lines by witnesses we know; others are passed over."""
        known = public_keys(public_file(self.settings.audit_key_file))
        text = Note.read(note.encode()).text
        lines = []
        for line in answer.splitlines():
            try:
                Note(text, tuple(signatures(line))).signers(known)
            except (NotANote, BadSignature):
                continue
            lines.append(f"{line}\n")
        if lines and self.sealed:
            self.shelf.keep(self.sealed.size, note + "".join(lines), COSIGNED)

    # -- Proofs --------------------------------------------------------------------------------------

    def root(self, size: int) -> bytes:
        """The root of the first `size` leaves."""
        with self.shelf.nodes() as node:
            return root_of(size, node)


_keepers: WeakValueDictionary[int, Keeper] = WeakValueDictionary()
"""By the identity of the service's projector; each lives as long as its chore."""


def keeper_of(projector: Projector) -> Keeper | None:
    """The keeper of a service at work, once it has begun."""
    return _keepers.get(id(projector))


def wrong(runtime: Runtime) -> dict[str, str]:
    """Why no checkpoint can be signed, for readiness."""
    keeper = keeper_of(runtime.projector)
    return {"checkpoints": keeper.wrong} if keeper and keeper.wrong else {}


async def keep(runtime: Runtime) -> None:
    """Sign the log every so many events or seconds; what cannot be written is tried again.

    Over a log that is not what was signed nothing is signed any more: readiness says so, a person looks.
    """
    settings = runtime.settings
    keeper = _keepers[id(runtime.projector)] = Keeper(settings, runtime.broker)
    due = 0.0
    while True:
        pause = PACE
        ahead = runtime.projector.position - (keeper.sealed.size if keeper.sealed else 0)
        if (
            not keeper.begun
            or ahead >= settings.audit_every
            or (ahead > 0 and time.monotonic() >= due)
        ):
            try:
                await keeper.go_on()
                due = time.monotonic() + settings.audit_seconds
            except LogDamaged as damage:
                keeper.wrong = str(damage)
                log.critical("audit: %s", damage)
                await asyncio.Event().wait()
            except (OSError, NoKey) as trouble:
                keeper.wrong = getattr(trouble, "strerror", None) or str(trouble)
                pause = RETRY
            except (Unavailable, JetStreamRefusal) as trouble:
                runtime.broker.on_trouble(f"sealing: {trouble}")
                pause = RETRY
        await asyncio.sleep(min(pause, settings.audit_seconds))


async def sign_the_rest(runtime: Runtime) -> None:
    """Sign what is not signed yet as the service stops; what fails now is done at its next start."""
    keeper = keeper_of(runtime.projector)
    if keeper and keeper.begun and not keeper.wrong:
        with suppress(LogDamaged, NoKey, OSError, Unavailable, JetStreamRefusal):
            await keeper.go_on()

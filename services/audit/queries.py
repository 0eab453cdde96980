"""What may be asked of audit: the newest checkpoint, and proofs against it (RFC 6962, 2.1)."""

from typing import Annotated, Any

from pydantic import Field

from services.audit.keeper import Keeper, keeper_of
from shared.callers import Caller
from shared.decider import NotFound, Rejected, Unavailable
from shared.merkle import consistency_proof, inclusion_proof
from shared.note import Checkpoint, b64
from shared.runtime import Desk, Query

ANYBODY = frozenset({"person", "operator", "bureau", "originator", "anonymous"})
"""A proof is made of hashes: it tells nothing of what was recorded."""

type Found = dict[str, Any]

Size = Annotated[int, Field(ge=1, lt=2**63)]
"""How many leaves a tree has: the log up to that position."""


class NotSealed(Rejected):
    """No signed checkpoint reaches so far yet; they are written every few seconds."""

    zh = "签名检查点尚未覆盖到这一位置,请稍后再试"


class NewestCheckpoint(Query):
    """The newest signed checkpoint (C2SP tlog-checkpoint) and the public key it is signed with."""

    zh = "最新签名检查点"
    path = "audit/checkpoint"
    allowed = ANYBODY


class InclusionProof(Query):
    """Proof that the message at a log position is in the tree of a size; else of the newest checkpoint.

    Leaf `index` of the tree is position `index` + 1. Hashes are base64.
    """

    zh = "包含证明"
    path = "audit/inclusion"
    allowed = ANYBODY
    position: Size
    size: Size | None = None


class ConsistencyProof(Query):
    """Proof that the tree of a size has the one of size `old` as its beginning. Hashes are base64."""

    zh = "一致性证明"
    path = "audit/consistency"
    allowed = ANYBODY
    old: Size
    size: Size | None = None


async def newest_checkpoint(_: NewestCheckpoint, desk: Desk, __: Caller) -> Found:
    """The signed note, its parts, and the public key."""
    keeper, sealed = _sealed(desk)
    return {
        "origin": sealed.origin,
        "size": sealed.size,
        "root": b64(sealed.root),
        "checkpoint": keeper.note,
        "key": str(keeper.key.public),
    }


async def inclusion(query: InclusionProof, desk: Desk, _: Caller) -> Found:
    """PATH(index, D[size]) with leaf and root; the checkpoint where the size is the newest one's."""
    keeper, sealed = _sealed(desk)
    size = _within(query.size or sealed.size, sealed)
    _within(query.position, sealed)
    if query.position > size:
        raise NotFound
    index = query.position - 1
    try:
        with keeper.shelf.nodes() as node:
            proof, leaf = inclusion_proof(index, size, node), node(0, index)
        root = keeper.root(size)
    except OSError as trouble:
        raise Unavailable("checkpoints") from trouble
    return {
        "position": query.position,
        "index": index,
        "size": size,
        "leaf": b64(leaf),
        "root": b64(root),
        "proof": [*map(b64, proof)],
        "checkpoint": keeper.note if size == sealed.size else None,
    }


async def consistency(query: ConsistencyProof, desk: Desk, _: Caller) -> Found:
    """PROOF(old, D[size]) with both roots; the checkpoint where the size is the newest one's."""
    keeper, sealed = _sealed(desk)
    size = _within(query.size or sealed.size, sealed)
    _within(query.old, sealed)
    if query.old > size:
        raise NotFound
    try:
        with keeper.shelf.nodes() as node:
            proof = consistency_proof(query.old, size, node)
        old_root, root = keeper.root(query.old), keeper.root(size)
    except OSError as trouble:
        raise Unavailable("checkpoints") from trouble
    return {
        "old": query.old,
        "size": size,
        "old_root": b64(old_root),
        "root": b64(root),
        "proof": [*map(b64, proof)],
        "checkpoint": keeper.note if size == sealed.size else None,
    }


def _sealed(desk: Desk) -> tuple[Keeper, Checkpoint]:
    keeper = keeper_of(desk.projector)
    if keeper is None or keeper.sealed is None:
        raise NotSealed
    return keeper, keeper.sealed


def _within(size: int, sealed: Checkpoint) -> int:
    if size > sealed.size:
        raise NotSealed
    return size

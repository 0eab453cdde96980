"""What a third party takes for a proof, and what not, whatever it is told."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree, InvalidProof, verify_consistency, verify_inclusion

from services.audit.proof import heir, included, signed
from shared.merkle import Tree, consistency_proof, inclusion_proof, leaf_hash, stored_at
from shared.note import BadSignature, Checkpoint, NotANote, SigningKey
from tests.audit.history import KEY

SIZE = 11
OLD = 6
KEYS = [KEY.public]


def _grown() -> tuple[list[bytes], list[bytes]]:
    tree, nodes, roots = Tree(), list[bytes](), [Tree().root()]
    for n in range(SIZE):
        nodes += tree.append(leaf_hash(bytes([n])))
        roots.append(tree.root())
    return nodes, roots


NODES, ROOTS = _grown()


def node(level: int, number: int) -> bytes:
    return NODES[stored_at(level, number)]


def note(size: int, key: SigningKey = KEY, root: bytes = b"") -> bytes:
    return Checkpoint("taizhang/log", size, root or ROOTS[size]).signed(key).encode()


def b64(*hashes: bytes) -> list[str]:
    return [base64.b64encode(hash_).decode() for hash_ in hashes]


def answer(position: int, sealed: bytes = note(SIZE)) -> dict[str, Any]:
    proof = inclusion_proof(position - 1, SIZE, node)
    return {
        "leaf": b64(node(0, position - 1))[0],
        "proof": b64(*proof),
        "checkpoint": sealed.decode(),
    }


def continuation() -> dict[str, Any]:
    return {"proof": b64(*consistency_proof(OLD, SIZE, node))}


@given(st.integers(1, SIZE), st.integers(-2, SIZE + 2))
def test_a_position_is_proved_by_its_own_answer_only(asked: int, other: int) -> None:
    assert included(answer(asked), asked, KEYS).size == SIZE
    if other != asked:
        with pytest.raises(BadSignature, match="does not prove"):
            included(answer(asked), other, KEYS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"checkpoint": None},
        {"checkpoint": "taizhang/log\n11\n"},
        {"checkpoint": note(SIZE, SigningKey.of("taizhang/log", bytes([1] * 32))).decode()},
        {"checkpoint": note(SIZE, SigningKey.of("other/log", bytes(32))).decode()},
        {"checkpoint": note(OLD).decode()},
        {"leaf": None},
        {"leaf": "!"},
        {"leaf": "叶"},
        {"checkpoint": "\ud800"},
        {"leaf": b64(leaf_hash(b"x"))[0]},
        {"proof": None},
        {"proof": "x"},
        {"proof": []},
        {"proof": [1, {}]},
    ],
)
def test_an_answer_with_anything_wrong_proves_nothing(wrong: dict[str, Any]) -> None:
    with pytest.raises((BadSignature, NotANote)):
        included({**answer(3), **wrong}, 3, KEYS)


def test_a_log_is_the_heir_of_a_checkpoint_kept_from_before() -> None:
    sealed = signed(note(SIZE), KEYS)
    old, check = heir(note(OLD), sealed, KEYS)
    assert old == OLD
    check(continuation())
    with pytest.raises(BadSignature):
        check(None)
    wrong: list[object] = [None, [], continuation()["proof"][1:]]
    for proof in wrong:
        with pytest.raises((BadSignature, NotANote)):
            check({"proof": proof})
    _, same = heir(note(SIZE), sealed, KEYS)
    same({"proof": []})


def test_a_log_that_is_shorter_or_another_is_no_heir() -> None:
    sealed = signed(note(OLD), KEYS)
    _, longer = heir(note(SIZE), sealed, KEYS)
    _, other = heir(note(OLD, root=ROOTS[1]), sealed, KEYS)
    for check in (longer, other):
        with pytest.raises(BadSignature, match="not a continuation"):
            check({"proof": []})
    with pytest.raises(BadSignature):
        heir(note(OLD, SigningKey.of("taizhang/log", bytes([1] * 32))), sealed, KEYS)


def test_another_implementation_takes_our_checkpoint_and_our_proofs() -> None:
    """Nothing of ours below but the bytes: pymerkle for the tree, the note taken apart by hand."""
    theirs = InmemoryTree(algorithm="sha256")
    theirs.append_entries([bytes([n]) for n in range(SIZE)])
    text, signature = note(SIZE).decode().split("\n\n")
    origin, size, root = text.split("\n")
    raw = base64.b64decode(signature.split()[2])
    Ed25519PublicKey.from_public_bytes(KEY.public.key).verify(raw[4:], f"{text}\n".encode())
    assert (origin, size) == ("taizhang/log", str(SIZE))
    state = base64.b64decode(root)
    assert theirs.get_root(SIZE) == state
    for position in range(1, SIZE + 1):
        told = answer(position)
        leaf, *path = [base64.b64decode(text) for text in (told["leaf"], *told["proof"])]
        proof = theirs.prove_inclusion(position, SIZE)
        proof.path = [leaf, *path]
        verify_inclusion(leaf, state, proof, index=position, size=SIZE)
        proof.path = [leaf, *path[:-1], bytes(32)]
        with pytest.raises(InvalidProof):
            verify_inclusion(leaf, state, proof, index=position, size=SIZE)
    for old in range(1, SIZE):
        proof = theirs.prove_consistency(old, SIZE)
        verify_consistency(ROOTS[old], state, proof, prior_size=old, later_size=SIZE)

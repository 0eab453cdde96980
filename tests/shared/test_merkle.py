"""The tree against the published vectors, and against its definition written down as the RFC has it."""

import hashlib
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.merkle import (
    Tree,
    between,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    stored_at,
    stored_count,
    verify_consistency,
    verify_inclusion,
)

# -- A second implementation: RFC 6962, section 2.1, word for word, sharing nothing with ours ----------


def mth(d: tuple[bytes, ...]) -> bytes:
    if not d:
        return hashlib.sha256(b"").digest()
    if len(d) == 1:
        return hashlib.sha256(b"\x00" + d[0]).digest()
    k = split(len(d))
    return hashlib.sha256(b"\x01" + mth(d[:k]) + mth(d[k:])).digest()


def path(m: int, d: tuple[bytes, ...]) -> list[bytes]:
    if len(d) == 1:
        return []
    k = split(len(d))
    return [*path(m, d[:k]), mth(d[k:])] if m < k else [*path(m - k, d[k:]), mth(d[:k])]


def proof(m: int, d: tuple[bytes, ...]) -> list[bytes]:
    return subproof(m, d, b=True)


def subproof(m: int, d: tuple[bytes, ...], *, b: bool) -> list[bytes]:
    if m == len(d):
        return [] if b else [mth(d)]
    k = split(len(d))
    if m <= k:
        return [*subproof(m, d[:k], b=b), mth(d[k:])]
    return [*subproof(m - k, d[k:], b=False), mth(d[:k])]


def split(n: int) -> int:
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def leads_to(leaf: bytes, m: int, n: int, proof: list[bytes]) -> bytes:
    """The root a proof of inclusion leads to, by following the RFC's definition of it backwards."""
    if n == 1:
        assert not proof
        return leaf
    k = split(n)
    left, right = (
        (leads_to(leaf, m, k, proof[:-1]), proof[-1])
        if m < k
        else (proof[-1], leads_to(leaf, m - k, n - k, proof[:-1]))
    )
    return hashlib.sha256(b"\x01" + left + right).digest()


# -- What is published --------------------------------------------------------------------------------

LEAVES = tuple(
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
)  # fmt: skip
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""The vectors of the Certificate Transparency reference implementation: roots of 0 to 8 leaves."""
UP_TO = 40


@cache
def grown(count: int) -> tuple[tuple[bytes, ...], list[bytes], list[Tree]]:
    """Leaves, the stored nodes, and the tree at every size."""
    data = tuple(n.to_bytes(2, "big") for n in range(count))
    return data, *of(data)


def of(data: tuple[bytes, ...]) -> tuple[list[bytes], list[Tree]]:
    tree, stored, trees = Tree(), list[bytes](), [Tree()]
    for one in data:
        stored += tree.append(leaf_hash(one))
        trees.append(tree.copy())
    return stored, trees


def at(stored: list[bytes], level: int, number: int) -> bytes:
    return stored[stored_at(level, number)]


def test_the_published_roots_come_out() -> None:
    stored, trees = of(LEAVES)
    assert [tree.root().hex() for tree in trees] == [*ROOTS]
    for size in range(len(ROOTS)):
        assert root_of(size, lambda *node: at(stored, *node)).hex() == ROOTS[size]


@pytest.mark.parametrize("size", range(UP_TO + 1))
def test_roots_and_proofs_are_those_of_the_definition(size: int) -> None:
    data, stored, trees = grown(UP_TO)

    def node(level: int, number: int) -> bytes:
        assert (number + 1) << level <= size  # never more than the tree has
        return at(stored, level, number)

    root = mth(data[:size])
    assert trees[size].root() == root_of(size, node) == root
    assert Tree.of(size, node) == trees[size]
    for m in range(size):
        leaf, found = leaf_hash(data[m]), inclusion_proof(m, size, node)
        assert found == path(m, data[:size])
        assert leads_to(leaf, m, size, found) == root
        assert verify_inclusion(leaf, m, size, found, root)
    for m in range(1, size + 1):
        found = consistency_proof(m, size, node)
        assert found == proof(m, data[:size])
        assert verify_consistency(m, size, mth(data[:m]), root, found)
    assert verify_consistency(0, size, mth(()), root, consistency_proof(0, size, node))


def test_the_state_of_a_tree_stays_small() -> None:
    tree = Tree()
    for _ in range(5000):
        tree.append(leaf_hash(b""))
        assert len(tree.peaks) == tree.size.bit_count()
    assert stored_count(5000) == 2 * 5000 - (5000).bit_count()


def test_there_is_no_proof_of_what_is_not_there() -> None:
    for index, size in ((0, 0), (3, 3), (-1, 3)):
        with pytest.raises(IndexError):
            inclusion_proof(index, size, lambda _, __: b"")
        assert not verify_inclusion(b"", index, size, [], b"")
    for old, size in ((4, 3), (-1, 3)):
        with pytest.raises(IndexError):
            consistency_proof(old, size, lambda _, __: b"")
        assert not verify_consistency(old, size, b"", b"", [])
    assert not verify_consistency(2, 3, b"", b"", [])


def flipped(hash_: bytes, bit: int) -> bytes:
    return (int.from_bytes(hash_, "big") ^ (1 << bit)).to_bytes(32, "big")


SIZES = st.integers(1, UP_TO)


@given(st.data())
def test_a_proof_of_inclusion_with_anything_wrong_shows_nothing(given: st.DataObject) -> None:
    data, stored, _ = grown(UP_TO)
    size = given.draw(SIZES)
    index = given.draw(st.integers(0, size - 1))
    bit = given.draw(st.integers(0, 255))
    leaf, root = leaf_hash(data[index]), mth(data[:size])
    right = inclusion_proof(index, size, lambda *node: at(stored, *node))

    assert not verify_inclusion(flipped(leaf, bit), index, size, right, root)
    assert not verify_inclusion(leaf, index, size, right, flipped(root, bit))
    assert not verify_inclusion(leaf, index, size, [*right, root], root)
    for other in range(size):
        assert verify_inclusion(leaf, other, size, right, root) == (other == index)
    if right:
        n = given.draw(st.integers(0, len(right) - 1))
        wrong = [flipped(h, bit) if i == n else h for i, h in enumerate(right)]
        assert not verify_inclusion(leaf, index, size, wrong, root)
        assert not verify_inclusion(leaf, index, size, right[:n] + right[n + 1 :], root)


@given(st.data())
def test_a_proof_is_good_for_its_own_size_only(given: st.DataObject) -> None:
    """Against the root of any other size; a size that is only claimed may have the same shape of path."""
    data, stored, _ = grown(UP_TO)
    size, other = given.draw(st.lists(SIZES, min_size=2, max_size=2, unique=True))
    index = given.draw(st.integers(0, size - 1))
    right = inclusion_proof(index, size, lambda *node: at(stored, *node))
    assert not verify_inclusion(leaf_hash(data[index]), index, other, right, mth(data[:other]))


@given(st.data())
def test_a_proof_of_consistency_with_anything_wrong_shows_nothing(given: st.DataObject) -> None:
    data, stored, _ = grown(UP_TO)
    old, size = sorted(given.draw(st.lists(SIZES, min_size=2, max_size=2, unique=True)))
    bit = given.draw(st.integers(0, 255))
    was, root = mth(data[:old]), mth(data[:size])
    right = consistency_proof(old, size, lambda *node: at(stored, *node))

    assert not verify_consistency(old, size, flipped(was, bit), root, right)
    assert not verify_consistency(old, size, was, flipped(root, bit), right)
    assert not verify_consistency(old, size, was, root, [*right, root])
    assert not verify_consistency(size, size, was, root, right)
    n = given.draw(st.integers(0, len(right) - 1))
    wrong = [flipped(h, bit) if i == n else h for i, h in enumerate(right)]
    assert not verify_consistency(old, size, was, root, wrong)
    assert not verify_consistency(old, size, was, root, right[:n] + right[n + 1 :])
    for other in range(1, size):
        fits = verify_consistency(other, size, mth(data[:other]), root, right)
        assert fits == (other == old)


@given(st.data())
def test_a_tree_grown_over_its_gaps_has_the_roots_of_the_whole(given: st.DataObject) -> None:
    """Of every gap only perfect subtrees, so a list of leaves and these are one proof of all of them."""
    size = given.draw(SIZES)
    shown = given.draw(st.sets(st.integers(0, size - 1)))
    stops = given.draw(st.sets(st.integers(0, size)))
    data, stored, trees = grown(UP_TO)
    tree = Tree()
    for target in sorted({*shown, *stops, size}):
        for level, number in between(tree.size, target):
            tree.graft(level, at(stored, level, number))
        assert tree == trees[target]
        if target in shown:
            tree.graft(0, leaf_hash(data[target]))
    assert tree.root() == mth(data[:size])


@given(SIZES, SIZES)
def test_a_gap_is_filled_with_no_more_than_a_proof_needs(one: int, other: int) -> None:
    low, high = sorted((one, other))
    found = [*between(low, high)]
    assert sum(1 << level for level, _ in found) == high - low
    assert len(found) <= 2 * UP_TO.bit_length()
    assert all(found[n][0] != found[n + 1][0] or found[n][1] & 1 for n in range(len(found) - 1))

"""The Merkle hash tree of RFC 6962 (and RFC 9162): roots, proofs, and what a proof is worth. Pure.

Leaves are counted from 0. `MTH`, `PATH` and `PROOF` are the names of RFC 6962, section 2.1. Nodes are
named by level (0 = leaves) and number: node (l, n) is the root of the leaves n·2^l … (n+1)·2^l - 1.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

EMPTY = hashlib.sha256().digest()
"""The root of a tree without leaves (RFC 6962, 2.1)."""
HASH = 32
"""Bytes of a hash."""

type Nodes = Callable[[int, int], bytes]
"""Gives the hash of a node by level and number."""


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 ‖ data): a leaf of the tree (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right): an inner node (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\1" + left + right).digest()


@dataclass
class Tree:
    """A tree that grows: of all its nodes only the roots of its perfect subtrees, largest first."""

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> list[bytes]:
        """Take one more leaf hash; give every node this completes, the leaf first, then upwards.

        In this order the nodes are stored: see `stored_at`.
        """
        made = [leaf]
        rest = self.size
        while rest & 1:
            made.append(node_hash(self.peaks.pop(), made[-1]))
            rest >>= 1
        self.peaks.append(made[-1])
        self.size += 1
        return made

    def graft(self, level: int, node: bytes) -> None:
        """Take the root of the next 2^level leaves at once; the size must be a multiple of that."""
        rest = self.size >> level
        while rest & 1:
            node = node_hash(self.peaks.pop(), node)
            rest >>= 1
        self.peaks.append(node)
        self.size += 1 << level

    def root(self) -> bytes:
        """The root of all leaves so far: MTH (RFC 6962, 2.1)."""
        if not self.peaks:
            return EMPTY
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def copy(self) -> "Tree":
        """The same tree, to grow on its own."""
        return Tree(self.size, [*self.peaks])

    @classmethod
    def of(cls, size: int, node: Nodes) -> "Tree":
        """The tree of the first `size` leaves, from stored nodes."""
        peaks = []
        done = 0
        for level in reversed(range(size.bit_length())):
            if size >> level & 1:
                peaks.append(node(level, done >> level))
                done += 1 << level
        return cls(size, peaks)


def stored_at(level: int, number: int) -> int:
    """Where a node stands in the sequence of all nodes as `Tree.append` gives them."""
    for _ in range(level):
        number = 2 * number + 1
    before = 0
    while number:
        before += number
        number >>= 1
    return before + level


def stored_count(size: int) -> int:
    """How many nodes a tree of so many leaves has in that sequence."""
    return 2 * size - size.bit_count()


def between(low: int, high: int) -> Iterator[tuple[int, int]]:
    """The fewest nodes, by level and number, that stand for the leaves `low` … `high` - 1, in order.

    A tree grown with these (`Tree.graft`) in the place of their leaves has the same root. So a list of
    leaves and, for every gap between two, these nodes shows all the leaves to be in the tree at once:
    it is what their inclusion proofs hold, each node once.
    """
    while low < high:
        level = (high - low).bit_length() - 1
        if low:
            level = min(level, (low & -low).bit_length() - 1)
        yield level, low >> level
        low += 1 << level


def root_of(size: int, node: Nodes) -> bytes:
    """The root of the first `size` leaves: MTH(D[0:size]) (RFC 6962, 2.1)."""
    return _mth(0, size, node) if size else EMPTY


def inclusion_proof(index: int, size: int, node: Nodes) -> list[bytes]:
    """PATH(index, D[size]) (RFC 6962, 2.1.1): what shows that a leaf is in the tree of that size.

    Raises:
        IndexError: the leaf is not in it.
    """
    if not 0 <= index < size:
        raise IndexError(index)
    path = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_mth(middle, high, node))
            high = middle
        else:
            path.append(_mth(low, middle, node))
            low = middle
    return path[::-1]


def consistency_proof(old: int, size: int, node: Nodes) -> list[bytes]:
    """PROOF(old, D[size]) (RFC 6962, 2.1.2): what shows that a tree only grew. From nothing: empty.

    Raises:
        IndexError: the older tree is the larger one.
    """
    if not 0 <= old <= size:
        raise IndexError(old)
    path: list[bytes] = []
    low, high = 0, size
    while old and old != high:
        middle = low + _split(high - low)
        if old <= middle:
            path.append(_mth(middle, high, node))
            high = middle
        else:
            path.append(_mth(low, middle, node))
            low = middle
    if low:
        path.append(_mth(low, high, node))
    return path[::-1]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether a proof shows that a leaf hash stands at `index` in the tree of that size and root.

    The algorithm of RFC 9162, 2.1.3.2.
    """
    if not 0 <= index < size:
        return False
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            fn, sn = _up(fn, sn)
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


def verify_consistency(
    old: int, size: int, old_root: bytes, root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether a proof shows that the larger tree has the older one as its beginning.

    The algorithm of RFC 9162, 2.1.4.2; of the empty tree everything is a continuation.
    """
    if old in {0, size}:
        return not proof and old_root == (root if old == size else EMPTY)
    if not 0 < old < size or not proof:
        return False
    first, *rest = [old_root, *proof] if old.bit_count() == 1 else proof
    fn, sn = old - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = first
    for c in rest:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            fn, sn = _up(fn, sn)
        else:
            sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == old_root and sr == root


def _up(fn: int, sn: int) -> tuple[int, int]:
    """Climb to where the path is a right child again, or at the top (RFC 9162, 2.1.3.2, step 4.2.2)."""
    while fn and not fn & 1:
        fn, sn = fn >> 1, sn >> 1
    return fn, sn


def _split(size: int) -> int:
    """The largest power of two smaller than `size`: k in RFC 6962, 2.1."""
    return 1 << (size - 1).bit_length() - 1


def _mth(low: int, high: int, node: Nodes) -> bytes:
    """MTH(D[low:high]) of a part that the tree's own splitting leads to."""
    size = high - low
    if size.bit_count() == 1:
        level = size.bit_length() - 1
        return node(level, low >> level)
    middle = low + _split(size)
    return node_hash(_mth(low, middle, node), _mth(middle, high, node))

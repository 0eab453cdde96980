"""The directory beside the log: nothing in it is written twice, nothing half."""

from pathlib import Path

import pytest

from services.audit.shelf import Shelf
from shared.merkle import Tree, inclusion_proof, leaf_hash, root_of
from tests.audit.history import LENGTH, log, signed


def test_a_checkpoint_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.keep(7, "first\n")
    shelf.keep(7, "second\n")
    assert shelf.newest() == b"first\n"
    assert [p.name for p in shelf.checkpoints.iterdir()] == ["0000000000000000007.checkpoint"]


def test_the_newest_checkpoint_is_the_largest_and_no_draft(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    assert shelf.newest() is None
    shelf.keep(10, "ten\n")
    shelf.keep(9, "nine\n")
    shelf.keep(10, "ten, cosigned\n", ".cosigned")
    (shelf.checkpoints / ".0000000000000000011.checkpoint.draft").write_text("ele")
    assert shelf.newest() == b"ten\n"


def test_what_is_kept_gives_the_tree_again_and_every_proof(tmp_path: Path) -> None:
    shelf = signed(tmp_path, log())
    with shelf.nodes() as node:
        for size in range(1, LENGTH + 1):
            assert Tree.of(size, node).root() == root_of(size, node)


def test_nodes_written_twice_are_the_same_and_one_that_is_missing_is_told(tmp_path: Path) -> None:
    shelf, tree = Shelf(tmp_path), Tree()
    made = [b"".join(tree.append(leaf_hash(bytes([n])))) for n in range(4)]
    for size, nodes in [*enumerate(made), *enumerate(made)]:
        shelf.extend(size, nodes)
    assert shelf.nodes_file.read_bytes() == b"".join(made)
    assert shelf.held() == 7
    with shelf.nodes() as node, pytest.raises(OSError, match="not there"):
        inclusion_proof(3, 5, node)

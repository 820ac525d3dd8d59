"""The tree over all heads: every stream proves its place, and the root depends on the heads alone."""

from __future__ import annotations

from random import Random

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from hub.domain.evidence import climb, leaf, node
from hub.domain.evidence_tree import BUCKETS, HeadTree

HEADS = st.dictionaries(st.text(min_size=1, max_size=8), st.integers(1, 99), min_size=1, max_size=60)

FEW = settings(max_examples=25, deadline=None, derandomize=True)


def leaves_of(heads: dict[str, int]) -> dict[str, bytes]:
    return {name: leaf(name, length, bytes([length]) * 32) for name, length in heads.items()}


def tree_of(leaves: dict[str, bytes]) -> HeadTree:
    tree = HeadTree()
    for name, each in leaves.items():
        tree.put(name, each)
    return tree


@FEW
@given(heads=HEADS)
def test_every_stream_climbs_to_the_root_and_no_other_does(heads: dict[str, int]) -> None:
    leaves = leaves_of(heads)
    tree = tree_of(leaves)
    assert tree.streams == len(heads)
    for name, each in leaves.items():
        path = tree.path(name, each)
        assert climb(each, path) == tree.root
        assert climb(leaf(name, heads[name] + 1, bytes([heads[name]]) * 32), path) != tree.root
        assert not path or climb(each, path[1:]) != tree.root


@FEW
@given(heads=HEADS, random=st.randoms(use_true_random=False))
def test_the_root_is_the_same_whatever_the_order_and_however_heads_moved(
    heads: dict[str, int], random: Random
) -> None:
    leaves = leaves_of(heads)
    names = list(leaves)
    random.shuffle(names)
    moved = HeadTree()
    for name in names:
        moved.put(name, leaf(name, 100, bytes(32)))
    assert moved.root != tree_of(leaves).root
    random.shuffle(names)
    for name in names:
        moved.put(name, leaves[name], leaf(name, 100, bytes(32)))
    assert moved.root == tree_of(leaves).root
    assert moved.streams == len(heads)


def test_streams_of_one_bucket_have_paths_too() -> None:
    leaves = leaves_of({f"kasus-{number}": number % 90 + 1 for number in range(3 * BUCKETS)})
    tree = tree_of(leaves)
    lengths = {len(tree.path(name, each)) for name, each in list(leaves.items())[:500]}
    assert max(lengths) > 12
    assert all(climb(each, tree.path(name, each)) == tree.root for name, each in list(leaves.items())[:500])


def test_what_is_not_there_has_no_path_and_cannot_be_replaced() -> None:
    tree = tree_of(leaves_of({"a": 1}))
    stranger = leaf("b", 1, bytes(32))
    assert not tree.knows("b", stranger)
    with pytest.raises(KeyError):
        tree.path("b", stranger)
    with pytest.raises(KeyError):
        tree.put("a", stranger, before=stranger)


def test_a_leaf_is_never_a_node_and_names_are_not_glued() -> None:
    left, right = bytes(32), bytes([1]) * 32
    assert node(left, right) not in (node(right, left), leaf("", 0, left + right))
    assert leaf("a", 1, left) != leaf("a\0", 1, left)

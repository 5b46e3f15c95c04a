"""Leaves: ranges of the hash, and sums over them in the order of a binary tree.

Canonical rows are ordered by a 64-bit hash. Its first ``DEPTH`` bits cut them into
``RANGES`` ranges, the finest leaves that there are; fewer leaves are unions of
neighbours. What a leaf holds follows from the content of the rows alone, and equal rows
share one. With s_l the sum over leaf l of 2^b,

    s = (s_0 + s_1) + (s_2 + s_3) + ...,  pairs first, then pairs of pairs

which has the same bits wherever a subtree is summed: in a thread, or on a machine.
"""

import functools

import numpy as np

DEPTH = 6
RANGES = 2**DEPTH
FEWEST = 4  # leaves that are worth sharing among threads
SUBTREES = 16  # that threads sum, each with a sum of its own


def cuts_of(hashes):
    """Where each range begins in ascending ``hashes``, and their end, (RANGES + 1,)."""
    edges = np.arange(1, RANGES, dtype=np.uint64) << np.uint64(64 - DEPTH)
    inner = np.searchsorted(hashes, edges)
    return np.concatenate([[0], inner, [len(hashes)]])


def number_of_leaves(most):
    """The largest power of 2 up to ``most`` and RANGES; 1 where it is below FEWEST."""
    if most < FEWEST:
        return 1
    return min(2 ** (int(most).bit_length() - 1), RANGES)


def fold(function, leaves, map=map):
    """The sum of ``function(leaf)`` over 2^b leaves, in the order of the tree.

    Parameters
    ----------
    function : callable(leaf) -> list
        Its terms; those of a right branch are added to those of the left one, in place
        where they are arrays.
    leaves : list
    map : callable, default=map
        Applies a function to subtrees, in order.
    """
    if len(leaves) == 1:  # a small problem, where microseconds count
        return function(leaves[0])
    size = max(len(leaves) // SUBTREES, 1)
    subtrees = [leaves[i : i + size] for i in range(0, len(leaves), size)]
    sums = list(map(functools.partial(_fold_here, function), subtrees))
    return _fold_here(lambda sum: sum, sums)


def _fold_here(function, leaves):
    """:func:`fold` without a map."""
    if len(leaves) == 1:
        return function(leaves[0])
    middle = len(leaves) // 2
    left = _fold_here(function, leaves[:middle])
    return add(left, _fold_here(function, leaves[middle:]))


def add(left, right):
    """The sum of two branches."""
    for i, term in enumerate(right):
        left[i] += term
    return left

"""From collections of dask to leaves on workers.

Each block of rows is checked where it is, and then cut into the ranges of the hash; the
pieces of a range come together on one worker, in whatever order. So the leaves do not
depend on blocks: not on their number, nor on their order, nor on which rows they hold.
Features of equal rows of a block travel once.
"""

import copy
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import getitem
from typing import Any

import dask
import numpy as np
from scipy.sparse import csr_array, issparse

from ..estimator.rows import check_sum
from ..estimator.setup import is_lazy, naming, validated
from ..kernels.rows import rows_of
from ..objective.canonical_rows import (
    CanonicalRows,
    canonical_form,
    counted_rows,
)
from ..objective.leaves import RANGES
from .rows import cluster_rows, stacked
from .workers import Held, key_of

DIMENSIONS = {"X": (2,), "y": (1, 2), "sample_weight": (1,)}


@dataclass
class _Seen:
    """What the client has to know of a block."""

    n_rows: int
    X: Any = None  # no rows of it
    y: Any = None  # what makes the target
    weight: float = 0.0
    names: Any = None  # of the columns


def blocks_of(X, y, sample_weight):
    """Triples (X, y, sample_weight) of delayed blocks, whose rows belong together."""
    given = {"X": X, "y": y, "sample_weight": sample_weight}
    given = {name: data for name, data in given.items() if data is not None}
    for name, data in given.items():
        if not is_lazy(data) or not hasattr(data, "to_delayed"):
            raise TypeError(
                f"{name}: a dask array or frame is needed, got {type(data).__name__}; "
                "data in memory are for the estimators without Dask in their names."
            )
    rows = _known_chunks(X)
    for name, data in given.items():
        if data.ndim not in DIMENSIONS[name]:
            allowed = " or ".join(map(str, DIMENSIONS[name]))
            raise ValueError(
                f"{name}: the number of dimensions must be {allowed}, got {data.ndim}."
            )
        known = _known_chunks(data)
        if rows is not None and known is not None and sum(known) != sum(rows):
            raise ValueError(
                f"X and {name}: they must have the same number of rows, got "
                f"{sum(rows)} and {sum(known)}."
            )
        if hasattr(data, "rechunk"):
            axes = {axis: -1 for axis in range(1, data.ndim)}
            if rows is not None and known is not None and known != rows:
                axes[0] = rows
            if axes:
                data = data.rechunk(axes)
        given[name] = list(np.ravel(data.to_delayed(optimize_graph=True)))
    counts = {name: len(blocks) for name, blocks in given.items()}
    for name, count in counts.items():
        if count != counts["X"]:
            raise ValueError(
                f"X and {name}: they must have the same partitions, got "
                f"{counts['X']} and {count} of them."
            )
    weights = given.get("sample_weight", [None] * counts["X"])
    return list(zip(given["X"], given["y"], weights, strict=True))


def _known_chunks(data):
    """Numbers of rows of the blocks, or None where they are not known."""
    chunks = getattr(data, "chunks", None)
    if chunks is None or np.isnan(chunks[0]).any():
        return None
    return chunks[0]


def checked(workers, shell, blocks, reset):
    """Futures of checked blocks, and what is seen of each.

    Without ``reset`` the shell knows what columns there must be.

    Raises
    ------
    ValueError
        If a block is not valid: its array and its number are named.
    """
    tasks = [
        dask.delayed(_checked)(
            shell, number, reset, *block, dask_key_name=key_of("check-block")
        )
        for number, block in enumerate(blocks)
    ]
    futures = workers.client.compute(tasks, optimize_graph=True)
    seen = [workers.submit(None, "seen-of-block", getitem, it, 1) for it in futures]
    return futures, workers.gather(seen)


def _checked(shell, number, reset, X, y, sample_weight):
    """On a worker: ((X, y, sample_weight), seen) of a block; None and seen if empty."""
    if X.shape[0] == 0 and len(y) == 0:
        return None, _Seen(0)
    shell = copy.copy(shell)  # threads share it
    with _in_block(number):
        weights = None
        if sample_weight is not None:
            with naming("sample_weight"):
                weights = np.asarray(sample_weight, dtype=float)
        # Whether they are all 0 is asked of all blocks together.
        nothing = weights is not None and not weights.any()
        X, y, sample_weight = validated(
            shell, X, y, None if nothing else sample_weight, reset=reset
        )
        if nothing:
            sample_weight = weights
        y = y.toarray() if issparse(y) else y
        with naming("y"):
            of_y = shell._seen_of_y(y, sample_weight)
    total = X.shape[0] if sample_weight is None else sample_weight.sum()
    names = getattr(shell, "feature_names_in_", None)
    if issparse(X):
        X = csr_array(X)
    return (X, y, sample_weight), _Seen(X.shape[0], X[:0], of_y, float(total), names)


@contextmanager
def _in_block(number):
    """Errors from inside say in which block."""
    try:
        yield
    except (TypeError, ValueError) as error:
        first = str(error).partition("\n")[0]  # advice for one machine follows
        raise type(error)(f"{first} (block {number})") from None


def unite(seen):
    """(no rows of X, names of its columns or None), the same in all blocks."""
    kept = [block for block in seen if block.n_rows]
    if not kept:
        raise ValueError("X: there are no rows.")
    first = kept[0]
    for block in kept:
        if block.X.shape[1] != first.X.shape[1]:
            raise ValueError(
                f"X: its blocks have {first.X.shape[1]} and {block.X.shape[1]} columns."
            )
        if issparse(block.X) != issparse(first.X):
            raise ValueError("X: some blocks are sparse and others are not.")
        if not np.array_equal(block.names, first.names):
            raise ValueError("X: its blocks have columns of different names.")
    with naming("sample_weight"):
        check_sum(np.array([block.weight for block in kept]))
    double = any(block.X.dtype == np.float64 for block in kept)
    return first.X.astype(np.float64 if double else np.float32), first.names


def share_out(workers, encode, futures, seen, empty):
    """The rows as :class:`ClusterRows`, and the numbers of those that contradict.

    Parameters
    ----------
    workers : Workers
    encode : callable(y) -> labels
    futures, seen
        See :func:`checked`. The list of futures is emptied, so that no block is kept
        once it is cut.
    empty : ndarray or CSR of shape (0, n_features)
    """
    n_rows = [block.n_rows for block in seen]
    starts = np.cumsum([0, *n_rows])
    cut = [
        workers.submit(None, "cut-block", _cut, future, int(start), encode, empty.dtype)
        for future, start, n in zip(futures, starts[:-1], n_rows, strict=True)
        if n
    ]
    futures.clear()
    leaves, small = [], []
    for address, span in workers.shares(RANGES):
        for i in span:
            pieces = [workers.submit(None, "piece", getitem, some, i) for some in cut]
            both = workers.submit(address, "merge-leaf", _leaf, pieces, empty)
            leaves.append(workers.submit(address, "leaf", getitem, both, 0))
            small.append(workers.submit(address, "small-of-leaf", getitem, both, 1))
    found = workers.gather(small)
    data = cluster_rows(Held(workers, leaves), [some[:-1] for some in found], empty)
    return data, np.sort(np.concatenate([some[-1] for some in found]))


@dataclass
class _Piece:
    """Rows of a block in one range of the hash, equal ones once.

    What equal rows do not share follows row after row.
    """

    X: Any  # distinct rows
    labels: np.ndarray
    counts: np.ndarray  # how often each is there
    numbers: np.ndarray  # of all rows
    weights: np.ndarray | None


def _cut(block, start, encode, dtype):
    """On a worker: the pieces of a block, one a range of the hash."""
    X, y, sample_weight = block[0]
    data, numbers = counted_rows(X.astype(dtype, copy=False), encode(y))
    counts = data.weights.astype(np.int64)
    ends = np.concatenate([[0], np.cumsum(counts)])
    pieces = []
    for a, b in pairwise(data.cuts):
        rows, own = slice(a, b), numbers[ends[a] : ends[b]]
        weights = None if sample_weight is None else sample_weight[own]
        pieces.append(
            _Piece(
                data.block(a, b), data.labels[rows], counts[rows], own + start, weights
            )
        )
    return pieces


def _leaf(pieces, empty):
    """On a worker: the finest leaf of its pieces, and what the client keeps of it."""

    def joined(name):
        return np.concatenate([getattr(piece, name) for piece in pieces])

    X, labels = stacked([piece.X for piece in pieces]), joined("labels")
    numbers, counts, weights = joined("numbers"), joined("counts"), None
    if pieces[0].weights is not None:
        weights, each = joined("weights"), np.repeat(np.arange(len(counts)), counts)
        X, labels, counts = X[each], labels[each], np.ones_like(each)
    contradicting = np.empty(0, dtype=np.int64)
    if len(numbers) == 0 or (weights is not None and not weights.any()):
        nothing = np.empty(0), np.empty(0, dtype=bool), np.zeros(2, dtype=np.int64)
        data = CanonicalRows(rows_of(empty), labels[:0], *nothing)
    else:
        weights = counts.astype(float) if weights is None else weights
        data, some = canonical_form(X, labels, weights)
        # They are all of one range.
        data = replace(data, cuts=np.array([0, data.n_rows]))
        mixed = np.zeros(len(counts), dtype=bool)
        mixed[some] = True
        contradicting = numbers[np.repeat(mixed, counts)]
    small = data.labels, data.weights, data.opens_group, data.cuts
    return data, (*small, data.n_values, contradicting)

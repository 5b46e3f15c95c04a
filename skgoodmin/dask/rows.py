"""Canonical rows whose features are on workers, leaf by leaf.

What is small is on the client too: the label, the weight and the group of each row, 13
bytes or a few more. So the client does all that needs no features, and asks the leaves
for the rest.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from dask.sizeof import sizeof
from scipy.sparse import issparse, vstack

from ..kernels.jit import read_only
from ..kernels.rows import rows_of
from ..objective.canonical_rows import CanonicalRows, Whole


@dataclass(frozen=True)
class ClusterRows(CanonicalRows):
    """Canonical rows on a cluster.

    Parameters
    ----------
    rows : Rows
        None of them, in the form that the leaves have.
    held : Held
        The leaves.
    fetched : dict
        First rows that were fetched before, by their number.
    """

    held: Any = None
    fetched: dict = field(default_factory=dict)

    @property
    def n_values(self):
        """Number of stored values, zeros of dense rows included."""
        return self.whole.n_values

    def each(self, function, model=None):
        """``function`` of each leaf, on a worker; a list in order."""
        return self.held.each(_ask, self.whole, _bare(model), function)

    def fold(self, function, model):
        """The sum of ``function(model.on(leaf))``; workers add what they have."""
        return self.held.fold(_ask, self.whole, _bare(model), function)

    def dot(self, w):
        """X w for the canonical rows, (n_rows,) in float64."""
        return np.concatenate(self.each(_Dot(w)))

    def block(self, start=0, stop=None):
        """Rows ``start`` to ``stop``, which come to the client."""
        start, stop, _ = slice(start, stop).indices(self.n_rows)
        spans = [
            (max(start - a, 0), min(stop, b) - a)
            for a, b in self.leaves(len(self.held.leaves))
        ]
        return self._fetched(CanonicalRows.block, spans)

    def first(self, n):
        """The first n rows, which come to the memory of the client once."""
        if n not in self.fetched:
            self.fetched[n] = self.take(np.arange(min(n, self.n_rows)))
        return self.fetched[n]

    def take(self, places):
        """The rows at ascending ``places``, in the memory of the client."""
        X = self._fetched(_taken, [(own,) for own in self._in_leaves(places)])
        return CanonicalRows(
            rows_of(X),
            read_only(self.labels[places]),
            read_only(self.weights[places]),
            np.diff(self.group[places], prepend=-1) > 0,
            np.searchsorted(places, self.cuts),
        )

    def _in_leaves(self, places):
        """Ascending places as those in each leaf, a list of arrays."""
        leaves = self.leaves(len(self.held.leaves))
        cuts = np.searchsorted(places, [a for a, _ in leaves] + [self.n_rows])
        return [
            places[i:j] - a
            for (a, _), i, j in zip(leaves, cuts[:-1], cuts[1:], strict=True)
        ]

    def _fetched(self, function, arguments):
        """What the function makes of the leaves for which there is something to do."""
        workers, futures = self.held.workers, []
        for address, span in workers.shares(len(self.held.leaves)):
            for i in span:
                if _is_some(arguments[i]):
                    leaf = self.held.leaves[i]
                    futures.append(
                        workers.submit(
                            address, "fetch-rows", function, leaf, *arguments[i]
                        )
                    )
        return stacked(workers.gather(futures))

    def reweighted(self, factors):
        """The same rows with their weights multiplied by ``factors`` (n_rows,)."""
        weights = self.weights * factors
        if not np.all(weights > 0):
            kept = np.flatnonzero(weights > 0)
            return self.part(kept).reweighted(factors[kept])
        parts = [factors[a:b] for a, b in self.leaves(len(self.held.leaves))]
        return replace(
            self,
            weights=read_only(weights),
            part_of=self.whole._replace(weight=weights.sum()),
            held=self.held.of_each(CanonicalRows.reweighted, parts),
            fetched={},
        )

    def part(self, places):
        """The rows at ascending ``places``, which stay on their workers."""
        held = self.held.of_each(_part, self._in_leaves(places))
        weights = read_only(self.weights[places])
        n_values = sum(held.each(_n_values))
        return replace(
            self,
            labels=read_only(self.labels[places]),
            weights=weights,
            opens_group=np.diff(self.group[places], prepend=-1) > 0,
            cuts=np.searchsorted(places, self.cuts),
            part_of=Whole(len(places), n_values, weights.sum()),
            held=held,
            fetched={},
        )

    def in_leaves(self, n_leaves):
        """The same rows in fewer leaves, each in one piece."""
        return replace(self, held=self.held.united(n_leaves, united))

    def here(self):
        """The same rows in the memory of the client."""
        whole = self.held.united(1, united)
        return whole.workers.gather(whole.leaves)[0]


@dataclass(frozen=True)
class _Dot:
    """X w of a leaf."""

    w: np.ndarray

    def __call__(self, leaf):
        return leaf.dot(self.w)


def _bare(model):
    """The model without its rows; what each leaf gets."""
    return None if model is None else model.on(None)


def _ask(leaf, number, whole, model, function):
    """On a worker: the function of a leaf, or of a model on it."""
    leaf = replace(leaf, part_of=whole._replace(first=number == 0))
    return function(leaf if model is None else model.on(leaf))


def _is_some(span):
    """Whether (places,) or (start, stop) are any rows."""
    return len(span[0]) > 0 if len(span) == 1 else span[0] < span[1]


def _taken(leaf, places):
    return leaf.take(places).block()


def _part(leaf, places):
    """A leaf of some of the rows, without the others."""
    return united([leaf.take(places)])


def _n_values(leaf, number):
    return leaf.n_values


def _small(data):
    """Labels, weights and where groups begin."""
    return data.labels, data.weights, data.opens_group


def stacked(blocks):
    """Blocks of rows one below the other, dense or CSR."""
    if issparse(blocks[0]):
        return vstack(blocks, format="csr")
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


def united(leaves):
    """Neighbouring leaves as one, its rows in their order."""
    labels, weights, opens_group = (
        np.concatenate(parts) for parts in zip(*map(_small, leaves), strict=True)
    )
    return CanonicalRows(
        rows_of(stacked([leaf.block() for leaf in leaves])),
        read_only(labels),
        read_only(weights),
        opens_group,
        joined_cuts([leaf.cuts for leaf in leaves]),
    )


def joined_cuts(cuts):
    """Where ranges begin in the rows of neighbouring leaves, and the end."""
    starts = np.cumsum([0, *(some[-1] for some in cuts)])
    begins = [some[:-1] + a for some, a in zip(cuts, starts[:-1], strict=True)]
    return np.concatenate([*begins, starts[-1:]])


def cluster_rows(held, small, empty):
    """Rows in the finest leaves.

    Parameters
    ----------
    held : Held
        Of as many leaves as there are ranges of the hash.
    small : list of (labels, weights, opens_group, cuts, n_values)
        Of each leaf.
    empty : ndarray or CSR of shape (0, n_features)
    """
    columns = list(zip(*small, strict=True))
    labels, weights, opens_group = map(np.concatenate, columns[:3])
    cuts, n_values = columns[3:]
    return ClusterRows(
        rows_of(empty),
        read_only(labels),
        read_only(weights),
        opens_group,
        joined_cuts(cuts),
        Whole(len(weights), sum(n_values), weights.sum()),
        held,
    )


@sizeof.register(CanonicalRows)
def _sizeof(data):
    """Bytes of all arrays, which the scheduler moves work by."""
    return sum(array.nbytes for array in (*data.rows[1:], *_small(data), data.cuts))

"""Leaves of the hash: sums in the order of a tree, the same wherever a part is."""

from dataclasses import replace

import numpy as np
import pytest
from problems import random_objective
from threadpoolctl import threadpool_limits

from skgoodmin.certificates.certify import hidden_loss
from skgoodmin.objective.canonical_rows import CanonicalRows
from skgoodmin.objective.leaves import RANGES, add, cuts_of, fold, number_of_leaves
from skgoodmin.objective.predictions import Predictions
from skgoodmin.objective.scaling import is_scaled
from skgoodmin.training.threads import fit_threads


def test_ranges_of_the_hash():
    hashes = np.array([0, 1, 2**58, 2**58, 2**59 - 1, 2**64 - 1], dtype=np.uint64)
    cuts = cuts_of(hashes)
    assert len(cuts) == RANGES + 1
    assert cuts[:4].tolist() == [0, 2, 5, 5] and cuts[-2:].tolist() == [5, 6]


def test_numbers_of_leaves_are_powers_of_two():
    found = [number_of_leaves(most) for most in (0, 3, 4, 7, 8, 63.5, 64, 1e9)]
    assert found == [1, 1, 4, 4, 8, 32, 64, 64]


@pytest.mark.parametrize("n", [1, 4, 64])
def test_fold_is_a_tree(n):
    """Strings tell the order: pairs first, then pairs of pairs."""

    class Term(str):
        def __add__(self, other):
            return Term(f"({self}{other})")

    expected = [f"{i} " for i in range(n)]
    while len(expected) > 1:
        pairs = zip(expected[::2], expected[1::2], strict=True)
        expected = [f"({a}{b})" for a, b in pairs]
    assert fold(lambda i: [Term(f"{i} ")], list(range(n))) == expected


def _objective(sparse=False, **options):
    objective, theta = random_objective(
        (40, 30), n=40_000, n_features=30, sparse=sparse, weights=True, **options
    )
    assert objective.n_leaves == 16
    return objective, theta


def _parts(data, n_parts):
    """The rows as those who hold some ranges each have them."""
    step = RANGES // n_parts
    for first in range(0, RANGES, step):
        cuts = data.cuts[first : first + step + 1]
        rows = slice(cuts[0], cuts[-1])
        yield replace(
            data,
            rows=data.rows._replace(index=data.rows.index[rows]),
            labels=data.labels[rows],
            weights=data.weights[rows],
            opens_group=data.opens_group[rows],
            cuts=cuts - cuts[0],
            part_of=data.whole._replace(first=first == 0),
        )


def test_leaves_cover_all_rows():
    data = _objective()[0].data
    for n_leaves in (1, 4, 64):
        leaves = data.leaves(n_leaves)
        assert len(leaves) == n_leaves and leaves[0][0] == 0
        assert leaves[-1][1] == data.n_rows
        assert all(a[1] == b[0] for a, b in zip(leaves[:-1], leaves[1:], strict=True))


def test_slices_of_many_rows_lie_in_one_range_each():
    data = _objective()[0].data
    slices = data.slices()
    assert [some.start for some in slices] == data.cuts[:-1].tolist()
    assert slices[-1].stop == data.n_rows
    assert max(some.stop - some.start for some in data.slices(64 * 64)) <= 256


@pytest.mark.parametrize("n_parts", [1, 2, 16])
@pytest.mark.parametrize("sparse", [False, True])
def test_parts_have_the_bits_of_the_whole(sparse, n_parts):
    objective, theta = _objective(sparse)
    value, gradient = objective.value_and_gradient(theta)
    parts = [objective.on(part) for part in _parts(objective.data, n_parts)]
    sums = fold(lambda part: list(part.value_and_gradient(theta)), parts)
    assert sums[0] == value
    np.testing.assert_array_equal(sums[1], gradient)
    raw = [Predictions(part, theta).raw for part in parts]
    np.testing.assert_array_equal(np.vstack(raw), Predictions(objective, theta).raw)


def test_what_is_summed_over_parts_has_the_bits_of_the_whole(monkeypatch):
    objective, theta = _objective()
    parts = list(_parts(objective.data, 4))

    here = CanonicalRows.each

    def each(self, function, model=None):
        if self.part_of is not None:
            return here(self, function, model)
        return [function(part if model is None else model.on(part)) for part in parts]

    whole, w = Predictions(objective, theta), np.arange(30.0)
    expected = hidden_loss(whole), whole.loss, is_scaled(objective.data)
    values = objective.data.dot(w)
    np.testing.assert_array_equal(np.concatenate([p.dot(w) for p in parts]), values)
    monkeypatch.setattr(CanonicalRows, "each", each)
    again = Predictions(objective, theta)
    assert (hidden_loss(again), again.loss, is_scaled(objective.data)) == expected


def test_an_empty_first_leaf_brings_the_penalty_once():
    objective, theta = random_objective((40, 30), n=40_000, n_features=30)
    data = objective.data
    left = np.arange(data.leaves(16)[1][0], data.n_rows)
    few = replace(objective, data=data.take(left))
    without = replace(few, alpha=0.0)
    assert few.n_leaves == 16 and few.data.leaves(16)[0] == (0, 0)
    both = [o.value_and_gradient(theta)[0] for o in (few, without)]
    weights = theta[: objective.layout.n_weights]
    np.testing.assert_allclose(
        both[0] - both[1], 0.5 * objective.alpha * weights @ weights, rtol=1e-9
    )


@pytest.mark.parametrize("n_threads", [2, 3])
def test_threads_do_not_change_the_sum(n_threads):
    objective, theta = _objective()
    with threadpool_limits(1):  # of BLAS, as in every fit
        value, gradient = objective.value_and_gradient(theta)
    with threadpool_limits(n_threads), fit_threads() as shared_map:
        shared = replace(objective, map=shared_map).value_and_gradient(theta)
    assert shared[0] == value
    np.testing.assert_array_equal(shared[1], gradient)


def test_add_is_left_plus_right():
    assert add([1.0, np.ones(2)], [2.0, np.ones(2)])[0] == 3.0

"""Canonical rows: what is merged, in which order, and that nothing else matters."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.sparse import csr_array

import skgoodmin.objective.canonical_rows
from skgoodmin.objective.canonical_rows import canonical_form, canonical_rows


def _content(canonical):
    """All that a fit can see."""
    block = canonical.block()
    block = block.toarray() if canonical.rows.sparse else block
    return [block, canonical.labels, canonical.weights, canonical.group]


def _assert_same(first, second):
    for a, b in zip(_content(first), _content(second), strict=True):
        np.testing.assert_array_equal(a, b)


def _data(seed, n=60):
    rng = np.random.RandomState(seed)
    X = rng.randint(-1, 2, size=(n, 3)).astype(float)
    y = rng.randint(3, size=(n, 1)).astype(np.int32)
    return rng, X, y, rng.randint(5, size=n).astype(float)


@pytest.mark.parametrize("seed", range(5))
def test_weights_repetitions_removals_and_order(seed):
    rng, X, y, weight = _data(seed)
    weighted = canonical_rows(X, y, weight)
    index = np.repeat(np.arange(len(X)), weight.astype(int))
    _assert_same(weighted, canonical_rows(X[index], y[index]))
    order = rng.permutation(len(X))
    _assert_same(weighted, canonical_rows(X[order], y[order], weight[order]))


def test_the_order_of_uneven_weights_does_not_matter():
    rng, X, y, _ = _data(0)
    weight = 10 ** rng.uniform(-6, 6, size=len(X))
    order = rng.permutation(len(X))
    _assert_same(
        canonical_rows(X, y, weight), canonical_rows(X[order], y[order], weight[order])
    )


@pytest.mark.parametrize("largest", [1, 2**53])
def test_sums_of_weights_are_rounded_once(largest):
    rng = np.random.RandomState(3)
    weight = rng.uniform(0.1, 1.0, size=500) * largest
    weight[::2] = np.ceil(weight[::2])
    X, y = np.zeros((500, 1)), np.arange(500)[:, None].astype(np.int32) % 3
    exact = [sum(map(Fraction, weight[k::3])) for k in range(3)]
    assert [float(s) for s in exact] == canonical_rows(X, y, weight).weights.tolist()
    weight = np.ceil(weight)  # integers that float64 holds, with sums that it may not
    exact = [sum(map(int, weight[k::3])) for k in range(3)]
    assert [float(s) for s in exact] == canonical_rows(X, y, weight).weights.tolist()


def test_sparse_rows_are_in_the_order_of_their_dense_twins():
    _, X, y, weight = _data(1)
    sparse = csr_array(X)
    _assert_same(canonical_rows(X, y, weight), canonical_rows(sparse, y, weight))
    explicit = sparse.copy()
    explicit.data[::3] = 0  # explicit zeros
    _assert_same(
        canonical_rows(explicit.toarray(), y, weight),
        canonical_rows(explicit, y, weight),
    )


def test_duplicate_entries_of_csr_are_added_in_a_copy():
    X = csr_array(([1.0, 2.0, 3.0], [0, 0, 1], [0, 3]), shape=(1, 2))
    block = canonical_rows(X, np.zeros((1, 1), np.int32)).block()
    np.testing.assert_array_equal(block.toarray(), [[3, 3]])
    assert X.nnz == 3


def test_groups_join_equal_rows_with_different_labels():
    X = np.array([[0.0], [-0.0], [0.0], [1.0]])
    y = np.array([[1], [1], [0], [1]], dtype=np.int32)
    canonical = canonical_rows(X, y)
    assert canonical.n_rows == 3
    group = canonical.group[canonical.block()[:, 0] == 0]
    assert len(group) == 2 and group[0] == group[1]
    assert sorted(canonical.weights) == [1, 1, 2]


def test_multilabel_rows_are_merged_by_all_labels():
    X = np.zeros((4, 1))
    Y = np.array([[0, 1], [0, 1], [1, 1], [0, 0]], dtype=np.int32)
    canonical = canonical_rows(X, Y)
    assert canonical.n_rows == 3 and canonical.group.max() == 0


def test_colliding_hashes_are_told_apart_by_content(monkeypatch):
    def same_hash(*rows_and_out):
        rows_and_out[-1][:] = 7

    module = skgoodmin.objective.canonical_rows
    monkeypatch.setattr(module, "hash_rows", same_hash)
    rng, X, y, weight = _data(2)
    canonical = canonical_rows(X, y, weight)
    used = weight > 0
    rows = np.unique(np.column_stack([X, y])[used], axis=0)
    assert canonical.n_rows == len(rows)
    assert canonical.group.max() + 1 == len(np.unique(X[used], axis=0))
    order = rng.permutation(len(X))
    _assert_same(canonical, canonical_rows(X[order], y[order], weight[order]))
    _assert_same(canonical, canonical_rows(csr_array(X), y, weight))


def test_read_only_input_is_not_copied():
    X = np.random.RandomState(0).normal(size=(5, 2))
    X.flags.writeable = False
    canonical = canonical_rows(X, np.zeros((5, 1), np.int32))
    assert np.shares_memory(canonical.rows.dense, X)


def test_take_and_reweighted_stay_canonical():
    _, X, y, weight = _data(3)
    canonical = canonical_rows(X, y, weight)
    factors = (canonical.labels[:, 0] != 0).astype(float)
    kept = canonical.reweighted(factors)
    assert (kept.labels != 0).all() and (np.diff(kept.group) >= 0).all()
    assert kept.group[0] == 0 and set(np.diff(kept.group)) <= {0, 1}


def test_first_rows_are_those_of_take_and_not_copied():
    _, X, y, weight = _data(3)
    canonical = canonical_rows(X, y, weight)
    for n in (1, canonical.n_rows // 2):
        first = canonical.first(n)
        _assert_same(first, canonical.take(np.arange(n)))
        assert np.array_equal(first.cuts, canonical.take(np.arange(n)).cuts)
        assert np.shares_memory(first.rows.index, canonical.rows.index)
    assert canonical.first(canonical.n_rows) is canonical


def _contradicting_by_hand(X, labels, weight):
    """Every row against every other."""
    used = weight > 0
    return [
        i
        for i in range(len(X))
        if used[i]
        and any(
            used[j] and (X[i] == X[j]).all() and (labels[i] != labels[j]).any()
            for j in range(len(X))
        )
    ]


@pytest.mark.parametrize("collide", [False, True])
@pytest.mark.parametrize("n_labels", [1, 2])
@pytest.mark.parametrize("convert", [np.asarray, csr_array], ids=["dense", "sparse"])
def test_contradicting_rows(convert, n_labels, collide, monkeypatch):
    if collide:
        module = skgoodmin.objective.canonical_rows
        monkeypatch.setattr(module, "hash_rows", lambda *args: args[-1].fill(7))
    rng, X, _, weight = _data(4, n=40)
    labels = rng.randint(2, size=(40, n_labels)).astype(np.int32)
    for w in (weight, (weight > 1).astype(float), np.ones(40)):
        found = canonical_form(convert(X), labels, w)[1]
        expected = _contradicting_by_hand(X, labels, w)
        assert expected and found.tolist() == expected
    assert canonical_form(convert(X), labels)[1].tolist() == expected


def test_rows_that_contradict_nobody():
    X = np.array([[1.0], [1.0], [2.0], [3.0]])
    labels = np.array([[0], [1], [1], [0]], dtype=np.int32)
    for places, weight in (
        (slice(1, None), None),  # all differ
        (slice(None), np.array([1.0, 0, 1, 1])),
    ):
        assert canonical_form(X[places], labels[places], weight)[1].tolist() == []
    same = np.ones((4, 1), dtype=np.int32)
    assert canonical_form(X, same)[1].tolist() == []
    negative_zero = np.array([[0.0], [-0.0]])
    assert canonical_form(negative_zero, labels[:2])[1].tolist() == [0, 1]

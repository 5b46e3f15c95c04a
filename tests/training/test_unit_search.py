"""Where ascents set out for a unit that is missed, and which of them go on."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from problems import random_objective

from skgoodmin.certificates.ascents import relu_ascents
from skgoodmin.training.dual_point import DualPoint
from skgoodmin.training.unit_search import (
    BESIDE,
    FIRST_LOOK,
    GOING_ON,
    LOOKS,
    N_FIRST,
    N_STEPS,
    N_UNITS,
    TOGETHER,
    UnitSearch,
)


def looked_at(n_units=4, n=60, alpha=0.01):
    """(search, x, units (w, b), dual point), the units random."""
    objective, _ = random_objective((5,), "relu", n=n, alpha=alpha)
    data, rng = objective.data, np.random.RandomState(0)
    dual = objective.loss.dual(data.labels, objective.shares, 1)
    residuals = dual.balance(dual.loss_and_gradient(np.zeros((1, n)))[1])
    w = rng.normal(size=(n_units, 3))
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    units, x = (w, rng.normal(size=n_units)), data.block()
    return UnitSearch(x, rng, 1e-3), x, units, DualPoint(dual, residuals, alpha)


def recording(search):
    """The list that gets the directions each search sets out from."""
    seen, ascend = [], search.ascend

    def record(x, r, starts, *args):
        seen.append(starts.copy())
        return ascend(x, r, starts, *args)

    search.ascend = record
    return seen


def test_half_of_the_random_ascents_are_sums_of_units():
    search, x, units, point = looked_at(n_units=2)
    seen = recording(search)
    search(*units, point, 200, False)
    normal = np.cross(*units[0])
    off = np.abs(seen[0][2:] @ normal)
    assert TOGETHER > 1 and len(off) == 200
    assert_allclose(off[100:], 0.0, atol=1e-12)
    assert (off[:100] > 1e-6).all()


def test_units_set_out_once_for_a_dual_point():
    search, x, units, point = looked_at(n_units=40)
    seen = recording(search)
    search(*units, point, 32, True)
    search(*units, point, 32, True)
    assert [len(starts) for starts in seen] == [N_UNITS + 32, 32]
    assert point.n_random == 64


def test_without_units_or_residuals():
    search, x, units, point = looked_at()
    found, work = search(np.zeros((0, 3)), np.zeros(0), point, 8, False)
    assert len(found.values) == 8 and work > 0
    at_rest = DualPoint(point.dual, np.zeros_like(point.residuals), point.alpha)
    found, work = search(*units, at_rest, 8, False)
    assert not len(found.values) and work == 0
    assert [len(part) for part in search.neurons] == [0, 0]


@pytest.mark.parametrize("shift", [0.0, 1e3])
@pytest.mark.parametrize("is_small", [False, True])
def test_those_go_on_that_rise_and_are_beside_no_unit(is_small, shift):
    search, x, _, point = looked_at(n=200)
    x = x + shift  # where the rows are means nothing
    r = np.ascontiguousarray(point.residuals.T)
    starts = np.random.RandomState(1).normal(size=(30, 3))
    top = relu_ascents(x, r, starts, 300)
    at = [np.argmax(top.values)]  # which several ascents end at
    units = top.coefs[at], top.intercepts[at]
    later = relu_ascents(x, r, starts, N_FIRST, looks=FIRST_LOOK)
    before, promise = later.values.copy(), later.promises
    middle, deviation = x.mean(axis=0), np.sqrt(x.var(axis=0).mean())
    w, b = later.coefs, later.intercepts
    offset = (b + w @ middle - units[1] - units[0][0] @ middle) / deviation
    distance = np.sqrt(((w - units[0]) ** 2).sum(axis=1) + offset**2)
    beside = distance < BESIDE
    assert beside[np.argmax(before)]  # the highest one is on its way there
    promise[beside] = -np.inf
    most = -(-30 // GOING_ON[is_small])
    best = np.sort(np.argsort(-promise)[:most])
    assert not beside[best].any()
    alpha = 0.9 * before[best].max()  # above which some do not promise to come
    looks = LOOKS * (1.0, alpha)
    expected = later.go_on(x, r, best, N_STEPS[is_small], looks)
    found = search.ascend(x, r, starts, units, alpha, is_small)
    assert_array_equal(found.values, expected.values)
    assert_array_equal(found.coefs, expected.coefs)
    assert found.n_evaluations == expected.n_evaluations
    where = np.flatnonzero(found.values > before)
    assert set(where) <= set(best) and len(where)


def test_the_same_direction_elsewhere_is_beside_no_unit():
    search, x, _, point = looked_at()
    r = np.ascontiguousarray(point.residuals.T)
    found = relu_ascents(x, r, np.eye(3), 300)
    there = found.coefs, found.intercepts
    at_units = search.ascend(x, r, found.coefs, there, 0.01, True)
    assert at_units.n_evaluations <= 3 * N_FIRST
    elsewhere = found.coefs, found.intercepts + x.std()
    far = search.ascend(x, r, found.coefs, elsewhere, 0.01, True)
    assert far.n_evaluations > at_units.n_evaluations


def test_all_units_set_out_where_nothing_is_drawn():
    search, x, units, point = looked_at(n_units=40)
    seen = recording(search)
    found, _ = search(*units, point, 0, True)
    assert_array_equal(seen[0], units[0])
    assert point.n_random == 0
    # Those that rise most go on, beside the unit that they have been.
    assert found.n_evaluations > 40 * N_FIRST

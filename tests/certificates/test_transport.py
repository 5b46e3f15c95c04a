"""Plans are feasible, with POT and without."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import linprog

from skgoodmin.certificates import transport


@pytest.fixture(params=["with POT", "without"])
def pot(request, monkeypatch):
    if request.param == "without":
        monkeypatch.setattr(transport, "has_pot", lambda: False)
    else:
        pytest.importorskip("ot")
    return request.param


def problem(n, m, rng, scale=1.0):
    x, y = scale * rng.normal(size=(n, 3)), scale * rng.normal(size=(m, 3))
    a, b = rng.uniform(0.1, 1, size=n), rng.uniform(0.1, 1, size=m)
    return x, y, a, b * (a.sum() / b.sum())


@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (7, 9), (40, 25)])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_marginals_and_cost(pot, shape, scale):
    rng = np.random.default_rng(0)
    x, y, a, b = problem(*shape, rng, scale)
    a, b = 1e-7 * a, 1e-7 * b
    cost = np.linalg.norm(x[:, None] - y, axis=2)
    plan = transport.solve(a, b, cost)
    assert (plan >= 0).all()
    assert_allclose(plan.sum(axis=1), a, rtol=1e-9)
    assert_allclose(plan.sum(axis=0), b, rtol=1e-9)
    n, m = shape
    sums = np.vstack([np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))])
    best = linprog(cost.ravel() / scale, A_eq=sums, b_eq=np.r_[a, b] * 1e7).fun
    ratio = (plan * cost).sum() / (best * scale * 1e-7)
    assert 1 - 1e-6 <= ratio <= (1 + 1e-6 if pot == "with POT" else 1.1)


def test_blocks_keep_the_masses():
    rng = np.random.default_rng(1)
    x, y, a, b = problem(60, 45, rng)
    sent, received = np.zeros(60), np.zeros(45)
    n_blocks = 0
    for i, j, p, q in transport.blocks(a, b, x[:, 0], y[:, 0], largest=300):
        assert_allclose(p.sum(), q.sum())
        np.add.at(sent, i, p)
        np.add.at(received, j, q)
        n_blocks += 1
    assert n_blocks == 3
    assert_allclose(sent, a)
    assert_allclose(received, b)


def test_pairs_keep_the_masses(pot):
    rng = np.random.default_rng(2)
    x, y, a, b = problem(20, 30, rng)

    def cost(rows, columns):
        return np.linalg.norm(x[rows][:, None] - y[columns], axis=2)

    w = np.array([1.0, 0.0, 0.0])
    i, j, mass, missed = transport.pairs(a, b, cost, x, y, w, 200)
    sent, received = np.bincount(i, mass, 20), np.bincount(j, mass, 30)
    assert_allclose(missed, abs(sent - a).sum() + abs(received - b).sum(), atol=1e-15)
    assert missed < 3e-6 * a.sum()

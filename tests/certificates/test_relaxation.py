"""The plan that is its own dual point: gradients, and what it proves of the polar."""

import numpy as np
import pytest
from dual_cases import exact_polar, make_dual, rows
from numpy.testing import assert_allclose

from skgoodmin.certificates import neighbours
from skgoodmin.certificates.relaxation import Plan, best_scale, optimise
from skgoodmin.certificates.relaxation_pairs import PairPlan
from skgoodmin.certificates.spread import Spread, exponential, largest, tighten


def plan_of(kind, loss, n_outputs=1, n=14, d=3, seed=0, alpha=0.1, k=6):
    rng = np.random.default_rng(seed)
    x, _, shares = rows(n, d, rng, weights=True)
    dual = make_dual(loss, shares, n_outputs, rng)
    raw = 0.3 * rng.normal(size=(n_outputs, n))
    residuals = dual.balance(dual.loss_and_gradient(raw)[1])
    if kind == "weak":
        return x, Plan(dual, x, residuals[0], alpha, k)
    return x, PairPlan(dual, x, residuals, alpha, k, (-0.1, 1.1))


@pytest.mark.parametrize("kind, n_outputs", [("weak", 1), ("pairs", 1), ("pairs", 3)])
@pytest.mark.parametrize("loss", ["hinge", "logistic", "squared"])
def test_gradient(kind, n_outputs, loss):
    _, plan = plan_of(kind, loss, n_outputs)
    rng = np.random.default_rng(1)
    z = plan.start + 0.1 * rng.normal(size=len(plan.start))
    _, gradient = plan.value_and_gradient(z, 5.0)
    for _ in range(3):
        step = 1e-6 * rng.normal(size=len(z))
        up, down = (plan.value_and_gradient(z + s * step, 5.0)[0] for s in (1, -1))
        assert_allclose(up - down, 2 * gradient @ step, rtol=1e-4, atol=1e-14)


@pytest.mark.parametrize("kind", ["weak", "pairs"])
@pytest.mark.parametrize("n_features", [1, 2])
def test_proof_is_above_every_neuron(kind, n_features):
    for seed in range(3):
        x, plan = plan_of(kind, "hinge", n=10, d=n_features, seed=seed)
        for q in (plan.q, optimise(plan, ((30.0, 30),))):
            residuals, spreads = plan.proof(q)
            assert_allclose(residuals.sum(), 0.0, atol=1e-14 * abs(residuals).sum())
            polar = exact_polar(x, residuals)
            for n_steps in (1, 30):
                proven = max(tighten(s, n_steps)[0] for s in spreads)
                assert polar <= proven * (1 + 1e-12)


def test_optimising_raises_the_bound():
    _, plan = plan_of("weak", "hinge", n=40, d=4)
    limits = []
    for q in (plan.q, optimise(plan, ((100.0, 60),))):
        residuals, spreads = plan.proof(q)
        polar = max(tighten(s, 30)[0] for s in spreads)
        limits.append(best_scale(plan.dual, residuals, plan.alpha / polar)[1])
    assert limits[1] > 1.02 * limits[0]


def test_spread_is_above_every_direction():
    rng = np.random.default_rng(2)
    parts = [(rng.uniform(size=20), rng.normal(size=(20, 4))) for _ in range(3)]
    best, log_w = tighten(Spread(parts), 100)
    reached = Spread(parts).bound(exponential(log_w))[2]
    w = rng.normal(size=(20_000, 4))
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    values = [(c @ abs(delta @ w.T)) ** 2 for c, delta in parts]
    found = np.sqrt(sum(values)).max()
    assert found <= best and reached <= best <= reached * 1.02


@pytest.mark.parametrize("first", [None, "random"])
def test_of_orthogonal_differences_one_step_is_the_best(first):
    """sum_e c_e |w.delta_e| is at most the root of the sum of the squared masses."""
    rng = np.random.default_rng(5)
    turned = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    masses = rng.uniform(0.1, 3.0, size=6)
    spread = Spread([(masses / 2.0, 2.0 * turned)])
    best = np.linalg.norm(masses)
    log_w, n_steps = None, 1
    if first:  # the first of two is for log W itself
        log_w, n_steps = (turned.T * rng.normal(size=6)) @ turned, 2
    assert_allclose(tighten(spread, n_steps, log_w)[0], best, rtol=1e-6)
    assert tighten(spread, 1, np.zeros((6, 6)))[0] > 1.05 * best


def test_no_more_steps_than_there_is_to_gain():
    x = np.random.default_rng(6).normal(size=(20, 3))
    spread, matrices = Spread([(np.ones(20), x)]), []
    gradient = spread.gradient
    spread.gradient = lambda taus: matrices.append(taus) or gradient(taus)
    assert np.isfinite(tighten(spread, 1000)[0]) and len(matrices) < 100


def test_largest_eigenvalue_is_from_above():
    rng = np.random.default_rng(3)
    for size in (1.0, 1e-6, 1e6):
        a = size * rng.normal(size=(50, 5))
        exact = np.linalg.svd(a.astype(np.longdouble).astype(float))[1][0] ** 2
        assert exact <= largest(a.T @ a, 50) <= exact * (1 + 1e-11)


def test_pairs_hold_the_nearest_rows_of_both_sides(monkeypatch):
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(30, 3)), rng.normal(size=(50, 3))
    distance = np.linalg.norm(x[:, None] - y, axis=2)
    pairs = set(zip(*neighbours.pairs(x, y, 2), strict=True))
    assert {(i, distance[i].argmin()) for i in range(30)} <= pairs
    assert {(distance[:, j].argmin(), j) for j in range(50)} <= pairs
    assert len(set(zip(*neighbours.pairs(x, y, 99), strict=True))) == 1500
    monkeypatch.setattr(neighbours, "LARGEST", 10)
    left, right = neighbours.pairs(x, y, 8)
    assert set(left) == set(range(30)) and set(right) == set(range(50))
    monkeypatch.setattr(neighbours, "SLICE", 60)
    monkeypatch.setattr(neighbours, "LARGEST", 10_000)
    assert set(zip(*neighbours.pairs(x, y, 2), strict=True)) == pairs

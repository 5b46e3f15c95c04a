"""Adam, with which the training of a large table begins."""

from dataclasses import replace

import numpy as np
import pytest
from problems import random_objective
from scipy.sparse import csr_array

import skgoodmin.training.adam as module
from skgoodmin import GoodMinimaClassifier, GoodMinimaRegressor
from skgoodmin.objective.canonical_rows import canonical_rows
from skgoodmin.training.adam import BATCH, adam
from skgoodmin.training.start import Budget, Start
from skgoodmin.training.stop import StopRequest

BUDGET = Budget(50, 1000, 1e-4)


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    monkeypatch.setattr(module, "STEPS", 300)


def _table(n, n_features=20):
    """(X, y) that can be learned."""
    X = np.random.RandomState(0).normal(size=(n, n_features))
    return X, (X[:, 0] * X[:, 1] + X[:, 2] > 0).astype(np.int32)


def _objective(n=20_000, hidden=(50,), sparse=False, dtype=np.float64):
    """(objective, theta) of labels that can be learned, with rows enough."""
    objective, theta = random_objective(hidden, "relu", n=9, n_features=20)
    X, y = _table(n)
    X = csr_array(X.astype(dtype)) if sparse else X.astype(dtype)
    weights = np.random.RandomState(1).uniform(0.5, 2, size=n)
    data = canonical_rows(X, y[:, None], weights)
    return replace(objective, data=data, alpha=1e-3), theta


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("sparse", [False, True])
def test_it_leads_down(sparse, dtype):
    objective, theta = _objective(sparse=sparse, dtype=dtype)
    found, cost = adam(objective, theta, BUDGET)
    before, after = (objective.value_and_gradient(t)[0] for t in (theta, found))
    assert after < 0.7 * before
    assert cost == 300 * BATCH / 20_000 + 2


def test_the_steps_are_those_of_the_paper(monkeypatch):
    monkeypatch.setattr(module, "STEPS", 90)  # a bit more than all rows
    objective, theta = _objective()
    found, _ = adam(objective, theta, BUDGET)
    data, n = objective.data, objective.data.n_rows
    number = n // BATCH
    cuts = np.linspace(0, n, number + 1).astype(int)
    m = v = 0.0
    n_weights = objective.layout.n_weights
    expected = theta.copy()
    for t in range(1, 91):
        k = (t - 1) % number
        batch = data.take(np.arange(cuts[k], cuts[k + 1]))
        alone = replace(objective, data=batch, alpha=0.0)
        share = number * batch.weights.sum() / data.weights.sum()
        g = share * alone.value_and_gradient(expected)[1]
        g[:n_weights] += objective.alpha * expected[:n_weights]
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        rate = 0.005 * (1 - (t - 1) / 90)
        corrected = m / (1 - 0.9**t), v / (1 - 0.999**t)
        expected = expected - rate * corrected[0] / (np.sqrt(corrected[1]) + 1e-8)
    np.testing.assert_allclose(found, expected, atol=2e-4)
    assert np.abs(found - theta).max() > 0.05


def test_of_very_many_rows_the_first_are_enough(monkeypatch):
    monkeypatch.setattr(module, "MOST", 20 * 5000)
    objective, theta = _objective()
    found, _ = adam(objective, theta, BUDGET)
    labels = objective.data.labels.copy()
    labels[5000:6000] = 1 - labels[5000:6000]
    others = replace(objective, data=replace(objective.data, labels=labels))
    np.testing.assert_array_equal(adam(others, theta, BUDGET)[0], found)
    labels[:500] = 1 - labels[:500]
    assert (adam(others, theta, BUDGET)[0] != found).any()


@pytest.mark.parametrize(
    "budget",
    [replace(BUDGET, fresh=False), replace(BUDGET, max_fun=4)],
    ids=["of an earlier fit", "no means"],
)
def test_who_begins_without_it(budget):
    objective, theta = _objective()
    assert adam(objective, theta, budget) == (theta, 0.0)


def test_tables_that_begin_without_it():
    objective, theta = _objective(n=8000, hidden=(110,))
    assert objective.n_leaves > 1  # enough work for float32 alone
    assert adam(objective, theta, BUDGET) == (theta, 0.0)
    assert adam(*_objective(n=9000), BUDGET)[1] == 0.0  # too little
    objective, theta = _objective()
    far = objective.data.rows._replace(dense=1e3 * objective.data.rows.dense)
    far = replace(objective, data=replace(objective.data, rows=far))
    assert adam(far, theta, BUDGET) == (theta, 0.0)


def test_a_stop_ends_it():
    objective, theta = _objective()
    found, cost = adam(objective, theta, replace(BUDGET, stop=StopRequest(True)))
    assert found is theta and cost == 2


def test_steps_that_lead_up_are_taken_back(monkeypatch):
    monkeypatch.setattr(module, "RATE", 1e3)
    objective, theta = _objective()
    before = theta.copy()
    found, cost = adam(objective, theta, BUDGET)
    assert found is theta and cost > 2
    np.testing.assert_array_equal(theta, before)


@pytest.mark.parametrize("max_fun", [1, 4, 5, 6, 30])
def test_its_evaluations_are_counted(max_fun):
    objective, theta = _objective()
    budget = replace(BUDGET, max_fun=max_fun)
    start = Start(objective, theta, budget, 0, 0)
    start.polish(max_fun)
    solution = start.solution()
    assert start.spent <= max_fun
    _, cost = adam(objective, theta, budget)
    assert start.trace[0][1] == cost + 1
    assert start.spent == pytest.approx(cost + solution.n_fun)


@pytest.mark.filterwarnings("ignore:L-BFGS did not converge")
@pytest.mark.parametrize("early_stopping", [False, True])
def test_weights_are_repeats(early_stopping):
    X, y = _table(25_000)
    weights = 1.0 + (np.arange(25_000) % 3 == 0)
    model = GoodMinimaClassifier(
        (40,), alpha=1e-3, max_iter=20, early_stopping=early_stopping, random_state=0
    )
    weighted = model.fit(X, y, weights)
    coefs, history = weighted.coefs_, weighted.history_
    assert history["n_fun"][0] > 3  # with what came before
    repeats = np.repeat(np.arange(25_000), weights.astype(int))[::-1]
    repeated = model.fit(X[repeats], y[repeats])
    for a, b in zip(coefs, repeated.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.filterwarnings("ignore:L-BFGS did not converge")
def test_an_early_stop_keeps_max_fun():
    X, y = _table(30_000)
    model = GoodMinimaClassifier(
        (40,), alpha=1e-3, max_fun=30, early_stopping=True, random_state=0
    )
    assert 20 < model.fit(X, y).n_fun_ <= 30


def test_a_warm_start_does_not_leave_its_place():
    X, y = _table(20_000)
    model = GoodMinimaRegressor((40,), alpha=1e-3, warm_start=True, random_state=0)
    first = model.fit(X, X[:, 0] * X[:, 1]).loss_
    again = model.fit(X, X[:, 0] * X[:, 1])
    assert again.loss_curve_[0] == pytest.approx(first, rel=1e-6)

"""Escapes from known bad minima, the finish, the budget, and what GLOBAL claims."""

import itertools

import numpy as np
import pytest
from problems import (
    bad_minimum,
    numpy_objective,
    random_objective,
    tiny_objective,
)

from skgoodmin.certificates.certificate import Status
from skgoodmin.certificates.pointwise import pointwise_bound
from skgoodmin.certificates.witness import find_witness
from skgoodmin.datasets import affine_trap, dead_xor, smooth_trap
from skgoodmin.kernels.losses.labels import signs
from skgoodmin.objective.predictions import Predictions
from skgoodmin.training import start as start_module
from skgoodmin.training.escape import search
from skgoodmin.training.finish import finish, is_separated
from skgoodmin.training.graft import graft_cost
from skgoodmin.training.start import Budget
from skgoodmin.training.train import train

SQUARE = np.array(list(itertools.product([-1.0, 1.0], repeat=2)))
XOR = np.array([-1, 1, 1, -1])


def test_a_graft_that_the_budget_can_not_pay_ends_the_search():
    """An unaffordable graft is no reason to resume a start for ever."""
    objective = random_objective((1,), "tanh", "log_loss", n=200, alpha=1.0)[0]
    theta0 = objective.layout.start(np.random.RandomState(0))
    for max_fun in (1, 2, 3, 10, 50):
        budget = Budget(1, max_fun, 1e-9, max_escapes=10)
        found = search(objective, [theta0], np.random.RandomState(0), budget)
        assert len(found.losses) == 1 and found.spent <= max_fun + 1


def _starts(objective, seed=0):
    rng = np.random.RandomState(seed)
    while True:
        yield objective.layout.start(rng)


@pytest.mark.parametrize("problem", [dead_xor, affine_trap, smooth_trap])
def test_grafts_leave_the_known_bad_minima(problem):
    objective, theta = bad_minimum(problem())
    budget = Budget(1000, 5000, 1e-8)
    stuck = search(objective, [theta], np.random.RandomState(0), budget).best
    assert not stuck.won and abs(stuck.run.value - 1) < 1e-9
    escaped = 0
    for seed in range(10):
        budget = Budget(1000, 5000, 1e-8, max_escapes=10)
        rng = np.random.RandomState(seed)
        escaped += search(objective, [theta], rng, budget).best.won
    assert escaped == 10


def test_a_victory_is_finished_at_zero_loss():
    objective = tiny_objective(SQUARE, XOR, (3,))
    budget = Budget(1000, 5000, 1e-8, max_escapes=10)
    rng = np.random.RandomState(0)
    found = search(objective, _starts(objective), rng, budget)
    start = found.best
    assert start.won and is_separated(objective, start.run.value)
    theta = finish(objective, start.run.theta)
    assert objective.value_and_gradient(theta)[0] == 0
    assert numpy_objective(objective, theta) == 0
    assert len(found.losses) == start.number + 1 and found.spent <= budget.max_fun


@pytest.mark.parametrize("seed", range(20))
def test_separated_means_that_every_row_is_right(seed):
    rng = np.random.RandomState(seed)
    outputs = {"n_outputs": 3} if seed % 2 else {}
    objective, theta = random_objective((30,), alpha=0.0, weights=True, seed=seed,
                                        **outputs)  # fmt: skip
    budget = Budget(1000, 300, 1e-8, max_escapes=3)
    start = search(objective, _starts(objective, seed), rng, budget).best
    raw = Predictions(objective, start.run.theta).raw
    margins = signs(objective.data.labels, objective.n_outputs) * raw
    if start.won:
        assert (margins > 0).all()
    assert seed != 0 or start.won


@pytest.mark.parametrize("max_fun", [1, 2, 10, 100, 295, 500])
@pytest.mark.parametrize("max_escapes", [0, 1000])
def test_the_budget_bounds_the_whole_training(max_fun, max_escapes):
    objective, _ = random_objective((3,), alpha=0.01, n=60)
    budget = Budget(10**6, max_fun, 1e-10, max_escapes)
    rng = np.random.RandomState(0)
    done = train(objective, _starts(objective), rng, budget)
    # Grafts cost parts of an evaluation.
    assert min(max_fun, 100) <= done.n_fun <= max_fun


@pytest.mark.parametrize("alpha", [0.0, 1e-3])
def test_who_asks_to_stop_while_a_graft_is_tried_is_heard(alpha):
    """Also where that graft does not pay, and the run before it is taken up again."""
    objective, theta = random_objective((3,), alpha=alpha, n=60)

    def calls(stop_at):
        """(calls, whether a graft was tried in the last one)."""
        seen = []

        def tell(progress):
            seen.append(progress.escape)
            return len(seen) == stop_at

        rng, budget = np.random.RandomState(0), Budget(10**4, 3000, 1e-4, 6)
        train(objective, [theta], rng, budget, on_iteration=tell)
        return len(seen), seen[-1] > 0

    whole, _ = calls(None)
    stops = range(10, whole, 7)
    ends = [calls(at) for at in stops]
    assert [n for n, _ in ends] == list(stops)
    assert sum(grafted for _, grafted in ends) > 3


@pytest.mark.parametrize("n_directions", [16, 1])
@pytest.mark.parametrize("every_layer", [False, True])
def test_the_budget_says_how_grafts_search(n_directions, every_layer, monkeypatch):
    """The control included: what reaches the graft, and what it is counted as."""
    objective = tiny_objective(SQUARE, XOR, (2, 2))
    seen, original = [], start_module.graft

    def spy(objective, theta, rng, *view):
        seen.append(view)
        return original(objective, theta, rng, *view)

    monkeypatch.setattr(start_module, "graft", spy)
    budget = Budget(1000, 5000, 1e-8, 10**6, n_directions, every_layer)
    stuck = np.zeros(objective.n_parameters)
    found = search(objective, [stuck], np.random.RandomState(0), budget)
    assert set(seen) == {(n_directions, every_layer)}
    cost = graft_cost(objective, n_directions, every_layer)
    n_fun = found.spent - len(seen) * cost
    assert abs(n_fun - round(n_fun)) < 1e-6 and n_fun > len(seen)


def test_linear_models_have_no_unit_to_graft():
    objective, theta = random_objective((), alpha=0.01)
    rng, budget = np.random.RandomState(0), Budget(1000, 5000, 1e-8, 10)
    done = train(objective, [theta], rng, budget)
    assert done.n_escapes == 0 and done.best.converged


def _independent_bound(objective):
    """Pointwise minimum of each group by a search on a grid, plain numpy."""
    X, y, s = (
        objective.data.block(),
        objective.data.labels[:, 0],
        objective.data.weights,
    )
    f, total = np.linspace(-1, 1, 20001), 0.0
    for x in np.unique(X, axis=0):
        loss = np.zeros_like(f)
        for i in np.flatnonzero((X == x).all(axis=1)):
            sign = 2 * y[i] - 1
            loss += s[i] * np.maximum(0, 1 - sign * f) ** 3
        total += loss.min()
    return total / s.sum()


def _small_problem(seed):
    """A random objective with repeated rows, some with contradicting labels."""
    rng = np.random.RandomState(seed)
    X = rng.randint(-1, 2, size=(20, 2)).astype(float)
    y = np.where(rng.uniform(size=20) < 0.9, np.sign(X[:, 0] + 0.5), -1)
    activation = ("relu", "tanh")[seed % 2]
    return tiny_objective(X, y, (rng.randint(2, 8),), activation), rng


@pytest.mark.parametrize("seed", range(40))
def test_bound_witness_and_global(seed):
    objective, rng = _small_problem(seed)
    bound = pointwise_bound(objective).value
    np.testing.assert_allclose(bound, _independent_bound(objective), atol=1e-7)
    for _ in range(20):
        theta = objective.layout.start(rng) * 10 ** rng.uniform(-1, 1)
        loss = numpy_objective(objective, theta)
        assert bound <= loss + 1e-12
        witness = find_witness(Predictions(objective, theta), rng, 1.0)
        if witness is not None:
            step = [witness.coef, [witness.intercept], witness.amplitude]
            value, _ = objective.evaluate(theta, np.concatenate(step))
            value += 0.5 * witness.amplitude @ witness.amplitude
            assert loss - value >= witness.decrease > 0
        else:
            assert loss - bound < 1e-6
    done = train(objective, [theta] * 3, rng, Budget(2000, 5000, 1e-9, max_escapes=10))
    if done.certificate.status is Status.GLOBAL:
        gap = numpy_objective(objective, done.theta) - _independent_bound(objective)
        assert gap < 2e-6

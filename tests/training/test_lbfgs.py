"""Exits of the lbfgs, each provoked on purpose."""

import gc
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from problems import compact_steps_for, random_objective

from skgoodmin.objective.canonical_rows import canonical_rows
from skgoodmin.training import lbfgs
from skgoodmin.training.lbfgs import Exit, Run, minimize


class Quadratic:
    """1/2 x^T D x, with the value inf beyond ``wall``."""

    def __init__(self, scales=(1.0, 10.0), wall=np.inf):
        self.scales, self.wall = np.array(scales), wall
        self.n_calls = 0

    def value_and_gradient(self, x):
        self.n_calls += 1
        if np.abs(x).max() > self.wall:
            return np.inf, np.full_like(x, np.nan)
        return 0.5 * x @ (self.scales * x), self.scales * x


def _minimize(objective, start, **options):
    options = {"max_iter": 100, "max_fun": 1000, "tol": 1e-8} | options
    return minimize(objective, np.array(start, dtype=float), **options)


def test_convergence():
    objective = Quadratic()
    solution = _minimize(objective, [1, 1])
    assert solution.exit is Exit.CONVERGED and solution.converged
    assert solution.grad_norm <= 1e-8
    assert solution.n_fun == objective.n_calls
    assert len(solution.curve) == solution.n_iter + 1
    assert solution.curve[0] == 5.5 and solution.curve[-1] == solution.value


def test_bounds_and_the_projected_gradient():
    bounds = np.array([[0.5, 2], [-np.inf, np.inf]])
    solution = _minimize(Quadratic(), [1, 1], bounds=bounds)
    np.testing.assert_allclose(solution.theta, [0.5, 0], atol=1e-8)
    assert solution.exit is Exit.CONVERGED


def test_budgets():
    objective, theta = random_objective((20,), "tanh", alpha=0.0)
    assert _minimize(objective, theta, max_iter=3).exit is Exit.MAX_ITER
    assert _minimize(objective, theta, max_iter=3).n_iter == 3
    short = _minimize(objective, theta, max_fun=5)
    assert short.exit is Exit.MAX_FUN and short.n_fun == 5


def test_a_callback_can_stop():
    solution = _minimize(Quadratic(), [1, 1], on_iteration=lambda run: run.n_iter == 2)
    assert solution.exit is Exit.STOPPED and solution.n_iter == 2


def test_level_objective():
    class Kink:
        def value_and_gradient(self, x):
            return 1 + np.abs(x).sum(), np.sign(x) + (x == 0)

    solution = _minimize(Kink(), [1.0, 0.3], tol=1e-3)
    assert solution.exit in (Exit.LEVEL, Exit.PRECISION)
    assert solution.value < 1.01


def test_start_at_an_overflow():
    assert _minimize(Quadratic(wall=1), [5, 5]).exit is Exit.OVERFLOW


@pytest.mark.parametrize("wall", [1.01, 1.5])
def test_an_overflow_on_the_way_is_survived(wall):
    class Steep(Quadratic):
        """The first step of length 1 along -g leads beyond the wall."""

        def value_and_gradient(self, x):
            value, gradient = super().value_and_gradient(x - [0, 0.9])
            return value, gradient

    solution = _minimize(Steep((1.0, 1.0), wall), [0.0, 0.0])
    assert solution.exit is Exit.CONVERGED


def test_the_compiled_steps_are_those_of_the_public_interface(monkeypatch):
    if not lbfgs._known:
        pytest.skip("this scipy has another private interface; the public one serves")
    objective, theta = random_objective((6,), "tanh")
    bounds = np.tile([-0.6, 0.9], (len(theta), 1))
    bounds[::3] = [-np.inf, np.inf]
    for box in (None, bounds):
        curves = []
        for steps in (lbfgs._compiled_steps, lbfgs._public_steps):
            monkeypatch.setattr(lbfgs, "steps_for", steps)
            curves.append(_minimize(objective, theta, bounds=box, max_iter=40).curve)
        np.testing.assert_array_equal(*curves)


STEPS = [compact_steps_for, lbfgs.lbfgsb_steps, lbfgs._public_steps]


@pytest.mark.parametrize("steps", STEPS)
def test_a_paused_run_goes_on_as_if_nothing_had_been(monkeypatch, steps):
    monkeypatch.setattr(lbfgs, "steps_for", steps)
    objective, theta = random_objective((6,), "tanh")
    run = Run(objective, theta, 1e-8)
    for max_iter in range(0, 60, 7):
        run.advance(max_iter, 1000)
        assert run.n_iter == max_iter and run.exit is Exit.MAX_ITER
    for _ in range(5):
        before = run.n_fun
        run.advance(1000, before + 1)
        assert run.n_fun == before + 1 and run.exit is Exit.MAX_FUN
    run.advance(1000, 1000)
    whole = _minimize(objective, theta, max_iter=1000)
    np.testing.assert_array_equal(run.curve, whole.curve)


def test_threads_of_the_public_steps_end_with_the_run(monkeypatch):
    monkeypatch.setattr(lbfgs, "steps_for", lbfgs._public_steps)
    gc.collect()
    before = threading.active_count()
    for _ in range(5):
        _minimize(Quadratic(), [1, 1], max_iter=1)
    gc.collect()
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before


class Cliff:
    """-x, with a gradient that overflows beyond 5 while the value does not."""

    def value_and_gradient(self, x):
        return -x[0], np.array([-1.0 if x[0] < 5 else -np.inf])


@pytest.mark.parametrize("steps", STEPS)
def test_the_line_search_goes_back_from_a_gradient_that_overflows(monkeypatch, steps):
    monkeypatch.setattr(lbfgs, "steps_for", steps)
    solution = _minimize(Cliff(), [0.0], tol=1e-4)
    assert 1 < solution.theta[0] < 5 and solution.grad_norm == 1


def test_a_run_does_not_settle_where_the_objective_overflows():
    """The square of this gradient overflows inside L-BFGS, which then accepts inf."""
    objective, theta = random_objective((), n=6)
    data = canonical_rows(1e59 * objective.data.block(), objective.data.labels)
    solution = _minimize(replace(objective, data=data), theta, tol=1e-4)
    assert solution.exit is Exit.PRECISION
    assert np.isfinite(solution.theta).all() and np.isfinite(solution.value)

"""float32 first: when, until when, and what is left of it at the end."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from problems import random_objective

from skgoodmin import GoodMinimaClassifier
from skgoodmin.training.lbfgs import Exit, Run
from skgoodmin.training.promise import promise_cost
from skgoodmin.training.rough import rough_objective
from skgoodmin.training.start import Budget, Start

TOL = 1e-4


def _objective(n=9000, n_features=20, hidden=(100,), **options):
    """(objective, theta) with so many rows that they are summed in several leaves."""
    options = {"alpha": 1e-2} | options
    return random_objective(hidden, "relu", n=n, n_features=n_features, **options)


def _rough(objective):
    return rough_objective(objective, TOL)


class Counted:
    """An objective that keeps the points it is asked for."""

    def __init__(self, objective):
        self.objective, self.points = objective, []

    def value_and_gradient(self, theta):
        self.points.append(theta.copy())
        return self.objective.value_and_gradient(theta)


def test_it_is_the_same_function_in_fewer_digits():
    for sparse in (False, True):
        objective, theta = _objective(n=18_000, sparse=sparse)
        rough = _rough(objective)
        value, gradient = objective.value_and_gradient(theta)
        near, slope = rough.value_and_gradient(theta)
        assert near != value and slope.dtype == np.float64
        np.testing.assert_allclose(near, value, rtol=1e-6)
        np.testing.assert_allclose(slope, gradient, atol=1e-6)


def test_the_bits_are_those_of_rows_in_float32():
    """Where the rows are numbers of float32, nothing tells the two apart."""
    single, theta = _objective(dtype=np.float32, weights=True)
    rows = single.data.rows
    double = replace(
        single,
        data=replace(
            single.data,
            rows=rows._replace(
                dense=rows.dense.astype(float), data=rows.data.astype(float)
            ),
        ),
    )
    value, gradient = single.value_and_gradient(theta)
    near, slope = _rough(double).value_and_gradient(theta)
    assert value == near and gradient.tobytes() == slope.tobytes()


def test_where_it_does_not_pay_or_would_not_do():
    assert _rough(_objective()[0]) is not None
    assert _rough(_objective(n=500)[0]) is None  # one leaf
    assert _rough(_objective(dtype=np.float32)[0]) is None
    assert _rough(_objective(alpha=0.0)[0]) is None  # the objective may fall to 0
    assert rough_objective(_objective(loss="log_loss")[0], 1e-7) is None
    objective, _ = _objective()
    far = objective.data.rows._replace(dense=1e3 * objective.data.rows.dense)
    assert _rough(replace(objective, data=replace(objective.data, rows=far))) is None


def test_a_pickled_one_is_still_rough():
    objective, theta = _objective()
    rough = _rough(objective)
    again = pickle.loads(pickle.dumps(rough))
    assert again.precision is np.float32
    assert again.value_and_gradient(theta)[0] == rough.value_and_gradient(theta)[0]
    assert rough.digest != objective.digest


@pytest.mark.parametrize("tol", [1e-3, 1e-4])
def test_a_run_ends_with_the_objective_itself(tol):
    objective, theta = _objective(alpha=1e-3)
    exact, rough = Counted(objective), Counted(_rough(objective))
    run = Run(exact, theta, tol, least_fall=10 * tol, rough=rough)
    run.advance(500, 1000)
    assert run.exit in (Exit.LEVEL, Exit.CONVERGED)
    value, gradient = objective.value_and_gradient(run.theta)
    assert (run.value, run.curve[-1]) == (value, value)
    np.testing.assert_array_equal(run.gradient, gradient)
    assert run.n_fun == len(exact.points) + len(rough.points)
    assert len(exact.points) < 0.2 * len(rough.points)
    plain = Run(objective, theta, tol, least_fall=10 * tol)
    plain.advance(500, 1000)
    assert run.value < 1.01 * plain.value


def test_what_is_level_in_float32_alone_goes_on():
    """A rough objective that says nothing leaves all to the other one."""
    objective, theta = _objective()

    class Flat:
        def value_and_gradient(self, theta):
            return 1.0, np.zeros_like(theta)

    run = Run(objective, theta, TOL, rough=Flat())
    run.advance(500, 1000)
    plain = Run(objective, theta, TOL)
    plain.advance(500, 1000)
    assert run.theta.tobytes() == plain.theta.tobytes()
    assert run.curve == plain.curve and run.exit is plain.exit


@pytest.mark.parametrize("good_calls", [0, 1, 7])
def test_an_overflow_in_float32_is_none_of_the_run(good_calls):
    objective, theta = _objective()
    rough = _rough(objective)

    class Overflowing:
        calls = 0

        def value_and_gradient(self, theta):
            self.calls += 1
            if self.calls > good_calls:
                return np.inf, np.full_like(theta, np.nan)
            return rough.value_and_gradient(theta)

    run = Run(objective, theta, TOL, rough=Overflowing())
    run.advance(500, 1000)
    assert run.exit in (Exit.LEVEL, Exit.CONVERGED)
    assert run.value == objective.value_and_gradient(run.theta)[0]


def test_an_overflow_of_both_is_told():
    objective, theta = _objective()
    run = Run(objective, 1e200 * theta, TOL, rough=_rough(objective))
    assert run.exit is Exit.OVERFLOW and run.n_fun == 2


@pytest.mark.parametrize("max_fun", [1, 2, 3, 5, 8, 20])
def test_evaluations_are_counted_to_the_last(max_fun):
    objective, theta = _objective()
    start = Start(objective, theta, Budget(500, max_fun, TOL), 0, 0)
    start.polish(max_fun)
    solution = start.solution()
    assert solution.n_fun == start.spent <= max_fun
    assert solution.value == objective.value_and_gradient(solution.theta)[0]


@pytest.mark.parametrize("max_fun", [1, 2, 3, 5, 8])
def test_a_look_for_a_missing_unit_leaves_the_last_evaluation(max_fun):
    """On so many rows it costs less than one."""
    objective, theta = _objective(n=40_000)
    assert promise_cost(objective) < 1
    start = Start(objective, theta, Budget(500, max_fun, TOL, max_escapes=3), 0, 0)
    start.go_on(max_fun)
    start.solution()
    assert start.spent <= max_fun


@pytest.mark.filterwarnings("ignore:L-BFGS did not converge")
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("limits", [{}, {"max_iter": 5}, {"max_fun": 12}], ids=str)
def test_a_fit_ends_with_the_objective_itself(limits, early_stopping):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(9000, 20))
    y = (X**2).sum(axis=1) > 19.3
    model = GoodMinimaClassifier(
        alpha=0.01, early_stopping=early_stopping, random_state=0, **limits
    )
    model.fit(X, y)
    assert model.coefs_[0].dtype == np.float64
    assert model.n_fun_ <= limits.get("max_fun", np.inf)
    if not early_stopping:
        assert model.loss_ == pytest.approx(model.certificate_.objective, rel=1e-13)
        assert model.loss_curve_[-1] == model.loss_

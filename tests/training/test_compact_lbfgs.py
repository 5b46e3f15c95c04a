"""L-BFGS without bounds beside the two-loop recursion, and beside L-BFGS-B."""

from dataclasses import replace

import numpy as np
import pytest
from problems import compact_steps_for, random_objective
from scipy.optimize import rosen, rosen_der

from skgoodmin.kernels.line_search import (
    DONE,
    ENOUGH,
    FAILED,
    FLAT,
    LENGTH,
    MORE,
    N_FIELDS,
    narrow,
    set_out,
)
from skgoodmin.kernels.step_memory import direction, remember
from skgoodmin.objective.objective import Objective
from skgoodmin.training import lbfgs
from skgoodmin.training.compact_lbfgs import compact_steps, short_runs
from skgoodmin.training.lbfgs import Exit, Run


class Memory:
    """The arrays of the kernels, for n parameters and m pairs."""

    def __init__(self, n, m):
        self.pairs = np.empty((2, m, n))
        self.work = np.empty((2, m, m)), np.empty(m, np.int64)
        self.solved, self.n_pairs = np.empty((2, m)), 0

    def add(self, before, after):
        """Remember the way between two pairs (point, gradient)."""
        ends = *before, *after
        self.n_pairs = remember(*ends, *self.pairs, self.work[1], self.n_pairs)

    def direction(self, gradient):
        """(-H g, its slope along g)."""
        way = np.empty_like(gradient)
        pairs = *self.pairs, *self.work, self.n_pairs
        return way, direction(*pairs, gradient, self.solved, way)


def two_loops(gradient, pairs):
    """-H g as the textbook has it (Nocedal and Wright 2006, Algorithm 7.4)."""
    q, alphas = gradient.copy(), []
    for s, y in reversed(pairs):
        alphas.append(s @ q / (s @ y))
        q -= alphas[-1] * y
    s, y = pairs[-1]
    q *= s @ y / (y @ y)
    for (s, y), alpha in zip(pairs, reversed(alphas), strict=True):
        q += (alpha - y @ q / (s @ y)) * s
    return -q


@pytest.mark.parametrize("m", [1, 3, 10])
def test_the_direction_is_that_of_the_two_loop_recursion(m):
    rng = np.random.RandomState(m)
    root = rng.normal(size=(30, 30))
    hessian, pairs, memory = root @ root.T + np.eye(30), [], Memory(30, m)
    gradient = rng.normal(size=30)
    np.testing.assert_array_equal(memory.direction(gradient)[0], -gradient)
    for _ in range(2 * m + 3):  # places are taken again
        s = rng.normal(size=30)
        y = hessian @ s
        pairs = [*pairs, (s, y)][-m:]
        before, gradient = rng.normal(size=(2, 30))
        memory.add((before, before), (before + s, before + y))
        found, slope = memory.direction(gradient)
        np.testing.assert_allclose(found, two_loops(gradient, pairs), rtol=1e-8)
        np.testing.assert_allclose(slope, found @ gradient)


def test_what_has_no_curvature_is_not_remembered():
    memory, (s, y, zero) = Memory(3, 2), np.eye(3) * [[1.0], [1.0], [0.0]]
    for change in (-s, y, zero):
        memory.add((zero, zero), (s, change))
        np.testing.assert_array_equal(memory.direction(s + y)[0], -s - y)
    memory.add((zero, zero), (s, 2.0 * s))
    np.testing.assert_allclose(memory.direction(s + y)[0], -0.5 * (s + y))


class Rosenbrock:
    """A curved valley of many parameters."""

    def value_and_gradient(self, x):
        return rosen(x), rosen_der(x)


class Wall(Rosenbrock):
    """The same, with another value and slope beyond 1.02."""

    def __init__(self, value, slope):
        self.value, self.slope, self.n_hits = value, slope, 0

    def value_and_gradient(self, x):
        if np.abs(x).max() > 1.02:
            self.n_hits += 1
            return self.value, np.where(x > 0, self.slope, -self.slope)
        return super().value_and_gradient(x)


def _run(objective, start, tol):
    return _run_on(compact_steps_for, objective, start, tol)


def _run_on(steps, objective, start, tol):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lbfgs, "steps_for", steps)
        run = Run(objective, start, tol)
        run.advance(2000, 4000)
    return run


def test_it_takes_as_many_steps_as_l_bfgs_b():
    start = np.full(100, -1.2)
    theirs = _run_on(lbfgs.lbfgsb_steps, Rosenbrock(), start, 1e-8)
    ours = _run(Rosenbrock(), start, 1e-8)
    assert ours.exit is theirs.exit is Exit.CONVERGED
    assert ours.grad_norm <= 1e-8
    np.testing.assert_allclose(ours.theta, theirs.theta, atol=1e-6)
    assert ours.n_fun < 1.2 * theirs.n_fun
    np.testing.assert_allclose(ours.curve[:15], theirs.curve[:15], rtol=1e-3)


def test_a_network_is_trained_as_by_l_bfgs_b():
    objective, theta = random_objective((20,), "tanh", alpha=0.02)
    theirs = _run_on(lbfgs.lbfgsb_steps, objective, theta, 1e-7)
    ours = _run(objective, theta, 1e-7)
    assert ours.exit is theirs.exit
    assert ours.value < theirs.value * 1.05
    assert len(ours.curve) == ours.n_iter + 1 and ours.curve[-1] == ours.value
    assert (np.diff(ours.curve) < 0).all()


@pytest.mark.parametrize("value", [np.inf, 1e305])
@pytest.mark.parametrize("slope", [np.nan, np.inf, 1e308])
def test_an_overflow_on_the_way_is_survived(value, slope):
    """And no warning tells of it."""
    wall = Wall(value, slope)
    run = _run(wall, np.zeros(20), 1e-8)
    assert run.exit is Exit.CONVERGED and wall.n_hits > 0
    np.testing.assert_allclose(run.theta, 1.0, atol=1e-6)


def test_a_start_at_rest_ends_at_once():
    run = _run(Rosenbrock(), np.ones(5), 1e-8)
    assert run.exit is Exit.CONVERGED and run.n_iter == 0


def test_a_pause_changes_nothing(monkeypatch):
    whole = _run(Rosenbrock(), np.zeros(7), 1e-8)
    monkeypatch.setattr(lbfgs, "steps_for", compact_steps_for)
    run = Run(Rosenbrock(), np.zeros(7), 1e-8)
    for n in range(1, 2000):
        run.advance(n, 4000)
    assert run.curve == whole.curve and run.exit is whole.exit


def test_without_precision_it_ends():
    """tol=0: at a minimum that no step improves upon in floating point."""
    run = _run(Rosenbrock(), np.zeros(4), 0.0)
    assert run.ended and run.value < 1e-25


@pytest.mark.parametrize("bounded", [False, True])
def test_who_takes_the_steps(monkeypatch, bounded):
    """Problems with bounds, and those that are not large, keep L-BFGS-B."""
    asked = []
    for name in ("compact_steps", "lbfgsb_steps"):
        steps = getattr(lbfgs, name)

        def spy(*args, name=name, steps=steps):
            asked.append(name)
            return steps(*args)

        monkeypatch.setattr(lbfgs, name, spy)
    for n in (lbfgs.MANY, lbfgs.MANY + 1):
        bounds = np.tile([-3.0, 3.0], (n, 1)) if bounded else None
        run = Run(Rosenbrock(), np.full(n, 0.9), 1e-3, bounds)
        run.advance(3, 10)
        assert run.n_iter == 3
    assert asked == ["lbfgsb_steps", "lbfgsb_steps" if bounded else "compact_steps"]


def test_the_line_search_meets_the_wolfe_conditions():
    """Of random quartics that fall at 0 and rise in the end, from any first length."""
    rng = np.random.RandomState(0)
    for _ in range(200):
        size, bends = 10.0 ** rng.uniform(-3, 3), rng.normal(size=2)
        f = size * np.poly1d([rng.uniform(0.01, 2.0), *bends, -1.0, 0.0])
        slope, line, said, trials = f.deriv(), np.empty(N_FIELDS), MORE, 0
        set_out(f(0.0), slope(0.0), 10.0 ** rng.uniform(-4, 2), line)
        while said == MORE:
            length = line[LENGTH]
            said, trials = narrow(f(length), slope(length), line), trials + 1
        assert said == DONE and length == line[LENGTH] > 0 and trials <= 20
        assert f(length) <= f(0.0) + ENOUGH * length * slope(0.0)
        assert abs(slope(length)) <= -FLAT * slope(0.0)


@pytest.mark.parametrize("kink", [0.3, 7.0])
def test_at_a_kink_the_line_search_takes_what_is_lower(kink):
    """No length meets the Wolfe conditions: f' jumps from -1 to 1."""
    line, said, seen = np.empty(N_FIELDS), MORE, []
    set_out(kink, -1.0, 1.0, line)
    while said == MORE:
        seen.append(line[LENGTH])
        said = narrow(abs(seen[-1] - kink), float(np.sign(seen[-1] - kink)), line)
    assert said == DONE and len(seen) <= 20
    assert line[LENGTH] == seen[-1] and abs(seen[-1] - kink) <= 0.01 * kink
    assert abs(seen[-1] - kink) == min(abs(np.array(seen) - kink))


def test_a_line_search_without_end_gives_up():
    for at in ((np.inf, np.nan), (1.0, 1.0), (np.nan, np.nan)):
        line, said = np.empty(N_FIELDS), MORE
        set_out(0.0, -1.0, 1.0, line)
        for _ in range(20):
            assert said == MORE
            said = narrow(*at, line)
        assert said == FAILED


def test_iterates_are_told_once_each():
    """None after each length that will do; the start is not an iterate to tell."""
    steps, told = compact_steps(np.full(2, -1.2), 1e-8, 10), []
    point = next(steps)
    start = point.copy()
    with pytest.raises(StopIteration):
        while True:
            asked = steps.send((rosen(point), rosen_der(point)))
            while asked is None:
                told.append(point.copy())
                asked = next(steps)
            assert asked is point  # the same array, moved
    values = [rosen(x) for x in (start, *told)]
    assert (np.diff(values) < 0).all() and np.abs(rosen_der(told[-1])).max() <= 1e-8


ALPHAS = 0.02, 0.3, 0.0


@pytest.mark.parametrize("max_iter, max_fun", [(1, 9), (20, 200), (50, 13)])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_short_runs_go_where_a_run_does(monkeypatch, max_iter, max_fun, n_outputs):
    """In one call of a kernel, and through Python: all to the same bits."""
    objective, theta = random_objective((6,), n_outputs=n_outputs)
    monkeypatch.setattr(lbfgs, "steps_for", compact_steps_for)
    ends = []
    for alpha in ALPHAS:
        run = Run(replace(objective, alpha=alpha), theta, 1e-8)
        run.advance(max_iter, max_fun)
        ends.append(run.theta)
    given = ALPHAS, theta, 1e-8, lbfgs.MEMORY, max_iter, max_fun
    before = theta.copy()
    np.testing.assert_array_equal(list(short_runs(objective, *given)), ends)
    np.testing.assert_array_equal(theta, before)
    monkeypatch.setattr(Objective, "as_kernel", lambda self: None)
    np.testing.assert_array_equal(list(short_runs(objective, *given)), ends)


@pytest.mark.parametrize("in_python", [False, True])
def test_a_short_run_has_no_end_where_it_can_not_begin(monkeypatch, in_python):
    objective, theta = random_objective((6,), "tanh")
    if in_python:
        monkeypatch.setattr(Objective, "as_kernel", lambda self: None)
    far = np.full_like(theta, 1e308)
    assert list(short_runs(objective, [0.1, 1.0], far, 1e-8, 10, 9, 9)) == [None, None]
    theta[3] = np.nan
    assert list(short_runs(objective, [0.1], theta, 1e-8, 10, 9, 9)) == [None]


def test_a_short_run_ends_at_rest():
    objective, theta = random_objective((), alpha=1.0)
    (rest,) = short_runs(objective, [1.0], theta, 1e-6, 10, 1000, 1000)
    _, gradient = objective.value_and_gradient(rest)
    assert np.abs(gradient).max() <= 1e-6

"""When runs of L-BFGS end, pause or begin again, step by scripted step."""

import threading
import time

import numpy as np
import pytest
import scipy.optimize
from scipy.optimize import _lbfgsb

import skgoodmin.training.lbfgs
from skgoodmin.training.lbfgs import (
    MEMORY,
    WINDOW,
    Exit,
    Run,
    Solution,
    _compiled_steps,
    _known,
    _public_steps,
    minimize,
)

TOL = 1e-3


class Scripted:
    """values[i] at the point (i, 0, ...), with the gradient (slope, 0, ...)."""

    def __init__(self, values, slope=1.0, n=2):
        self.values, self.slope, self.n, self.asked = list(values), slope, n, []

    def value_and_gradient(self, x):
        self.asked.append(x.copy())
        gradient = np.zeros(self.n)
        gradient[0] = self.slope
        i = int(round(x[0]))
        return (self.values[i] if i < len(self.values) else 0.0), gradient


@pytest.fixture
def scripted_steps(monkeypatch):
    """Puts steps of lengths known beforehand into the place of L-BFGS.

    Each call of the solver goes through one list: evaluations of every iteration. The
    answer lists (theta, bounds, tol) of the calls, and what the solver was told.
    """

    def put(*calls):
        calls, made, told = list(calls), [], []

        def steps(theta, bounds, tol):
            made.append((theta.copy(), bounds, tol))
            told.append((yield theta.copy()))
            x = theta.copy()
            for n_evaluations in calls.pop(0):
                for _ in range(n_evaluations):
                    x = x + np.eye(len(theta))[0]
                    told.append((yield x))
                yield None

        monkeypatch.setattr(skgoodmin.training.lbfgs, "steps_for", steps)
        return made, told

    return put


def _run(objective, tol=TOL, bounds=None):
    return Run(objective, np.zeros(objective.n), tol, bounds)


def test_ten_pairs_and_ten_iterations():
    assert MEMORY == 10 and WINDOW == 10


def test_a_run_begins_with_one_evaluation(scripted_steps):
    made, told = scripted_steps([1, 1])
    run = _run(Scripted([3.0, 2.0, 1.0]), bounds=(bounds := np.zeros((2, 2))))
    assert (run.n_fun, run.n_iter, run.curve, run.exit) == (1, 0, [3.0], None)
    assert not run.ended and run.value == 3.0
    (theta, given, tol), *_ = made
    assert not theta.any() and given is bounds and tol == TOL
    assert told[0][0] == 3.0 and told[0][1][0] == 1.0


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_a_run_that_overflows_at_its_start(scripted_steps, bad):
    for objective in (Scripted([bad]), Scripted([1.0], slope=bad)):
        made, _ = scripted_steps([1])
        run = _run(objective)
        assert run.exit is Exit.OVERFLOW and run.ended and made == []
        run.advance(10, 10)
        assert run.n_fun == 1 and run.exit is Exit.OVERFLOW


def test_max_iter_and_max_fun_are_pauses(scripted_steps):
    scripted_steps([1, 3, 1, 1])
    run = _run(Scripted([9.0, 8.0, 99.0, 98.0, 7.0, 6.0, 5.0]))
    run.advance(0, 100)
    assert run.exit is Exit.MAX_ITER and not run.ended and run.n_fun == 1
    run.advance(1, 100)
    assert run.exit is Exit.MAX_ITER and run.curve == [9, 8] and run.n_fun == 2
    run.advance(2, 2)
    assert run.exit is Exit.MAX_FUN and not run.ended and run.n_fun == 2
    run.advance(2, 4)
    assert run.exit is Exit.MAX_FUN and run.curve == [9, 8] and run.n_fun == 4
    for max_fun in (4, 3, 0):  # nor is there more to do with less
        run.advance(2, max_fun)
        assert run.n_fun == 4 and run.exit is Exit.MAX_FUN
    run.advance(2, 5)  # both at once
    assert run.exit is Exit.MAX_ITER and run.curve == [9, 8, 7] and run.n_fun == 5
    assert run.theta[0] == 4 and run.value == 7
    run.advance(3, 100)
    assert run.curve == [9, 8, 7, 6] and run.n_iter == 3


def test_points_of_the_line_search_are_no_iterates(scripted_steps):
    scripted_steps([3])
    run = _run(Scripted([5.0, 4.0, 3.0, 2.0]))
    for n_fun in (2, 3):
        run.advance(9, n_fun)
        assert run.value == 5.0 and not run.theta.any() and run.n_iter == 0
    run.advance(9, 4)
    assert run.value == 2.0 and run.theta[0] == 3 and run.curve == [5, 2]


def test_the_point_of_an_iterate_is_a_copy(scripted_steps):
    scripted_steps([1, 1, 1])
    run = _run(Scripted([5.0, 4.0, 3.0]))
    run.advance(1, 9)
    theta = run.theta
    run.advance(2, 9)
    assert theta[0] == 1 and run.theta[0] == 2


def test_a_run_leaves_its_start_alone():
    theta0 = np.zeros(2)
    assert Run(Quadratic(), theta0, TOL).theta is not theta0
    assert Run(Quadratic(), [0, 0], TOL).theta.dtype == np.float64


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_flat_objective_is_level_after_ten_further_iterations(scripted_steps, sign):
    scripted_steps([1] * 50)
    run = _run(Scripted([1.0] + [sign] * 49))
    run.advance(100, 100)
    assert run.exit is Exit.LEVEL and run.ended and run.n_iter == 11
    assert run.n_fun == 12


@pytest.mark.parametrize(
    "fall, level", [(0.0, True), (0.9, True), (0.999, True), (1.001, False), (2, False)]
)
@pytest.mark.parametrize("last", [4.0, -4.0, 1e-9])
def test_level_is_a_fall_by_less_than_tol_of_itself(scripted_steps, fall, level, last):
    scripted_steps([1] * 20)
    before = last + fall * TOL * abs(last)
    # Within the window, values that must not be looked at.
    run = _run(Scripted([1e3, before, *[1e6] * 9, last, last - 1e9]))
    run.advance(11, 100)
    assert run.n_iter == 11
    assert run.exit is (Exit.LEVEL if level else Exit.MAX_ITER)


def test_a_fall_by_exactly_tol_of_itself_is_enough(scripted_steps):
    scripted_steps([1] * 20)
    objective = Scripted([1e3, 4 + 2.0**-8, *[1e6] * 9, 4.0, 3.0])
    run = _run(objective, tol=2.0**-10)
    run.advance(11, 100)
    assert run.exit is Exit.MAX_ITER


def test_a_rise_is_level_too(scripted_steps):
    scripted_steps([1] * 20)
    run = _run(Scripted([1e3, 1.0, *[5.0] * 9, 2.0]))
    run.advance(11, 100)
    assert run.exit is Exit.LEVEL


def test_the_callback_is_told_of_iterates_and_may_stop(scripted_steps):
    scripted_steps([2] * 50)
    seen = []

    def callback(run):
        seen.append((run.n_iter, run.n_fun, run.value))
        return run.n_iter == 3

    run = _run(Scripted(np.arange(99.0, 0, -1)))
    run.advance(100, 100, callback)
    assert seen == [(1, 3, 97), (2, 5, 95), (3, 7, 93)]
    assert run.exit is Exit.STOPPED and run.ended
    run.advance(100, 100, callback)
    assert run.n_iter == 3


def test_a_stop_is_named_before_a_level_objective(scripted_steps):
    scripted_steps([1] * 50)
    run = _run(Scripted([1.0] * 50))
    run.advance(100, 100, lambda run: run.n_iter == 11)
    assert run.exit is Exit.STOPPED


@pytest.mark.parametrize("steps", [_compiled_steps, _public_steps])
@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_a_gradient_that_overflows_is_told_as_an_infinite_value(steps, bad):
    """scipy then asks for a point that is nearer, as after a value of inf."""
    if steps is _compiled_steps and not _known:
        pytest.skip("this scipy has another private interface")
    points = []
    for value, slope in ((2.0, bad), (np.inf, 1.0)):
        run = steps(np.zeros(2), None, TOL)
        next(run)
        run.send((3.0, np.array([1.0, 0.0])))
        points.append(run.send((value, np.array([slope, 0.0]))).copy())
        run.close()
    np.testing.assert_array_equal(*points)


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_an_iterate_without_a_finite_value_is_refused(scripted_steps, bad):
    scripted_steps([1, 1])
    run = _run(Scripted([3.0, 2.0, bad]))
    run.advance(9, 9)
    assert run.exit is Exit.PRECISION and run.ended
    assert run.value == 2.0 and run.theta[0] == 1 and run.curve == [3, 2]


def test_steps_that_end_at_a_small_gradient_have_converged(scripted_steps):
    for slope, exit in [(TOL, Exit.CONVERGED), (1.001 * TOL, Exit.LEVEL),
                        (-TOL, Exit.CONVERGED)]:  # fmt: skip
        scripted_steps([1], [])
        objective = Scripted([2.0, 2.0], slope)
        run = _run(objective)
        run.advance(9, 9)
        assert run.exit is exit and run.n_iter == 1


def test_a_start_at_rest_ends_at_once(scripted_steps):
    scripted_steps([])
    run = _run(Scripted([2.0], TOL / 2))
    assert run.exit is Exit.CONVERGED and run.ended and run.n_fun == 1


def test_steps_that_end_after_two_iterations_begin_again(scripted_steps):
    made, told = scripted_steps([1, 1], [1, 1, 1], [1], [])
    run = _run(Scripted([9.0, 8, 7, 6, 5, 4, 3, 3, 3], slope=2.0))
    run.advance(99, 99)
    # Without a memory, from where they ended; one iteration is not worth it again.
    assert [theta[0] for theta, *_ in made] == [0, 2, 5]
    assert all(tol == TOL and bounds is None for _, bounds, tol in made)
    assert run.n_iter == 6 and run.curve == [9, 8, 7, 6, 5, 4, 3]
    assert run.exit in (Exit.LEVEL, Exit.PRECISION)
    assert run.n_fun == 1 + 6 + 1  # the last one to see whether it is at rest
    told_again = [value for value, _ in told]
    assert told_again == [9, 8, 7, 7, 6, 5, 4, 4, 3]


@pytest.mark.parametrize("n_iter, restarts", [(0, 0), (1, 0), (2, 1), (3, 1)])
def test_how_many_iterations_are_worth_a_new_beginning(
    scripted_steps, n_iter, restarts
):
    made, _ = scripted_steps([1] * n_iter, [])
    _run(Scripted([5.0, 4.0, 3.0, 2.0])).advance(99, 99)
    assert len(made) == 1 + restarts


class Slope:
    """value - share * g.(start - x): falls by this share of what its gradient says."""

    def __init__(self, share, value, gradient):
        self.share, self.value, self.gradient = share, value, np.array(gradient)
        self.asked, self.n = [], len(gradient)

    def value_and_gradient(self, x):
        self.asked.append(x.copy())
        return self.value + self.share * (self.gradient @ x), self.gradient.copy()


@pytest.mark.parametrize("value", [2.0, -2.0, 1e-9])
@pytest.mark.parametrize("gradient", [[3.0, 4.0, 0.0], [-0.02, 0.01, 0.05]])
@pytest.mark.parametrize(
    "share, exit",
    [(-1.0, Exit.LEVEL), (0.0, Exit.LEVEL), (0.08, Exit.LEVEL),
     (0.12, Exit.PRECISION), (1.0, Exit.PRECISION)],
)  # fmt: skip
def test_rest_is_a_step_that_brings_a_tenth_of_what_it_should(
    scripted_steps, value, gradient, share, exit
):
    scripted_steps([])
    objective = Slope(share, value, gradient)
    run = _run(objective)
    assert run.exit is exit and run.n_fun == 2 == len(objective.asked)
    step, g = -objective.asked[1], objective.gradient
    # Along -g, so long that J should fall by a hundredth of tol of itself.
    np.testing.assert_allclose(g @ step, 0.01 * TOL * abs(value), rtol=1e-12)
    np.testing.assert_allclose(step / np.linalg.norm(step), g / np.linalg.norm(g))
    assert not run.theta.any() and run.value == value and run.curve == [value]


def test_a_gradient_whose_square_overflows_has_a_step_all_the_same(scripted_steps):
    scripted_steps([])
    objective = Slope(0.0, 1.0, [1e200, 1e200])
    run = _run(objective)
    assert run.exit is Exit.LEVEL
    np.testing.assert_allclose(-objective.asked[1], 0.5e-2 * TOL * 1e-200)


def test_the_gradient_is_projected_on_the_bounds(scripted_steps):
    for gradient, bounds, norm in [
        ([3.0, -4.0], None, 4.0),
        ([3.0, -4.0], [[-np.inf, np.inf]] * 2, 4.0),
        ([3.0, -4.0], [[0, 9], [-9, 9]], 4.0),
        ([3.0, -4.0], [[0, 9], [-9, 0]], 0.0),
        ([3.0, -4.0], [[-1, 9], [-9, 2]], 2.0),
        ([3.0, -4.0], [[-2.5, 9], [-9, 2]], 2.5),
    ]:
        scripted_steps([1])
        bounds = None if bounds is None else np.array(bounds, dtype=float)
        run = _run(Slope(1.0, 1.0, gradient), tol=1e-9, bounds=bounds)
        assert run.grad_norm == norm and isinstance(run.grad_norm, float)
    empty = Run.__new__(Run)
    empty.gradient, empty.bounds = np.empty(0), None
    assert empty.grad_norm == 0.0


EXITS = [
    (None, Exit.MAX_ITER),
    (Exit.MAX_ITER, Exit.MAX_ITER),
    (Exit.MAX_FUN, Exit.MAX_FUN),
    (Exit.LEVEL, Exit.LEVEL),
    (Exit.STOPPED, Exit.STOPPED),
]


@pytest.mark.parametrize("exit, named", EXITS)
@pytest.mark.parametrize("slope", [TOL, 2 * TOL])
def test_the_solution_names_convergence_unless_it_was_stopped(
    scripted_steps, exit, named, slope
):
    scripted_steps([2, 1, 1])
    run = _run(Scripted([9.0, 8, 7, 6, 5], slope))
    run.advance(2, 99)
    run.exit = exit
    solution = run.solution()
    converged = slope <= TOL and exit is not Exit.STOPPED
    assert solution.exit is (Exit.CONVERGED if converged else named)
    assert solution.converged == (converged or exit is Exit.LEVEL)
    assert (solution.n_iter, solution.n_fun, solution.value) == (2, 4, 6)
    assert solution.grad_norm == slope and solution.theta[0] == 3
    np.testing.assert_array_equal(solution.curve, [9, 7, 6])
    assert isinstance(solution.curve, np.ndarray)


def test_which_exits_are_rest_and_which_are_ends():
    rest = {Exit.CONVERGED, Exit.LEVEL, Exit.GAP, Exit.WIDTH}
    paused = {Exit.MAX_ITER, Exit.MAX_FUN}
    run = Run(Quadratic(), np.ones(2), TOL)
    for exit in Exit:
        solution = Solution(np.zeros(1), 0.0, 0.0, exit, 0, 1, np.zeros(1))
        assert solution.converged == (exit in rest)
        run.exit = exit
        assert run.ended == (exit not in paused)
    with pytest.raises(AttributeError):
        solution.value = 1.0


class Quadratic:
    """1/2 (x - 1)^T D (x - 1) of some dimensions."""

    def __init__(self):
        self.points = []

    def value_and_gradient(self, x):
        self.points.append(x.copy())
        d = x - 1.0
        scales = 1.0 + np.arange(len(x)) ** 2
        return 0.5 * d @ (scales * d) + 1.0, scales * d


BOXES = [
    None,
    np.array([[-np.inf, np.inf], [0, np.inf], [-np.inf, 0.5], [-0.5, 0.5],
              [0.25, 0.75], [-3, 3], [2.5, 4.0]]),
]  # fmt: skip


def _inside(bounds):
    theta = 3.0 * np.cos(np.arange(7))
    return theta if bounds is None else np.clip(theta, *bounds.T)


@pytest.mark.skipif(not _known, reason="this scipy has another private interface")
@pytest.mark.parametrize("bounds", BOXES, ids=["free", "box"])
def test_the_compiled_routine_gets_what_scipy_gives_it(monkeypatch, bounds):
    calls, compiled = [], _lbfgsb.setulb

    def setulb(*arguments):
        calls.append([np.array(a) for a in arguments])
        return compiled(*arguments)

    monkeypatch.setattr(_lbfgsb, "setulb", setulb)
    theta, made = _inside(bounds), []
    before = theta.copy()
    monkeypatch.setattr(skgoodmin.training.lbfgs, "steps_for", _compiled_steps)
    run = Run(Quadratic(), theta, 1e-6, bounds)
    run.advance(1000, 1000)
    assert run.exit is Exit.CONVERGED
    np.testing.assert_array_equal(theta, before)
    made.append(calls.copy())
    calls.clear()
    scipy.optimize.minimize(
        Quadratic().value_and_gradient, theta, jac=True, method="L-BFGS-B",
        bounds=bounds, options={"maxcor": 10, "ftol": 0.0, "gtol": 1e-6},
    )  # fmt: skip
    ours, theirs = made[0], calls
    assert len(ours) == len(theirs)
    for call, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        for place, (x, y) in enumerate(zip(a, b, strict=True)):
            assert x.shape == y.shape and x.dtype == y.dtype, place
            # Value and gradient are not read at the first call; and work arrays.
            if (place in (5, 6) and call == 0) or place in (9, 10, 12, 13, 14):
                continue
            np.testing.assert_array_equal(x, y, err_msg=str((call, place)))


@pytest.mark.parametrize("steps", [_compiled_steps, _public_steps])
@pytest.mark.parametrize("bounds", BOXES, ids=["free", "box"])
def test_runs_are_those_of_scipy(monkeypatch, steps, bounds):
    if steps is _compiled_steps and not _known:
        pytest.skip("this scipy has another private interface")
    monkeypatch.setattr(skgoodmin.training.lbfgs, "steps_for", steps)
    theta, curve = _inside(bounds), []
    objective, reference = Quadratic(), Quadratic()
    solution = minimize(
        objective, theta, max_iter=1000, max_fun=1000, tol=1e-6, bounds=bounds
    )
    theirs = scipy.optimize.minimize(
        reference.value_and_gradient, theta, jac=True, method="L-BFGS-B",
        bounds=bounds, options={"maxcor": 10, "ftol": 0.0, "gtol": 1e-6},
        callback=lambda intermediate_result: curve.append(intermediate_result.fun),
    )  # fmt: skip
    assert solution.exit is Exit.CONVERGED and solution.grad_norm <= 1e-6
    np.testing.assert_array_equal(solution.theta, theirs.x)
    np.testing.assert_array_equal(solution.curve[1:], curve)
    np.testing.assert_array_equal(objective.points[-3:], reference.points[-3:])
    assert solution.n_iter == theirs.nit


def test_the_known_interface_is_that_of_the_compiled_steps():
    signature = skgoodmin.training.lbfgs._SIGNATURE
    assert _known == (_lbfgsb.setulb.__doc__ == signature)
    expected = _compiled_steps if _known else _public_steps
    assert skgoodmin.training.lbfgs.lbfgsb_steps is expected


def test_ten_pairs_are_kept_by_the_public_steps_too(monkeypatch):
    kept = {}

    def spy(function, theta, **options):
        kept.update(options, theta=theta)
        raise StopIteration

    monkeypatch.setattr(skgoodmin.training.lbfgs, "scipy_minimize", spy)
    theta, bounds = np.zeros(2), np.ones((2, 2))
    assert list(_public_steps(theta, bounds, 0.5)) == []
    assert kept["theta"] is theta and kept["bounds"] is bounds
    assert kept["jac"] is True and kept["method"] == "L-BFGS-B"
    options = kept["options"]
    assert options["maxcor"] == 10 and options["ftol"] == 0 and options["gtol"] == 0.5
    assert options["maxiter"] >= 10**9 and options["maxfun"] >= 10**9


def test_the_points_of_the_public_steps_are_copies():
    steps = _public_steps(np.zeros(3), None, 1e-9)
    point = next(steps)
    objective, points, copies = Quadratic(), [], []
    for _ in range(8):
        if point is None:
            point = next(steps)
            continue
        points.append(point)
        copies.append(point.copy())
        point = steps.send(objective.value_and_gradient(point))
    np.testing.assert_array_equal(points, copies)
    steps.close()


def test_the_thread_of_the_public_steps_ends_when_nobody_asks():
    before = set(threading.enumerate())
    steps = [_public_steps(np.zeros(3), None, 1e-9) for _ in range(3)]
    for some in steps:
        next(some)
    begun = set(threading.enumerate()) - before
    assert len(begun) == 3 and all(thread.daemon for thread in begun)
    for some in steps:
        some.close()
    deadline = time.monotonic() + 5
    while any(t.is_alive() for t in begun) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(thread.is_alive() for thread in begun)


def test_minimize_is_a_whole_run(scripted_steps):
    scripted_steps([1] * 9)
    seen = []
    solution = minimize(
        Scripted(np.arange(9.0, 0, -1)), np.zeros(2), max_iter=4, max_fun=100, tol=TOL,
        on_iteration=lambda run: seen.append(run.n_iter),
    )  # fmt: skip
    assert solution.n_iter == 4 and solution.exit is Exit.MAX_ITER
    assert seen == [1, 2, 3, 4]
    scripted_steps([1] * 9)
    solution = minimize(
        Scripted(np.arange(9.0, 0, -1)), np.zeros(2), max_iter=9, max_fun=4, tol=TOL
    )
    assert solution.n_fun == 4 and solution.exit is Exit.MAX_FUN

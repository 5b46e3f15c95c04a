"""L-BFGS-B of scipy, from an objective and a start to a :class:`Solution`.

A run has converged when the largest component of the (projected) gradient is at most
``tol``. At a kink (relu) the gradient need not vanish, so a run also ends where the
objective has fallen by less than ``tol`` of itself over ten iterations, or where the
line search fails and the objective does not fall along the gradient either. scipy's own
test on the decrease is switched off: it is relative to max(|J|, 1) and would stop runs
that still halve a small objective.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from scipy.optimize import minimize as scipy_minimize

WINDOW = 10  # iterations over which the decrease of the objective is looked at


class Exit(Enum):
    """Why a run ended; the value is the sentence for the user."""

    CONVERGED = "The largest component of the gradient is at most tol."
    LEVEL = "The objective falls by less than tol of itself."
    MAX_ITER = "max_iter iterations were done; increase max_iter or scale the data."
    MAX_FUN = "max_fun evaluations were spent; increase max_fun or scale the data."
    PRECISION = (
        "No further decrease is possible in floating point; scale the data, raise tol "
        "or, for float32 data, convert them to float64."
    )
    OVERFLOW = "The objective overflows at the start; scale the data."
    STOPPED = "A callback asked to stop."


@dataclass(frozen=True)
class Solution:
    """Where one run of the solver ended."""

    theta: np.ndarray  # (n_parameters,)
    value: float
    grad_norm: float  # largest component of the projected gradient
    exit: Exit
    n_iter: int
    n_fun: int
    curve: np.ndarray  # (n_iter + 1,) objective at the start and after each iteration

    @property
    def converged(self):
        """Whether the run came to rest, rather than to the end of its means."""
        return self.exit in (Exit.CONVERGED, Exit.LEVEL)


def _projected_norm(theta, gradient, bounds):
    """max_j |P(theta - g)_j - theta_j|, the quantity that L-BFGS-B tests."""
    step = -gradient
    if bounds is not None:
        step = np.clip(theta + step, bounds[:, 0], bounds[:, 1]) - theta
    return float(np.abs(step).max(initial=0.0))


def minimize(objective, theta0, *, max_iter, max_fun, tol, bounds=None, callback=None):
    """Minimise ``objective`` from ``theta0``.

    Parameters
    ----------
    objective : object with ``value_and_gradient(theta)``
        It may return inf or nan; the line search then goes back.
    theta0 : ndarray of shape (n_parameters,)
    max_iter, max_fun : int
        Bounds on iterations and evaluations. A line search that is under way when
        ``max_fun`` is reached is finished first.
    tol : float
        Largest component of the gradient at convergence.
    bounds : ndarray of shape (n_parameters, 2), optional
    callback : callable(theta, value, n_iter) -> bool, optional
        Called after each iteration; True stops the run there.

    Returns
    -------
    solution : Solution
    """
    theta = np.array(theta0, dtype=np.float64)
    value, gradient = objective.value_and_gradient(theta)
    curve = [float(value)]
    spent = {"n_fun": 1, "exit": Exit.STOPPED}
    # scipy's first evaluation is at the start, where we have just been.
    known = {theta.tobytes(): (value, gradient)}

    def function(point):
        found = known.pop(point.tobytes(), None) if known else None
        if found is not None:
            return found
        spent["n_fun"] += 1
        return objective.value_and_gradient(point)

    def after_iteration(intermediate_result):
        curve.append(float(intermediate_result.fun))
        if callback is not None and callback(
            intermediate_result.x, curve[-1], len(curve) - 1
        ):
            raise StopIteration
        if len(curve) > WINDOW and curve[-1 - WINDOW] - curve[-1] < tol * abs(
            curve[-1]
        ):
            spent["exit"] = Exit.LEVEL
            raise StopIteration

    def solution(exit):
        norm = _projected_norm(theta, gradient, bounds)
        if norm <= tol and exit is not Exit.STOPPED:
            exit = Exit.CONVERGED
        n_iter = len(curve) - 1
        return Solution(
            theta, curve[-1], norm, exit, n_iter, spent["n_fun"], np.array(curve)
        )

    def at_rest():
        """Whether a step along -g that should lower J by tol / 100 of itself fails."""
        slope = gradient @ gradient
        expected = 0.01 * tol * abs(curve[-1])
        trial, _ = function(theta - expected / slope * gradient)
        return slope > 0 and trial > curve[-1] - 0.1 * expected

    if not (np.isfinite(value) and np.isfinite(gradient).all()):
        return solution(Exit.OVERFLOW)
    while True:
        before = len(curve)
        result = scipy_minimize(
            function,
            theta,
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            callback=after_iteration,
            options={
                "maxcor": 10,
                "ftol": 0.0,
                "gtol": tol,
                "maxiter": max(max_iter - before + 1, 1),
                "maxfun": max(max_fun - spent["n_fun"], 1),
            },
        )
        theta, gradient = result.x, np.asarray(result.jac)
        if result.status == 99:
            return solution(spent["exit"])
        if len(curve) - 1 >= max_iter:
            return solution(Exit.MAX_ITER)
        if spent["n_fun"] >= max_fun:
            return solution(Exit.MAX_FUN)
        if result.status != 2 or len(curve) - before < 2:
            return solution(Exit.LEVEL if at_rest() else Exit.PRECISION)
        # The line search failed, from rounding or an overflow on its way. The memory
        # of L-BFGS may be at fault, so go on from here without it.
        known[theta.tobytes()] = (curve[-1], gradient)

"""L-BFGS as runs that can be paused and resumed.

Up to 300 parameters, and with bounds, the steps are those of scipy's L-BFGS-B, else
those of :mod:`.compact_lbfgs`, which take down to a third of the time.

A run has converged when the largest component of the (projected) gradient is at most
``tol``. At a kink (relu) the gradient need not vanish, so a run also ends where the
objective has fallen by less than ``least_fall`` of itself over ten iterations, or where
the line search fails and the objective does not fall along the gradient either. scipy's
own test on the decrease is switched off: it is relative to max(|J|, 1) and would stop
runs that still halve a small objective.

A run begins with its rough objective, in fewer digits, if it has one. Where it would
end it goes on with the objective itself, and ends where that one says so too.
"""

import queue
import threading
from dataclasses import dataclass
from enum import Enum

import numpy as np
from scipy.optimize import _lbfgsb
from scipy.optimize import minimize as scipy_minimize

from .compact_lbfgs import compact_steps

MEMORY = 10  # pairs of differences that L-BFGS keeps
WINDOW = 10  # iterations over which the decrease of the objective is looked at
ROUNDING = 1e4 * np.finfo(np.float64).eps


class Exit(Enum):
    """Why a run ended or paused; the value is the sentence for the user."""

    CONVERGED = "The largest component of the gradient is at most tol."
    LEVEL = "The objective hardly falls any more."
    MAX_ITER = "max_iter iterations were done."
    MAX_FUN = "max_fun evaluations were spent."
    PRECISION = "No further decrease is possible in floating point."
    WORSE = "The objective is above that of a constant network."
    OVERFLOW = "The objective overflows at the start."
    STOPPED = "A stop was asked for."
    GAP = "The gap that growing estimates is at most tol_gap of the objective."
    WIDTH = "There is no room for further units, and no exchange of units pays."
    UNIMPROVED = "The validation score did not improve for n_iter_no_change iterations."


@dataclass(frozen=True)
class Solution:
    """Where one run of the solver ended."""

    theta: np.ndarray  # (n_parameters,)
    value: float
    grad_norm: float  # largest component of the projected gradient
    exit: Exit
    n_iter: int
    n_fun: int
    curve: np.ndarray  # (n_iter + 1,) objective at the start and after each iteration;
    # of a climb that of its runs before, too

    @property
    def converged(self):
        """Whether the run came to rest, rather than to the end of its means."""
        return self.exit in (Exit.CONVERGED, Exit.LEVEL, Exit.GAP, Exit.WIDTH)

    @property
    def stopped(self):
        """Whether the run ended because the user wanted it so."""
        return self.exit in (Exit.STOPPED, Exit.UNIMPROVED)


def _finite_or_inf(value, gradient):
    """Both, with the value inf where the gradient overflows, as it may before."""
    return (value if np.isfinite(gradient).all() else np.inf), gradient


def _compiled_steps(theta, bounds, tol):
    """L-BFGS-B step by step, through the compiled routine of scipy >= 1.15.

    A generator: it yields a point and expects (value, gradient) there, or it yields
    None at a new iterate. The routine is private to scipy, but what lies between it
    and ``scipy.optimize.minimize`` takes longer than the evaluation of a small
    objective; ``benchmarks/solver.py`` measures how much.
    """
    n, m = len(theta), MEMORY
    lower, upper, kind = np.zeros(n), np.zeros(n), np.zeros(n, np.int32)
    if bounds is not None:
        below, above = np.isfinite(bounds).T
        lower[below], upper[above] = bounds[below, 0], bounds[above, 1]
        kind[:] = np.where(below, np.where(above, 2, 1), np.where(above, 3, 0))
        theta = np.clip(theta, bounds[:, 0], bounds[:, 1])
    x, value, gradient = theta.copy(), 0.0, np.zeros(n)
    space = np.zeros(2 * m * n + 5 * n + 11 * m * m + 8 * m), np.zeros(3 * n, np.int32)
    task, line_search = np.zeros(2, np.int32), np.zeros(2, np.int32)
    saved = np.zeros(4, np.int32), np.zeros(44, np.int32), np.zeros(29)
    constants = (0.0, tol, *space, task, *saved, 20, line_search)
    while True:
        _lbfgsb.setulb(m, x, lower, upper, kind, value, gradient, *constants)
        if task[0] == 3:
            value, gradient = _finite_or_inf(*(yield x))
        elif task[0] == 1:
            yield None
        else:
            return


def _public_steps(theta, bounds, tol):
    """The same steps through ``scipy.optimize.minimize``, in a thread of its own."""
    requests: queue.Queue = queue.Queue()
    replies: queue.Queue = queue.Queue()
    end = object()

    def ask(point):
        requests.put(point)
        reply = replies.get()
        if reply is end:
            raise StopIteration
        return reply

    def new_iterate(intermediate_result):
        ask(None)

    def run():
        try:
            scipy_minimize(
                lambda x: _finite_or_inf(*ask(x.copy())),
                theta,
                jac=True,
                method="L-BFGS-B",
                bounds=bounds,
                callback=new_iterate,
                options={
                    "maxcor": MEMORY,
                    "ftol": 0.0,
                    "gtol": tol,
                    "maxiter": 10**9,
                    "maxfun": 10**9,
                },
            )
        except StopIteration:
            pass  # nobody asks for further steps
        finally:
            requests.put(end)

    threading.Thread(target=run, daemon=True).start()
    try:
        while (request := requests.get()) is not end:
            replies.put((yield request))
    finally:
        replies.put(end)


_SIGNATURE = (
    "setulb(m,x,l,u,nbd,f,g,factr,pgtol,wa,iwa,task,lsave,isave,dsave,maxls,ln_task)"
)
_known = _lbfgsb.setulb.__doc__ == _SIGNATURE
lbfgsb_steps = _compiled_steps if _known else _public_steps
MANY = 300  # parameters above which L-BFGS-B takes longer than it has to


def steps_for(theta, bounds, tol):
    """The generator of steps for a problem: L-BFGS-B, or L-BFGS of many parameters."""
    if bounds is None and len(theta) > MANY:
        return compact_steps(theta, tol, MEMORY)
    return lbfgsb_steps(theta, bounds, tol)


class Run:
    """A run of L-BFGS.

    Parameters
    ----------
    objective : object with ``value_and_gradient(theta)``
        It may return inf or nan; the line search then goes back.
    theta0 : ndarray of shape (n_parameters,)
    tol : float
        Largest component of the gradient at convergence.
    bounds : ndarray of shape (n_parameters, 2), optional
    least_fall : float, optional
        Share of itself by which the objective has to fall over ten iterations; by
        default ``tol``.
    rough : object like ``objective``, in fewer digits and at less cost, optional
    """

    def __init__(
        self, objective, theta0, tol, bounds=None, least_fall=None, rough=None
    ):
        self.objective, self.tol, self.bounds = objective, tol, bounds
        self.least_fall = tol if least_fall is None else least_fall
        self.theta = np.array(theta0, dtype=np.float64)
        self.rough = rough  # None once the objective itself is evaluated
        self.value, self.gradient = self._asked.value_and_gradient(self.theta)
        self.curve, self.n_fun, self.exit = [float(self.value)], 1, None
        if self._is_finite or self._refined() and self._is_finite:
            self._begin()
        else:
            self.exit = Exit.OVERFLOW

    @property
    def _asked(self):
        """The objective that is evaluated at present."""
        return self.objective if self.rough is None else self.rough

    @property
    def _is_finite(self):
        """Whether the present point is one to set out from."""
        return np.isfinite(self.value) and np.isfinite(self.gradient).all()

    def _refined(self):
        """Whether the objective was rough; from now on it is not."""
        if self.rough is None:
            return False
        self.rough, self.n_fun = None, self.n_fun + 1
        self.value, self.gradient = self.objective.value_and_gradient(self.theta)
        self.curve[-1] = float(self.value)
        return True

    def _begin(self):
        """Set out from the present point, without a memory of the steps before."""
        self._began = self.n_iter
        self._steps = steps_for(self.theta, self.bounds, self.tol)
        next(self._steps)
        self._go_on((self.value, self.gradient))

    @property
    def n_iter(self):
        """Iterations so far."""
        return len(self.curve) - 1

    @property
    def ended(self):
        """Whether the run can not be resumed."""
        return self.exit not in (None, Exit.MAX_ITER, Exit.MAX_FUN)

    @property
    def grad_norm(self):
        """max_j |P(theta - g)_j - theta_j|, the quantity that L-BFGS-B tests."""
        step = -self.gradient
        if self.bounds is not None:
            lower, upper = self.bounds.T
            step = np.clip(self.theta + step, lower, upper) - self.theta
        return float(np.abs(step).max(initial=0.0))

    def advance(self, max_iter, max_fun, on_iteration=None):
        """Go on until the run ends or its means do; ``exit`` says which.

        Parameters
        ----------
        max_iter, max_fun : int
            Iterations and evaluations of the whole run, those before included.
        on_iteration : callable(run) -> bool, optional
            Called after each iteration; True ends the run there.
        """
        while not self.ended:
            if self.n_iter >= max_iter:
                self.exit = Exit.MAX_ITER
                return
            if self.n_fun + (self.rough is not None) >= max_fun:
                self.exit = Exit.MAX_FUN
                return
            self._evaluate(on_iteration)

    def _evaluate(self, on_iteration):
        """One evaluation, and what the solver makes of it."""
        point = self._point
        self.n_fun += 1
        value, gradient = self._asked.value_and_gradient(point)
        goes_on = self._go_on((value, gradient))
        if not goes_on or self._point is not None:
            return
        if not np.isfinite(value):  # it settles there where its own sums overflow
            if self._refined():
                self._begin()
            else:
                self.exit = Exit.PRECISION
            return
        self.theta = point.copy()
        self.value, self.gradient = value, gradient
        self.curve.append(float(self.value))
        if on_iteration is not None and on_iteration(self):
            self.exit = Exit.STOPPED
        elif self._is_level() and (not self._refined() or self._is_level()):
            self.exit = Exit.LEVEL
        else:
            self._go_on(None)

    def _go_on(self, evaluated):
        """Whether the steps go on: to the next point, or to None at an iterate."""
        try:
            self._point = self._steps.send(evaluated)
        except StopIteration:
            self._end()
            return False
        return True

    def _is_level(self):
        """Whether the objective has hardly fallen over the last iterations."""
        if self.n_iter <= WINDOW:
            return False
        fall = self.curve[-1 - WINDOW] - self.curve[-1]
        return fall < self.least_fall * abs(self.curve[-1])

    def _end(self):
        """Name the end of the steps: convergence, or a line search that failed."""
        if self._refined():
            self._begin()
        elif self.grad_norm <= self.tol:
            self.exit = Exit.CONVERGED
        elif self.n_iter - self._began >= 2:
            # Rounding, or an overflow on the way. The memory of L-BFGS may be at
            # fault, so go on from here without it.
            self._begin()
        else:
            self.exit = Exit.LEVEL if self._at_rest() else Exit.PRECISION

    def _at_rest(self):
        """Whether a step along -g that should lower J by tol / 100 of itself fails.

        A smaller tol than ``ROUNDING`` can not be told from rounding.
        """
        expected = 0.01 * max(self.tol, ROUNDING) * abs(self.value)
        size = np.abs(self.gradient).max()
        unit = self.gradient / size  # its square can not overflow
        step = expected / size / (unit @ unit) * unit
        self.n_fun += 1
        trial, _ = self.objective.value_and_gradient(self.theta - step)
        return trial > self.value - 0.1 * expected

    def solution(self):
        """The present point as a :class:`Solution`."""
        self._refined()
        exit = self.exit or Exit.MAX_ITER  # paused
        if exit is not Exit.STOPPED and self.grad_norm <= self.tol:
            exit = Exit.CONVERGED
        curve = np.array(self.curve)
        return Solution(
            self.theta, curve[-1], self.grad_norm, exit, self.n_iter, self.n_fun, curve
        )


def minimize(
    objective, theta0, *, max_iter, max_fun, tol, bounds=None, on_iteration=None
):
    """A whole :class:`Run`, as a :class:`Solution`."""
    run = Run(objective, theta0, tol, bounds)
    run.advance(max_iter, max_fun, on_iteration)
    return run.solution()

"""Along the kinks of relu, and not across them: L-BFGS with rows held.

Where g_ij, the derivative of the loss by relu(z_ij), z_ij = w_j.x_i + b_j, is positive,
the objective has a convex kink at z_ij = 0, and minima lie in such kinks: with few
features in half as many as a direction has numbers. L-BFGS goes to and fro across them.
With z_ij *held* at 0 what is left is smooth: the gradient by (w_j, b_j) is projected
onto the complement of the rows (x_i, 1) that unit j is held at.

A unit is held at the rows near a kink whose multipliers the kink has, or nearly has:

    0 <= lambda_i <= g_ij,   lambda = argmin || s + sum_i lambda_i (x_i, 1) ||

with s the gradient by (w_j, b_j) without these rows. (The space of smooth change and
that of kinks: Lemarechal, Oustry and Sagastizabal 2000, "The U-Lagrangian of a convex
function".)
"""

import numpy as np

from ..certificates.ascents import dense_rows
from ..kernels.kinks import hold, project
from .lbfgs import Run

AT_A_TIME = 20  # iterations with the same rows held
NEAR = 5e-3  # |z_ij| that is near, in units of the mean over the rows
MARGIN = 0.1  # by which a multiplier may be off, in units of g_ij
DEPENDENT = 1e-6  # share of a row beside those before it that counts as none


class Held:
    """An objective of one hidden layer of relu, with units held at rows.

    Parameters
    ----------
    objective : Objective
        With weight decay.
    theta : ndarray of shape (n_parameters,)
        The point near which it is.
    x : ndarray or CSR of shape (n, d)
        Its rows.
    dual : object
        Its loss as :mod:`skgoodmin.objective.duals` has it.

    Attributes
    ----------
    start : ndarray of shape (n_parameters,)
        ``theta`` with z_ij = 0 where unit j is held at row i.
    """

    def __init__(self, objective, theta, x, dual):
        self.objective = objective
        (w, v), (b, c) = objective.layout.unpack(theta)
        z = np.asarray(x @ w) + b
        raw = np.maximum(z, 0.0) @ v + c
        _, residuals = dual.loss_and_gradient(np.ascontiguousarray(raw.T))
        slope = residuals.T @ v.T
        active = np.where(z > 0.0, slope, 0.0)
        rest = np.vstack([np.asarray(x.T @ active), active.sum(axis=0)])
        rest[:-1] += objective.alpha * w
        limits = NEAR * np.abs(z).mean(axis=0)
        near = (np.abs(z) <= limits) & (slope > 0.0)
        some = near.any(axis=1)
        most = int(min(near.sum(axis=0).max(initial=0), x.shape[1]))
        self.bases = np.empty((len(b), most, len(w) + 1))
        self.n_held = np.zeros(len(b), dtype=np.int64)
        by_unit = map(np.ascontiguousarray, (z[some].T, slope[some].T, rest.T))
        found = self.bases, self.n_held
        hold(dense_rows(x, some), *by_unit, limits, MARGIN, DEPENDENT, *found)
        self.start = theta.copy()
        self._project(self.start)

    def value_and_gradient(self, theta):
        """The objective, and its gradient along the kinks."""
        value, gradient = self.objective.value_and_gradient(theta)
        self._project(gradient)
        return value, gradient

    def _project(self, theta):
        """Parameters or a gradient without what moves a z_ij that is held."""
        (w, _), (b, _) = self.objective.layout.unpack(theta)
        project(self.bases, self.n_held, w, b)


def descend(objective, theta, x, dual, tol, most, enough):
    """(parameters, evaluations) after L-BFGS along the kinks.

    Parameters
    ----------
    objective, theta, x, dual
        See :class:`Held`.
    tol : float
        Largest component of the gradient at which L-BFGS ends.
    most : (int, int)
        Iterations and evaluations.
    enough : float
        It goes on while ``AT_A_TIME`` iterations lower the objective by a larger share
        than this.
    """
    value, n_fun, n_iter = objective.value_and_gradient(theta)[0], 1, 0
    fall = np.inf
    while fall > enough * value and n_iter < most[0] and n_fun < most[1]:
        held = Held(objective, theta, x, dual)
        run = Run(held, held.start, tol)
        run.advance(min(AT_A_TIME, most[0] - n_iter), most[1] - n_fun)
        n_iter, n_fun = n_iter + max(run.n_iter, 1), n_fun + run.n_fun
        fall = value - run.value
        if fall > 0:
            theta, value = run.theta, run.value
    return theta, n_fun

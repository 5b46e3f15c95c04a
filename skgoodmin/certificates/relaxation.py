"""The best dual point that a plan can prove, of one output and a convex activation.

Residuals need not come from a network. With masses pi_e >= 0 on pairs of a row i of P
(r > 0) and a row j of N (r < 0), residuals r_i = sum_j pi_ij, r_j = -sum_i pi_ij sum to
0 whatever pi is, and

    s_i = sum_j pi_ij (x_i - x_j),   t_j = sum_i pi_ij (x_j - x_i),   g = sum_i s_i

are linear in pi. For a convex activation with slopes in [0, 1], relu or softplus,
Jensen at the barycentres of the rows that i is paired with, x_i - s_i / r_i, and
act(a) - act(c) <= max(a - c, 0) give, for every w and b,

    sum_i r_i act(w.x_i + b) <= sum_P max(w.s_i, 0) = 1/2 (w.g + sum_P |w.s_i|).

The other sign is the same with P and N exchanged. So the polar is at most the larger of

    U+ = 1/2 max_w (|w.g| + sum_i |w.s_i|) <= 1/2 sqrt(T+ lambda_max(M+)),
    T+ = sigma + sum_i rho_i,  M+ = g g'/sigma + sum_i s_i s_i'/rho_i,

for any rho, sigma > 0, and U- with t_j. So

    maximise D(alpha r / U) over pi >= 0, rho, sigma,   U = max(U+, U-)

and whatever comes out is proven. It is a maximum without constraints: U and r are
homogeneous in pi, the sets {D(alpha r / U) >= c} are cones of convex sets, so there is
no bad local maximum. lambda_max and the larger of the two signs are smoothed to a
p-norm of all 2 d eigenvalues, pi = q^2, rho = e^.., and L-BFGS does the rest; p rises
in stages. This is the dual of training a relaxed network whose units are convex
functions with gradients in an ellipsoid.
"""

import numpy as np
from scipy.optimize import minimize

from ..kernels.pairs import moved_gradient
from .neighbours import Sides
from .spread import Spread, squared


def power_mean(logs, power):
    """(log of the p-norm, weights that sum to 1) of e^logs."""
    top = logs.max()
    e = np.exp(power * (logs - top))
    total = e.sum()
    return top + np.log(total) / power, e / total


def best_scale(dual, r, limit):
    """(t, D(t r), t dD/dR, t d/dt) at the best t in [0, limit]; r (K, n).

    Where the best t is below the limit the last number is 0: the polar is no matter.
    """

    def at(t):
        with np.errstate(over="ignore", invalid="ignore"):
            value, slope = dual.smooth(t * r)
            pull = (slope * r).sum() * t
        return value, slope, pull if np.isfinite(value) else -np.inf

    value, slope, pull = at(limit)
    if pull >= 0:
        return limit, value, limit * slope, pull
    high, low = limit, limit
    while pull < 0 and low > 1e-280:
        high, low = low, low / 16.0
        value, slope, pull = at(low)
    for _ in range(12):
        t = np.sqrt(low * high)
        value, slope, pull = at(t)
        low, high = (t, high) if pull >= 0 else (low, t)
    value, slope, _ = at(low)
    return low, value, low * slope, 0.0


class TooFarError(ArithmeticError):
    """A step of the solver out of the range of floats."""


def eigen(matrix):
    """Eigenvalues, kept above 0, and eigenvectors."""
    if not np.isfinite(matrix).all():
        raise TooFarError
    values, vectors = np.linalg.eigh(matrix)
    return np.maximum(values, 1e-200 + 1e-15 * values[-1]), vectors


class _Sign:
    """Moments of one sign: rows s (n, d), their sum g, log rho (n,), log sigma."""

    def __init__(self, s, g, log_rho, log_sigma):
        self.s, self.g = s, g
        self.rho, self.sigma = np.exp(log_rho), np.exp(log_sigma)
        self.scaled = s / self.rho[:, None]
        matrix = self.scaled.T @ s + np.outer(g, g / self.sigma)
        self.values, self.vectors = eigen(matrix)
        self.total = self.rho.sum() + self.sigma

    def logs(self):
        """log(T lambda) of all eigenvalues, (d,)."""
        return np.log(self.total * self.values)

    def gradient(self, weights):
        """Derivatives of 1/2 sum weights log(T lambda): by s, g, log rho, log sigma."""
        W = (self.vectors * (weights / self.values)) @ self.vectors.T
        by_s, by_g = self.scaled @ W, W @ self.g / self.sigma
        share = weights.sum() / self.total
        by_rho = 0.5 * (share * self.rho - (by_s * self.s).sum(axis=1))
        by_sigma = 0.5 * (share * self.sigma - by_g @ self.g)
        return by_s, by_g, by_rho, by_sigma


def _first_logs(s, g):
    """log rho and log sigma to begin with, for the W of :func:`.spread.squared`."""
    rows = np.vstack([s, g])
    size = np.sqrt((rows * rows).sum(axis=1))
    size += 1e-3 * size.mean() + 1e-100
    W = squared((rows.T / size) @ rows)
    size = np.sqrt(np.maximum(((rows @ W) * rows).sum(axis=1), 0.0))
    size += 1e-3 * size.mean() + 1e-100
    return np.log(size[:-1]), np.log(size[-1])


class Plan(Sides):
    """Masses on pairs, for one output.

    Parameters
    ----------
    dual : Dual
        With :meth:`Dual.smooth`; K = 1.
    x : ndarray of shape (n, d)
        All rows, centred.
    residuals : ndarray of shape (n,)
        What to start from; its zeros stay.
    alpha : float
    n_neighbours : int
    """

    def __init__(self, dual, x, residuals, alpha, n_neighbours):
        super().__init__(x, residuals, n_neighbours)
        self.dual, self.alpha = dual, alpha
        # q near 1: the scale drops out of the objective, but not of the solver.
        self.q = np.sqrt(self.mass / self.mass.mean() + 1e-3)
        self._by_mass = np.empty(len(self.left))
        self._ends = np.cumsum([len(self.q), len(self.x), len(self.y)])
        self.n_variables = self._ends[-1] + 2

    @property
    def start(self):
        """q, log rho of both sides, two log sigma."""
        s, t, _, _ = self.move(self.q * self.q)
        g = s.sum(axis=0)
        (rho, sigma), (tau, ypsilon) = _first_logs(s, g), _first_logs(t, -g)
        return np.r_[self.q, rho, tau, sigma, ypsilon]

    def value_and_gradient(self, z, power):
        """-D(alpha r / U) and its gradient."""
        first, second, third = self._ends
        q = z[:first]
        s, t, a, b = self.move(q * q)
        g = s.sum(axis=0)
        plus = _Sign(s, g, z[first:second], z[-2])
        minus = _Sign(t, -g, z[second:third], z[-1])
        log_square, weights = power_mean(
            np.concatenate([plus.logs(), minus.logs()]), power
        )
        scale = 2.0 * self.alpha * np.exp(-0.5 * log_square)
        r = self.residuals(a, b)[None]
        _, value, slope, pull = best_scale(self.dual, r, scale)
        slope = slope[0]
        d = len(g)
        by_s, by_g, by_rho, by_sigma = plus.gradient(weights[:d])
        by_t, by_h, by_tau, by_ypsilon = minus.gradient(weights[d:])
        left, right = self.left, self.right
        by_s += by_g - by_h
        moved_gradient(self.x, self.y, left, right, by_s, by_t, self._by_mass)
        by_mass = slope[self.up][left] - slope[self.down][right] - pull * self._by_mass
        gradient = np.concatenate(
            [
                2.0 * q * by_mass,
                -pull * by_rho,
                -pull * by_tau,
                [-pull * by_sigma, -pull * by_ypsilon],
            ]
        )
        return -value, -gradient

    def proof(self, q):
        """Residuals (1, n) and the two spreads that bound their polar."""
        s, t, a, b = self.move(q * q)
        g = s.sum(axis=0)
        half = np.full(len(s) + 1, 0.5), np.full(len(t) + 1, 0.5)
        spreads = [
            Spread([(half[0], np.vstack([s, g]))]),
            Spread([(half[1], np.vstack([t, g]))]),
        ]
        return self.residuals(a, b)[None], spreads


def optimise(plan, stages):
    """L-BFGS in stages of (power, iterations); returns q."""
    if not stages:
        return plan.q
    z, scale = plan.start, 0.0
    for power, n_iterations in stages:

        def value_and_gradient(z, power=power):
            nonlocal scale
            try:
                with np.errstate(over="ignore", invalid="ignore"):
                    value, gradient = plan.value_and_gradient(z, power)
            except TooFarError:
                value = np.inf
            if not (np.isfinite(value) and np.isfinite(gradient).all()):
                return 1e10, np.zeros_like(z)
            # Values of size 1: the solver's tolerance is not relative for small ones.
            scale = scale or abs(value) or 1.0
            return value / scale, gradient / scale

        result = minimize(
            value_and_gradient,
            z,
            jac=True,
            method="L-BFGS-B",
            options={
                "maxiter": n_iterations,
                "maxfun": 2 * n_iterations,
                "ftol": 1e-8,
                "gtol": 1e-12,
                "maxcor": 10,
            },
        )
        if np.isfinite(result.x).all():
            z = result.x
    return z[: len(plan.q)]

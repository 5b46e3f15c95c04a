"""The best dual point that plans of pairs can prove: several outputs, any activation.

As in :mod:`.relaxation`, with the bound of :mod:`.polar_bound`. Every output k
has masses pi_ke on its own pairs, differences delta_e = x_i - x_j, g_k = sum_e pi_ke
delta_e, and with the middle and half the width of the range of slopes, any tau, sigma >
0

    T_k = half sum_e pi_ke tau_ke + middle sigma_k
    M_k = half sum_e pi_ke delta_e delta_e' / tau_ke + middle g_k g_k' / sigma_k
    polar <= U = sqrt( lambda_max( sum_k T_k M_k ) ).

D(alpha R / U) is maximised over pi = q^2, log tau and log sigma.

Sums over pairs are made row by row: with s_i and t_j of :mod:`skgoodmin.kernels.pairs`

    sum_e c_e delta_e delta_e' = sum_i s_i x_i' + sum_j t_j x_j',

which takes d^2 multiplications a row, not a pair.
"""

import numpy as np

from ..kernels.pairs import moved_gradient
from .neighbours import Sides
from .polar_bound import middle_and_half
from .relaxation import best_scale, eigen, power_mean
from .spread import Spread, squared


class _Output(Sides):
    """Pairs of one output, and sums over them."""

    def __init__(self, x, residuals, n_neighbours):
        super().__init__(x, residuals, n_neighbours)
        self.mass *= residuals[self.up].sum()

    @property
    def delta(self):
        """x_i - y_j of all pairs, (E, d)."""
        return self.x[self.left] - self.y[self.right]

    def marginals(self, mass):
        """Sums of the masses at each row, (n,) and (m,)."""
        n, m = len(self.x), len(self.y)
        return np.bincount(self.left, mass, n), np.bincount(self.right, mass, m)

    def moments(self, weights):
        """sum_e c_e delta_e delta_e', (d, d)."""
        s, t, _, _ = self.move(weights)
        return s.T @ self.x + t.T @ self.y

    def squares(self, W):
        """delta_e' W delta_e, (E,)."""
        out = np.empty(len(self.left))
        by_s, by_t = self.x @ W, self.y @ W
        moved_gradient(self.x, self.y, self.left, self.right, by_s, by_t, out)
        return out

    def differences(self, values):
        """f_i - f_j of all pairs, from f of both sides."""
        up, down = values
        return up[self.left] - down[self.right]


class PairPlan:
    """Masses on pairs, for each output.

    Parameters
    ----------
    dual : Dual
    x : ndarray of shape (n, d), centred
    residuals : ndarray of shape (K, n)
    alpha : float
    n_neighbours : int
    slopes : (float, float)
        Range of the activation's slopes.
    """

    def __init__(self, dual, x, residuals, alpha, n_neighbours, slopes):
        self.dual, self.alpha, self.n_rows = dual, alpha, len(x)
        self.n_features = x.shape[1]
        self.middle, self.half = middle_and_half(slopes)
        self.places = [k for k, r in enumerate(residuals) if (r != 0).any()]
        self.n_outputs = len(residuals)
        self.outputs = [_Output(x, residuals[k], n_neighbours) for k in self.places]
        mean = np.mean([output.mass.mean() for output in self.outputs])
        self.q = np.sqrt(
            np.concatenate([output.mass for output in self.outputs]) / mean + 1e-3
        )
        self._ends = np.cumsum([len(output.mass) for output in self.outputs])
        self.n_variables = 2 * len(self.q) + len(self.outputs)

    @property
    def start(self):
        """q, log tau and log sigma of all outputs."""
        z = self._along(np.eye(self.n_features))
        return self._along(squared(self._moments(z)[1]))

    def _along(self, W):
        """The first q with the best log tau and log sigma for a W."""
        lengths, sizes = [], []
        for output, q in zip(self.outputs, self._apart(self.q), strict=True):
            length = np.sqrt(np.maximum(output.squares(W), 0.0))
            a, b = output.marginals(q * q)
            g = a @ output.x - b @ output.y
            floor = 1e-3 * length.mean() + 1e-100
            lengths.append(length + floor)
            sizes.append(np.sqrt(max(g @ W @ g, 0.0)) + floor)
        return np.concatenate([self.q, *map(np.log, lengths), np.log(sizes)])

    def _apart(self, values):
        """What belongs to the pairs of each output."""
        return np.split(values, self._ends[:-1])

    def _moments(self, z):
        """(residuals (K, n), sum_k T_k M_k, what it is made of in each output)."""
        d, half, middle, n = self.n_features, self.half, self.middle, len(self.q)
        matrix, kept = np.zeros((d, d)), []
        r = np.zeros((self.n_outputs, self.n_rows))
        parts = self._apart(z[:n]), self._apart(np.exp(z[n : 2 * n]))
        sigmas = np.exp(z[2 * n :])
        for k, output, q, tau, sigma in zip(
            self.places, self.outputs, *parts, sigmas, strict=True
        ):
            mass = q * q
            a, b = output.marginals(mass)
            g = a @ output.x - b @ output.y
            total = half * (mass @ tau) + middle * sigma
            own = output.moments(half * mass / tau)
            own += np.outer(g, g) * (middle / sigma)
            matrix += total * own
            kept.append((output, q, mass, tau, sigma, g, total, own))
            r[k] = output.residuals(a, b)
        return r, matrix, kept

    def value_and_gradient(self, z, power):
        """-D(alpha R / U) and its gradient."""
        half, middle = self.half, self.middle
        r, matrix, kept = self._moments(z)
        values, vectors = eigen(matrix)
        log_square, weights = power_mean(np.log(values), power)
        scale = self.alpha * np.exp(-0.5 * log_square)
        _, value, slope, pull = best_scale(self.dual, r, scale)
        W = (vectors * (weights / values)) @ vectors.T
        of_q, of_tau, of_sigma = [], [], []
        for k, (output, q, mass, tau, sigma, g, total, own) in zip(
            self.places, kept, strict=True
        ):
            share = (W * own).sum()
            square = output.squares(W) / tau
            toward = W @ g
            ahead = output.differences((output.x @ toward, output.y @ toward))
            by_mass = 0.5 * half * (share * tau + total * square)
            by_mass += (total * middle / sigma) * ahead
            by_tau = 0.5 * half * mass * (share * tau - total * square)
            by_sigma = 0.5 * middle * (share * sigma - total * (g @ toward) / sigma)
            gain = output.differences((slope[k][output.up], slope[k][output.down]))
            of_q.append(2.0 * q * (gain - pull * by_mass))
            of_tau.append(-pull * by_tau)
            of_sigma.append(-pull * by_sigma)
        return -value, -np.concatenate([*of_q, *of_tau, of_sigma])

    def proof(self, q):
        """Residuals (K, n) and the spread that bounds their polar."""
        r, parts = np.zeros((self.n_outputs, self.n_rows)), []
        for k, output, mass in zip(
            self.places, self.outputs, self._apart(q * q), strict=True
        ):
            r[k], delta = output.residuals(*output.marginals(mass)), output.delta
            weights = np.r_[self.half * mass, self.middle]
            parts.append((weights, np.vstack([delta, mass @ delta])))
        return r, [Spread(parts)]

"""Units of one hidden layer of relu: directions of length 1, and amplitudes.

    f(x) = sum_j v_j relu(w_j.x + b_j) + c,  ||w_j|| = 1

relu scales with (w_j, b_j), so every network is of this form, and with
s_j = sqrt(||v_j||) the one with s_j w_j, s_j b_j, v_j / s_j has the least penalty of
all that predict the same: alpha sum_j ||v_j||.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..certificates.amplitudes import unit_values
from ..certificates.ascents import dense_rows


@dataclass
class Units:
    """The units of a network, and their values on the rows.

    Attributes
    ----------
    w : ndarray of shape (m, d)
    b : ndarray of shape (m,)
    v : ndarray of shape (K, m)
    c : ndarray of shape (K,)
    phi : ndarray of shape (m, n)
        relu(w_j.x_i + b_j).
    """

    w: np.ndarray
    b: np.ndarray
    v: np.ndarray
    c: np.ndarray
    phi: np.ndarray

    @classmethod
    def of_network(cls, coefs, intercepts, x, activation):
        """The units of a network on rows x, those without any effect left out."""
        w, b, v = coefs[0].T, intercepts[0], coefs[1].T
        size = np.linalg.norm(w, axis=1)
        live = size * np.linalg.norm(v, axis=0) > 0
        size = size[live]
        w, b, v = w[live] / size[:, None], b[live] / size, v[:, live] * size
        return cls(w, b, v, intercepts[1].copy(), unit_values(x, activation, w, b))

    @classmethod
    def none(cls, x, n_outputs):
        """No unit at all."""
        n, d = x.shape
        v, c = np.zeros((n_outputs, 0)), np.zeros(n_outputs)
        return cls(np.zeros((0, d)), np.zeros(0), v, c, np.zeros((0, n)))

    def __len__(self):
        return len(self.b)

    @property
    def sizes(self):
        """||v_j||, (m,)."""
        return np.sqrt((self.v * self.v).sum(axis=0))

    @property
    def raw(self):
        """Predictions, (K, n)."""
        return self.v @ self.phi + self.c[:, None]

    def with_amplitudes(self, v, c):
        """The units with other amplitudes; those that are 0 are dropped."""
        return Units(self.w, self.b, v, c, self.phi).take((v != 0).any(axis=0))

    def take(self, places):
        """Some of the units."""
        return Units(
            self.w[places],
            self.b[places],
            self.v[:, places],
            self.c,
            self.phi[places],
        )

    def add(self, w, b, x: Any, activation):
        """Further units, with the amplitude 0."""
        return Units(
            np.vstack([self.w, w]),
            np.r_[self.b, b],
            np.column_stack([self.v, np.zeros((len(self.v), len(b)))]),
            self.c,
            np.vstack([self.phi, unit_values(x, activation, w, b)]),
        )

    def network(self):
        """(coefs, intercepts) with the least penalty; a unit of 0 if there is none."""
        if not len(self):
            w, v = np.zeros((self.w.shape[1], 1)), np.zeros((1, len(self.c)))
            return [w, v], [np.zeros(1), self.c]
        size = self.sizes
        scale = np.sqrt(size)
        v = (self.v / np.where(size > 0, scale, 1.0)).T
        return [(self.w * scale[:, None]).T, v], [self.b * scale, self.c]


def bisecting(x, number, n_outputs):
    """(coefs, intercepts) of units that bisect pairs of rows, with the amplitude 0.

    Before its relu such a unit is -1/2 at one row of x (n, d) and 1/2 at the other: the
    data say where there is something to tell apart (Bolager et al., 2023, sample pairs
    with other labels). In canonical order any two rows are a pair, so the units are
    the same for every ``random_state``. One of 0 where no two rows differ.
    """
    n, d = x.shape
    number = min(number, n // 2)
    some = np.linspace(0, n, 2 * number, endpoint=False).astype(np.intp)
    first, second = np.split(dense_rows(x, some), 2)
    step = second - first
    square = (step * step).sum(axis=1)
    apart = (0 < square) & (square < np.inf)
    w = step[apart] / square[apart, None]
    b = -0.5 - (w * first[apart]).sum(axis=1)
    if not len(b):
        w, b = np.zeros((1, d)), np.zeros(1)
    return [w.T, np.zeros((len(b), n_outputs))], [b, np.zeros(n_outputs)]

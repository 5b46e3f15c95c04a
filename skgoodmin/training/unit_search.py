"""The search for units that a network misses: where ascents set out, which go on.

Ascents of the polar (:mod:`skgoodmin.certificates.ascents`) in the residuals of a dual
point set out from units and neurons known, from random directions and, as many of
these, from random sums of three units: where many features go together, a further
direction is mostly a combination of those that are good already.

After a few evaluations those go on that promise most: what they would come to if they
rose on like that. Their height alone says less than nothing, for the highest are mostly
on their way to a unit that the network has; one that is beside it ends there. Later an
ascent that does not promise to come above alpha ends as well.

With one or two features the best neuron of all is looked for by branch and bound
(:mod:`skgoodmin.certificates.plane`), where ascents find nothing any more.
"""

import numpy as np
from scipy.spatial.distance import cdist

from ..certificates.ascents import (
    ascent_work,
    relu_ascents,
    rows_used,
    starting_points,
)
from ..certificates.plane import plane_neuron
from ..certificates.polar_bound import Points

N_RANDOM, PER_UNIT = 32, 0.5  # random ascents of a round, and for each of many units
N_UNITS = 16  # ascents from the units and neurons that are missed most
COMBINED, TOGETHER = 0.5, 3  # what part of the random ones are sums of so many units
# Evaluations of all ascents, and when they are first looked at; how near a unit, in
# (w, b), nothing is.
N_FIRST, FIRST_LOOK, BESIDE = 11, np.array([(6, -np.inf)]), 0.14
# One of how many goes on for how much longer: at first, and where the gap is small.
GOING_ON, N_STEPS = (4, 3), (40, 60)
# Evaluations after which those end that promise less than what, in units of alpha.
LOOKS = np.array([(6, 0.95), (12, 0.98), (20, 0.995), (30, 1.0)])
# Arcs in which the best neuron of all is looked for, at most; and times the rows.
ARCS, ARCS_TIMES_ROWS = 20_000, 1_000_000


def n_ascents(n_units):
    """Random ascents of a search in a network of so many units."""
    return max(N_RANDOM, int(PER_UNIT * n_units))


class UnitSearch:
    """Searches on the same rows, one after the other.

    Parameters
    ----------
    x : ndarray or CSR of shape (n, d)
    rng : numpy.random.RandomState
    tolerance : float
        Of the best polar in the plane, relative.

    Attributes
    ----------
    in_the_plane : bool
        Whether the best neuron of all can be found.
    neurons : (coefs (m, d), intercepts (m,))
        The best ones that the last search found.
    """

    def __init__(self, x, rng, tolerance):
        self.x, self.rng, self.tolerance = x, rng, tolerance
        self.in_the_plane = x.shape[1] <= 2
        self.neurons = np.zeros((0, x.shape[1])), np.zeros(0)

    def __call__(self, w, b, point, n_random, is_small):
        """(ascents, multiplications); the dual point learns what they see.

        Parameters
        ----------
        w, b : ndarrays of shape (m, d) and (m,)
            The units, of length 1.
        point : DualPoint
        n_random : int
            Ascents from random directions, sums of units among them. Where it is 0,
            all units set out: of many, some are on a ridge that still rises. In the
            plane it is the best neuron of all, and nothing else.
        is_small : bool
            Whether the gap is.
        """
        x, r = rows_used(self.x, point.residuals)
        if n_random:
            starts = self._starts(x, r, w, point.n_random == 0, n_random)
        else:
            starts, w, b = w, w[:0], b[:0]  # beside which nothing is
            if self.in_the_plane:
                starts = self._best_in_the_plane(point.residuals)
        found = self.ascend(x, r, starts, (w, b), point.alpha, is_small)
        n_evaluations = found.n_evaluations + len(starts)
        point.learn(found.values)
        point.n_random += n_random
        best = found.distinct(0.0, N_UNITS)
        self.neurons = found.coefs[best], found.intercepts[best]
        return found, len(x) * ascent_work(x.shape[1], r.shape[1]) * n_evaluations

    def _starts(self, x, r, units, is_first, n_random):
        """Directions to set out from; units do so only the first time."""
        n_combined = int(COMBINED * n_random) if len(units) else 0
        known = np.vstack([self.neurons[0], units])
        numbers = N_UNITS if is_first else 0, n_random - n_combined
        starts = starting_points(x, r, known, *numbers, self.rng)
        some = self.rng.randint(max(len(units), 1), size=(n_combined, TOGETHER))
        shares = self.rng.normal(size=(n_combined, TOGETHER, 1))
        return np.vstack([starts, (shares * units[some]).sum(axis=1)])

    def _best_in_the_plane(self, residuals):
        """Direction (1, d) of the neuron with the largest polar; (0, d) without one."""
        points = Points(self.x, residuals)
        most = min(ARCS, ARCS_TIMES_ROWS // max(len(points.used), 1))
        neuron, _ = plane_neuron(points, self.tolerance, most)
        w = neuron.coef[None]
        return w[w.any(axis=1)]

    def ascend(self, x, r, starts, units, alpha, is_small):
        """Ascents from all starts; those that promise most go on for longer."""
        found = relu_ascents(x, r, starts, N_FIRST, looks=FIRST_LOOK)
        promise = found.promises
        promise[_distances(found, units, x) < BESIDE] = -np.inf
        most = -(-len(promise) // GOING_ON[is_small])
        best = np.argsort(-promise, kind="stable")[:most]
        best = np.sort(best[promise[best] > -np.inf])
        return found.go_on(x, r, best, N_STEPS[is_small], LOOKS * (1.0, alpha))


def _distances(ascents, units, x):
    """(m,): from each ascent to the nearest of units (w, b), in w and b.

    b is measured from the mean row, in deviations of the rows along a direction.
    """
    if not len(x):  # no row has a residual, and there is no ascent
        return np.empty(0)
    centre = x.mean(axis=0)
    deviation = np.sqrt(((x - centre) ** 2).mean())

    def points(w, b):
        offset = (b + w @ centre) / max(deviation, 1e-300)
        return np.column_stack([w, offset])

    near, far = points(ascents.coefs, ascents.intercepts), points(*units)
    return cdist(near, far).min(axis=1, initial=np.inf)

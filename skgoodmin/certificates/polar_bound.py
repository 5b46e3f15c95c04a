"""The polar of residuals from above: proven for every neuron, by transport.

For one output let P and N be the rows with r > 0 and r < 0, pi a plan from r_P to
|r_N|, and g = sum_ij pi_ij (x_i - x_j). With slopes of the activation in [low, high],
act(w.x_i + b) - act(w.x_j + b) is w.(x_i - x_j) times a number in that range. With its
middle and half its width, for every w and b,

    |sum_i r_i act(w.x_i + b)| <= middle |w.g| + half sum_ij pi_ij |w.(x_i - x_j)|,

a spread (:mod:`skgoodmin.certificates.spread`). Several outputs have a plan each and
add their squares. In a deep network a path through L layers has the product of L
slopes, one for each pair of rows, so the bound holds with the range of products in
place of [low, high].

**Without a plan**, all rows are paired with their centre c. Since sum_i r_i = 0 the
same bound holds with g = sum_i r_i x_i and |r_i| |w.(x_i - c)| in place of the pairs.
It is far above the polar where rows with residuals against each other are near each
other. But it costs little, and it is near where the network is nearly constant.

**In floating point.** The exact balanced residuals R*, the plan in memory and the
differences made of it disagree by rounding. For a vector e with sum 0 the polar is at
most slope * sum |e_i| ||x_i - centre||, so what they disagree by, in mass, times the
radius of the data is added: ``slack`` below.
"""

import numpy as np
from scipy.sparse import issparse

from . import transport
from .spread import EPS, Spread, exponential, tighten
from .transport import pairs

SMALLEST = 1e-120  # product of a residual and a row, of which there is a square


def product_range(activation, n_hidden):
    """(least, largest) product of ``n_hidden`` slopes."""
    ends = activation.slopes
    least, most = ends
    for _ in range(n_hidden - 1):
        corners = [a * b for a in (least, most) for b in ends]
        least, most = min(corners), max(corners)
    return least, most


def middle_and_half(slopes):
    """|middle| and half the width of a range of slopes, rounded outwards."""
    low, high = slopes
    outwards = 0.5 * (1.0 + 4 * EPS)
    return outwards * abs(low + high), outwards * (high - low)


def missed_by(x, coordinates, basis):
    """What coordinates of rows in a basis miss of them: at least ||x_i - Q z_i||.

    Measured, and what rounding can hide of that. For balanced residuals and b free, a
    shift of all rows is no matter, so it holds for rows that are centred or not.

    Parameters
    ----------
    x : ndarray of shape (n, d)
    coordinates : ndarray of shape (n, m)
    basis : ndarray of shape (d, m)
        Orthonormal columns.

    Returns
    -------
    missed : ndarray of shape (n,)
    """
    apart = coordinates @ basis.T
    apart -= x
    apart, size = (np.sqrt(np.einsum("ij,ij->i", rows, rows)) for rows in (apart, x))
    return 2 * apart + 16 * EPS * sum(x.shape) * size


class Points:
    """The rows that take part: centred, in a basis of few dimensions.

    Parameters
    ----------
    x : ndarray or CSR of shape (n, d)
    residuals : ndarray of shape (K, n)
        Balanced.
    missed : ndarray of shape (n,), optional
        See :func:`missed_by`, where x are coordinates already.

    Attributes
    ----------
    used : ndarray of shape (m,)
        Places of the rows with a residual.
    x : ndarray of shape (m, d), or (m, m) if d > m
    residuals : ndarray of shape (K, m)
    centre : ndarray of shape (d,)
        What was taken off.
    radius : float
        Largest distance from the centre.
    """

    def __init__(self, x, residuals, missed=None):
        self.used = np.flatnonzero((residuals != 0).any(axis=0))
        self.residuals = np.ascontiguousarray(residuals[:, self.used])
        x = x[self.used]
        x = np.asarray(x.toarray() if issparse(x) else x, dtype=np.float64)
        self.missed = np.zeros(len(x)) if missed is None else missed[self.used]
        self.centre = np.zeros(x.shape[1])
        if len(x):
            # Any centre will do; the subtraction rounds to half a unit of each number.
            mass = abs(self.residuals).sum(axis=0)
            self.centre = mass @ x / mass.sum()
            x = x - self.centre
        if x.shape[1] > max(len(x), 2) and len(x):
            # More columns than rows: coordinates in the span of the rows. What the
            # basis misses is a part that the bound has to add.
            basis = np.linalg.qr(x.T)[0]
            short = x @ basis
            self.missed = self.missed + missed_by(x, short, basis)
            x = short
        self.x = np.ascontiguousarray(x)
        self.radius = float(np.sqrt((x * x).sum(axis=1).max(initial=0.0)))

    @property
    def has_squares(self):
        """Whether squares of residuals times rows are in the range of floats.

        A bound made of squares that underflow would be far below the polar.
        """
        product = self.radius * abs(self.residuals).max(initial=0.0)
        return self.radius == 0 or product >= SMALLEST

    def slack(self, residuals, slope, deviation=0.0, n_terms=0):
        """What rounding and a plan's deviation can hide of the polar of residuals.

        Parameters
        ----------
        residuals : ndarray of shape (K, m)
        slope : float
            Largest size of a slope.
        deviation : float, default=0.0
            Mass by which the plans miss their marginals.
        n_terms : int, default=0
            Terms of the longest sum, beyond the number of rows.
        """
        mass = abs(residuals).sum(axis=0)
        terms = sum(self.x.shape) + 2 * n_terms + 50
        wrong = 2.0 * deviation + 8 * EPS * terms * mass.sum()
        return slope * 1.01 * (wrong * self.radius + mass @ self.missed)


def central_bound(points, slopes, n_tighten, enough):
    """Proven bound of the polar of R*, the exactly balanced point next to R, no plan.

    Parameters
    ----------
    points : Points
    slopes : (float, float)
        Range of the activation's slopes.
    n_tighten : int
        Steps of W.
    enough : float
        Of a bound that must be larger only this is found out.

    Returns
    -------
    bound : float
        inf where it must be larger than ``enough``, or nothing is known of it.
    """
    if not points.has_squares:
        return np.inf
    (middle, half), x = middle_and_half(slopes), points.x
    residuals = points.residuals[(points.residuals != 0).any(axis=1)]
    g = residuals @ x
    # The bound is at least this, along the longest g and for the W of no direction.
    size, mass = np.linalg.norm(g, axis=1), half * abs(residuals)
    w = g[size.argmax()] / max(size.max(), 1e-300)
    along = mass @ abs(x @ w) + middle * abs(g @ w)
    around = mass @ np.linalg.norm(x, axis=1) + middle * size
    least = max(np.linalg.norm(along), np.linalg.norm(around) / np.sqrt(x.shape[1]))
    if not least <= enough:
        return np.inf
    parts = []
    for r, moment in zip(residuals, g, strict=True):
        used = np.flatnonzero(r)
        weights = np.append(half * abs(r[used]), middle)
        parts.append((weights, np.vstack([x[used], moment])))
    spread = Spread(parts)
    bound = tighten(spread, n_tighten)[0]
    slope = max(abs(v) for v in slopes)
    return bound + points.slack(points.residuals, slope, n_terms=spread.n_terms)


def _sides(r):
    """Places of the two signs of a vector, and their masses with equal sums."""
    up, down = np.flatnonzero(r > 0), np.flatnonzero(r < 0)
    a, b = r[up], -r[down]
    return up, down, a, b


def bound_of_plans(x, residuals, slopes, n_rounds, n_tighten, largest):
    """Bound of sup ||sum_i R_i act(w.x_i + b)|| by plans of pairs.

    A plan for each output; rounds average the plans of different W.

    Returns
    -------
    value : float
        Without slack.
    deviation : float
        Of the marginals of the plans.
    """
    middle, half = middle_and_half(slopes)
    outputs = [r for r in residuals if (r != 0).any()]
    masses: list[list] = [[] for _ in outputs]
    differences: list[list] = [[] for _ in outputs]
    deviation, best, n_plans, log_w = 0.0, np.inf, 0, None
    for _ in range(n_rounds if half > 0 else 1):
        W = np.eye(x.shape[1]) if log_w is None else exponential(log_w)
        direction = np.linalg.eigh(W)[1][:, -1]
        parts, off = [], 0.0
        for r, mass, difference in zip(outputs, masses, differences, strict=True):
            up, down, a, b = _sides(r)
            x_up, x_down = x[up], x[down]
            g = a @ x_up - b @ x_down
            if half == 0:
                parts.append((np.array([middle]), g[None]))
                continue

            def cost(rows, columns, W=W, x_up=x_up, x_down=x_down):
                left, right = x_up[rows], x_down[columns]
                square = ((left @ W) * left).sum(axis=1)[:, None]
                square = square + ((right @ W) * right).sum(axis=1)
                square = square - 2.0 * (left @ W) @ right.T
                return np.sqrt(np.maximum(square, 0.0))

            i, j, pi, missed = pairs(a, b, cost, x_up, x_down, direction, largest)
            off += missed
            # Earlier plans keep the share that a mean of all gives them.
            for k in range(len(mass)):
                mass[k] = mass[k] * (n_plans / (n_plans + 1.0))
            mass.append(pi / (n_plans + 1.0))
            difference.append(x_up[i] - x_down[j])
            c = np.concatenate([half * m for m in mass] + [np.array([middle])])
            parts.append((c, np.vstack([*difference, g])))
        n_plans += 1
        deviation = max(deviation, off)
        value, log_w = tighten(Spread(parts), n_tighten, log_w)
        best = min(best, value)
        if log_w is None:  # the next plan would be this one again
            break
        # The next plan is for a W a little more even than the best one.
        log_w = 0.9 * log_w
    return best, deviation


def polar_bound(
    points, activation, n_hidden=1, n_rounds=20, n_tighten=60, largest=transport.LARGEST
):
    """Proven bound of the polar of R*, the exactly balanced point next to R.

    Parameters
    ----------
    points : Points
    activation : Activation
    n_hidden : int, default=1
    n_rounds, n_tighten : int
        Plans, and steps of W for the last one.
    largest : int
        Entries of a plan that is solved in one piece.

    Returns
    -------
    bound : float
        inf where nothing is known of it.
    """
    if not len(points.used):
        return 0.0
    if not transport.has_pot():
        n_rounds = min(n_rounds, 3)  # plans of Sinkhorn have many pairs
    numbers = n_rounds, n_tighten, largest
    x, residuals = points.x, points.residuals
    low, high = product_range(activation, n_hidden)
    slope = max(abs(low), abs(high))
    if points.radius == 0:
        return points.slack(residuals, slope)
    if not points.has_squares:
        return np.inf
    value, deviation = bound_of_plans(x, residuals, (low, high), *numbers)
    return value + points.slack(residuals, slope, deviation, 2 * len(x) * n_rounds)

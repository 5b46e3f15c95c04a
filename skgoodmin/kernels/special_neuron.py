"""The special neuron: one exponential added to the output of the network.

    f~(x) = f(x; theta) + a exp(w.x + b)
    J~(theta, a, w, b) = mean loss of f~ + lambda/2 sum_k a_k^2

w has shape (n_features,), b is a number, a has shape (n_outputs,): one amplitude per
output is enough (Kawaguchi and Kaelbling 2020).

**Theorem** (Liang, Sun, Lee and Srikant 2018, Theorem 1). For a convex,
differentiable loss, any network f and lambda > 0: at every local minimum of J~ the
amplitude a is 0 and theta is a global minimum of the plain loss, which then equals the
pointwise lower bound of the labels. Why, in three lines:

1. a dJ~/da - dJ~/db = lambda a^2, so a = 0 wherever both derivatives vanish.
2. With a = 0, moving w changes nothing, so G(w, b) = sum_i r_i exp(w.x_i + b) = 0 for
   all w nearby, where r_i is the derivative of the loss by f(x_i).
3. Exponentials with different x_i are linearly independent, so the r_i of every group
   of identical rows sum to 0: each group sits at the minimum of its convex loss.

**Limits.** A descent method need not end in a local minimum: where no theta reaches
the lower bound (a small network, weight decay, log-loss) J~ has none at all, and the
descent runs to b = infinity with a -> 0 while the contribution a exp(w.x + b) stays.
So |a| alone is evidence of nothing; what has to vanish is the contribution. Training
all parameters together is measurably worse than leaving the neuron out.

**Monomial neuron.** a (w.x + b)^p in place of the exponential. By Euler's identity for
homogeneous functions (w dJ~/dw + b dJ~/db) / p = a dJ~/da - lambda a^2, so a = 0 again.
G = 0 for all (w, b) kills the moments of the r_i up to degree p, and the conclusion
holds if the matrix ((1 + z_k.z_l)^p) of the distinct rows z has full rank: always for p
at least their number less 1 (:mod:`skgoodmin.training.neuron_degree`).

**Overflow.** The exponential neuron is evaluated as exp(beta + w.x - max_i w.x_i), with
beta as its parameter in place of b. That is a change of coordinates, so the theorem
stands, and with beta bounded no exponential overflows on the training rows. The
exponent is never clipped: that would take the loss and its gradient apart.

References
----------
.. [LSLS18] S. Liang, R. Sun, J. D. Lee, R. Srikant, "Adding One Neuron Can Eliminate
   All Bad Local Minima", NeurIPS 2018, arXiv:1805.08671.
.. [KK20] K. Kawaguchi, L. P. Kaelbling, "Elimination of All Bad Local Minima in Deep
   Learning", AISTATS 2020, arXiv:1901.00279.
"""

from .jit import njit
from .vector_math import exp64


@njit
def exponents(rows, x, first, w, out):
    """w.x_i for the rows of a block, dense (``x``) or sparse (``rows``)."""
    for i in range(out.size):
        total = 0.0
        if rows.sparse:
            row = rows.index[first + i]
            for p in range(rows.indptr[row], rows.indptr[row + 1]):
                total += rows.data[p] * w[rows.indices[p]]
        else:
            for j in range(w.size):
                total += x[i, j] * w[j]
        out[i] = total


@njit
def natural_power(z, exponent):
    """z^exponent by squaring, for an integer exponent >= 0."""
    power = 1.0
    while exponent > 0:
        if exponent & 1:
            power *= z
        z *= z
        exponent >>= 1
    return power


@njit
def neuron_forward(rows, x, first, neuron, degree, e, slope, raw):
    """With z_i = w.x_i + b: e_i = exp(z_i), or z_i^p for p = ``degree`` > 0.

    raw_ki += a_k e_i and slope_i = de_i/dz_i, with ``neuron`` = (w, b, a).
    """
    n_features = neuron.size - 1 - raw.shape[0]
    amplitudes = neuron[n_features + 1 :]
    exponents(rows, x, first, neuron[:n_features], e)
    for i in range(e.size):
        z = e[i] + neuron[n_features]
        if degree == 0:
            e[i] = exp64(z)
            slope[i] = e[i]
        else:
            power = natural_power(z, degree - 1)
            e[i] = power * z
            slope[i] = degree * power
    for k in range(raw.shape[0]):
        for i in range(e.size):
            raw[k, i] += amplitudes[k] * e[i]


@njit
def neuron_backward(rows, x, first, neuron, e, slope, delta_raw, gradient):
    """Add dJ~/d(w, b, a) of a block to ``gradient`` (n_features + 1 + n_outputs,).

    With h_i = sum_k a_k delta_ki slope_i: dJ/dw += sum_i h_i x_i, dJ/db += sum_i h_i,
    dJ/da_k += sum_i delta_ki e_i.
    """
    n_features = neuron.size - 1 - delta_raw.shape[0]
    amplitudes = neuron[n_features + 1 :]
    for i in range(e.size):
        h = 0.0
        for k in range(amplitudes.size):
            gradient[n_features + 1 + k] += delta_raw[k, i] * e[i]
            h += amplitudes[k] * delta_raw[k, i]
        h *= slope[i]
        gradient[n_features] += h
        if rows.sparse:
            row = rows.index[first + i]
            for p in range(rows.indptr[row], rows.indptr[row + 1]):
                gradient[rows.indices[p]] += h * rows.data[p]
        else:
            for j in range(n_features):
                gradient[j] += h * x[i, j]

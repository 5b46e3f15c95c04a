"""Adam on small batches of rows: how the training of a large table begins.

A look at all rows of a large table takes longer than hundreds of steps that each look
at a few. With g_t the gradient of the objective on batch t (Kingma and Ba 2015),

    m_t = 0.9 m_(t-1) + 0.1 g_t,    v_t = 0.999 v_(t-1) + 0.001 g_t^2
    theta_t = theta_(t-1) - rate_t (m_t / (1 - 0.9^t)) / sqrt(v_t / (1 - 0.999^t))

with a rate that falls to 0 along a line. L-BFGS goes on from there, on all rows.

Batches are neighbours in canonical order, which is that of a hash: as good as random,
and the same for any order of the rows. All is summed by one thread, on a cluster by the
client, so that the bits are the same everywhere.
"""

from dataclasses import replace

import numpy as np

BATCH, RATE = 256, 0.005
STEPS, EPOCHS = 2**15, 100  # at most, an epoch being a look at all rows
ROWS = 8  # for each parameter, at least: of fewer L-BFGS alone makes as much as fast
MOST = 2**24  # numbers in the rows that batches are taken from, the first ones
FIRST, SECOND, TINY = 0.1, 0.001, 1e-8  # shares of a step in the moments; in the root


def adam(objective, theta, budget):
    """(parameters that it leads to, evaluations on all rows that this is worth).

    ``theta`` itself and 0 where the starts are those of an earlier fit, where the table
    is not large, and where its numbers are not for float32.
    """
    n_rows, n_features = objective.data.whole.n_rows, objective.data.n_features
    few = n_rows < ROWS * objective.n_parameters
    epochs = min((budget.max_fun - 4) // 2, EPOCHS)  # half of the budget, at most
    steps = min(STEPS, epochs * n_rows // BATCH)
    if few or steps < 1 or not budget.fresh or objective.in_float32 is None:
        return theta, 0.0
    rough = objective.in_float32
    some = replace(rough, data=rough.data.first(max(MOST // n_features, BATCH)))
    found, taken = _descend(some, theta.copy(), steps, budget.stop)
    before, after = (rough.value_and_gradient(point)[0] for point in (theta, found))
    cost = taken * BATCH / n_rows + 2.0
    return (found if after < before else theta), cost


def _descend(objective, theta, steps, stop):
    """(theta after the steps, how many were made before a stop was asked for)."""
    n_rows, n_weights = objective.data.n_rows, objective.layout.n_weights
    number = n_rows // BATCH
    cuts = np.linspace(0, n_rows, number + 1).astype(int).tolist()
    mean, square = np.zeros((2, len(theta)))
    for step in range(steps):
        if stop.made:
            return theta, step
        batch = step % number
        _, g = objective.of_rows(theta, cuts[batch], cuts[batch + 1])
        g *= number  # the part of a batch in the sum, as of all rows
        g[:n_weights] += objective.alpha * theta[:n_weights]
        mean += FIRST * (g - mean)
        square += SECOND * (g * g - square)
        root = np.sqrt(square / (1.0 - (1.0 - SECOND) ** (step + 1))) + TINY
        rate = RATE * (1.0 - step / steps) / (1.0 - (1.0 - FIRST) ** (step + 1))
        theta -= rate * mean / root
    return theta, steps

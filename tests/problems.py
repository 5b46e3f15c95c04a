"""Objectives on small random data, and the paper's tiny problems."""

import numpy as np
from scipy.sparse import csr_array

from skgoodmin.losses import LogLoss, PolynomialHinge
from skgoodmin.objective import Objective
from skgoodmin.parameters import ParameterLayout
from skgoodmin.rows import canonical_rows

LOSSES = {"poly_hinge": PolynomialHinge(3.0), "log_loss": LogLoss()}


def random_objective(
    hidden=(5,),
    activation="tanh",
    loss="poly_hinge",
    n_outputs=1,
    *,
    multilabel=False,
    sparse=False,
    weights=False,
    alpha=0.1,
    n=37,
    n_features=3,
    dtype=np.float64,
    seed=0,
):
    """(objective, theta) with everything random but the shape."""
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(n, n_features)).astype(dtype)
    if sparse:
        X[rng.uniform(size=X.shape) < 0.5] = 0
        X = csr_array(X)
    if multilabel:
        labels = rng.randint(2, size=(n, n_outputs))
    else:
        labels = rng.randint(max(n_outputs, 2), size=(n, 1))
    weight = rng.uniform(0.1, 3, size=n) if weights else None
    data = canonical_rows(X, labels.astype(np.int32), weight)
    layout = ParameterLayout((n_features, *hidden, n_outputs))
    several = n_outputs > 1 and not multilabel
    loss = LOSSES.get(loss, loss)
    objective = Objective(data, layout, activation, loss, several, alpha)
    return objective, layout.start(rng)


def tiny_objective(X, y, hidden, activation="relu", degree=3.0):
    """Objective of the rows X (n, d), labels y in -1, +1, without penalty."""
    X = np.asarray(X, dtype=float).reshape(len(y), -1)
    labels = (np.asarray(y) > 0).astype(np.int32)[:, None]
    data = canonical_rows(X, labels)
    layout = ParameterLayout((X.shape[1], *hidden, 1))
    return Objective(data, layout, activation, PolynomialHinge(degree), False, 0.0)


def bad_minimum(problem):
    """(objective, theta_bad) of a problem of :mod:`skgoodmin.datasets`."""
    hidden, activation = problem.hidden_layer_sizes, problem.activation
    objective = tiny_objective(problem.X, problem.y, hidden, activation)
    return objective, problem.theta_bad


def five_point(function, x, step=1e-3):
    """Numerical gradient of ``function`` at x, of error O(step^4)."""
    gradient = np.empty_like(x)
    for j in range(len(x)):
        values = []
        for k in (-2, -1, 1, 2):
            y = x.copy()
            y[j] += k * step
            values.append(function(y))
        gradient[j] = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (
            12 * step
        )
    return gradient


def numpy_objective(objective, theta):
    """The objective in plain numpy, written from the formulas alone."""
    data = objective.data
    X = data.block()
    X = X.toarray() if data.rows.sparse else X
    y, s = data.labels, data.weights
    coefs, intercepts = objective.layout.unpack(theta)
    act = {
        "identity": lambda z: z,
        "logistic": lambda z: 0.5 * (1 + np.tanh(z / 2)),
        "tanh": np.tanh,
        "relu": lambda z: np.where(z > 0, z, 0),
        "softplus": lambda z: np.logaddexp(z, 0),
        "silu": lambda z: z * 0.5 * (1 + np.tanh(z / 2)),
    }[objective.activation]
    a = X
    for w, c in zip(coefs[:-1], intercepts[:-1], strict=True):
        a = act(a @ w + c)
    f = a @ coefs[-1] + intercepts[-1]
    k = f.shape[1]
    if k == 1:
        sign = 2.0 * y - 1
    elif y.shape[1] == k:
        sign = 2.0 * y - 1
    else:
        sign = np.where(y == np.arange(k), 1.0, -1.0)
    if isinstance(objective.loss, PolynomialHinge):
        values = (np.maximum(0, 1 - sign * f) ** objective.loss.degree).sum(axis=1)
    elif objective.several_classes:
        values = np.logaddexp.reduce(f, axis=1) - f[np.arange(len(f)), y[:, 0]]
    else:
        values = np.logaddexp(0, -sign * f).sum(axis=1)
    penalty = sum((w**2).sum() for w in coefs)
    return (s @ values) / s.sum() + objective.alpha / 2 * penalty

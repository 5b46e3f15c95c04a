"""Objectives on small random data, and the paper's tiny problems."""

import numpy as np
from scipy.sparse import csr_array

from skgoodmin.kernels.activations import ACTIVATIONS
from skgoodmin.objective.canonical_rows import canonical_rows
from skgoodmin.objective.layout import ParameterLayout
from skgoodmin.objective.losses import (
    LOSSES,
    TARGET_LOSSES,
    Huber,
    Logistic,
    PolynomialHinge,
    Softmax,
    SquaredError,
)
from skgoodmin.objective.losses.target_loss import TargetLoss
from skgoodmin.objective.objective import Objective
from skgoodmin.training.compact_lbfgs import compact_steps
from skgoodmin.training.lbfgs import MEMORY


def all_losses(degree=3.0):
    """One of each loss that the user can name."""
    made = [make(degree) for named in LOSSES.values() for make in named]
    return [loss for i, loss in enumerate(made) if loss not in made[:i]]


def target_losses(epsilon=0.7):
    """One of each loss of real targets that the user can name."""
    return [make(epsilon) for make in TARGET_LOSSES.values()]


def loss_called(name, n_outputs=1, multilabel=False, degree=3.0):
    """The loss that the user calls so."""
    several = n_outputs > 1 and not multilabel
    named = LOSSES[name]
    return named.of_classes(degree) if several else named.of_labels(degree)


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
    """(objective, theta) with everything random but the shape.

    ``loss`` is a name or a loss; one of real targets gets such.
    """
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(n, n_features)).astype(dtype)
    if sparse:
        X[rng.uniform(size=X.shape) < 0.5] = 0
        X = csr_array(X)
    if isinstance(loss, str):
        loss = loss_called(loss, n_outputs, multilabel)
    if isinstance(loss, TargetLoss):
        labels = rng.normal(size=(n, n_outputs))
    elif multilabel:
        labels = rng.randint(2, size=(n, n_outputs)).astype(np.int32)
    else:
        labels = rng.randint(max(n_outputs, 2), size=(n, 1)).astype(np.int32)
    weight = rng.uniform(0.1, 3, size=n) if weights else None
    data = canonical_rows(X, labels, weight)
    layout = ParameterLayout((n_features, *hidden, n_outputs))
    objective = Objective(data, layout, ACTIVATIONS[activation], loss, alpha)
    return objective, layout.start(rng)


def compact_steps_for(theta, bounds, tol):
    """Those of ``compact_steps``, whatever the number of parameters."""
    return compact_steps(theta, tol, MEMORY)


def tiny_objective(X, y, hidden, activation="relu", degree=3.0):
    """Objective of the rows X (n, d), labels y in -1, +1, without penalty."""
    X = np.asarray(X, dtype=float).reshape(len(y), -1)
    labels = (np.asarray(y) > 0).astype(np.int32)[:, None]
    data = canonical_rows(X, labels)
    layout = ParameterLayout((X.shape[1], *hidden, 1))
    loss = PolynomialHinge(degree)
    return Objective(data, layout, ACTIVATIONS[activation], loss, 0.0)


def bad_minimum(problem):
    """(objective, theta_bad) of a problem of :mod:`skgoodmin.datasets`."""
    hidden, activation = problem.hidden_layer_sizes, problem.activation
    objective = tiny_objective(problem.X, problem.y, hidden, activation)
    return objective, problem.theta_bad


def difference_step(activation):
    """Step of finite differences that seldom reaches the next kink."""
    return 1e-6 if activation == "relu" else 1e-3


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


# By the names of ACTIVATIONS, written from the formulas alone; in any precision.
REFERENCES = {
    "identity": lambda z: z,
    "logistic": lambda z: (1 + np.tanh(z / 2)) / 2,
    "tanh": np.tanh,
    "relu": lambda z: np.where(z > 0, z, 0),
    "softplus": lambda z: np.logaddexp(z, z.dtype.type(0)),
    "silu": lambda z: z * (1 + np.tanh(z / 2)) / 2,
}


def reference_activation(name):
    """The activation in plain numpy; it leaves its argument alone."""
    if name not in REFERENCES:
        raise AssertionError(
            f"The tests have no formula for the activation {name!r} to compare with; "
            "add one to tests/problems.py."
        )
    return REFERENCES[name]


def reference_loss(loss, raw, labels):
    """Losses of the rows (n,) in plain numpy, from raw predictions (n, n_outputs)."""
    n, n_outputs = raw.shape
    if isinstance(loss, SquaredError):
        return ((raw - labels) ** 2 / 2).sum(axis=1)
    if isinstance(loss, Huber):
        size, epsilon = np.abs(raw - labels), loss.epsilon
        near, far = size**2 / (2 * epsilon), size - epsilon / 2
        return np.where(size <= epsilon, near, far).sum(axis=1)
    if labels.shape[1] == n_outputs:
        sign = 2.0 * (labels == 1) - 1
    else:
        sign = np.where(labels == np.arange(n_outputs), 1.0, -1.0)
    if isinstance(loss, PolynomialHinge):
        return (np.maximum(0, 1 - sign * raw) ** loss.degree).sum(axis=1)
    if isinstance(loss, Logistic):
        return np.logaddexp(0, -sign * raw).sum(axis=1)
    if isinstance(loss, Softmax):
        return np.logaddexp.reduce(raw, axis=1) - raw[np.arange(n), labels[:, 0]]
    raise AssertionError(
        f"The tests have no formula for the loss {loss!r} to compare with; add one to "
        "tests/problems.py."
    )


def numpy_objective(objective, theta):
    """The objective in plain numpy, written from the formulas alone."""
    data = objective.data
    X = data.block()
    X = X.toarray() if data.rows.sparse else X
    s = data.weights
    coefs, intercepts = objective.layout.unpack(theta)
    act = reference_activation(objective.activation.name)
    a = X
    for w, c in zip(coefs[:-1], intercepts[:-1], strict=True):
        a = act(a @ w + c)
    f = a @ coefs[-1] + intercepts[-1]
    values = reference_loss(objective.loss, f, data.labels)
    penalty = sum((w**2).sum() for w in coefs)
    return (s @ values) / s.sum() + objective.alpha / 2 * penalty

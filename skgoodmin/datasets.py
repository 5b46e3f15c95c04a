"""Tiny problems with a known bad minimum, in closed form.

Each is a training set, a network, a theta at which gradient descent rests, and the best
value that a network of that size reaches. All losses are means of the polynomial hinge
of degree 3. The derivations behind them are for sums; a mean is the sum over n.
"""

from typing import NamedTuple

import numpy as np

from .objective.layout import ParameterLayout

__all__ = [
    "BadMinimum",
    "affine_trap",
    "constant_network",
    "contradicting_duplicates",
    "dead_relu",
    "dead_xor",
    "smooth_trap",
]


class BadMinimum(NamedTuple):
    """A problem, and parameters at which training ends without being globally optimal.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
        -1 or 1.
    hidden_layer_sizes : tuple
    activation : str
    theta_bad : ndarray of shape (n_parameters,)
        The parameters: all weights, then all intercepts.
    bad_value : float
        Mean loss at ``theta_bad``.
    best_value : float
        Infimum of the mean loss over all parameters of this network.
    """

    X: np.ndarray
    y: np.ndarray
    hidden_layer_sizes: tuple
    activation: str
    theta_bad: np.ndarray
    bad_value: float
    best_value: float


def _problem(X, y, hidden, activation, coefs, intercepts, bad_value, best_value):
    X, y = np.array(X, dtype=float).reshape(len(y), -1), np.array(y)
    layout = ParameterLayout((X.shape[1], *hidden, 1))
    shaped = [
        np.array(coef, dtype=float).reshape(fans)
        for coef, fans in zip(coefs, layout.fans, strict=True)
    ]
    theta = layout.pack(shaped, [np.array(c, dtype=float) for c in intercepts])
    return BadMinimum(X, y, hidden, activation, theta, bad_value, best_value)


def dead_relu():
    """One relu unit that is off on both rows: the network is constant.

    Returns
    -------
    problem : BadMinimum
        The gradient is exactly 0 and no small step changes anything but the constant.
    """
    return _problem([0, 1], [-1, 1], (1,), "relu", [0, 1], [[-1], [0]], 1.0, 0.0)


def _xor(coefs, intercepts):
    corners = [[0, 0], [0, 1], [1, 0], [1, 1]]
    labels = [-1, 1, 1, -1]
    return _problem(corners, labels, (2,), "relu", coefs, intercepts, 1.0, 0.0)


def dead_xor():
    """Xor with two relu units that are off on all rows.

    Returns
    -------
    problem : BadMinimum
    """
    return _xor([np.zeros((2, 2)), [1, 1]], [[-1, -1], [0]])


def affine_trap():
    """Xor with two relu units that are on for all rows: the network is affine.

    Returns
    -------
    problem : BadMinimum
        The best affine function on xor is 0, and all networks nearby are affine, so
        this is a local minimum (Christof and Kowalczyk, arXiv:2202.12262: whenever an
        activation has an affine piece).
    """
    return _xor([[[1, -1], [1, -1]], [1, 1]], [[3, 3], [-6]])


def smooth_trap():
    """Two tanh units without weights: a local minimum of a smooth objective.

    Returns
    -------
    problem : BadMinimum
        The Hessian is positive semidefinite with four eigenvalues 0, along the
        networks that are constant on the rows.
    """
    return _problem(
        [-1, 0, 0, 1],
        [1, -1, -1, 1],
        (2,),
        "tanh",
        [[0, 0], [1, 1]],
        [[1, 1], [-2 * np.tanh(1)]],
        1.0,
        0.0,
    )


def contradicting_duplicates():
    """A linear model with three equal rows, one of which has another label.

    Returns
    -------
    problem : BadMinimum
        The best value is the lower bound 4 / (1 + sqrt 2)^2 of the labels, not 0; it is
        reached, so theta_bad (the constant 0) is no local minimum here.
    """
    return _problem(
        [0, 0, 0, 1],
        [1, 1, -1, 1],
        (),
        "identity",
        [0],
        [[0]],
        1.0,
        4.0 / (1.0 + np.sqrt(2.0)) ** 2,
    )


def constant_network():
    """A linear model whose weight is to stay 0: no theta reaches the lower bound.

    Returns
    -------
    problem : BadMinimum
        With the intercept alone the best value is 1 (at 0). The augmented loss has no
        local minimum there: along w -> infinity it falls to 0 while the plain loss
        rises to 4.
    """
    return _problem([0, 1], [-1, 1], (), "identity", [0], [[0]], 1.0, 1.0)

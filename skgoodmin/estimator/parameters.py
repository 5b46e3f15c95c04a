"""Constraints of the parameters that all networks share."""

import os
from numbers import Integral, Real

import numpy as np
from sklearn.metrics import get_scorer_names
from sklearn.utils._param_validation import Interval, Options, StrOptions

from ..kernels.activations import ACTIVATIONS

# Of one fit.
NETWORK = {
    "hidden_layer_sizes": [
        "array-like",
        Interval(Integral, 1, None, closed="left"),
        StrOptions({"auto"}),
    ],
    "activation": [StrOptions(set(ACTIVATIONS))],
    "alpha": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
    "special_neuron": [StrOptions({"exponential", "monomial"}), None],
    "neuron_placement": [StrOptions({"skip", "per_layer"})],
    "neuron_degree": [Interval(Integral, 1, None, closed="left"), None],
    "neuron_alpha": [Interval(Real, 0, None, closed="neither")],
    "training": [StrOptions({"escape", "joint", "grow"})],
    "tol_gap": [Interval(Real, 0, 1, closed="left")],
    "n_init": [Interval(Integral, 1, None, closed="left")],
    "max_escapes": [Interval(Integral, 0, None, closed="left")],
    "n_jobs": [
        Interval(Integral, 1, None, closed="left"),
        Interval(Integral, None, -1, closed="right"),
        None,
    ],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "max_fun": [Interval(Integral, 1, None, closed="left")],
    "tol": [Interval(Real, 0, None, closed="left")],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "n_iter_no_change": [
        Interval(Integral, 1, None, closed="left"),
        Options(Real, {np.inf}),
    ],
    "warm_start": ["boolean"],
    "cache_dir": [str, os.PathLike, None],
    "random_state": ["random_state"],
    "verbose": ["verbose"],
}
# Of cross-validation over alpha.
CROSS_VALIDATION = {
    name: constraint
    for name, constraint in NETWORK.items()
    if name
    not in (
        "alpha",
        "early_stopping",
        "validation_fraction",
        "n_iter_no_change",
        "warm_start",
        "cache_dir",
    )
} | {
    "alphas": [Interval(Integral, 1, None, closed="left"), "array-like"],
    "cv": ["cv_object"],
    "scoring": [StrOptions(set(get_scorer_names())), callable, None],
    "refit": ["boolean"],
}

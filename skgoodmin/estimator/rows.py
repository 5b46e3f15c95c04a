"""Rows of a target: their weights by class, and a part of them set aside."""

import math

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import compute_class_weight

SMALL = -500  # exponent of two of a product of weights that is raised
LARGEST_SUM = 1e300  # of all weights: losses times weights stay finite


def check_sum(weights, factors=1.0):
    """An error unless the sum of weights x factors is one to divide losses by."""
    with np.errstate(over="ignore"):
        total = np.sum(weights * factors)
    if not 0 < total <= LARGEST_SUM:
        raise ValueError(
            f"the sum must be above 0 and at most {LARGEST_SUM:g}, got {total:g}."
        )


def class_factors(class_weight, target, data):
    """Factor of each canonical row, (n_rows,), from the classes of its labels.

    The sum of a class is rounded once: rows may be set aside later, and the pointwise
    bound knows only of those that are left.
    """
    factors = np.ones(data.n_rows)
    names = target.label_names
    for labels in data.labels.T:
        if class_weight == "balanced":
            each = range(len(names))
            counts = np.array([math.fsum(data.weights[labels == k]) for k in each])
            share = counts.sum() / ((counts > 0).sum() * np.where(counts, counts, 1.0))
        else:
            share = compute_class_weight(class_weight, classes=names, y=names)
            if not (np.isfinite(share).all() and share.min() >= 0 < share.max()):
                raise ValueError(
                    "class_weight must hold finite weights, none negative and not all "
                    f"zero, got {class_weight!r}."
                )
        factors = _raised(factors * share[labels])  # the columns may be many
    return _raised(factors, data.weights.max())


def _raised(factors, weight=1.0):
    """Factors times a power of two, where products with a weight might underflow.

    Losses are divided by the sum of all weights, so it makes no difference.
    """
    exponent = int(np.frexp(factors.max())[1] + np.frexp(weight)[1])
    return np.ldexp(factors, min(-exponent, 1000)) if exponent < SMALL else factors


def split(data, target, fraction, rng):
    """Canonical rows for training and for validation, stratified by class."""
    try:
        kept, held = train_test_split(
            np.arange(data.n_rows),
            test_size=fraction,
            stratify=target.strata(data.labels),
            random_state=rng.randint(np.iinfo(np.int32).max),
        )
    except ValueError as error:
        raise ValueError(
            f"early_stopping=True cannot set validation_fraction={fraction} of "
            f"{data.n_rows} distinct rows aside: {error}"
        ) from error
    return data.part(np.sort(kept)), data.part(np.sort(held))

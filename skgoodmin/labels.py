"""Labels of the user, as numbers, weights and strata of the rows."""

import numpy as np
from scipy.sparse import issparse
from sklearn.model_selection import train_test_split
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target


def encode(y, weights, classes):
    """Labels as int32 (n, 1) or, for multilabel, (n, n_labels), and the classes.

    Only rows with positive weight count; the others get label 0.
    """
    kind = type_of_target(y)
    if kind not in ("binary", "multiclass", "multilabel-indicator"):
        check_classification_targets(y)
    if kind == "multiclass-multioutput":
        raise ValueError(
            "y must be one column of classes or a matrix of 0 and 1 (multilabel); "
            "multiclass-multioutput targets are not supported."
        )
    if kind == "multilabel-indicator":
        labels = y.toarray() if issparse(y) else np.asarray(y)
        return labels.astype(np.int32), np.arange(labels.shape[1]), True
    used = slice(None) if weights is None else weights > 0
    present, codes = np.unique(y[used], return_inverse=True)
    classes = present if classes is None else np.unique(classes)
    if len(classes) < 2:
        raise ValueError(
            "GoodMinimaClassifier needs rows of at least 2 classes with positive "
            f"sample_weight; y has the one class {classes.tolist()[0]!r}."
        )
    place = np.searchsorted(classes, present)
    unknown = present[classes[np.minimum(place, len(classes) - 1)] != present]
    if len(unknown):
        raise ValueError(f"y has classes {unknown!r} that are not in {classes!r}.")
    labels = np.zeros((len(y), 1), dtype=np.int32)
    labels[used, 0] = place[codes]
    return labels, classes, False


def class_factors(class_weight, classes, multilabel, data):
    """Factor of each canonical row, (n_rows,), from the classes of its labels."""
    factors = np.ones(data.n_rows)
    values = np.arange(2) if multilabel else np.arange(len(classes))
    names = values if multilabel else classes
    for labels in data.labels.T:
        if class_weight == "balanced":
            counts = np.bincount(labels, data.weights, minlength=len(values))
            share = counts.sum() / ((counts > 0).sum() * np.where(counts, counts, 1.0))
        else:
            share = compute_class_weight(class_weight, classes=names, y=names)
            if not (np.isfinite(share).all() and share.min() >= 0 < share.max()):
                raise ValueError(
                    "class_weight must hold finite weights, none negative and not all "
                    f"zero, got {class_weight!r}."
                )
        factors *= share[labels]
    return factors


def split(data, classes, multilabel, fraction, rng):
    """Canonical rows for training and for validation, stratified by class."""
    strata = None if multilabel else classes[data.labels[:, 0]]
    try:
        kept, held = train_test_split(
            np.arange(data.n_rows),
            test_size=fraction,
            stratify=strata,
            random_state=rng.randint(np.iinfo(np.int32).max),
        )
    except ValueError as error:
        raise ValueError(
            f"early_stopping=True cannot set validation_fraction={fraction} of "
            f"{data.n_rows} distinct rows aside: {error}"
        ) from error
    return data.take(np.sort(kept)), data.take(np.sort(held))

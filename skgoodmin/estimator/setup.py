"""Setting up a fit: what the parameters of an estimator and its data ask for."""

import re
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Integral

import numpy as np
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.validation import (
    _check_sample_weight,
    _check_y,
    validate_data,
)

from ..kernels.activations import ACTIVATIONS
from ..objective.canonical_rows import canonical_rows
from ..objective.layout import ParameterLayout
from ..objective.losses import LOSSES, CustomLoss
from ..objective.losses.custom import check_loss
from ..objective.objective import Objective
from ..objective.with_neuron import AugmentedObjective, PerLayerObjective
from ..training.neuron_degree import degree_that_suffices
from .rows import class_factors
from .targets import Target, encode

AUTO = "auto"  # of hidden_layer_sizes: the training finds the number of units


@dataclass(frozen=True)
class Problem:
    """Objective of an estimator on its data, and what its outputs stand for."""

    objective: Objective
    target: Target


def validated(estimator, X, y, sample_weight, *, reset):
    """X, y and sample_weight as arrays, of the types and shapes that a fit takes.

    What is learned of X, the number and the names of its columns, is set on
    ``estimator`` where ``reset`` is true, and compared with it where it is not.
    """
    X, y, sample_weight = in_memory(X, y, sample_weight)
    with naming("X"):
        X = validated_rows(
            estimator,
            X,
            None if y is None else "no_validation",
            reset=reset,
            order="C",
        )
    with naming("y"):
        y = _check_y(y, multi_output=True, estimator=estimator)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
    with naming("X and y"):
        check_consistent_length(X, y)
    if sample_weight is not None:
        with naming("sample_weight"):
            sample_weight = _check_sample_weight(
                sample_weight, X, dtype=np.float64, ensure_non_negative=True
            )
            if not 0 < sample_weight.sum() < np.inf:
                raise ValueError("the sum must be finite and not zero.")
    return X, y, sample_weight


def validated_rows(estimator, X, y="no_validation", *, reset, order=None):
    """X as ndarray or CSR, float64 or float32, with the columns that are expected."""
    X = validate_data(
        estimator,
        X,
        y,
        reset=reset,
        accept_sparse="csr",
        dtype=(np.float64, np.float32),
        order=order,
    )
    if X.dtype in (np.float64, np.float32):
        return X
    return X.astype(np.float64)  # sparse frames come as they are


def in_memory(X, y, sample_weight):
    """The same, collections of dask loaded, which is a warning."""
    given = {"X": X, "y": y, "sample_weight": sample_weight}
    lazy = [name for name, data in given.items() if _is_lazy(data)]
    if not lazy:
        return X, y, sample_weight
    names = " and ".join(lazy)
    warnings.warn(
        f"{names}: a dask collection is loaded into memory as a whole, because each "
        f"step of the training needs all rows. Pass {lazy[0]}.compute(), or that of a "
        "sample, to say that this is meant.",
        UserWarning,
        stacklevel=2,
    )
    return tuple(
        data.compute() if name in lazy else data for name, data in given.items()
    )


def _is_lazy(data):
    """Whether it is a collection of dask, by dask's own protocol."""
    graph = getattr(type(data), "__dask_graph__", None)
    return graph is not None and graph(data) is not None


@contextmanager
def naming(what):
    """Errors from inside say what they are about, if they do not yet."""
    try:
        with np.errstate(all="ignore"):  # scikit-learn adds inf and -inf
            yield
    except (ValueError, TypeError) as error:
        if re.search(rf"\b{what}\b", str(error)):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{what}: {error}") from error


def pose(estimator, X, y, sample_weight=None, classes=None):
    """The :class:`Problem` of validated X, y and sample_weight.

    Parameters
    ----------
    estimator : GoodMinimaClassifier
    X : ndarray or CSR of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_labels)
    sample_weight : ndarray of shape (n_samples,), optional
    classes : ndarray of shape (n_classes,), optional
        Those that y may hold, sorted; by default those that it holds.
    """
    with naming("y"):
        target, labels = encode(y, classes)
    data = canonical_rows(X, labels, sample_weight)
    del labels  # canonical rows have their own
    loss = loss_of(estimator, target)
    if estimator.class_weight is not None:
        factors = class_factors(estimator.class_weight, target, data)
        data = data.reweighted(factors)
    sizes = hidden_sizes(estimator)
    if sizes == AUTO:  # more units than rows, for each output, never help
        sizes = (data.n_rows * target.n_outputs + 1,)
    objective = Objective(
        data,
        ParameterLayout((X.shape[1], *sizes, target.n_outputs)),
        ACTIVATIONS[estimator.activation],
        loss,
        auto_alpha(loss, data) if estimator.alpha == "auto" else float(estimator.alpha),
    )
    return Problem(objective, target)


def auto_alpha(loss, data):
    """20 over the number of rows, at most 0.2; for log-loss a quarter of it.

    What the accuracy on the data sets of ``benchmarks/accuracy.py`` asked for. Rows
    count by their weight, so that a weight of 2 is a repetition, but not below one for
    each distinct row: weights that sum to 1 do not make a table one row long.
    """
    n_rows = max(data.weights.sum(), data.n_rows)
    return loss.auto_alpha * min(20.0 / n_rows, 0.2)


def check_parameters(estimator):
    """Check combinations of parameters."""
    sizes = hidden_sizes(estimator)
    if not isinstance(estimator.loss, str):
        check_loss(estimator.loss)
    if estimator.early_stopping and estimator.training != "escape":
        raise ValueError(
            "early_stopping=True needs training='escape', got "
            f"training={estimator.training!r}."
        )
    if estimator.training == "grow":
        check_growing(estimator, sizes)
    elif sizes == AUTO:
        raise ValueError(
            "hidden_layer_sizes='auto' needs training='grow', which finds the number "
            f"of units; got training={estimator.training!r}."
        )
    if estimator.neuron_placement == "per_layer":
        if not sizes:
            raise ValueError(
                "neuron_placement='per_layer' needs a hidden layer, got "
                f"hidden_layer_sizes={estimator.hidden_layer_sizes!r}."
            )
        if estimator.special_neuron == "monomial":
            raise ValueError(
                "neuron_placement='per_layer' needs special_neuron='exponential', got "
                "special_neuron='monomial'."
            )


def check_growing(estimator, sizes):
    """Growing is for one hidden layer of relu with weight decay."""
    for name, given in (
        ("one hidden layer", sizes == AUTO or len(sizes) == 1),
        ("activation='relu'", estimator.activation == "relu"),
        ("alpha > 0", estimator.alpha == "auto" or estimator.alpha > 0),
    ):
        if not given:
            got = name.split()[0].partition("=")[0]
            got = got if got in ("activation", "alpha") else "hidden_layer_sizes"
            raise ValueError(
                f"training='grow' needs {name}, got {got}={getattr(estimator, got)!r}."
            )


def hidden_sizes(estimator):
    """hidden_layer_sizes as a tuple of int, or AUTO."""
    sizes = estimator.hidden_layer_sizes
    if isinstance(sizes, str):
        return AUTO
    sizes = [sizes] if isinstance(sizes, Integral) else list(np.atleast_1d(sizes))
    if not all(isinstance(size, Integral) and 0 < int(size) < 2**31 for size in sizes):
        raise ValueError(
            "hidden_layer_sizes must hold positive integers below 2**31, got "
            f"{estimator.hidden_layer_sizes!r}."
        )
    return tuple(int(size) for size in sizes)


def loss_of(estimator, target):
    """The loss of an estimator for a target."""
    if not isinstance(estimator.loss, str):
        return CustomLoss(estimator.loss)
    return target.choose_loss(LOSSES[estimator.loss], float(estimator.degree))


def neuron_degree(estimator, data, place=""):
    """Degree of the monomial neuron, 0 for the exponential one.

    ``place`` says which fit it is about, where there are several.
    """
    if estimator.special_neuron != "monomial":
        return 0
    enough = degree_that_suffices(data)
    degree = estimator.neuron_degree or enough
    if degree < enough:
        warnings.warn(
            f"{place}neuron_degree={degree} is too low for the theorem to hold on the "
            f"training rows; the smallest sufficient degree is {enough}.",
            UserWarning,
            stacklevel=5,
        )
    return int(degree)


def augment(estimator, objective, degree):
    """J~ of the estimator's joint training, or None."""
    if estimator.training != "joint" or estimator.special_neuron is None:
        return None
    if estimator.neuron_placement == "per_layer":
        return PerLayerObjective(objective, estimator.neuron_alpha)
    return AugmentedObjective(objective, estimator.neuron_alpha, degree)


def largest_number_of_runs(estimator):
    """Of a start: itself and what escapes begin, or what the training is made of."""
    return {"escape": 1 + estimator.max_escapes, "joint": 2, "grow": 1}[
        estimator.training
    ]


def draw_starts(estimator, layout, rng, origin):
    """List of parameter vectors, the first one ``origin`` if it is not None.

    There are ``n_init`` of them, but no more than ``max_fun`` evaluations can begin.
    Growing needs no start: without ``origin`` the list is empty.
    """
    if estimator.training == "grow":
        return [] if origin is None else [origin]
    gain = ACTIVATIONS[estimator.activation].gain
    n_starts = min(estimator.n_init, estimator.max_fun)
    starts = [layout.start(rng, gain) for _ in range(n_starts)]
    if origin is not None:
        starts[0] = origin
    return starts


def narrowed(layout, shapes):
    """The layout with the width of weights of these shapes, if it has room for them."""
    n_inputs, *hidden, n_outputs = layout.sizes
    width = shapes[0][1]
    if len(hidden) != 1 or width > hidden[0]:
        return layout
    return ParameterLayout((n_inputs, width, n_outputs))


def origin_of(previous, layout, target):
    """Parameters of a fitted estimator, to set out from."""
    if previous.multilabel_ != target.multilabel:
        kinds = {False: "one class a row", True: "a matrix of labels"}
        raise ValueError(
            "Going on from the previous fit needs the same kind of y: it was "
            f"{kinds[previous.multilabel_]} before and is {kinds[target.multilabel]} "
            "now."
        )
    classes, shapes = target.classes, [coef.shape for coef in previous.coefs_]
    if previous.training == "grow":  # any number of units, up to the largest
        layout = narrowed(layout, shapes)
    if shapes != layout.fans or not np.array_equal(previous.classes_, classes):
        raise ValueError(
            "Going on from the previous fit needs the same layers and classes: "
            f"weights of shapes {shapes} and classes {previous.classes_!r} before, "
            f"{layout.fans} and {classes!r} now."
        )
    return layout.pack(previous.coefs_, previous.intercepts_)

"""Setting up a fit: what the parameters of an estimator and its data ask for."""

import re
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.validation import (
    _check_sample_weight,
    _check_y,
    check_is_fitted,
    validate_data,
)

from ..kernels.activations import ACTIVATIONS
from ..objective.canonical_rows import canonical_form
from ..objective.layout import ParameterLayout
from ..objective.objective import Objective
from ..objective.with_neuron import AugmentedObjective, PerLayerObjective
from ..training.neuron_degree import degree_that_suffices
from .alpha_choice import rule
from .integers import tell_of_rounding
from .layers import AUTO, check_growing, hidden_sizes, narrowed
from .missing import check_complete
from .rows import check_sum
from .target import Target
from .warned import warn_user

COMPLEX = "Complex data not supported"  # how scikit-learn begins


@dataclass(frozen=True)
class PosedProblem:
    """Objective of an estimator on its data, and what its outputs stand for."""

    objective: Objective
    target: Target
    contradictions: np.ndarray  # row numbers of X, of rows that contradict each other

    def with_alpha(self, alpha):
        """The same problem with another strength of weight decay."""
        return replace(self, objective=replace(self.objective, alpha=float(alpha)))

    def learned(self, estimator):
        """What a fitted estimator has learned, on rows posed by its ``_learner``.

        Returns
        -------
        objective : Objective
            With the alpha of the fit.
        theta : ndarray of shape (n_parameters,)
        contradictions : ndarray of shape (n_contradicting,)
            Row numbers of X.
        """
        objective = self.objective
        theta = objective.layout.pack(estimator.coefs_, estimator.intercepts_)
        return objective, theta, self.contradictions


def validated(estimator, X, y, sample_weight, *, reset, tells=True):
    """X, y and sample_weight as arrays, of the types and shapes that a fit takes.

    What is learned of X, the number and the names of its columns, is set on
    ``estimator`` where ``reset`` is true, and compared with it where it is not.
    Where it ``tells``, integers that are rounded are a warning.
    """
    X, y, sample_weight = in_memory(X, y, sample_weight)
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but "
            "the target y is None."
        )
    given, X = X, validated_rows(estimator, X, reset=reset, order="C")
    if tells:
        tell_of_rounding(given, X)
    check_complete(y)
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
            check_sum(sample_weight)
    return X, y, sample_weight


def validated_rows(estimator, X, *, reset, order=None):
    """X as ndarray or CSR, float64 or float32, with the columns that are expected."""
    with naming("X"):
        X = validate_data(
            estimator,
            X,
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
    lazy = [name for name, data in given.items() if is_lazy(data)]
    if not lazy:
        return X, y, sample_weight
    names = " and ".join(lazy)
    warn_user(
        f"{names}: a dask collection is loaded into memory as a whole, because each "
        f"step of the training needs all rows. Pass {lazy[0]}.compute(), or that of a "
        "sample, to say that this is meant; the estimators of skgoodmin.dask leave the "
        "rows on the cluster."
    )
    return tuple(
        data.compute() if name in lazy else data for name, data in given.items()
    )


def is_lazy(data):
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
        if str(error).startswith(COMPLEX):  # and then the array, number by number
            raise ValueError(f"{what}: {COMPLEX}.") from None
        if re.search(rf"\b{what}\b", str(error)):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{what}: {error}") from error


def posed_again(estimator, X, y, sample_weight=None):
    """What a fitted estimator has learned, on given rows.

    Parameters
    ----------
    estimator : fitted Network
    X, y, sample_weight
        As its ``fit`` takes them.

    Returns
    -------
    objective, theta, contradictions
        See :meth:`PosedProblem.learned`.
    """
    check_is_fitted(estimator)
    X, y, sample_weight = validated(estimator, X, y, sample_weight, reset=False)
    problem = pose(estimator._learner, X, y, sample_weight, estimator._known)
    return problem.learned(estimator)


def pose(estimator, X, y, sample_weight=None, known=None, cache_dir=None):
    """The :class:`PosedProblem` of validated X, y and sample_weight.

    Parameters
    ----------
    estimator : TrainedNetwork
    X : ndarray or CSR of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_labels)
    sample_weight : ndarray of shape (n_samples,), optional
    known : optional
        What y may hold, as the estimator knows it; by default what it holds.
    cache_dir : str or path-like, optional
        Folder for the rows, which are kept in memory without it.
    """
    if cache_dir is not None:
        _check_cache(cache_dir, X)
    with naming("y"):
        target, labels = estimator._encode(y, known, sample_weight)
    data, contradictions = canonical_form(X, labels, sample_weight, cache_dir)
    mirrored = target.mirrored(data)
    if mirrored is not None:
        return pose(estimator, X, y, sample_weight, mirrored, cache_dir)
    del labels  # canonical rows have their own
    return PosedProblem(pose_on(estimator, data, target), target, contradictions)


def pose_on(estimator, data, target):
    """The :class:`Objective` of canonical rows whose labels are those of ``target``.

    Its alpha is that of the estimator, for 'auto' that of the rule.
    """
    loss = estimator._loss(target)
    data = estimator._reweighted(data, target)
    sizes = hidden_sizes(estimator)
    if sizes == AUTO:
        # No optimum needs more units than rows, for each output; on its way there a
        # network may have twice as many.
        sizes = (2 * (data.n_rows * target.n_outputs + 1),)
    alpha = estimator.alpha
    return Objective(
        data,
        ParameterLayout((data.n_features, *sizes, target.n_outputs)),
        ACTIVATIONS[estimator.activation],
        loss,
        rule(loss, data) if alpha == "auto" else float(alpha),
    )


def _check_cache(cache_dir, X):
    """Whether rows of X can be kept in that folder."""
    if not Path(cache_dir).is_dir():
        raise ValueError(
            f"cache_dir must be a folder that exists, got {str(cache_dir)!r}."
        )
    try:
        TemporaryFile(dir=cache_dir).close()
    except OSError as error:
        raise ValueError(
            "cache_dir must be a folder that files can be written to, got "
            f"{str(cache_dir)!r}: {error.strerror}."
        ) from error
    if issparse(X):
        raise ValueError(
            f"X: cache_dir={str(cache_dir)!r} needs a dense array, got a sparse one."
        )


def check_parameters(estimator):
    """Check combinations of parameters."""
    sizes = hidden_sizes(estimator)
    if not isinstance(estimator.loss, str):
        estimator._check_loss(estimator.loss)
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


def neuron_degree(estimator, data, place=""):
    """Degree of the monomial neuron, 0 for the exponential one.

    ``place`` says which fit it is about, where there are several.
    """
    if estimator.special_neuron != "monomial":
        return 0
    enough = degree_that_suffices(data)
    degree = estimator.neuron_degree or enough
    if degree < enough:
        warn_user(
            f"{place}neuron_degree={degree} is too low for the theorem to hold on the "
            f"training rows; the smallest sufficient degree is {enough}."
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


def constant_origin(estimator, objective, rng):
    """Parameters of a constant network where all rows have the same labels, or None.

    Hidden units are random: they can be of use to what goes on from here.
    """
    labels, layout = objective.data.labels, objective.layout
    if (labels != labels[0]).any():
        return None
    theta = layout.start(rng, ACTIVATIONS[estimator.activation].gain)
    coefs, intercepts = layout.unpack(theta)
    coefs[-1][:] = 0.0
    intercepts[-1][:] = objective.loss.constant(labels[:1], layout.sizes[-1])[0]
    return theta


def origin_of(previous, layout, target):
    """Parameters of a fitted estimator, to set out from."""
    before = previous._target
    target.check_continues(before)
    shapes = [coef.shape for coef in previous.coefs_]
    if previous.training == "grow":  # any number of units, up to the largest
        layout = narrowed(layout, shapes, hidden_sizes(previous) == AUTO)
    if shapes != layout.fans:
        raise ValueError(
            "Going on from the previous fit needs the same layers: weights of shapes "
            f"{shapes} before, {layout.fans} now."
        )
    return layout.pack(*target.restated(previous.coefs_, previous.intercepts_, before))

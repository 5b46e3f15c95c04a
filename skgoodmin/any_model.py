"""What any model has reached on its training rows, from its raw predictions alone."""

from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array, check_consistent_length, check_random_state
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import _check_sample_weight

from .certificates.certificate import Certificate
from .certificates.certify import Ending
from .certificates.certify import certify as certify_predictions
from .estimator.integers import tell_of_rounding
from .estimator.missing import check_complete
from .estimator.rows import check_sum
from .estimator.setup import naming
from .estimator.targets import encode
from .estimator.typing import MatrixLike
from .kernels.activations import ACTIVATIONS
from .objective.canonical_rows import canonical_form, counted_rows
from .objective.layout import ParameterLayout
from .objective.losses import LOSSES, CustomLoss
from .objective.losses.checks import check_loss
from .objective.losses.custom import METHODS, PointwiseLoss
from .objective.losses.own import OwnLoss
from .objective.objective import Objective
from .objective.predictions import GivenPredictions
from .training.threads import one_blas_thread

EPS = np.finfo(np.float64).eps
ROUNDING = 1e-6  # times 1 + |prediction|: by so much equal rows may differ
NO_CLASSES = (
    "skgoodmin.certify takes classes only; a GoodMinimaRegressor has certificate_ and "
    "certify of its own"
)


def certify(
    X: MatrixLike,
    y: MatrixLike,
    raw_predictions: ArrayLike,
    *,
    loss: str | PointwiseLoss = "log_loss",
    degree: float = 3,
    sample_weight: ArrayLike | None = None,
    random_state: int | np.random.RandomState | None = 0,
) -> Certificate:
    """Certify the raw predictions of any model on its training rows.

    A model of any kind gives rows with equal features one prediction, which bounds its
    loss from below. Where the loss is above that bound, a special neuron is looked for
    that lowers it when it is added to the model.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Finite numbers.
    y : array-like of shape (n_samples,) or (n_samples, n_labels)
        Class labels, or a matrix of 0 and 1 for multilabel.
    raw_predictions : array-like of shape (n_samples,) or (n_samples, n_outputs)
        What comes before the link: log-odds of the second class, or one column for each
        class or label. scikit-learn calls it ``decision_function``, torch logits.
    loss : {'log_loss', 'poly_hinge'} or object, default='log_loss'
        The loss that they were trained on; see :class:`GoodMinimaClassifier`.
    degree : float, default=3
        Of the polynomial hinge.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows, not negative.
    random_state : int, RandomState instance or None, default=0
        Of the search for a neuron.

    Returns
    -------
    certificate : Certificate
        Of the data loss: nothing is known of a penalty, and ``grad_norm`` is NaN.

    Raises
    ------
    ValueError
        If an array is not valid, or predictions p of rows with equal features differ
        by more than 1e-6 (1 + abs(p)), so that they are no function of X. What is less
        counts as rounding.

    Examples
    --------
    >>> import numpy as np
    >>> from skgoodmin import certify
    >>> X = np.array([[0.0], [0.0], [1.0]])
    >>> certificate = certify(X, [0, 1, 1], [0.0, 0.0, 50.0])
    >>> certificate.status.name, certificate.contradictions.tolist()
    ('GLOBAL', [0, 1])
    """
    given = X
    with naming("X"):
        X = check_array(
            X, accept_sparse="csr", dtype=(np.float64, np.float32), order="C"
        )
    tell_of_rounding(given, X)
    with naming("random_state"):
        rng = check_random_state(random_state)
    if y is None:
        raise ValueError("y is None: the labels are needed.")
    check_complete(y)
    with naming("y"):
        accepted: dict[str, Any] = {"ensure_2d": False, "dtype": None}
        y = check_array(y, accept_sparse="csr", **accepted)
    with naming("X, y and raw_predictions"):
        check_consistent_length(X, y, raw_predictions)
    with naming("y"):
        target, labels = encode(y, advice=NO_CLASSES)
    with naming("raw_predictions"):
        raw = check_array(raw_predictions, ensure_2d=False, dtype=np.float64)
        raw = raw.reshape(len(raw), -1)
        if raw.shape[1] != target.n_outputs:
            raise ValueError(
                f"there must be {target.n_outputs} columns for these y, got "
                f"{raw.shape[1]}."
            )
    if sample_weight is not None:
        with naming("sample_weight"):
            sample_weight = _check_sample_weight(
                sample_weight, X, dtype=np.float64, ensure_non_negative=True
            )
            check_sum(sample_weight)
    data, contradictions = canonical_form(X, labels, sample_weight)
    known = _loss(loss, degree, target)
    wrong = _differences(X, known, raw)[data.rows.index]
    given = np.ascontiguousarray(raw[data.rows.index])
    objective = Objective(
        data,
        ParameterLayout((X.shape[1], target.n_outputs)),
        ACTIVATIONS["identity"],
        known,
        0.0,
    )
    with one_blas_thread():
        certificate = certify_predictions(
            GivenPredictions(objective, given=given, wrong=wrong),
            Ending(),  # nothing is known of it
            rng,
        )
    if not certificate.objective < np.inf:
        raise ValueError(
            f"the loss of raw_predictions up to {abs(given).max():.3g} is beyond the "
            "range of float64."
        )
    return replace(certificate, contradictions=contradictions)


def _loss(loss, degree, target):
    """The loss object of a name, or of the user's own."""
    if HasMethods(METHODS).is_satisfied_by(loss):
        check_loss(loss)
        return CustomLoss(OwnLoss(loss))
    if not (isinstance(loss, str) and loss in LOSSES):
        raise ValueError(
            f"loss must be one of {sorted(LOSSES)} or an object with the methods "
            f"{', '.join(METHODS)}, got {loss!r}."
        )
    if not (isinstance(degree, Real) and 2 <= float(degree) < np.inf):
        raise ValueError(f"degree must be a number from 2 on, got {degree!r}.")
    return target.choose_loss(LOSSES[loss], float(degree))


def _differences(X, loss, raw):
    """By how much rows with equal features differ in their predictions, at most.

    (n_samples, K), for each of them that of all rows like it, as far as the loss sees
    it. No more than rounding, or they are no predictions of a model.
    """
    alike, numbers = counted_rows(X, np.zeros((len(raw), 1), dtype=np.int32))
    counts = alike.weights.astype(np.intp)
    first = np.cumsum(counts) - counts
    raw = raw[numbers]
    is_one = _spread(raw, first) == 0.0
    if is_one.all():
        return np.zeros(raw.shape)
    seen, factor = raw, 1.0
    if loss.couples_outputs:  # as softmax does, which sees no common offset
        is_one = is_one.all(axis=1, keepdims=True)
        seen, factor = 0.5 * raw, 2.0  # so that no difference overflows
        seen -= seen.max(axis=1, keepdims=True)
    peak = np.maximum.reduceat(abs(seen), first)
    spread = _spread(seen, first)
    # Of each output by itself: a large one is no excuse for another.
    off = (spread - ROUNDING * (1.0 + peak)).max(axis=1)
    if off.max() > 0:
        worst = int(off.argmax())
        rows = slice(first[worst], first[worst] + counts[worst])
        values = seen[rows, spread[worst].argmax()]
        one, other = numbers[rows][[values.argmin(), values.argmax()]]
        raise ValueError(
            f"raw_predictions of rows {one} and {other} differ, though their "
            "features in X are equal: a model gives equal rows one prediction."
        )
    wrong = np.where(is_one, 0.0, factor * (spread + 8.0 * EPS * peak))
    out = np.empty(raw.shape)
    out[numbers] = np.repeat(wrong, counts, axis=0)
    return out


def _spread(values, first):
    """Largest less smallest of each group, perhaps inf; (n, K) -> (n_groups, K)."""
    with np.errstate(over="ignore"):
        return np.maximum.reduceat(values, first) - np.minimum.reduceat(values, first)

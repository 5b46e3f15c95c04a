"""Targets of a classifier: what y is, and what its values are called inside.

======================== ========================= =================== ===========
y                        labels inside             outputs             loss
======================== ========================= =================== ===========
:class:`TwoClasses`      (n, 1), class 0 or 1      1, class 1 is +1    of labels
:class:`SeveralClasses`  (n, 1), number of a class one for each class  of classes
:class:`Labels`          (n, n_labels), 0 or 1     one for each label  of labels
======================== ========================= =================== ===========

Every other room asks the target; none looks at the shape of y or counts classes.
"""

from abc import abstractmethod
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from .link import FITTED, fitted_slope, link_of
from .target import Target
from .warned import warn_user

# Real numbers in y are taken for classes up to so many, or such a share of the rows.
MOST_NUMBERS, MOST_NUMBERS_SHARE = 30, 0.1
MANY_CLASSES = 0.5  # of the rows: so many that they may be no classes
FOR_NUMBERS = "use a regressor, GoodMinimaRegressor"  # what to do with others


@dataclass(frozen=True)
class ClassTarget(Target):
    """What all targets of a classifier share.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Names of the classes, sorted; of labels their numbers.
    n_left_out : int
        Number of classes that :meth:`common` has left out.
    """

    classes: np.ndarray
    n_left_out: int = 0

    multilabel = False

    @property
    def n_outputs(self):
        """Number of outputs of the network."""
        return len(self.classes)

    def attributes(self, loss, slope):
        """See :class:`Target`."""
        return {
            "classes_": self.classes,
            "multilabel_": self.multilabel,
            "out_activation_": link_of(loss, self, slope).link,
            "link_slope_": slope,
        }

    def check_continues(self, before):
        """See :class:`Target`."""
        if before.multilabel != self.multilabel:
            kinds = {False: "one class a row", True: "a matrix of labels"}
            raise ValueError(
                "Going on from the previous fit needs the same kind of y: it was "
                f"{kinds[before.multilabel]} before and is {kinds[self.multilabel]} "
                "now."
            )
        if not np.array_equal(before.classes, self.classes):
            raise ValueError(
                "Going on from the previous fit needs the same classes: "
                f"{before.classes!r} before, {self.classes!r} now."
            )

    @property
    def label_names(self):
        """What each value of ``labels`` is called by the user, (n_values,)."""
        return self.classes

    @abstractmethod
    def choose_loss(self, named, degree):
        """The loss for this target, of a :class:`NamedLoss`."""

    @abstractmethod
    def decide(self, raw):
        """Labels inside, of raw predictions (n, n_outputs)."""

    @abstractmethod
    def probabilities(self, loss, raw):
        """Probabilities of the classes, (n, n_classes)."""

    @abstractmethod
    def log_likelihood(self, probabilities, labels):
        """log P of the labels of each row, (n,); of several labels the mean."""

    @abstractmethod
    def decode(self, labels):
        """Labels inside -> y."""

    def unseen(self, labels, seen):
        """See :class:`Target`: no network can know it."""
        columns = zip(labels.T, seen.T, strict=True)
        return ~np.all([np.isin(*pair) for pair in columns], axis=0)

    def merit(self, data):
        """See :class:`Target`: 1 where all labels are right, so that it is accuracy."""
        return lambda raw, labels: (self.decide(raw) == labels).all(axis=1)

    def worth(self, loss, raw, labels, weights):
        """See :class:`Target`: accuracy + 3 mean log P.

        P is that of the loss itself, unless its link is a fitted one, with the best
        slope then. Classes that were left out have outputs in the whole network, near
        -1 on all rows, and the slope is the best one with those.
        """
        is_fitted = loss.link in FITTED
        slope = fitted_slope(raw, labels, weights) if is_fitted else None
        right = (self.decide(raw) == labels).all(axis=1)
        p = self.probabilities(link_of(loss, self, slope), raw)
        if is_fitted and self.n_left_out:
            absent = np.full((len(raw), self.n_left_out), -1.0)
            slope = fitted_slope(np.hstack([raw, absent]), labels, weights)
        worth = right + 3.0 * self.log_likelihood(p, labels)
        return worth, slope if is_fitted else np.nan

    def predictions(self, raw):
        """See :class:`Target`."""
        return self.decode(self.decide(raw))

    def decision(self, raw):
        """What ``decision_function`` returns, from raw predictions (n, n_outputs)."""
        return raw


class OneClass(ClassTarget):
    """One class a row, of two or more."""

    def log_likelihood(self, probabilities, labels):
        """See :class:`ClassTarget`."""
        return np.log(np.take_along_axis(probabilities, labels, axis=1)[:, 0])

    def strata(self, labels):
        """See :class:`Target`."""
        return self.classes[labels[:, 0]]

    def sizes(self, data):
        """See :class:`Target`: of each class."""
        codes, counts = np.unique(data.labels[:, 0], return_counts=True)
        names = [f"class {name!r}" for name in self.classes[codes].tolist()]
        return list(zip(names, counts.tolist(), strict=True))

    def common(self, labels, least):
        """See :class:`Target`: where no row is of a rare class, the target itself."""
        counts = np.bincount(labels[:, 0], minlength=len(self.classes))
        is_common = counts >= least
        rows = np.flatnonzero(is_common[labels[:, 0]])
        if len(rows) == len(labels):
            return self, rows, labels
        codes = np.cumsum(is_common, dtype=np.int32) - 1
        target = replace(
            self,
            classes=self.classes[is_common],
            n_left_out=int(np.sum(~is_common)),
        )
        return target, rows, codes[labels[rows]]

    def decode(self, labels):
        """The class of each row."""
        return self.classes[labels[:, 0]]


class TwoClasses(OneClass):
    """One of two classes."""

    n_outputs = 1

    def choose_loss(self, named, degree):
        """The loss for this target, of a :class:`NamedLoss`."""
        return named.of_labels(degree)

    def decide(self, raw):
        """Labels (n, 1) of raw predictions (n, 1)."""
        return (raw > 0).astype(np.int32)

    def decision(self, raw):
        """Raw predictions (n,)."""
        return raw[:, 0]

    def probabilities(self, loss, raw):
        """(n, 2)."""
        positive = loss.probabilities(raw)
        return np.hstack([1.0 - positive, positive])


class SeveralClasses(OneClass):
    """One of three or more classes."""

    def choose_loss(self, named, degree):
        """The loss for this target, of a :class:`NamedLoss`."""
        return named.of_classes(degree)

    def decide(self, raw):
        """Labels (n, 1) of raw predictions (n, n_classes)."""
        return raw.argmax(axis=1)[:, None].astype(np.int32)

    def probabilities(self, loss, raw):
        """(n, n_classes)."""
        each = loss.probabilities(raw)
        return each / each.sum(axis=1, keepdims=True)


class Labels(ClassTarget):
    """Any number of labels, each of which a row has or has not (multilabel)."""

    multilabel = True

    @property
    def label_names(self):
        """0 and 1."""
        return np.arange(2)

    def choose_loss(self, named, degree):
        """The loss for this target, of a :class:`NamedLoss`."""
        return named.of_labels(degree)

    def decide(self, raw):
        """Labels (n, n_labels) of raw predictions."""
        return (raw > 0).astype(np.int32)

    def decode(self, labels):
        """A matrix of 0 and 1."""
        return labels.astype(self.classes.dtype)

    def probabilities(self, loss, raw):
        """(n, n_labels)."""
        return loss.probabilities(raw)

    def log_likelihood(self, probabilities, labels):
        """See :class:`ClassTarget`."""
        has, lacks = np.log(probabilities), np.log1p(-probabilities)
        return np.where(labels == 1, has, lacks).mean(axis=1)


def target_of(classes, multilabel):
    """The target with these classes."""
    if multilabel:
        return Labels(classes)
    return TwoClasses(classes) if len(classes) == 2 else SeveralClasses(classes)


def encode(y, classes=None, advice=FOR_NUMBERS):
    """The target of y and its labels, int32 of shape (n, 1) or (n, n_labels).

    Parameters
    ----------
    y : ndarray of shape (n,) or (n, n_labels), or sparse matrix of the latter
    classes : ndarray of shape (n_classes,), optional
        Those that y may hold, sorted; by default those that it holds.
    advice : str
        What to do with real numbers.

    Returns
    -------
    target : Target
    labels : ndarray

    Raises
    ------
    ValueError
        If y is no target of a classifier, has one class, or one that is not in
        ``classes``.
    """
    kind = type_of_target(y)
    if kind == "multilabel-indicator" or issparse(y):
        return _encode_labels(y, classes)
    if kind.startswith("continuous"):
        raise ValueError(
            f"Unknown label type: {kind}. y is no column of classes, which are "
            f"integers, strings or bools: {advice}."
        )
    if kind not in ("binary", "multiclass"):
        check_classification_targets(y)
        raise ValueError(
            "y must be one column of classes or a matrix of 0 and 1 (multilabel); "
            f"{kind} targets are not supported."
        )
    present, codes = np.unique(y, return_inverse=True)
    if classes is None:
        check_discrete(len(y), present, advice)
        if len(y) > 20 and len(present) > MANY_CLASSES * len(y):
            warn_user(
                f"y has {len(present)} classes in {len(y)} rows: if it is a column of "
                f"numbers, {advice}."
            )
        classes = present
    _check_known(present, classes)
    if len(classes) < 2:
        raise ValueError(
            "a classifier needs at least 2 classes in y; it has the one class "
            f"{classes.tolist()[0]!r}."
        )
    labels = np.searchsorted(classes, present)[codes].astype(np.int32)[:, None]
    return target_of(classes, False), labels


def _encode_labels(y, classes):
    """The target and the labels of a matrix of 0 and 1."""
    labels = y.toarray() if issparse(y) else np.asarray(y)
    other = np.unique(labels[(labels != 0) & (labels != 1)])
    if len(other):
        raise ValueError(
            "a matrix y says which labels a row has (multilabel), so it must hold 0 "
            f"and 1 only; it holds {', '.join(map(str, other[:5].tolist()))}."
        )
    numbers = np.arange(labels.shape[1])
    if classes is not None and not np.array_equal(classes, numbers):
        raise ValueError(
            f"classes of a matrix y are the numbers of its {len(numbers)} columns, "
            f"{numbers.tolist()}, got {classes.tolist()}."
        )
    return target_of(numbers, True), labels.astype(np.int32)


def check_discrete(n_rows, present, advice):
    """A column of many different real numbers is no column of classes."""
    many = len(present) > max(MOST_NUMBERS, MOST_NUMBERS_SHARE * n_rows)
    if present.dtype.kind == "f" and many:
        raise ValueError(
            f"y looks like a continuous target: {len(present)} different real numbers "
            f"in {n_rows} rows: {advice}; if they are classes, give them as integers "
            "or strings."
        )


def _check_known(present, classes):
    """All classes that are present are among those that y may hold."""
    comparable = (present.dtype.kind in "iufb") == (classes.dtype.kind in "iufb")
    unknown = np.setdiff1d(present, classes) if comparable else present
    if len(unknown):
        raise ValueError(
            f"y has classes {unknown.tolist()} that are not in {classes.tolist()}."
        )

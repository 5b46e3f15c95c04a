"""Targets: what y is, and what its values are called inside.

======================== ========================= =================== ===========
y                        labels inside             outputs             loss
======================== ========================= =================== ===========
:class:`TwoClasses`      (n, 1), class 0 or 1      1, class 1 is +1    of labels
:class:`SeveralClasses`  (n, 1), number of a class one for each class  of classes
:class:`Labels`          (n, n_labels), 0 or 1     one for each label  of labels
======================== ========================= =================== ===========

Every other room asks the target; none looks at the shape of y or counts classes.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.multiclass import check_classification_targets, type_of_target


@dataclass(frozen=True)
class Target(ABC):
    """What all targets share.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Names of the classes, sorted; of labels their numbers.
    """

    classes: np.ndarray

    multilabel = False

    @property
    def n_outputs(self):
        """Number of outputs of the network."""
        return len(self.classes)

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

    def strata(self, labels):
        """What a split is stratified by, (n,), or None."""
        return labels[:, 0]

    def decode(self, labels):
        """Labels inside -> y."""
        return self.classes[labels[:, 0]]

    def decision(self, raw):
        """What ``decision_function`` returns, from raw predictions (n, n_outputs)."""
        return raw


class TwoClasses(Target):
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


class SeveralClasses(Target):
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


class Labels(Target):
    """Any number of labels, each of which a row has or has not (multilabel)."""

    multilabel = True

    @property
    def label_names(self):
        """0 and 1."""
        return np.arange(2)

    def strata(self, labels):
        """There are none."""
        return None

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


def target_of(classes, multilabel):
    """The target with these classes."""
    if multilabel:
        return Labels(classes)
    return TwoClasses(classes) if len(classes) == 2 else SeveralClasses(classes)


def encode(y, weights, classes):
    """The target of y and its labels, int32 of shape (n, 1) or (n, n_labels).

    Only rows with positive weight count; the others get label 0.

    Parameters
    ----------
    y : array-like of shape (n,) or (n, n_labels)
    weights : ndarray of shape (n,) or None
    classes : array-like of shape (n_classes,) or None
        Those that y may hold; by default those that it holds.

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
    if kind == "multilabel-indicator":
        labels = y.toarray() if issparse(y) else np.asarray(y)
        return target_of(np.arange(labels.shape[1]), True), labels.astype(np.int32)
    if kind not in ("binary", "multiclass"):
        check_classification_targets(y)
        raise ValueError(
            "y must be one column of classes or a matrix of 0 and 1 (multilabel); "
            f"{kind} targets are not supported."
        )
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
    return target_of(classes, False), labels

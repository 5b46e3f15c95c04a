"""What every kind of y has in common: the questions that all rooms ask of it."""

from abc import ABC, abstractmethod

import numpy as np


class Target(ABC):
    """What the outputs of a network stand for, and what y is called inside."""

    @property
    @abstractmethod
    def n_outputs(self) -> int:
        """Number of outputs of the network."""

    @property
    def n_targets(self):
        """Number of targets that a network learns side by side."""
        return 1

    @abstractmethod
    def attributes(self, loss, slope):
        """Attributes of a fitted estimator.

        The target can be made again from them, and they tell what follows the raw
        predictions: for a classifier the link of the loss, or that with the slope.
        """

    @abstractmethod
    def check_continues(self, before):
        """Raise ValueError if a fit can not go on from one of the target ``before``."""

    def restated(self, coefs, intercepts, before):
        """Layers of a network for the target ``before``, as those for this one."""
        return coefs, intercepts

    def mirrored(self, data):
        """The target that y and -y are to share, if it is another one; else None.

        data : CanonicalRows, whose labels are those of this target.
        """
        return None

    def strata(self, labels):
        """Classes that a split is stratified by, (n,), or None."""
        return None

    def sizes(self, data):
        """Pairs (name, number of distinct rows) of what folds have to be dealt from."""
        return [("y", int(data.opens_group.sum()))]

    def common(self, labels, least):
        """This target without the classes that fewer than ``least`` rows have.

        labels : ndarray of shape (n_rows, 1 or n_outputs)

        Returns
        -------
        target : Target
        rows : ndarray of shape (n_common,)
            Places of the rows that are left, ascending.
        labels : ndarray of shape (n_common, 1 or n_outputs)
            Theirs, for that target.
        """
        return self, np.arange(len(labels)), labels

    def unseen(self, labels, seen):
        """Which rows have a label that none of the ``seen`` ones is, (n,) bool.

        labels : ndarray of shape (n, 1 or n_outputs), seen : (n_seen, 1 or n_outputs)
        """
        return np.zeros(len(labels), dtype=bool)

    @abstractmethod
    def merit(self, data):
        """callable(raw, labels) -> (n,), whose mean over ``data`` is a score.

        data : CanonicalRows, on which the score is to be.
        """

    @abstractmethod
    def worth(self, loss, raw, labels, weights):
        """What predictions of rows that were left out are worth, to choose alpha.

        Returns
        -------
        worth : ndarray of shape (n,)
        slope : float
            Of the link to probabilities; NaN where there is none.
        """

    @abstractmethod
    def predictions(self, raw):
        """What ``predict`` returns, from raw predictions (n, n_outputs)."""

    def unit(self, loss):
        """The loss in units of y is so many times the loss inside; NaN if none.

        Nor is there one where float64 does not reach so far.
        """
        return np.nan

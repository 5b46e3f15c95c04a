"""What every fitted classifier offers: classes and probabilities."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from ..objective.losses import LOSSES, CustomLoss
from ..objective.losses.checks import check_loss
from ..objective.losses.own import OwnLoss
from .base import Network
from .link import link_of
from .rows import check_sum, class_factors
from .setup import naming
from .targets import FOR_NUMBERS, ClassTarget, encode, target_of
from .typing import MatrixLike


class NetworkClassifier(ClassifierMixin, Network):
    """A network with ``classes_`` and ``multilabel_``."""

    _default_scoring = "accuracy"
    _for_numbers = FOR_NUMBERS

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    _check_loss = staticmethod(check_loss)

    def _encode(self, y, known=None, sample_weight=None):
        """(target, labels) of y; ``known`` are the classes that it may hold."""
        return encode(y, known, self._for_numbers)

    @property
    def _known(self):
        """The classes of the fit."""
        return self.classes_

    def _shared(self, y):
        """The classes of a column of them."""
        return np.unique(y) if y.ndim == 1 else None

    @property
    def _target(self) -> ClassTarget:
        """What the outputs stand for."""
        return target_of(self.classes_, self.multilabel_)

    def _loss(self, target):
        """The loss for a target."""
        if not isinstance(self.loss, str):
            return CustomLoss(OwnLoss(self.loss))
        return target.choose_loss(LOSSES[self.loss], float(self.degree))

    def _reweighted(self, data, target):
        """Canonical rows, their weights multiplied by those of the classes."""
        if self.class_weight is None:
            return data
        with naming("class_weight"):
            factors = class_factors(self.class_weight, target, data)
            check_sum(data.weights, factors)
        return data.reweighted(factors)

    @property
    def _link(self):
        """What makes probabilities of raw predictions."""
        target = self._target
        return link_of(self._learner._loss(target), target, self.link_slope_)

    def predict(self, X: MatrixLike) -> NDArray:
        """Class labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
        """
        raw = self._raw(X)
        return self._target.predictions(raw)

    def decision_function(self, X: MatrixLike) -> NDArray[np.floating]:
        """Raw predictions of the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        raw : ndarray of shape (n_samples,) for two classes, else \
(n_samples, n_outputs)
            Positive means the second class, or the label.
        """
        raw = self._raw(X)
        return self._target.decision(raw)

    def predict_proba(self, X: MatrixLike) -> NDArray[np.float64]:
        """Probabilities of the classes, or of each label for multilabel.

        For the polynomial hinge with an alpha that was chosen, by ``alpha='auto'`` or
        by cross-validation, they are those of log-loss at ``link_slope_`` times
        ``arcsinh`` of the raw predictions, a slope that is fitted on the rows left out
        in the choice. With an alpha that was given they come from
        the closed-form inverse of its pointwise minimiser, one class against the rest
        and then normalised. The likeliest class is the one that :meth:`predict`
        returns; far from all rows several classes may be equally likely.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
        """
        raw = self._raw(X)
        return self._target.probabilities(self._link, raw)

    def predict_log_proba(self, X: MatrixLike) -> NDArray[np.float64]:
        """Logarithm of :meth:`predict_proba`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        logarithms : ndarray of shape (n_samples, n_classes)
        """
        return np.log(self.predict_proba(X))

    def score(
        self, X: MatrixLike, y: MatrixLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Accuracy; for multilabel the share of rows with all labels right.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        accuracy : float
        """
        return super().score(X, y, sample_weight)

    def to_mlp(self) -> MLPClassifier:
        """The same network as a fitted ``MLPClassifier``, with the same predictions.

        Returns
        -------
        mlp : sklearn.neural_network.MLPClassifier

        Raises
        ------
        ValueError
            If the loss is not 'log_loss', whose probabilities are those of
            ``MLPClassifier``, or the activation is one that it lacks.
        """
        check_is_fitted(self)
        loss = self._learner.loss
        if loss != "log_loss":
            raise ValueError(f"to_mlp needs loss='log_loss', got loss={loss!r}.")
        mlp = self._as_mlp(MLPClassifier)
        binarizer = LabelBinarizer().fit(self.classes_)
        if self.multilabel_:
            binarizer.fit(np.eye(len(self.classes_), dtype=int))
        mlp._label_binarizer, mlp.classes_ = binarizer, self.classes_
        return mlp

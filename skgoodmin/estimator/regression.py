"""What every fitted regressor offers: predictions in units of y."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.neural_network import MLPRegressor
from sklearn.utils import Tags

from ..objective.losses import TARGET_LOSSES, CustomTargetLoss
from ..objective.losses.checks import check_target_loss
from ..objective.losses.own import OwnLoss
from .base import Network
from .continuous import Continuous, encode_continuous
from .typing import MatrixLike


class NetworkRegressor(RegressorMixin, Network):
    """A network with ``y_mean_`` and ``y_scale_``."""

    _default_scoring = "r2"
    _check_loss = staticmethod(check_target_loss)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _encode(self, y, known=None, sample_weight=None):
        """(target, z) of y; ``known`` is the target whose units z is to have."""
        return encode_continuous(y, known, sample_weight)

    @property
    def _known(self):
        """The target of the fit."""
        return self._target

    def _shared(self, y):
        """Nothing: each part of y has a mean and a spread of its own."""
        return None

    @property
    def _target(self) -> Continuous:
        """What the outputs stand for."""
        mean, scale = np.atleast_1d(self.y_mean_), np.atleast_1d(self.y_scale_)
        rest = np.atleast_1d(self._y_mean_rest_)
        return Continuous(mean, scale, column=np.ndim(self.y_mean_) == 0, rest=rest)

    def _loss(self, target):
        """The loss for a target."""
        if not isinstance(self.loss, str):
            return CustomTargetLoss(OwnLoss(self.loss))
        return TARGET_LOSSES[self.loss](float(self.epsilon))

    def _reweighted(self, data, target):
        """Canonical rows as they are."""
        return data

    def predict(self, X: MatrixLike) -> NDArray[np.floating]:
        """Predictions, in units of y.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_targets)
            In float64, for X in float32 too: its output has few digits left beside a
            large mean of y.
        """
        raw = self._raw(X)
        return self._target.predictions(raw)

    def score(
        self, X: MatrixLike, y: MatrixLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """R2, the share of the variance that is explained; a mean over the targets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        r2 : float
        """
        return super().score(X, y, sample_weight)

    def to_mlp(self) -> MLPRegressor:
        """The same network as a fitted ``MLPRegressor``, its last layer in units of y.

        Predictions agree to rounding. The last layer is in float64, that of a network
        in float32 too, for the mean of y may be large beside its spread.

        Returns
        -------
        mlp : sklearn.neural_network.MLPRegressor

        Raises
        ------
        ValueError
            If the activation is one that ``MLPRegressor`` lacks.
        """
        mlp = self._as_mlp(MLPRegressor)
        mean, scale = np.atleast_1d(self.y_mean_), np.atleast_1d(self.y_scale_)
        mlp.coefs_[-1] = scale * mlp.coefs_[-1]
        mlp.intercepts_[-1] = mean + scale * mlp.intercepts_[-1]
        return mlp

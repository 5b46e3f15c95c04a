"""The regressor whose training rows stay on a cluster of dask."""

import numpy as np
from sklearn.metrics import r2_score

from ..estimator.continuous import numbers
from ..regressor import GoodMinimaRegressor
from .estimator import CLIENT, DaskNetwork


class DaskGoodMinimaRegressor(DaskNetwork, GoodMinimaRegressor):
    """:class:`~skgoodmin.GoodMinimaRegressor` on rows that are on a cluster of dask.

    What :class:`DaskGoodMinimaClassifier` says of chunks, workers, and of what comes to
    the client, holds here too. Besides, all of y and ``sample_weight`` comes to the
    client once, for mean and spread.

    Parameters
    ----------
    hidden_layer_sizes, activation, **parameters
        Those of :class:`~skgoodmin.GoodMinimaRegressor`, within the limits of
        :class:`DaskGoodMinimaClassifier`.
    client : distributed.Client, optional
        As for :class:`DaskGoodMinimaClassifier`.
    """

    _local = GoodMinimaRegressor
    _metric = staticmethod(r2_score)
    _parameter_constraints = GoodMinimaRegressor._parameter_constraints | CLIENT

    def _seen_of_y(self, y, sample_weight):
        """All of it: mean and spread do not depend on the order of the rows."""
        return numbers(y), sample_weight

    def _target_of(self, seen, known):
        """The target of y, with the mean and the spread of all blocks."""
        y = np.concatenate([some for some, _ in seen])
        weights = None
        if seen[0][1] is not None:
            weights = np.concatenate([some for _, some in seen])
        return self._encode(y, known=known, sample_weight=weights)[0]

    def _known_of(self, target):
        """What y may be, for the encoding of a block."""
        return target

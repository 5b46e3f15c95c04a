"""The classifier whose training rows stay on a cluster of dask."""

import numpy as np
from sklearn.metrics import accuracy_score

from ..classifier import GoodMinimaClassifier
from ..estimator.targets import check_discrete
from .estimator import CLIENT, DaskNetwork


class DaskGoodMinimaClassifier(DaskNetwork, GoodMinimaClassifier):
    """:class:`~skgoodmin.GoodMinimaClassifier` on rows that are on a cluster of dask.

    The model is the one that a fit on one machine finds, bit for bit, on processors of
    one kind: however many workers there are, however the rows are cut into blocks and
    in whatever order they come, and even if a worker dies meanwhile.

    Parameters
    ----------
    hidden_layer_sizes, activation, **parameters
        Those of :class:`~skgoodmin.GoodMinimaClassifier`. ``training`` must be
        'escape', ``special_neuron`` not 'monomial' and ``cache_dir`` None.
    client : distributed.Client, optional
        By default the one that was made last. Clones share it; pickles and
        ``to_local()`` are without it.

    Notes
    -----
    Fitted attributes are those of :class:`~skgoodmin.GoodMinimaClassifier`, plain
    arrays on the client.

    Features stay on the workers. The client has of each distinct row its label, its
    weight, and some 50 bytes in a certificate; and these it fetches: the 4096 rows that
    an escape looks at, the 1000 to 3000 that decide on ``alpha='auto'``, and for a
    certificate with weight decay all rows of a table of up to 4 million numbers and
    131072 rows (``certify`` with an effort above 0 all rows of any table). A table of
    at most 16384 distinct rows, one with fewer rows than columns, and one whose
    evaluations are not worth sharing, is fetched as a whole and fitted on the client.

    The source of the rows must be readable again: what a dead worker held is read,
    checked and sorted a second time.

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from skgoodmin.dask import DaskGoodMinimaClassifier
    >>> client = Client("tcp://scheduler:8786")  # doctest: +SKIP
    >>> X, y = da.from_zarr("X.zarr"), da.from_zarr("y.zarr")  # doctest: +SKIP
    >>> model = DaskGoodMinimaClassifier((64,)).fit(X, y)  # doctest: +SKIP
    >>> model.to_local().predict(rows)  # doctest: +SKIP
    """

    _local = GoodMinimaClassifier
    _for_numbers = "use a regressor, DaskGoodMinimaRegressor"
    _metric = staticmethod(accuracy_score)
    _parameter_constraints = GoodMinimaClassifier._parameter_constraints | CLIENT

    def _seen_of_y(self, y, sample_weight):
        """(number of rows, the distinct classes, or one row of a matrix)."""
        if y.ndim == 2:
            self._encode(y)  # or an error that says what is wrong with it
            return len(y), y[:1]
        return len(y), np.unique(y)

    def _target_of(self, seen, known):
        """The target of y, which no single block may know."""
        n_rows = sum(n for n, _ in seen)
        parts = [some for _, some in seen]
        if len({some.dtype.kind in "biuf" for some in parts}) > 1:
            raise ValueError("some blocks hold numbers and others do not.")
        y = np.concatenate(parts)
        if y.ndim == 1:
            y = np.unique(y)
            if known is None:
                check_discrete(n_rows, y, self._for_numbers)
                known = y
        return self._encode(y, known=known)[0]

    def _known_of(self, target):
        """What y may be, for the encoding of a block."""
        return target.classes

    def _example(self, method, raw):
        """See :class:`DaskNetwork`."""
        if method == "decision_function":
            return self._target.decision(raw)
        if method == "predict_proba":
            return self._target.probabilities(self._link, raw)
        return super()._example(method, raw)

    def decision_function(self, X):
        """Raw predictions: lazy for a dask collection.

        Parameters
        ----------
        X : dask array or frame, array-like or sparse matrix

        Returns
        -------
        raw : array of shape (n_samples,) or (n_samples, n_outputs)
        """
        return self._predicted("decision_function", X)

    def predict_proba(self, X):
        """Probabilities: lazy for a dask collection.

        Parameters
        ----------
        X : dask array or frame, array-like or sparse matrix

        Returns
        -------
        probabilities : array of shape (n_samples, n_classes)
        """
        return self._predicted("predict_proba", X)

    def predict_log_proba(self, X):
        """Logarithm of :meth:`predict_proba`.

        Parameters
        ----------
        X : dask array or DataFrame of shape (n_samples, n_features)

        Returns
        -------
        logarithms : dask array of shape (n_samples, n_classes)
        """
        return np.log(self.predict_proba(X))

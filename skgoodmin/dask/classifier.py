"""The classifier whose training rows stay on a cluster of dask."""

import functools
from dataclasses import replace
from typing import Any

import dask
import dask.array as da
import numpy as np
from distributed import Client, default_client
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_is_fitted

from ..classifier import GoodMinimaClassifier
from ..estimator.setup import Problem, is_lazy, pose_on
from ..objective.canonical_rows import SLICE
from .sharing import blocks_of, checked, share_out, target_of, unite
from .workers import Workers

# What a fit on a cluster can not do, and the only value that it takes instead.
ONLY = {
    "training": "escape",
    "early_stopping": False,
    "warm_start": False,
    "cache_dir": None,
}


class DaskGoodMinimaClassifier(GoodMinimaClassifier):
    """:class:`~skgoodmin.GoodMinimaClassifier` on rows that are on a cluster of dask.

    The model is the one that a fit on one machine finds, bit for bit, on processors of
    one kind: however many workers there are, however the rows are cut into blocks and
    in whatever order they come, and even if a worker dies meanwhile.

    Parameters
    ----------
    hidden_layer_sizes, activation, **parameters
        Those of :class:`~skgoodmin.GoodMinimaClassifier`. ``training`` must be
        'escape', ``early_stopping`` and ``warm_start`` False, ``special_neuron`` not
        'monomial' and ``cache_dir`` None.
    client : distributed.Client, optional
        By default the one that was made last. It is no parameter of the model: neither
        ``get_params`` nor clones or pickles have it.

    Notes
    -----
    Fitted attributes are those of :class:`~skgoodmin.GoodMinimaClassifier`, plain
    arrays on the client.

    Features stay on the workers. The client has of each distinct row its label, its
    weight, and some 50 bytes in a certificate; and these it fetches: the 4096 rows that
    an escape looks at, the 2000 that decide on ``alpha='auto'``, and for a certificate
    with weight decay all rows of a table of up to 4 million numbers. A table of at most
    16384 distinct rows, one with fewer rows than columns, and one whose evaluations are
    not worth sharing, is fetched as a whole and fitted on the client.

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

    _parameter_constraints = GoodMinimaClassifier._parameter_constraints

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation: str = "relu",
        *,
        client: Client | None = None,
        **parameters: Any,
    ) -> None:
        super().__init__(hidden_layer_sizes, activation, **parameters)
        self.client = client

    @classmethod
    def _get_param_names(cls):
        return GoodMinimaClassifier._get_param_names()

    def __getstate__(self):
        return super().__getstate__() | {"client": None}

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Not on a cluster.

        Raises
        ------
        NotImplementedError
        """
        raise NotImplementedError(
            "partial_fit takes rows in memory: use to_local().partial_fit."
        )

    def _pose(self, shell, X, y, sample_weight, known, reset):
        """The problem on leaves, or in memory where that is as good."""
        self._check_supported()
        blocks = blocks_of(X, y, sample_weight)
        workers = Workers(self.client or default_client())
        local = GoodMinimaClassifier(**self.get_params())
        futures, seen = checked(workers, local, blocks)
        empty, names = unite(seen)
        shell.n_features_in_ = empty.shape[1]
        if names is not None:
            shell.feature_names_in_ = names
        target = target_of(local, seen, known)
        encode = functools.partial(_labels, local, target.classes)
        data, contradictions = share_out(workers, encode, futures, seen, empty)
        objective = pose_on(self, data, target)
        data, n_leaves = objective.data, objective.n_leaves
        small = data.n_rows <= max(SLICE, data.n_features - 1) or n_leaves == 1
        data = data.here() if small else data.in_leaves(n_leaves)
        return Problem(replace(objective, data=data), target, contradictions)

    def _check_supported(self):
        """Whether the parameters are among those that a cluster can do."""
        for name, value in ONLY.items():
            if getattr(self, name) != value:
                raise NotImplementedError(
                    f"{name}={getattr(self, name)!r} is not supported on a cluster, "
                    f"only {name}={value!r}."
                )
        if self.special_neuron == "monomial":
            raise NotImplementedError(
                "special_neuron='monomial' is not supported on a cluster, only "
                "'exponential' and None."
            )

    def to_local(self) -> GoodMinimaClassifier:
        """The fitted classifier that needs no cluster.

        Returns
        -------
        model : GoodMinimaClassifier
        """
        check_is_fitted(self)
        model = GoodMinimaClassifier(**self.get_params())
        fitted = {k: v for k, v in vars(self).items() if k.endswith("_")}
        model._replace_fitted(fitted)
        return model

    def predict(self, X):
        """Class labels: a lazy dask array for a dask collection, else an ndarray.

        Parameters
        ----------
        X : dask array or frame, array-like or sparse matrix

        Returns
        -------
        y : array of shape (n_samples,) or (n_samples, n_labels)
        """
        return self._predicted("predict", X)

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
        """Logarithm of :meth:`predict_proba`."""
        return np.log(self.predict_proba(X))

    def score(self, X, y, sample_weight=None):
        """Accuracy, for which all labels come to the client.

        Parameters
        ----------
        X, y, sample_weight
            As for ``fit``; or in memory.

        Returns
        -------
        accuracy : float
        """
        predicted, y, weight = dask.compute(self.predict(X), y, sample_weight)
        return float(accuracy_score(y, predicted, sample_weight=weight))

    def _example(self, method):
        """What a method predicts for no rows, of the right type and shape."""
        raw, target = np.zeros((1, self.n_outputs_), self.coefs_[0].dtype), self._target
        match method:
            case "predict":
                return target.decode(target.decide(raw))[:0]
            case "decision_function":
                return target.decision(raw)[:0]
            case "predict_proba":
                return target.probabilities(self._link, raw)[:0]
            case _:
                raise ValueError(f"there is no method {method!r}.")

    def _predicted(self, method, X):
        """What a method of the local classifier predicts, block by block."""
        model = self.to_local()
        if not is_lazy(X):
            return getattr(model, method)(X)
        example = self._example(method)
        if hasattr(X, "rechunk"):
            X = X.rechunk({1: -1})
        blocks = np.ravel(X.to_delayed())
        chunks = getattr(X, "chunks", [[np.nan] * len(blocks)])
        predict = dask.delayed(_predict_block, pure=True)
        model = dask.delayed(model)
        return da.concatenate(
            [
                da.from_delayed(
                    predict(model, method, block, example),
                    (n, *example.shape[1:]),
                    meta=example,
                )
                for n, block in zip(chunks[0], blocks, strict=True)
            ],
            allow_unknown_chunksizes=True,
        )


def _labels(estimator, classes, y):
    """On a worker: the labels of a block of y."""
    return estimator._encode(y, known=classes)[1]


def _predict_block(model, method, X, empty):
    """On a worker: what a method predicts for a block, which may have no rows."""
    return getattr(model, method)(X) if X.shape[0] else empty

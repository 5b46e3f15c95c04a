"""What estimators share whose training rows stay on a cluster of dask."""

import copy
import functools
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import dask
import dask.array as da
import numpy as np
from distributed import Client
from sklearn.utils.validation import check_is_fitted, validate_data

from ..estimator.fitting import TrainedNetwork
from ..estimator.setup import PosedProblem, is_lazy, naming, pose_on
from ..objective.canonical_rows import SLICE
from .rows import ClusterRows
from .sharing import blocks_of, checked, share_out, unite
from .workers import Workers, current_client

# What a fit on a cluster can not do, and the only value that it takes instead.
ONLY = {
    "training": "escape",
    "cache_dir": None,
}
CLIENT = {"client": [Client, None]}  # constraint of the parameter


class DaskNetwork(TrainedNetwork):
    """A network that is trained on a cluster; stands before the one for one machine."""

    _local: ClassVar[type[TrainedNetwork]]  # for one machine
    _metric: ClassVar[Callable]  # of y and its predictions, with sample_weight

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation: str = "relu",
        *,
        client: Client | None = None,
        **parameters: Any,
    ) -> None:
        for name in parameters:
            if name not in self._get_param_names():
                raise TypeError(
                    f"{type(self).__name__}() got an unexpected parameter {name!r}."
                )
        super().__init__(hidden_layer_sizes, activation, **parameters)
        self.client = client

    @classmethod
    def _get_param_names(cls):
        return sorted([*cls._local._get_param_names(), "client"])

    def __getstate__(self):
        return super().__getstate__() | {"client": None}

    def __sklearn_clone__(self):
        """The clone that scikit-learn makes, with the same client: none is a copy."""
        without = copy.copy(self)  # see __getstate__
        clone = super(DaskNetwork, without).__sklearn_clone__()
        return clone.set_params(client=self.client)

    @abstractmethod
    def _seen_of_y(self, y, sample_weight):
        """On a worker: what the client has to know of a block of y."""

    @abstractmethod
    def _target_of(self, seen, known):
        """The target of y, which no single block may know."""

    @abstractmethod
    def _known_of(self, target):
        """What y may be, for the encoding of a block."""

    def partial_fit(self, *arguments, **named):
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
        if y is None:
            raise ValueError("y is None: it has to be a collection of dask, like X.")
        blocks = blocks_of(X, y, sample_weight)
        workers = Workers(self.client or current_client())
        workers.compare()
        bare = type(self)(**self._of_the_model())
        if not reset:
            _tell_columns(bare, self.n_features_in_, self._names)
        futures, seen = checked(workers, bare, blocks, reset)
        empty, names = unite(seen)
        if reset:
            _tell_columns(shell, empty.shape[1], names)
        with naming("y"):
            target = self._target_of([block.y for block in seen if block.n_rows], known)
        given = seen, empty
        data, contradictions = self._share_out(workers, bare, target, futures, *given)
        mirrored = target.mirrored(data)
        if mirrored is not None:  # rarely: the blocks are read once more
            target, (futures, _) = mirrored, checked(workers, bare, blocks, reset)
            data, contradictions = self._share_out(
                workers, bare, target, futures, *given
            )
        return PosedProblem(
            self._placed(pose_on(self, data, target)), target, contradictions
        )

    def _placed(self, objective):
        """The same objective, its rows in leaves, or in memory if that is as good."""
        data, n_leaves = objective.data, objective.n_leaves
        if not isinstance(data, ClusterRows):
            return objective
        small = data.n_rows <= max(SLICE, data.n_features - 1) or n_leaves == 1
        data = data.here() if small else data.in_leaves(n_leaves)
        return replace(objective, data=data)

    @property
    def _names(self):
        """Names of the columns, or None."""
        return getattr(self, "feature_names_in_", None)

    def certify(self, X, y, sample_weight=None, effort=1):
        """As on one machine, the rows being left on the cluster as far as possible.

        Parameters
        ----------
        X, y, sample_weight
            As for ``fit``; or in memory. With weight decay (``alpha_`` above 0) and an
            effort above 0, all distinct rows come to the client, where they must fit
            into memory.
        effort : float, default=1
            See :meth:`skgoodmin.GoodMinimaClassifier.certify`.

        Returns
        -------
        certificate : Certificate
        """
        check_is_fitted(self)
        if is_lazy(X):
            return super().certify(X, y, sample_weight, effort)
        return self.to_local().certify(X, y, sample_weight, effort)

    def _posed_again(self, X, y, sample_weight):
        """See :func:`skgoodmin.estimator.setup.posed_again`."""
        shell = copy.copy(self)
        given = shell, X, y, sample_weight, self._known
        return self._learner._pose(*given, reset=False).learned(self)

    @staticmethod
    def _share_out(workers, bare, target, *given):
        """The rows with the labels of a target, and which of them contradict."""
        return share_out(workers, functools.partial(_labels, bare, target), *given)

    def _of_the_model(self):
        """The parameters of the model: all but the client."""
        given = self.get_params(deep=False)
        return {name: given[name] for name in self._local._get_param_names()}

    def _validate_params(self):
        """Whether the parameters are valid, and among those that a cluster can do."""
        super()._validate_params()
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

    def to_local(self):
        """The fitted estimator that needs no cluster.

        Returns
        -------
        model : GoodMinimaClassifier or GoodMinimaRegressor
        """
        check_is_fitted(self)
        model = self._local(**self._of_the_model())
        fitted = {k: v for k, v in vars(self).items() if k.endswith("_")}
        model._replace_fitted(fitted)
        return model

    def predict(self, X):
        """As on one machine: a lazy dask array for a dask collection, else an ndarray.

        Parameters
        ----------
        X : dask array or frame, array-like or sparse matrix

        Returns
        -------
        y : array of shape (n_samples,) or (n_samples, n_outputs)
        """
        return self._predicted("predict", X)

    def score(self, X, y, sample_weight=None):
        """As on one machine, for which y and its predictions come to the client.

        Parameters
        ----------
        X, y, sample_weight
            As for ``fit``; or in memory.

        Returns
        -------
        score : float
            Accuracy of a classifier, R2 of a regressor.
        """
        given = self.predict(X), *map(_as_array, (y, sample_weight))
        predicted, y, weight = dask.compute(*given)
        return float(self._metric(y, predicted, sample_weight=weight))

    def _example(self, method, raw):
        """What a method predicts where the network has the raw predictions ``raw``."""
        if method != "predict":
            raise ValueError(f"there is no method {method!r}.")
        return self._target.predictions(raw)

    def _predicted(self, method, X):
        """What a method of the local classifier predicts, block by block."""
        model = self.to_local()
        if not is_lazy(X):
            return getattr(model, method)(X)
        raw = np.zeros((1, self.n_outputs_), self.coefs_[0].dtype)
        example = self._example(method, raw)[:0]
        # A frame tells names and number of its columns by a frame without rows.
        columns = X._meta if hasattr(X, "columns") else X
        validate_data(self, columns, reset=False, skip_check_array=True)
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


def _as_array(data):
    """A lazy frame as a lazy array, which dask computes along with others."""
    if not hasattr(data, "npartitions") or isinstance(data, da.Array):
        return data
    return dask.delayed(np.concatenate)(list(data.to_delayed()))


def _tell_columns(estimator, number, names):
    """Set what an estimator knows of X."""
    estimator.n_features_in_ = number
    if names is not None:
        estimator.feature_names_in_ = names


def _labels(estimator, target, y):
    """On a worker: the labels of a block of y."""
    return estimator._encode(y, known=estimator._known_of(target))[1]


def _predict_block(model, method, X, empty):
    """On a worker: what a method predicts for a block, which may have no rows."""
    return getattr(model, method)(X) if X.shape[0] else empty

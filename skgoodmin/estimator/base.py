"""What every fitted network offers: raw predictions, certificates, pickles."""

from abc import abstractmethod
from dataclasses import replace
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted

from ..certificates.certificate import Certificate, Status
from ..certificates.certify import Ending, certify
from ..kernels.activations import ACTIVATIONS
from ..objective.predictions import Predictions, predict_raw
from ..training.threads import fit_threads
from ..training.train import left_on_purpose
from ..version import __version__
from .callbacks import CallbackSupportMixin
from .setup import posed_again, validated_rows
from .typing import MatrixLike
from .warned import warn_user

# What scikit-learn keeps of the callbacks while a fit lasts: no part of a checkpoint.
OF_A_RUNNING_FIT = (
    "_callback_fit_ctx",
    "_parent_callback_ctx",
    "_skl_callbacks_to_teardown",
)
MLP_ACTIVATIONS = tuple(name for name, act in ACTIVATIONS.items() if act.in_mlp)


class Network(CallbackSupportMixin, BaseEstimator):
    """A network with ``coefs_`` and ``intercepts_``.

    What y is, and which loss belongs to it, its subclasses tell.
    """

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    @abstractmethod
    def _encode(self, y, known=None, sample_weight=None):
        """(target, labels) of y; ``known`` is what y may be, by default what it is."""

    @property
    @abstractmethod
    def _known(self):
        """What y may be after a fit, for ``_encode``."""

    @abstractmethod
    def _shared(self, y):
        """What parts of y may be, for ``_encode``, or None."""

    @staticmethod
    @abstractmethod
    def _check_loss(loss):
        """Raise ValueError if an object is no loss for this kind of y."""

    @property
    @abstractmethod
    def _target(self):
        """What the outputs stand for."""

    @abstractmethod
    def _loss(self, target):
        """The loss for a target."""

    @abstractmethod
    def _reweighted(self, data, target):
        """Canonical rows with the weights that the estimator multiplies them by."""

    def _replace_fitted(self, fitted):
        """Replace all fitted attributes at once, with those of a dict.

        One assignment: not even Ctrl-C comes between the old ones and the new ones.
        """
        rest = {k: v for k, v in vars(self).items() if not k.endswith("_")}
        self.__dict__ = rest | fitted

    @property
    def _learner(self):
        """The estimator with the parameters of its fit that its answers depend on.

        Others that were set since then are for the next fit.
        """
        learner = object.__new__(type(self))
        own = {
            "hidden_layer_sizes": tuple(len(coef) for coef in self.coefs_[1:]),
            "alpha": self.alpha_,
        }
        learner.__dict__ = vars(self) | getattr(self, "_learned_with_", {}) | own
        return learner

    def _raw(self, X):
        """Raw predictions, (n_samples, n_outputs)."""
        check_is_fitted(self)
        X = validated_rows(self, X, reset=False)
        activation = ACTIVATIONS[self._learner.activation]
        return predict_raw(self.coefs_, self.intercepts_, activation, X)

    def certify(
        self,
        X: MatrixLike,
        y: MatrixLike,
        sample_weight: ArrayLike | None = None,
        effort: float = 1,
    ) -> Certificate:
        """Certify the fitted network on its training rows, harder than ``fit`` does.

        A fit spends part of its time on ``certificate_``. This takes as much
        time as the effort asks for, and finds tighter bounds with weight decay.

        Parameters
        ----------
        X, y, sample_weight
            The training data; on other data the certificate is one of these.
        effort : float, default=1
            How hard to try, in iterations: no clock is asked, and the result is the
            same each time. 0 is what ``fit`` does, but for what the training knows
            besides (neurons that growing has found; what the neuron of 'joint' was
            worth); 1 takes some ten times as long as a default fit, and the time grows
            in proportion.

        Returns
        -------
        certificate : Certificate

        Raises
        ------
        ValueError
            If ``effort`` or an array is not valid.
        sklearn.exceptions.NotFittedError
            If there is no fit.
        """
        if not (isinstance(effort, Real) and 0 <= effort < np.inf):
            raise ValueError(f"effort must be a number from 0 on, got {effort!r}.")
        objective, theta, contradictions = self._posed_again(X, y, sample_weight)
        earlier, learner = self.certificate_, self._learner
        with fit_threads() as shared_map:
            objective = replace(objective, map=shared_map)
            gradient = objective.value_and_gradient(theta)[1]
            ending = Ending(
                float(np.abs(gradient).max(initial=0.0)),
                self.converged_,
                earlier.status is Status.STOPPED,
            )
            certificate = certify(
                Predictions(objective, theta),
                ending,
                check_random_state(0),
                special_neuron=learner.special_neuron is not None,
                neuron_alpha=learner.neuron_alpha,
                effort=effort,
                least=left_on_purpose(learner.training, learner.tol_gap),
            )
        return replace(
            certificate,
            contradictions=contradictions,
            alpha=earlier.alpha,
            unit=self._target.unit(objective.loss),
        )

    def _posed_again(self, X, y, sample_weight):
        """See :func:`.setup.posed_again`."""
        return posed_again(self, X, y, sample_weight)

    def _as_mlp(self, kind):
        """A fitted MLPClassifier or MLPRegressor with the same layers."""
        check_is_fitted(self)
        learner = self._learner
        activation = learner.activation
        if activation not in MLP_ACTIVATIONS:
            raise ValueError(
                f"to_mlp needs an activation out of {MLP_ACTIVATIONS}, got "
                f"activation={activation!r}."
            )
        mlp = kind(
            hidden_layer_sizes=learner.hidden_layer_sizes,
            activation=activation,
            solver="lbfgs",
            alpha=learner.alpha,
            random_state=self.random_state,
        )
        mlp.coefs_ = [coef.copy() for coef in self.coefs_]
        mlp.intercepts_ = [intercept.copy() for intercept in self.intercepts_]
        for name in (
            "n_layers_ n_outputs_ out_activation_ n_features_in_ feature_names_in_ "
            "n_iter_ loss_"
        ).split():
            if hasattr(self, name):
                setattr(mlp, name, getattr(self, name))
        return mlp

    def __getstate__(self):
        """The state, its certificate as plain values, and the version."""
        state = super().__getstate__() | {"_skgoodmin_version": __version__}
        for name in OF_A_RUNNING_FIT:
            state.pop(name, None)
        if "certificate_" in state:
            state["certificate_"] = state["certificate_"].to_dict()
        return state

    def __setstate__(self, state):
        state = dict(state)
        version = state.pop("_skgoodmin_version", "unknown")
        if version != __version__:
            warn_user(
                f"This {type(self).__name__} was saved by skgoodmin {version} and is "
                f"loaded by {__version__}; fit it again to be sure of its predictions."
            )
        if "certificate_" in state:
            state["certificate_"] = Certificate.from_dict(state["certificate_"])
        super().__setstate__(state)

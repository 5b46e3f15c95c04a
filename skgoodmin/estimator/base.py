"""What every fitted network offers: predictions, export, pickles."""

import warnings
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted

from ..certificates.certificate import Certificate, Status
from ..certificates.certify import Ending, certify
from ..kernels.activations import ACTIVATIONS
from ..objective.predictions import Predictions, predict_raw
from ..version import __version__
from .link import link_of
from .setup import loss_of, posed_again, validated_rows
from .targets import Target, target_of
from .typing import MatrixLike

MLP_ACTIVATIONS = tuple(name for name, act in ACTIVATIONS.items() if act.in_mlp)


class NetworkClassifier(ClassifierMixin, BaseEstimator):
    """A network with ``coefs_``, ``intercepts_``, ``classes_`` and ``multilabel_``."""

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_label = True
        return tags

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
        target = self._target
        return target.decode(target.decide(raw))

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

        For the polynomial hinge with ``alpha='auto'`` they are those of log-loss at
        ``link_slope_`` times the raw predictions, a slope that is fitted on the rows
        left out in the choice. With an alpha that was given they come from the
        closed-form inverse of its pointwise minimiser, one class against the rest and
        then normalised. The likeliest class is the one that :meth:`predict` returns.

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
        """Logarithm of :meth:`predict_proba`."""
        return np.log(self.predict_proba(X))

    @property
    def _target(self) -> Target:
        """What the outputs stand for."""
        return target_of(self.classes_, self.multilabel_)

    @property
    def _link(self):
        """What makes probabilities of raw predictions."""
        target = self._target
        return link_of(loss_of(self, target), target, self.link_slope_)

    def _replace_fitted(self, fitted):
        """Replace all fitted attributes at once, with those of a dict.

        One assignment: not even Ctrl-C comes between the old ones and the new ones.
        """
        rest = {k: v for k, v in vars(self).items() if not k.endswith("_")}
        self.__dict__ = rest | fitted

    def _raw(self, X):
        """Raw predictions, (n_samples, n_outputs)."""
        check_is_fitted(self)
        X = validated_rows(self, X, reset=False)
        activation = ACTIVATIONS[self.activation]
        return predict_raw(self.coefs_, self.intercepts_, activation, X)

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

    def certify(
        self,
        X: MatrixLike,
        y: MatrixLike,
        sample_weight: ArrayLike | None = None,
        effort: float = 1,
    ) -> Certificate:
        """Certify the fitted network on its training rows, harder than ``fit`` does.

        A fit spends a small part of its time on ``certificate_``. This takes as much
        time as the effort asks for, and finds tighter bounds with weight decay.

        Parameters
        ----------
        X, y, sample_weight
            The training data; on other data the certificate is one of these.
        effort : float, default=1
            How hard to try, in iterations: no clock is asked, and the result is the
            same each time. 0 is what ``fit`` does; 1 takes some ten times as long as a
            default fit, and the time grows in proportion.

        Returns
        -------
        certificate : Certificate
        """
        if not (isinstance(effort, Real) and 0 <= effort < np.inf):
            raise ValueError(f"effort must be a number from 0 on, got {effort!r}.")
        objective, theta, contradictions = posed_again(self, X, y, sample_weight)
        gradient = objective.value_and_gradient(theta)[1]
        earlier = self.certificate_.status
        ending = Ending(
            float(np.abs(gradient).max(initial=0.0)),
            self.converged_,
            earlier is Status.STOPPED,
        )
        certificate = certify(
            Predictions(objective, theta),
            ending,
            check_random_state(0),
            special_neuron=self.special_neuron is not None,
            neuron_alpha=self.neuron_alpha,
            effort=effort,
        )
        return certificate.of_rows(contradictions)

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
        if self.loss != "log_loss":
            raise ValueError(f"to_mlp needs loss='log_loss', got loss={self.loss!r}.")
        if self.activation not in MLP_ACTIVATIONS:
            raise ValueError(
                f"to_mlp needs an activation out of {MLP_ACTIVATIONS}, got "
                f"activation={self.activation!r}."
            )
        mlp = MLPClassifier(
            tuple(len(coef) for coef in self.coefs_[1:]),
            self.activation,
            solver="lbfgs",
            alpha=self.alpha_,
            random_state=self.random_state,
        )
        binarizer = LabelBinarizer().fit(self.classes_)
        if self.multilabel_:
            binarizer.fit(np.eye(len(self.classes_), dtype=int))
        mlp._label_binarizer = binarizer
        mlp.coefs_ = [coef.copy() for coef in self.coefs_]
        mlp.intercepts_ = [intercept.copy() for intercept in self.intercepts_]
        for name in (
            "classes_ n_layers_ n_outputs_ out_activation_ n_features_in_ "
            "feature_names_in_ n_iter_ loss_"
        ).split():
            if hasattr(self, name):
                setattr(mlp, name, getattr(self, name))
        return mlp

    def __getstate__(self):
        """The state, its certificate as plain values, and the version."""
        state = super().__getstate__() | {"_skgoodmin_version": __version__}
        if "certificate_" in state:
            state["certificate_"] = state["certificate_"].to_dict()
        return state

    def __setstate__(self, state):
        state = dict(state)
        version = state.pop("_skgoodmin_version", "unknown")
        if version != __version__:
            warnings.warn(
                f"This {type(self).__name__} was saved by skgoodmin {version} and is "
                f"loaded by {__version__}; fit it again to be sure of its predictions.",
                UserWarning,
                stacklevel=2,
            )
        if "certificate_" in state:
            state["certificate_"] = Certificate.from_dict(state["certificate_"])
        super().__setstate__(state)

"""The classifier that chooses its own alpha, along a path of warm starts."""

import copy
import warnings
from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import NotFittedError
from sklearn.metrics import check_scoring, get_scorer, get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.utils import check_consistent_length
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _raise_for_params,
    _routing_enabled,
    process_routing,
)

from .classifier import GoodMinimaClassifier
from .estimator.base import NetworkClassifier
from .estimator.callbacks import (
    CALLBACKS,
    CallbackSupportMixin,
    Subfits,
    with_callbacks,
)
from .estimator.path import best_of, checked_folds, name_of, path_scores, takes_weights
from .estimator.setup import check_parameters, in_memory, naming, validated
from .estimator.targets import encode
from .estimator.typing import MatrixLike
from .objective.losses.custom import PointwiseLoss

STRONGEST, WEAKEST = 0.3, 1e-3  # alphas of the path unless they are given
MOST_ALPHAS = 100_000  # nobody has the time for more


class GoodMinimaClassifierCV(CallbackSupportMixin, NetworkClassifier):
    """Multilayer perceptron with built-in cross-validation over ``alpha``.

    In each fold the network is trained at the strongest penalty and goes on from there
    to the weaker ones, each time beside a random start, of which the better one is
    kept: a network that a strong penalty has shrunk to a constant does not come back.
    The strength with the best mean score is used for a fit on all rows. All other
    parameters are those of :class:`GoodMinimaClassifier`.

    Parameters
    ----------
    alphas : int or array-like of shape (n_alphas,), default=8
        Strengths of the L2 penalty to try, or how many of them, from 0.3 down to 0.001
        in equal ratios.
    hidden_layer_sizes, activation, loss, degree
        See :class:`GoodMinimaClassifier`.
    cv : int, cross-validation generator or iterable, default=None
        As in scikit-learn; None is stratified 5-fold. A generator of splits is used up
        by one fit.
    scoring : str, callable or None, default=None
        As in scikit-learn; None is the accuracy. Where it takes no ``sample_weight``
        that is a warning, and all rows count alike in the scores.
    n_jobs : int or None, default=None
        Folds that are trained at once, as in joblib.
    refit : bool, default=True
        Train on all rows with the best strength; without it there is no model, only
        the scores, and predictions raise ``NotFittedError``.
    special_neuron, neuron_placement, neuron_degree, neuron_alpha, training, tol_gap, \
n_init, max_escapes, max_iter, max_fun, tol, class_weight, random_state
        See :class:`GoodMinimaClassifier`.
    verbose : bool or int, default=0
        1 prints a line for each fit in a fold, the mean scores, and what
        :class:`GoodMinimaClassifier` prints of the fit on all rows; 2 a line for each
        start and escape, 3 one for each iteration.

    Attributes
    ----------
    alphas_ : ndarray of shape (n_alphas,)
        Strengths that were tried, strongest first.
    scores_ : ndarray of shape (n_folds, n_alphas)
        Score on the left-out rows.
    alpha_ : float
        The strength with the best mean score; of equal ones, the strongest. One with
        a score of NaN is left out, with a warning. If it is the strongest or weakest
        and better than the next one in every fold, there is a warning, too.
    alpha_scores_ : ndarray of shape (n_alphas,)
        Mean of each strength over the folds and its standard error, in the fields
        ``alpha``, ``score`` and ``error``.
    best_score_ : float
        Its mean score.
    classes_, coefs_, intercepts_, certificate_, ...
        Of the fit on all rows, as those of :class:`GoodMinimaClassifier`.

    See Also
    --------
    GoodMinimaClassifier : One fit with one strength.
    sklearn.linear_model.LogisticRegressionCV : The same idea for a linear model.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skgoodmin import GoodMinimaClassifierCV
    >>> X, y = load_wine(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), GoodMinimaClassifierCV(random_state=0))
    >>> bool(model.fit(X, y)[-1].best_score_ > 0.95)
    True
    """

    _parameter_constraints = {
        name: constraint
        for name, constraint in GoodMinimaClassifier._parameter_constraints.items()
        if name
        not in (
            "alpha",
            "early_stopping",
            "validation_fraction",
            "n_iter_no_change",
            "warm_start",
        )
    } | {
        "alphas": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "cv": ["cv_object"],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "refit": ["boolean"],
    }

    def __init__(
        self,
        hidden_layer_sizes: int
        | Sequence[int]
        | NDArray[np.integer]
        | Literal["auto"] = (100,),
        activation: str = "relu",
        *,
        alphas: int | Sequence[float] | NDArray[np.floating] = 8,
        loss: str | PointwiseLoss = "poly_hinge",
        degree: float = 3,
        cv: Any = None,
        scoring: str | Callable[..., float] | None = None,
        n_jobs: int | None = None,
        refit: bool = True,
        special_neuron: Literal["exponential", "monomial"] | None = "exponential",
        neuron_placement: Literal["skip", "per_layer"] = "skip",
        neuron_degree: int | None = None,
        neuron_alpha: float = 1.0,
        training: Literal["escape", "joint", "grow"] = "escape",
        tol_gap: float = 1e-3,
        n_init: int = 1,
        max_escapes: int = 3,
        max_iter: int = 1000,
        max_fun: int = 15000,
        tol: float = 1e-4,
        class_weight: dict | Literal["balanced"] | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool | int = 0,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.alphas = alphas
        self.loss = loss
        self.degree = degree
        self.cv = cv
        self.scoring = scoring
        self.n_jobs = n_jobs
        self.refit = refit
        self.special_neuron = special_neuron
        self.neuron_placement = neuron_placement
        self.neuron_degree = neuron_degree
        self.neuron_alpha = neuron_alpha
        self.training = training
        self.tol_gap = tol_gap
        self.n_init = n_init
        self.max_escapes = max_escapes
        self.max_iter = max_iter
        self.max_fun = max_fun
        self.tol = tol
        self.class_weight = class_weight
        self.random_state = random_state
        self.verbose = verbose

    @with_callbacks
    def fit(
        self,
        X: MatrixLike,
        y: MatrixLike,
        sample_weight: ArrayLike | None = None,
        **params: Any,
    ) -> Self:
        """Choose ``alpha`` by cross-validation, then train on all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, in the fits and in the scores.
        **params : dict
            ``groups`` for a group splitter; with metadata routing whatever splitter
            and scorer ask for, and whether the scorer gets ``sample_weight`` is then
            up to its request.

        Returns
        -------
        self : GoodMinimaClassifierCV

        Raises
        ------
        ValueError
            If a parameter or an array is not valid; what comes out of a fold has a note
            that tells which one. An earlier fit stays as it was.
        """
        _raise_for_params(params, self, "fit", allow=["groups"])
        self._validate_params()
        alphas = self._alphas()
        X, y, sample_weight = in_memory(X, y, sample_weight)
        shell = copy.copy(self)  # a generator of splits can not be cloned
        X_checked, y, sample_weight = validated(shell, X, y, sample_weight, reset=True)
        model = self._model(alphas[0])
        check_parameters(model)
        with naming("y"):
            encode(y)  # what is wrong with all of it
        scorer = check_scoring(model, scoring=self.scoring)
        split_params, score_params = self._routed(
            X_checked, scorer, sample_weight, params
        )
        with naming("cv"):
            splitter = check_cv(self.cv, y, classifier=True)
            splits = splitter.split(X_checked, y, **split_params)
            folds = checked_folds(splits, X_checked.shape[0], sample_weight)
        size = len(folds), len(alphas), self.refit
        subfits = Subfits(self, X, y, sample_weight, *size)
        scores = Parallel(n_jobs=self.n_jobs)(
            delayed(path_scores)(
                model,
                alphas,
                X_checked,
                y,
                sample_weight,
                *fold,
                scorer,
                score_params,
                subfits,
                i,
            )
            for i, fold in enumerate(folds)
        )
        scores = np.array(scores)
        scoring = self.scoring if isinstance(self.scoring, str) else name_of(scorer)
        best, table, sentences = best_of(alphas, scores, scoring)
        self._tell(alphas, scores, best)
        fitted = {
            "alphas_": alphas,
            "scores_": scores,
            "best_score_": float(scores[:, best].mean()),
            "n_features_in_": shell.n_features_in_,
        }
        if self.refit:
            model = self._model(alphas[best])
            with subfits.refit(model):
                model._fit(X, y, sample_weight)
            fitted |= {k: v for k, v in vars(model).items() if k.endswith("_")}
        fitted["alpha_"] = float(alphas[best])
        fitted["alpha_scores_"] = table
        subfits.close(fitted if self.refit else None)
        self._replace_fitted(fitted)
        for sentence in sentences:
            warnings.warn(sentence, UserWarning, stacklevel=3 if CALLBACKS else 2)
        return self

    def get_metadata_routing(self):
        """How metadata get to the splitter and to the scorer.

        Returns
        -------
        routing : sklearn.utils.metadata_routing.MetadataRouter
        """
        in_fit = MethodMapping().add(caller="fit", callee="score")
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                splitter=self.cv,
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
            .add(scorer=get_scorer(self.scoring or "accuracy"), method_mapping=in_fit)
        )

    def _routed(self, X, scorer, sample_weight, params):
        """What the splitter gets, and what the scorer gets, of all rows."""
        if _routing_enabled():
            routed = process_routing(self, "fit", sample_weight=sample_weight, **params)
            return routed["splitter"]["split"], routed["scorer"]["score"]
        groups = params.get("groups")
        if groups is not None:
            with naming("groups"):
                check_consistent_length(X, groups)
        scored = {}
        if sample_weight is not None and takes_weights(scorer):
            scored["sample_weight"] = sample_weight
        return {"groups": groups}, scored

    def _tell(self, alphas, scores, best):
        """Print the mean scores."""
        if self.verbose:
            for i, (alpha, score) in enumerate(
                zip(alphas, scores.mean(axis=0), strict=True)
            ):
                mark = ", the best" if i == best else ""
                print(f"alpha={alpha:g}: mean score {score:.4g}{mark}")

    def __sklearn_is_fitted__(self):
        if hasattr(self, "scores_") and not hasattr(self, "coefs_"):
            raise NotFittedError(
                f"This {type(self).__name__} was fitted with refit=False: it has "
                "scores, but no model. Set refit=True and fit again."
            )
        return hasattr(self, "coefs_")

    def _alphas(self):
        """The strengths to try, strongest first."""
        if isinstance(self.alphas, Integral):
            if int(self.alphas) > MOST_ALPHAS:
                raise ValueError(
                    f"alphas must be at most {MOST_ALPHAS} as a number of strengths, "
                    f"got {self.alphas}."
                )
            return np.geomspace(STRONGEST, WEAKEST, self.alphas)
        try:
            alphas = np.asarray(self.alphas, dtype=np.float64)
        except (TypeError, ValueError):  # no numbers, or not as many in each row
            alphas = np.empty(0)
        if alphas.ndim != 1 or not len(alphas) or not (alphas >= 0).all():
            raise ValueError(
                "alphas must be a number or a list of numbers that are not negative, "
                f"got {self.alphas!r}."
            )
        return np.sort(alphas)[::-1]

    def _model(self, alpha):
        """The classifier with this strength."""
        own = self.get_params(deep=False)
        shared = GoodMinimaClassifier().get_params(deep=False).keys() & own.keys()
        shared -= {"n_jobs"}
        return GoodMinimaClassifier(
            alpha=float(alpha), **{name: own[name] for name in shared}
        )

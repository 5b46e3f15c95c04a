"""Cross-validation over alpha, along a path of warm starts."""

import copy
from dataclasses import replace
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike
from sklearn.base import is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.metrics import check_scoring, get_scorer
from sklearn.model_selection import check_cv
from sklearn.utils import check_consistent_length
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _raise_for_params,
    _routing_enabled,
    process_routing,
)

from ..objective.canonical_rows import canonical_rows
from .alpha_choice import AlphaChoice
from .base import Network
from .callbacks import Subfits, with_callbacks
from .fitting import TrainedNetwork
from .link import FITTED, fitted_slope
from .path import AlphaPath, best_of, checked_folds, name_of, takes_weights
from .setup import check_parameters, in_memory, naming, validated
from .typing import MatrixLike
from .warned import warn_user

STRONGEST, WEAKEST = 0.3, 1e-3  # alphas of the path unless they are given
MOST_ALPHAS = 100_000  # nobody has the time for more


class CrossValidatedNetwork(Network):
    """A network that chooses its own alpha."""

    _single: ClassVar[type[TrainedNetwork]]  # with one alpha
    _of_single_rows: ClassVar[str] = ""  # why one of one row has no default score

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
        self : estimator

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
        X_checked, y, sample_weight = validated(
            shell, X, y, sample_weight, reset=True, tells=not self.refit
        )  # or the fit on all rows does
        check_parameters(self._model(1.0))
        with naming("alphas"):
            check_parameters(self._model(alphas[-1]))
        model = self._model(alphas[0])
        with naming("y"):
            target, labels = self._encode(y)  # what is wrong with all of it
        scorer = check_scoring(model, scoring=self.scoring)
        is_named = isinstance(self.scoring, str)
        scoring = repr(self.scoring) if is_named else name_of(scorer)
        split_params, score_params = self._routed(
            X_checked, scorer, sample_weight, params
        )
        with naming("cv"):
            splitter = check_cv(self.cv, y, classifier=is_classifier(self))
            splits = splitter.split(X_checked, y, **split_params)
            folds = checked_folds(splits, X_checked.shape[0], sample_weight)
        unseen = [_unseen(target, labels, sample_weight, *fold) for fold in folds]
        size = len(folds), len(alphas), self.refit
        subfits = Subfits(self, X, y, sample_weight, *size)
        rows = X_checked, y, sample_weight
        calibrates = self.refit and self._loss(target).link in FITTED
        path = AlphaPath(
            model, alphas, *rows, scorer, scoring, score_params, subfits, calibrates
        )
        found = Parallel(n_jobs=self.n_jobs)(
            delayed(path.scores)(i, *fold) for i, fold in enumerate(folds)
        )
        scores = np.array([of_fold for of_fold, _ in found])
        is_default = self.scoring in (None, self._default_scoring)
        has_single = is_default and min(len(test) for _, test in folds) == 1
        why = self._of_single_rows if has_single else ""
        best, table, sentences = best_of(alphas, scores, scoring, why)
        self._tell(alphas, scores, best)
        tried = f"the best of {len(alphas)} strengths in {len(folds)} folds"
        reason = tried if len(alphas) > 1 else ""
        choice = AlphaChoice(float(alphas[best]), reason, table)
        fitted = {
            "alphas_": alphas,
            "scores_": scores,
            "best_score_": float(scores[:, best].mean()),
            "alpha_": choice.alpha,
            "alpha_reason_": choice.reason,
            "alpha_scores_": choice.scores,
            "n_features_in_": shell.n_features_in_,
        }
        if hasattr(shell, "feature_names_in_"):
            fitted["feature_names_in_"] = shell.feature_names_in_
        if self.refit:
            model = self._model(choice.alpha)
            with subfits.refit(model):
                model._fit(X, y, sample_weight)
            learned = {k: v for k, v in vars(model).items() if k.endswith("_")}
            certificate = replace(model.certificate_, alpha=choice.sentence)
            if calibrates:
                raw = [of_fold[best] for _, of_fold in found]
                given = raw, folds, unseen, target, labels, sample_weight
                learned |= self._calibrated(*given)
            fitted = learned | {"certificate_": certificate} | fitted
        subfits.close(fitted if self.refit else None)
        self._replace_fitted(fitted)
        for sentence in sentences + _of_unseen(folds, unseen):
            warn_user(sentence)
        return self

    def _calibrated(self, raw, folds, unseen, target, labels, sample_weight):
        """Attributes of the link that fits raw predictions of left-out rows best.

        Rows count as often as they were left out. Their content is here what was
        predicted: equal ones are merged, so that a weight of 2 is a repetition.

        raw : list of ndarray of shape (n_test, n_outputs)
            Of each fold.
        unseen : list of ndarray of shape (n_test,)
            Which of them have a label that their fold has not seen.
        """
        known = ~np.concatenate(unseen)
        raw = np.concatenate(raw)[known]
        rows = np.concatenate([test for _, test in folds])[known]
        if not (len(rows) and np.isfinite(raw).all()):
            return {}
        weight = None if sample_weight is None else sample_weight[rows]
        data = canonical_rows(raw, labels[rows], weight)
        try:
            data = self._reweighted(data, target)
        except ValueError:  # no class of these rows has a weight
            return {}
        of_rows = data.block(), data.labels, data.weights
        slope = fitted_slope(*of_rows, data.whole.n_counted)
        return target.attributes(self._loss(target), slope)

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
            .add(
                scorer=get_scorer(self.scoring or self._default_scoring),
                method_mapping=in_fit,
            )
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
        if isinstance(self.alphas, Integral) and not isinstance(self.alphas, bool):
            if int(self.alphas) > MOST_ALPHAS:
                raise ValueError(
                    f"alphas must be at most {MOST_ALPHAS} as a number of strengths, "
                    f"got {self.alphas}."
                )
            return np.geomspace(STRONGEST, WEAKEST, self.alphas)
        try:
            alphas = np.asarray(self.alphas)
        except ValueError:  # not as many in each row
            alphas = np.empty(0)
        valid = alphas.ndim == 1 and len(alphas) and alphas.dtype.kind in "iuf"
        if not (valid and (alphas >= 0).all() and (alphas < np.inf).all()):
            raise ValueError(
                "alphas must be a number or a list of finite numbers that are not "
                f"negative, got {self.alphas!r}."
            )
        return np.sort(alphas.astype(np.float64))[::-1]

    def _model(self, alpha):
        """The estimator with this strength."""
        own = self.get_params(deep=False)
        shared = self._single().get_params(deep=False).keys() & own.keys()
        shared -= {"n_jobs"}
        return self._single(alpha=float(alpha), **{name: own[name] for name in shared})


def _unseen(target, labels, sample_weight, train, test):
    """Which test rows have a label that no training row has; only weights count."""
    if sample_weight is None:
        return target.unseen(labels[test], labels[train])
    has_weight = sample_weight > 0
    is_unseen = target.unseen(labels[test], labels[train[has_weight[train]]])
    return is_unseen & has_weight[test]


def _of_unseen(folds, unseen):
    """What to tell of test rows whose label is not learned, if there are any."""
    for number, ((_, test), is_unseen) in enumerate(zip(folds, unseen, strict=True)):
        if is_unseen.any():
            return [
                f"In fold {number} of cv {is_unseen.sum()} test rows, the first is row "
                f"{test[is_unseen][0]}, have a label that no training row has: their "
                "scores say nothing of alpha, and link_slope_ is fitted without them. "
                "Let cv shuffle or stratify, as StratifiedKFold(5, shuffle=True) does; "
                "a label needs at least two rows for that."
            ]
    return []

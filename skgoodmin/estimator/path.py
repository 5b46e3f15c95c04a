"""The path of warm starts over alpha in one fold, and what its scores say.

Fits in folds are there to be compared, and are short (:mod:`.short_fits`).
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import _check_method_params

from .short_fits import FEW, FitInFold, iterations
from .warned import warn_user

SEVERAL = ": with several classes use 'roc_auc_ovr' or 'roc_auc_ovo'"


def checked_folds(splits, n_rows, sample_weight):
    """(training rows, test rows) of each split, as numbers of rows.

    In each fold there has to be something to train on, and something to score.
    """
    folds = [_checked_fold(i, split, n_rows) for i, split in enumerate(splits)]
    if not folds:
        raise ValueError(
            "there is no split; a generator has none after the first fit, a list does."
        )
    for i, fold in enumerate(folds):
        for kind, rows in zip(("training", "test"), fold, strict=True):
            if not len(rows):
                raise ValueError(f"fold {i} has no {kind} rows.")
            if sample_weight is not None and not sample_weight[rows].any():
                raise ValueError(f"sample_weight is 0 on all {kind} rows of fold {i}.")
    return folds


def _checked_fold(i, split, n_rows):
    """(training rows, test rows) of the i-th split, which may hold masks."""
    try:
        train, test = (np.asarray(rows) for rows in split)
    except (TypeError, ValueError):
        raise ValueError(
            f"a split is a pair of training rows and test rows, got {split!r} for "
            f"fold {i}."
        ) from None
    fold = []
    for rows in (train, test):
        if rows.dtype == bool and rows.shape == (n_rows,):
            rows = np.flatnonzero(rows)
        if rows.ndim != 1 or (len(rows) and rows.dtype.kind not in "iu"):
            raise ValueError(
                "rows of a split are their numbers or a mask of all of them, got an "
                f"array of shape {rows.shape} and dtype {rows.dtype} in fold {i}."
            )
        outside = rows[(rows < -n_rows) | (rows >= n_rows)] if len(rows) else rows
        if len(outside):
            raise ValueError(
                f"fold {i} has row {outside[0]}, but there are {n_rows} rows."
            )
        fold.append(rows.astype(np.intp))
    return tuple(fold)


def takes_weights(scorer):
    """Whether a scorer can be given sample_weight; if not, there is a warning."""
    if hasattr(scorer, "_accept_sample_weight"):
        takes = scorer._accept_sample_weight()
    elif hasattr(scorer, "_estimator"):  # the model's own score
        takes = True
    else:
        function = getattr(scorer, "_score_func", scorer)
        takes = "sample_weight" in inspect.signature(function).parameters
    if not takes:
        warn_user(
            f"scoring={name_of(scorer)} does not take sample_weight: the fits are "
            "weighted, and all rows count alike in the scores."
        )
    return takes


def name_of(scorer):
    """What to call a scorer."""
    return getattr(scorer, "__name__", None) or str(scorer)


def number_of(score, scorer):
    """A score as a float, if it is a number."""
    if isinstance(score, np.ndarray | np.generic) and np.ndim(score) == 0:
        score = score.item()
    if not isinstance(score, Real):
        raise ValueError(
            f"scoring={name_of(scorer)} must return a number, got {score!r} of type "
            f"{type(score).__name__}."
        )
    return float(score)


@dataclass(frozen=True)
class AlphaPath:
    """Fits along the strengths: what the folds have in common.

    Parameters
    ----------
    model : TrainedNetwork
    alphas : ndarray of shape (n_alphas,)
        Strongest first.
    X, y, sample_weight
        All rows.
    scorer : callable
    scoring : str
        What the scorer is called.
    score_params : dict
        What the scorer gets besides, of all rows.
    subfits : Subfits
    keeps_raw : bool
        Whether the raw predictions of left-out rows are wanted: for each strength, for
        nobody knows yet which one it will be.
    """

    model: Any
    alphas: np.ndarray
    X: Any
    y: Any
    sample_weight: Any
    scorer: Callable
    scoring: str
    score_params: dict
    subfits: Any
    keeps_raw: bool

    def scores(self, fold, train, test):
        """Scores on the rows ``test`` along the path of warm starts on ``train``.

        Returns
        -------
        scores : list of float
        raw : list of ndarray of shape (n_test, n_outputs)
            Raw predictions for them; empty where they are not kept.
        """
        model, X, y = clone(self.model), self.X, self.y
        known, problem = model._shared(y), None
        weight = None if self.sample_weight is None else self.sample_weight[train]
        rows = X[train], y[train], weight
        params = _check_method_params(X, self.score_params, indices=test)
        previous, scores, raw, n_random = None, [], [], model.n_init
        with self.subfits.fold(fold):
            for number, alpha in enumerate(self.alphas):
                n_init = n_random if previous is None else 1 + n_random
                model.alpha, model.n_init = float(alpha), n_init
                try:
                    if problem is None:  # the fits have it in common, but for alpha
                        problem = model._pose(model, *rows, known, True)
                        n_iter = self._iterations(problem)
                    how = {
                        "previous": previous,
                        "known": known,
                        "short": FitInFold(f"Fold {fold}, alpha={alpha:g}", n_iter),
                        "problem": problem.with_alpha(alpha),
                    }
                    with self.subfits.fit(fold, number, model):
                        model._fit(*rows, **how)
                    score = self._score(model, X[test], y[test], params)
                    scores.append(score)
                    if self.keeps_raw:
                        raw.append(model._raw(X[test]))
                except Exception as error:
                    where = f"in fold {fold} of cv, with alpha={alpha:g}"
                    error.add_note(f"This was {where}.")
                    raise
                previous = model
        return scores, raw

    def _iterations(self, problem):
        """How many each fit in a fold takes."""
        if self.model.training == "grow" or self.model.max_iter <= FEW:
            return FEW
        return iterations(problem.with_alpha(self.alphas[-1]).objective)

    def _score(self, model, X, y, params):
        """What the scorer says of a model; an error of its own names it."""
        try:
            score = self.scorer(model, X, y, **params)
        except Exception as error:
            if type(error) in (ValueError, TypeError):
                more = SEVERAL if _lacks_multi_class(self.scoring, error) else ""
                named = f"scoring={self.scoring}: {error}{more}"
                raise type(error)(named) from error
            error.add_note(f"scoring={self.scoring} raised it.")
            raise
        return number_of(score, self.scorer)


def _lacks_multi_class(scoring, error):
    """Whether scikit-learn asks for an argument that no string can give."""
    return scoring == repr("roc_auc") and "multi_class" in str(error)


# What the scores of a path come to: mean over the folds, and its standard error.
SCORES = np.dtype([("alpha", "f8"), ("score", "f8"), ("error", "f8")])


def score_table(alphas, scores):
    """The scores (n_folds, n_alphas) in the fields of ``SCORES``, (n_alphas,)."""
    table = np.empty(len(alphas), dtype=SCORES)
    table["alpha"], table["error"], n_folds = alphas, np.nan, len(scores)
    with np.errstate(invalid="ignore"):  # inf - inf
        table["score"] = scores.mean(axis=0)
        if n_folds > 1:
            table["error"] = scores.std(axis=0, ddof=1) / np.sqrt(n_folds)
    return table


def best_of(alphas, scores, scoring, why=""):
    """Number of the alpha with the best mean score; of equal ones, the first.

    An alpha with a score that is NaN can not be chosen, and a sentence tells of it.
    Another one tells if the best alpha is the first or the last, and better than the
    next one in every fold: the scores still rise there. Two alphas are all edge.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        Strongest first.
    scores : ndarray of shape (n_folds, n_alphas)
    scoring : str
        Name of what gave the scores.
    why : str
        What to add where all of them are NaN.

    Returns
    -------
    best : int
    table : ndarray of shape (n_alphas,)
        See :func:`score_table`.
    sentences : list of str
        To warn the user with.
    """
    sentences = []
    table = score_table(alphas, scores)
    unknown = np.isnan(table["score"])
    if unknown.all():
        raise ValueError(f"scoring={scoring} is NaN in some fold for every alpha{why}.")
    if unknown.any():
        names = ", ".join(f"{alpha:g}" for alpha in alphas[unknown])
        sentences.append(
            f"scoring={scoring} is NaN in some fold for alpha={names}, which can not "
            "be chosen."
        )
    best = int(np.nanargmax(table["score"]))
    last = len(alphas) - 1
    edge = {0: (1, "strongest", "stronger"), last: (last - 1, "weakest", "weaker")}
    if last > 1 and best in edge and alphas[best] > 0:
        inner, which, other = edge[best]
        if (scores[:, best] > scores[:, inner]).all():
            sentences.append(
                f"The best alpha, {alphas[best]:g}, is the {which} of alphas, and "
                f"better than the next one in every fold: add {other} ones to alphas."
            )
    return best, table, sentences

"""The choice of alpha inside a fit: cross-validation by short fits.

In each of four folds, networks of at most 16 units a layer are trained from one random
start for 30 iterations, one with each of six strengths. A strength is worth

    accuracy + 3 mean log P(label)      of a classifier
    1 - 2 mean loss                     of a regressor: R2 for the squared error

on the rows that were left out, P that of the loss, and of the hinge by the link that
fits all of them best (:mod:`.link`). So early in a training it shows already which
strength will predict best, and after the first fold the better half of the strengths
goes on alone: what it costs is about a fit. With few rows one fold says little, and all
go on.

Which of two strengths is better is often a matter of chance. So alpha is a mean of
those that went on,

    log alpha = sum_a s_a log a / sum_a s_a,   s_a = exp(-t_a / 1.25),

with t_a what the strength a is behind the best one, in standard errors of the mean
difference over the rows. Only if the strongest of all is the best, it is taken alone:
what is stronger was not tried, and a mean would lean to one side.

Which rows are dealt to the folds is told by :mod:`.deal`: classes that have too few for
four folds have no say, and of many rows a sample is dealt. The strength times the
number of rows is what it tells.

Where short fits see next to nothing in the rows, as of a wave with many bends, all
strengths look alike. So where even the weakest one leaves most of what a constant has
to lose, and wherever there are 8000 rows and more, the fits are of three times the
sample, twice the width and twice the iterations.

More than three outputs share the units of a fit, so a short one has twice the width.
Several targets of a regressor share its iterations, too: a short fit sees of each but a
part, and takes a strong penalty for what it has not come to. So for k targets width and
iterations are those of one, times min(k, 3).

Where there are too few rows for folds, a rule decides.
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ..objective.layout import ParameterLayout
from ..objective.predictions import predict_raw
from ..objective.row_space import row_space
from ..training.compact_lbfgs import short_runs
from ..training.lbfgs import MEMORY
from ..training.threads import fit_threads
from .deal import N_FOLDS, dealt, too_few
from .link import FITTED
from .path import score_table
from .short_fits import BLIND, share_left

ALPHAS = np.array([0.3, 0.1, 0.03, 0.01, 0.003, 0.001])  # of the hinge
HALF, FEW = 3, 100  # of them go on after the first fold, of fewer rows all
FOLDS, TOL = range(N_FOLDS), 1e-4
NOISE = 1.25  # standard errors behind the best at which a strength counts 1/e


class _Size(NamedTuple):
    """How large short fits are."""

    n_groups: int  # of rows with equal content that are dealt, about
    widest: int  # units of a hidden layer
    limits: tuple  # iterations and evaluations

    def of(self, target):
        """The size for a target, whose outputs share units."""
        times = min(target.n_targets, MOST_TIMES)
        wider = max(times, 2 if target.n_outputs > FEW_OUTPUTS else 1)
        limits = tuple(times * limit for limit in self.limits)
        return _Size(self.n_groups, wider * self.widest, limits)


MOST_TIMES, FEW_OUTPUTS = 3, 3
MANY, SMALL, LARGE = 8000, _Size(1000, 16, (30, 75)), _Size(3000, 32, (60, 150))


@dataclass(frozen=True)
class AlphaChoice:
    """A strength, and why it is the one.

    Parameters
    ----------
    alpha : float
    reason : str
        How it was chosen; empty where it was given.
    scores : ndarray of shape (n_alphas,), optional
        See :func:`~skgoodmin.estimator.path.score_table`.
    slope : float, optional
        Of the link to probabilities, fitted on the rows that were left out.
    loss : str or object, optional
        The parameter of the estimator that it was chosen for.
    """

    alpha: float
    reason: str = ""
    scores: np.ndarray | None = None
    slope: float | None = None
    loss: Any = None

    @property
    def sentence(self):
        """The strength and the reason; empty where it was given."""
        return f"{self.alpha:.4g}: {self.reason}" if self.reason else ""


class _Compared(NamedTuple):
    """What short fits have told; NaN, but in ``first``, of those that did not go on."""

    worth: np.ndarray  # (n_alphas, n_rows) of the rows left out
    slopes: np.ndarray  # (n_alphas,) of the links
    first: np.ndarray  # (n_alphas,) scores in the first fold alone, with links of it
    left: float  # share of a constant's loss that the weakest one leaves in training


def rule(loss, data):
    """20 over the number of rows, at most 0.2; for log-loss a quarter of it."""
    return loss.auto_alpha * min(20.0 / data.whole.n_counted, 0.2)


def choose(estimator, objective, target, previous, stop, goes_on=False):
    """Choose alpha for an objective whose alpha is that of the rule.

    Parameters
    ----------
    estimator : GoodMinimaClassifier
    objective : Objective
    target : Target
    previous : GoodMinimaClassifier or None
        An earlier fit, whose choice is kept if it made one.
    stop : StopRequest
    goes_on : bool, default=False
        Whether it is the earlier fit that goes on, so that its choice is this one's.

    Returns
    -------
    choice : AlphaChoice
    """
    if estimator.alpha != "auto":
        return AlphaChoice(objective.alpha)
    if _keeps_choice(previous, estimator.loss):
        scores, slope = previous.alpha_scores_, getattr(previous, "link_slope_", None)
        why = previous.alpha_reason_ if goes_on else "kept from the fit before"
        kept = previous.alpha_, why, scores, slope
        return AlphaChoice(*kept, estimator.loss)
    why = too_few(objective.data, target)
    if why:
        return _by_rule(objective, why)
    is_grown, alphas = estimator.training == "grow", ALPHAS * objective.loss.auto_alpha
    given = objective, target, alphas, is_grown, stop
    has_many = np.sum(objective.data.opens_group) >= MANY
    small, large = (size.of(target) for size in (SMALL, LARGE))
    deal, found = _short_fits(*given, large if has_many else small)
    if found.left > BLIND and not has_many:
        deal, found = _short_fits(*given, large)
    if stop.made:
        return _by_rule(objective, "a stop was asked for before there was a choice")
    worth, slopes, first, _ = found
    if not np.isfinite(worth).any():
        return _by_rule(objective, "predictions of short fits overflow")
    weights = deal.data.weights
    scores = [_mean(worth, weights, deal.fold == k) for k in FOLDS]
    table = score_table(alphas * deal.share, np.array(scores))
    shares = _shares(worth, table["score"], weights)
    best, given_up = int(np.nanargmax(table["score"])), np.isnan(table["score"])
    behind = first[best] - first[given_up]  # with links of one and the same fold
    table["score"][given_up] = table["score"][best] - behind
    reason = (
        f"mean of the best of {len(alphas)} strengths in {N_FOLDS} folds of short fits"
    )
    if deal.target is not target:
        n_left = len(deal.target.classes)
        reason += f" of the {n_left} classes with at least {N_FOLDS} distinct rows"
    if deal.share < 1:
        reason += f" on {deal.data.n_rows} distinct rows, times their share of all rows"
    if best == len(alphas) - 1:
        reason += "; the weakest of them is the best, so weaker ones may be better"
    slope = _geometric_mean(slopes, shares) if objective.loss.link in FITTED else None
    alpha = _geometric_mean(table["alpha"], shares)
    return AlphaChoice(alpha, reason, table, slope, estimator.loss)


def _keeps_choice(previous, loss):
    """Whether an earlier fit has chosen, for this loss."""
    if previous is None or previous.alpha_scores_ is None:
        return False
    return getattr(previous, "_chosen_for_", loss) == loss


def _by_rule(objective, why):
    """What the rule says, and why it is asked."""
    share = objective.loss.auto_alpha
    times = "" if share == 1 else f"{share:g} times "
    reason = f"{times}20 over the number of rows, at most {times}0.2, since {why}"
    return AlphaChoice(float(objective.alpha), reason)


def _short_fits(objective, target, alphas, is_grown, stop, size):
    """(:class:`.Deal`, :class:`_Compared`) of short fits of a :class:`_Size`."""
    deal = dealt(objective.data, target, size.n_groups)
    n_features, *hidden, _ = objective.layout.sizes
    if is_grown:
        hidden = [size.widest]
    hidden = (min(n, size.widest) for n in hidden)
    layout = ParameterLayout((n_features, *hidden, deal.target.n_outputs))
    small = replace(objective, data=deal.data, layout=layout, evaluations=None)
    space = row_space(small)
    if space is not None:  # where those of the folds are found fast
        small = space.objective(small)
    with fit_threads() as shared_map, np.errstate(all="ignore"):
        small = replace(small, map=shared_map)
        found = _compared(small, deal.fold, deal.target, alphas, size.limits, stop)
    return deal, found


def _compared(objective, fold, target, alphas, limits, stop):
    """The :class:`_Compared` of rows that are dealt to folds."""
    worth = np.full((len(alphas), len(fold)), np.nan)
    slopes, first = np.full((2, len(alphas)), np.nan)
    raw = np.full((*worth.shape, objective.n_outputs), np.nan)
    going, weights, left = np.arange(len(alphas)), objective.data.weights, 0.0
    for number in FOLDS:
        last = _leave_out(objective, fold, number, alphas, going, limits, stop, raw)
        if stop.made:
            return _Compared(worth, slopes, first, left)
        if number == 0:
            left = share_left(*last)
            rows = fold == number
            of_rows = [_worth(objective, target, each, rows)[0] for each in raw]
            first = _mean(np.array(of_rows), weights[rows])
            order = np.argsort(-first, kind="stable")  # NaN comes last
            going = np.sort(order[: HALF if len(fold) >= FEW else None])
    for i in going:
        worth[i], slopes[i] = _worth(objective, target, raw[i], slice(None))
    return _Compared(worth, slopes, first, left)


def _leave_out(objective, fold, number, alphas, going, limits, stop, raw):
    """Put what short fits predict for the fold ``number`` into ``raw``.

    Returns the objective, and the parameters where the last of them has ended.
    ``raw`` has the shape (n_alphas, n_rows, n_outputs), and keeps its NaN where a fit
    overflows; ``going`` are the places of the strengths that take part, and ``limits``
    how many iterations and evaluations a fit may take.
    """
    data, left = objective.data, fold == number
    part = replace(objective, data=data.take(np.flatnonzero(~left)))
    rest = data.take(np.flatnonzero(left))
    space = row_space(part)
    if space is not None:
        part, rest = space.objective(part), space.span.rows(rest)
    start = part.layout.start(np.random.RandomState(number), objective.activation.gain)
    X, activation = rest.block(), objective.activation
    runs, theta = short_runs(part, alphas[going], start, TOL, MEMORY, *limits), None
    for i, theta in zip(going, runs, strict=True):
        if stop.made:
            break
        if theta is not None:
            coefs, intercepts = part.layout.unpack(theta)
            raw[i, left] = predict_raw(coefs, intercepts, activation, X)
    return part, theta


def _worth(objective, target, raw, rows):
    """What some of the rows are worth, (n,), and the slope of the link that fits them.

    NaN where a prediction is no finite number.
    """
    raw, labels = raw[rows], objective.data.labels[rows]
    if not np.isfinite(raw).all():
        return np.full(len(raw), np.nan), np.nan
    return target.worth(objective.loss, raw, labels, objective.data.weights[rows])


def _mean(values, weights, rows=slice(None)):
    """Weighted mean over some of the rows, for each strength."""
    return np.average(values[:, rows], axis=1, weights=weights[rows])


def _shares(worth, scores, weights):
    """What each strength counts, (n_alphas,): 1 the best one, less who is behind it.

    worth : (n_alphas, n_rows), scores : (n_alphas,), the strongest first, NaN where a
    strength was given up.
    """
    best = np.nanargmax(scores)
    if best == 0:
        return np.where(np.arange(len(scores)) == 0, 1.0, 0.0)
    shares = (scores == scores[best]).astype(np.float64)
    rest = np.flatnonzero(scores < scores[best])
    behind = worth[best] - worth[rest]
    centred = behind - _mean(behind, weights)[:, None]
    errors = np.sqrt(_mean(centred**2, weights) / len(weights))
    with np.errstate(divide="ignore"):  # a difference that is the same on all rows
        shares[rest] = np.exp((scores[rest] - scores[best]) / (NOISE * errors))
    return shares


def _geometric_mean(values, shares):
    """exp(sum s log v / sum s) over those that have a share; v itself if it is one."""
    values, shares = values[shares > 0], shares[shares > 0]
    if len(values) == 1:
        return float(values[0])
    return float(np.exp(np.average(np.log(values), weights=shares)))

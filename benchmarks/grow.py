"""Growing against L-BFGS: objective, gaps, units and seconds, wherever it starts.

python benchmarks/grow.py [--sets pima heart] [--loss log_loss] [--seeds 3]

For each set (standardised, the alpha that a default fit chooses), medians over the
seeds: the objective of one default fit of 100 relu units, the least one of ten starts,
and of growing from nothing, from a trained network of 5 units, from one of 100, and, as
the control, with random directions in place of ascents. Seconds are processor time,
that of the network it starts from not counted; "x" is whole fits, alpha chosen in each,
in default fits. "est." is the estimated gap as growing saw it, "1000" what is left of
it after 1000 fresh ascents, and "proven" that of the certificate a fit gives, all
relative to the objective. "spread" is the difference of the largest and the least
objective of all that was grown, relative to the least.
"""

import argparse
import time
import warnings

import numpy as np
from datasets import keel, standardised
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

from skgoodmin import GoodMinimaClassifier
from skgoodmin.certificates.ascents import relu_ascents, rows_used
from skgoodmin.estimator.setup import pose
from skgoodmin.training.grow import Growth
from skgoodmin.training.start import Budget
from skgoodmin.training.threads import fit_threads
from skgoodmin.training.unit_search import UnitSearch
from skgoodmin.training.units import Units

SKLEARN = {
    "breast cancer": load_breast_cancer,
    "iris": load_iris,
    "wine": load_wine,
    "digits": load_digits,
}
SETS = (
    "breast cancer",
    "pima",
    "australian",
    "heart",
    "sonar",
    "german",
    "ionosphere",
    "bupa",
    "iris",
    "wine",
    "digits",
    "banana",
    "phoneme",
)
MOST = 200_000  # evaluations of one growth


def load(name):
    X, y = SKLEARN[name](return_X_y=True) if name in SKLEARN else keel(name)
    return standardised(X, y)


class RandomSearch(UnitSearch):
    """The control: directions are drawn, only intercepts are the best ones."""

    def ascend(self, x, r, starts, units, alpha, is_small):
        # More directions than the ascents would look at.
        random = self.rng.normal(size=(40 * len(starts), x.shape[1]))
        return relu_ascents(x, r, random, 1)


class RandomGrowth(Growth):
    def __init__(self, objective, rng, *args):
        super().__init__(objective, rng, *args)
        self.search = RandomSearch(self.x, rng, self.search.tolerance)


def timed(function):
    start = time.process_time()
    result = function()
    return result, time.process_time() - start


def grown(objective, theta, seed, tol_gap, max_iter, kind=Growth):
    """(growth, what it ends with, seconds)."""
    rng, budget = np.random.RandomState(seed), Budget(max_iter, MOST, 1e-4)

    def run():
        with fit_threads():
            growth = kind(objective, rng, budget, tol_gap)
            return growth, growth.run(theta)

    (growth, done), seconds = timed(run)
    return growth, done, seconds


def checked_gap(growth, theta, n_ascents=1000):
    """Relative gap with the best neuron of fresh ascents."""
    objective = growth.objective
    coefs, intercepts = objective.layout.holding(theta).unpack(theta)
    units = Units.of_network(coefs, intercepts, growth.x, objective.activation)
    raw = units.v @ units.phi + units.c[:, None]
    loss, residuals = growth.dual.loss_and_gradient(raw)
    value = loss + growth.alpha * units.sizes.sum()
    balanced = growth.dual.balance(residuals)
    x, r = rows_used(growth.x, balanced)
    starts = np.random.default_rng(99).normal(size=(n_ascents, x.shape[1]))
    starts = np.vstack([starts, units.w])
    polar = relu_ascents(x, r, starts, 150).values.max()
    scale = growth.alpha / max(polar, growth.alpha)
    return 1.0 - growth.dual.value(balanced * scale) / value


def measure(name, loss, n_seeds, tol_gap, rounds):
    X, y = load(name)
    fit = dict(loss=loss)
    GoodMinimaClassifier(**fit).fit(X, y)
    default = [
        timed(lambda s=s: GoodMinimaClassifier(random_state=s, **fit).fit(X, y))
        for s in range(n_seeds)
    ]
    seconds = np.median([t for _, t in default])
    one = np.median([model.loss_ for model, _ in default])
    whole, fit = fit, fit | {"alpha": default[0][0].alpha_}
    ten = GoodMinimaClassifier(n_init=10, max_fun=150_000, random_state=0, **fit)
    ten, ten_seconds = timed(lambda: ten.fit(X, y))
    print(
        f"{name} {X.shape[0]}x{X.shape[1]}: L-BFGS {one:.5f} in {seconds:.3f} s, ten "
        f"starts {ten.loss_:.5f} in {ten_seconds:.2f} s",
        flush=True,
    )
    grower = GoodMinimaClassifier("auto", training="grow", **fit)
    objective = pose(grower, X, y).objective
    reached = []
    for start in ("nothing", "5 units", "100 units", "control"):
        rows = []
        for seed in range(n_seeds):
            theta, kind = None, Growth
            if start == "control":
                kind = RandomGrowth
            elif start != "nothing":
                width = int(start.split()[0])
                model = GoodMinimaClassifier(width, random_state=seed, **fit).fit(X, y)
                theta = objective.layout.pack(model.coefs_, model.intercepts_)
            growth, done, spent = grown(objective, theta, seed, tol_gap, rounds, kind)
            layout = objective.layout.holding(done.solution.theta)
            rows.append(
                (
                    done.solution.value,
                    done.gap / done.solution.value,
                    checked_gap(growth, done.solution.theta),
                    layout.sizes[1],
                    done.solution.n_iter,
                    spent,
                )
            )
        if start != "control":
            reached += [row[0] for row in rows]
        value, gap, fresh, units, n_rounds, spent = np.median(rows, axis=0)
        print(
            f"  {start:10} {value:.5f}  est. {gap:.1e}  1000 {fresh:.1e}  units "
            f"{units:4.0f}  rounds {n_rounds:4.0f}  {spent:7.3f} s",
            flush=True,
        )
    limits = dict(max_iter=rounds, max_fun=MOST)
    grower = GoodMinimaClassifier("auto", training="grow", **limits, **whole)
    model, spent = timed(lambda: grower.set_params(random_state=0).fit(X, y))
    coarse, coarse_spent = timed(
        lambda: grower.set_params(tol_gap=1e-2, random_state=0).fit(X, y)
    )
    print(
        f"  fit x{spent / seconds:.1f}, at tol_gap=1e-2 x{coarse_spent / seconds:.1f} "
        f"({coarse.loss_:.5f}); proven {model.certificate_.relative_gap:.2f}; spread "
        f"{max(reached) / min(reached) - 1:.1e}; below one start by "
        f"{1 - np.median(reached) / one:.2%}, below ten by "
        f"{1 - np.median(reached) / ten.loss_:.2%}",
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--sets", nargs="*", default=SETS)
    parser.add_argument("--loss", default="poly_hinge")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tol_gap", type=float, default=1e-3)
    parser.add_argument("--rounds", type=int, default=500, help="at most")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in arguments.sets:
        how = arguments.loss, arguments.seeds, arguments.tol_gap, arguments.rounds
        measure(name, *how)

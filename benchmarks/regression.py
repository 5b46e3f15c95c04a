"""R2 on regression sets, beside the regressors of scikit-learn at their defaults.

    python benchmarks/regression.py             # the table, some minutes
    python benchmarks/regression.py --scaled    # y standardised for the peers, too
    python benchmarks/regression.py --alphas    # 'auto' beside fixed strengths

5-fold cross-validation with three shuffles, columns standardised inside a pipeline, one
thread; y stays as it is, in its own units. Printed: mean R2 on each set, and over the
sets the mean R2, the mean rank (1 is best) and the seconds of a fit, of the processor.
The sets are those that scikit-learn carries or makes offline: diabetes, linnerud (20
rows, three targets), and the three functions of Friedman with noise, at 200 and 1000
rows. The defaults were chosen on these sets; none was looked at besides.
"""

import argparse
import time
import warnings

import numpy as np
from accuracy import table
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import (
    load_diabetes,
    load_linnerud,
    make_friedman1,
    make_friedman2,
    make_friedman3,
)
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
from threadpoolctl import threadpool_limits

from skgoodmin import GoodMinimaRegressor, GoodMinimaRegressorCV

N_FOLDS, SEEDS = 5, (0, 1, 2)
MAKERS = {
    "friedman1": (make_friedman1, 1.0),
    "friedman2": (make_friedman2, 100.0),
    "friedman3": (make_friedman3, 0.1),
}
STRENGTHS = np.logspace(-4, 0, 9)


def data_sets():
    """name -> (X, y)."""
    loaders = {"diabetes": load_diabetes, "linnerud": load_linnerud}
    sets = {name: load(return_X_y=True) for name, load in loaders.items()}
    for n in (200, 1000):
        for name, (make, noise) in MAKERS.items():
            sets[f"{name} {n}"] = make(n, noise=noise, random_state=0)
    return sets


def peers(seed, several):
    """name -> estimator, everything at its default."""
    single = {"SVR": SVR(), "boosting": HistGradientBoostingRegressor()}
    if several:
        single = {name: MultiOutputRegressor(one) for name, one in single.items()}
    return {
        "ours": GoodMinimaRegressor(random_state=seed),
        "ours CV": GoodMinimaRegressorCV(random_state=seed),
        "MLP adam": MLPRegressor(random_state=seed),
        "MLP lbfgs": MLPRegressor(solver="lbfgs", random_state=seed),
        "Ridge": Ridge(),
        **single,
        "forest": RandomForestRegressor(random_state=seed),
        "GP": GaussianProcessRegressor(random_state=seed),
    }


def scaled(seed, several):
    """The peers, and those that depend on the units of y on a standardised y."""
    found = peers(seed, several)
    for name in ("MLP adam", "MLP lbfgs", "SVR", "GP"):
        found[name] = TransformedTargetRegressor(
            found[name], transformer=StandardScaler()
        )
    return found


def strengths(seed, several):
    """name -> estimator: 'auto' and fixed strengths."""
    fixed = {
        f"{alpha:.2g}": GoodMinimaRegressor(alpha=alpha, random_state=seed)
        for alpha in STRENGTHS
    }
    return {"auto": GoodMinimaRegressor(random_state=seed)} | fixed


def measure(X, y, estimators):
    """Mean (R2, seconds) over all splits, (2, n_estimators)."""
    found = {}
    for seed in SEEDS:
        for train, test in KFold(N_FOLDS, shuffle=True, random_state=seed).split(X):
            for name, estimator in estimators(seed, y.ndim > 1).items():
                model = make_pipeline(StandardScaler(), estimator)
                began = time.process_time()
                model.fit(X[train], y[train])
                seconds = time.process_time() - began
                score = model.score(X[test], y[test])
                found.setdefault(name, []).append((score, seconds))
    return np.array([np.mean(values, axis=0) for values in found.values()]).T


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scaled", action="store_true", help="y standardised")
    parser.add_argument("--alphas", action="store_true", help="'auto' beside fixed")
    arguments = parser.parse_args()
    estimators = scaled if arguments.scaled else peers
    estimators = strengths if arguments.alphas else estimators
    sets = data_sets()
    values = np.moveaxis([measure(X, y, estimators) for X, y in sets.values()], 1, 0)
    for (title, sign), of_sets in zip({"R2": -1, "seconds": 1}.items(), values,
                                      strict=True):  # fmt: skip
        table(title, list(estimators(0, False)), sets, of_sets, sign)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        main()

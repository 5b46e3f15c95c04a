"""Accuracy on 13 data sets, beside the classifiers of scikit-learn at their defaults.

    python benchmarks/accuracy.py                  # the table, about an hour
    python benchmarks/accuracy.py --grid fixed     # what the defaults were chosen from:
    python benchmarks/accuracy.py --grid falling   # strengths, and c / distinct rows

5-fold cross-validation with three shuffles, columns standardised inside a pipeline,
nominal columns one-hot, one thread. Printed: mean accuracy on each set, and over the
sets the mean accuracy, the mean rank (1 is best) and the seconds of a fit. These are
the data sets on which the defaults were chosen; none was looked at besides.
"""

import argparse
import time
import warnings

import numpy as np
from datasets import keel
from scipy.stats import rankdata
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

import skgoodmin
from skgoodmin import GoodMinimaClassifier

KEEL = (
    "australian banana bupa german heart ionosphere monk-2 phoneme pima sonar"
).split()
N_FOLDS, SEEDS = 5, (0, 1, 2)
MLP_ALPHAS = {"alpha": np.logspace(-4, 1, 6)}


def data_sets():
    """name -> (X, y)."""
    loaders = {"breast": load_breast_cancer, "wine": load_wine, "digits": load_digits}
    sets = {name: load(return_X_y=True) for name, load in loaders.items()}
    return sets | {name: keel(name) for name in KEEL}


def table_estimators(seed, n_rows):
    """name -> estimator, everything at its default."""
    return {
        "ours": GoodMinimaClassifier(random_state=seed),
        "ours CV": skgoodmin.GoodMinimaClassifierCV(random_state=seed),
        "MLP adam": MLPClassifier(random_state=seed),
        "MLP lbfgs": MLPClassifier(solver="lbfgs", random_state=seed),
        "MLP grid": GridSearchCV(MLPClassifier(random_state=seed), MLP_ALPHAS),
        "LogReg": LogisticRegression(),
        "LogRegCV": LogisticRegressionCV(
            l1_ratios=(0,), use_legacy_attributes=False, scoring="accuracy"
        ),
        "SVC": SVC(),
        "HistGB": HistGradientBoostingClassifier(random_state=seed),
        "Forest": RandomForestClassifier(random_state=seed),
    }


def peers(seed):
    """name -> estimator: those beside which the grids are ranked."""
    return {
        "SVC": SVC(),
        "HistGB": HistGradientBoostingClassifier(random_state=seed),
        "MLP adam": MLPClassifier(random_state=seed),
    }


def fixed_estimators(seed, n_rows):
    """name -> estimator: strengths of both losses, and wider or deeper networks."""
    grid = {
        f"{loss[:4]} {alpha:g}": GoodMinimaClassifier(
            loss=loss, alpha=alpha, random_state=seed
        )
        for loss in ("poly_hinge", "log_loss")
        for alpha in (0.003, 0.01, 0.03, 0.1, 0.3)
    }
    for hidden in ((50,), (200,), (100, 100)):
        units = "x".join(map(str, hidden))
        grid[f"{units} 0.03"] = GoodMinimaClassifier(
            hidden, alpha=0.03, random_state=seed
        )
    grid["no escape"] = GoodMinimaClassifier(max_escapes=0, random_state=seed)
    grid["tanh 0.03"] = GoodMinimaClassifier(
        activation="tanh", alpha=0.03, random_state=seed
    )
    return grid | peers(seed)


def falling_estimators(seed, n_rows):
    """name -> estimator: alpha = min(c / n_rows, cap), loss or form of the network."""
    hinge = [(10, 0.1), (20, 0.1), (40, 0.1), (20, 0.2), (30, 0.15), (30, 0.2),
             (40, 0.15), (40, 0.2), (60, 0.3)]  # fmt: skip
    others = {
        "log": ([(2, 0.1), (5, 0.1), (10, 0.1)], {"loss": "log_loss"}),
        "p=2": ([(10, 0.1), (20, 0.1), (40, 0.2)], {"degree": 2}),
        "200": ([(20, 0.1)], {"hidden_layer_sizes": (200,)}),
        "100x100": ([(20, 0.1)], {"hidden_layer_sizes": (100, 100)}),
    }
    return {
        f"{name}{c}<{cap:g}": GoodMinimaClassifier(
            alpha=min(c / n_rows, cap), random_state=seed, **parameters
        )
        for name, (strengths, parameters) in ({"": (hinge, {})} | others).items()
        for c, cap in strengths
    } | peers(seed)


GRIDS = {"fixed": fixed_estimators, "falling": falling_estimators}


def measure(X, y, estimators):
    """(accuracy, seconds of a fit), each (n_estimators,), over all splits."""
    scores, seconds = {}, {}
    for seed in SEEDS:
        folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)
        for train, test in folds.split(X, y):
            n_rows = len(np.unique(X[train], axis=0))
            for name, estimator in estimators(seed, n_rows).items():
                model = make_pipeline(StandardScaler(), estimator)
                began = time.perf_counter()
                model.fit(X[train], y[train])
                seconds.setdefault(name, []).append(time.perf_counter() - began)
                scores.setdefault(name, []).append(model.score(X[test], y[test]))
    mean = [np.mean(values) for values in scores.values()]
    return np.array(mean), np.array([np.mean(values) for values in seconds.values()])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grid", choices=GRIDS)
    parser.add_argument("--sets", help="comma-separated names")
    arguments = parser.parse_args()
    estimators = GRIDS.get(arguments.grid, table_estimators)
    names = list(estimators(0, 1))
    width = max(map(len, names)) + 1
    print(f"{'':12}" + "".join(f"{name:>{width}}" for name in names))
    accuracies, times = [], []
    for name, (X, y) in data_sets().items():
        if arguments.sets and name not in arguments.sets.split(","):
            continue
        accuracy, seconds = measure(X, y, estimators)
        accuracies.append(accuracy)
        times.append(seconds)
        line = "".join(f"{value:{width}.4f}" for value in accuracy)
        print(f"{name:12}{line}", flush=True)
    ranks = rankdata(-np.round(accuracies, 12), axis=1)
    rows = {
        "mean": (np.mean(accuracies, axis=0), 4),
        "mean rank": (ranks.mean(axis=0), 2),
        "seconds": (np.mean(times, axis=0), 2),
    }
    for name, (values, digits) in rows.items():
        print(f"{name:12}" + "".join(f"{v:{width}.{digits}f}" for v in values))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        main()

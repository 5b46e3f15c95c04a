"""Accuracy on 13 data sets, beside the classifiers of scikit-learn at their defaults.

    python benchmarks/accuracy.py                  # the table, about an hour
    python benchmarks/accuracy.py --grid fixed     # what the defaults were chosen from:
    python benchmarks/accuracy.py --grid falling   # strengths, and c / distinct rows
    python benchmarks/accuracy.py --grid probabilities  # those with probabilities
    python benchmarks/accuracy.py --sizes          # alpha='auto' by the number of rows
    python benchmarks/accuracy.py --sizes --seconds     # of default fits alone
    python benchmarks/accuracy.py --large          # the same for 16000 rows

5-fold cross-validation with three shuffles, columns standardised inside a pipeline,
nominal columns one-hot, one thread. Printed: mean accuracy on each set, and over the
sets the mean accuracy, the mean rank (1 is best) and the seconds of a fit, of the
processor rather than of the clock; and tables of the log-loss, the Brier score and the
expected calibration error (15 bins of the largest probability) of those that have
probabilities. ``--sizes`` trains on 100 ... 1000 rows, on three splits, and sets 'auto'
beside the strengths from 1e-4 to 1 and beside a strength by rule, 20 / rows and at most
0.2, of whose time "time" is a multiple. ``--seconds`` prints nothing but the seconds of
default fits, for another version as well: with ``PYTHONPATH`` at a checkout of it.
These are the data sets on which the defaults were chosen; none was looked at besides.
``--large`` has sets of its own, which the size of the short fits for 8000 rows and more
was chosen on.
"""

import argparse
import time
import warnings

import numpy as np
from datasets import keel, large, sized
from scipy.stats import rankdata
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.metrics import brier_score_loss, log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.multioutput import MultiOutputClassifier
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


def probable_estimators(seed, n_rows):
    """name -> estimator: those whose probabilities are compared."""
    table = table_estimators(seed, n_rows)
    log = {"ours, log": GoodMinimaClassifier(loss="log_loss", random_state=seed)}
    rest = "MLP adam", "MLP lbfgs", "LogReg"
    return {"ours": table["ours"]} | log | {name: table[name] for name in rest}


GRIDS = {
    "fixed": fixed_estimators,
    "falling": falling_estimators,
    "probabilities": probable_estimators,
}
N_BINS = 15  # of the expected calibration error
SIZES, LARGE, N_SPLITS, N_TEST = (100, 200, 500, 1000), (16000,), 3, 1000
STRENGTHS = np.logspace(-4, 0, 9)  # of --sizes, the best of them known in hindsight


def calibration_error(y, p, classes):
    """Mean distance of the accuracy from the largest probability, over bins of it."""
    largest, right = p.max(axis=1), classes[p.argmax(axis=1)] == y
    bins = np.minimum((largest * N_BINS).astype(int), N_BINS - 1)
    sums = np.bincount(bins, right - largest, minlength=N_BINS)
    return np.abs(sums).sum() / len(y)


def of_probabilities(model, X, y):
    """(log-loss, Brier score, expected calibration error); NaN without them."""
    if not hasattr(model, "predict_proba"):
        return np.nan, np.nan, np.nan
    p, classes = model.predict_proba(X), model.classes_
    p = p / p.sum(axis=1, keepdims=True)  # float32 sums to 1 up to rounding
    return (
        log_loss(y, p, labels=classes),
        brier_score_loss(y, p, labels=classes, scale_by_half=False),
        calibration_error(y, p, classes),
    )


MEASURES = {"accuracy": -1, "seconds": 1, "log-loss": 1, "Brier": 1, "calibration": 1}


def measure(X, y, estimators):
    """Means over all splits, (len(MEASURES), n_estimators)."""
    found = {}
    for seed in SEEDS:
        folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)
        for train, test in folds.split(X, y):
            n_rows = len(np.unique(X[train], axis=0))
            for name, estimator in estimators(seed, n_rows).items():
                model = make_pipeline(StandardScaler(), estimator)
                began = time.process_time()
                model.fit(X[train], y[train])
                seconds = time.process_time() - began
                score = model.score(X[test], y[test])
                values = score, seconds, *of_probabilities(model, X[test], y[test])
                found.setdefault(name, []).append(values)
    return np.array([np.mean(values, axis=0) for values in found.values()]).T


def table(title, names, sets, values, sign):
    """Print values (n_sets, n_estimators), their means and their mean ranks."""
    shown = np.isfinite(values).all(axis=0)
    names, values = np.array(names)[shown], values[:, shown]
    width = max(map(len, names)) + 1
    print(f"\n{title:12}" + "".join(f"{name:>{width}}" for name in names))
    ranks = rankdata(sign * np.round(values, 12), axis=1)
    rows = [*zip(sets, values, strict=True), ("mean", values.mean(axis=0))]
    for name, row in [*rows, ("mean rank", ranks.mean(axis=0))]:
        digits = 2 if name == "mean rank" else 4
        print(f"{name:12}" + "".join(f"{value:{width}.{digits}f}" for value in row))


def tables(estimators, sets):
    """Measure on the sets, and print the tables."""
    names = list(estimators(0, 1))
    found = []
    for name in sets:
        found.append(measure(*sets[name], estimators))
        best = found[-1][0].max()
        print(f"{name}: {names[found[-1][0].argmax()]} {best:.4f}", flush=True)
    values = np.moveaxis(found, 1, 0)
    for (title, sign), of_sets in zip(MEASURES.items(), values, strict=True):
        table(title, names, sets, of_sets, sign)


def by_size(sets, sizes):
    """Print how far 'auto' is from the best strength in hindsight, by rows."""
    head = "best", "alpha", "auto", "behind", "chosen", "rule", "time", "SVC"
    print(f"{'':13}{'rows':>6}" + "".join(f"{name:>9}" for name in head))
    behind = []
    for name, (X, y) in sets.items():
        for n in sizes:
            scores, seconds, chosen = [], [], []
            for seed in range(N_SPLITS):
                order = np.random.RandomState(seed).permutation(len(X))
                train, test = order[:n], order[n : n + N_TEST]
                models = [
                    GoodMinimaClassifier(alpha=alpha, random_state=seed)
                    for alpha in (*STRENGTHS, min(20 / n, 0.2), "auto")
                ]
                svc = SVC() if y.ndim == 1 else MultiOutputClassifier(SVC())
                fits = []
                for model in (*models, svc):
                    whole = make_pipeline(StandardScaler(), model)
                    began = time.process_time()
                    whole.fit(X[train], y[train])
                    fits.append(time.process_time() - began)
                    scores.append(whole.score(X[test], y[test]))
                seconds.append(fits[-2] / fits[-3])
                chosen.append(models[-1].alpha_)
            mean = np.reshape(scores, (N_SPLITS, -1)).mean(axis=0)
            *fixed, rule, auto, svc = mean
            behind.append(max(fixed) - auto)
            strength = STRENGTHS[int(np.argmax(fixed))]
            print(
                f"{name:13}{n:6}{max(fixed):9.3f}{strength:9.2g}{auto:9.3f}"
                f"{behind[-1]:9.3f}{np.median(chosen):9.2g}{rule:9.3f}"
                f"{np.median(seconds):9.1f}{svc:9.3f}",
                flush=True,
            )
    share = np.mean(np.array(behind) <= 0.01)
    print(f"within a point: {share:.0%} of {len(behind)} rows, most {max(behind):.3f}")


def seconds_by_size(sets):
    """Print the seconds of the processor of default fits, medians of the splits."""
    for name, (X, y) in sets.items():
        for n in SIZES:
            seconds = []
            for seed in range(N_SPLITS):
                rows = np.random.RandomState(seed).permutation(len(X))[:n]
                scaled, labels = StandardScaler().fit_transform(X[rows]), y[rows]
                fits = []
                for _ in range(3):  # the first one may compile
                    began = time.process_time()
                    GoodMinimaClassifier(random_state=seed).fit(scaled, labels)
                    fits.append(time.process_time() - began)
                seconds.append(min(fits[1:]))
            print(f"{name:13}{n:6}{np.median(seconds):9.4f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grid", choices=GRIDS)
    parser.add_argument("--sets", help="comma-separated names")
    parser.add_argument("--sizes", action="store_true", help="'auto' by size")
    parser.add_argument("--seconds", action="store_true", help="of --sizes alone")
    parser.add_argument("--large", action="store_true", help="'auto' on large tables")
    arguments = parser.parse_args()
    of_kind = large if arguments.large else sized if arguments.sizes else data_sets
    sets = of_kind()
    if arguments.sets:
        sets = {name: sets[name] for name in arguments.sets.split(",")}
    if arguments.large:
        by_size(sets, LARGE)
    elif arguments.sizes and arguments.seconds:
        seconds_by_size(sets)
    elif arguments.sizes:
        by_size(sets, SIZES)
    else:
        tables(GRIDS.get(arguments.grid, table_estimators), sets)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        main()

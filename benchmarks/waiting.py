"""What users wait for: whole fits at their defaults, beside those of scikit-learn.

    python benchmarks/waiting.py              # fits on all sets, some minutes
    python benchmarks/waiting.py --sets digits,splice
    python benchmarks/waiting.py --cv         # GoodMinimaClassifierCV in default fits
    python benchmarks/waiting.py --choice     # default fits in fits of the same alpha
    python benchmarks/waiting.py --cold       # the first fit, on an empty cache
    python benchmarks/waiting.py --curve      # a large table: quality against seconds

Seconds of the processor, one thread: on a busy machine the clock tells of others. Each
repetition is a stratified split, three quarters to train on, that all classifiers are
fitted on one after the other; columns are standardised (sparse ones divided by their
deviation) before the time begins. Printed are medians of the seconds, the mean accuracy
on the rows left out, and medians over the repetitions of a peer's seconds over ours.

The sets are those of ``accuracy.py`` and, besides, splice, spambase, optdigits and
letter of KEEL, 120 x 5000 (normal columns, of which ten are of use) and 60 x 20000
(sparse, one column in a hundred used by a row). The large table of ``--curve`` is made
by ``make_classification``, and each point of its curves is a whole fit.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
from accuracy import data_sets
from datasets import keel
from scipy.sparse import csr_array
from scipy.sparse import random as random_sparse
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skgoodmin import GoodMinimaClassifier, GoodMinimaClassifierCV

REPETITIONS = 3
LARGE = "splice spambase optdigits letter".split()
WIDE = {"120 x 5000": (160, 5000), "60 x 20000": (80, 20000)}  # 3/4 of the rows train


def wide(n, d, sparse):
    """(X, y): two classes that ten columns tell apart, where columns are many."""
    rng = np.random.RandomState(0)
    y = np.arange(n) % 2
    if not sparse:
        X = rng.normal(size=(n, d))
        X[:, :10] += 1.5 * (y[:, None] - 0.5)
        return X, y
    words = random_sparse(n, d, 0.01, format="csr", random_state=rng)
    told = (rng.uniform(size=(n, 10)) < 0.3 + 0.4 * y[:, None]).astype(float)
    return csr_array(words + csr_array((told.ravel(), np.indices((n, 10)).reshape(
        2, -1)), shape=(n, d))), y  # fmt: skip


def problems():
    """name -> (X, y)."""
    sets = data_sets() | {name: keel(name) for name in LARGE}
    for name, shape in WIDE.items():
        sets[name] = wide(*shape, sparse=shape[1] > 10_000)
    return sets


def classifiers(seed):
    """name -> classifier at its defaults, ours first."""
    return {
        "ours": GoodMinimaClassifier(random_state=seed),
        "adam": MLPClassifier(random_state=seed),
        "lbfgs": MLPClassifier(solver="lbfgs", random_state=seed),
        "LogReg": LogisticRegression(),
        "HistGB": HistGradientBoostingClassifier(random_state=seed),
    }


def split(X, y, seed):
    """Standardised (X_train, X_test, y_train, y_test)."""
    parts = train_test_split(X, y, stratify=y, random_state=seed, test_size=0.25)
    sparse = not isinstance(X, np.ndarray)
    scaler = StandardScaler(with_mean=not sparse).fit(parts[0])
    return scaler.transform(parts[0]), scaler.transform(parts[1]), *parts[2:]


def seconds_of(model, X, y):
    """Seconds of the processor that a fit takes."""
    began = time.process_time()
    model.fit(X, y)
    return time.process_time() - began


def measured(X, y, models):
    """(seconds, accuracies), each (REPETITIONS, n_models); NaN where X is sparse.

    models : callable(seed) -> dict of classifiers
    """
    seconds, scores = [], []
    for seed in range(REPETITIONS):
        X_train, X_test, y_train, y_test = split(X, y, seed)
        row = []
        for model in models(seed).values():
            dense_only = isinstance(model, HistGradientBoostingClassifier)
            if dense_only and not isinstance(X, np.ndarray):
                row.append((np.nan, np.nan))
                continue
            took = seconds_of(model, X_train, y_train)
            row.append((took, model.score(X_test, y_test)))
        seconds.append([took for took, _ in row])
        scores.append([score for _, score in row])
    return np.array(seconds), np.array(scores)


def fits(sets):
    """Print the seconds and accuracies of all classifiers, and the ratios."""
    names = list(classifiers(0))
    head = "".join(f"{name:>15}" for name in names)
    ratio_head = "".join(f"{name + '/ours':>12}" for name in names[1:])
    print(f"{'set':12}{'rows x columns':>16}{head}  {ratio_head}")
    all_ratios = []
    for name, (X, y) in sets.items():
        seconds, scores = measured(X, y, classifiers)
        ratios = np.median(seconds[:, 1:] / seconds[:, :1], axis=0)
        all_ratios.append(ratios)
        cells = "".join(
            f"{s:9.2f}{a:6.3f}"
            for s, a in zip(
                np.median(seconds, axis=0), scores.mean(axis=0), strict=True
            )
        )
        shape = f"{len(y) * 3 // 4} x {X.shape[1]}"
        print(f"{name:12}{shape:>16}{cells}  {_cells(ratios)}", flush=True)
    means = np.exp(np.nanmean(np.log(all_ratios), axis=0))
    width = 12 + 16 + 15 * len(names) + 2
    print(f"{'geometric mean':{width}}{_cells(means)}")
    print(f"{'smallest':{width}}{_cells(np.nanmin(all_ratios, axis=0))}")


def _cells(values):
    return "".join(f"{value:12.2f}" for value in values)


def in_default_fits(sets):
    """Print how many default fits one fit of GoodMinimaClassifierCV takes."""
    print(f"{'set':12}{'default':>9}{'CV':>9}{'fits':>7}{'accuracy':>10}{'of CV':>8}")

    def models(seed):
        return {
            "ours": GoodMinimaClassifier(random_state=seed),
            "ours CV": GoodMinimaClassifierCV(random_state=seed),
        }

    ratios = []
    for name, (X, y) in sets.items():
        seconds, scores = measured(X, y, models)
        ratios.append(np.median(seconds[:, 1] / seconds[:, 0]))
        default, cv = np.median(seconds, axis=0)
        accuracy, of_cv = scores.mean(axis=0)
        print(
            f"{name:12}{default:9.2f}{cv:9.2f}{ratios[-1]:7.1f}{accuracy:10.3f}"
            f"{of_cv:8.3f}",
            flush=True,
        )
    print(f"median {np.median(ratios):.1f}, largest {np.max(ratios):.1f}")


def choice(sets):
    """Print how long a default fit takes beside one whose alpha is given, the same."""
    print(f"{'set':12}{'default':>9}{'given':>9}{'ratio':>7}")
    ratios = []
    for name, (X, y) in sets.items():
        seconds = []
        for seed in range(REPETITIONS):
            X_train, _, y_train, _ = split(X, y, seed)
            model = GoodMinimaClassifier(random_state=seed)
            default = seconds_of(model, X_train, y_train)
            model.set_params(alpha=model.alpha_)
            seconds.append((default, seconds_of(model, X_train, y_train)))
        default, given = np.median(seconds, axis=0)
        ratios.append(np.median([a / b for a, b in seconds]))
        print(f"{name:12}{default:9.3f}{given:9.3f}{ratios[-1]:7.1f}", flush=True)
    print(f"median {np.median(ratios):.1f}, largest {np.max(ratios):.1f}")


FIRST = """
import time
import numpy as np
from scipy.sparse import csr_array
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.preprocessing import scale
from skgoodmin import GoodMinimaClassifier
X, y = {load}(return_X_y=True)
X = {rows}(scale(X))
began = time.process_time(), time.perf_counter()
GoodMinimaClassifier({parameters}random_state=0).fit(X, y)
print(time.process_time() - began[0], time.perf_counter() - began[1])
"""
FIRST_FITS = {
    "default": {},
    "three classes": {"load": "load_wine"},
    "log-loss": {"parameters": "loss='log_loss', "},
    "tanh": {"parameters": "activation='tanh', "},
    "float32": {"rows": "np.float32"},
    "sparse": {"rows": "csr_array"},
    "alpha=0": {"parameters": "alpha=0, "},
    "grow": {"parameters": "training='grow', "},
}


def first_fits(names):
    """Print the time of first fits, each in a process of its own."""
    print(f"{'first fit':15}{'cold':>8}{'clock':>8}{'warm':>8}{'second process':>16}")
    for name in names:
        changes = FIRST_FITS[name]
        usual = {"load": "load_breast_cancer", "rows": "", "parameters": ""}
        script = FIRST.format(**usual | changes)
        cold = []
        for _ in range(REPETITIONS):
            with tempfile.TemporaryDirectory() as cache:
                environment = os.environ | {"NUMBA_CACHE_DIR": cache}
                runs = [
                    subprocess.run(
                        [sys.executable, "-c", script],
                        env=environment,
                        check=True,
                        capture_output=True,
                        text=True,
                    ).stdout.split()
                    for _ in range(2)
                ]
            cold.append([float(x) for run in runs for x in run])
        cpu, clock, warm, warm_clock = np.median(cold, axis=0)
        print(
            f"{name:15}{cpu:8.1f}{clock:8.1f}{warm:8.1f}{warm_clock:16.1f}", flush=True
        )


SHORT = 20, 50  # max_fun
OURS = 1, 3, 10, 30, 100, 300, 1000  # max_iter; the last is the default
EPOCHS = 1, 3, 10, 30, 100, 200


def curve(n=150_000):
    """Print seconds and accuracy of fits with more and more iterations.

    Means over ``REPETITIONS`` tables of n rows and 30 columns, a quarter left out.
    """
    fits = {("ours", f"max_fun={k}"): {"max_fun": k} for k in SHORT}
    fits |= {("ours", f"max_iter={k}"): {"max_iter": k} for k in OURS}
    fits |= {("adam", f"max_iter={k}"): {"max_iter": k} for k in EPOCHS}
    fits["adam", "early_stopping"] = {"early_stopping": True}
    results = {fit: [] for fit in fits}
    for seed in range(REPETITIONS):
        X, y = make_classification(
            n,
            30,
            n_informative=15,
            n_redundant=5,
            n_clusters_per_class=8,
            flip_y=0.05,
            random_state=seed,
        )
        X_train, X_test, y_train, y_test = split(X, y, seed)
        GoodMinimaClassifier(max_iter=1).fit(X_train, y_train)  # compiles
        for fit, parameters in fits.items():
            model = classifiers(seed)[fit[0]].set_params(**parameters)
            took = seconds_of(model, X_train, y_train)
            results[fit].append((took, model.score(X_test, y_test)))
    print(f"{'':6}{'':16}{'seconds':>9}{'accuracy':>10}")
    for (name, how), found in results.items():
        took, score = np.mean(found, axis=0)
        print(f"{name:6}{how:16}{took:9.2f}{score:10.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--sets", help="comma-separated names, of first fits for --cold"
    )
    parser.add_argument("--cv", action="store_true", help="the CV estimator")
    parser.add_argument("--choice", action="store_true", help="of alpha")
    parser.add_argument("--cold", action="store_true", help="the first fit")
    parser.add_argument("--curve", action="store_true", help="a large table")
    arguments = parser.parse_args()
    names = arguments.sets.split(",") if arguments.sets else None
    if arguments.cold:
        first_fits(names or FIRST_FITS)
        return
    if arguments.curve:
        curve()
        return
    sets = problems()
    sets = {name: sets[name] for name in names or sets}
    for model in classifiers(0).values():  # compiles, imports
        model.fit(np.arange(20.0).reshape(10, 2), np.arange(10) % 2)
    if arguments.cv:
        in_default_fits({name: sets[name] for name in data_sets() if name in sets})
    elif arguments.choice:
        choice(sets)
    else:
        fits(sets)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        main()

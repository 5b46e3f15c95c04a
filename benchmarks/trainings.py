"""Which training should be the default: accuracy, spread between seeds, time.

    python benchmarks/trainings.py [--sets pima,heart] [--across]

The data sets of ``accuracy.py``, 5-fold cross-validation, columns standardised, three
values of ``random_state`` on each split, ``alpha='auto'``, one thread. For 'escape',
the default; 'convex', the same with convex output weights of its units at the end; and
'grow' with a relative gap of 1e-2 and of 1e-3: mean accuracy; the mean objective that
is reached on the training rows, over that of the default; how many test labels in a
hundred differ between two seeds, and the mean difference of their raw predictions;
units that are not 0; and the seconds of a fit over those of the default, of the
processor. ``--across`` is the control of growing: L-BFGS goes across the kinks of relu,
and no rows are held.
"""

import argparse
import itertools
import time
import warnings

import numpy as np
from accuracy import data_sets
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skgoodmin import GoodMinimaClassifier
from skgoodmin.estimator.setup import posed_again
from skgoodmin.training import kinks
from skgoodmin.training.grow import Growth
from skgoodmin.training.start import Budget

TRAININGS = {
    "escape": {},
    "convex": {},
    "grow 1e-2": {"training": "grow", "hidden_layer_sizes": "auto", "tol_gap": 1e-2},
    "grow 1e-3": {"training": "grow", "hidden_layer_sizes": "auto", "tol_gap": 1e-3},
}
N_FOLDS, SEEDS = 5, range(9)
COLUMNS = "accuracy", "objective", "labels", "raw", "units", "seconds"


def with_convex_amplitudes(model, X, y):
    """The model with the best output weights for its units."""
    objective, theta, _ = posed_again(model, X, y)
    no_round = Budget(max_iter=0, max_fun=model.max_fun, tol=model.tol)
    growth = Growth(objective, np.random.RandomState(0), no_round, tol_gap=1e-3)
    grown = growth.run(theta).solution.theta
    coefs, intercepts = objective.layout.holding(grown).unpack(grown)
    model.coefs_, model.intercepts_ = coefs, intercepts
    model.loss_ = growth.value
    return model


def one_split(X, y, train, test):
    """name -> (accuracy, objective, labels, raw, units, seconds) of one split."""
    scaler = StandardScaler().fit(X[train])
    rows, held = scaler.transform(X[train]), scaler.transform(X[test])
    found = {}
    for name, parameters in TRAININGS.items():
        models, began = [], time.process_time()
        for seed in SEEDS:
            model = GoodMinimaClassifier(random_state=seed, **parameters)
            model.fit(rows, y[train])
            if name == "convex":
                with_convex_amplitudes(model, rows, y[train])
            models.append(model)
        seconds = (time.process_time() - began) / len(SEEDS)
        labels = [model.predict(held) for model in models]
        raw = [model.decision_function(held) for model in models]
        pairs = list(itertools.combinations(range(len(SEEDS)), 2))
        found[name] = (
            np.mean([(some == y[test]).mean() for some in labels]),
            np.mean([model.loss_ for model in models]),
            100 * np.mean([(labels[i] != labels[j]).mean() for i, j in pairs]),
            np.mean([np.abs(raw[i] - raw[j]).mean() for i, j in pairs]),
            np.mean([model.coefs_[1].any(axis=1).sum() for model in models]),
            seconds,
        )
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", help="comma-separated names")
    parser.add_argument("--across", action="store_true", help="hold no rows")
    arguments = parser.parse_args()
    if arguments.across:
        kinks.NEAR = -1.0
    sets = data_sets()
    one_split(*sets["wine"], *[np.arange(178)] * 2)  # kernels are loaded once
    if arguments.sets:
        sets = {name: sets[name] for name in arguments.sets.split(",")}
    print(f"{'':11}{'training':11}" + "".join(f"{name:>11}" for name in COLUMNS))
    for name, (X, y) in sets.items():
        folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=0)
        splits = [one_split(X, y, *split) for split in folds.split(X, y)]
        for training in TRAININGS:
            values = np.mean([split[training] for split in splits], axis=0)
            base = np.mean([split["escape"] for split in splits], axis=0)
            values[1] /= base[1]
            values[-1] /= base[-1]
            print(f"{name:11}{training:11}" + "".join(f"{v:11.4f}" for v in values),
                  flush=True)  # fmt: skip


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        main()

"""Objective over its lower bound: estimated and proven, by a fit and by more effort.

python benchmarks/certificate.py [names]

1 is perfect; then seconds of processor time, and how many times a default fit that is
(standardised data, 100 relu units, default alpha). Effort 0 is what a fit does by
itself, and part of its time.
"""

import sys
import time

import numpy as np
from datasets import keel, standardised, two_spirals
from scipy.sparse import random_array
from sklearn.datasets import load_breast_cancer, load_iris, load_wine, make_moons

from skgoodmin import GoodMinimaClassifier

LOADERS = {
    "breast cancer": load_breast_cancer,
    "iris": load_iris,
    "wine": load_wine,
}
NAMES = (
    "breast cancer",
    "sonar",
    "ionosphere",
    "heart",
    "bupa",
    "pima",
    "monk-2",
    "iris",
    "wine",
    "banana",
    "moons",
    "spirals",
    "words",
)


def words(n, d):
    """Texts of some eight words each, sparse and not standardised; a line and noise."""
    rng = np.random.RandomState(0)
    X = random_array((n, d), density=8 / d, rng=rng, format="csr")
    return X, (X @ rng.normal(size=d) + 0.5 * rng.normal(size=n) > 0).astype(int)


def load(name):
    if name == "words":
        return words(1000, 500)
    if name in LOADERS:
        X, y = LOADERS[name](return_X_y=True)
    elif name == "moons":
        X, y = make_moons(300, noise=0.2, random_state=0)
    elif name == "spirals":
        X, y = two_spirals(300)
    else:
        X, y = keel(name)
    return standardised(X, y)


def timed(function, n_times=3):
    """(result, least processor time): other work on the machine does not count."""
    spent = []
    for _ in range(n_times):
        start = time.process_time()
        result = function()
        spent.append(time.process_time() - start)
    return result, min(spent)


def measure(name, **parameters):
    """One row of the table."""
    X, y = load(name)
    model = GoodMinimaClassifier(random_state=0, **parameters)
    model.fit(X, y)
    model, seconds = timed(lambda: model.fit(X, y))
    row = f"{name:14}{X.shape[0]:5}x{X.shape[1]:<3}{seconds:7.3f} s "
    for effort, n_times in ((0, 3), (1, 1)):
        model.certify(X, y, effort=effort)
        found, spent = timed(lambda e=effort: model.certify(X, y, effort=e), n_times)
        row += (
            f"|{found.objective / found.estimated_bound:7.3f}"
            f"{found.objective / max(found.lower_bound, 1e-300):8.3f}"
            f"{spent:8.3f} s{spent / seconds:7.2f} "
        )
    return f"{row}| {found.status.name}"


if __name__ == "__main__":
    print(f"{'':23}{'fit':>9} |  effort 0: est., proven, s, share |  effort 1 | status")
    for name in sys.argv[1:] or NAMES:
        print(measure(name), flush=True)

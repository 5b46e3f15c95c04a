"""Objective over its lower bound: estimated and proven, by a fit and by more effort.

python benchmarks/certificate.py [names]

1 is perfect; seconds, and how many times a default fit that is (standardised data, 100
relu units, default alpha); then the best neuron's polar over alpha, and the objective
over the least one that is known of.
"""

import sys
import time

import numpy as np
from datasets import keel, standardised, two_spirals
from skgoodmin.rows import canonical_rows
from sklearn.datasets import load_breast_cancer, load_iris, load_wine, make_moons

from skgoodmin import GoodMinimaClassifier
from skgoodmin.certificates.weight_decay import bounds
from skgoodmin.objective.duals.dual import HingeDual, LogisticDual
from skgoodmin.objective.duals.softmax import SoftmaxDual

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
)


def load(name):
    if name in LOADERS:
        X, y = LOADERS[name](return_X_y=True)
    elif name == "moons":
        X, y = make_moons(300, noise=0.2, random_state=0)
    elif name == "spirals":
        X, y = two_spirals(300)
    else:
        X, y = keel(name)
    return standardised(X, y)


def arrays(model, X, labels):
    """(dual, x, raw, group) of a fitted model's training problem."""
    data = canonical_rows(X, np.asarray(labels, dtype=np.int32)[:, None])
    x, shares = data.block(), data.weights / data.weights.sum()
    a = x
    for w, b in zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True):
        z = a @ w + b
        a = {"relu": lambda z: np.maximum(z, 0), "tanh": np.tanh}[model.activation](z)
    raw = a @ model.coefs_[-1] + model.intercepts_[-1]
    k = raw.shape[1]
    positive = (data.labels == np.arange(k)).T if k > 1 else (data.labels == 1).T
    signs = np.where(positive, 1.0, -1.0)
    if model.loss == "poly_hinge":
        dual = HingeDual(signs, shares, model.degree)
    elif k > 1:
        dual = SoftmaxDual(data.labels[:, 0], k, shares)
    else:
        dual = LogisticDual(signs, shares)
    return dual, x, raw, data.group


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
    dual, x, raw, group = arrays(model, X, y)
    row = f"{name:14}{X.shape[0]:5}x{X.shape[1]:<3}{seconds:7.3f} s "
    for effort in (0, 1):

        def certify(effort=effort):
            return bounds(
                dual,
                x,
                raw,
                model.activation,
                model.alpha_,
                model.coefs_,
                model.intercepts_,
                effort=effort,
                group=group,
            )

        certify()
        found, spent = timed(certify, 3 if effort == 0 else 1)
        row += (
            f"|{found.objective / found.estimated:7.3f}"
            f"{found.objective / max(found.proven, 1e-300):8.3f}"
            f"{spent:8.3f} s{spent / seconds:7.2f} "
        )
    neuron = f"{found.neuron.polar / model.alpha_:.3f}" if found.neuron else ""
    return f"{row}| {neuron} {found.objective / found.attained:.3f}"


if __name__ == "__main__":
    print(
        f"{'':23}{'fit':>9} |  effort 0: est., proven, s, share |  effort 1 | h/alpha"
    )
    for name in sys.argv[1:] or NAMES:
        print(measure(name), flush=True)

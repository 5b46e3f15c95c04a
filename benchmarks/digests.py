"""Digests of fitted models: whether a change of the code changes any bit of a fit.

    python benchmarks/digests.py > before.txt      # on the old code
    python benchmarks/digests.py > after.txt       # on the new code
    diff before.txt after.txt

One line a setting: the digest of ``coefs_`` and ``intercepts_``, and of the raw
predictions on the training rows. Bits depend on the processor and on BLAS, so the two
runs have to be on one machine.
"""

import hashlib
import warnings

import numpy as np
from scipy.sparse import csr_array
from sklearn.datasets import (
    load_breast_cancer,
    load_digits,
    load_iris,
    make_moons,
    make_multilabel_classification,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale

from skgoodmin import GoodMinimaClassifier, GoodMinimaClassifierCV
from skgoodmin.kernels.activations import ACTIVATIONS
from skgoodmin.objective.losses import LOSSES


class SquaredHinge:
    """A loss of one's own: max(0, 1 - m)^2 with m = y f."""

    def value(self, raw, sign):
        return np.maximum(0.0, 1.0 - sign * raw) ** 2

    def derivative(self, raw, sign):
        return -2.0 * sign * np.maximum(0.0, 1.0 - sign * raw)

    def minimum(self, negative, positive):
        total = negative + positive
        return 4.0 * negative * positive / np.where(total > 0, total, 1.0)


def tables():
    """Name -> (X, y)."""
    moons = make_moons(120, noise=0.2, random_state=0)
    iris = load_iris(return_X_y=True)
    cancer = load_breast_cancer(return_X_y=True)
    digits = load_digits(return_X_y=True)
    labels = make_multilabel_classification(150, 8, n_classes=4, random_state=0)
    return {
        "moons": moons,
        "iris": (scale(iris[0]), iris[1]),
        "cancer": (scale(cancer[0]), cancer[1]),
        "digits": (digits[0] / 16.0, digits[1]),
        "labels": (scale(labels[0]), labels[1]),
    }


def settings():
    """Tuples (table, parameters, options)."""
    for activation in ACTIVATIONS:
        for loss in LOSSES:
            yield "moons", {"activation": activation, "loss": loss}, {}
    for loss in LOSSES:
        for table in ("iris", "labels", "cancer", "digits"):
            yield table, {"loss": loss, "hidden_layer_sizes": (20,)}, {}
        yield "iris", {"loss": loss, "hidden_layer_sizes": (7, 5)}, {"sparse": True}
        yield "cancer", {"loss": loss}, {"dtype": np.float32, "weights": True}
    small = {"hidden_layer_sizes": (4,), "alpha": 0.0}
    yield "moons", small | {"n_init": 7, "max_escapes": 5}, {}
    yield "moons", small | {"n_init": 4, "special_neuron": None}, {"weights": True}
    yield "moons", small | {"training": "joint", "activation": "tanh"}, {}
    yield "moons", small | {"training": "joint", "special_neuron": "monomial",
                            "neuron_degree": 3}, {}  # fmt: skip
    for training in ("escape", "joint"):
        deep = {"hidden_layer_sizes": (4, 3), "alpha": 0.0, "activation": "tanh"}
        yield "moons", deep | {"training": training, "neuron_placement": "per_layer",
                               "n_init": 2}, {}  # fmt: skip
    yield "moons", {"hidden_layer_sizes": ()}, {}
    yield "cancer", {"hidden_layer_sizes": (8, 6, 4), "n_init": 3, "n_jobs": 2}, {}
    yield "cancer", {"class_weight": "balanced", "degree": 2}, {"weights": True}
    yield "cancer", {"early_stopping": True, "n_init": 2}, {}
    yield "iris", {"loss": SquaredHinge(), "hidden_layer_sizes": (6,)}, {}
    yield "cancer", {"hidden_layer_sizes": (10,)}, {"warm": True}
    yield "iris", {"hidden_layer_sizes": (10,)}, {"cv": True}
    yield "moons", {"alpha": "auto", "max_iter": 20}, {}
    yield "moons", {"alpha": "auto", "loss": "log_loss"}, {}
    yield "labels", {"hidden_layer_sizes": (10,), "degree": 2.5}, {"sparse": True}


def fitted(X, y, parameters, options):
    """The model of one setting."""
    rng = np.random.RandomState(0)
    X = X.astype(options.get("dtype", np.float64))
    weight = rng.randint(0, 4, len(X)).astype(float) if "weights" in options else None
    if "sparse" in options:
        X = csr_array(np.where(np.abs(X) < 0.3, 0.0, X))
    common = {"random_state": 0, "max_iter": 150, "alpha": 0.02}
    if "cv" in options:
        del common["alpha"]
        model = GoodMinimaClassifierCV(**common, **parameters, alphas=4, cv=3)
        return model.fit(X, y, weight), X
    model = GoodMinimaClassifier(**(common | parameters))
    if "warm" in options:
        model.set_params(warm_start=True).fit(X, y)
        model.set_params(alpha=0.001)
    return model.fit(X, y, weight), X


def digest(*arrays):
    """Digest of the bytes of arrays."""
    found = hashlib.blake2b(digest_size=8)
    for array in arrays:
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def main():
    warnings.simplefilter("ignore", ConvergenceWarning)
    data = tables()
    for table, parameters, options in settings():
        model, X = fitted(*data[table], parameters, options)
        names = {k: v if isinstance(v, str | int | float | tuple) else type(v).__name__
                 for k, v in parameters.items()}  # fmt: skip
        print(
            digest(*model.coefs_, *model.intercepts_),
            digest(model.decision_function(X)),
            table,
            names,
            {k: getattr(v, "__name__", v) for k, v in options.items()},
            flush=True,
        )


if __name__ == "__main__":
    main()

"""Random fits on random data, each held against an independent check.

    python benchmarks/soak.py --minutes 120 [--seed 0]

Every case draws data (scales over 24 orders of magnitude, constant and repeated
columns, contradicting rows, imbalance, sparse, float32, weights over 12 orders), and
every parameter of the classifier. It has to end in a fitted model or in a ValueError
that names a parameter or an array. Of a model it is checked

- that parameters and predictions are finite, and probabilities inside [0, 1];
- that a status GLOBAL is true: loss and lower bound are computed again in extended
  precision, group by group, from the formulas alone;
- that a witness is realised: its neuron, added in extended precision, lowers the
  augmented loss by what the witness says;
- that no warning but ConvergenceWarning and the one on neuron_degree is raised.

A fit that takes longer than five minutes is reported as a hang.
"""

import argparse
import collections
import faulthandler
import sys
import time
import warnings

import numpy as np
from scipy.sparse import csr_array, issparse
from sklearn.exceptions import ConvergenceWarning

from skgoodmin import GoodMinimaClassifier, Status

LONG = np.longdouble
NAMES = (
    "X",
    "y",
    "Sample weights",
    "sample_weight",
    *GoodMinimaClassifier().get_params(),
)


def draw(rng):
    """(X, y, sample_weight, parameters) at random."""
    n, d = int(rng.choice([2, 5, 20, 60, 200])), int(rng.choice([1, 2, 5, 20]))
    X = rng.normal(size=(n, d))
    if rng.uniform() < 0.3:
        X = np.round(X)  # rows repeat
    if rng.uniform() < 0.3:
        X = X * 10.0 ** rng.uniform(-12, 12, size=d)
    if rng.uniform() < 0.2:
        X[:, 0] = X[0, 0]
    if rng.uniform() < 0.2:
        X[rng.randint(n, size=n // 2)] = X[0]
    if rng.uniform() < 0.2:
        X = X + 10.0 ** rng.uniform(0, 6)
    if rng.uniform() < 0.2:
        X = X.astype(np.float32)
    if rng.uniform() < 0.2:
        X = csr_array(np.where(rng.uniform(size=X.shape) < 0.6, 0, X))
    kind = rng.choice(["two", "several", "multilabel", "rule", "rare"])
    if kind == "multilabel":
        y = rng.randint(2, size=(n, int(rng.choice([2, 3]))))
    elif kind == "rule":
        column = X.toarray()[:, 0] if issparse(X) else X[:, 0]
        y = (column > np.median(column)).astype(int)
    else:
        shares = {"two": [0.5, 0.5], "several": [0.25] * 4, "rare": [0.97, 0.03]}[kind]
        y = rng.choice(len(shares), p=shares, size=n)
    weight = None
    if rng.uniform() < 0.3:
        weight = 10.0 ** rng.uniform(-6, 6, size=n)
        weight[rng.uniform(size=n) < 0.2] = 0.0
    parameters = {
        "hidden_layer_sizes": [(), (1,), (4,), (20,), (5, 3)][rng.randint(5)],
        "activation": rng.choice(
            ["identity", "logistic", "tanh", "relu", "softplus", "silu"]
        ),
        "loss": rng.choice(["poly_hinge", "poly_hinge", "log_loss"]),
        "degree": float(rng.choice([2, 2.5, 3, 4])),
        "alpha": ["auto", 0.0, 0.0, 1e-8, 1e-3, 1.0][rng.randint(6)],
        "special_neuron": ["exponential", "exponential", "monomial", None][
            rng.randint(4)
        ],
        "neuron_placement": rng.choice(["skip", "skip", "per_layer"]),
        "neuron_alpha": 10.0 ** rng.uniform(-3, 3),
        "training": rng.choice(["escape", "escape", "escape", "joint"]),
        "n_init": int(rng.choice([1, 1, 4])),
        "max_escapes": int(rng.choice([0, 3, 10])),
        "n_jobs": [None, 2][rng.randint(2)],
        "max_iter": int(rng.choice([1, 30, 300])),
        "max_fun": int(rng.choice([1, 50, 2000])),
        "tol": 10.0 ** rng.uniform(-9, -1),
        "class_weight": [None, None, "balanced"][rng.randint(3)],
        "early_stopping": bool(rng.uniform() < 0.1),
        "random_state": int(rng.randint(2**31 - 1)),
    }
    return X, y, weight, parameters


def extended(model, X):
    """Raw predictions in extended precision, (n, n_outputs)."""
    values = (X.toarray() if issparse(X) else X).astype(LONG)
    functions = {
        "identity": lambda z: z,
        "logistic": lambda z: 1 / (1 + np.exp(-z)),
        "tanh": np.tanh,
        "relu": lambda z: np.maximum(z, 0),
        "softplus": lambda z: np.logaddexp(z, LONG(0)),
        "silu": lambda z: z / (1 + np.exp(-z)),
    }
    for coef, intercept in zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True):
        values = functions[model.activation](values @ coef.astype(LONG) + intercept)
    return values @ model.coefs_[-1].astype(LONG) + model.intercepts_[-1].astype(LONG)


def signs_of(model, y):
    """+1 and -1, (n, n_outputs)."""
    if y.ndim == 2:
        return np.where(y == 1, 1, -1)
    if len(model.classes_) == 2:
        return np.where(y == model.classes_[1], 1, -1)[:, None]
    return np.where(y[:, None] == model.classes_, 1, -1)


def row_losses(model, raw, y):
    """Loss of each row, (n,), in extended precision."""
    sign = signs_of(model, y)
    if model.loss == "poly_hinge":
        return (np.maximum(1 - sign * raw, 0) ** LONG(model.degree)).sum(axis=1)
    if y.ndim == 1 and len(model.classes_) > 2:
        # log(1 + sum over the others of e^(f_k - f_label)), exact where it is small.
        behind = raw - (raw * (sign == 1)).sum(axis=1, keepdims=True)
        largest = np.maximum(behind.max(axis=1), 0)
        shifted = np.exp(behind - largest[:, None])
        others = np.where(sign == 1, 0, shifted).sum(axis=1)
        return largest + np.log1p(others + np.expm1(-largest))
    return np.logaddexp(LONG(0), -sign * raw).sum(axis=1)


def lower_bound(model, X, y, weight):
    """Pointwise lower bound of the mean loss, group by group."""
    groups = collections.defaultdict(list)
    dense = (X.toarray() if issparse(X) else X) + 0.0  # -0 is 0
    for i, row in enumerate(dense):
        groups[row.tobytes()].append(i)
    sign, total = signs_of(model, y), LONG(0)
    for rows in groups.values():
        w, s = weight[rows].astype(LONG), sign[rows]
        if model.loss == "log_loss" and y.ndim == 1 and len(model.classes_) > 2:
            counts = [(w * (s[:, k] == 1)).sum() for k in range(s.shape[1])]
            total += _entropy(counts)
            continue
        for k in range(s.shape[1]):
            up, down = (w * (s[:, k] == 1)).sum(), (w * (s[:, k] == -1)).sum()
            if model.loss == "log_loss":
                total += _entropy([up, down])
            elif up > 0 and down > 0:
                p = LONG(model.degree)
                q = 1 / (p - 1)
                total += 2**p * up * down / (up**q + down**q) ** (p - 1)
    return total / weight.sum()


def _entropy(counts):
    n = sum(counts)
    return sum((-c * np.log(c / n) for c in counts if c > 0), LONG(0))


def row_weights(model, y, weight):
    """Weights of the rows, those of the classes included."""
    weight = np.ones(len(y), LONG) if weight is None else weight.astype(LONG)
    if model.class_weight is None:
        return weight
    base = weight.copy()
    for labels in y.reshape(len(y), -1).T:
        values = np.unique(labels[base > 0])
        share = {v: base.sum() / len(values) / base[labels == v].sum() for v in values}
        weight = weight * np.array([share.get(v, 0) for v in labels], dtype=LONG)
    return weight


def verify(model, X, y, weight):
    """What is wrong with a fitted model, as a list of sentences."""
    wrong = []
    parts = [*model.coefs_, *model.intercepts_]
    if not all(np.isfinite(part).all() for part in parts):
        wrong.append("parameters are not finite")
    probabilities = model.predict_proba(X)
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        wrong.append("probabilities are not between 0 and 1")
    certificate = model.certificate_
    if model.early_stopping:
        return wrong  # some of the rows were held out
    with np.errstate(all="ignore"):
        used = row_weights(model, y, weight)
        raw, rows = extended(model, X), used > 0
        loss = (row_losses(model, raw, y) * used)[rows].sum() / used.sum()
        bound = lower_bound(model, X[rows], y[rows], used[rows])
        tolerance = 1e-6 * (1 + bound) * (1 + 1e-6) + 1e-9 * loss
        if certificate.status is Status.GLOBAL and not loss - bound <= tolerance:
            wrong.append(f"GLOBAL is false: loss {loss:.6g}, bound {bound:.6g}")
        if not abs(certificate.lower_bound - bound) <= 1e-9 * (1 + bound):
            wrong.append(f"bound {certificate.lower_bound:.6g} is {bound:.6g}")
        witness = certificate.witness
        if witness is not None:
            dense = (X.toarray() if issparse(X) else X).astype(LONG)
            e = np.exp(dense @ witness.coef.astype(LONG) + LONG(witness.intercept))
            lifted = raw + e[:, None] * witness.amplitude.astype(LONG)
            after = (row_losses(model, lifted, y) * used)[rows].sum() / used.sum()
            after += LONG(model.neuron_alpha) / 2 * (witness.amplitude**2).sum()
            if not loss - after >= witness.decrease:
                wrong.append(
                    f"witness: {witness.decrease:.3g} said, {loss - after:.3g} found"
                )
    return wrong


def one_case(seed):
    """(outcome, list of what is wrong) of one random case."""
    X, y, weight, parameters = draw(np.random.RandomState(seed))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model = GoodMinimaClassifier(**parameters).fit(X, y, weight)
        except ValueError as error:
            text = str(error)
            named = any(name in text for name in NAMES)
            return "clear error", [] if named else [f"unclear error: {text}"]
        wrong = verify(model, X, y, weight)
    for warning in caught:
        known = issubclass(warning.category, ConvergenceWarning)
        if not known and "neuron_degree" not in str(warning.message):
            wrong.append(f"{warning.category.__name__}: {warning.message}")
    return model.certificate_.status.name, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    end = time.monotonic() + 60 * arguments.minutes
    outcomes, failures, seed = collections.Counter(), 0, arguments.seed
    while time.monotonic() < end:
        faulthandler.dump_traceback_later(300, exit=True)
        outcome, wrong = one_case(seed)
        faulthandler.cancel_dump_traceback_later()
        outcomes[outcome] += 1
        failures += bool(wrong)
        for text in wrong:
            print(f"case {seed}: {text}", flush=True)
        seed += 1
    print(f"{sum(outcomes.values())} cases in {arguments.minutes:g} minutes:",
          ", ".join(f"{n} {name}" for name, n in outcomes.most_common()))  # fmt: skip
    print(f"{failures} failures, 0 hangs")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())

"""Random fits on random data, each held against an independent check.

    python benchmarks/soak.py --minutes 120 [--seed 0]

Every case draws data (scales over 24 orders of magnitude, constant and repeated
columns, contradicting rows, imbalance, sparse, float32, weights over 12 orders), and
every parameter of the classifier. It has to end in a fitted model or in a ValueError
that names a parameter or an array. Of a model it is checked

- that parameters and predictions are finite, and probabilities inside [0, 1];
- that a status GLOBAL is true: loss and lower bound are computed again in extended
  precision, group by group, from the formulas alone;
- that a witness is realised: its neuron or unit, added in extended precision, lowers
  the objective by what the witness says;
- that no proven bound, of ``fit`` or of ``certify``, is above what any network reached:
  the model itself, a constant one, and with ``alpha > 0`` rivals of other widths and
  seeds, trained by the package and by scipy, all evaluated in extended precision;
- that no warning but ConvergenceWarning and the one on neuron_degree is raised.

Two cases of four are drawn for the bounds: ``alpha`` from 1e-8 to 10, every loss and
activation, a loss of the user's own, scales from 1e-6 to 1e6. One more is a regressor,
with targets of any size, outliers, several targets, and repeated rows.

A fit that takes longer than five minutes is reported as a hang.
"""

import argparse
import collections
import faulthandler
import sys
import time
import warnings

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_array, issparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skgoodmin import GoodMinimaClassifier, GoodMinimaRegressor, Known, Status
from skgoodmin.estimator.setup import pose, validated

LONG = np.longdouble
NAMES = (
    "X",
    "y",
    "Sample weights",
    "sample_weight",
    *GoodMinimaClassifier().get_params(),
    *GoodMinimaRegressor().get_params(),
)


class OwnHinge:
    """A loss of the user's own: max(0, 1 - m)^2."""

    def value(self, raw, sign):
        return np.maximum(0, 1 - sign * raw) ** 2

    def derivative(self, raw, sign):
        return -2 * sign * np.maximum(0, 1 - sign * raw)

    def minimum(self, negative, positive):
        both = negative + positive
        return 4 * negative * positive / np.where(both > 0, both, 1.0)


class OwnLogistic:
    """log(1 + e^-m), as a user may write it."""

    def value(self, raw, sign):
        return np.logaddexp(raw.dtype.type(0), -sign * raw)

    def derivative(self, raw, sign):
        return -sign / (1.0 + np.exp(sign * raw))

    def minimum(self, negative, positive):
        both = np.maximum(negative + positive, 1e-300)
        terms = [n * np.log(np.maximum(n, 1e-300) / both) for n in (negative, positive)]
        return -sum(terms)


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


def draw_for_bounds(rng):
    """The same with weight decay, and smaller: each is trained several times."""
    n, d = int(rng.choice([3, 8, 25, 60])), int(rng.choice([1, 2, 3, 6, 12]))
    X = rng.normal(size=(n, d))
    if rng.uniform() < 0.3:
        X = np.round(X)
    if rng.uniform() < 0.3:
        X[rng.randint(n, size=n // 2)] = X[0]
    if rng.uniform() < 0.25:
        X = X * 10.0 ** rng.uniform(-6, 6, size=d)
    elif rng.uniform() < 0.25:
        X = X * 10.0 ** rng.uniform(-6, 6)
    if rng.uniform() < 0.2:
        X[:, -1] = 3.0
    if rng.uniform() < 0.1:
        X = X + 100.0
    if rng.uniform() < 0.2:
        X = X.astype(np.float32)
    kind = rng.choice(["two", "two", "rule", "xor", "several", "multilabel", "rare"])
    if kind == "multilabel":
        y = rng.randint(2, size=(n, 2))
    elif kind in ("rule", "xor"):
        above = np.median(X, axis=0) < X
        y = (above[:, 0] if kind == "rule" else above[:, 0] ^ above[:, -1]).astype(int)
    else:
        shares = {"two": [0.5, 0.5], "several": [1 / 3] * 3, "rare": [0.95, 0.05]}[kind]
        y = rng.choice(len(shares), p=shares, size=n)
    if rng.uniform() < 0.15:
        X = csr_array(X)
    weight = None
    if rng.uniform() < 0.3:
        weight = 10.0 ** rng.uniform(-3, 3, size=n)
        weight[rng.uniform(size=n) < 0.2] = 0.0
    width = int(rng.choice([1, 2, 5, 20]))
    parameters = {
        "hidden_layer_sizes": [(), *4 * [(width,)], (width, 3)][rng.randint(6)],
        "activation": rng.choice(
            ["identity", "logistic", "tanh", "relu", "relu", "softplus", "silu"]
        ),
        "loss": ["poly_hinge", "poly_hinge", "log_loss", OwnHinge(), OwnLogistic()][
            rng.randint(5)
        ],
        "degree": float(rng.choice([2, 2.5, 3, 4])),
        "alpha": 10.0 ** rng.uniform(-8, 1) if rng.uniform() < 0.8 else "auto",
        "n_init": int(rng.choice([1, 1, 3])),
        "max_escapes": int(rng.choice([0, 3])),
        "max_iter": int(rng.choice([3, 200, 1000])),
        "max_fun": 3000,
        "tol": 10.0 ** rng.uniform(-8, -3),
        "class_weight": [None, None, None, "balanced"][rng.randint(4)],
        "random_state": int(rng.randint(2**31 - 1)),
    }
    return X, y, weight, parameters


def extended(model, X):
    """Raw predictions in extended precision, (n, n_outputs)."""
    return forward(model.coefs_, model.intercepts_, model.activation, X)


def forward(coefs, intercepts, activation, X):
    """The same of any network."""
    values = (X.toarray() if issparse(X) else X).astype(LONG)
    function = FUNCTIONS[activation]
    for coef, intercept in zip(coefs[:-1], intercepts[:-1], strict=True):
        values = function(values @ coef.astype(LONG) + intercept)
    return values @ coefs[-1].astype(LONG) + intercepts[-1].astype(LONG)


def penalty_of(coefs, alpha):
    """alpha/2 sum W^2."""
    return LONG(alpha) / 2 * sum((coef.astype(LONG) ** 2).sum() for coef in coefs)


FUNCTIONS = {
    "identity": lambda z: z,
    "logistic": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "softplus": lambda z: np.logaddexp(z, LONG(0)),
    "silu": lambda z: z / (1 + np.exp(-z)),
}


def signs_of(model, y):
    """+1 and -1, (n, n_outputs)."""
    if y.ndim == 2:
        return np.where(y == 1, 1, -1)
    if len(model.classes_) == 2:
        return np.where(y == model.classes_[1], 1, -1)[:, None]
    return np.where(y[:, None] == model.classes_, 1, -1)


def row_losses(model, raw, y):
    """Loss of each row, (n,), in extended precision."""
    if hasattr(model, "y_scale_"):
        return target_losses(model, raw, y)
    sign = signs_of(model, y)
    if not isinstance(model.loss, str):
        return model.loss.value(raw, sign.astype(LONG)).sum(axis=1)
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


def target_losses(model, raw, y):
    """The same of a regressor, in units of its standardised targets."""
    z = model._target.standardised(y.reshape(len(y), -1).astype(float)).astype(LONG)
    if not isinstance(model.loss, str):
        return model.loss.value(raw, z).sum(axis=1)
    size, epsilon = np.abs(raw - z), LONG(model.epsilon)
    if model.loss == "huber":
        near, far = size * size / (2 * epsilon), size - epsilon / 2
        return np.where(size <= epsilon, near, far).sum(axis=1)
    return (size * size / 2).sum(axis=1)


def lower_bound(model, X, y, weight):
    """Pointwise lower bound of the mean loss, group by group."""
    groups = collections.defaultdict(list)
    dense = (X.toarray() if issparse(X) else X) + 0.0  # -0 is 0
    for i, row in enumerate(dense):
        groups[row.tobytes()].append(i)
    sign, total = signs_of(model, y), LONG(0)
    entropy = model.loss == "log_loss" or isinstance(model.loss, OwnLogistic)
    degree = 2 if isinstance(model.loss, OwnHinge) else model.degree
    for rows in groups.values():
        w, s = weight[rows].astype(LONG), sign[rows]
        if model.loss == "log_loss" and y.ndim == 1 and len(model.classes_) > 2:
            counts = [(w * (s[:, k] == 1)).sum() for k in range(s.shape[1])]
            total += _entropy(counts)
            continue
        for k in range(s.shape[1]):
            up, down = (w * (s[:, k] == 1)).sum(), (w * (s[:, k] == -1)).sum()
            if entropy:
                total += _entropy([up, down])
            elif up > 0 and down > 0:
                p = LONG(degree)
                q = 1 / (p - 1)
                total += 2**p * up * down / (up**q + down**q) ** (p - 1)
    return total / weight.sum()


def _entropy(counts):
    # log(n / c) = log(1 + others / c), exact where c is almost all.
    total = LONG(0)
    for k, c in enumerate(counts):
        if c > 0:
            others = sum((n for j, n in enumerate(counts) if j != k), LONG(0))
            total += c * np.log1p(others / c)
    return total


def row_weights(model, y, weight):
    """Weights of the rows, those of the classes included."""
    weight = np.ones(len(y), LONG) if weight is None else weight.astype(LONG)
    if getattr(model, "class_weight", None) is None:
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
        objective = loss + penalty_of(model.coefs_, model.alpha_)
        lower = bound if model.alpha_ == 0 else LONG(certificate.lower_bound)
        tolerance = 1e-6 * (1 + lower) * (1 + 1e-6) + 1e-9 * loss
        if certificate.status is Status.GLOBAL and not objective - lower <= tolerance:
            wrong.append(f"GLOBAL is false: {objective:.6g}, bound {lower:.6g}")
        wrong += not_below(certificate, loss, objective, "the model")
        for known in certificate.bounds:
            if known.of == "data loss":
                if not known.value <= bound:
                    wrong.append(f"pointwise bound {known.value!r} above {bound!r}")
                if not known.value >= bound * (1 - 1e-8) - 1e-250:
                    wrong.append(f"pointwise bound {known.value!r} far from {bound!r}")
        wrong += unrealised(model, certificate.witness, X, y, used, raw)
    return wrong


def unrealised(model, witness, X, y, used, raw):
    """What is wrong with a witness."""
    if witness is None:
        return []
    kind, alpha = witness.kind.split()[0], LONG(model.alpha_)
    function = np.exp if kind == "exponential" else FUNCTIONS[kind]
    dense, rows = (X.toarray() if issparse(X) else X).astype(LONG), used > 0
    coef, amplitude = witness.coef.astype(LONG), witness.amplitude.astype(LONG)
    e = function(dense @ coef + LONG(witness.intercept))
    lifted = raw + e[:, None] * amplitude
    # The network's own penalty is left out: a small decrease would drown in it.
    before = (row_losses(model, raw, y) * used)[rows].sum() / used.sum()
    after = (row_losses(model, lifted, y) * used)[rows].sum() / used.sum()
    if kind == "exponential":
        after += LONG(model.neuron_alpha) / 2 * (amplitude**2).sum()
    else:
        after += alpha / 2 * ((coef**2).sum() + (amplitude**2).sum())
    found = before - after
    if found >= witness.decrease:
        return []
    return [f"witness: {witness.decrease:.3g} said, {found:.3g} found"]


def not_below(certificate, loss, objective, who):
    """Proven bounds that are above what a network has reached."""
    wrong = []
    for bound in certificate.bounds:
        reached = loss if bound.of == "data loss" else objective
        if bound.known is not Known.PROVEN or not np.isfinite(reached):
            continue
        COUNTS["comparisons"] += 1
        if bound.of == "objective" and reached > 0:
            COUNTS["within 1e-6"] += bool(bound.value > reached * (1 - 1e-6))
            COUNTS["within 10 %"] += bool(bound.value > 0.9 * reached)
        if not LONG(bound.value) <= reached:
            wrong.append(
                f"VIOLATION: bound {bound.value!r} of the {bound.of} above "
                f"{float(reached)!r} of {who}"
            )
    return wrong


def descent(objective, theta, n_iterations):
    """scipy's own L-BFGS."""
    with np.errstate(all="ignore"):
        found = minimize(
            lambda t: clean(*objective.value_and_gradient(t)),
            theta,
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": n_iterations, "ftol": 1e-15, "gtol": 1e-12},
        ).x
    return found if np.isfinite(found).all() else theta


def clean(value, gradient):
    """What scipy can take."""
    finite = np.isfinite(value) and np.isfinite(gradient).all()
    return (value, gradient) if finite else (1e300, np.zeros_like(gradient))


def rivals(model, X, y, weight, rng):
    """(who, coefs, intercepts) of other networks of this depth and activation."""
    depth = len(model.coefs_) - 1
    arrays = validated(model, X, y, weight, reset=False)

    def posed(sizes):
        other = clone(model).set_params(hidden_layer_sizes=sizes)
        problem = pose(other, *arrays, model._known)
        return problem.with_alpha(model.alpha_).objective

    own = posed(model.hidden_layer_sizes)
    theta = own.layout.pack(model.coefs_, model.intercepts_)
    yield "its own descent", *own.layout.unpack(descent(own, theta, 300))
    linear = posed(())
    constant = np.zeros(linear.n_parameters)
    free = linear.layout.pack(
        [np.zeros_like(w) for w in linear.layout.unpack(constant)[0]],
        [np.ones_like(b) for b in linear.layout.unpack(constant)[1]],
    )

    def of_intercepts(b):
        value, gradient = linear.value_and_gradient(np.where(free > 0, _fill(b), 0.0))
        return clean(value, gradient[free > 0])

    def _fill(b):
        full = np.zeros_like(free)
        full[free > 0] = b
        return full

    n_outputs = int(free.sum())
    best = minimize(
        of_intercepts, np.zeros(n_outputs), jac=True, method="L-BFGS-B",
        options={"ftol": 1e-16, "gtol": 1e-14},
    ).x  # fmt: skip
    zeros = [np.zeros_like(w) for w in model.coefs_]
    yield "a constant", zeros, [*[0 * b for b in model.intercepts_[:-1]], best]
    scale = np.std(X.toarray() if issparse(X) else X, axis=0, dtype=float)
    scale[~(scale > 0)] = 1.0
    for width in rng.choice([1, 2, 4, 8, 15, 30, 50], size=2, replace=False):
        sizes = depth * (int(width),)
        objective = posed(sizes)
        coefs, intercepts = objective.layout.unpack(objective.layout.start(rng))
        coefs = [coefs[0] / scale[:, None], *coefs[1:]]
        start = objective.layout.pack(coefs, intercepts)
        found = objective.layout.unpack(descent(objective, start, 300))
        yield f"scipy with {sizes}", *found
    sizes = depth * (int(rng.randint(1, 51)),)
    other = clone(model).set_params(
        hidden_layer_sizes=sizes,
        alpha=model.alpha_,
        random_state=int(rng.randint(2**31 - 1)),
        max_iter=500,
        max_escapes=3,
        tol=1e-6,
    )
    other.fit(X, y, weight)
    yield f"the package with {sizes}", other.coefs_, other.intercepts_


def verify_bounds(model, X, y, weight, rng):
    """Bounds with weight decay against rivals, as a list of sentences."""
    used = row_weights(model, y, weight)
    rows, wrong = used > 0, []
    certificates = {"fit": model.certificate_}
    if rng.uniform() < 0.35:
        effort = float(rng.choice([0, 0.1, 0.3, 1]))
        certificates[f"certify({effort})"] = model.certify(X, y, weight, effort=effort)
        COUNTS["certify"] += 1
    for who, coefs, intercepts in rivals(model, X, y, weight, rng):
        COUNTS["rivals"] += 1
        with np.errstate(all="ignore"):
            raw = forward(coefs, intercepts, model.activation, X)
            loss = (row_losses(model, raw, y) * used)[rows].sum() / used.sum()
            objective = loss + penalty_of(coefs, model.alpha_)
        for name, certificate in certificates.items():
            found = not_below(certificate, loss, objective, who)
            wrong += [f"{name}: {text}" for text in found]
    for name, certificate in list(certificates.items())[1:]:
        with np.errstate(all="ignore"):
            raw = extended(model, X)
            loss = (row_losses(model, raw, y) * used)[rows].sum() / used.sum()
            objective = loss + penalty_of(model.coefs_, model.alpha_)
            args = X, y, used, raw
            texts = unrealised(model, certificate.witness, *args)
            texts += not_below(certificate, loss, objective, "the model")
        wrong += [f"{name}: {text}" for text in texts]
    return wrong


class LogCosh:
    """A loss of the user's own for real targets."""

    def value(self, raw, target):
        value = np.logaddexp(raw - target, target - raw) - np.log(raw.dtype.type(2))
        return np.maximum(value, 0)

    def derivative(self, raw, target):
        return np.tanh(raw - target)


def draw_for_regression(rng):
    """As for the bounds, with real targets."""
    X, y, weight, parameters = draw_for_bounds(rng)
    del parameters["class_weight"], parameters["degree"]
    n = X.shape[0]
    column = X.toarray()[:, 0] if issparse(X) else X[:, 0]
    y = np.sin(column / (np.abs(column).max() or 1.0) * 4.0).astype(float)
    y += rng.choice([0.0, 0.1, 1.0]) * rng.normal(size=n)
    if rng.uniform() < 0.3:
        y[rng.randint(n, size=1 + n // 20)] += 100 * rng.normal()
    if rng.uniform() < 0.2:
        y = np.round(y)
    y = y * 10.0 ** rng.uniform(-9, 9) + 10.0 ** rng.uniform(-9, 9)
    if rng.uniform() < 0.25:
        y = np.column_stack([y, rng.permutation(y)])
    parameters |= {
        "loss": ["squared_error", "squared_error", "huber", LogCosh()][rng.randint(4)],
        "epsilon": 10.0 ** rng.uniform(-2, 0.5),
        "alpha": 0.0 if rng.uniform() < 0.2 else parameters["alpha"],
    }
    return X, y, weight, parameters


def verify_regressor(model, X, y, weight):
    """What is wrong with a fitted regressor, as a list of sentences."""
    wrong, certificate = [], model.certificate_
    parts = [*model.coefs_, *model.intercepts_, model.predict(X)]
    if not all(np.isfinite(part).all() for part in parts):
        wrong.append("parameters or predictions are not finite")
    with np.errstate(all="ignore"):
        used, raw = row_weights(model, y, weight), extended(model, X)
        rows = used > 0
        loss = (row_losses(model, raw, y) * used)[rows].sum() / used.sum()
        objective = loss + penalty_of(model.coefs_, model.alpha_)
        lower = LONG(certificate.lower_bound)
        tolerance = 1e-6 * (1 + lower) * (1 + 1e-6) + 1e-9 * loss
        if certificate.status is Status.GLOBAL and not objective - lower <= tolerance:
            wrong.append(f"GLOBAL is false: {objective:.6g}, bound {lower:.6g}")
        wrong += not_below(certificate, loss, objective, "the model")
        wrong += unrealised(model, certificate.witness, X, y, used, raw)
        if model.loss == "squared_error":
            exact = variance_of_equal_rows(model, X[rows], y[rows], used[rows])
            bound = max(b.value for b in certificate.bounds if b.of == "data loss")
            if not bound <= exact * (1 + 1e-15):
                wrong.append(f"pointwise bound {bound!r} above {exact!r}")
            if not bound >= exact * (1 - 1e-6) - 1e-9:
                wrong.append(f"pointwise bound {bound!r} far from {exact!r}")
    return wrong


def variance_of_equal_rows(model, X, y, weight):
    """Half the mean variance of the standardised targets inside equal rows."""
    z = model._target.standardised(y.reshape(len(y), -1).astype(float)).astype(LONG)
    dense = (X.toarray() if issparse(X) else X) + 0.0
    groups, total = collections.defaultdict(list), LONG(0)
    for i, row in enumerate(dense):
        groups[row.tobytes()].append(i)
    for rows in groups.values():
        w, of_group = weight[rows, None], z[rows]
        mean = (w * of_group).sum(axis=0) / w.sum()
        total += (w * (of_group - mean) ** 2).sum() / 2
    return total / weight.sum()


COUNTS: collections.Counter = collections.Counter()
KINDS = (draw, draw_for_bounds, draw_for_regression, draw_for_bounds)


def one_case(seed, drawn=draw):
    """(outcome, list of what is wrong) of one random case."""
    rng = np.random.RandomState(seed)
    X, y, weight, parameters = drawn(rng)
    regression = drawn is draw_for_regression
    kind = GoodMinimaRegressor if regression else GoodMinimaClassifier
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model = kind(**parameters).fit(X, y, weight)
        except ValueError as error:
            text = str(error)
            named = any(name in text for name in NAMES)
            return "clear error", [] if named else [f"unclear error: {text}"]
        wrong = (verify_regressor if regression else verify)(model, X, y, weight)
        if drawn is not draw and model.alpha_ > 0:
            wrong += verify_bounds(model, X, y, weight, rng)
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
        outcome, wrong = one_case(seed, KINDS[seed % len(KINDS)])
        faulthandler.cancel_dump_traceback_later()
        outcomes[outcome] += 1
        failures += bool(wrong)
        for text in wrong:
            print(f"case {seed}: {text}", flush=True)
        seed += 1
    print(f"{sum(outcomes.values())} cases in {arguments.minutes:g} minutes:",
          ", ".join(f"{n} {name}" for name, n in outcomes.most_common()))  # fmt: skip
    print(", ".join(f"{n} {name}" for name, n in COUNTS.items()))
    print(f"{failures} failures, 0 hangs")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())

"""The choice of alpha and of the link: beside rare classes, and for several targets.

python benchmarks/choice.py

Rare classes: log-loss and accuracy on further rows of the three common ones, means of
twelve tables. "The rule" is what is left without a choice: 20 over the number of rows,
at most 0.2, and the link of the loss.

Several classes: log-loss and accuracy on a quarter of the rows, and seconds of
processor time, means over splits: with short fits as for one output, and with those of
the default.

Several targets: R2 on 3000 further rows and seconds of processor time, means of three
tables of 1500 rows: with short fits as for one target, with those of the default, and
the best of seven strengths in hindsight.
"""

import time
from contextlib import nullcontext
from unittest import mock

import numpy as np
from datasets import keel
from sklearn.datasets import load_digits, make_classification
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skgoodmin import GoodMinimaClassifier, GoodMinimaRegressor
from skgoodmin.estimator import alpha_choice

SETS = {"digits": 5, "optdigits": 5, "letter": 2}  # and splits
STRENGTHS = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003)


def with_rare_classes(seed, n_rare):
    """(X, y) of 1000 rows and rare classes of one to three, and 2300 further rows."""
    X, y = make_classification(
        3300,
        n_features=12,
        n_informative=6,
        n_classes=3,
        flip_y=0.15,
        random_state=seed,
    )
    rng = np.random.RandomState(seed)
    labels = np.repeat(3 + np.arange(n_rare), rng.randint(1, 4, size=n_rare))
    rare = 2.0 * rng.normal(size=(len(labels), X.shape[1]))
    return np.r_[X[:1000], rare], np.r_[y[:1000], labels], X[1000:], y[1000:]


def rare_classes(n_rare, n_tables=12):
    """One row of the first table."""
    found = []
    for seed in range(n_tables):
        X, y, X_new, y_new = with_rare_classes(seed, n_rare)
        scaler = StandardScaler().fit(X)
        for alpha in ("auto", min(20.0 / len(X), 0.2)):
            model = GoodMinimaClassifier(alpha=alpha, random_state=0)
            model.fit(scaler.transform(X), y)
            p = model.predict_proba(scaler.transform(X_new))
            found.append(log_loss(y_new, p, labels=model.classes_))
            found.append(np.mean(model.classes_[p.argmax(axis=1)] == y_new))
    ours, right, rule, right_by_rule = np.reshape(found, (n_tables, 4)).mean(axis=0)
    return f"{n_rare:6}{ours:10.3f}{rule:10.3f}{right:10.3f}{right_by_rule:10.3f}"


def as_for_one():
    """Context in which short fits are as for one output."""
    return mock.patch.object(alpha_choice._Size, "of", lambda size, _: size)


def several_classes(name, n_splits):
    """One row of the second table."""
    X, y = load_digits(return_X_y=True) if name == "digits" else keel(name)
    found = np.zeros((n_splits, 6))
    for seed in range(n_splits):
        parts = train_test_split(X, y, random_state=seed, stratify=y)
        X_train, X_test, y_train, y_test = parts
        scaler = StandardScaler().fit(X_train)
        for place, context in enumerate((as_for_one(), nullcontext())):
            start = time.process_time()
            with context:
                model = GoodMinimaClassifier(random_state=seed)
                model.fit(scaler.transform(X_train), y_train)
            seconds = time.process_time() - start
            p = model.predict_proba(scaler.transform(X_test))
            right = np.mean(model.classes_[p.argmax(axis=1)] == y_test)
            loss = log_loss(y_test, p, labels=model.classes_)
            found[seed, place::2] = loss, right, seconds
    numbers = found.mean(axis=0)
    cells = "".join(f"{value:10.4f}" for value in numbers[:4])
    return f"{name:10}{cells}" + "".join(f"{value:8.2f}" for value in numbers[4:])


def line_wave_noise(rng, n):
    """A line, a wave and noise."""
    X = rng.normal(size=(n, 7))
    return X, np.c_[X[:, 0], np.sin(2 * X[:, 1]), 3 * rng.normal(size=n)]


def friedman(rng, n):
    """The function of friedman1, and that of the columns from behind."""
    X = rng.uniform(size=(n, 10))
    Y = [
        10 * np.sin(np.pi * x[:, 0] * x[:, 1])
        + 20 * (x[:, 2] - 0.5) ** 2
        + (10 * x[:, 3] + 5 * x[:, 4])
        for x in (X, X[:, ::-1])
    ]
    return X, np.transpose(Y) + rng.normal(size=(n, 2))


def arm(rng, n):
    """Position of an arm with two joints."""
    X = rng.uniform(0, np.pi, size=(n, 2))
    a, b = X[:, 0], X.sum(axis=1)
    Y = np.c_[np.cos(a) + np.cos(b), np.sin(a) + np.sin(b)]
    return X, Y + 0.05 * rng.normal(size=(n, 2))


def planes(rng, n):
    """Eight planes under much noise."""
    X, weights = rng.normal(size=(n, 10)), np.random.RandomState(0).normal(size=(10, 8))
    return X, X @ weights + 4.0 * rng.normal(size=(n, 8))


def sums_of_tanh(rng, n):
    """Ten sums of three tanh."""
    fixed, X = np.random.RandomState(0), rng.normal(size=(n, 8))
    hidden = np.tanh(X @ fixed.normal(size=(8, 12)))
    weights = fixed.normal(size=(12, 10)) * (fixed.uniform(size=(12, 10)) < 0.25)
    return X, hidden @ weights + 0.3 * rng.normal(size=(n, 10))


def several_targets(make, n_tables=3):
    """One row of the third table."""
    scores, seconds = np.zeros(3), np.zeros(2)
    for seed in range(n_tables):
        X, Y = make(np.random.RandomState(seed), 1500)
        new = make(np.random.RandomState(100 + seed), 3000)
        scaler = StandardScaler().fit(X)
        X, new = scaler.transform(X), (scaler.transform(new[0]), new[1])

        def score(alpha="auto", X=X, Y=Y, new=new):
            model = GoodMinimaRegressor(alpha=alpha, random_state=0)
            start = time.process_time()
            model.fit(X, Y)
            return model.score(*new), time.process_time() - start

        with as_for_one():
            before = score()
        found = np.array([before, score()])
        scores += *found[:, 0], max(score(alpha)[0] for alpha in STRENGTHS)
        seconds += found[:, 1]
    one, now, best = scores / n_tables
    before, after = seconds / n_tables
    return f"{make.__doc__:62}{one:8.3f}{before:7.2f}{now:8.3f}{after:7.2f}{best:8.3f}"


if __name__ == "__main__":
    print("  rare  log-loss  the rule  accuracy  the rule")
    for n_rare in (0, 1, 5, 30, 100):
        print(rare_classes(n_rare), flush=True)
    print("set         log-loss,       now  accuracy,       now seconds,   now")
    for name, n_splits in SETS.items():
        print(several_classes(name, n_splits), flush=True)
    print(f"{'':62}{'as one':>8}{'s':>7}{'now':>8}{'s':>7}{'best':>8}")
    for make in (line_wave_noise, friedman, arm, planes, sums_of_tanh):
        print(several_targets(make), flush=True)

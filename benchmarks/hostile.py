"""Hostile data by hypothesis: a true model, or a clear error.

    python benchmarks/hostile.py --cases 5000

Columns scaled by 1e-300 to 1e300, constant, repeated and subnormal ones, more columns
than rows, two rows, one row of a class, contradicting rows, weights over 12 orders,
every dtype and memory layout, sparse formats with 64-bit indices and explicit zeros,
labels of any type. Each case ends in a model that passes the checks of ``soak.py``
(finite, its status verified in extended precision) or in an error that names an array;
no warning is raised but ConvergenceWarning, and that of as many classes as rows.
"""

import argparse
import collections
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning

sys.path.insert(0, str(Path(__file__).parent))
from soak import NAMES, verify

from skgoodmin import GoodMinimaClassifier

DTYPES = ["f8", "f8", "f8", "f4", "f2", "i1", "i8", "u1", "?", "O"]
LAYOUTS = ["C", "F", "read-only", "memory-mapped", "strided"]
FORMATS = [None, None, sp.csr_array, sp.csc_array, sp.coo_array, sp.csr_matrix]


def in_layout(X, layout, folder):
    """The same numbers, otherwise in memory."""
    if layout == "F":
        return np.asfortranarray(X)
    if layout == "read-only":
        X.flags.writeable = False
    if layout == "memory-mapped" and X.dtype != object:
        path = tempfile.mktemp(dir=folder, suffix=".npy")
        np.save(path, X)
        return np.load(path, mmap_mode="r")
    if layout == "strided":
        return np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)[::2, ::2]
    return X


def in_format(X, form, wide, zeros, rng):
    """A sparse matrix of two thirds of the entries."""
    X = np.where(rng.uniform(size=X.shape) < 1 / 3, 0, X)
    made = sp.coo_array(np.ones_like(X) if zeros else X)
    if zeros:
        made.data = X.ravel()  # zeros among them are stored
    made = form(made)
    if wide and made.format in ("csr", "csc"):
        made.indices = made.indices.astype(np.int64)
        made.indptr = made.indptr.astype(np.int64)
    return made


def labels(kind, n, rng):
    """y of n rows."""
    two = np.arange(n) % 2
    rng.shuffle(two)
    rare = (np.arange(n) == rng.randint(n)).astype(int)
    return {
        "two": two,
        "strings": np.array(["no", "maybe so"])[two],
        "objects": np.array(["no", "yes"], dtype=object)[two],
        "bools": two == 1,
        "far": two + 2**60,
        "negative": -5 * two - 3,
        "floats": two * 3.0 - 1.0,
        "rare": rare,
        "several": rng.permutation(np.arange(n) % 4),
        "a class for each row": rng.permutation(n),
        "multilabel": np.stack([two, rare, 1 - two], axis=1),
        "labels 1 and 2": np.stack([two, rare], axis=1) + 1,
        "labels 0 and 255": np.stack([two, rare], axis=1).astype(np.uint8) * 255,
    }[kind]


@st.composite
def cases(draw):
    """(X, y, sample_weight, parameters)."""
    rng = np.random.RandomState(draw(st.integers(0, 2**31 - 1)))
    n = draw(st.sampled_from([2, 3, 8, 20, 60]))
    d = draw(st.sampled_from([1, 2, 5, 80]))
    X = rng.normal(size=(n, d))
    if draw(st.booleans()):
        X = np.round(X)
    scale = draw(st.sampled_from(["none", "none", "one", "each"]))
    with np.errstate(all="ignore"):
        if scale == "one":
            X = X * 10.0 ** draw(st.integers(-300, 300))
        elif scale == "each":
            X = X * 10.0 ** rng.randint(-300, 301, size=d)
    for change in draw(st.sets(st.sampled_from(
        ["constant", "twin", "subnormal", "rows", "shift"]))):  # fmt: skip
        if change == "constant":
            X[:, 0] = X[0, 0]
        elif change == "twin":
            X[:, -1] = X[:, 0]
        elif change == "subnormal":
            X[:, 0] = np.sign(X[:, 0]) * 1e-310
        elif change == "rows":
            X[n // 2 :] = X[: n - n // 2]  # most likely with other labels
        else:
            X = X + 1e8
    dtype = draw(st.sampled_from(DTYPES))
    with np.errstate(all="ignore"):
        X = X.astype(dtype)
    form = draw(st.sampled_from(FORMATS))
    if form is not None and dtype not in ("f2", "O", "?"):
        X = in_format(X, form, draw(st.booleans()), draw(st.booleans()), rng)
    else:
        X = in_layout(X, draw(st.sampled_from(LAYOUTS)), tempfile.gettempdir())
    kind = draw(st.sampled_from(
        ["two", "strings", "objects", "bools", "far", "negative", "floats", "rare",
         "several", "a class for each row", "multilabel", "labels 1 and 2",
         "labels 0 and 255"]))  # fmt: skip
    weight = None
    if draw(st.booleans()):
        weight = 10.0 ** rng.uniform(-6, 6, size=n)
        weight[rng.uniform(size=n) < 0.1] = 0.0
    parameters = {
        "hidden_layer_sizes": draw(st.sampled_from([(), (3,), (6, 4)])),
        "activation": draw(st.sampled_from(["relu", "tanh", "logistic", "silu"])),
        "loss": draw(st.sampled_from(["poly_hinge", "log_loss"])),
        "alpha": draw(st.sampled_from(["auto", 0.0, 1e-3])),
        "training": draw(st.sampled_from(["escape", "escape", "joint"])),
        "special_neuron": draw(st.sampled_from(["exponential", "monomial", None])),
        "n_init": draw(st.sampled_from([1, 3])),
        "max_fun": 200,
        "random_state": 0,
    }
    return X, labels(kind, n, rng), weight, parameters


def outcome_of(case):
    """The outcome of a case; an AssertionError says what is wrong."""
    X, y, weight, parameters = case
    if isinstance(X, np.memmap):
        Path(X.filename).unlink()  # the mapping stays
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "neuron_degree")
        warnings.filterwarnings("ignore", "y has .* classes in")
        model = GoodMinimaClassifier(**parameters)
        try:
            model.fit(X, y, weight)
        except ValueError as error:
            assert any(name in str(error) for name in NAMES), str(error)
            assert not hasattr(model, "coefs_")
            return "clear error"
        assert y.ndim == 1 or y.max() <= 1, "labels are 0 and 1"
        predicted = model.predict(X)
        assert predicted.dtype == np.asarray(y).dtype or y.ndim == 2
        assert np.isin(predicted, y).all() or y.ndim == 2
        dense = X.toarray() if sp.issparse(X) else X
        if dense.dtype.kind in "Oiub" or dense.dtype == np.float16:
            dense = dense.astype(np.float64)
        if dense.dtype == np.float32 or sp.issparse(X):
            dense = dense.astype(model.coefs_[0].dtype)
        wrong = verify(model, dense, y, weight)
        assert not wrong, wrong
    return model.certificate_.status.name


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=5000)
    arguments = parser.parse_args()
    outcomes = collections.Counter()

    @settings(
        max_examples=arguments.cases,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases())
    def run(case):
        outcomes[outcome_of(case)] += 1

    run()
    print(f"{sum(outcomes.values())} cases:",
          ", ".join(f"{n} {name}" for name, n in outcomes.most_common()))  # fmt: skip
    print("0 failures")


if __name__ == "__main__":
    main()

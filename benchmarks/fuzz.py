"""Random constructor parameters and inputs from a grammar of things users pass.

    python benchmarks/fuzz.py --cases 10000 [--seed 0]

A case calls ``fit``, ``partial_fit`` or the ``fit`` of the CV estimator, with up to
three of the parameters, X, y, sample_weight, classes, groups, splitters and scorers
changed into something drawn at random, mostly junk. It has to end in one of three ways:
a fitted model with finite predictions, whose parameters ``fit`` did not touch; a
ValueError or TypeError whose text names one of the things that were changed, after
which an earlier fit is still there; or either of these with a documented warning on the
way.
"""

import argparse
import collections
import contextlib
import io
import re
import sys
import warnings

import numpy as np
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
from sklearn.metrics import accuracy_score, make_scorer, precision_score
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    ShuffleSplit,
    StratifiedKFold,
)

from skgoodmin import GoodMinimaClassifier, GoodMinimaClassifierCV

N, D = 12, 3
BASE = {"hidden_layer_sizes": (3,), "max_fun": 200, "max_iter": 100, "n_init": 1}
DOCUMENTED = (ConvergenceWarning, DataConversionWarning)
# Of folds without a class, of the neuron's degree, and of scikit-learn 1.6.
DOCUMENTED_TEXTS = (
    "have a label that no training row has",
    "neuron_degree", "labels represented as bytes is deprecated",
    "The best alpha, ", "is NaN in some fold for alpha=", "does not take sample_weight",
    "The groups parameter is ignored by", "The least populated class in y has only",
    "integers beyond 2**53 are rounded",
)  # fmt: skip
# As errors call what users pass; other parameters are called by their names.
NAMES = {
    "sample_weight": ("sample_weight", "Sample weights"),
    "groups": ("groups", "cv"),
}
# Splits of strange rows may fail: n_splits is more than there are of a class.
NAMES_CV = NAMES | {"X": ("X", "cv"), "y": ("y", "cv")}

SCALARS = [
    None, True, False, 0, 1, 2, 3, -1, 0.5, -0.0, 1.0, 2.5, 1e-300, 1e300,
    float("inf"), float("-inf"), float("nan"), 10**30, -(10**30), 1j,
    np.int64(3), np.float32(0.25), np.bool_(True), np.array(5), np.array([3]),
    "", "auto", "relu", "silu", "log_loss", "poly_hinge", "monomial", "exponential",
    "per_layer", "skip", "joint", "escape", "balanced", "no such", b"bytes",
    (), [], (3,), [4, 2], (0,), (-2, 3), (2.0,), ("a",), (2, None), {}, {0: 2.0},
    {0: -1.0, 1: 1.0}, {0: "a"}, {"x": 1}, set(), object(), len, slice(3), ...,
    np.datetime64("2020-01-01"), np.random.RandomState(0), np.random.default_rng(0),
]  # fmt: skip


def matrices(rng):
    """name -> X."""
    good = rng.normal(size=(N, D))
    mixed = good.astype(object)
    mixed[0, 0] = None
    names = mixed.copy()
    names[0, 0] = "blue"
    spoiled = {}
    for name, value in (("nan", np.nan), ("inf", np.inf), ("large", 1e308)):
        spoiled[name] = good.copy()
        spoiled[name][3, 1] = value
    wide = sp.csr_array(np.round(good))
    wide.indices, wide.indptr = wide.indices.astype("i8"), wide.indptr.astype("i8")
    return spoiled | {
        "good": good,
        "list": good.tolist(),
        "float32": good.astype(np.float32),
        "float16": good.astype(np.float16),
        "longdouble": good.astype(np.longdouble),
        "int8": np.round(good).astype(np.int8),
        "uint64": np.full((N, D), 2**64 - 1, dtype=np.uint64),
        "bool": good > 0,
        "complex": good + 1j,
        "objects": good.astype(object),
        "numbers as strings": good.astype(str),
        "None inside": mixed,
        "a word inside": names,
        "words": np.full((N, D), "word"),
        "dates": np.full((N, D), np.datetime64("2020-01-01")),
        "1d": good[:, 0],
        "0d": np.array(1.0),
        "3d": good[:, :, None],
        "no rows": good[:0],
        "no columns": good[:, :0],
        "one row": good[:1],
        "too few rows": good[:-1],
        "ragged": [[1.0, 2.0], *good[1:].tolist()],
        "dict": {"a": 1},
        "None": None,
        "number": 3.0,
        "string": "X",
        "set": {1, 2},
        "generator": (row for row in good),
        "range": range(N),
        "masked": np.ma.masked_array(good, good > 1),
        "matrix": good.view(np.matrix),
        "records": np.zeros(N, dtype=[("a", "f8"), ("b", "f8")]),
        "subnormal": good * 1e-310,
        "read-only": np.frombuffer(good.tobytes()).reshape(N, D),
        "Fortran": np.asfortranarray(good),
        "reversed": good[::-1, ::-1],
        "swapped bytes": good.astype(good.dtype.newbyteorder()),
        "csr": sp.csr_array(good),
        "csr, int64": wide,
        "csc": sp.csc_matrix(good),
        "coo": sp.coo_array(good),
        "lil": sp.lil_array(good),
        "bsr": sp.bsr_array(good),
        "sparse nan": sp.csr_array(spoiled["nan"]),
        "sparse complex": sp.csr_array(good + 1j),
        "sparse 0": sp.csr_array((N, D)),
    }


def targets(rng):
    """name -> y."""
    good = np.arange(N) % 2
    several = np.arange(N) % 3
    rng.shuffle(several)
    return {
        "good": good,
        "list": good.tolist(),
        "bool": good == 1,
        "strings": np.array(["no", "yes"])[good],
        "bytes": np.array([b"no", b"yes"])[good],
        "objects": np.array(["no", "yes"], dtype=object)[good],
        "floats": good.astype(float),
        "far from 0": good + 2**62,
        "negative": good * -7,
        "int8": good.astype(np.int8),
        "three classes": several,
        "a class for each row": np.arange(N),
        "one class": np.zeros(N, dtype=int),
        "real numbers": rng.normal(size=N),
        "nan": np.where(good == 0, np.nan, 1.0),
        "inf": np.where(good == 0, np.inf, 1.0),
        "None": None,
        "Nones inside": np.array([None, 1] * (N // 2), dtype=object),
        "mixed": np.array(["a", 1] * (N // 2), dtype=object),
        "tuples": [(0, 1), (1, 0)] * (N // 2),
        "dates": np.datetime64("2020-01-01") + good,
        "complex": good * 1j,
        "short": good[:-1],
        "empty": good[:0],
        "column": good[:, None],
        "multilabel": np.stack([good, several == 0], axis=1).astype(int),
        "multilabel bool": np.stack([good, several == 0], axis=1) == 1,
        "sparse multilabel": sp.csr_array(np.stack([good, several == 0], axis=1) * 1),
        "labels 1 and 2": np.stack([good, several == 0], axis=1) + 1,
        "labels -1 and 1": 2 * np.stack([good, several == 0], axis=1) - 1,
        "labels 0 and 255": np.stack([good, 1 - good], axis=1).astype(np.uint8) * 255,
        "labels 0 and 0.5": np.stack([good, several == 0], axis=1) * 0.5,
        "labels of words": np.array(["no", "yes"])[np.stack([good, 1 - good], axis=1)],
        "labels nan": np.where(np.stack([good, 1 - good], axis=1) == 1, np.nan, 0.0),
        "labels all 0": np.zeros((N, 2), dtype=int),
        "no labels": np.zeros((N, 0), dtype=int),
        "one label": sp.csr_array(good[:, None]),
        "sparse labels 3": sp.csr_array(np.stack([good, several == 0], axis=1) * 3),
        "sparse labels nan": sp.csr_array(np.where(np.eye(N, 2) == 1, np.nan, 0.0)),
        "sparse labels, twice": sp.coo_array(
            (
                np.ones(2 * N, dtype=int),
                (np.repeat(np.arange(N), 2), np.repeat(good, 2)),
            )
        ),
        "sparse labels bool": sp.csc_array(np.stack([good, several == 0], axis=1) == 1),
        "multioutput": np.stack([several, several], axis=1),
        "3d": good[:, None, None],
        "number": 1,
        "string": "y",
        "dict": {"y": good},
        "generator": iter(good),
        "read-only": np.frombuffer(good.tobytes(), dtype=good.dtype),
    }


def weights(rng):
    """name -> sample_weight."""
    good = rng.uniform(0.5, 2.0, size=N)
    return {
        "None": None,
        "good": good,
        "list": good.tolist(),
        "ints": np.arange(N),
        "bools": np.arange(N) > 3,
        "12 orders": 10.0 ** rng.uniform(-6, 6, size=N),
        "subnormal": np.full(N, 1e-310),
        "large": np.full(N, 1e308),
        "zeros": np.zeros(N),
        "negative": good - 1.0,
        "nan": np.where(good > 1, np.nan, 1.0),
        "inf": np.where(good > 1, np.inf, 1.0),
        "short": good[:-1],
        "2d": good[:, None],
        "number": 2.0,
        "string": "balanced",
        "words": np.full(N, "a"),
        "objects": good.astype(object),
        "Nones": np.full(N, None),
        "complex": good * 1j,
        "dict": {0: 1.0},
        "read-only": np.frombuffer(good.tobytes()),
        "one row": np.eye(N)[0],
    }


def class_lists(rng):
    """name -> classes of partial_fit."""
    return {
        "good": [0, 1],
        "None": None,
        "unsorted": [1, 0],
        "more": np.array([2, 1, 0, -1]),
        "twice": (0, 1, 1),
        "empty": [],
        "one": [0],
        "others": [5, 6],
        "set": {0, 1},
        "dict": {0: 1},
        "range": range(2),
        "generator": (c for c in (0, 1)),
        "number": 2,
        "string": "01",
        "strings": ["0", "1"],
        "mixed": np.array(["a", 1], dtype=object),
        "nan": [0.0, 1.0, np.nan],
        "None inside": [0, 1, None],
        "nested": [[0, 1]],
        "ragged": [[0], [0, 1]],
        "column": np.array([[0], [1]]),
        "complex": [0j, 1j],
        "objects": [object(), object()],
        "dates": np.array(["2020-01-01", "NaT"], dtype="M8[D]"),
    }


def _returns(score):
    """A scorer that returns ``score``."""

    def strange(estimator, X, y):
        return score

    return strange


def _sometimes_nan(estimator, X, y):
    return np.nan if estimator.alpha > 0.05 else 0.5


def scorers(rng):
    """name -> scoring."""
    return {
        "None": None,
        "accuracy": "accuracy",
        "no such": "no such",
        "function": lambda estimator, X, y: accuracy_score(y, estimator.predict(X)),
        "made": make_scorer(accuracy_score),
        "nan without positives": make_scorer(
            precision_score, zero_division=np.nan, average="macro"
        ),
        "sometimes nan": _sometimes_nan,
        "metric": accuracy_score,
        "list": ["accuracy"],
        "class": object,
    } | {
        repr(score): _returns(score)
        for score in (np.nan, np.inf, -np.inf, None, "0.5", {"a": 0.5}, [0.5], 1j, True,
                      np.float32(0.5), np.array(0.5), np.array([0.5]), object)
    }  # fmt: skip


def splitters(rng):
    """name -> cv."""
    rows = np.arange(N)
    halves = [(rows[::2], rows[1::2]), (rows[1::2], rows[::2])]
    return {
        "None": None,
        "2": 2,
        "-1": -1,
        "100": 100,
        "folds": KFold(2),
        "stratified": StratifiedKFold(3, shuffle=True, random_state=0),
        "shuffle": ShuffleSplit(2, random_state=0),
        "groups": GroupKFold(2),
        "one group": LeaveOneGroupOut(),
        "list": [(rows[:8], rows[8:])],
        "generator": (half for half in halves),
        "generator of KFold": KFold(2).split(rows),
        "empty generator": (half for half in ()),
        "empty list": [],
        "no training rows": [(rows[:0], rows)],
        "no test rows": [(rows, rows[:0])],
        "masks": [(rows < 6, rows >= 6)],
        "out of bounds": [(rows + 1, rows)],
        "floats": [(rows[:6] * 1.0, rows[6:])],
        "no pairs": [rows],
        "numbers": [1, 2],
        "words": [("a", "b")],
        "one row": [(rows[:1], rows[1:])],
        "class": KFold,
    }


def group_lists(rng):
    """name -> groups."""
    good = np.arange(N) // 3
    return {
        "None": None,
        "good": good,
        "list": good.tolist(),
        "strings": good.astype(str),
        "one": np.zeros(N, dtype=int),
        "short": good[:-1],
        "2d": good[:, None],
        "nan": np.where(good == 0, np.nan, good),
        "number": 3,
        "string": "groups",
        "dict": {0: 1},
    }


POOLS = {"X": matrices, "y": targets, "sample_weight": weights}
METHODS = {
    "fit": POOLS,
    "partial_fit": POOLS | {"classes": class_lists},
    "fit of CV": POOLS | {"cv": splitters, "scoring": scorers, "groups": group_lists},
}


def draw(rng):
    """(method, parameters, arguments of the method, names of what was changed)."""
    method = ("fit", "fit", "partial_fit", "fit of CV")[rng.randint(4)]
    parameters, pools = dict(BASE, random_state=0), METHODS[method]
    data = {
        "X": matrices(rng)["good"],
        "y": targets(rng)["good"],
        "sample_weight": None,
    }
    names = list(GoodMinimaClassifier().get_params())
    if method == "fit of CV":
        parameters |= {"alphas": [0.1, 0.01], "cv": 2}
        names = list(GoodMinimaClassifierCV().get_params())
        names.remove("n_jobs")  # as many processes
    names = [name for name in names if name not in pools] + 4 * list(pools)
    changed = {}
    for name in map(str, rng.choice(names, size=rng.randint(4))):
        if name in pools:
            pool = pools[name](rng)
            kind = list(pool)[rng.randint(len(pool))]
            where = parameters if name in ("cv", "scoring") else data
            where[name], changed[name] = pool[kind], kind
        else:
            parameters[name] = changed[name] = SCALARS[rng.randint(len(SCALARS))]
    return method, parameters, data, changed


def one_case(seed):
    """(outcome, what was changed, list of what is wrong) of one random case."""
    method, parameters, data, changed = draw(np.random.RandomState(seed))
    in_folds, wrong = method == "fit of CV", []
    kind = GoodMinimaClassifierCV if in_folds else GoodMinimaClassifier
    model = kind(**parameters)
    goes_on = method == "partial_fit" or parameters.get("warm_start")
    earlier = object()  # of an earlier fit
    if not goes_on:
        model.coefs_ = earlier
    call = model.partial_fit if method == "partial_fit" else model.fit
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                call(**data)
            outcome = "model"
        except (ValueError, TypeError) as error:
            outcome, text = "clear error", f"{type(error).__name__}: {error}"
            known = NAMES_CV if in_folds else NAMES
            names = {n for name in changed for n in known.get(name, (name,))}
            notes = getattr(error, "__notes__", [])
            told = " ".join(
                [str(error), *(n for n in notes if n.startswith("scoring"))]
            )
            if not any(re.search(rf"\b{name}\b", told) for name in names):
                wrong.append(f"names nothing that was changed: {text}")
            if getattr(model, "coefs_", earlier) is not earlier:
                wrong.append("the earlier fit is lost")
        if outcome == "model" and (not in_folds or model.refit):
            probabilities = model.predict_proba(data["X"])
            if not ((probabilities >= 0) & (probabilities <= 1)).all():
                wrong.append("probabilities are not between 0 and 1")
            if not all(np.isfinite(part).all() for part in model.coefs_):
                wrong.append("parameters are not finite")
        if outcome == "model" and in_folds and np.isnan(model.best_score_):
            wrong.append("a score of NaN is the best")
    if any(model.get_params()[name] is not v for name, v in parameters.items()):
        wrong.append("fit changed a parameter")
    for warning in caught:
        known = isinstance(warning.message, DOCUMENTED) or any(
            text in str(warning.message) for text in DOCUMENTED_TEXTS
        )
        if not known:
            wrong.append(f"{warning.category.__name__}: {warning.message}")
        elif outcome == "model":
            outcome = "model, documented warning"
    return outcome, changed, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    outcomes, failures = collections.Counter(), 0
    for seed in range(arguments.seed, arguments.seed + arguments.cases):
        outcome, changed, wrong = one_case(seed)
        outcomes[outcome] += 1
        failures += bool(wrong)
        for text in wrong:
            print(f"case {seed}, {changed}: {text}", flush=True)
    print(f"{arguments.cases} cases:",
          ", ".join(f"{n} {name}" for name, n in outcomes.most_common()))  # fmt: skip
    print(f"{failures} failures")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())

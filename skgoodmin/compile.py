"""Compile what fits will need, ahead of them: ``python -m skgoodmin.compile``.

For images of containers and of CI, and for whoever does not want to wait at the first
fit. Small fits are run with each combination of what is named, on two classes and on
three (on real targets for a loss of the regressor), with weight decay and without, and
some of so many rows that they begin in float32; numba keeps what they compile in its
cache. See ``python -m skgoodmin.compile --help``.
"""

import argparse
import itertools
import os
import sys
import time
import warnings
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from .classifier import GoodMinimaClassifier
from .kernels.activations import ACTIVATIONS
from .kernels.rows import hash_rows
from .objective.losses import LOSSES, TARGET_LOSSES
from .regressor import GoodMinimaRegressor
from .training.lbfgs import MANY

TRAININGS = "escape", "grow", "joint"
DTYPES = "float64", "float32"


def parser():
    """The options, and their defaults: those of the classifier."""
    options = argparse.ArgumentParser(
        prog="python -m skgoodmin.compile",
        description="Compile ahead of the first fit, into numba's cache "
        "(NUMBA_CACHE_DIR, if it is set). All combinations of what is named are run.",
    )
    add = options.add_argument
    for name, known, default in (
        ("loss", LOSSES | TARGET_LOSSES, ["poly_hinge"]),
        ("activation", ACTIVATIONS, ["relu"]),
        ("training", TRAININGS, ["escape"]),
        ("dtype", DTYPES, ["float64"]),
    ):
        help = f"of {', '.join(known)} (default: {default[0]})"
        choices = list(known)
        add(
            f"--{name}",
            nargs="+",
            metavar="NAME",
            choices=choices,
            default=default,
            help=help,
        )
    add("--sparse", action="store_true", help="sparse rows besides dense ones")
    add("--certify", action="store_true", help="the method certify, too")
    return options


# Outputs, features and rows of tables. On two features bounds are of another kind; on
# five the parameters are many, and their steps a kernel. Two outputs are the softmax.
SMALL = (1, 2, 48), (1, 5, 48), (2, 5, 48)
LARGE = (1, 64, 4200), (2, 64, 4200)  # summed in several leaves, in float32 at first


def table(n_outputs, n_features, n_rows, real, dtype, sparse):
    """(X, y): normal points, dtype and format as asked.

    y is real targets, (n_rows,) or (n_rows, n_outputs), or labels of ``n_outputs + 1``
    classes that no line separates.
    """
    rng = np.random.RandomState(0)
    X = rng.normal(size=(n_rows, n_features))
    y = (np.arange(n_rows) + (X[:, 0] * X[:, 1] > 0)) % (n_outputs + 1)
    if real:
        y = np.abs(X[:, :n_outputs]) if n_outputs > 1 else np.abs(X[:, 0])
    X = X.astype(dtype)
    return (csr_array(X) if sparse else X), y


def fits(arguments):
    """(name, estimator, X, y) of each fit."""
    kinds = itertools.product(
        arguments.loss,
        arguments.activation,
        arguments.training,
        arguments.dtype,
        [False, True] if arguments.sparse else [False],
    )
    for loss, activation, training, dtype, sparse in kinds:
        if training == "grow" and activation != "relu":
            continue
        rows = f"{'sparse' if sparse else 'dense'} {dtype}"
        name = f"{loss}, {activation}, {training}, {rows}"
        alphas: tuple[Any, ...] = ("auto",) if training == "grow" else ("auto", 0.0)
        real = loss in TARGET_LOSSES
        kind = GoodMinimaRegressor if real else GoodMinimaClassifier
        tables = list(itertools.product(alphas, SMALL))
        if training == "escape" and dtype == "float64":
            tables += itertools.product(("auto",), LARGE)
        for alpha, shape in tables:
            model = kind(
                (MANY // 5,),
                activation,
                loss=loss,
                training=training,
                alpha=alpha,
                random_state=0,
                max_iter=30,
            )
            yield name, model, *table(*shape, real, dtype, sparse)


def main(words=None):
    """Run the fits, and print how long each kind took and where the code is.

    Parameters
    ----------
    words : list of str, optional
        In place of those of the command line.
    """
    options = parser()
    arguments = options.parse_args(words)
    if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        options.error("NUMBA_DISABLE_JIT is set: there is nothing to compile.")
    kinds = itertools.groupby(fits(arguments), key=lambda fit: fit[0])
    if arguments.training == ["grow"] and "relu" not in arguments.activation:
        options.error("--training grow needs --activation relu.")
    warnings.simplefilter("ignore", UserWarning)  # of fits as short as these
    begin = time.perf_counter()
    for name, group in kinds:
        began = time.perf_counter()
        for _, model, X, y in group:
            model.fit(X, y)
            if arguments.certify:
                model.certify(X, y, effort=0.01)
        print(f"{name}: {time.perf_counter() - began:.1f} s", flush=True)
    place = hash_rows.dispatcher.stats.cache_path
    if place is None:
        sys.exit(
            "No directory for compiled code can be written to: see NUMBA_CACHE_DIR."
        )
    print(f"All in {time.perf_counter() - begin:.1f} s. The code is kept in {place}.")


if __name__ == "__main__":
    main()

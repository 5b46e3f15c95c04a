"""Time and peak memory of a fit as the rows and the hidden units grow.

    python benchmarks/scaling.py

Every fit runs in a process of its own, which compiles (or loads) the kernels on a small
problem first. ``memory`` is the growth of the peak resident set during the fit, the
input already being there. ``ns`` is the time per row, hidden unit and iteration.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
import warnings

import numpy as np
from scipy.sparse import random as random_sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from skgoodmin import GoodMinimaClassifier

ITERATIONS = 30


def classifier(name, n_units):
    """Ours or the peer, on log-loss, equally many iterations."""
    if name == "MLP":
        return MLPClassifier((n_units,), solver="lbfgs", max_iter=ITERATIONS, tol=1e-14)
    return GoodMinimaClassifier(
        (n_units,),
        loss="log_loss",
        max_escapes=0,
        max_iter=ITERATIONS,
        tol=1e-14,
        random_state=0,
    )


def data(n, sparse):
    """28 dense features, or text-like rows: 50000 sparse ones, 0.1 % of them used."""
    rng = np.random.RandomState(0)
    if sparse:
        X = random_sparse(n, 50000, 0.001, format="csr", random_state=0)
        return X, (np.asarray(X[:, :25000].sum(axis=1)).ravel() > 12.5).astype(int)
    X = rng.normal(size=(n, 28))
    return X, (X[:, 0] * X[:, 1] + rng.normal(size=n) > 0).astype(int)


def peak():
    """Peak resident set of this process, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(name, n, n_units, sparse):
    """Fit once in this process; returns seconds and MiB."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    X, y = data(n, sparse)
    small = slice(0, 200)
    classifier(name, 2).fit(X[small], np.arange(200) % 2)
    before, begin = peak(), time.perf_counter()
    model = classifier(name, n_units).fit(X, y)
    seconds = time.perf_counter() - begin
    curve = getattr(model, "loss_curve_", range(model.n_iter_ + 1))
    return {"seconds": seconds, "MiB": peak() - before, "n_iter": len(curve) - 1}


def row(label, n, n_units, sparse=False, peers=("ours", "MLP")):
    """Print one problem."""
    cells = []
    for name in peers:
        words = [sys.executable, __file__, "--one", name, str(n), str(n_units)]
        words += ["--sparse"] if sparse else []
        found = json.loads(
            subprocess.run(words, check=True, capture_output=True).stdout
        )
        ns = 1e9 * found["seconds"] / (n * n_units * found["n_iter"])
        cells.append(f"{found['seconds']:9.2f} s {ns:7.2f} ns {found['MiB']:8.0f} MiB")
    print(f"{label:34}" + "   ".join(cells), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--sparse", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        name, n, n_units = arguments.one
        print(json.dumps(measure(name, int(n), int(n_units), arguments.sparse)))
        return
    print(f"{'':34}{'skgoodmin':>34}   {'MLPClassifier(lbfgs)':>34}")
    for n in (1_000, 10_000, 100_000, 1_000_000):
        row(f"{n} x 28, 64 units", n, 64)
    for n_units in (8, 32, 128, 512):
        row(f"20000 x 28, {n_units} units", 20_000, n_units)
    row("CSR 20000 x 50000, 0.1 %, 32 units", 20_000, 32, sparse=True)


if __name__ == "__main__":
    main()

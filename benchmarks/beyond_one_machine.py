"""Rows in memory, on disk and on a cluster of dask: CPU time and memory of one fit.

    python benchmarks/beyond_one_machine.py                      # 1e5, 1e6 and 4e6 rows
    python benchmarks/beyond_one_machine.py --rows 100000

28 columns, 64 hidden units, log-loss, 25 iterations of L-BFGS; the input is a file of
float64, which "memory" loads, "disk" maps (``cache_dir``) and "dask" reads block
by block on two workers of one thread. Each runs in a process of its own, with one BLAS
thread. The peers of :mod:`distributed_peers` follow, where they are installed (``pip
install xgboost dask-ml pyspark pyarrow``, and Java for Spark).

``fit`` is the CPU time of one whole fit, reading included, in all processes that take
part, and ``own MiB`` the peak of the memory that is theirs alone (``RssAnon``), less
what they had before the data came: pages of mapped files, which the system can drop,
are not in it. ``accuracy`` is that on 100 000 other rows. Of ours there is besides the
CPU time of one evaluation of the objective, from fits of 5 and of 25 iterations, and
that of all else in a fit; and ``same`` tells whether the parameters are those in
memory, bit for bit. Fits of few rows count by the median of several.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from distributed_peers import PEERS, dask_rows, two_workers
from process_family import Peak, cpu_seconds
from sklearn.exceptions import ConvergenceWarning

from skgoodmin import GoodMinimaClassifier

N_TEST = 100_000
PARAMETERS = {
    "hidden_layer_sizes": (64,),
    "loss": "log_loss",
    "alpha": 1e-3,
    "max_escapes": 0,
    "tol": 1e-14,
    "random_state": 0,
}


def write(folder, name, shape, seed):
    """X and y as files."""
    rng, n = np.random.RandomState(seed), shape[0]
    X = np.lib.format.open_memmap(folder / f"X{name}.npy", "w+", np.float64, shape)
    y = np.empty(n, np.int8)
    for start in range(0, n, 100_000):
        some = slice(start, min(start + 100_000, n))
        X[some] = rng.normal(size=X[some].shape)
        noise = rng.normal(size=len(X[some]))
        y[some] = X[some, 0] * X[some, 1] + X[some, 2] + noise > 0
    np.save(folder / f"y{name}.npy", y)


def warm_up(model_class=GoodMinimaClassifier, **options):
    """Compile, or load what was compiled."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(20_000, 28)), np.arange(20_000) % 2
    model_class(**PARAMETERS, max_iter=2, **options).fit(X, y)


@contextmanager
def in_memory(folder):
    warm_up()
    peak = Peak()
    X, y = np.load(folder / "X.npy"), np.load(folder / "y.npy")
    yield peak, GoodMinimaClassifier(**PARAMETERS), X, y


@contextmanager
def on_disk(folder):
    warm_up(cache_dir=folder)
    peak = Peak()
    X, y = np.load(folder / "X.npy", mmap_mode="r"), np.load(folder / "y.npy")
    yield peak, GoodMinimaClassifier(**PARAMETERS, cache_dir=folder), X, y


@contextmanager
def on_dask(folder):
    from skgoodmin.dask import DaskGoodMinimaClassifier

    with two_workers() as client:
        client.run(warm_up)
        peak = Peak()
        model = DaskGoodMinimaClassifier(client=client, **PARAMETERS)
        yield peak, model, *dask_rows(folder)


OURS = {"memory": in_memory, "disk": on_disk, "dask": on_dask}


def ours(place, folder, iterations):
    """What fits of one model took."""
    found, n_fun = {}, {}
    with OURS[place](folder) as (peak, model, X, y):
        model.set_params(max_iter=iterations[0]).fit(X, y)  # which is not counted
        for n_iter in iterations * max(300_000 // len(y), 1):
            begin = cpu_seconds()
            model.set_params(max_iter=n_iter).fit(X, y)
            found.setdefault(n_iter, []).append(cpu_seconds() - begin)
            n_fun[n_iter] = model.n_fun_
        memory = peak.growth
    few, many = (n_fun[n_iter] for n_iter in iterations)
    short, long = (np.median(found[n_iter]) for n_iter in iterations)
    each = (long - short) / (many - few)
    bits = hashlib.blake2b(digest_size=8)
    for array in (*model.coefs_, *model.intercepts_, model.loss_curve_):
        bits.update(np.ascontiguousarray(array).tobytes())
    test = np.load(folder / "X_test.npy"), np.load(folder / "y_test.npy")
    return {
        "fit": long,
        "MiB": memory,
        "accuracy": model.score(*test),
        "CPU ms": 1e3 * each,
        "rest": short - few * each,
        "bits": bits.hexdigest(),
    }


def measured(who, folder, iterations):
    """What the process for one contestant prints, as JSON."""
    if who in OURS:
        return ours(who, folder, iterations)
    fit, memory, accuracy = PEERS[who](folder, iterations[-1])
    return {"fit": fit, "MiB": memory, "accuracy": accuracy}


def line(n, who, found, first):
    """A row of the table."""
    begin = f"{n:9} {who:22}"
    if "why" in found:
        return f"{begin}left out: {found['why']}"
    begin += f"{found['fit']:8.1f}s{found['MiB']:9.0f}{found['accuracy']:10.4f}"
    if who not in OURS:
        return begin
    same = "yes" if found["bits"] == first["bits"] else "NO"
    return begin + f"{found['CPU ms']:11.1f}{found['rest']:8.1f}s  {same}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--rows", type=int, nargs="*", default=[10**5, 10**6, 4 * 10**6]
    )
    parser.add_argument("--columns", type=int, default=28)
    parser.add_argument("--iterations", type=int, nargs=2, default=[5, 25])
    parser.add_argument("--who", nargs="*", default=[*OURS, *PEERS])
    parser.add_argument("--folder", help="where the files are written")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    if arguments.one:
        try:
            folder = Path(arguments.folder)
            found = measured(arguments.one, folder, arguments.iterations)
        except ImportError as error:
            found = {"why": str(error)}
        print(json.dumps(found))
        return
    print(
        f"{'rows':>9} {'':22}{'fit':>9}{'own MiB':>9}{'accuracy':>10}"
        f"{'evaluation':>11}{'rest':>9}  same\n"
        f"{'':32}{'CPU':>9}{'':19}{'CPU ms':>11}{'CPU':>9}"
    )
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    for n in arguments.rows:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            write(Path(folder), "", (n, arguments.columns), 0)
            write(Path(folder), "_test", (N_TEST, arguments.columns), 1)
            first = None
            for who in arguments.who:
                words = [sys.executable, __file__, "--one", who, "--folder", folder]
                words += ["--iterations", *map(str, arguments.iterations)]
                out = subprocess.run(
                    words, check=True, stdout=subprocess.PIPE, env=environment
                ).stdout
                found = json.loads(out.splitlines()[-1])
                first = first or found
                print(line(n, who, found, first), flush=True)


if __name__ == "__main__":
    main()

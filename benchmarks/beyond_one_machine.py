"""Rows in memory, on disk and on a cluster of dask: time and memory of one fit.

    python benchmarks/beyond_one_machine.py                      # 1e5, 1e6 and 4e6 rows
    python benchmarks/beyond_one_machine.py --rows 100000

28 columns, 64 hidden units, log-loss; the input is a file of float64 on disk, which
"memory" loads, "disk" maps (``cache_dir``) and "dask" reads block by block on two
workers of one thread. Each runs in a process of its own, with one BLAS thread.

``ms`` and ``CPU ms`` are of one evaluation of the objective: the difference of two fits
of 5 and of 25 iterations. ``prepare`` is the CPU time of all else in a fit.
``own MiB`` is the peak of the memory of the process that is its own (``RssAnon``), less
what it had before the data came; of the two workers of dask the larger one. Pages of
mapped files, which the system can drop, are not in it. ``same`` tells whether the
parameters are those in memory, bit for bit.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skgoodmin import GoodMinimaClassifier

N_FEATURES, ITERATIONS = 28, (5, 25)
PARAMETERS = {
    "hidden_layer_sizes": (64,),
    "loss": "log_loss",
    "alpha": 1e-3,
    "max_escapes": 0,
    "tol": 1e-14,
    "random_state": 0,
}


def write(folder, n):
    """X and y as files."""
    rng = np.random.RandomState(0)
    X = np.lib.format.open_memmap(
        folder / "X.npy", "w+", np.float64, (n, N_FEATURES)
    )  # fmt: skip
    y = np.empty(n, np.int8)
    for start in range(0, n, 100_000):
        some = slice(start, min(start + 100_000, n))
        X[some] = rng.normal(size=X[some].shape)
        noise = rng.normal(size=len(X[some]))
        y[some] = X[some, 0] * X[some, 1] + noise > 0
    np.save(folder / "y.npy", y)


def own_memory():
    """MiB of this process that are no pages of files."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    raise OSError("this system does not tell RssAnon")


class Peak:
    """Largest own memory since it was made, looked at all the time."""

    def __init__(self):
        self.before = self.most = own_memory()
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()

    def _look(self):
        while True:
            self.most = max(self.most, own_memory())
            time.sleep(0.01)

    @property
    def growth(self):
        return self.most - self.before


def warm_up(model_class=GoodMinimaClassifier, **options):
    """Compile, or load what was compiled."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(200, N_FEATURES)), np.arange(200) % 2
    model_class(**PARAMETERS, max_iter=2, **options).fit(X, y)


def fits(model, X, y, cpu):
    """What two fits of one model took, after one that is not counted."""
    found = {}
    for n_iter in (ITERATIONS[0], *ITERATIONS):
        begin = time.perf_counter(), cpu()
        model.set_params(max_iter=n_iter).fit(X, y)
        seconds = time.perf_counter() - begin[0], cpu() - begin[1]
        found[n_iter] = (model.n_fun_, *seconds)
    (few, *short), (many, *long) = found.values()
    each = [(b - a) / (many - few) for a, b in zip(short, long, strict=True)]
    bits = hashlib.blake2b(digest_size=8)
    for array in (*model.coefs_, *model.intercepts_, model.loss_curve_):
        bits.update(np.ascontiguousarray(array).tobytes())
    return {
        "ms": 1e3 * each[0],
        "CPU ms": 1e3 * each[1],
        "prepare": short[1] - few * each[1],
        "bits": bits.hexdigest(),
    }


def in_memory(folder):
    warm_up()
    peak = Peak()
    X, y = np.load(folder / "X.npy"), np.load(folder / "y.npy")
    found = fits(GoodMinimaClassifier(**PARAMETERS), X, y, time.process_time)
    return found | {"MiB": peak.growth}


def on_disk(folder):
    warm_up(cache_dir=folder)
    peak = Peak()
    X, y = np.load(folder / "X.npy", mmap_mode="r"), np.load(folder / "y.npy")
    model = GoodMinimaClassifier(**PARAMETERS, cache_dir=folder)
    found = fits(model, X, y, time.process_time)
    return found | {"MiB": peak.growth}


def _begin_peak(dask_worker):
    warm_up()
    dask_worker.peak = Peak()


def _block(path, start, stop):
    return np.load(path, mmap_mode="r")[start:stop].copy()


def on_dask(folder):
    import dask
    import dask.array as da
    from distributed import Client, LocalCluster

    from skgoodmin.dask import DaskGoodMinimaClassifier

    y = np.load(folder / "y.npy", mmap_mode="r")
    n, size = len(y), max(len(y) // 12, 1)
    rows, labels = [], []
    for a in range(0, n, size):
        b = min(a + size, n)
        for blocks, name, shape in (
            (rows, "X.npy", (b - a, N_FEATURES)),
            (labels, "y.npy", (b - a,)),
        ):
            block = dask.delayed(_block)(str(folder / name), a, b)
            dtype = np.float64 if name == "X.npy" else np.int8
            blocks.append(da.from_delayed(block, shape, dtype=dtype))
    X, y = da.concatenate(rows), da.concatenate(labels)
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        client.run(_begin_peak)

        def cpu():
            return time.process_time() + sum(client.run(time.process_time).values())

        found = fits(DaskGoodMinimaClassifier(client=client, **PARAMETERS), X, y, cpu)
        growths = client.run(lambda dask_worker: dask_worker.peak.growth)
        return found | {"MiB": max(growths.values())}


PLACES = {"memory": in_memory, "disk": on_disk, "dask": on_dask}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--rows", type=int, nargs="*", default=[10**5, 10**6, 4 * 10**6]
    )
    parser.add_argument("--folder", help="where the files are written")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    if arguments.one:
        print(json.dumps(PLACES[arguments.one](Path(arguments.folder))))
        return
    print(
        f"{'rows':>9} {'place':8}{'ms':>9}{'CPU ms':>9}{'ratio':>7}"
        f"{'prepare':>9}{'own MiB':>9}  same"
    )
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    for n in arguments.rows:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            write(Path(folder), n)
            first = None
            for place in PLACES:
                words = [sys.executable, __file__, "--one", place, "--folder", folder]
                out = subprocess.run(
                    words, check=True, stdout=subprocess.PIPE, env=environment
                ).stdout
                found = json.loads(out.splitlines()[-1])
                first = first or found
                print(
                    f"{n:9} {place:8}{found['ms']:9.1f}{found['CPU ms']:9.1f}"
                    f"{found['CPU ms'] / first['CPU ms']:7.2f}"
                    f"{found['prepare']:8.1f}s{found['MiB']:9.0f}  "
                    f"{'yes' if found['bits'] == first['bits'] else 'NO'}",
                    flush=True,
                )


if __name__ == "__main__":
    main()

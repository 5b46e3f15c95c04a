"""Time of an evaluation against workers, rows and parameters: a model, and runs.

    python benchmarks/simulate_workers.py

    T(W, n, p) = a + b W + c W p + d p / W + e n / W

for W workers of one thread, n rows and p parameters: a and b are what a request and
each task cost, c sends a parameter there and its derivative back, d adds up the leaves
of a worker, and e is the network's work on a row. Two clocks are modelled. ``path`` is
the longest way through an evaluation: CPU time of the client with its scheduler, and of
the busiest worker. ``all`` is the CPU time of all processes, with p in place of p / W
and n in place of n / W.

a to d are fitted to requests on 1 and 2 workers that return zeros, for three numbers of
parameters; e is measured in memory, without dask. Nothing is fitted to the runs that
the model is held against: evaluations with 1, 2, 3 and 4 workers, all on this machine.
What a worker's CPU does is the same whether it has a core of its own or waits for one,
so the path can be measured with more workers than cores. What no CPU does is in neither
clock: latency of a network, and the few ms for which dask collects messages.

The last table is the model for workers on hosts of their own: from how many rows a
worker on a to d are less than a tenth of the path.
"""

import argparse
import copy
import os
import time
import warnings
from functools import partial

import dask.array as da
import numpy as np
from distributed import Client, LocalCluster
from process_family import cpu_of_each
from scipy.optimize import nnls

from skgoodmin import GoodMinimaClassifier
from skgoodmin.dask import DaskGoodMinimaClassifier
from skgoodmin.training.threads import one_blas_thread

N_FEATURES = 28
# Hidden layers, rows in memory, rows of the runs.
CASES = [
    ((64,), 200_000, (250_000, 1_000_000)),
    ((256, 256), 10_000, (20_000, 80_000)),
]
PARAMETERS = (2_000, 70_000, 400_000)  # of requests that return zeros
TENTH = (2, 4, 8, 16, 64)  # workers of the last table


def rows(n, n_blocks=8):
    """X and y, made where they are needed."""
    rng = da.random.default_rng(0)
    X = rng.normal(size=(n, N_FEATURES), chunks=(-(-n // n_blocks), N_FEATURES))
    return X, (X[:, 0] * X[:, 1] > 0).astype(np.int8)


def posed(model, X, y):
    """The objective of a model on its rows, and where to look at it."""
    shell = copy.copy(model)
    objective = model._pose(shell, X, y, None, None, reset=True).objective
    return objective, objective.layout.start(np.random.RandomState(0))


def spent(function):
    """(seconds, {process: CPU seconds}) of a call."""
    begin, before = time.perf_counter(), cpu_of_each()
    function()
    after = cpu_of_each()
    cpu = {process: after[process] - before.get(process, 0.0) for process in after}
    return time.perf_counter() - begin, cpu


def timed(function, least=1.5):
    """{clock: CPU seconds of a call}, without those that processes use at rest."""
    function()
    once = sum(spent(function)[1].values())
    count = max(5, int(least / max(once, 0.01)))
    rest, at_rest = spent(lambda: time.sleep(2.0))
    seconds, cpu = spent(lambda: [function() for _ in range(count)])
    each = {
        process: (some - at_rest.get(process, 0.0) / rest * seconds) / count
        for process, some in cpu.items()
    }
    own = each.pop(os.getpid())
    path = own + max(each.values(), default=0.0)
    return {"all": own + sum(each.values()), "path": path}


def zeros(leaf, number, n, theta):
    """What a leaf without any rows has to say."""
    return [0.0, np.zeros(n)]


def parts(n_workers, n_parameters, clock):
    """What a to d are multiplied by."""
    W, p = n_workers, n_parameters
    return [1.0, W, W * p, p / W if clock == "path" else p]


def work(n_workers, n, clock):
    """What e is multiplied by."""
    return n / n_workers if clock == "path" else n


class Cluster:
    """Client of some workers of one thread."""

    def __init__(self, n_workers):
        self.n_workers = n_workers

    def __enter__(self):
        options = {"threads_per_worker": 1, "dashboard_address": None}
        self.cluster = LocalCluster(n_workers=self.n_workers, **options)
        self.client = Client(self.cluster)
        return self

    def __exit__(self, *error):
        self.client.close()
        self.cluster.close()

    def objective(self, hidden, n):
        """An evaluation of the objective, as a function of nothing, and p."""
        model = DaskGoodMinimaClassifier(hidden, alpha=1e-3, client=self.client)
        objective, theta = posed(model, *rows(n))
        return objective, partial(objective.value_and_gradient, theta)


def measure_overheads():
    """{clock: (a, b, c, d)}."""
    left, right = {"all": [], "path": []}, {"all": [], "path": []}
    for n_workers in (1, 2):
        with Cluster(n_workers) as cluster:
            objective, _ = cluster.objective(*[CASES[0][0], CASES[0][2][0]])
            for p in PARAMETERS:
                request = partial(objective.data.held.fold, zeros, p, np.ones(p))
                for clock, found in timed(request).items():
                    left[clock].append(parts(n_workers, p, clock))
                    right[clock].append(found)
    # Relative errors count: a small request is as good a measurement as a large one.
    found = {}
    for clock in left:
        scale = np.array(right[clock])
        found[clock] = nnls(
            np.array(left[clock]) / scale[:, None], np.ones(len(scale))
        )[0]
    return found


def measure_work(hidden, n):
    """Seconds a row in memory, on one thread."""
    X, y = (np.asarray(array) for array in rows(n))
    objective, theta = posed(GoodMinimaClassifier(hidden, alpha=1e-3), X, y)
    with one_blas_thread():
        return timed(partial(objective.value_and_gradient, theta))["all"] / n


def main():
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    warnings.simplefilter("ignore")
    overheads = measure_overheads()
    print(f"{'':6}{'a ms':>9}{'b ms':>9}{'c us':>9}{'d us':>9}")
    for clock, (a, b, c, d) in overheads.items():
        print(f"{clock:6}{1e3 * a:9.2f}{1e3 * b:9.2f}{1e6 * c:9.4f}{1e6 * d:9.4f}")
    rates = {hidden: measure_work(hidden, n) for hidden, n, _ in CASES}
    for hidden, rate in rates.items():
        print(f"e {1e6 * rate:.3f} us, hidden layers {hidden}")
    print(
        f"\n{'hidden':12}{'rows':>9}{'workers':>9}"
        f"{'all ms':>9}{'model':>9}{'error':>8}{'path ms':>9}{'model':>9}{'error':>8}"
    )
    errors = {clock: [] for clock in overheads}
    for n_workers in (1, 2, 3, 4):
        with Cluster(n_workers) as cluster:
            for hidden, _, sizes in CASES:
                for n in sizes:
                    objective, evaluate = cluster.objective(hidden, n)
                    p, line = objective.n_parameters, f"{hidden!s:12}{n:9}{n_workers:9}"
                    for clock, found in timed(evaluate).items():
                        told = np.dot(parts(n_workers, p, clock), overheads[clock])
                        told += rates[hidden] * work(n_workers, n, clock)
                        error = told / found - 1
                        errors[clock].append(abs(error))
                        line += f"{1e3 * found:9.0f}{1e3 * told:9.0f}{error:8.0%}"
                    print(line, flush=True)
    for clock, some in errors.items():
        print(f"{clock}: median error {np.median(some):.0%}, largest {max(some):.0%}")
    print("\nrows a worker from which on the overhead is below 10 % of the path")
    print(f"{'workers':12}" + "".join(f"{n_workers:>10}" for n_workers in TENTH))
    for hidden, rate in rates.items():
        sizes = (N_FEATURES, *hidden, 1)
        p = sum((i + 1) * o for i, o in zip(sizes[:-1], sizes[1:], strict=True))
        least = [
            np.dot(parts(W, p, "path"), overheads["path"]) / rate * 9 for W in TENTH
        ]
        print(f"{hidden!s:12}" + "".join(f"{n:10.0f}" for n in least))


if __name__ == "__main__":
    main()

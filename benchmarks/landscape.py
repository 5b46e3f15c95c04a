"""Bad minima: what it takes to get out of them.

    python benchmarks/landscape.py                    # the tables, half an hour
    python benchmarks/landscape.py --problems xor,moons --seeds 5 --table 1

**Table 1** is ERT as in COCO: all evaluations that all seeds spent, divided by the
number of seeds that reached zero loss (polynomial hinge, alpha = 0, objective below
1e-6; 5000 evaluations a seed), and the same in seconds. **Table 2** is the median final
objective of regularised fits after 2000 evaluations. **Table 3** is ERT where there are
two hidden layers: scouts before the last one, or before both. The columns:

MLP      ``MLPClassifier(solver="lbfgs", alpha=0)`` restarted, on its log-loss; success
         is a training error of 0, evaluations are iterations
plain    L-BFGS to convergence, restarted
stall    ``special_neuron=None``: starts with the stall rule, stalled runs resumed by
         their merit; the control for the neuron
random   the same with a graft of a random unit at each stall; the control for the scout
escape   the same with a graft of the scouted unit: what the package does
layers   the same with scouts before every layer (``neuron_placement="per_layer"``)
anywhere the same with a graft of a random unit in a random layer: the control for that

The finish (scaling the output layer once every row is on its right side) belongs to the
last three alike. Scouts and grafts are counted in evaluations by their flops.
"""

import argparse
import itertools
import sys
import time
import warnings

import numpy as np
from datasets import landscape, regularised
from joblib import Parallel, delayed
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from skgoodmin.kernels.activations import ACTIVATIONS
from skgoodmin.objective.canonical_rows import canonical_rows
from skgoodmin.objective.layout import ParameterLayout
from skgoodmin.objective.losses import Logistic, PolynomialHinge
from skgoodmin.objective.objective import Objective
from skgoodmin.training.lbfgs import Run
from skgoodmin.training.start import Budget
from skgoodmin.training.train import train

TARGET, TOL = 1e-6, 1e-8
COLUMNS = ("MLP", "plain", "stall", "random", "escape")
ENDLESS = 10**9


def objective_of(X, y, hidden, activation, loss, alpha=0.0):
    data = canonical_rows(X, y.astype(np.int32)[:, None])
    layout = ParameterLayout((X.shape[1], *hidden, 1))
    return Objective(data, layout, ACTIVATIONS[activation], loss, alpha)


def endless_starts(objective, rng):
    while True:
        yield objective.layout.start(rng)


def ours(column, objective, seed, max_fun):
    """(evaluations, final objective) of one of the last three columns."""
    rng = np.random.RandomState(seed)
    n_directions = 1 if column in ("random", "anywhere") else 16
    every_layer = column in ("layers", "anywhere")
    budget = Budget(ENDLESS, max_fun, TOL, ENDLESS, n_directions, every_layer)
    starts = endless_starts(objective, rng)
    neuron = column != "stall"
    done = train(objective, starts, rng, budget, special_neuron=neuron)
    return done.n_fun, done.best.value


def plain(objective, seed, max_fun, target=-np.inf):
    """(evaluations, final objective, those of the runs) of plain restarts."""
    rng = np.random.RandomState(seed)
    spent, values = 0, []
    while spent < max_fun:
        run = Run(objective, objective.layout.start(rng), TOL)
        run.advance(ENDLESS, max_fun - spent, lambda run: run.value < target)
        spent += run.n_fun
        values.append(run.value)
        if run.value < target:
            break
    return spent, min(values), values


def mlp(X, y, hidden, activation, alpha, seed, max_fun, stop_at_zero_error):
    """(iterations, whether all rows are right, best objective) of restarts."""
    rng = np.random.RandomState(seed)
    spent, best = 0, np.inf
    while spent < max_fun:
        model = MLPClassifier(
            hidden,
            activation,
            solver="lbfgs",
            alpha=alpha * len(X),
            random_state=rng.randint(2**31 - 1),
            max_iter=max_fun - spent,
        ).fit(X, y)
        spent += model.n_iter_ + 1
        best = min(best, model.loss_)
        if stop_at_zero_error and model.score(X, y) == 1.0:
            return spent, True, best
    return spent, False, best


def reach(column, X, y, hidden, activation, seed, max_fun):
    """(evaluations, success, seconds) of one seed."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    objective = objective_of(X, y, hidden, activation, PolynomialHinge(3.0))
    with threadpool_limits(1):
        objective.value_and_gradient(objective.layout.start(np.random.RandomState(0)))
        begin = time.perf_counter()
        if column == "MLP":
            spent, success, _ = mlp(X, y, hidden, activation, 0, seed, max_fun, True)
        elif column == "plain":
            spent, value, _ = plain(objective, seed, max_fun, TARGET)
            success = value < TARGET
        else:
            spent, value = ours(column, objective, seed, max_fun)
            success = value < TARGET
    return spent, success, time.perf_counter() - begin


def final(column, X, y, hidden, loss, alpha, seed, max_fun):
    """(final objective, objective of a single run) of one seed."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    objective = objective_of(X, y, hidden, "relu", loss, alpha)
    with threadpool_limits(1):
        if column == "MLP":
            if not isinstance(loss, Logistic):
                return np.nan, []
            _, _, best = mlp(X, y, hidden, "relu", alpha, seed, max_fun, False)
            return best, []
        if column == "plain":
            _, value, values = plain(objective, seed, max_fun)
            return value, values[:1]
        return ours(column, objective, seed, max_fun)[1], []


def progress(tasks, jobs, total):
    """Results of the tasks in order, with a bar on the error stream."""
    results = Parallel(n_jobs=jobs, return_as="generator")(tasks)
    for i, result in enumerate(results, 1):
        filled = 40 * i // total
        bar = "#" * filled + "." * (40 - filled)
        print(f"\r[{bar}] {i}/{total}", end="", file=sys.stderr, flush=True)
        yield result
    print("\r" + " " * 60 + "\r", end="", file=sys.stderr, flush=True)


def table_1(names, seeds, jobs, max_fun):
    problems = {k: v for k, v in landscape().items() if not names or k in names}
    rows = list(itertools.product(problems, ("relu", "tanh")))
    tasks = [
        delayed(reach)(column, *problems[name], activation, seed, max_fun)
        for name, activation in rows
        for column in COLUMNS
        for seed in range(seeds)
    ]
    results = iter(list(progress(tasks, jobs, len(tasks))))
    print(f"\nERT in evaluations | successes of {seeds} | ERT in milliseconds")
    width = 9 * len(COLUMNS)
    print(" " * 26 + "".join(f"{c:>9}" for c in COLUMNS) + "  |" + " " * (width - 18)
          + "|" + "".join(f"{c:>9}" for c in COLUMNS))  # fmt: skip
    ert = {"evaluations": [], "seconds": []}
    for name, activation in rows:
        spent, wins, seconds = [], [], []
        for _ in COLUMNS:
            runs = [next(results) for _ in range(seeds)]
            n_wins = max(sum(run[1] for run in runs), 1)  # none: at least this much
            spent.append(sum(run[0] for run in runs) / n_wins)
            seconds.append(sum(run[2] for run in runs) / n_wins)
            wins.append(sum(run[1] for run in runs))
        ert["evaluations"].append(spent)
        ert["seconds"].append(seconds)
        print(
            f"{name:20}{activation:6}"
            + "".join(f"{value:9.0f}" for value in spent)
            + "  |"
            + " ".join(f"{win:4d}" for win in wins)
            + "  |"
            + "".join(f"{1e3 * value:9.1f}" for value in seconds),
            flush=True,
        )
    activations = np.array([activation for _, activation in rows])
    for unit, values in ert.items():
        ratio = np.array(values)
        ratio = ratio / ratio[:, -1:]
        for some in ("relu", "tanh", "both"):
            part = ratio[(activations == some) | (some == "both")]
            mean = np.exp(np.log(part).mean(axis=0))
            print(f"geometric mean of column / escape, {unit}, {some:5}"
                  + "".join(f"{value:8.2f}" for value in mean))  # fmt: skip
        print(f"smallest ratio, {unit}" + " " * 26
              + "".join(f"{value:8.2f}" for value in ratio.min(axis=0)))  # fmt: skip


def table_2(names, seeds, jobs, max_fun):
    sets = {k: v for k, v in regularised().items() if not names or k in names}
    losses = {"hinge": PolynomialHinge(3.0), "log": Logistic()}
    rows = list(itertools.product(sets, losses, ((8,), (16,)), (0.001, 0.01)))
    tasks = [
        delayed(final)(column, *sets[name], hidden, losses[loss], alpha, seed, max_fun)
        for name, loss, hidden, alpha in rows
        for column in COLUMNS
        for seed in range(seeds)
    ]
    results = iter(list(progress(tasks, jobs, len(tasks))))
    print(
        f"\nMedian objective after {max_fun} evaluations, {seeds} seeds, relu; excess:"
    )
    print("excess: escape - best other column, in % of the spread of single plain runs")
    print(" " * 34 + "".join(f"{c:>10}" for c in COLUMNS) + f"{'excess':>10}")
    wins, excesses = 0, []
    for name, loss, hidden, alpha in rows:
        medians, single = [], []
        for _ in COLUMNS:
            runs = [next(results) for _ in range(seeds)]
            medians.append(np.median([run[0] for run in runs]))
            single += [value for run in runs for value in run[1]]
        spread = np.ptp(single) if single else np.nan
        excess = 100 * (medians[-1] - np.nanmin(medians[:-1])) / spread
        excesses.append(excess)
        wins += excess < 0
        print(
            f"{name:12}{loss:6}{hidden!s:8}{alpha:<8g}"
            + "".join(f"{value:10.5f}" for value in medians)
            + f"{excess:10.2f}",
            flush=True,
        )
    print(f"better than all others on {wins} of {len(rows)} rows, "
          f"largest excess {np.nanmax(excesses):.2f} %")  # fmt: skip


def table_3(names, seeds, jobs, max_fun):
    columns = ("anywhere", "layers", "escape")
    problems = {k: v for k, v in landscape().items() if not names or k in names}
    rows = [
        (name, activation)
        for name in problems
        if len(problems[name][2]) > 1
        for activation in ("relu", "tanh")
    ]
    tasks = [
        delayed(reach)(column, *problems[name], activation, seed, max_fun)
        for name, activation in rows
        for column in columns
        for seed in range(seeds)
    ]
    results = iter(list(progress(tasks, jobs, len(tasks))))
    print(f"\nERT in evaluations, {seeds} seeds, two hidden layers")
    print(" " * 26 + "".join(f"{column:>10}" for column in columns))
    table = []
    for name, activation in rows:
        runs = [[next(results) for _ in range(seeds)] for _ in columns]
        table.append(
            [sum(r[0] for r in c) / max(sum(r[1] for r in c), 1) for c in runs]
        )
        line = "".join(f"{value:10.0f}" for value in table[-1])
        print(f"{name:20}{activation:6}{line}", flush=True)
    ratio = np.array(table)
    mean = np.exp(np.log(ratio / ratio[:, -1:]).mean(axis=0))
    print("geometric mean / escape   " + "".join(f"{value:10.2f}" for value in mean))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--problems", default="", help="names, with commas; all")
    parser.add_argument("--seeds", type=int, default=25)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--table", type=int, choices=[1, 2, 3])
    arguments = parser.parse_args()
    names = [name for name in arguments.problems.split(",") if name]
    if arguments.table in (None, 1):
        table_1(names, arguments.seeds, arguments.jobs, 5000)
    if arguments.table in (None, 2):
        table_2(names, min(arguments.seeds, 15), arguments.jobs, 2000)
    if arguments.table in (None, 3):
        table_3(names, arguments.seeds, arguments.jobs, 5000)


if __name__ == "__main__":
    main()

"""What a step costs: our L-BFGS beside L-BFGS-B of scipy, in three ways.

    python benchmarks/solver.py
    python benchmarks/solver.py --large   # steps of many parameters

Microseconds per evaluation of a 200-iteration run, the evaluation itself included. The
three ways to L-BFGS-B (its routine, ``minimize``, and ``minimize`` in a thread)
take the very same steps (checked). ``--large``: milliseconds of the processor per
iteration, without the evaluations.
"""

import argparse
import time
from functools import partial

import numpy as np
from evaluation import ALPHA, interleaved, problem
from scipy.optimize import minimize as scipy_minimize
from threadpoolctl import threadpool_limits

from skgoodmin.kernels.activations import ACTIVATIONS
from skgoodmin.objective.canonical_rows import canonical_rows
from skgoodmin.objective.losses import Logistic
from skgoodmin.objective.objective import Objective
from skgoodmin.training import lbfgs

OURS = lbfgs.fast_steps


def through(steps, objective, theta):
    """(final value, evaluations) of a run on some steps."""
    lbfgs.steps_for = steps
    run = lbfgs.Run(objective, theta, 1e-12)
    run.advance(200, 10**6)
    return run.value, run.n_fun


def through_minimize(objective, theta):
    result = scipy_minimize(
        objective.value_and_gradient,
        theta,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 200, "maxfun": 10**6, "ftol": 0.0, "gtol": 1e-12},
    )
    return result.fun, result.nfev


class Quadratic:
    """A cheap objective of n parameters; ``spent`` are the seconds it took."""

    def __init__(self, n):
        self.scales, self.spent = np.geomspace(0.1, 10.0, n), 0.0

    def value_and_gradient(self, x):
        began = time.process_time()
        gradient = self.scales * x
        value = 0.5 * float(gradient @ x)
        self.spent += time.process_time() - began
        return value, gradient


def per_iteration(n, steps):
    """Milliseconds of an iteration."""
    lbfgs.steps_for, objective = steps, Quadratic(n)
    run = lbfgs.Run(objective, np.ones(n), 1e-12)
    run.advance(12, 10**6)  # until the memory is full
    began = time.process_time() - objective.spent
    run.advance(30, 10**6)
    return 1e3 * (time.process_time() - objective.spent - began) / 18


def large():
    print(f"{'parameters':>12}{'L-BFGS-B':>12}{'ours':>12}{'ratio':>8}")
    for n in (30, 100, 300, 1_000, 3_000, 10_000, 100_000, 1_000_000):
        times = [
            [per_iteration(n, steps) for steps in (lbfgs.lbfgsb_steps, OURS)]
            for _ in range(3)
        ]
        theirs, ours = np.median(times, axis=0)
        print(f"{n:12}{theirs:12.3f}{ours:12.3f}{theirs / ours:8.1f}", flush=True)


def main():
    print(f"{'n, d, hidden':22}{'evaluation':>12}{'ours':>12}{'compiled':>12}"
          f"{'minimize':>12}{'in a thread':>14}")  # fmt: skip
    for n, d, hidden in ((100, 4, (8,)), (569, 30, (32,)), (1797, 64, (100,))):
        X, y, layout, theta = problem(n, d, hidden)
        data = canonical_rows(X, y.astype(np.int32)[:, None])
        objective = Objective(data, layout, ACTIVATIONS["tanh"], Logistic(), ALPHA)
        ways = [
            partial(through, lbfgs._compiled_steps, objective, theta),
            partial(through_minimize, objective, theta),
            partial(through, lbfgs._public_steps, objective, theta),
        ]
        ends = {way() for way in ways}
        assert len({value for value, _ in ends}) == 1, ends
        ours = partial(through, OURS, objective, theta)
        times = interleaved([ours, *ways], 1.0)
        alone = interleaved([partial(objective.value_and_gradient, theta)], 0.3)
        n_fun = [ours()[1]] + 3 * [max(count for _, count in ends)]
        cells = [alone[0], *(t / n for t, n in zip(times, n_fun, strict=True))]
        label = f"{n}, {d}, {'x'.join(map(str, hidden))}"
        row = "".join(f"{1e6 * cell:12.1f}" for cell in cells)
        print(f"{label:22}{row}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="many parameters")
    begin = time.perf_counter()
    with threadpool_limits(1):
        large() if parser.parse_args().large else main()
    print(f"{time.perf_counter() - begin:.0f} s")

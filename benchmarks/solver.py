"""What the compiled L-BFGS-B step is worth beside the public interface of scipy.

    python benchmarks/solver.py

Microseconds per evaluation of a 200-iteration run, the evaluation itself included. All
three take the very same steps (checked).
"""

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


def through(steps, objective, theta):
    """(final value, evaluations) of a run on some steps."""
    lbfgs.lbfgsb_steps = steps
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


def main():
    print(f"{'n, d, hidden':22}{'evaluation':>12}{'compiled':>12}{'minimize':>12}"
          f"{'in a thread':>14}")  # fmt: skip
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
        times = interleaved(ways, 1.0)
        alone = interleaved([partial(objective.value_and_gradient, theta)], 0.3)
        n_fun = max(count for _, count in ends)
        cells = [alone[0], *(t / n_fun for t in times)]
        label = f"{n}, {d}, {'x'.join(map(str, hidden))}"
        row = "".join(f"{1e6 * cell:12.1f}" for cell in cells)
        print(f"{label:22}{row}", flush=True)


if __name__ == "__main__":
    begin = time.perf_counter()
    with threadpool_limits(1):
        main()
    print(f"{time.perf_counter() - begin:.0f} s")

"""The construction of the paper, trained literally, beside no neuron at all.

    python benchmarks/joint.py

Runs of L-BFGS that reach zero loss (below 1e-6) out of 30, polynomial hinge, alpha = 0:
on the plain network; on J~ with the neuron dropped where the run ends; the same with
theta polished afterwards, which is ``training="joint"``. Then the evaluations of all
runs over the successes (ERT).
"""

import numpy as np
from datasets import landscape
from landscape import TARGET, TOL, objective_of
from threadpoolctl import threadpool_limits

from skgoodmin.objective.losses import PolynomialHinge
from skgoodmin.objective.with_neuron import AugmentedObjective
from skgoodmin.training.joint_training import train_joint
from skgoodmin.training.lbfgs import minimize
from skgoodmin.training.start import Budget

PROBLEMS = ("xor", "parity 4", "spirals 100, 8", "spirals 200, 8", "moons")
SEEDS, MAX_FUN = 30, 5000


def runs(objective, seed):
    """(success, evaluations) of the three ways from one start."""
    rng = np.random.RandomState(seed)
    theta0 = objective.layout.start(rng)
    plain = minimize(objective, theta0, max_iter=10**6, max_fun=MAX_FUN, tol=TOL)
    budget = Budget(10**6, MAX_FUN, TOL)
    solution, _ = train_joint(AugmentedObjective(objective, 1.0), theta0, rng, budget)
    dropped = solution.curve[0]  # where the polish began
    return [
        (plain.value < TARGET, plain.n_fun),
        (dropped < TARGET, solution.n_fun - solution.n_iter),
        (solution.value < TARGET, solution.n_fun),
    ]


def main():
    print(f"{'':28}{'zero loss, of ' + str(SEEDS):>27}{'ERT':>27}")
    head = ("plain", "dropped", "polished") * 2
    print(f"{'':28}" + "".join(f"{name:>9}" for name in head))
    ratios = []
    for name in PROBLEMS:
        for activation in ("relu", "tanh"):
            X, y, hidden = landscape()[name]
            objective = objective_of(X, y, hidden, activation, PolynomialHinge(3.0))
            found = np.array([runs(objective, seed) for seed in range(SEEDS)])
            wins, spent = found.sum(axis=0).T
            ert = spent / np.maximum(wins, 1)
            ratios.append(ert[1:] / ert[0])
            print(f"{name:20}{activation:8}" + "".join(f"{n:9.0f}" for n in wins)
                  + "".join(f"{value:9.0f}" for value in ert), flush=True)  # fmt: skip
    means = np.exp(np.log(ratios).mean(axis=0))
    print(f"geometric mean of ERT over plain: dropped {means[0]:.1f}, "
          f"polished {means[1]:.1f}")  # fmt: skip


if __name__ == "__main__":
    with threadpool_limits(1):
        main()

"""Does the theorem hold on a machine? Runs of the augmented loss, counted.

    python benchmarks/theorem.py

Runs of L-BFGS from random starts on small problems whose labels a network can fit (or,
with contradicting rows, fit as well as any function can), down to a gradient below
1e-9. Three constructions: the skip neuron of the paper, the monomial one (of degree 4),
and one neuron in each of two layers.

A run ends in one of three ways. Either it *converges* with a small contribution of
the special neuron to the outputs: then, says the theorem, its amplitude is 0 and the
loss is the lower bound of all networks. Or it *drifts*: the contribution stays, on the
way to a minimum at infinity. Or it is *cut off* by rounding before its gradient is
below 1e-9; the theorem says nothing of these.

At last one run that drifts, from the known local minimum of two tanh units.
"""

import numpy as np

from skgoodmin.certificates.pointwise import pointwise_bound
from skgoodmin.datasets import smooth_trap
from skgoodmin.kernels.activations import ACTIVATIONS
from skgoodmin.objective.canonical_rows import canonical_rows
from skgoodmin.objective.layout import ParameterLayout
from skgoodmin.objective.losses import PolynomialHinge
from skgoodmin.objective.objective import Objective
from skgoodmin.objective.with_neuron import AugmentedObjective, PerLayerObjective
from skgoodmin.training.lbfgs import Run

SEEDS = 40
rng = np.random.RandomState(0)
SETS = {
    "xor": ([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]),
    "line": ([[-1.0], [-0.4], [0.3], [1.0]], [1, 0, 0, 1]),
    "duplicates": ([[0.0], [0.0], [0.0], [1.0]], [1, 1, 0, 1]),
    "random": (rng.normal(size=(8, 2)), rng.randint(2, size=8)),
    "three classes": (rng.normal(size=(9, 2)), rng.randint(3, size=9)),
}


def objective_of(X, y, hidden):
    """Mean polynomial hinge of degree 3 of a tanh network, without weight decay."""
    X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=np.int32)
    n_outputs = 1 if y.max() < 2 else y.max() + 1
    return Objective(
        canonical_rows(X, y[:, None]),
        ParameterLayout((X.shape[1], *hidden, n_outputs)),
        ACTIVATIONS["tanh"],
        PolynomialHinge(3.0),
        0.0,
    )


CONSTRUCTIONS = {
    "skip": lambda X, y: AugmentedObjective(objective_of(X, y, (4,)), 1.0),
    "monomial": lambda X, y: AugmentedObjective(objective_of(X, y, (4,)), 1.0, 4),
    "per layer": lambda X, y: PerLayerObjective(objective_of(X, y, (4, 3)), 1.0),
}
# A contribution up to this is one that a gradient of 1e-9 leaves undecided: the
# penalty of the fourth power lets amplitudes of 1e-3 stand.
BOUNDED = {"skip": 1e-3, "monomial": 1e-3, "per layer": 2e-2}


def sample(augmented, seed):
    """(largest component of the gradient, contribution, amplitude, gap) of one run."""
    plain, rng = augmented.plain, np.random.RandomState(seed)
    bound = pointwise_bound(plain).value
    run = Run(augmented, augmented.widen(plain.layout.start(rng), rng), 1e-9)
    run.advance(3000, 6000)
    amplitudes = augmented.neuron(run.theta)[2]
    if isinstance(augmented, PerLayerObjective):
        amplitudes = np.concatenate(amplitudes)
    loss, _ = plain.value_and_gradient(augmented.narrow(run.theta))
    return (
        run.grad_norm,
        augmented.contribution(run.theta),
        np.abs(amplitudes).max(),
        max(loss - bound, 0.0),
    )


def count(n_seeds=SEEDS):
    """A line for each construction; name -> (runs, converged, drifting)."""
    print(
        f"{'':10} runs converged  largest amplitude  largest gap  drifting  smallest"
        " contribution  cut off"
    )
    found = {}
    for name, construction in CONSTRUCTIONS.items():
        runs = np.array(
            [
                sample(construction(*data), seed)
                for data in SETS.values()
                for seed in range(n_seeds)
            ]
        )
        gradient, contribution, amplitude, gap = runs.T
        drifting = ~(contribution <= BOUNDED[name])
        converged = ~drifting & (gradient < 1e-9)
        found[name] = runs, converged, drifting
        print(
            f"{name:10}{len(runs):5}{converged.sum():10}"
            f"{amplitude[converged].max():19.1e}{gap[converged].max():13.1e}"
            f"{drifting.sum():10}{contribution[drifting].min():23.1e}"
            f"{(~converged & ~drifting).sum():9}"
        )
    return found


def drift():
    """From the smooth trap, with the neuron switched off and a random direction."""
    trap = smooth_trap()
    plain = objective_of(trap.X, trap.y > 0, trap.hidden_layer_sizes)
    augmented = AugmentedObjective(plain, neuron_alpha=1.0)
    start = augmented.widen(trap.theta_bad, np.random.RandomState(0))
    run, path = Run(augmented, start, tol=1e-9), []

    def note(run):
        loss, _ = plain.value_and_gradient(augmented.narrow(run.theta))
        amplitude = np.abs(augmented.neuron(run.theta)[2]).max()
        path.append((run.value, loss, amplitude, augmented.contribution(run.theta)))

    run.advance(2000, 4000, note)
    names = "augmented loss", "loss of the network", "amplitude", "contribution"
    print("\nA run that drifts")
    for name, first, last in zip(names, path[0], path[-1], strict=True):
        print(f"{name:20} {first:10.3g} -> {last:10.3g}")


if __name__ == "__main__":
    count()
    drift()

"""
The theorem, sampled
====================

Does the theorem hold on a machine? Runs of L-BFGS on the augmented loss, from random
starts on small problems whose labels a network can fit (or, with contradicting rows,
fit as well as any function can), without bounds, down to a gradient below 1e-9.

A run ends in one of three ways. Either it comes *to rest* with a small contribution of
the special neuron to the outputs: then, says the theorem, its amplitude is 0 and the
loss is the lower bound of all networks. Or it *drifts*: the contribution stays, on the
way to a minimum at infinity. Or it is *cut off* by rounding before its gradient is
below 1e-9; the theorem says nothing of these.
"""

# %%
# Five problems and three constructions: the skip neuron of the paper, the monomial one
# (of degree 4), and one neuron in each of two layers.

import matplotlib.pyplot as plt
import numpy as np

from skgoodmin.certificates.pointwise import pointwise_bound
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


results = {
    name: np.array(
        [
            sample(construction(*data), seed)
            for data in SETS.values()
            for seed in range(SEEDS)
        ]
    )
    for name, construction in CONSTRUCTIONS.items()
}

# %%
# At rest means a gradient below 1e-9 and a bounded contribution. Of these, all have a
# gap of 0, to the precision that the gradient leaves.

print(
    f"{'':10} runs  at rest  largest amplitude  largest gap  drifting  smallest"
    " contribution  cut off"
)
counts = {}
for name, values in results.items():
    gradient, contribution, amplitude, gap = values.T
    drifting = ~(contribution <= BOUNDED[name])
    at_rest = ~drifting & (gradient < 1e-9)
    counts[name] = at_rest, drifting
    print(
        f"{name:10}{len(values):5}{at_rest.sum():9}{amplitude[at_rest].max():19.1e}"
        f"{gap[at_rest].max():13.1e}{drifting.sum():10}"
        f"{contribution[drifting].min():23.1e}{(~at_rest & ~drifting).sum():9}"
    )

# %%
# Each dot is a run. Where the contribution is small the gap is 0 (drawn at 1e-18);
# where it is not, theta is often far worse than at its start.

figure, axes = plt.subplots(1, 3, figsize=(10, 3.2), sharey=True)
for axis, (name, values) in zip(axes, results.items(), strict=True):
    gradient, contribution, _, gap = values.T
    at_rest, drifting = counts[name]
    for some, color, label in (
        (at_rest, "C0", "at rest"),
        (drifting, "C3", "drifting"),
        (~at_rest & ~drifting, "0.6", "cut off"),
    ):
        finite = some & np.isfinite(contribution)
        axis.plot(
            np.maximum(contribution[finite], 1e-15),
            np.maximum(gap[finite], 1e-18),
            "o",
            ms=3,
            color=color,
            label=f"{label}: {some.sum()}",
        )
    axis.axvline(BOUNDED[name], color="0.8", zorder=0)
    axis.set(xscale="log", yscale="log", title=name, xlabel="contribution")
    axis.legend(fontsize=7)
axes[0].set_ylabel("gap of theta alone")
figure.tight_layout()

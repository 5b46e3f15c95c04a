"""
A run that drifts to infinity
=============================

What the theorem does not say: that descent ends in a local minimum. The smooth trap is
a local minimum of a network of two tanh units, and it is not global. The augmented loss
has none there, so a descent leaves. It leaves for infinity: the amplitude of the neuron
goes to 0 as the theorem demands, its exponent grows, and their product, which is what
the neuron *contributes* to the output, stays. The augmented loss falls to 0 while the
network itself is worse than before.
"""

# %%
# From the trap, with the neuron switched off and a random direction w.

import matplotlib.pyplot as plt
import numpy as np

from skgoodmin.datasets import smooth_trap
from skgoodmin.kernels.activations import ACTIVATIONS
from skgoodmin.objective.canonical_rows import canonical_rows
from skgoodmin.objective.layout import ParameterLayout
from skgoodmin.objective.losses import PolynomialHinge
from skgoodmin.objective.objective import Objective
from skgoodmin.objective.with_neuron import AugmentedObjective
from skgoodmin.training.lbfgs import Run

trap = smooth_trap()
labels = (trap.y > 0).astype(np.int32)[:, None]
layout = ParameterLayout((1, *trap.hidden_layer_sizes, 1))
data = canonical_rows(trap.X, labels)
activation = ACTIVATIONS[trap.activation]
plain = Objective(data, layout, activation, PolynomialHinge(3.0), 0.0)
augmented = AugmentedObjective(plain, neuron_alpha=1.0)

start = augmented.widen(trap.theta_bad, np.random.RandomState(0))
run, path = Run(augmented, start, tol=1e-9), []


def note(run):
    """Augmented loss, loss of the network alone, amplitude, contribution."""
    loss, _ = plain.value_and_gradient(augmented.narrow(run.theta))
    amplitude = np.abs(augmented.neuron(run.theta)[2]).max()
    path.append((run.value, loss, amplitude, augmented.contribution(run.theta)))


run.advance(2000, 4000, note)
path = np.array(path)
for name, first, last in zip(
    ("augmented loss", "loss of the network", "amplitude", "contribution"),
    path[0],
    path[-1],
    strict=True,
):
    print(f"{name:20} {first:10.3g} -> {last:10.3g}")

# %%
# So an amplitude near 0 is evidence of nothing. What has to vanish is the contribution;
# ``certificate_.neuron_contribution`` reports it for joint training.

figure, axes = plt.subplots(1, 2, figsize=(9, 3.2))
iterations = np.arange(1, len(path) + 1)
axes[0].loglog(iterations, path[:, 0], label="augmented loss")
axes[0].loglog(iterations, path[:, 1], label="loss of the network alone")
axes[0].axhline(trap.bad_value, color="0.7", lw=1, label="loss at the trap")
axes[1].loglog(iterations, path[:, 2], color="C2", label="amplitude |a|")
axes[1].loglog(
    iterations, path[:, 3], color="C3", label="contribution |a exp(w.x + b)|"
)
for axis in axes:
    axis.set(xlabel="iteration")
    axis.legend(fontsize=8)
figure.tight_layout()

"""
Joint training against escapes against restarts
===============================================

The paper adds the neuron and trains everything together. As a recipe for training that
is worse than leaving the neuron out; as a direction at the points where training stalls
it is better than either. Four ways, the same problems, the same budget.
"""

# %%
# Share of 30 seeds that reached zero loss, by the evaluations spent. *Escape, no
# neuron* is ``special_neuron=None``: what remains of an escape when the neuron is taken
# away.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skgoodmin import GoodMinimaClassifier

warnings.simplefilter("ignore", ConvergenceWarning)
SEEDS, MAX_FUN = 30, 2000
bits = np.array(np.meshgrid(*[[-1.0, 1.0]] * 4)).reshape(4, -1).T
parity = bits, (bits > 0).sum(axis=1) % 2, (4,)
radius = np.sqrt(np.linspace(0.05, 1.0, 50))
arm = 2.0 * radius * np.array([np.cos(9.42 * radius), np.sin(9.42 * radius)])
spirals = np.hstack([arm, -arm]).T, np.repeat([0, 1], 50), (8,)
WAYS = {
    "joint": {"training": "joint"},
    "plain restarts": {"special_neuron": None},
    "escape, no neuron": {"special_neuron": None, "n_init": 1000},
    "escape": {"n_init": 1000, "max_escapes": 1000},
}


def evaluations(way, X, y, hidden, seed):
    """Evaluations to zero loss, or inf within the budget."""
    spent = 0
    while spent < MAX_FUN:
        parameters = WAYS[way]
        model = GoodMinimaClassifier(
            hidden,
            "tanh",
            alpha=0,
            tol=1e-8,
            max_fun=MAX_FUN - spent,
            random_state=1000 * seed + spent,
            **parameters,
        ).fit(X, y)
        spent += model.n_fun_
        if model.certificate_.status.name == "GLOBAL":
            return spent
    return np.inf


figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True)
for axis, (name, problem) in zip(
    axes, {"4-bit parity": parity, "two spirals": spirals}.items(), strict=True
):
    for way in WAYS:
        spent = np.sort([evaluations(way, *problem, seed) for seed in range(SEEDS)])
        wins = np.isfinite(spent).sum()
        total = np.minimum(spent, MAX_FUN).sum()
        print(f"{name:14}{way:20}{wins:3} of {SEEDS}, {total / max(wins, 1):6.0f} each")
        share = np.arange(1, SEEDS + 1) / SEEDS
        axis.step(np.minimum(spent, 1.1 * MAX_FUN), share, where="post", label=way)
    axis.set(xlabel="evaluations", title=name, xscale="log", xlim=(20, MAX_FUN))
axes[0].set_ylabel("share of seeds at zero loss")
axes[1].legend(fontsize=8)
figure.tight_layout()

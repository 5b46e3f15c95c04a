"""
Out of bad minima
=================

A small network on two spirals: most runs of L-BFGS end in a bad minimum. Restarting
them is one way on. The other one is to ask a special neuron for the way out, and to
graft a unit in that direction into the network.
"""

# %%
# The search tells of each iteration, and the two ways get the same evaluations.

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skgoodmin import GoodMinimaClassifier
from skgoodmin.kernels.activations import ACTIVATIONS
from skgoodmin.objective.canonical_rows import canonical_rows
from skgoodmin.objective.layout import ParameterLayout
from skgoodmin.objective.losses import PolynomialHinge
from skgoodmin.objective.objective import Objective
from skgoodmin.training.escape import search
from skgoodmin.training.lbfgs import Run
from skgoodmin.training.start import Budget


def two_spirals(n):
    """Two spirals of one and a half turns, n / 2 points each."""
    radius = np.sqrt(np.linspace(0.05, 1.0, n // 2))
    angle = 3.0 * np.pi * radius
    arm = 2.0 * np.c_[radius * np.cos(angle), radius * np.sin(angle)]
    return np.r_[arm, -arm], np.repeat([0, 1], n // 2)


X, y = two_spirals(200)
layout = ParameterLayout((2, 8, 1))
data = canonical_rows(X, y.astype(np.int32)[:, None])
objective = Objective(data, layout, ACTIVATIONS["relu"], PolynomialHinge(3), 0.0)
MAX_FUN = 1500


def starts(seed):
    """Endless random starts."""
    rng = np.random.RandomState(seed)
    while True:
        yield layout.start(rng)


def restarts(seed):
    """(evaluations, objective) of plain L-BFGS runs, one after another."""
    pieces, spent = [], 0
    for theta0 in starts(seed):
        run, points = Run(objective, theta0, 1e-8), []

        def note(run, points=points, spent=spent):
            points.append((spent + run.n_fun, run.value))
            return run.value < 1e-6

        run.advance(10**6, MAX_FUN - spent, note)
        pieces.append(np.array(points))
        spent += run.n_fun
        if spent >= MAX_FUN or run.value < 1e-6:
            return pieces


def escape(seed):
    """The same of the search: pieces between grafts, and the last start."""
    points = []

    def note(progress):
        points.append((progress.start, progress.escape, progress.value))
        return False

    budget = Budget(10**6, MAX_FUN, 1e-8, max_escapes=10**6)
    found = search(
        objective, starts(seed), np.random.RandomState(seed), budget, on_iteration=note
    )
    points = np.array(points)
    where = np.linspace(0, found.spent, len(points) + 1)[1:]
    new = np.any(np.diff(points[:, :2], axis=0) != 0, axis=1)
    parts = np.split(np.c_[where, points[:, 2]], np.flatnonzero(new) + 1)
    grafted = points[np.r_[0, np.flatnonzero(new) + 1], 1] > 0
    return parts, grafted, found.best


SEED = 3
plain = restarts(SEED)
parts, grafted, last = escape(SEED)
total = sum(len(part) for part in parts)
print(f"escape: {parts[-1][-1, 0]:.0f} evaluations, all rows right: {last.won}")
print(f"restarts: {plain[-1][-1, 0]:.0f} evaluations, objective {plain[-1][-1, 1]:.2g}")

# %%
# Left: each line is a run; a triangle is a stall at which a unit is grafted, a dot the
# begin of a new start. Right: the decision of one plain run, and after the search.

figure, axes = plt.subplots(1, 3, figsize=(11, 3.4), width_ratios=[2, 1, 1])
curve = axes[0]
for i, piece in enumerate(plain):
    curve.plot(*piece.T, color="0.65", lw=1, label="plain restarts" if i == 0 else None)
for part, is_graft in zip(parts, grafted, strict=True):
    curve.plot(*part.T, color="C0", lw=1.5)
    curve.plot(*part[0], marker="^" if is_graft else "o", ms=5, color="C3", ls="none")
curve.plot([], [], color="C0", label="escape")
curve.plot([], [], marker="^", color="C3", ls="none", label="graft at a stall")
curve.plot([], [], marker="o", color="C3", ls="none", label="new start")
curve.set(xlabel="evaluations", ylabel="objective", yscale="log", xscale="log")
curve.set_title("Training loss", fontsize=11)
curve.legend(fontsize=8)

stuck = GoodMinimaClassifier((8,), alpha=0, special_neuron=None, random_state=SEED)
free = GoodMinimaClassifier(
    (8,), alpha=0, n_init=1000, max_escapes=1000, random_state=SEED
)
grid = np.stack(np.meshgrid(*[np.linspace(-2.4, 2.4, 200)] * 2), axis=-1)
for axis, model, title in zip(
    axes[1:], (stuck, free), ("One plain run", "With escapes"), strict=True
):
    model.set_params(max_iter=10_000, max_fun=5000).fit(X, y)
    yes = model.decision_function(grid.reshape(-1, 2)).reshape(200, 200) > 0
    axis.contourf(grid[..., 0], grid[..., 1], yes, levels=1, colors=["#fde", "#def"])
    axis.scatter(*X.T, c=np.where(y == 1, "C0", "C3"), s=6)
    axis.set(xticks=[], yticks=[], aspect="equal")
    axis.set_title(f"{title}: {model.score(X, y):.0%} right", fontsize=11)
    print(
        f"{title}: accuracy {model.score(X, y):.3f}, {model.certificate_.status.name}"
    )
figure.tight_layout()
if "__file__" in globals():  # not under sphinx-gallery, which takes the figure itself
    target = Path(__file__).parent.parent / "docs" / "escape.png"
    figure.savefig(target, dpi=110)

"""
Out of bad minima
=================

Two spirals and a network of eight relu units. Most runs of L-BFGS end in a bad local
minimum. Restarting is one way on. The other one is to ask a special neuron for the way
out, and to graft a unit in that direction into the network.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skgoodmin import GoodMinimaClassifier

warnings.simplefilter("ignore", ConvergenceWarning)  # at max_fun
radius = np.sqrt(np.linspace(0.05, 1.0, 100))
angle = 3.0 * np.pi * radius
arm = 2.0 * np.c_[radius * np.cos(angle), radius * np.sin(angle)]
X, y = np.r_[arm, -arm], np.repeat([0, 1], 100)
SHARED = {"alpha": 0, "tol": 1e-8, "max_iter": 10_000}
MAX_FUN = 1500

# %%
# Plain runs, one after another, until their evaluations are spent; then the search with
# escapes, with as many evaluations.

restarts, spent, seed = [], 0, 0
while spent < MAX_FUN:
    model = GoodMinimaClassifier(
        (8,),
        special_neuron=None,
        max_fun=MAX_FUN - spent,
        random_state=seed,
        **SHARED,
    ).fit(X, y)
    restarts.append((spent + model.history_["n_fun"], model.history_["objective"]))
    spent, seed = spent + model.n_fun_, seed + 1
print(f"{seed} restarts: objective {min(curve[-1] for _, curve in restarts):.2g}")

search = GoodMinimaClassifier(
    (8,), n_init=1000, max_escapes=1000, max_fun=MAX_FUN, random_state=3, **SHARED
).fit(X, y)
print(
    f"escapes: objective {search.loss_:.2g} after {search.n_fun_:.0f} evaluations, "
    f"{search.certificate_.status.name}"
)

# %%
# Left: each line is a run; a triangle is a unit that was grafted where a run had
# stalled. Of the search, the start that was kept is drawn. Right: the decision of the
# first plain run, and after the search.

figure, (curve, *maps) = plt.subplots(
    1, 3, figsize=(11, 3.4), width_ratios=[2, 1, 1], layout="constrained"
)
for n_fun, objective in restarts:
    curve.plot(n_fun, objective, color="0.65", lw=1)
curve.plot([], [], color="0.65", label="plain restarts")
kept = search.history_[search.history_["start"] == search.best_init_]
for escape in np.unique(kept["escape"]):
    run = kept[kept["escape"] == escape]
    curve.plot(run["n_fun"], run["objective"], color="C0", lw=1.5)
    if escape:
        curve.plot(run["n_fun"][0], run["objective"][0], "^", color="C3", ms=5)
curve.plot([], [], color="C0", label="with escapes")
curve.plot([], [], "^", color="C3", label="graft")
curve.set(xlabel="evaluations", ylabel="objective", yscale="log")
curve.legend(fontsize=8)

plain = GoodMinimaClassifier((8,), special_neuron=None, random_state=0, **SHARED)
grid = np.stack(np.meshgrid(*[np.linspace(-2.4, 2.4, 200)] * 2), axis=-1)
for axis, model, title in zip(
    maps, (plain.fit(X, y), search), ("one plain run", "with escapes"), strict=True
):
    yes = model.decision_function(grid.reshape(-1, 2)).reshape(200, 200) > 0
    axis.contourf(grid[..., 0], grid[..., 1], yes, levels=1, colors=["#fde", "#def"])
    axis.scatter(*X.T, c=np.where(y == 1, "C0", "C3"), s=6)
    axis.set(xticks=[], yticks=[], aspect="equal")
    axis.set_title(f"{title}: {model.score(X, y):.0%} right", fontsize=11)
plt.show()

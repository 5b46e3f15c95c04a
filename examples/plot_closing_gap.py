"""
Objective and bound close on each other
=======================================

How good can a network get on these rows, with this penalty? From above: a network is
grown, unit by unit, and its objective falls. From below: no network of any width has an
objective below the proven bound. Where both meet, nothing is left to search for. From
four units on ten ordinary runs of L-BFGS from random starts stay above, and none of
them can tell how far.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons

from skgoodmin import GoodMinimaClassifier

X, y = make_moons(200, noise=0.25, random_state=0)
ALPHA, WIDTHS, SEEDS = 0.01, np.arange(1, 13), range(10)

# %%
# ``training="grow"`` adds units as long as one helps; ``hidden_layer_sizes`` is the
# largest number that it may use. ``special_neuron=None`` is plain L-BFGS.

objectives, bounds = [], []
plain = np.empty((len(SEEDS), len(WIDTHS)))
for i, width in enumerate(WIDTHS):
    grown = GoodMinimaClassifier(
        (width,), alpha=ALPHA, training="grow", random_state=0
    ).fit(X, y)
    certificate = grown.certificate_
    objectives.append(certificate.objective)
    bounds.append(certificate.lower_bound)
    for seed in SEEDS:
        model = GoodMinimaClassifier(
            (width,), alpha=ALPHA, special_neuron=None, random_state=seed
        )
        plain[seed, i] = model.fit(X, y).loss_

bounds = np.maximum.accumulate(bounds)  # each holds for every width
print("units  objective  proven bound  gap     L-BFGS: best   worst")
for i, width in enumerate(WIDTHS):
    gap = 1 - bounds[i] / objectives[i]
    print(
        f"{width:5}{objectives[i]:11.5f}{bounds[i]:14.5f}{gap:7.1%}"
        f"{plain[:, i].min():15.5f}{plain[:, i].max():8.5f}"
    )

# %%
# The shaded part is what is not known: networks that good are neither found nor ruled
# out. ``certify`` works harder than a fit does, and closes it further.

tighter = grown.certify(X, y)
print(
    f"{WIDTHS[-1]} units, certify: at most {tighter.relative_gap:.2%} could be gained"
)

TOP = 0.55
figure, axis = plt.subplots(figsize=(7, 3.6), layout="constrained")
axis.plot(WIDTHS, plain.T, "o", color="0.55", ms=3.5)
label = f"ten runs of plain L-BFGS ({(plain > TOP).sum()} end above the frame)"
axis.plot([], [], "o", color="0.55", ms=3.5, label=label)
axis.plot(WIDTHS, objectives, "o-", color="C0", label="objective of the grown network")
axis.plot(WIDTHS, bounds, "o-", color="C2", label="proven bound, for any width")
axis.fill_between(WIDTHS, bounds, objectives, color="C2", alpha=0.12)
axis.set(xlabel="hidden units", ylabel="objective", xticks=WIDTHS, ylim=(0.05, TOP))
axis.legend()
if Path("docs/index.rst").exists():  # the figure of the README
    figure.savefig("docs/closing_gap.png", dpi=120)
plt.show()

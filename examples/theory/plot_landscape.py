"""
The landscape around a bad minimum, with and without the neuron
===============================================================

Xor, and a network of two relu units: plain L-BFGS ends in a minimum that is not global.
A slice through all weights shows a valley with walls all around. The same slice with
the amplitude of a special neuron for its second axis shows the way out.
"""

# %%
# A start that gets stuck: the certificate says how far from optimal it can be.

import matplotlib.pyplot as plt
import numpy as np

from skgoodmin import GoodMinimaClassifier, LandscapeDisplay

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y = np.array([0, 1, 1, 0])
model = GoodMinimaClassifier((2,), alpha=0, max_escapes=0, random_state=2).fit(X, y)
print(model.certificate_)

# %%
# On the left every direction from the star goes up, or nowhere. On the right the
# network moves along the same first direction, and the special neuron of the witness is
# switched on: that is the descent which the theorem promises wherever a network is not
# globally optimal.

figure, axes = plt.subplots(1, 2, figsize=(10, 3.8))
for axis, neuron in zip(axes, (False, True), strict=True):
    display = LandscapeDisplay.from_estimator(
        model, X, y, neuron=neuron, span=0.3, random_state=1, ax=axis
    )
    lowest = display.objective.min() - model.loss_
    print(f"lowest point of the slice, neuron={neuron}: {lowest:+.3g} from the star")
    axis.set_title("with the special neuron" if neuron else "without", fontsize=11)
figure.tight_layout()

# %%
# Escapes take that way out: the same start, and the global minimum.

free = GoodMinimaClassifier((2,), alpha=0, random_state=2).fit(X, y)
print(free.certificate_)

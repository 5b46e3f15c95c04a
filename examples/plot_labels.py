"""
Several labels at once
======================

A digit may be even, may have a closed loop, and may be larger than four. These are
three labels, and each image has any number of them. One network learns all three.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skgoodmin import GoodMinimaClassifier

X, digit = load_digits(return_X_y=True)
LABELS = ["even", "has a loop", "above four"]
Y = np.column_stack([digit % 2 == 0, np.isin(digit, [0, 6, 8, 9]), digit > 4])
X, X_test, Y, Y_test, _, digit = train_test_split(
    X / 16, Y.astype(int), digit, test_size=0.5, random_state=0
)

# %%
# A matrix of 0 and 1 is all that it takes.

model = GoodMinimaClassifier(alpha=0.01, random_state=0).fit(X, Y)
predicted = model.predict(X_test)
for k, label in enumerate(LABELS):
    print(f"{label:12} right in {(predicted == Y_test)[:, k].mean():.1%}")
print(f"all three    right in {model.score(X_test, Y_test):.1%}")

# %%
# The probability of each label: those of an image do not add up to 1. The last four are
# images with the least certain label.

p = model.predict_proba(X_test)
doubtful = np.argsort(np.abs(p - 0.5).min(axis=1))[:4]
shown = np.concatenate(
    [[np.flatnonzero(digit == d)[0] for d in (0, 3, 6, 7)], doubtful]
)
figure, axes = plt.subplots(
    2, 8, figsize=(12, 3.6), layout="constrained", height_ratios=[2, 1], sharex="row"
)
for column, row in enumerate(shown):
    above, below = axes[:, column]
    above.imshow(X_test[row].reshape(8, 8), cmap="gray_r")
    above.set_axis_off()
    right = predicted[row] == Y_test[row]
    below.barh(LABELS, p[row], color=np.where(right, "C0", "C3"))
    below.axvline(0.5, color="0.6", lw=0.8)
    below.set(xlim=(0, 1), xticks=[0, 1], ylim=(2.6, -0.6))
    if column:
        below.set_yticklabels([])
axes[1, 0].set_xlabel("probability")
figure.suptitle("Blue: the label is right. Red: it is wrong.", fontsize=11)
plt.show()

"""
Decision boundaries as alpha falls
==================================

``alpha`` is the strength of the penalty on the weights. A strong one gives a simple
boundary; a weak one lets the network follow single rows. Above each picture stands what
the certificate says about that fit, and the accuracy on rows that were not trained on.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import make_moons
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.model_selection import train_test_split

from skgoodmin import GoodMinimaClassifier

X, y = make_moons(2000, noise=0.3, random_state=0)
X, X_test, y, y_test = train_test_split(X, y, train_size=150, random_state=0)

# %%
# Five strengths, from one that allows hardly more than a straight line down to no
# penalty at all. The bound is what no network of any width gets below, by ``certify``:
# in two dimensions it is often close.

figure, axes = plt.subplots(1, 5, figsize=(13, 3.2), layout="constrained")
for axis, alpha in zip(axes, (0.3, 0.1, 0.01, 0.001, 0), strict=True):
    model = GoodMinimaClassifier((50,), alpha=alpha, random_state=0).fit(X, y)
    certificate = model.certify(X, y)
    DecisionBoundaryDisplay.from_estimator(
        model,
        X,
        response_method="predict_proba",
        class_of_interest=1,
        cmap="RdBu",
        alpha=0.6,
        grid_resolution=120,
        ax=axis,
    )
    axis.scatter(*X.T, c=y, cmap="RdBu", s=8, edgecolors="k", linewidths=0.3)
    accuracy = model.score(X_test, y_test)
    axis.set(xticks=[], yticks=[])
    axis.set_title(
        f"alpha = {alpha:g}\n{accuracy:.0%} of new rows right\n"
        f"objective {certificate.objective:.3f}, bound {certificate.lower_bound:.3f}",
        fontsize=10,
    )
    print(f"alpha={alpha:<6g} accuracy {accuracy:.3f}  {certificate!r}")
plt.show()

# %%
# ``alpha="auto"``, the default, chooses by itself:

model = GoodMinimaClassifier((50,), random_state=0).fit(X, y)
print(f"alpha={model.alpha_:.3g}: {model.score(X_test, y_test):.3f} of new rows right")

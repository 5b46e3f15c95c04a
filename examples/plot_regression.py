"""
Regression, with and without outliers
=====================================

``GoodMinimaRegressor`` predicts numbers: the same network, the same choice of
``alpha``, and a certificate. With ``loss="huber"`` rows that are far off pull no harder
than others.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgoodmin import GoodMinimaRegressor

# %%
# A curve, measured 150 times; every tenth measurement went wrong.

rng = np.random.default_rng(0)
x = np.sort(rng.uniform(-3, 3, 150))
truth = np.sin(2 * x) + 0.3 * x
measured = truth + 0.15 * rng.normal(size=len(x))
wrong = np.arange(len(x)) % 10 == 5
measured[wrong] += rng.uniform(4, 8, wrong.sum())
curves = {}
for loss in ("squared_error", "huber"):
    model = GoodMinimaRegressor(loss=loss, epsilon=0.05, alpha=1e-4, random_state=0)
    curve = model.fit(x[:, None], measured).predict(x[:, None])
    error = np.sqrt(np.mean((curve - truth) ** 2))
    curves[f"{loss}: off by {error:.2f}"] = curve
    print(f"{loss:14} off the truth by {error:.3f}")

# %%
# A real table, how much diabetes of 442 patients has progressed in a year. Each row is
# predicted by a model that was trained without it.

X, y = load_diabetes(return_X_y=True)
model = make_pipeline(StandardScaler(), GoodMinimaRegressor(random_state=0))
folds = KFold(5, shuffle=True, random_state=0)
predicted = cross_val_predict(model, X, y, cv=folds)
r2 = r2_score(y, predicted)
certificate = model.fit(X, y)[-1].certify(model[:-1].transform(X), y)
print(f"diabetes: R2 {r2:.3f}; a gap of {certificate.relative_gap:.1%}")

# %%
# Left the curve, right the table.

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
left.scatter(x, measured, s=10, color="0.6")
left.plot(x, truth, "k:", label="truth")
for label, curve in curves.items():
    left.plot(x, curve, label=label)
left.legend(fontsize=9)
left.set(xlabel="x", ylabel="y")
right.plot([25, 350], [25, 350], color="0.8")
right.scatter(predicted, y, s=10)
right.set(xlabel="predicted progression", ylabel="measured", aspect="equal")
right.set_title(f"R2 = {r2:.2f}", fontsize=11)
plt.show()

"""
Are the probabilities true?
===========================

Of all passengers whom a model gives a chance of 80 %, 80 % should have survived. A
model that is trained without a look at this is often too sure of itself. The default
fits the slope of its probabilities on rows that it leaves out in the choice of
``alpha``.
"""

import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.calibration import CalibrationDisplay
from sklearn.compose import make_column_transformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skgoodmin import GoodMinimaClassifier

warnings.simplefilter("ignore", ConvergenceWarning)  # MLPClassifier's, at max_iter=200
folder = Path("examples") if Path("examples").is_dir() else Path()
table = pd.read_csv(folder / "titanic.csv")
y = table.pop("survived")
columns = make_column_transformer(
    (
        make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()),
        ["age", "sibsp", "parch", "fare"],
    ),
    (OneHotEncoder(handle_unknown="ignore"), ["pclass", "sex", "embarked"]),
)

# %%
# Each row is predicted by a model that was trained without it. The smaller the
# log-loss, the better the probabilities.

MODELS = {
    "GoodMinimaClassifier, default": GoodMinimaClassifier(random_state=0),
    "GoodMinimaClassifier, alpha=0.001": GoodMinimaClassifier(
        alpha=0.001, random_state=0
    ),
    "MLPClassifier, lbfgs": MLPClassifier(solver="lbfgs", random_state=0),
}
folds = StratifiedKFold(5, shuffle=True, random_state=0)
figure, axes = plt.subplots(1, 3, figsize=(11, 4.6), layout="constrained", sharey=True)
for axis, (name, classifier) in zip(axes, MODELS.items(), strict=True):
    model = make_pipeline(columns, classifier)
    p = cross_val_predict(model, table, y, cv=folds, method="predict_proba")[:, 1]
    p = np.clip(p, 1e-15, 1 - 1e-15)
    display = CalibrationDisplay.from_predictions(y, p, n_bins=8, ax=axis, name=name)
    axis.get_legend().remove()
    axis.set(xlabel="predicted probability", ylabel="", aspect="equal")
    axis.set_title(f"{name}\nlog-loss {log_loss(y, p):.3f}", fontsize=10)
    axis.hist(p, bins=20, weights=np.full(len(p), 1 / len(p)), color="C0", alpha=0.3)
    print(f"{name:36} log-loss {log_loss(y, p):.3f}")
axes[0].set_ylabel("share that survived")
plt.show()

# %%
# Bars: the share of the rows that get such a probability.

"""
How many rows does it take?
===========================

Accuracy on rows that were left out, as the number of training rows grows, beside other
classifiers of scikit-learn. All parameters are at their defaults; lines are means of
three splits.
"""

import warnings

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ShuffleSplit, learning_curve
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skgoodmin import GoodMinimaClassifier

warnings.simplefilter("ignore", ConvergenceWarning)  # MLPClassifier's, at max_iter=200
MODELS = {
    "GoodMinimaClassifier": GoodMinimaClassifier(random_state=0),
    "MLPClassifier": MLPClassifier(random_state=0),
    "SVC": SVC(),
    "random forest": RandomForestClassifier(random_state=0),
    "logistic regression": LogisticRegression(),
}
SIZES = [50, 100, 200, 400, 800]

# %%
# Handwritten digits, 8 x 8 pixels, ten classes.

X, y = load_digits(return_X_y=True)
splits = ShuffleSplit(3, train_size=800, test_size=500, random_state=0)
figure, axis = plt.subplots(figsize=(7, 4), layout="constrained")
print(f"{'rows':21}" + "".join(f"{size:7}" for size in SIZES))
for name, classifier in MODELS.items():
    model = make_pipeline(StandardScaler(), classifier)
    sizes, _, scores = learning_curve(model, X, y, train_sizes=SIZES, cv=splits)
    means = scores.mean(axis=1)
    ours = name == "GoodMinimaClassifier"
    axis.plot(sizes, means, "o-", label=name, lw=2.5 if ours else 1.2, zorder=2 + ours)
    print(f"{name:21}" + "".join(f"{mean:7.3f}" for mean in means))
axis.set(xlabel="training rows", ylabel="accuracy on other rows", xscale="log")
axis.set_xticks(SIZES, SIZES)
axis.minorticks_off()
axis.legend()
plt.show()

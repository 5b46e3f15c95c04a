"""Quickstart: two real data sets, a pipeline, a grid search and a certificate."""

import warnings

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgoodmin import GoodMinimaClassifier

warnings.simplefilter("ignore", ConvergenceWarning)  # MLPClassifier's, at max_iter=200


def scaled(classifier):
    """The classifier behind a scaler."""
    return make_pipeline(StandardScaler(), classifier)


print("Accuracy, 5-fold cross-validation, all parameters at their defaults")
for name, load in [("breast cancer", load_breast_cancer), ("digits", load_digits)]:
    X, y = load(return_X_y=True)
    for model in (
        GoodMinimaClassifier(random_state=0),
        MLPClassifier(random_state=0),
        MLPClassifier(solver="lbfgs", random_state=0),
    ):
        scores = cross_val_score(scaled(model), X, y, cv=5)
        print(f"{name:14} {str(model):48} {scores.mean():.4f} +- {scores.std():.4f}")

X, y = load_breast_cancer(return_X_y=True)
search = GridSearchCV(
    scaled(GoodMinimaClassifier(random_state=0)),
    {"goodminimaclassifier__alpha": np.logspace(-3, 0, 7)},
)
search.fit(X, y)
best = search.best_params_["goodminimaclassifier__alpha"]
print(f"\nGrid search: alpha = {best:.3g}, accuracy {search.best_score_:.4f}")

print("\nThe certificate of a fit with default parameters")
model = GoodMinimaClassifier(random_state=0)
X = StandardScaler().fit_transform(X)
print(model.fit(X, y).certificate_)

print("\nThe same with more effort")
print(model.certify(X, y))

print("\nWithout weight decay, where the theorem of the special neuron speaks")
print(GoodMinimaClassifier(alpha=0, random_state=0).fit(X, y).certificate_)

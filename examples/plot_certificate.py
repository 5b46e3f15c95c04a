"""
How far from the best network?
==============================

A fit ends with a certificate: the objective that was reached, a lower bound that is
proven for networks of any width, and an estimate in between. ``certify`` works harder,
and the display names the rows that carry the loss by their place in the table.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgoodmin import CertificateDisplay, GoodMinimaClassifier

X, y = load_breast_cancer(return_X_y=True)
model = make_pipeline(StandardScaler(), GoodMinimaClassifier(random_state=0)).fit(X, y)
print(model[-1].certificate_)

# %%
# With more effort the proven bound comes closer.

tighter = model[-1].certify(model[:-1].transform(X), y)
print(f"fit:     a gap of {model[-1].certificate_.relative_gap:.1%} of the objective")
print(f"certify: {tighter.relative_gap:.1%}")

CertificateDisplay.from_estimator(model, X, y, certificate=tighter)
plt.show()

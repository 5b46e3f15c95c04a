"""
What has another model reached?
===============================

``skgoodmin.certify`` needs no more than raw predictions on the training rows. It says
how much of the loss is due to rows that contradict each other, which no model can do
anything about, and whether a special neuron would lower the rest. Here the rows are
rounded, so that many of them are equal; beside a gradient boosting stands a network of
torch, if torch is installed.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import scale

from skgoodmin import certify

X, y = load_breast_cancer(return_X_y=True)
X = np.round(scale(X)[:, :4])
raw = {
    "logistic regression": LogisticRegression().fit(X, y).decision_function(X),
    "gradient boosting": HistGradientBoostingClassifier()
    .fit(X, y)
    .decision_function(X),
}
try:
    import torch
except ImportError:
    print("torch is not installed")
else:
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Linear(4, 50), torch.nn.ReLU(), torch.nn.Linear(50, 1)
    )
    rows, labels = torch.tensor(X).float(), torch.tensor(y).float()[:, None]
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(500):
        optimiser.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits
        loss(network(rows), labels).backward()
        optimiser.step()
    raw["torch"] = network(rows).detach().numpy()

# %%
# The part of each bar that no model gets rid of, and the rest.

certificates = {name: certify(X, y, values) for name, values in raw.items()}
for name, certificate in certificates.items():
    print(f"\n{name}\n{certificate}")

names = list(certificates)
bounds = [certificate.lower_bound for certificate in certificates.values()]
gaps = [certificate.gap for certificate in certificates.values()]
figure, ax = plt.subplots(layout="constrained", figsize=(7, 2.8))
ax.barh(names, bounds, color="0.6", label="rows that contradict each other")
ax.barh(names, gaps, left=bounds, color="C0", label="what a model could gain")
ax.set(xlabel="log-loss on the training rows")
figure.legend(loc="outside upper center", ncols=2)
plt.show()

"""
A million rows, with a progress bar
===================================

Points on a checkerboard, one label in ten wrong. Training begins with Adam and goes on
with L-BFGS on all rows, in threads if there are several cores, and needs little memory
besides the rows themselves. A progress bar of scikit-learn tells how far it is; a
:class:`~skgoodmin.ValidationMonitor` how good it is by then.
"""

from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from sklearn.callback import ProgressBar

from skgoodmin import GoodMinimaClassifier, ValidationMonitor

N_ROWS = 1_000_000


def checkerboard(n, wrong, seed):
    """Uniform points on 4 x 4 squares, a share of the labels turned."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-2, 2, (n, 2)).astype(np.float32)
    y = np.floor(X).sum(axis=1).astype(int) % 2
    turned = rng.uniform(size=n) < wrong
    return X, np.where(turned, 1 - y, y)


X, y = checkerboard(N_ROWS, wrong=0.1, seed=0)
X_test, y_test = checkerboard(5_000, wrong=0.0, seed=1)

# %%
# An ``alpha`` that is given saves the time of choosing one.

monitor = ValidationMonitor(X_test, y_test)
model = GoodMinimaClassifier(
    (50,), alpha=1e-4, max_iter=150, max_escapes=0, random_state=0
)
model.set_callbacks(ProgressBar(), monitor)
begin = perf_counter()
model.fit(X, y)
print(f"{N_ROWS} rows, {model.n_fun_:.0f} evaluations, {perf_counter() - begin:.0f} s")
print(f"accuracy on clean rows {model.score(X_test, y_test):.3f}")

# %%
# What was learned, from rows of which every tenth is wrong.

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
left.plot(monitor.curve_)
left.set(xlabel="iteration", ylabel="accuracy on 5000 clean rows")
grid = np.stack(np.meshgrid(*[np.linspace(-2, 2, 200)] * 2), axis=-1)
p = model.predict_proba(grid.reshape(-1, 2).astype(np.float32))[:, 1]
image = right.imshow(
    p.reshape(200, 200), extent=(-2, 2, -2, 2), origin="lower", cmap="RdBu"
)
right.set(xticks=range(-2, 3), yticks=range(-2, 3))
figure.colorbar(image, ax=right, label="probability of the second class")
plt.show()

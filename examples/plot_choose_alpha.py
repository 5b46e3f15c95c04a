"""
How alpha is chosen
===================

By default as a mean of the best of six strengths in four folds of short fits, which
makes a fit 1.1 to 2 times as long. ``GoodMinimaClassifierCV`` takes longer fits, as
many strengths as you like, and any score. :class:`~skgoodmin.AlphaDisplay` draws
either.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import scale

from skgoodmin import AlphaDisplay, GoodMinimaClassifier, GoodMinimaClassifierCV

X, y = load_breast_cancer(return_X_y=True)
X = scale(X)
quick = GoodMinimaClassifier(random_state=0).fit(X, y)
print(f"auto: alpha={quick.alpha_:.3g}, {quick.alpha_reason_}")
whole = GoodMinimaClassifierCV(alphas=10, scoring="neg_log_loss", random_state=0)
whole.fit(X, y)
print(f"CV: alpha={whole.alpha_:.3g}, log-loss {-whole.best_score_:.3f}")

# %%
# The score of ``"auto"`` is accuracy plus three times the log-likelihood; the score of
# the other one is up to you. Bars are standard errors over the folds. Strengths that
# are clearly worse after the first fold are given up, and have none. What is chosen on
# the left lies between strengths that are about equally good.

figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
AlphaDisplay.from_estimator(quick, ax=axes[0])
AlphaDisplay.from_estimator(whole, ax=axes[1])
axes[0].set_title('alpha="auto"', fontsize=11)
axes[1].set_title("GoodMinimaClassifierCV", fontsize=11)
axes[1].set_ylabel("negative log-loss")
plt.show()

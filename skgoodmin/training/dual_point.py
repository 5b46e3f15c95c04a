"""A dual point and the largest polar that is known of it: an estimated bound.

If no neuron has a larger polar Z in the balanced residuals R than those seen so far,

    P* >= D(R min(1, alpha / Z))

for networks of every width. What is found later, for other residuals, says something
of these as well: a bound that was too good to be true comes down.
"""

import numpy as np


class DualPoint:
    """Balanced residuals.

    Parameters
    ----------
    dual : Dual
    residuals : ndarray of shape (K, n)
        Balanced.
    alpha : float

    Attributes
    ----------
    polar : float
        The largest one seen, no less than alpha.
    bound : float
        The estimated one.
    n_random : int
        Random ascents that have looked for a larger polar.
    """

    def __init__(self, dual, residuals, alpha):
        self.dual, self.residuals, self.alpha = dual, residuals, alpha
        self.polar, self.bound, self.n_random = alpha, dual.value(residuals), 0

    def scores(self, phi):
        """||sum_i R_i phi_ji|| of units with the values phi (m, n), (m,)."""
        return np.linalg.norm(self.residuals @ phi.T, axis=0)

    def learn(self, scores):
        """Take note of what neurons see in these residuals."""
        largest = scores.max(initial=0.0)
        if largest > self.polar:
            self.polar = largest
            self.bound = self.dual.value(self.residuals * (self.alpha / largest))

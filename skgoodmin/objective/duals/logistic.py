"""The conjugate of the logistic loss: an entropy; see :mod:`.dual`."""

import numpy as np
from scipy.special import expit, xlog1py, xlogy

from .dual import INSIDE, ROUNDING, MarginDual, total


class LogisticDual(MarginDual):
    """log(1 + e^-m)."""

    def loss_and_gradient(self, raw):
        """See :class:`Dual`."""
        margin = self.signs * raw
        value = total(self.shares * np.logaddexp(0.0, -margin))
        return value, -self.signs * self.shares * expit(-margin)

    def curvature(self, raw):
        """See :class:`Dual`."""
        probability = expit(raw)
        return self.shares * probability * (1.0 - probability)

    def balance(self, residuals):
        """See :class:`Dual`."""
        return super().balance(residuals) * INSIDE

    def _value(self, residuals):
        """See :class:`Dual`."""
        tau = self._tau(residuals)
        if not (tau.min(initial=0.0) >= 0 and tau.max(initial=0.0) <= INSIDE + 1e-12):
            return -np.inf
        first, second = -xlogy(tau, tau), -xlog1py(1.0 - tau, -tau)
        entropy = total(self.shares * (first + second))
        moved = total(self.shares * (first - xlog1py(tau, -tau)))
        return entropy - ROUNDING * (2.0 * entropy + 2.0 * moved)

    def smooth(self, residuals):
        """See :class:`Dual`: the entropy, with tangents beyond 1e-9 and 1 - 1e-6."""
        tau = self._tau(residuals)
        inside = np.clip(tau, 1e-9, 1.0 - 1e-6)
        slope = np.log1p(-inside) - np.log(inside)
        entropy = -xlogy(inside, inside) - xlog1py(1.0 - inside, -inside)
        value = float(np.sum(self.shares * (entropy + slope * (tau - inside))))
        return value, -self.signs * slope

"""The conjugate of the polynomial hinge; see :mod:`.dual`."""

import numpy as np

from .dual import ROUNDING, MarginDual, total


class HingeDual(MarginDual):
    """max(0, 1 - m)^p."""

    def __init__(self, signs, shares, degree=3.0):
        super().__init__(signs, shares)
        self.degree = float(degree)

    def loss_and_gradient(self, raw):
        """See :class:`Dual`."""
        violation = np.maximum(0.0, 1.0 - self.signs * raw)
        power = violation ** (self.degree - 1.0)
        value = total(power * violation * self.shares)
        return value, -self.degree * self.signs * self.shares * power

    def curvature(self, raw):
        """See :class:`Dual`."""
        violation, p = np.maximum(0.0, 1.0 - self.signs * raw), self.degree
        power = violation ** (p - 2.0) * (violation > 0)
        return p * (p - 1.0) * self.shares * power

    def _value(self, residuals):
        """See :class:`Dual`."""
        tau = self._tau(residuals)
        if not tau.min(initial=0.0) >= 0:
            return -np.inf
        p = self.degree
        power = self.shares * (p - 1.0) * (tau / p) ** (p / (p - 1.0))
        linear, power = total(self.shares * tau), total(power)
        return linear - power - ROUNDING * (2.0 * linear + 4.0 * power)

    def smooth(self, residuals):
        """See :class:`Dual`: -l*' = 1 - (tau/p)^(1/(p-1))."""
        tau, p = np.maximum(self._tau(residuals), 0.0), self.degree
        root = (tau / p) ** (1.0 / (p - 1.0))
        value = float(np.sum(self.shares * tau * (1.0 - (p - 1.0) / p * root)))
        return value, -self.signs * (1.0 - root)

"""The stall rule: when a run no longer pays, and when a graft has paid.

With J_t the objective after iteration t of a run,

    stalled   J_(t-window) - J_t < fall * J_(t-window)
    paid      J_after < (1 - gain) * J_before

Where the objective may reach 0, falls are compared with what is left of it; where its
floor is not known to be 0 (weight decay, log-loss), a small fall may still be all that
is left.
"""

from typing import NamedTuple

from ..objective.losses.target_loss import TargetLoss

PATIENCE = 10  # iterations after which a run may stall, and over which it has to fall


class StallRule(NamedTuple):
    """Shares of the objective that iterations and grafts have to bring."""

    fall: float  # over the window of iterations
    gain: float  # by a graft, at its own stall

    def stalled(self, curve, window):
        """Whether the run with this curve (a list of objectives) has stalled."""
        if len(curve) <= window:
            return False
        return curve[-1 - window] - curve[-1] < self.fall * curve[-1 - window]

    def paid(self, before, after):
        """Whether a graft has paid that took the objective from before to after."""
        return after < (1.0 - self.gain) * before


TO_ZERO = StallRule(fall=0.25, gain=0.05)
ABOVE_A_FLOOR = StallRule(fall=0.001, gain=0.0)


def stall_rule(objective):
    """The rule for an objective."""
    return TO_ZERO if may_vanish(objective) else ABOVE_A_FLOOR


def least_fall(objective, tol):
    """Share of itself by which the objective falls over ten iterations, at least.

    A run rests that falls by less: by one row's share of the mean, but at least 4 and
    at most 10 times ``tol``. What ten iterations change then is about what one row more
    or less would. It is ``tol`` where the objective may fall to 0, for real targets,
    where outliers may have all of the loss, and without a hidden layer, where the
    objective is convex and smooth.
    """
    convex = len(objective.layout.sizes) == 2
    if convex or may_vanish(objective) or isinstance(objective.loss, TargetLoss):
        return tol
    share = 1.0 / objective.data.whole.n_counted
    return min(max(4.0 * tol, share), 10.0 * tol)


def may_vanish(objective):
    """Whether the theorem speaks: a large enough network has the objective 0."""
    return objective.alpha == 0 and objective.loss.attains_minimum

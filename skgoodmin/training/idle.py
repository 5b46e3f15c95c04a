"""Idle units: with weight decay a network with room has no bad minimum to leave.

Let one hidden layer of positively homogeneous units, such as relu, be a local minimum
of a convex loss with weight decay. Where a unit is zero it is a global one, over
networks of every width (Haeffele and Vidal 2015): a unit that helped could grow in its
place. Weight decay makes units idle that are not needed, all the more of them the wider
the network is. What unit j does is bounded by

    p_j = ||w_j|| ||v_j||

with w_j the weights into it and v_j those out of it; at a minimum alpha sum_j p_j is
the penalty.
"""

import numpy as np

IDLE = 0.05  # of the mean of p: what an idle unit has at most
SHARE = 0.25  # of the units that are idle where there is room
ALIVE = 1e-3  # of the objective: the penalty of a network that is not a constant


def is_shrunk_layer(objective):
    """Whether weight decay shrinks one hidden layer of positively homogeneous units."""
    one_layer = len(objective.layout.sizes) == 3
    return objective.alpha > 0 and one_layer and objective.activation.free_scale


def has_room(objective, theta, value):
    """Whether a quarter of the units of the hidden layer are idle.

    A stalled run is not at its minimum yet, so a single idle unit says little; and
    where all are, the run may be at the saddle of the constants. Without weight decay
    units have no reason to be idle.

    value : float
        Objective at ``theta``.
    """
    if not is_shrunk_layer(objective):
        return False
    (into, out), _ = objective.layout.unpack(theta)
    p = np.sqrt((into * into).sum(axis=0) * (out * out).sum(axis=1))
    alive = objective.alpha * p.sum() > ALIVE * value
    return bool(alive and np.mean(p <= IDLE * p.mean()) >= SHARE)

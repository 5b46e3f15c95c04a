"""Idle units: with weight decay a network with room has no bad minimum to leave.

Where a unit is zero and the network a local minimum of a convex loss with weight decay,
it is a global one, over networks of every width (Haeffele and Vidal 2015, of factors
that are positively homogeneous, as units of relu are): a unit that helped could grow in
its place. Weight decay makes units idle that are not needed, all the more of them the
wider the network is. What unit j does is bounded by

    p_j = ||w_j|| ||v_j||

with w_j the weights into it and v_j those out of it.
"""

import numpy as np

IDLE = 0.05  # of the mean of p: what an idle unit has at most
SHARE = 0.25  # of the units that are idle where there is room


def has_room(objective, theta):
    """Whether a quarter of the units of the last hidden layer are idle.

    A stalled run is not at its minimum yet, so a single idle unit says little. Without
    weight decay units have no reason to be idle, and no network has room.
    """
    if objective.alpha == 0:
        return False
    coefs, _ = objective.layout.unpack(theta)
    into, out = coefs[-2], coefs[-1]
    p = np.sqrt((into * into).sum(axis=0) * (out * out).sum(axis=1))
    return bool(np.mean(p <= IDLE * p.mean()) >= SHARE)

"""The race of starts: which one goes on next.

Stalled starts wait, each at a level: how often it has been given patience, which
doubles every time. Whenever the next start is asked for,

1. of the levels at which a full round (``ROUND`` starts) waits, the highest is taken,
   and its best start goes on;
2. if there is none, new starts are begun, ``ROUND`` at a time;
3. if none is left to begin, the best of all that wait goes on.

The others that waited at the level of the one that goes on are given up.
"""

import numpy as np

ROUND = 3  # starts that wait at one level before the best one goes on


class Race:
    """Starts that wait, with ``value`` (objective) and ``level``."""

    def __init__(self):
        self.waiting = []

    def wait(self, start):
        """Add a start that has stalled."""
        self.waiting.append(start)

    def next(self, none_to_begin):
        """The start that goes on, or None if new ones are to begin, or none is left.

        none_to_begin : bool
            Whether all starts have begun.
        """
        chosen = self._best_of_a_round()
        if chosen is None and none_to_begin:
            chosen = min(self.waiting, key=value_of, default=None)
        if chosen is not None:
            self.waiting = [s for s in self.waiting if s.level != chosen.level]
        return chosen

    def _best_of_a_round(self):
        for level in sorted({start.level for start in self.waiting}, reverse=True):
            waiting = [start for start in self.waiting if start.level == level]
            if len(waiting) >= ROUND:
                return min(waiting, key=value_of)
        return None


def value_of(start):
    """The objective of a start; one that is NaN is worse than any other."""
    return np.inf if np.isnan(start.value) else start.value

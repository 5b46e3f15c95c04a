"""``functools.cached_property`` without its lock.

Before Python 3.12 all instances of a class share one. A child that is forked while a
thread holds it never gets it.
"""

import functools


class cached_property(functools.cached_property):  # noqa: N801  it stands for that one
    """A property that is computed once; by two threads at once perhaps twice.

    All of them get what was there first.
    """

    def __get__(self, instance, owner=None):
        """The value, computed if it is not known."""
        if instance is None:
            return self
        known = instance.__dict__
        if self.attrname in known:
            return known[self.attrname]
        return known.setdefault(self.attrname, self.func(instance))

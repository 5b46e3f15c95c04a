"""Cached properties: what a thread computes keeps nobody else waiting."""

import threading

from skgoodmin.kernels.cached import cached_property


class Slow:
    """Computes its value when it is told to, and counts."""

    def __init__(self):
        self.begun, self.may_end, self.n_computed = (
            threading.Event(),
            threading.Event(),
            0,
        )

    @cached_property
    def value(self):
        """A new object each time that it is computed."""
        self.n_computed += 1
        self.begun.set()
        assert self.may_end.wait(10)
        return object()


def test_it_is_computed_once():
    slow = Slow()
    slow.may_end.set()
    assert slow.value is slow.value is vars(slow)["value"]
    assert slow.n_computed == 1 and isinstance(Slow.value, cached_property)


def test_another_instance_does_not_wait():
    """As in a child that was forked in the middle, whose lock nobody gives back."""
    one, other, found = Slow(), Slow(), []
    thread = threading.Thread(target=lambda: found.append(one.value))
    thread.start()
    assert one.begun.wait(10)
    other.may_end.set()
    reader = threading.Thread(target=lambda: found.append(other.value), daemon=True)
    reader.start()
    reader.join(5)
    assert found == [other.value]
    one.may_end.set()
    thread.join(10)
    assert found == [other.value, one.value]

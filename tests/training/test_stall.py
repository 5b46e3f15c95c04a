"""The stall rule on curves with known values."""

from types import SimpleNamespace

import numpy as np
import pytest

from skgoodmin.objective.losses.squared_error import SquaredError
from skgoodmin.training.stall import (
    ABOVE_A_FLOOR,
    PATIENCE,
    TO_ZERO,
    StallRule,
    least_fall,
    may_vanish,
    stall_rule,
)


def _objective(alpha=0.0, attains_minimum=True, loss=None):
    loss = loss or SimpleNamespace(attains_minimum=attains_minimum)
    return SimpleNamespace(alpha=alpha, loss=loss)


def test_a_quarter_over_ten_iterations_or_a_thousandth_above_a_floor():
    assert PATIENCE == 10
    assert TO_ZERO == StallRule(fall=0.25, gain=0.05)
    assert ABOVE_A_FLOOR == StallRule(fall=0.001, gain=0.0)


def test_only_without_decay_and_with_a_minimum_can_the_objective_vanish():
    for alpha, attained in [(0.0, True), (0.0, False), (0.1, True), (0.1, False)]:
        objective = _objective(alpha, attained)
        certain = alpha == 0 and attained
        assert may_vanish(objective) == certain
        assert stall_rule(objective) is (TO_ZERO if certain else ABOVE_A_FLOOR)


# Falls over the window in units of what was there: 0.25 and 0.001 are enough.
FALLS = [
    (TO_ZERO, 0.0, True),
    (TO_ZERO, 0.125, True),
    (TO_ZERO, 0.2499, True),
    (TO_ZERO, 0.25, False),
    (TO_ZERO, 0.2501, False),
    (TO_ZERO, 0.5, False),
    (ABOVE_A_FLOOR, 0.0, True),
    (ABOVE_A_FLOOR, 0.000999, True),
    (ABOVE_A_FLOOR, 0.001001, False),
    (ABOVE_A_FLOOR, 0.01, False),
]


@pytest.mark.parametrize("rule, fall, stalled", FALLS)
@pytest.mark.parametrize("window", [1, 4, 10])
@pytest.mark.parametrize("scale", [1.0, 64.0])
def test_a_run_has_stalled_where_it_hardly_falls_over_the_window(
    rule, fall, stalled, window, scale
):
    # Before and within the window, values that must not be looked at.
    curve = [1e6, 1e3, scale, *[17 * scale] * (window - 1), scale * (1 - fall)]
    assert rule.stalled(curve, window) == stalled


@pytest.mark.parametrize("rule", [TO_ZERO, ABOVE_A_FLOOR])
def test_no_run_has_stalled_before_its_window_is_over(rule):
    for n_iter in range(20):
        flat = [1.0] * (n_iter + 1)
        assert rule.stalled(flat, 10) == (n_iter >= 10)
        assert not rule.stalled(flat, np.inf)
    assert rule.stalled([1.0], 0)  # and none at all is over at once


def test_the_window_is_counted_from_the_end():
    halving = [2.0 ** max(-i, -5) for i in range(20)]
    rule = StallRule(fall=0.25, gain=0.0)
    # 2^-5 from iteration 5 on: a window of 3 stalls at iteration 8.
    stalled = [rule.stalled(halving[: i + 1], 3) for i in range(20)]
    assert stalled == [i >= 8 for i in range(20)]


def test_an_objective_that_rises_or_has_reached_zero():
    rule = StallRule(fall=0.25, gain=0.0)
    assert rule.stalled([1.0, 2.0], 1)
    assert not rule.stalled([0.0, 0.0], 1)  # nothing is left of which a share could be


@pytest.mark.parametrize("before", [1.0, 8.0])
def test_a_graft_pays_by_more_than_its_share(before):
    rule = StallRule(fall=0.0, gain=0.25)
    assert rule.paid(before, 0.7499 * before)
    assert not rule.paid(before, 0.75 * before)
    assert not rule.paid(before, before)
    assert rule.paid(before, 0.0)
    free = StallRule(fall=0.0, gain=0.0)
    assert free.paid(before, np.nextafter(before, 0))
    assert not free.paid(before, before) and not free.paid(before, 2 * before)
    assert TO_ZERO.paid(before, 0.949 * before)
    assert not TO_ZERO.paid(before, 0.951 * before)


@pytest.mark.parametrize("tol", [1e-4, 1e-6])
def test_a_run_rests_where_it_falls_by_less_than_one_row_does(tol):
    def share(n_counted, alpha=1.0, loss=None, hidden=(4,)):
        objective = _objective(alpha, loss=loss)
        objective.layout = SimpleNamespace(sizes=(3, *hidden, 1))
        objective.data = SimpleNamespace(whole=SimpleNamespace(n_counted=n_counted))
        return least_fall(objective, tol)

    assert share(0.125 / tol) == 8 * tol
    assert share(1) == share(0.1 / tol) == 10 * tol
    assert share(0.25 / tol) == share(1e15) == 4 * tol
    assert share(0.125 / tol, alpha=0.0) == tol  # it may fall to 0
    assert share(0.125 / tol, loss=SquaredError()) == tol  # real targets
    assert share(0.125 / tol, hidden=()) == tol  # one minimum, and no kinks
    assert share(0.125 / tol, hidden=(4, 4)) == 8 * tol

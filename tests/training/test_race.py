"""Who goes on in a race of starts whose objectives and levels are known."""

from types import SimpleNamespace

import numpy as np
import pytest

from skgoodmin.training.race import ROUND, Race, value_of


def _race(*starts):
    """A race in which starts (level, value) wait, and these starts."""
    race = Race()
    made = [SimpleNamespace(level=level, value=value) for level, value in starts]
    for start in made:
        race.wait(start)
    return race, made


def test_a_round_are_three_starts():
    assert ROUND == 3


@pytest.mark.parametrize("none_to_begin", [False, True])
def test_the_best_of_a_full_round_goes_on_and_the_others_are_given_up(none_to_begin):
    race, starts = _race((1, 5.0), (1, 2.0), (1, 3.0))
    assert race.next(none_to_begin) is starts[1]
    assert race.waiting == []
    assert race.next(none_to_begin) is None


@pytest.mark.parametrize("n", [0, 1, 2])
def test_new_starts_begin_where_no_round_is_full(n):
    race, starts = _race(*[(1, float(i)) for i in range(n)])
    assert race.next(none_to_begin=False) is None
    assert race.waiting == starts


def test_starts_at_different_levels_are_no_round():
    race, starts = _race((1, 1.0), (1, 2.0), (2, 3.0), (2, 4.0), (3, 5.0))
    assert race.next(none_to_begin=False) is None and race.waiting == starts


@pytest.mark.parametrize("order", [range(8), range(7, -1, -1)])
def test_the_highest_level_with_a_full_round_goes_first(order):
    all_of_them = [(1, 0.1), (1, 0.2), (1, 0.3), (2, 0.7), (2, 0.6), (2, 0.5),
                   (11, 0.8), (11, 0.9)]  # fmt: skip
    race, _ = _race(*[all_of_them[i] for i in order])
    found = race.next(none_to_begin=False)
    # Not the better ones below, nor those above that are only two.
    assert (found.level, found.value) == (2, 0.5)
    assert sorted(s.level for s in race.waiting) == [1, 1, 1, 11, 11]
    assert race.next(none_to_begin=False).value == 0.1
    assert sorted(s.value for s in race.waiting) == [0.8, 0.9]
    assert race.next(none_to_begin=False) is None


def test_more_than_a_round_is_one_too():
    race, starts = _race((1, 3.0), (1, 2.0), (1, 4.0), (1, 1.0))
    assert race.next(none_to_begin=False) is starts[3] and race.waiting == []


def test_once_all_have_begun_the_best_of_any_level_goes_on():
    race, starts = _race((1, 3.0), (2, 2.0), (3, 4.0), (2, 5.0))
    assert race.next(none_to_begin=True) is starts[1]
    # The other one at its level is given up, those of other levels are not.
    assert race.waiting == [starts[0], starts[2]]
    assert race.next(none_to_begin=True) is starts[0]
    assert race.next(none_to_begin=True) is starts[2]
    assert race.next(none_to_begin=True) is None


def test_a_full_round_goes_before_a_better_start():
    race, starts = _race((1, 0.0), (2, 9.0), (2, 8.0), (2, 7.0))
    assert race.next(none_to_begin=True) is starts[3]
    assert race.waiting == [starts[0]]


def test_the_first_of_equals_goes_on():
    race, starts = _race((1, 1.0), (1, 1.0), (1, 1.0))
    assert race.next(none_to_begin=False) is starts[0]


def test_nan_is_worse_than_any_value():
    race, starts = _race((1, np.nan), (1, 1e300), (1, np.nan))
    assert race.next(none_to_begin=False) is starts[1]
    race, starts = _race((1, np.nan), (2, 1.0), (3, np.nan))
    assert race.next(none_to_begin=True) is starts[1]
    assert value_of(starts[0]) == np.inf and value_of(starts[1]) == 1.0
    assert value_of(SimpleNamespace(value=-np.inf)) == -np.inf


def test_a_race_of_nan_goes_on_all_the_same():
    race, starts = _race((1, np.nan), (1, np.nan), (1, np.nan))
    assert race.next(none_to_begin=False) is starts[0]

"""The search over starts whose course is known beforehand."""

import itertools
import threading
from types import SimpleNamespace

import numpy as np
import pytest

import skgoodmin.training.escape
from skgoodmin.training.escape import search
from skgoodmin.training.stop import StopRequest

N = 8  # evaluations of a start from one stall to the next


class ScriptedStart:
    """Goes from one value to the next, N evaluations each time it goes on.

    theta0 are the values; one below 0 is a victory. ``log`` has (number, evaluations
    granted) in the order of what happened.
    """

    log: list = []
    hook = staticmethod(lambda start: None)

    def __init__(self, objective, theta0, budget, number, seed, on_iteration):
        self.arguments = objective, budget, on_iteration
        self.values, self.number, self.seed = list(theta0), number, seed
        self.spent, self.level, self.value, self.won = 1.0, 0, None, False
        self.trace = [number]

    def go_on(self, max_fun):
        self.hook(self)
        self.log.append((self.number, max_fun))
        self.value = self.values.pop(0)
        self.spent += N - 1 if self.level == 0 else N
        self.level += 1
        self.won = self.value < 0
        self.trace.append(self.value)

    @property
    def may_go_on(self):
        return not self.won and bool(self.values)


@pytest.fixture(autouse=True)
def log(monkeypatch):
    monkeypatch.setattr(skgoodmin.training.escape, "Start", ScriptedStart)
    monkeypatch.setattr(ScriptedStart, "log", [])
    return ScriptedStart


def _search(starts, max_fun=10**6, rng=None, **options):
    rng = np.random.RandomState(0) if rng is None else rng
    budget = SimpleNamespace(max_fun=max_fun, stop=StopRequest())
    return search("objective", starts, rng, budget, **options)


def _order():
    return [number for number, _ in ScriptedStart.log]


def test_a_start_gets_what_the_search_got():
    told = lambda progress: False  # noqa: E731
    found = _search([[1.0]], on_iteration=told)
    objective, budget, on_iteration = found.best.arguments
    assert (objective, budget.max_fun) == ("objective", 10**6) and on_iteration is told


def test_each_of_a_few_starts():
    found = _search([[3.0], [1.0], [2.0], [4.0]])
    assert found.losses == [3, 1, 2, 4] and found.best.number == 1
    assert found.spent == 4 * N and _order() == [0, 1, 2, 3]
    assert found.traces == [[0, 3], [1, 1], [2, 2], [3, 4]]


def test_three_begin_at_a_time_and_share_what_is_left():
    _search([[1.0]] * 7, max_fun=120)
    left = [120, 120 - 3 * N, 120 - 6 * N]
    shares = [left[0] / 3] * 3 + [left[1] / 3] * 3 + [left[2]]
    assert ScriptedStart.log == list(enumerate(shares))


def test_two_in_the_last_round_have_half_each():
    _search([[1.0]] * 5, max_fun=120)
    left = 120 - 3 * N
    assert ScriptedStart.log[3:] == [(3, left / 2), (4, left / 2)]


def test_the_best_of_three_goes_on_before_others_begin():
    first = [5.0, 9.0], [4.0, 3.5, 3.4], [6.0, 1.0]
    second = [7.0, 9.0], [8.0, 9.0], [6.5, 2.5]
    found = _search([*first, *second], max_fun=1000)
    # 1 goes on to level 2, where it waits alone; then so does the best of the others.
    assert _order() == [0, 1, 2, 1, 3, 4, 5, 5, 1]
    assert found.losses == [5, 3.4, 6, 7, 8, 2.5]
    assert found.best.number == 5 and found.spent == 9 * N
    assert found.traces[1] == [1, 4, 3.5, 3.4] and found.traces[5] == [5, 6.5, 2.5]


def test_what_is_left_for_a_start_that_goes_on_contains_what_it_has_spent():
    _search([[5.0], [4.0, 3.0, 2.0], [6.0, 1.0]], max_fun=1000)
    # 1 goes on twice; the two others have been given up.
    assert ScriptedStart.log[3:] == [(1, 1000 - 2 * N), (1, 1000 - 2 * N)]


def test_starts_that_have_nothing_left_are_not_resumed():
    found = _search([[1.0], [2.0, 1.5], [3.0, 0.5]])
    assert _order() == [0, 1, 2, 1]
    assert found.best.number == 0 and found.losses == [1, 1.5, 3]


def test_a_victory_ends_the_search():
    found = _search(itertools.chain([[1.0], [-1.0], [0.5]], itertools.repeat([9.0])))
    assert _order() == [0, 1]  # one after the other: the third has not begun
    assert found.best.number == 1 and found.best.won
    assert found.losses == [1, -1] and found.spent == 2 * N
    assert found.traces == [[0, 1], [1, -1]]


def test_a_victory_of_one_that_went_on():
    found = _search([[3.0, 4.0], [2.0, -1.0], [1.5, 1.0, 0.5], [0.1]])
    # In the first round the best is 2; all have begun after the second one.
    assert _order()[:5] == [0, 1, 2, 2, 3] and found.best.number in (2, 3)
    found = _search([[3.0, 4.0], [2.0, -1.0], [2.5, 1.0], [0.1]])
    assert found.best.number == 1 and found.losses == [3, -1, 2.5]
    assert found.spent == 4 * N


def test_a_victory_wins_against_better_values(monkeypatch):
    class Stubborn(ScriptedStart):
        def go_on(self, max_fun):
            super().go_on(max_fun)
            self.won = self.number == 1

    monkeypatch.setattr(skgoodmin.training.escape, "Start", Stubborn)
    assert _search([[1.0], [2.0], [0.5]]).best.number == 1


@pytest.mark.parametrize(
    "max_fun, begun",
    [
        (1, 1),
        (2, 2),
        (N, 3),
        (3 * N, 3),
        (3 * N + 0.9, 3),
        (3 * N + 1, 4),
        (10 * N, 12),
    ],
)
def test_max_fun_ends_an_endless_search(max_fun, begun):
    """No start begins without an evaluation of its own that is left."""
    found = _search(itertools.repeat([1.0]), max_fun=max_fun)
    assert len(found.losses) == begun and found.spent == begun * N
    assert all(granted > 0 for _, granted in ScriptedStart.log)


def test_max_fun_ends_a_race_too():
    for max_fun, n in [(3 * N, 3), (3 * N + 1, 4), (4 * N, 4), (4 * N + 1, 5)]:
        ScriptedStart.log.clear()
        found = _search([[3.0] * 9, [2.0] * 9, [2.5] * 9], max_fun=max_fun)
        assert len(_order()) == n and found.spent == n * N


def test_no_start_or_no_budget_is_an_error():
    for starts, max_fun in [([], 10), ([[1.0]], 0), ([[1.0]], -1)]:
        with pytest.raises(ValueError, match="no start, or no budget"):
            _search(starts, max_fun)


def test_the_best_is_the_smallest_that_is_not_nan():
    nan = np.nan
    for values, best in [
        ([nan, 3.0, 2.0], 2),
        ([3.0, nan, nan], 0),
        ([nan, nan, 1e300], 2),
        ([nan, nan], 0),
        ([np.inf, nan, np.inf], 0),
        ([2.0, 2.0], 0),
        ([2.0, 1.0, 1.0, 1.0], 1),
    ]:
        assert _search([[value] for value in values]).best.number == best


def test_the_best_may_be_one_that_was_given_up_or_has_become_worse():
    found = _search([[1.0, 7.0], [2.0], [3.0]])
    # The same start: its present value counts, but nobody else was better then.
    assert found.best.number == 0 and found.losses == [7, 2, 3]


def test_seeds_are_drawn_round_by_round_from_the_generator(monkeypatch):
    seeds = {}
    monkeypatch.setattr(
        ScriptedStart,
        "hook",
        staticmethod(lambda s: seeds.setdefault(s.number, s.seed)),
    )
    _search([[1.0]] * 5, rng=np.random.RandomState(7))
    rng, largest = np.random.RandomState(7), np.iinfo(np.int32).max
    expected = [*rng.randint(largest, size=3), *rng.randint(largest, size=2)]
    assert [seeds[i] for i in range(5)] == expected


def _courses():
    """Some thirty starts with random courses."""
    rng = np.random.RandomState(1)
    return [list(rng.uniform(size=rng.randint(1, 6))) for _ in range(30)]


@pytest.mark.parametrize("n_jobs", [2, 3])
@pytest.mark.parametrize("max_fun", [17 * N, 10**6])
@pytest.mark.parametrize("winner", [None, 0, 1, 13])
def test_the_result_does_not_depend_on_n_jobs(monkeypatch, n_jobs, max_fun, winner):
    seeds = []
    monkeypatch.setattr(
        ScriptedStart, "hook", staticmethod(lambda s: seeds.append((s.number, s.seed)))
    )
    results = []
    for n in (None, n_jobs):
        courses = _courses()
        if winner is not None:
            courses[winner][0] = -1.0
        seeds.clear()
        found = _search(courses, max_fun, np.random.RandomState(2), n_jobs=n)
        known = dict(seeds)
        kept = [known[i] for i in range(len(found.losses))]
        best = found.best.number, found.best.value
        results.append((best, found.losses, found.spent, found.traces, kept))
    assert results[0] == results[1]


def _threads(monkeypatch, starts, n_jobs, parties):
    """Threads in which the starts ran, ``parties`` of them at the same time."""
    barrier, threads = threading.Barrier(parties), set()

    def hook(start):
        threads.add(threading.get_ident())
        barrier.wait(timeout=5)

    monkeypatch.setattr(ScriptedStart, "hook", staticmethod(hook))
    _search(starts, n_jobs=n_jobs)
    return threads


def test_the_starts_of_a_round_run_at_once(monkeypatch):
    assert len(_threads(monkeypatch, [[1.0]] * 2, 2, 2)) == 2
    assert len(_threads(monkeypatch, [[1.0]] * 3, 3, 3)) == 3


@pytest.mark.parametrize("n_jobs, n_starts", [(None, 3), (1, 3), (2, 1)])
def test_no_thread_is_begun_without_need(monkeypatch, n_jobs, n_starts):
    def parallel(*_, **__):
        raise AssertionError("threads")

    monkeypatch.setattr(skgoodmin.training.escape, "Parallel", parallel)
    here = {threading.get_ident()}
    assert _threads(monkeypatch, [[1.0]] * n_starts, n_jobs, 1) == here

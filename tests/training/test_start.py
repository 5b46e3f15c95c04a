"""The policy of one start, with runs and grafts whose course is known beforehand."""

from types import SimpleNamespace

import numpy as np
import pytest

import skgoodmin.training.start
from skgoodmin.training.lbfgs import Exit, Solution
from skgoodmin.training.progress import Progress
from skgoodmin.training.stall import ABOVE_A_FLOOR, TO_ZERO
from skgoodmin.training.start import Budget, Start

GRAFT_COST = 2.5


class ScriptedRun:
    """Goes through the values that the objective keeps for it.

    theta0 holds one number, which names the script: (values, evaluations that an
    iteration takes, exit where the values end).
    """

    def __init__(self, objective, theta0, tol, least_fall, rough):
        assert rough is None
        self.rough = None
        self.theta, self.tol, self.n_fun = theta0, tol, 1
        self.least_fall = least_fall
        values, self.takes, self.end = objective.scripts[int(theta0[0])]
        self.curve, self.to_come, self.exit = list(values[:1]), list(values[1:]), None
        self.limits = []  # what advance was asked for
        if not np.isfinite(self.value):
            self.exit = Exit.OVERFLOW

    value = property(lambda self: self.curve[-1])
    n_iter = property(lambda self: len(self.curve) - 1)

    @property
    def ended(self):
        return self.exit not in (None, Exit.MAX_ITER, Exit.MAX_FUN)

    def advance(self, max_iter, max_fun, on_iteration=None):
        self.limits.append((max_iter, max_fun))
        while not self.ended:
            if self.n_iter >= max_iter:
                self.exit = Exit.MAX_ITER
            elif self.n_fun + self.takes > max_fun:
                self.n_fun, self.exit = max(max_fun, self.n_fun), Exit.MAX_FUN
            elif not self.to_come:
                self.exit = self.end
            else:
                self.n_fun += self.takes
                self.curve.append(self.to_come.pop(0))
                if on_iteration is not None and on_iteration(self):
                    self.exit = Exit.STOPPED
                continue
            return

    def solution(self):
        exit = self.exit or Exit.MAX_ITER
        point = self.theta, self.value, 0.1, exit, self.n_iter, self.n_fun
        return Solution(*point, np.array(self.curve))


class Scripted:
    """An objective with scripts of runs, and the log of what was grafted."""

    def __init__(self, monkeypatch, *scripts, alpha=0.0, hidden=(4,), share=1e-9):
        self.scripts, self.alpha, self.in_float32 = scripts, alpha, None
        self.loss = SimpleNamespace(attains_minimum=True, unit_margin=True, size=1.0)
        self.layout = SimpleNamespace(sizes=(3, *hidden, 1))
        self.shares = np.array([1 - share, share])
        whole = SimpleNamespace(n_counted=500, n_rows=500)
        self.data = SimpleNamespace(whole=whole, n_features=3, dtype=np.float64)
        self.n_parameters = 100
        self.grafts, self.costs, self.refused, self.roomy = [], [], {}, set()
        monkeypatch.setattr(skgoodmin.training.start, "Run", ScriptedRun)
        monkeypatch.setattr(skgoodmin.training.start, "graft", self.graft)
        monkeypatch.setattr(skgoodmin.training.start, "has_room", self.has_room)
        monkeypatch.setattr(skgoodmin.training.start, "graft_cost", self.graft_cost)

    def graft(self, objective, theta, rng, n_directions, every_layer):
        assert objective is self
        self.grafts.append((theta[0], rng.randint(10**9), n_directions, every_layer))
        refusal = self.refused.get(len(self.grafts))
        if isinstance(refusal, Exception):
            raise refusal
        return np.array([len(self.grafts) if refusal is None else refusal, 0.0])

    def has_room(self, objective, theta, value):
        assert objective is self and np.isfinite(value)
        return theta[0] in self.roomy

    def graft_cost(self, objective, n_directions, every_layer):
        assert objective is self
        self.costs.append((n_directions, every_layer))
        return GRAFT_COST


def _flat(value, takes=1, n=1000, end=Exit.CONVERGED):
    return [value] * n, takes, end


def _falling(n=1000, takes=1, end=Exit.CONVERGED, first=1.0):
    """Halves at every iteration: it never stalls."""
    return [first * 2.0**-i for i in range(n)], takes, end


def _start(objective, number=0, seed=0, on_iteration=None, **budget):
    budget = {"max_iter": 10**6, "max_fun": 10**6, "tol": 1e-3} | budget
    theta0 = np.array([0.0, 0.0])
    return Start(objective, theta0, Budget(**budget), number, seed, on_iteration)


def test_a_budget_without_more_words():
    assert Budget(1, 2, 3.0) == Budget(
        max_iter=1, max_fun=2, tol=3.0, max_escapes=0, n_directions=16,
        every_layer=False,
    )  # fmt: skip


def test_a_start_begins_with_one_evaluation(monkeypatch):
    start = _start(Scripted(monkeypatch, _flat(3.0)), number=7)
    assert start.spent == 1.0 and isinstance(start.spent, float)
    assert start.value == 3.0 and start.run.tol == 1e-3 and start.run.n_iter == 0
    assert start.trace == [(0, 1.0, 3.0)]
    assert (start.number, start.level, start.n_grafts, start.n_escapes) == (7, 0, 0, 0)
    assert not start.won and not start.idle and start.may_go_on


def test_the_rule_is_that_of_the_objective(monkeypatch):
    assert _start(Scripted(monkeypatch, _flat(3.0))).rule is TO_ZERO
    assert _start(Scripted(monkeypatch, _flat(3.0), alpha=1.0)).rule is ABOVE_A_FLOOR


def test_patience_is_ten_iterations_and_doubles(monkeypatch):
    start = _start(Scripted(monkeypatch, _flat(1.0, takes=3)))
    for level, n_iter in enumerate([10, 20, 40, 80, 160], 1):
        start.go_on(10**6)
        assert start.level == level
        assert start.run.n_iter == n_iter
        assert start.spent == 1 + 3 * n_iter
        assert start.may_go_on and not start.idle


def test_a_run_goes_on_as_long_as_it_falls(monkeypatch):
    values = [2.0 ** -(i // 9) for i in range(60)] + [2.0**-6] * 100
    start = _start(Scripted(monkeypatch, (values, 1, Exit.CONVERGED)))
    start.go_on(10**6)
    last_fall = next(i for i, v in enumerate(values) if v == values[-1])
    assert start.run.n_iter == last_fall + 10


def test_the_trace_has_every_iteration(monkeypatch):
    start = _start(Scripted(monkeypatch, _falling(5, takes=2)))
    start.go_on(10**6)
    assert start.trace == [(0, 1 + 2 * i, 2.0**-i) for i in range(5)]
    assert start.run.exit is Exit.CONVERGED and not start.may_go_on


def test_grafts_follow_each_other_until_one_does_not_pay(monkeypatch):
    objective = Scripted(
        monkeypatch, _flat(1.0, 2), _flat(0.5, 3), _flat(0.4, 1), _flat(0.39, 5),
    )  # fmt: skip
    start = _start(objective, seed=3, max_escapes=100, n_directions=8, every_layer=True)
    start.go_on(10**6)
    # 0.39 is more than 95 % of 0.4.
    assert start.value == 0.4 and start.run.theta[0] == 2
    assert (start.n_grafts, start.n_escapes, start.level) == (3, 2, 1)
    stalls = [1 + 20, 2.5 + 1 + 30, 2.5 + 1 + 10, 2.5 + 1 + 50]
    assert start.spent == sum(stalls)
    numbers = np.random.RandomState(3).randint(10**9, size=3)
    assert objective.grafts == [(i, numbers[i], 8, True) for i in range(3)]
    assert objective.costs == [(8, True)] * 3
    expected, spent = [(0, 1.0, 1.0)], 1.0
    for escape, (value, takes) in enumerate([(1.0, 2), (0.5, 3), (0.4, 1), (0.39, 5)]):
        if escape > 0:
            spent += GRAFT_COST + 1
            expected.append((escape, spent, value))
        for _ in range(10):
            spent += takes
            expected.append((escape, spent, value))
    assert start.trace == expected


def test_a_start_that_has_escaped_is_resumed_from_its_last_escape(monkeypatch):
    scripts = _flat(1.0), _flat(0.5), _flat(0.5), _flat(0.5)
    objective = Scripted(monkeypatch, *scripts)
    start = _start(objective, max_escapes=2)
    start.go_on(10**6)
    assert start.level == 1 and start.run.n_iter == 10 and start.n_grafts == 2
    before = start.spent
    start.go_on(10**6)  # no graft is left
    assert start.level == 2 and start.run.n_iter == 20 and start.n_grafts == 2
    assert start.spent == before + 10
    # They are those of the first graft's run; the second graft has been dropped.
    assert [point[0] for point in start.trace[-10:]] == [1] * 10


def test_a_resumed_start_grafts_again(monkeypatch):
    objective = Scripted(monkeypatch, _flat(1.0), _flat(1.0), _flat(0.5), _flat(0.5))
    start = _start(objective, max_escapes=100)
    start.go_on(10**6)
    assert (start.value, start.level, start.n_escapes, start.n_grafts) == (1, 1, 0, 1)
    start.go_on(10**6)
    assert (start.value, start.level, start.n_escapes, start.n_grafts) == (0.5, 1, 1, 3)


def test_above_a_floor_any_fall_pays(monkeypatch):
    scripts = _flat(1.0), _flat(0.9999), _flat(0.9999)
    start = _start(Scripted(monkeypatch, *scripts, alpha=1.0), max_escapes=100)
    start.go_on(10**6)
    assert (start.value, start.n_escapes, start.n_grafts) == (0.9999, 1, 2)


def test_a_run_with_room_is_not_escaped_from(monkeypatch):
    objective = Scripted(monkeypatch, _flat(1.0), _flat(0.5), _flat(0.2), alpha=1.0)
    objective.roomy.add(1)
    start = _start(objective, max_escapes=100)
    start.go_on(10**6)
    assert (start.value, start.n_escapes, start.n_grafts) == (0.5, 1, 1)
    assert not start.may_escape and start.may_go_on


def test_a_run_that_misses_nothing_is_not_escaped_from(monkeypatch):
    objective = Scripted(monkeypatch, _flat(1.0), _flat(0.5), _flat(0.2), alpha=1.0)
    looked = []

    def misses_nothing(of, theta, value, rng):
        assert of is objective and value == [1.0, 0.5][int(theta[0])]
        looked.append(theta[0])
        return theta[0] == 1

    module = skgoodmin.training.start
    monkeypatch.setattr(module, "misses_nothing", misses_nothing)
    monkeypatch.setattr(module, "promise_cost", lambda of: 7.0)
    start = _start(objective, max_escapes=100)
    start.go_on(17)  # a stall takes eleven evaluations, and a look no more than is left
    assert looked == [] and start.spent == 11 and start.may_escape
    start = _start(objective, max_escapes=100)
    start.go_on(10**6)
    assert looked == [0, 1] and start.spent == 11 + 7 + GRAFT_COST + 11 + 7
    assert (start.value, start.n_escapes, start.n_grafts) == (0.5, 1, 1)
    assert not start.may_escape and start.may_go_on
    start.go_on(10**6)
    assert looked == [0, 1]


def test_each_run_rests_by_the_rule_of_the_objective(monkeypatch):
    for alpha, share in [(0.0, 1e-3), (1.0, 4e-3)]:
        objective = Scripted(monkeypatch, _flat(1.0), _flat(0.5), alpha=alpha)
        start = _start(objective, max_escapes=1)
        assert start.run.least_fall == share
        start.go_on(10**6)
        assert start.n_escapes == 1 and start.run.least_fall == share


@pytest.mark.parametrize("max_escapes", [0, 1, 4])
def test_no_more_grafts_than_escapes_are_allowed(monkeypatch, max_escapes):
    scripts = [_flat(0.5**i) for i in range(9)]
    start = _start(Scripted(monkeypatch, *scripts), max_escapes=max_escapes)
    for _ in range(3):
        start.go_on(10**6)
        assert start.n_grafts == start.n_escapes == max_escapes
        assert not start.may_escape and start.may_go_on


def test_a_network_without_hidden_layer_has_no_unit_to_graft(monkeypatch):
    for hidden, n_grafts in [((), 0), ((1,), 1), ((1, 1), 1)]:
        objective = Scripted(monkeypatch, _flat(1.0), _flat(1.0), hidden=hidden)
        start = _start(objective, max_escapes=100)
        start.go_on(10**6)
        assert start.n_grafts == n_grafts


def test_a_graft_has_to_fit_into_the_budget_with_one_evaluation(monkeypatch):
    for short, n_grafts in [(0.0, 1), (0.25, 0), (1.0, 0)]:
        objective = Scripted(monkeypatch, _flat(1.0), _flat(0.5))
        start = _start(objective, max_escapes=100)
        start.go_on(11 + GRAFT_COST + 1 - short)
        assert start.run.n_iter == (0 if n_grafts else 10)
        assert start.n_grafts == len(objective.grafts) == n_grafts
        assert start.spent == 11 + n_grafts * (GRAFT_COST + 1)


def test_the_budget_ends_a_run(monkeypatch):
    start = _start(Scripted(monkeypatch, _falling(100, takes=3)))
    start.go_on(20.9)  # 1 + 6 * 3 and one evaluation of the next line search
    assert start.spent == 20 and start.run.n_iter == 6
    assert start.run.exit is Exit.MAX_FUN
    assert start.run.limits == [(i, 20) for i in range(1, 8)]
    assert start.trace[-1] == (0, 19.0, 2.0**-6) and len(start.trace) == 7
    assert start.may_go_on
    start.go_on(24)
    assert start.spent == 24 and start.run.n_iter == 7


def test_the_budget_of_a_grafted_run_is_what_the_others_left(monkeypatch):
    objective = Scripted(monkeypatch, _flat(1.0), _falling(100, first=0.5))
    start = _start(objective, max_escapes=1)
    start.go_on(11 + GRAFT_COST + 1 + 5.75)
    assert start.run.limits == [(i, 1 + 5) for i in range(1, 7)]
    assert start.spent == 11 + GRAFT_COST + 1 + 5 and start.run.n_iter == 5


def test_a_start_that_can_do_nothing_is_idle(monkeypatch):
    objective = Scripted(monkeypatch, _flat(1.0), _flat(0.5))
    start = _start(objective, max_escapes=100)
    start.go_on(5)
    assert start.spent == 5 and not start.idle and start.may_go_on
    start.go_on(5)
    assert start.spent == 5 and start.idle and not start.may_go_on
    start.go_on(3)  # less than was spent
    assert start.spent == 5 and start.idle
    start.go_on(8)
    assert start.spent == 8 and not start.idle and start.may_go_on


@pytest.mark.parametrize("max_iter", [1, 4, 10, 11])
def test_max_iter_bounds_each_run(monkeypatch, max_iter):
    objective = Scripted(monkeypatch, _falling(100), _falling(100, first=1e-9), share=0)
    start = _start(objective, max_iter=max_iter, max_escapes=1)
    start.go_on(10**6)
    assert start.n_grafts == start.n_escapes == 1
    assert [point[0] for point in start.trace] == [0] * (max_iter + 1) + [1] * (
        max_iter + 1
    )
    assert start.spent == 2 * (max_iter + 1) + GRAFT_COST
    assert not start.may_go_on  # but for nothing: its iterations and grafts are over
    start.go_on(10**6)
    assert start.idle and start.run.n_iter == max_iter


def test_iterations_that_are_left_are_a_reason_to_go_on(monkeypatch):
    start = _start(Scripted(monkeypatch, _flat(1.0)), max_iter=11)
    start.go_on(10**6)
    assert start.run.n_iter == 10 and start.may_go_on
    start.go_on(10**6)
    assert start.run.n_iter == 11 and not start.may_go_on


@pytest.mark.parametrize("end", Exit)
def test_which_ends_of_a_run_a_graft_may_follow(monkeypatch, end):
    objective = Scripted(monkeypatch, _falling(3, end=end), _flat(1.0))
    start = _start(objective, max_escapes=100, max_iter=1000)
    if end in (Exit.MAX_ITER, Exit.MAX_FUN):  # these are pauses
        start.run.exit = end
    else:
        start.go_on(10**6)
    dead = end in (Exit.OVERFLOW, Exit.STOPPED)
    assert start.may_escape == start.may_go_on == (not dead)
    assert start.n_grafts == (not dead and end not in (Exit.MAX_ITER, Exit.MAX_FUN))


def test_a_run_that_has_ended_goes_on_by_grafts_alone(monkeypatch):
    objective = Scripted(monkeypatch, _falling(3), _flat(1.0), _flat(0.001))
    start = _start(objective, max_escapes=2)
    start.go_on(10**6)
    assert start.run.exit is Exit.CONVERGED and start.may_go_on and start.n_grafts == 1
    start.go_on(10**6)
    assert start.value == 0.001 and start.n_escapes == 1


def test_an_overflow_at_the_start_is_the_end_of_it(monkeypatch):
    start = _start(Scripted(monkeypatch, _flat(np.inf)), max_escapes=100)
    start.go_on(10**6)
    assert start.spent == 1 and start.n_grafts == 0 and not start.may_go_on


REFUSALS = [np.linalg.LinAlgError("too large"), np.inf, np.nan]


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
def test_a_graft_that_fails_is_one_that_has_not_paid(monkeypatch, refusal):
    objective = Scripted(monkeypatch, _flat(1.0), _flat(0.5), _flat(0.2))
    objective.refused[2] = refusal
    start = _start(objective, max_escapes=100)
    start.go_on(10**6)
    assert (start.n_grafts, start.n_escapes, start.value) == (2, 1, 0.5)
    assert start.spent == 11 + GRAFT_COST + 11  # what failed has cost nothing
    assert start.may_go_on


def test_other_errors_of_a_graft_are_raised(monkeypatch):
    objective = Scripted(monkeypatch, _flat(1.0))
    objective.refused[1] = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        _start(objective, max_escapes=1).go_on(10**6)


def test_a_graft_may_overflow_in_silence(monkeypatch):
    objective = Scripted(monkeypatch, _flat(1.0), _flat(0.5))

    def overflow(*_):
        return np.array([1.0, np.exp(np.array(1e3)) * 0 + np.log(np.array(0.0))])

    monkeypatch.setattr(skgoodmin.training.start, "graft", overflow)
    start = _start(objective, max_escapes=1)
    start.go_on(10**6)
    assert (start.n_grafts, start.n_escapes) == (1, 0)


def test_a_start_wins_below_the_share_of_a_row(monkeypatch):
    objective = Scripted(monkeypatch, _falling(100), share=0.01)
    start = _start(objective, max_escapes=100)
    start.go_on(10**6)
    assert start.won and start.value == 2.0**-7 and start.run.n_iter == 7
    assert start.spent == 8 and start.n_grafts == 0
    assert not start.may_go_on and not start.may_escape
    start.go_on(10**6)
    assert start.spent == 8 and start.won


def test_a_start_that_has_won_before_it_began(monkeypatch):
    start = _start(Scripted(monkeypatch, _falling(first=0.4), share=0.5))
    start.go_on(10**6)
    assert start.won and start.spent == 1 and start.run.limits == []


def test_a_graft_that_wins_has_paid_whatever_its_gain(monkeypatch):
    objective = Scripted(monkeypatch, _flat(0.51), _flat(0.499), share=0.5)
    start = _start(objective, max_escapes=100)
    start.go_on(10**6)
    assert start.won and start.value == 0.499
    assert (start.n_grafts, start.n_escapes) == (1, 1)
    assert start.spent == 11 + GRAFT_COST + 1
    assert start.trace[-1] == (1, 11 + GRAFT_COST + 1, 0.499)


def test_the_solution_is_of_all_runs_that_led_there(monkeypatch):
    scripts = _flat(1.0), _flat(0.5), _flat(0.5), _falling(30, first=0.25)
    start = _start(Scripted(monkeypatch, *scripts), max_escapes=3, max_iter=25)
    start.go_on(10**6)
    assert (start.n_grafts, start.n_escapes) == (2, 1)
    solution = start.solution()
    np.testing.assert_array_equal(solution.curve, [1.0] * 11 + [0.5] * 11)
    assert solution.n_iter == 10 and solution.theta[0] == 1 and solution.value == 0.5
    start.go_on(10**6)
    assert (start.n_grafts, start.n_escapes) == (3, 2)
    solution = start.solution()
    last = [0.25 * 2.0**-i for i in range(26)]
    np.testing.assert_array_equal(solution.curve, [1.0] * 11 + [0.5] * 21 + last)
    assert solution.n_iter == 25 and solution.theta[0] == 3
    assert solution.exit is Exit.MAX_ITER and solution.grad_norm == 0.1


def test_polish_goes_past_all_stalls_without_a_graft(monkeypatch):
    scripts = _flat(1.0), _flat(0.5, n=300), _flat(0.5)
    start = _start(Scripted(monkeypatch, *scripts), max_escapes=3)
    start.go_on(10**6)
    level, n_grafts, spent = start.level, start.n_grafts, start.spent
    start.polish(10**6)
    assert start.run.n_iter == 299 and start.run.exit is Exit.CONVERGED
    assert (start.level, start.n_grafts) == (level, n_grafts)
    assert start.spent == spent + 289
    assert start.trace[-1] == (start.escape, start.spent, 0.5)
    assert start.escape == 1 < n_grafts


def test_polish_keeps_to_its_budget(monkeypatch):
    start = _start(Scripted(monkeypatch, _flat(1.0, takes=2)))
    start.polish(41)
    assert start.spent == 41 and start.run.n_iter == 20
    start.polish(41)
    assert start.spent == 41


def test_progress_is_told_after_each_iteration(monkeypatch):
    told = []
    scripts = _flat(1.0, takes=2), _flat(0.5), _flat(0.5)
    objective = Scripted(monkeypatch, *scripts)
    start = _start(objective, 4, 0, told.append, max_escapes=2)
    start.go_on(10**6)
    theta = [progress.theta[0] for progress in told]
    assert theta == [0] * 10 + [1] * 10 + [2] * 10
    told = [progress._replace(theta=None) for progress in told]
    first = [Progress(4, 0, i, 1 + 2 * i, 1.0, None) for i in range(1, 11)]
    second = [Progress(4, 1, i, 24.5 + i, 0.5, None) for i in range(1, 11)]
    third = [Progress(4, 2, i, 38 + i, 0.5, None) for i in range(1, 11)]
    assert told == first + second + third
    assert [point[1] for point in start.trace if point[1] in (1, 24.5, 38)] == [
        1, 24.5, 38
    ]  # fmt: skip


def test_who_listens_may_end_a_start(monkeypatch):
    objective = Scripted(monkeypatch, _falling(100))
    start = _start(objective, 0, 0, lambda progress: progress.n_iter == 4,
                   max_escapes=10)  # fmt: skip
    start.go_on(10**6)
    assert start.run.exit is Exit.STOPPED and start.run.n_iter == 4
    assert start.n_grafts == 0 and not start.may_go_on
    start.polish(10**6)
    assert start.run.n_iter == 4


def test_a_stop_in_a_grafted_run(monkeypatch):
    objective = Scripted(monkeypatch, _flat(1.0), _falling(100, first=0.5))
    start = _start(objective, 0, 0, lambda p: (p.escape, p.n_iter) == (1, 4),
                   max_escapes=10)  # fmt: skip
    start.go_on(10**6)
    assert start.run.exit is Exit.STOPPED and start.n_escapes == 1
    assert start.value == 0.5 * 2.0**-4 and not start.may_go_on

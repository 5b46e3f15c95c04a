"""Grow: units are added until none lowers the objective, and the rest is convex.

One hidden layer of relu with weight decay. With directions of length 1 the objective is

    P = mean loss(sum_j v_j relu(w_j.x + b_j) + c) + alpha sum_j ||v_j||

which is convex in (v, c). A round

1. solves that (:mod:`skgoodmin.certificates.group_lasso`) and drops units with v_j = 0,
2. looks for neurons with a polar above alpha (:mod:`.unit_search`): they lower P, and
   if none were larger than the largest one found, Z, then

       P* >= D(R min(1, alpha / Z)),   R the residuals, balanced

   would bound the objective of networks of every width: the *estimated* bound
   (:mod:`.dual_point`), of which the best one is kept,
3. adds the distinct ones among them, and
4. improves all directions by some iterations of L-BFGS along the kinks (:mod:`.kinks`).

It ends where the estimated gap is at most ``tol_gap`` of P, with a last improvement of
the directions. Every local minimum of what is solved is a global one, so two starts
meet at one objective.

The first units bisect pairs of rows, and some iterations of L-BFGS make a network of
them: rounds that begin with no unit at all take longer to come as far.
"""

from dataclasses import replace

import numpy as np

from ..certificates.amplitudes import unit_values
from ..certificates.ascents import check_dense
from ..certificates.group_lasso import fit_amplitudes
from .dual_point import DualPoint
from .grown import Grown
from .kinks import descend
from .lbfgs import Exit, Solution, minimize
from .progress import Progress
from .unit_search import UnitSearch, n_ascents
from .units import Units, bisecting

N_FIRST_UNITS, FIRST_POLISH = 32, 40  # and iterations of L-BFGS on these
NEARLY = 1e-2  # gap from which on they are longer
# Random ascents that have to find nothing, for a gap of 1e-3: one for each weight into
# a unit, within these limits, or two for each of many units, which all set out, too.
# For a larger gap fewer in proportion.
CERTAIN, LEAST_CERTAIN, MANY_UNITS = (80, 480), 32, 240
LEAST_NEW, NEW_SHARE = 30, 0.5  # units added in a round, the larger of number and share
# Iterations of L-BFGS on the directions between rounds, at most: they go on while they
# bring a share of the gap.
MOST_POLISH, POLISHED = 200, 0.1
LAST_POLISH = 1000  # of them at the end, where no further unit is needed or has room
PAYS = 1e-4  # relative decrease for which units are exchanged
FINAL = 0.1  # precision of the last amplitudes, relative to tol_gap
DUST = 1e-9  # of the objective: units that are worth no more, and cost no more, go
ABOVE, SHARE = 1e-4, 0.1  # relative polar above alpha worth a unit: at most; of tol_gap


class Growth:
    """A network that grows.

    Parameters
    ----------
    objective : Objective
        Of one hidden layer of relu, with weight decay; its layout has the largest
        width.
    rng : numpy.random.RandomState
    budget : Budget
        ``max_iter`` rounds, ``max_fun`` evaluations of the network as it is: all work
        counts by its multiplications.
    tol_gap : float
    on_iteration : callable(Progress) -> bool, optional
        Called after each round.
    """

    def __init__(self, objective, rng, budget, tol_gap, on_iteration=None):
        self.objective, self.budget = objective, budget
        self.tol_gap, self.on_iteration = tol_gap, on_iteration
        data = objective.data
        self.x, self.alpha = data.block(), objective.alpha
        check_dense(self.x, "training='grow'", "training='escape'")
        self.dual = objective.loss.dual(
            data.labels, objective.shares, objective.n_outputs
        )
        self.width = objective.layout.sizes[1]
        self.spent, self.value = 0.0, np.inf
        self.best: DualPoint | None = None  # the one with the best bound
        self.climbed: DualPoint | None = None  # in which all units have set out
        self.trace: list[tuple] = []
        self.search = UnitSearch(self.x, rng, self._above)

    def n_certain(self, units):
        """Random ascents that have to find nothing before the gap counts as closed."""
        most = np.clip(units.w.size, *CERTAIN)
        if len(units) > MANY_UNITS:
            most = max(most, 2 * len(units))
        return max(int(most * min(1e-3 / max(self.tol_gap, 1e-9), 1.0)), LEAST_CERTAIN)

    @property
    def gap(self):
        """Estimated gap, relative to the objective."""
        bound = -np.inf if self.best is None else self.best.bound
        return (self.value - bound) / self.value if self.value > 0 else 0.0

    def run(self, theta=None):
        """Grow from the units of a network, or from first ones."""
        units = self._first() if theta is None else self._units(theta)
        units, residuals = self._amplitudes(units)
        n_rounds = 0
        while True:
            exit = self._tell(units, n_rounds)
            if exit is not None:
                break
            found, new = self._missing(units, residuals)
            if not len(new) and self.gap > self.tol_gap:  # for want of precision
                units, residuals = self._amplitudes(units, self._precise)
                found, new = self._missing(units, residuals)
            if self.best is not None and self.gap <= self.tol_gap:
                units = self._polish(units, LAST_POLISH)
                units, residuals = self._amplitudes(units, self._precise)
                self.best.learn(self.best.scores(units.phi))  # they have moved
                if self.gap <= self.tol_gap:
                    exit = Exit.GAP
                    break
                n_rounds += 1
                continue
            if not len(new):  # nor any gap, but for rounding
                exit = Exit.LEVEL
                break
            before = units, residuals, self.value
            units, residuals, pays = self._add(units, found, new)
            while not pays and len(new) > 1:
                new = new[: len(new) // 4 + 1] if len(new) > 2 else new[:1]
                units, residuals, pays = self._add(before[0], found, new)
            if not pays:
                units, residuals, self.value = before
                exit = Exit.WIDTH
                break
            n_rounds += 1
        if exit is Exit.WIDTH:
            units = self._polish(units, LAST_POLISH)
        if exit is not Exit.GAP:
            units, residuals = self._amplitudes(units, self._precise)
        if exit in (Exit.MAX_ITER, Exit.MAX_FUN):
            # The certificate has to know what is missed, and of these residuals
            # nothing is known yet.
            self._search(units, self._point(residuals), n_ascents(len(units)))
        return self._end(units, exit, n_rounds)

    def _point(self, residuals):
        """The :class:`DualPoint` next to residuals."""
        return DualPoint(self.dual, self.dual.balance(residuals), self.alpha)

    def _first(self):
        """Units that bisect pairs of rows, trained for a while, if they are of use."""
        number, n_outputs = min(N_FIRST_UNITS, self.width), self.objective.n_outputs
        theta = self.objective.layout.pack(*bisecting(self.x, number, n_outputs))
        none, _ = self._amplitudes(Units.none(self.x, n_outputs))
        constant = self.value
        first = minimize(
            self._with_units_of(theta),
            theta,
            max_iter=FIRST_POLISH,
            max_fun=min(2 * FIRST_POLISH, self._left),
            tol=self.budget.tol,
        )
        self.spent += first.n_fun
        return self._units(first.theta) if first.value < constant else none

    def _add(self, units, found, new):
        """(units with some of the neurons found, residuals, whether it pays).

        It always does where there is room; else the largest units have to lower the
        objective.
        """
        before = self.value
        coefs, intercepts = found.coefs[new], found.intercepts[new]
        more = units.add(coefs, intercepts, self.x, self.objective.activation)
        more, _ = self._amplitudes(more)
        if len(more) > self.width:  # perhaps for want of precision
            more, _ = self._amplitudes(more, self._precise)
        full = len(more) > self.width
        if full:
            largest = np.argsort(-more.sizes, kind="stable")[: self.width]
            more, _ = self._amplitudes(more.take(np.sort(largest)))
        more, residuals = self._amplitudes(self._polish(more, MOST_POLISH))
        pays = not full or self.value < before * (1.0 - PAYS)
        if not pays:
            self.value = before
        return more, residuals, pays

    @property
    def _precise(self):
        """Relative gap of amplitudes that leaves no unit without need."""
        return FINAL * max(self.tol_gap, 1e-5)

    @property
    def _above(self):
        """Relative polar above alpha that is worth a unit."""
        return min(ABOVE, SHARE * self.tol_gap)

    def _evaluation(self, units):
        """Multiplications of an evaluation of the network as it is."""
        n, d = self.x.shape
        return n * max(len(units), 1) * (2.0 * d + 3.0 * self.objective.n_outputs)

    def _amplitudes(self, units, tol=None):
        """(the units that stay, residuals) with the best amplitudes."""
        if tol is None:
            tol = 0.1 * max(self.tol_gap, min(self.gap if self.trace else 0.1, 0.1))
        fitted = fit_amplitudes(self.dual, units.phi, units.v, units.c, self.alpha, tol)
        units = units.with_amplitudes(fitted.v, fitted.c)
        self.value, residuals = fitted.objective, fitted.residuals
        costs = self.alpha * units.sizes
        small = costs <= DUST * self.value
        if small.any():  # where alpha is tiny, the loss may need them all the same
            fewer = units.take(~small)
            loss, without = self.dual.loss_and_gradient(fewer.raw)
            value = loss + float(costs[~small].sum())
            if value <= self.value * (1.0 + DUST):
                units, self.value, residuals = fewer, value, without
        self.spent += fitted.work / self._evaluation(units)
        return units, residuals

    def _polish(self, units, n_iterations):
        """Iterations of L-BFGS on all parameters, directions among them."""
        if not len(units):
            return units
        theta, enough = self._theta(units), POLISHED * max(self.gap, 0.0)
        problem = self._with_units_of(theta), theta, self.x, self.dual
        most = n_iterations, min(2 * n_iterations, self._left)
        theta, n_fun = descend(*problem, self.budget.tol, most, enough)
        self.spent += n_fun
        return self._units(theta)

    def _with_units_of(self, theta):
        """The objective of a network with as many units as this one."""
        return replace(self.objective, layout=self.objective.layout.holding(theta))

    @property
    def _left(self):
        """Evaluations that the budget has left, one at least."""
        return max(int(self.budget.max_fun - self.spent), 1)

    def _units(self, theta):
        """The units of a network."""
        coefs, intercepts = self.objective.layout.holding(theta).unpack(theta)
        activation = self.objective.activation
        return Units.of_network(coefs, intercepts, self.x, activation)

    def _missing(self, units, residuals):
        """(ascents, places of the distinct ones that lower the objective).

        The bound follows. It is as good as the search: where it closes the gap, it has
        to stand more of them.
        """
        current = self._point(residuals)
        points = [current] if self.best is None else [current, self.best]
        number = n_ascents(len(units))
        most = max(LEAST_NEW, int(NEW_SHARE * len(units)))
        certain = self.n_certain(units)
        point = current
        for known in points:
            known.learn(known.scores(units.phi))
        while True:
            found = self._search(units, point, number)
            values = unit_values(
                self.x, self.objective.activation, found.coefs, found.intercepts
            )
            for known in points:
                known.learn(known.scores(values))
            self.best = max(points, key=lambda known: known.bound)
            if self.gap > self.tol_gap:
                found = found._replace(values=current.scores(values))
                new = found.distinct(self.alpha * (1.0 + self._above), most)
                if len(new) or point is current:
                    return found, new
                point = current
            elif self.best.n_random < certain:
                point = self.best
                left = certain - point.n_random
                number = min(max(n_ascents(0), point.n_random), left)
            elif self._all_climb(units) and self.climbed is not self.best:
                self.climbed = point = self.best
                number = 0
            else:
                return found, []

    def _all_climb(self, units):
        """Whether all units set out at last, or in the plane the best neuron of all."""
        return len(units) > MANY_UNITS or self.search.in_the_plane

    def _search(self, units, point, n_random):
        """Ascents in the residuals of a dual point."""
        is_small = self.gap <= NEARLY
        found, work = self.search(units.w, units.b, point, n_random, is_small)
        self.spent += work / self._evaluation(units)
        return found

    def _tell(self, units, n_rounds):
        """Record a round; the reason to end there, or None."""
        self.trace.append((0, self.spent, self.value))
        stopped = False
        if self.on_iteration is not None and n_rounds:
            theta = self._theta(units)
            point = n_rounds, self.spent, self.value, theta
            stopped = bool(self.on_iteration(Progress(0, 0, *point)))
        if not np.isfinite(self.value):
            return Exit.OVERFLOW
        if stopped or self.budget.stop.made:
            return Exit.STOPPED
        if n_rounds >= self.budget.max_iter:
            return Exit.MAX_ITER
        return Exit.MAX_FUN if self.spent >= self.budget.max_fun else None

    def _theta(self, units):
        """Parameters of the network."""
        coefs, intercepts = units.network()
        return self.objective.layout.pack(coefs, intercepts)

    def _end(self, units, exit, n_rounds):
        """The network and what is known of it."""
        theta = self._theta(units)
        objective = self._with_units_of(theta)
        self.value, gradient = objective.value_and_gradient(theta)
        if exit is Exit.GAP and self.gap > self.tol_gap:  # by what is rounded in theta
            exit = Exit.PRECISION
        self.spent += 1
        self.trace[-1] = 0, self.spent, self.value
        curve = np.array([point[2] for point in self.trace])
        norm = float(np.abs(gradient).max())
        solution = Solution(
            theta, self.value, norm, exit, n_rounds, int(np.ceil(self.spent)), curve
        )
        gap = self.value * max(self.gap, 0.0)
        return Grown(solution, self.trace, gap, self.search.neurons)

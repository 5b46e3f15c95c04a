"""Training: the starts, one of the ways to train, and the certificate."""

from dataclasses import dataclass, field, replace

import numpy as np

from ..certificates.certificate import Certificate
from ..certificates.certify import certify
from ..certificates.diagnosis import constant_loss, is_worse
from ..objective.predictions import Predictions
from ..objective.row_space import row_space
from .adam import adam
from .early_stopping import HeldOut
from .escape import search
from .finish import finish
from .grow import Growth
from .joint_training import train_joint
from .lbfgs import Exit, Run, Solution
from .overflow import OverflowAtStartError
from .progress import Progress
from .threads import fit_threads


@dataclass(frozen=True)
class Trained:
    """What a training ends with."""

    theta: np.ndarray  # (n_parameters,)
    best: Solution
    init_losses: np.ndarray  # (starts begun,) objective that each start reached
    best_init: int
    n_fun: int
    n_escapes: int
    neuron: tuple | None  # (w, b, a) before it was dropped, if it was trained
    certificate: Certificate
    was_stopped: bool  # by a request, before its end
    held_out: HeldOut | None  # validation of the best start
    history: np.ndarray  # (iterations of all starts,) of HISTORY


# Fields of the history: after which evaluation of which start, before its first escape
# (0) or after which one, what objective was reached.
HISTORY = np.dtype(
    [("start", "i4"), ("escape", "i4"), ("n_fun", "f8"), ("objective", "f8")]
)


@dataclass(frozen=True)
class _Outcome:
    """What one way to train ends with, before the certificate."""

    solution: Solution
    losses: list  # objective that each start reached
    best: int
    n_fun: float
    n_escapes: int = 0
    neuron: tuple | None = None
    contribution: float = 0.0
    held_out: HeldOut | None = None
    traces: list = field(default_factory=list)  # (escape, n_fun, objective) by start
    neurons: tuple | None = None  # (coefs, intercepts) of those that were missed last


def train(
    objective,
    starts,
    rng,
    budget,
    *,
    training="escape",
    special_neuron=True,
    augmented=None,
    neuron_alpha=1.0,
    n_jobs=None,
    held_out=None,
    on_iteration=None,
    tol_gap=1e-3,
    effort=0,
):
    """Train from the starts, keep the best, and certify it.

    Parameters
    ----------
    objective : Objective
    starts : iterable of ndarray of shape (n_parameters,)
        A list, or without end where ``budget.fresh``.
    rng : numpy.random.RandomState
    budget : Budget
    training : {'escape', 'joint', 'grow'}
    special_neuron : bool
        False: no neuron, no escape, no witness.
    augmented : AugmentedObjective or PerLayerObjective, optional
        J~ of the objective, for 'joint': trained instead, then the neuron is dropped.
        Without one the plain objective is trained, without escapes.
    neuron_alpha : float
        lambda of the witness.
    n_jobs : int or None
        Starts that run at once, in threads. The result does not depend on it.
    held_out : HeldOut, optional
        Stops each start early, without escapes; the start with the best validation
        score is kept.
    on_iteration : callable(Progress) -> bool, optional
        Called after each iteration; True ends the start there.
    tol_gap : float
        Relative estimated gap at which growing ends.
    effort : float or None
        Of the certificate.

    Returns
    -------
    trained : Trained
    """
    with fit_threads() as shared_map:
        objective = whole = replace(objective, map=shared_map)
        # Growing takes the rows as they are: its units have a length of their own.
        plain = augmented is None and training != "grow"
        space = row_space(objective) if plain else None
        if not (budget.fresh or space is None or space.holds(starts[0])):
            space = None  # what an earlier fit has learned of other rows were lost
        if space is not None:
            objective = space.objective(objective)
            starts = _projected(starts, space)
            held_out = _held_out_in(space, held_out)
            on_iteration = _lifting(space, on_iteration)
        if not special_neuron:
            budget = replace(budget, max_escapes=0)
        match training:
            case "joint" if augmented is not None:
                augmented = replace(augmented, plain=objective)
                outcome = _train_jointly(augmented, starts, rng, budget, on_iteration)
            case "grow":
                outcome = _grow(objective, starts, rng, budget, tol_gap, on_iteration)
            case "escape" if held_out is not None:
                outcome = _train_held_out(
                    objective, starts, held_out, budget, on_iteration
                )
            case "escape" | "joint":
                outcome = _escape(objective, starts, rng, budget, n_jobs, on_iteration)
            case _:
                raise ValueError(f"there is no training {training!r}.")
        solution, was_stopped = outcome.solution, budget.stop.made
        if solution.exit is Exit.OVERFLOW:
            raise OverflowAtStartError(solution.exit.value)
        if space is not None:
            solution = _lifted(space, objective, solution)
        # Where numbers are huge, L-BFGS comes to rest anywhere.
        rests = solution.converged or solution.exit is Exit.PRECISION
        if held_out is None and rests:
            if is_worse(solution.value, constant_loss(whole)):
                solution = replace(solution, exit=Exit.WORSE)
        # What prediction will use: in float32 the parameters are rounded.
        theta = solution.theta.astype(whole.data.dtype).astype(np.float64)
        whole = replace(whole, layout=whole.layout.holding(theta))
        certificate = certify(
            Predictions(whole, theta),
            solution,
            rng,
            special_neuron=special_neuron,
            neuron_alpha=neuron_alpha,
            contribution=outcome.contribution,
            neurons=outcome.neurons,
            least=left_on_purpose(training, tol_gap),
            effort=effort,
        )
    return Trained(
        theta=theta,
        best=solution,
        init_losses=np.array(outcome.losses),
        best_init=outcome.best,
        n_fun=int(np.ceil(outcome.n_fun)),
        n_escapes=outcome.n_escapes,
        neuron=outcome.neuron,
        certificate=certificate,
        was_stopped=was_stopped,
        held_out=outcome.held_out,
        history=_history(outcome.traces),
    )


def left_on_purpose(training, tol_gap):
    """Share of the objective that a training may leave to a further neuron."""
    return tol_gap if training == "grow" else 0.0


def _projected(starts, space):
    """The starts on the coordinates of the rows; they may be endless."""
    if isinstance(starts, list):
        return [space.project(theta) for theta in starts]
    return map(space.project, starts)


def _held_out_in(space, held_out):
    """The validation rows on the coordinates, as far as the network can see them."""
    if held_out is None:
        return None
    objective = held_out.objective
    rows = space.span.rows(objective.data)
    objective = replace(objective, data=rows, layout=space.narrow)
    return replace(held_out, objective=objective)


def _lifting(space, on_iteration):
    """``on_iteration`` that gets theta on all features."""
    if on_iteration is None:
        return None
    return lambda progress: on_iteration(
        progress._replace(theta=space.lift(progress.theta))
    )


def _lifted(space, objective, solution):
    """The solution of the objective on the coordinates, on all features."""
    _, gradient = objective.value_and_gradient(solution.theta)
    norm = float(np.abs(space.lift(gradient)).max(initial=0.0))
    return replace(solution, theta=space.lift(solution.theta), grad_norm=norm)


def _history(traces):
    """The traces of all starts as one array of ``HISTORY``."""
    rows = [(i, *point) for i, trace in enumerate(traces) for point in trace]
    return np.array(rows, dtype=HISTORY)


def _escape(objective, starts, rng, budget, n_jobs, on_iteration):
    """Search, then bring the best start to its end."""
    found = search(objective, starts, rng, budget, n_jobs, on_iteration)
    start, n_fun = found.best, found.spent
    before = start.spent
    start.polish(before + budget.max_fun - n_fun)
    solution, n_fun = start.solution(), n_fun + start.spent - before
    if start.won:
        theta, n_fun = finish(objective, solution.theta), n_fun + 2
        value, gradient = objective.value_and_gradient(theta)
        if value <= solution.value:
            curve = np.append(solution.curve, value)
            solution = replace(
                solution,
                theta=theta,
                value=value,
                grad_norm=float(np.abs(gradient).max()),
                exit=Exit.CONVERGED,
                curve=curve,
            )
    found.losses[start.number] = solution.value
    return _Outcome(
        solution=solution,
        losses=found.losses,
        best=start.number,
        n_fun=n_fun,
        n_escapes=start.n_escapes,
        traces=found.traces,
    )


def _grow(objective, starts, rng, budget, tol_gap, on_iteration):
    """Grow from the units of the first start, or from none."""
    growth = Growth(objective, rng, budget, tol_gap, on_iteration)
    with np.errstate(all="ignore"):
        grown = growth.run(*starts[:1])
    return _Outcome(
        solution=grown.solution,
        losses=[grown.solution.value],
        best=0,
        n_fun=grown.solution.n_fun,
        traces=[grown.trace],
        neurons=grown.neurons,
    )


def _shared(budget, starts):
    """The budget of each of several starts."""
    return replace(budget, max_fun=max(budget.max_fun // len(starts), 1))


class _Trace:
    """Keeps the trace of a start without escapes, and passes its progress on."""

    def __init__(self, start, stop, on_iteration):
        self.start, self.stop, self.on_iteration = start, stop, on_iteration
        self.points = []

    def __call__(self, phase, n_iter, n_fun, value, theta, score=None):
        self.points.append((phase, n_fun, value))
        progress = Progress(self.start, phase, n_iter, n_fun, value, theta, score)
        asked = self.on_iteration is not None and self.on_iteration(progress)
        return asked or self.stop.made


def _train_jointly(augmented, starts, rng, budget, on_iteration):
    """Joint training from every start; the smallest objective is kept."""
    share = _shared(budget, starts)
    traces = [_Trace(i, budget.stop, on_iteration) for i in range(len(starts))]
    runs = [
        train_joint(augmented, start, rng, share, trace)
        for start, trace in zip(starts, traces, strict=True)
    ]
    losses = [solution.value for solution, _ in runs]
    best = int(np.argmin(np.where(np.isnan(losses), np.inf, losses)))
    solution, parameters = runs[best]
    return _Outcome(
        solution=solution,
        losses=losses,
        best=best,
        n_fun=sum(solution.n_fun for solution, _ in runs),
        neuron=augmented.neuron(parameters),
        contribution=augmented.contribution(parameters),
        traces=[trace.points for trace in traces],
    )


def _train_held_out(objective, starts, held_out, budget, on_iteration):
    """Early stopping of every start; the best validation score is kept."""
    runs, traces, share, spent = [], [], _shared(budget, starts), 0.0
    rough = share.rough(objective)
    for i, theta0 in enumerate(starts):
        watch = replace(held_out, scores=[])
        trace = _Trace(i, budget.stop, on_iteration)

        theta0, before = adam(objective, theta0, share)

        def after_iteration(run, watch=watch, trace=trace, before=before):
            stop, score = watch(run.theta), watch.scores[-1]
            point = run.n_iter, before + run.n_fun, run.value, run.theta
            return trace(0, *point, score) or stop

        run = Run(objective, theta0, budget.tol, rough=rough)
        run.advance(share.max_iter, int(share.max_fun - before), after_iteration)
        if not watch.scores and run.exit is not Exit.OVERFLOW:
            watch(run.theta)  # it rests at once, or has no means to move
        solution = run.solution()
        if solution.exit is Exit.STOPPED and watch.waited >= watch.patience:
            solution = replace(solution, exit=Exit.UNIMPROVED)
        if watch.best_theta is not None:
            theta = watch.best_theta
            value, gradient = objective.value_and_gradient(theta)
            norm = float(np.abs(gradient).max())
            solution = replace(solution, theta=theta, value=value, grad_norm=norm)
        spent += before + solution.n_fun
        runs.append((solution, watch))
        traces.append(trace.points)
    best = int(np.argmax([watch.best_score for _, watch in runs]))
    losses = [solution.value for solution, _ in runs]
    return _Outcome(
        solution=runs[best][0],
        losses=losses,
        best=best,
        n_fun=spent,
        held_out=runs[best][1],
        traces=traces,
    )

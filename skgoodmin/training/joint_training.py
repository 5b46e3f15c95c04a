"""Joint training: J~ as the paper has it.

All parameters, those of the special neurons included, are trained together; then the
neurons are dropped and theta goes on alone. Where no local minimum of J~ exists the
descent would run to infinity, so the exponents are bounded (of the monomial neuron, w
and b). Measurably worse than no neuron; it is here to be compared with.
"""

from dataclasses import replace

from .lbfgs import Exit, minimize


def train_joint(augmented, theta0, rng, budget, on_iteration=None):
    """Train J~ as the paper has it, drop the neuron, polish theta.

    Parameters
    ----------
    augmented : AugmentedObjective or PerLayerObjective
    theta0 : ndarray of shape (n_parameters,)
        Of the plain network.
    rng : numpy.random.RandomState
    budget : Budget
    on_iteration : callable(phase, n_iter, n_fun, value, theta) -> bool, optional
        Called after each iteration, in phase 0 with and 1 without the neuron; True
        ends the training.

    Returns
    -------
    solution : Solution
        Of the polish, with the evaluations of both runs.
    parameters : ndarray
        All parameters before the neuron was dropped.
    """
    before = 0

    def with_neuron(run):
        theta = augmented.narrow(run.theta)
        return on_iteration(0, run.n_iter, run.n_fun, run.value, theta)

    def without(run):
        return on_iteration(1, run.n_iter, before + run.n_fun, run.value, run.theta)

    start = augmented.widen(theta0, rng)
    first = minimize(
        augmented,
        start,
        max_iter=budget.max_iter,
        max_fun=budget.max_fun,
        tol=budget.tol,
        bounds=augmented.bounds(start),
        on_iteration=with_neuron if on_iteration is not None else None,
    )
    before = first.n_fun
    if first.exit is Exit.STOPPED:
        budget = replace(budget, max_iter=0)
    polish = minimize(
        augmented.plain,
        augmented.narrow(first.theta),
        max_iter=budget.max_iter,
        max_fun=max(budget.max_fun - first.n_fun, 1),
        tol=budget.tol,
        on_iteration=without if on_iteration is not None else None,
    )
    polish = replace(polish, n_fun=first.n_fun + polish.n_fun)
    if first.exit is Exit.STOPPED:
        polish = replace(polish, exit=Exit.STOPPED)
    return polish, first.theta

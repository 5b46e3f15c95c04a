"""Convex amplitudes: the best output weights of units whose directions are fixed.

    min over v, c of  P = mean loss(sum_j v_j phi_j + c) + alpha sum_j ||v_j||_2

phi_ij = act(w_j.x_i + b_j) / ||w_j||, v_j in R^K: a (group) Lasso, its intercept free.
As a network with ||w_j|| = ||v_j|| its objective is the very same. Solved by

**Proximal Newton.** With the gradient R and the curvature s l'' of the loss at the
predictions, the quadratic model has the Hessians H_k = Phi diag(s l''_k) Phi', made of
the rows with a curvature only: the hinge has none where the margin is above 1.

**Working set.** Units that are not 0, and those with ||R phi_j|| > alpha: all others
stay 0 in the model.

**Inside.** Sweeps of coordinate descent find most of the support, and Newton steps on
it the values, for coordinate descent alone crawls where units resemble each other. A
step that would turn units round turns them off and the next one goes on without them.

**The dual point** alpha / max_j ||R phi_j|| * R, balanced, bounds P from below, and the
difference says when to stop.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dposv, dpotrf, dpotri, dpotrs

from ..kernels.group_descent import descend

N_SWEEPS = 60  # of coordinate descent before Newton steps
N_INNER = 20  # rounds of sweeps and Newton steps on one quadratic model
N_NEWTON = 200  # of these steps in a round
ENOUGH = 0.05  # share of the decrease of a model that is not worth a further step
LARGEST_SYSTEM = 1200  # unknowns up to which coupled outputs are solved for at once
LENGTHS = 0.5 ** np.arange(6)  # of a Newton step, which may turn off several units
PRECISE = 1e-13  # relative decrease of P that is rounding


@dataclass
class Fitted:
    """Amplitudes and what is known of them.

    Attributes
    ----------
    v : ndarray of shape (K, m)
    c : ndarray of shape (K,)
    residuals : ndarray of shape (K, n)
        Gradient of the mean loss by the raw predictions, not balanced.
    objective : float
    gap : float
        ``objective`` less the bound by the dual point, for these units alone.
    work : float
        Multiplications that it took.
    """

    v: np.ndarray
    c: np.ndarray
    residuals: np.ndarray
    objective: float
    gap: float
    work: float


@np.errstate(over="ignore", invalid="ignore")  # a step that is far out is not taken
def fit_amplitudes(dual, phi, v, c, alpha, tol=1e-6, max_iter=100):
    """Amplitudes of units.

    Parameters
    ----------
    dual : Dual
        The loss on the rows.
    phi : ndarray of shape (m, n)
        Values of the units, of length-1 directions.
    v, c : ndarrays of shape (K, m) and (K,)
        To start from.
    alpha : float
    tol : float, default=1e-6
        Gap to reach, relative to the objective.
    max_iter : int, default=100
        Quadratic models at most.

    Returns
    -------
    fitted : Fitted
    """
    v, c = np.array(v, dtype=np.float64), np.array(c, dtype=np.float64)
    raw = v @ phi + c[:, None]
    loss, residuals = dual.loss_and_gradient(raw)
    objective = loss + alpha * np.linalg.norm(v, axis=0).sum()
    work = 2.0 * v.shape[0] * phi.size
    gap = np.inf
    for _ in range(max_iter):
        gradient = residuals @ phi.T
        scores = np.linalg.norm(gradient, axis=0)
        gap = objective - _bound(dual, residuals, phi, alpha)
        if gap <= tol * abs(objective):
            break
        some = np.flatnonzero((v != 0).any(axis=0) | (scores > alpha))
        curvature = dual.curvature(raw)[:, None]
        if (len(some) + 1) * len(v) <= LARGEST_SYSTEM:
            exact = dual.coupling(raw)
            curvature = curvature if exact is None else exact
        hessian, spent = _hessian(phi[some], curvature)
        near = np.column_stack([v[:, some], c])
        slope = np.column_stack([gradient[:, some], residuals.sum(axis=1)])
        found, inside = _model_minimum(hessian, slope, near, alpha)
        step = found - near
        work += spent + inside + 2.0 * phi.size * len(v)
        # Along the step P is convex; the model says how it starts to fall.
        ahead = step[:, :-1] @ phi[some] + step[:, -1:]
        penalty = alpha * _norms(near[:, :-1])
        promised = float((slope * step).sum())
        promised += alpha * _norms(near[:, :-1] + step[:, :-1]) - penalty
        if not promised < -PRECISE * abs(objective):
            break
        t = 1.0
        while t > 1e-8:
            loss, r = dual.loss_and_gradient(raw + t * ahead)
            trial = loss + alpha * _norms(near[:, :-1] + t * step[:, :-1])
            if trial <= objective + 1e-4 * t * promised:
                break
            t *= 0.5
        else:
            break
        v[:, some] = near[:, :-1] + t * step[:, :-1]
        c = near[:, -1] + t * step[:, -1]
        raw, residuals, objective = raw + t * ahead, r, trial
    return Fitted(v, c, residuals, float(objective), float(gap), work)


def _norms(v):
    """sum_j ||v_j|| of v (K, m)."""
    return float(np.sqrt((v * v).sum(axis=0)).sum())


def _bound(dual, residuals, phi, alpha):
    """D of the balanced residuals, scaled so that no unit sees more than alpha."""
    balanced = dual.balance(residuals)
    score = np.linalg.norm(balanced @ phi.T, axis=0).max(initial=0.0)
    return dual.value(balanced * min(1.0, alpha / max(score, 1e-300)))


def _hessian(phi, curvature):
    """(H (K, 1 or K, m + 1, m + 1) with the intercept last, multiplications).

    curvature : (K, 1, n), or (K, K, n) where outputs are coupled.
    """
    m, n_outputs, coupled = len(phi), len(curvature), curvature.shape[1] > 1
    hessian = np.empty((n_outputs, curvature.shape[1], m + 1, m + 1))
    work = 0.0
    for k in range(n_outputs):
        for o in range(k + 1 if coupled else 1):
            q = curvature[k, o]
            used = np.flatnonzero(q)
            columns, q = phi[:, used], q[used]
            block = hessian[k, o]
            if coupled and o < k:
                block[:m, :m] = (columns * q) @ columns.T
            else:  # a matrix with its own transpose takes numpy half the time
                root = columns * np.sqrt(q)
                block[:m, :m] = root @ root.T
            block[m, :m] = block[:m, m] = columns @ q
            block[m, m] = q.sum()
            work += m * m * len(used)
            if coupled:
                hessian[o, k] = block
    # Where no row is curved any more a step would have no end.
    places = np.arange(m + 1)
    for k in range(n_outputs):
        block = hessian[k, k if coupled else 0]
        block[places, places] += 1e-10 * block[places, places].max() + 1e-300
    return hessian, work


def _times(hessian, v):
    """H v for each v (.., K, m)."""
    if hessian.shape[1] == 1:
        return np.matmul(v[..., None, :], hessian[:, 0])[..., 0, :]  # it is symmetric
    return np.tensordot(v, hessian, axes=((-2, -1), (1, 3)))


def _model_minimum(hessian, slope, near, alpha):
    """Where the quadratic model with the penalty is least, nearly.

    Returns (K, m + 1), and the multiplications that it took.
    """
    m = near.shape[1] - 1
    penalty = np.append(np.full(m, alpha), 0.0)
    v, gradient = near.copy(), slope.copy()
    first = value = alpha * _norms(v[:, :-1])
    work = 0.0
    for _ in range(N_INNER):
        before = value
        sweeps = descend(hessian, penalty, N_SWEEPS, v, gradient)
        work += sweeps * (v != 0).any(axis=0).sum() * hessian[:, :, 0].size
        value = _model_values(v, near, slope, gradient, alpha)
        for _ in range(N_NEWTON):
            used = (v != 0).any(axis=0) | (penalty == 0)
            support, start = np.flatnonzero(used), value
            step = _newton(hessian, gradient, v, support, penalty)
            work += len(v) * len(support) ** 3 / 6.0
            lengths = _lengths(v[:, support[:-1]], step[:, :-1])
            trials = _moved(v, support, lengths[:, None, None] * step)
            ahead = slope + _times(hessian, trials - near)
            values = _model_values(trials, near, slope, ahead, alpha)
            best = int(np.argmin(values))
            if values[best] < value:
                v, gradient, value = trials[best], ahead[best], values[best]
            # A step that turns a unit off is short: it does not tell how many follow.
            whole = (v != 0).any(axis=0)[support[:-1]].all()
            fall = start - value
            if fall == 0 or (whole and fall < ENOUGH * (first - value)):
                break
        if before - value < ENOUGH * (first - value):
            break
    return v, work


def _lengths(v, step):
    """Lengths of a Newton step to try; the shortest one turns off one unit at most."""
    size, along = (v * v).sum(axis=0), (v * step).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        turns = np.where(along < 0, -size / along, np.inf)
    first = max(turns.min(initial=np.inf) * (1.0 + 1e-9), 1e-12)
    return np.append(LENGTHS, first) if first < 1.0 else LENGTHS


def _model_values(v, near, slope, gradient, alpha):
    """The model at each v (.., K, m + 1), from its gradients at ``near`` and there."""
    smooth = 0.5 * ((slope + gradient) * (v - near)).sum(axis=(-2, -1))
    norms = np.sqrt((v[..., :-1] * v[..., :-1]).sum(axis=-2)).sum(axis=-1)
    return smooth + alpha * norms


def _newton(hessian, gradient, v, support, penalty):
    """Newton step on the support, where the norms are smooth: (K, |support|).

    A norm ||v_j|| has the curvature pull (I - u u'), u = v_j / ||v_j||.
    """
    there, weight = v[:, support], penalty[support]
    size = np.sqrt((there * there).sum(axis=0))
    size[weight == 0] = 1.0
    pull, unit = weight / size, there / size
    side = gradient[:, support] + pull * there
    some = np.ix_(support, support)
    blocks = np.array([[block[some] for block in row] for row in hessian])
    if len(v) == 1 or blocks.shape[1] > 1:
        return _solved(blocks, pull, unit, -side)
    return _solved_apart(blocks[:, 0], pull, unit, -side)


def _solve(matrix, side):
    """Solution of a symmetric system by Cholesky's factors, or None.

    The matrix gets a small ridge.
    """
    diagonal = np.arange(len(matrix))
    if not len(diagonal):  # which LAPACK does not take
        return side
    for ridge in (1e-9, 1e-7, 1e-4):
        matrix[diagonal, diagonal] *= 1.0 + ridge
        _, solution, failed = dposv(matrix, side, lower=1)
        if not failed:
            return solution
    return None


def _solved(blocks, pull, unit, side):
    """The step from one system for all outputs: blocks (K, 1 or K, m, m)."""
    (n_outputs, m), coupled = side.shape, blocks.shape[1] > 1
    matrix, places = np.zeros((n_outputs, m, n_outputs, m)), np.arange(m)
    for k in range(n_outputs):
        for o in range(blocks.shape[1]):
            matrix[k, :, o if coupled else k, :] = blocks[k, o]
        if n_outputs > 1:
            for o in range(n_outputs):
                matrix[k, places, o, places] += pull * ((k == o) - unit[k] * unit[o])
    step = _solve(matrix.reshape(n_outputs * m, -1), side.ravel())
    return np.zeros_like(side) if step is None else step.reshape(side.shape)


def _solved_apart(blocks, pull, unit, side):
    """The same where only the norms tie outputs: blocks (K, m, m).

    With D = diag(pull), the system is that of A_k = H_k + D less the part along the
    groups, D u_k sum_o u_o'. So the step is

        A_k^-1 (side_k + D u_k t),   T t = D sum_k u_k A_k^-1 side_k
        T = D - sum_k diag(u_k) D A_k^-1 D diag(u_k)

    and the largest system has one unknown for each group.
    """
    ties, system = pull * unit, np.diag(pull)
    factors, apart = [], np.empty_like(side)
    for k, matrix in enumerate(blocks + np.diag(pull)):
        factor, failed = dpotrf(matrix.T, lower=1, overwrite_a=1)
        if failed:
            return np.zeros_like(side)
        factors.append(factor)
        apart[k], _ = dpotrs(factor, side[k], lower=1)
        inverse, _ = dpotri(factor, lower=1)
        system -= ties[k] * inverse * ties[k][:, None]
    right = (ties * apart).sum(axis=0)
    tied = _solve(system[:-1, :-1], right[:-1])
    if tied is None:
        return np.zeros_like(side)
    t = np.append(tied, 0.0)  # none for the intercept
    for k, factor in enumerate(factors):
        apart[k] += dpotrs(factor, ties[k] * t, lower=1)[0]
    return apart


def _moved(v, support, steps):
    """v + each of the steps (n, K, |support|) on the support.

    A group that is turned round becomes 0.
    """
    new = v[:, support] + steps
    turned = (new * v[:, support]).sum(axis=1) <= 0
    turned[:, -1] = False  # the intercept
    trials = np.repeat(v[None], len(steps), axis=0)
    trials[:, :, support] = np.where(turned[:, None], 0.0, new)
    return trials

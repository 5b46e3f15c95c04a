"""One evaluation and one whole fit, side by side with the peers.

    python benchmarks/evaluation.py                  # sizes up to 100000 rows
    python benchmarks/evaluation.py --sizes all      # two larger ones besides

A row of the first table is one problem; the columns are the median times of one
evaluation of loss and gradient, divided: peer / ours, so that 3 means three times as
fast as the peer. All contestants of a row take turns in one process, on one thread, and
their objectives are compared first (to 1e-10). ``peak`` is our share of the rate of a
large matrix product. The second table has whole fits from one start with equally many
iterations, the third one what a second thread gains.

torch and jax take part where they are installed (``pip install torch jax``).
"""

import argparse
import dataclasses
import time
import warnings
from functools import partial

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from skgoodmin import GoodMinimaClassifier
from skgoodmin.kernels.activations import ACTIVATIONS
from skgoodmin.objective.canonical_rows import canonical_rows
from skgoodmin.objective.layout import ParameterLayout
from skgoodmin.objective.losses import Logistic, PolynomialHinge
from skgoodmin.objective.objective import Objective
from skgoodmin.training.threads import fit_threads

SIZES = [
    (100, 4, (8,)),
    (150, 4, (16,)),
    (569, 30, (32,)),
    (1797, 64, (100,)),
    (5000, 20, (64, 64)),
    (20000, 50, (100,)),
    (100000, 30, (64,)),
    (60000, 784, (128,)),
    (1000000, 28, (64,)),
]
ITERATIONS = [200, 200, 60, 30, 50, 30, 20, 8, 6]
ALPHA = 1e-4


def problem(n, d, hidden, dtype=np.float64):
    """X, y from a noisy linear rule, and a start."""
    rng = np.random.RandomState(1)
    X = rng.normal(size=(n, d)).astype(dtype)
    y = (X @ rng.normal(size=d) / np.sqrt(d) + rng.normal(size=n) > 0).astype(int)
    layout = ParameterLayout((d, *hidden, 1))
    return X, y, layout, layout.start(rng)


def ours(X, y, layout, activation, loss):
    """(objective, function of theta)."""
    data = canonical_rows(X, y.astype(np.int32)[:, None])
    objective = Objective(data, layout, ACTIVATIONS[activation], loss, ALPHA)
    return objective.value_and_gradient


def fitted_mlp(X, y, layout, activation, theta, max_iter=1):
    """An ``MLPClassifier`` whose next fit starts from ``theta``."""
    model = MLPClassifier(
        layout.sizes[1:-1],
        activation,
        solver="lbfgs",
        alpha=ALPHA * len(X),
        warm_start=True,
        max_iter=1,
        max_fun=10**6,
        tol=1e-14,
    )
    model.fit(X[: max(len(layout.sizes), 50)], y[: max(len(layout.sizes), 50)])
    coefs, intercepts = layout.unpack(theta.astype(X.dtype))
    model.coefs_ = [coef.copy() for coef in coefs]
    model.intercepts_ = [intercept.copy() for intercept in intercepts]
    return model.set_params(max_iter=max_iter)


def mlp(X, y, layout, activation, theta):
    """``MLPClassifier``'s evaluation as its L-BFGS calls it."""
    model = fitted_mlp(X, y, layout, activation, theta)
    units = layout.sizes
    activations = [X] + [np.empty((len(X), n), X.dtype) for n in units[1:]]
    deltas = [None] * (len(units) - 1)
    coef_grads = [np.empty(shape, X.dtype) for shape in layout.fans]
    intercept_grads = [np.empty(n, X.dtype) for n in units[1:]]
    target = y[:, None]

    def function(packed):
        return model._loss_grad_lbfgs(
            packed, X, target, None, activations, deltas, coef_grads, intercept_grads
        )

    return function


def with_torch(X, y, layout, activation):
    """Full-batch autograd."""
    import torch

    act = getattr(torch, activation)
    x, target = torch.from_numpy(X), torch.from_numpy(y.astype(X.dtype))
    loss = torch.nn.functional.binary_cross_entropy_with_logits

    def function(theta):
        leaf = torch.from_numpy(theta.astype(X.dtype)).requires_grad_()
        coefs, intercepts = layout.unpack(leaf)
        values = x
        for coef, intercept in zip(coefs[:-1], intercepts[:-1], strict=True):
            values = act(torch.addmm(intercept, values, coef))
        raw = torch.addmm(intercepts[-1], values, coefs[-1])[:, 0]
        weights = leaf[: layout.n_weights]
        value = loss(raw, target) + 0.5 * ALPHA * (weights @ weights)
        value.backward()
        return float(value), leaf.grad.numpy()

    return function


def with_jax(X, y, layout, activation):
    """Compiled value_and_grad."""
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    act = {"relu": jax.nn.relu, "tanh": jnp.tanh}[activation]
    x, sign = jnp.asarray(X), jnp.asarray((2 * y - 1).astype(X.dtype))

    def objective(theta):
        coefs, intercepts = layout.unpack(theta)
        values = x
        for coef, intercept in zip(coefs[:-1], intercepts[:-1], strict=True):
            values = act(values @ coef + intercept)
        raw = (values @ coefs[-1] + intercepts[-1])[:, 0]
        weights = theta[: layout.n_weights]
        return jnp.logaddexp(0, -sign * raw).mean() + 0.5 * ALPHA * weights @ weights

    compiled = jax.jit(jax.value_and_grad(objective))

    def function(theta):
        value, gradient = compiled(theta.astype(X.dtype))
        return float(value), np.asarray(gradient)

    return function


def peers():
    """Peers that are installed, by name."""
    found = {}
    for name, make in [("torch", with_torch), ("jax", with_jax)]:
        try:
            __import__(name)
            found[name] = make
        except ImportError:
            pass
    return found


def interleaved(functions, seconds, burst=1):
    """Median time of each function; they take turns, ``burst`` calls each."""
    for function in functions:
        function()
    times = [[] for _ in functions]
    stop = time.perf_counter() + seconds * len(functions)
    while time.perf_counter() < stop or len(times[0]) < 3:
        for function, own in zip(functions, times, strict=True):
            for _ in range(burst):
                begin = time.perf_counter()
                function()
                own.append(time.perf_counter() - begin)
    return [float(np.median(own)) for own in times]


def peak_rate(dtype):
    """FLOP per second of a 2000 x 2000 matrix product, the best of five."""
    a = np.ones((2000, 2000), dtype)
    out = np.empty_like(a)
    return 16e9 / min(interleaved([lambda: np.dot(a, a, out)], 0.5)[0] for _ in "12345")


def flop(n, layout):
    """Multiplications and additions of one evaluation: 4 first layer, 6 the others."""
    first, *others = (i * o for i, o in layout.fans)
    return n * (4 * first + 6 * sum(others))


def evaluation_table(sizes, seconds, n_threads):
    """Print the table of single evaluations."""
    makers = peers()
    peak = {np.float64: peak_rate(np.float64), np.float32: peak_rate(np.float32)}
    print(f"\nOne evaluation, {n_threads} thread(s): how many times faster we are")
    head = ["MLP", *makers, "hinge:MLP", "f32:MLP", "f32h:MLP"]
    print(f"{'n, d, hidden':24}{'act':6}" + "".join(f"{h:>11}" for h in head), end="")
    print(f"{'us':>10}{'peak':>7}{'f32 us':>10}{'peak':>7}")
    for n, d, hidden in sizes:
        for activation in ("relu", "tanh"):
            X, y, layout, theta = problem(n, d, hidden)
            log_loss, hinge = Logistic(), PolynomialHinge(3.0)
            rivals = {"MLP": mlp(X, y, layout, activation, theta)}
            for name, make in makers.items():
                rivals[name] = make(X, y, layout, activation)
            X32 = X.astype(np.float32)
            own = [
                ours(X, y, layout, activation, log_loss),
                ours(X, y, layout, activation, hinge),
                ours(X32, y, layout, activation, log_loss),
                ours(X32, y, layout, activation, hinge),
            ]
            value, gradient = own[0](theta)
            for name, rival in rivals.items():
                other, other_gradient = rival(theta)
                np.testing.assert_allclose(value, other, rtol=1e-10, err_msg=name)
                np.testing.assert_allclose(gradient, other_gradient, atol=1e-9)
            calls = [partial(function, theta) for function in (*rivals.values(), *own)]
            times = interleaved(calls, seconds, burst=5)
            names = [*rivals, "log", "hinge", "log32", "hinge32"]
            t = dict(zip(names, times, strict=True))
            ratios = [t[name] / t["log"] for name in rivals] + [
                t["MLP"] / t[name] for name in ("hinge", "log32", "hinge32")
            ]
            label = f"{n}, {d}, {'x'.join(map(str, hidden))}"
            print(f"{label:24}{activation:6}" + "".join(f"{r:11.1f}" for r in ratios),
                  end="")  # fmt: skip
            for name, dtype in (("log", np.float64), ("log32", np.float32)):
                share = flop(n, layout) / t[name] / peak[dtype]
                print(f"{1e6 * t[name]:10.1f}{share:7.0%}", end="")
            print(flush=True)


def thread_table(sizes, seconds):
    """Print the gain of a second thread, for us and for MLPClassifier's BLAS."""
    print("\nTwo threads, relu, log-loss: ours 1 / 2 threads, MLPClassifier / ours")
    print(f"{'n, d, hidden':24}{'f64':>8}{'f32':>8}{'MLP:ours':>10}")
    for n, d, hidden in sizes:
        if n * layout_work((d, *hidden, 1)) < 4e6:
            continue  # one range of rows: nothing to share
        X, y, layout, theta = problem(n, d, hidden)
        speed_ups, times = [], {}
        for dtype in (np.float64, np.float32):
            objective = ours(X.astype(dtype), y, layout, "relu", Logistic()).__self__
            with threadpool_limits(2), fit_threads() as shared_map:
                shared = dataclasses.replace(objective, map=shared_map)
                calls = [
                    partial(objective.value_and_gradient, theta),
                    partial(shared.value_and_gradient, theta),
                ]
                for a, b in zip(calls[0](), calls[1](), strict=True):
                    np.testing.assert_array_equal(a, b)
                times[dtype] = interleaved(calls, seconds, burst=5)
            speed_ups.append(times[dtype][0] / times[dtype][1])
        with threadpool_limits(2):
            rival = partial(mlp(X, y, layout, "relu", theta), theta)
            peer = interleaved([rival], seconds)[0]
        label = f"{n}, {d}, {'x'.join(map(str, hidden))}"
        print(
            f"{label:24}{speed_ups[0]:8.2f}{speed_ups[1]:8.2f}"
            f"{peer / times[np.float64][1]:10.1f}",
            flush=True,
        )


def layout_work(sizes):
    """Weights of a network: multiplications per row of its forward pass."""
    return sum(i * o for i, o in zip(sizes[:-1], sizes[1:], strict=True))


def fit_table(sizes, repeats):
    """Print the table of whole fits from one start with equally many iterations."""
    print("\nWhole fits, relu, log-loss: MLPClassifier(lbfgs) / ours")
    print(f"{'n, d, hidden':24}{'iterations':>12}{'f64':>8}{'f32':>8}{'rows':>9}")
    for (n, d, hidden), max_iter in zip(SIZES, ITERATIONS, strict=True):
        if (n, d, hidden) not in sizes:
            continue
        X, y, layout, theta = problem(n, d, hidden)
        labels = y.astype(np.int32)[:, None]
        peer = fitted_mlp(X, y, layout, "relu", theta, max_iter)
        functions = [
            partial(fit_ours, X, y, layout, theta, max_iter),
            partial(fit_ours, X.astype(np.float32), y, layout, theta, max_iter),
            partial(canonical_rows, X, labels),
            partial(fit_mlp, peer, X, y, layout, theta),
        ]
        model, reference = functions[0](), functions[-1]()
        assert model.n_iter_ == reference.n_iter_ == max_iter
        times = interleaved(functions, 0.0 if n > 50000 else repeats * 0.1)
        label = f"{n}, {d}, {'x'.join(map(str, hidden))}"
        print(
            f"{label:24}{max_iter:12d}{times[3] / times[0]:8.1f}"
            f"{times[3] / times[1]:8.1f}{times[2] / times[0]:9.1%}",
            flush=True,
        )
    print("rows: share of the canonical order in our float64 fit, gathering apart")


def fit_mlp(model, X, y, layout, theta):
    """Fit a prepared ``MLPClassifier`` from ``theta`` again."""
    coefs, intercepts = layout.unpack(theta)
    model.coefs_ = [coef.copy() for coef in coefs]
    model.intercepts_ = [intercept.copy() for intercept in intercepts]
    return model.fit(X, y)


def fit_ours(X, y, layout, theta, max_iter):
    """A plain network, no scout: what MLPClassifier does."""
    model = GoodMinimaClassifier(
        layout.sizes[1:-1],
        loss="log_loss",
        alpha=ALPHA,
        special_neuron=None,
        max_iter=max_iter,
        max_fun=10**6,
        tol=1e-14,
        warm_start=True,
    )
    coefs, intercepts = layout.unpack(theta.astype(X.dtype))
    model.coefs_, model.intercepts_ = coefs, intercepts
    model.classes_, model.n_features_in_ = np.arange(2), X.shape[1]
    return model.fit(X, y)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", choices=["small", "all"], default="small")
    parser.add_argument("--seconds", type=float, default=0.5, help="per contestant")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    sizes = SIZES if arguments.sizes == "all" else SIZES[:7]
    with threadpool_limits(1):
        evaluation_table(sizes, arguments.seconds, 1)
        fit_table(sizes, arguments.repeats)
    thread_table(sizes, arguments.seconds)


if __name__ == "__main__":
    main()

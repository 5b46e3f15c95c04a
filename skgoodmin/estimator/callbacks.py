"""scikit-learn's callbacks (1.9 and later): what a fit tells, and a validation curve.

The tasks of a fit form a tree: the fit, its starts, their runs (0 is the start itself,
k what its k-th escape began; in joint training 1 is the run without the neuron), and
the iterations of each run. A callback that asks to stop at an iteration, or at the end
of a run, ends that start.
"""

import contextlib
import copy
import inspect
import threading

import numpy as np
from sklearn.utils import check_consistent_length

from .setup import naming

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn < 1.9
    # It is one or the other, which a checker of types can not tell.
    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands for the mixin of later versions."""

    def with_callbacks(method):
        """Stands for the decorator of later versions."""
        return method


def _given(estimator, X, y, sample_weight):
    """What the callbacks of an estimator get with each task."""
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    return {"estimator": estimator, "X": X, "y": y, "metadata": metadata}


class TaskTree:
    """Tells the callbacks of an estimator what its fit does.

    Parameters
    ----------
    estimator : GoodMinimaClassifier
        It has callbacks.
    X, y, sample_weight : array-like
        Training data, as the callbacks get them.
    reconstruct : callable(theta) -> dict
        The attributes with which a copy of the estimator predicts.
    n_runs : int
        Largest number of runs of a start.
    """

    def __init__(self, estimator, X, y, sample_weight, reconstruct, n_runs):
        self.reconstruct = reconstruct
        self.subtasks = {"start": n_runs, "run": estimator.max_iter}
        self.given = _given(estimator, X, y, sample_weight)
        self.root = estimator._init_callback_context(
            max_subtasks=estimator.n_init, sequential_subtasks=False
        )
        self.root.call_on_fit_task_begin(**self.given)
        self.starts, self.runs, self.theta = {}, {}, {}
        self.lock = threading.Lock()  # starts may run in threads

    def _open(self, tasks, number, parent, name):
        """The task ``number`` among ``tasks``, begun if it is new."""
        if number not in tasks:
            tasks[number] = parent.subcontext(
                name,
                task_id=number if isinstance(number, int) else number[1],
                max_subtasks=self.subtasks[name],
                sequential_subtasks=name == "run",
            )
            tasks[number].call_on_fit_task_begin(**self.given)
        return tasks[number]

    def __call__(self, progress):
        """One iteration; returns whether the start is to end."""
        with self.lock:
            number, key = progress.start, (progress.start, progress.escape)
            start = self._open(self.starts, number, self.root, "start")
            run = self._open(self.runs, key, start, "run")
            iteration = run.subcontext("iteration")
            iteration.call_on_fit_task_begin(**self.given)
            self.theta[number] = self.theta[key] = progress.theta.copy()
            return self._end(iteration, progress.theta)

    def _end(self, task, theta):
        return task.call_on_fit_task_end(
            **self.given, reconstruction_attributes=lambda: self.reconstruct(theta)
        )

    def close(self, theta):
        """End all tasks, with the final theta for the fit."""
        for tasks in (self.runs, self.starts):
            for number, task in tasks.items():
                self._end(task, self.theta[number])
        self._end(self.root, theta)


class Subfits:
    """Tells the callbacks of a meta-estimator of the fits inside its own.

    Each fold is a task, and each fit in it a leaf, which the tasks of the inner
    estimator take the place of. A fold is a level of its own: a ``ProgressBar`` shows
    the folds, and with ``max_propagation_depth`` of 2 what is in them. Picklable, so
    that the fits can be done by other processes; empty where there are no callbacks.

    Parameters
    ----------
    estimator : estimator
        The meta-estimator.
    X, y, sample_weight
        As for :class:`TaskTree`.
    n_folds, n_fits : int
        Folds, and fits in each of them.
    refit : bool
        Whether one more fit follows.
    """

    def __init__(self, estimator, X, y, sample_weight, n_folds, n_fits, refit):
        self.root = None
        if not hasattr(estimator, "_skl_callbacks"):
            return
        told = estimator
        if inspect.isgenerator(getattr(estimator, "cv", None)):
            told = copy.copy(estimator)  # one that can be pickled
            told.cv = None
        self.given = _given(told, X, y, sample_weight)
        self.root = estimator._init_callback_context(max_subtasks=n_folds + refit)
        self.root.call_on_fit_task_begin(**self.given)
        self.folds = []
        for _ in range(n_folds):
            fold = self.root.subcontext("fold", max_subtasks=n_fits)
            fold._propagation_depth += 1
            leaves = [fold.subcontext("alpha") for _ in range(n_fits)]
            self.folds.append((fold, leaves))
        if refit:
            self.last = self.root.subcontext("refit")

    @contextlib.contextmanager
    def fold(self, number):
        """While the fits of a fold last."""
        if self.root is None:
            yield
            return
        task, _ = self.folds[number]
        task.call_on_fit_task_begin(**self.given)
        yield
        task.call_on_fit_task_end(**self.given)

    def fit(self, fold, number, model):
        """While a fit of ``model`` in a fold lasts."""
        return self._leaf(model, lambda: self.folds[fold][1][number])

    def refit(self, model):
        """While the fit after the folds lasts."""
        return self._leaf(model, lambda: self.last)

    @contextlib.contextmanager
    def _leaf(self, model, find):
        if self.root is None:
            yield
            return
        leaf = find()
        with leaf.propagate_callback_context(model):
            leaf.call_on_fit_task_begin(**self.given)
            yield
        leaf.call_on_fit_task_end(**self.given)

    def close(self, fitted):
        """The end of the whole, with the attributes that were fitted."""
        if self.root is not None:
            self.root.call_on_fit_task_end(
                **self.given, reconstruction_attributes=fitted
            )


class ValidationMonitor:
    """Callback that scores the model on validation data after each iteration.

    Give it to ``set_callbacks`` of any estimator of scikit-learn 1.9 or later that
    tells callbacks of its iterations. It predicts once an iteration. The CV estimators
    do not pass it on to their fits: their curve stays empty.

    Parameters
    ----------
    X_val : array-like of shape (n_samples, n_features)
        Rows that the fit does not see.
    y_val : array-like of shape (n_samples,) or (n_samples, n_outputs)
        What is true of them.
    scoring : str, callable or None, default=None
        As in scikit-learn; None is the estimator's own ``score``.

    Attributes
    ----------
    scores_ : list of dict
        Of the last fit, one for each iteration: ``task`` (the numbers from the start
        on, the iteration last) and ``score``. Where fits run in other processes, they
        stay there.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from skgoodmin import GoodMinimaClassifier, ValidationMonitor
    >>> X, y = load_wine(return_X_y=True)
    >>> X = (X - X.mean(axis=0)) / X.std(axis=0)
    >>> monitor = ValidationMonitor(X[::2], y[::2])
    >>> model = GoodMinimaClassifier((5,), random_state=0).set_callbacks(monitor)
    >>> _ = model.fit(X[1::2], y[1::2])
    >>> bool(monitor.curve_.max() > 0.95)
    True
    """

    def __init__(self, X_val, y_val, scoring=None):
        self.X_val, self.y_val, self.scoring = X_val, y_val, scoring
        self.scores_ = []

    def setup(self, estimator, context):
        """Begin a new curve."""
        from sklearn.metrics import check_scoring

        with naming("X_val and y_val"):
            check_consistent_length(self.X_val, self.y_val)
        self._scorer = check_scoring(estimator, scoring=self.scoring)
        self.scores_ = []

    def teardown(self, estimator, context):
        """Nothing is left to do."""

    def on_fit_task_begin(self, estimator, context):
        """Nothing to see yet."""

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        """Score the model of an iteration."""
        if fitted_estimator is None or context.task_name != "iteration":
            return
        task: list[int] = []
        at = context
        while at.parent is not None:
            task.insert(0, at.task_id)
            at = at.parent
        score = float(self._scorer(fitted_estimator, self.X_val, self.y_val))
        self.scores_.append({"task": tuple(task), "score": score})

    @property
    def curve_(self):
        """Scores in the order of the iterations, ndarray of shape (n_iterations,)."""
        return np.array([entry["score"] for entry in self.scores_])

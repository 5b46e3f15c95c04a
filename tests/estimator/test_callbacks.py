"""Callbacks of scikit-learn 1.9 and later, driven through the real ones."""

import copy
import pickle
import signal
import warnings

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgoodmin import (
    GoodMinimaClassifier,
    GoodMinimaClassifierCV,
    ValidationMonitor,
)
from skgoodmin.objective import evaluation_cache
from skgoodmin.objective.objective import Objective

callback = pytest.importorskip("sklearn.callback", reason="scikit-learn 1.9")
X, y = make_moons(120, noise=0.2, random_state=0)


class Watch:
    """Notes the tasks, and asks to stop where it is told to."""

    def __init__(self, stop=lambda context: False):
        self.stop, self.begun, self.ended, self.points = stop, [], [], []

    def setup(self, estimator, context):
        self.set_up = True

    def teardown(self, estimator, context):
        self.torn_down = True

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None):
        self.begun.append((context.task_name, context.task_id))

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None, X=None):
        self.ended.append((context.task_name, context.task_id))
        values = np.asarray(X)
        for w, c in zip(
            fitted_estimator.coefs_, fitted_estimator.intercepts_, strict=True
        ):
            raw = values @ w + c
            values = np.maximum(raw, 0)
        found = fitted_estimator.decision_function(X)
        np.testing.assert_allclose(found, raw[:, 0], rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(fitted_estimator.predict(X), raw[:, 0] > 0)
        self.points.append((context.task_name, found.tobytes()))
        return self.stop(context)


class StopAtFive(Watch):
    """Can be cloned into a grid search."""

    def __init__(self):
        super().__init__(lambda c: c.task_name == "iteration" and c.task_id == 4)


def _model(**parameters):
    parameters = {"alpha": 0.01, "random_state": 0, "tol": 1e-3} | parameters
    return GoodMinimaClassifier((4,), **parameters)


def test_the_tree_of_tasks():
    watch = Watch()
    model = _model(n_init=4, max_escapes=2)
    model.set_callbacks(watch).fit(X, y)
    assert watch.set_up and watch.torn_down
    assert sorted(watch.begun) == sorted(watch.ended)  # every task has its end
    assert watch.begun[0] == watch.ended[-1] == ("fit", 0)
    starts = [number for name, number in watch.begun if name == "start"]
    assert sorted(starts) == [0, 1, 2, 3]
    runs = {number for name, number in watch.begun if name == "run"}
    assert runs == {0, 1, 2}  # the start itself and two escapes
    n_iterations = sum(name == "iteration" for name, _ in watch.begun)
    firsts = len(np.unique(model.history_[["start", "escape"]]))
    assert n_iterations == len(model.history_) - firsts
    # Each iteration has a model of its own, and the fit the final one.
    points = [point for name, point in watch.points if name == "iteration"]
    assert len(set(points)) == len(points)
    assert watch.points[-1] == ("fit", model.decision_function(X).tobytes())


def test_nothing_changes_by_watching():
    plain = _model(n_init=2).fit(X, y)
    for n_jobs in (1, 2):
        watched = _model(n_init=2, n_jobs=n_jobs).set_callbacks(Watch()).fit(X, y)
        np.testing.assert_array_equal(plain.coefs_[0], watched.coefs_[0])
        assert plain.n_fun_ == watched.n_fun_
        np.testing.assert_array_equal(plain.history_, watched.history_)


def test_a_stop_request_is_honoured(recwarn):
    model = _model().set_callbacks(StopAtFive()).fit(X, y)
    assert model.n_iter_ == 5 and not model.converged_ and not recwarn.list
    assert len(model.loss_curve_) == 6
    same = _model(max_iter=5, max_escapes=0)
    with pytest.warns(UserWarning, match="max_iter"):
        same.fit(X, y)
    np.testing.assert_array_equal(model.coefs_[0], same.coefs_[0])


@pytest.mark.parametrize(
    "parameters", [{"training": "joint"}, {"early_stopping": True}]
)
def test_other_ways_to_train_tell_and_stop(parameters):
    watch = StopAtFive()
    model = _model(**parameters).set_callbacks(watch).fit(X, y)
    assert sorted(watch.begun) == sorted(watch.ended)
    assert [task for task in watch.begun if task[0] == "iteration"][-1][1] == 4
    assert model.score(X, y) > 0.5


def test_stop_inside_a_grid_search():
    pipeline = make_pipeline(StandardScaler(), _model().set_callbacks(StopAtFive()))
    grid = {"goodminimaclassifier__alpha": [0.0, 0.01]}
    search = GridSearchCV(pipeline, grid, cv=3).fit(X, y)
    assert search.best_estimator_[-1].n_iter_ == 5


def test_scoring_monitor_has_a_row_for_every_task():
    monitor = callback.ScoringMonitor(scoring=["neg_log_loss", "accuracy"])
    model = _model(max_escapes=0).set_callbacks(monitor)
    model.fit(X, y, sample_weight=np.ones(len(X)))
    table = monitor.get_logs().data_as_pandas
    iterations = table[table.task_name == "iteration"]
    assert len(iterations) == model.n_iter_
    assert iterations.accuracy.iloc[-1] == model.score(X, y)
    assert iterations.neg_log_loss.iloc[-1] > iterations.neg_log_loss.iloc[0]
    assert set(table.task_name) == {"fit", "start", "run", "iteration"}


def test_validation_monitor():
    monitor = ValidationMonitor(X[60:], y[60:], scoring="neg_log_loss")
    model = _model(max_escapes=0).set_callbacks(monitor)
    model.fit(X[:60], y[:60])
    assert len(monitor.curve_) == model.n_iter_
    assert monitor.scores_[2]["task"] == (0, 0, 2)
    from sklearn.metrics import log_loss

    expected = -log_loss(y[60:], model.predict_proba(X[60:]))
    np.testing.assert_allclose(monitor.curve_[-1], expected, rtol=1e-12)


class Checkpoint:
    """Pickles the model at an iteration, and may pull the plug there."""

    def __init__(self, at, stop=False):
        self.left, self.stop, self.saved = at, stop, None

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        if context.task_name == "iteration":
            self.left -= 1
            if self.left == 0:
                fitted_estimator.set_callbacks()
                self.saved = pickle.dumps(fitted_estimator)
                if self.stop:
                    raise KeyboardInterrupt


CHECKPOINTED = {
    "escapes": {"n_init": 3, "alpha": 0.0},
    "threads": {"n_init": 3, "n_jobs": 2},
    "joint": {"training": "joint", "n_init": 2},
    "per layer": {"training": "joint", "neuron_placement": "per_layer"},
    "held out": {"early_stopping": True, "n_init": 2},
    "log-loss": {"loss": "log_loss", "random_state": None},
    "float32": {"n_init": 2},
}


@pytest.mark.parametrize("at", [1, 12])
@pytest.mark.parametrize("name", CHECKPOINTED)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_checkpoint_goes_on_to_the_same_model(name, at, monkeypatch):
    rows = X.astype(np.float32) if name == "float32" else X
    model = _model(warm_start=True, max_fun=300, **CHECKPOINTED[name])
    computed, original = [], Objective._sum
    monkeypatch.setattr(
        Objective, "_sum", lambda *a: computed.append(1) or original(*a)
    )
    np.random.seed(5)
    whole = clone(model).fit(rows, y)
    n_whole = len(computed)
    np.random.seed(5)
    watch = Checkpoint(at, stop=True)
    with pytest.raises(KeyboardInterrupt):
        model.set_callbacks(watch).fit(rows, y)
    assert not hasattr(model, "coefs_")
    resumed = pickle.loads(watch.saved)
    assert not [attribute for attribute in vars(resumed) if "callback" in attribute]
    assert resumed.predict(rows).shape == y.shape
    n_known = len(resumed.checkpoint_["evaluations"])
    assert n_known >= at
    computed.clear()
    resumed.fit(rows, y)
    for first, second in zip(resumed.coefs_, whole.coefs_, strict=True):
        np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(resumed.history_, whole.history_)
    assert repr(resumed.certificate_) == repr(whole.certificate_)
    assert not hasattr(resumed, "checkpoint_")
    # What the checkpoint knew was not computed again. (Threads begin starts that may
    # turn out to be needless, now these and now others.)
    assert model.n_jobs == 2 or len(computed) <= n_whole - n_known


def test_a_checkpoint_that_had_no_room_is_as_exact(monkeypatch):
    monkeypatch.setattr(evaluation_cache, "LARGEST_CACHE", 800)
    model, watch = _model(warm_start=True), Checkpoint(12)
    model.set_callbacks(watch).fit(X, y)
    resumed = pickle.loads(watch.saved)
    assert len(resumed.checkpoint_["evaluations"]) == 5  # of 136 bytes
    np.testing.assert_array_equal(resumed.fit(X, y).coefs_[0], model.coefs_[0])


def test_a_checkpoint_of_a_model_that_went_on():
    first = _model(warm_start=True, max_iter=3, max_escapes=0, alpha=0.0)
    with pytest.warns(UserWarning):
        first.fit(X, y)
    first.set_params(max_iter=40)
    whole = copy.deepcopy(first)
    watch = Checkpoint(5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole.fit(X, y)
        first.set_callbacks(watch).fit(X, y)
        resumed = pickle.loads(watch.saved).fit(X, y)
    for model in (first, resumed):
        np.testing.assert_array_equal(model.coefs_[0], whole.coefs_[0])


def test_a_checkpoint_on_other_data_knows_nothing_of_them():
    watch = Checkpoint(10)
    _model(warm_start=True).set_callbacks(watch).fit(X, y)
    other = _model().fit(X[::-1] + 1.0, y)
    resumed = pickle.loads(watch.saved).fit(X[::-1] + 1.0, y)
    np.testing.assert_array_equal(resumed.coefs_[0], other.coefs_[0])


@pytest.mark.parametrize(
    ("change", "rows"),
    [
        ({"random_state": 7}, slice(None)),
        ({"hidden_layer_sizes": (5,)}, slice(None)),
        ({}, slice(0, None, 2)),
    ],
)
@pytest.mark.parametrize("went_on", [False, True])
def test_a_checkpoint_of_another_fit_is_a_new_fit(change, rows, went_on):
    """It kept alpha, its reason and the seed of the fit that it was made in."""
    watch, model = Checkpoint(3), _model(warm_start=True, alpha="auto", max_escapes=0)
    if went_on:
        model.fit(X, 1 - y)
    model.set_callbacks(watch).fit(X, y)
    other = _model(alpha="auto", max_escapes=0).set_params(**change)
    other.fit(X[rows], y[rows])
    resumed = pickle.loads(watch.saved).set_params(**change).fit(X[rows], y[rows])
    assert (resumed.alpha_, resumed.alpha_reason_) == (
        other.alpha_,
        other.alpha_reason_,
    )
    np.testing.assert_array_equal(resumed.coefs_[0], other.coefs_[0])


def test_a_checkpoint_in_a_pipeline_holds_nothing_of_the_running_fit():
    """Callbacks and all checkpoints before were in it, so that it doubled each time."""
    watch = Checkpoint(3)
    model = _model(warm_start=True).set_callbacks(watch)
    make_pipeline(StandardScaler(), model).fit(X, y)
    saved = pickle.loads(watch.saved)
    assert not [attribute for attribute in vars(saved) if "callback" in attribute]


class Counter:
    """Reaches the classifiers inside, counts in this process."""

    max_propagation_depth = None
    names = []

    def setup(self, estimator, context):
        self.names.clear()

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.names.append((context.task_name, type(estimator).__name__))
        if context.parent is None:
            assert fitted_estimator.score(X, y) > 0.9


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_cv_estimator_tells_of_its_fits(n_jobs):
    model = GoodMinimaClassifierCV((4,), alphas=2, cv=3, n_jobs=n_jobs, random_state=0)
    plain = clone(model).fit(X, y)
    with parallel_config("threading"):
        model.set_callbacks(Counter()).fit(X, y)
    np.testing.assert_array_equal(model.scores_, plain.scores_)
    names = Counter.names
    assert names.count(("fit", "GoodMinimaClassifier")) == 3 * 2 + 1
    assert names[-1] == ("fit", "GoodMinimaClassifierCV")
    assert names.count(("iteration", "GoodMinimaClassifier")) >= model.n_iter_


def test_a_callback_that_raises_leaves_the_model_as_it_was():
    model = _model().fit(X, y)
    before = {k: v for k, v in vars(model).items() if k.endswith("_")}

    def fail(context):
        raise RuntimeError("from the callback")

    watch = Watch(fail)
    with pytest.raises(RuntimeError, match="from the callback"):
        model.set_callbacks(watch).fit(X, y)
    assert watch.torn_down
    assert all(vars(model)[name] is value for name, value in before.items())
    assert "_callback_fit_ctx" not in vars(model)


def test_an_overflow_in_a_callback_is_none_of_the_objective():
    with pytest.raises(OverflowError, match="cannot convert float infinity"):
        _model().set_callbacks(Watch(lambda context: int(np.inf))).fit(X, y)


def test_an_interrupt_after_the_end_of_training_has_cut_nothing_short():
    def interrupt(context):
        if context.task_name == "fit":
            signal.raise_signal(signal.SIGINT)

    plain = _model().fit(X, y)
    model = _model().set_callbacks(Watch(interrupt))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.warns(UserWarning, match="the model is complete") as warned:
            model.fit(X, y)
    finally:
        signal.signal(signal.SIGINT, before)
    assert not [w for w in warned if issubclass(w.category, ConvergenceWarning)]
    np.testing.assert_array_equal(model.coefs_[0], plain.coefs_[0])


class Exhausted(Watch):
    """A bug of the user's: the iterator of its messages has an end."""

    def __init__(self):
        super().__init__()
        self.words = iter(["one"])

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        if context.task_name == "iteration":
            next(self.words)


@pytest.mark.parametrize("training", ["escape", "joint", "grow"])
def test_an_iterator_that_ends_in_a_callback_is_no_end_of_a_run(training):
    model = _model(training=training, tol_gap=1e-8).fit(X, y)
    before = model.loss_
    with pytest.raises((StopIteration, RuntimeError)) as raised:
        model.set_callbacks(Exhausted()).fit(X, y)
    error = raised.value
    assert isinstance(error, StopIteration) or isinstance(
        error.__cause__, StopIteration
    )
    assert model.loss_ == before


class Save(Watch):
    """Keeps the copy of an iteration, from which a fit can go on."""

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        if context.task_name == "iteration" and context.task_id == 6:
            self.saved = pickle.dumps(fitted_estimator.set_callbacks())


def test_a_checkpoint_knows_how_alpha_was_chosen():
    watch = Save()
    model = _model(alpha="auto", warm_start=True).set_callbacks(watch).fit(X, y)
    again = pickle.loads(watch.saved).fit(X, y)
    assert again.alpha_reason_ == model.alpha_reason_ != "kept from the fit before"
    assert again.certificate_ == model.certificate_
    assert again.fit(X, y).alpha_reason_ == "kept from the fit before"
    _model(warm_start=True).set_callbacks(watch).fit(X, y)
    chosen = pickle.loads(watch.saved).set_params(alpha="auto").fit(X, y)
    assert chosen.alpha_reason_ == model.alpha_reason_  # chosen anew


def test_a_validation_set_of_two_lengths_is_an_error_before_the_fit():
    model = _model().set_callbacks(ValidationMonitor(X, y[:3]))
    with pytest.raises(ValueError, match="X_val and y_val: .* inconsistent"):
        model.fit(X, y)
    assert len(ValidationMonitor(X, y).curve_) == 0

"""Progress bars: few of them, and they move."""

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.datasets import make_moons
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgoodmin import GoodMinimaClassifier, GoodMinimaClassifierCV

callback = pytest.importorskip("sklearn.callback", reason="scikit-learn 1.9")
X, y = make_moons(120, noise=0.2, random_state=0)


def _model(**parameters):
    parameters = {"alpha": 0.01, "random_state": 0, "tol": 1e-3} | parameters
    return GoodMinimaClassifier((4,), **parameters)


def test_progress_bar(capfd):
    pytest.importorskip("rich")
    _model(n_init=2).set_callbacks(callback.ProgressBar()).fit(X, y)
    out = capfd.readouterr().out
    assert "GoodMinimaClassifier - fit" in out and "100%" in out


def test_progress_bar_reaches_through_search_and_pipeline(capfd):
    pytest.importorskip("rich")
    search = GridSearchCV(
        make_pipeline(StandardScaler(), _model()),
        {"goodminimaclassifier__alpha": [0.0, 0.01]},
        cv=2,
    )
    search.set_callbacks(callback.ProgressBar(max_propagation_depth=3)).fit(X, y)
    out = capfd.readouterr().out
    assert "GridSearchCV - fit" in out and "GoodMinimaClassifier" in out


class Bars:
    """Notes the bars that a ProgressBar would show, and how they move."""

    def __init__(self, max_propagation_depth=1):
        self.max_propagation_depth = max_propagation_depth

    def setup(self, estimator, context):
        self.bars, self.sizes, self.done = [], {}, {}

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        inner = context.parent is None or context.source_estimator_name is not None
        if context.max_subtasks != 0 or inner:
            self.bars.append(f"{context.estimator_name} {context.task_name}")
            self.sizes[id(context)] = context, context.max_subtasks

    def on_fit_task_end(self, estimator, context):
        if context.parent is not None:
            key = id(context.parent)
            self.done[key] = self.done.get(key, 0) + 1


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_bar_for_each_fold_of_the_cv_estimator(n_jobs):
    bars = Bars()
    model = GoodMinimaClassifierCV((4,), alphas=8, cv=3, n_jobs=n_jobs, random_state=0)
    with parallel_config("threading"):
        model.set_callbacks(bars).fit(X, y)
    assert bars.bars[0] == "GoodMinimaClassifierCV fit"
    assert bars.bars.count("GoodMinimaClassifierCV fold") == 3
    assert bars.bars.count("GoodMinimaClassifier fit") == 1  # on all rows
    assert len(bars.bars) < 12
    assert [size for _, size in bars.sizes.values()][:2] == [4, 8]
    deep = Bars(2)
    with parallel_config("threading"):
        model.set_callbacks(deep).fit(X, y)
    assert deep.bars.count("GoodMinimaClassifier fit") == 3 * 8 + 1


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"n_init": 3, "max_escapes": 5, "alpha": 0.0},
        {"n_init": 4, "n_jobs": 2},
        {"max_iter": 25, "max_escapes": 8},
        {"training": "joint"},
        {"early_stopping": True, "n_init": 2},
        {"special_neuron": None},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_all_bars_move(parameters):
    """The number of subtasks is known, and none has more."""
    bars, model = Bars(), _model(**parameters)
    model.set_callbacks(bars).fit(X, y)
    for context, size in bars.sizes.values():
        assert size is not None and 1 <= bars.done[id(context)] <= size
        if context.task_name == "run":
            assert size == model.max_iter
    runs = len(np.unique(model.history_[["start", "escape"]]))
    assert bars.bars.count("GoodMinimaClassifier run") == runs


def test_a_run_that_is_resumed_keeps_its_number():
    """Its iterations go on where they paused, beside those of escapes dropped since."""
    for seed in range(4):
        model = _model(max_escapes=6, random_state=seed).fit(X, y)
        history = model.history_
        runs = [
            history["objective"][history["escape"] == escape]
            for escape in np.unique(history["escape"])
        ]
        kept = model.loss_curve_[-1 - model.n_iter_ :]
        assert any(np.array_equal(run, kept) for run in runs)


@pytest.mark.parametrize("generator", [False, True])
def test_progress_bar_of_the_cv_estimator_with_processes(capfd, generator):
    pytest.importorskip("rich")
    cv = StratifiedKFold(3).split(X, y) if generator else 3
    model = GoodMinimaClassifierCV((4,), alphas=2, cv=cv, n_jobs=2, random_state=0)
    model.set_callbacks(callback.ProgressBar()).fit(X, y)
    out = capfd.readouterr().out
    assert "GoodMinimaClassifierCV - fit" in out and "100%" in out
    assert "GoodMinimaClassifierCV - fold #2" in out

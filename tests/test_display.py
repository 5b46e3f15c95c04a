"""Displays: what is drawn, as artists and arrays."""

import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris, make_moons
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils._testing import ignore_warnings

from skgoodmin import (
    AlphaDisplay,
    CertificateDisplay,
    GoodMinimaClassifier,
    GoodMinimaClassifierCV,
    GoodMinimaRegressor,
    LandscapeDisplay,
    LossCurveDisplay,
)
from skgoodmin.objective.losses import LOSSES

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def moons():
    return make_moons(100, noise=0.3, random_state=0)


@pytest.fixture(scope="module")
def model(moons):
    return GoodMinimaClassifier((4,), alpha=0.01, n_init=3, random_state=0).fit(*moons)


def test_loss_curve_draws_every_run(model):
    display = LossCurveDisplay.from_estimator(model)
    history = model.history_
    runs = np.unique(history[["start", "escape"]])
    assert len(display.lines_) == len(runs)
    drawn = np.concatenate([line.get_xydata() for line in display.lines_])
    stored = np.column_stack([history["n_fun"], history["objective"]])
    assert {tuple(p) for p in drawn} == {tuple(p) for p in stored}
    assert len(display.grafts_.get_xdata()) == (runs["escape"] > 0).sum() > 0
    assert len(display.stalls_.get_xdata()) == len(runs)
    colours = {line.get_color() for line in display.lines_}
    assert colours == {"C0", "0.7"}
    assert display.ax_.get_xlabel() == "evaluations of the start"
    assert display.ax_.get_ylabel() == "objective"
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == [f"start {model.best_init_}", "stall", "graft"]


def test_loss_curve_ends_at_the_loss(model):
    history = model.history_[model.history_["start"] == model.best_init_]
    assert model.loss_ in history["objective"]


def test_landscape_is_the_objective(model, moons):
    display = LandscapeDisplay.from_estimator(
        model, *moons, n_points=5, span=0.5, random_state=0
    )
    assert display.objective.shape == (5, 5)
    np.testing.assert_allclose(display.objective[2, 2], model.loss_, rtol=1e-12)
    assert display.ax_.get_xlabel() == "first direction"
    assert display.model_.get_xydata().tolist() == [[0, 0]]
    n = sum(c.size for c in model.coefs_) + sum(c.size for c in model.intercepts_)
    ones = np.ones((2, n))
    given = LandscapeDisplay.from_estimator(
        model, *moons, n_points=3, directions=ones, span=0.1
    )
    # Both directions are one: the slice depends on the sum of the steps alone.
    np.testing.assert_allclose(given.objective[0, 2], given.objective[1, 1], rtol=1e-12)
    np.testing.assert_allclose(given.objective, given.objective.T, rtol=1e-12)
    with pytest.raises(ValueError, match=rf"shape \(2, {n}\), got \(1, 3\)"):
        LandscapeDisplay.from_estimator(model, *moons, directions=np.ones((1, 3)))


def test_landscape_with_the_neuron_shows_the_descent(model, moons):
    witness = model.certificate_.witness
    assert witness is not None
    display = LandscapeDisplay.from_estimator(
        model, *moons, neuron=True, n_points=5, random_state=0
    )
    middle = display.objective[:, 2]
    np.testing.assert_allclose(middle[2], model.loss_, rtol=1e-12)
    np.testing.assert_allclose(middle[2] - middle[4], witness.decrease, rtol=1e-6)
    assert display.ax_.get_ylabel() == "a further relu unit"


def test_landscape_with_the_neuron_at_alpha_0(moons):
    model = GoodMinimaClassifier((2,), alpha=0, max_escapes=0, random_state=0)
    witness = model.fit(*moons).certificate_.witness
    display = LandscapeDisplay.from_estimator(
        model, *moons, neuron=True, n_points=5, random_state=0
    )
    middle = display.objective[:, 2]
    np.testing.assert_allclose(middle[2], model.loss_, rtol=1e-12)
    np.testing.assert_allclose(middle[2] - middle[4], witness.decrease, rtol=1e-6)
    assert display.ax_.get_ylabel() == "amplitude of the special neuron"


@pytest.mark.parametrize("alpha", [0, 0.01])
def test_landscape_of_a_regressor(moons, alpha):
    X, y = moons[0], moons[0] ** 2
    model = GoodMinimaRegressor((2,), alpha=alpha, max_iter=30, random_state=0)
    witness = model.fit(X, y).certificate_.witness
    display = LandscapeDisplay.from_estimator(
        model, X, y, neuron=True, n_points=5, random_state=0
    )
    middle = display.objective[:, 2]
    np.testing.assert_allclose(middle[2], model.loss_, rtol=1e-12)
    np.testing.assert_allclose(middle[2] - middle[4], witness.decrease, rtol=1e-6)


def test_landscape_with_a_random_neuron(moons):
    free = GoodMinimaClassifier((4,), special_neuron=None, random_state=0).fit(*moons)
    display = LandscapeDisplay.from_estimator(
        free, *moons, neuron=True, n_points=3, random_state=0
    )
    assert np.isfinite(display.objective).all()


@pytest.mark.parametrize("loss", LOSSES)
def test_certificate_shares_sum_up_to_the_gap(loss):
    X, y = load_iris(return_X_y=True)
    X = np.round(X[:, :2])  # rows that contradict each other
    model = GoodMinimaClassifier((3,), loss=loss, random_state=0).fit(X, y)
    weight = None
    display = CertificateDisplay.from_estimator(model, X, y, sample_weight=weight)
    certificate = model.certificate_
    pointwise = certificate.bounds[0].value
    assert certificate.lower_bound > pointwise > 0
    # What the rows add is the loss above what contradicting rows cost any model.
    above = certificate.loss - pointwise
    np.testing.assert_allclose(display.gap_shares.sum(), above, rtol=1e-9)
    assert (display.gap_shares > -1e-15).all()
    assert (np.diff(display.margins) >= 0).all()
    assert display.bound_ax_.get_title().startswith(certificate.status.name)
    assert [bar.get_width() for bar in display.bars_] == [
        certificate.lower_bound,
        certificate.estimated_bound,
        certificate.objective,
    ]
    names = [text.get_text() for text in display.names_]
    largest = np.argsort(-display.gap_shares, kind="stable")[: len(names)]
    assert names == [str(row) for row in display.rows[largest]] and len(names) == 5
    # The rows are those of X: each has its margin.
    raw = model.decision_function(X[display.rows])
    sign = np.where(y[display.rows][:, None] == model.classes_, 1, -1)
    np.testing.assert_allclose((sign * raw).min(axis=1), display.margins, rtol=1e-9)
    assert len(display.points_.get_offsets()) == len(display.margins)


def test_displays_draw_again_on_given_axes(model, moons):
    display = CertificateDisplay.from_estimator(model, *moons)
    figure, ax = plt.subplots()
    assert display.plot(ax=ax) is display
    assert display.figure_ is display.ax_.figure is display.bound_ax_.figure is figure


def test_certificate_of_a_pipeline_and_another_one(model, moons):
    X, y = moons
    pipeline = make_pipeline(StandardScaler(), clone(model)).fit(X, y)
    display = CertificateDisplay.from_estimator(pipeline, X, y)
    assert display.certificate is pipeline[-1].certificate_
    inside = CertificateDisplay.from_estimator(
        pipeline[-1], pipeline[:-1].transform(X), y
    )
    np.testing.assert_array_equal(display.margins, inside.margins)
    np.testing.assert_array_equal(display.rows, inside.rows)
    other = pipeline[-1].certify(pipeline[:-1].transform(X), y, effort=0.1)
    display = CertificateDisplay.from_estimator(pipeline, X, y, certificate=other)
    assert display.certificate is other
    assert other.lower_bound in [bar.get_width() for bar in display.bars_]
    plain = CertificateDisplay.from_estimator(
        GoodMinimaClassifier((3,), alpha=0, max_escapes=0).fit(X, y), X, y
    )
    assert len(plain.bars_) == 2  # no estimate without weight decay


def test_displays_need_a_fitted_estimator(moons):
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        LandscapeDisplay.from_estimator(GoodMinimaClassifier(), *moons)


DISPLAYS = CertificateDisplay, AlphaDisplay, LandscapeDisplay, LossCurveDisplay


@pytest.mark.parametrize("display", DISPLAYS)
def test_displays_of_another_estimator_name_it(display, moons, model):
    data = moons if display in (CertificateDisplay, LandscapeDisplay) else ()
    other = LogisticRegression().fit(*moons)
    ours = "^estimator must be a GoodMinimaClassifier, .*RegressorCV"
    for estimator, name in (
        (other, "LogisticRegression"),
        (LogisticRegression(), "LogisticRegression"),
        (None, "NoneType"),
        (make_pipeline(StandardScaler(), other).fit(*moons), "Pipeline"),
    ):
        with pytest.raises(TypeError, match=f"{ours}.*; got .*{name}"):
            display.from_estimator(estimator, *data)
    pipeline = make_pipeline(StandardScaler(), clone(model)).fit(*moons)
    if display in (LandscapeDisplay, LossCurveDisplay):
        with pytest.raises(TypeError, match="got Pipeline: pass its last step"):
            display.from_estimator(pipeline, *data)


def test_displays_of_subclasses_and_of_a_cross_validation(moons):
    class Mine(GoodMinimaClassifier):
        pass

    for model in (
        Mine((2,), max_iter=5),
        GoodMinimaClassifierCV((2,), alphas=[0.1, 0.01], cv=2, max_iter=5),
    ):
        with ignore_warnings():
            model.fit(*moons)
        LossCurveDisplay.from_estimator(model)
        AlphaDisplay.from_estimator(model)
        CertificateDisplay.from_estimator(model, *moons)
        LandscapeDisplay.from_estimator(model, *moons, n_points=2)


def test_certificate_of_a_global_minimum_is_no_share_of_almost_0(moons):
    model = GoodMinimaClassifier((20,), alpha=0, random_state=0).fit(*moons)
    assert model.certificate_.status.name == "GLOBAL"
    display = CertificateDisplay.from_estimator(model, *moons)
    title = display.bound_ax_.get_title()
    assert re.fullmatch(r"GLOBAL: at most [\d.e-]+ can be gained", title)


def test_certificate_in_words_and_in_html(model):
    certificate = model.certificate_
    start = f"<Certificate {certificate.status.name}: objective"
    assert repr(certificate).startswith(start)
    html = certificate._repr_html_()
    for name in ("Status", "Objective", "Proven", "Estimated", "Witness"):
        assert f">{name}</th>" in html
    assert certificate.status.value in html and html.count("<table>") == 1


def test_alpha_draws_the_scores(moons, model):
    chosen = GoodMinimaClassifier((4,), random_state=0).fit(*moons)
    display = AlphaDisplay.from_estimator(chosen)
    line, _, _ = display.scores_.lines
    table = chosen.alpha_scores_
    np.testing.assert_array_equal(line.get_xdata(), table["alpha"])
    np.testing.assert_array_equal(line.get_ydata(), table["score"])
    assert display.chosen_.get_xdata()[0] == chosen.alpha_
    assert display.ax_.get_xscale() == "log"
    with pytest.raises(ValueError, match="alpha=0.01 has no scores: it was given"):
        AlphaDisplay.from_estimator(model)
    cv = GoodMinimaClassifierCV((4,), alphas=[0.1, 0.0], cv=2, max_iter=5)
    with ignore_warnings():
        drawn = AlphaDisplay.from_estimator(cv.fit(*moons))
    assert drawn.ax_.get_xscale() == "linear"


def test_a_frozen_estimator_is_drawn(model, moons):
    display = CertificateDisplay.from_estimator(FrozenEstimator(model), *moons)
    assert display.certificate is model.certificate_


@pytest.fixture(scope="module")
def path(moons):
    model = GoodMinimaClassifierCV((2,), alphas=[0.1, 0.01], cv=2, refit=False)
    return model.set_params(random_state=0).fit(*moons)


def test_alphas_of_a_cross_validation_without_a_model(path):
    display = AlphaDisplay.from_estimator(path)
    assert display.alpha == path.alpha_ and len(display.scores) == 2
    assert path.alpha_reason_ == "the best of 2 strengths in 2 folds"


def test_a_pipeline_of_one_step(moons, model):
    one = CertificateDisplay.from_estimator(make_pipeline(model), *moons)
    own = CertificateDisplay.from_estimator(model, *moons)
    np.testing.assert_array_equal(one.margins, own.margins)


@pytest.mark.filterwarnings("ignore:There are no gridspecs")  # nothing to lay out
@pytest.mark.parametrize("layout", [None, "constrained"])
def test_a_certificate_anywhere_in_a_figure(moons, model, layout):
    figure = plt.figure(layout=layout)
    ax = figure.add_axes([0.1, 0.2, 0.5, 0.6])
    display = CertificateDisplay.from_estimator(model, *moons, ax=ax)
    assert display.figure_ is figure
    figure.canvas.draw()
    boxes = [axes.get_position() for axes in (display.bound_ax_, display.ax_)]
    assert min(box.y0 for box in boxes) == pytest.approx(0.2)
    assert max(box.y1 for box in boxes) == pytest.approx(0.8)
    assert min(box.x0 for box in boxes) == pytest.approx(0.1)
    assert max(box.x1 for box in boxes) < 0.6


@pytest.mark.parametrize(
    "display, told",
    [
        (LossCurveDisplay, {"ax": 3}),
        (LandscapeDisplay, {"ax": 3}),
        (CertificateDisplay, {"ax": 3}),
        (CertificateDisplay, {"certificate": 3}),
        (LandscapeDisplay, {"n_points": 1}),
        (LandscapeDisplay, {"n_points": 2.5}),
        (LandscapeDisplay, {"n_points": "x"}),
        (LandscapeDisplay, {"span": 0}),
        (LandscapeDisplay, {"span": np.nan}),
        (LandscapeDisplay, {"span": "x"}),
        (LandscapeDisplay, {"neuron": "x"}),
        (LandscapeDisplay, {"random_state": "x"}),
    ],
)
def test_errors_name_the_parameter(display, told, moons, model):
    ((name, value),) = told.items()
    data = () if display is LossCurveDisplay else moons
    with pytest.raises((TypeError, ValueError), match=rf"{name}.*{value!r}"):
        display.from_estimator(model, *data, **told)


def test_directions_have_to_be_finite(moons, model):
    n = sum(part.size for part in (*model.coefs_, *model.intercepts_))
    directions = np.ones((2, n))
    directions[1, 3] = np.nan
    with pytest.raises(ValueError, match="directions must hold finite numbers"):
        LandscapeDisplay.from_estimator(model, *moons, directions=directions)
    with pytest.raises(ValueError, match="directions: could not convert"):
        LandscapeDisplay.from_estimator(model, *moons, directions="x")

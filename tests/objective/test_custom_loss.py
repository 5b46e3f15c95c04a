"""A loss of one's own: the checks, and fits that agree with the built-in losses."""

from types import SimpleNamespace

import numpy as np
import pytest
from problems import five_point, random_objective
from scipy.special import expit, xlogy

from skgoodmin import GoodMinimaClassifier, Status, certify
from skgoodmin.objective.losses.checks import check_loss
from skgoodmin.objective.losses.custom import CustomLoss


class Hinge:
    """The polynomial hinge of degree 3, written by a user."""

    def value(self, raw, sign):
        return np.maximum(0, 1 - sign * raw) ** 3

    def derivative(self, raw, sign):
        return -3 * sign * np.maximum(0, 1 - sign * raw) ** 2

    def minimum(self, negative, positive):
        total = np.sqrt(negative) + np.sqrt(positive)
        return 8 * negative * positive / np.maximum(total, 1e-300) ** 2


class Logistic:
    def value(self, raw, sign):
        return np.logaddexp(0, -sign * raw)

    def derivative(self, raw, sign):
        return -sign * expit(-sign * raw)

    def minimum(self, negative, positive):
        n = negative + positive
        return -xlogy(negative, negative / n) - xlogy(positive, positive / n)


class Squared(Hinge):
    """(1 - margin)^2: convex, least at margin 1, and no hinge."""

    def value(self, raw, sign):
        return (1 - sign * raw) ** 2

    def derivative(self, raw, sign):
        return -2 * sign * (1 - sign * raw)

    def minimum(self, negative, positive):
        return 4 * negative * positive / (negative + positive)


def _data(n_classes, multilabel=False):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(80, 4))
    if multilabel:
        return X, rng.randint(2, size=(80, n_classes))
    return X, rng.randint(n_classes, size=80)


# The built-in log-loss of several classes is the softmax, so it is left out.
@pytest.mark.parametrize(
    "own, name, target",
    [(Hinge(), "poly_hinge", target) for target in [(2,), (3,), (3, True)]]
    + [(Logistic(), "log_loss", target) for target in [(2,), (3, True)]],
)
def test_agrees_with_the_built_in_loss(own, name, target):
    X, y = _data(*target)
    weight = np.random.RandomState(1).uniform(0.5, 2, size=len(X))
    fits = [
        GoodMinimaClassifier(
            (5,), "tanh", loss=loss, alpha=0.1, max_escapes=0, random_state=0
        ).fit(X, y, weight)
        for loss in (own, name)
    ]
    np.testing.assert_allclose(fits[0].loss_, fits[1].loss_, rtol=1e-6)
    np.testing.assert_allclose(
        fits[0].predict_proba(X), fits[1].predict_proba(X), atol=1e-3
    )
    first, second = (fit.certificate_ for fit in fits)
    assert first.caveat == second.caveat
    # Tangents are as good as a conjugate; the networks differ a little.
    np.testing.assert_allclose(first.lower_bound, second.lower_bound, rtol=1e-3)
    pointwise = first.bounds[0].value, second.bounds[0].value
    np.testing.assert_allclose(*pointwise, rtol=1e-7, atol=1e-12)
    assert fits[0].out_activation_ == "custom"


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_gradient(n_outputs, sparse):
    objective, theta = random_objective(
        (4, 3), "tanh", CustomLoss(Squared()), n_outputs, sparse=sparse, weights=True
    )
    numerical = five_point(lambda t: objective.value_and_gradient(t)[0], theta)
    gradient = objective.value_and_gradient(theta)[1]
    assert np.abs(gradient - numerical).max() < 1e-8 * np.abs(gradient).max()


def test_many_chunks_agree_with_one():
    objective, theta = random_objective((100,), "tanh", CustomLoss(Hinge()), n=60_000)
    built_in, _ = random_objective((100,), "tanh", n=60_000)
    assert objective.n_leaves > 1
    own, ours = (o.value_and_gradient(theta) for o in (objective, built_in))
    np.testing.assert_allclose(own[0], ours[0], rtol=1e-12)
    np.testing.assert_allclose(own[1], ours[1], rtol=1e-9, atol=1e-14)


def test_certificate_of_contradicting_labels():
    X = np.array([[0.0], [0.0], [0.0], [1.0]])
    y = np.array([1, 1, 0, 1])
    model = GoodMinimaClassifier((), loss=Squared(), alpha=0, tol=1e-9).fit(X, y)
    assert model.certificate_.status is Status.GLOBAL
    np.testing.assert_allclose(model.certificate_.lower_bound, 4 * 2 / 3 / 4)
    np.testing.assert_allclose(model.predict_proba(X)[0], [1 / 3, 2 / 3], atol=1e-4)


def test_theorem_is_silent_where_the_infimum_is_not_attained():
    X, y = _data(2)
    model = GoodMinimaClassifier((3,), loss=Logistic(), alpha=0, tol=0.1).fit(X, y)
    assert "no network attains the infimum" in model.certificate_.caveat
    assert not CustomLoss(Logistic()).attains_minimum
    assert CustomLoss(Squared()).attains_minimum


def _loss(**changes):
    parts = {
        name: getattr(Hinge(), name) for name in ("value", "derivative", "minimum")
    }
    return SimpleNamespace(**parts | changes)


def _margin(m):
    """A pointwise loss from (value, derivative) of the margin."""
    return _loss(
        value=lambda f, y: m[0](y * f), derivative=lambda f, y: y * m[1](y * f)
    )


@pytest.mark.parametrize(
    "loss, message",
    [
        (_loss(value=lambda f, y: 1.0), "loss.value must return a finite array"),
        (_loss(derivative=lambda f, y: f / 0.0 * np.inf), "loss.derivative must"),
        (_loss(value=lambda f, y: Hinge().value(f, y) - 1), "subtract its infimum"),
        (
            _loss(derivative=lambda f, y: -Hinge().derivative(f, y)),
            "not the derivative of loss.value",
        ),
        (
            _margin((lambda m: np.maximum(0, 1 - m), lambda m: -1.0 * (m < 1))),
            "not differentiable",
        ),
        (_margin((lambda m: expit(-m), lambda m: -expit(m) * expit(-m))), "not convex"),
        (_margin((lambda m: m**2, lambda m: 2 * m)), "must fall with the margin"),
        (_loss(minimum=lambda n, p: 0 * n), "the least value found is"),
        (_loss(minimum=lambda n, p: 0.0), "one value a group"),
    ],
)
def test_every_assumption_is_checked(loss, message):
    X, y = _data(2)
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=message):
        GoodMinimaClassifier((3,), loss=loss).fit(X, y)


@pytest.mark.parametrize("loss", [Hinge(), Logistic(), Squared()])
def test_good_losses_pass(loss):
    check_loss(loss)


def _scaled(loss, scale, **changes):
    """The loss times a number."""
    parts = {
        name: lambda *args, name=name: scale * getattr(loss, name)(*args)
        for name in ("value", "derivative", "minimum")
    }
    return SimpleNamespace(**parts | changes)


def test_what_is_wrong_is_seen_at_any_scale():
    corner = _margin((lambda m: np.maximum(0, 1 - m), lambda m: -1.0 * (m < 1)))
    steep = {"derivative": lambda f, y: 4e-7 * Squared().derivative(f, y)}
    deep = {"minimum": lambda n, p: 3e-7 * Squared().minimum(n, p)}
    check_loss(_scaled(Squared(), 1e-7))
    for loss, message in (
        (_scaled(corner, 1e-7), "not differentiable"),
        (_scaled(Squared(), 1e-7, **steep), "not the derivative"),
        (_scaled(Squared(), 1e-7, **deep), "loss.minimum"),
        (_scaled(Squared(), 1e-14), "must be between 1e-09 and .* but is 2.5e-11"),
    ):
        with pytest.raises(ValueError, match=message):
            check_loss(loss)


@pytest.mark.parametrize("scale", [1.0, 1e-7])
def test_a_small_loss_is_no_global_minimum(scale):
    X, y = _data(2)
    raw = 0.5 * (2 * y - 1)
    certificate = certify(X, y, raw, loss=_scaled(Squared(), scale))
    np.testing.assert_allclose(certificate.objective, 0.25 * scale)
    assert certificate.status is not Status.GLOBAL


def test_an_object_without_the_methods_is_named():
    with pytest.raises(ValueError, match="'loss' parameter"):
        GoodMinimaClassifier(loss=object()).fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(ValueError, match=r"got the class Hinge: use Hinge\(\)"):
        GoodMinimaClassifier(loss=Hinge).fit([[0.0], [1.0]], [0, 1])


class Rowwise(Squared):
    """The squared loss, but of a matrix divided by its number of columns."""

    def value(self, raw, sign):
        return super().value(raw, sign) / (raw.shape[-1] if raw.ndim > 1 else 1)

    def derivative(self, raw, sign):
        return super().derivative(raw, sign) / (raw.shape[-1] if raw.ndim > 1 else 1)


class InPlace(Squared):
    """The squared loss, into what it is given."""

    def value(self, raw, sign):
        raw *= sign
        raw -= 1.0
        raw *= raw
        return raw


class Reused(Squared):
    """The squared loss, in the same arrays each time."""

    def __init__(self):
        self.known = {}

    def _kept(self, name, result):
        kept = self.known.setdefault((name, result.shape), np.empty_like(result))
        kept[...] = result
        return kept

    def value(self, raw, sign):
        return self._kept("value", super().value(raw, sign))

    def derivative(self, raw, sign):
        return self._kept("derivative", super().derivative(raw, sign))


@pytest.mark.parametrize(
    "loss, message",
    [
        (Rowwise(), "loss.value must be elementwise"),
        (InPlace(), "read-only"),
        (_loss(derivative=lambda f, y: None), "it returns None of type NoneType"),
    ],
)
def test_a_loss_that_is_not_elementwise_or_not_pure(loss, message):
    X, y = _data(2)
    with pytest.raises(ValueError, match=message):
        GoodMinimaClassifier((3,), loss=loss).fit(X, y)


def test_a_loss_may_return_lists_and_reuse_its_arrays():
    X, y = _data(2)
    expected = GoodMinimaClassifier((6,), loss=Squared(), random_state=0).fit(X, y)
    lists = _loss(
        **{
            name: lambda *args, name=name: getattr(Squared(), name)(*args).tolist()
            for name in ("value", "derivative", "minimum")
        }
    )
    for loss in (Reused(), lists):
        model = GoodMinimaClassifier((6,), loss=loss, random_state=0).fit(X, y)
        assert model.loss_ == expected.loss_
        assert model.certify(X, y).bounds == expected.certify(X, y).bounds


def test_a_loss_that_rises_again_is_worse_on_either_side():
    """Its rounding was counted towards the minimum, and came to nothing."""
    X, y, weight = [[0.0], [0.0], [1.0]], [1, 1, 0], [1, 1, 6e-7]
    raw = np.array([1 + 9e-7, 1 + 2.8e-6, -1])
    certificate = certify(X, y, raw, loss=Squared(), sample_weight=weight)
    true = np.average((1 - np.array([1, 1, -1]) * raw) ** 2, weights=weight)
    assert certificate.gap >= true and certificate.status is not Status.GLOBAL

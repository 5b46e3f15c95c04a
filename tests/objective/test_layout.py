"""Layout of theta, and the start of MLPClassifier."""

import numpy as np

from skgoodmin.objective.layout import ParameterLayout


def test_pack_and_unpack_are_inverse():
    layout = ParameterLayout((3, 4, 2))
    theta = np.arange(layout.n_parameters, dtype=float)
    coefs, intercepts = layout.unpack(theta)
    assert [c.shape for c in coefs] == [(3, 4), (4, 2)]
    assert [c.shape for c in intercepts] == [(4,), (2,)]
    np.testing.assert_array_equal(layout.pack(coefs, intercepts), theta)
    coefs[0][0, 0] = -1  # views, not copies
    assert theta[0] == -1
    assert layout.n_weights == 20


def test_start_has_the_radius_of_glorot():
    layout = ParameterLayout((30, 70, 10))
    coefs, intercepts = layout.unpack(layout.start(np.random.RandomState(0)))
    radius = np.sqrt(6 / 100)
    assert 0.95 * radius < np.abs(coefs[0]).max() <= radius
    assert np.abs(intercepts[0]).max() <= radius
    assert np.abs(coefs[1]).max() > radius  # its own fans, (70, 10)

"""What all tests need."""

import os

import pytest

# Set before scikit-learn is imported, or it skips its array API check.
os.environ.setdefault("SCIPY_ARRAY_API", "1")


def pytest_collection_modifyitems(items):
    """An example with callbacks needs a scikit-learn that has them."""
    from skgoodmin.estimator.callbacks import CALLBACKS

    if CALLBACKS:
        return
    for item in items:
        if (
            isinstance(item, pytest.DoctestItem)
            and "set_callbacks" in item.dtest.docstring
        ):
            item.add_marker(pytest.mark.skip("scikit-learn has no callbacks"))

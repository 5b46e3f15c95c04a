"""What all tests need."""

import os
from importlib.util import find_spec

import pytest

# Set before scikit-learn is imported, or it skips its array API check.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
# Words of examples, and what they need that may be missing. (Callbacks came with
# scikit-learn 1.9.)
NEEDED = {
    "set_callbacks": "sklearn.callback",
    "onnxruntime": "onnxruntime",
    "skl2onnx": "skl2onnx",
    "skops": "skops",
}


def pytest_collection_modifyitems(items):
    """Examples of the documentation that use what is not installed are skipped."""
    missing = {word: name for word, name in NEEDED.items() if find_spec(name) is None}
    for item in items:
        if not isinstance(item, pytest.DoctestItem):
            continue
        for word, name in missing.items():
            if word in item.dtest.docstring:
                item.add_marker(pytest.mark.skip(f"{name} is not installed"))

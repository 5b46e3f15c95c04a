"""What is said where the extra is not installed."""

import subprocess
import sys

CODE = "import sys; sys.modules['distributed'] = None; import skgoodmin.dask"


def test_a_missing_extra_is_named():
    words = [sys.executable, "-c", CODE]
    found = subprocess.run(words, capture_output=True, text=True)
    assert found.returncode and "pip install skgoodmin[dask]" in found.stderr

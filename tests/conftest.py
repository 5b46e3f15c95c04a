"""Set before scikit-learn is imported, or it skips its array API check."""

import os

os.environ.setdefault("SCIPY_ARRAY_API", "1")

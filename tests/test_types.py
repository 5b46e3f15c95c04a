"""What a user's type checker says of calls of the public face."""

import subprocess
import sys

import pytest

HEAD = "import numpy as np\nfrom skgoodmin import GoodMinimaClassifier, certify\n"


def _errors(tmp_path, code):
    """What mypy reports of a user's file."""
    path = tmp_path / "user.py"
    path.write_text(HEAD + code)
    options = ["--no-error-summary", "--ignore-missing-imports", "--cache-dir"]
    command = [sys.executable, "-m", "mypy", *options, str(tmp_path / "cache")]
    done = subprocess.run([*command, str(path)], capture_output=True, text=True)
    return [line for line in done.stdout.splitlines() if "user.py" in line]


@pytest.mark.slow
def test_a_users_checker_sees_the_types(tmp_path):
    pytest.importorskip("mypy")
    right = """
model = GoodMinimaClassifier((5, 3), "tanh", alpha="auto", random_state=0)
model = GoodMinimaClassifier(7).fit(np.ones((2, 2)), np.array([0, 1]))
gap: float = model.certify([[0.0], [1.0]], [0, 1]).relative_gap
gap = certify([[0.0], [1.0]], [0, 1], [-1.0, 1.0]).gap
"""
    assert _errors(tmp_path, right) == []
    wrong = [
        'GoodMinimaClassifier(hidden_layer_sizes="nonsense")',
        'GoodMinimaClassifier(alpha="much")',
        'GoodMinimaClassifier(training="slowly")',
        "GoodMinimaClassifier(n_init=None)",
    ]
    found = _errors(tmp_path, "\n".join(wrong))
    lines = {int(line.split(":")[1]) - HEAD.count("\n") for line in found}
    assert lines == set(range(1, len(wrong) + 1))

"""Mutation testing: how many small errors in a module do the tests notice?

    python benchmarks/mutants.py kernels/special_neuron certificates/witness

Every mutant changes one operator, number, comparison, branch or decorator of the
module (the operators of cosmic-ray, without the bitwise ones, which break any
arithmetic on floats and would flatter the figure). It is imported in a child process in
place of the module, without numba's compiler, and the tests named below run until one
fails. Printed: the share of mutants that were noticed, and those that were not.
"""

import argparse
import importlib
import importlib.util
import itertools
import os
import random
import signal
import sys
from pathlib import Path

os.environ["NUMBA_DISABLE_JIT"] = "1"
os.environ["SCIPY_ARRAY_API"] = "1"
os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # they take longer than the tests

import pytest
from cosmic_ray.mutating import MutationVisitor
from cosmic_ray.plugins import get_operator, operator_names

# What takes long to import, here, so that no child has to.
for name in ("numba", "sklearn.neural_network", "sklearn.utils.estimator_checks"):
    importlib.import_module(name)

ROOT = Path(__file__).parent.parent
TESTS = {
    "kernels/losses/hinge": ["kernels/test_losses", "objective/test_losses"],
    "kernels/losses/logistic": ["kernels/test_losses", "objective/test_losses"],
    "kernels/losses/softmax": ["kernels/test_losses", "objective/test_losses"],
    "kernels/losses/labels": ["kernels/test_losses"],
    "kernels/losses/sum_losses": ["kernels/test_losses"],
    "objective/losses/loss": ["objective/test_losses"],
    "objective/losses/logistic": ["objective/test_losses"],
    "objective/losses/polynomial_hinge": ["objective/test_losses"],
    "objective/losses/softmax": ["objective/test_losses"],
    "kernels/special_neuron": ["kernels/test_special_neuron"],
    "training/neuron_degree": ["training/test_neuron_degree"],
    "objective/predictions": ["objective/test_predictions"],
    "certificates/bound": ["certificates/test_pointwise"],
    "certificates/certificate": ["certificates/test_certificate"],
    "certificates/pointwise": ["certificates/test_pointwise"],
    "certificates/witness": ["certificates/test_witness"],
    "certificates/neuron_search": ["certificates/test_search_policy"],
    "training/graft": ["training/test_graft_cost"],
    "training/scout": ["training/test_scout", "training/test_graft_cost"],
    "training/stall": ["training/test_stall"],
    "training/race": ["training/test_race"],
    "training/start": ["training/test_start"],
    "training/escape": ["training/test_search"],
    "training/finish": ["training/test_finish"],
    "training/lbfgs": ["training/test_lbfgs_policy"],
    "estimator/targets": ["estimator/test_targets"],
}
ROOMS = ("kernels", "objective", "certificates", "training", "estimator")
TRIVIAL = ("BitAnd", "BitOr", "BitXor", "LShift", "RShift")


def mutants(source):
    """Pairs (what was changed, source) of all mutants."""
    for name in sorted(operator_names()):
        kind = get_operator(name)
        if any(word in name for word in TRIVIAL) or tuple(kind.arguments()):
            continue
        for number in itertools.count():
            changed = MutationVisitor.mutate_code(source, kind(), number)
            if changed is None:
                break
            if changed != source:
                yield _difference(name, source, changed), changed


def _difference(name, source, changed):
    """One line: where, what was there, what is there now."""
    pairs = zip(source.splitlines(), changed.splitlines(), strict=False)
    for line, (old, new) in enumerate(pairs, 1):
        if old != new:
            return f"{line}: {old.strip()}  ->  {new.strip()}"
    return name


class Finder:
    """Puts a mutant in the place of a module."""

    def __init__(self, module, source):
        self.name = "skgoodmin." + module.replace("/", ".")
        self.source = source

    def find_spec(self, name, path=None, target=None):
        if name == self.name:
            return importlib.util.spec_from_loader(name, self)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(compile(self.source, module.__spec__.name, "exec"), module.__dict__)


def forget(module):
    """Takes from the child what may know the module: its room and those above."""
    below = itertools.takewhile(lambda room: not module.startswith(room), ROOMS)
    kept = tuple(f"skgoodmin.{room}" for room in below)
    for name in list(sys.modules):
        if name.partition(".")[0] == "skgoodmin" and not name.startswith(kept):
            del sys.modules[name]
    package = importlib.import_module("skgoodmin")
    for name in kept:
        setattr(package, name.partition(".")[2], sys.modules[name])


def is_noticed(module, source, seconds):
    """Whether the tests fail, or do not end, with this source of the module."""
    child = os.fork()
    if child == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        signal.alarm(seconds)
        os.chdir(ROOT)
        sys.meta_path.insert(0, Finder(module, source))
        forget(module)
        tests = [f"tests/{name}.py" for name in TESTS[module]]
        options = [
            "-x",
            "-q",
            "--assert=plain",
            "-p",
            "no:cacheprovider",
            "-m",
            "not slow",
        ]
        os._exit(int(pytest.main([*options, *tests]) != 0))
    _, status = os.waitpid(child, 0)
    return status != 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="+", choices=TESTS)
    parser.add_argument("--sample", type=int, help="mutants of each module, at random")
    parser.add_argument("--seconds", type=int, default=120, help="for one mutant")
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    importlib.import_module(
        "skgoodmin"
    )  # here, so that a child only has to do its part
    for module in arguments.modules:
        source = (ROOT / "skgoodmin" / f"{module}.py").read_text()
        if is_noticed(module, source, arguments.seconds):
            sys.exit(f"The tests of {module} fail without any change.")
        candidates = list(mutants(source))
        if arguments.sample and arguments.sample < len(candidates):
            candidates = random.Random(0).sample(candidates, arguments.sample)
        survivors = []
        for text, changed in candidates:
            if not is_noticed(module, changed, arguments.seconds):
                survivors.append(text)
                print(f"    {module} {text}", flush=True)
        n, noticed = len(candidates), len(candidates) - len(survivors)
        print(
            f"{module}: {noticed} of {n} mutants noticed, {noticed / n:.1%}", flush=True
        )


if __name__ == "__main__":
    main()

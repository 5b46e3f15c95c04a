"""Cache of objective values: a resumed fit replays them for free.

A fit is a function of its data, its parameters, its seed and the values its objective
takes at the points it asks for. A checkpoint keeps these values. A fit that finds them
takes the same way at no cost, in whatever order its threads ask, and goes on from where
they end: the model is the one of a fit that was never interrupted, bit for bit.
"""

import hashlib

LARGEST_CACHE = 2**28  # bytes of gradients that are kept


class EvaluationCache:
    """Values and gradients by the digest of what they depend on.

    Parameters
    ----------
    known : dict of str to (float, ndarray), optional
        Those of a checkpoint.
    """

    def __init__(self, known=None):
        self.known = dict(known or {})

    def recall(self, parts, evaluate):
        """(value, gradient) as before, or of ``evaluate()`` where they are new.

        parts : bytes-like objects, all that the result depends on
        """
        key = digest(parts)
        if key in self.known:
            value, gradient = self.known[key]
            return value, gradient.copy()
        value, gradient = evaluate()
        if gradient.nbytes * (len(self.known) + 1) <= LARGEST_CACHE:
            self.known[key] = value, gradient.copy()
        return value, gradient


def digest(parts):
    """Digest of bytes-like objects, hexadecimal."""
    found = hashlib.blake2b(digest_size=16)
    for part in parts:
        found.update(len(part).to_bytes(8, "little"))
        found.update(part)
    return found.hexdigest()

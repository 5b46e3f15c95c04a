"""Training in the span of the rows, where they are fewer than the columns used.

With coordinates Z and the basis Q of the span (:mod:`.span`), X W = Z V with V = Q^T W.
The objective depends on W through V and the penalty alone, with ||W||^2 = ||V||^2 +
||rest||^2, and L-BFGS is invariant under rotations: training V on Z is training W on X,
with d/n times less work. What is left out is the part of W that is orthogonal to all
rows. Weight decay takes it to 0; without weight decay training would leave it as it was
drawn, as noise on rows that are not in this span. Here it is 0 from the beginning.
"""

from dataclasses import dataclass, replace

import numpy as np

from .canonical_rows import CanonicalRows
from .layout import ParameterLayout
from .span import Span, in_place_of_features

OUTSIDE = 1e-5  # share of the weights that is rounding, of single precision too


@dataclass(frozen=True)
class RowSpace:
    """Objective and parameters on the coordinates of the training rows.

    Parameters
    ----------
    span : Span
    training_rows : CanonicalRows
        Z in place of X.
    wide, narrow : ParameterLayout
        Of theta on all features, and on the coordinates.
    """

    span: Span
    training_rows: CanonicalRows
    wide: ParameterLayout
    narrow: ParameterLayout

    def objective(self, objective):
        """The objective of the wide data on the coordinates."""
        return replace(objective, data=self.training_rows, layout=self.narrow)

    def holds(self, theta):
        """Whether theta has no weights outside of the span, but for rounding."""
        (first, *_), _ = self.wide.unpack(theta)
        outside = first - self.span.lift(self.span.project(first))
        return np.linalg.norm(outside) <= OUTSIDE * np.linalg.norm(first)

    def project(self, theta):
        """theta on the coordinates; the part orthogonal to all rows is dropped."""
        (first, *others), intercepts = self.wide.unpack(theta)
        return self.narrow.pack([self.span.project(first), *others], intercepts)

    def lift(self, theta):
        """theta, or a gradient by it, on all features."""
        (first, *others), intercepts = self.narrow.unpack(theta)
        return self.wide.pack([self.span.lift(first), *others], intercepts)


def row_space(objective):
    """The :class:`RowSpace` of an objective; None where its rows have no span."""
    data, layout = objective.data, objective.layout
    if data.span is None:
        return None
    rows = in_place_of_features(data, data.span.coordinates)
    narrow = ParameterLayout((rows.n_features, *layout.sizes[1:]))
    return RowSpace(data.span, rows, layout, narrow)

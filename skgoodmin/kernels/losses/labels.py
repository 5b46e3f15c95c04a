"""What a class label means at an output: +1 or -1.

Labels of rows have shape (n, 1) with the class number, or (n, n_outputs) with 0 and 1
where every output is a label of its own. A single output stands for class 1.
"""

import numpy as np

from ..jit import njit


def signs(labels, n_outputs):
    """+1 and -1 for the labels of rows, (n, n_outputs) int8."""
    if labels.dtype.kind != "i":
        raise TypeError(f"labels must be class numbers, got {labels.dtype}.")
    if labels.shape[1] == n_outputs:
        positive = labels == 1
    elif labels.shape[1] == 1:
        positive = labels == np.arange(n_outputs)
    else:
        raise ValueError(
            f"labels of shape {labels.shape} do not belong to {n_outputs} outputs."
        )
    return np.where(positive, np.int8(1), np.int8(-1))


@njit(inline=True)
def positive(labels, k, n_outputs):
    """(column, number): label +1 at output k where labels[i, column] = number."""
    if labels.shape[1] > 1:
        return k, 1
    return 0, (1 if n_outputs == 1 else k)

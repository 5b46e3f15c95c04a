"""Adding the intercepts of a layer."""

from ..jit import njit


@njit
def add_intercept(z, intercept):
    """z_ij <- z_ij + c_j."""
    for i in range(z.shape[0]):
        for j in range(z.shape[1]):
            z[i, j] += intercept[j]

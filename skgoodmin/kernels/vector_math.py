"""Elementary functions that the compiler can vectorise.

numba calls libm once per element, some ten times slower than the loops here. All of
them reduce the argument as x = k ln 2 + r with |r| <= ln(2) / 2. The integer k comes
from adding ``MAGIC``, which leaves k in the low bits of the sum; shifted into the
exponent field the same bits are 2**k.

======== ============================== ===========================================
name     value                          error
======== ============================== ===========================================
exp64    e**x, float64                  2 units in the last place
exp32    e**x, float32                  3 units in the last place
expm1_*  e**x - 1 for x >= 0            4 units in the last place
log1p    log(1 + u) for 0 <= u <= 1     4 units in the last place, float64
======== ============================== ===========================================

Overflow gives inf and NaN gives NaN. Where the result would be subnormal it is 0:
subnormal numbers are fifteen times slower to compute with and never matter here.
"""

import numpy as np

from .jit import njit

_LOG2_E = 1.4426950408889634
# ln 2 in two parts; the first has enough trailing zeros for k * part to be exact.
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_LN2 = 0.6931471805599453
_MAGIC64 = 6755399441055744.0  # 1.5 * 2**52
_LOG2_E_32 = np.float32(1.4426950408889634)
_LN2_HIGH_32, _LN2_LOW_32 = np.float32(0.693359375), np.float32(-2.12194440e-4)
_MAGIC32 = np.float32(12582912.0)  # 1.5 * 2**23


@njit(inline=True)
def _expm1_reduced64(r):
    """e**r - 1 for |r| <= ln(2) / 2: the Taylor series to r**13."""
    p = 1.0 / 6227020800.0
    p = p * r + 1.0 / 479001600.0
    p = p * r + 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    return r + r * r * p


@njit(inline=True)
def exp64(x):
    """e**x in float64; 0 below -708, inf above 709, NaN for NaN."""
    bounded = min(max(x, -708.0), 709.0)
    shifted = np.float64(bounded * _LOG2_E + _MAGIC64)
    k = shifted - _MAGIC64
    r = bounded - k * _LN2_HIGH - k * _LN2_LOW
    # 2**k would overflow for k = 1024, so half the scale is applied twice.
    half = np.float64(2.0) * _expm1_reduced64(r) + np.float64(2.0)
    scale = np.int64(shifted.view(np.int64) + np.int64(1022)) << np.int64(52)
    y = half * np.int64(scale).view(np.float64)
    if x < -708.0:
        y = 0.0
    if x > 709.0:
        y = np.inf
    return y if x == x else x


@njit(inline=True)
def expm1_64(x):
    """e**x - 1 in float64 for 0 <= x <= 700."""
    shifted = np.float64(x * _LOG2_E + _MAGIC64)
    k = shifted - _MAGIC64
    r = x - k * _LN2_HIGH - k * _LN2_LOW
    scale = np.int64(shifted.view(np.int64) + np.int64(1023)) << np.int64(52)
    power = np.int64(scale).view(np.float64)
    return power * _expm1_reduced64(r) + (power - 1.0)


@njit(inline=True)
def _expm1_reduced32(r):
    """e**r - 1 for |r| <= ln(2) / 2 in float32: the Taylor series to r**7."""
    p = np.float32(1.0 / 5040.0)
    p = p * r + np.float32(1.0 / 720.0)
    p = p * r + np.float32(1.0 / 120.0)
    p = p * r + np.float32(1.0 / 24.0)
    p = p * r + np.float32(1.0 / 6.0)
    p = p * r + np.float32(0.5)
    return r + r * r * p


@njit(inline=True)
def exp32(x):
    """e**x in float32; 0 below -87, inf above 88, NaN for NaN."""
    bounded = min(max(x, np.float32(-87.0)), np.float32(88.0))
    shifted = np.float32(bounded * _LOG2_E_32 + _MAGIC32)
    k = shifted - _MAGIC32
    r = bounded - k * _LN2_HIGH_32 - k * _LN2_LOW_32
    half = np.float32(2.0) * _expm1_reduced32(r) + np.float32(2.0)
    bits = np.int32(shifted.view(np.int32) + np.int32(126))
    y = half * np.int32(bits << np.int32(23)).view(np.float32)
    if x < np.float32(-87.0):
        y = np.float32(0.0)
    if x > np.float32(88.0):
        y = np.float32(np.inf)
    return y if x == x else x


@njit(inline=True)
def expm1_32(x):
    """e**x - 1 in float32 for 0 <= x <= 80."""
    shifted = np.float32(x * _LOG2_E_32 + _MAGIC32)
    k = shifted - _MAGIC32
    r = x - k * _LN2_HIGH_32 - k * _LN2_LOW_32
    bits = np.int32(shifted.view(np.int32) + np.int32(127))
    power = np.int32(bits << np.int32(23)).view(np.float32)
    return power * _expm1_reduced32(r) + (power - np.float32(1.0))


@njit(inline=True)
def log1p64(u):
    """log(1 + u) in float64 for 0 <= u <= 1.

    log(1 + v) = 2 atanh(s) with s = v / (2 + v); u is halved towards 0 first where
    it is large, 1 + u = 2 (1 + (u - 1) / 2), so that |s| <= 0.18.
    """
    large = u > 0.4142135623730951
    v = 0.5 * (u - 1.0) if large else u
    s = v / (2.0 + v)
    z = s * s
    p = 1.0 / 23.0
    p = p * z + 1.0 / 21.0
    p = p * z + 1.0 / 19.0
    p = p * z + 1.0 / 17.0
    p = p * z + 1.0 / 15.0
    p = p * z + 1.0 / 13.0
    p = p * z + 1.0 / 11.0
    p = p * z + 1.0 / 9.0
    p = p * z + 1.0 / 7.0
    p = p * z + 1.0 / 5.0
    p = p * z + 1.0 / 3.0
    value = 2.0 * s + 2.0 * s * z * p
    return value + _LN2 if large else value

"""Rows that units of relu are held at, and steps that keep them there."""

import numpy as np

from .jit import njit
from .polar import norm


@njit
def nearest_rows(distance, limit, slope, rows):
    """``rows`` <- those with a positive slope and |distance| <= limit, nearest first.

    As many as there is room for; returns their number.
    """
    number = 0
    for i in range(distance.size):
        size = abs(distance[i])
        if size > limit or not slope[i] > 0.0:
            continue
        place = number
        while place > 0 and abs(distance[rows[place - 1]]) > size:
            place -= 1
        if place == rows.size:
            continue
        number = min(number + 1, rows.size)
        for p in range(number - 1, place, -1):
            rows[p] = rows[p - 1]
        rows[place] = i
    return number


@njit
def span(x, rows, number, dependent, basis, triangle):
    """Rows (x_i, 1) = triangle' basis, basis orthonormal; returns the rows' number.

    Of ``rows`` those go that are in the span of the ones before, but for a share
    ``dependent`` of their length.
    """
    d, kept = x.shape[1], 0
    for p in range(number):
        row = basis[kept]
        for j in range(d):
            row[j] = x[rows[p], j]
        row[d] = 1.0
        length = norm(row)
        for q in range(kept):
            triangle[q, kept] = 0.0
        for _ in range(2):  # once more, for what is left of rounding
            for q in range(kept):
                part = 0.0
                for j in range(d + 1):
                    part += basis[q, j] * row[j]
                for j in range(d + 1):
                    row[j] -= part * basis[q, j]
                triangle[q, kept] += part
        left = norm(row)
        if left > dependent * length:
            for j in range(d + 1):
                row[j] /= left
            triangle[kept, kept] = left
            rows[kept] = rows[p]
            kept += 1
    return kept


@njit
def hold(x, z, slope, rest, limits, margin, dependent, bases, n_held):
    """Which rows each unit is held at, as orthonormal bases of (x_i, 1).

    Those near a kink, |z_i| <= limit, whose multiplier is within ``margin`` of
    [0, slope_i] in units of slope_i: see :mod:`skgoodmin.training.kinks`.

    x : (n, d), z, slope : (m, n) w_j.x_i + b_j and the derivative of the loss by its
    relu, rest : (m, d + 1) the gradient by (w_j, b_j) with all rows that are active,
    limits : (m,), bases : (m, most, d + 1) and n_held : (m,) are filled.
    """
    m, d, most = z.shape[0], x.shape[1], bases.shape[1]
    rows, force = np.empty(most, np.int64), np.empty(d + 1)
    triangle, multipliers = np.empty((most, most)), np.empty(most)
    for j in range(m):
        number, before = nearest_rows(z[j], limits[j], slope[j], rows), -1
        while number != before:
            number = span(x, rows, number, dependent, bases[j], triangle)
            before = number
            for i in range(d + 1):
                force[i] = rest[j, i]
            for p in range(number):
                if z[j, rows[p]] > 0.0:
                    g = slope[j, rows[p]]
                    for i in range(d):
                        force[i] -= g * x[rows[p], i]
                    force[d] -= g
            for p in range(number - 1, -1, -1):
                total = 0.0
                for i in range(d + 1):
                    total -= bases[j, p, i] * force[i]
                for q in range(p + 1, number):
                    total -= triangle[p, q] * multipliers[q]
                multipliers[p] = total / triangle[p, p]
            number = 0
            for p in range(before):
                share = multipliers[p] / slope[j, rows[p]]
                if -margin < share < 1.0 + margin:
                    rows[number] = rows[p]
                    number += 1
        n_held[j] = number


@njit
def project(bases, n_held, w, b):
    """(w_j, b_j), the columns of w (d, m) and b (m,), less their parts in the bases."""
    d = w.shape[0]
    for j in range(b.size):
        for p in range(n_held[j]):
            part = bases[j, p, d] * b[j]
            for i in range(d):
                part += bases[j, p, i] * w[i, j]
            for i in range(d):
                w[i, j] -= part * bases[j, p, i]
            b[j] -= part * bases[j, p, d]

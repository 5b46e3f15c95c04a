"""Numbers in words that are proven: what is printed of a bound is one, too."""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context

# Relative difference up to which a number is printed as a rounder one that it is near,
# as 1.2 is, though the float is a little less. Bounds have given up more than that.
LAST = 1e-14


def at_least(value, digits):
    """Text of a number that is not negative, rounded down; up to 6 digits."""
    return _text(value * (1.0 + LAST), digits, ROUND_FLOOR)


def at_most(value, digits):
    """Text of a number that is not negative, rounded up; up to 6 digits."""
    return _text(value * (1.0 - LAST), digits, ROUND_CEILING)


def about(value, digits):
    """Text of a number that nobody has proven, rounded to the nearest."""
    return _text(value, digits, ROUND_HALF_EVEN)


def _text(value, digits, rounding):
    context = Context(prec=digits, rounding=rounding)
    return f"{float(context.create_decimal_from_float(float(value))):.6g}"

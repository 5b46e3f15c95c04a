"""Bounds of the objective over networks of every width, on plain arrays."""

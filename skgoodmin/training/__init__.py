"""Starts, runs of the solver, escapes, and how they are put together."""

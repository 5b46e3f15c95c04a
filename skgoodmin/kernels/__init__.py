"""Compiled kernels: arrays and numbers go in, nothing else.

The only folder that numba compiles, and the only one whose changes make it compile
anew.
"""

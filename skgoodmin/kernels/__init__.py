"""Compiled kernels: arrays and numbers in, no closures, no classes."""

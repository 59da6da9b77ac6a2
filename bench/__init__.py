"""MFIF-Bench: a benchmark of multi-focus image fusion."""

__version__ = "0.1.0"

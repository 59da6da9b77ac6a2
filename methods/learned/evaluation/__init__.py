"""Trained networks on held-out pairs, and how fast they run."""

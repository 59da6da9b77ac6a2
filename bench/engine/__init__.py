"""A run: what is selected, which cells are computed, in which order, and when they are timed."""

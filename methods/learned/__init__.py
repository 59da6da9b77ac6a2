"""Networks that fuse: definitions, inference, training and weights.

This package does not import torch. Its modules do; the functions of the learned methods import
them when they run.
"""

from __future__ import annotations

from pathlib import Path

#: The shipped weights, their registry, records and cards.
WEIGHTS = Path(__file__).parent / "weights"

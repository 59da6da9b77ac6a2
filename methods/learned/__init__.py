"""Networks that fuse: their definitions, the data and the trainer behind their weights.

Importing this package imports no torch; its modules do, and are imported by the functions of
the learned methods when they run.
"""

from __future__ import annotations

from pathlib import Path

#: The shipped weights, their registry, records and cards.
WEIGHTS = Path(__file__).parent / "weights"

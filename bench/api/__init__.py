"""The public functions: what the command line can do, three lines of Python can do."""

from __future__ import annotations

from bench.api.claims import check_claims, identify
from bench.api.images import fuse, score, score_folder
from bench.api.progress import Progress
from bench.api.runs import dry_run, merge, run

__all__ = [
    "Progress",
    "check_claims",
    "dry_run",
    "fuse",
    "identify",
    "merge",
    "run",
    "score",
    "score_folder",
]

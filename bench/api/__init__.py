"""The public functions: what the command line can do, three lines of Python can do."""

from __future__ import annotations

from bench.api.alignment import align
from bench.api.claims import check_claims, identify
from bench.api.folder_scores import FolderScores, score_folder, score_folders
from bench.api.fuse_files import FusedFile, fuse_files
from bench.api.images import fuse, score
from bench.api.progress import Progress
from bench.api.runs import dry_run, merge, run

__all__ = [
    "FolderScores",
    "FusedFile",
    "Progress",
    "align",
    "check_claims",
    "dry_run",
    "fuse",
    "fuse_files",
    "identify",
    "merge",
    "run",
    "score",
    "score_folder",
    "score_folders",
]

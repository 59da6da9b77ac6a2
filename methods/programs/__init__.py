"""Programs as methods: a command line is run on the sources, and its image is scored and timed.

`program` registers one; a user's plug-in does the same. The modules here register the programs that
photographers and microscopists use: one module each. None of them is shipped: a program that is
not on the machine is skipped, with how to install it. Their alignment is off where it can be
switched off, since this benchmark compares fusion of sources that are registered already.
"""

from __future__ import annotations

import importlib
import pkgutil

from methods.programs._register import program

__all__ = ["program"]

for _info in pkgutil.iter_modules(__path__):
    if not _info.name.startswith("_"):
        importlib.import_module(f"{__name__}.{_info.name}")

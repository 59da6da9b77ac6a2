"""Published networks with their authors' weights: one module each, a network and its method.

The weights are in the catalogue (`datasets/data/weights.csv`): they are downloaded on first use,
checked by their SHA-256, and never shipped. All these networks compute in float32, as their
authors' programs do (MUFusion in float64), whatever ``--precision`` says: a format of fewer digits
would move pixels by a level, and the images would no longer be those of the authors.
"""

from __future__ import annotations

import importlib
import pkgutil

for _info in pkgutil.iter_modules(__path__):
    if not _info.name.startswith("_"):
        importlib.import_module(f"{__name__}.{_info.name}")

"""Verify a store, and remove what is damaged or left over."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bench.store.store import Store


@dataclass
class StoreReport:
    """What is in a store.

    Attributes
    ----------
    records, images : int
        How many are whole.
    damaged : list of Path
        Records and images that are not what they should be.
    leftover : list of Path
        Files that a write which never ended has left.
    homeless : int
        Finished cells whose image is gone or damaged: they are computed again.
    """

    records: int = 0
    images: int = 0
    damaged: list[Path] = field(default_factory=list)
    leftover: list[Path] = field(default_factory=list)
    homeless: int = 0


def examine(store: Store, *, repair: bool = True) -> StoreReport:
    """Read every record and image of a store.

    Parameters
    ----------
    store : Store
        Which; nothing else may write to it meanwhile.
    repair : bool
        Remove what is damaged or left over, so that the next run computes it again.

    Raises
    ------
    EnvironmentFault
        A run is using the store, or it cannot be written to.
    """
    report = StoreReport()
    if not repair:
        return _examined(store, report)
    with store.lock():
        _examined(store, report)
        for file in (*report.damaged, *report.leftover):
            file.unlink(missing_ok=True)
    return report


def _examined(store: Store, report: StoreReport) -> StoreReport:
    for kind in ("records", "images"):
        report.leftover += sorted(store.root.glob(f"{kind}/??/.*"))
    whole = set()
    for file in sorted(store.root.glob("images/??/[!.]*")):
        if file.suffix == ".png" and store.get_image(file.stem) is not None:
            whole.add(file.stem)
        else:
            report.damaged.append(file)
    report.images = len(whole)
    for file in sorted(store.root.glob("records/??/[!.]*")):
        body = store.get(file.stem) if file.suffix == ".json" else None
        if body is None:
            report.damaged.append(file)
            continue
        report.records += 1
        report.homeless += body.get("status") == "ok" and body.get("pixels") not in whole
    return report

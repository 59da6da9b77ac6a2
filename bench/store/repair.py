"""Verify a store, and remove what is damaged or left over."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bench.store.log import key_of, parsed
from bench.store.store import Store


@dataclass
class StoreReport:
    """What is in a store.

    Attributes
    ----------
    records, images : int
        Numbers of valid records and images.
    damaged : list of str
        Lines and files whose content does not match their hash.
    damaged_files : list of Path
        Those of them that are files of their own.
    leftover : list of str
        Files that interrupted writes have left.
    lost_images : int
        Finished cells whose image is missing or damaged; the next run computes them again.
    """

    records: int = 0
    images: int = 0
    damaged: list[str] = field(default_factory=list)
    damaged_files: list[Path] = field(default_factory=list)
    leftover: list[str] = field(default_factory=list)
    lost_images: int = 0


def examine(store: Store, *, repair: bool = True) -> StoreReport:
    """Read every record and image of a store.

    Parameters
    ----------
    store : Store
        The store; nothing else may write to it meanwhile.
    repair : bool
        Remove what is damaged, left over or replaced by a newer record, so that the next run
        computes it again.

    Raises
    ------
    EnvironmentFault
        A run is using the store, or it cannot be written to.
    """
    if not repair:
        return _examined(store)
    with store.lock():
        report = _examined(store)
        for file in [*report.damaged_files, *map(Path, report.leftover)]:
            file.unlink(missing_ok=True)
        kept = {key_of(line): line for _, line in store.log.lines() if _whole(line)}
        if report.damaged or len(kept) < sum(1 for _ in store.log.lines()):
            store.log.rewrite(list(kept.values()))
    return report


def _whole(line: bytes) -> bool:
    return parsed(line) is not None


def _examined(store: Store) -> StoreReport:
    report = StoreReport()
    for where in (store.root.glob(".records-*"), store.root.glob("images/??/.*")):
        report.leftover += sorted(map(str, where))
    whole = {name for name in store.small_images() if store.get_image(name) is not None}
    for file in store.image_files():
        if file.suffix == ".png" and store.get_image(file.stem) is not None:
            whole.add(file.stem)
        else:
            report.damaged.append(str(file))
            report.damaged_files.append(file)
    report.images = len(whole)
    for number, line in store.log.lines():
        if line != b"\n" and not _whole(line):
            report.damaged.append(f"{store.log.path} line {number}")
    for key in list(store.keys()):
        body = store.get(key)
        if body is not None:
            report.records += 1
            lost = body.get("pixels", "") not in whole
            report.lost_images += body.get("status") == "ok" and "pixels" in body and lost
    return report

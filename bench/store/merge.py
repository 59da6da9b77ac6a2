"""Records of several stores copied into one, each verified on the way.

The key of a record is a hash of all that it depends on, so a record is never used for other
pixels, other code or another machine. A run on the joined store uses the records that fit and
computes the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.store.keys import metric_fingerprint
from bench.store.records import ScoreRecord, scores_from
from bench.store.store import Store, is_hash
from metrics import METRICS


def copy_records(sources: Sequence[Store], target: Store) -> int:
    """Copy every whole record and image into `target`; returns the number of records copied.

    A record that `target` has is kept, unless it is a failure and the other is not; scores of
    one fused image are joined. Damaged records, and those whose key is not a hash, are left out.

    Parameters
    ----------
    sources : sequence of Store
        Where to copy from; of a record that several have, the first one counts.
    target : Store
        Where to copy to.

    Raises
    ------
    EnvironmentFault
        `target` is in use, or cannot be written to.
    """
    copied = 0
    with target.lock():
        for source in sources:
            for key in list(source.keys()):
                copied += _copy(key, source, target)
            names = [*(file.stem for file in source.image_files()), *source.small_images()]
            for name in filter(is_hash, names):
                _copy_image(name, source, target)
    return copied


def _copy(key: str, source: Store, target: Store) -> bool:
    body = source.get(key) if is_hash(key) else None
    if body is None:
        return False
    known = target.get(key)
    joined = body if known is None else _joined(known, body)
    if joined == known:
        return False
    target.put(key, joined)
    return True


def _joined(known: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    if "scores" in known and "scores" in other:
        ours, theirs = scores_from(known), scores_from(other)
        better = {n: s for n, s in theirs.items() if n not in ours or _is_better(n, s, ours[n])}
        return {**known, "scores": known["scores"] | {n: s.to_body() for n, s in better.items()}}
    if "seconds" in known and "seconds" in other:
        return max(known, other, key=_worth)
    return other if known.get("status", "ok") != "ok" and other.get("status") == "ok" else known


def _is_better(metric: str, score: ScoreRecord, known: ScoreRecord) -> bool:
    """Whether `score` is one that a run would use, and `known` is not."""
    if metric not in METRICS:
        return known.status != "ok" and score.status == "ok"
    code = metric_fingerprint(METRICS[metric])
    used = [each.status == "ok" and each.fingerprint == code for each in (score, known)]
    return used[0] and not used[1]


def _worth(timing: dict[str, Any]) -> tuple[bool, int]:
    """A timing is worth more if nothing else ran beside it, then if it has more repeats."""
    return not timing.get("contended", False), len(timing["seconds"])


def _copy_image(pixels: str, source: Store, target: Store) -> None:
    if target.get_image(pixels) is None and source.get_image(pixels) is not None:
        target.put_png(pixels, source.png(pixels) or b"")

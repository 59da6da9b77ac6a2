"""What the store keeps of the timing of one cell on one machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Timing:
    """Timed repeats of one cell on one machine.

    Attributes
    ----------
    seconds : tuple of float
        Of each repeat; empty unless the status is ``ok``.
    first_s : float or None
        Seconds of the first call on this machine; None if it was made elsewhere.
    peak_bytes : int
        Largest resident memory on this machine; 0 if it was not measured here.
    contended : bool
        Whether other cells ran at the same time.
    status, message : str
        ``ok``, or why the cell could not be timed.
    """

    seconds: tuple[float, ...]
    first_s: float | None = None
    peak_bytes: int = 0
    contended: bool = False
    status: str = "ok"
    message: str = ""


def read_timing(record: Mapping[str, Any] | None) -> Timing | None:
    """The timing in a record of the store, or None if there is none that is whole.

    Examples
    --------
    >>> from bench.store.timing_record import read_timing
    >>> read_timing({"seconds": [0.5, 0.25], "first_s": 1.0}).seconds
    (0.5, 0.25)
    >>> read_timing({"seconds": ["fast"]}) is None
    True
    """
    try:
        found = dict(record or {})
        first = found.get("first_s")
        timing = Timing(
            seconds=tuple(float(value) for value in found.get("seconds", ())),
            first_s=float(first) if first else None,
            peak_bytes=int(found.get("peak_bytes") or 0),
            contended=bool(found.get("contended", False)),
            status=str(found.get("status", "ok")),
            message=str(found.get("message", "")),
        )
    except (TypeError, ValueError):
        return None
    return None if timing.status == "ok" and not timing.seconds else timing

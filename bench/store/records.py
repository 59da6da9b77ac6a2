"""What a store holds, as types: results of fusing, of scoring and of timing.

`to_body` and `from_body` turn a record into JSON and back; a body that is not of its type counts
as missing, so that a store of another version is never misread.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Self

from bench.store.typed_json import from_plain


class _Record:
    """Turns a dataclass into a JSON object and back; fields at their default are left out."""

    def to_body(self) -> dict[str, Any]:
        """As a JSON object."""
        fields = dataclasses.fields(self)  # type: ignore[arg-type]
        values = ((item, getattr(self, item.name)) for item in fields)
        return {item.name: value for item, value in values if value != item.default}

    @classmethod
    def from_body(cls, body: dict[str, Any] | None) -> Self | None:
        """From a JSON object; None if it is missing or not such a record."""
        try:
            return None if body is None else from_plain(cls, body, "record")
        except ValueError:
            return None


@dataclass(slots=True)
class FusionRecord(_Record):
    """How the fusion of one cell ended.

    Attributes
    ----------
    status, message : str
        ``ok``, or why there is no image.
    pixels, file : str
        Hash of the fused image's pixels, and of its PNG file.
    first_s : float
        Seconds of the first call, which loads libraries and weights.
    peak_bytes : int
        Largest resident memory of the process meanwhile, and of a program that it started.
    machine : str
        Id of the machine that it ran on; see `bench.store.keys.machine_id`.
    environment : str
        Key of the record of the library versions.
    output : str
        The last lines that the process printed, if it died.
    inputs : str
        Key of the record of the method's identity.
    compression : str
        ``jpeg75`` if the image is or was JPEG of quality 75; empty if it is lossless.
    subsampling : str
        Of the colours of such an image.
    note : str
        What a user should know of the image, or of how it was made.
    """

    status: str
    message: str = ""
    pixels: str = ""
    file: str = ""
    first_s: float = 0.0
    peak_bytes: int = 0
    machine: str = ""
    environment: str = ""
    output: str = ""
    inputs: str = ""
    compression: str = ""
    subsampling: str = ""
    note: str = ""


@dataclass(slots=True)
class ScoreRecord(_Record):
    """One metric of one fused image.

    Attributes
    ----------
    status, message : str
        ``ok``, or why there is no value.
    value : float or None
        May be infinite.
    fingerprint : str
        Hash of the metric's code.
    environment : str
        Key of the record of the library versions.
    output : str
        The last lines that the process printed, if it died.
    """

    status: str
    message: str = ""
    value: float | None = None
    fingerprint: str = ""
    environment: str = ""
    output: str = ""


@dataclass(slots=True)
class TimingRecord(_Record):
    """Seconds of one cell on one machine.

    Attributes
    ----------
    cell, machine : str
        Key of the cell, and id of the machine.
    status, message : str
        ``ok``, or why it could not be timed.
    seconds, cpu : list of float
        Seconds of each repeat, after a warm-up, and those of the processor, in all threads and in
        programs that were started.
    first_s : float or None
        Seconds of the first call, if that was on this machine.
    peak_bytes : int or None
        Largest resident memory of the process that fused, if that was on this machine.
    contended : bool
        Whether other scenes were worked on at the same time.
    """

    cell: str
    machine: str
    status: str = "ok"
    message: str = ""
    seconds: list[float] = field(default_factory=list)
    first_s: float | None = None
    peak_bytes: int | None = None
    contended: bool = False
    cpu: list[float] = field(default_factory=list)


def scores_body(scene: str, pixels: str, scores: dict[str, ScoreRecord]) -> dict[str, Any]:
    """The record of all scores of one fused image of one scene, as a JSON object."""
    entries = {name: score.to_body() for name, score in scores.items()}
    return {"scene": scene, "pixels": pixels, "scores": entries}


def scores_from(body: dict[str, Any] | None) -> dict[str, ScoreRecord]:
    """The scores by metric that such an object holds; invalid ones are left out."""
    entries = (body or {}).get("scores", {})
    found = {name: ScoreRecord.from_body(entry) for name, entry in entries.items()}
    return {name: score for name, score in found.items() if score is not None}

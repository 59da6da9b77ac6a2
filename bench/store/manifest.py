"""The manifest of a run, ``run.json``: what was run, and which records make it up.

`load_manifest` is the only reader. It refuses an incomplete file, so every field of a
`RunManifest` is valid.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.core.errors import DataUnavailable
from bench.core.files import write_bytes
from bench.store.typed_json import from_plain, to_plain

#: Name of the file in a run's output folder.
MANIFEST = "run.json"

#: Raised when the fields change in a way that an older reader would misread.
FORMAT = 2

#: Family of the baselines: copied sources, their average, a focus measure.
BASELINE_FAMILY = "control"
#: Family of the methods that start a program.
PROGRAM_FAMILY = "program"


@dataclass(frozen=True)
class MethodEntry:
    """A method of the run.

    Attributes
    ----------
    name, title, family : str
        Name in tables, name spelled out, and group.
    paper : str
        Where it is defined, in one line.
    year : int, optional
        When that was published.
    doi : str
        The paper's; empty if it has none.
    takes_precision : bool
        Whether ``--precision`` decides what it computes.
    identity : dict
        What its fused images depend on: parameters, code, weights, kind, ….
    """

    name: str
    title: str
    family: str
    takes_precision: bool = False
    identity: dict[str, Any] = field(default_factory=dict)
    paper: str = ""
    year: int | None = None
    doi: str = ""

    @property
    def is_baseline(self) -> bool:
        """Whether it is a baseline, which no table marks as best."""
        return self.family == BASELINE_FAMILY

    @property
    def parameters(self) -> dict[str, Any]:
        """Values of its keyword arguments."""
        return dict(self.identity.get("parameters", {}))


@dataclass(frozen=True)
class MetricEntry:
    """A metric of the run.

    Attributes
    ----------
    name, label : str
        Name on the command line, and name in tables.
    higher_is_better : bool
        Direction of the metric.
    variant_of : str
        The metric that it computes in another way, or empty.
    version : int
        Version of its definition.
    """

    name: str
    label: str
    higher_is_better: bool
    variant_of: str = ""
    version: int = 1

    @property
    def header(self) -> str:
        """The label with an arrow towards better values."""
        return f"{self.label} {'↑' if self.higher_is_better else '↓'}"

    @property
    def sign(self) -> int:
        """1 if higher is better, else -1: what to multiply scores with to maximise them."""
        return 1 if self.higher_is_better else -1


@dataclass(frozen=True)
class SceneEntry:
    """A scene of the run.

    Attributes
    ----------
    dataset, scene : str
        Together its name.
    title, origin, note : str
        See `datasets.Scene`.
    selection : str
        What `datasets.load_scenes` finds it by again, from any working directory.
    status, message : str
        ``ok``, or why its images could not be read.
    fingerprint : str
        Hash of its pixels; empty unless it was read.
    sources, height, width, channels : int
        Number and size of its images; 0 unless it was read.
    reference : bool
        Whether the all-in-focus reference is known.
    bits : int
        The bits that its 16-bit images were said to have; see `datasets.Scene`.
    notes : tuple of str
        What was noticed when it was read: what a user should know of its images.
    changes : tuple of str
        What was done to its images after they were read: ``noise=5``, ``align=ecc``.
    align_s : float
        Seconds that the alignment of its sources took in this run; 0 without one.
    """

    dataset: str
    scene: str
    title: str = ""
    origin: str = ""
    note: str = ""
    selection: str = ""
    status: str = "ok"
    message: str = ""
    fingerprint: str = ""
    sources: int = 0
    height: int = 0
    width: int = 0
    channels: int = 0
    reference: bool = False
    bits: int = 0
    notes: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    align_s: float = 0.0

    @property
    def name(self) -> str:
        """``dataset/scene``."""
        return f"{self.dataset}/{self.scene}"

    @property
    def place(self) -> tuple[str, str]:
        """Dataset and scene, as a key."""
        return self.dataset, self.scene


@dataclass(frozen=True, slots=True)
class Score:
    """One metric of one fused image.

    Attributes
    ----------
    status : str
        ``ok``, or why there is no value.
    value : float or None
        May be infinite (PSNR of identical images); None unless the status is ``ok``.
    message : str
        The reason in a sentence.
    fingerprint : str
        Hash of the metric's code.
    """

    status: str
    value: float | None = None
    message: str = ""
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class CellEntry:
    """One method on one scene.

    Attributes
    ----------
    dataset, scene, method : str
        Names of the dataset, the scene and the method.
    status, message : str
        How the cell ended, and the reason.
    key, timing : str
        Keys of its record and of its timing; empty where there is none.
    pixels : str
        Hash of the fused image; empty unless there is one.
    peak_bytes : int
        Largest resident memory while it was fused; 0 if that was not on this machine.
    scores : dict of str to Score
        Scores by metric.
    compression : str
        ``jpeg75`` if the fused image is or was JPEG of quality 75; empty if it is lossless.
    """

    dataset: str
    scene: str
    method: str
    status: str
    message: str = ""
    key: str = ""
    timing: str = ""
    pixels: str = ""
    peak_bytes: int = 0
    scores: dict[str, Score] = field(default_factory=dict)
    compression: str = ""

    @property
    def place(self) -> tuple[str, str]:
        """Dataset and scene, as a key."""
        return self.dataset, self.scene


@dataclass(frozen=True)
class EnvironmentEntry:
    """Library versions, and how many results of the run were made with them.

    Attributes
    ----------
    key : str
        Id of the environment; empty if it is not known.
    versions : dict of str to str
        Versions by library.
    cells, scores : int
        Results that were made with them.
    """

    key: str
    versions: dict[str, str]
    cells: int = 0
    scores: int = 0


@dataclass(frozen=True)
class RunManifest:
    """What a run did, for the reports.

    Attributes
    ----------
    complete : bool
        False if it was interrupted.
    started, finished : str
        ISO 8601, UTC.
    mfif_bench : str
        Version of the project.
    command : list of str
        The command line.
    git : dict
        Commit of the checkout, and whether it had changes; may be empty.
    machine : dict
        See `bench.core.environment.machine`.
    device, precision, precision_asked : str
        Where learned methods ran, in which number format, and which format was selected.
    threads, repeats : int
        Threads of every library, and timed repeats.
    store : str
        Absolute path of the store.
    plugins : list of str
        Absolute paths of the user's files that were loaded.
    environments : list of EnvironmentEntry
        Library versions of the results.
    methods, metrics, scenes, cells : list
        What was run.
    shard : list of int
        Which part of how many the run was, counted from 1.
    jpeg : bool
        Whether lossless images were also scored through the JPEG of others; see ``--jpeg``.
    """

    complete: bool
    started: str
    finished: str
    mfif_bench: str
    command: list[str]
    git: dict[str, Any]
    machine: dict[str, Any]
    device: str
    precision: str
    precision_asked: str
    threads: int
    repeats: int
    store: str
    plugins: list[str]
    environments: list[EnvironmentEntry]
    methods: list[MethodEntry]
    metrics: list[MetricEntry]
    scenes: list[SceneEntry]
    cells: list[CellEntry]
    shard: list[int] = field(default_factory=lambda: [1, 1])
    jpeg: bool = True

    @cached_property
    def metric(self) -> dict[str, MetricEntry]:
        """Metrics by name."""
        return {metric.name: metric for metric in self.metrics}

    @cached_property
    def method(self) -> dict[str, MethodEntry]:
        """Methods by name."""
        return {method.name: method for method in self.methods}

    @cached_property
    def scene(self) -> dict[tuple[str, str], SceneEntry]:
        """Scenes by dataset and name."""
        return {scene.place: scene for scene in self.scenes}

    @cached_property
    def baselines(self) -> frozenset[str]:
        """Names of the methods that fuse nothing; no table marks them as best."""
        return frozenset(method.name for method in self.methods if method.is_baseline)

    @property
    def datasets(self) -> list[str]:
        """Names of the datasets, in the order of the run."""
        return list(dict.fromkeys(scene.dataset for scene in self.scenes))

    def facts(self) -> dict[str, Any]:
        """The manifest without its cells, as JSON: what was run, on what, with which code."""
        plain = dataclasses.asdict(dataclasses.replace(self, cells=[]))
        del plain["cells"]
        return plain


def save_manifest(manifest: RunManifest, out: Path) -> Path:
    """Write ``run.json`` into the folder `out`, whole or not at all; returns its path."""
    path = out / MANIFEST
    text = json.dumps({"format": FORMAT, **to_plain(manifest)}, ensure_ascii=False)
    write_bytes(path, text.encode())
    return path


def load_manifest(out: Path | str) -> RunManifest:
    """Read the manifest of the run in folder `out`.

    Raises
    ------
    DataUnavailable
        The manifest is missing, damaged or of another format.
    """
    path = Path(out) / MANIFEST
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DataUnavailable(f"{path}: no finished run to report ({error})") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        came = found.get("format") if isinstance(found, dict) else type(found).__name__
        raise DataUnavailable(
            f"{path}: not a manifest of format {FORMAT} (got {came}); run it again"
        )
    try:
        manifest = from_plain(RunManifest, found, "run")
        _check(manifest)
    except ValueError as error:
        raise DataUnavailable(f"{path}: not the manifest of a run ({error})") from None
    return manifest


def _check(manifest: RunManifest) -> None:
    """Raise `ValueError` unless every cell is of a method, scene and metrics of the run."""
    for cell in manifest.cells:
        if cell.method not in manifest.method:
            raise ValueError(f"a cell is of method {cell.method!r}, which the run does not have")
        if cell.place not in manifest.scene:
            raise ValueError(f"a cell is of scene {'/'.join(cell.place)}, which is not in the run")
        if unknown := cell.scores.keys() - manifest.metric.keys():
            raise ValueError(f"a cell has scores of {sorted(unknown)}, which the run does not have")

"""The options of a run, checked in one place for the command line and for Python alike."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from bench.core.errors import UnknownName, UsageError
from bench.core.precision import PRECISIONS, Precision

if TYPE_CHECKING:
    from bench.engine.runner import Selection
    from bench.engine.selection import SelectedMethod
    from datasets import Scene
    from metrics import Metric

Isolation = Literal["scene", "cell", "none"]
Backend = Literal["local", "dask"]
Jpeg = Literal["auto", "off"]
Rerun = Literal["missing", "failed", "all", "none"]

#: Metrics unless they are named: the paper's six, and two where the reference is known.
METRICS = ("paper", "psnr", "ssim")

#: Dask workers that are started here unless their number is given.
WORKERS = 2

_CHOICES: dict[str, tuple[str, ...]] = {
    "precision": tuple(PRECISIONS),
    "isolation": get_args(Isolation),
    "backend": get_args(Backend),
    "rerun": get_args(Rerun),
    "jpeg": get_args(Jpeg),
}
_LEAST = {"threads": 1, "repeats": 0, "jobs": 1, "workers": 1}


@dataclass(frozen=True)
class RunOptions:
    """How a selection is run; every value is checked when the options are made.

    Parameters
    ----------
    device : str
        ``"cpu"``, ``"cuda"`` or ``"cuda:N"``, for learned methods.
    precision : {'auto', 'fp32', 'bf16'}
        Number format of learned methods.
    threads : int, optional
        Threads of every library; all cores, shared by the jobs, unless given.
    repeats : int
        Timed repeats of each cell; 0 for no timing.
    timeout : float or str
        Limit of reading a scene, of one fusion and of one score: seconds, or ``"90s"``,
        ``"10m"``, ``"2h"``.
    memory : int or str, optional
        Limit of a worker process: bytes, or ``"8G"``; what is free unless given.
    isolation : {'scene', 'cell', 'none'}
        A process for each scene, for each fusion, or none.
    jobs : int
        Scenes worked on at the same time.
    backend : {'local', 'dask'}
        Whether this machine or dask's workers do the work.
    scheduler : str, optional
        Address of a running dask scheduler.
    workers : int, optional
        Dask workers to start here.
    rerun : {'missing', 'failed', 'all', 'none'}
        Which stored results are computed again.
    shard : str or tuple of int
        ``"I/N"``: the I-th of N parts.
    plugins : sequence of path-like
        Python files that register further methods, metrics or datasets.
    store : path-like, optional
        Folder of the records; ``store`` in the output folder unless given.
    offline : bool
        Never use the network.
    jpeg : {'auto', 'off'}
        ``auto``: on a scene with JPEG images among those that exist already, the lossless ones
        are also scored through the same JPEG, as rows of their own; ``off``: they are not.
    bits : int, optional
        The bits that 16-bit images have, 8 to 16: they are scaled to 16 bits; 16 leaves them as
        they are. Unless given, the largest value of a scene decides; see `datasets.bits`.
    layout : str or sequence of str
        Which files of ``folder:DIR`` are what: ``"{scene}_{source}"``,
        ``["source_{source}/{scene}", "reference=full_clear/{scene}"]``.
    align : str
        The method that aligns the sources of each scene to its first one before they are fused:
        ``"ecc"``, ``"features"`` or ``"none"``; see `datasets.alignment`.

    Raises
    ------
    UsageError
        A value is not allowed, or two do not go together.

    Examples
    --------
    >>> from bench.engine.options import RunOptions
    >>> RunOptions(timeout="2m").seconds
    120.0
    """

    device: str = "cpu"
    precision: Precision = "auto"
    threads: int | None = None
    repeats: int = 5
    timeout: float | str = "10m"
    memory: int | str | None = None
    isolation: Isolation = "scene"
    jobs: int = 1
    backend: Backend = "local"
    scheduler: str | None = None
    workers: int | None = None
    rerun: Rerun = "failed"
    shard: str | tuple[int, int] = "1/1"
    plugins: Sequence[Path | str] = ()
    store: Path | str | None = None
    offline: bool = False
    jpeg: Jpeg = "auto"
    bits: int | None = None
    layout: str | Sequence[str] = ()
    align: str = "none"

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> RunOptions:
        """Options by name; an unknown name is a `UsageError` with a suggestion."""
        known = [field.name for field in dataclasses.fields(cls)]
        for name in given:
            if name not in known:
                raise UnknownName("option", name, known)
        return cls(**given)

    def __post_init__(self) -> None:
        """Refuse what is not allowed."""
        for name, allowed in _CHOICES.items():
            if (value := getattr(self, name)) not in allowed:
                raise UsageError(f"--{name} {value!r} must be one of {', '.join(allowed)}")
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if value is None and name in ("threads", "workers"):
                continue
            if type(value) is not int or value < least:
                raise UsageError(f"--{name} {value}: must be a whole number of at least {least}")
        if self.isolation == "none" and (self.jobs > 1 or self.memory):
            raise UsageError("--jobs and --memory need processes, not --isolation none")
        if self.backend == "local" and (self.scheduler or self.workers is not None):
            raise UsageError("--scheduler and --workers are for --backend dask")
        if self.backend == "dask" and self.isolation == "none":
            raise UsageError("--backend dask needs processes, not --isolation none")
        if isinstance(self.plugins, str | os.PathLike):
            raise UsageError(f"plugins must be a list of files, got {self.plugins!r}")
        if self.bits is not None:
            from datasets.bits import check_bits

            check_bits(self.bits)
        _ = self.seconds, self.memory_bytes, self.part

    @property
    def seconds(self) -> float:
        """The time limit."""
        number, unit = str(self.timeout).strip(), 1
        if number[-1:] in {"s", "m", "h"}:
            number, unit = number[:-1], {"s": 1, "m": 60, "h": 3600}[number[-1]]
        try:
            seconds = float(number) * unit
        except ValueError:
            seconds = 0.0
        if not 0 < seconds < 1e9:
            raise UsageError(f"--timeout {self.timeout!r} is not a time; write 90s, 10m or 2h")
        return seconds

    @property
    def memory_bytes(self) -> int | None:
        """The memory limit, if one is given."""
        if self.memory is None:
            return None
        from bench.workers.memory import parse_size

        return parse_size(str(self.memory))

    @property
    def part(self) -> tuple[int, int]:
        """Which part of how many, counted from 1."""
        text = self.shard if isinstance(self.shard, str) else "/".join(map(str, self.shard))
        match = re.fullmatch(r"(\d+)/(\d+)", text.strip())
        if not match or not 1 <= int(match[1]) <= int(match[2]):
            raise UsageError(f"--shard {text!r} is not I/N with I from 1 to N")
        return int(match[1]), int(match[2])

    def _prepared(self, scenes: Sequence[Scene]) -> list[Scene]:
        """The scenes as they are to be read: with their bits, and aligned."""
        if self.bits:
            scenes = [dataclasses.replace(scene, bits=self.bits) for scene in scenes]
        if self.align == "none":
            return list(scenes)
        from datasets.alignment.change import with_alignment

        return with_alignment(scenes, self.align)

    def selection(
        self,
        scenes: Sequence[Scene],
        methods: Sequence[SelectedMethod],
        metrics: Sequence[Metric],
    ) -> Selection:
        """What is to be run, with these options."""
        from bench.core.devices import available_cores
        from bench.engine.runner import Selection
        from bench.engine.scene_run import RERUN
        from bench.workers.process import Limits

        sharing = self.jobs if self.backend == "local" else self.workers or WORKERS
        return Selection(
            scenes=self._prepared(scenes),
            methods=methods,
            metrics=metrics,
            device=self.device,
            precision=self.precision,
            threads=self.threads or max(1, available_cores() // sharing),
            repeats=self.repeats,
            rerun=RERUN[self.rerun],
            limits=Limits(self.seconds, self.memory_bytes),
            isolation=self.isolation,
            jobs=self.jobs,
            shard=self.part,
            jpeg=self.jpeg == "auto",
        )

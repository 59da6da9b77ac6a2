"""Fuse, score and time methods on datasets, and write the tables.

Every finished cell is kept: run the same command again to go on after an interruption or to
add methods, metrics and datasets; only what is new or has changed is computed.

for example:
  python -m bench run --methods all
  python -m bench run --methods lp gf fcn --datasets paper liu2020 --out results/survey
  python -m bench run --methods all my_method --plugin my_method.py
  python -m bench run --methods all published:liu2020 --datasets liu2020
  python -m bench run --methods lp lp@levels=6 --datasets folder:my_photos --metrics all
"""

from __future__ import annotations

import argparse
import contextlib
import re
import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli import console
from bench.core.errors import BenchError, UsageError
from bench.core.precision import PRECISIONS

if TYPE_CHECKING:
    from bench.engine.runner import Run, Selection
    from bench.store.manifest import SceneEntry
    from bench.workers.dask_worker import Cluster

#: Dask workers that are started here unless their number is given.
WORKERS = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``run``."""
    add = parser.add_argument
    add(
        "--methods",
        nargs="+",
        default=["all"],
        metavar="NAME",
        help="names, a family (control, multi-scale, spatial, learned), NAME@parameter=value, "
        "all (default), or published:liu2020 and published:mfifb for other people's fused images",
    )
    add(
        "--datasets",
        nargs="+",
        default=["paper"],
        metavar="NAME",
        help="datasets, DATASET/SCENE, folder:DIR, synthetic:DIR (default: paper)",
    )
    add(
        "--metrics",
        nargs="+",
        default=["paper", "psnr", "ssim"],
        metavar="NAME",
        help="names, a family, paper, or all (default: paper psnr ssim)",
    )
    add(
        "--out",
        type=Path,
        default=Path("results"),
        metavar="DIR",
        help="folder for tables, scores and fused images (default: results)",
    )
    add(
        "--store",
        type=Path,
        metavar="DIR",
        help="folder of the records, to share them between runs (default: OUT/store)",
    )
    add(
        "--plugin",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE.py",
        help="Python files that register further methods, metrics or datasets",
    )
    add("--device", default="cpu", help="cpu, cuda or cuda:N, for learned methods (default: cpu)")
    add(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="number format of learned methods: fp32 for the same scores on other machines; auto "
        "(default) takes bf16 where the processor multiplies it, half precision on CUDA",
    )
    add("--threads", type=int, metavar="N", help="threads of every library (default: all cores)")
    add(
        "--repeats",
        type=int,
        default=5,
        metavar="N",
        help="timed repeats of each cell, 0 for no timing (default: 5)",
    )
    add(
        "--timeout",
        default="10m",
        metavar="TIME",
        help="limit of reading a scene, of one fusion and of one score: seconds, or 90s, 10m, 2h "
        "(default: 10m)",
    )
    add(
        "--memory",
        metavar="SIZE",
        help="limit of a process that reads, fuses or scores, such as 8G (default: what is free, "
        "divided by --jobs; with dask none)",
    )
    add(
        "--isolation",
        choices=("scene", "cell", "none"),
        default="scene",
        help="a process for each scene, replaced when it hangs or dies (default); for each "
        "fusion; or none, to debug a method (no limits then)",
    )
    add(
        "--jobs",
        type=int,
        default=1,
        metavar="N",
        help="scenes worked on at the same time; their timings are marked as contended and stay "
        "out of the tables (default: 1)",
    )
    add(
        "--backend",
        choices=("local", "dask"),
        default="local",
        help="dask: workers of dask.distributed do the work; timings count as contended",
    )
    add("--scheduler", metavar="ADDRESS", help="of a running dask scheduler: tcp://host:8786")
    add("--workers", type=int, metavar="N", help="dask workers to start here (default: 2)")
    add(
        "--rerun",
        choices=("missing", "failed", "all", "none"),
        default="failed",
        help="what is computed: what is missing; that and what failed (default); all; or none, "
        "to report what is there",
    )
    add("--shard", default="1/1", metavar="I/N", help="run the I-th of N parts; see bench merge")
    add("--dry-run", action="store_true", help="tell what is stored and what would be computed")
    add("--offline", action="store_true", help="never use the network (as MFIF_OFFLINE=1)")


def run(args: argparse.Namespace) -> int:
    """Run the selection, write the tables, say where they are."""
    import os

    from bench.core.devices import check_device
    from bench.core.plugins import load_plugin
    from bench.engine.runner import Run
    from bench.store.store import Store
    from datasets.fetch import fetch

    check_device(args.device, here=args.scheduler is None)
    if args.offline:
        os.environ["MFIF_OFFLINE"] = "1"
    for plugin in args.plugin:
        load_plugin(plugin)
    selection = _selection(args)
    store = Store(args.store or args.out / "store")
    if args.dry_run:
        return _dry_run(Run(selection, args.out, store, console.Silent()))
    _writable(args.out)
    fetch([file for scene in selection.scenes for file in scene.files])
    with _cluster(args) as cluster, console.RunProgress() as progress, _terminable():
        task = Run(selection, args.out, store, progress, cluster)
        try:
            complete = task.execute()
        except KeyboardInterrupt:
            _report(args.out, store)
            command = shlex.join([Path(sys.executable).name, "-m", "bench", *sys.argv[1:]])
            console.note(f"go on with: {command}")
            raise
    _report(args.out, store)
    _close(progress, args.out, task.scenes)
    if said := task.versions.sentence(store):
        console.note(said)
    return 0 if complete else 1


def _selection(args: argparse.Namespace) -> Selection:
    from bench.core.devices import available_cores
    from bench.engine.runner import Selection
    from bench.engine.scene_run import RERUN
    from bench.engine.selection import select_methods, select_metrics
    from bench.workers.memory import parse_size
    from bench.workers.process import Limits
    from datasets import load_scenes

    if args.jobs < 1 or args.repeats < 0 or (args.threads is not None and args.threads < 1):
        raise UsageError("--threads and --jobs must be at least 1 and --repeats at least 0")
    if args.isolation == "none" and (args.jobs > 1 or args.memory):
        raise UsageError("--jobs and --memory need processes, not --isolation none")
    if args.backend == "local" and (args.scheduler or args.workers is not None):
        raise UsageError("--scheduler and --workers are for --backend dask")
    if args.workers is not None and args.workers < 1:
        raise UsageError("--workers must be at least 1")
    if args.backend == "dask" and args.isolation == "none":
        raise UsageError("--backend dask needs processes, not --isolation none")
    memory = None if args.memory is None else parse_size(args.memory)
    sharing = args.jobs if args.backend == "local" else args.workers or WORKERS
    return Selection(
        scenes=load_scenes(args.datasets),
        methods=select_methods(args.methods),
        metrics=select_metrics(args.metrics),
        device=args.device,
        precision=args.precision,
        threads=args.threads or max(1, available_cores() // sharing),
        repeats=args.repeats,
        rerun=RERUN[args.rerun],
        limits=Limits(_seconds(args.timeout), memory),
        isolation=args.isolation,
        jobs=args.jobs,
        shard=_shard(args.shard),
    )


def _cluster(args: argparse.Namespace) -> contextlib.AbstractContextManager[Cluster | None]:
    if args.backend == "local":
        return contextlib.nullcontext()
    from bench.workers.dask_worker import connect

    return connect(args.scheduler, args.workers or WORKERS, gpu=args.device.startswith("cuda"))


def _seconds(text: str) -> float:
    """Seconds of ``90``, ``90s``, ``10m`` or ``2h``."""
    number, unit = text.strip(), 1
    if number[-1:] in {"s", "m", "h"}:
        number, unit = number[:-1], {"s": 1, "m": 60, "h": 3600}[number[-1]]
    try:
        seconds = float(number) * unit
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e9:
        raise UsageError(f"--timeout {text!r} is not a time; write 90s, 10m or 2h")
    return seconds


def _shard(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)/(\d+)", text.strip())
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise UsageError(f"--shard {text!r} is not I/N with I from 1 to N")
    return int(match[1]), int(match[2])


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Take a batch system's SIGTERM as Ctrl-C: what is finished is reported, and said."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _dry_run(task: Run) -> int:
    from bench.engine.dry_run import dry_run

    plan = dry_run(task)
    for line in plan.lines():
        console.emit(line)
    return 0


def _writable(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {out}: cannot be made ({error.strerror})") from None


def _report(out: Path, store: object) -> None:
    from bench.store.store import Store
    from reports.data.results import load_results
    from reports.tables.run_tables import write_tables

    if not isinstance(store, Store):
        raise BenchError("internal: not a store")
    write_tables(load_results(out, store), out)


def _close(progress: console.RunProgress, out: Path, scenes: list[SceneEntry]) -> None:
    """Say what was done and what was used in place of real scenes."""
    counts = ", ".join(f"{count} {status}" for status, count in sorted(progress.counts.items()))
    console.note(f"{counts}; {progress.cached} of them were finished before")
    for scene in scenes:
        if scene.origin == "stand-in":
            console.note(f"{scene.name}: {scene.note}")
    for table in sorted((out / "tables").glob("*.md")):
        console.note(f"{table}")

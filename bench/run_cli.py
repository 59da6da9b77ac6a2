"""Fuse, score and time methods on datasets, and write the tables.

Every finished cell is kept: run the same command again to go on after an interruption or to
add methods, metrics and datasets; only what is new or has changed is computed.

for example:
  python -m bench run --methods all
  python -m bench run --methods lp gf fcn --datasets paper liu2020 --out results/survey
  python -m bench run --methods all my_method --plugin my_method.py
  python -m bench run --methods lp lp@levels=6 --datasets folder:my_photos --metrics all
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from bench import console
from bench.errors import BenchError, UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``run``."""
    add = parser.add_argument
    add(
        "--methods",
        nargs="+",
        default=["all"],
        metavar="NAME",
        help="names, a family (control, multi-scale, spatial, learned), NAME@parameter=value, "
        "or all (default)",
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
    add("--threads", type=int, metavar="N", help="threads of every library (default: all cores)")
    add(
        "--repeats",
        type=int,
        default=5,
        metavar="N",
        help="timed repeats of each cell, 0 for no timing (default: 5)",
    )
    add("--offline", action="store_true", help="never use the network (as MFIF_OFFLINE=1)")


def run(args: argparse.Namespace) -> int:
    """Run the selection, write the tables, say where they are."""
    import os

    from bench.plan import select_methods, select_metrics
    from bench.registry import load_plugin
    from bench.runner import Run, Selection
    from bench.store import Store
    from bench.timing import available_cores, check_device
    from datasets import load_scenes
    from datasets.fetch import fetch

    threads = available_cores() if args.threads is None else args.threads
    if threads < 1 or args.repeats < 0:
        raise UsageError("--threads must be at least 1 and --repeats at least 0")
    check_device(args.device)
    if args.offline:
        os.environ["MFIF_OFFLINE"] = "1"
    for plugin in args.plugin:
        load_plugin(plugin)
    _writable(args.out)
    scenes = load_scenes(args.datasets)
    fetch([file for scene in scenes for file in scene.files])
    selection = Selection(
        scenes=scenes,
        methods=select_methods(args.methods),
        metrics=select_metrics(args.metrics),
        device=args.device,
        threads=threads,
        repeats=args.repeats,
    )
    store = Store(args.store or args.out / "store")
    with console.RunProgress() as progress:
        task = Run(selection, args.out, store, progress)
        try:
            complete = task.execute()
        except KeyboardInterrupt:
            _report(args.out, store)
            command = shlex.join([Path(sys.executable).name, "-m", "bench", *sys.argv[1:]])
            console.note(f"go on with: {command}")
            raise
    _report(args.out, store)
    _close(progress, args.out, task.scenes)
    return 0 if complete else 1


def _writable(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {out}: cannot be made ({error.strerror})") from None


def _report(out: Path, store: object) -> None:
    from bench.store import Store
    from reports.results import load_results
    from reports.tables import write_tables

    if not isinstance(store, Store):
        raise BenchError("internal: not a store")
    write_tables(load_results(out, store), out)


def _close(progress: console.RunProgress, out: Path, scenes: list[dict[str, object]]) -> None:
    """Say what was done and what was used in place of real scenes."""
    counts = ", ".join(f"{count} {status}" for status, count in sorted(progress.counts.items()))
    console.note(f"{counts}; {progress.cached} of them were finished before")
    for scene in scenes:
        if scene["origin"] == "stand-in":
            console.note(f"{scene['dataset']}/{scene['scene']}: {scene['note']}")
    for table in sorted((out / "tables").glob("*.md")):
        console.note(f"{table}")

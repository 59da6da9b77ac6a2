"""Fuse, score and time methods on datasets, and write the tables.

Every finished cell is kept: run the same command again to continue after an interruption or to
add methods, metrics and datasets; only what is new or has changed is computed.

for example:
  python -m bench run --methods all
  python -m bench run --methods lp gf fcn --datasets paper liu2020 --out results/survey
  python -m bench run --methods all my_method --plugin my_method.py
  python -m bench run --methods all published:liu2020 --datasets liu2020
  python -m bench run --methods lp lp@levels=6 --datasets folder:my_photos --metrics all
  python -m bench run --datasets folder:set --layout 'in_{source}/{scene}' 'reference=gt/{scene}'
  python -m bench run --methods all oracle --datasets robustness --repeats 0
  python -m bench run --methods lp gf fcn-x --datasets folder:handheld --align ecc
  python -m bench run --methods all -rp images:mine=my_results --datasets lytro
"""

from __future__ import annotations

import argparse
import contextlib
import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.cli import console
from bench.core.precision import PRECISIONS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``run``."""
    add = parser.add_argument
    add(
        "--methods",
        nargs="+",
        default=["all"],
        metavar="NAME",
        help="names, a family (control: the baselines; multi-scale, spatial, sparse, learned; "
        "rivals: published networks with their authors' weights; programs), "
        "NAME@parameter=value, all (default); fcn* for all that match, -rp to leave one out; "
        "published:mfi-whu and the like (bench list methods) for other people's fused images, "
        "images:NAME=DIR or "
        "images:DIR (each folder in it a method; DIR may end with a pattern such as {scene}_x) "
        "for those in a folder",
    )
    add(
        "--datasets",
        nargs="+",
        default=["paper"],
        metavar="NAME",
        help="datasets, lytro, gray and other subsets, folder:DIR, synthetic:DIR; behind a / one "
        "scene, a glob or a range (liu2020/c_01..c_05, folder:DIR/glass); -liu2020/g_* leaves out; "
        "lytro+noise=5+shift=1 perturbs the sources (bench list perturbations), robustness and "
        "robustness:NAME are a grid of that "
        "(default: paper; bench list scenes DATASET shows them)",
    )
    console.add_layout(add)
    add(
        "--metrics",
        nargs="+",
        default=["paper", "psnr", "ssim"],
        metavar="NAME",
        help="names, also as papers write them (QG, EN), a family, paper, principal, all, q* for "
        "all that match, -qp to leave one out (default: paper psnr ssim)",
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
    add(
        "--threads",
        type=int,
        metavar="N",
        help="threads of every library (default: all cores, divided by --jobs)",
    )
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
        help="time limit of reading a scene, of one fusion and of one score: seconds, or 90s, "
        "10m, 2h (default: 10m)",
    )
    add(
        "--memory",
        metavar="SIZE",
        help="memory limit of a worker process, such as 8G (default: the free memory divided by "
        "--jobs; no limit with dask)",
    )
    add(
        "--isolation",
        choices=("scene", "cell", "none"),
        default="scene",
        help="scene (default): one worker process for each scene, replaced when it hangs or dies; "
        "cell: one for each fusion; none: no worker, to debug a method (no limits then)",
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
        help="dask: workers of dask.distributed do the work; timings are marked as contended",
    )
    add(
        "--scheduler",
        metavar="ADDRESS",
        help="address of a running dask scheduler, such as tcp://host:8786",
    )
    add(
        "--workers", type=int, metavar="N", help="number of dask workers to start here (default: 2)"
    )
    add(
        "--rerun",
        choices=("missing", "failed", "all", "none"),
        default="failed",
        help="what is computed: missing: cells that are not stored; failed (default): also those "
        "that failed; all: every cell; none: no cell, to report what is stored",
    )
    add(
        "--shard",
        default="1/1",
        metavar="I/N",
        help="run only the I-th of N parts; bench merge joins them",
    )
    add(
        "--jpeg",
        choices=("auto", "off"),
        default="auto",
        help="auto (default): where published images are or were JPEG, lossless images are also "
        "scored through the same JPEG, as rows METHOD+jpeg; off: they are not",
    )
    add(
        "--dry-run",
        action="store_true",
        help="print what is stored and what would be computed, and stop",
    )
    add(
        "--bits",
        type=int,
        metavar="N",
        help="bits of the 16-bit images, which are scaled to 16; 16 leaves them as they are "
        "(default: 8, 10, 12, 14 or 16, what the largest value of a scene needs)",
    )
    add(
        "--align",
        default="none",
        metavar="METHOD",
        help="register the sources of each scene to its first one before they are fused: ecc "
        "(correlation, the more exact one), features (SIFT), none (default); what cannot be "
        "aligned stays as it is, and the notes on the scenes say so",
    )
    add("--offline", action="store_true", help="never use the network, as with MFIF_OFFLINE=1")


def run(args: argparse.Namespace) -> int:
    """Run the selection, write the tables, say where they are."""
    from bench import api

    given = {key: value for key, value in vars(args).items() if key not in ("dry_run", "plugin")}
    given["plugins"] = args.plugin
    if args.dry_run:
        for line in api.dry_run(**given).lines():
            console.emit(line)
        return 0
    with _terminable(), console.RunProgress() as progress:
        try:
            results = api.run(**given, progress=progress)
        except KeyboardInterrupt:
            command = shlex.join([Path(sys.executable).name, "-m", "bench", *sys.argv[1:]])
            progress.note(f"continue with: {command}")
            raise
    from reports.tables.closing import closing

    console.emit(closing(results, args.out))
    fine = all(cell.status == "ok" for cell in results.manifest.cells)
    return 0 if fine and not len(results.failures) else 1


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Treat SIGTERM, which batch systems send, as Ctrl-C: finished cells are reported."""

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

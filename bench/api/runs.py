"""Run methods on datasets, list what a run would do, and join runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.api.progress import Progress
from bench.core.errors import UsageError
from bench.engine.options import METRICS, RunOptions
from bench.engine.progress import Silent

if TYPE_CHECKING:
    from bench.engine.dry_run import DryRun
    from bench.engine.runner import Run
    from bench.store.store import Store
    from reports.data.results import Results

Names = str | Sequence[str]


def run(
    methods: Names = "all",
    datasets: Names = "paper",
    metrics: Names = METRICS,
    out: Path | str = "results",
    *,
    progress: Progress | None = None,
    **options: Any,
) -> Results:
    """Fuse, score and time methods on datasets, and write the tables, as ``bench run`` does.

    Every finished cell is kept in the store: the same call again computes only what is new or
    has changed.

    Parameters
    ----------
    methods, datasets, metrics : str or sequence of str
        Names, as on the command line: ``"all"``, ``"lp,gf"``, ``["fcn*", "lp@levels=6"]``,
        ``"published:liu2020"``, ``"images:mine=DIR"``.
    out : path-like
        Folder for tables, scores and fused images.
    progress : Progress, optional
        Receives the events of the run; nothing is shown unless given.
    **options
        See `bench.engine.options.RunOptions`: ``device``, ``precision``, ``threads``,
        ``repeats``, ``timeout``, ``memory``, ``isolation``, ``jobs``, ``backend``,
        ``scheduler``, ``workers``, ``rerun``, ``shard``, ``plugins``, ``store``, ``offline``,
        ``jpeg``, ``bits``, ``layout``, ``align``.

    Returns
    -------
    Results
        With the data frames ``scores``, ``timing`` and ``failures``.

    Raises
    ------
    BenchError
        The call cannot be run: an unknown name, a value that is not allowed, a device that is
        not available. A cell that fails raises nothing: it is a row of ``failures``.

    Examples
    --------
    >>> import bench, tempfile
    >>> out = tempfile.mkdtemp()
    >>> results = bench.run("average,lp", "paper/clock", "qabf", out, repeats=0)
    >>> results.scores[["method", "metric", "status"]].values.tolist()
    [['average', 'qabf', 'ok'], ['lp', 'qabf', 'ok']]
    """
    from bench.core.remarks import collect
    from bench.engine.execute import execute, network, select, store_of, without_torch
    from bench.store.manifest import MANIFEST

    chosen, observer, out = RunOptions.of(options), progress or Silent(), Path(out)
    store = store_of(chosen, out)
    with network(offline=chosen.offline):
        with collect() as remarks:
            selection = select(chosen, methods, datasets, metrics)
        for remark in remarks:
            observer.note(remark)
        if sentence := without_torch(selection.methods):
            observer.note(sentence)
        try:
            task = execute(selection, chosen, out, store, observer)
        except KeyboardInterrupt:
            if (out / MANIFEST).is_file():
                _write_tables(out, store)
            raise
    results = _write_tables(out, store)
    for text in _notes(task, results, out):
        observer.note(text)
    return results


def dry_run(
    methods: Names = "all",
    datasets: Names = "paper",
    metrics: Names = METRICS,
    out: Path | str = "results",
    **options: Any,
) -> DryRun:
    """What `run` would compute, and what is stored already; writes nothing.

    Parameters
    ----------
    methods, datasets, metrics, out, **options
        See `run`.

    Returns
    -------
    DryRun
        Its ``lines()`` are one for each scene, and one for all.

    Examples
    --------
    >>> from bench.api import dry_run
    >>> list(dry_run("average", "paper/clock", out="nowhere").lines())[-1]
    'in all: 1 cells, 0 stored, 1 to fuse; of the stored, 0 scores to compute and 0 to time'
    """
    from bench.engine.dry_run import dry_run as dry_run_of
    from bench.engine.execute import network, select, store_of
    from bench.engine.runner import Run

    chosen = RunOptions.of(options)
    with network(offline=chosen.offline):
        selection = select(chosen, methods, datasets, metrics)
        return dry_run_of(Run(selection, Path(out), store_of(chosen, Path(out)), Silent()))


def merge(
    parts: Sequence[Path | str],
    out: Path | str,
    *,
    stores: Sequence[Path | str] = (),
    plugins: Sequence[Path | str] = (),
    progress: Progress | None = None,
) -> Results:
    """Join the runs of several shards, or of several machines, into one.

    Their records are copied into the store of `out`, each verified; then the ordinary run over
    all their cells finds what fits and computes the rest. Nothing is timed: timings of this
    machine are used, those of others stay in the store.

    Parameters
    ----------
    parts : sequence of path-like
        Output folders of the runs, in the order of the rows.
    out : path-like
        Folder of the joined run.
    stores : sequence of path-like
        Their stores, one for all or one for each; where they were, unless given.
    plugins : sequence of path-like
        Plug-ins of the runs; where they were, unless given.
    progress : Progress, optional
        Receives the events of the run.

    Returns
    -------
    Results
        The results of the joined run.

    Raises
    ------
    DataUnavailable
        A folder holds no finished run, or its store is missing.
    UsageError
        The runs do not fit together: another device or number format.

    Examples
    --------
    >>> from bench.api import merge
    >>> results = merge(["part1", "part2"], "results")  # doctest: +SKIP
    """
    from bench.engine.execute import execute
    from bench.engine.merge import gaps, joined_selection
    from bench.store.manifest import load_manifest
    from bench.store.merge import copy_records
    from bench.store.store import Store
    from reports.data.results import store_folder

    folders, out = [Path(part) for part in parts], Path(out)
    if len(stores) not in {0, 1, len(folders)}:
        raise UsageError("--stores takes one folder for all parts, or one for each")
    given: list[Path | str | None] = [*stores] or [None]
    given = given * len(folders) if len(given) == 1 else given
    runs = [(folder, load_manifest(folder)) for folder in folders]
    roots = [store_folder(run, folder, at) for (folder, run), at in zip(runs, given, strict=True)]
    options = RunOptions(repeats=0, rerun="missing", plugins=plugins)
    selection, options = joined_selection(runs, options)
    told = progress or Silent()
    for gap in gaps(runs):
        told.note(gap)
    target = Store(out / "store")
    copy_records([Store(r) for r in roots if r.resolve() != target.root.resolve()], target)
    execute(selection, options, out, target, told)
    return _write_tables(out, target)


def _write_tables(out: Path, store: Store) -> Results:
    from reports.data.results import load_results
    from reports.tables.run_tables import write_tables

    results = load_results(out, store)
    write_tables(results, out)
    return results


def _notes(task: Run, results: Results, out: Path) -> Iterator[str]:
    """Notes for the user: stand-ins, fused images, files of tables, other library versions."""
    from bench.engine.image_notes import image_notes
    from bench.store.scene_notes import noted
    from reports.tables.run_tables import listed_pages

    yield from noted(task.scenes)
    for scene in task.scenes:
        if scene.origin == "stand-in":
            yield f"{scene.name}: {scene.note}"
    yield from image_notes(task.selection.methods, task.selection.scenes)
    yield from map(str, listed_pages(results, out / "tables"))
    if sentence := task.versions.sentence(results.store):
        yield sentence

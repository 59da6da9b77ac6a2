"""Score the fused images in folders: every score, and tables of means."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.api.progress import Progress
from bench.engine.options import METRICS, RunOptions
from bench.engine.progress import Silent

if TYPE_CHECKING:
    import os

    import pandas as pd

    from bench.engine.runner import Run
    from datasets import Scene

    #: A folder, a data set, or a text such as ``NAME=DIR``.
    Place = os.PathLike[str] | str

Names = str | Sequence[str]


@dataclass(frozen=True)
class FolderScores:
    """Scores of fused images.

    Attributes
    ----------
    scores : DataFrame
        ``dataset, scene, method, metric, value, status, message``; the status is ``ok``,
        ``missing`` (no fused image of the scene) or ``failed``.
    means : str
        A Markdown table of means for each data set: methods and metrics, over how many scenes,
        arrows towards better values, the best in bold.
    """

    scores: pd.DataFrame
    means: str

    def wide(self) -> pd.DataFrame:
        """A row for each scene and method, a column for each metric; empty where not scored."""
        keys = ["dataset", "scene", "method"]
        table = self.scores.pivot(index=keys, columns="metric", values="value")
        rows = self.scores[keys].drop_duplicates()
        columns = self.scores["metric"].drop_duplicates().tolist()
        return table.reindex(
            index=list(rows.itertuples(index=False)), columns=columns
        ).reset_index()


def score_folder(
    sources: Place | Sequence[Place], fused: Place | Sequence[Place], **options: Any
) -> pd.DataFrame:
    """Score the fused images in folders; one row a scene, method and metric.

    Parameters
    ----------
    sources, fused, **options
        See `score_folders`.

    Returns
    -------
    DataFrame
        ``dataset, scene, method, metric, value, status, message``; the status is ``ok``,
        ``missing`` (no fused image of the scene) or ``failed``.

    Examples
    --------
    >>> from bench.api import score_folder
    >>> table = score_folder("liu2020", "my_results", metrics="all")  # doctest: +SKIP
    """
    return score_folders(sources, fused, **options).scores


def score_folders(
    sources: Place | Sequence[Place],
    fused: Place | Sequence[Place],
    *,
    metrics: Names | None = None,
    pattern: str = "",
    layout: str | Sequence[str] = (),
    available: bool = False,
    jobs: int = 1,
    plugins: Sequence[Path | str] = (),
    store: Path | str | None = None,
    bits: int | None = None,
    progress: Progress | None = None,
) -> FolderScores:
    """Score the fused images in folders, and take means, as a run over ``images:`` does.

    Parameters
    ----------
    sources : path-like or str, or several
        Folders of source images, or data sets such as ``"liu2020"``.
    fused : path-like or str, or several
        Folders of fused images, also ``"NAME=DIR"``; names of files are understood as
        `bench.engine.image_match` says. Images of one method may lie in several folders.
    metrics : str or sequence of str, optional
        Names, as for `run`. A metric that is selected by name and not defined for a scene fails.
    pattern : str
        Path of a fused image without its ending, with ``{scene}`` and ``{method}``.
    layout : str or sequence of str
        Which files of the folders of sources are what; see `datasets.load_scenes`.
    available : bool
        Leave out scenes of which a method has no image; they are ``missing`` otherwise.
    jobs : int
        Processes.
    plugins : sequence of path-like
        Python files that register metrics or datasets.
    store : path-like, optional
        Folder in which the scores are kept, so that a second call finds them.
    bits : int, optional
        The bits that 16-bit images have, 8 to 16; see `bench.score`.
    progress : Progress, optional
        Receives each finished image, and notes about files that fit no scene.

    Returns
    -------
    FolderScores
        Every score, and a table of means.

    Raises
    ------
    UsageError
        A folder does not exist, no image fits a scene, or one fits two.

    Examples
    --------
    >>> from bench.api.folder_scores import score_folders
    >>> found = score_folders("liu2020", "ours=my_results", available=True)  # doctest: +SKIP
    >>> print(found.means)  # doctest: +SKIP
    """
    import pandas as pd

    from bench.core.remarks import collect
    from bench.engine.execute import execute, load_plugins, store_of
    from bench.engine.folder_scores import ScoreRow, score_rows
    from bench.engine.image_folder import gather_images
    from bench.engine.image_notes import image_notes
    from bench.engine.selection import named_metrics, select_metrics
    from bench.store.scene_notes import noted

    load_plugins(plugins)
    with collect() as remarks:
        scenes = scenes_of(sources, layout)
    methods = gather_images(texts_of(fused), scenes, pattern)
    picked, observer = select_metrics(METRICS if metrics is None else metrics), progress or Silent()
    options = RunOptions(jobs=jobs, plugins=plugins, repeats=0, store=store, jpeg="off", bits=bits)
    if jobs == 1:
        options = dataclasses.replace(options, isolation="none")
    selection = options.selection(scenes, methods, picked)
    if available:
        cells = frozenset((scene, method.name) for method in methods for scene in method.files)
        selection = dataclasses.replace(selection, only=cells)
    with tempfile.TemporaryDirectory(prefix="mfif-score-") as folder:
        out = Path(folder)
        task = execute(selection, options, out, store_of(options, out), observer)
        means = _means(out, task)
    rows = list(score_rows(task, named_metrics(metrics or ())))
    notes = [*remarks, *noted(task.scenes), *image_notes(methods, selection.scenes)]
    scored = {row.metric for row in rows}
    if metrics and (unfit := [metric.name for metric in picked if metric.name not in scored]):
        notes.append(f"not defined for any of these scenes: {', '.join(unfit)}")
    for text in notes:
        observer.note(text)
    columns = [field.name for field in dataclasses.fields(ScoreRow)]
    return FolderScores(
        pd.DataFrame([dataclasses.astuple(row) for row in rows], columns=columns), means
    )


def texts_of(places: Place | Sequence[Place]) -> list[str]:
    """One or several places as texts."""
    several = isinstance(places, Sequence) and not isinstance(places, str)
    return [str(place) for place in (places if several else [places])]  # type: ignore[union-attr]


def scenes_of(sources: Place | Sequence[Place], layout: str | Sequence[str] = ()) -> list[Scene]:
    """The scenes that each of `sources` names: a dataset, scenes of one, or a folder."""
    from bench.engine.selection import select_scenes
    from datasets import names_scenes

    found = [
        text if names_scenes(text) and not Path(text).is_dir() else f"folder:{text}"
        for text in texts_of(sources)
    ]
    return select_scenes(found, layout)


def _means(out: Path, task: Run) -> str:
    """A table of means for each data set of a run, from its manifest."""
    from reports.data.results import load_results
    from reports.tables.run_tables import means_page

    results = load_results(out, task.store)
    datasets = [str(name) for name in results.scores["dataset"].unique()]
    return "\n".join(means_page(results, dataset) for dataset in datasets)

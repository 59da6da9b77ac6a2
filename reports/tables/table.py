"""Scores and times of the methods on a scene, or their means over the scenes of a dataset."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd

from bench.store.manifest import RunManifest
from reports.data import paper
from reports.data.best import DIGITS, best_of, competing
from reports.data.compression import MARK, jpeg_methods, jpeg_note, settled
from reports.data.means import CAP_NOTE, for_means, has_capped
from reports.data.results import Results

#: Column of the median seconds.
TIME = "Time (s)"

#: Header of the column that says over how many scenes a mean is.
COVERAGE = "Scenes"


@dataclass(frozen=True)
class Table:
    """Values of methods.

    Attributes
    ----------
    values : DataFrame
        Indexed by method, the paper's order and then ours; a column a metric, then the seconds.
    counts : DataFrame
        The number of scenes over which each value is a mean; same shape.
    finished : Series
        Scenes that each method finished.
    scenes : int
        Number of scenes.
    is_mean : bool
        Whether the values are means over scenes, not those of one scene.
    manifest : RunManifest
        Manifest of the run.
    notes : list of str
        Notes below the table.
    lossy : frozenset of str
        Methods with JPEG images; they compete among themselves.
    """

    values: pd.DataFrame
    counts: pd.DataFrame
    finished: pd.Series
    scenes: int
    is_mean: bool
    manifest: RunManifest
    notes: list[str]
    lossy: frozenset[str] = frozenset()

    def names(self) -> list[str]:
        """The methods as they are printed: those of JPEG images have a mark."""
        rows = map(str, self.values.index)
        return [f"{name}{MARK}" if name in self.lossy else name for name in rows]

    def header(self, column: str) -> str:
        """Text above a column, with an arrow towards better values."""
        metric = self.manifest.metric.get(column)
        return metric.header if metric else f"{column} ↓"

    def places(self, column: str, digits: int = DIGITS) -> dict[str, int]:
        """1 for the best methods of a column, 2 for the second; see `best_of`.

        Lossless images compete among themselves, and so do JPEG images. `digits` are printed.
        """
        metric = self.manifest.metric.get(column)
        lossless = set(map(str, self.values.index)) - self.lossy
        if column == TIME:  # JPEG rows have no time
            return self._places(column, False, frozenset(), digits)
        higher = metric is not None and metric.higher_is_better
        apart = (self.lossy, lossless)
        return {k: v for o in apart for k, v in self._places(column, higher, o, digits).items()}

    def _places(
        self, column: str, higher: bool, others: Collection[str], digits: int
    ) -> dict[str, int]:
        return best_of(
            self.values[column],
            higher_is_better=higher,
            baselines={*self.manifest.baselines, *others},
            counts=self.counts[column],
            digits=digits,
        )

    def rivals(self, column: str) -> set[str]:
        """Methods that compete for the best of a column of lossless images."""
        baselines, counts = {*self.manifest.baselines, *self.lossy}, self.counts[column]
        return set(map(str, competing(self.values[column], baselines, counts).index))

    def coverage(self) -> list[str]:
        """Over how many scenes each method is, as text: ``3/5``."""
        return [f"{count}/{self.scenes}" for count in self.finished]

    def fewer(self, column: str) -> dict[str, str]:
        """The same for the values that are over fewer scenes than the method finished."""
        counts = self.counts[column]
        few = counts[(counts > 0) & (counts < self.finished)]
        return {str(name): f"{count}/{self.scenes}" for name, count in few.items()}

    def frame(self) -> pd.DataFrame:
        """For a CSV file; means have ``scenes_finished`` and ``scenes`` ahead."""
        table = self.values.rename_axis(index="method", columns=None).reset_index()
        if self.lossy:
            table.insert(1, "jpeg", [name in self.lossy for name in table["method"]])
        if self.is_mean:
            table.insert(1, "scenes_finished", self.finished.to_numpy())
            table.insert(2, "scenes", self.scenes)
        return table


def scene_table(results: Results, scene: str) -> Table:
    """One of the paper's Tables 1-4.

    Parameters
    ----------
    results : Results
        A run.
    scene : str
        ``"clock"``, ``"pepsi"``, ``"camera"`` or ``"color"``.
    """
    scores = results.scores.query("dataset == 'paper' and scene == @scene")
    times = results.timing.query("dataset == 'paper' and scene == @scene")
    lossy = jpeg_methods(results.manifest, "paper", scene)
    return _table(results, scores, times, lossy)


def mean_table(results: Results, dataset: str) -> Table:
    """Means over the scenes of a dataset that a method finished."""
    scores = results.scores.query("dataset == @dataset")
    times = results.timing.query("dataset == @dataset")
    notes = [CAP_NOTE] if has_capped(scores, results.manifest.metric) else []
    lossy = jpeg_methods(results.manifest, dataset)
    return _table(results, for_means(scores), times, lossy, notes)


def _table(
    results: Results,
    scores: pd.DataFrame,
    times: pd.DataFrame,
    lossy: dict[str, list[int]],
    notes: list[str] | None = None,
) -> Table:
    manifest, times = results.manifest, times[~times["contended"]]
    scores = settled(scores)
    present = set(scores["method"])
    order = [name for name in paper.ROWS if name in present]
    order += [name for name in manifest.method if name in present and name not in order]
    columns = [name for name in manifest.metric if name in set(scores["metric"])]
    by_metric = scores.groupby(["method", "metric"])["value"]
    by_method = times.groupby("method")["median_s"]
    values = by_metric.mean().unstack().reindex(order, columns=columns)
    counts = by_metric.count().unstack().reindex(order, columns=columns).fillna(0).astype(int)
    values[TIME], counts[TIME] = by_method.mean(), by_method.count()
    done = scores[scores["status"] == "ok"].groupby("method")["scene"].nunique()
    return Table(
        values,
        counts.fillna(0).astype(int),
        done.reindex(order, fill_value=0),
        scores["scene"].nunique(),
        notes is not None,
        manifest,
        [*(notes or []), *jpeg_note(lossy), *_time_notes(manifest, times)],
        frozenset(lossy),
    )


def _time_notes(manifest: RunManifest, times: pd.DataFrame) -> list[str]:
    """How times were taken, and in which number format learned methods computed."""
    notes = []
    if len(times):
        least, most = int(times["repeats"].min()), int(times["repeats"].max())
        repeats = f"{most}" if least == most else f"{least} to {most}"
        where = manifest.machine.get("gpu", manifest.machine.get("cpu", "an unknown processor"))
        notes.append(
            f"Time: median of {repeats} after a warm-up, {where}, {manifest.threads} "
            f"thread{'s' * (manifest.threads > 1)}; interquartile range in timing.csv."
        )
    if started := sorted(set(times.loc[times["includes_start"], "method"])):
        notes.append(
            f"Time of {', '.join(started)}: of a program, from writing its sources over its start "
            "to reading its image."
        )
    if any(method.takes_precision for method in manifest.methods):
        notes.append(f"Learned methods in {manifest.precision}.")
    return notes

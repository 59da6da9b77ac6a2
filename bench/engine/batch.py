"""Score folders of fused images that exist already, in the layouts that people have."""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench.core.errors import BenchError, DataUnavailable, NothingSelected, UsageError
from bench.core.image_io import SUFFIXES, read_image
from bench.core.plugins import load_plugin
from bench.workers.reason import reason_of
from datasets import Scene
from metrics import Plane, Scorer

#: Layouts that are tried when no pattern is given: a folder for each method, or the method
#: behind or before the scene in the file's name.
PATTERNS = ("{method}/{scene}", "{scene}_{method}", "{method}_{scene}")


@dataclass(frozen=True)
class Candidate:
    """A fused image to be scored, or one that should be there.

    Attributes
    ----------
    scene, method : str
        Whose.
    path : Path or None
        None when there is no file.
    """

    scene: str
    method: str
    path: Path | None


@dataclass(frozen=True)
class Row:
    """One score, as in ``scores.csv``.

    Attributes
    ----------
    scene, method, metric : str
        Of what.
    value : float or None
        None unless the status is ``ok``.
    status, message : str
        ``ok``, ``missing`` or ``failed``, and why.
    """

    scene: str
    method: str
    metric: str
    value: float | None
    status: str
    message: str = ""


def find_candidates(
    folder: Path, scenes: Sequence[str], pattern: str = ""
) -> tuple[list[Candidate], list[Path]]:
    """Match the image files below `folder` to scenes and methods.

    Parameters
    ----------
    folder : Path
        Searched with its sub-folders.
    scenes : sequence of str
        Names of the scenes that there are sources for.
    pattern : str
        Path without its ending, with ``{scene}`` and ``{method}``, such as
        ``"{method}/{scene}"`` or ``"{scene}_{method}"``; may lie in any sub-folder. The first
        of `PATTERNS` that fits the most files unless given.

    Returns
    -------
    list of Candidate, list of Path
        Every scene with every method found, and the image files that fit no scene.

    Raises
    ------
    UsageError
        The folder does not exist, the pattern has no ``{scene}``, or nothing fits.
    NothingSelected
        The folder holds no image.
    """
    if not folder.is_dir():
        raise UsageError(f"--fused {folder}: no such folder")
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not files:
        raise NothingSelected(f"--fused {folder}: no image in it ({', '.join(sorted(SUFFIXES))})")
    best: dict[tuple[str, str], Path] = {}
    clash = ""
    for text in [pattern] if pattern else PATTERNS:
        found, doubles = _match(folder, files, _matcher(text, scenes))
        clash = clash or doubles
        if len(found) > len(best) and not doubles:
            best = found
    if not best:
        if clash:
            raise UsageError(f"{clash}; say what is the method's name with --pattern")
        raise UsageError(
            f"--fused {folder}: none of {len(files)} images fits "
            f"{pattern or ' or '.join(PATTERNS)} with a scene of {_some(scenes)}"
        )
    methods = sorted({method for _, method in best})
    candidates = [Candidate(s, m, best.get((s, m))) for s in scenes for m in methods]
    used = set(best.values())
    return candidates, [file for file in files if file not in used]


def _match(
    folder: Path, files: Sequence[Path], matcher: re.Pattern[str]
) -> tuple[dict[tuple[str, str], Path], str]:
    """File of each scene and method, and which two files claim to be the same, if any do."""
    found: dict[tuple[str, str], Path] = {}
    doubles = ""
    for file in files:
        match = matcher.fullmatch(file.relative_to(folder).with_suffix("").as_posix())
        if match:
            cell = (match["scene"], match.groupdict().get("method") or folder.name)
            if cell in found:
                doubles = f"{found[cell]} and {file} are both {cell[1]} of {cell[0]}"
            found.setdefault(cell, file)
    return found, doubles


def _matcher(pattern: str, scenes: Sequence[str]) -> re.Pattern[str]:
    if "{scene}" not in pattern:
        raise UsageError(f"--pattern {pattern!r} has no {{scene}}")
    names = "|".join(re.escape(name) for name in sorted(scenes, key=len, reverse=True))
    text = re.escape(pattern)
    for field, expression in (("scene", names), ("method", "[^/]+")):
        mark = rf"\{{{field}\}}"
        text = text.replace(mark, f"(?P<{field}>{expression})", 1).replace(mark, f"(?P={field})")
    return re.compile("(?:.*/)?" + text)


def score_all(
    scenes: Sequence[Scene],
    candidates: Sequence[Candidate],
    metrics: Sequence[str],
    jobs: int = 1,
    *,
    named: Sequence[str] = (),
    plugins: Sequence[Path] = (),
) -> Iterator[list[Row]]:
    """Score every candidate; yields the rows of one scene at a time, in order.

    Parameters
    ----------
    scenes : sequence of Scene
        The sources.
    candidates : sequence of Candidate
        What to score.
    metrics : sequence of str
        With which; those that a scene is not fit for (no reference) are left out there.
    jobs : int
        Processes.
    named : sequence of str
        Those that were asked for by name: where a scene is not fit for one, its scores fail.
    plugins : sequence of Path
        Files that the processes must load to know the metrics and datasets.
    """
    by_scene = [[c for c in candidates if c.scene == scene.id] for scene in scenes]
    work = [
        (scene, group, list(metrics), frozenset(named))
        for scene, group in zip(scenes, by_scene, strict=True)
    ]
    if jobs == 1:
        yield from map(_score_scene, work)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, _prepare, (plugins,)) as pool:
        yield from pool.map(_score_scene, work)


def _prepare(plugins: Sequence[Path]) -> None:
    """Processes share the cores, so OpenCV, which metrics compute with, gets one thread."""
    import cv2

    cv2.setNumThreads(1)
    for plugin in plugins:
        load_plugin(plugin)


def _score_scene(work: tuple[Scene, list[Candidate], list[str], frozenset[str]]) -> list[Row]:
    scene, candidates, metrics, named = work
    try:
        if reason := scene.missing():
            raise DataUnavailable(reason)
        images = scene.read_checked()
        scorer = Scorer(images.sources, images.reference)
    except BenchError as error:
        return [Row(c.scene, c.method, m, None, "failed", str(error))
                for c in candidates for m in metrics]  # fmt: skip
    names = scorer.applicable(metrics)
    refused = {m: f"{scene.name}: {scorer.obstacle(m)}" for m in named if m not in names}
    rows = []
    for candidate in candidates:
        rows += _score_one(scorer, candidate, names)
        head = (candidate.scene, candidate.method)
        rows += [Row(*head, m, None, "failed", refused[m]) for m in metrics if m in refused]
    return rows


def _score_one(scorer: Scorer, candidate: Candidate, metrics: list[str]) -> list[Row]:
    head = (candidate.scene, candidate.method)
    if candidate.path is None:
        return [Row(*head, metric, None, "missing") for metric in metrics]
    try:
        fused = Plane.of(read_image(candidate.path))
    except BenchError as error:
        return [Row(*head, metric, None, "failed", str(error)) for metric in metrics]
    rows = []
    for metric in metrics:
        try:
            rows.append(Row(*head, metric, scorer.score(fused, metric), "ok"))
        except Exception as error:
            message = f"{candidate.path}: {reason_of(error)}"
            rows.append(Row(*head, metric, None, "failed", message))
    return rows


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")

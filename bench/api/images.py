"""Fuse the images of one scene, and score fused images."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.api.progress import Progress
from bench.core.errors import UsageError
from bench.core.precision import PRECISIONS, Precision
from bench.engine.options import METRICS, RunOptions
from bench.engine.progress import Silent

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from bench.engine.single_image import Image

Names = str | Sequence[str]


def fuse(
    method: str,
    images: Sequence[Image],
    *,
    device: str = "cpu",
    precision: Precision = "auto",
    **parameters: Any,
) -> NDArray[Any]:
    """Fuse registered images of one scene.

    Parameters
    ----------
    method : str
        Name of a method, or ``NAME@parameter=value``.
    images : sequence of array_like or path-like
        Two or more of one size: (H, W) or (H, W, 3); ``uint8``, ``uint16``, or float in [0, 1].
    device : str
        ``"cpu"``, ``"cuda"`` or ``"cuda:N"``, for methods that take one.
    precision : {'auto', 'fp32', 'bf16'}
        Number format of learned methods.
    **parameters
        Parameters of the method; ``python -m bench show METHOD`` lists them.

    Returns
    -------
    ndarray
        ``uint16`` when every image is, else ``uint8``; (H, W) or (H, W, 3).

    Raises
    ------
    UnknownName, UsageError
        No method of that name, or no such parameter.
    ImageError
        An image has another shape, type or range of values.
    EnvironmentFault
        The device is not available.

    Examples
    --------
    >>> import bench
    >>> import numpy as np
    >>> a, b = np.zeros((8, 8), np.uint8), np.full((8, 8), 200, np.uint8)
    >>> int(bench.fuse("average", [a, b])[0, 0])
    100
    >>> bench.fuse("lp", [a, b], levels=2).shape
    (8, 8)
    """
    from bench.core.devices import check_device
    from bench.core.pixels import same_size
    from bench.engine.selection import configured_method
    from bench.engine.single_image import read_images
    from methods import fuse as fuse_images

    if precision not in PRECISIONS:
        raise UsageError(f"precision {precision!r} must be one of {', '.join(PRECISIONS)}")
    check_device(device)
    chosen = configured_method(method)
    settings = {**chosen.parameters, **parameters}
    arrays = read_images(images, "image")
    same_size([array for _, array in arrays], [name for name, _ in arrays])
    return fuse_images(
        chosen.method,
        [array for _, array in arrays],
        parameters=settings,
        device=device,
        precision=precision,
    )


def score(
    sources: Sequence[Image],
    fused: Image,
    *,
    metrics: Names | None = None,
    reference: Image | None = None,
    on_error: Callable[[str, str], object] | None = None,
) -> dict[str, float]:
    """Score one fused image.

    Parameters
    ----------
    sources : sequence of array_like or path-like
        The images that it was fused from, two or more.
    fused : array_like or path-like
        The fused image, of their size.
    metrics : str or sequence of str, optional
        Names, labels, families or globs; the paper's six unless given, and PSNR and SSIM where
        there is a reference. Of ``all`` and of globs those are left out that are not defined
        for these images.
    reference : array_like or path-like, optional
        The all-in-focus image, where it is known.
    on_error : callable, optional
        Called with the name of each metric that fails and the reason; the metric is then left out.
        Without it the first failure is raised.

    Returns
    -------
    dict of str to float
        Value by the metric's name.

    Raises
    ------
    UsageError
        No such metric, or one that is not defined here: it needs a reference or two sources.
    ImageError
        The images do not fit together, or are too small for a metric.

    Examples
    --------
    >>> import bench
    >>> import numpy as np
    >>> a, b = np.zeros((16, 16), np.uint8), np.full((16, 16), 200, np.uint8)
    >>> bench.score([a, b], np.tile([0, 200], (16, 8)).astype(np.uint8), metrics="EN")
    {'ie': 1.0}
    """
    from bench.core.pixels import same_size
    from bench.engine.single_image import defined_metrics, read_images
    from bench.workers.reason import reason_of
    from metrics import GrayImage, Scorer

    images = read_images(sources, "source")
    count = len(images)
    if count < 2:
        given = images[0][0] if images else "none"
        raise UsageError(f"one source image given ({given}); at least two are needed")
    others = [fused] if reference is None else [fused, reference]
    images += read_images(others, "the fused image", "the reference")
    arrays = [array for _, array in images]
    same_size(arrays, [name for name, _ in images])
    scorer = Scorer(arrays[:count], None if reference is None else arrays[-1])
    fused_image = GrayImage.of(arrays[count])
    if (wanted := metrics) is None:
        wanted = "paper" if reference is None else METRICS
    values: dict[str, float] = {}
    for name in defined_metrics(wanted, scorer):
        try:
            values[name] = scorer.score(fused_image, name)
        except (Exception, SystemExit) as error:
            if on_error is None:
                raise
            on_error(name, reason_of(error))
    return values


def score_folder(
    sources: Path | str,
    fused: Path | str,
    *,
    metrics: Names | None = None,
    pattern: str = "",
    layout: str | Sequence[str] = (),
    jobs: int = 1,
    plugins: Sequence[Path | str] = (),
    store: Path | str | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Score the fused images in a folder.

    Parameters
    ----------
    sources : path-like
        A folder of ``name_A.*``, ``name_B.*`` pairs, or a dataset such as ``"liu2020"``.
    fused : path-like
        Folder of the fused images; see `bench.engine.image_folder.PATTERNS` for the layouts.
    metrics : str or sequence of str, optional
        Names, as for `run`. A metric that is selected by name and not defined for a scene fails.
    pattern : str
        Path of a fused image without its ending, with ``{scene}`` and ``{method}``.
    layout : str or sequence of str
        Which files of a folder of sources are what; see `datasets.load_scenes`.
    jobs : int
        Processes.
    plugins : sequence of path-like
        Python files that register metrics or datasets.
    store : path-like, optional
        Folder in which the scores are kept, so that a second call finds them.
    progress : Progress, optional
        Receives each finished image, and notes about files that fit no scene.

    Returns
    -------
    DataFrame
        ``scene, method, metric, value, status, message``; the status is ``ok``, ``missing``
        (no fused image of the scene) or ``failed``.

    Examples
    --------
    >>> from bench.api import score_folder
    >>> table = score_folder("liu2020", "my_results", metrics="all")  # doctest: +SKIP
    """
    import pandas as pd

    from bench.core.remarks import collect
    from bench.engine.channel_order import channel_notes
    from bench.engine.execute import execute, load_plugins, store_of
    from bench.engine.folder_scores import ScoreRow, score_rows
    from bench.engine.image_folder import find_images
    from bench.engine.selection import named_metrics, select_metrics, select_scenes

    chosen = RunOptions(jobs=jobs, plugins=plugins, repeats=0, store=store)
    if jobs == 1:
        chosen = dataclasses.replace(chosen, isolation="none")
    load_plugins(plugins)
    selected = str(sources) if _is_dataset(str(sources)) else f"folder:{sources}"
    with collect() as remarks:
        scenes = select_scenes(selected, layout)
    methods, strays = find_images(Path(fused), scenes, pattern)
    picked = select_metrics(METRICS if metrics is None else metrics)
    observer = progress or Silent()
    for remark in remarks:
        observer.note(remark)
    if strays:
        more = f" and {len(strays) - 1} more" if len(strays) > 1 else ""
        observer.note(f"not scored, fits no scene: {strays[0]}{more}")
    with tempfile.TemporaryDirectory(prefix="mfif-score-") as folder:
        selection = chosen.selection(scenes, methods, picked)
        out = Path(folder)
        task = execute(selection, chosen, out, store_of(chosen, out), observer)
    for text in channel_notes(methods, scenes):
        observer.note(text)
    rows = list(score_rows(task, named_metrics(metrics or ())))
    scored = {row.metric for row in rows}
    unfit = [metric.name for metric in picked if metric.name not in scored]
    if metrics and unfit:
        observer.note(f"not defined for any of these scenes: {', '.join(unfit)}")
    columns = [field.name for field in dataclasses.fields(ScoreRow)]
    return pd.DataFrame([dataclasses.asdict(row) for row in rows], columns=columns)


def _is_dataset(text: str) -> bool:
    """Whether `text` names a dataset, or scenes of one, rather than a folder."""
    from datasets import names_scenes

    return names_scenes(text) and not Path(text).is_dir()

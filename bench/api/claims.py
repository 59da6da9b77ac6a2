"""Check published numbers: where one comes from, and whether a paper's table is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.api.progress import Progress

if TYPE_CHECKING:
    from bench.api.folder_scores import Place
    from bench.engine.claims.checked import CheckedClaims
    from bench.engine.claims.findings import Identification
    from bench.engine.single_image import Image


def identify(
    sources: Sequence[Image],
    fused: Image,
    values: Mapping[str, str | float] | Sequence[str],
    *,
    reference: Image | None = None,
    every: bool = False,
    observe: Callable[[str, str, int], object] | None = None,
) -> Identification:
    """Find which variant of a metric, on which form of the images, gives printed values.

    Tried are, the likeliest first: the metric and its variants, units and the sources in the
    place of a reference; one change of the images (rules for gray, JPEG, red and blue swapped,
    sources in the other order, borders, sizes); any metric; two changes.

    Parameters
    ----------
    sources : sequence of array_like or path-like
        The images that it was fused from, two or more.
    fused : array_like or path-like
        The fused image; of another size than the sources, resizing and cropping are tried.
    values : mapping or sequence of str
        ``{"Xydeas": "0.7198"}`` or ``["Xydeas=0.7198"]``: names of metrics as papers write them,
        and numbers as text, whose digits say how they were rounded. ``["0.7198"]`` is a value
        of any metric.
    reference : array_like or path-like, optional
        The all-in-focus image, where it is known.
    every : bool
        Go on to less simple hypotheses after the values are explained.
    observe : callable, optional
        Called with the step of the search, the form of the images that is tried now, and how
        many forms the step has.

    Returns
    -------
    Identification
        ``found`` says whether one hypothesis explains all values; ``explanations`` are those
        that explain some, best first; ``lines()`` is the result as text.

    Raises
    ------
    UnknownName
        A value's name is not that of a metric.
    UsageError
        A value is not a number, or there are fewer than two sources.
    ImageError
        An image cannot be read, or the sources differ in size.

    Examples
    --------
    >>> import numpy as np
    >>> from bench.api import identify
    >>> ramp = np.arange(4096, dtype=np.uint8).reshape(64, 64)
    >>> found = identify([ramp, ramp.T], ramp // 2, {"EN": "4.85"})
    >>> found.found, found.explanations[0].matches[0].what
    (True, 'en_nat')
    """
    from bench.engine.claims.printed import printed_values
    from bench.engine.claims.search import identify as search
    from bench.engine.claims.view import ImageSet
    from bench.engine.single_image import read_images, scaled_for_scores

    wanted = printed_values(values)
    inputs = read_images(sources, "source")
    others = [fused] if reference is None else [fused, reference]
    named = [*inputs, *read_images(others, "the fused image", "the reference")]
    arrays, _ = scaled_for_scores(named, len(inputs), 0)
    count = len(inputs)
    reference_image = None if reference is None else arrays[count + 1]
    images = ImageSet(tuple(arrays[:count]), arrays[count], reference_image)
    return search(images, wanted, every=every, observe=observe)


def check_claims(
    claims: Path | str,
    sources: Place | Sequence[Place],
    fused: Place | Sequence[Place],
    *,
    metrics: Sequence[str] | None = None,
    pattern: str = "",
    layout: str | Sequence[str] = (),
    bits: int | None = None,
    available: bool = False,
    jobs: int = 1,
    plugins: Sequence[Path | str] = (),
    store: Path | str | None = None,
    progress: Progress | None = None,
) -> CheckedClaims:
    """Compare a paper's table of scores with what its images give.

    Parameters
    ----------
    claims : path-like
        CSV file; see `bench.engine.claims.table`. Wide: the columns ``method``, ``scene`` (may be
        absent) and one for each metric; long: ``method``, ``scene``, ``metric``, ``value``. A row
        without a scene is a mean over all scenes of `sources`.
    sources, fused, pattern, layout, bits, jobs, plugins, store, progress
        As for `score_folders`.
    metrics : sequence of str, optional
        The metrics to check; all columns of the table unless given.
    available : bool
        Take means over the scenes of which there are fused images. Without this a mean over
        scenes of which one has none is ``missing``.

    Returns
    -------
    CheckedClaims
        Its ``table`` is a data frame with a row for each claim: ``dataset, scene, method, metric,
        claimed, status, variant, value, difference, message``. The status is ``agrees`` (within
        the rounding of its digits), ``agrees with variant`` (of the metric, or another unit),
        ``differs`` or ``missing``.

    Raises
    ------
    UsageError
        The table cannot be read, or a column is no metric.
    NothingSelected
        The table claims nothing, or there is no image.

    Examples
    --------
    >>> from bench.api import check_claims
    >>> found = check_claims("paper.csv", "lytro", "my_results")  # doctest: +SKIP
    >>> found.table.status.value_counts()  # doctest: +SKIP
    """
    import pandas as pd

    from bench.api.folder_scores import scenes_of, score_folder, texts_of
    from bench.engine.claims.checked import CheckedClaims
    from bench.engine.claims.source_scores import source_scores
    from bench.engine.claims.table import read_claims
    from bench.engine.claims.verdicts import ScoreOf, needed_metrics, verdicts
    from bench.engine.execute import load_plugins
    from bench.engine.image_folder import gather_images

    load_plugins(plugins)
    wanted = read_claims(Path(claims), metrics)
    needed = needed_metrics(wanted)
    table = score_folder(
        sources,
        fused,
        metrics=needed,
        pattern=pattern,
        layout=layout,
        bits=bits,
        available=available,
        jobs=jobs,
        plugins=plugins,
        store=store,
        progress=progress,
    )
    scores = [
        ScoreOf(f"{dataset}/{scene}", method, metric, None if pd.isna(value) else value, message)
        for dataset, scene, method, metric, value, _, message in table.itertuples(index=False)
    ]
    scenes = scenes_of(sources, layout)
    against = source_scores(gather_images(texts_of(fused), scenes, pattern), scenes, needed)
    return CheckedClaims(tuple(verdicts(wanted, scores, scenes, against)))

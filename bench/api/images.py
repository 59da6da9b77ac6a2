"""Fuse the images of one scene, and score fused images."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from bench.core.errors import ImageWarning, UsageError
from bench.core.precision import PRECISIONS, Precision
from bench.core.remarks import collect
from bench.engine.options import METRICS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.engine.single_image import Image

Names = str | Sequence[str]


def fuse(
    method: str,
    images: Sequence[Image],
    *,
    device: str = "cpu",
    precision: Precision = "auto",
    bits: int | None = None,
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
    bits : int, optional
        The bits that 16-bit images have, 8 to 16. Unless given, their largest value decides: of
        12-bit images the method sees white as 1, and the fused image has 12 bits again.
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
    from datasets.bits import bits_to_scale, check_bits, scale_bits, unscale_bits
    from methods import fuse as fuse_images

    if precision not in PRECISIONS:
        raise UsageError(f"precision {precision!r} must be one of {', '.join(PRECISIONS)}")
    check_device(device)
    chosen = configured_method(method)
    settings = {**chosen.parameters, **parameters}
    named = read_images(images, "image")
    names, arrays = [name for name, _ in named], [array for _, array in named]
    same_size(arrays, names)
    found = bits_to_scale(arrays, names, check_bits(bits))
    fused = fuse_images(
        chosen.method,
        [scale_bits(array, found) for array in arrays],
        parameters=settings,
        device=device,
        precision=precision,
    )
    return unscale_bits(fused, found)


def score(
    sources: Sequence[Image],
    fused: Image,
    *,
    metrics: Names | None = None,
    reference: Image | None = None,
    bits: int | None = None,
    on_error: Callable[[str, str], object] | None = None,
    on_note: Callable[[str], object] | None = None,
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
    bits : int, optional
        The bits that 16-bit images have, 8 to 16; 16 leaves them as they are. Unless given, the
        largest value of sources and reference decides, and 12 bits stored in 16 are scaled.
    on_error : callable, optional
        Called with the name of each metric that fails and the reason; the metric is then left out.
        Without it the first failure is raised.
    on_note : callable, optional
        Called with each sentence that a user should know of the images; without it they are
        warnings, `bench.errors.ImageWarning`.

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
    from bench.engine.single_image import defined_metrics, read_images, scaled_for_scores
    from bench.workers.reason import reason_of
    from datasets.bits import check_bits
    from metrics import GrayImage, Scorer

    with collect() as notes:
        images = read_images(sources, "source")
    count = len(images)
    if count < 2:
        given = images[0][0] if images else "none"
        raise UsageError(f"one source image given ({given}); at least two are needed")
    others = [fused] if reference is None else [fused, reference]
    with collect() as more:
        images += read_images(others, "the fused image", "the reference")
    same_size([array for _, array in images], [name for name, _ in images])
    arrays, said = scaled_for_scores(images, count, check_bits(bits))
    for text in [*notes, *more, *said]:
        on_note(text) if on_note else warnings.warn(text, ImageWarning, stacklevel=2)
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

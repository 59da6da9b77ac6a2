"""JPEG of fused images: the quality of a file, whether an image was one, and the same loss again.

A published fused image is often kept as JPEG, or was JPEG before it was stored as PNG. Metrics
see that loss, so an image may only be compared with others that have it.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import ImageError, UsageError
from bench.core.pixels import as_image

#: How JPEG files begin.
JPEG = b"\xff\xd8\xff"

#: Names of the samplings that Pillow reads and writes, by its numbers.
SUBSAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")

#: The tables of ITU-T T.81, Annex K.1, for luminance and chrominance, row by row.
_LUMINANCE = (
    "16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56 14 17 22 29 51 87 80 "
    "62 18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92 49 64 78 87 103 121 120 101 72 92 95 "
    "98 112 100 103 99"
)
_CHROMINANCE = (
    "17 18 24 47 99 99 99 99 18 21 26 66 99 99 99 99 24 26 56 99 99 99 99 99 47 66 99 99 99 99 99 "
    "99" + " 99" * 32
)

#: Weights of red, green and blue in the luminance of a JPEG file (ITU-T T.871).
_LUMA = np.array((0.299, 0.587, 0.114))

#: Qualities that `was_jpeg` looks for: from 96 on the steps are too small.
SEARCHED = range(20, 96)

#: Qualities after the first that fits among which the best is taken.
NEIGHBOURS = 6

#: Coefficients with a smaller quantisation step say nothing: rounding to 8 bit hides it.
MIN_STEP = 3

#: Rounding to 8 bit moves a coefficient of a decoded JPEG at most this far from its step, levels.
ROUNDING = 1.0

#: An image was JPEG if this part of its coefficients lie at steps beyond those that do by chance.
MIN_SHARE = 0.7

#: Fewer coefficients do not decide.
MIN_COEFFICIENTS = 100

#: Blocks that are looked at, spread over the image.
MAX_BLOCKS = 4096

#: A block of the image that differs so little from one of a source is its copy: root mean square.
COPY_LEVELS = 1.2


@dataclass(frozen=True)
class JpegFacts:
    """How an image was compressed.

    Attributes
    ----------
    quality : int
        Quality of libjpeg, 1 to 100, whose tables it has or whose tables are nearest.
    subsampling : str
        ``4:4:4``, ``4:2:2`` or ``4:2:0``; empty for a gray image or another sampling.
    standard : bool
        Whether its quantisation tables are exactly libjpeg's at that quality.
    progressive : bool
        Whether the file is progressive.
    """

    quality: int
    subsampling: str = ""
    standard: bool = True
    progressive: bool = False

    @property
    def label(self) -> str:
        """For columns: ``jpeg75``."""
        return f"jpeg{self.quality}"

    def __str__(self) -> str:
        parts = [f"JPEG of quality {'' if self.standard else 'about '}{self.quality}"]
        return ", ".join([*parts, *filter(None, [self.subsampling])])


def standard_tables(quality: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The quantisation tables of libjpeg at `quality`, for luminance and chrominance, each (8, 8).

    Raises
    ------
    UsageError
        The quality is not from 1 to 100.

    Examples
    --------
    >>> from bench.core.jpeg import standard_tables
    >>> standard_tables(75)[0][0].tolist()
    [8, 6, 5, 8, 12, 20, 26, 31]
    """
    if not 1 <= quality <= 100:
        raise UsageError(f"a JPEG quality is from 1 to 100, got {quality}")
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    luminance, chrominance = (
        np.clip((np.array(base.split(), int) * scale + 50) // 100, 1, 255).reshape(8, 8)
        for base in (_LUMINANCE, _CHROMINANCE)
    )
    return luminance, chrominance


def jpeg_facts(data: bytes) -> JpegFacts | None:
    """Quality and sampling of a JPEG file, from its quantisation tables; None for other files.

    Parameters
    ----------
    data : bytes
        Content of a file; its ending does not matter.

    Raises
    ------
    ImageError
        The file begins like a JPEG, but has no readable header.

    Examples
    --------
    >>> import io
    >>> from PIL import Image
    >>> from bench.core.jpeg import jpeg_facts
    >>> file = io.BytesIO()
    >>> Image.new("RGB", (16, 16)).save(file, "jpeg", quality=90, subsampling="4:4:4")
    >>> str(jpeg_facts(file.getvalue()))
    'JPEG of quality 90, 4:4:4'
    """
    if not data.startswith(JPEG):
        return None
    from PIL import Image, JpegImagePlugin

    try:
        with Image.open(io.BytesIO(data)) as picture:
            tables: dict[int, Sequence[int]] = getattr(picture, "quantization", {})
            progressive = bool(picture.info.get("progressive"))
            sampling = JpegImagePlugin.get_sampling(picture) if len(picture.getbands()) == 3 else -1
    except (OSError, SyntaxError, ValueError) as error:
        raise ImageError(f"not a readable JPEG file ({error})") from None
    if not tables:
        raise ImageError("not a readable JPEG file (it has no quantisation table)")
    quality, standard = _quality([np.array(tables[key]) for key in sorted(tables)])
    name = SUBSAMPLINGS[sampling] if 0 <= sampling < len(SUBSAMPLINGS) else ""
    return JpegFacts(quality, name, standard, progressive)


def _quality(tables: Sequence[NDArray[Any]]) -> tuple[int, bool]:
    """The quality whose tables are nearest, and whether they are equal."""
    distances = {}
    for quality in range(100, 0, -1):
        known = [table.ravel() for table in standard_tables(quality)]
        pairs = zip(tables, known, strict=False)
        distances[quality] = sum(float(np.abs(mine - one).sum()) for mine, one in pairs)
    nearest = min(distances, key=lambda quality: distances[quality])
    return nearest, distances[nearest] == 0


def through_jpeg(
    image: NDArray[Any], quality: int, subsampling: str = "4:2:0"
) -> NDArray[np.uint8]:
    """The image as a JPEG file of that quality gives it back.

    Parameters
    ----------
    image : ndarray of uint8
        (H, W) gray or (H, W, 3) RGB.
    quality : int
        Quality of libjpeg, 1 to 100.
    subsampling : {'4:2:0', '4:2:2', '4:4:4'}
        Of the colour differences; means nothing for a gray image.

    Returns
    -------
    ndarray of uint8
        Of the same shape, encoded and decoded by Pillow.

    Raises
    ------
    ImageError
        The image does not have 8 bits.
    UsageError
        No such quality or subsampling.

    Examples
    --------
    >>> import numpy as np
    >>> from bench.core.jpeg import through_jpeg
    >>> image = np.add.outer(np.arange(16), np.arange(16)).astype(np.uint8) * 8
    >>> lossy = through_jpeg(image, 75)
    >>> lossy.shape, bool(0 < np.abs(image.astype(int) - lossy).max() < 10)
    ((16, 16), True)
    """
    from PIL import Image

    standard_tables(quality)
    if (subsampling or "4:2:0") not in SUBSAMPLINGS:
        raise UsageError(f"subsampling must be one of {', '.join(SUBSAMPLINGS)}: {subsampling!r}")
    if as_image(image).dtype != np.uint8:
        raise ImageError(f"a JPEG image has 8 bits, this one is of type {image.dtype}")
    options = {"subsampling": subsampling or "4:2:0"} if image.ndim == 3 else {}
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(file, "jpeg", quality=quality, **options)
    with Image.open(file) as picture:
        return np.asarray(picture)


def was_jpeg(image: NDArray[Any], sources: Sequence[NDArray[Any]] = ()) -> JpegFacts | None:
    """How a losslessly stored image was compressed before, if it was.

    The DCT coefficients of the 8 x 8 blocks of a decoded JPEG lie at multiples of its
    quantisation steps, up to the rounding to 8 bit. Sources may be decoded JPEGs themselves, and
    a fused image that copies them inherits their coefficients: blocks whose coefficients a
    source has at steps already, and that are its copy, are left out.

    Parameters
    ----------
    image : ndarray
        (H, W) or (H, W, 3) RGB. Only ``uint8`` can have been JPEG.
    sources : sequence of ndarray
        What it was fused from, of the same height and width; without them, the answer is about
        the image as it is, not about what happened after fusion.

    Returns
    -------
    JpegFacts or None
        None if it was not JPEG of quality 20 to 95 with libjpeg's tables, or it cannot be seen:
        the image was cropped, scaled or changed since, or is flat.

    Notes
    -----
    Measured on 144 lossless fused images of the survey by Liu et al. (2020), with their sources:
    none is called JPEG. Every fourth of them was put through JPEG of quality 50 to 95: all 22 gray
    ones are found at each, and all 14 colour ones but one at 95 and 4 to 6 at 75, which is the
    quality of their sources, decoded JPEGs.

    The principle is that of Fan & de Queiroz (2003), doi:10.1109/TIP.2002.807361, who estimate
    the steps by maximum likelihood; here the steps are those of libjpeg.

    Examples
    --------
    >>> import numpy as np
    >>> from bench.core.jpeg import through_jpeg, was_jpeg
    >>> image = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    >>> print(was_jpeg(image), was_jpeg(through_jpeg(image, 80)))
    None JPEG of quality 80
    """
    if image.dtype != np.uint8 or min(image.shape[:2]) < 8:
        return None
    own = _coefficients(image)
    others = [_coefficients(s) for s in sources if s.shape[:2] == image.shape[:2]]

    def share(quality: int) -> float:
        return _share(own, others, standard_tables(quality)[0])

    for quality in SEARCHED:
        if share(quality) >= MIN_SHARE:  # tables of neighbours are nearly equal
            quality = max(range(quality, min(quality + NEIGHBOURS, 96)), key=share)
            return JpegFacts(quality, _subsampling(image, quality))
    return None


def _coefficients(image: NDArray[Any]) -> NDArray[np.float32]:
    """DCT coefficients of the luminance, of at most `MAX_BLOCKS` blocks, (N, 8, 8)."""
    from scipy import fft

    levels = np.iinfo(image.dtype).max / 255 if image.dtype.kind == "u" else 1 / 255
    height, width = (size // 8 * 8 for size in image.shape[:2])
    every = height * width // 64
    blocks = np.moveaxis(
        image[:height, :width].reshape(height // 8, 8, width // 8, 8, -1), 2, 1
    ).reshape(every, 8, 8, -1)
    blocks = blocks[np.linspace(0, every - 1, min(every, MAX_BLOCKS)).astype(int)]
    gray = blocks @ _LUMA if blocks.shape[-1] == 3 else blocks[..., 0]
    found: NDArray[np.float32] = fft.dctn(
        (gray / levels - 128).astype(np.float32), axes=(1, 2), norm="ortho"
    )
    return found


def _share(
    own: NDArray[np.float32], others: Sequence[NDArray[np.float32]], table: NDArray[np.int64]
) -> float:
    """Part of the coefficients at steps of `table`, beyond those that lie there by chance."""
    wide = table >= MIN_STEP
    steps = table[wide].astype(np.float32)
    telling = np.ones(len(own), bool)
    for other in others:
        copied = np.sqrt(((own - other) ** 2).mean(axis=(1, 2))) < COPY_LEVELS
        telling &= ~(copied & _quantised(other[:, wide], steps))
    values = own[telling][:, wide]
    multiple = np.rint(values / steps)
    known = multiple != 0
    if known.sum() < MIN_COEFFICIENTS:
        return 0.0
    near = np.abs(values - multiple * steps) <= ROUNDING
    chance = np.minimum(1, 2 * ROUNDING / steps)
    expected = float((known * chance).sum() / known.sum())
    return (float(near[known].mean()) - expected) / (1 - expected)


def _quantised(values: NDArray[np.float32], steps: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether all coefficients of a block lie at multiples of the steps."""
    rest = values - np.rint(values / steps) * steps
    near: NDArray[np.bool_] = np.sqrt((rest**2).mean(axis=1)) < ROUNDING / 2
    return near


def _subsampling(image: NDArray[np.uint8], quality: int) -> str:
    """The sampling with which the same JPEG again changes a colour image least."""
    if image.ndim == 2 or not np.ptp(image, axis=2).any():
        return ""
    part = image[: min(512, len(image)), :512].astype(np.int16)

    def change(name: str) -> float:
        return float(np.abs(through_jpeg(part.astype(np.uint8), quality, name) - part).mean())

    return min(("4:2:0", "4:4:4", "4:2:2"), key=change)

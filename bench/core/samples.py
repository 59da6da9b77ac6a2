"""What the stored samples of a TIFF page mean: gray or RGB, which are alpha, which value is white.

tifffile decodes the samples; the tags say what they are. What the tags do not settle is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import ImageError
from bench.core.photo import upright
from bench.core.remarks import remark

if TYPE_CHECKING:
    from tifffile import TiffPage

#: Values of the tag PhotometricInterpretation (TIFF 6.0).
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, INKS, YCBCR = 0, 1, 2, 3, 5, 6

#: JPEG in a TIFF file, whose decoder turns YCbCr into RGB (the two values of the tag Compression).
JPEG = frozenset({6, 7})

#: Values of the tag ExtraSamples that mean alpha: multiplied into the colours, and not.
ASSOCIATED, UNASSOCIATED = 1, 2

#: Most samples per pixel that a page is decoded with; no gray or RGB picture has more.
MOST_SAMPLES = 16

PHOTOMETRIC, ORIENTATION = 262, 274


def colours_of(page: TiffPage, name: str) -> int:
    """The number of samples of a page that are the picture: 1 (gray or palette), 3 (RGB), 4 (CMYK).

    Parameters
    ----------
    page : tifffile.TiffPage
    name : str
        The file's name in errors.

    Raises
    ------
    ImageError
        The tags name a colour space that is not supported, or do not say what the samples are.
    """
    if PHOTOMETRIC not in page.tags:
        raise ImageError(f"{name}: the file does not say whether 0 is black (no photometric tag)")
    kind, count = int(page.photometric), int(page.samplesperpixel)
    what = f"{count} samples per pixel, photometric {getattr(page.photometric, 'name', kind)}"
    if count > MOST_SAMPLES:
        raise ImageError(f"{name}: {what}: not a gray or RGB picture")
    alphas = sum(int(extra) in {ASSOCIATED, UNASSOCIATED} for extra in page.extrasamples)
    if kind in {WHITE_IS_ZERO, BLACK_IS_ZERO}:
        # Unspecified extra samples are how writers store colour without calling it RGB.
        if count - alphas == 1 or (count - alphas == 3 and kind == BLACK_IS_ZERO):
            return count - alphas
    elif kind == RGB or (kind == YCBCR and int(page.compression) in JPEG):
        if count >= 3:
            return 3
    elif kind == PALETTE:
        if count == 1 and page.colormap is not None:
            return 1
    elif kind == INKS and count - alphas == 4:
        return 4
    raise ImageError(f"{name}: {what}: the file does not say how these samples are gray or RGB")


def picture_of(samples: NDArray[Any], page: TiffPage, name: str) -> NDArray[Any]:
    """The picture that decoded samples are.

    Parameters
    ----------
    samples : ndarray
        (H, W) or (H, W, samples per pixel), as tifffile decodes them.
    page : tifffile.TiffPage
        Its tags.
    name : str
        The file's name in errors and remarks.

    Returns
    -------
    ndarray
        (H, W) or (H, W, 3): ``bool``, ``uint8``, ``uint16``, ``uint32``, or floating-point in
        [0, 1]. Packed samples of 9 to 15 bits keep their values, of 2 to 7 bits fill 0..255.

    Raises
    ------
    ImageError
        Signed or complex samples, NaN, infinity, or floating-point outside [0, 1].
    """
    count = colours_of(page, name)
    samples = samples.astype(samples.dtype.newbyteorder("="), copy=False)
    if samples.ndim == 3:
        _say_alpha(samples[..., count:], page, name)
        samples = samples[..., 0] if count == 1 else samples[..., :count]
    check_values(samples, name)
    kind = int(page.photometric)
    if kind == PALETTE:
        picture = _through_palette(samples, page, name)
    else:
        white = _white(samples.dtype, int(page.bitspersample))
        if kind == WHITE_IS_ZERO:
            samples = ~samples if samples.dtype == np.bool_ else white - samples
        if kind == INKS:
            samples = _without_inks(samples, white, name)
        if samples.dtype == np.uint8 and white < 255:
            samples = (samples.astype(np.uint16) * 255 + white // 2) // white
            samples = samples.astype(np.uint8)
        picture = samples
    turn = page.tags.get(ORIENTATION)
    value = turn.value if turn is not None and isinstance(turn.value, int) else 1
    return np.ascontiguousarray(upright(picture, value))


def check_values(samples: NDArray[Any], name: str) -> None:
    """Refuse samples that are no light: signed, complex, NaN, infinity, or outside [0, 1].

    Parameters
    ----------
    samples : ndarray
    name : str
        The file's name in the error, which says the range that came.
    """
    kind = samples.dtype.kind
    allowed = "uint8, uint16, uint32 or floating-point in [0, 1]"
    if samples.size == 0:
        raise ImageError(f"{name}: the image has no pixels (shape {samples.shape})")
    if kind == "b" or (kind == "u" and samples.dtype.itemsize <= 4):
        return
    if kind in "iu":
        raise ImageError(
            f"{name}: type {samples.dtype} with values in [{samples.min()}, {samples.max()}] "
            f"is not {allowed}"
        )
    if kind != "f":
        raise ImageError(f"{name}: type {samples.dtype} is not {allowed}")
    low, high = samples.min(), samples.max()
    if not np.isfinite([low, high]).all():
        finite = samples[np.isfinite(samples)]
        lost = samples.size - finite.size
        rest = f"[{finite.min():g}, {finite.max():g}]" if finite.size else "none"
        raise ImageError(
            f"{name}: {lost} of {samples.size} values are NaN or infinity (the others: {rest})"
        )
    if low < 0 or high > 1:
        raise ImageError(
            f"{name}: floating-point values must lie in [0, 1], got [{low:g}, {high:g}]"
        )


#: Images of 32 bits with smaller values than this do not fill the range of their type.
FULL_RANGE = 1 << 28


def narrow(pages: Sequence[NDArray[Any]], name: str) -> list[NDArray[Any]]:
    """Pages of ``uint32`` as ``uint16`` if all of their values fit, else as ``float32``.

    Parameters
    ----------
    pages : sequence of ndarray
        The pages of one file: they are converted alike. Other types are returned as they are.
    name : str
        The file's name in errors.

    Returns
    -------
    list of ndarray
        ``float32`` is the value divided by 4,294,967,295, the full range of the type.

    Raises
    ------
    ImageError
        The values need 17 to 28 bits: they may be of any scale.
    """
    wide = [page for page in pages if page.dtype == np.uint32]
    if not wide:
        return list(pages)
    largest = max(int(page.max()) for page in wide)
    if np.iinfo(np.uint16).max < largest < FULL_RANGE:
        raise ImageError(
            f"{name}: 32-bit values up to {largest}: the file does not say which value is white; "
            "save it with 16 bits, or as floating-point in [0, 1]"
        )
    if largest <= np.iinfo(np.uint16).max:
        return [page.astype(np.uint16) if page.dtype == np.uint32 else page for page in pages]
    top = np.float64(np.iinfo(np.uint32).max)
    return [(page / top).astype(np.float32) if page.dtype == np.uint32 else page for page in pages]


def _white(dtype: np.dtype[Any], bits: int) -> Any:
    """The value of white: the largest that the stored bits can hold; 1 in floating-point."""
    if dtype.kind == "f":
        return dtype.type(1)
    return True if dtype == np.bool_ else dtype.type((1 << bits) - 1)


def _say_alpha(extra: NDArray[Any], page: TiffPage, name: str) -> None:
    if extra.size == 0:
        return
    opaque = _white(extra.dtype, int(page.bitspersample))
    if (extra == opaque).all():
        return
    associated = ASSOCIATED in {int(kind) for kind in page.extrasamples}
    how = "the colours are already multiplied by it, as over black" if associated else "dropped"
    remark(f"{name}: its alpha channel is not opaque ({how})")


def _through_palette(samples: NDArray[Any], page: TiffPage, name: str) -> NDArray[Any]:
    remark(f"{name}: has a palette")
    table = np.asarray(page.colormap, np.uint16)
    if int(samples.max()) >= table.shape[1]:
        raise ImageError(f"{name}: damaged image (a pixel lies outside the palette)")
    # Entries have 16 bits; writers of 8-bit colours store v * 256 or v * 257.
    low, high = table & 255, table >> 8
    if (low == 0).all() or (low == high).all():
        table = high.astype(np.uint8)
    if (table == table[0]).all():
        return table[0][samples.astype(np.intp)]
    return np.moveaxis(table, 0, -1)[samples.astype(np.intp)]


def _without_inks(inks: NDArray[Any], white: Any, name: str) -> NDArray[Any]:
    """CMYK as RGB by the plain product, as Pillow does; no colour profile is applied."""
    remark(f"{name}: CMYK became RGB without its colour profile")
    if inks.dtype.kind == "b":
        raise ImageError(f"{name}: CMYK of 1 bit is not supported")
    if inks.dtype.kind == "f":
        return (1 - inks[..., :3]) * (1 - inks[..., 3:])
    light = float(white) - inks.astype(np.float64)
    rgb = light[..., :3] * light[..., 3:] / float(white)
    return np.floor(rgb + 0.5).astype(inks.dtype)

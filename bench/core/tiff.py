"""TIFF files: which of their pages are pictures, and their pixels.

tifffile finds and decodes the pages; `bench.core.samples` says what their samples mean. Thumbnails,
the levels of a pyramid and masks are no pages. A raw photo is told by `is_raw`: what its first page
holds is a preview.
"""

from __future__ import annotations

import contextlib
import io
import logging
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import ImageError
from bench.core.photo import check_size
from bench.core.samples import colours_of, narrow, picture_of

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage, TiffPageSeries

#: How TIFF files begin: little- and big-endian, BigTIFF.
SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

#: Tags: SubfileType (before TIFF 6.0), SubIFDs, DNGVersion.
OLD_SUBFILE_TYPE, SUB_IFDS, DNG_VERSION = 255, 330, 50706

#: Values of PhotometricInterpretation for the samples of a sensor: CFA and LinearRaw.
SENSOR = frozenset({32803, 34892})

#: Values of Compression for PNG in TIFF: its decoder prints damage on stderr and goes on.
UNSAFE = frozenset({34933})

#: The kinds of series that tifffile makes of pages alone, without a description of their axes.
UNDESCRIBED = frozenset({"generic", "uniform"})

# Python prints what nobody handles; tifffile logs each oddity of a file that it can still read.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


def is_tiff(data: bytes) -> bool:
    """Whether the bytes of a file begin as a TIFF file does."""
    return data.startswith(SIGNATURES)


def is_raw(data: bytes, name: str) -> bool:
    """Whether a TIFF file holds a raw photo: sensor data, or a preview of it in its first page.

    Parameters
    ----------
    data : bytes
        Content of the file.
    name : str
        Its name in errors.
    """
    if data[8:10] == b"CR":  # Canon's CR2 says so in its header
        return True
    with _opened(data, name) as tif:
        first = tif.pages.first
        if DNG_VERSION in first.tags or int(first.photometric) in SENSOR:
            return True
        return _is_reduced(first) and SUB_IFDS in first.tags


def count_pages(data: bytes, name: str) -> int:
    """The number of pictures in a TIFF file.

    Parameters
    ----------
    data : bytes
        Content of the file.
    name : str
        Its name in errors.
    """
    with _opened(data, name) as tif:
        _check_chain(data, name)
        described = _described(tif)
        if described is None:
            return len(_full_pages(tif, name))
        pictures = (np.prod(list(_leading(tif, series).values())) for series in described)
        return int(sum(pictures))


def decode_pages(data: bytes, name: str) -> list[NDArray[Any]]:
    """The pictures of a TIFF file, in their order.

    Parameters
    ----------
    data : bytes
        Content of the file.
    name : str
        Its name in errors and remarks.

    Returns
    -------
    list of ndarray
        (H, W) or (H, W, 3) each, all of one size; see `bench.core.samples.picture_of`. Values of
        ``uint32`` become ``uint16`` if those of all pages fit, else ``float32``.

    Raises
    ------
    ImageError
        The file is damaged, or its tags do not settle how it is a stack of gray or RGB pictures.
    """
    with _opened(data, name) as tif:
        _check_chain(data, name)
        described = _described(tif)
        if described is None:
            pages = _full_pages(tif, name)
            for page in pages:
                _check_page(page, name)
                _check_segments([page], data, name)
            return _alike(narrow([_decode_page(page, name) for page in pages], name), name)
        if len(described) > 1:
            raise ImageError(f"{name}: holds {len(described)} series of images, not one")
        return narrow(_decode_series(tif, described[0], data, name), name)


@contextlib.contextmanager
def _opened(data: bytes, name: str) -> Iterator[TiffFile]:
    """The open file; whatever goes wrong within is an error of one line."""
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as tif:
            if not len(tif.pages):
                raise ImageError(f"{name}: damaged image (a TIFF file without pages)")
            yield tif
    except ImageError:
        raise
    except Exception as error:  # a damaged file makes decoders raise nearly any error
        text = " ".join(str(error).split()) or type(error).__name__
        raise ImageError(f"{name}: damaged or truncated image ({text})") from None


def _check_chain(data: bytes, name: str) -> None:
    """Refuse a file whose list of pages leads out of it: tifffile goes on with fewer pages."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in {b"+\0", b"\0+"}
    header, count, entry, offset = (8, "Q", 20, "Q") if big else (4, "H", 12, "I")
    seen: set[int] = set()
    (place,) = struct.unpack_from(order + offset, data, header)
    while place:
        seen.add(place)
        try:
            (tags,) = struct.unpack_from(order + count, data, place)
            link = place + struct.calcsize(order + count) + entry * tags
            (place,) = struct.unpack_from(order + offset, data, link)
        except struct.error:
            raise ImageError(f"{name}: damaged or truncated image (pages are missing)") from None
        if place in seen:
            raise ImageError(f"{name}: damaged image (its pages follow each other in a circle)")


def _is_reduced(page: TiffPage) -> bool:
    """Whether a page is a thumbnail, a level of a pyramid or a mask."""
    old = page.tags.get(OLD_SUBFILE_TYPE)
    return bool(page.is_reduced or page.is_mask or (old is not None and old.value == 2))


def _full_pages(tif: TiffFile, name: str) -> list[TiffPage]:
    pages: list[Any] = [page.aspage() for page in tif.pages]
    full = [page for page in pages if not _is_reduced(page)]
    if not full:
        raise ImageError(f"{name}: holds reduced images (previews) only")
    return full


def _described(tif: TiffFile) -> list[TiffPageSeries] | None:
    """The series whose axes a description in the file names (OME, ImageJ, ...), if one does.

    Programs that crop an image often keep its description; one that does not fit the pages is none.
    """
    series = [one for one in tif.series if one.kind not in UNDESCRIBED]
    full = [one for one in series if not _is_reduced(one.keyframe)]
    for one in full:
        lengths = dict(zip(one.axes, one.shape, strict=True))
        page = one.keyframe
        if (lengths.get("Y"), lengths.get("X")) != (page.imagelength, page.imagewidth):
            return None
    # A writer that adds one picture after the other describes each of them.
    single = all(one.kind == "shaped" and not _leading(tif, one) for one in full)
    return None if single else full


def _leading(tif: TiffFile, series: TiffPageSeries) -> dict[str, int]:
    """{axis: length} of what is longer than 1 in front of a picture, without its own colours."""
    colour = _is_composite(tif, series)
    return {
        axis: length
        for axis, length in zip(series.axes, series.shape, strict=True)
        if length > 1 and axis not in ("YXSC" if colour else "YXS")
    }


def _is_composite(tif: TiffFile, series: TiffPageSeries) -> bool:
    """Whether the three channels of a series are red, green and blue: ImageJ's 48-bit RGB.

    ImageJ shows channels together in the colours of their lookup tables, which are red, green
    and blue where the file has none.
    """
    facts: dict[str, Any] = tif.imagej_metadata or {}
    channels = dict(zip(series.axes, series.shape, strict=True)).get("C")
    if series.kind != "imagej" or channels != 3 or facts.get("mode") != "composite":
        return False
    ramps = np.zeros((3, 3, 256), np.uint8)
    ramps[range(3), range(3)] = np.arange(256)
    tables = facts.get("LUTs") or list(ramps)
    return bool(np.array_equal(np.asarray(tables), ramps))


def _check_page(page: TiffPage, name: str) -> None:
    """Refuse by its tags, before it is decoded, a page that is no picture."""
    colours_of(page, name)
    if int(page.compression) in UNSAFE:
        raise ImageError(f"{name}: compression {int(page.compression)} (PNG) is not supported")
    check_size(int(page.imagewidth), int(page.imagelength), name)
    bits = page.bitspersample
    # The range of 17 to 31 bits would be lost in the 32 that tifffile unpacks them to.
    if not isinstance(bits, int) or page.dtype is None or 16 < bits < 32:
        raise ImageError(
            f"{name}: samples of {bits} bits, format {page.sampleformat}, are not supported"
        )


def _check_segments(pages: list[Any], data: bytes, name: str) -> None:
    """Refuse strips and tiles that lie outside the file or are empty: tifffile fills them."""
    for page in pages:
        if page is None:
            raise ImageError(f"{name}: some of its pages lie in other files or are missing")
        ends = zip(page.dataoffsets, page.databytecounts, strict=False)
        if not page.databytecounts or any(
            count <= 0 or start <= 0 or start + count > len(data) for start, count in ends
        ):
            raise ImageError(f"{name}: damaged or truncated image (pixels are missing)")


def _decode_page(page: TiffPage, name: str) -> NDArray[Any]:
    array = page.asarray()
    axes = page.axes
    if axes not in {"YX", "YXS", "SYX"}:
        raise ImageError(f"{name}: a page with axes {axes} is not a picture")
    return picture_of(np.moveaxis(array, 0, -1) if axes == "SYX" else array, page, name)


def _alike(pages: list[NDArray[Any]], name: str) -> list[NDArray[Any]]:
    """The pages of a stack, if they have one size, type and number of colours."""
    kinds = {f"{page.dtype} {page.shape}" for page in pages}
    if len(kinds) > 1:
        raise ImageError(f"{name}: its pages differ, so that they are no stack ({sorted(kinds)})")
    return pages


def _decode_series(
    tif: TiffFile, series: TiffPageSeries, data: bytes, name: str
) -> list[NDArray[Any]]:
    page = series.keyframe
    _check_page(page, name)
    leading = _leading(tif, series)
    what = ", ".join(f"{axis} of {length}" for axis, length in leading.items())
    if "C" in leading:
        raise ImageError(
            f"{name}: has channels (axes {what}): save one channel, or an RGB image, per focus"
        )
    if len(leading) > 1:
        raise ImageError(f"{name}: is not one stack (axes {what}): save one stack per file")
    if series.dataoffset is None:
        _check_segments(list(series.pages), data, name)
    elif series.dataoffset + series.nbytes > len(data):
        raise ImageError(f"{name}: damaged or truncated image (pixels are missing)")
    array, axes = series.asarray(), series.axes
    composite = _is_composite(tif, series)
    last = [axes.index(axis) for axis in ("CYXS" if composite else "YXS") if axis in axes]
    first = [place for place in range(len(axes)) if place not in last]
    array = array.transpose(first + last)
    array = array.reshape(-1, *array.shape[len(first) :])
    if composite:
        return [np.dstack([picture_of(one, page, name) for one in three]) for three in array]
    return [picture_of(one, page, name) for one in array]

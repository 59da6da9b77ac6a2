"""What files of every format have: a size that a photo may have, and a way up."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from bench.core.errors import ImageError

#: Most pixels of a photo; what claims more is refused before it is decoded.
MOST_PIXELS = 250_000_000


def check_size(width: int, height: int, name: str) -> None:
    """Raise `ImageError` for an image that has no pixels or more than `MOST_PIXELS`.

    Parameters
    ----------
    width, height : int
        As the file states them.
    name : str
        The file's name in the error.
    """
    if width < 1 or height < 1:
        raise ImageError(f"{name}: the image has no pixels ({width}x{height})")
    if width * height > MOST_PIXELS:
        raise ImageError(
            f"{name}: {width}x{height} pixels are more than the {MOST_PIXELS // 10**6} megapixels "
            "of the largest photo"
        )


def upright(image: NDArray[Any], orientation: int) -> NDArray[Any]:
    """An image turned and mirrored as EXIF's and TIFF's tag Orientation says.

    Parameters
    ----------
    image : ndarray
        (H, W) or (H, W, channels).
    orientation : int
        1 to 8; other values say nothing.
    """
    if orientation in {5, 6, 7, 8}:
        image = image.swapaxes(0, 1)
    if orientation in {3, 4, 7, 8}:
        image = image[::-1]
    if orientation in {2, 3, 6, 7}:
        image = image[:, ::-1]
    return image

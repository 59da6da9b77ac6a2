"""Images of 10, 12 or 14 bits that are stored in 16: noticed by their values, and scaled.

Cameras and microscopes store 12 bits in 16-bit files without scaling, so white is 4095 and not
65535. Metrics and networks would see an almost black image. A shift to the left makes of it what
a file of 16 bits holds of the same scene.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import ImageError, UsageError

#: Bits of sensors; values that fit none of the smaller ones are 16 bits.
DEPTHS = (8, 10, 12, 14, 16)


def check_bits(bits: int | None) -> int:
    """`bits` if it is 8 to 16; 0 for None and 0, which let the values decide.

    Raises
    ------
    UsageError
        Any other value.

    Examples
    --------
    >>> from datasets.bits import check_bits
    >>> check_bits(12), check_bits(None)
    (12, 0)
    """
    if bits is None or (type(bits) is int and bits == 0):
        return 0
    if type(bits) is not int or not DEPTHS[0] <= bits <= DEPTHS[-1]:
        raise UsageError(
            f"--bits {bits!r}: must be a whole number from 8 to 16, or 0 to let the values decide"
        )
    return bits


def significant_bits(images: Sequence[NDArray[Any]]) -> int:
    """The smallest of 8, 10, 12, 14 and 16 bits that holds every value of the 16-bit images.

    Parameters
    ----------
    images : sequence of ndarray
        The images of one scene; those that are not ``uint16`` do not count.

    Returns
    -------
    int
        16 also where there is no 16-bit image, or nothing but zeros.

    Examples
    --------
    >>> import numpy as np
    >>> from datasets.bits import significant_bits
    >>> significant_bits([np.array([[0, 4095]], np.uint16), np.array([[7, 9]], np.uint16)])
    12
    """
    largest = _largest(images)
    return next(bits for bits in DEPTHS if largest < 1 << bits) if largest else DEPTHS[-1]


def bits_to_scale(images: Sequence[NDArray[Any]], names: Sequence[str], bits: int = 0) -> int:
    """How many bits of the 16-bit images of a scene are to become 16; 0 if none need to.

    Parameters
    ----------
    images, names : sequence
        All images of the scene, and what each is called in a message.
    bits : int
        8 to 16 to say how many they have; 0 for `significant_bits`.

    Raises
    ------
    ImageError
        An image holds a value that `bits` cannot.
    """
    deep = [(i, n) for i, n in zip(images, names, strict=True) if i.dtype == np.uint16]
    for image, name in deep if 0 < bits < DEPTHS[-1] else []:
        if (largest := int(image.max())) >= 1 << bits:
            raise ImageError(
                f"{name}: its largest value is {largest}; --bits {bits} allows {(1 << bits) - 1}"
            )
    found = bits or significant_bits([image for image, _ in deep])
    return found if deep and found < DEPTHS[-1] else 0


def scale_bits(image: NDArray[Any], bits: int) -> NDArray[Any]:
    """A 16-bit image whose values have `bits` bits, with values of 16; others as they are.

    Eight bits are multiplied by 257, so that white is 65535. More are shifted to the left: the
    pixels are those of a file that was stored with 16 bits. What `bits` cannot hold becomes white.

    Examples
    --------
    >>> import numpy as np
    >>> from datasets.bits import scale_bits
    >>> scale_bits(np.array([[0, 1, 4095]], np.uint16), 12).tolist()
    [[0, 16, 65520]]
    """
    if image.dtype != np.uint16 or not 0 < bits < DEPTHS[-1]:
        return image
    return np.minimum(image, np.uint16((1 << bits) - 1)) * np.uint16(factor_of(bits))


def unscale_bits(image: NDArray[Any], bits: int) -> NDArray[Any]:
    """The inverse of `scale_bits`, rounded to the nearest value that `bits` bits hold.

    Examples
    --------
    >>> import numpy as np
    >>> from datasets.bits import unscale_bits
    >>> unscale_bits(np.array([[0, 24, 65535]], np.uint16), 12).tolist()
    [[0, 2, 4095]]
    """
    if image.dtype != np.uint16 or not 0 < bits < DEPTHS[-1]:
        return image
    factor = factor_of(bits)
    values = (image.astype(np.uint32) + factor // 2) // factor
    return np.minimum(values, (1 << bits) - 1).astype(np.uint16)


def factor_of(bits: int) -> int:
    """What `scale_bits` multiplies by."""
    return 257 if bits == DEPTHS[0] else 1 << (DEPTHS[-1] - bits)


def bits_note(images: Sequence[NDArray[Any]], bits: int) -> str:
    """What a user should know of images, given unscaled, that `scale_bits` scales."""
    return (
        f"the 16-bit images hold values up to {_largest(images)}: they are taken for {bits}-bit "
        f"and scaled by {factor_of(bits)} (--bits 16 leaves them as they are)"
    )


def _largest(images: Sequence[NDArray[Any]]) -> int:
    return max((int(image.max()) for image in images if image.dtype == np.uint16), default=0)

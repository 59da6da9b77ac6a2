"""What is doubtful in the pixels of a scene: a text for each, from its images alone.

A note is given only for what is certain, because a reader who has seen three false ones reads no
fourth. Sizes are in pixels of the images as they are given.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from datasets.alignment import Motion, estimate_motion, small_view

if TYPE_CHECKING:
    from datasets._base import SceneImages

cv2 = lazy.load("cv2")

Array = NDArray[Any]

#: Least displacement at a corner that is told, pixels of the images. The gray pairs of liu2020,
#: taken with cameras that were focused by hand, have up to 1.4.
LEAST_PX = 1.75
#: Change of scale that focus explains, since a lens that is focused nearer shows the scene larger
#: or smaller: pairs in use have up to 1.03 % (Pepsi), 0.74 % (liu2020/g_07), 0.6 % (low light).
FOCUS_SCALE = 0.0125
#: The same, pixels of the small view: the estimate rests on what is seen there.
LEAST_VIEW_PX = 0.4
#: The same where not nearly all parts of the picture are closer without it.
LEAST_UNSURE_VIEW_PX = 2.0
#: What is told is larger than this many standard errors.
STANDARD_ERRORS = 4
#: Shift, scale and rotation are each named where they move a corner by as much, pixels.
NAMED_PX = 0.5
#: Least difference in brightness that is told, natural logarithm.
LEAST_GAIN = 0.05
#: Parts along a side whose means give the brightness.
BRIGHTNESS_PARTS = 8
#: Parts with a mean outside of this share of the largest value say little about brightness.
BRIGHTNESS_RANGE = (0.05, 0.9)
#: What to do about a shift, scale or rotation.
ADVICE = "register them first"
#: Pixels that are looked at before an image is searched as a whole for a third value.
SAMPLE_PX = 1000


def scene_notes(images: SceneImages) -> tuple[str, ...]:
    """What a user should know of the images of a scene before they are fused.

    Parameters
    ----------
    images : SceneImages
        Checked: two or more sources of one size.

    Returns
    -------
    tuple of str
        Of equal sources; of images with one or two values; of a source that is shifted, scaled
        or rotated against the first one; of a source that is brighter or darker. Of a stack's
        sources the one with the largest difference is named.

    Notes
    -----
    Shift, scale and rotation are those of `datasets.alignment.estimate_motion` between each
    source and the next one, one after the other, since neighbours in a stack are sharp in nearly
    the same places. They are told from 1.75 pixels at a corner on (0.4 pixels of a view of 1024),
    less a change of scale by up to 1.25 %, which focus explains.

    Examples
    --------
    >>> import numpy as np
    >>> from datasets import SceneImages
    >>> from datasets.notes import scene_notes
    >>> from skimage import data
    >>> photo = data.camera()
    >>> scene_notes(SceneImages((photo[8:, 8:], photo[5:-3, 6:-2])))
    ('source 2 is shifted by 2.0 px right and 3.0 px down against source 1: register them first',)
    >>> scene_notes(SceneImages((photo, photo)))
    ('sources 1 and 2 are equal',)
    """
    flat = [_few_values(source) for source in images.sources]
    notes = [f"source {k + 1} {said}" for k, said in enumerate(flat) if said]
    if images.reference is not None and (said := _few_values(images.reference)):
        notes.append(f"the reference {said}")
    seen = [small_view(source) for source in images.sources]
    views = [view for view, _ in seen]
    notes[:0] = _equal(images.sources, views)
    # A photo of few photons uses little of its range; its texture counts all the same.
    largest = max(float(view.max()) for view in views) or 1.0
    usable = {k: views[k] / largest for k, said in enumerate(flat) if not said}
    if len(usable) > 1:
        notes += _moved(usable, seen[0][1])
        notes += _brighter(usable)
    return tuple(notes)


def _few_values(image: Array) -> str:
    """``"is constant"``, ``"has two values only"`` or an empty text."""
    pixels = image.reshape(image.shape[0] * image.shape[1], -1)
    step = max(1, len(pixels) // SAMPLE_PX)
    if len(np.unique(pixels[::step], axis=0)) > 2:
        return ""
    others = pixels[(pixels != pixels[0]).any(1)]
    if not len(others):
        return "is constant"
    return "" if (others != others[0]).any() else "has two values only"


def _equal(sources: Sequence[Array], views: Sequence[Array]) -> list[str]:
    """A note for each group of sources that are equal pixel for pixel."""
    groups: list[list[int]] = []
    for k, source in enumerate(sources):
        for group in groups:
            first = group[0]
            if np.array_equal(views[first], views[k]) and np.array_equal(sources[first], source):
                group.append(k)
                break
        else:
            groups.append([k])
    return [f"sources {_listed(group)} are equal" for group in groups if len(group) > 1]


def _listed(group: list[int]) -> str:
    """``1, 2 and 3`` for the sources 0, 1 and 2."""
    numbers = [str(k + 1) for k in group]
    return f"{', '.join(numbers[:-1])} and {numbers[-1]}"


def _moved(views: dict[int, Array], factor: int) -> list[str]:
    """A note on the source that lies farthest from where the first one is."""
    numbers = list(views)
    height, width = views[numbers[0]].shape
    so_far, farthest, most, source = Motion(), Motion(), 0.0, numbers[0]
    for previous, number in itertools.pairwise(numbers):
        step = estimate_motion(views[previous], views[number])
        if step is None:
            continue
        so_far = so_far.then(step)
        displaced = _beyond_focus(so_far).largest(height, width)
        if displaced > most:
            farthest, most, source = so_far, displaced, number
    least = LEAST_VIEW_PX if farthest.sure else LEAST_UNSURE_VIEW_PX
    if most < max(least, LEAST_PX / factor, STANDARD_ERRORS * farthest.error):
        return []
    how = _told(farthest, factor, float(np.hypot(height, width)) / 2)
    among = f" (the farthest of {len(numbers)} sources)" if len(numbers) > 2 else ""
    return [f"source {source + 1} is {how} against source {numbers[0] + 1}{among}: {ADVICE}"]


def _beyond_focus(motion: Motion) -> Motion:
    """The motion without as much of its change of scale as focus explains."""
    scale = abs(motion.factor)
    explained = float(np.clip(scale - 1, -FOCUS_SCALE, FOCUS_SCALE))
    return replace(motion, factor=motion.factor * (scale - explained) / scale)


def _told(motion: Motion, factor: int, corner: float) -> str:
    """``shifted by 2.0 px right and 3.0 px down``, ``scaled by 1.0062 (2.1 px at the corners)``."""
    x, y = motion.shift.real * factor, motion.shift.imag * factor
    steps = [(x, "right" if x > 0 else "left"), (y, "down" if y > 0 else "up")]
    scale, angle = abs(motion.factor), float(np.angle(motion.factor))
    parts = []
    if named := [f"{abs(s):.1f} px {way}" for s, way in steps if abs(s) >= NAMED_PX]:
        parts.append(f"shifted by {' and '.join(named)}")
    if (at_corner := abs(scale - 1) * corner * factor) >= NAMED_PX:
        parts.append(f"scaled by {scale:.4f} ({at_corner:.1f} px at the corners)")
    if (at_corner := abs(angle) * corner * factor) >= NAMED_PX:
        way = "clockwise" if angle > 0 else "anticlockwise"
        turned = f"{abs(np.degrees(angle)):.2f} degrees {way}"
        parts.append(f"rotated by {turned} ({at_corner:.1f} px at the corners)")
    if not parts:
        parts = [f"displaced by {motion.largest(0, 0) * factor:.1f} px"]
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if parts[1:] else parts[0]


def _brighter(views: dict[int, Array]) -> list[str]:
    """A note on the source whose brightness differs most from that of the first one."""
    (first, one), *others = ((number, _means(view)) for number, view in views.items())
    gains = {number: _gain(one, other) for number, other in others}
    source = max(gains, key=lambda number: abs(gains[number]))
    if not gains[source]:
        return []
    times = f"{np.exp(gains[source]):.2f} times as bright as source {first + 1}"
    among = f" (the largest difference of {len(views)} sources)" if len(views) > 2 else ""
    return [f"source {source + 1} is {times}{among}"]


def _means(view: Array) -> Array:
    """Means of the parts of a view."""
    height, width = view.shape
    size = (min(BRIGHTNESS_PARTS, width), min(BRIGHTNESS_PARTS, height))
    return np.asarray(cv2.resize(view, size, interpolation=cv2.INTER_AREA))


def _gain(first: Array, second: Array) -> float:
    """Median logarithm of the ratio of means; 0 where it is small or not certain."""
    low, high = BRIGHTNESS_RANGE
    fit = (np.minimum(first, second) >= low) & (np.maximum(first, second) <= high)
    if fit.sum() < BRIGHTNESS_PARTS:
        return 0.0
    ratios = np.log(second[fit] / first[fit])
    middle = float(np.median(ratios))
    # Standard error of a median, from the median deviation.
    error = 1.25 * 1.48 * float(np.median(np.abs(ratios - middle))) / np.sqrt(fit.sum())
    return middle if abs(middle) >= max(LEAST_GAIN, STANDARD_ERRORS * error) else 0.0

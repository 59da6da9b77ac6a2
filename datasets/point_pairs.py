"""The points that were marked by hand on the pairs of ``misaligned``, as a truth for registration.

The points cover little of a frame, so the homography fitted to them is no warp of the whole
image: it moves the corners by up to 54 pixels where the points move by 5. What they can tell is the
distance that is left between the points after registration.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import ImageError, UnknownName
from datasets import fetch
from datasets._selection import load_scenes

#: Least mean distance that can be expected after a perfect registration, pixels: the points were
#: set by hand on blurred images.
FLOOR_PX = 0.6

#: Pairs in which a point lies more than 5 pixels from where the homography of all points puts it.
DOUBTFUL = frozenset(f"misaligned/V-1_pair{k}" for k in (1, 3, 7, 14, 16)) | frozenset(
    f"misaligned/V-3_pair{k}" for k in (101, 106, 111, 119)
)


@dataclass(frozen=True)
class PointPairs:
    """Corresponding points of the two sources of a pair.

    Attributes
    ----------
    scene : str
        Name of the scene.
    first, second : ndarray
        ``float64`` (K, 2): x to the right and y down from the upper left, in pixels of source 1
        and of source 2; row k of both is the same point of the object.
    homography : ndarray
        ``float64`` (3, 3): maps points of source 2 to source 1; fitted to these points, and no
        warp of the whole image.
    """

    scene: str
    first: NDArray[np.float64]
    second: NDArray[np.float64]
    homography: NDArray[np.float64]

    @property
    def sure(self) -> bool:
        """Whether the pair may judge a registration: of V-1 or V-2, and not in `DOUBTFUL`."""
        return self.scene not in DOUBTFUL and not self.scene.startswith("misaligned/V-3")

    @cached_property
    def before_px(self) -> float:
        """Mean distance of the points without a registration, in pixels."""
        return self.error(np.eye(3))

    def error(self, motion: NDArray[Any]) -> float:
        """Mean distance in pixels between the points of source 1 and the moved ones of source 2.

        Parameters
        ----------
        motion : ndarray
            (3, 3) or (2, 3): maps points of source 2 to source 1, as (x, y, 1).

        Examples
        --------
        >>> import numpy as np
        >>> from datasets.point_pairs import PointPairs
        >>> points = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
        >>> pairs = PointPairs("misaligned/V-1_pair0", points, points - (3, 4), np.eye(3))
        >>> pairs.before_px, pairs.error(np.array([[1, 0, 3], [0, 1, 4]]))
        (5.0, 0.0)
        """
        ones = np.ones((len(self.second), 1))
        moved = np.hstack([self.second, ones]) @ np.asarray(motion, float).T
        if moved.shape[1] == 3:
            moved = moved[:, :2] / moved[:, 2:]
        return float(np.linalg.norm(moved - self.first, axis=1).mean())


def point_pairs(scene: str) -> PointPairs:
    """The marked points of a pair of ``misaligned``, downloaded if need be.

    Parameters
    ----------
    scene : str
        Name of the scene, such as ``"misaligned/V-1_pair0"``.

    Raises
    ------
    UnknownName
        The scene is none of ``misaligned``.
    DataUnavailable
        The file of the points is not on disk and cannot be downloaded.
    ImageError
        The file is not one of points, or is of other images.
    """
    found = {pair.name: pair for pair in load_scenes("misaligned")}
    if scene not in found:
        raise UnknownName("scene with marked points", scene, found)
    template, sample = (path for _, path in found[scene].files)
    file = fetch.local_path("misaligned", str(Path(sample).with_suffix(".json").as_posix()))
    try:
        body = json.loads(file.read_text(encoding="utf-8"))
        first = _points(body["Template"], template)
        second = _points(body["Sample"], sample)
        homography = np.array(body["Sample2Template Matrix"], np.float64)
    except (KeyError, TypeError, ValueError) as error:
        raise ImageError(f"{file}: not a file of point pairs ({error})") from error
    if first.shape != second.shape or homography.shape != (3, 3):
        raise ImageError(f"{file}: {len(first)} points in one image, {len(second)} in the other")
    return PointPairs(scene, first, second, homography)


def _points(side: dict[str, Any], path: str) -> NDArray[np.float64]:
    """The points of one image, whose name must be that of the file at `path`."""
    name = PureWindowsPath(side["Path"]).name
    if name != Path(path).name:
        raise ValueError(f"it is about {name}, not {Path(path).name}")
    points = np.array(side["Points"], np.float64)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError("its points are not a list of x and y")
    return points

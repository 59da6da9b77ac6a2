"""Whether an alignment of two views is believed, from the views alone."""

from __future__ import annotations

from dataclasses import dataclass

import lazy_loader as lazy
import numpy as np

from datasets.alignment._base import Array
from datasets.alignment.tiles import small_view, tile_offsets
from datasets.alignment.transforms import at_scale, resample, unexplained

cv2 = lazy.load("cv2")

#: Share of what is unexplained that an alignment must explain, and which of two shares make it
#: sure: of that, or by which the median distance of the tiles falls. Of two photos that are aligned
#: and differ much in blur a transform explains up to 35 % and moves the tiles up to 15 % nearer;
#: of photos that are not, it does more of one or of both.
LEAST_GAIN, SURE_GAIN, SURE_NEARER = 0.02, 0.5, 0.2
#: Least share of the textured tiles that must have a clear counterpart for their median to count.
LEAST_SEEN = 0.5


@dataclass(frozen=True)
class Verdict:
    """What an alignment of two views achieves.

    Attributes
    ----------
    gain : float
        Share of what the views do not have in common that it explains.
    before, after : float
        Median distance of their tiles without and with it, pixels; infinite where most have no
        clear counterpart.
    """

    gain: float
    before: float
    after: float

    @property
    def sure(self) -> bool:
        """Whether the alignment is believed."""
        if self.gain < LEAST_GAIN or self.after > self.before:
            return False
        return self.gain >= SURE_GAIN or self.after <= (1 - SURE_NEARER) * self.before


def judged(fixed: Array, moving: Array, transform: Array) -> Verdict:
    """Judge a homography that takes points of `fixed` to points of `moving`, views of one size."""
    (one, factor), (two, _) = small_view(fixed), small_view(moving)
    small = at_scale(transform, 1 / factor)
    moved = resample(two, small, cv2.INTER_CUBIC)
    return Verdict(
        gain=1 - unexplained(one, two, small) / unexplained(one, two, np.eye(3)),
        before=_median(tile_offsets(one, two)) * factor,
        after=_median(tile_offsets(one, moved)) * factor,
    )


def _median(apart: Array) -> float:
    seen = np.isfinite(apart)
    return float(np.median(apart[seen])) if len(apart) and seen.mean() >= LEAST_SEEN else np.inf

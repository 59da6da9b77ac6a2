"""Ringing is not a wrong scale: no registered method is refused, whatever the images."""

from __future__ import annotations

import numpy as np
import pytest

from bench.core.errors import ContractViolation
from methods import METHODS, Method, fuse
from tests.support.weights import fuse_quickly, sweep

pytestmark = pytest.mark.slow

ROWS, COLUMNS = np.mgrid[0:96, 0:96]
RNG = np.random.default_rng(0)
PATTERNS = {
    "noise": RNG.integers(0, 256, (96, 96)),
    "binary noise": RNG.integers(0, 2, (96, 96)) * 255,
    "bars": COLUMNS // 16 % 2 * 255,
    "checkers": (COLUMNS // 24 + ROWS // 24) % 2 * 255,
    "dots": ((COLUMNS % 16 == 0) & (ROWS % 16 == 0)) * 255,
    "black": 0 * ROWS,
    "colour noise": RNG.integers(0, 2, (96, 96, 3)) * 255,
}


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("name", sweep(m for m in METHODS if m.program is None))
def test_no_registered_method_is_refused(name, pattern):
    image = PATTERNS[pattern].astype(np.uint8)
    others = [np.roll(image, 3, 0), np.roll(image, 3, 1), 255 - np.roll(image, 8, 1)]
    for sources in ([image, 255 - image], [image, others[0]], [image, *others, 255 - image]):
        reference = image if METHODS[name].needs_reference else None
        assert fuse_quickly(name, sources, reference=reference).shape == image.shape


def made(fn) -> Method:
    about = {"kind": "transform", "colour": "channels", "stack": "native", "family": "spatial"}
    return Method(name="made", title="made", fn=fn, paper="x", doi="", **about)


@pytest.mark.parametrize(
    ("fn", "says"),
    [
        (lambda s: 255 * s[0], r"values from 0 to 255, \d+% of them far outside .*: 0\.\.255\?"),
        (lambda s: 2 * s[0] - 1, r"values from -1 to 1, \d+% of them far outside .*: -1\.\.1\?"),
        (lambda s: (s[0] - 0.45) / 0.22, r"far outside of \[0, 1\]"),
        (lambda s: 65535 * s[0], r"0\.\.65535\?"),
    ],
)
@pytest.mark.parametrize("pattern", ["noise", "bars", "colour noise"])
def test_another_scale_is_refused(fn, says, pattern):
    image = PATTERNS[pattern].astype(np.uint8)
    with pytest.raises(ContractViolation, match=f"^method 'made' returned .*{says}"):
        fuse(made(fn), [image, image])

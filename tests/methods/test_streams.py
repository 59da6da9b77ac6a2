"""Methods that take their sources one at a time: equal results, any order, and little memory."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import weakref

import numpy as np
import pytest
from skimage import data

from bench.core.errors import ContractViolation
from datasets.defocus import gaussian_blur
from methods import METHODS, Method, Planes, Sources, bind, fuse, fuse_prepared

STREAMS = [m.name for m in METHODS if m.streams]
ANY_ORDER = [m.name for m in METHODS if m.any_order]


def stack_of(photo: np.ndarray, count: int = 5) -> list[np.ndarray]:
    """Each source sharp in a strip of its own, and smooth elsewhere."""
    soft = np.rint(gaussian_blur(photo.astype(np.float32), 3)).astype(np.uint8)
    width = photo.shape[1]
    sources = [soft.copy() for _ in range(count)]
    for k, source in enumerate(sources):
        strip = slice(k * width // count, (k + 1) * width // count)
        source[:, strip] = photo[:, strip]
    return sources


@pytest.fixture(scope="module")
def colour() -> list[np.ndarray]:
    return stack_of(data.chelsea()[100:171, 100:205])


@pytest.fixture(scope="module")
def gray() -> list[np.ndarray]:
    return stack_of(data.camera()[100:171, 100:205])


def test_the_methods_of_the_promise_are_among_them():
    assert {"lp", "gf", "fcn-x"} <= set(STREAMS)


@pytest.mark.parametrize("name", STREAMS)
def test_planes_give_what_an_array_gives(name, gray):
    """A method called by itself takes an array."""
    method = METHODS[name]
    planes = Sources(gray).channel(0)
    from_planes, from_array = method.fn(planes), method.fn(planes.array())
    if method.kind == "transform":
        np.testing.assert_array_equal(from_planes, from_array)
    elif callable(from_array):
        np.testing.assert_array_equal(from_planes(planes), from_array(planes.array()))
    else:
        assert isinstance(from_array, np.ndarray)
        np.testing.assert_array_equal(from_planes.array(), from_array)


@pytest.mark.parametrize("name", STREAMS)
def test_a_plane_is_read_at_a_time(name, colour):
    """No method asks for all at once, which would make an array of them."""
    planes = Sources(colour).luminance()
    alive = most = 0

    def released():
        nonlocal alive
        alive -= 1

    def plane(number):
        nonlocal alive, most
        alive += 1
        most = max(most, alive)
        made = planes[number]
        weakref.finalize(made, released)
        return made

    METHODS[name].fn(Planes(planes.shape, plane))
    assert most <= 3 < len(planes)  # the next one is read before the last one is let go


@pytest.mark.parametrize("name", ANY_ORDER)
def test_any_order_gives_the_same_image_to_the_bit(name, gray, colour):
    for sources in (gray[:3], colour[:3]):
        images = {fuse(name, order).tobytes() for order in itertools.permutations(sources)}
        assert len(images) == 1


@pytest.mark.parametrize("name", ["average", "fcn-x", "fcn-s"])
def test_float_images_do_not_depend_on_the_order_either(name, gray):
    rng = np.random.default_rng(0)
    method = METHODS[name]
    fused = set()
    for _ in range(4):
        order = [gray[k] for k in rng.permutation(len(gray))]
        fused.add(fuse_prepared(method, Sources.of(order), bind(method)).tobytes())
    assert len(fused) == 1


def test_the_first_source_stays_the_first(gray):
    assert np.array_equal(fuse("source-a", gray), gray[0])
    assert np.array_equal(fuse("source-b", gray), gray[-1])


def weighted(weights, sources):
    method = Method(
        "its",
        "Its weights",
        lambda _: weights,
        "decision",
        "luminance",
        "native",
        "spatial",
        "",
        "",
    )
    return fuse_prepared(method, Sources.of(sources), bind(method))


@pytest.mark.parametrize("level", [0.5, -1.0, np.nan])
def test_wrong_planes_of_weights_are_refused(level, gray):
    shape = (len(gray), *gray[0].shape)
    with pytest.raises(ContractViolation):
        weighted(Planes(shape, lambda _: np.full(shape[1:], level, np.float32)), gray)


def test_planes_are_a_sequence(gray):
    planes = Sources(gray).channel(0)
    assert len(planes) == len([*planes]) == 5
    assert planes[4].dtype == np.float32
    with pytest.raises(IndexError):
        planes[5]
    assert planes.array().shape == planes.shape


MEASURE = """
import json, resource, sys
import numpy as np
from methods import fuse
name, count, parameters = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
def resident():
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
rng = np.random.default_rng(0)
fuse(name, list(rng.integers(0, 256, (3, 64, 64, 3), np.uint8)))
before = resident()
sources = list(rng.integers(0, 256, (count, 900, 1200, 3), np.uint8))
fuse(name, sources, parameters=parameters)
print(resident() - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lp", "gf", "fcn-x"])
def test_a_source_more_takes_less_memory_than_its_pixels_in_float32(name):
    """What 12 sources take beyond 4, so that what does not grow with their number counts not.

    Photos of 12 megapixels shrink by 3 for `fcn-x`.
    """
    parameters = {"shrink": 3} if name == "fcn-x" else {}
    held = []
    for count in (4, 12):
        words = [sys.executable, "-c", MEASURE, name, str(count), json.dumps(parameters)]
        held.append(int(subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout))
    floats = 4 * 3 * 900 * 1200
    assert held[1] - held[0] < 8 * floats

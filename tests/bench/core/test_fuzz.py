"""Inputs that nobody would think of: whatever they are, the answer is a value or one sentence.

The examples are the same each time; ``MFIF_FUZZ=N`` draws N times as many new ones.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bench.cli.main import main
from bench.core.errors import BenchError
from bench.core.image_io import read_image, write_image
from bench.core.pixels import as_image
from bench.engine.selection import select_methods
from bench.store.repair import examine
from bench.store.store import Store
from bench.workers.memory import parse_size
from datasets import SceneImages
from methods import _fusion as fusion
from metrics import METRICS, Scorer
from reports.data.results import load_results

pytestmark = pytest.mark.slow

#: Set to multiply the examples and draw new ones each time.
TIMES = int(os.environ.get("MFIF_FUZZ", "0"))


def examples(count: int) -> settings:
    return settings(
        max_examples=count * max(TIMES, 1),
        derandomize=not TIMES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


FEW, MANY = examples(40), examples(150)

TYPES = st.sampled_from(
    [np.uint8, np.uint16, np.float32, np.float64, np.bool_, np.int32, np.complex64, object]
)
SHAPES = st.one_of(
    st.tuples(st.integers(0, 12), st.integers(0, 12)),
    st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(0, 5)),
    st.lists(st.integers(0, 4), max_size=5).map(tuple),
)
KEY = "ab" + "0" * 62


@st.composite
def anything(draw: st.DrawFn) -> np.ndarray:
    """An array of any shape, type and values: NaN, infinity and all."""
    dtype, shape = draw(TYPES), draw(SHAPES)
    if dtype is object:
        return np.full(shape, None, object)
    return draw(arrays.arrays(dtype, shape))


@st.composite
def images(draw: st.DrawFn, count: int) -> list[np.ndarray]:
    """Images of one size that are right: of a few levels, where metrics may divide by zero."""
    colour = draw(st.booleans())
    shape = (draw(st.integers(1, 20)), draw(st.integers(1, 20)), *([3] if colour else []))
    dtype = draw(st.sampled_from([np.uint8, np.uint16]))
    levels = st.sampled_from([0, 1, 127, 255, np.iinfo(dtype).max])
    return [draw(arrays.arrays(dtype, shape, elements=levels)) for _ in range(count)]


@MANY
@given(anything())
def test_any_array_is_an_image_or_is_refused(array):
    try:
        image = as_image(array)
    except BenchError:
        return
    assert image.dtype in (np.uint8, np.uint16, np.float32)
    assert image.ndim == 2 or image.shape[2] == 3
    assert image.size


@MANY
@given(st.lists(anything(), min_size=1, max_size=3))
def test_any_arrays_are_scored_or_refused(stack):
    try:
        scores = Scorer(stack[1:]).scores(stack[0], ["ie", "mi"])
    except BenchError:
        return
    assert all(np.isfinite(value) for value in scores.values())


@FEW
@given(images(4))
def test_every_metric_of_right_images(stack):
    scorer = Scorer(stack[:2], stack[2])
    for name in scorer.applicable(METRICS.names()):
        value, (low, high) = scorer.score(stack[3], name), METRICS[name].bounds
        assert low - 1e-6 <= value <= high + 1e-6, name


@FEW
@given(images(3), st.sampled_from(["average", "lp", "dwt", "gf", "sobel", "rp", "cp", "psf"]))
def test_methods_on_right_images(stack, name):
    fused = fusion.fuse(name, stack)
    assert (fused.shape, fused.dtype) == (stack[0].shape, stack[0].dtype)


@MANY
@given(st.lists(anything(), min_size=1, max_size=3))
def test_any_arrays_are_fused_or_refused(stack):
    try:
        SceneImages(tuple(stack)).check("any")
        fused = fusion.fuse("average", stack)
    except BenchError:
        return
    assert fused.dtype in (np.uint8, np.uint16)


@FEW
@given(image=images(3), extra=st.integers(0, 1))
def test_the_score_command(tmp_path_factory, capsys, image, extra):
    folder = tmp_path_factory.mktemp("fuzz")
    image[2] = image[2][: len(image[2]) - extra] if len(image[2]) > 1 else image[2]
    for name, pixels in zip("abf", image, strict=True):
        write_image(folder / f"{name}.png", pixels)
    a, b, fused = (str(folder / f"{name}.png") for name in "abf")
    code = main(["score", a, b, "--fused", fused, "--json"])
    out, error = capsys.readouterr()
    if code in (0, 1):
        assert isinstance(json.loads(out), dict)
    else:
        assert code == 2
        *notes, last = error.splitlines()
        assert last.startswith("error: ")
        assert not any(note.startswith("error: ") for note in notes)


@examples(6)
@given(images(3))
def test_the_run_command(tmp_path_factory, capsys, image):
    folder = tmp_path_factory.mktemp("fuzz")
    for name, pixels in zip(("x_A", "x_B", "x_reference"), image, strict=True):
        write_image(folder / "in" / f"{name}.png", pixels)
    command = ["run", "--methods", "average", "lp", "dwt", "--datasets", f"folder:{folder / 'in'}"]
    command += ["--out", str(folder / "out"), "--repeats", "0", "--threads", "1"]
    assert main(command) in (0, 1)
    assert "Traceback" not in capsys.readouterr().err
    assert len(load_results(folder / "out").scores) == 3 * 8


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)
BYTES = st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode())


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("records"))
    store.put(KEY, {"status": "ok"})
    return store


@MANY
@given(content=BYTES)
def test_records_of_any_bytes(store, content):
    store.log.rewrite([])
    store.log.path.write_bytes(content)
    assert Store(store.root).get(KEY) is None
    examine(store)
    assert examine(store).damaged == []


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b"{" * 100_000, b'{"a":' * 50_000, b"9" * 9999]
)
def test_records_that_nest_or_swell(store, content):
    line = b'{"key":"' + KEY.encode() + b'","sha256":"' + b"0" * 64 + b'","body":' + content
    store.log.path.write_bytes(line + b"}\n")
    assert Store(store.root).get(KEY) is None


@MANY
@given(body=st.dictionaries(st.text(max_size=9), JSON))
def test_records_come_back_as_they_went(store, body):
    store.put(KEY, body)
    came = json.dumps(store.get(KEY), sort_keys=True)
    assert came == json.dumps(body, sort_keys=True)


@MANY
@given(content=st.binary(max_size=300))
def test_images_of_any_bytes(store, tmp_path_factory, content):
    name = "cd" + KEY[2:]
    store.put_png(name, content)
    assert store.get_image(name) is None


@MANY
@given(content=BYTES)
def test_manifests_of_any_bytes(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("run")
    (folder / "run.json").write_bytes(content)
    with pytest.raises(BenchError):
        load_results(folder)


@MANY
@given(content=BYTES, suffix=st.sampled_from([".png", ".tif", ".jpg", ".bmp", ".webp", ".pgm"]))
def test_image_files_of_any_bytes(tmp_path_factory, content, suffix):
    path: Path = tmp_path_factory.mktemp("image") / f"any{suffix}"
    path.write_bytes(content)
    with pytest.raises(BenchError):
        read_image(path)


@MANY
@given(text=st.text(max_size=30))
def test_any_selection_and_any_size(text: str) -> None:
    for parse in (lambda: select_methods([text]), lambda: parse_size(text)):
        try:
            value: Any = parse()
        except BenchError:
            continue
        assert value

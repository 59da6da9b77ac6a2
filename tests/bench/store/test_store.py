"""The store believes nothing that is damaged and loses nothing that is whole."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bench.core.errors import EnvironmentFault
from bench.store.store import Store, pixel_hash

KEY = "ab" + "0" * 62
BODY = {"status": "ok", "value": 0.1 + 0.2, "text": "é"}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def _path(store):
    return store.root / "records" / KEY[:2] / f"{KEY}.json"


def test_round_trip_keeps_every_digit(store):
    assert store.get(KEY) is None
    store.put(KEY, BODY)
    assert store.get(KEY) == BODY
    assert list(store.keys()) == [KEY]


def test_replacing_leaves_no_temporary_file(store):
    for value in range(3):
        store.put(KEY, {"value": value})
    assert store.get(KEY) == {"value": 2}
    assert [p.name for p in _path(store).parent.iterdir()] == [f"{KEY}.json"]


def test_a_record_cut_anywhere_is_absent(store):
    store.put(KEY, BODY)
    whole = _path(store).read_bytes()
    for length in range(len(whole)):
        _path(store).write_bytes(whole[:length])
        assert store.get(KEY) is None


def test_a_changed_record_is_absent(store):
    store.put(KEY, BODY)
    envelope = json.loads(_path(store).read_text())
    for change in (
        {"body": {**BODY, "value": 1.0}},
        {"key": "cd" + KEY[2:]},
        {"format": 99},
        {"sha256": "0"},
        {"body": None},
    ):
        _path(store).write_text(json.dumps({**envelope, **change}))
        assert store.get(KEY) is None, change


@pytest.mark.parametrize("content", [b"[]", b"null", b"\xff\xfe", b"{}", b"1"])
def test_a_record_of_another_kind_is_absent(store, content):
    store.put(KEY, BODY)
    _path(store).write_bytes(content)
    assert store.get(KEY) is None


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_images_are_found_by_their_pixels(store, shape, dtype):
    image = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype)
    name = store.put_image(image)
    assert name == pixel_hash(image)
    assert np.array_equal(store.get_image(name), image)


def test_a_damaged_image_is_absent(store):
    image = np.arange(64, dtype=np.uint8).reshape(8, 8)
    name = store.put_image(image)
    path = store.image_path(name)
    other = store.image_path(store.put_image(image.T.copy()))
    path.write_bytes(other.read_bytes())
    assert store.get_image(name) is None
    path.write_bytes(path.read_bytes()[:40])
    assert store.get_image(name) is None
    path.unlink()
    assert store.get_image(name) is None


def test_pixel_hash_tells_shape_and_type_apart():
    zeros = [np.zeros((4, 6), np.uint8), np.zeros((6, 4), np.uint8), np.zeros((4, 3), np.uint16)]
    assert len({pixel_hash(image) for image in zeros}) == 3


def test_an_unwritable_folder_is_said(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EnvironmentFault, match="cannot be written"):
        Store(tmp_path / "file").put(KEY, BODY)

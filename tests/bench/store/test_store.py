"""The store uses no damaged record and loses no whole one."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bench.core.errors import EnvironmentFault, UsageError
from bench.store.keys import metric_fingerprint
from bench.store.merge import copy_records
from bench.store.records import FusionRecord, ScoreRecord, TimingRecord, scores_body
from bench.store.repair import examine
from bench.store.store import Store, pixel_hash
from metrics import METRICS

KEY, OTHER = "ab" + "0" * 62, "cd" + "1" * 62
BODY = {"status": "ok", "value": 0.1 + 0.2, "text": "é"}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def test_round_trip_keeps_every_digit(store):
    assert store.get(KEY) is None
    store.put(KEY, BODY)
    assert store.get(KEY) == BODY
    assert list(store.keys()) == [KEY]


def test_the_last_record_of_a_key_counts(store):
    for value in range(3):
        store.put(KEY, {"value": value})
    assert store.get(KEY) == {"value": 2}
    assert Store(store.root).get(KEY) == {"value": 2}


def test_a_record_cut_anywhere_is_absent_and_the_next_is_whole(store):
    store.put(KEY, BODY)
    whole = store.log.path.read_bytes()
    for length in range(len(whole)):
        store.log.path.write_bytes(whole[:length])
        again = Store(store.root)
        assert again.get(KEY) is None
        again.put(OTHER, BODY)
        assert again.get(OTHER) == BODY
        assert Store(store.root).get(OTHER) == BODY


def test_a_changed_byte_makes_a_record_absent_and_no_other(store):
    for key in (KEY, OTHER):
        store.put(key, BODY)
    whole = store.log.path.read_bytes()
    first = whole.index(b"\n")
    for place in range(first):
        changed = bytes([whole[place] ^ 1])
        store.log.path.write_bytes(whole[:place] + changed + whole[place + 1 :])
        again = Store(store.root)
        assert again.get(KEY) is None, place
        assert again.get(OTHER) == BODY


@pytest.mark.parametrize("content", [b"[]", b"null", b"\xff\xfe", b"{}", b"1", b"\n\n"])
def test_a_file_of_another_kind_holds_nothing(store, content):
    store.put(KEY, BODY)
    store.log.path.write_bytes(content)
    assert Store(store.root).get(KEY) is None
    assert list(Store(store.root).keys()) == []


def test_another_process_sees_what_is_appended(store):
    reader = Store(store.root)
    assert reader.get(KEY) is None
    store.put(KEY, BODY)
    assert reader.get(KEY) == BODY
    store.log.rewrite([])
    assert reader.get(OTHER) is None
    assert list(reader.keys()) == []


def test_a_name_that_is_no_hash_opens_no_file(store):
    """A crafted name must not lead out of the store."""
    for name in ("../../evil", "a/b", "", "AB" * 32, "ab" * 31):
        with pytest.raises(UsageError, match="not the hash of an image"):
            store.put_png(name, b"x" * 9999)


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_images_are_found_by_their_pixels(store, shape, dtype):
    image = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype)
    name = store.put_image(image)
    assert name == pixel_hash(image)
    assert np.array_equal(store.get_image(name), image)


def test_a_damaged_image_is_absent(store):
    image = np.random.default_rng(0).integers(0, 255, (99, 99), np.uint8)
    name = store.put_image(image)
    other = store._image_path(store.put_image(image.T.copy()))
    path = store._image_path(name)
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


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"status": 1},
        {"status": "ok", "first_s": "fast"},
        {"status": "ok", "pixels": None},
        {"status": ["ok"]},
    ],
)
def test_a_record_of_other_types_counts_as_missing(body):
    assert FusionRecord.from_body(body) is None


def test_records_come_back_with_their_types():
    for record in (
        FusionRecord("ok", pixels="a" * 64, first_s=0.5, peak_bytes=7),
        ScoreRecord("ok", value=float("inf")),
        ScoreRecord("failed", "why"),
        TimingRecord("c", "m", seconds=[0.1, 2], first_s=None, contended=True),
    ):
        body = json.loads(json.dumps(record.to_body()))
        assert type(record).from_body(body) == record


def test_what_is_written_after_the_file_was_removed_is_kept(store):
    store.put(KEY, BODY)
    store.log.path.unlink()
    store.put(OTHER, BODY)
    assert Store(store.root).get(OTHER) == BODY
    Store(store.root).log.rewrite([])
    store.put(KEY, BODY)
    assert Store(store.root).get(KEY) == BODY


def test_a_file_is_read_in_pieces(store, monkeypatch):
    monkeypatch.setattr("bench.store.log.BLOCK", 300)
    keys = [f"{k:064x}" for k in range(40)]
    for key in keys:
        store.put(key, BODY)
    assert list(Store(store.root).keys()) == keys


def test_a_damaged_image_in_any_folder_is_removed(tmp_path):
    store = Store(tmp_path / "a line 5" / "store")
    image = np.random.default_rng(0).integers(0, 255, (99, 99), np.uint8)
    path = store._image_path(store.put_image(image))
    path.write_bytes(b"no image")
    assert len(examine(store).damaged) == 1
    assert not path.exists()
    assert examine(store).damaged == []


def test_scores_and_timings_that_a_run_would_use_win_when_stores_are_joined(tmp_path):
    first, second, target = (Store(tmp_path / name) for name in "abc")
    code = metric_fingerprint(METRICS["ie"])
    scores = {"ie": ScoreRecord("ok", value=1.0, fingerprint="old")}
    first.put(KEY, scores_body("s", "p", scores))
    scores = {"ie": ScoreRecord("ok", value=2.0, fingerprint=code)}
    second.put(KEY, scores_body("s", "p", scores))
    first.put(OTHER, TimingRecord("c", "m", seconds=[1.0] * 5, contended=True).to_body())
    second.put(OTHER, TimingRecord("c", "m", seconds=[2.0] * 5).to_body())
    copy_records([first, second], target)
    assert target.get(KEY)["scores"]["ie"]["value"] == 2.0
    assert target.get(OTHER)["seconds"] == [2.0] * 5

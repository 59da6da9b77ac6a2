"""Files written whole: what cannot be written is called by its name."""

from __future__ import annotations

import pytest

from bench.core.files import write_bytes


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        write_bytes(tmp_path / "out", b"x")
    assert caught.value.filename == str(tmp_path / "out")
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


def test_a_file_that_cannot_be_made_is_named(tmp_path):
    name = tmp_path / ("x" * 255)
    with pytest.raises(OSError, match="too long") as caught:
        write_bytes(name, b"x")
    assert caught.value.filename == str(name)

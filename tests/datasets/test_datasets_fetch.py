"""Finding catalogued files: `MFIF_DATA`, the cache, a real server, and the commands about them."""

from __future__ import annotations

import argparse
import json
import re

import pytest

from bench.cli import data as data_cli
from bench.core.errors import DataUnavailable, EnvironmentFault, NothingSelected, UnknownName
from datasets import fetch
from datasets._base import Scene, SceneImages
from tests.support import faulty_server
from tests.support.faulty_server import ALL, CONTENTS, cached

server = faulty_server.server


def test_download_is_verified_and_cached(server, tmp_path):
    assert not fetch.available("tiny", CONTENTS)
    file = fetch.local_path("tiny", "set/3.bin")
    assert file.read_bytes() == CONTENTS["set/3.bin"]
    assert cached(tmp_path) == ["set/3.bin"]
    fetch.local_path("tiny", "set/3.bin")
    assert server.asked["set/3.bin"] == 1


def test_a_partly_present_set_is_completed(server, tmp_path):
    fetch.local_path("tiny", "set/0.bin")
    fetch.local_path("tiny", "set/4.bin")
    assert fetch.fetch(ALL, jobs=3) == {}
    assert cached(tmp_path) == sorted(CONTENTS)
    assert set(server.asked.values()) == {1}
    assert fetch.available("tiny", CONTENTS)


def test_a_damaged_file_in_the_cache_is_fetched_again(server, tmp_path):
    file = fetch.local_path("tiny", "set/1.bin")
    file.write_bytes(bytes(len(CONTENTS["set/1.bin"])))
    assert fetch.local_path("tiny", "set/1.bin").read_bytes() == CONTENTS["set/1.bin"]


@pytest.mark.parametrize("contents", [b"short", bytes(1001)])
def test_a_damaged_file_in_mfif_data_is_named(server, tmp_path, monkeypatch, contents):
    file = tmp_path / "data" / "tiny" / "set" / "1.bin"
    file.parent.mkdir(parents=True)
    file.write_bytes(contents)
    monkeypatch.setenv("MFIF_DATA", str(tmp_path / "data"))
    with pytest.raises(EnvironmentFault, match=re.escape(str(file))):
        fetch.local_path("tiny", "set/1.bin")
    assert not server.asked["set/1.bin"]
    failures = fetch.fetch(ALL)
    assert list(failures) == [("tiny", "set/1.bin")]


def test_mfif_data_is_read_and_never_written(server, tmp_path, monkeypatch):
    data = tmp_path / "data"
    file = data / "tiny" / "set" / "0.bin"
    file.parent.mkdir(parents=True)
    file.write_bytes(CONTENTS["set/0.bin"])
    monkeypatch.setenv("MFIF_DATA", str(data))
    assert fetch.fetch(ALL) == {}
    assert fetch.local_path("tiny", "set/0.bin") == file
    assert [p.name for p in data.rglob("*.bin")] == ["0.bin"]
    assert cached(tmp_path) == sorted(set(CONTENTS) - {"set/0.bin"})


def test_mfif_data_that_does_not_exist_is_an_error(server, tmp_path, monkeypatch):
    monkeypatch.setenv("MFIF_DATA", str(tmp_path / "typo"))
    with pytest.raises(EnvironmentFault, match=r"MFIF_DATA=.*typo: no such folder"):
        fetch.available("tiny", ["set/0.bin"])


@pytest.mark.parametrize("by", ["environment", "argument"])
def test_offline_asks_nobody(server, monkeypatch, by):
    if by == "environment":
        monkeypatch.setenv("MFIF_OFFLINE", "1")
    with pytest.raises(DataUnavailable, match="forbid"):
        fetch.local_path("tiny", "set/0.bin", offline=by == "argument")
    assert not server.asked


def test_an_unwritable_cache_is_named(server, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(fetch, "cache_folder", lambda: tmp_path / "file")
    with pytest.raises(DataUnavailable, match="file/tiny/set cannot be written"):
        fetch.local_path("tiny", "set/0.bin")


def test_unknown_names():
    with pytest.raises(UnknownName, match="did you mean 'liu2020'"):
        fetch.local_path("liu2002", "x")
    with pytest.raises(UnknownName, match="file of liu2020"):
        fetch.local_path("liu2020", "sourceimages/grayscale/g_99_1.tif")


def test_a_scene_says_what_it_lacks(server):
    scene = Scene("d", "s", lambda: SceneImages(()), "real", files=(ALL[0], ALL[1]))
    assert "has not been downloaded" in scene.missing()
    assert not server.asked
    fetch.fetch(scene.files)
    assert scene.missing() == ""
    fetch.find(*ALL[1]).write_bytes(b"damaged")
    assert "set/1.bin is not on disk" in scene.missing()


def command(*words: str) -> int:
    parser = argparse.ArgumentParser()
    data_cli.add_arguments(parser)
    return data_cli.run(parser.parse_args(words))


def test_command_list_fetch_check(server, capsys):
    assert command("list", "tiny", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["here"] == 0
    server.faults["set/1.bin"] = "404"
    assert command("fetch", "tiny", "--json") == 4
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] == 5
    assert report["failed"][0]["file"] == "tiny/set/1.bin"
    server.faults.clear()
    assert command("fetch", "tiny", "--only", "set/1*") == 0
    assert capsys.readouterr().out == "1 of 1 files are whole\n"
    assert command("check", "tiny") == 0
    fetch.find("tiny", "set/2.bin").write_bytes(b"damaged")
    capsys.readouterr()
    assert command("check", "tiny") == 4
    out, err = capsys.readouterr()
    assert out == "5 of 6 files are whole\n"
    assert "7 bytes, expected 1002" in err


def test_command_without_files(server):
    with pytest.raises(NothingSelected):
        command("check", "tiny")
    with pytest.raises(NothingSelected):
        command("fetch")
    with pytest.raises(NothingSelected, match="no file is called"):
        command("fetch", "tiny", "--only", "nothing*")
    with pytest.raises(UnknownName):
        command("list", "tine")

"""Finding and downloading catalogued files, against a real server on the loopback device."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import re
import socket
import struct
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bench import data_cli
from bench.errors import (
    DataUnavailable,
    EnvironmentFault,
    NothingSelected,
    UnknownName,
)
from datasets import fetch
from datasets.base import Scene, SceneImages
from datasets.catalog import Collection, collections

CONTENTS = {f"set/{k}.bin": bytes([k]) * (1000 + k) for k in range(6)}


class Server(ThreadingHTTPServer):
    """Serves CONTENTS, each path with the fault it was given."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.faults: dict[str, str] = {}
        self.asked: Counter[str] = Counter()
        self.release = threading.Event()
        self.poured = 0

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is part of the test."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_HEAD(self) -> None:
        self.send_response(404)
        self.end_headers()

    def do_GET(self) -> None:
        path = self.path.lstrip("/").partition("?")[0]
        self.server.asked[path] += 1
        fault, body = self.server.faults.get(path, ""), CONTENTS[path]
        if fault == "first-fails" and self.server.asked[path] == 1:
            fault = "500"
        if fault == "silent":
            self.server.release.wait(10)
            return
        if fault.startswith("redirect"):
            place = {"redirect": "/set/0.bin", "redirect-right": f"/{path}?again"}.get(fault)
            if fault == "redirect-right" and "again" in self.path:
                place = ""
            elif fault == "redirect-loop":
                place = self.path
            elif fault == "redirect-file":
                place = "file:///etc/passwd"
            if place:
                self.send_response(302)
                self.send_header("Location", place)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
        self.send_response(int(fault) if fault.isdigit() else 200)
        if fault != "endless":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault == "drips":
            self.drip(body)
            return
        if fault == "endless":
            self.pour()
            return
        if fault == "reset":
            linger = struct.pack("ii", 1, 0)
            self.wfile.write(body[:300])
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
            return
        if fault == "wrong":
            body = bytes(len(body))
        if fault == "truncated":
            body = body[:500]
        self.wfile.write(body)

    def drip(self, body: bytes) -> None:
        for byte in body:
            self.wfile.write(bytes([byte]))
            if self.server.release.wait(0.05):
                return

    def pour(self) -> None:
        with contextlib.suppress(OSError):
            for _ in range(1 << 14):
                self.wfile.write(bytes(1 << 16))
                self.server.poured += 1 << 16

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server, its collection `tiny` in the catalogue, and an empty cache."""
    with Server() as running:
        manifest = tmp_path / "tiny.csv"
        rows = [f"{p},{hashlib.sha256(b).hexdigest()},{len(b)}" for p, b in CONTENTS.items()]
        manifest.write_text("\n".join(["path,sha256,bytes", *rows, ""]))
        add_collection(monkeypatch, f"http://127.0.0.1:{running.server_port}/", manifest)
        use_cache(monkeypatch, tmp_path / "cache")
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield running
        running.release.set()
        running.shutdown()
        thread.join()


def add_collection(monkeypatch, url: str, manifest: Path) -> None:
    tiny = Collection(
        name="tiny",
        title="Six files",
        url=url,
        home=url,
        commit="0" * 40,
        files=len(CONTENTS),
        bytes=sum(map(len, CONTENTS.values())),
        licence="none",
        citation="none",
        bibtex="@misc{none, title = {none}}",
        manifest=manifest,
    )
    monkeypatch.setitem(collections(), "tiny", tiny)


def use_cache(monkeypatch, folder: Path) -> None:
    fetch._unreachable.cache_clear()
    monkeypatch.setattr(fetch, "cache_folder", lambda: folder)
    monkeypatch.setattr(fetch, "PAUSE", 0.01)
    monkeypatch.delenv("MFIF_OFFLINE", raising=False)
    monkeypatch.delenv("MFIF_DATA", raising=False)


def cached(tmp_path: Path) -> list[str]:
    folder = tmp_path / "cache" / "tiny"
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


ALL = [("tiny", path) for path in CONTENTS]


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


@pytest.mark.parametrize(
    ("fault", "reason", "asked"),
    [
        ("wrong", "other contents than the catalogue", fetch.ATTEMPTS),
        ("truncated", "failed", fetch.ATTEMPTS),
        ("500", "failed .*500", fetch.ATTEMPTS),
        ("404", "failed .*404", 1),
        ("endless", "other contents than the catalogue", fetch.ATTEMPTS),
        ("reset", "failed", fetch.ATTEMPTS),
        ("redirect", "failed .*broke off", fetch.ATTEMPTS),
        ("redirect-file", "failed", fetch.ATTEMPTS),
    ],
)
def test_a_bad_answer_never_lands_in_the_cache(server, tmp_path, fault, reason, asked):
    server.faults["set/1.bin"] = fault
    failures = fetch.fetch(ALL)
    assert list(failures) == [("tiny", "set/1.bin")]
    assert re.search(reason, failures["tiny", "set/1.bin"])
    assert "\n" not in failures["tiny", "set/1.bin"]
    assert server.asked["set/1.bin"] == asked
    assert cached(tmp_path) == sorted(set(CONTENTS) - {"set/1.bin"})
    with pytest.raises(DataUnavailable, match=r"tiny/set/1\.bin is not on disk.*MFIF_DATA"):
        fetch.local_path("tiny", "set/1.bin")


def test_a_passing_fault_is_retried(server):
    server.faults["set/2.bin"] = "first-fails"
    assert fetch.local_path("tiny", "set/2.bin").read_bytes() == CONTENTS["set/2.bin"]
    assert server.asked["set/2.bin"] == 2


def test_an_endless_answer_is_cut_off(server):
    server.faults["set/1.bin"] = "endless"
    fetch.fetch([("tiny", "set/1.bin")])
    assert server.poured < 64 << 20


def test_a_redirect_is_followed(server):
    server.faults["set/2.bin"] = "redirect-right"
    assert fetch.local_path("tiny", "set/2.bin").read_bytes() == CONTENTS["set/2.bin"]


def test_a_redirect_to_itself_is_given_up(server, tmp_path):
    server.faults["set/2.bin"] = "redirect-loop"
    assert "redirects" in fetch.fetch([("tiny", "set/2.bin")])["tiny", "set/2.bin"]
    assert cached(tmp_path) == []


def test_a_dripping_server_runs_into_the_time_limit(server, tmp_path, monkeypatch):
    """Every piece comes in time; the whole would take a minute."""
    monkeypatch.setattr(fetch, "TIMEOUT", (1, 0.2))
    server.faults["set/5.bin"] = "drips"
    assert "slower than" in fetch.fetch([("tiny", "set/5.bin")])["tiny", "set/5.bin"]
    assert cached(tmp_path) == []


def test_what_a_killed_download_leaves_is_not_believed(server, tmp_path):
    """A download goes to a temporary file beside the target; its rename makes the file."""
    folder = tmp_path / "cache" / "tiny" / "set"
    folder.mkdir(parents=True)
    (folder / "tmpab12").write_bytes(CONTENTS["set/0.bin"][:500])
    (folder / "0.bin").write_bytes(CONTENTS["set/0.bin"][:500])
    assert not fetch.available("tiny", ["set/0.bin"])
    assert fetch.local_path("tiny", "set/0.bin").read_bytes() == CONTENTS["set/0.bin"]


def test_a_silent_server_runs_into_the_time_limit(server, monkeypatch):
    monkeypatch.setattr(fetch, "TIMEOUT", (0.2, 0.2))
    server.faults["set/5.bin"] = "silent"
    failures = fetch.fetch([("tiny", "set/5.bin"), ("tiny", "set/0.bin")])
    assert list(failures) == [("tiny", "set/5.bin")]
    assert "timed out" in failures["tiny", "set/5.bin"]


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


def test_no_server_is_found_out_once(server, tmp_path, monkeypatch):
    add_collection(monkeypatch, "http://127.0.0.1:9/", tmp_path / "tiny.csv")
    failures = fetch.fetch(ALL)
    assert list(failures) == ALL
    assert len(set(failures.values())) == 1
    assert "http://127.0.0.1:9/ cannot be reached" in failures[ALL[0]]
    assert fetch._unreachable.cache_info().misses == 1


def test_a_server_that_dies_is_given_up(server, monkeypatch):
    monkeypatch.setattr(fetch, "TIMEOUT", (0.1, 0.1))
    monkeypatch.setattr(fetch, "JOBS", 2)
    server.faults = dict.fromkeys(CONTENTS, "silent")
    assert list(fetch.fetch(ALL, jobs=1)) == ALL
    assert server.asked.total() == 2


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
    assert "7 bytes where the catalogue has 1002" in err


def test_command_without_files(server):
    with pytest.raises(NothingSelected):
        command("check", "tiny")
    with pytest.raises(NothingSelected):
        command("fetch")
    with pytest.raises(NothingSelected, match="no file is called"):
        command("fetch", "tiny", "--only", "nothing*")
    with pytest.raises(UnknownName):
        command("list", "tine")


@pytest.mark.parametrize("name", sorted(collections()))
class TestCatalogue:
    def test_is_complete(self, name):
        source = collections()[name]
        assert all(str(value).strip() for value in vars(source).values())
        assert re.fullmatch(r"[0-9a-f]{40}", source.commit)
        assert source.commit in source.url
        assert source.url.startswith("https://")
        assert source.url.endswith("/")
        assert len(source.entries) == source.files
        assert sum(entry.bytes for entry in source.entries.values()) == source.bytes

    def test_files_are_proper(self, name):
        for path, entry in collections()[name].entries.items():
            assert re.fullmatch(r"[0-9a-f]{64}", entry.sha256)
            assert entry.bytes > 0
            assert ".." not in path
            assert not path.startswith("/")

    def test_bibtex_parses(self, name):
        """Entries, each with a key and fields in balanced braces; the DOI is cited in words too."""
        source = collections()[name]
        entries = re.findall(r"^@(\w+)\{(\w+),\n(.*?)^\}", source.bibtex, re.M | re.S)
        assert entries
        left = re.sub(r"^@(\w+)\{(\w+),\n(.*?)^\}", "", source.bibtex, flags=re.M | re.S)
        assert not left.strip()
        for kind, _, body in entries:
            parsed = dict(re.findall(r"^ +(\w+) += \{(.*)\},?$", body, re.M))
            assert len(parsed) == len(body.strip().splitlines())
            assert {"author", "title", "year", "doi"} <= set(parsed)
            assert kind != "article" or {"journal", "volume", "pages"} <= set(parsed)
            assert all(value.count("{") == value.count("}") for value in parsed.values())
        assert parsed["doi"] in source.citation or len(entries) > 1

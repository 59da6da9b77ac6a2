"""A download under every fault of a server: retried, then a clear error; the cache stays clean."""

from __future__ import annotations

import re

import pytest

from bench.core.errors import DataUnavailable
from datasets import fetch
from tests.support import faulty_server
from tests.support.faulty_server import ALL, CONTENTS, add_collection, cached

pytestmark = pytest.mark.slow

server = faulty_server.server


@pytest.mark.parametrize(
    ("fault", "reason", "asked"),
    [
        ("wrong", "differs from the catalogue", fetch.ATTEMPTS),
        ("truncated", "failed", fetch.ATTEMPTS),
        ("500", "failed .*500", fetch.ATTEMPTS),
        ("404", "failed .*404", 1),
        ("endless", "differs from the catalogue", fetch.ATTEMPTS),
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

"""Results of several versions of the libraries are told apart, and a run says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.cli.main import main
from bench.core import environment as provenance
from bench.core.plugins import load_plugin
from bench.store.library_versions import VersionCount
from bench.store.manifest import load_manifest
from bench.store.records import FusionRecord
from bench.store.store import Store
from tests import TESTS

PLUGIN = TESTS / "support" / "plugin_faulty.py"


@pytest.fixture(autouse=True)
def plugin(own_registries):
    load_plugin(PLUGIN)


def run(out: Path, methods: list[str], *options: str) -> int:
    chosen = ["--methods", *methods, "--datasets", "tiny", "--metrics", "mi", "ie"]
    return main(["run", *chosen, "--repeats", "0", "--out", str(out), *options])


def upgraded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version of NumPy, as far as this process can tell; it computes in itself then."""
    versions = {**provenance.libraries(), "numpy": "99.0"}
    for module in ("workers.worker", "store.library_versions"):
        monkeypatch.setattr(f"bench.{module}.libraries", lambda: versions)


def test_an_upgrade_is_said_and_counted(tmp_path, monkeypatch, capsys):
    here = provenance.libraries()["numpy"]
    assert run(tmp_path, ["average"], "--isolation", "none") == 0
    assert "other versions" not in capsys.readouterr().err
    upgraded(monkeypatch)
    assert run(tmp_path, ["average", "source-a"], "--isolation", "none") == 0
    said = [line for line in capsys.readouterr().err.splitlines() if "other versions" in line]
    assert said == [
        f"2 cells in the store were made with other versions (numpy {here} -> 99.0); "
        "--rerun all recomputes"
    ]
    sets = load_manifest(tmp_path).environments
    counts = {entry.versions["numpy"]: (entry.cells, entry.scores) for entry in sets}
    assert counts == {here: (2, 4), "99.0": (2, 4)}
    assert run(tmp_path, ["average", "source-a"], "--isolation", "none", "--rerun", "all") == 0
    assert "other versions" not in capsys.readouterr().err


def test_a_new_score_of_an_old_image_counts_by_itself(tmp_path, monkeypatch, capsys):
    run(tmp_path, ["average"], "--isolation", "none")
    upgraded(monkeypatch)
    capsys.readouterr()
    run(tmp_path, ["average"], "--isolation", "none", "--metrics", "mi", "ie", "sf")
    assert capsys.readouterr().err.count("2 cells in the store were made with other") == 1
    sets = load_manifest(tmp_path).environments
    assert sorted((entry.cells, entry.scores) for entry in sets) == [(0, 2), (2, 4)]


def test_workers_report_the_same_as_this_process(tmp_path):
    assert run(tmp_path, ["average"]) == 0
    (only,) = load_manifest(tmp_path).environments
    assert only.versions == provenance.libraries()
    assert (only.cells, only.scores) == (2, 4)
    assert Store(tmp_path / "store").get(only.key)["versions"] == only.versions


def test_a_record_from_before_says_so(tmp_path):
    count = VersionCount()
    count.add(FusionRecord("ok"), [])
    assert "(not recorded)" in count.sentence(Store(tmp_path))


def test_merged_runs_keep_both(tmp_path, monkeypatch):
    run(tmp_path / "a", ["average"], "--isolation", "none")
    upgraded(monkeypatch)
    run(tmp_path / "b", ["source-a"], "--isolation", "none")
    merged = tmp_path / "merged"
    assert main(["merge", str(tmp_path / "a"), str(tmp_path / "b"), "--out", str(merged)]) == 0
    sets = load_manifest(merged).environments
    assert [entry.cells for entry in sets] == [2, 2]
    store = Store(merged / "store")
    assert all(store.get(entry.key)["versions"] == entry.versions for entry in sets)

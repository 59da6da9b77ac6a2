"""The files that a method reads belong to its identity, and travel with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.core.errors import UsageError
from bench.core.fingerprint import file_digest
from bench.core.plugins import load_plugin
from bench.engine.selection import ConfiguredMethod
from bench.workers.dask_worker import _folder_of
from methods import METHODS, method

PLUGIN = """
from pathlib import Path
from methods import method
from part import SIZE

@method("reads", title="t", kind="transform", family="spatial", paper="x", weights=FILES)
def reads(sources):
    return sources[0]
"""


def registered(files: object) -> str | None:
    """The digest of a method with these files."""

    @method("reads", title="t", kind="transform", family="spatial", paper="x", weights=files)
    def reads(sources):
        return sources[0]

    return METHODS["reads"].weights_digest


@pytest.mark.parametrize("given", [list, tuple])
@pytest.mark.parametrize("kind", [str, Path])
def test_every_file_belongs_to_the_identity(tmp_path, own_registries, given, kind):
    files = [tmp_path / "net.pt", tmp_path / "cfg.json"]
    for file in files:
        file.write_text(file.name)
    registered(given(map(kind, files)))
    assert METHODS["reads"].weights == tuple(files)
    before = METHODS["reads"].weights_digest
    for file in files:
        file.write_text("other")
        assert ConfiguredMethod(METHODS["reads"]).identity["weights"] not in (before, None)
        file.write_text(file.name)
    assert METHODS["reads"].weights_digest == before
    files[1].unlink()
    assert METHODS["reads"].weights_digest != before


def test_one_file_and_none(tmp_path, own_registries, monkeypatch):
    (tmp_path / "net.pt").write_text("w")
    assert registered(tmp_path / "net.pt") == file_digest(tmp_path / "net.pt")
    monkeypatch.delitem(METHODS._entries, "reads")
    assert registered(None) is None
    monkeypatch.delitem(METHODS._entries, "reads")
    assert registered(str(tmp_path / "gone")) == "missing"


@pytest.mark.parametrize("wrong", [7, ["a", 7], {"a": "b"}, b"net.pt"])
def test_anything_else_is_refused(own_registries, wrong):
    with pytest.raises(UsageError, match="is not a path; give one, or a list of them"):
        registered(wrong)


def test_a_plugin_is_sent_with_its_files_and_helpers(tmp_path, own_registries):
    (tmp_path / "cfg.json").write_text("{}")
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "w.pt").write_text("w")
    (tmp_path / "part.py").write_text("SIZE = 3\n")
    (tmp_path / "unused.py").write_text("SIZE = 3\n")
    plugin = tmp_path / "mine.py"
    plugin.write_text(PLUGIN.replace("FILES", '("cfg.json", Path("nets", "w.pt"))'))
    load_plugin(plugin)
    name, files = _folder_of(plugin)
    assert name == "mine.py"
    assert set(files) == {"mine.py", "part.py", "cfg.json", "nets/w.pt"}

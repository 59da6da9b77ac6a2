"""A report finds the scenes of a run again: from another folder, and those of a user's file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.cli.main import main
from bench.core.image_io import write_image
from bench.store.manifest import load_manifest
from reports.data.sources import Sources
from tests import ROOT

PLUGIN = '''
import numpy as np
from datasets import Scene, SceneImages, dataset

def read():
    rng = np.random.default_rng(0)
    return SceneImages(tuple(rng.integers(0, 256, (2, 24, 32), dtype=np.uint8)))

@dataset("mine_own", title="Noise", citation="none", licence="CC0")
def mine_own():
    """Two noises."""
    return [Scene("mine_own", "noise", read, "synthetic")]
'''

RUN = ["run", "--methods", "average", "--metrics", "mi", "--repeats", "0", "--threads", "1"]
SHOW = """
import sys
from reports.data.results import load_results
from reports.data.sources import Sources
manifest = load_results(sys.argv[1]).manifest
for entry in manifest.scenes:
    print(entry.name, Sources(manifest, print).images(entry)[1] or "found")
"""


def show(out, folder):
    """What another process in another folder finds."""
    done = subprocess.run(
        [sys.executable, "-c", SHOW, str(out)],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.fixture
def elsewhere(tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


def test_a_folder_is_found_from_another_one(tmp_path, elsewhere, monkeypatch):
    rng = np.random.default_rng(0)
    for name in ("x_A", "x_B"):
        image = rng.integers(0, 256, (24, 32), dtype=np.uint8)
        write_image(tmp_path / "photos" / f"{name}.png", image)
    monkeypatch.chdir(tmp_path)
    assert main([*RUN, "--datasets", "folder:photos", "--out", "out"]) == 0
    assert show(tmp_path / "out", elsewhere) == ["folder/x found"]
    (tmp_path / "photos" / "x_A.png").unlink()
    (found,) = show(tmp_path / "out", elsewhere)
    assert found.startswith("folder/x not found again: ")
    assert str(tmp_path / "photos") in found


@pytest.mark.usefixtures("own_registries")
def test_a_dataset_of_the_user_is_loaded_again(tmp_path, elsewhere):
    plugin = tmp_path / "own.py"
    plugin.write_text(PLUGIN)
    out = tmp_path / "out"
    given = ["--plugin", str(plugin), "--datasets", "mine_own", "--out", str(out)]
    assert main([*RUN, *given, "--isolation", "none"]) == 0
    assert show(out, elsewhere) == ["mine_own/noise found"]
    manifest = load_manifest(out)
    images, missing = Sources(manifest).images(manifest.scenes[0])
    assert missing == ""  # and is not loaded twice by the process that ran it
    assert images is not None
    Path(plugin).unlink()
    gone = show(out, elsewhere)
    assert gone == [
        f"plug-in {plugin}: no such file",
        "mine_own/noise the dataset 'mine_own' is not known",
    ]

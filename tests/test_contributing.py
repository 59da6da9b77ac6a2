"""What CONTRIBUTING shows works as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from bench.checks.methods import pair
from bench.cli.main import main
from bench.core.image_io import write_image

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLES = {
    match[1]: block
    for block in re.findall(r"```python\n(.*?)```", TEXT, re.S)
    if (match := re.search(r"^def (\w+)\((?!name)", block, re.M))
}


def rooms():
    """Folders of all packages but those that only hold other ones."""
    for package in ("bench", "methods", "metrics", "datasets", "reports"):
        for file in (ROOT / package).rglob("__init__.py"):
            folder = file.parent
            if folder.name not in ("reports", "learned"):
                yield folder.relative_to(ROOT).as_posix()


def test_every_room_has_a_row():
    rows = [row.strip("`/") for row in re.findall(r"^\| (`[\w/]+`) \|", TEXT, re.M)]
    assert sorted(rows) == sorted([*rooms(), "tests"])


def write(name, folder):
    file = folder / f"{name}.py"
    file.write_text(EXAMPLES[name])
    if name == "mine":
        save_file({"gain": torch.tensor(2.0)}, folder / "mine.safetensors")
    return str(file)


def test_examples_are_found():
    assert set(EXAMPLES) == {"brightest", "mine", "nearness", "my_set", "negative"}


@pytest.mark.parametrize("name", ["brightest", "mine", "nearness"])
def test_examples_keep_their_contract(name, tmp_path, capsys, own_registries):
    assert main(["check", write(name, tmp_path)]) == 0, capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("backend", [["local"], ["dask", "--workers", "1"]])
def test_examples_work_together(backend, tmp_path, capsys, own_registries):
    if backend[0] == "dask":
        pytest.importorskip("distributed")
    plugins = [write(name, tmp_path) for name in ("mine", "nearness", "my_set", "negative")]
    for name, image in zip(
        ("x_1", "x_2", "x_reference"), [*pair(64, 64), pair(64, 64)[0]], strict=True
    ):
        write_image(tmp_path / f"{name}.png", image)
    sets = ["my-set", "my-set+negative=1"]
    chosen = ["--methods", "mine", "--datasets", *sets, "--metrics", "nearness", "psnr"]
    run = ["run", "--plugin", *plugins, *chosen, "--repeats", "0", "--backend", *backend]
    assert main([*run, "--precision", "fp32", "--out", str(tmp_path / "out")]) == 0
    scores = (tmp_path / "out" / "scores.csv").read_text().splitlines()
    assert [line.split(",")[:4] + line.split(",")[5:6] for line in scores[1:]] == [
        [name, "x", "mine", metric, "ok"] for name in sets for metric in ("nearness", "psnr")
    ]


DECLINES = """
from bench.errors import Skipped
from bench.images import to_unit
from methods import method

@method("declines", title="D", kind="transform", family="spatial", paper="none")
def declines(sources):
    '''Decline.'''
    raise Skipped(f"{to_unit(sources[0]).ndim} dimensions")
"""


def test_public_names_serve_a_plug_in(tmp_path, own_registries):
    (tmp_path / "declines.py").write_text(DECLINES)
    for k, image in enumerate(pair(64, 64), 1):
        write_image(tmp_path / f"x_{k}.png", image)
    run = ["run", "--plugin", str(tmp_path / "declines.py"), "--methods", "declines"]
    run += ["--datasets", f"folder:{tmp_path}", "--metrics", "mi", "--repeats", "0"]
    main([*run, "--isolation", "none", "--out", str(tmp_path / "out")])
    scores = (tmp_path / "out" / "scores.csv").read_text()
    assert scores.splitlines()[1].endswith("skipped,"), scores
    assert "2 dimensions" in (tmp_path / "out" / "run.json").read_text()

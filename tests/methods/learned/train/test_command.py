"""``bench train`` as a command, and two processes that train one network."""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bench.cli import train as train_cli
from bench.cli.main import main
from bench.core.errors import DataUnavailable, UnknownName, UsageError
from methods.learned.nets.weights import load_network
from methods.learned.train.adaptive_clipping import AdaptiveClipping
from methods.learned.train.recipes import RECIPES
from tests import ROOT

pytestmark = pytest.mark.slow

SHAPE = (96, 64)


def command(photos: Path, out: Path, *more: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    train_cli.add_arguments(parser)
    fixed = ["--data", str(photos), "--out", str(out), "--scenes", "4", "--batch", "4"]
    return parser.parse_args([*more, *fixed])


@pytest.fixture
def tiny(monkeypatch):
    """Recipes over small scenes, so that the command takes seconds."""
    for name in ("srcnn.x1", "srcnn.x2"):
        recipe = RECIPES[name]
        spec = {k: (replace(s, shape=SHAPE), share) for k, (s, share) in recipe.pools.items()}
        change = replace(recipe, pools=spec, validation={"region": 2})
        monkeypatch.setitem(RECIPES, name, change)


@pytest.mark.slow
def test_command_trains_all_parts_and_packs_them(photos, tmp_path, tiny, capsys):
    args = command(photos, tmp_path, "srcnn", "--steps", "4", "--validations", "2")
    assert train_cli.run(args) == 0
    packed = tmp_path / "srcnn.safetensors"
    assert capsys.readouterr().out.strip() == str(packed)
    assert load_network(packed, "srcnn", "x2")
    record = json.loads((tmp_path / "srcnn.json").read_text())
    assert record["networks"]["x1"]["steps"] == 4
    assert len(record["networks"]["x1"]["data"]["train"]["sha256"]) == 64
    assert record["networks"]["x1"]["pools"]["region"]["scenes"] == 4  # not the recipe's 8000
    for ending in ("csv", "json", "safetensors"):
        assert (tmp_path / f"srcnn.x1.{ending}").exists()
    assert len((tmp_path / "srcnn.x1.csv").read_text().splitlines()) == 3


def test_a_dead_network_is_no_success(photos, tmp_path, tiny, monkeypatch, capsys):
    monkeypatch.setattr(AdaptiveClipping, "__call__", lambda self, parameters: torch.zeros(()))
    args = command(photos, tmp_path, "srcnn.x1", "--steps", "4", "--validations", "2")
    assert train_cli.run(args) == 1
    assert "dead: no gradient is left" in capsys.readouterr().err
    assert json.loads((tmp_path / "srcnn.x1.json").read_text())["stopped"].startswith("dead")


def test_command_refuses(photos, tmp_path, monkeypatch):
    monkeypatch.delenv("MFIF_DATA", raising=False)
    with pytest.raises(UnknownName, match="did you mean"):
        train_cli.run(command(photos, tmp_path, "fnc"))
    for wrong in (["--steps", "0"], ["--rate", "inf"], ["--minutes", "nan"]):
        with pytest.raises(UsageError, match=f"{wrong[0]} must be positive"):
            train_cli.run(command(photos, tmp_path, "fcn", *wrong))
    with pytest.raises(UsageError, match="--seed must be 0 or more, got -1"):
        train_cli.run(command(photos, tmp_path, "fcn", "--seed", "-1"))
    with pytest.raises(DataUnavailable, match="no such folder"):
        train_cli.run(command(tmp_path / "none", tmp_path, "fcn"))
    args = command(photos, tmp_path, "fcn")
    args.data = None
    with pytest.raises(DataUnavailable, match="set MFIF_DATA"):
        train_cli.run(args)


@pytest.mark.parametrize("command", ["train", "ablate", "run"])
@pytest.mark.parametrize("device", ["tpu", "cuda:4095"])
def test_a_device_that_is_not_there_ends_every_command_alike(
    command, device, photos, tmp_path, capsys
):
    data = ["--data", str(photos)]
    rest = {
        "train": ["srcnn.x1", *data],
        "ablate": data,
        "run": ["--methods", "average", "--datasets", "synthetic/camera"],
    }
    out = tmp_path / "out"
    assert main([command, *rest[command], "--device", device, "--out", str(out)]) == 4
    assert f"device '{device}' is " in capsys.readouterr().err
    assert not out.exists()


#: One rank of a training of small networks, which counts the pools that it fills.
WORKER = """
import sys, torch
from dataclasses import replace
from pathlib import Path
from methods.learned.data import pools
from methods.learned.train import session
from methods.learned.train.options import Options
from methods.learned.train.recipes import RECIPES
photos, out = map(Path, sys.argv[1:])
torch.set_num_threads(1)
fill = pools._fill_all
def counted(spec, names, place, workers):
    with (out / "filled").open("a") as file:
        print(place.name, file=file)
    fill(spec, names, place, 1)
pools._fill_all = counted
recipe = RECIPES["fcn.gray"]
pool = {k: (replace(s, scenes=4, shape=(64, 96)), share) for k, (s, share) in recipe.pools.items()}
small = {"arguments": {"filters": 4, "size": 3}, "batch": 8, "crop": 24}
RECIPES["fcn.gray"] = replace(recipe, pools=pool, validation={"region": 2}, **small)
train = session._train
def kept(*given):
    result = train(*given)
    rank = torch.distributed.get_rank()
    torch.save([p.detach() for p in result.network.parameters()], out / f"rank{rank}.pt")
    return result
session._train = kept
options = Options(out=out, steps=10, validations=2, precision="fp32")
done = session.train_method("fcn.gray", options, data=photos)
assert done.alive and bool(done.records) == (int(__import__("os").environ["RANK"]) == 0)
"""


@pytest.mark.slow
def test_two_processes_train_one_network(photos, tmp_path):
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    env |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    processes = [
        subprocess.Popen(
            [sys.executable, str(script), str(photos), str(tmp_path)],
            env={**env, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    one, two = (torch.load(tmp_path / f"rank{k}.pt", weights_only=True) for k in range(2))
    assert all(torch.equal(x, y) for x, y in zip(one, two, strict=True))
    assert (tmp_path / "fcn.gray.checkpoint.safetensors").exists()
    assert json.loads((tmp_path / "fcn.gray.json").read_text())["steps"] == 10
    filled = (tmp_path / "filled").read_text().split()
    assert len(filled) == len(set(filled)) == 2, "each pool is made by one rank"

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
from bench.core.errors import DataUnavailable, UnknownName, UsageError
from methods.learned.nets.weights import load_network
from methods.learned.train.adaptive_clipping import Steady
from methods.learned.train.recipes import RECIPES
from tests import ROOT

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
    monkeypatch.setattr(Steady, "__call__", lambda self, parameters: torch.zeros(()))
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
    with pytest.raises(DataUnavailable, match="--data DIR or set MFIF_DATA"):
        train_cli.run(args)


WORKER = """
import argparse, sys, torch
from dataclasses import replace
from pathlib import Path
import torch.distributed as dist
from methods.learned.data.pools import list_photos, make_pool
from methods.learned.train.recipes import RECIPES
from methods.learned.data.specs import PoolSpec
from methods.learned.train.trainer import Options, Trainer
photos, out = map(Path, sys.argv[1:])
torch.set_num_threads(1)
dist.init_process_group("gloo")
rank = dist.get_rank()
recipe = replace(RECIPES["fcn.gray"], arguments={"filters": 4, "size": 3}, batch=8, crop=24)
files = list_photos(photos, "train")
pool = {"region": make_pool(PoolSpec("region", 4, shape=(64, 96)), files, out / "p", workers=1)}
options = Options(out=out, steps=10, validations=2, precision="fp32")
result = Trainer(recipe, pool, pool, options).run()
torch.save([p.detach() for p in result.network.parameters()], out / f"rank{rank}.pt")
dist.destroy_process_group()
"""


@pytest.mark.slow
def test_two_processes_train_one_network(photos, tmp_path):
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    root = ROOT
    env = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    env |= {"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
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

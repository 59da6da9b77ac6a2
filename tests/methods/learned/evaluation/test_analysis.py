"""The network analysis commands: ablation and feature maps; the table of speeds."""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from bench.cli import ablate as ablate_cli
from bench.cli.main import main
from bench.core.errors import UsageError
from methods.learned.evaluation import throughput as speed
from methods.learned.inference.forward import pairwise
from methods.learned.nets.networks import FCN
from methods.learned.train import ablation
from methods.learned.train.trainer import Trainer
from reports.figures.drawing import stem
from reports.figures.network_figures import LARGEST, feature_maps, gray_image

pytestmark = pytest.mark.slow


def test_ablation_varies_what_the_paper_varies():
    shared = [{**ablation.OWN, **c} for v in ablation.PANELS.values() for c in v.values()]
    assert len(shared) == 11
    own = {"filters": 64, "size": 5, "depth": (2, 1, 2), "crop": 50}
    assert sum(settings == own for settings in shared) == 4
    assert all(sum(s[k] != own[k] for k in own) <= 1 for s in shared)


@pytest.fixture
def ablate(tmp_path, monkeypatch):
    """Runs a small analysis of two networks in ``out``, with more options."""
    from skimage import data

    photos = tmp_path / "photos"
    photos.mkdir()
    for k in range(10):
        cv2.imwrite(str(photos / f"{k}.png"), data.astronaut()[k * 20 : k * 20 + 128, :160])
    small = {
        "filters": {"4": {"filters": 4, "crop": 16}},
        "depth": {"3-1-3": {"filters": 2, "depth": (3, 1, 3), "crop": 16}},
    }
    monkeypatch.setattr(ablation, "PANELS", small)
    monkeypatch.setattr(ablation, "QUICK_SCENES", 4)
    parser = argparse.ArgumentParser()
    ablate_cli.add_arguments(parser)
    given = ["--data", str(photos), "--quick", "--steps", "2", "--batch", "2"]
    monkeypatch.setattr(ablate_cli, "draw", lambda rows, path: path.touch())

    def ablate(out, *options):
        return ablate_cli.run(parser.parse_args([*given, "--out", str(out), *options]))

    return ablate


def curves(out):
    with (out / "ablation.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_ablation_writes_curves_and_figure(tmp_path, ablate):
    assert ablate(tmp_path) == 0
    rows = curves(tmp_path)
    assert {row["variant"] for row in rows} == {"4", "3-1-3"}
    assert all(0 < float(row["psnr"]) < 80 for row in rows)
    assert json.loads((tmp_path / "ablation.json").read_text())["steps"] == 2
    with pytest.raises(UsageError, match="positive"):
        ablate(tmp_path, "--batch", "0")


@pytest.mark.slow
def test_a_killed_ablation_goes_on(tmp_path, ablate, monkeypatch):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    ablate(whole)
    trained = []
    step = Trainer._train_step

    def counting(trainer, *given):
        trained.append(trainer)
        if len(trained) == 4:  # in the middle of the second network
            raise KeyboardInterrupt
        return step(trainer, *given)

    monkeypatch.setattr(Trainer, "_train_step", counting)
    with pytest.raises(KeyboardInterrupt):
        ablate(killed)
    assert not (killed / "ablation.csv").exists()
    assert ablate(killed, "--resume") == 0
    assert len(trained) == 5
    assert curves(killed) == curves(whole)
    assert not (killed / ablation.CHECKPOINTS).exists()


def test_ablation_figure(tmp_path):
    pytest.importorskip("matplotlib")
    rows = [
        {"panel": panel, "variant": label, "step": step, "psnr": 20 + step}
        for panel, variants in ablation.PANELS.items()
        for label in variants
        for step in (1, 2)
    ]
    ablate_cli.draw(rows, tmp_path / "figure.png")
    assert cv2.imread(str(tmp_path / "figure.png")).shape[2] == 3
    assert (tmp_path / "figure.pdf").read_bytes().startswith(b"%PDF")


def test_feature_maps_are_those_of_the_network():
    pair = np.random.default_rng(0).random((2, 24, 20), dtype=np.float32)
    maps = feature_maps(pair)
    assert [m.shape for m in maps.values()] == [(64, 24, 20)] * 3
    assert all(m.min() == 0 < m.max() for m in maps.values())


def test_a_picture_is_written_where_it_was_asked_for():
    assert stem(Path("a/fig.PNG")) == Path("a/fig")
    assert stem(Path("fig.v2")) == Path("fig.v2")
    with pytest.raises(UsageError, match="file name"):
        stem(Path())


def test_of_a_large_photo_the_middle_is_shown():
    image = np.zeros((900, 1400), np.uint8)
    image[450, 700] = 255
    gray = gray_image(image)
    assert gray.shape == (LARGEST, LARGEST)
    assert gray[320, 320] == 1
    assert gray_image(image[:5, :7]).shape == (5, 7)


@pytest.mark.slow
def test_features_are_drawn_as_png_and_pdf(tmp_path, capsys, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setenv("MFIF_OFFLINE", "1")
    given = ["features", "--scene", "paper/camera", "--maps", "2", "--out", str(tmp_path / "m.png")]
    assert main(given) == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / f"m.{k}") for k in ("png", "pdf")]
    assert cv2.imread(str(tmp_path / "m.png")) is not None
    assert main([*given, "--maps", "0"]) == 2


def test_operations_are_counted():
    network = FCN(filters=64)
    work = speed.count_operations(network, pairwise, torch.zeros(1, 2, 1, 16, 16))
    weights = sum(p.numel() for p in network.parameters() if p.dim() == 4)
    assert work == 2 * weights * 16 * 16
    assert speed.peak(torch.device("cpu"), torch.float32, side=128) > 1e7

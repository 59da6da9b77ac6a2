"""Weights files: what is shipped is whole and registered; what is not says so."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from bench.cli import train as train_cli
from methods import METHODS
from methods.learned import WEIGHTS
from methods.learned.cards import cards
from methods.learned.inference.forward import network_on
from methods.learned.nets.networks import FCN, SRCNN
from methods.learned.nets.weights import (
    FORMAT,
    Described,
    WeightsError,
    load_network,
    register,
    save_weights,
    sha256,
)
from methods.learned.train.recipes import RECIPES, recipes_of

FILES = sorted(WEIGHTS.glob("*.safetensors"))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    arguments = {"filters": 4, "size": 3}
    path = tmp_path / "fcn.safetensors"
    save_weights(path, "fcn", {"gray": Described("FCN", arguments, FCN(**arguments))})
    return path


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_shipped_files_are_registered_small_and_documented(path):
    assert json.loads((WEIGHTS / "registry.json").read_text())[path.name] == sha256(path)
    assert path.stat().st_size < 2e6
    record = json.loads(path.with_suffix(".json").read_text())
    assert record["sha256"] == sha256(path)
    card = path.with_suffix(".md").read_text()
    for recipe in recipes_of(path.stem):
        part = record["networks"][recipe.part]
        network = load_network(path, path.stem, recipe.part)
        assert sum(p.numel() for p in network.parameters()) == part["parameters"]
        assert part["data"]["train"]["photos"] > 0
        assert part["steps"] > 0
        assert part["history"]
    assert card == cards.card(path.stem, record, json.loads(cards.HELD_OUT.read_text()))


def test_a_card_has_a_row_and_a_command_for_every_phase():
    record = json.loads((WEIGHTS / "fcn-s.json").read_text())
    scores = json.loads(cards.HELD_OUT.read_text())
    first = record["networks"]["gray"]
    earlier = {k: v for k, v in first.items() if k != "history"}
    second = first | {"phase": "wide", "steps": 2000, "earlier": [earlier | {"sha256": "ab12"}]}
    card = cards.card("fcn-s", record | {"networks": {"gray": second}}, scores).splitlines()
    rows = [line for line in card if line.startswith("| gray (SmallFocusNet")]
    assert [row.split(" | ")[0] for row in rows] == [
        "| gray (SmallFocusNet)",
        "| gray (SmallFocusNet, wide)",
    ]
    one, two = (line for line in card if line.startswith("python -m bench train"))
    assert "--phase" not in one
    assert "--from-weights" not in one
    assert "--steps 2000" in two
    assert two.endswith("--phase wide --from-weights results/train/fcn-s.safetensors")
    train_cli.add_arguments(parser := argparse.ArgumentParser())
    parser.parse_args(two.split()[4:])
    unknown = second | {"earlier": [{"file": "mine.safetensors", "sha256": "ab12"}]}
    card = cards.card("fcn-s", record | {"networks": {"gray": unknown}}, scores)
    assert card.count("python -m bench train") == 1


def test_a_card_has_a_column_for_every_kind_of_held_out_scene():
    record = json.loads((WEIGHTS / "fcn-s.json").read_text())
    scores = json.loads(cards.HELD_OUT.read_text())
    assert "heldout-stack" not in cards.card("fcn-s", record, scores)
    scores["psnr"]["stack"] = {"colour": scores["psnr"]["lens"]["colour"]}
    scores["pairs"]["stack"] = 10
    card = cards.card("fcn-s", record, scores)
    assert ", 10 stacks `heldout-stack` (4 to 12 sources). The oracle" in card
    assert "| depth, colour | stack, colour |" in card


def test_every_weights_file_has_a_method_and_a_recipe():
    used = {file for m in METHODS for file in m.weights if isinstance(file, Path)}
    assert used == set(FILES)
    assert {r.method for r in RECIPES.values()} == {path.stem for path in FILES}


def test_both_forms_of_a_file_compute_the_same(small):
    a, b = torch.rand(2, 1, 1, 12, 9)
    fast, paper = (load_network(small, "fcn", "gray", paper_form=form) for form in (False, True))
    assert isinstance(paper.decoder[0], torch.nn.ConvTranspose2d)
    torch.testing.assert_close(fast(a, b), paper(a, b))


def test_saving_keeps_the_network_to_half_precision(small):
    torch.manual_seed(0)
    network = FCN(filters=4, size=3)
    loaded = load_network(small, "fcn", "gray").state_dict()
    for key, value in network.state_dict().items():
        torch.testing.assert_close(loaded[key], value, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("share", [0, 3, 100, 0.5, 0.999])
def test_truncated(small, share):
    data = small.read_bytes()
    small.write_bytes(data[: int(share if share > 1 else share * len(data))])
    with pytest.raises(WeightsError, match=r"fcn\.safetensors: damaged"):
        load_network(small, "fcn", "gray")


def test_missing(tmp_path):
    with pytest.raises(WeightsError, match="no such weights file"):
        load_network(tmp_path / "fcn.safetensors", "fcn", "gray")


def test_renamed(small):
    other = small.with_name("cnn.safetensors")
    small.rename(other)
    with pytest.raises(WeightsError, match="weights of 'fcn', not of 'cnn'"):
        load_network(other, "cnn", "gray")


def test_no_such_part(small):
    with pytest.raises(WeightsError, match="no network 'four', only gray"):
        load_network(small, "fcn", "four")


def test_wrong_architecture(tmp_path):
    path = tmp_path / "srcnn.safetensors"
    save_weights(path, "srcnn", {"x1": Described("CNN", {}, SRCNN())})
    with pytest.raises(WeightsError, match="does not fit CNN"):
        load_network(path, "srcnn", "x1")
    save_weights(path, "srcnn", {"x1": Described("Transformer", {}, SRCNN())})
    with pytest.raises(WeightsError, match="Transformer"):
        load_network(path, "srcnn", "x1")


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
def test_other_safetensors(tmp_path, metadata):
    path = tmp_path / "fcn.safetensors"
    save_file({"x": torch.zeros(3)}, path, metadata)
    with pytest.raises(WeightsError, match=r"fcn\.safetensors"):
        load_network(path, "fcn", "gray")


def test_shipped_folder_refuses_what_is_not_registered(small, monkeypatch):
    monkeypatch.setattr("methods.learned.nets.weights.FOLDER", small.parent)
    monkeypatch.setattr("methods.learned.nets.weights.REGISTRY", small.parent / "registry.json")
    with pytest.raises(WeightsError, match="not one of the shipped weights"):
        load_network(small, "fcn", "gray")
    register(small)
    assert load_network(small, "fcn", "gray")
    changed = bytearray(small.read_bytes())
    changed[-1] ^= 1
    small.write_bytes(changed)
    with pytest.raises(WeightsError, match="SHA-256"):
        load_network(small, "fcn", "gray")


def test_equal_weights_are_equal_files(small):
    first = small.read_bytes()
    torch.manual_seed(0)
    network = FCN(filters=4, size=3)
    for _ in range(8):
        save_weights(small, "fcn", {"gray": Described("FCN", {"filters": 4, "size": 3}, network)})
        assert small.read_bytes() == first


@pytest.mark.parametrize(
    "networks",
    ['{"gray": {"arguments": {}}}', "[]", "1", "null", '{"gray": 3}',
     '{"gray": {"architecture": "FCN", "arguments": [1]}}'],
)  # fmt: skip
def test_damaged_description(tmp_path, networks):
    path = tmp_path / "fcn.safetensors"
    metadata = {"format": FORMAT, "method": "fcn", "networks": networks}
    save_file({"gray/x": torch.zeros(3)}, path, metadata)
    with pytest.raises(WeightsError, match=r"fcn\.safetensors: damaged"):
        load_network(path, "fcn", "gray")


def test_weights_that_are_not_finite(tmp_path):
    network = SRCNN()
    with torch.no_grad():
        network.map.bias[3] = torch.nan
    path = tmp_path / "srcnn.safetensors"
    save_weights(path, "srcnn", {"x1": Described("SRCNN", {}, network)})
    with pytest.raises(WeightsError, match="other than finite float16"):
        load_network(path, "srcnn", "x1")


def test_another_network_than_the_method_needs(tmp_path):
    """Whole, of the right method and loadable: only what it is, is wrong."""
    path = tmp_path / "fcn-w.safetensors"
    save_weights(path, "fcn-w", {"gray": Described("SRCNN", {}, SRCNN())})
    with pytest.raises(WeightsError, match="fcn-w needs FCN"):
        network_on(path, "fcn-w", "gray", "cpu", torch.float32)
    save_weights(path, "fcn-w", {"gray": Described("FCN", {}, FCN())})
    with pytest.raises(WeightsError, match="'head': 'weights'"):
        network_on(path, "fcn-w", "gray", "cpu", torch.float32)


@pytest.mark.parametrize("text", ["{", "null", "[1]"])
def test_damaged_registry(small, monkeypatch, text):
    (small.parent / "registry.json").write_text(text)
    monkeypatch.setattr("methods.learned.nets.weights.FOLDER", small.parent)
    monkeypatch.setattr("methods.learned.nets.weights.REGISTRY", small.parent / "registry.json")
    with pytest.raises(WeightsError, match=r"registry\.json: damaged"):
        load_network(small, "fcn", "gray")


def test_truncated_shipped_weights_are_one_clear_error(tmp_path, monkeypatch):
    path = tmp_path / "fcn.safetensors"
    shutil.copy(WEIGHTS / "fcn.safetensors", path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(WeightsError, match=r"fcn\.safetensors: damaged") as caught:
        load_network(path, "fcn", "gray")
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 4

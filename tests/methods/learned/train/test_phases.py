"""A second training that starts from weights: what it keeps of them, and what its record says."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from bench.cli.main import main
from bench.core.errors import UnknownName, UsageError
from datasets.photo_parts import list_photos
from methods.learned.data.pools import make_pool
from methods.learned.data.specs import KINDS, STACKS, PoolSpec
from methods.learned.nets.weights import (
    Described,
    WeightsError,
    load_network,
    read_weights,
    save_weights,
    sha256,
)
from methods.learned.train.options import GENTLE, SLOW_START, Options
from methods.learned.train.recipes import PHASES, RECIPES, recipes_of
from methods.learned.train.session import shipped_weights, train_method
from methods.learned.train.trainer import Trainer

pytestmark = pytest.mark.slow

SHAPE = (96, 64)
NARROW = {"widths": (8, 8, 8, 8), "dilations": (1,)}


@pytest.fixture
def tiny(monkeypatch):
    """Both phases of the focus networks, with narrow networks and small scenes, in one process."""
    monkeypatch.setattr("methods.learned.data.pools.available_cores", lambda: 1)
    for recipes in PHASES.values():
        for name in ("fcn-x.gray", "fcn-s.gray"):
            recipe = recipes[name]
            pools = {k: (replace(s, shape=SHAPE), share) for k, (s, share) in recipe.pools.items()}
            change = {"pools": pools, "arguments": NARROW, "batch": 6, "crop": 32}
            kinds = {"region": 1, "stack-3": 1} if recipe.phase == "wide" else {"region": 1}
            monkeypatch.setitem(recipes, name, replace(recipe, validation=kinds, **change))


@pytest.fixture(scope="module")
def pool(photos, tmp_path_factory):
    spec = PoolSpec("stack-3", 4, shape=SHAPE)
    where = tmp_path_factory.mktemp("pools")
    return make_pool(spec, list_photos(photos, "train"), where, workers=1)


def narrow(name: str = "fcn-x.gray"):
    recipe = PHASES["wide"][name]
    pools = {"stack-3": (PoolSpec("stack-3", 4, shape=SHAPE), 1.0)}
    change = {"arguments": NARROW, "batch": 4, "crop": 32, "validation": {"stack-3": 4}}
    return replace(recipe, pools=pools, **change)


def trained(recipe, pool, out, **more) -> Trainer:
    options = {"steps": 4, "validations": 2, "precision": "fp32", **more}
    return Trainer(recipe, {"stack-3": pool}, {"stack-3": pool}, Options(out, **options))


@pytest.fixture
def weights(pool, tmp_path):
    """Weights of a narrow network after a few steps."""
    recipe = narrow()
    network = trained(recipe, pool, tmp_path / "before", steps=12).run().network
    path = tmp_path / "fcn-x.safetensors"
    save_weights(path, "fcn-x", {"gray": Described("FocusNet", NARROW, network)})
    return path


def test_shares_of_a_phase_add_up():
    for recipes in PHASES.values():
        for recipe in recipes.values():
            assert sum(share for _, share in recipe.pools.values()) == pytest.approx(1)
            assert all(spec.kind in KINDS for spec, _ in recipe.pools.values())
            assert set(recipe.validation) <= set(KINDS)
            assert all(min(spec.shape) >= recipe.crop for spec, _ in recipe.pools.values())
    assert set(STACKS) <= set(PHASES["wide"]["fcn-x.gray"].pools)
    assert sorted(STACKS.values()) == list(range(2, 9))


def test_a_phase_changes_the_data_and_not_the_network():
    for name, wide in PHASES["wide"].items():
        first = RECIPES[name]
        assert (wide.name, wide.architecture, wide.arguments, wide.loss) == (
            *(first.name, first.architecture, first.arguments),
            first.loss,
        )
        assert wide.pools != first.pools
    assert [r.phase for r in recipes_of("fcn-x", "wide")] == ["wide"]
    with pytest.raises(UnknownName, match="network with a phase 'wide'"):
        recipes_of("cnn", "wide")
    with pytest.raises(UnknownName, match="phase 'wid'"):
        recipes_of("fcn-x", "wid")


def test_training_goes_on_from_the_weights(pool, weights, tmp_path):
    run = trained(narrow(), pool, tmp_path / "on", start=weights)
    start = load_network(weights, "fcn-x", "gray").state_dict()
    assert all(torch.equal(value, start[name]) for name, value in run.mean.items())
    assert run.rate == pytest.approx(GENTLE * narrow().rate)
    assert run.warmup == SLOW_START
    result = run.run()
    first = result.history[0]
    assert (first["step"], len(result.history)) == (0, 3)
    assert first["loss"] == pytest.approx(result.history[1]["loss"], abs=0.3)
    assert result.psnr >= first["psnr"]  # at the worst the weights to start with are kept
    other = trained(narrow(), pool, tmp_path / "anew").run()
    assert other.history[0]["step"] > 0
    assert first["psnr"] > other.history[0]["psnr"]


def test_the_worst_training_keeps_the_weights_to_start_with(pool, weights, tmp_path):
    result = trained(narrow(), pool, tmp_path / "on", start=weights, rate=0.3, steps=6).run()
    assert result.psnr == result.history[0]["psnr"]
    start = load_network(weights, "fcn-x", "gray").state_dict()
    assert all(torch.equal(v, start[n]) for n, v in result.network.state_dict().items())


class Killed(Exception):
    pass


def test_a_killed_second_phase_is_resumed(pool, weights, tmp_path, monkeypatch):
    settings = {"start": weights, "steps": 8, "validations": 4}
    whole = trained(narrow(), pool, tmp_path / "whole", **settings).run()
    first = trained(narrow(), pool, tmp_path / "killed", **settings)
    step = first._train_step

    def dies(model, share):
        if first.step == 5:
            raise Killed
        return step(model, share)

    monkeypatch.setattr(first, "_train_step", dies)
    with pytest.raises(Killed):
        first.run()
    second = trained(narrow(), pool, tmp_path / "killed", **settings, resume=True)
    assert second.step == 4
    resumed = second.run()
    assert [r["psnr"] for r in whole.history] == [r["psnr"] for r in resumed.history]
    pairs = zip(whole.network.parameters(), resumed.network.parameters(), strict=True)
    assert all(torch.equal(x, y) for x, y in pairs)
    with pytest.raises(UsageError, match="its start is"):
        trained(narrow(), pool, tmp_path / "killed", steps=8, validations=4, rate=3e-4, resume=True)


def test_weights_of_other_networks_are_refused(pool, weights, tmp_path):
    with pytest.raises(WeightsError, match="not of 'fcn-s'"):
        trained(narrow("fcn-s.gray"), pool, tmp_path, start=weights)
    with pytest.raises(WeightsError, match="fcn-x needs FocusNet"):
        trained(replace(narrow(), arguments={}), pool, tmp_path, start=weights)
    with pytest.raises(WeightsError, match="no such weights file"):
        trained(narrow(), pool, tmp_path, start=tmp_path / "none.safetensors")


def test_the_record_has_every_phase(photos, tmp_path, tiny):
    def train(phase, out, start=None):
        options = Options(tmp_path / out, steps=2, validations=1, precision="fp32", start=start)
        return train_method("fcn-s", options, phase=phase, data=photos, scenes=2)

    first = train("first", "first")
    record = json.loads((tmp_path / "first" / "fcn-s.json").read_text())["networks"]["gray"]
    assert (record["phase"], record["earlier"]) == ("first", [])
    second = train("wide", "second", first.weights)
    record = json.loads((tmp_path / "second" / "fcn-s.json").read_text())["networks"]["gray"]
    (earlier,) = record["earlier"]
    assert record["phase"] == "wide"
    assert set(record["pools"]) >= set(STACKS)
    assert record["optimiser"]["rate"] == pytest.approx(GENTLE * RECIPES["fcn-s.gray"].rate)
    assert (earlier["phase"], earlier["file"]) == ("first", "fcn-s.safetensors")
    assert earlier["sha256"] == sha256(first.weights)
    assert "history" not in earlier
    assert set(earlier["pools"]) == set(RECIPES["fcn-s.gray"].pools)
    third = train("wide", "third", second.weights)
    assert [p["phase"] for p in third.records["fcn-s.gray"]["earlier"]] == ["first", "wide"]
    (second.weights.parent / "fcn-s.json").write_text("{")  # nothing is known of them
    unknown = train("wide", "fourth", second.weights)
    found = {"file": "fcn-s.safetensors", "sha256": sha256(second.weights)}
    assert unknown.records["fcn-s.gray"]["earlier"] == [found]


def test_the_command_starts_from_the_shipped_weights(photos, tmp_path, monkeypatch):
    seen = []

    def stopped(name, options, **more):
        seen.append((name, options.start, more["phase"]))
        raise UsageError("enough")

    monkeypatch.setattr("methods.learned.train.session.train_method", stopped)
    mine = ["fcn-x", "--from-weights", str(tmp_path / "mine.safetensors")]
    for given in (["fcn-x.gray", "--phase", "wide", "--from-weights"], ["fcn-x"], mine):
        assert main(["train", *given, "--data", str(photos), "--out", str(tmp_path)]) == 2
    assert seen == [
        ("fcn-x.gray", shipped_weights("fcn-x"), "wide"),
        ("fcn-x", None, "first"),
        ("fcn-x", tmp_path / "mine.safetensors", "first"),
    ]
    assert read_weights(shipped_weights("fcn-x.gray"), "fcn-x")

"""Pools and the trainer, on problems that take seconds."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from bench.core.errors import DataUnavailable, EnvironmentFault, UsageError
from datasets.photo_parts import list_photos
from methods.learned.data import pools as pool_makers
from methods.learned.data.batches import DevicePool, step_generator, with_gray
from methods.learned.data.pools import make_pool
from methods.learned.data.specs import KINDS, PoolSpec
from methods.learned.train import trainer as training
from methods.learned.train.adaptive_clipping import LONGEST, AdaptiveClipping
from methods.learned.train.options import DEAD, FINISHED, Options
from methods.learned.train.recipes import PHASES, RECIPES, near_boundary
from methods.learned.train.trainer import Trainer

pytestmark = pytest.mark.slow

SHAPE = (96, 64)


@pytest.fixture(scope="module")
def pools(photos, tmp_path_factory):
    where = tmp_path_factory.mktemp("pools")

    def get(kind: str, *, colour: bool = False):
        spec = PoolSpec(kind, 6, colour=colour, shape=SHAPE)
        return make_pool(spec, list_photos(photos, "train"), where, workers=1)

    return get


def small(name: str = "fcn.gray", phase: str = "first"):
    """A recipe with a network that trains in no time."""
    recipe = PHASES[phase][name]
    narrow = {
        "FCN": {"filters": 8, "size": 3},
        "FocusNet": {"widths": (8, 8, 8, 8), "dilations": (1,)},
        "SmallFocusNet": {"widths": (8, 8, 8, 8), "dilations": (1,)},
    }
    arguments = {**recipe.arguments, **narrow.get(recipe.architecture, {})}
    kinds = dict.fromkeys(recipe.validation, 1)
    batch = 6 if recipe.architecture == "SRCNN" else 12
    return replace(recipe, arguments=arguments, batch=batch, crop=32, validation=kinds)


def trainer(name: str, pools, out: Path, phase: str = "first", **options) -> Trainer:
    recipe = small(name, phase)
    if recipe.architecture == "CNN":
        recipe = replace(recipe, crop=16)
    train = {kind: pools(kind, colour=recipe.colour) for kind in recipe.pools}
    val = {kind: pools(kind, colour=recipe.colour) for kind in recipe.validation}
    settings = {"steps": 6, "validations": 2, "precision": "fp32", **options}
    return Trainer(recipe, train, val, Options(out=out, **settings))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("colour", [False, True])
def test_pools_hold_what_they_say(pools, kind, colour):
    pool = pools(kind, colour=colour)
    tail = (*SHAPE, 3) if colour else SHAPE
    assert pool.sources.shape == (6, KINDS[kind], *tail)
    assert pool.reference.shape == (6, *tail)
    assert pool.owner.max() < KINDS[kind]
    assert (pool.edges >= 0).all()
    assert (pool.edges < np.array(SHAPE)).all()
    # The owner is closer to the reference than the sources are on average.
    error = abs(pool.sources.astype(float) - pool.reference[:, None]).mean(
        axis=-1 if colour else ()
    )
    error = error if colour else abs(pool.sources.astype(float) - pool.reference[:, None])
    own = np.take_along_axis(error, pool.owner[:, None].astype(int), axis=1)
    assert own.mean() < 0.8 * error.mean()


def test_pools_are_made_once_and_alike_by_any_number_of_processes(photos, tmp_path):
    spec = PoolSpec("lens", 5, shape=SHAPE)
    files = list_photos(photos, "train")
    one = make_pool(spec, files, tmp_path / "a", workers=1)
    two = make_pool(spec, files, tmp_path / "b", workers=2)
    assert all((x == y).all() for x, y in zip(one, two, strict=True))
    made = [p.stat().st_mtime_ns for p in sorted((tmp_path / "a").rglob("*.npy"))]
    make_pool(spec, files, tmp_path / "a", workers=1)
    assert made == [p.stat().st_mtime_ns for p in sorted((tmp_path / "a").rglob("*.npy"))]
    with pytest.raises(UsageError, match="pool kind"):
        make_pool(replace(spec, kind="tilt"), files, tmp_path)


def test_a_pool_is_made_after_a_killed_run_had_begun_it(photos, tmp_path, monkeypatch):
    """Whatever the process id: that of a killed run is used again sooner or later."""
    spec, files = PoolSpec("region", 2, shape=SHAPE), list_photos(photos, "train")

    def killed(spec, names, place, workers):
        (place / "sources.npy").write_bytes(b"half a")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pool_makers, "_fill_all", killed)
        with pytest.raises(KeyboardInterrupt):
            make_pool(spec, files, tmp_path)
    (left,) = (path for path in tmp_path.iterdir() if path.is_dir())
    left.with_name(f"{left.stem}.{os.getpid()}").mkdir()  # how an earlier version named them
    pool = make_pool(spec, files, tmp_path, workers=1)
    assert pool.sources.shape == (2, 2, *SHAPE)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [left.stem]


def test_photos_are_divided(photos, tmp_path):
    parts = [list_photos(photos, part) for part in ("train", "val", "held-out")]
    assert [len(part) for part in parts] == [8, 1, 1]
    assert len({p for part in parts for p in part}) == 10
    for part, names in (("train", "ab"), ("val", "cdef")):
        (tmp_path / "images" / part).mkdir(parents=True)
        for name in names:
            (tmp_path / "images" / part / f"{name}.jpg").touch()
    found = {p: [f.stem for f in list_photos(tmp_path, p)] for p in ("train", "val", "held-out")}
    assert found == {"train": ["a", "b"], "val": ["c", "d"], "held-out": ["e", "f"]}
    with pytest.raises(DataUnavailable, match="no photos"):
        list_photos(tmp_path / "images" / "nothing", "train")


def test_batches_are_drawn_again_alike(pools):
    pool = DevicePool(pools("region"), "cpu")
    draws = [pool.crops(9, 24, step_generator(1, step, 0, "cpu")) for step in (5, 5, 6)]
    assert all(torch.equal(x, y) for x, y in zip(draws[0], draws[1], strict=True))
    assert not torch.equal(draws[0].reference, draws[2].reference)
    other_rank = pool.crops(9, 24, step_generator(1, 5, 1, "cpu"))
    assert not torch.equal(draws[0].reference, other_rank.reference)


def test_half_of_the_crops_lie_on_boundaries(pools):
    pool = DevicePool(pools("region"), "cpu")
    batch = pool.crops(60, 16, step_generator(0, 0, 0, "cpu"))
    mixed = (batch.owner.flatten(1).amin(1) != batch.owner.flatten(1).amax(1)).float()
    assert mixed[:30].mean() > 0.9
    assert mixed[30:].mean() < 0.8


@pytest.mark.parametrize(("kind", "colour"), [("planes", False), ("region", True)])
def test_crops_are_cut_alike_on_every_device(pools, kind, colour):
    pool = DevicePool(pools(kind, colour=colour), "cpu")
    which, count = torch.tensor([5, 0, 5]), KINDS[kind]
    order = torch.stack([torch.randperm(count) for _ in which])
    for height, width in ((1, 1), (9, 33), SHAPE):
        top = torch.tensor([0, SHAPE[0] - height, (SHAPE[0] - height) // 2])
        left = torch.tensor([SHAPE[1] - width, 0, (SHAPE[1] - width) // 2])
        rows, cols = (
            corner[:, None] + torch.arange(n) for corner, n in ((top, height), (left, width))
        )
        given = (which, rows, cols, order)
        pairs = zip(pool._sliced(*given), pool._indexed(*given), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 2), (40, 33)])
@pytest.mark.parametrize("reach", [0, 1, 4])
def test_boundaries_are_those_of_a_pooling_layer(shape, reach):
    owner = (torch.rand(3, *shape, generator=torch.Generator().manual_seed(1)) * 3).long()
    owner[1] = 2
    if shape == (40, 33):
        owner[2] = 0
        owner[2, 7, 30] = 1  # one pixel: what it reaches is a square
    size = 2 * reach + 1
    highest, lowest = (
        F.max_pool2d(sign * owner[:, None].float(), size, 1, reach)[:, 0] for sign in (1, -1)
    )
    assert torch.equal(near_boundary(owner, reach), (highest != -lowest).float())


def test_the_owner_follows_its_source(pools):
    pool = DevicePool(pools("region"), "cpu")
    batch = pool.crops(16, 24, step_generator(0, 3, 0, "cpu"))
    own = batch.sources[:, :, 0].gather(1, batch.owner.unsqueeze(1)).squeeze(1)
    assert torch.equal(own, batch.reference[:, 0])


def test_fourth_channel_is_luminance():
    rgb = torch.rand(2, 3, 4, 5)
    four = with_gray(rgb)
    assert four.shape == (2, 4, 4, 5)
    torch.testing.assert_close(
        four[:, 3], 0.2989 * rgb[:, 0] + 0.587 * rgb[:, 1] + 0.114 * rgb[:, 2], atol=1e-3, rtol=0
    )


@pytest.mark.slow
@pytest.mark.parametrize(("phase", "name"), [(p, name) for p in PHASES for name in PHASES[p]])
def test_every_recipe_learns(pools, tmp_path, phase, name):
    settings = {"steps": 40, "validations": 4, "patience": 99}
    result = trainer(name, pools, tmp_path, phase, **settings).run()
    losses = [row["loss"] for row in result.history]
    assert result.steps == 40
    assert min(losses[1:]) < losses[0] - 0.02 * abs(losses[0])
    assert np.isfinite(result.psnr)


@pytest.mark.slow
def test_regression_falls_far(pools, tmp_path):
    result = trainer("fcn.gray", pools, tmp_path, steps=120, validations=6, rate=3e-3).run()
    assert result.history[-1]["loss"] < 0.1 * result.history[0]["loss"]
    assert result.psnr > result.history[0]["psnr"] + 5


def weights_of(result) -> list[torch.Tensor]:
    return [p.detach().clone() for p in result.network.parameters()]


def same(a, b) -> bool:
    return all(torch.equal(x, y) for x, y in zip(weights_of(a), weights_of(b), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fcn-x.gray", "fcn-w.gray"])
def test_large_batches_in_pieces_train_alike(pools, tmp_path, monkeypatch, name):
    passes, weights = [], []
    for piece in (training.PIECE, 3 * 32**2):
        monkeypatch.setattr(training, "PIECE", piece)
        one = trainer(name, pools, tmp_path)
        passes.append(len(one._pieces()))
        one._train_step(one.network, 0.5)
        weights.append(torch.cat([p.grad.flatten() for p in one.network.parameters()]))
    assert passes[0] == 1
    assert passes[1] >= 4
    assert torch.allclose(*weights, rtol=1e-4, atol=1e-4 * float(weights[0].abs().max()))


@pytest.mark.slow
def test_seeds_decide(pools, tmp_path):
    runs = [
        trainer("fcn.gray", pools, tmp_path / str(k), seed=seed).run()
        for k, seed in enumerate((4, 4, 5))
    ]
    assert same(runs[0], runs[1])
    assert not same(runs[0], runs[2])


class Killed(Exception):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fcn.gray", "fcn-x.gray", "fcn-s.gray"])
def test_a_killed_run_ends_as_if_it_had_not_been(pools, tmp_path, name, monkeypatch):
    whole = trainer(name, pools, tmp_path / "whole", steps=8, validations=4).run()
    first = trainer(name, pools, tmp_path / "killed", steps=8, validations=4)
    step = first._train_step

    def dies(model, share):
        if first.step == 5:
            raise Killed
        return step(model, share)

    monkeypatch.setattr(first, "_train_step", dies)
    with pytest.raises(Killed):
        first.run()
    second = trainer(name, pools, tmp_path / "killed", steps=8, validations=4, resume=True)
    assert second.step == 4  # the last checkpoint
    resumed = second.run()
    assert same(whole, resumed)
    assert [r["psnr"] for r in whole.history] == [r["psnr"] for r in resumed.history]


def test_checkpoints_of_other_runs_are_refused(pools, tmp_path):
    trainer("fcn.gray", pools, tmp_path).run()
    with pytest.raises(UsageError, match="seed is 0, not 3"):
        trainer("fcn.gray", pools, tmp_path, resume=True, seed=3)
    with pytest.raises(UsageError, match="its photos are , not ab12"):
        trainer("fcn.gray", pools, tmp_path, resume=True, data="ab12")
    others = {"steps": 99, "batch": 5, "rate": 1e-06, "validations": 9, "crop": 16}
    for key, value in others.items():
        with pytest.raises(UsageError, match=f"its {key} is .*, not {value!r}"):
            trainer("fcn.gray", pools, tmp_path, resume=True, **{key: value})
    with pytest.raises(UsageError, match="its bf16 is False, not True"):
        trainer("fcn.gray", pools, tmp_path, resume=True, precision="bf16")
    path = tmp_path / "fcn.gray.checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(UsageError, match="not a whole checkpoint"):
        trainer("fcn.gray", pools, tmp_path, resume=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_fcn_survives_a_run_of_few_steps(pools, tmp_path, seed):
    """At the full rate from the first steps on, some end black."""
    recipe = replace(RECIPES["fcn.gray"], batch=8, crop=32)
    pool = {"region": pools("region")}
    options = Options(tmp_path, steps=12, seed=seed, validations=4, precision="fp32")
    result = Trainer(recipe, pool, pool, options).run()
    assert result.stopped == FINISHED
    assert result.history[-1]["psnr"] > result.history[0]["psnr"]


def test_a_dead_network_is_told(pools, tmp_path):
    settings = {"steps": 40, "validations": 40}
    run = trainer("fcn.gray", pools, tmp_path, **settings)
    with torch.no_grad():
        run.network.decoder[-1].weight.zero_()
        run.network.decoder[-1].bias.fill_(-1)  # black, whatever comes
    result = run.run()
    assert result.stopped == DEAD
    assert result.steps == 1
    again = trainer("fcn.gray", pools, tmp_path, **settings, resume=True).run()
    assert (again.stopped, again.steps) == (DEAD, 1)


def test_no_weights_of_a_run_that_ends_in_nan(pools, tmp_path):
    run = trainer("fcn.gray", pools, tmp_path, steps=1, validations=1)
    step = run._train_step

    def last(model, share):
        loss = step(model, share)  # a loss as any, and then a step too far
        for value in run.mean.values():
            value.fill_(torch.nan)
        return loss

    run._train_step = last
    with pytest.raises(EnvironmentFault, match=r"validation gave nan dB.*try a lower rate"):
        run.run()


def test_stops_early(pools, tmp_path):
    stuck = trainer("fcn.gray", pools, tmp_path, steps=40, validations=40, patience=3, rate=1e-12)
    result = stuck.run()
    assert result.stopped.startswith("early")
    assert result.steps < 40


def test_a_long_gradient_is_clipped():
    weight = torch.nn.Parameter(torch.zeros(4))
    clip = AdaptiveClipping(torch.device("cpu"), ratio=2)
    for _ in range(200):
        weight.grad = torch.full((4,), 0.01)  # of length 0.02
        clip([weight])
        assert weight.grad.norm().item() == pytest.approx(0.02)
    weight.grad = torch.full((4,), 10.0)
    assert clip([weight]).item() == pytest.approx(20)
    assert weight.grad.norm().item() == pytest.approx(2 * 0.02, rel=1e-3)
    longest = torch.nn.Parameter(torch.zeros(1))
    longest.grad = torch.full((1,), 1e6)
    AdaptiveClipping(torch.device("cpu"))([longest])
    assert longest.grad.item() == pytest.approx(LONGEST)


def test_a_collapsed_network_goes_back_to_its_best(pools, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "COLLAPSE", 2.0)
    run = trainer("fcn.gray", pools, tmp_path, steps=80, validations=8, rate=3e-3)
    step = run._train_step

    def ruin(model, share):
        loss = step(model, share)
        if run.step == 45:  # black images from here on: through the ReLU no gradient comes
            with torch.no_grad():
                for value in (*run.network.parameters(), *run.mean.values()):
                    value.zero_()
        return loss

    run._train_step = ruin
    result = run.run()
    rates, scores = ([row[key] for row in result.history] for key in ("rate", "psnr"))
    assert rates == [3e-3] * 5 + [1.5e-3] * 3
    assert scores[4] < max(scores[:4]) - 2
    assert min(scores[5:]) > scores[4] + 2


def test_limits_are_needed(pools, tmp_path):
    with pytest.raises(UsageError, match="minutes or steps"):
        trainer("fcn.gray", pools, tmp_path, steps=None)
    with pytest.raises(UsageError, match="precision"):
        trainer("fcn.gray", pools, tmp_path, precision="int8")


def test_autocast_trains_too(pools, tmp_path):
    result = trainer("fcn.gray", pools, tmp_path, precision="bf16", steps=12).run()
    assert result.history[-1]["loss"] < result.history[0]["loss"]

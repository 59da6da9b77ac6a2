"""The learned methods on CUDA: the same images as on the CPU, and training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bench.core.errors import EnvironmentFault
from methods import METHODS
from methods._fusion import fuse

pytestmark = pytest.mark.cuda

LEARNED = [m.name for m in METHODS if m.takes_device and m.family == "learned"]

if not torch.cuda.is_available():
    pytest.skip("no CUDA device", allow_module_level=True)


def scene(height: int = 200, width: int = 232, colour: bool = False):
    """Texture with a sharp and a blurred half, either way round."""
    import cv2

    rng = np.random.default_rng(4)
    shape = (height, width, 3) if colour else (height, width)
    sharp = cv2.GaussianBlur(rng.integers(0, 256, shape).astype(np.uint8), (0, 0), 1)
    soft = cv2.GaussianBlur(sharp, (0, 0), 4)
    left = np.arange(width)[None] < width // 2
    left = left[..., None] if colour else left
    return [np.where(left, sharp, soft), np.where(left, soft, sharp)], sharp


def psnr(a, b) -> float:
    error = np.mean((a.astype(float) - b.astype(float)) ** 2)
    return float("inf") if error == 0 else 10 * np.log10(255**2 / error)


@pytest.mark.parametrize("name", LEARNED)
@pytest.mark.parametrize("colour", [False, True])
def test_fuses_as_on_the_cpu(name, colour):
    sources, _ = scene(colour=colour)
    expected = fuse(name, sources)
    for _ in range(3):  # as it is, captured, replayed
        assert psnr(fuse(name, sources, device="cuda"), expected) >= 50


@pytest.mark.parametrize("name", LEARNED)
def test_graph_follows_its_input(name):
    sources, _ = scene()
    other = [255 - source for source in sources]
    for _ in range(2):
        fuse(name, sources, device="cuda")
    assert psnr(fuse(name, other, device="cuda"), fuse(name, other)) >= 50


@pytest.mark.parametrize("name", LEARNED)
def test_any_size(name):
    for height, width in [(1, 1), (3, 50), (33, 31)]:
        sources, _ = scene(height, width)
        assert fuse(name, sources, device="cuda").shape == (height, width)


def test_missing_device_is_an_error():
    with pytest.raises(EnvironmentFault, match="cuda:99"):
        fuse("fcn", scene()[0], device="cuda:99")


@pytest.fixture(scope="module")
def pools(tmp_path_factory):
    """Makes a small pool of any kind, once."""
    import cv2

    from methods.learned.data.pools import make_pool
    from methods.learned.data.specs import PoolSpec

    folder = tmp_path_factory.mktemp("pools")
    photo = folder / "photo.png"
    cv2.imwrite(str(photo), scene(120, 160, colour=True)[1])

    def make(kind: str, colour: bool = False):
        spec = PoolSpec(kind, 3, colour=colour, shape=(96, 128), augment=False)
        return make_pool(spec, [photo], folder, workers=1)

    return make


def test_trains_and_resumes(pools, tmp_path: Path):
    from methods.learned.train.options import Options
    from methods.learned.train.recipes import RECIPES
    from methods.learned.train.trainer import Trainer

    pool = {"region": pools("region")}
    options = Options(out=tmp_path, device="cuda", steps=60, batch=8, validations=3)
    result = Trainer(RECIPES["fcn-w.gray"], pool, pool, options).run()
    assert result.history[-1]["loss"] < result.history[0]["loss"]
    assert result.psnr > result.history[0]["psnr"] - 0.1
    resumed = Trainer(
        RECIPES["fcn-w.gray"], pool, pool, Options(**{**vars(options), "resume": True})
    )
    assert resumed.step == 60


@pytest.mark.parametrize(
    "name", ["fcn.gray", "fcn.four", "fcn-w.gray", "fcn-x.gray", "fcn-s.gray", "srcnn.x1"]
)
def test_deterministic_training_gives_the_same_bits(name, pools, tmp_path: Path, request):
    from methods.learned.train.options import Options
    from methods.learned.train.recipes import RECIPES
    from methods.learned.train.trainer import Trainer

    request.addfinalizer(lambda: torch.use_deterministic_algorithms(False))
    recipe = RECIPES[name]
    train = {kind: pools(kind, recipe.colour) for kind in recipe.pools}
    val = {kind: pools(kind, recipe.colour) for kind in recipe.validation}
    weights = []
    for run in ("first", "second"):
        out = tmp_path / run
        options = Options(out, "cuda", steps=12, batch=16, crop=64, deterministic=True)
        network = Trainer(recipe, train, val, options).run().network
        weights.append(torch.cat([p.detach().flatten() for p in network.parameters()]))
    assert torch.equal(*weights)

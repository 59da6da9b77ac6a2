"""What each network is trained on: data, loss, and how its output becomes an image.

A method's weights file may hold several networks (``fcn``: one for luminance, one for the
paper's four channels); each is one recipe, trained by itself. The focus networks have a second
phase on a wider range of defocus and on stacks, for which trained weights may be taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.core.errors import UnknownName
from methods.learned.data.batches import Batch, with_gray
from methods.learned.data.specs import STACKS, PoolSpec
from methods.learned.inference.focusmap import spread
from methods.learned.nets.networks import NETWORKS
from methods.learned.train.options import GENTLE, Options

Loss = Callable[[nn.Module, Batch, float], Tensor]
Predict = Callable[[nn.Module, Batch], Tensor]

#: Mean squared error at which the PSNR loss stops rewarding a crop: 55 dB.
NOTHING_LEFT = 10**-5.5


@dataclass(frozen=True)
class Recipe:
    """How one network is trained.

    Attributes
    ----------
    method, part : str
        The method whose weights file it goes into, and its name in there.
    architecture, arguments
        See `methods.learned.nets.networks.build`.
    pools : mapping
        Pool specification and share of every batch, by name.
    batch, crop : int
        Crops per step and their side.
    rate : float
        Adam's learning rate at its height.
    loss, predict : callable
        ``loss(network, batch, progress)`` with progress in [0, 1]; ``predict(network,
        batch)`` is the fused image, (B, C, H, W), whose PSNR decides when training stops.
    validation : mapping
        Number of validation scenes by kind of pool.
    decay : float
        Of the running mean of the weights.
    warmup, settle : float, int
        Share of the run, and steps at the least, over which the rate rises. A network that ends
        in a ReLU and starts at the full rate may give 0 everywhere from the first steps on.
    clip_ratio : float
        See `methods.learned.train.adaptive_clipping.AdaptiveClipping`.
    phase : {'first', 'wide'}
        Which training of the network it is; see `PHASES`.
    """

    method: str
    part: str
    architecture: str
    pools: Mapping[str, tuple[PoolSpec, float]]
    loss: Loss
    predict: Predict
    batch: int
    crop: int
    arguments: Mapping[str, Any] = field(default_factory=dict)
    rate: float = 1e-3
    decay: float = 0.999
    validation: Mapping[str, int] = field(default_factory=lambda: {"region": 50})
    colour: bool = False
    warmup: float = 0.01
    settle: int = 0
    clip_ratio: float = math.inf
    phase: str = "first"

    @property
    def name(self) -> str:
        """``METHOD.PART``."""
        return f"{self.method}.{self.part}"


def pair(batch: Batch) -> tuple[Tensor, Tensor]:
    """The two sources, each (B, C, H, W)."""
    return batch.sources[:, 0], batch.sources[:, 1]


def _regression(network: nn.Module, batch: Batch, progress: float) -> Tensor:
    return F.mse_loss(network(*pair(batch)), batch.reference)


def _regressed(network: nn.Module, batch: Batch) -> Tensor:
    return network(*pair(batch))


def _four(batch: Batch) -> Batch:
    return Batch(with_gray(batch.sources), with_gray(batch.reference), batch.owner)


def _regression_four(network: nn.Module, batch: Batch, progress: float) -> Tensor:
    return _regression(network, _four(batch), progress)


def _regressed_four(network: nn.Module, batch: Batch) -> Tensor:
    return network(*pair(_four(batch)))[:, :3]


def psnr_loss(fused: Tensor, reference: Tensor) -> Tensor:
    """Mean over crops of the logarithm of their squared error: what a mean PSNR rewards."""
    error = ((fused - reference) ** 2).flatten(1).mean(dim=1)
    return torch.log10(error + NOTHING_LEFT).mean()


def _weighted(network: nn.Module, batch: Batch) -> Tensor:
    first, second = pair(batch)
    weight = network(first, second)
    return weight * first + (1 - weight) * second


def _weighting(network: nn.Module, batch: Batch, progress: float) -> Tensor:
    fused = _weighted(network, batch)
    return psnr_loss(fused, batch.reference) + 10 * F.l1_loss(fused, batch.reference)


def blend(scores: Tensor, sources: Tensor) -> Tensor:
    """Sources (B, N, C, H, W) weighted by the softmax of their scores (B, N, H, W)."""
    return (scores.softmax(dim=1).unsqueeze(2) * sources).sum(dim=1)


def near_boundary(owner: Tensor, reach: int = 4) -> Tensor:
    """1 where another source owns a pixel within `reach` of this one, else 0; (B, H, W)."""
    labels = owner.to(torch.uint8)
    return (_highest(labels, reach) != ~_highest(~labels, reach)).float()


def _highest(x: Tensor, reach: int) -> Tensor:
    """Maximum over the square of `reach` around each pixel of (B, H, W).

    By shifts of bytes, which on a CPU take a twentieth of the time of a pooling layer.
    """
    for axis in (1, 2):
        result, length = x.clone(), x.shape[axis]
        for shift in range(1, min(reach, length - 1) + 1):
            near, far = (0, shift), (shift, 0)
            for here, there in (near, far):
                part = result.narrow(axis, here, length - shift)
                torch.maximum(part, x.narrow(axis, there, length - shift), out=part)
        x = result
    return x


def cross_entropy(scores: Tensor, owner: Tensor) -> Tensor:
    """Cross-entropy per pixel of scores (B, N, H, W) against owners (B, H, W).

    torch's own has no deterministic kernel on CUDA.
    """
    index = torch.arange(scores.shape[1], device=owner.device).view(-1, 1, 1)
    return -(scores.log_softmax(dim=1) * (owner.unsqueeze(1) == index)).sum(dim=1)


def _focusing(network: nn.Module, batch: Batch, progress: float) -> Tensor:
    """Soft scores for the least error, hard ones for the right owner.

    Boundaries count three times. At the beginning the soft scores are trained as decisions, too,
    from where training finds the blends of least error.
    """
    soft, hard = network(batch.sources[:, :, 0])
    weight = 1 + 2 * near_boundary(batch.owner)
    decide = (cross_entropy(hard, batch.owner) * weight).mean()
    guide = max(0.0, 1 - 4 * progress) * cross_entropy(soft, batch.owner).mean()
    fused = blend(soft, batch.sources)
    blended = psnr_loss(fused, batch.reference) + 10 * F.l1_loss(fused, batch.reference)
    return blended + 2 * decide + guide


def _focused(network: nn.Module, batch: Batch) -> Tensor:
    return blend(network(batch.sources[:, :, 0])[0], batch.sources)


def _judging(network: nn.Module, batch: Batch, progress: float) -> Tensor:
    """Cross-entropy of "which patch is the sharp one" against one of five grades of blur."""
    count = batch.sources.shape[1]
    index = torch.arange(len(batch.owner), device=batch.owner.device)
    sharp = batch.owner[:, 0, 0]
    blurred = (sharp + 1 + index % (count - 1)) % count
    second_is_sharp = index // (count - 1) % 2
    x, y = batch.sources[index, sharp], batch.sources[index, blurred]
    swap = second_is_sharp.bool().view(-1, 1, 1, 1)
    scores = network(torch.where(swap, y, x), torch.where(swap, x, y)).flatten(1)
    return F.cross_entropy(scores, second_is_sharp)


def _judged(network: nn.Module, batch: Batch) -> Tensor:
    first, second = pair(batch)
    focus = spread(network(first, second).softmax(dim=1)[:, :1], first.shape[-2:])
    chosen = (focus > 0.5).float()
    return chosen * first + (1 - chosen) * second


def _merging(network: nn.Module, batch: Batch, progress: float) -> Tensor:
    return F.mse_loss(network(batch.sources[:, :, 0]), batch.reference)


def _merged(network: nn.Module, batch: Batch) -> Tensor:
    return network(batch.sources[:, :, 0])


def halve(sources: Tensor) -> Tensor:
    """Sources (B, N, H, W) at half the resolution, brought back by bicubic interpolation."""
    size = sources.shape[-2:]
    small = F.interpolate(
        sources, scale_factor=0.5, mode="bicubic", antialias=True, align_corners=False
    )
    return F.interpolate(small, size=size, mode="bicubic", align_corners=False)


def _enlarging(network: nn.Module, batch: Batch, progress: float) -> Tensor:
    return F.mse_loss(network(halve(batch.sources[:, :, 0])), batch.reference)


def _enlarged(network: nn.Module, batch: Batch) -> Tensor:
    return network(halve(batch.sources[:, :, 0]))


_REGION = {"region": (PoolSpec("region", 8000), 1.0)}
_MIXED = {
    "region": (PoolSpec("region", 8000), 0.25),
    "lens": (PoolSpec("lens", 10000), 0.35),
    "low-texture": (PoolSpec("low-texture", 6000), 0.25),
    "ramp": (PoolSpec("ramp", 2000), 0.075),
    "planes": (PoolSpec("planes", 1500), 0.075),
}
#: Sides of a scene of the second phase.
_SIDES = (256, 384)


def _pool(kind: str, scenes: int) -> PoolSpec:
    return PoolSpec(kind, scenes, shape=_SIDES)


_WIDE = {
    "region": (_pool("region", 1500), 0.12),
    "lens": (_pool("lens", 2000), 0.13),
    "low-texture": (_pool("low-texture", 2000), 0.15),
    "wide": (_pool("wide", 5000), 0.32),
    "stack-2": (_pool("stack-2", 1500), 0.10),
    **{kind: (_pool(kind, 300), 0.03) for kind, count in STACKS.items() if count > 2},
}
_COLOUR = {"region": (PoolSpec("region", 4000, colour=True), 1.0)}
_GRADES = {"grades": (PoolSpec("grades", 1200, augment=False), 1.0)}

_FOCUSING = (_MIXED, _focusing, _focused)
_FOCUSED = {"region": 50, "lens": 50, "low-texture": 50}


def _recipe(name: str, *how: Any, **more: Any) -> Recipe:
    """The recipe of a network that a method runs."""
    method, part = name.split(".")
    architecture, more["arguments"] = NETWORKS[name]
    return Recipe(method, part, architecture, *how, **more)


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        _recipe("fcn.gray", _REGION, _regression, _regressed, 64, 50, clip_ratio=2, settle=100),
        _recipe(
            "fcn.four",
            *(_COLOUR, _regression_four, _regressed_four, 64, 50),
            colour=True,
            clip_ratio=2,
            settle=100,
        ),
        _recipe("fcn-w.gray", _REGION, _weighting, _weighted, 48, 64),
        _recipe("fcn-x.gray", *_FOCUSING, 96, 192, rate=1.5e-3, validation=_FOCUSED),
        _recipe("fcn-s.gray", *_FOCUSING, 8, 256, validation=_FOCUSED),
        _recipe("cnn.gray", _GRADES, _judging, _judged, 512, 16),
        _recipe("srcnn.x1", _REGION, _merging, _merged, 64, 48),
        _recipe("srcnn.x2", _REGION, _enlarging, _enlarged, 64, 48),
    )
}


_WIDELY = {
    "region": 30,
    "lens": 30,
    "low-texture": 30,
    "wide": 60,
    "stack-2": 20,
    "stack-5": 20,
}


def _widely(name: str, batch: int) -> Recipe:
    """A network's recipe on the data of the second phase."""
    recipe = RECIPES[name]
    return replace(recipe, pools=_WIDE, validation=_WIDELY, batch=batch, phase="wide")


#: Recipes by phase and network.
PHASES: dict[str, dict[str, Recipe]] = {
    "first": RECIPES,
    "wide": {r.name: r for r in (_widely("fcn-x.gray", 72), _widely("fcn-s.gray", 32))},
}


def recipes_of(name: str, phase: str = "first") -> list[Recipe]:
    """The recipes of a method (``fcn``), or the one of a part of it (``fcn.gray``).

    Parameters
    ----------
    name : str
        Method or network.
    phase : {'first', 'wide'}
        Which training of it.

    Raises
    ------
    UnknownName
        There is no such phase, or nothing of that name to train in it.
    """
    if phase not in PHASES:
        raise UnknownName("phase", phase, set(PHASES))
    recipes = PHASES[phase]
    found = [r for r in recipes.values() if name in (r.method, r.name)]
    if not found:
        what = "network" if phase == "first" else f"network with a phase {phase!r}"
        raise UnknownName(what, name, {r.method for r in recipes.values()} | set(recipes))
    return found


def rate_of(recipe: Recipe, options: Options) -> float:
    """The learning rate at its height; lower for weights that are trained already."""
    return options.rate or recipe.rate * (1.0 if options.start is None else GENTLE)

"""Scores of metrics that need a reference, with each source in its place, as papers print them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bench.core.errors import BenchError
from bench.engine.claims.view import ImageSet, View
from bench.engine.claims.view import Scene as SceneParts
from bench.engine.image_folder import ImageFolder
from datasets import Scene
from metrics import METRICS

#: Values with each source as the reference, by ``dataset/scene``, method and metric.
SourceScores = Mapping[tuple[str, str, str], list[float]]


def source_scores(
    methods: Sequence[ImageFolder], scenes: Sequence[Scene], metrics: Sequence[str]
) -> SourceScores:
    """The scores of all fused images; an image that cannot be read has none.

    Parameters
    ----------
    methods : sequence of ImageFolder
        The fused images.
    scenes : sequence of Scene
        Their scenes.
    metrics : sequence of str
        Names of metrics; those that need no reference are left out.
    """
    names = [name for name in metrics if METRICS[name].needs == "reference"]
    if not names:
        return {}
    return {
        (scene.name, method.name, name): values
        for scene in scenes
        for method, view in _views(methods, scene)
        for name in names
        for values in [[view.value(name, against=k) for k in range(view.count)]]
    }


def _views(methods: Sequence[ImageFolder], scene: Scene) -> Iterator[tuple[ImageFolder, View]]:
    having = [method for method in methods if scene.name in method.files]
    if not having:
        return
    try:
        images = scene.read_checked()
    except BenchError:
        return
    parts = SceneParts(ImageSet(images.sources, images.sources[0]))
    for method in having:
        try:
            fused = method.image(scene)
        except BenchError:
            continue
        if fused.shape[:2] == images.sources[0].shape[:2]:
            yield method, View([parts], [fused])

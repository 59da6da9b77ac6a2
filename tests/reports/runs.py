"""Runs whose scores are known, as a finished run leaves them."""

from __future__ import annotations

from bench.store.manifest import (
    CellEntry,
    MethodEntry,
    MetricEntry,
    RunManifest,
    SceneEntry,
    Score,
    save_manifest,
)
from bench.store.records import TimingRecord
from bench.store.store import Store
from reports.data.results import load_results

METRICS = [
    MetricEntry("mi", "MI", True),
    MetricEntry("qcv", "QCV", False),
    MetricEntry("psnr", "PSNR", True),
]
FAMILY = {
    "fcn": "learned",
    "lp": "multi-scale",
    "mine": "spatial",
    "source-a": "control",
    "average": "control",
}
TIMING = TimingRecord("a cell", "a machine", seconds=[0.25, 0.5, 1.0], first_s=2.0)


def a_manifest(methods, scenes, cells, store="", metrics=METRICS):
    """A manifest of those methods, scenes (dataset and name) and cells."""
    return RunManifest(
        complete=True,
        started="then",
        finished="now",
        mfif_bench="0",
        command=["python", "-m", "bench", "run"],
        git={},
        machine={"cpu": "a processor", "threads": 2},
        device="cpu",
        precision="fp32",
        precision_asked="auto",
        threads=2,
        repeats=3,
        store=str(store),
        plugins=[],
        environments=[],
        methods=[
            MethodEntry(m, m, FAMILY.get(m, "published"), FAMILY.get(m) == "learned")
            for m in methods
        ],
        metrics=list(metrics),
        scenes=[
            SceneEntry(
                dataset, scene, scene.title(), "real", "A note.", width=4, height=3, channels=1,
                sources=2,
            )
            for dataset, scene in scenes
        ],
        cells=cells,
    )  # fmt: skip


def a_run(folder, scores, datasets=None, failed=(), timings=None, image=None, metrics=METRICS):
    """Write a run: scores[method][scene][metric]; timings[method] is its record in the store.

    Every fused image is `image`; there is none in the store unless it is given.
    """
    store = Store(folder / "store")
    store.root.mkdir(parents=True, exist_ok=True)
    datasets, cells = datasets or {}, []
    pixels = "0" * 64 if image is None else store.put_image(image)
    for method, scenes in scores.items():
        for scene, values in scenes.items():
            place = (datasets.get(scene, "paper"), scene, method)
            if (method, scene) in failed:
                cells.append(CellEntry(*place, "failed", "why"))
                continue
            found = {name: Score("ok", value) for name, value in values.items()}
            key = f"{method}-{scene}"
            store.put(key, (timings or {}).get(method, TIMING).to_body())
            cells.append(CellEntry(*place, "ok", key=key, timing=key, pixels=pixels, scores=found))
    names = sorted({cell.scene for cell in cells})
    places = [(datasets.get(name, "paper"), name) for name in names]
    save_manifest(a_manifest(list(scores), places, cells, store.root, metrics), folder)
    return load_results(folder)

"""Runs with perturbed sets whose losses are known."""

from __future__ import annotations

from dataclasses import replace

from bench.store.manifest import CellEntry, MetricEntry, Score, save_manifest
from bench.store.store import Store
from reports.data.results import load_results
from tests.reports.runs import a_manifest

METRICS = [
    MetricEntry("qcv", "QCV", False),
    MetricEntry("psnr", "PSNR", True),
]

#: Perturbed sets with the loss of PSNR that they cost ``fcn``; ``lp`` loses half of it.
LOSSES = {
    "": 0.0,
    "+noise=5": 4.0,
    "+noise=10": 6.0,
    "+exposure=0.5": 1.0,
    "+exposure=-0.5": 2.0,
    "+jpeg=90": 3.0,
    "+jpeg=50": 7.0,
    "+shift=1+noise=5": 9.0,
}
METHODS = {"lp": (38.0, 0.5), "fcn": (40.0, 1.0), "average": (30.0, 0.1)}


def robust_run(folder, losses=None, scenes=("one", "two"), failed=(), methods=None):
    """Write a run of METHODS on ``set`` and its perturbed sets; scene ``two`` is 1 dB worse.

    QCV is 100 less PSNR, and lower is better. `failed` holds (suffix, scene, method).
    """
    store = Store(folder / "store")
    store.root.mkdir(parents=True, exist_ok=True)
    losses, methods = LOSSES if losses is None else losses, methods or METHODS
    cells = []
    for suffix, loss in losses.items():
        for k, scene in enumerate(scenes):
            for method, (clean, share) in methods.items():
                place = (f"set{suffix}", scene, method)
                if (suffix, scene, method) in failed:
                    cells.append(CellEntry(*place, "failed", "why"))
                    continue
                psnr = clean - k - share * loss
                scores = {"psnr": Score("ok", psnr), "qcv": Score("ok", 100 - psnr)}
                key = "-".join(place)
                store.put(key, {"fused": key})
                cells.append(CellEntry(*place, "ok", key=key, pixels="0" * 64, scores=scores))
    places = [(f"set{suffix}", scene) for suffix in losses for scene in scenes]
    manifest = a_manifest(list(methods), places, cells, store.root)
    save_manifest(replace(manifest, metrics=METRICS), folder)
    return load_results(folder)

"""Shared fixtures: pictures, an isolated data environment, the real data when it is there."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from bench.checks.methods import pair
from datasets import DATASETS
from datasets.perturbations import PERTURBATIONS
from methods import METHODS
from metrics import METRICS

#: Registers faulty methods when it is imported, which only the tests of the runner may do.
collect_ignore = ["support"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option of ``tox -e numbers``."""
    parser.addoption(
        "--all-images", action="store_true", help="compare scores of all published images there are"
    )


@pytest.fixture
def sources() -> list[np.ndarray]:
    """A gray pair, each source blurred in one half."""
    return pair(48, 56)


@pytest.fixture
def own_registries(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is forgotten after it."""
    for registry in (METHODS, METRICS, DATASETS, PERTURBATIONS):
        registry.discover()
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No data, no cache, no network: what a fresh machine without a connection has."""
    monkeypatch.setenv("MFIF_OFFLINE", "1")
    monkeypatch.delenv("MFIF_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def liu2020() -> Path:
    """Folder of the survey's images; skips where ``MFIF_DATA`` does not hold them."""
    return _data_folder("liu2020")


@pytest.fixture
def mfi_whu() -> Path:
    """Folder of MFI-WHU with published fused images; skips where ``MFIF_DATA`` has none."""
    return _data_folder("mfi-whu")


def _data_folder(name: str) -> Path:
    root = os.environ.get("MFIF_DATA")
    if not root or not (Path(root) / name).is_dir():
        pytest.skip(f"needs {name} in MFIF_DATA")
    return Path(root) / name


@pytest.fixture(scope="session")
def photos(tmp_path_factory) -> Path:
    """Ten photos cut from those of scikit-image."""
    import cv2
    from skimage import data

    folder = tmp_path_factory.mktemp("photos")
    whole = data.astronaut()[..., ::-1]
    for k in range(10):
        cut = whole[40 * (k // 2) : 40 * (k // 2) + 96, 150 * (k % 2) : 150 * (k % 2) + 128]
        cv2.imwrite(str(folder / f"{k}.png"), np.ascontiguousarray(cut))
    return folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many faults the tests of faults caused, and that the project survived them."""
    found: dict[str, int] = {}
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "faults":
                what, count = value
                found[what] = found.get(what, 0) + count
    if found:
        kinds = ", ".join(f"{count} {what}" for what, count in found.items())
        terminalreporter.write_line(f"faults survived: {sum(found.values())} ({kinds})")

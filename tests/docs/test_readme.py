"""The README: short, and its names and numbers are those of the registries."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.store.manifest import BASELINE_FAMILY
from datasets import DATASETS
from datasets.papers import papers
from methods import METHODS
from metrics import METRICS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
#: Lines that a reader may be asked to read.
MOST_LINES = 150


def test_it_is_short():
    assert len(TEXT.splitlines()) <= MOST_LINES


def test_its_counts_are_those_of_the_registries():
    methods = [m for m in METHODS if m.family != BASELINE_FAMILY]
    assert f"{len(methods)} methods run by name" in TEXT
    assert f"**Metrics that can be trusted.** {len(METRICS)} of them" in TEXT
    assert f"images of {len(papers())} published ones" in TEXT


def test_it_names_every_method_and_dataset():
    prose = re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)
    named = {name for code in re.findall(r"`([^`]+)`", prose) for name in code.split()}
    assert {m.name for m in METHODS} <= named
    shown = {d.name for d in DATASETS if not d.name.startswith("heldout-")}
    assert shown <= {name.partition(":")[0] for name in named}


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", TEXT))))
def test_its_links_lead_to_files(link):
    assert link.startswith("https://") or (ROOT / link).is_file()

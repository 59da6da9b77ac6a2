"""The leaderboard's page: methods with their papers and times, principal metrics of many."""

from __future__ import annotations

import dataclasses

import pandas as pd

from bench.engine.selection import PRINCIPAL_METRICS, select_metrics
from bench.store.manifest import MetricEntry
from metrics import METRICS
from reports.tables.leaderboard import write_leaderboard
from tests.reports.runs import a_run

ROWS = ("lp", "fcn", "liu2020:gff")


def a_page(folder, names):
    """Markdown and CSV of the leaderboard of a run of the metrics `names`."""
    values = {m: {"clock": dict.fromkeys(names, 0.5 + k)} for k, m in enumerate(ROWS)}
    metrics = [MetricEntry(n, f"label of {n}", True) for n in names]
    results = a_run(folder, values, metrics=metrics)
    methods = [
        dataclasses.replace(m, title="A title", year=1983, doi="10.1/x") if m.name == "lp" else m
        for m in results.manifest.methods
    ]
    manifest = dataclasses.replace(results.manifest, methods=methods)
    write_leaderboard(dataclasses.replace(results, manifest=manifest), folder)
    return (folder / "leaderboard.md").read_text(), pd.read_csv(folder / "leaderboard.csv")


def test_methods_have_title_year_link_and_time(tmp_path):
    page, _ = a_page(tmp_path, ["mi", "ie"])
    lines = page.split("## Methods")[1].split("## ")[0].splitlines()
    rows = {cells[1]: cells[2:-1] for line in lines if len(cells := split(line)) > 2}
    assert rows["lp"] == ["A title", "1983", "[doi:10.1/x](https://doi.org/10.1/x)", "0.500"]
    assert rows["liu2020:gff"][1] == "2013"
    assert "10.1109/TIP.2013.2244222" in rows["liu2020:gff"][2]
    assert rows["fcn"][1:3] == ["–", "–"]
    assert page.startswith("# Leaderboard of paper\n\n3 methods on 1 scene. Made from the run `")


def split(line):
    return [cell.strip() for cell in line.split("|")]


def test_a_page_of_many_metrics_shows_the_principal_ones_and_a_plug_ins(tmp_path):
    page, table = a_page(tmp_path, ["mine", *METRICS.names()])
    (header,) = [
        line for line in page.splitlines() if line.startswith("| Method") and "Overall" in line
    ]
    shown = [cell.split()[2] for cell in split(header) if cell.startswith("label of")]
    assert shown == [*PRINCIPAL_METRICS, "mine"]
    assert f"has {len(METRICS) - len(PRINCIPAL_METRICS)} more metrics" in page
    assert set(table.metric) == {"mine", *METRICS.names()}


def test_a_page_of_few_metrics_shows_all(tmp_path):
    page, _ = a_page(tmp_path, ["lmi", "scd"])
    assert "label of lmi" in page
    assert "more metrics" not in page


def test_principal_is_a_group():
    assert [m.name for m in select_metrics("principal")] == list(PRINCIPAL_METRICS)
    assert {"paper", "principal"}.isdisjoint(METRICS.names())

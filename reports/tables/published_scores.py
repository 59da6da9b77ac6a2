"""Our scores on Real-MFF beside the published ones, as CSV and Markdown."""

from __future__ import annotations

from pathlib import Path

from bench.core.files import write_bytes
from metrics import METRICS
from reports.data.published_comparison import beside_published, summary
from reports.data.results import Results
from reports.tables.formats import Cell, to_markdown


def write_published_scores(results: Results, out: Path, dataset: str = "") -> list[Path]:
    """Write ``images.csv`` and ``published-scores.md`` below `out`.

    See `reports.data.published_comparison.beside_published` for arguments and errors.
    """
    table = beside_published(results, dataset)
    rows = []
    for row in summary(table).itertuples():
        head = (METRICS[str(row.metric)].label, str(row.method), str(row.pairs))
        signed = f"{row.difference:+.4f}".replace("-", "−")
        numbers = (f"{row.ours:.4f}", f"{row.published:.4f}", signed, f"{row.largest:.4f}")
        rows.append([Cell(text) for text in (*head, *numbers)])
    headers = ["Metric", "Method", "Pairs", "Ours", "Published", "Mean difference", "Largest"]
    body = to_markdown(headers, rows, left=(0, 1))
    text = f"# Our scores on Real-MFF and the published ones\n\n{body}"
    files = {
        "images.csv": table.to_csv(index=False, lineterminator="\n"),
        "published-scores.md": f"{text}\n",
    }
    for name, content in files.items():
        write_bytes(out / name, content.encode())
    return [out / name for name in files]

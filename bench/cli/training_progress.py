"""Progress of a training on standard error, for the commands that train."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bench.cli import console
from methods.learned.train.observer import Observer
from methods.learned.train.options import Progress, Report


class TrainingProgress(Observer):
    """A bar with the validation PSNR and the time left, and a line for each note."""

    def note(self, text: str) -> None:
        """Print the line."""
        console.note(text)

    @contextmanager
    def progress(self, network: str) -> Iterator[Report]:
        """Show the bar within the block."""
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %  {task.fields[text]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        with bar:
            task = bar.add_task(network, total=1.0, text="")

            def report(state: Progress) -> None:
                text = f"step {state.step}  loss {state.loss:.4f}  PSNR {state.psnr:.2f} dB"
                bar.update(task, completed=state.share, text=text)

            yield report
            bar.update(task, completed=1.0)

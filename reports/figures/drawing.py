"""How all figures look, and how they are written: PNG and PDF in the width of a page.

Seven inches wide, no letter below 7 points, colours that the colour-blind tell apart.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.core.errors import EnvironmentFault, UsageError
from bench.core.files import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 7.2

#: Dots an inch of the PNG, and of the images inside the PDF, which is printed or zoomed into.
DPI = {"png": 200, "pdf": 300}

#: Okabe and Ito's colours, which the colour-blind tell apart; lines differ in style as well.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
STYLES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P")

#: Text as it is (a ``$`` in a name is no formula), fonts that can be searched and edited.
_STYLE: Any = {
    "font.size": 8,
    "text.parse_math": False,
    "pdf.fonttype": 42,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


@contextlib.contextmanager
def style() -> Iterator[None]:
    """Draw in this style inside the block.

    Raises
    ------
    EnvironmentFault
        Matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError:
        raise EnvironmentFault(
            "figures need Matplotlib, which is missing: pip install mfif-bench[plots]"
        ) from None
    with matplotlib.rc_context(_STYLE):
        yield


def stem(path: Path) -> Path:
    """A picture's path without its ``.png`` or ``.pdf``; another dot belongs to the name.

    Raises
    ------
    UsageError
        It names no file.
    """
    if not path.name:
        raise UsageError(f"a picture needs a file name, got {str(path)!r}")
    return path.with_suffix("") if path.suffix.lower() in (".png", ".pdf") else path


def save(figure: Figure, stem: Path) -> list[Path]:
    """Write ``STEM.png`` and ``STEM.pdf``; the same figure gives the same bytes."""
    paths = []
    for kind, dpi in DPI.items():
        buffer = io.BytesIO()
        # No dates inside, so that the same run gives the same file.
        metadata = {"CreationDate": None} if kind == "pdf" else {"Software": None}
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=metadata)
        paths.append(stem.with_name(f"{stem.name}.{kind}"))
        write_bytes(paths[-1], buffer.getvalue())
    return paths

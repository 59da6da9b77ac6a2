"""The published scores of 30 methods on the 710 pairs of Real-MFF.

Liu, Qi, Cheng, Chen, "Rethinking the effectiveness of objective evaluation metrics in multi-focus
image fusion", IEEE Transactions on Pattern Analysis and Machine Intelligence 46(8), 2024,
doi:10.1109/TPAMI.2024.3367905. One spreadsheet a metric; a row is a method, a column a pair.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from xml.etree import ElementTree

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from bench.core.errors import DataUnavailable, UnknownName
from datasets.fetch import local_path

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = lazy.load("pandas")

#: The collection of the catalogue that has the spreadsheets.
COLLECTION = "real-mff-scores"

#: Number of pairs; the files of pair k are ``001_A.png`` and so on.
PAIRS = 710

Kind = Literal["decision", "transform"]


@dataclass(frozen=True)
class PublishedMethod:
    """A row of the spreadsheets.

    Attributes
    ----------
    name : str
        As the authors write it.
    kind : {'decision', 'transform'}
        Whether pixels are taken from the sources by a map of weights, or computed.
    ours : str
        The method of this benchmark that computes the same; empty if there is none.
    """

    name: str
    kind: Kind
    ours: str = ""


@dataclass(frozen=True)
class PublishedMetric:
    """A spreadsheet.

    Attributes
    ----------
    name, file : str
        As the authors write it, and its path in the collection.
    ours : str
        The metric of this benchmark with the same definition; empty if there is none.
    higher_is_better : bool
        The direction.
    """

    name: str
    file: str
    ours: str
    higher_is_better: bool = True


def _rows(kind: Kind, names: str) -> dict[str, PublishedMethod]:
    pairs = (name.partition("=")[::2] for name in names.split())
    return {name: PublishedMethod(name, kind, ours) for name, ours in pairs}


_BY_NAME = _rows(
    "transform",
    "LP=lp SIDWT DTCWT=dtcwt NSCT=nsct SR CSR ICA NSCT-SR IFCNN U2Fusion",
) | _rows(
    "decision",
    "GFF=gf MWGF=mwgf SSSDI PC QUADTREE=quadtree IMF DSIFT=dsift SRCF BF=bf GFDF=gfdf BRW=brw "
    "MISF CNN=cnn ECNN MADCNN SMFuse SESF DRPL MSFIN MFF-SSIM",
)

#: Names of the rows in their order, which the authors' script of the metrics gives.
_ROWS = (
    "LP SIDWT DTCWT NSCT GFF SR CSR MWGF ICA NSCT-SR SSSDI PC QUADTREE IMF DSIFT SRCF BF GFDF BRW "
    "MISF CNN ECNN IFCNN MADCNN SMFuse SESF DRPL MSFIN U2Fusion MFF-SSIM"
)

#: The methods in the order of the rows. Two gray pairs with published images bear the kinds out:
#: where the sources differ by more than 4 levels, decision methods equal one of them in 37 to
#: 100 % of the pixels (GFF and MADCNN, whose maps are soft, in 37 to 66 %), transforms in 2 to
#: 36 %, and NSCT-SR in 44 and 62 %.
METHODS = tuple(_BY_NAME[name] for name in _ROWS.split())


def _sheet(name: str, ours: str, higher_is_better: bool = True) -> PublishedMetric:
    folder = "FR-IQA-results" if name.startswith("GT_") else "Metric-results"
    return PublishedMetric(name, f"{folder}/{name}.xlsx", ours, higher_is_better)


#: The metrics, with the one of ours that computes what the authors' MATLAB code does: the survey's
#: code and defaults. `qte_toolbox` swaps two marginals as the toolbox does. Q_CNN is a network.
METRICS = (
    _sheet("EN", "ie"),
    _sheet("SD", "sd"),
    _sheet("AG", "ag"),
    _sheet("SF", "sf"),
    _sheet("EI", "ei"),
    _sheet("Q_MI", "mi"),
    _sheet("Q_NCIE", "qncie"),
    _sheet("Q_TE", "qte_toolbox"),
    _sheet("Q_LMI", "lmi"),
    _sheet("Q_FMI", "fmi"),
    _sheet("Q_SCD", "scd"),
    _sheet("Q_G", "qabf"),
    _sheet("Q_P", "qp"),
    _sheet("Q_W", "qw"),
    _sheet("Q_C", "qc"),
    _sheet("Q_Y", "qy"),
    _sheet("Q_CB", "qcb"),
    _sheet("Q_CV", "qcv", higher_is_better=False),
    _sheet("Q_VIFF", "viff"),
    _sheet("Q_CNN", ""),
    _sheet("GT_psnr", "psnr"),
    _sheet("GT_ssim", "ssim"),
    _sheet("GT_gmsd", "gmsd", higher_is_better=False),
)


def metric_of(ours: str) -> PublishedMetric:
    """The published metric with the definition of our metric `ours`.

    Raises
    ------
    UnknownName
        None has it.

    Examples
    --------
    >>> from datasets.real_mff import metric_of
    >>> metric_of("mi").name
    'Q_MI'
    """
    known = {metric.ours: metric for metric in METRICS if metric.ours}
    if ours not in known:
        raise UnknownName("metric of the published scores", ours, known)
    return known[ours]


def published_scores(metric: PublishedMetric) -> pd.DataFrame:
    """The scores of one metric: one row a pair (``"001"`` to ``"710"``), one column a method.

    Parameters
    ----------
    metric : PublishedMetric
        One of `METRICS`.

    Raises
    ------
    DataUnavailable
        The spreadsheet is not on this machine and cannot be downloaded, or is not as described.
    EnvironmentFault
        The file in ``MFIF_DATA`` differs from the catalogue.
    """
    table = _sheet_values(local_path(COLLECTION, metric.file), (len(METHODS), PAIRS))
    return pd.DataFrame(
        table.T,
        index=pd.Index(scene_names(PAIRS), name="scene"),
        columns=[method.name for method in METHODS],
    )


def scene_names(pairs: int) -> list[str]:
    """``001``, ``002``, …: the names of the pairs, as those of their files."""
    return [f"{k:03}" for k in range(1, pairs + 1)]


@cache
def _sheet_values(file: Path, shape: tuple[int, int]) -> NDArray[np.float64]:
    values = read_sheet(file)
    if values.shape != shape:
        raise DataUnavailable(
            f"{file}: {' x '.join(map(str, values.shape))} values, expected {shape[0]} methods x "
            f"{shape[1]} pairs"
        )
    values.flags.writeable = False
    return values


#: Namespace of the elements of a spreadsheet.
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def read_sheet(file: Path) -> NDArray[np.float64]:
    """The numbers of a spreadsheet (xlsx) that holds one sheet of numbers and nothing else.

    Libraries for spreadsheets take ten times as long and are no dependency of this project.

    Raises
    ------
    DataUnavailable
        It is no such file: another format, several sheets, text, gaps or rows of different length.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            sheets = [n for n in archive.namelist() if n.startswith("xl/worksheets/sheet")]
            if len(sheets) != 1:
                raise DataUnavailable(f"{file}: {len(sheets)} sheets, expected 1")
            root = ElementTree.fromstring(archive.read(sheets[0]))
        rows = [_numbers(row.iter(f"{_MAIN}c")) for row in root.iter(f"{_MAIN}row")]
        return np.array(rows, dtype=np.float64).reshape(len(rows), -1)
    except (OSError, zipfile.BadZipFile, ElementTree.ParseError, ValueError, TypeError) as error:
        raise DataUnavailable(f"{file}: not a spreadsheet of numbers ({error})") from None


def _numbers(cells: Iterable[ElementTree.Element]) -> list[float]:
    found = []
    for cell in cells:
        if cell.get("t", "n") != "n":
            raise ValueError(f"cell {cell.get('r')} is not a number")
        found.append(float(cell.findtext(f"{_MAIN}v")))  # type: ignore[arg-type]  # None: a gap
    return found

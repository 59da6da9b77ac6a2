"""Which metric to believe: agreement with the error, on several kinds of evidence.

Agreement is the mean over scenes of the rank correlation of a metric with a metric against the
reference, over the methods that fuse. Experiments show on what it depends.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bench.core.errors import BenchError, NothingSelected, UsageError
from reports.data.agreement import agreement, mean_agreement
from reports.data.changed_references import CHANGES, rescored
from reports.data.evidence import (
    AGAINST,
    FEWEST,
    REAL,
    Evidence,
    evidence_of,
    published_evidence,
    together,
)
from reports.data.results import Results

_log = logging.getLogger(__name__)

#: Called with one line: what is missing, and why.
Note = Callable[[str], None]

#: The data set whose references are changed: pairs without noise.
CHANGED = "synthetic-lens"

#: The data set that differs from it only in the shape of what is in front.
FINE = "synthetic-fine"

#: The method by whose PSNR the pairs of Real-MFF are divided into quarters, from hard to easy.
GAUGE = "cnn"

#: The methods of this project's first study of agreement, which had few classical decision maps.
FIRST_STUDY = (
    *("dwt", "lp", "sp", "rp", "psf", "cp", "gf", "srcnn", "cnn", "fcn", "sobel"),
    *("fcn-w", "fcn-x", "fcn-x-hard", "fcn-s", "fcn-s-hard"),
)

#: Metrics against the reference in the experiments.
IN_EXPERIMENTS = ("psnr", "ssim")

#: The experiment without the methods of the lowest PSNR.
REST = f"{REAL}, the three worst left out"

#: Parts of the methods that agreement is computed of.
FAMILIES = ("all", "decision", "transform")


@dataclass(frozen=True)
class Study:
    """The result.

    Attributes
    ----------
    evidence : dict of str to str
        What was compared, with the number of scenes, in the order of the columns.
    agreement : DataFrame
        One row for each evidence, family of methods, metric and metric against the reference:
        ``evidence, family, metric, against`` and the fields of `reports.data.agreement.Agreement`.
    experiments : DataFrame
        One row for each experiment, set of methods, metric and metric against the reference:
        ``experiment, what, set, metric, against, spearman, scenes, methods``. The sets are
        ``all``, ``common`` and ``first study`` (`FIRST_STUDY`).
    common : tuple of str
        Methods that the run and the published scores have both.
    missing : tuple of str
        What could not be compared, and why.
    """

    evidence: dict[str, str]
    agreement: pd.DataFrame
    experiments: pd.DataFrame
    common: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def make_study(
    results: Results,
    note: Note = _log.warning,
    seed: int = 0,
    others: Sequence[Results] = (),
) -> Study:
    """Compare a run, and the published scores of Real-MFF where they are at hand.

    Parameters
    ----------
    results : Results
        A run with metrics against the reference on data sets that have one.
    note : callable
        Called with one line for what cannot be compared, and why.
    seed : int
        Seed of the bootstrap.
    others : sequence of Results
        Further runs, on other data sets.

    Raises
    ------
    UsageError
        Two runs have the same data set.
    NothingSelected
        No data set of the run has a reference, four methods and a metric against the reference.
    """
    found = [each for run in (results, *others) for each in evidence_of(run)]
    missing = list[str]()
    twice = [name for name, count in Counter(each.name for each in found).items() if count > 1]
    if twice:
        raise UsageError(f"two of the runs have the data set {twice[0]!r}")
    if not found:
        raise NothingSelected(
            "no data set of the run has a reference, four methods that fuse and one of the "
            f"metrics {', '.join(AGAINST)}"
        )
    real = None
    try:
        real = published_evidence()
    except BenchError as error:
        missing.append(f"no comparison with {REAL}: {error}")
    both = [*found, *([real] if real else [])]
    common = tuple(n for n in both[0].methods if real and n in real.methods)
    rows = [row for each in both for row in _agreement_rows(each, seed)]
    experiments = list(_experiments(found, real, common))
    try:
        experiments += _changed(results, found, common)
    except BenchError as error:
        missing.append(f"no experiment with changed references: {error}")
    for line in missing:
        note(line)
    return Study(
        {each.name: each.title for each in both},
        pd.DataFrame(rows),
        pd.DataFrame([row for each in experiments for row in _experiment_rows(each)]),
        common,
        tuple(missing),
    )


@dataclass(frozen=True)
class _Experiment:
    """Evidence under a changed condition."""

    name: str
    what: str
    evidence: Evidence
    common: tuple[str, ...]


def _agreement_rows(evidence: Evidence, seed: int) -> Iterator[dict[str, object]]:
    for family in FAMILIES:
        part = evidence if family == "all" else evidence.of_kind(family)
        for metric, against, values, reference in _pairs(part):
            found = mean_agreement(values, reference, seed=seed)
            if found.scenes:
                head = {"evidence": evidence.name, "family": family}
                yield head | {"metric": metric, "against": against} | vars(found)


def _pairs(evidence: Evidence) -> Iterator[tuple[str, str, pd.DataFrame, pd.DataFrame]]:
    """Each metric with each one against the reference, where there are methods enough."""
    for against in AGAINST:
        reference = evidence.scores.get(against)
        if reference is None or len(reference.columns) < FEWEST:
            continue
        for metric, values in evidence.scores.items():
            if metric != against:
                yield metric, against, values, reference


def _experiments(
    found: Sequence[Evidence], real: Evidence | None, common: tuple[str, ...]
) -> Iterator[_Experiment]:
    """What was compared, as it is; parts of the methods and of the pairs of Real-MFF."""
    if real:
        yield _Experiment(REAL, real.title, real, common)
        worst = _worst(real)
        rest = real.only([name for name in real.methods if name not in worst])
        yield _Experiment(REST, f"without {', '.join(worst)}", rest, ())
        for k, scenes in enumerate(_quarters(real)):
            what = f"the {len(scenes)} pairs of the {_ORDINALS[k]} quarter of {GAUGE}'s PSNR"
            yield _Experiment(f"{REAL}, quarter {k + 1}", what, real.on(scenes), common)
    for each in found:
        yield _Experiment(each.name, each.title, each, common)
    mixed = [each for each in found if each.name == CHANGED or each.name.startswith(FINE)]
    if len(mixed) > 1:
        names = " and ".join(each.name for each in mixed)
        yield _Experiment(names, "their scenes together", together(mixed), common)


_ORDINALS = ("first (lowest)", "second", "third", "fourth (highest)")


def _worst(real: Evidence, count: int = 3) -> list[str]:
    """The methods of the lowest mean PSNR."""
    return [str(name) for name in real.scores["psnr"].mean().sort_values().index[:count]]


def _quarters(real: Evidence) -> list[list[str]]:
    """Scenes in four groups by the PSNR of `GAUGE`, from low to high."""
    order = real.scores["psnr"][GAUGE].sort_values(kind="stable").index
    return [[*part] for part in np.array_split(order.to_numpy(), 4)]


def _changed(
    results: Results, found: Sequence[Evidence], common: tuple[str, ...]
) -> list[_Experiment]:
    """Evidence of `CHANGED` with changed references."""
    base = next((each for each in found if each.name == CHANGED), None)
    if base is None:
        return []
    tables = rescored(results, CHANGED)
    experiments = []
    for change in CHANGES:
        kept = {name: table for name, table in base.scores.items() if name not in AGAINST}
        scores = kept | tables[change.name]
        name = f"{CHANGED}, {change.name}"
        experiments.append(
            _Experiment(name, f"reference {change.title}", replace(base, scores=scores), common)
        )
    return experiments


def _experiment_rows(experiment: _Experiment) -> Iterator[dict[str, object]]:
    head = {"experiment": experiment.name, "what": experiment.what}
    sets = {"all": experiment.evidence.methods, "common": experiment.common}
    if {*FIRST_STUDY} <= {*experiment.evidence.methods}:
        sets["first study"] = FIRST_STUDY
    for name, methods in sets.items():
        evidence = experiment.evidence.only(methods)
        for metric, against, values, reference in _pairs(evidence):
            found = agreement(values, reference)["spearman"].dropna()
            if against in IN_EXPERIMENTS and len(found):
                numbers = {"scenes": len(found), "methods": len(evidence.methods)}
                tail = {"metric": metric, "against": against, "spearman": found.mean()}
                yield head | {"set": name} | tail | numbers


def distances(study: Study, against: str = "psnr", methods: str = "common") -> pd.Series:
    """How far the agreement of an experiment is from that of Real-MFF.

    Parameters
    ----------
    study : Study
        Its experiments.
    against : str
        The metric against the reference.
    methods : {'common', 'all'}
        The set of methods.

    Returns
    -------
    Series
        By experiment: root mean square, over the metrics that both have, of the difference of
        Spearman's correlations. Empty without the published scores.
    """
    table = study.experiments
    if not len(table):
        return pd.Series(dtype=float)
    mine = table[(table["against"] == against) & (table["set"] == methods)]
    wide = mine.pivot(index="experiment", columns="metric", values="spearman")
    if REAL not in wide.index:
        return pd.Series(dtype=float)
    target = wide.loc[REAL].drop(labels=list(AGAINST), errors="ignore").dropna()
    gaps = (wide[target.index] - target).dropna(axis=1, how="all")
    return np.sqrt((gaps**2).mean(axis=1)).reindex(mine["experiment"].unique())


def lowest(study: Study, against: str = "psnr", family: str = "all") -> pd.DataFrame:
    """The least agreement of each metric over the evidence: what can be relied on everywhere.

    Parameters
    ----------
    study : Study
        Its agreement.
    against : str
        The metric against the reference.
    family : str
        The part of the methods.

    Returns
    -------
    DataFrame
        Indexed by metric, best first: ``lowest`` (Spearman), ``low`` (the lower end of its
        interval), ``where`` (the evidence) and ``count`` (how many pieces of evidence have the
        metric). Only metrics that the published scores have, if there are any, and all other
        evidence but one at most: some are not defined for stacks.
    """
    table = study.agreement
    mine = table[(table["against"] == against) & (table["family"] == family)]
    named = set(mine["evidence"])
    fewest = max(1, len(named) - 1)
    rows = {}
    for metric, part in mine.groupby("metric"):
        worst = part.iloc[int(part["spearman"].argmin())]
        published = REAL not in named or REAL in set(part["evidence"])
        if published and len(part) >= fewest and metric not in AGAINST:
            rows[metric] = (worst.spearman, worst.spearman_low, worst.evidence, len(part))
    frame = pd.DataFrame.from_dict(
        rows, orient="index", columns=["lowest", "low", "where", "count"]
    )
    return frame.sort_values("lowest", ascending=False)

"""What a run consists of: methods with their parameters, scenes, metrics, and the keys of cells.

A cell is one method on one scene. Its key hashes everything that its fused image depends on,
so that a cell whose key has a record never runs again.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bench.core.errors import NothingSelected, UsageError
from bench.core.fingerprint import digest, function_fingerprint, modules_fingerprint
from bench.core.precision import Precision, number_format
from bench.engine.image_folder import IMAGES_PREFIX, ImageFolder, select_images
from bench.engine.names import (
    METRIC_ALIASES,
    as_texts,
    choose,
    find,
    is_glob,
    matching,
    split_names,
    split_outside,
)
from bench.engine.published import PublishedMethod, is_published, select_published
from datasets import Scene, load_scenes
from methods import FAMILY_ALIASES, METHODS, Method
from metrics import METRICS, Metric

#: The project's own code that every fused image depends on.
FRAMEWORK = ("methods._fusion",)


@dataclass(frozen=True)
class ConfiguredMethod:
    """A method with the parameters of this run.

    Attributes
    ----------
    method : Method
        The registered method.
    parameters : mapping
        What differs from its defaults.
    """

    method: Method
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The method's name, with the changed parameters after an ``@``."""
        if not self.parameters:
            return self.method.name
        changed = ",".join(f"{key}={_text(v)}" for key, v in sorted(self.parameters.items()))
        return f"{self.method.name}@{changed}"

    @property
    def title(self) -> str:
        """The method's name spelled out."""
        return self.method.title

    @property
    def family(self) -> str:
        """The method's group."""
        return self.method.family

    @property
    def paper(self) -> str:
        """Where the method is defined."""
        return self.method.paper

    @property
    def year(self) -> int | None:
        """When the method's paper was published."""
        return self.method.year

    @property
    def doi(self) -> str:
        """The DOI of the method's paper."""
        return self.method.doi

    def covers(self, scene: Scene) -> bool:
        """Whether it can be run on `scene`: always."""
        return True

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Everything of the method that its output depends on."""
        method = self.method
        program = {} if method.program is None else {"program": method.program.identity}
        return {
            **program,
            "method": method.name,
            "kind": method.kind,
            "colour": method.colour,
            "stack": method.stack,
            "parameters": {**method.parameters, **self.parameters},
            "source": function_fingerprint(method.fn),
            "weights": method.weights_digest,
            "framework": modules_fingerprint(FRAMEWORK),
        }

    def key(self, scene: str, device: str, precision: Precision = "auto") -> str:
        """Key of this method's cell on the scene of fingerprint `scene`."""
        where = device.partition(":")[0] if self.method.takes_device else None
        how = number_format(device, precision) if self.method.takes_precision else None
        return digest({**self.identity, "scene": scene, "device": where, "precision": how})


def _text(value: Any) -> str:
    """A parameter's value as it is written on the command line."""
    if isinstance(value, str):
        return repr(value) if re.search(r"""[,()\[\]{}'"]""", value) else value
    return str(value).replace(", ", ",")


#: A row of a run.
SelectedMethod = ConfiguredMethod | PublishedMethod | ImageFolder


def select_methods(
    texts: str | Sequence[str], scenes: Sequence[Scene] = ()
) -> list[SelectedMethod]:
    """Methods by name, alias, family or glob; ``all``, ``NAME@parameter=value,…``, or images.

    Parameters
    ----------
    texts : str or sequence of str
        Each may hold several names separated by commas. ``fcn*`` are all that match, ``-rp``
        removes what was selected before; ``published:COLLECTION``, ``COLLECTION:METHOD`` and
        ``images:NAME=DIR`` are fused images that exist already.
    scenes : sequence of Scene
        What the images of a folder may belong to.

    Raises
    ------
    UnknownName
        No method of that name.
    UsageError
        A parameter that the method does not have, or of another type.

    Examples
    --------
    >>> from bench.engine.selection import select_methods
    >>> [method.name for method in select_methods(["average", "LP@levels=5"])]
    ['average', 'lp@levels=5']
    """
    chosen = choose("method", texts, lambda text: _methods(text, scenes))
    if not chosen:
        raise NothingSelected("no method selected")
    return list(chosen.values())


def _methods(text: str, scenes: Sequence[Scene]) -> Sequence[SelectedMethod]:
    if is_published(text):
        return select_published(text)
    if text.lower().startswith(IMAGES_PREFIX):
        return select_images(text, scenes)
    low = FAMILY_ALIASES.get(text.lower(), text.lower())
    if low == "all":
        return [ConfiguredMethod(m) for m in METHODS if m.in_all]
    if low in {method.family for method in METHODS}:
        return [ConfiguredMethod(method) for method in METHODS if method.family == low]
    if is_glob(text.partition("@")[0]):
        return [ConfiguredMethod(method) for method in matching("method", text, METHODS)]
    return [configured_method(text)]


def select_metrics(texts: str | Sequence[str]) -> list[Metric]:
    """Metrics by name, label, alias or glob; ``all``, a family's name, or ``paper`` for its six.

    Examples
    --------
    >>> from bench.engine.selection import select_metrics
    >>> [metric.name for metric in select_metrics(["QG", "en", "paper,-q*"])]
    ['ie', 'mi']
    """
    chosen = choose("metric", texts, _metrics)
    if not chosen:
        raise NothingSelected("no metric selected")
    labels: dict[str, str] = {}
    for metric in chosen.values():
        if (other := labels.setdefault(metric.label, metric.name)) != metric.name:
            raise UsageError(
                f"metrics {other!r} and {metric.name!r} have one label, {metric.label!r}: no table "
                "could tell them apart"
            )
        if metric.variant_of and metric.variant_of not in METRICS:
            raise UsageError(
                f"metric {metric.name!r}: variant_of {metric.variant_of!r} is no known metric"
            )
    return list(chosen.values())


def _metrics(text: str) -> Sequence[Metric]:
    low = text.lower()
    if low == "all":
        return list(METRICS)
    if low == "paper":
        return [METRICS[name] for name in PAPER_METRICS]
    if low == "principal":
        return [METRICS[name] for name in PRINCIPAL_METRICS]
    if low in {metric.family for metric in METRICS}:
        return [metric for metric in METRICS if metric.family == low]
    if is_glob(text):
        return matching("metric", text, METRICS)
    return [find(METRICS, text, METRIC_ALIASES)]


def named_metrics(texts: str | Sequence[str]) -> list[str]:
    """The metrics that `texts` select by their own name, not by a group or a glob."""
    groups = {"all", "paper", "principal", *(metric.family for metric in METRICS)}
    names = [t for t in split_names(texts) if t[0] != "-" and not is_glob(t)]
    return [find(METRICS, t, METRIC_ALIASES).name for t in names if t.lower() not in groups]


def select_scenes(texts: str | Sequence[str], layout: str | Sequence[str] = ()) -> list[Scene]:
    """Scenes of datasets and subsets, folders, globs, ranges; see `datasets.load_scenes`.

    Parameters
    ----------
    texts : str or sequence of str
        What selects them.
    layout : str or sequence of str
        Which files of ``folder:DIR`` are what.

    Examples
    --------
    >>> from bench.engine.selection import select_scenes
    >>> [scene.name for scene in select_scenes("Paper/c*")]
    ['paper/clock', 'paper/camera', 'paper/color']
    """
    return load_scenes(as_texts(texts), as_texts(layout))


#: The metrics of the paper's Tables 1-4, in the order of their columns.
PAPER_METRICS = ("ie", "mi", "qabf", "q", "qw", "qe")

#: One or two metrics of each kind that the field uses: what printed tables show of many metrics.
PRINCIPAL_METRICS = (*PAPER_METRICS, "qncie", "qp", "qy", "qcb", "qcv", "viff", "psnr", "ssim")


def configured_method(text: str) -> ConfiguredMethod:
    """The method of ``NAME`` or ``NAME@parameter=value,…``."""
    (text,) = as_texts(text)
    name, _, settings = text.partition("@")
    method = find(METHODS, name)
    parameters: dict[str, Any] = {}
    for setting in filter(None, split_outside(settings)):
        key, equals, value = (part.strip() for part in setting.partition("="))
        if not equals or key not in method.parameters:
            raise UsageError(
                f"method {method.name!r}: {setting!r} is not parameter=value of "
                f"{', '.join(method.parameters) or 'a method without parameters'}"
            )
        parameters[key] = _value(method.name, key, value, method.parameters[key])
    changed = {k: v for k, v in parameters.items() if v != method.parameters[k]}
    return ConfiguredMethod(method, changed)


def _value(method: str, key: str, text: str, default: Any) -> Any:
    """A parameter's value from the command line, of the type of its default."""
    if isinstance(default, str) and text[:1] not in ("'", '"'):
        return text
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = text
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if default is not None and type(value) is not type(default):
        raise UsageError(
            f"method {method!r}: {key}={text} is not of type {type(default).__name__}, "
            f"as its default {default!r} is"
        )
    return value

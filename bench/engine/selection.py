"""What a run consists of: methods with their parameters, scenes, metrics, and the keys of cells.

A cell is one method on one scene. Its key hashes everything that its fused image depends on,
so that a cell whose key has a record never runs again.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bench.core.errors import NothingSelected, UsageError
from bench.core.fingerprint import digest, function_fingerprint, modules_fingerprint
from bench.core.precision import Precision, number_format
from bench.engine.published import PREFIX, Published, select_published
from datasets import Scene
from methods import METHODS, Method
from metrics import METRICS, Metric

#: The framework's own code that a fused image depends on, and that every score depends on.
FRAMEWORK = ("methods._fusion",)


@dataclass(frozen=True)
class Variant:
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
        changed = ",".join(f"{key}={value}" for key, value in sorted(self.parameters.items()))
        return f"{self.method.name}@{changed}"

    @property
    def title(self) -> str:
        """The method's name spelled out."""
        return self.method.title

    @property
    def family(self) -> str:
        """The method's group."""
        return self.method.family

    def covers(self, scene: Scene) -> bool:
        """Whether it can be run on `scene`: a method meets them all."""
        return True

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Everything of the method that its output depends on."""
        method = self.method
        return {
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


#: A row of a run.
Entrant = Variant | Published


def select_methods(texts: Sequence[str]) -> list[Entrant]:
    """Methods by name; ``all``, a family, ``NAME@parameter=value,…``, ``published:COLLECTION``.

    Parameters
    ----------
    texts : sequence of str
        Each may hold several names separated by commas.

    Raises
    ------
    UnknownName
        No method of that name.
    UsageError
        A parameter that the method does not have, or of another type.

    Examples
    --------
    >>> from bench.engine.selection import select_methods
    >>> [variant.name for variant in select_methods(["average", "lp@levels=5"])]
    ['average', 'lp@levels=5']
    """
    chosen: dict[str, Entrant] = {}
    families = {method.family for method in METHODS}
    variants: Sequence[Entrant]
    for text in split_names(texts):
        if text.startswith(PREFIX):
            variants = select_published(text)
        elif text == "all":
            variants = [Variant(method) for method in METHODS]
        elif text in families:
            variants = [Variant(method) for method in METHODS if method.family == text]
        else:
            variants = [_variant(text)]
        for variant in variants:
            chosen.setdefault(variant.name, variant)
    if not chosen:
        raise NothingSelected("no method selected")
    return list(chosen.values())


def select_metrics(texts: Sequence[str]) -> list[Metric]:
    """Metrics by name; ``all``, a family's name, or ``paper`` for the paper's six."""
    chosen: dict[str, Metric] = {}
    families = {metric.family for metric in METRICS}
    for text in split_names(texts):
        if text == "all":
            metrics = list(METRICS)
        elif text == "paper":
            metrics = [METRICS[name] for name in PAPER_METRICS]
        elif text in families:
            metrics = [metric for metric in METRICS if metric.family == text]
        else:
            metrics = [METRICS[text]]
        chosen.update((metric.name, metric) for metric in metrics)
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


#: The indexes of the paper's Tables 1-4, in the order of their columns.
PAPER_METRICS = ("ie", "mi", "qabf", "q", "qw", "qe")


def split_names(texts: Sequence[str]) -> list[str]:
    """Split at commas, keeping together the parameters of one variant."""
    names: list[str] = []
    for text in texts:
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            if "=" in part and "@" not in part and names and "@" in names[-1]:
                names[-1] += f",{part}"
            else:
                names.append(part)
    return names


def _variant(text: str) -> Variant:
    name, _, settings = text.partition("@")
    method = METHODS[name]
    parameters: dict[str, Any] = {}
    for setting in filter(None, settings.split(",")):
        key, equals, value = setting.partition("=")
        if not equals or key not in method.parameters:
            raise UsageError(
                f"method {name!r}: {setting!r} is not parameter=value of "
                f"{', '.join(method.parameters) or 'a method without parameters'}"
            )
        parameters[key] = _value(name, key, value, method.parameters[key])
    changed = {k: v for k, v in parameters.items() if v != method.parameters[k]}
    return Variant(method, changed)


def _value(method: str, key: str, text: str, default: Any) -> Any:
    """A parameter's value from the command line, of the type of its default."""
    if isinstance(default, str):
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

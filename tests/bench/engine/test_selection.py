"""Selections from the command line, and keys that change with what they should."""

from __future__ import annotations

import dataclasses

import pytest

from bench.core.errors import NothingSelected, UnknownName, UsageError
from bench.engine.names import split_names
from bench.engine.selection import (
    ConfiguredMethod,
    configured_method,
    select_methods,
    select_metrics,
    select_scenes,
)
from bench.store.keys import metric_fingerprint, timing_key
from datasets import load_scenes
from methods import METHODS, Method
from metrics import METRICS


def test_all_is_every_method():
    assert [method.name for method in select_methods(["all"])] == [
        m.name for m in METHODS if m.in_all
    ]


def test_a_family_and_no_duplicates():
    chosen = [method.name for method in select_methods(["control", "average", "control"])]
    assert chosen == sorted(m.name for m in METHODS if m.family == "control")


def test_commas_separate_names_but_not_parameters():
    assert split_names(["a,b", "c@x=1,y=2,d", " e "]) == ["a", "b", "c@x=1,y=2", "d", "e"]


def test_commas_in_brackets_and_quotes_do_not_separate():
    assert split_names("c@size=(5,5),mode='x,y',d") == ["c@size=(5,5),mode='x,y'", "d"]
    assert split_names("c@size=[1,(2,3)]") == ["c@size=[1,(2,3)]"]
    assert split_names("images:John's,gf") == ["images:John's", "gf"]
    with pytest.raises(UsageError, match=r"\) is missing"):
        split_names("c@size=(5,5")
    with pytest.raises(UsageError, match="a name must be text, got int 3"):
        split_names(["lp", 3])


def test_a_parameter_may_be_a_tuple_or_text(own_registries):
    METHODS.add(_method(parameters={"size": (3, 3), "mode": "fast", "gain": 1.0}))
    (chosen,) = select_methods("mine@size=(5,5),mode='a,b', gain=2")
    assert chosen.parameters == {"size": (5, 5), "mode": "a,b", "gain": 2.0}
    assert chosen.name == "mine@gain=2.0,mode='a,b',size=(5,5)"
    assert configured_method(chosen.name) == chosen
    with pytest.raises(UsageError, match="size=5 is not of type tuple"):
        select_methods("mine@size=5")


@pytest.mark.parametrize(
    ("text", "name"),
    [("Qabf", "qabf"), ("Q^{AB/F}", "qabf"), ("QG", "qabf"), ("Xydeas", "qabf"), ("EN", "ie"),
     ("QMI", "mi"), ("Q_CB", "qcb"), ("ms-ssim", "ms_ssim"), ("EN (nats)", "en_nat")],
)  # fmt: skip
def test_metrics_by_the_names_that_papers_use(text, name):
    assert [m.name for m in select_metrics([text])] == [name]


def test_names_in_any_case_globs_and_exclusions():
    names = [m.name for m in METHODS if m.in_all]
    assert [m.name for m in select_methods("LP,FCN_X")] == ["lp", "fcn-x"]
    assert [m.name for m in select_methods("fcn-x*")] == ["fcn-x", "fcn-x-hard"]
    assert [m.name for m in select_methods("all,-rp")] == [n for n in names if n != "rp"]
    rest = [m.name for m in select_methods(["ALL", "-learned", "-Source-?"])]
    left = [m for m in METHODS if m.in_all and m.family != "learned"]
    assert rest == [m.name for m in left if not m.name.startswith("source")]
    assert "psnr" not in [m.name for m in select_metrics("all,-psnr*")]
    with pytest.raises(UnknownName, match="unknown method 'xyz"):
        select_methods("xyz*")
    with pytest.raises(UnknownName, match="did you mean 'rp'"):
        select_methods("all,-rpp")
    with pytest.raises(UsageError, match="nothing was selected before it"):
        select_methods("-rp")


def test_scenes_by_alias_case_and_glob():
    assert [s.id for s in select_scenes("lytro")] == [f"c_{k:02}" for k in range(1, 21)]
    assert [s.name for s in select_scenes(["PAPER/C*", "paper/pepsi"])] == [
        f"paper/{name}" for name in ("clock", "camera", "color", "pepsi")
    ]
    with pytest.raises(UnknownName, match="scene of paper"):
        select_scenes("paper/x*")


def test_a_method_may_stay_out_of_all(own_registries):
    METHODS.add(_method(in_all=False))
    assert "mine" not in [method.name for method in select_methods(["all"])]
    assert [method.name for method in select_methods(["mine"])] == ["mine"]


def test_default_parameters_make_no_other_row():
    assert [method.name for method in select_methods(["lp@levels=4"])] == ["lp"]
    assert [method.name for method in select_methods(["lp@levels=5"])] == ["lp@levels=5"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("lp@levels=many", "not of type int"),
        ("lp@depth=3", "not parameter=value"),
        ("lp@levels", "not parameter=value"),
        ("average@x=1", "without parameters"),
    ],
)
def test_bad_parameters(text, says):
    with pytest.raises(UsageError, match=says):
        select_methods([text])


def test_unknown_names_get_a_suggestion():
    with pytest.raises(UnknownName, match="did you mean 'average'"):
        select_methods(["avarage"])
    with pytest.raises(UnknownName, match="did you mean 'qabf'"):
        select_metrics(["qabff"])


def test_nothing_selected():
    with pytest.raises(NothingSelected):
        select_methods([","])
    with pytest.raises(NothingSelected):
        select_metrics([])


def test_metrics_by_group():
    assert [m.name for m in select_metrics(["paper"])] == ["ie", "mi", "qabf", "q", "qw", "qe"]
    assert [m.name for m in select_metrics(["all"])] == METRICS.names()


def _identity(sources, *, gain=1.0):
    return sources[0] * gain


def _method(**changes):
    facts = {
        "name": "mine",
        "title": "Mine",
        "fn": _identity,
        "kind": "transform",
        "colour": "channels",
        "stack": "native",
        "family": "control",
        "paper": "",
        "doi": "",
        "parameters": {"gain": 1.0},
    }
    return Method(**{**facts, **changes})


def test_key_depends_on_everything_that_decides_the_image(tmp_path):
    weights = tmp_path / "weights.bin"
    weights.write_bytes(b"one")
    configured = [
        ConfiguredMethod(_method()),
        ConfiguredMethod(_method(), {"gain": 2.0}),
        ConfiguredMethod(_method(colour="luminance")),
        ConfiguredMethod(_method(name="other")),
        ConfiguredMethod(_method(fn=split_names)),
        ConfiguredMethod(_method(weights=(weights,))),
    ]
    keys = [method.key("scene", "cpu") for method in configured]
    weights.write_bytes(b"two")
    keys.append(ConfiguredMethod(_method(weights=(weights,))).key("scene", "cpu"))
    weights.unlink()  # the method will fail, alone: a run must be able to say so
    keys.append(ConfiguredMethod(_method(weights=(weights,))).key("scene", "cpu"))
    keys.append(configured[0].key("another scene", "cpu"))
    assert len(set(keys)) == len(keys)


def test_key_depends_on_the_framework(monkeypatch):
    before = ConfiguredMethod(_method()).key("scene", "cpu")
    monkeypatch.setattr("bench.engine.selection.modules_fingerprint", lambda names: "changed")
    assert ConfiguredMethod(_method()).key("scene", "cpu") != before


def test_score_belongs_to_one_version_of_its_metric():
    metric = METRICS["mi"]
    later = dataclasses.replace(metric, version=metric.version + 1)
    other = dataclasses.replace(metric, fn=split_names)
    marks = {metric_fingerprint(m) for m in (metric, later, other)}
    assert len(marks) == 3


def test_timing_belongs_to_one_machine():
    machines = [{"threads": 1}, {"threads": 2}]
    assert len({timing_key("cell", machine) for machine in machines}) == 2


def test_published_rows_cover_the_pictures_of_their_collection_only():
    row = select_methods(["published:liu2020/cnn"])[0]
    scene = load_scenes("liu2020/g_01")[0]
    assert row.covers(scene)
    assert row.covers(load_scenes("mfifb/lytro_01")[0])  # liu2020/c_01
    assert not row.covers(load_scenes("synthetic")[0])
    assert not row.covers(dataclasses.replace(scene, id="x"))
    with pytest.raises(UnknownName, match="published method"):
        select_methods(["published:liu2020/nothing"])
    with pytest.raises(UnknownName, match="collection"):
        select_methods(["published:nothing"])


def test_labels_tell_metrics_apart(own_registries):
    METRICS.add(dataclasses.replace(METRICS["mi"], name="mine"))
    assert select_metrics(["mine"])
    with pytest.raises(UsageError, match="'mi' and 'mine' have one label, 'MI'"):
        select_metrics(["mi", "mine"])


def test_a_variant_of_nothing_is_refused(own_registries):
    METRICS.add(dataclasses.replace(METRICS["mi"], name="mine", variant_of="qabff"))
    with pytest.raises(UsageError, match="variant_of 'qabff' is no known metric"):
        select_metrics(["mine"])


def test_number_format_counts_only_for_methods_that_take_one(monkeypatch):
    plain, learned = ConfiguredMethod(_method()), ConfiguredMethod(_method(takes_precision=True))
    assert plain.key("scene", "cpu", "fp32") == plain.key("scene", "cpu", "bf16")
    keys = {p: learned.key("scene", "cpu", p) for p in ("fp32", "bf16")}
    assert keys["fp32"] != keys["bf16"]
    for has, format_ in ((True, "bf16"), (False, "fp32")):  # auto is what the processor makes of it
        monkeypatch.setattr("bench.core.precision.cpu_has_bf16", lambda has=has: has)
        assert learned.key("scene", "cpu") == keys[format_]
    assert learned.key("scene", "cuda") not in keys.values()


def test_device_counts_only_for_methods_that_take_one():
    plain, learned = ConfiguredMethod(_method()), ConfiguredMethod(_method(takes_device=True))
    assert plain.key("scene", "cpu") == plain.key("scene", "cuda")
    assert learned.key("scene", "cpu") != learned.key("scene", "cuda")
    assert learned.key("scene", "cuda") == learned.key("scene", "cuda:0")

"""The command line as a person meets it: help, lists, scores, plug-in checks, errors."""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys

import numpy as np
import pytest

from bench.cli.main import COMMANDS, main
from bench.core.image_io import write_image
from datasets import DATASETS
from datasets.grids import GRIDS
from datasets.published import PUBLISHED
from datasets.subsets import SUBSETS
from methods import FAMILY_ALIASES, METHODS
from metrics import METRICS

REGISTRIES = {"methods": METHODS, "metrics": METRICS, "datasets": DATASETS}

HEAVY = (
    "torch",
    "scipy.stats",
    "scipy.ndimage",
    "cv2",
    "pandas",
    "matplotlib",
    "skimage.transform",
)


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_a_help_text(command):
    parser = argparse.ArgumentParser()
    importlib.import_module(COMMANDS[command][0]).add_arguments(parser)
    parsers = [parser]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            parsers += action.choices.values()
    options = [action for each in parsers for action in each._actions]
    silent = [o.dest for o in options if not o.help and o.dest != "action"]
    assert silent == []


@pytest.mark.parametrize("arguments", [["--help"], *(["list", kind] for kind in REGISTRIES)])
def test_light_commands_import_nothing_heavy(arguments):
    code = (
        "import sys\nfrom bench.cli.main import main\n"
        f"try: main({arguments!r})\nexcept SystemExit: pass\n"
        "loaded = lambda m: m in sys.modules and type(sys.modules[m]).__name__ != '_LazyModule'\n"
        f"print([m for m in {HEAVY!r} if loaded(m)], file=sys.stderr)"
    )
    done = python(code)
    assert done.stderr.strip() == "[]", done.stderr


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert f"python -m bench {command}" in capsys.readouterr().out


def test_overview_names_every_command(capsys):
    with pytest.raises(SystemExit) as stop:
        main([])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert all(command in text for command in COMMANDS)


def test_unknown_command_gets_a_suggestion(capsys):
    assert main(["rum"]) == 2
    assert "did you mean 'run'" in capsys.readouterr().err


def test_module_runs():
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("MFIF-Bench ")


@pytest.mark.parametrize("kind", REGISTRIES)
def test_list(kind, capsys):
    assert main(["list", kind]) == 0
    text = capsys.readouterr().out
    assert main(["list", kind, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    published = [row for row in rows if row.get("family") == "published"]
    others = len(SUBSETS) + len(GRIDS) if kind == "datasets" else 0
    assert len(rows) == len(REGISTRIES[kind]) + len(published) + others
    assert [row["name"] for row in published] == (
        [f"published:{name}" for name in PUBLISHED] if kind == "methods" else []
    )
    for name in REGISTRIES[kind].names():
        assert name in text


@pytest.mark.parametrize("kind", ["methods", "metrics"])
def test_list_of_one_family(kind, capsys):
    for family in {entry.family for entry in REGISTRIES[kind]}:
        assert main(["list", kind, "--family", family, "--json"]) == 0
        rows = json.loads(capsys.readouterr().out)
        names = [entry.name for entry in REGISTRIES[kind] if entry.family == family]
        assert [row["name"] for row in rows] == names


def test_list_of_a_family_by_its_other_name(capsys):
    for alias, family in FAMILY_ALIASES.items():
        assert main(["list", "methods", "--family", alias, "--json"]) == 0
        rows = json.loads(capsys.readouterr().out)
        assert {row["family"] for row in rows} == {family}


@pytest.mark.parametrize(
    ("kind", "says"),
    [("methods", "the families are control, spatial"), ("datasets", "only methods")],
)
def test_list_of_a_family_that_is_not_there(kind, says, capsys):
    assert main(["list", kind, "--family", "nothing"]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("published:liu2020", "liu2020:quadtree"),
        ("published:mfifb/cnn", "mfifb:cnn"),
        ("liu2020:cnn", "liu2020:cnn"),
    ],
)
def test_show_published(name, says, capsys):
    assert main(["show", name]) == 0
    text = capsys.readouterr().out
    assert says in text
    assert "nothing of them was run here" in text
    assert main(["show", name, "--json"]) == 0
    assert says in json.loads(capsys.readouterr().out)["rows"]


def test_show_unknown_published(capsys):
    assert main(["show", "liu2020:dsipt"]) == 2
    assert "did you mean 'dsift'" in capsys.readouterr().err


@pytest.mark.parametrize("name", [n for r in REGISTRIES.values() for n in r.names()])
def test_show_every_entry(name, capsys):
    assert main(["show", name]) == 0
    text = capsys.readouterr().out
    assert name in text
    assert len(text) > 200, "an entry needs documentation"
    assert main(["show", name, "--json"]) == 0
    json.loads(capsys.readouterr().out)


def test_show_says_whose_values_a_metric_is_tested_against(capsys):
    assert main(["show", "qabf"]) == 0
    text = capsys.readouterr().out
    assert "QG of liu2020: the survey's authors' own MATLAB values" in text
    assert "QG of octave: the field's public MATLAB code, run under GNU Octave" in text


@pytest.mark.parametrize("name", ["EN", "Q^{AB/F}", "FCN-X", "Liu2020"])
def test_show_finds_names_in_any_case_and_aliases(name, capsys):
    assert main(["show", name]) == 0
    assert len(capsys.readouterr().out) > 200


def test_show_unknown(capsys):
    assert main(["show", "qabff"]) == 2
    assert "did you mean 'qabf'" in capsys.readouterr().err


@pytest.fixture
def files(tmp_path, sources):
    for name, image in zip(("a", "b"), sources, strict=True):
        write_image(tmp_path / f"{name}.png", image)
    write_image(tmp_path / "fused.png", np.maximum(*sources))
    write_image(tmp_path / "rgb.png", np.dstack([sources[0]] * 3))
    write_image(tmp_path / "small.png", sources[0][:-1])
    write_image(tmp_path / "one.png", sources[0][:1, :1])
    (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:200])
    return tmp_path


def score(folder, *names, **options):
    flags = [text for key, value in options.items() for text in (f"--{key}", str(value))]
    return main(["score", *(str(folder / name) for name in names), *flags])


def test_score_prints_every_metric(files, capsys):
    assert score(files, "a.png", "b.png", fused=files / "fused.png") == 0
    out = capsys.readouterr().out
    assert all(METRICS[n].label in out for n in ("ie", "mi", "qabf", "q", "qw", "qe"))


def test_options_may_stand_before_the_sources(files):
    sources = [str(files / "a.png"), str(files / "b.png")]
    assert main(["score", "--fused", str(files / "fused.png"), "--json", *sources]) == 0


def test_score_with_reference_adds_psnr(files, capsys):
    options = {"fused": files / "fused.png", "reference": files / "a.png"}
    assert (
        main(
            ["score", str(files / "a.png"), str(files / "b.png"), "--json"]
            + [text for key, value in options.items() for text in (f"--{key}", str(value))]
        )
        == 0
    )
    assert {"psnr", "ssim", "qabf"} <= set(json.loads(capsys.readouterr().out)["scores"])


def test_infinite_psnr_is_null_in_strict_json(files, capsys):
    options = ["--fused", str(files / "a.png"), "--reference", str(files / "a.png")]
    sources = [str(files / "a.png"), str(files / "b.png")]
    assert main(["score", *sources, *options, "--metrics", "psnr", "--json"]) == 0
    text = capsys.readouterr().out
    assert json.loads(text)["scores"]["psnr"] is None
    assert "Infinity" not in text


def test_gray_and_colour_mix(files):
    assert score(files, "a.png", "rgb.png", fused=files / "fused.png") == 0


@pytest.mark.parametrize(
    ("names", "fused", "says"),
    [
        (["a.png"], "fused.png", "one source image given"),
        (["a.png", "none.png"], "fused.png", "none.png: no such image file"),
        (["a.png", "cut.png"], "fused.png", "cut.png: damaged or truncated"),
        (["a.png", "small.png"], "fused.png", "small.png is 56x47, but"),
        (["a.png", "b.png"], "small.png", "small.png is 56x47, but"),
        (["one.png", "one.png"], "one.png", "1x1"),
    ],
)
def test_score_bad_input_is_one_line(files, capsys, names, fused, says):
    assert score(files, *names, fused=files / fused) == 2
    error = capsys.readouterr().err.strip()
    assert says in error
    assert "\n" not in error


def test_options_of_folders_are_refused_for_one_image(files, capsys):
    assert score(files, "a.png", "b.png", fused=files / "fused.png", out=files / "x.csv") == 2
    assert "--out does not go without --sources" in capsys.readouterr().err


def test_score_needs_reference_for_psnr(files, capsys):
    assert score(files, "a.png", "b.png", fused=files / "fused.png", metrics="psnr") == 2
    assert "reference" in capsys.readouterr().err


RESULT = "gain * sources.max(axis=0)"

GOOD_PLUGIN = """
import numpy as np
from methods import method

@method("my-maximum", title="Maximum", kind="transform", family="spatial", paper="an example")
def my_maximum(sources, *, gain=1.0):
    return gain * sources.max(axis=0)
"""


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ((), None),
        ((RESULT, "sources[0, ::2]"), "every size"),
        (
            (RESULT, "np.random.default_rng().random(sources[0].shape)"),
            "determ",
        ),
        (("return gain", "sources *= 0.5\n    return gain"), "change its sources"),
        (("gain=1.0", "gain=0.5"), "constant"),
        (("gain * sources", "sources[:, :, :5]"), "every size"),
        ((RESULT, "np.minimum(sources[0], sources[2])"), "every size"),
    ],
)
def test_check_finds_each_breach(tmp_path, capsys, own_registries, change, clause):
    file = tmp_path / "mine.py"
    file.write_text(GOOD_PLUGIN.replace(*change) if change else GOOD_PLUGIN)
    assert main(["check", str(file)]) == (1 if change else 0)
    failed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("FAIL")]
    assert bool(failed) == bool(change)
    if clause:
        assert any(clause in line for line in failed)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = 1", "registers no method"),
        ("import nothing_like_it", "ModuleNotFoundError"),
        ("def f(:", "SyntaxError"),
        (GOOD_PLUGIN.replace("*, gain", "gain"), "keyword-only"),
        (GOOD_PLUGIN.replace("my-maximum", "average"), "registered twice"),
    ],
)
def test_check_bad_file(tmp_path, capsys, own_registries, text, says):
    file = tmp_path / "bad.py"
    file.write_text(text)
    assert main(["check", str(file)]) == 2
    error = capsys.readouterr().err.strip()
    assert says in error
    assert "\n" not in error


BAD_METRICS = """
from metrics import metric

FACTS = dict(family="structural", higher_is_better=True, bounds=(0, 1), needs="fused",
             paper="an example", formula="none", title="fails")

@metric("nothing", label="Nothing", **FACTS)
def nothing(fused):
    return None

@metric("outside", label="Outside", **FACTS)
def outside(fused):
    return 7.0
"""


def test_a_metric_that_fails_does_not_lose_the_others(files, capsys, own_registries):
    (files / "bad.py").write_text(BAD_METRICS)
    options = ["--metrics", "nothing", "mi", "outside", "--plugin", str(files / "bad.py")]
    given = [str(files / "a.png"), str(files / "b.png"), "--fused", str(files / "fused.png")]
    assert main(["score", *given, *options]) == 1
    out, error = capsys.readouterr()
    assert out.startswith("MI ")
    assert len(out.splitlines()) == 1
    lines = error.splitlines()
    assert len(lines) == 2
    assert "nothing: metric 'nothing' returned None, not a number" in lines[0]
    assert "not in its bounds" in lines[1]
    assert main(["score", *given, *options, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert set(found["scores"]) == {"mi"}
    assert set(found["failed"]) == {"nothing", "outside"}


def test_names_can_be_left_out_behind_a_dash(files, capsys):
    given = [str(files / "a.png"), str(files / "b.png"), "--fused", str(files / "fused.png")]
    assert main(["score", *given, "--metrics", "paper", "-q*", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["scores"]) == {"ie", "mi"}


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_help_tells_the_exit_codes(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert "130 interrupted" in capsys.readouterr().out

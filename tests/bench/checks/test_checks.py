"""Every registered method and metric keeps the contract, as a plug-in must."""

from __future__ import annotations

import pytest

from bench.checks.methods import check_method, pair
from bench.checks.metrics import CHECKS, check_metric
from bench.cli.main import main
from bench.core.image_io import write_image
from methods import METHODS
from metrics import METRICS
from tests.support.weights import sweep

#: Clauses that a registered metric does not keep, as its docstring says: signed, and best at 0.
KNOWN = {"qsf_zheng": {"scores a perfect result better than blur and noise"}}

PLUGIN = '''
import numpy as np
from metrics import metric

@metric("nearness", label="N", title="Nearness to the mean of the sources", family="structural",
        higher_is_better=True, bounds=(0, 1), needs="sources", paper="an example", formula="1 - d")
def nearness(sources, fused):
    """1 less the mean difference."""
    mean = np.mean([source.gray for source in sources], axis=0)
    return 1 - np.abs(fused.gray - mean).mean() / 255
'''
RETURN = "return 1 - np.abs"


@pytest.mark.slow
@pytest.mark.parametrize("name", sweep(m for m in METHODS if m.program is None))
def test_methods(name):
    failed = [f"{r.check}{r.detail}" for r in check_method(METHODS[name]) if not r.passed]
    assert not failed


@pytest.mark.parametrize("name", METRICS.names())
def test_metrics(name):
    failed = {r.check: r.detail for r in check_metric(METRICS[name]) if not r.passed}
    assert set(failed) == KNOWN.get(name, set()), failed


LEARNED = """
from methods import method

@method("learnt", title="Learnt", kind="transform", family="learned", paper="mine", weights=FILE)
def learnt(sources, *, device="cpu", precision="auto"):
    assert precision in ("fp32", "bf16"), precision
    return sources[0]
"""


@pytest.mark.parametrize(
    ("weights", "says"),
    [("'w.safetensors'", ""), ("'gone.safetensors'", "no such file"), ("None", "weights=...")],
)
def test_a_learned_method_names_its_weights(tmp_path, capsys, own_registries, weights, says):
    (tmp_path / "w.safetensors").write_bytes(b"w")
    file = tmp_path / "mine.py"
    file.write_text(LEARNED.replace("FILE", weights))
    assert main(["check", str(file)]) == bool(says)
    failed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("FAIL")]
    assert len(failed) == bool(says)
    assert all("identity" in line and says in line for line in failed)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            ('kind="transform"', 'kind="transfrom"'),
            "kind 'transfrom' must be one of transform, dec",
        ),
        (('family="learned"', 'family="deep"'), "family 'deep' must be one of control"),
        (('paper="mine"', 'paper="mine", colour="color"'), "colour 'color' must be one of lum"),
        (('paper="mine"', 'paper="mine", stack="two"'), "stack 'two' must be one of native"),
        (("FILE", "7"), "weights 7 is not a path"),
        (('"learnt"', '""'), "method '': a name is letters"),
        (('"learnt"', '"a@b"'), "method 'a@b': a name is letters"),
        (('"learnt"', '"learned"'), "stands for several methods already"),
        (('"learnt"', '"lp"'), "registered twice; the other is in"),
    ],
)
def test_wrong_words_in_the_decorator(tmp_path, capsys, own_registries, change, says):
    file = tmp_path / "mine.py"
    file.write_text(LEARNED.replace(*change).replace("FILE", "None"))
    assert main(["check", str(file)]) == 2
    assert says in capsys.readouterr().err


def test_precision_may_be_a_parameter_of_another_meaning(tmp_path, own_registries):
    file = tmp_path / "mine.py"
    text = LEARNED.replace('"auto"', "3").replace("assert precision in", "assert precision == 3 #")
    file.write_text(text.replace("learned", "spatial").replace("FILE", "None"))
    assert main(["check", str(file)]) == 0
    assert METHODS["learnt"].parameters == {"precision": 3}


def test_the_place_of_an_error_is_in_the_file_of_the_user(tmp_path, capsys, own_registries):
    (tmp_path / "mine_too.py").write_text("value = 1\n")
    file = tmp_path / "mine.py"
    file.write_text(
        "import mine_too\nimport numpy as np\n"
        + LEARNED.replace("FILE", "None").replace("sources[0]", "np.stack([])")
    )
    assert main(["check", str(file)]) == 1
    assert "need at least one array to stack (mine.py:9)" in capsys.readouterr().out


@pytest.fixture
def nearness(tmp_path, own_registries):
    """Options that name the plug-in, whose bounds are given, and folders of images for it."""
    a, b = pair(64, 64)
    for name, image in (("x_1", a), ("x_2", b), ("fused/lp/x", a)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write_image(tmp_path / f"{name}.png", image)

    def options(bounds="(0, 1)"):
        file = tmp_path / "mine.py"
        file.write_text(PLUGIN.replace("bounds=(0, 1)", f"bounds={bounds}"))
        return ["--plugin", str(file), "--metrics", "nearness"]

    return options


def test_a_score_outside_of_its_bounds_is_an_error(tmp_path, capsys, nearness):
    images = [str(tmp_path / f"x_{k}.png") for k in "12"]
    assert main(["score", *images, "--fused", images[0], *nearness("(0, 0.4)")]) == 1
    assert "'nearness' gave 0.9" in (error := capsys.readouterr().err)
    assert "not in its bounds [0, 0.4]" in error


def test_a_score_outside_of_its_bounds_is_invalid_in_a_run(tmp_path, nearness):
    run = ["run", "--datasets", f"folder:{tmp_path}", "--methods", "average", "--repeats", "0"]
    assert main([*run, *nearness("(0, 0.4)"), "--out", str(tmp_path / "out")]) == 1
    assert "average,nearness,,invalid" in (tmp_path / "out" / "scores.csv").read_text()


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_folders_are_scored_by_a_metric_of_a_plug_in(tmp_path, capsys, nearness, jobs):
    folders = ["--sources", str(tmp_path), "--fused", str(tmp_path / "fused"), "--jobs", jobs]
    assert main(["score", *folders, *nearness(), "--format", "csv"]) == 0
    assert "folder,x,lp,nearness,0.9" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ((), ""),
        (("needs=", "smallest=300, needs="), ""),
        (("bounds=(0, 1)", "bounds=(0, 0.4)"), "within its bounds"),
        (("mean = ", "assert fused.gray.any()\n    mean = "), "constant"),
        (("mean = ", "assert len(fused.gray) % 2 == 0\n    mean = "), "every size"),
        (("np.mean([source.gray for source in sources], axis=0)", "sources[0].gray"), "symmetric"),
        ((RETURN, "assert len(sources) == 2\n    return 1 - np.abs"), "three sources"),
        ((RETURN, "return np.abs"), "perfect result"),
        ((RETURN, "return np.random.default_rng().random() * np.abs"), "determ"),
        (("needs=", 'variant_of="qabf_tang", needs='), "is a variant of a known"),
        (("needs=", 'variant_of="nothing", needs='), "is a variant of a known"),
    ],
)
def test_each_breach_of_a_metric_is_found(tmp_path, capsys, own_registries, change, clause):
    file = tmp_path / "mine.py"
    file.write_text(PLUGIN.replace(*change) if change else PLUGIN)
    assert main(["check", str(file)]) == bool(clause)
    lines = capsys.readouterr().out.splitlines()
    failed = [line for line in lines if line.startswith("FAIL")]
    assert bool(failed) == bool(clause)
    assert any(clause in line for line in failed) or not clause
    assert lines[-1].startswith(f"{len(CHECKS) - len(failed)} passed")


SCALES = """
import numpy as np
from methods import method

@method("mine", title="t", kind="transform", family="spatial", paper="x", colour="rgb")
def mine(sources):
    fused = sources.max(0)
    return CHANGE
"""


@pytest.mark.parametrize(
    ("change", "clause", "says"),
    [
        ("fused", "", ""),
        (
            "fused[..., ::-1] if fused.ndim == 3 else fused",
            "red, green",
            "red of the fused image is",
        ),
        ("np.roll(fused, 1, -1) if fused.ndim == 3 else fused", "red, green", "nearest to blue of"),
        (
            "np.repeat(fused.mean(-1, keepdims=True), 3, -1) if fused.ndim == 3 else fused",
            "red, green",
            "nearest to green of the sources",
        ),
        ("255 * fused", "fuses colour", "far outside of [0, 1]: 0..255? return [0, 1]"),
        ("65535 * fused", "fuses colour", "far outside of [0, 1]: 0..65535? return [0, 1]"),
        ("2 * fused - 1", "constant", "values from -1 to -1, 100% of them far"),
        ("4 * (fused - 0.45)", "fuses colour", "far outside of [0, 1]"),
    ],
)
def test_each_breach_of_a_method_is_found(tmp_path, capsys, own_registries, change, clause, says):
    file = tmp_path / "mine.py"
    file.write_text(SCALES.replace("CHANGE", change))
    assert main(["check", str(file)]) == bool(clause)
    failed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("FAIL")]
    assert bool(failed) == bool(clause)
    assert any(clause in line and says in line for line in failed) or not clause


def test_a_method_of_another_scale_is_invalid_in_a_run(tmp_path, own_registries):
    for scale in ("255 * fused", "2 * fused - 1"):
        file = tmp_path / f"mine{len(scale)}.py"
        file.write_text(SCALES.replace("CHANGE", scale).replace("mine", f"mine{len(scale)}"))
        run = ["run", "--plugin", str(file), "--methods", f"mine{len(scale)}", "--repeats", "0"]
        run += ["--datasets", "paper/camera", "--metrics", "ie", "--out", str(tmp_path / "out")]
        assert main(run) == 1
        assert f"mine{len(scale)},ie,,invalid" in (tmp_path / "out" / "scores.csv").read_text()

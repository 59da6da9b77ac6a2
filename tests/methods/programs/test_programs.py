"""Programs as methods: real processes, of which every fault costs a row and leaves nothing."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.checks.methods import check_method, pair
from bench.cli.main import main
from bench.core import child_usage, remarks
from bench.core.errors import ContractViolation, ProgramFault, Skipped, UsageError
from bench.core.image_io import write_image
from bench.core.plugins import load_plugin
from bench.engine.selection import ConfiguredMethod, select_methods
from bench.store.manifest import load_manifest
from bench.workers.memory import is_running
from bench.workers.process import Limits, Setup
from bench.workers.subprocess_worker import SubprocessWorker
from datasets import SceneImages
from methods import METHODS, fuse
from methods.programs import _supervisor, program
from tests import ROOT, TESTS

SLOW = pytest.mark.slow
PLUGIN = TESTS / "support" / "plugin_programs.py"

#: Mode -> status, and what the message says.
FAULTS = {
    "hangs": ("timeout", "did not finish within"),
    "daemon-hangs": ("timeout", "did not finish within"),
    "eats-memory": ("oom", "where --memory allows"),
    "small": ("invalid", "wrote an image of 46x39 pixels, its sources have 48x40"),
    "garbage": ("invalid", "wrote no image that can be read: fused.png"),
    "writes-nothing": ("invalid", "ended without an error but wrote no fused.png"),
    "fails": ("failed", "ended with exit code 3; it printed last: no luck with  [31mthis"),
    "segfaults": ("failed", "was killed by SIGSEGV"),
    "is-killed": ("oom", "was killed by SIGKILL, as the system does when memory runs out"),
    "one-file": ("failed", "File too large"),
    "many-files": ("failed", "wrote more than 40 MB into its folder and was killed"),
    "kills-supervisor": ("failed", "ended the process that supervised it"),
}
FINE = ["copies", "daemon-left", "forks", "chatters", "locks"]


@pytest.fixture(autouse=True)
def plugin(own_registries, monkeypatch, tmp_path):
    """The programs, and a folder for temporary files whose name needs quoting (and is short)."""
    monkeypatch.setenv("MFIF_TEST_FOLDER", str(tmp_path))
    load_plugin(PLUGIN)
    with tempfile.TemporaryDirectory(prefix="""a 'b" $c; (""") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


def nothing_is_left(folder: Path) -> None:
    """All processes that wrote down their ids are gone, and so are the folders of programs."""
    pids = [int(p) for p in Path(os.environ["MFIF_TEST_FOLDER"], "pids").read_text().split()]
    assert pids
    assert not [pid for pid in pids if is_running(pid)]
    assert not list(folder.glob("mfif-program-*"))


def scene(folder: Path, shape=(40, 48), colour=False) -> str:
    (folder / "own").mkdir(exist_ok=True)
    for k, image in enumerate(pair(*shape, colour=colour), 1):
        write_image(folder / "own" / f'it\'s "x" $1_{k}.png', image)
    return f"folder:{folder / 'own'}"


def run(folder: Path, modes: list[str], *options: str) -> dict[str, dict]:
    chosen = ["--methods", *(f"p-{mode}" for mode in modes), "--plugin", str(PLUGIN)]
    chosen += ["--datasets", scene(folder), "--out", str(folder / "out"), "--metrics", "mi"]
    main(["run", *chosen, "--threads", "1", *options])
    cells = load_manifest(folder / "out").cells
    return {cell.method.removeprefix("p-"): dataclasses.asdict(cell) for cell in cells}


@pytest.mark.slow
def test_every_fault_is_a_row_with_a_reason_and_leaves_nothing(plugin, tmp_path):
    limits = ["--timeout", "10", "--memory", "900M", "--repeats", "0"]
    found = run(tmp_path, [*FAULTS, *FINE], *limits)
    for mode, (status, text) in FAULTS.items():
        assert found[mode]["status"] == status, found[mode]
        assert text in found[mode]["message"]
        assert "\n" not in found[mode]["message"]
        assert str(plugin) not in found[mode]["message"]
    assert {mode: found[mode]["status"] for mode in FINE} == dict.fromkeys(FINE, "ok")
    nothing_is_left(plugin)


@pytest.mark.slow
def test_a_time_includes_the_start_and_the_cpu_of_children(tmp_path):
    found = run(tmp_path, ["burns"], "--repeats", "1")
    assert found["burns"]["status"] == "ok"
    assert found["burns"]["peak_bytes"] > 200 << 20
    timing = pd.read_csv(tmp_path / "out" / "timing.csv").iloc[0]
    assert timing.includes_start
    assert timing.cpu_s >= 0.5
    assert timing.median_s >= 0.5
    tables = "".join(f.read_text() for f in (tmp_path / "out" / "tables").glob("*.md"))
    assert "Time of p-burns: of a program, from writing its sources over its start" in tables


@pytest.mark.parametrize(
    "mode",
    ["daemon-left", "forks", "kills-supervisor", "fails", pytest.param("bombs", marks=SLOW)],
)
def test_nothing_is_left_in_this_process_either(plugin, mode):
    sources = pair(40, 48)
    if mode in FINE:
        assert np.array_equal(fuse(f"p-{mode}", sources), sources[0])
    else:
        with pytest.raises(ProgramFault):
            fuse(f"p-{mode}", sources)
    nothing_is_left(plugin)


def test_files_and_environment_of_a_program(plugin, tmp_path):
    sources = [np.roll(pair(40, 48, colour=True)[0], k, 0) for k in range(3)]
    assert np.array_equal(fuse("p-tells", sources), sources[0])
    told = (tmp_path / "told").read_text()
    assert told.startswith("01.png 02.png 03.png | 01.png 02.png 03.png | uint8 (40, 48, 3) | ")
    assert f"{plugin}/mfif-program-" in told
    threads = told.split(" | ")[4].split()[0]
    assert told.endswith(f" | {threads} {threads} of mine | (True, True)")


def test_levels_of_8_and_16_bits_are_kept(tmp_path):
    deep = [source.astype(np.uint16) * 257 - 3 for source in pair(40, 48)]
    deep = [np.maximum(source, 5) for source in deep]
    assert np.array_equal(fuse("p-tells", deep), deep[0])
    assert "uint16" in (tmp_path / "told").read_text()
    for source in (pair(40, 48), pair(40, 48, colour=True)):
        assert np.array_equal(fuse("p-copies", source), source[0])
    with pytest.raises(ContractViolation, match="wrote 8 bits, its sources have 16"):
        fuse("p-shallow", deep)
    with pytest.raises(ContractViolation, match=r"16 bits with values up to .* its sources have 8"):
        fuse("p-dark", pair(40, 48))


def test_deep_sources_are_rounded_with_a_remark_for_a_program_of_8_bits(tmp_path):
    deep = [np.maximum(source.astype(np.uint16) * 257, 300) - 100 for source in pair(40, 48)]
    with remarks.collect() as made:
        fused = fuse("p-two", deep)
    assert made == ["its sources were rounded to 8 bits, the largest depth that p-two takes"]
    assert np.abs(fused.astype(int) - deep[0]).max() <= 129
    assert "uint8" in (tmp_path / "told").read_text()


@pytest.mark.parametrize(
    "given", [{"bits": 12}, {"sources": (5, 2)}, {"sources": (1, None)}, {"output": "o.jpg"}]
)
def test_what_no_program_can_be_is_refused_when_it_is_registered(given):
    register = program("odd", title="Odd", paper="a test", **given)
    with pytest.raises(UsageError, match=f"method 'odd': {next(iter(given))}"):
        register(lambda: ["cp", "{a}", "{output}"])


def test_a_gray_image_of_colour_sources_is_refused():
    with pytest.raises(ContractViolation, match="wrote a gray image, its sources have colour"):
        fuse("p-gray", pair(40, 48, colour=True))


def test_a_program_for_two_folds_a_stack_and_declines_small_scenes(tmp_path):
    assert METHODS["p-two"].stack == "pairwise"
    fuse("p-two", [*pair(40, 48), pair(40, 48, 1)[0]])
    assert (tmp_path / "told").read_text().startswith("01.png 02.png | 01.png 02.png")
    with pytest.raises(Skipped, match="at least 16x16 pixels, these have 48x15"):
        fuse("p-two", pair(15, 48))


def test_a_missing_program_is_skipped_with_the_way_to_install_it(tmp_path, monkeypatch, capsys):
    found = run(tmp_path, ["missing", "copies"], "--repeats", "0", "--isolation", "none")
    assert found["missing"]["status"] == "skipped"
    assert found["missing"]["message"] == (
        "no-such-program-anywhere is not on this machine: get it, or set "
        "MFIF_NO_SUCH_PROGRAM_ANYWHERE to its file"
    )
    assert found["copies"]["status"] == "ok"
    monkeypatch.setenv("MFIF_NO_SUCH_PROGRAM_ANYWHERE", "/nowhere")
    with pytest.raises(Skipped, match="MFIF_NO_SUCH_PROGRAM_ANYWHERE=/nowhere is not a program"):
        fuse("p-missing", pair(40, 48))


def test_show_says_where_a_program_is(capsys):
    assert main(["show", "p-two", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["program"] == sys.executable
    assert facts["version"].startswith("Python 3.")
    assert facts["takes"] == "2 sources of up to 8 bits, gray or RGB"
    assert main(["show", "p-missing"]) == 0
    assert "no-such-program-anywhere is not on this machine: get it" in capsys.readouterr().out


def script(file: Path, text: str) -> None:
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


def test_the_version_is_part_of_the_key(tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    @program("versioned", title="V", paper="a test")
    def versioned():
        return ["versioned-stacker", "{output}", "{sources}"]

    def identity():
        return ConfiguredMethod(METHODS["versioned"]).identity["program"]["version"]

    assert identity() == ""
    script(folder / "versioned-stacker", "echo hello; echo stacker 1.0 >&2; echo by 2 people")
    assert identity() == "stacker 1.0"
    script(folder / "versioned-stacker", "echo stacker 1.0.1")
    assert identity() == "stacker 1.0.1"
    script(folder / "versioned-stacker", "echo unknown option 7; exit 1")
    first = identity()
    assert first.startswith("sha256 ")
    script(folder / "versioned-stacker", "echo unknown option 8; exit 1")
    assert identity() not in ("", first)
    assert "program" not in ConfiguredMethod(METHODS["average"]).identity


def test_a_script_beside_the_plug_in_is_a_program(tmp_path):
    (tmp_path / "beside.py").write_text(
        "from methods.programs import program\n"
        "@program('beside', title='B', paper='a test', bits=16)\n"
        "def beside(*, which='a'):\n"
        "    return ['./copy.sh', '{%s}' % which, '{output}']\n"
    )
    script(tmp_path / "copy.sh", 'exec cp "$1" "$2"')
    load_plugin(tmp_path / "beside.py")
    sources = pair(40, 48)
    assert np.array_equal(fuse("beside", sources, parameters={"which": "b"}), sources[1])
    assert METHODS["beside"].weights == (tmp_path / "copy.sh",)
    assert all(result.passed for result in check_method(METHODS["beside"]))
    (tmp_path / "copy.sh").chmod(0o644)
    with pytest.raises(Skipped, match="may not be executed"):
        fuse("beside", sources)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("stacker {output} {sources}", "return a list of text"),
        ([], "return a list of text"),
        (["stacker", 5, "{sources}"], "return a list of text"),
        (["stacker", "{souces}"], "{souces} is not {sources}"),
        (["stacker", "--in={sources}"], "{sources} must be a part of its own"),
    ],
)
def test_a_wrong_command_line_is_refused(command, message):
    with pytest.raises(UsageError) as raised:
        program("wrong", title="W", paper="a test")(lambda: command)
    assert message in str(raised.value)


def test_a_lossy_output_is_refused():
    with pytest.raises(UsageError, match=r"output 'fused\.jpg' must be the name of a file"):
        program("lossy", title="L", paper="a test", output="fused.jpg")(lambda: ["s", "{sources}"])


def test_a_pipe_that_a_program_closed_is_not_read_again():
    (shut, end), (kept, other) = os.pipe(), os.pipe()
    os.write(end, b"x" * 10000 + b"last")
    os.close(end)
    tails = {shut: b"", kept: b""}
    assert _supervisor._drain(tails, [shut, kept]) == {shut}
    assert tails == {shut: b"x" * (_supervisor.TAIL_BYTES - 4) + b"last", kept: b""}
    for pipe in (shut, kept, other):
        os.close(pipe)


def test_programs_are_selected_by_their_alias_and_not_by_all():
    programs = {method.name for method in select_methods(["programs"])}
    assert programs >= {"enfuse", "focus-stack", "focusweave", "openfocus", "openfocus-v2"}
    assert programs >= {"openfocus-gf", "openfocus-dtcwt", "p-copies"}
    assert not programs & {method.name for method in select_methods(["all"])}


def test_the_usage_of_children_is_added_up():
    with child_usage.collect() as children:
        fuse("p-burns", pair(40, 48))
        first = children.cpu_s
        fuse("p-burns", pair(40, 48))
    assert first >= 0.5
    assert children.cpu_s >= first + 0.5


@pytest.mark.slow
def test_a_killed_benchmark_leaves_nothing(plugin, tmp_path):
    """Somebody else kills the process that waits for a program; the supervisor ends the program."""
    code = "from bench.checks.methods import pair; from bench.core.plugins import load_plugin\n"
    code += f"load_plugin({str(PLUGIN)!r})\n"
    code += "from methods import fuse; fuse('p-daemon-hangs', pair(40, 48))"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    deadline = time.monotonic() + 60
    pids = tmp_path / "pids"
    while time.monotonic() < deadline and not (pids.exists() and pids.read_text().count("\n") >= 4):
        time.sleep(0.05)
    process.kill()
    process.wait()
    while time.monotonic() < deadline and list(plugin.glob("mfif-program-*")):
        time.sleep(0.05)
    nothing_is_left(plugin)


@pytest.mark.slow
def test_programs_run_on_the_workers_of_a_cluster(plugin, tmp_path):
    pytest.importorskip("distributed")
    found = run(tmp_path, ["copies", "fails", "missing"], "--backend", "dask", "--workers", "1",
                "--repeats", "0")  # fmt: skip
    assert found["copies"]["status"] == "ok"
    assert "exit code 3" in found["fails"]["message"]
    assert found["missing"]["status"] == "skipped"
    nothing_is_left(plugin)


def test_another_version_on_a_worker_is_refused(monkeypatch):
    worker = SubprocessWorker(
        Setup(plugins=[PLUGIN], programs={"p-copies": "Python 2.7"}), Limits(seconds=60)
    )
    try:
        worker.open(SceneImages(tuple(pair(40, 48))))
        record = worker.fuse("p-copies", {}).record
        assert record.status == "failed"
        assert "its program here is Python 3." in record.message
        assert record.message.endswith("that with which the run began is Python 2.7")
    finally:
        worker.close()

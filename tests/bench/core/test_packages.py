"""A command says at once when another distribution has taken one of the project's names."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.checks.environment import LIBRARIES
from bench.core.packages import PROJECT_PACKAGES, misplaced

REPOSITORY = Path(__file__).resolve().parents[3]


def bench(*arguments: str, path: tuple[Path, ...] = (REPOSITORY,)) -> subprocess.CompletedProcess:
    """A command of the project, in a process that looks for modules in `path` first."""
    code = f"import sys; sys.path[:0] = {list(map(str, path))}; "
    code += "from bench.cli.main import main; sys.exit(main(sys.argv[1:]))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["datasets", "metrics", "methods", "reports"])
@pytest.mark.parametrize("command", [("list", "methods"), ("run", "--help"), ("score", "a.png")])
def test_a_package_in_the_way(tmp_path, name, command):
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("load_dataset = None\n")
    done = bench(*command, path=(tmp_path, REPOSITORY))
    assert done.returncode == 4
    assert len(done.stderr.splitlines()) == 1
    assert f"`import {name}` finds {tmp_path / name}, not {REPOSITORY / name}" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", ["datasets", "metrics"])
def test_a_package_installed_over_ours(tmp_path, name):
    """Two distributions in one folder of site-packages: the second one's files are there."""
    for package in PROJECT_PACKAGES:
        ignored = shutil.ignore_patterns("*.safetensors", "__pycache__")
        shutil.copytree(REPOSITORY / package, tmp_path / package, ignore=ignored)
    assert bench("list", "datasets", path=(tmp_path,)).returncode == 0
    (tmp_path / name / "__init__.py").write_text("load_dataset = None\n")
    done = bench("list", "datasets", path=(tmp_path,))
    assert done.returncode == 4
    assert f"{tmp_path / name / '__init__.py'} is not MFIF-Bench's" in done.stderr
    assert f"FAULT package {name}: {tmp_path}" in bench("doctor", path=(tmp_path,)).stdout


def test_ours_are_in_place():
    assert not any(map(misplaced, PROJECT_PACKAGES))


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("raise ModuleNotFoundError(\"No module named 'torch'\")", "No module named 'torch'"),
        ("raise OSError('libtorch.so:\\nundefined symbol')", "libtorch.so: undefined symbol"),
        ("import os; os.abort()", "importing it ended the process (exit code -6)"),
    ],
)
def test_doctor_imports_the_libraries(tmp_path, code, says):
    (tmp_path / "torch.py").write_text(code)
    done = bench("doctor", path=(tmp_path, REPOSITORY))
    assert done.returncode == 4
    faults = [line for line in done.stdout.splitlines() if line.startswith("FAULT torch:")]
    assert len(faults) == 1
    assert says in faults[0]


def test_doctor_knows_every_dependency():
    text = (REPOSITORY / "pyproject.toml").read_text()
    block = text[text.index("dependencies = [") : text.index("]", text.index("dependencies = ["))]
    assert set(re.findall(r'"([\w-]+)>=', block)) == set(LIBRARIES)


def test_help_answers_at_once():
    """No heavy import, and the best of five within 0.3 s."""
    code = "import sys; from bench.cli.main import main; main(['--help']); "
    code += "sys.exit(bool({'numpy', 'cv2', 'torch'} & set(sys.modules)))"
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, check=True
        )
        times.append(time.perf_counter() - start)
    assert min(times) < 0.3


def test_python_says_it_in_one_line_too(tmp_path):
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "__init__.py").write_text("load_dataset = None\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import bench; bench.run"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert "EnvironmentFault: `import datasets` finds" in last

"""A fingerprint changes with the code that decides a result, and with nothing else."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import methods
from bench.core.environment import machine
from bench.core.fingerprint import _module_fingerprint, _parsed, canonical, digest
from bench.store.keys import SCORING, metric_fingerprint
from metrics import METRICS

REPOSITORY = Path(__file__).resolve().parents[3]

CODE = '''"""A module."""
import numpy as np


def fuse(sources, *, level=1):
    """Fuse."""
    return np.mean(sources, axis=0) * level
'''


def fingerprint(path: Path) -> str:
    _module_fingerprint.cache_clear()
    _parsed.cache_clear()
    return _module_fingerprint(path)


@pytest.fixture
def module(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(CODE)
    return path


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ('"""Fuse."""', '"""Fuse well."""', True),
        ('    """Fuse."""\n', "", True),
        ("import numpy as np", "import numpy as np  # numbers", True),
        ("\n\n\ndef", "\n\n\n\n\ndef", True),
        ("level=1", "level=2", False),
        ("np.mean", "np.max", False),
        ("import numpy", "import bench.engine.timing\nimport numpy", False),
    ],
)
def test_only_code_counts(module, old, new, same):
    before = fingerprint(module)
    module.write_text(CODE.replace(old, new))
    assert (fingerprint(module) == before) is same


#: What newer Pythons parse or write in another way than older ones.
VERSIONS = '''
class C(object):
    """Documented."""
    def f(self, *a, k: int = 0x10, **kw) -> "int":
        return f"{self!r:>{k}} {k=} a" f"b{{}}{a[0]:x}" "é"
async def g():
    async with a() as b, c: yield (1, *b)
x = lambda: None; y: dict[str, (int, ...)] = {**{}, "\\N{BULLET}": b"\\xff", 1j: ..., 1e400: -0.0}
try: z = y[1:, ::2]
except* (E, F) as e: del e
match x:
    case {"a": [C(f=1), *_], **rest} if (n := 3): pass
'''
EXPECTED = "50834c679d0bd496019cd89e196fe65d9b769c12618de16922bf99dbd86e339e"


def other_pythons() -> list[str]:
    """Other interpreters on this machine, those of pyenv too."""
    names = [f"python3.{minor}" for minor in (11, 12, 13, 14)]
    folders = [Path.home() / ".pyenv" / "versions", Path("/usr/bin"), Path("/usr/local/bin")]
    files = [file for folder in folders for name in names
             for file in (*folder.glob(f"*/bin/{name}"), folder / name)]  # fmt: skip
    return [str(file) for file in files if file.is_file()]


def test_the_python_version_does_not_count(tmp_path):
    (tmp_path / "odd.py").write_text(VERSIONS)
    assert _parsed(tmp_path / "odd.py", "")[0] == EXPECTED


@pytest.mark.parametrize("python", other_pythons() or [pytest.param("", marks=pytest.mark.skip)])
def test_other_pythons_agree(tmp_path, python):
    (tmp_path / "odd.py").write_text(VERSIONS)
    here = [
        REPOSITORY / "metrics" / "_parts.py",
        REPOSITORY / "methods" / "lp.py",
        tmp_path / "odd.py",
    ]
    code = (
        "import sys, pathlib; from bench.core.fingerprint import _parsed; "
        "print(*(_parsed(pathlib.Path(file), '')[0] for file in sys.argv[1:]))"
    )
    done = subprocess.run(
        [python, "-B", "-c", code, *map(str, here)],
        env={"PYTHONPATH": str(REPOSITORY)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == [_parsed(file, "")[0] for file in here]


def test_threads_may_ask_at_once():
    files = sorted(REPOSITORY.glob("me*/*.py"))
    _parsed.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda file: _parsed(file, "")[0], files * 4))
    assert found == [_parsed(file, "")[0] for file in files] * 4


def test_deep_code_has_a_fingerprint(tmp_path):
    (tmp_path / "deep.py").write_text("x = " + "+".join(["1"] * 900))
    assert len(_parsed(tmp_path / "deep.py", "")[0]) == 64


def test_a_shared_helper_counts(tmp_path, monkeypatch):
    """Changing a project module changes all that import it, at any depth."""
    helper, user = tmp_path / "helper.py", tmp_path / "user.py"
    helper.write_text("SIZE = 3\n")
    user.write_text("def f():\n    from methods.helper import SIZE\n    return SIZE\n")
    places = [*methods.__path__, str(tmp_path)]
    monkeypatch.setattr(methods.__spec__, "submodule_search_locations", places)
    from bench.core import fingerprint as provenance

    provenance._module_file.cache_clear()
    before = fingerprint(user)
    helper.write_text("SIZE = 5\n")
    assert fingerprint(user) != before
    provenance._module_file.cache_clear()


@pytest.mark.parametrize(
    ("user", "text"),
    [("a_user", "import a_helper"), ("b_user", "from b_pack import part"),
     ("c_pack.user", "from . import part"), ("d_pack.user", "from .part import SIZE")],
)  # fmt: skip
def test_a_users_own_helper_counts(tmp_path, monkeypatch, user, text):
    monkeypatch.syspath_prepend(str(tmp_path))
    helper = tmp_path / ("a_helper.py" if user == "a_user" else f"{user[0]}_pack/part.py")
    helper.parent.mkdir(exist_ok=True)
    (helper.parent / "__init__.py").touch()
    helper.write_text("SIZE = 3\n")
    path = tmp_path / f"{user.replace('.', '/')}.py"
    path.write_text(f"{text}\n")

    def now():
        _module_fingerprint.cache_clear()
        _parsed.cache_clear()
        return _module_fingerprint(path, user)

    before = now()
    helper.write_text("SIZE = 5\n")
    assert now() != before


def test_installed_packages_are_not_followed():
    from bench.core.fingerprint import _module_file

    for name in ("numpy", "torch.nn", "json", "cv2", "scipy.ndimage"):
        assert _module_file(name) is None
    assert _module_file("metrics._parts") is not None


@pytest.mark.parametrize("name", METRICS.names())
def test_every_score_depends_on_the_colour_rule(name, monkeypatch):
    """All metrics see images through `metrics._parts` and `bench.core.pixels`."""
    before = metric_fingerprint(METRICS[name])
    monkeypatch.setattr("bench.store.keys.modules_fingerprint", lambda names: f"changed {names}")
    assert metric_fingerprint(METRICS[name]) != before
    assert "metrics._parts" in SCORING


def test_canonical_json_is_one_text_for_one_meaning():
    assert canonical({"b": 1, "a": [1.5, "é"]}) == canonical({"a": [1.5, "é"], "b": 1})
    assert digest({"a": 1}) != digest({"a": 2})


def test_machine_names_what_timings_depend_on():
    facts = machine("cpu", 2)
    assert facts["threads"] == 2
    assert facts["cpu"]
    assert facts["packages"]["numpy"] != "not installed"


def test_a_fingerprint_imports_nothing():
    """It used to import PyTorch, for a name that a learned method imports in a function."""
    code = (
        "import sys\nfrom bench.core.fingerprint import function_fingerprint\n"
        "from methods import METHODS\nfunction_fingerprint(METHODS['fcn-x'].fn)\n"
        "print('torch.nn' in sys.modules)"  # 'torch' may be a lazy module, which is not loaded
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

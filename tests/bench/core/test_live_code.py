"""Fingerprints of functions that have no source file, as in a notebook."""

from __future__ import annotations

import os
import subprocess
import sys

from bench.core.fingerprint import function_fingerprint
from tests import ROOT

CELLS = '''
GAIN = 1.0

def helper(image):
    """Scale."""
    return image * GAIN

TABLE = {"weights": [1, 2], "names": {"a", "b"}}

class Rule:
    step = 3

    def apply(self, image):
        return image + 1 + TABLE["weights"][0]

def shifted(by):
    def shift(image):
        return image + by
    return shift

SHIFT = shifted(1)

def mine(sources, *, power=2):
    return [SHIFT(Rule().apply(helper(s))) for s in sources] ** power
'''


def fingerprint(old: str = "", new: str = "") -> str:
    names: dict = {"__name__": "a_notebook"}
    exec(compile(CELLS.replace(old, new) if old else CELLS, "<cell>", "exec"), names)
    return function_fingerprint(names["mine"])


def test_what_decides_the_result_decides_the_fingerprint():
    changes = [
        ("GAIN = 1.0", "GAIN = 2.0"),
        ("image * GAIN", "image / GAIN"),
        ("image + 1", "image + 2"),
        ("power=2", "power=3"),
        ("helper(s))", "helper(-s))"),
        ("[1, 2]", "[9, 2]"),
        ('{"a", "b"}', '{"a", "c"}'),
        ("step = 3", "step = 4"),
        ("shifted(1)", "shifted(2)"),
    ]
    marks = {fingerprint(), *(fingerprint(*change) for change in changes)}
    assert len(marks) == 1 + len(changes)


def test_the_same_code_has_the_same_fingerprint():
    assert fingerprint() == fingerprint("GAIN = 1.0", "OTHER = 3\nGAIN = 1.0")


def test_the_order_of_a_set_does_not_count():
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    code += "from tests.bench.core.test_live_code import fingerprint; print(fingerprint())"
    marks = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(marks) == 1

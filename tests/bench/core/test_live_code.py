"""Fingerprints of functions that have no source file, as in a notebook."""

from __future__ import annotations

from bench.core.fingerprint import function_fingerprint

CELLS = '''
GAIN = 1.0

def helper(image):
    """Scale."""
    return image * GAIN

class Rule:
    def apply(self, image):
        return image + 1

def mine(sources, *, power=2):
    return [Rule().apply(helper(s)) for s in sources] ** power
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
    ]
    marks = {fingerprint(), *(fingerprint(*change) for change in changes)}
    assert len(marks) == 1 + len(changes)


def test_the_same_code_has_the_same_fingerprint():
    assert fingerprint() == fingerprint("GAIN = 1.0", "OTHER = 3\nGAIN = 1.0")

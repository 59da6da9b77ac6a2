"""Where the tests find the files they share, and which methods are not ours to judge."""

from pathlib import Path

TESTS = Path(__file__).parent
ROOT = TESTS.parent

#: Families held to their authors' images, or to what a program of another author does, instead of
#: to the rules for methods of our own; see tests/methods/published and tests/methods/programs.
ELSEWHERE = frozenset({"published-network", "program"})

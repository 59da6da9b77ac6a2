"""Where the tests find the files they share."""

from pathlib import Path

TESTS = Path(__file__).parent
ROOT = TESTS.parent

"""A program that a method starts: where it is, which version, and how to get it."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.core.errors import Skipped
from bench.core.fingerprint import file_digest

#: Seconds that a program may take to print its version.
VERSION_S = 30.0


@dataclass(frozen=True)
class Program:
    """A program.

    Attributes
    ----------
    name : str
        Name of its file on ``PATH``, or an absolute path.
    install : str
        How to install it: a command, or where it can be found.
    licence : str
        Its terms.
    version_command : tuple of str
        Prints its version; empty if it cannot, then a hash of its file stands for its version.
        ``{program}`` is its file, ``{interpreter}`` the one that the first line of a script names.
    bits : {8, 16}
        The largest depth of the images that it takes.
    sources : tuple of int
        The smallest and the largest number of sources that it takes; 0: any number.
    least_side : int
        Width and height that its sources must have.
    gray : bool
        Whether it takes gray files.
    suffix, output : str
        Ending of its sources' files, and name of the file that it writes.
    environment : dict of str to str or None
        Environment variables for it, in addition; None removes one.
    disk_bytes : int
        What it may write; 0: a multiple of its sources.
    here : Path
        The folder of the file that registers it.
    """

    name: str
    install: str = ""
    licence: str = ""
    version_command: tuple[str, ...] = ()
    bits: int = 8
    sources: tuple[int, int] = (2, 0)
    least_side: int = 1
    gray: bool = True
    suffix: str = ".png"
    output: str = "fused.png"
    environment: Mapping[str, str | None] = field(default_factory=dict)
    disk_bytes: int = 0
    here: Path = Path()

    @property
    def variable(self) -> str:
        """The environment variable that names its file, such as ``MFIF_ENFUSE``."""
        return "MFIF_" + re.sub(r"\W", "_", Path(self.name).stem.upper())

    def find(self) -> Path | None:
        """Its file: what `variable` names, or else the first one on ``PATH``; None if missing."""
        given = os.environ.get(self.variable)
        found = shutil.which(given or self.name)
        return Path(found).absolute() if found else None

    def missing(self) -> str:
        """Why it cannot be started here, and how to install it; empty if it can be."""
        if self.find() is not None:
            return ""
        if given := os.environ.get(self.variable):
            return f"{self.variable}={given} is not a program"
        if Path(self.name).is_file():
            return f"{self.name} may not be executed: chmod +x it"
        how = f"{self.install}, or set" if self.install else "set"
        return f"{self.name} is not on this machine: {how} {self.variable} to its file"

    def path(self) -> Path:
        """Its file; raises `Skipped` if it is not on this machine."""
        found = self.find()
        if found is None:
            raise Skipped(self.missing())
        return found

    def version(self) -> str:
        """Its version as it prints it, or a hash of its file; empty if it is not here."""
        found = self.find()
        if found is None:
            return ""
        file = found.stat()
        return _version(found, self.version_command, file.st_mtime_ns, file.st_size)

    @property
    def identity(self) -> dict[str, Any]:
        """What of it decides the fused image, beside the command line."""
        return {
            "version": self.version(),
            "bits": self.bits,
            "gray": self.gray,
            "suffix": self.suffix,
            "environment": dict(self.environment),
        }

    @property
    def facts(self) -> dict[str, str]:
        """What is known about it, to be shown: where it is, its version, what it takes."""
        least, most = self.sources
        count = f"{least} or more" if not most else f"{least}" if most == least else (
            f"{least} to {most}")  # fmt: skip
        found = self.find()
        return {
            "program": self.name if found is None else str(found),
            "version": self.missing() or self.version(),
            "install": self.install or "not known",
            "terms": self.licence or "not known",
            "takes": f"{count} sources of up to {self.bits} bits, "
            f"{'gray or RGB' if self.gray else 'RGB'}",
        }


def fill(part: str, values: Mapping[str, str]) -> str:
    """Replace every ``{name}`` of `values` in a part of a command line; other braces stay."""
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), part)


@functools.cache
def _version(program: Path, command: tuple[str, ...], _mtime: int, _size: int) -> str:
    """The first line with a digit that the command prints, or a hash of the program's file."""
    values = {"program": str(program), "interpreter": _interpreter(program)}
    with contextlib.suppress(OSError, subprocess.TimeoutExpired, IndexError):
        done = subprocess.run(
            [fill(part, values) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=VERSION_S,
            check=False,
            start_new_session=True,
        )
        lines = done.stdout.decode(errors="replace").splitlines()
        said = [" ".join(line.split()) for line in lines if re.search(r"\d", line)]
        if said and done.returncode == 0:
            return said[0][:200]
    return f"sha256 {file_digest(program)}"


def _interpreter(program: Path) -> str:
    """The interpreter that the first line of a script names; empty if it is none."""
    with program.open("rb") as file:
        first = file.readline(512)
    if not first.startswith(b"#!"):
        return ""
    words = first[2:].decode(errors="replace").split()
    return shutil.which(words[-1]) or "" if words else ""

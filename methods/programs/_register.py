"""Register a command line as a fusion method."""

from __future__ import annotations

import difflib
import functools
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import lazy_loader as lazy
from numpy.typing import NDArray

from bench.core.errors import Skipped, UsageError
from methods._base import METHODS, Colour, Method, Stack, absolute_paths, keyword_defaults
from methods._program import Program, fill
from methods.programs._files import depth_of, encode_sources, read_fused
from methods.programs._run import SOURCES, private_folder

cv2 = lazy.load("cv2")

#: What a command line may hold in braces.
PLACEHOLDERS = ("sources", "a", "b", "folder", "output", "threads", "here")
#: Endings of files that hold an image without loss.
LOSSLESS = (".png", ".tif", ".tiff", ".bmp", ".ppm", ".pgm")
#: What a program may write: this, or so many bytes for each of its sources' values.
DISK_BYTES, DISK_BYTES_PER_VALUE = 1 << 30, 16

Command = Callable[..., Sequence[str]]
F = TypeVar("F", bound=Command)


def program(
    name: str,
    *,
    title: str,
    paper: str,
    doi: str = "",
    install: str = "",
    licence: str = "",
    version: Sequence[str] | None = None,
    bits: Literal[8, 16] = 8,
    sources: tuple[int, int | None] = (2, None),
    least_side: int = 1,
    colour: Colour = "rgb",
    gray: bool = True,
    stack: Stack | None = None,
    source_format: Literal["png", "tif"] = "png",
    output: str = "fused.png",
    files: Path | str | Sequence[Path | str] | None = None,
    environment: Mapping[str, str | None] | None = None,
    disk_bytes: int = 0,
    in_all: bool = False,
    aliases: Sequence[str] = (),
    symmetric: bool = False,
) -> Callable[[F], F]:
    """Register the command line that a function returns as a fusion method.

    The program gets lossless files in a private folder, which is also where it is started. It runs
    within the limits of the run, and what it leaves running ends with it. Its image must have the
    size of its sources. No shell is involved: a part of the command line is one argument, whatever
    characters it holds.

    The keyword arguments of the function are the method's parameters, as with `methods.method`. Of
    the command line that it returns the first part is the program: its name on ``PATH``, or a file
    relative to the folder of the function's file. These are replaced in all parts:

    ``{sources}``
        the files of all sources, one argument each; it must be a part of its own
    ``{a}``, ``{b}``
        the files of the first and of the second source
    ``{folder}``
        a folder that holds the sources and nothing else, in their order by name
    ``{output}``
        the file that the program must write
    ``{threads}``
        the number of threads of the run
    ``{here}``
        the folder of the function's file

    The program finds the folder and the output also in its environment, as ``MFIF_FOLDER`` and
    ``MFIF_OUTPUT``: for languages whose command line is code, in which a name must be quoted.

    Parameters
    ----------
    name, title, paper, doi
        As of `methods.method`.
    install : str
        How to install the program: a command, shown where it is missing.
    licence : str
        The program's terms.
    version : sequence of str, optional
        The command that prints the program's version, which is part of a result's key.
        ``{program}`` is the program's file, ``{interpreter}`` the one in the first line of a
        script. By default the program is started with ``--version``, unless it is a file beside the
        function's. If the command is empty or fails, a hash of the program's file stands for the
        version.
    bits : {8, 16}
        The largest depth that the program takes. Sources of 16 bits are rounded for one that takes
        8, which is noted; 8-bit sources are always written with 8.
    sources : tuple of (int, int or None)
        The smallest and the largest number of sources; None: any number. Other scenes are skipped.
    least_side : int
        The width and height that sources must have; smaller scenes are skipped.
    colour : {'rgb', 'channels', 'luminance'}
        Whether the program takes RGB files, or gray ones only; see `methods.Method`.
    gray : bool
        Whether it takes gray files; else gray sources are written as RGB with equal channels.
    stack : {'native', 'pairwise'}, optional
        ``pairwise`` folds more than two sources from the left; the default of a program that takes
        two.
    source_format : {'png', 'tif'}
        The format of the sources' files.
    output : str
        Name of the file that the program writes into its folder; its ending must be that of a
        lossless format.
    files : path or sequence of path, optional
        Files that the program reads beside its sources, such as a script or weights. Their content
        is part of a result's key; a relative path is relative to the function's file.
    environment : mapping, optional
        Environment variables for the program, in addition to those of the run; None removes one.
    disk_bytes : int
        What the program may write; 0: 1 GiB, or 16 bytes for each value of its sources if that is
        more.
    in_all, aliases, symmetric
        As of `methods.method`.

    Raises
    ------
    UsageError
        The function takes other arguments than keywords with defaults, or returns no command line;
        `bits`, `sources` or `output` are none.

    Examples
    --------
    >>> from methods.programs import program
    >>> @program("my-stacker", title="My stacker", paper="an example", install="pip install it")
    ... def my_stacker(*, radius=5):
    ...     return ["my-stacker", f"--radius={radius}", "--output={output}", "{sources}"]
    """

    def register(command: F) -> F:
        parameters = keyword_defaults(name, command)
        takes_device = parameters.pop("device", None) is not None
        here = Path(command.__code__.co_filename).absolute().parent
        line = _checked(name, command())
        if bits not in (8, 16):
            raise UsageError(f"method {name!r}: bits {bits!r} must be 8 or 16")
        if sources[0] < 2 or (sources[1] or sources[0]) < sources[0]:
            raise UsageError(
                f"method {name!r}: sources {sources!r} must be the smallest number, 2 or more, and "
                "the largest or None"
            )
        first, two = fill(line[0], {"here": str(here)}), not _takes_any_number(line)
        own = os.sep in first and (here / first).is_relative_to(here)
        read = absolute_paths(name, command, files)
        if not output.endswith(LOSSLESS) or Path(output).name != output:
            raise UsageError(
                f"method {name!r}: output {output!r} must be the name of a file that ends in "
                f"{', '.join(LOSSLESS)}"
            )
        starts = Program(
            name=str(here / first) if os.sep in first else first,
            install=install,
            licence=licence,
            version_command=_version_command(version, own, here),
            bits=bits,
            sources=(sources[0], 2 if two else sources[1] or 0),
            least_side=least_side,
            gray=gray,
            suffix=f".{source_format}",
            output=output,
            environment=dict(environment or {}),
            disk_bytes=disk_bytes,
            here=here,
        )

        @functools.wraps(command)
        def fuse(stack: NDArray[Any], **given: Any) -> NDArray[Any]:
            return _fuse(name, starts, _checked(name, command(**given)), stack)

        METHODS.add(
            Method(
                name=name,
                title=title,
                fn=fuse,
                kind="transform",
                colour=colour,
                stack=stack or ("pairwise" if starts.sources[1] == 2 else "native"),
                family="program",
                paper=paper,
                doi=doi,
                weights=(*read, here / first) if own else read,
                parameters=parameters,
                takes_device=takes_device,
                in_all=in_all,
                aliases=tuple(aliases),
                symmetric=symmetric,
                exact=False,
                program=starts,
            )
        )
        return command

    return register


def _takes_any_number(line: Sequence[str]) -> bool:
    """Whether a command line does not name the first two sources only."""
    held = set(re.findall(r"\{\w+\}", " ".join(line)))
    return bool(held & {"{sources}", "{folder}"}) or not held & {"{a}", "{b}"}


def _version_command(given: Sequence[str] | None, own: bool, here: Path) -> tuple[str, ...]:
    """The command that prints the version; a user's own script is known by its content."""
    if given is None:
        return () if own else ("{program}", "--version")
    return tuple(fill(part, {"here": str(here)}) for part in given)


def _checked(name: str, command: object) -> list[str]:
    """The parts of a command line; raises `UsageError` if they are none."""
    parts = list(command) if isinstance(command, list | tuple) else []
    if not parts or not all(isinstance(part, str) for part in parts):
        raise UsageError(
            f"method {name!r}: its function returned {command!r}; return a list of text, the "
            "program and its arguments"
        )
    held = [found for part in parts for found in re.findall(r"\{(\w+)\}", part)]
    for each in held:
        close = difflib.get_close_matches(each, PLACEHOLDERS, n=1, cutoff=0.7)
        if each not in PLACEHOLDERS and close:
            raise UsageError(f"method {name!r}: {{{each}}} is not {{{close[0]}}}")
    if any("{sources}" in part and part != "{sources}" for part in parts):
        raise UsageError(f"method {name!r}: {{sources}} must be a part of its own")
    return parts


def _fuse(name: str, starts: Program, parts: list[str], stack: NDArray[Any]) -> NDArray[Any]:
    """Run the program on a stack, float32 (N, H, W) or (N, H, W, 3) in [0, 1]."""
    file = starts.path()
    _check_sources(name, starts, stack)
    bits = depth_of(stack, starts.bits, name)
    threads = max(1, cv2.getNumThreads())  # a worker sets it to that of the run
    values = {"threads": str(threads), "here": str(starts.here)}
    environment = {key: v and fill(v, values) for key, v in starts.environment.items()}
    with private_folder(threads, environment, starts.output) as folder:
        files = encode_sources(stack, bits=bits, gray=starts.gray, suffix=starts.suffix)
        folder.await_start()
        sources = _write(files, folder.path / SOURCES)
        target = folder.path / starts.output
        values |= {"folder": str(folder.path / SOURCES), "output": str(target)}
        values |= {"a": sources[0], "b": sources[1]}
        command = [str(file)]
        for part in parts[1:]:
            command += sources if part == "{sources}" else [fill(part, values)]
        most = max(DISK_BYTES, DISK_BYTES_PER_VALUE * stack.size)
        folder.run(name, command, starts.disk_bytes or most)
        return read_fused(target, stack.shape[1:], bits=bits, name=name)


def _write(files: Mapping[str, bytes], folder: Path) -> list[str]:
    """Write files into a new folder; returns where they are."""
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return [str(folder / name) for name in files]


def _check_sources(name: str, starts: Program, stack: NDArray[Any]) -> None:
    """Raise `Skipped` if the program does not take so many sources, or such small ones."""
    count, height, width = stack.shape[:3]
    least, most = starts.sources
    if count < least:
        raise Skipped(f"{name} takes at least {least} sources, this scene has {count}")
    if most and count > most:
        raise Skipped(f"{name} takes at most {most} sources, this scene has {count}")
    if min(height, width) < starts.least_side:
        raise Skipped(
            f"{name} takes images of at least {starts.least_side}x{starts.least_side} pixels, "
            f"these have {width}x{height}"
        )

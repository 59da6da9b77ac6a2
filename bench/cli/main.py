"""The command line: which commands there are, and how errors become exit codes.

A command is a module with ``add_arguments(parser)`` and ``run(args) -> int``. Only the selected
one is imported, so that ``--help`` is fast.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from bench import __version__
from bench.cli import console
from bench.core.errors import BenchError, EnvironmentFault, UnknownName
from bench.core.packages import check_packages

#: Command -> module, one line of help.
COMMANDS = {
    "run": ("bench.cli.run", "fuse, score and time methods on datasets; write the tables"),
    "fuse": ("bench.cli.fuse", "fuse photos that are focused at different depths into one"),
    "score": ("bench.cli.score", "score fused images that exist already"),
    "identify": (
        "bench.cli.identify",
        "find which variant of a metric gives a published number",
    ),
    "compare": (
        "bench.cli.compare",
        "compare two runs: what changed, and whether it is significant",
    ),
    "regress": ("bench.cli.regress", "compare scores with committed ones"),
    "report": (
        "bench.cli.report",
        "write tables, leaderboard, HTML page or figures of a finished run",
    ),
    "list": ("bench.cli.list", "list methods, metrics, datasets or scenes"),
    "show": ("bench.cli.show", "show all that is known about one method, metric or dataset"),
    "check": (
        "bench.cli.check",
        "test a Python file with your method or metric against the contract",
    ),
    "data": ("bench.cli.data", "list, fetch or verify the datasets' files"),
    "merge": ("bench.cli.merge", "join the runs of several shards into one"),
    "doctor": ("bench.cli.doctor", "verify and repair a store, check the environment"),
    "train": ("bench.cli.train", "train a learned method"),
    "ablate": ("bench.cli.ablate", "train the variants of the paper's network analysis (Fig. 5)"),
    "features": ("bench.cli.features", "draw the network's feature maps (Fig. 2)"),
}

EXIT_CODES = """\
exit codes: 0 all ok; 1 finished, but some cells are not ok, or a regression; 2 usage;
3 nothing selected; 4 environment (device, disk, data); 130 interrupted, all finished cells kept
"""

EPILOG = f"""\
{EXIT_CODES}
examples:
  python -m bench run --methods all
  python -m bench run --methods lp gf fcn --datasets liu2020 --out results/lytro
  python -m bench score a.png b.png --fused mine.png --json
  python -m bench fuse my_stack -o sharp.tif --align
  python -m bench list methods
"""

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; ``sys.argv[1:]`` unless given.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if not given or given[0].startswith("-"):
            _overview().parse_args(given or ["--help"])
            return 0
        return _dispatch(given[0], given[1:])
    except BenchError as error:
        console.error(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        console.error("interrupted; all that was finished is kept")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        console.error(f"{error.filename or 'input or output'}: {error.strerror or error}")
        return EnvironmentFault.exit_code


def _dispatch(command: str, arguments: list[str]) -> int:
    if command not in COMMANDS:
        raise UnknownName("command", command, COMMANDS)
    if command != "doctor":  # which reports it too, with all its other checks
        check_packages()
    module_name, summary = COMMANDS[command]
    module = importlib.import_module(module_name)
    parser = argparse.ArgumentParser(
        prog=f"python -m bench {command}",
        description=module.__doc__ or summary,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    # Files may stand before and behind the options, where a command takes both.
    mixed = getattr(module, "INTERMIXED", False)
    parse = parser.parse_intermixed_args if mixed else parser.parse_args
    return int(module.run(parse(join_exclusions(arguments))))


def join_exclusions(arguments: Sequence[str]) -> list[str]:
    """Append ``-NAME`` behind a name to that, since argparse would take it for an option.

    Examples
    --------
    >>> from bench.cli.main import join_exclusions
    >>> join_exclusions(["--methods", "all", "-rp", "-fcn*", "--json"])
    ['--methods', 'all,-rp,-fcn*', '--json']
    """
    joined: list[str] = []
    option = ""
    for argument in arguments:
        if argument.startswith("--"):
            option = argument
        names = option in ("--methods", "--metrics", "--datasets") and joined[-1:] != [option]
        # Without an option before it only a glob or a scene, so that -h stays an option.
        names = names or (
            not option and bool(joined) and any(c in argument for c in ("*", "/", ".."))
        )
        if names and argument[:1] == "-" and argument[1:2].isalnum() and argument != "-h":
            joined[-1] += f",{argument}"
        else:
            joined.append(argument)
    return joined


def _overview() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS)) + 2
    commands = "\n".join(f"  {name:<{width}}{text}" for name, (_, text) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        usage="python -m bench COMMAND [options]",
        description=f"MFIF-Bench: a benchmark of multi-focus image fusion.\n\ncommands:\n{commands}"
        "\n\npython -m bench COMMAND --help lists the options of a command.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"MFIF-Bench {__version__}")
    return parser

"""List, download or verify the files of the datasets.

for example:
  python -m bench data list
  python -m bench data fetch liu2020 --only 'sourceimages/*'
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import sys
from collections.abc import Sequence
from typing import Any

from bench.core.errors import NothingSelected
from datasets import fetch
from datasets.catalog import Collection, Entry, collection, collections

MEGABYTE = 1e6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare ``list``, ``fetch`` and ``check`` on the parser of ``bench data``."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser(
        "list", help="list the collections, their terms of use, and which files are here"
    )
    getting = actions.add_parser(
        "fetch", help="download the files that are missing, and verify them"
    )
    checking = actions.add_parser("check", help="verify every file that is here by its SHA-256")
    for action in (listing, getting, checking):
        names = "collections" if action is getting else "collections (default: all)"
        action.add_argument("names", nargs="*", metavar="NAME", help=names)
        action.add_argument("--json", action="store_true", help="print JSON")
    for action in (getting, checking):
        action.add_argument(
            "--only",
            metavar="GLOB",
            default="*",
            help="only files that match, e.g. 'sourceimages/*'",
        )
    getting.add_argument(
        "--jobs",
        type=_positive,
        default=fetch.JOBS,
        help="files to download at a time (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Do what `args` says; data on stdout, progress on stderr; returns the exit code."""
    if args.action == "fetch" and not args.names:
        raise NothingSelected(f"name what to fetch: {', '.join(sorted(collections()))}")
    chosen = [collection(name) for name in args.names] or list(collections().values())
    action = {"list": _list, "fetch": _fetch, "check": _check}[args.action]
    return action(chosen, args)


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def _list(chosen: Sequence[Collection], args: argparse.Namespace) -> int:
    rows: list[dict[str, Any]] = []
    for source in chosen:
        here = sum(
            fetch.state(source, entry, verify=False) == "ok" for entry in source.entries.values()
        )
        rows.append(
            {
                "name": source.name,
                "title": source.title,
                "files": source.files,
                "here": here,
                "bytes": source.bytes,
                "home": source.home,
                "commit": source.commit,
                "licence": source.licence,
                "citation": source.citation,
                "bibtex": source.bibtex.strip(),
            }
        )
    if args.json:
        return _print(json.dumps(rows, indent=2))
    for row in rows:
        _print(
            f"{row['name']}: {row['title']}\n"
            f"  here     {row['here']} of {row['files']} files, "
            f"{row['bytes'] / MEGABYTE:.0f} MB in all\n"
            f"  from     {row['home']} @ {row['commit'][:8]}\n"
            f"  terms    {row['licence']}\n"
            f"  cite     {row['citation']}"
        )
    return 0


def _fetch(chosen: Sequence[Collection], args: argparse.Namespace) -> int:
    files = [(source.name, entry.path) for source in chosen for entry in _selected(source, args)]
    if not files:
        raise NothingSelected(f"no file is called {args.only}")
    failures = fetch.fetch(files, jobs=args.jobs)
    failed = [{"file": f"{name}/{path}", "reason": why} for (name, path), why in failures.items()]
    _report(args, {"files": len(files), "ok": len(files) - len(failed), "failed": failed})
    return 4 if failed else 0


def _check(chosen: Sequence[Collection], args: argparse.Namespace) -> int:
    here, failed = 0, []
    for source in chosen:
        for entry in _selected(source, args):
            state = fetch.state(source, entry, verify=True)
            here += state != "missing"
            if state not in ("ok", "missing"):
                failed.append({"file": f"{source.name}/{entry.path}", "reason": state})
    if not here:
        raise NothingSelected("none of these files is here; `python -m bench data fetch` gets them")
    _report(args, {"files": here, "ok": here - len(failed), "failed": failed})
    return 4 if failed else 0


def _selected(source: Collection, args: argparse.Namespace) -> list[Entry]:
    return [e for path, e in source.entries.items() if fnmatch.fnmatchcase(path, args.only)]


def _report(args: argparse.Namespace, result: dict[str, Any]) -> None:
    if args.json:
        _print(json.dumps(result, indent=2))
        return
    # Without a network every file fails for one reason: print it once.
    reasons: dict[str, list[str]] = {}
    for failure in result["failed"]:
        reasons.setdefault(failure["reason"], []).append(failure["file"])
    for reason, files in reasons.items():
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        sys.stderr.write(f"{files[0]}{more}: {reason}\n")
    _print(f"{result['ok']} of {result['files']} files are whole")


def _print(text: str) -> int:
    sys.stdout.write(text + "\n")
    return 0

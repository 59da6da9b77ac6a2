"""List, download or verify the files of the datasets.

for example:
  python -m bench data list
  python -m bench data fetch liu2020 --only 'sourceimages/*'
  python -m bench data fetch lytro stacks mffw-stacks
  python -m bench data list real-mff          (what to do for a collection fetched by hand)
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from bench.core.errors import NothingSelected
from datasets import fetch
from datasets.by_hand import hand_collections
from datasets.catalog import collection, collections
from datasets.file_sets import FileSet, file_set

MEGABYTE = 1e6
#: Of a git commit; other text says where the commits are.
COMMIT_DIGITS = 40


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
        names = "collections, datasets or subsets"
        names = names if action is getting else f"{names} (default: all collections)"
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
    known = [*collections(), *hand_collections()]
    if args.action == "fetch" and not args.names:
        raise NothingSelected(f"name what to fetch: {', '.join(sorted(known))}")
    chosen = [file_set(name) for name in args.names or known]
    if args.action == "list":
        return _list(chosen, args)
    chosen = [found.only(args.only) for found in chosen]
    return (_fetch if args.action == "fetch" else _check)(chosen, args)


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def _list(chosen: Sequence[FileSet], args: argparse.Namespace) -> int:
    rows: list[dict[str, Any]] = [
        {
            "name": found.name,
            "title": found.title,
            "files": len(found.files),
            "scenes_by_hand": len(found.by_hand),
            "here": found.here(),
            "bytes": found.bytes,
            "home": found.home,
            "commit": found.commit,
            "licence": found.licence,
            "citation": found.citation,
            "bibtex": found.bibtex,
            "layout": found.layout,
            "steps": found.steps,
        }
        for found in chosen
    ]
    if args.json:
        return _print(json.dumps(rows, indent=2))
    for row in rows:
        _print(f"{row['name']}: {row['title']}")
        for word, text in _said(row).items():
            if text:
                _print(f"  {word:8} {text}")
    return 0


def _said(row: dict[str, Any]) -> dict[str, str]:
    """The lines of one entry of the list, by their first word."""
    count = f"{row['files']} files, {row['bytes'] / MEGABYTE:.0f} MB in all"
    if row["scenes_by_hand"]:
        count = f"{row['scenes_by_hand']} scenes, fetched by hand"
    pinned = str(row["commit"])
    pinned = pinned[:8] if len(pinned) == COMMIT_DIGITS else pinned
    commit = f" @ {pinned}" if pinned else ""
    return {
        "here": f"{row['here']} of {count}",
        "from": f"{row['home']}{commit}",
        "layout": row["layout"],
        "to do": row["steps"],
        "terms": row["licence"],
        "cite": row["citation"],
    }


def _fetch(chosen: Sequence[FileSet], args: argparse.Namespace) -> int:
    files = list(dict.fromkeys(file for found in chosen for file in found.files))
    by_hand = _by_hand(chosen)
    if not files and not by_hand:
        raise NothingSelected(f"no file is called {args.only}")
    failures = fetch.fetch(files, jobs=args.jobs)
    failed = [{"file": f"{name}/{path}", "reason": why} for (name, path), why in failures.items()]
    failed += [{"file": name, "reason": why} for name, why in by_hand.items() if why]
    count = len(files) + len(by_hand)
    _report(args, {"files": count, "ok": count - len(failed), "failed": failed})
    return 4 if failed else 0


def _check(chosen: Sequence[FileSet], args: argparse.Namespace) -> int:
    here, failed = 0, []
    for name, path in dict.fromkeys(file for found in chosen for file in found.files):
        state = fetch.state(collection(name), collection(name).entry(path), verify=True)
        here += state != "missing"
        if state not in ("ok", "missing"):
            failed.append({"file": f"{name}/{path}", "reason": state})
    by_hand = _by_hand(chosen)
    here += sum(not why for why in by_hand.values())
    if not here:
        known = next(iter(by_hand.values()), "`python -m bench data fetch` gets them")
        raise NothingSelected(f"none of these files is here; {known}")
    _report(args, {"files": here, "ok": here - len(failed), "failed": failed})
    return 4 if failed else 0


def _by_hand(chosen: Sequence[FileSet]) -> dict[str, str]:
    """What to do for each scene that is fetched by hand; empty where it can be read."""
    return {name: what for found in chosen for name, what in found.to_do().items()}


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

"""Started by test_faults.py as a process of its own: forks, and kills what it forked.

``faults.py store DIR COUNT SEED``: writers of records, killed at random instants.
``faults.py runs DIR COUNT SEED ARGUMENTS``: ``bench run`` again and again, killed likewise.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.cli.main import main
from bench.store.store import Store, pixel_hash

RECORDS = 40


def killed(work: Callable[[], None], seconds: float) -> bool:
    """Fork, work there, kill it and what it started after so long; False if it had ended."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        code = 1
        with contextlib.suppress(BaseException):
            work()
            code = 0
        os._exit(code)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return False
        time.sleep(0.001)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return True


def image(turn: int) -> np.ndarray:
    return np.random.default_rng(turn).integers(0, 255, (64, 64), np.uint8)


def writers(root: Path, count: int, seed: int) -> None:
    """Kill writers; what was acknowledged must be there, and what is there must be whole."""
    store, rng = Store(root / "store"), random.Random(seed)
    acknowledged = root / "acknowledged"
    acknowledged.touch()
    kills = turn = 0
    while kills < count:
        turn += 1

        def work(turn: int = turn) -> None:
            with acknowledged.open("ab", buffering=0) as log:
                for k in range(RECORDS):
                    store.put(f"{k:02d}", {"turn": turn, "text": "x" * 5000})
                    log.write(f"{k} {turn}\n".encode())
                    if k == 5:
                        store.put_image(image(turn))
                        log.write(f"image {turn}\n".encode())

        kills += killed(work, rng.uniform(0.0005, 0.03))
        last = dict(line.split() for line in acknowledged.read_text().splitlines())
        for k in range(RECORDS):
            record = store.get(f"{k:02d}")
            due = int(last.get(str(k), 0))
            whole = record is not None and len(record["text"]) == 5000
            if due and not (whole and record and record["turn"] >= due):
                sys.exit(f"record {k} of turn {due} is lost or torn: {record}")
        if "image" in last and store.get_image(pixel_hash(image(int(last["image"])))) is None:
            sys.exit("an image is lost")
    print(kills)


def runs(root: Path, count: int, seed: int, arguments: list[str]) -> None:
    """Kill runs; each goes on where the one before was, so nothing finished may disappear."""
    store, rng = Store(root / "out" / "store"), random.Random(seed)
    finished: set[str] = set()
    kills = 0
    for _ in range(count):
        kills += killed(lambda: sys.exit(main(["run", *arguments])), rng.uniform(0.05, 2.5))
        now = {key for key in set(store.keys()) if store.get(key) is not None}
        if finished - now:
            sys.exit(f"{len(finished - now)} finished records are gone")
        finished = now
        if rng.random() < 0.3:  # begin anew, so that every part of a run is hit
            lines = [line for _, line in store.log.lines() if rng.random() < 0.5]
            store.log.rewrite(lines)
            finished = {key for key in list(store.keys()) if store.get(key) is not None}
    print(kills)


if __name__ == "__main__":
    what, where, many, seed, *rest = sys.argv[1:]
    if what == "store":
        writers(Path(where), int(many), int(seed))
    else:
        with contextlib.redirect_stderr(io.StringIO()):
            runs(Path(where), int(many), int(seed), rest)

"""A plug-in that does to its process what strangers' code does at its worst."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from bench.checks.methods import pair
from datasets import Scene, SceneImages, dataset
from methods import method

CONTROL = {"kind": "transform", "family": "control", "paper": "a test"}


@method("hangs", title="Hangs", **CONTROL)
def hangs(sources):
    print("entering the loop", flush=True)
    while True:
        time.sleep(60)


@method("segfaults", title="Reads from nowhere", **CONTROL)
def segfaults(sources):
    return ctypes.string_at(0)


@method("aborts", title="Aborts", **CONTROL)
def aborts(sources):
    print("about to abort")
    os.abort()


@method("leaves", title="Ends the process as if all were well", **CONTROL)
def leaves(sources):
    os._exit(0)


@method("quits", title="Calls sys.exit", **CONTROL)
def quits(sources):
    sys.exit("no reason")


@method("eats-memory", title="Eats memory", **CONTROL)
def eats_memory(sources):
    eaten = []
    while True:
        eaten.append(np.ones(4 << 20))
        time.sleep(0.001)


@method("chatters", title="Prints 1 GB", **CONTROL)
def chatters(sources):
    line = b"la" * (1 << 15) + b"\n"
    for _ in range((1 << 30) // len(line)):
        os.write(1, line)
    return sources[0]


@method("leaves-a-child", title="Hangs with a process of its own", **CONTROL)
def leaves_a_child(sources):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(os.environ["MFIF_TEST_FOLDER"], "pid").write_text(str(child.pid))
    child.wait()


@method("dies-once", title="Is killed by somebody when it runs first", **CONTROL)
def dies_once(sources):
    mark = Path(os.environ["MFIF_TEST_FOLDER"], "died")
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return sources[0]


@method("dies", title="Is killed by somebody whenever it runs", **CONTROL)
def dies(sources):
    os.kill(os.getpid(), signal.SIGKILL)


@method("poisons", title="Leaves behind what kills the next", **CONTROL)
def poisons(sources):
    def bomb(*_):
        os.abort()

    signal.signal(signal.SIGALRM, bomb)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    return sources[0]


@method("naps", title="Takes a while", **CONTROL)
def naps(sources):
    time.sleep(1.5)
    return sources[1]


@dataset("treacherous", title="Scenes whose reading goes wrong", citation="none", licence="none")
def treacherous():
    def hang():
        print("reading for ever", flush=True)
        while True:
            time.sleep(60)

    def eat():
        eaten = []
        while True:
            eaten.append(np.ones(4 << 20))
            time.sleep(0.001)

    readers = {
        "hangs": hang,
        "segfaults": lambda: ctypes.string_at(0),
        "leaves": lambda: os._exit(0),
        "eats": eat,
        "no-images": lambda: "a string",
        "fine": lambda: SceneImages(tuple(pair(40, 48, 3))),
    }
    return [Scene("treacherous", name, read, "synthetic") for name, read in readers.items()]

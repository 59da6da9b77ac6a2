"""A plug-in that registers `stacker.py` once for each way in which a program may go wrong."""

import sys

from methods.programs import program

MODES = [
    "copies", "hangs", "daemon-hangs", "daemon-left", "forks", "small", "gray", "shallow",
    "garbage", "fails", "segfaults", "is-killed", "one-file", "many-files", "kills-supervisor",
    "eats-memory", "chatters", "locks", "burns", "tells", "writes-nothing", "bombs", "dark",
]  # fmt: skip


def register(mode: str) -> None:
    @program(
        f"p-{mode}",
        title=f"A program that {mode}",
        paper="a test",
        bits=16,
        files="stacker.py",
        disk_bytes=40 << 20,
        environment={"MINE": "{threads} of mine"},
    )
    def command() -> list[str]:
        return [sys.executable, "{here}/stacker.py", mode, "{output}", "{sources}"]


for each in MODES:
    register(each)


@program("p-two", title="A program for two", paper="a test", files="stacker.py", least_side=16)
def two(*, word: str = "plain") -> list[str]:
    """Copy the first."""
    return [sys.executable, "{here}/stacker.py", "tells", "{output}", "{a}", "{b}"]


@program("p-missing", title="A program that is not there", paper="a test", install="get it")
def missing() -> list[str]:
    """Never run."""
    return ["no-such-program-anywhere", "{output}", "{sources}"]

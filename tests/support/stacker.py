"""A program that is started by a command line, and goes wrong in the way that its mode names.

``stacker.py MODE OUTPUT SOURCE SOURCE ...``; it copies the first source where nothing else is said.
Every process appends its id to the file ``pids`` in the folder of the test.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

mode, output, *sources = sys.argv[1:]
BIG = b"x" * (1 << 20)


def here_i_am():
    with Path(os.environ["MFIF_TEST_FOLDER"], "pids").open("a") as pids:
        pids.write(f"{os.getpid()}\n")


def stay():
    here_i_am()
    while True:
        time.sleep(60)


def daemonise():
    """Leave a process behind as daemons do: in a session of its own, its parents gone."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            stay()
        os._exit(0)


def fuse():
    shutil.copy(sources[0], output)


here_i_am()
if mode == "hangs":
    print("entering the loop", file=sys.stderr, flush=True)
    stay()
elif mode == "daemon-hangs":
    daemonise()
    nameless = subprocess.Popen(["sleep", "600"], env={}, start_new_session=True)
    with Path(os.environ["MFIF_TEST_FOLDER"], "pids").open("a") as pids:
        pids.write(f"{nameless.pid}\n")
    stay()
elif mode == "daemon-left":
    daemonise()
    time.sleep(0.2)
    fuse()
elif mode == "forks":
    for _ in range(30):
        if os.fork() == 0:
            stay()
    fuse()
elif mode == "bombs":
    loop = "i=0; while [ $i -lt 1200 ]; do sleep 600 & i=$((i+1)); done; wait"
    subprocess.run(["sh", "-c", loop], check=False)
elif mode == "small":
    import cv2

    cv2.imwrite(output, cv2.imread(sources[0], -1)[1:, 2:])
elif mode == "gray":
    import cv2

    cv2.imwrite(output, cv2.imread(sources[0], 0))
elif mode == "shallow":
    import cv2

    cv2.imwrite(output, (cv2.imread(sources[0], -1) // 257).astype("uint8"))
elif mode == "dark":
    import cv2

    cv2.imwrite(output, cv2.imread(sources[0], -1).astype("uint16"))
elif mode == "garbage":
    Path(output).write_bytes(b"no image at all")
elif mode == "fails":
    print("progress 50 %")
    print("first\nno luck with \x1b[31mthis\n", file=sys.stderr)
    sys.exit(3)
elif mode == "segfaults":
    os.kill(os.getpid(), signal.SIGSEGV)
elif mode == "is-killed":
    os.kill(os.getpid(), signal.SIGKILL)
elif mode == "one-file":
    with Path("big").open("wb") as file:
        while True:
            file.write(BIG)
elif mode == "many-files":
    for k in range(10000):
        Path(f"big{k}").write_bytes(BIG)
        time.sleep(0.001)
    stay()
elif mode == "kills-supervisor":
    daemonise()
    time.sleep(0.2)
    os.kill(os.getppid(), signal.SIGKILL)
    stay()
elif mode == "eats-memory":
    eaten = []
    while True:
        eaten.append(b"x" * (1 << 24))
        time.sleep(0.002)
elif mode == "chatters":
    for _ in range(200):
        os.write(1, BIG)
    fuse()
elif mode == "locks":
    Path("locked/within").mkdir(parents=True)
    Path("locked/within/file").touch()
    Path("locked").chmod(0)
    fuse()
elif mode == "burns":
    start = time.process_time()
    held = b"x" * (200 << 20)  # zeros would take no memory before they are read
    while time.process_time() - start < 0.5:
        held[1 << 20]
    fuse()
elif mode == "tells":
    import cv2

    images = [cv2.imread(source, -1) for source in sources]
    names = " ".join(Path(source).name for source in sources)
    listed = " ".join(sorted(file.name for file in Path(sources[0]).parent.iterdir()))
    said = f"{names} | {listed} | {images[0].dtype} {images[0].shape} | {Path.cwd()}"
    said += f" | {os.environ.get('OMP_NUM_THREADS')} {os.environ.get('MINE')}"
    given = os.environ["MFIF_OUTPUT"] == output, os.environ["MFIF_FOLDER"] in sources[0]
    Path(os.environ["MFIF_TEST_FOLDER"], "told").write_text(f"{said} | {given}")
    fuse()
elif mode != "writes-nothing":
    fuse()

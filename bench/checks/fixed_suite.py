"""Run the fixed suite: every method on the stand-ins of the paper's scenes, which need no data."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bench.core.errors import EnvironmentFault

#: Environment variables that would change the suite's scenes.
HIDDEN = {"MFIF_DATA", "MFIF_OFFLINE", "XDG_CACHE_HOME"}


def run_fixed_suite(scratch: Path) -> Path:
    """Run the suite in its own process.

    Parameters
    ----------
    scratch : Path
        An empty folder.

    Returns
    -------
    Path
        Output folder of the run, in `scratch`.

    Raises
    ------
    EnvironmentFault
        The run failed.
    """
    out = scratch / "run"
    environment = {key: value for key, value in os.environ.items() if key not in HIDDEN}
    environment["XDG_CACHE_HOME"] = str(scratch / "cache")
    command = [sys.executable, "-m", "bench", "run", "--offline", "--repeats", "0"]
    command += ["--precision", "fp32"]  # bf16 depends on the processor
    command += ["--out", str(out)]
    done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
    if done.returncode not in (0, 1):
        raise EnvironmentFault(f"the fixed suite ended with exit code {done.returncode}")
    return out

"""The reason of an error, in one line."""

from __future__ import annotations

import traceback
from types import FrameType

from bench.core.errors import BenchError
from bench.core.plugins import PLUGIN_PREFIX


def reason_of(error: BaseException) -> str:
    """The message of an expected error; type, message and place of an unexpected one.

    The place is in the user's own file, if the error passed through one, or else the deepest.
    """
    if isinstance(error, BenchError):
        return str(error)
    walk = list(traceback.walk_tb(error.__traceback__))
    own = [k for k, (frame, _) in enumerate(walk) if _is_plugin(frame)]
    frames = list(traceback.extract_tb(error.__traceback__))
    if own:
        frames = frames[: own[-1] + 1]
    text = " ".join(str(error).split())
    where = f" ({frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {text}{where}"


def _is_plugin(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).startswith(PLUGIN_PREFIX)

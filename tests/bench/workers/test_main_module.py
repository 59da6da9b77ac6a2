"""The user's script stays hidden as long as any thread starts processes."""

from __future__ import annotations

import sys
import threading

from bench.workers.main_module import main_not_imported


def test_blocks_of_two_threads_may_overlap(monkeypatch):
    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "__file__", "script.py", raising=False)
    entered, leave = threading.Event(), threading.Event()

    def other() -> None:
        with main_not_imported():
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with main_not_imported():
        thread.start()
        assert entered.wait(10)  # the second block does not wait for the first
    assert not hasattr(main, "__file__")
    leave.set()
    thread.join()
    assert main.__file__ == "script.py"

"""Remarks reach the innermost block that collects them."""

from __future__ import annotations

import threading

from bench.core.remarks import collect, remark


def test_a_remark_that_nobody_collects_is_lost():
    remark("a.png: has a palette")
    with collect() as remarks:
        pass
    assert remarks == []


def test_the_innermost_block_gets_each_text_once():
    with collect() as outer:
        remark("one")
        with collect() as inner:
            remark("two")
            remark("two")
        remark("three")
    assert (outer, inner) == (["one", "three"], ["two"])


def test_a_thread_does_not_add_to_the_list_of_another():
    with collect() as remarks:
        thread = threading.Thread(target=remark, args=("of another thread",))
        thread.start()
        thread.join()
    assert remarks == []

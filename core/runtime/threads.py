"""One processor core for one computation: what runs side by side must not wait for one another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Inside, this thread's torch operations use so many CPU cores."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside, this thread's torch operations and all of NumPy's matrix products use one CPU core.

    Two units at once that each use both cores wait for one another: a selection by BAIT took 8
    times its work in CPU time that way.
    """
    with threads(1):
        _products.enter()
        try:
            yield
        finally:
            _products.leave()


class _SingleProducts:
    """NumPy's matrix products know one limit for the whole process.

    The first unit that begins sets it, the last that ends lifts it.
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.inside = 0
        self.limit = None

    def enter(self) -> None:
        from threadpoolctl import threadpool_limits

        with self.lock:
            self.inside += 1
            if self.inside == 1:
                self.limit = threadpool_limits(limits=1, user_api="blas")

    def leave(self) -> None:
        with self.lock:
            self.inside -= 1
            if self.inside == 0:
                self.limit.restore_original_limits()


_products = _SingleProducts()

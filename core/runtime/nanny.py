"""The local worker's nanny: Dask's, which also says how a worker ended.

Only the process that starts another one learns its exit code. See core/runtime/deaths.py.
"""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from distributed import Nanny, Status

from core.runtime import deaths

FROM_OUTSIDE = ("SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT")
LOOK_SECONDS = 1.0


def kind_of(exitcode: int, memory: bool) -> str:
    """ "memory", "killed" or "crashed". memory: is it known that it had too little?

    A process that ends by signal n has the exit code -n.
    """
    if memory:
        return "memory"
    outside = [-getattr(signal, name) for name in FROM_OUTSIDE if hasattr(signal, name)]
    return "killed" if exitcode in outside else "crashed"


def kernel_kills() -> int:
    """How many processes the kernel has ended for lack of memory; 0 if it does not say."""
    try:
        lines = Path("/proc/vmstat").read_text("ascii").splitlines()
    except (OSError, ValueError):
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)


class TellingNanny(Nanny):
    """Tells the scheduler's listeners how its worker ended."""

    async def start_unsafe(self) -> Any:
        from tornado.ioloop import PeriodicCallback

        self._too_little = False
        self._last = ""  # address of the worker that died last
        self._look()
        # Looked at often, so that what the kernel ended long ago counts for no death of today.
        self.periodic_callbacks["kernel"] = PeriodicCallback(self._look, 1000 * LOOK_SECONDS)
        return await super().start_unsafe()

    def log_event(self, topic: Any, msg: Any) -> None:
        """Dask's own word that it ends the worker for its memory is noted on the way."""
        self._too_little |= topic == deaths.OUT_OF_MEMORY
        super().log_event(topic, msg)

    async def _on_worker_exit(self, exitcode: int) -> None:
        by_kernel = exitcode == -signal.SIGKILL and kernel_kills() > self._killed_before
        told = {"kind": kind_of(exitcode, self._too_little or by_kernel)}
        self._too_little = False
        self._look()
        if self.status == Status.running:  # not when it is to end
            # Of a worker that dies at once its nanny still has the address of the one before.
            known = self.worker_address or ""
            self.log_event(deaths.TOPIC, told | {"worker": "" if known == self._last else known})
            self._last = known
        await super()._on_worker_exit(exitcode)

    def _look(self) -> None:
        self._killed_before = kernel_kills()

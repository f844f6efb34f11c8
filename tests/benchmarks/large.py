"""Leverage of a table larger than memory: `python -m tests.benchmarks.large [rows]`, 1,000,000 x
512 float32 unless told otherwise.

Writes the table (2 GB) to a temporary folder (TMPDIR says where) and removes it at the end.
Measured: the command `python -m core leverage` as a process of its own, with its peak memory,
imports included; the passes alone; the floor of the two passes, which is one Gram product and one
product with (d, r) at the rate this machine reaches for them (tests/benchmarks/leverage.py);
reading the file once per pass, which is beside that floor; and the same table on one and on two
Dask workers. Run it on a quiet machine. Wanted: at most 1 GB, at most twice the floor, the same
scores on one and two workers.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from distributed import Client, LocalCluster

from core.large import leverage
from core.large.dask_rows import Spread
from core.large.row_sources import RowsOnDisk, open_table
from core.types import Floats
from tests.benchmarks.leverage import floor_seconds

D, ROWS = 512, 1_000_000
COMMAND = """
import re, sys
from core.__main__ import main
assert main(sys.argv[1:]) == 0
print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
"""


def write(path: Path, n: int) -> None:
    """Normal random numbers, row by row of a .npy file."""
    rng = np.random.default_rng(0)
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "<f4", "fortran_order": False, "shape": (n, D)}
        )
        for start in range(0, n, 10_000):
            file.write(rng.standard_normal((min(10_000, n - start), D), np.float32).data)


def command(path: Path) -> tuple[float, float]:
    """(seconds, peak MB) of the command line as a process of its own.

    Linux knows the peak since the program began as VmHWM.
    """
    started = time.perf_counter()
    arguments = [
        sys.executable,
        "-c",
        COMMAND,
        "leverage",
        str(path),
        "--out",
        str(path.with_suffix(".parquet")),
    ]
    done = subprocess.run(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True
    )
    return time.perf_counter() - started, int(done.stdout.splitlines()[-1]) / 1024


def reading(table: RowsOnDisk) -> float:
    """Seconds of reading the rows once."""
    started = time.perf_counter()
    for _ in table.blocks(4096):
        pass
    return time.perf_counter() - started


def spread(table: RowsOnDisk, workers: int) -> tuple[Floats, float]:
    """(scores, seconds) on so many worker processes of one thread each."""
    how = {"threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(workers, **how) as cluster, Client(cluster):
        started = time.perf_counter()
        return leverage.leverage(Spread(table))[0], time.perf_counter() - started


def measure(path: Path, n: int) -> None:
    """Print every figure beside what is wanted."""
    table = open_table(path)
    seconds, peak = command(path)
    read = reading(table)
    started = time.perf_counter()
    scores, facts = leverage.leverage(leverage.Streamed(table))
    passes, floor = time.perf_counter() - started, floor_seconds(n, D, facts["rank"], 3)
    print(f"the command: {seconds:.1f} s, peak {peak:.0f} MB (wanted: at most 1000)")
    print(
        f"the passes: {passes:.1f} s = {passes / floor:.2f} times the floor of {floor:.1f} s"
        " (wanted: at most 2)"
    )
    print(
        f"  reading the file once takes {read:.2f} s; with two readings in the floor,"
        f" {passes / (floor + 2 * read):.2f} times"
    )
    found = {}
    for workers in (1, 2):
        found[workers], seconds = spread(table, workers)
        print(
            f"{workers} Dask worker(s): {seconds:.1f} s, largest difference from one process"
            f" {np.abs(found[workers] - scores).max():.1e}"
        )
    print(
        f"one and two workers give the same bits: {np.array_equal(found[1], found[2])} (wanted:"
        " True)"
    )


def main() -> None:
    """The table, the figures, and nothing left behind."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    threads = os.environ.get("OMP_NUM_THREADS", "as many as cores")
    print(f"{n:,} x {D} float32, {psutil.cpu_count()} cores, threads {threads}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / "table.npy", n)
        measure(Path(folder) / "table.npy", n)


if __name__ == "__main__":
    main()

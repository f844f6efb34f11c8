"""What every test shares: a cache and a data folder of its own, and no worker left behind.

The folders are set when this file is read, before any test module is imported, and programs that a
test starts inherit them. A test that wants others sets the variables itself (`monkeypatch.setenv`);
it gets these back afterwards.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    # Test processes beside each other: threads of each on every core would only wait for another.
    for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(_name, "1")
_folder = Path(tempfile.mkdtemp(prefix="leverage-lab-tests-"))
os.environ["LEVERAGE_LAB_CACHE"] = str(_folder / "cache")
os.environ["LEVERAGE_LAB_DATA"] = str(_folder / "data")


@pytest.fixture(scope="session", autouse=True)
def _close_jobs():
    """Workers end with the session, if any test started one."""
    yield
    close = getattr(sys.modules.get("core.runtime.jobs"), "close", None)
    if close is not None:
        close()


def pytest_unconfigure():
    shutil.rmtree(_folder, ignore_errors=True)

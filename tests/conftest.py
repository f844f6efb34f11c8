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
from hypothesis import HealthCheck, settings

if "PYTEST_XDIST_WORKER" in os.environ:
    # Test processes beside each other: threads of each on every core would only wait for another.
    for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(_name, "1")
_folder = Path(tempfile.mkdtemp(prefix="leverage-lab-tests-"))
# A slower machine, or a busy one, is no fault.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")
LONGEST = (
    "experiments/test_presets.py",
    "tests/test_embeddings.py",
    "experiments/test_runner.py",
    "tests/test_pipeline.py",
    "strategies/test_leverage.py",
    "commands/test_command_line.py",
    "runtime/test_jobs.py",
    "models/test_shipped_networks.py",
    "tests/test_datasets.py",
    "tests/test_agreement.py",
    "browser/test_retrain.py",
    "browser/test_lesson.py",
    "browser/test_explore.py",
    "browser/test_hosted.py",
    "browser/test_agreement.py",
    "browser/test_lever.py",
    "browser/test_active.py",
    "browser/test_data.py",
    "browser/test_influence.py",
    "browser/test_gallery.py",
    "browser/test_map.py",
    "browser/test_trim.py",
)
REMEMBERED = (
    ("core.pipeline", "_embedding"),
    ("core.experiments.store", "forget"),
    ("core.experiments.retrain.plan", "_pool_scores"),
    ("core.experiments.simulations.run", "_represented"),
)
# What is measured differs from machine to machine, and on a busy one from run to run.
os.environ["LEVERAGE_LAB_PRECISION"] = "float32"
os.environ["LEVERAGE_LAB_CACHE"] = str(_folder / "cache")
os.environ["LEVERAGE_LAB_DATA"] = str(_folder / "data")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest come first, so that the processes that share them end together;
    the browser's after all others, see tests/browser/conftest.py.
    """
    place = {name: i for i, name in enumerate(LONGEST)}
    items.sort(
        key=lambda item: (
            "browser" in item.path.parts,
            place.get(f"{item.path.parent.name}/{item.path.name}", len(place)),
        )
    )


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes name no test: gzip notes the time, and several processes must find the same names."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture
def own_cache(tmp_path, monkeypatch) -> Path:
    """An empty cache, and nothing of an earlier one in memory; its folder."""
    monkeypatch.setenv("LEVERAGE_LAB_CACHE", str(tmp_path / "cache"))
    _forget()
    yield tmp_path / "cache"
    _forget()


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    """Own data have a folder of their own, and nobody has any."""
    monkeypatch.setenv("LEVERAGE_LAB_DATA", str(tmp_path / "data"))


def _forget() -> None:
    """What modules remember of results beside the cache, as far as they are loaded."""
    for module, name in REMEMBERED:
        if module in sys.modules:
            found = getattr(sys.modules[module], name)
            getattr(found, "cache_clear", found)()


@pytest.fixture(scope="session", autouse=True)
def _close_jobs():
    """Workers end with the session, if any test started one."""
    yield
    close = getattr(sys.modules.get("core.runtime.jobs"), "close", None)
    if close is not None:
        close()


def pytest_unconfigure():
    shutil.rmtree(_folder, ignore_errors=True)

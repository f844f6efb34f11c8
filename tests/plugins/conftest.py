"""A process that has loaded no own file, and own files to load."""

import os
import sys

import pytest

from core import embeddings, strategy
from core.plugins import loading
from core.plugins.menu import strategies
from core.runtime import code_version as versions
from core.strategy import OWN


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """As in a process that has loaded no own strategy; nothing that a test loads stays."""
    monkeypatch.delenv(loading.VARIABLE, raising=False)
    monkeypatch.delenv("LEVERAGE_LAB_HOSTED", raising=False)
    monkeypatch.setattr(strategy, "_registry", dict(strategies()))
    monkeypatch.setattr(embeddings, "_registry", embeddings.registered())
    monkeypatch.setattr(loading, "_loaded", loading._Loaded())
    monkeypatch.setattr(versions, "_elsewhere", {})
    monkeypatch.setattr(versions, "_beside", {})
    yield
    for name in [name for name in sys.modules if name.startswith(OWN)]:
        del sys.modules[name]
    versions._code_version.cache_clear()


@pytest.fixture
def named(monkeypatch, tmp_path):
    """named(**files) writes them, names them in the variable, and returns what is wrong with
    them.
    """

    def name(*more: str, **files: str) -> list[str]:
        for stem, text in files.items():
            (tmp_path / f"{stem}.py").write_text(text)
        paths = [str(tmp_path / f"{stem}.py") for stem in files]
        monkeypatch.setenv(loading.VARIABLE, os.pathsep.join([*paths, *more]))
        return loading.problems()

    return name

"""Is a server known to be there for as long as its process runs, and no longer?"""

import subprocess
import sys

import pytest

from core.runtime import server_mark
from tests.tools.hosted_server import ROOT

HOLD = """
from core.runtime import server_mark
print(server_mark.mark(), flush=True)
input()
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LEVERAGE_LAB_DATA", str(tmp_path))
    return tmp_path / "servers"


@pytest.fixture
def other(folder):
    """(process, mark) of another server on the same folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process, process.stdout.readline().strip()
    process.kill()
    process.communicate()


def test_a_process_has_one_mark_and_is_there(folder):
    mine = server_mark.mark()
    assert server_mark.mark() == mine and len(mine) == 32
    assert not server_mark.has_ended(mine)
    server_mark.forget_ended()
    assert [file.name for file in folder.iterdir()] == [mine]


def test_another_process_is_there_until_it_is_killed(folder, other):
    process, mark = other
    assert mark != server_mark.mark() and not server_mark.has_ended(mark)
    server_mark.forget_ended()
    assert (folder / mark).exists()
    process.kill()
    process.wait()
    assert server_mark.has_ended(mark)
    server_mark.forget_ended()
    assert not (folder / mark).exists() and server_mark.has_ended(mark)


def test_what_has_no_mark_is_of_before_there_were_any(folder):
    assert server_mark.has_ended("")

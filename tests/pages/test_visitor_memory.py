"""Is what visitors have read in kept for their next click, each for themselves, and all together
within bounds?
"""

import pytest

from core.data.imports import read_file
from pages.shared import visitor, visitor_memory
from pages.shared.recently_used import RecentlyUsed
from tests.tools import pages


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("LEVERAGE_LAB_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(visitor_memory, "KEPT", RecentlyUsed(visitor_memory.KEPT.most))


@pytest.fixture
def who(monkeypatch):
    """who(name): from now on this visitor acts."""
    acting = ["first"]
    monkeypatch.setattr(visitor, "owner", lambda: acting[0])
    return lambda name: acting.__setitem__(0, name)


def test_each_visitor_has_rooms_of_their_own(who):
    visitor_memory.put("a", 1, "mine", 10)
    who("second")
    assert visitor_memory.get("a", 1) is None
    visitor_memory.put("a", 1, "theirs", 10)
    who("first")
    assert (
        visitor_memory.get("a", 1) == "mine"
        and visitor_memory.get("a", 2) is None
        and visitor_memory.get("b", 1) is None
    )
    visitor_memory.put("a", 2, "another", 10)
    assert visitor_memory.get("a", 1) is None and visitor_memory.get("a", 2) == "another"
    visitor_memory.forget("a")
    assert visitor_memory.get("a", 2) is None
    who("second")
    visitor_memory.forget_all("second")
    assert visitor_memory.get("a", 1) is None and not visitor_memory.KEPT.kept()


def test_what_was_wanted_least_lately_goes_first_and_the_last_one_stays(who):
    visitor_memory.KEPT.most = 100
    for name in ("first", "second", "third"):
        who(name)
        visitor_memory.put("a", 1, name, 40)
        who("first")
        assert visitor_memory.get("a", 1) == "first"
    assert {place[0] for place in visitor_memory.KEPT.kept()} == {
        "first",
        "third",
    }, "wanted in between, the first stays"
    visitor_memory.put("b", 1, "large", 1000)
    assert visitor_memory.get("b", 1) == "large" and len(visitor_memory.KEPT.kept()) == 1


def test_a_file_is_read_once_however_often_the_page_runs(monkeypatch):
    read, times = read_file.read, []
    monkeypatch.setattr(
        read_file, "read", lambda *given, **how: times.append(how["choices"]) or read(*given, **how)
    )
    at = pages.visit("pages/data.py", dataset="digits")
    at.file_uploader[0].upload(
        "small.csv", b"a,b,c,kind\n" + b"1,2,3,x\n3,4,5,y\n" * 5, "text/csv"
    ).run()
    assert not at.exception and len(times) == 1
    pages.widget(at.selectbox, "Labels").select("kind").run()
    assert (
        len(times) == 2
        and times[1].label == "kind"
        and "<dt>classes</dt><dd>2</dd>" in pages.texts(at)
    )
    at.run()
    at.run()
    assert len(times) == 2

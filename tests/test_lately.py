"""Is what visitors have read in kept for their next click, each for themselves, and all together within bounds?"""

import pytest

from core import intake
from pages.shared import lately, visit
from tests import page_tools

asked = page_tools.asked


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("LEVERAGE_LAB_DATA", str(tmp_path / "data"))
    lately._kept.clear()
    yield
    lately._kept.clear()


@pytest.fixture
def who(monkeypatch):
    """who(name): from now on this visitor acts."""
    acting = ["first"]
    monkeypatch.setattr(visit, "owner", lambda: acting[0])
    return lambda name: acting.__setitem__(0, name)


def test_each_visitor_has_rooms_of_their_own(who):
    lately.put("a", 1, "mine", 10)
    who("second")
    assert lately.get("a", 1) is None
    lately.put("a", 1, "theirs", 10)
    who("first")
    assert lately.get("a", 1) == "mine" and lately.get("a", 2) is None and lately.get("b", 1) is None
    lately.put("a", 2, "another", 10)
    assert lately.get("a", 1) is None and lately.get("a", 2) == "another"
    lately.forget("a")
    assert lately.get("a", 2) is None
    who("second")
    lately._forget_all("second")
    assert lately.get("a", 1) is None and not lately._kept


def test_what_was_wanted_least_lately_goes_first_and_the_last_one_stays(who, monkeypatch):
    monkeypatch.setattr(lately, "MOST", 100)
    for name in ("first", "second", "third"):
        who(name)
        lately.put("a", 1, name, 40)
        who("first")
        assert lately.get("a", 1) == "first"
    assert {place[0] for place in lately._kept} == {"first", "third"}, "wanted in between, the first stays"
    lately.put("b", 1, "large", 1000)
    assert lately.get("b", 1) == "large" and len(lately._kept) == 1


def test_a_file_is_read_once_however_often_the_page_runs(monkeypatch):
    read, times = intake.read, []
    monkeypatch.setattr(intake, "read", lambda *given, **how: times.append(how["choices"]) or read(*given, **how))
    at = page_tools.visit("pages/data.py", dataset="digits")
    at.file_uploader[0].upload("small.csv", b"a,b,c,kind\n" + b"1,2,3,x\n3,4,5,y\n" * 5, "text/csv").run()
    assert not at.exception and len(times) == 1
    page_tools.widget(at.selectbox, "Labels").select("kind").run()
    assert len(times) == 2 and times[1].label == "kind" and "<dt>classes</dt><dd>2</dd>" in page_tools.texts(at)
    at.run()
    at.run()
    assert len(times) == 2

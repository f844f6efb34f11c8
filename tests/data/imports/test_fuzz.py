"""No file that a stranger sends ends otherwise than in a sound draft or in a message; nothing is
written on the way.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings

from core import spec
from core.data.imports.draft_preview import preview
from core.data.imports.join_by_id import ids_of, join
from core.data.imports.read_file import read
from core.experiments.kinds import KINDS
from core.types import Dataset, UserError
from tests.tools.fuzzing import SMALL, assert_plain, assert_sound, links, uploads

FUZZ = {
    "derandomize": True,
    "database": None,
    "suppress_health_check": list(HealthCheck),
}
_seen: list[list[str]] = []


def _audit(event: str, details: tuple) -> None:
    """Notes every file that is opened for writing, made, renamed or linked while one watches."""
    if _seen and (
        event in ("os.mkdir", "os.rename", "os.link", "os.symlink", "os.remove")
        or (event == "open" and _writing(details[1]))
    ):
        _seen[-1].append(f"{event} {details[0]!r}")


def _writing(mode: object) -> bool:
    return isinstance(mode, str) and bool(set(mode) & set("wax+"))


@pytest.fixture(scope="module", autouse=True)
def _hook():
    sys.addaudithook(_audit)


@contextmanager
def watched() -> Iterator[list[str]]:
    """What is written to disk meanwhile."""
    _seen.append([])
    try:
        yield _seen[-1]
    finally:
        _seen.pop()


def test_the_watch_sees_a_file(tmp_path):
    with watched() as written:
        (tmp_path / "a").write_text("x")
    assert len(written) == 1 and "open" in written[0]


def test_uploads_end_in_a_draft_or_in_a_message(tmp_path, monkeypatch):
    outcomes = {"draft": 0, "message": 0}

    @settings(**FUZZ, max_examples=400)
    @given(uploads())
    def check(upload):
        with watched() as written:
            try:
                draft = read(upload.data, upload.name, limits=SMALL, choices=upload.choices)
            except UserError as error:
                assert_plain(str(error))
                outcomes["message"] += 1
            else:
                outcomes["draft"] += 1
                assert_sound(draft, SMALL)
                assert preview(draft).rows == len(draft)
                _join_itself(draft)
        assert written == []

    monkeypatch.chdir(tmp_path)
    check()
    assert list(tmp_path.iterdir()) == []
    assert min(outcomes.values()) > 50, outcomes


def _join_itself(draft):
    dataset = Dataset(
        "own",
        draft.points,
        draft.labels,
        draft.class_names,
        draft.test,
        ids=draft.ids,
        probs=draft.probs,
    )
    try:
        embedding, _ = join(ids_of(dataset), draft)
    except UserError as error:
        assert_plain(str(error))
        assert draft.kind == "images" or draft.fatal or draft.refused_ids
    else:
        assert (embedding == draft.points).all()


def test_links_end_in_a_plan_and_in_messages():
    @settings(**FUZZ, max_examples=300)
    @given(links())
    def check(link):
        kind, query = link
        chosen, problems = KINDS[kind].from_query(query) if kind else spec.from_query(query)
        assert all(isinstance(problem, str) and problem for problem in problems)
        again, none = (
            KINDS[kind].from_query(chosen.to_query())
            if kind
            else spec.from_query(chosen.to_query())
        )
        assert again == chosen and none == []

    check()

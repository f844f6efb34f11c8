"""What the page tests share: pages without a browser (AppTest), workers that answer on the spot or
never, and ways to read a page.

`asked` and `held` are fixtures, which tests/pages has from its conftest.py and others take over by
name (`asked = pages.asked`): with `asked` every test of a module starts from an empty cache. What a
gallery or a chart shows is read from the bytes that it sends to the browser.
"""

import importlib
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import parse_qsl

import pandas as pd
import pytest
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df
from streamlit.testing.v1 import AppTest
from streamlit.typing import VegaLiteState

from core import datasets, embeddings, pipeline
from core.linalg import ties
from core.runtime import jobs
from core.spec import Spec
from core.strategies.leverage import leverage
from core.types import UserError
from pages.shared import cached
from tests.tools import job_desk

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "pages").glob("*.py")
    if path.name != "__init__.py"
)
DIGITS = {"dataset": "digits"}
SECONDS = 600  # a page may be slow on a busy machine


@pytest.fixture(autouse=True)
def asked(monkeypatch, tmp_path):
    """An empty cache, no jobs, and work done on the spot; the list of tasks that were asked for."""
    monkeypatch.setenv("LEVERAGE_LAB_CACHE", str(tmp_path / "cache"))
    job_desk.empty(monkeypatch)
    monkeypatch.setattr(jobs, "start_in_background", lambda: None)
    pipeline._embedding.cache_clear()
    tasks = []
    monkeypatch.setattr(jobs, "submit", on_the_spot(tasks))
    return tasks


def on_the_spot(tasks):
    def submit(task, *args, key, owner=None, **how):
        job = job_desk.put(jobs.Job(key, task, args, owners={owner} - {None}))
        tasks.append(task)
        module, _, function = task.partition(":")
        try:
            job._finish("done", value=getattr(importlib.import_module(module), function)(*args))
        except UserError as error:
            job._finish("failed", error=str(error))
        return job

    return submit


def done(key: str, value) -> None:
    """A job that has ended with this value."""
    job = jobs._cluster.jobs[key] = jobs.Job(key, "", ())
    job._finish("done", value=value)


@pytest.fixture
def held(monkeypatch):
    """held(task) lets that task of core.pipeline (None: any) begin and never end, `of` a strategy
    if one is named; the list of its jobs.
    """

    def hold(task=None, of=None):
        begun, usual = [], jobs.submit

        def submit(name, *args, key, owner=None, **how):
            if task and (name != f"core.pipeline:{task}" or (of and of != args[0].strategy)):
                return usual(name, *args, key=key, owner=owner, **how)
            job = job_desk.put(
                jobs.Job(
                    key,
                    name,
                    args,
                    state="running",
                    progress=(0.25, "counting"),
                    owners={owner} - {None},
                )
            )
            begun.append(job)
            return job

        monkeypatch.setattr(jobs, "submit", submit)
        monkeypatch.setattr(cached, "QUICK", 0.01)
        return begun

    return hold


def visit(page: str, seconds: float = SECONDS, **query) -> AppTest:
    """The page after its first run on a link; a dot in a parameter's name is written as two
    underscores.
    """
    at = AppTest.from_file(str(ROOT / page), default_timeout=seconds)
    for name, value in query.items():
        at.query_params[name.replace("__", ".")] = value
    return at.run()


def visiting(usual: str, link: Mapping[str, str] | None = None) -> Callable[..., AppTest]:
    """visit(page=usual, **changes of the link) -> the page, which must not have failed."""

    def sound(page: str = usual, **query) -> AppTest:
        at = visit(page, **{**(link or {}), **query})
        assert not at.exception, at.exception
        return at

    return sound


def follow(page: str, link: str) -> AppTest:
    """The page after its first run on a link as it stands in the address."""
    return visit(page, **dict(parse_qsl(link)))


def galleries(at) -> list[dict]:
    """The header of every gallery on the page, in order: ids, ranks, captions, scores, marks, alt,
    selected.
    """
    blocks = [
        element.proto.bytes for element in at.get("bidi_component") if element.proto.bytes
    ]  # others send no images
    return [json.loads(block[4 : 4 + int.from_bytes(block[:4], "little")]) for block in blocks]


def texts(at) -> str:
    """Everything that st.html wrote: the sentence, the facts, the legend.

    Without the marks of a word that says what it means.
    """
    return re.sub(r"</?dfn[^>]*>", "", " ".join(element.proto.body for element in at.get("html")))


def spec_of(at) -> Spec:
    return at.session_state["spec"]


def widget(kind, label: str):
    """The one widget of this kind with this label."""
    (found,) = [w for w in kind if w.label == label]
    return found


def group(at, label: str):
    """The one group of buttons (pills, segments) with this label."""
    (found,) = [w for w in at.button_group if w.proto.label == label]
    return found


def group_labels(at) -> list[str]:
    """The labels of all groups of buttons."""
    return [w.proto.label for w in at.button_group]


def chart(at, begins: str):
    """The one chart whose key begins so."""
    (found,) = [
        element for element in at.get("vega_lite_chart") if (element.key or "").startswith(begins)
    ]
    return found


def drawn(element) -> list[pd.DataFrame]:
    """The tables that a chart sends along, the largest first."""
    tables = [
        convert_arrow_bytes_to_pandas_df(dataset.data.data) for dataset in element.proto.datasets
    ]
    return sorted(tables, key=len, reverse=True)


def means(element) -> pd.DataFrame:
    """The table of a chart's means with their intervals, one row per mark."""
    (found,) = {
        tuple(table.columns): table
        for table in drawn(element)
        if "low" in table and "height" not in table
    }.values()
    return found


def described(element) -> dict:
    """A chart's description (Vega-Lite), and its text for those who do not see it as "alt"."""
    return json.loads(element.proto.spec) | {"alt": element.proto.alt}


def choose_in(at, element, **selection) -> None:
    """What the browser reports when something is picked or brushed in a chart."""
    at.session_state[element.key] = VegaLiteState({"selection": selection})
    at.run()


def explore_works(at) -> None:
    """The Explore page ran to its end and shows points."""
    assert not at.exception, at.exception
    assert not at.error and galleries(at) and "points" in texts(at)


@pytest.fixture(scope="module")
def digits():
    """All 1,797 of them."""
    return datasets.load("digits")


@pytest.fixture(scope="module")
def order(digits):
    """The points by leverage under raw pixels, best first."""
    return ties.order(leverage(embeddings.embed(digits, "raw").embedding))

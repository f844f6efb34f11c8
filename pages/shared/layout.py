"""What every page is laid out of: question and answer, facts, messages, links and downloads."""

from __future__ import annotations

import html
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitPageNotFoundError

from core import datasets
from core.data import own
from core.hosting import policy
from core.plugins import loading
from core.spec import Spec
from core.types import UserError
from pages.shared.words import defined, plain


def style(sheet: Path) -> str:
    """A style sheet, for st.html."""
    return f"<style>\n{sheet.read_text('utf-8')}</style>"


# Styles that Streamlit has no setting for. Only classes of our own and .st-key-* are touched.
STYLE = style(Path(__file__).with_name("layout.css"))
MIME = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet", "json": "application/json"}
MIME |= {"svg": "image/svg+xml", "png": "image/png"}


def dark() -> bool:
    """Does the reader see the dark theme?"""
    return st.context.theme.type == "dark"


def head(question: str) -> None:
    """The question that the page answers, and under it which own strategies could not be loaded.

    A visitor of the hosted demo has none.
    """
    st.html(STYLE)
    st.title(question, anchor=False)
    for problem in [] if policy.hosted() else loading.problems():
        st.warning(f"From {loading.VARIABLE}: {plain(problem)} The other strategies work.")


def answer(sentence: str) -> None:
    """The computed sentence under the question; *stars* make bold."""
    st.html(f'<p class="answer">{_marked(sentence)}</p>')


def under_picture(sentence: str) -> None:
    """A computed sentence in the size of text, marked as an answer is."""
    st.html(f'<p class="under">{_marked(sentence)}</p>')


def _marked(sentence: str) -> str:
    """As HTML: *stars* make bold, and leverage says what it is."""
    parts = html.escape(sentence).split("*")
    marked = "".join(f"<b>{part}</b>" if i % 2 else part for i, part in enumerate(parts))
    return defined(marked)


def fluid(name: str, height: int):
    """A container for one chart that is `height` pixels high, in which the chart stretches.

    It is never higher than the screen is wide.
    """
    return st.container(key=f"fluid-{name}", height=height, border=False)


def facts(pairs: Sequence[tuple[str, str, str]]) -> None:
    """One row of (label, value, explanation); a compact line on a phone."""
    items = "".join(
        f'<div title="{why}"><dt>{name}</dt><dd>{value}</dd></div>'
        for name, value, why in (map(html.escape, pair) for pair in pairs)
    )
    st.html(f'<dl class="facts">{items}</dl>')


def messages(problems: Sequence[str]) -> None:
    """What could not be used, each with its mend; what could be used is on the page."""
    for problem in map(policy.said, problems):
        st.warning(
            f"From the link: {plain(problem)} The rest of the link is used as it is.", icon=None
        )


def remarks(facts: Mapping[str, Any]) -> None:
    """How far the result can be trusted, where it says so itself."""
    for sentence in facts.get("remarks", ()):
        st.warning(plain(sentence))


def notes(sentences: Sequence[str]) -> None:
    """What the reader should know of how a result came about."""
    for sentence in sentences:
        st.warning(
            plain(
                policy.said(
                    sentence,
                    "This result is whole,"
                    " but this server could not keep it or had lost it before.",
                )
            )
        )


def made_of(sentences: Sequence[str | None]) -> None:
    """What was made for the strategies besides the embedding, each sentence once.

    Who judges, how many opinions, which training.
    """
    for sentence in dict.fromkeys(filter(None, sentences)):
        st.caption(sentence)


@contextmanager
def explained() -> Iterator[None]:
    """Inside, what the user can mend becomes a sentence on the page, which stops there."""
    try:
        yield
    except UserError as error:
        st.error(plain(policy.said(str(error))))
        st.stop()


def downloads(label: str, files: Sequence[tuple[str, Callable[[], bytes | str], str]]) -> None:
    """A button that offers files: (what it says, content, file name).

    Contents are made when asked for, outside the run of the page: on behalf of this visitor.
    """
    with st.popover(label, width="stretch"):
        for text, content, name in files:
            mime = MIME[name.rsplit(".", 1)[-1]]
            st.download_button(
                text,
                data=own.on_behalf(own.whose(), content),
                file_name=name,
                mime=mime,
                on_click="ignore",
                width="stretch",
                key=f"download {name}",
            )


def no_labels(name: str) -> None:
    """A page that learns from labels, and a dataset without: say what still works."""
    what = plain(datasets.info(name).title)
    st.info(
        f"{what} has no labels, and this page trains on them. Choose another dataset beside, or"
        " bring it in again with its labels."
    )
    onward(
        "explore",
        f"Explore {what}: what needs no labels works there",
        ":material/grid_view:",
        Spec(dataset=name).to_query(),
    )


def onward(page: str, label: str, icon: str, query: Mapping[str, str], where: Any = st) -> None:
    """A link to another page with this state; the session goes along, and what it brought in."""
    try:
        where.page_link(f"pages/{page}.py", label=label, icon=icon, query_params=query)
    except StreamlitPageNotFoundError:  # a page that runs alone knows no others
        where.markdown(f"[{label}](/{page}?{urllib.parse.urlencode(query)})")


def link_of(query: Mapping[str, str]) -> str:
    """The address that restores this state from cold."""
    base = (st.context.url or "").split("?")[0]
    return f"{base}?{urllib.parse.urlencode(query)}" if query else base


def link_box(query: Mapping[str, str]) -> None:
    """A button that shows the link, ready to copy."""
    with st.popover("Link to this view", width="stretch"):
        st.caption("Opens exactly this view, anywhere this app runs.")
        st.code(link_of(query), language=None, wrap_lines=True)


def file_name(spec: Spec) -> str:
    """A file name without surprises: letters, digits, dots and hyphens."""
    return "-".join(
        filter(
            None,
            [
                spec.dataset,
                spec.embedding,
                spec.strategy,
                *(f"{n}{v}" for n, v in spec.strategy_knobs),
            ],
        )
    ).replace("_", "-")

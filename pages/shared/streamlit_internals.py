"""Streamlit's private parts that this app needs, each behind a plain name.

No other file imports any. Streamlit's version is pinned in requirements.txt. When it is raised,
tests/pages/test_streamlit_internals.py looks whether each part is still there and says what hangs
on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit import cli_util, config, runtime
from streamlit.elements import vega_charts
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx, script_runner
from streamlit.web.server import server_util

# Addresses of Streamlit's server: uploads, followed by the session; what is the operator's.
UPLOADS = "/_stcore/upload_file/"
OPERATORS = ("/_stcore/metrics", "/_stcore/agent", "/_stcore/script-health-check")


def chart_description(chart: Any) -> Mapping[str, Any]:
    """An Altair chart in Vega-Lite, its data in Arrow's bytes.

    st.altair_chart makes this anew in every run.
    """
    return vega_charts._convert_altair_to_vega_lite_spec(chart)


def session_id() -> str:
    """Of the session for which this script runs."""
    return get_script_run_ctx().session_id


def is_a_run() -> bool:
    """Does this thread run a page, one of its callbacks or one of its fragments?"""
    return get_script_run_ctx(suppress_warning=True) is not None


def is_connected(session: str) -> bool:
    """Is the browser tab of this session open and connected?"""
    return runtime.exists() and runtime.get_instance().is_active_session(session)


def uploaded_bytes() -> dict[str, int]:
    """What each session has uploaded and not yet let go of."""
    if not runtime.exists():
        return {}
    kept = runtime.get_instance().uploaded_file_mgr.file_storage
    return {
        session: sum(len(file.data) for file in list(files.values()))
        for session, files in list(kept.items())
    }


def only_fragments_run() -> bool:
    """Does this run draw a fragment of the page alone?"""
    return bool(get_script_run_ctx().fragment_ids_this_run)


def pages_come_without_app() -> bool:
    """Does this server still take the folder `pages` for its list of pages?

    So it does before app.py with its st.navigation has run.
    """
    return bool(PagesManager.uses_pages_directory)


def set_option(name: str, value: Any, where: str) -> None:
    """Set an option of the server. where: what to name as its place."""
    config.set_option(name, value, where)


def open_browser() -> None:
    """A tab on this server, unless it was told to be headless.

    `streamlit run` does so for scripts, but not for an st.App.
    """
    if not config.get_option("server.headless"):
        address = config.get_option("browser.serverAddress")
        if not config.is_manually_set("browser.serverAddress"):
            address = server_util.get_display_address(config.get_option("server.address") or "")
        cli_util.open_browser(server_util.get_url(address))


def page_scripts() -> list[str]:
    """The code in Streamlit's page, as it came with the installed version."""
    page = (Path(st.__file__).parent / "static" / "index.html").read_text("utf-8")
    return re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)


def around_every_run(turn: Callable[[], AbstractContextManager]) -> None:
    """From now on every run of a page happens inside `with turn():`. Said twice, it holds once."""
    run = script_runner.exec_func_with_error_handling
    if getattr(run, "turn", None) is turn:
        return

    def in_turn(function: Callable, context: Any) -> Any:
        with turn():
            return run(function, context)

    in_turn.turn = turn  # type: ignore[attr-defined]
    script_runner.exec_func_with_error_handling = in_turn

"""Are Streamlit's private parts still what pages/shared/streamlit_internals.py takes them for, and
does no other file reach for them?

A failure after an upgrade says what hangs on the part. Find its successor in Streamlit's source, or
a public way, and change streamlit_internals.py alone.
"""

import ast
import inspect
from pathlib import Path

import altair
import pandas as pd
import pytest
import streamlit as st
from streamlit import cli_util, config, runtime
from streamlit.elements import vega_charts
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx, script_runner
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext
from streamlit.web.server import server_util
from streamlit.web.server.app_discovery import discover_asgi_app
from streamlit.web.server.server import UPLOAD_FILE_ENDPOINT

from pages.shared import streamlit_internals as internals
from tests.tools.hosted_server import ROOT
from tests.tools.source_reading import code, imports, nodes

# What is private -> the names of its arguments, and what hangs on it.
FUNCTIONS = {
    vega_charts._convert_altair_to_vega_lite_spec: (
        ["altair_chart"],
        "charts would be described anew in every run (memo.chart)",
    ),
    get_script_run_ctx: (["suppress_warning"], "visitors would have no name (visitor.owner)"),
    script_runner.exec_func_with_error_handling: (
        ["func", "ctx"],
        "pages on a host would be drawn all at once (pages/shared/serving/turns.py)",
    ),
    runtime.exists: ([], "nobody would be known to be here (visitor.here)"),
    runtime.Runtime.is_active_session: (
        ["self", "session_id"],
        "nobody would be known to have left (visitor.here)",
    ),
    cli_util.open_browser: (["url"], "`streamlit run` would open no tab (at_home)"),
    server_util.get_url: (["host_ip"], "`streamlit run` would open no tab (at_home)"),
    server_util.get_display_address: (["address"], "`streamlit run` would open no tab (at_home)"),
    config.set_option: (
        ["key", "value", "where_defined"],
        "the hosted demo would run with a laptop's settings (server.settings)",
    ),
}
PUBLIC = ("column_config", "components", "errors", "testing", "typing")


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__qualname__)
def test_a_private_function_takes_what_it_took(function):
    arguments, otherwise = FUNCTIONS[function]
    assert list(inspect.signature(function).parameters) == arguments, otherwise


def test_a_script_knows_its_session_and_whether_only_fragments_run():
    known = inspect.signature(ScriptRunContext).parameters
    assert "session_id" in known, "visitors would have no name (visitor.owner)"
    assert "fragment_ids_this_run" in known, "older jobs would never be let go of (visitor.watched)"


def test_the_runs_of_pages_go_through_the_function_that_is_replaced():
    source = inspect.getsource(script_runner.ScriptRunner)
    assert "exec_func_with_error_handling(" in source, "turns would hold nobody back"


def test_a_server_says_whether_its_pages_came_from_the_folder():
    assert "uses_pages_directory" in vars(PagesManager), (
        "a first visitor on a page's own link would miss the list of pages (state.arrive)"
    )
    assert internals.pages_come_without_app() in (True, False)


def test_a_chart_is_described_with_its_data_in_bytes():
    chart = altair.Chart(pd.DataFrame({"x": [1, 2]})).mark_bar().encode(x="x:Q")
    described = internals.chart_description(chart)
    assert described["encoding"]["x"]["field"] == "x"
    assert [type(data) for data in described["datasets"].values()] == [bytes]


def test_at_home_a_tab_is_opened_unless_the_server_is_headless(monkeypatch):
    opened, headless = [], True
    options = {"server.address": "0.0.0.0", "browser.serverAddress": "localhost"}
    monkeypatch.setattr(
        config, "get_option", lambda name: headless if name == "server.headless" else options[name]
    )
    monkeypatch.setattr(config, "is_manually_set", lambda name: False)
    monkeypatch.setattr(server_util, "get_url", lambda address: f"http://{address}")
    monkeypatch.setattr(cli_util, "open_browser", opened.append)
    internals.open_browser()
    assert opened == []
    headless = False
    internals.open_browser()
    assert opened == ["http://localhost"]


def test_streamlit_run_finds_the_server_in_the_list_of_pages():
    found = discover_asgi_app(ROOT / "app.py")
    assert found.is_asgi_app and found.import_string == "app:app", (
        "at home every name would be answered to (known_hosts)"
    )


def test_the_page_has_one_script_of_its_own():
    (script,) = internals.page_scripts()
    assert script.strip(), "the security header would keep Streamlit's own page from starting"


def test_the_server_answers_where_it_did():
    assert f"{UPLOAD_FILE_ENDPOINT}/" == internals.UPLOADS, "uploads would not be counted (server)"
    server = Path(st.__file__).parent / "web" / "server"
    source = "".join(path.read_text("utf-8") for path in server.rglob("*.py"))
    for path in internals.OPERATORS:
        name = path.removeprefix("/_stcore")
        assert name in source, f"{path} is what visitors must not reach (server): where is it now?"


def private(name: str) -> bool:
    """Is this name of Streamlit's not for everybody? Modules are not, but for a few."""
    return name.startswith("_") or (
        inspect.ismodule(getattr(st, name, None)) and name not in PUBLIC
    )


def strangers(files) -> list[str]:
    """Where something of Streamlit is used that is private."""
    found = [
        f"{one.place} imports {one.name}"
        for _, one in imports(files)
        if one.name.startswith("streamlit.") and private(one.name.split(".")[1])
    ]
    return found + [
        f"{path}:{node.lineno} takes {ast.unparse(node)}"
        for path, node in nodes(files, ast.Attribute)
        if ast.unparse(node.value) in ("st", "streamlit") and private(node.attr)
    ]


def test_no_other_file_reaches_for_them():
    assert strangers({"pages/a.py": "from streamlit.runtime import caching"})
    assert strangers({"pages/a.py": "from streamlit import config"})
    assert strangers({"pages/a.py": "import streamlit as st\nst.config.get_option('a')"})
    assert strangers({"pages/a.py": "import streamlit as st\nst._main"})
    assert not strangers({"pages/a.py": "import streamlit as st\nst.navigation([])"})
    files = {
        path: text for path, text in code().items() if path != "pages/shared/streamlit_internals.py"
    }
    assert "pages/shared/state.py" in files and strangers(files) == []

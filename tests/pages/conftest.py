"""What every test of a page finds: an empty cache, jobs that are done on the spot or held, and no
experiment of an earlier test.
"""

import pytest
import streamlit as st

from core.experiments import runner, store
from tests.tools import pages

asked, held, digits, order = pages.asked, pages.held, pages.digits, pages.order


@pytest.fixture
def nothing_under_way(asked, monkeypatch):
    """A server that has just started: no outcome remembered, no experiment begun."""
    store.forget()
    st.cache_resource.clear()
    monkeypatch.setattr(runner, "_queue", runner._Queue())

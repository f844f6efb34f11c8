"""What `streamlit run app.py` puts around the app: the names by which it may be called.

A host's server is pages/shared/server.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

from pages.shared import streamlit_internals
from pages.shared.serving.known_hosts import KnownHosts

MIDDLEWARE = [Middleware(KnownHosts)]


@asynccontextmanager
async def with_browser(_app: st.App) -> AsyncIterator[dict[str, Any]]:
    """While the server runs: it begins with a browser's tab, as `streamlit run` does elsewhere."""
    asyncio.get_running_loop().call_soon(streamlit_internals.open_browser)
    yield {}

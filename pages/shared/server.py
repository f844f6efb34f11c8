"""The app behind security headers, for a host: uvicorn pages.shared.server:app --no-server-header

`streamlit run app.py` stays the way to run it at home. Here Streamlit's own ASGI application
answers, with the same settings (.streamlit/config.toml, but for `SETTINGS`), and around it:

    every answer        says what the page may load, who may frame it, and that nothing else is
                        allowed
    a name that is not the server's own is refused (known_hosts.py)
    what is too large   is refused before it is read, whoever sends it
    what is too much    is refused, or heard more slowly (fair_use.py)
    what is closed      Streamlit's metrics and its interface for agents: they are the operator's,
                        not a visitor's
    what goes wrong     a visitor reads a sentence and a number; the log has the rest

LEVERAGE_LAB_FRAME_ANCESTORS names the sites that may show the app in a frame
("https://huggingface.co"); without it only its own may. The page loads nothing from elsewhere.
Streamlit writes styles into it, imports the code of components from blob addresses, and begins with
one script of its own in the page, which is known by its digest.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

from core.hosting import policy
from core.runtime.folders import ROOT
from pages.shared import streamlit_internals
from pages.shared.serving import turns
from pages.shared.serving.fair_use import FairUse
from pages.shared.serving.known_hosts import KnownHosts
from pages.shared.streamlit_internals import OPERATORS

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
# Bytes of a request: an upload, and what is written around it.
LARGEST = (policy.BOUNDS.upload_mb + 1) * 1_000_000
SOURCES = {
    "default-src": "'self'",
    "script-src": "'self' blob:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}


def headers() -> dict[str, str]:
    """The headers of every answer."""
    framing = " ".join(["'self'", *os.environ.get("LEVERAGE_LAB_FRAME_ANCESTORS", "").split()])
    scripts = " ".join([SOURCES["script-src"], *map(_digest, streamlit_internals.page_scripts())])
    directives = SOURCES | {"script-src": scripts, "frame-ancestors": framing}
    return {
        "content-security-policy": "; ".join(
            f"{name} {sources}" for name, sources in directives.items()
        ),
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
        "cross-origin-opener-policy": "same-origin",
    }


def _digest(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


class Guarded:
    """An ASGI application with these headers on every answer; closed paths are not found."""

    def __init__(self, app: Callable[..., Awaitable[None]]):
        self.app = app
        self.headers = [(name.encode(), value.encode()) for name, value in headers().items()]

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer a request, a websocket or the server's start and end."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self.headers]
            await send(message)

        refused = _refused(scope)
        if refused is None:
            return await self.app(scope, receive, send_guarded)
        status, text = refused
        await send_guarded(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(b"content-type", b"text/plain")],
            }
        )
        await send_guarded({"type": "http.response.body", "body": text})


def _refused(scope: MutableMapping[str, Any]) -> tuple[int, bytes] | None:
    """The status and the text for a request that is not let in.

    Its size is judged before a byte of it is read.
    """
    if scope["path"].rstrip("/").startswith(OPERATORS):
        return 404, b"Not found"
    said = dict(scope["headers"])
    if b"transfer-encoding" in said:
        return 411, b"Say how long it is"
    if int(said.get(b"content-length", b"0")) > LARGEST:
        return 413, b"Too large"
    return None


def went_wrong(error: Exception) -> bool:
    """What a visitor of the hosted demo reads when a page fails.

    Elsewhere Streamlit's own words.
    """
    if not policy.hosted():
        return False
    message = policy.hidden(f"{type(error).__name__}: {error}", "This page stopped unexpectedly.")
    policy.log.error(message, exc_info=error)
    st.error(message)
    return True


# What differs from .streamlit/config.toml before visitors. Streamlit reads its variables in
# `streamlit run` only.
SETTINGS = {
    "server.maxUploadSize": policy.BOUNDS.upload_mb,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
}


@asynccontextmanager
async def settings(_app: st.App) -> AsyncIterator[dict[str, Any]]:
    """While the server runs.

    In another site's frame the cookie that protects uploads has to be sent from there, too.
    """
    changed = dict(SETTINGS)
    if os.environ.get("LEVERAGE_LAB_FRAME_ANCESTORS"):
        changed["server.xsrfCookieSameSite"] = "none"
    for name, value in changed.items():
        streamlit_internals.set_option(name, value, "pages/shared/server.py")
    turns.take_turns()
    yield {}


# Streamlit sets this log's level anew, whatever uvicorn was told: a hundred visitors would fill it
# with a line for each file.
logging.getLogger("uvicorn.access").disabled = True
app = st.App(
    ROOT / "app.py",
    middleware=[Middleware(Guarded), Middleware(KnownHosts), Middleware(FairUse)],
    on_script_error=went_wrong,
    lifespan=settings,
)

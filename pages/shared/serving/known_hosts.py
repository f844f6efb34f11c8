"""By which names may this server be called?

    KnownHosts       ASGI middleware: a request under another name is refused, a websocket too
    asked_by_name()  in a page's run: did this visitor's connection come through that check?

A page elsewhere can let its own name point to this machine (DNS rebinding). Its code then asks us
as if we were its own server, and may read what we answer: files, through the path box. The browser
cannot help, but it says the name in `Host`. Admitted are

    localhost and this machine's own names
    addresses in numbers: a name can be pointed elsewhere, a number cannot; only those of loopback
    where the connection came in by loopback
    the names in LEVERAGE_LAB_PUBLIC_URL ("https://lab.example.org", several separated by spaces)

Streamlit's own `server.allowedHosts` has the same purpose, but looks at websockets only, and cannot
know a machine's names before it starts.
"""

from __future__ import annotations

import functools
import hmac
import ipaddress
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from core.hosting import policy

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
PUBLIC = "LEVERAGE_LAB_PUBLIC_URL"
# What the check writes into a request that has passed: nobody else knows this server's word.
PASSED = "x-leverage-lab-host-checked"
_WORD = secrets.token_hex(16)
REFUSED = (
    "Address: found a name that this server is not known by, expected localhost, an address in"
    f" numbers, this machine's own name, or one that {PUBLIC} names."
)


class KnownHosts:
    """An ASGI application that answers only to the names that are admitted."""

    def __init__(self, app: Callable[..., Awaitable[None]]):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, a websocket or the server's start and end."""
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        arrived_at = (scope.get("server") or [""])[0]
        if len(hosts) == 1 and admitted(hosts[0].decode("latin-1"), arrived_at):
            mark = PASSED.encode()
            others = [pair for pair in scope["headers"] if pair[0] != mark]
            scope = {**scope, "headers": [*others, (mark, _WORD.encode())]}
            return await self.app(scope, receive, send)
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})
        text = policy.said(REFUSED, "This server is not known by that address.")
        kind = [(b"content-type", b"text/plain; charset=utf-8")]
        await send({"type": "http.response.start", "status": 421, "headers": kind})
        await send({"type": "http.response.body", "body": text.encode()})


def asked_by_name() -> bool:
    """Did the connection for which this script runs come through KnownHosts?

    No, if the server has no such check.
    """
    found = st.context.headers.get(PASSED) or ""
    return hmac.compare_digest(found.encode(), _WORD.encode())


def admitted(host: str, arrived_at: str) -> bool:
    """May a request be answered that calls us `host` (as in the header) and came to this address of
    ours?
    """
    name = _name(host)
    number = _number(name)
    if number is None:
        return name in _own_names() | _public_names()
    here = _number(arrived_at)
    return (
        number.is_loopback
        or number.is_unspecified
        or (here is not None and not here.is_loopback)
        or name in _public_names()
    )


def _name(host: str) -> str:
    """The name in a `Host` header, without its port; "" if the header holds anything else."""
    try:
        found = urlsplit(f"//{host}")
        _ = found.port  # raises if it is none
    except ValueError:
        return ""
    if found.netloc != host or "@" in host or found.hostname is None:
        return ""
    return found.hostname.rstrip(".")


def _number(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(name)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


@functools.cache
def _own_names() -> frozenset[str]:
    """Those that a network's own directory knows; asking another server for more takes seconds."""
    full = socket.gethostname().lower().rstrip(".")
    short = full.partition(".")[0]
    return frozenset({"localhost", full, short, f"{short}.local"} - {""})


def _public_names() -> frozenset[str]:
    said = os.environ.get(PUBLIC, "").split()
    addresses = (address if "//" in address else f"//{address}" for address in said)
    return frozenset(_name(urlsplit(address).netloc) for address in addresses) - {""}

"""Who asks? On a host visitors are told apart by a signed cookie, and beside it by their address.

    identity(headers, peer)    the client and the address of a request
    new_cookie(...)            what a first visit is given
    current()                  the client for whom this page is drawn

A hundred phones on one Wi-Fi come from one address, and one browser opens many tabs: so a client is
a cookie, and an address has an allowance that all its clients share. Whoever brings no cookie is
one client with all others of the same address who bring none: leaving it out wins nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import secrets
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from typing import NamedTuple

import streamlit as st

from core.hosting import policy

COOKIE = "leverage_lab_client"
SIGNED = 32  # hex digits of a signature
DAY = 86_400  # seconds
LOOPBACK = "127.0.0.1"  # which Streamlit calls None
# Known to this server alone unless the host sets it: several servers of one site share it.
_secret = (os.environ.get("LEVERAGE_LAB_SECRET") or secrets.token_hex(32)).encode()


class Identity(NamedTuple):
    """client: 12 hex digits. address: of the network, as text. known: has it a signed cookie?"""

    client: str
    address: str
    known: bool

    @property
    def network(self) -> str:
        """8 hex digits that tell addresses apart and say nothing of them."""
        return _name(f"network {self.address}")[: policy.NETWORK]


def identity(headers: Iterable[tuple[bytes, bytes]], peer: str) -> Identity:
    """Who sends a request with these headers from this peer."""
    said = {name.lower(): value for name, value in headers}
    address = _address(said, peer)
    ticket = _ticket(said.get(b"cookie", b"").decode("latin-1"))
    return Identity(_name(ticket or f"at {address}"), address, bool(ticket))


def new_cookie(secure: bool, framed: bool) -> str:
    """The value of a Set-Cookie header. framed: may another site show the app in a frame?"""
    ticket = secrets.token_hex(16)
    how = "SameSite=None; Secure; Partitioned" if framed else "SameSite=Lax"
    how += "; Secure" if secure and not framed else ""
    return f"{COOKIE}={ticket}.{_signature(ticket)}; Path=/; Max-Age={DAY}; HttpOnly; {how}"


def current() -> Identity:
    """For whom this page is drawn, as their connection began."""
    context = st.context
    headers = [
        (name.encode(), value.encode("latin-1", "replace"))
        for name, value in context.headers.items()
    ]
    return identity(headers, context.ip_address or LOOPBACK)


def _ticket(cookies: str) -> str:
    """What an honest cookie of ours holds, "" without one."""
    try:
        kept = SimpleCookie(cookies).get(COOKIE)
    except CookieError:
        return ""
    ticket, _, signature = (kept.value if kept else "").partition(".")
    return ticket if hmac.compare_digest(_signature(ticket), signature) else ""


def _signature(ticket: str) -> str:
    return hmac.new(_secret, ticket.encode(), hashlib.sha256).hexdigest()[:SIGNED]


def _name(of: str) -> str:
    """Tells clients apart and says nothing of the cookie."""
    return hmac.new(_secret, f"name {of}".encode(), hashlib.sha256).hexdigest()[: policy.CLIENT]


def _address(said: dict[bytes, bytes], peer: str) -> str:
    """The network that sent it; behind a proxy, what the proxy's header names last.

    LEVERAGE_LAB_ADDRESS_HEADER is that header: anybody else could write into it, so without a proxy
    it is not set, and the peer counts. Of the sixth version the first half: a house has all of it.
    """
    header = os.environ.get("LEVERAGE_LAB_ADDRESS_HEADER", "").strip().lower().encode()
    named = said.get(header, b"").decode("latin-1").rpartition(",")[2].strip() if header else ""
    try:
        found = ipaddress.ip_address(named or peer)
    except ValueError:
        return "unknown"
    if found.version == 6 and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)

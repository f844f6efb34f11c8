"""By which address can the audience of a talk open the lesson on their phones?

    LEVERAGE_LAB_PUBLIC_URL    its first address, where a host has set it
    the speaker's own          if it names this server to others too: a proxy's name, a machine's
    the machine's network      if the speaker came by loopback and the server listens beyond it

Otherwise nobody else can open it, and a slide says with which command that changes.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from urllib.parse import urlsplit, urlunsplit

import streamlit as st

from pages.shared.serving.known_hosts import PUBLIC

OPENS = "streamlit run app.py --server.address 0.0.0.0"
EVERYWHERE = ("", "0.0.0.0", "::")
ELSEWHERE = ("192.0.2.1", 9)  # an address reserved for examples: nothing is sent there


def address(page: str, query: str) -> str | None:
    """The address of this page for everyone else, with this query; None if there is none."""
    base = reachable(
        st.context.url or "",
        page,
        public=os.environ.get(PUBLIC, ""),
        listens=st.get_option("server.address") or "",
        network=network_address(),
    )
    return base and f"{base}?{query}"


def reachable(own: str, page: str, *, public: str, listens: str, network: str | None) -> str | None:
    """The page's address for other machines; None if only this machine can open it.

    own: the address in the speaker's browser. public: what the host says of its names. listens: the
    address the server listens at, "" for all. network: this machine's own in its network.
    """
    if public.split():
        named = public.split()[0].rstrip("/")
        return f"{named if '//' in named else f'https://{named}'}/{page}"
    parts = urlsplit(own)
    host = parts.hostname or ""
    if host and not _loopback(host):
        return urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
    if _loopback(listens):
        return None
    found = network if listens in EVERYWHERE else listens
    if not host or not found or _loopback(found):
        return None
    name = f"[{found}]" if ":" in found else found
    netloc = f"{name}:{parts.port}" if parts.port else name
    return urlunsplit((parts.scheme, netloc, parts.path, "", ""))


def network_address() -> str | None:
    """This machine's address in the network through which it reaches others; None without one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(ELSEWHERE)
        except OSError:
            return None
        return probe.getsockname()[0]


def _loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

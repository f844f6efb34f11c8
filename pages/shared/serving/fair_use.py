"""Around the app on a host: everybody is told apart, and has enough and no more.

Of connections, requests, messages and uploads each client, each address and all together have an
allowance (core/hosting/policy.py). Who asks for more reads 429 and when to come back; a connection
that says too much is heard more slowly. What a page draws and what a worker computes is shared
elsewhere: pages/shared/serving/turns.py, core/runtime/jobs.py.
"""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from core.hosting.policy import BOUNDS
from pages.shared import visitor
from pages.shared.serving.allowances import Allowance, Places
from pages.shared.serving.clients import Identity, identity, new_cookie
from pages.shared.streamlit_internals import UPLOADS

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
MB = 1_000_000
LATER = 30  # seconds to come back in, where nobody knows when there will be room
PATIENCE = 5.0  # seconds between two messages of one connection at most, however much was said


class FairUse:
    """An ASGI application in which nobody uses up what others need."""

    def __init__(self, app: Callable[..., Awaitable[None]]):
        self.app = app
        self.framed = bool(os.environ.get("LEVERAGE_LAB_FRAME_ANCESTORS"))
        self.requests = Allowance(BOUNDS.requests, BOUNDS.requests_per_second)
        self.cookies = Allowance(BOUNDS.cookies, BOUNDS.cookies_per_second)
        self.messages = Allowance(BOUNDS.messages, BOUNDS.messages_per_second)
        self.said = Allowance(BOUNDS.said_mb * MB, BOUNDS.said_mb_per_second * MB)
        self.connections = [
            (Places(BOUNDS.client_connections), "client"),
            (Places(BOUNDS.address_connections), "address"),
            (Places(BOUNDS.connections), "all"),
        ]
        self.waiting = Places(BOUNDS.address_connections)  # to be refused
        self.uploading = [
            (Places(BOUNDS.uploading), "client"),
            (Places(4 * BOUNDS.uploading), "all"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request or a connection."""
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        who = identity(scope["headers"], (scope.get("client") or ("",))[0])
        if scope["type"] == "websocket":
            return await self._connection(who, scope, receive, send)
        return await self._request(who, scope, receive, send)

    async def _request(self, who: Identity, scope: Scope, receive: Receive, send: Send) -> None:
        if wait := self.requests.take(who.address):
            return await refuse(send, "Too many requests from here.", wait)
        if scope["method"] == "PUT" and scope["path"].startswith(UPLOADS):
            return await self._upload(who, scope, receive, send)

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and self._shall_have_cookie(who, message):
                value = new_cookie(scope.get("scheme") == "https", self.framed)
                message["headers"] = [*message["headers"], (b"set-cookie", value.encode())]
            await send(message)

        await self.app(scope, receive, send_with_cookie)

    def _shall_have_cookie(self, who: Identity, message: Message) -> bool:
        """A page gives one to whoever has none; an address that takes too many gets no more."""
        if who.known:
            return False
        kinds = dict(message.get("headers", ())).get(b"content-type", b"")
        return kinds.startswith(b"text/html") and not self.cookies.take(who.address)

    async def _upload(self, who: Identity, scope: Scope, receive: Receive, send: Send) -> None:
        """Counted is what lies in memory: what Streamlit refuses is not, and what went is not."""
        length = int(dict(scope["headers"]).get(b"content-length", b"0"))
        kept = [(other, size) for other, size in visitor.uploads()]
        for what, most, mine in (
            ("of yours", BOUNDS.client_uploads_mb, lambda o: o.client == who.client),
            ("from your address", BOUNDS.address_uploads_mb, lambda o: o.address == who.address),
            ("of all visitors", BOUNDS.uploads_mb, lambda o: True),
        ):
            if length + sum(size for other, size in kept if mine(other)) > most * MB:
                words = f"Uploads {what} may take {most:,} MB together. Close a tab that has one."
                return await refuse(send, words, LATER)
        if (held := _hold(self.uploading, who)) is None:
            return await refuse(send, "Too many uploads at once.", LATER)
        try:
            await self.app(scope, receive, send)
        finally:
            _leave(held)

    async def _connection(self, who: Identity, scope: Scope, receive: Receive, send: Send) -> None:
        if (held := _hold(self.connections, who)) is None:
            # Not at once: whoever is refused tries again, and a handshake costs more than waiting.
            if self.waiting.hold(who.address):
                await asyncio.sleep(PATIENCE)
                self.waiting.leave(who.address)
            return await _refuse_connection(scope, receive, send)

        async def receive_in_time() -> Message:
            """A message, later where too much was said: whoever sends waits, and nobody else."""
            message = await receive()
            size = len(message.get("bytes") or message.get("text") or "")
            self.messages.charge(who.client, 1)
            self.said.charge(who.client, size)
            pause = max(self.messages.debt(who.client), self.said.debt(who.client))
            if pause and message["type"] == "websocket.receive":
                await asyncio.sleep(min(pause, PATIENCE))
            return message

        try:
            await self.app(scope, receive_in_time, send)
        finally:
            _leave(held)


def _hold(places: list[tuple[Places, str]], who: Identity) -> list[tuple[Places, str]] | None:
    """A place in each; none at all if one of them is full."""
    names = {"client": who.client, "address": who.address, "all": ""}
    held: list[tuple[Places, str]] = []
    for place, whose in places:
        if not place.hold(names[whose]):
            _leave(held)
            return None
        held.append((place, names[whose]))
    return held


def _leave(held: list[tuple[Places, str]]) -> None:
    for place, name in held:
        place.leave(name)


async def refuse(send: Send, words: str, seconds: float) -> None:
    """429, and when to come back."""
    wait = str(max(1, math.ceil(seconds)))
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"retry-after", wait.encode())]
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    text = f"{words} Come back in {wait} seconds."
    await send({"type": "http.response.body", "body": text.encode()})


async def _refuse_connection(scope: Scope, receive: Receive, send: Send) -> None:
    """429 where the server can say it before the handshake, else a close that says: later."""
    await receive()  # websocket.connect
    if "websocket.http.response" not in scope.get("extensions", {}):
        return await send({"type": "websocket.close", "code": 1013})

    async def send_denial(message: Message) -> None:
        kind = message["type"].replace("http.response", "websocket.http.response")
        await send({**message, "type": kind})

    await refuse(send_denial, "Too many connections from here.", LATER)

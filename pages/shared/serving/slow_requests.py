"""Requests that do not come to their end are let go of.

    uvicorn ... --http pages.shared.serving.slow_requests:Impatient

uvicorn waits for ever for the rest of a request. A proxy before it does not, but there may be none;
then a few hundred sockets that send half a line hold all the files that a server may open.

    HEAD     seconds in which a request's headers come, from the connection or their first byte on
    PAUSE    seconds without any byte of a body that is not whole
    BODY     seconds in which a body comes: the largest upload over a slow phone

Time in which we do not read, since what has come is not used yet, does not count. An answer takes
as long as it takes; an idle connection is uvicorn's own business, and a websocket has its pings.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

HEAD = 10.0
PAUSE = 20.0
BODY = 300.0


class Impatient(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """uvicorn's protocol, with a clock for each connection that owes the rest of a request.

    owed: "head", "body" or "" for nothing, since when, and when the last byte came.
    """

    def connection_made(self, transport: Any) -> None:
        """Somebody has connected: their headers are due."""
        super().connection_made(transport)
        self.clock: asyncio.TimerHandle | None = None
        self.owed = "head"
        self.since = self.latest = self.loop.time()
        self._look()

    def data_received(self, data: bytes) -> None:
        """A part of a request, or several."""
        super().data_received(data)
        self.latest = self.loop.time()
        self._note_owed()
        if self.clock is None:
            self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """They have gone."""
        if self.clock is not None:
            self.clock.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        """Let go of who is late; else look again when they will be."""
        self.clock = None
        self._note_owed()
        if not self.owed:
            return
        now = self.loop.time()
        if self.flow.read_paused:
            self.since = self.latest = now
        due = self.since + HEAD
        if self.owed == "body":
            due = min(self.since + BODY, self.latest + PAUSE)
        if now >= due:
            self.transport.abort()
        else:
            self.clock = self.loop.call_later(due - now, self._look)

    def _note_owed(self) -> None:
        owed = self._owed()
        if owed != self.owed:
            self.owed, self.since = owed, self.loop.time()

    def _owed(self) -> str:
        if self.transport.get_protocol() not in (self, None):  # a websocket by now
            return ""
        if self.cycle is None or self.cycle.response_complete:
            return "" if self.timeout_keep_alive_task is not None else "head"
        return "body" if self.cycle.more_body else ""

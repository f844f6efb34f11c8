"""Browsers without a browser: the websocket side of a visit, for benchmarks and for tests of what
happens when a connection is lost.

    async with visit(url, "lesson", "chapter=3") as visitor:
        await visitor.run()                              arrives; seconds until the script has
                                                         finished, queues included
        await visitor.choose("Show", "Lowest")           changes a menu, a slider over choices, or a
                                                         group of buttons
        await visitor.press("Start")                     presses a button

Each run carries what was chosen before, as a browser does. Pictures, scripts and styles are not
fetched.
"""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

PROXY_SAYS = "X-Forwarded-For"
WIDGETS = ("button", "button_group", "selectbox", "slider", "number_input", "download_button")
TEXTS = {
    "button_group": "string_array_value",
    "selectbox": "string_value",
    "slider": "string_array_value",
}


class Visitor:
    """One session.

    widgets: label -> what was drawn in the last run; bytes: received so far; gallery: the first
    one's id and images.
    """

    def __init__(self, socket: ClientConnection, page: str = "", query: str = ""):
        self.socket, self.page_name, self.query = socket, page, query
        self.page, self.session, self.bytes = "", "", 0
        self.widgets: dict[str, Any] = {}
        self.chosen: dict[str, WidgetState] = {}
        self.texts: list[str] = []
        self.gallery: tuple[str, list[int]] | None = None
        self.fragments: dict[str, float] = {}

    async def run(self, trigger: WidgetState | None = None, fragment: str = "") -> float:
        """Seconds until the script has finished: the page's, or one fragment's."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_script_hash, state.fragment_id = (
            self.query,
            self.page,
            fragment,
        )
        state.page_name, state.is_auto_rerun = "" if self.page else self.page_name, bool(fragment)
        state.widget_states.widgets.extend([*self.chosen.values(), *filter(None, [trigger])])
        if not fragment:
            self.widgets, self.texts, self.gallery, self.fragments = {}, [], None, {}
        started = time.perf_counter()
        await self.socket.send(message.SerializeToString())
        while not await self._finished():
            pass
        return time.perf_counter() - started

    async def press(self, label: str) -> float:
        """Press the button of this label."""
        return await self.run(WidgetState(id=self.widgets[label].id, trigger_value=True))

    async def choose(self, label: str, text: str) -> float:
        """Choose this text in the widget of this label."""
        widget = self.widgets[label]
        state = self.chosen.setdefault(widget.id, WidgetState(id=widget.id))
        kind = TEXTS[type(widget).DESCRIPTOR.name.lower().replace("buttongroup", "button_group")]
        if kind == "string_value":
            state.string_value = text
        else:
            state.string_array_value.data[:] = [text]
        return await self.run()

    async def click(self, image: int) -> float:
        """Click one of the gallery's images, by its place."""
        name, ids = self.gallery or ("", [])
        event = json.dumps([{"event": "clicked", "value": ids[image]}])
        return await self.run(
            WidgetState(id=f"$$STREAMLIT_INTERNAL_KEY_{name}__events", json_trigger_value=event)
        )

    def options(self, label: str) -> list[str]:
        """What the widget of this label offers."""
        return [getattr(option, "content", option) for option in self.widgets[label].options]

    async def _finished(self) -> bool:
        data = await self.socket.recv()
        self.bytes += len(data)
        message = ForwardMsg.FromString(data)
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.session = message.new_session.initialize.session_id
        elif kind == "navigation":
            self.page = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            self.fragments[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._drawn(message.delta.new_element)
        return kind == "script_finished" and message.script_finished in (
            ForwardMsg.FINISHED_SUCCESSFULLY,
            ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
        )

    def _drawn(self, element: Any) -> None:
        kind = element.WhichOneof("type")
        if kind == "exception":
            raise RuntimeError(element.exception.message)
        if kind in WIDGETS:
            self.widgets.setdefault(getattr(element, kind).label, getattr(element, kind))
        elif kind in ("markdown", "html", "alert", "progress"):
            shown = getattr(element, kind)
            self.texts.append(getattr(shown, "text", "") or getattr(shown, "body", ""))
        elif kind == "bidi_component" and element.bidi_component.bytes and self.gallery is None:
            packed = element.bidi_component.bytes
            header = json.loads(packed[4 : 4 + int.from_bytes(packed[:4], "little")])
            self.gallery = element.bidi_component.id, header["ids"]


def given_cookie(url: str, behind: str = "") -> str:
    """The cookie that the app gives to a first visit, as a browser sends it back."""
    asked = urllib.request.Request(url, headers={PROXY_SAYS: behind} if behind else {})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return (answer.headers.get("set-cookie") or "").partition(";")[0]


@asynccontextmanager
async def visit(
    url: str,
    page: str = "",
    query: str = "",
    session: str = "",
    cookie: str | None = None,
    behind: str = "",
) -> AsyncIterator[Visitor]:
    """A connection to the app at this address (http://...); session: the one to come back to.

    cookie: which a browser has already, "" for one that keeps none; by default the page gives one.
    behind: the address that a proxy would name.
    """
    if cookie is None:
        cookie = await asyncio.to_thread(given_cookie, url, behind)
    said = {"Cookie": cookie, PROXY_SAYS: behind}
    protocols = ["streamlit", *(["none", session] if session else [])]
    address = f"{url.replace('http', 'ws', 1)}/_stcore/stream"
    how = {"additional_headers": {name: it for name, it in said.items() if it}, "max_size": None}
    async with connect(address, subprotocols=protocols, **how) as socket:  # type: ignore[arg-type]
        yield Visitor(socket, page, query)

"""What is the same for all sessions is made once: charts above all.

    memo.chart(charts.heatmap, matrix, names, ..., key=..., alt=...)
        draws charts.heatmap(matrix, names, ...)
    memo.made(agreement.percentiles, scores)
        what a pure function gives for these arguments

A chart takes 10 to 50 ms to describe, most of a light rerun. Two calls are the same if the function
and the content of all its arguments are: arrays, tables, plain values, and what consists of them.
The least recently used goes when all together are too large.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from pages.shared import streamlit_internals
from pages.shared.recently_used import RecentlyUsed
from pages.shared.serving import turns

KEPT = RecentlyUsed(24 * 2**20)  # bytes
REMEMBERED_FROM = 4096  # bytes
LARGE = 4_000_000  # bytes, from which on reading them takes milliseconds
_contents: dict[int, tuple[weakref.ref, bytes]] = {}


def chart(make: Callable[..., Any], *arguments: Any, **how: Any) -> Any:
    """Draw the Altair chart that make(*arguments) is; how: as st.altair_chart takes it.

    What is selected, where it can be.
    """
    return st.vega_lite_chart(dict(made(functools.partial(_described, make), *arguments)), **how)


def made(function: Callable[..., Any], *arguments: Any) -> Any:
    """function(*arguments), which must depend on nothing else.

    Its arrays are read-only, and nobody may change the rest.
    """
    key = digest((function, arguments))
    value = KEPT.get(key)
    if value is None:
        value = _frozen(function(*arguments))
        KEPT.put(key, value, _size(value))
    return value


def digest(value: Any) -> str:
    """The content of a value in 32 hex digits.

    A TypeError for what has no content that could be read.
    """
    state = hashlib.blake2b(digest_size=16)
    _feed(state, value)
    return state.hexdigest()


def _described(make: Callable[..., Any], *arguments: Any) -> Mapping[str, Any]:
    """The chart in Vega-Lite, its data in Arrow's bytes."""
    return streamlit_internals.chart_description(make(*arguments))


def _feed(state: Any, value: Any) -> None:
    """Every part with its kind and length, so that no two different values read the same."""
    state.update(
        f"{type(value).__name__} {len(value) if hasattr(value, '__len__') else ''};".encode()
    )
    if value is None or isinstance(value, str | bool | int | float | np.generic):
        state.update(repr(value).encode())
    elif isinstance(value, np.ndarray) and value.dtype != object:
        state.update(_content(value))
    elif isinstance(value, functools.partial):
        _feed(state, (value.func, value.args, value.keywords))
    elif callable(value) and hasattr(value, "__qualname__") and "<" not in value.__qualname__:
        state.update(f"{value.__module__}.{value.__qualname__}".encode())
    else:
        for part in _parts(value):
            _feed(state, part)


def _content(array: np.ndarray) -> bytes:
    """The digest of an array.

    Of one that is read-only it is remembered as long as the array lives, since it stays true.
    """
    known = _contents.get(id(array))
    if known is not None and known[0]() is array:
        return known[1]
    found = hashlib.blake2b(f"{array.dtype.str} {array.shape};".encode(), digest_size=16)
    with turns.aside_if(array.nbytes > LARGE):
        found.update(np.ascontiguousarray(array).data.cast("B"))
    if not array.flags.writeable and array.nbytes > REMEMBERED_FROM:
        _contents[id(array)] = (
            weakref.ref(array, functools.partial(_contents.pop, id(array))),
            found.digest(),
        )
    return found.digest()


def _parts(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        return [(name, column.to_numpy()) for name, column in value.items()]
    if isinstance(value, np.ndarray | list | tuple):
        return value
    if isinstance(value, Mapping):
        return value.items()
    if dataclasses.is_dataclass(value):
        return [getattr(value, field.name) for field in dataclasses.fields(value)]
    raise TypeError(f"{type(value).__name__} has no content that could be compared")


def _frozen(value: Any) -> Any:
    for part in value if isinstance(value, tuple) else (value,):
        if isinstance(part, np.ndarray):
            part.setflags(write=False)
    return value


def _size(value: Any) -> int:
    """About how many bytes it holds."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, tuple):
        return sum(map(_size, value))
    if isinstance(value, Mapping):
        data = value.get("datasets", {})
        plain = {name: part for name, part in value.items() if name != "datasets"}
        return sum(len(part) for part in data.values()) + 5 * len(json.dumps(plain, default=str))
    return 100

"""Does every task name lead to a function, and does each stand in one place only?"""

from __future__ import annotations

import ast
import importlib
import re

import pytest

from core.runtime import tasks
from tests.tools.source_reading import code

NAMES = {name: task for name, task in vars(tasks).items() if name.isupper()}
TASK = re.compile(r"(core|pages)(\.\w+)+:\w+")


@pytest.mark.parametrize("name", NAMES)
def test_every_task_is_a_public_function(name):
    module, _, function = NAMES[name].partition(":")
    found = getattr(importlib.import_module(module), function)
    assert callable(found) and not function.startswith("_")


def test_no_function_has_two_names():
    assert NAMES and len(set(NAMES.values())) == len(NAMES)


def strays(files: dict[str, str]) -> list[str]:
    """Where a text has the form of a task, but for the list of them."""
    texts = [
        (path, node)
        for path, text in files.items()
        if path != "core/runtime/tasks.py"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return [f"{path}:{node.lineno}" for path, node in texts if TASK.fullmatch(node.value)]


def test_a_task_named_elsewhere_is_noticed():
    assert strays({"core/a.py": "x = 1\ny = 'core.pipeline:scores'"}) == ["core/a.py:2"]
    assert strays({"core/runtime/tasks.py": "y = 'core.pipeline:scores'"}) == []
    assert strays({"core/a.py": "'''Such as core.pipeline:scores'''"}) == []


def test_tasks_are_named_in_one_place():
    assert strays(code()) == []

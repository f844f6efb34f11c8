"""Is what the README says and shows there?"""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from core import strategy
from core.types import Embedded

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def test_its_pictures_are_there():
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert "assets/screenshot.png" in pictures
    for picture in pictures:
        assert (ROOT / picture).read_bytes().startswith(b"\x89PNG"), picture


@pytest.mark.parametrize("module", sorted(set(re.findall(r"python -m (tests\.\w+\.\w+)", README.replace("\n", " ")))))
def test_its_benchmarks_can_be_run(module):
    assert (ROOT / f"{module.replace('.', '/')}.py").exists()


def test_its_command_line_example_is_understood():
    from core.__main__ import _parser

    (example,) = re.findall(r"`python -m core (score [^`]+)`", README)
    assert _parser().parse_args(shlex.split(example)).embedding == "raw"


def code_of(title: str) -> str:
    """The one Python example of a section, without the indentation of its list."""
    section = README.split(f"## {title}\n")[1].split("\n## ")[0]
    (code,) = re.findall(r"```python\n(.*?)```", section, flags=re.S)
    return "".join(line.removeprefix("   ") for line in code.splitlines(keepends=True))


def test_its_example_strategy_works_as_it_stands(monkeypatch):
    """The code of the four steps, run: registered, scored, and right."""
    monkeypatch.setattr(strategy, "_registry", dict(strategy.strategies()))
    code = code_of("Add a strategy in four steps")
    exec(compile(code.replace("from __future__ import annotations\n", ""), "norm.py", "exec"), {"__name__": "norm"})
    x = np.array([[3.0, 4.0], [0.0, 0.0], [1.0, 0.0]])
    assert strategy.score("norm", Embedded(x), power=2.0).tolist() == [25.0, 0.0, 1.0]
    assert strategy.find("norm").knobs["power"].default == 1.0

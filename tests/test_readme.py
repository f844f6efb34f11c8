"""Is what the README says and shows there?"""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from core import strategy
from core.plugins import menu
from core.types import Embedded

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def test_its_pictures_are_there():
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert "assets/screenshot.png" in pictures
    for picture in pictures:
        assert (ROOT / picture).read_bytes().startswith(b"\x89PNG"), picture


@pytest.mark.parametrize(
    "module", sorted(set(re.findall(r"python -m (tests\.\w+\.\w+)", README.replace("\n", " "))))
)
def test_its_benchmarks_can_be_run(module):
    assert (ROOT / f"{module.replace('.', '/')}.py").exists()


COMMANDS = re.findall(r"`[^`]*?python -m core (\w[^`]+)`", re.sub(r"\s+", " ", README))


@pytest.mark.parametrize("command", COMMANDS)
def test_its_commands_are_understood(command):
    from core.__main__ import _parser

    assert _parser().parse_args(shlex.split(command)).run


def test_it_names_every_subject_of_the_command_line():
    named = {command.split()[0] for command in COMMANDS}
    assert {
        "score",
        "export",
        "leverage",
        "bring",
        "join",
        "own",
        "check",
        "retrain",
        "experiments",
        "fetch",
    } <= named


def test_its_file_of_scores_opens_as_it_says(tmp_path, monkeypatch):
    """The lines for pandas, run."""
    from core import datasets, embeddings
    from core.exports import score_table
    from core.spec import Spec

    monkeypatch.chdir(tmp_path)
    data = datasets.load("digits", n=50)
    columns = [
        score_table.Column(
            Spec(dataset="digits").with_(n=50),
            strategy.score("leverage", embeddings.embed(data, "raw", seed=1)),
            {},
        )
    ]
    manifest = score_table.manifest(data, columns)
    Path("scores.parquet").write_bytes(
        score_table.encode(score_table.table(data, columns), "parquet", manifest)
    )
    (code,) = re.findall(r"```py\n(.*?)```", README, flags=re.S)
    found: dict = {}
    exec(code.split("from renumics")[0], found)
    assert (
        len(found["scores"]) == 50 and found["made"]["rankings"][0]["spec"]["dataset"] == "digits"
    )


def code_of(title: str) -> str:
    """The one Python example of a section, without the indentation of its list."""
    section = README.split(f"## {title}\n")[1].split("\n## ")[0]
    (code,) = re.findall(r"```python\n(.*?)```", section, flags=re.S)
    return "".join(line.removeprefix("   ") for line in code.splitlines(keepends=True))


def test_its_example_strategy_works_as_it_stands(monkeypatch):
    """The code of the four steps, run: registered, scored, and right."""
    monkeypatch.setattr(strategy, "_registry", dict(menu.strategies()))
    code = code_of("Add a strategy in four steps")
    exec(
        compile(code.replace("from __future__ import annotations\n", ""), "norm.py", "exec"),
        {"__name__": "norm"},
    )
    x = np.array([[3.0, 4.0], [0.0, 0.0], [1.0, 0.0]])
    assert strategy.score("norm", Embedded(x), power=2.0).tolist() == [25.0, 0.0, 1.0]
    assert menu.find("norm").knobs["power"].default == 1.0


def test_its_own_strategy_is_the_one_that_is_tried():
    """tests/plugins/test_loading.py runs this file: through check, the command line, a worker and
    the page.
    """
    assert code_of("Your own strategy, without touching the app") == (
        ROOT / "tests" / "own" / "my_scorer.py"
    ).read_text("utf-8")

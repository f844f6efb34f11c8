"""Is what the Markdown files say and show there, wherever they stand?

Their examples are run, their commands parsed, their links, paths, modules, names and settings
looked up. A path is written from the repository's root, or is a file's name beside the text.
"""

import importlib
import importlib.util
import re
import shlex
import sys
import types
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import __main__ as command_line
from core import strategy
from core.plugins import menu
from core.types import Embedded
from pages.shared import contents
from tests.test_architecture import LAYERS, PAGES
from tests.tools.source_reading import ROOT, code, tracked

TEXTS = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for path in tracked()
    if path.suffix == ".md"
}
README = TEXTS["README.md"]
# Files that an example makes or takes.
EXAMPLES = ("core/strategies/norm.py", "my_scorer.py", "features.npy")
# Where Python stands in a text: each block is run, or compared with a file that is run.
PYTHON = {"README.md", "core/exports/README.md", "core/plugins/README.md"}
EVERY_TEXT = pytest.mark.parametrize("name", sorted(TEXTS))


def line(text: str) -> str:
    """The text without its line breaks: commands and names may be broken anywhere."""
    return re.sub(r"\s+", " ", text)


def spans(text: str) -> list[str]:
    """What stands between single backticks, outside blocks of code."""
    return re.findall(r"`([^`]+)`", line(re.sub(r"```.*?```", "", text, flags=re.S)))


def blocks(text: str, language: str) -> list[str]:
    """The blocks of code in a language, without the indentation of their list."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", text, flags=re.S | re.M)
    return [re.sub(rf"^{indent}", "", block, flags=re.M) for indent, block in found]


def test_the_readme_is_short_and_names_every_page():
    assert len(README.encode()) <= 10_000
    assert sorted(f"pages.{name}" for name in contents.PAGES) == sorted(PAGES)
    for entry in contents.PAGES.values():
        assert f"\n| {entry.title} | " in README


@EVERY_TEXT
def test_its_links_lead_somewhere(name):
    for target in re.findall(r"\]\(([^)#]+)", TEXTS[name]):
        if not target.startswith(("http://", "https://")):
            assert (ROOT / name).parent.joinpath(target).exists(), target


def test_every_picture_is_shown_and_is_one():
    shown = {
        (ROOT / name).parent.joinpath(picture).resolve()
        for name, text in TEXTS.items()
        for picture in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)
    }
    assert len(re.findall(r"!\[", README)) == 1
    assert shown == set((ROOT / "assets").glob("screenshot*.png"))
    for picture in shown:
        assert picture.read_bytes().startswith(b"\x89PNG"), picture


@EVERY_TEXT
def test_its_paths_are_there(name):
    rooms = r"(?:core|pages|tests|assets)(?:/[\w.*]+)+/?"
    for path in re.findall(rf"(?<![\w/.]){rooms}", TEXTS[name]):
        path = path.rstrip("./")
        assert path in EXAMPLES or list(ROOT.glob(path)), path
    for path in spans(TEXTS[name]):
        if re.fullmatch(r"[\w/]+\.(py|md|json|npy|css|js|yaml|toml)", path):
            places = ((ROOT / name).parent / path, ROOT / path)
            exempt = path in EXAMPLES or path == "entry.json"
            assert exempt or any(place.exists() for place in places), path


@EVERY_TEXT
def test_its_modules_and_names_are_there(name):
    for module in re.findall(r"python -m ([\w.]+\w)", line(TEXTS[name])):
        assert importlib.util.find_spec(module), module
    for dotted in re.findall(r"\bcore(?:\.[a-z_]\w*)+", " ".join(spans(TEXTS[name]))):
        assert _found(dotted), dotted


def _found(dotted: str) -> bool:
    """Is there a module of this name, or something in one?"""
    parent, _, last = dotted.rpartition(".")
    with_parent = importlib.util.find_spec(parent)
    if with_parent and with_parent.submodule_search_locations and importlib.util.find_spec(dotted):
        return True
    return bool(with_parent) and hasattr(importlib.import_module(parent), last)


@EVERY_TEXT
def test_its_settings_are_read_somewhere(name):
    source = "\n".join(code().values())
    for setting in set(re.findall(r"LEVERAGE_LAB_\w+", TEXTS[name])):
        assert f'"{setting}"' in source, setting


COMMANDS = {
    name: [c for span in spans(text) for c in re.findall(r"python -m core ([a-z].*)", span)]
    for name, text in TEXTS.items()
}


@pytest.mark.parametrize("command", sorted({c for found in COMMANDS.values() for c in found}))
def test_its_commands_are_understood(command):
    """A subject alone is a name; with anything behind it, it is a command to type."""
    subject, *arguments = shlex.split(command)
    assert subject in _subjects()
    if arguments:
        assert command_line._parser().parse_args([subject, *arguments]).run


def _subjects() -> set[str]:
    (subjects,) = [a.choices for a in command_line._parser()._subparsers._group_actions]
    return set(subjects)


def test_the_map_names_every_subject_of_the_command_line():
    assert {command.split()[0] for command in COMMANDS["core/README.md"]} == _subjects()


def test_the_maps_name_every_room():
    for folder in ("core", "pages"):
        named = " ".join(spans(TEXTS[f"{folder}/README.md"])) + TEXTS[f"{folder}/README.md"]
        for room in (ROOT / folder).iterdir():
            if not room.name.startswith(("_", ".")) and room.suffix != ".md":
                label = room.name + ("/" if room.is_dir() else "")
                assert label in named, label


def test_the_map_has_the_layers_that_the_tests_keep():
    def called(rooms: tuple[str, ...]) -> str:
        if rooms == PAGES:
            return "the pages"
        names = [room.removeprefix("core.").replace(".", "/") for room in rooms]
        return ", ".join(f"`{name}`" if name.startswith("__") else name for name in names)

    assert " → ".join(called(rooms) for rooms in LAYERS) in line(TEXTS["core/README.md"])


def test_python_stands_only_where_it_is_run():
    assert {name for name, text in TEXTS.items() if re.search(r"^ *```py", text, flags=re.M)} == (
        PYTHON
    )


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
    found: dict = {}
    exec(_example_with("read_parquet"), found)
    assert (
        len(found["scores"]) == 50 and found["made"]["rankings"][0]["spec"]["dataset"] == "digits"
    )


def _example_with(word: str) -> str:
    """The one block of Python in the text on files of scores that holds this word."""
    (example,) = [b for b in blocks(TEXTS["core/exports/README.md"], "py") if word in b]
    return example


@pytest.mark.parametrize("classes", [np.arange(12), [str(name) for name in range(11, -1, -1)]])
def test_its_lines_for_cleanlab_number_classes_as_the_probabilities_do(classes, monkeypatch):
    """Run with twelve numbered classes, whose order by text is another one; cleanlab itself is not
    needed.
    """
    asked = {}

    def find_label_issues(labels, pred_probs, return_indices_ranked_by):
        asked.update(labels=labels, probs=pred_probs, by=return_indices_ranked_by)
        return np.flatnonzero(pred_probs.argmax(axis=1) != labels)

    module = types.ModuleType("cleanlab.filter")
    module.find_label_issues = find_label_issues
    monkeypatch.setitem(sys.modules, "cleanlab", types.ModuleType("cleanlab"))
    monkeypatch.setitem(sys.modules, "cleanlab.filter", module)
    true = np.arange(60) % 12  # columns of the probabilities
    names = [str(classes[column]) for column in true]
    names[7] = str(classes[8])  # the one wrong label
    names[20] = ""  # no label yet
    scores = pd.DataFrame(
        {"id": [f"p{i}" for i in range(60)], "label": names, "rank_raw_leverage": range(60)}
    )
    lines = {"scores": scores, "pred_probs": np.eye(12)[true], "classes": classes}
    example = _example_with("cleanlab")
    exec(example, lines)
    assert len(asked["labels"]) == len(asked["probs"]) == 59 and asked["labels"].dtype.kind == "i"
    assert asked["by"] == "self_confidence"
    shown = eval(example.strip().splitlines()[-1], lines)
    assert shown.values.tolist() == [["p7", str(classes[8]), 7]]


def test_the_blocks_that_need_what_is_not_installed_are_python():
    examples = blocks(TEXTS["core/exports/README.md"], "py")
    assert len(examples) == 4
    for example in examples:
        compile(example, "README.md", "exec")


def test_spotlight_and_embedding_atlas_have_environments_of_their_own():
    """One asks for pandas before 3, the other for pandas from 3 on."""
    shells = blocks(TEXTS["core/exports/README.md"], "sh")
    assert [("renumics-spotlight" in shell, "embedding-atlas" in shell) for shell in shells] == [
        (True, False),
        (False, True),
    ]
    made = [re.findall(r"^python -m venv (\S+)$", shell, flags=re.M) for shell in shells]
    assert all(len(names) == 1 for names in made) and made[0] != made[1]
    for shell, (name,) in zip(shells, made, strict=True):
        assert all(line.startswith(f"{name}/bin/") for line in shell.splitlines()[1:])


def test_its_example_strategy_works_as_it_stands(monkeypatch):
    """The code of the four steps, run: registered, scored, and right."""
    monkeypatch.setattr(strategy, "_registry", dict(menu.strategies()))
    (example,) = blocks(README, "python")
    exec(
        compile(example.replace("from __future__ import annotations\n", ""), "norm.py", "exec"),
        {"__name__": "norm"},
    )
    x = np.array([[3.0, 4.0], [0.0, 0.0], [1.0, 0.0]])
    assert strategy.score("norm", Embedded(x), power=2.0).tolist() == [25.0, 0.0, 1.0]
    assert menu.find("norm").knobs["power"].default == 1.0


def test_its_own_strategy_is_the_one_that_is_tried():
    """tests/plugins/test_loading.py runs this file: through check, the command line, a worker and
    the page.
    """
    (example,) = blocks(TEXTS["core/plugins/README.md"], "python")
    assert example == (ROOT / "tests" / "own" / "my_scorer.py").read_text("utf-8")

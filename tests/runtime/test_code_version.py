"""The version of the code behind a result: what changes it, and what does not."""

import ast
from types import SimpleNamespace

import pytest

from core.runtime import code_version as versions
from core.runtime.code_version import code_version, skeleton
from tests.tools.source_reading import ROOT, code

SOURCE = '''"""Module."""

import core.b


def f(x):
    """Double."""
    return 2 * x  # twice
'''


def same(one, other):
    return skeleton(ast.parse(one)) == skeleton(ast.parse(other))


def test_comments_docstrings_and_layout_do_not_count():
    other = (
        SOURCE.replace("Double.", "Twice\n    as much.")
        .replace("# twice", "# 2 x")
        .replace('Module."""\n', 'Other."""\n\n\n')
    )
    assert same(SOURCE, other.replace("2 * x", "(2 *\n        x)"))


@pytest.mark.parametrize(
    "change", ["3 * x", "2.0 * x", "x * 2", "2 * y", "'2' * x", "b'2' * x", "True * x"]
)
def test_any_change_of_code_counts(change):
    assert not same(SOURCE, SOURCE.replace("2 * x", change))


@pytest.fixture
def house(tmp_path, monkeypatch):
    (tmp_path / "core").mkdir()
    for name, text in {
        "a": SOURCE,
        "b": "from core import c, types\n",
        "c": "C = 1\n",
        "types": "T = 1\n",
        "d": "D = 1\n",
    }.items():
        (tmp_path / "core" / f"{name}.py").write_text(text)
    monkeypatch.setattr(versions, "ROOT", tmp_path)
    versions._code_version.cache_clear()
    yield tmp_path / "core"
    versions._code_version.cache_clear()


def version_after(house, name, text):
    (house / f"{name}.py").write_text(text)
    versions._code_version.cache_clear()
    return code_version("core.a")


def test_code_counts_wherever_it_is_imported_from(house):
    before = code_version("core.a")
    assert version_after(house, "a", SOURCE.replace("2 * x", "3 * x")) != before
    assert version_after(house, "a", SOURCE) == before
    assert version_after(house, "c", "C = 2\n") != before  # reached through b


def test_plumbing_and_strangers_do_not_count(house):
    before = code_version("core.a")
    assert version_after(house, "types", "T = 2\n") == before
    assert version_after(house, "d", "D = 2\n") == before


def test_a_file_that_moves_to_another_room_keeps_the_version(house):
    before = code_version("core.a")
    (house / "room").mkdir()
    (house / "c.py").rename(house / "room" / "c.py")
    moved = "from core import types\nfrom core.room import c\n"
    assert version_after(house, "b", moved) == before
    assert version_after(house, "room/c", "C = 2\n") != before


def test_another_function_of_the_same_name_counts(house):
    (house / "d.py").write_text("from core import b, c\nC = 1\n")
    before = version_after(house, "a", "from core import d\nfrom core.c import C\n")
    assert version_after(house, "a", "from core import c\nfrom core.d import C\n") != before


@pytest.fixture
def rooms(tmp_path, monkeypatch):
    """The files of core, to be edited."""
    names = [path.relative_to(ROOT) for path in (ROOT / "core").rglob("*.py")]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.setattr(versions, "ROOT", tmp_path)
    versions._code_version.cache_clear()
    yield tmp_path
    versions._code_version.cache_clear()


ASKED = (
    "core.strategies.leverage",
    "core.strategies.coreset",
    "core.strategies.bait",
    "core.models.umap_map",
    "core.embeddings",
    "core.strategy_inputs",
)


@pytest.fixture(scope="module")
def unedited():
    """The versions of core as it is."""
    return {module: code_version(module) for module in ASKED}


@pytest.mark.parametrize(
    ("edited", "changed"),
    [
        ("core/runtime/jobs.py", set()),
        ("core/runtime/progress.py", set()),
        ("core/plugins/menu.py", set()),
        ("core/hosting/limits.py", set()),
        ("core/exports/score_table.py", set()),
        ("core/charts/basics.py", set()),
        ("core/commands/scores.py", set()),
        ("core/data/catalogue.py", set()),
        ("core/types.py", set()),
        ("core/strategy.py", set()),
        ("core/spec.py", set()),
        ("core/linalg/whitening.py", {"core.strategies.leverage"}),
        ("core/strategies/coreset.py", {"core.strategies.coreset"}),
        ("core/linalg/a_optimal_kernels.py", {"core.strategies.bait"}),
        ("core/models/ensembles.py", {"core.strategy_inputs"}),
        ("core/data/splits.py", {"core.strategy_inputs"}),
    ],
)
def test_rooms_that_compute_count_for_what_uses_them(unedited, rooms, edited, changed):
    with open(rooms / edited, "a") as file:
        file.write("\nEDITED = True\n")
    assert {module for module in ASKED if code_version(module) != unedited[module]} == changed


def test_a_library_that_parses_at_the_same_time_disturbs_nothing(monkeypatch):
    """Python 3.11 then fails with a SystemError, which says nothing about the text."""
    fails = iter([SystemError("AST constructor recursion depth mismatch")] * 3)

    def parse(text, real=ast.parse):
        for error in fails:
            raise error
        return real(text)

    monkeypatch.setattr(versions, "ast", SimpleNamespace(parse=parse))
    assert ast.dump(versions.parsed("a = 1")) == ast.dump(ast.parse("a = 1"))
    assert next(fails, None) is None


def test_every_carrier_is_there():
    assert all(versions.is_there(room) for room in versions.CARRIERS + versions.COMPUTES)


def test_every_module_that_is_asked_about_exists():
    """A name that leads nowhere would give a version that never changes."""
    asked = [
        call.args[0].value
        for text in code().values()
        for call in ast.walk(ast.parse(text))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func).endswith("code_version")
        and isinstance(call.args[0], ast.Constant)
    ]
    assert asked and [name for name in asked if not versions._path(name).exists()] == []

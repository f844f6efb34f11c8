"""The version of the code behind a result: what changes it, and what does not."""

import ast

import pytest

from core.runtime import code_version as versions
from core.runtime.code_version import code_version, skeleton

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


def test_leverage_depends_on_the_passes_it_makes():
    assert {"core.strategies.leverage", "core.linalg.row_blocks"} <= versions._reached(
        "core.strategies.leverage"
    )
    assert "core.models.networks" in versions._reached("core.embeddings")

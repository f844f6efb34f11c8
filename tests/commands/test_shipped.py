"""Is every bundled result told in words, and is the index what its command would write today?"""

from core import __main__ as command_line
from core.commands import shipped
from core.runtime import cache


def test_the_index_is_what_the_command_writes_today():
    written = (cache.BUNDLED / "INDEX.md").read_text("utf-8")
    assert written == shipped.index_text(), "run python -m core index"


def test_the_index_names_every_bundled_result():
    text = shipped.index_text()
    folders = [folder for folder in cache.BUNDLED.glob("*/*") if folder.is_dir()]
    assert folders
    for folder in folders:
        (row,) = [line for line in text.splitlines() if line.endswith(f"| {folder.name} |")]
        assert folder.parent.name in shipped.STEPS and len(row.split(" | ")[0]) > 10


def test_its_commands_are_understood():
    for step in shipped.STEPS.values():
        assert command_line._parser().parse_args(step.command.split()).run


def test_the_command_writes_it_beside_the_results(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "BUNDLED", tmp_path)
    cache.bundle("trim_table-" + "0" * 24, {}, {"world": "two_gaussians"})
    assert command_line.main(["index"]) == 0
    text = (tmp_path / "INDEX.md").read_text("utf-8")
    assert "Results: 1, " in text and "| Two Gaussians | " in text

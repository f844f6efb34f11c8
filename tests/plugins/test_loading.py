"""Do own strategies work everywhere the first time, and does a bad file cost nothing but itself?

`tests/own/my_scorer.py` is the example of core/plugins/README.md. Bad files are written by the
tests.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core import __main__ as command_line
from core import datasets, lesson, pipeline, strategy
from core.plugins import loading, menu
from core.plugins.menu import strategies
from core.runtime import code_version as versions
from core.runtime import jobs, progress
from core.runtime.code_version import code_version
from core.spec import Spec, from_query, scores_key
from core.strategy import OWN, pick, score
from core.types import Embedded, UserError
from tests.tools import job_desk, pages

ROOT = Path(__file__).parents[2]
held = pages.held
EXAMPLE = Path(__file__).parents[1] / "own" / "my_scorer.py"
POINTS = Embedded(np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 0.0], [-3.0, -4.0]]))
BEGINNING = "import numpy as np\nfrom core.strategy import Knob, scorer, selector\n"


def scoring(
    body: str, name: str = "mine", label: str = "Mine", parameters: str = "embedding"
) -> str:
    return f'{BEGINNING}\n\n@scorer("{label}")\ndef {name}({parameters}):\n    {body}\n'


# ---- a file that works ----


def test_the_example_works_the_first_time(named):
    assert named(str(EXAMPLE)) == []
    entry = strategies()["mean_distance"]
    assert (
        list(strategies())[-1] == "mean_distance" and entry.own and not strategies()["leverage"].own
    )
    assert score("mean_distance", POINTS).tolist() == [0, 5, 0, 5] and score(
        "mean_distance", POINTS, power=2.0
    ).tolist() == [0, 25, 0, 25]
    assert pick("mean_distance", POINTS, 2).indices.tolist() == [1, 3]
    assert entry.label == "Distance to the mean" and entry.summary.startswith(
        "The distance to the mean"
    )
    assert entry.knobs["power"].choices == (0.5, 1.0, 2.0)


def test_it_is_a_choice_like_any_other(named):
    named(str(EXAMPLE))
    spec, problems = from_query({"dataset": "digits", "strategy": "mean_distance", "s.power": "2"})
    assert (
        problems == []
        and spec.title() == "Digits 8 x 8, Raw pixels, Distance to the mean (power 2.0)"
    )
    assert menu.rankers()["mean_distance"] is None


def test_several_files_are_separated_as_paths_are(named):
    one, two = (
        scoring("return embedding[:, 0].astype(float)", name, name) for name in ("one", "two")
    )
    assert named("", "  ", one=one, two=two) == [] and list(strategies())[-2:] == ["one", "two"]


def test_paths_are_read_from_where_the_app_is_started(monkeypatch, tmp_path):
    (tmp_path / "here.py").write_text(scoring("return embedding[:, 0].astype(float)"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(loading.VARIABLE, "here.py")
    assert loading.problems() == [] and "mine" in strategies()
    monkeypatch.setenv("HOME", str(tmp_path))
    assert [entry.name for entry in loading.load_file("~/here.py")] == ["mine"], (
        "the same file, read once"
    )


def test_files_are_read_once(named, tmp_path):
    count = f"open({str(tmp_path / 'count')!r}, 'a').write('x')\n"
    named(counted=count + scoring("return embedding[:, 0].astype(float)"))
    strategies(), strategies(), loading.problems()
    assert (tmp_path / "count").read_text() == "x"


def test_a_file_may_use_core_and_dataclasses(named):
    text = "from dataclasses import dataclass\nfrom core.strategies.leverage import leverage\n"
    text += "@dataclass\nclass Doubled:\n    by: 'float' = 2.0\n" + scoring(
        "return Doubled().by * leverage(embedding)"
    )
    assert named(doubled=text) == []
    x = Embedded(np.random.default_rng(0).normal(size=(9, 2)))
    assert np.array_equal(score("mine", x), 2 * score("leverage", x))


def test_the_lesson_shows_the_apps_own_strategies_only(named):
    built_in = list(strategy.registered())
    named(str(EXAMPLE))
    assert [
        spec.strategy for function, spec in lesson.results() if function == "favourites_of"
    ] == built_in
    assert list(strategies()) == [*built_in, "mean_distance"]


# ---- files that do not ----

SCORE = "return embedding[:, 0].astype(float)"
BAD = {
    "missing name": (
        scoring(SCORE, name="leverage"),
        r"^bad\.py, line 5: leverage: core\.strategies\.leverage has registered a strategy",
    ),
    "taken label": (
        scoring(SCORE, label="Leverage"),
        r"^bad\.py: the label 'Leverage' belongs to leverage\. Call mine something else\.",
    ),
    "unknown input": (
        scoring(SCORE, parameters="embedding, pixels"),
        r"^bad\.py, line 5: mine: unknown inputs \['pixels'\]; an input is",
    ),
    "a knob before the star": (
        scoring(SCORE, parameters="embedding, power=1.0"),
        r"unknown inputs \['power'\].* a knob stands after a \*",
    ),
    "a knob without a default": (
        scoring(SCORE, parameters="embedding, *, power"),
        "found no default for power; every knob needs one",
    ),
    "stars": (scoring(SCORE, parameters="embedding, **more"), r"unknown inputs \['more'\]"),
    "inputs without names": (
        scoring(SCORE, parameters="embedding, /"),
        "inputs are handed over by name",
    ),
    "a scorer with a budget": (
        scoring(SCORE, parameters="embedding, *, k"),
        "a scorer takes no budget k; a @selector does",
    ),
    "a selector without": (
        BEGINNING + '@selector("S", nested=True)\ndef s(embedding): pass\n',
        r"line 3: s: a selector takes the budget k",
    ),
    "syntax": (
        BEGINNING + "\ndef f(:\n    pass\n",
        r"^bad\.py, line 4: found a syntax error \(.*\), expected Python",
    ),
    "indentation": (BEGINNING + "\n  x = 1\n", r"^bad\.py, line 4: found a syntax error"),
    "import": (
        "import numpy\nimport no_such_module\n",
        r"^bad\.py, line 2: found an import that fails \(No module named 'no_such_",
    ),
    "wrong name": (
        "from core.strategy import score_r\n",
        r"^bad\.py, line 1: found an import that fails",
    ),
    "exception": (
        BEGINNING + "x = 1 / 0\n",
        r"^bad\.py, line 3: found ZeroDivisionError: division by zero, expected a file that runs",
    ),
    "in a function": (
        BEGINNING + "def f():\n    return {}['x']\n\nf()\n",
        r"^bad\.py, line 4: found KeyError",
    ),
    "exit": ("import sys\nsys.exit('bye')\n", r"^bad\.py, line 2: found SystemExit: bye"),
    "nothing": (
        "x = 1\n",
        r"^bad\.py: found no strategy, expected a function under @scorer or @selector",
    ),
    "empty": ("", "found no strategy"),
    "null bytes": ("x = '\0'\n", "found a syntax error|null byte"),
    "somebody else's": (
        BEGINNING
        + 'from core.strategies.leverage import effective_rank\nscorer("Rank")(effective_rank)\n',
        (
            r"^bad\.py: effective_rank comes from core\.strategies\.leverage, expected a function"
            r" of the file itself"
        ),
    ),
    "annotation": (
        scoring(SCORE, parameters="embedding, *, power: 'Nothing' = 1.0"),
        r"^bad\.py, line 5: found NameError",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_becomes_a_sentence_and_costs_nothing_else(case, named, caplog):
    text, message = BAD[case]
    before = strategy.registered()
    (problem,) = named(bad=text)
    assert re.search(message, problem), problem
    assert problem.endswith(".") and "Traceback" not in problem and problem in caplog.text
    assert strategies() == before and not any(name.startswith(OWN) for name in sys.modules)


def test_what_is_no_python_file_is_said(named, tmp_path):
    (tmp_path / "scorer.txt").write_text("")
    (tmp_path / "latin.py").write_bytes("# -*- coding: utf-8 -*-\nx = 'é'\n".encode("latin-1"))
    absent, folder, text, latin = named(
        *(str(tmp_path / name) for name in ("absent.py", "", "scorer.txt", "latin.py"))
    )
    assert (
        absent
        == "absent.py: could not be read (No such file or directory). Correct LEVERAGE_LAB_PLUGINS,"
        " or put the file there."
    )
    assert (
        "found a folder, expected a Python file" in folder
        and "scorer.txt: found no .py file" in text
    )
    assert "latin.py: found no text that can be read" in latin and latin.endswith(
        "Save it as UTF-8."
    )


def test_good_files_work_beside_bad_ones(named):
    (problem,) = named(bad="import no_such_module", good=scoring(SCORE))
    assert problem.startswith("bad.py, line 1") and "mine" in strategies()


def test_a_file_that_fails_half_way_leaves_nothing_behind(named):
    (problem,) = named(bad=scoring(SCORE) + "1 / 0\n")
    assert "line 8" in problem and "mine" not in strategies()


def test_two_files_of_one_name_cannot_be_told_apart(named, tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "mine.py").write_text(scoring(SCORE, "other", "Other"))
    (problem,) = named(str(tmp_path / "more" / "mine.py"), mine=scoring(SCORE))
    assert (
        problem == "mine.py: another file of this name has been loaded. Rename one of them."
        and "other" not in strategies()
    )


def test_two_files_cannot_share_a_strategy(named):
    (problem,) = named(one=scoring(SCORE), two=scoring(SCORE, label="Another"))
    assert "two.py, line 5: mine: plugin_one has registered a strategy of this name" in problem
    assert strategies()["mine"].label == "Mine"


def test_a_hosted_app_loads_none(named, monkeypatch):
    monkeypatch.setenv("LEVERAGE_LAB_HOSTED", "1")
    assert named(str(EXAMPLE)) == [loading.NOT_HERE] and "mean_distance" not in strategies()


def test_a_hosted_app_without_the_variable_has_nothing_to_say(monkeypatch):
    monkeypatch.setenv("LEVERAGE_LAB_HOSTED", "1")
    assert loading.problems() == []


# ---- when it runs ----


def test_an_exception_names_its_line(named):
    named(mine=scoring("return 1 / 0 * embedding[:, 0]"))
    with pytest.raises(
        loading.Crashed,
        match=r"^mine\.py, line 7: ZeroDivisionError: division by zero\. Mend that line\.$",
    ):
        score("mine", POINTS)


def test_an_exception_in_a_library_names_the_line_that_called_it(named):
    named(mine=scoring("return np.linalg.inv(embedding)"))
    with pytest.raises(UserError, match=r"^mine\.py, line 7: LinAlgError"):
        score("mine", POINTS)


def test_what_it_says_itself_and_a_cancelled_task_pass(named):
    named(
        mine=(
            "from core.types import UserError\nfrom core.runtime.progress import"
            f" Cancelled\n{scoring('raise embedding')}"
        )
    )
    function = strategies()["mine"].function
    with pytest.raises(UserError, match=r"^Too few\.$"):
        function(UserError("Too few."))
    with pytest.raises(progress.Cancelled):
        function(progress.Cancelled())


def test_a_real_worker_computes_it(named, monkeypatch):
    jobs.close()
    try:
        assert named(str(EXAMPLE)) == []
        spec = Spec().with_(dataset="digits", n=100, strategy="mean_distance")
        data = datasets.load("digits", n=100)
        entry = jobs.submit(
            "core.pipeline:scores", spec, key=scores_key(spec, data.fingerprint)
        ).result()
        x = pipeline.embedding(spec).embedding.astype(float)
        assert np.array_equal(
            entry.arrays["scores"], np.sqrt(((x - x.mean(axis=0)) ** 2).sum(axis=1))
        )
        assert entry.key == scores_key(spec, data.fingerprint)
    finally:
        jobs.close()


# ---- versions ----

KEY = (
    "from core.spec import Spec, scores_key; print(scores_key(Spec().with_(dataset='digits',"
    " strategy='mine'), 'data'))"
)


def key_in_a_new_process(path: Path) -> str:
    environment = {**os.environ, loading.VARIABLE: str(path)}
    done = subprocess.run(
        [sys.executable, "-c", KEY],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_an_edited_file_never_meets_an_old_result(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(scoring(SCORE))
    before = key_in_a_new_process(path)
    path.write_text("# a comment\n" + scoring(SCORE) + "\n\n")
    assert key_in_a_new_process(path) == before
    path.write_text(scoring(SCORE.replace("0", "1")))
    assert key_in_a_new_process(path) != before


def test_the_version_is_that_of_the_text_that_runs(named, tmp_path):
    named(mine=scoring(SCORE))
    (tmp_path / "mine.py").write_text(scoring(SCORE.replace("0", "1")))  # edited while the app runs
    module = strategies()["mine"].function.__module__
    assert score("mine", POINTS).tolist() == [0, 3, 0, -3]
    assert versions.source(module) == scoring(SCORE)


def test_what_it_imports_from_core_counts(named):
    mine = "from core.linalg import row_blocks\n" + scoring(SCORE)
    named(mine=mine, other=scoring(SCORE, "other", "Other"))
    assert {"plugin_mine", "core.linalg.row_blocks"} <= versions.reached("plugin_mine")
    assert versions.reached("plugin_other") == {"plugin_other"}
    assert code_version("plugin_mine") != code_version("plugin_other")


# ---- python -m core check ----


def check(path) -> int:
    return command_line.main(["check", str(path)])


def test_the_example_keeps_every_promise(capsys):
    assert check(EXAMPLE) == 0
    lines = capsys.readouterr().out.splitlines()
    assert (
        lines[0] == "Distance to the mean (mean_distance, a scorer)"
        and lines[-1] == "Every promise is kept."
    )
    assert all(line.startswith("  kept    ") for line in lines[1:-1]) and len(lines) == 2 + 17


BROKEN = {
    "nan": (
        "x = embedding.astype(float); return x[:, 0] / x[:, 0] - 1",
        "found nan for points of zeros; a score must be a finite number.",
    ),
    "length": ("return np.zeros(5)", "found scores of shape (5,) for 24 points, expected (24,)."),
    "mutates": (
        "embedding *= 2; return embedding[:, 0].astype(float)",
        "it changed its input embedding in place. Work on a copy",
    ),
    "order": ("return np.arange(len(embedding), dtype=float)", "in another order of the points"),
    "random": (
        "return np.random.default_rng().random(len(embedding))",
        "two runs with the same seed differ. Draw random numbers only",
    ),
    "raises": (
        "return [][3]",
        "broken.py, line 7: IndexError: list index out of range. Mend that line.",
    ),
    "words": ("return ['a'] * len(embedding)", "found <U1 scores for 24 points, expected numbers."),
    "nothing": ("pass", "found scores of shape () for 24 points"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_is_said_in_words(case, tmp_path, capsys):
    body, message = BROKEN[case]
    (tmp_path / "broken.py").write_text(scoring(body))
    assert check(tmp_path / "broken.py") == 1
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("  BROKEN  ") and message in line for line in lines), "\n".join(
        lines
    )
    assert re.fullmatch(r"\d+ promises? (is|are) broken\.", lines[-1])


def test_advice_is_no_fault(tmp_path, capsys):
    (tmp_path / "plain.py").write_text(
        scoring("return embedding[:, 0]", parameters="embedding, *, power: float = 1.0")
    )
    assert check(tmp_path / "plain.py") == 0
    said = capsys.readouterr().out
    assert (
        said.count("  advice  ") == 3
        and "found float32 scores" in said
        and "knob power has no words" in said
        and "Every promise" in said
    )


def test_every_strategy_of_the_file_is_checked(tmp_path, capsys):
    (tmp_path / "both.py").write_text(
        scoring(SCORE, "good", "Good")
        + scoring("return [][3]", "bad", "Bad").removeprefix(BEGINNING)
    )
    assert check(tmp_path / "both.py") == 1
    said = capsys.readouterr().out
    assert "Good (good, a scorer)" in said and "Bad (bad, a scorer)" in said


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "could not be read"), ("x = (", "line 1: found a syntax error"), ("", "no strategy")],
)
def test_a_file_that_cannot_be_loaded_ends_with_status_2(content, message, tmp_path, capsys):
    if content is not None:
        (tmp_path / "mine.py").write_text(content)
    assert check(tmp_path / "mine.py") == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("Error: mine.py") and message in said.err


def test_a_file_that_is_loaded_already_is_checked_as_it_is(named, capsys):
    named(str(EXAMPLE))
    assert check(EXAMPLE) == 0 and "Every promise is kept." in capsys.readouterr().out


def test_every_command_says_what_could_not_be_loaded(named, tmp_path, capsys):
    assert named(bad="x = (")
    out = tmp_path / "scores.csv"
    assert (
        command_line.main(
            ["score", "--dataset", "digits", "--n", "50", "--strategy", "mine", "--out", str(out)]
        )
        == 2
    )
    said = capsys.readouterr().err
    assert (
        "Warning: bad.py, line 1: found a syntax error" in said and "Strategy: found 'mine'" in said
    )


def test_as_a_program(tmp_path):
    out = tmp_path / "scores.parquet"
    environment = {**os.environ, loading.VARIABLE: str(EXAMPLE.relative_to(ROOT))}
    command = [
        sys.executable,
        "-m",
        "core",
        "score",
        "--dataset",
        "digits",
        "--n",
        "100",
        "--strategy",
        "mean_distance",
        "--out",
        str(out),
    ]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "Distance to the mean" in done.stdout and done.stderr == "", (
        done.stderr
    )
    assert "mean_distance" in json.dumps(json.loads(out.with_suffix(".manifest.json").read_text()))


# ---- on the pages ----


@pytest.fixture
def at_once(own_cache, monkeypatch):
    """An empty cache, and work done on the spot."""
    job_desk.empty(monkeypatch)
    monkeypatch.setattr(jobs, "start_in_background", lambda: None)
    monkeypatch.setattr(jobs, "submit", pages.on_the_spot([]))


def test_it_can_be_chosen_on_explore_and_its_knob_turned(named, at_once):
    named(str(EXAMPLE))
    at = pages.visit("pages/explore.py", dataset="digits")
    menu = pages.widget(at.selectbox, "Strategy")
    assert "Distance to the mean" in menu.options and not at.warning
    menu.select("mean_distance").run()
    pages.explore_works(at)
    data = datasets.load("digits")
    x = data.points.reshape(len(data), -1).astype(float)
    order = np.argsort(-((x - x.mean(axis=0)) ** 2).sum(axis=1), kind="stable")
    assert pages.galleries(at)[0]["ids"][:20] == order[:20].tolist()
    assert pages.widget(at.select_slider, "Power").value == 1.0
    pages.widget(at.select_slider, "Power").set_value(2.0).run()
    pages.explore_works(at)
    assert (
        pages.spec_of(at).strategy_knobs == (("power", 2.0),)
        and at.query_params["s.power"] == "2.0"
    )


def test_a_crash_is_a_sentence_on_the_page(named, at_once):
    named(mine=scoring("return [][3]"))
    at = pages.visit("pages/explore.py", dataset="digits", strategy="mine")
    assert (
        not at.exception
        and "mine.py, line 7: IndexError: list index out of range. Mend that line."
        in [e.value for e in at.error]
    )


@pytest.mark.parametrize("page", pages.PAGES)
def test_every_page_says_which_file_could_not_be_loaded(page, named, at_once, held):
    (problem,) = named(bad="x = (")
    held()
    at = pages.visit(page, dataset="digits")
    assert (
        not at.exception
        and f"From {loading.VARIABLE}: {problem} The other strategies work."
        in [warning.value for warning in at.warning]
    )


def test_visitors_of_a_hosted_app_are_not_told(named, at_once, monkeypatch):
    monkeypatch.setenv("LEVERAGE_LAB_HOSTED", "1")
    assert named(str(EXAMPLE)) == [loading.NOT_HERE]
    at = pages.visit("pages/explore.py", dataset="digits")
    assert not at.exception and not at.warning

"""May an own file import what lies beside it, does an edit there count, and do two files' helpers
stay apart?
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.plugins import loading
from core.plugins.menu import strategies
from core.runtime import code_version as versions
from core.runtime.code_version import code_version
from core.strategy import OWN, score
from core.types import Embedded, UserError

ROOT = Path(__file__).parents[2]
POINTS = Embedded(np.array([[3.0, 4.0], [0.0, 0.0], [1.0, 0.0]]))
HELPER = "import numpy as np\ndef norm(x): return np.linalg.norm(x, axis=1)\n"
DOUBLE = HELPER.replace("return ", "return 2 * ")


def using(imports: str, call: str = "norm(embedding)", name: str = "mine", inside: str = "") -> str:
    return (
        f"{imports}\nfrom core.strategy import scorer\n\n"
        f'@scorer("{name}")\ndef {name}(embedding):\n    {inside or "pass"}\n    return {call}\n'
    )


def written(folder: Path, **files: str) -> Path:
    """The files under these names; the first one's path."""
    paths = [folder / f"{name}.py" for name in files]
    for path, text in zip(paths, files.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return paths[0]


WAYS = {
    "from": (using("from helper import norm"), {"helper": HELPER}),
    "import": (using("import helper", "helper.norm(embedding)"), {"helper": HELPER}),
    "as": (using("import helper as h", "h.norm(embedding)"), {"helper": HELPER}),
    "in a function": (using("", inside="from helper import norm"), {"helper": HELPER}),
    "relative": (using("from .helper import norm"), {"helper": HELPER}),
    "relative module": (
        using("from . import helper", "helper.norm(embedding)"),
        {"helper": HELPER},
    ),
    "through another": (
        using("from first import norm"),
        {"first": "from helper import norm\n", "helper": HELPER},
    ),
    "a package": (
        using("from parts.norms import norm"),
        {"parts/__init__": "", "parts/norms": HELPER},
    ),
    "a package's relative import": (
        using("from parts import norm"),
        {"parts/__init__": "from .norms import norm\n", "parts/norms": HELPER},
    ),
    "a folder": (
        using("import parts.norms", "parts.norms.norm(embedding)"),
        {"parts/norms": HELPER},
    ),
    "a submodule by from": (
        using("from parts import norms", "norms.norm(embedding)"),
        {"parts/__init__": "", "parts/norms": HELPER},
    ),
    "a helper that imports the file": (
        using("SCALE = 1\nfrom helper import norm"),
        {
            "helper": HELPER
            + "def scaled(x):\n    from own import SCALE\n    return SCALE * norm(x)\n"
        },
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_lies_beside_is_found_and_counts(way, tmp_path):
    text, beside = WAYS[way]
    path = written(tmp_path, own=text, **beside)
    (entry,) = loading.load_file(path)
    assert score(entry, POINTS).tolist() == [5, 0, 1]
    home = f"{entry.function.__module__}.beside"
    names = {name.replace("/", ".").removesuffix(".__init__") for name in beside}
    assert {f"{home}.{name}" for name in names} <= versions.reached(entry.function.__module__)
    assert not {"helper", "parts", "first"} & set(sys.modules), "nothing of it is anybody else's"


KEY = (
    "from core.spec import Spec, scores_key; print(scores_key(Spec().with_(dataset='digits',"
    " strategy='mine'), 'data'))"
)


def key_in_a_new_process(path: Path) -> str:
    environment = {**os.environ, loading.VARIABLE: str(path)}
    command = [sys.executable, "-c", KEY]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_an_edited_helper_never_meets_an_old_result(tmp_path):
    own = using("", inside="from first import norm")
    first = "from helper import norm\n"
    path = written(tmp_path, own=own, first=first, helper=HELPER, other="X = 1\n")
    before = key_in_a_new_process(path)
    written(tmp_path, helper="# said otherwise\n" + HELPER, other="X = 2\n")
    assert key_in_a_new_process(path) == before
    written(tmp_path, helper=DOUBLE)
    assert key_in_a_new_process(path) != before


def test_the_version_is_that_of_the_helper_that_runs(tmp_path):
    path = written(tmp_path, own=using("", inside="from helper import norm"), helper=HELPER)
    (entry,) = loading.load_file(path)
    before = code_version(entry.function.__module__)
    written(tmp_path, helper=DOUBLE)  # edited while the app runs, before it is first imported
    assert score(entry, POINTS).tolist() == [5, 0, 1]
    versions._code_version.cache_clear()
    assert code_version(entry.function.__module__) == before


def test_helpers_of_one_name_do_not_mix(tmp_path):
    use = using("", inside="from helper import norm")
    one = written(tmp_path / "a", one=use.replace("mine", "one"), helper=HELPER)
    two = written(tmp_path / "b", two=use.replace("mine", "two"), helper=DOUBLE)
    entries = [*loading.load_file(one), *loading.load_file(two)]
    found = [score(entry, POINTS).tolist() for entry in entries]
    assert found == [[5, 0, 1], [10, 0, 2]]
    assert len({code_version(entry.function.__module__) for entry in entries}) == 2


def test_pythons_library_and_core_are_never_shadowed(tmp_path):
    path = written(
        tmp_path,
        own=using("import random, core.types, numpy as np", "np.full(len(embedding), random.X)"),
        random="X = 1\n",
        **{"core/types": "1 / 0\n"},
    )
    (entry,) = loading.load_file(path)
    with pytest.raises(UserError, match=r"^own\.py, line 7: AttributeError"):
        score(entry, POINTS)


def test_a_file_of_an_installed_modules_name_imports_that(tmp_path):
    path = written(tmp_path, pandas=using("import pandas", "pandas.Series([5, 0, 1]).to_numpy()"))
    assert score(loading.load_file(path)[0], POINTS).tolist() == [5, 0, 1]


BAD = {
    "at once": (
        {"own": using("from helper import norm"), "helper": "x = 1\n1 / 0\n"},
        r"^helper\.py, line 2: found ZeroDivisionError",
    ),
    "syntax": (
        {"own": using("from helper import norm"), "helper": "x = (\n"},
        r"^helper\.py, line 1: found a syntax error",
    ),
    "a name it lacks": (
        {"own": using("from helper import nrm"), "helper": HELPER},
        r"^own\.py, line 1: found an import that fails \(cannot import name 'nrm' from 'helper'",
    ),
    "none": (
        {"own": using("import numpy\nfrom helper import norm")},
        (
            r"^own\.py, line 2: found an import that fails \(No module named 'helper'\)\. Install"
            r" what it names, put it beside the file, or correct it\."
        ),
    ),
    "in a package": (
        {"own": using("import parts.norms"), "parts/norms": "import no_such_module\n"},
        r"^parts/norms\.py, line 1: found an import that fails",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_helper_becomes_a_sentence_and_costs_nothing_else(case, tmp_path):
    files, message = BAD[case]
    before = strategies()
    with pytest.raises(UserError, match=message) as caught:
        loading.load_file(written(tmp_path, **files))
    assert "plugin_" not in str(caught.value) and str(tmp_path) not in str(caught.value)
    assert strategies() == before and not any(name.startswith(OWN) for name in sys.modules)


def test_a_mended_helper_is_read_anew(tmp_path):
    path = written(tmp_path, own=using("from helper import norm"), helper="1 / 0\n")
    with pytest.raises(UserError):
        loading.load_file(path)
    written(tmp_path, helper=HELPER)
    assert score(loading.load_file(path)[0], POINTS).tolist() == [5, 0, 1]


def test_a_crash_in_a_helper_names_its_line(tmp_path):
    path = written(tmp_path, own=using("from helper import norm"), helper="def norm(x):\n    x.y\n")
    with pytest.raises(loading.Crashed, match=r"^helper\.py, line 2: AttributeError"):
        score(loading.load_file(path)[0], POINTS)


def test_a_helper_may_register_what_it_defines(tmp_path):
    text = using("from helper import norm")
    path = written(tmp_path, own="from things import mine\n", things=text, helper=HELPER)
    (entry,) = loading.load_file(path)
    assert entry.own and score(entry, POINTS).tolist() == [5, 0, 1]
    reached = versions.reached(entry.function.__module__)
    assert any(re.fullmatch(r"plugin_own\.beside\.helper", name) for name in reached)


def test_a_hosted_app_reads_neither(named, monkeypatch, tmp_path):
    monkeypatch.setenv("LEVERAGE_LAB_HOSTED", "1")
    trace = tmp_path / "trace"
    written(tmp_path, helper=f"open({str(trace)!r}, 'w')\n" + HELPER)
    assert named(own=using("from helper import norm")) == [loading.NOT_HERE]
    assert "mine" not in strategies() and not trace.exists()

"""Do own embeddings work everywhere the first time, and does a bad one cost nothing but itself?"""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core import __main__ as command_line
from core import datasets, embeddings, pipeline, strategy
from core.plugins import embedding_contract, loading, menu
from core.plugins.embedding_contract import CONTRACT, MANNERS
from core.runtime import code_version as versions
from core.runtime import jobs
from core.spec import Spec, embedding_key, from_query, scores_key
from core.strategy import OWN
from core.types import UserError
from tests.tools import job_desk, pages

ROOT = Path(__file__).parents[2]
BEGINNING = "import numpy as np\nfrom core.embeddings import embedder\n"
FLAT = "x = dataset.points.reshape(len(dataset), -1).astype(float)"
MEANS = f"{FLAT}; return np.stack([x.mean(axis=1), x.std(axis=1)], axis=1)"


def embedding(
    body: str = MEANS,
    name: str = "mine",
    says: str = '"Mine"',
    parameters: str = "dataset",
) -> str:
    about = '"""The mean and the spread of each point. (n, 2)."""'
    return f"{BEGINNING}\n\n@embedder({says})\ndef {name}({parameters}):\n    {about}\n    {body}\n"


# ---- a file that works ----


def test_a_file_with_an_embedding_alone_works(named):
    assert named(own=embedding()) == []
    entry = menu.embedders()["mine"]
    assert entry.own and list(menu.embedders())[-1] == "mine" and entry.family == "joined"
    assert not entry.seeded and not menu.embedders()["raw"].own
    data = datasets.load("digits", n=40)
    x = data.points.reshape(40, -1).astype(float)
    found = embeddings.embed(data, "mine").embedding
    assert found.dtype == np.float32 and not found.flags.writeable
    np.testing.assert_allclose(found, np.stack([x.mean(axis=1), x.std(axis=1)], axis=1), rtol=1e-6)


def test_it_is_a_choice_like_any_other(named):
    text = "x = dataset.points.reshape(len(dataset), -1)[:, :k] + seed; return x"
    named(own=embedding(text, parameters="dataset, *, seed: int = 1, k: int = 3"))
    query = {"dataset": "digits", "embedding": "mine", "seed": "2", "e.k": "4"}
    spec, problems = from_query(query)
    assert problems == [] and spec.title() == "Digits 8 x 8, Mine, Leverage (k 4, seed 2)"
    assert pipeline.embedding(spec.with_(n=30)).embedding.shape == (30, 4)


def test_a_link_finds_it_before_anything_was_loaded(tmp_path):
    (tmp_path / "own.py").write_text(embedding())
    assert key_in_a_new_process(tmp_path / "own.py").startswith("embedding-")


def test_both_kinds_stand_in_one_file(named):
    scorer = (
        "from core.strategy import scorer\n@scorer('Firsts')\n"
        "def firsts(embedding):\n    return embedding[:, 0].astype(float)\n"
    )
    assert named(own=embedding() + scorer) == []
    assert "firsts" in menu.strategies() and "mine" in menu.embedders()


def test_it_may_look_at_tables_or_not(named):
    named(own=embedding(says='"Mine", images_only=True'))
    assert "mine" in menu.embedders(datasets.info("digits"))
    assert "mine" not in menu.embedders(datasets.info("letter"))


def test_a_real_worker_computes_it(named, own_cache):
    jobs.close()
    try:
        assert named(own=embedding()) == []
        spec = Spec().with_(dataset="digits", n=60, embedding="mine")
        key = scores_key(spec, datasets.load("digits", n=60).fingerprint)
        entry = jobs.submit("core.pipeline:scores", spec, key=key).result()
        assert entry.key == key and entry.facts["d"] == 2
    finally:
        jobs.close()


def test_it_can_be_chosen_on_explore(named, own_cache, monkeypatch):
    job_desk.empty(monkeypatch)
    monkeypatch.setattr(jobs, "start_in_background", lambda: None)
    monkeypatch.setattr(jobs, "submit", pages.on_the_spot([]))
    named(own=embedding())
    at = pages.visit("pages/explore.py", dataset="digits")
    choice = pages.widget(at.selectbox, "Embedding")
    assert "Mine" in choice.options
    choice.select("mine").run()
    pages.explore_works(at)
    assert at.query_params["embedding"] == "mine"


# ---- versions ----

KEY = (
    "from core.spec import Spec, embedding_key; print(embedding_key(Spec().with_("
    "dataset='digits', embedding='mine'), 'data'))"
)


def key_in_a_new_process(path: Path) -> str:
    environment = {**os.environ, loading.VARIABLE: str(path)}
    command = [sys.executable, "-c", KEY]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_an_edit_of_the_file_or_of_what_lies_beside_it_never_meets_an_old_result(tmp_path):
    path = tmp_path / "own.py"
    helped = embedding(f"from helper import scale; {FLAT}; return scale * x")
    (tmp_path / "helper.py").write_text("scale = 1\n")
    path.write_text(helped)
    keys = [key_in_a_new_process(path)]
    path.write_text("# said otherwise\n" + helped)
    assert key_in_a_new_process(path) == keys[0]
    path.write_text(helped.replace("scale * x", "scale * x[:, :9]"))
    keys.append(key_in_a_new_process(path))
    (tmp_path / "helper.py").write_text("scale = 2\n")
    keys.append(key_in_a_new_process(path))
    assert len(set(keys)) == 3


def test_what_was_looked_up_is_looked_up_again_when_it_is_registered_anew(tmp_path):
    """As when a file is mended and loaded again by the same process."""
    found = []
    for name, text in (("one", embedding()), ("two", embedding(f"{FLAT}; return x[:, :2]"))):
        (tmp_path / f"{name}.py").write_text(text)
        embeddings._registry.pop("mine", None)
        loading.load_file(tmp_path / f"{name}.py")
        found.append(embedding_key(Spec().with_(dataset="digits", embedding="mine"), "data"))
    assert found[0] != found[1]


# ---- files that do not ----

BAD = {
    "a name that there is": (
        embedding(name="raw"),
        r"^own\.py, line 5: raw: core\.embeddings has registered an embedding of this name",
    ),
    "a label that there is": (
        embedding(says='"Raw pixels"'),
        r"^own\.py: the label 'Raw pixels' belongs to raw\. Call mine something else\.$",
    ),
    "a strategy's name": (
        embedding(name="pale") + "from core.strategy import scorer\n@scorer('P')\n"
        "def pale(embedding): return embedding[:, 0]\n",
        r"^own\.py: pale is a strategy and an embedding\. Rename one of them",
    ),
    "two inputs": (
        embedding(parameters="dataset, k"),
        r"found the inputs \(dataset, k\), expected",
    ),
    "no input": (embedding(parameters=""), r"found the inputs \(none\), expected the dataset"),
    "a knob without a default": (embedding(parameters="dataset, *, k"), "found no default for k"),
    "a seed that it does not take": (
        embedding(says='"Mine", seeded=True'),
        "an embedding that is seeded takes seed after a",
    ),
    "a family of its own": (
        embedding(says='"Mine", family="mine"'),
        r"^own\.py: mine: found the family 'mine', expected one of classification, joined, ",
    ),
    "an objective": (
        embedding(says='"Mine", objective="cross_entropy"'),
        r"^own\.py: mine: found an objective, which only the app's own networks have",
    ),
    "half way": (embedding() + "1 / 0\n", r"^own\.py, line 9: found ZeroDivisionError"),
    "somebody else's": (
        BEGINNING + "def f(dataset): pass\nf.__module__ = 'core.x'\nembedder('M')(f)\n",
        r"^own\.py: f comes from core\.x, expected a function of the file itself",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_refused_file_leaves_nothing_in_either_registry(case, named):
    text, message = BAD[case]
    before = strategy.registered(), embeddings.registered()
    (problem,) = named(own=text)
    assert re.search(message, problem), problem
    assert (menu.strategies(), menu.embedders()) == before
    assert not any(name.startswith(OWN) for name in sys.modules) and not versions._elsewhere


def test_a_hosted_app_loads_none(named, monkeypatch):
    monkeypatch.setenv("LEVERAGE_LAB_HOSTED", "1")
    assert named(own=embedding()) == [loading.NOT_HERE] and "mine" not in menu.embedders()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return [][3]", r"^own\.py, line 8: IndexError: list index out of range"),
        (
            f"{FLAT}; return x[:-1]",
            r"^Mine: found shape \(29, 64\) for 30 points, expected one row",
        ),
        ("return np.zeros(len(dataset))", r"^Mine: found shape \(30,\), expected \(n, d\)"),
        ("return np.zeros((len(dataset), 0))", r"^Mine: found shape \(30, 0\) for 30 points"),
        (f"{FLAT}; return x / 0", r"^Mine: 30 of 30 rows hold NaN or infinity"),
        (f"{FLAT}; return x * 1e300", r"^Mine: 30 of 30 rows hold NaN or infinity"),
        ("return None", r"^Mine: found shape \(\), expected \(n, d\)"),
        ("return [['a']] * len(dataset)", r"^Mine: found <U1 values, expected real numbers"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_no_embedding_is_said_when_it_runs(body, message, named):
    named(own=embedding(body))
    with pytest.raises(UserError, match=message):
        embeddings.embed(datasets.load("digits", n=30), "mine")


# ---- python -m core check ----


def check(path: Path, text: str) -> int:
    path.write_text(text)
    return command_line.main(["check", str(path)])


def test_a_sound_one_keeps_every_promise(tmp_path, capsys):
    assert check(tmp_path / "own.py", embedding()) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Mine (mine, an embedding)" and lines[-1] == "Every promise is kept."
    assert all(line.startswith("  kept    ") for line in lines[1:-1])
    assert len(lines) == 2 + len(CONTRACT) + len(MANNERS)


SEEDED = "dataset, *, seed: int = 1"
BROKEN = {
    "rows": (f"{FLAT}; return x[:-1]", "dataset", "found shape (23, 784) for 24 points"),
    "not finite": (f"{FLAT}; return x / 0", "dataset", "24 of 24 rows hold NaN or infinity"),
    "one dimension": (f"{FLAT}; return x[:, 0]", "dataset", "found shape (24,), expected (n, d)"),
    "mutates": (
        f"dataset.points[0] = 1; {FLAT}; return x",
        "dataset",
        "grey images: it changed the dataset's points in place. Work on a copy",
    ),
    "random": (
        f"{FLAT}; return x + np.random.default_rng().random(x.shape)",
        "dataset",
        "grey images: two runs with the same seed differ. Draw random numbers only from seed",
    ),
    "deaf": (f"{FLAT}; return x", SEEDED, "eleven seeds give the same answer"),
    "row numbers": (
        f"{FLAT}; return x + np.arange(len(x))[:, None] * 9",
        "dataset",
        "in another order of the points 23 of 24 rows differ",
    ),
    "sorted rows": (f"{FLAT}; return np.sort(x, axis=0)", "dataset", "of 24 rows differ"),
    "one point": (
        f"{FLAT}; return x[:, :2] / (len(x) - 1)",
        "dataset",
        "one image alone: Mine: 1 of 1 rows hold NaN or infinity",
    ),
    "colour": (
        "return dataset.points.reshape(-1, 784 if dataset.is_images else 60).astype(float)",
        "dataset",
        "colour images: own.py, line 8: ValueError",
    ),
    "nothing suits": (
        "from core.types import UserError; raise UserError('Not today.')",
        "dataset",
        "it refuses everything that it is tried on: Not today.",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_broken_is_said_in_words(case, tmp_path, capsys):
    body, parameters, message = BROKEN[case]
    assert check(tmp_path / "own.py", embedding(body, parameters=parameters)) == 1
    said = capsys.readouterr().out
    broken = [line for line in said.splitlines() if line.startswith("  BROKEN  ")]
    assert any(message in line for line in broken), said


def test_a_shuffle_that_is_not_undone_is_advice_under_a_seed(tmp_path, capsys):
    body = f"{FLAT}; return np.random.default_rng(seed).permutation(x)"
    assert check(tmp_path / "own.py", embedding(body, parameters=SEEDED)) == 0
    (advice,) = [line for line in capsys.readouterr().out.splitlines() if "advice" in line]
    assert "rows follow their points under a seed" in advice and "undo every shuffle" in advice


@pytest.mark.parametrize("name", ["raw", "pca", "projection", "random_relu", "random_fourier"])
def test_the_apps_own_keep_it(name):
    """The networks do as well; they take a minute each."""
    found = embedding_contract.findings(menu.find_embedder(name))
    assert [str(finding) for finding in found if finding.broken] == []

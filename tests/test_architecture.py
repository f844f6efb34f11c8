"""Is the house still built as planned? The rules of the layout, kept by reading the code.

The rules' data stand first. Each rule is a function from files to complaints; it must complain
about a few small broken houses and stay silent about a sound one, so that it cannot pass by seeing
nothing. Then it reads the real house. "Eager" imports run as soon as a file is imported; those
inside functions do not.
"""

import ast
import graphlib
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from fnmatch import fnmatch
from typing import NamedTuple

import pytest

from tests.tools.source_reading import (
    ROOT,
    Files,
    bodies,
    code,
    import_graph,
    imports,
    module_name,
    nodes,
    tracked,
    tree,
    within,
    writes,
)

PAGES = tuple(
    f"pages.{name}"
    for name in (
        "start",
        "explore",
        "agreement",
        "map",
        "sampling",
        "retrain",
        "active",
        "influence",
        "trim",
        "simulations",
        "data",
        "lesson",
    )
)
# Who may not import what, at any place in the file.
NEVER = {
    "core/*": ("streamlit", "pages", "app"),
    "core/strategies/[!_]*": ("core.strategies",),
    "pages/*": ("torch", "torchvision", "umap", "dask", "distributed", "app"),
}
# Imports run one way: a file imports from its own layer's rooms and from earlier ones, never from a
# later one, inside functions too. Rooms of one layer know nothing of each other.
LAYERS = (
    ("core.types",),
    ("core.hosting.policy",),
    ("core.runtime",),
    ("core.softmax_head", "core.knobs"),
    ("core.linalg", "core.data"),
    ("core.datasets", "core.strategy"),
    ("core.agreement", "core.models", "core.strategies"),
    ("core.embeddings",),
    ("core.strategy_inputs", "core.plugins"),
    ("core.spec",),
    ("core.lesson",),
    ("core.pipeline",),
    ("core.exports",),
    ("core.large",),
    ("core.experiments",),
    ("core.charts",),
    ("core.hosting.estimates",),
    ("core.hosting.limits",),
    ("core.commands", "pages.components"),
    ("core.__main__", "pages.shared"),
    ("pages.parts",),
    PAGES,
    ("app",),
)
# Python files in a folder, __init__.py not counted.
ROOMS = {"core": 12, "core/strategies": 30}
ROOM = 17
# What only these files may import.
ONLY_IN = {
    "umap": ("core/models/umap_map.py",),
    "altair": ("core/charts/*.py",),
    # Jobs run on Dask whatever they compute; the one computation that spreads over a cluster by
    # itself has a room of its own.
    "dask": ("core/runtime/jobs.py", "core/runtime/worker.py", "core/large/dask_rows.py"),
    "distributed": (
        "core/runtime/jobs.py",
        "core/runtime/worker.py",
        "core/runtime/nanny.py",
        "core/large/dask_rows.py",
    ),
}
# What app.py may import. `streamlit run` looks nowhere else for the server that it starts.
APP_MAY = (
    "streamlit",
    "pages.shared.contents",
    "pages.shared.serving.at_home",
    *sys.stdlib_module_names,
)
# Loaded lazily in core, but for the modules that only a worker imports.
LAZY = ("torch", "torchvision")
EAGER_ROOMS = tuple(
    f"core/models/{name}.py"
    for name in (
        "networks",
        "recipe",
        "training",
        "training_data",
        "training_speed",
        "stacked_networks",
        "evaluation",
    )
)
# Only these write to disk. A variable called `buffer` is taken for a file in memory.
WRITERS = (
    "core/runtime/cache.py",
    "core/runtime/entry_files.py",
    "core/runtime/result_folders.py",
    "core/datasets.py",
    "core/data/published_files.py",
    "core/runtime/folders.py",
    "core/runtime/server_mark.py",
    "core/data/own.py",
    "core/commands/writing.py",
)
# Saved Python objects run code when they are read; arrays and tables do not.
PICKLERS = ("pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal")
PICKLE_CALLS = ("torch.load", "pandas.read_pickle", "pd.read_pickle")
PICKLES = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt")
# What the web process imports, and what must not come in with it.
WEB = (
    "core/types.py",
    "core/strategy.py",
    "core/strategies/*.py",
    "core/datasets.py",
    "core/runtime/cache.py",
    "core/runtime/jobs.py",
    "core/charts/maps.py",
    "pages/shared/*.py",
)
HEAVY = ("torch", "torchvision", "umap", "numba")
# Package registries and paths of one machine, in pieces so that this file does not hold them.
HOSTS = (("pypi", "org"), ("files", "pythonhosted", "org"), ("registry", "npmjs", "org"))
UNSPOKEN = (
    *(".".join(parts) for parts in HOSTS),
    *(f"/{folder}/" for folder in ("work", "root", "home")),
)
# Lines of a file and of a function's body without its docstring; the share of bodies that are
# short; the checkout's size.
FILE_LINES = 500  # past 400 a file is a place to look: one subject or two?
BODY_LINES = 60
SHORT_BODY = 25
SHORT_SHARE = 0.9
TREE_MB = 130


class Rule(NamedTuple):
    """broken: houses it must complain about. sound: one it must not.

    reads: the app's code, or every file that git keeps.
    """

    check: Callable[[Files], list[str]]
    broken: list[Files]
    sound: Files
    reads: Callable[[], Files]


RULES: dict[str, Rule] = {}


def rule(broken: list[Files], sound: Files, reads: Callable[[], Files] = code):
    return lambda check: RULES.setdefault(check.__name__, Rule(check, broken, sound, reads)).check


@rule(
    broken=[
        {"core/a.py": "def f():\n    import streamlit"},
        {"core/strategies/a.py": "from .b import x"},
        {"pages/a.py": "from torch import nn"},
        {"pages/a.py": "torch = lazy_loader.load('torch')"},
    ],
    sound={
        "core/a.py": "import numpy, streamlitx",
        "core/strategies/__init__.py": "from core.strategies import a",
        "pages/a.py": "import core.b",
    },
)
def imports_run_one_way(files):
    found = list(imports(files))
    return [
        f"{i.place} imports {i.name}"
        for where, never in NEVER.items()
        for path, i in found
        if fnmatch(path, where) and within(i.name, never)
    ]


@rule(
    broken=[
        {"core/a.py": "import umap"},
        {"pages/a.py": "import altair as alt"},
        {"core/a.py": "from dask.distributed import Client"},
    ],
    sound={"core/runtime/jobs.py": "import distributed", "core/charts/maps.py": "import altair"},
)
def each_library_has_its_room(files):
    found = list(imports(files))
    strays = [
        (i, rooms)
        for library, rooms in ONLY_IN.items()
        for path, i in found
        if within(i.name, (library,)) and not any(fnmatch(path, room) for room in rooms)
    ]
    return [f"{i.place} imports {i.name}; only {', '.join(rooms)} may" for i, rooms in strays]


@rule(
    broken=[
        {"app.py": "import core.types"},
        {"app.py": "from pages.shared import parts"},
        {"app.py": "import pandas"},
    ],
    sound={
        "app.py": "from pathlib import Path\nimport streamlit as st",
        "core/a.py": "import core.types",
    },
)
def app_knows_only_streamlit(files):
    return [
        f"{i.place} imports {i.name}"
        for path, i in imports(files)
        if path == "app.py" and not within(i.name, APP_MAY)
    ]


@rule(
    broken=[
        {"core/a.py": "import torch"},
        {"core/a.py": "try:\n    from torch.nn import Linear\nexcept ImportError: pass"},
        {"core/a.py": "class A:\n    import torchvision"},
        {"core/a.py": "torch = lazy_loader.load('torch')"},
    ],
    sound={
        "core/a.py": "if TYPE_CHECKING:\n    import torch\ndef f():\n    import torchvision",
        "core/models/training.py": "import torch",
    },
)
def torch_loads_lazily(files):
    eager = [
        i
        for path, i in imports(files)
        if i.eager and path not in EAGER_ROOMS and within(i.name, LAZY)
    ]
    return [
        f"{i.place} imports {i.name} at once; import it inside the functions that use it"
        for i in eager
    ]


@rule(
    broken=[
        {
            "core/a.py": "from core import b",
            "core/b.py": "import core.c.d",
            "core/c/__init__.py": "",
            "core/c/d.py": "from ..a import x",
        },
        {"core/a.py": "from core import b", "core/b.py": "def f():\n    import core.a"},
    ],
    sound={"core/a.py": "from core import b", "core/c.py": "import core.a, core.b"},
)
def imports_go_round_no_circle(files):
    try:
        graphlib.TopologicalSorter(import_graph(files)).prepare()
    except graphlib.CycleError as error:
        return [" <- ".join(error.args[1])]
    return []


@rule(
    broken=[
        {"core/types.py": "import core.runtime.jobs", "core/runtime/jobs.py": ""},
        {"core/linalg/a.py": "def f():\n    from core.pipeline import x", "core/pipeline.py": ""},
        {"core/linalg/a.py": "from core.data import b", "core/data/b.py": ""},
        {"core/nowhere/a.py": "import core.types", "core/types.py": ""},
    ],
    sound={
        "core/pipeline.py": "from core.linalg.a import x\nfrom core import types",
        "core/linalg/a.py": "from core.linalg import b",
        "core/linalg/b.py": "import core.types",
        "core/types.py": "",
    },
)
def imports_keep_to_the_layers(files):
    graph = import_graph(files)
    layer = {module: _layer(module) for module in graph}
    homeless = [
        f"{module} is in no layer"
        for module, place in layer.items()
        if place is None and graph[module]
    ]
    against = [
        f"{module} imports {wanted}, which is in a later layer or in another room of its own"
        for module in graph
        for wanted in graph[module]
        if layer[module]
        and layer[wanted]
        and layer[wanted][0] >= layer[module][0]
        and layer[wanted] != layer[module]
    ]
    return homeless + against


def _layer(module: str) -> tuple[int, str] | None:
    """(which layer, which of its rooms): the longest name that fits."""
    found = [
        (n, room) for n, rooms in enumerate(LAYERS) for room in rooms if within(module, (room,))
    ]
    return max(found, key=lambda place: len(place[1]), default=None)


@rule(
    broken=[
        {"pages/parts/map/a.py": "from pages.parts.trim import b", "pages/parts/trim/b.py": ""}
    ],
    sound={"pages/parts/map/a.py": "from pages.parts.map import b", "pages/parts/map/b.py": ""},
)
def a_page_keeps_its_parts_to_itself(files):
    return [
        f"{i.place} imports {i.name}"
        for path, i in imports(files)
        if path.startswith("pages/parts/")
        and within(i.name, ("pages.parts",))
        and i.name.split(".")[2:3] != path.split("/")[2:3]
    ]


@rule(
    broken=[
        {f"core/a{n}.py": "" for n in range(13)},
        {f"core/linalg/a{n}.py": "" for n in range(18)},
        {f"core/strategies/a{n}.py": "" for n in range(31)},
    ],
    sound={f"core/a{n}.py": "" for n in range(12)}
    | {f"core/strategies/a{n}.py": "" for n in range(30)},
)
def a_room_can_be_looked_over(files):
    folders = Counter(path.rpartition("/")[0] for path in files if not path.endswith("__.py"))
    return [
        f"{name}: {count} files" for name, count in folders.items() if count > ROOMS.get(name, ROOM)
    ]


@rule(
    broken=[{"core/a.py": "x = 1\n" * 501}, {"core/a.py": "def f():\n" + "    x = 1\n" * 61}],
    sound={"core/a.py": "x = 1\n" * 500, "core/b.py": "def f():\n" + "    x = 1\n" * 60},
)
def rooms_and_functions_are_small(files):
    sizes = [(path, len(text.splitlines())) for path, text in files.items()]
    long = [found for found in sizes if found[1] > FILE_LINES] + [
        found for found in bodies(files) if found[1] > BODY_LINES
    ]
    return [f"{where}: {lines} lines" for where, lines in long]


@rule(
    broken=[{"core/a.py": "def f():\n    x = 1\n" * 8 + "def g():\n" + "    x = 1\n" * 26}],
    sound={
        "core/a.py": "def f():\n    x = 1\n" * 9 + "def g():\n" + "    x = 1\n" * 26,
        "core/b.py": "def f():\n    '''" + "x\n" * 50 + "    '''",
    },
)
def most_functions_are_short(files):
    found = bodies(files)
    long = [f"{where}: {lines} lines" for where, lines in found if lines > SHORT_BODY]
    return long if len(long) > (1 - SHORT_SHARE) * len(found) + 1e-9 else []


@rule(
    broken=[
        *(
            {"core/a.py": code}
            for code in (
                "open(p, 'w')",
                "p.open(mode='ab')",
                "gzip.open(p, 'xb')",
                "np.memmap(p, mode='w+')",
                "mkstemp()",
            )
        ),
        *(
            {"core/a.py": code}
            for code in (
                "np.save(p, a)",
                "np.savez_compressed(p)",
                "p.write_text(t)",
                "image.save(p)",
                "save_file(d, p)",
            )
        ),
        *(
            {"pages/a.py": code}
            for code in (
                "os.replace(a, b)",
                "t.rename(p)",
                "t.replace(p)",
                "d.to_csv(p)",
                "d.to_parquet(path=p)",
            )
        ),
    ],
    sound={
        "core/a.py": (
            "open(p)\np.open('rb')\nnp.memmap(p, mode='r')\n'a'.replace('a', 'b')\nreplace(spec,"
            " k=1)\nd.rename(columns={})"
        ),
        "pages/a.py": (
            "np.save(buffer, a)\nd.to_csv(index=False)\nd.to_csv(buffer)\nd.to_parquet(None)"
        ),
        "core/runtime/cache.py": "open(p, 'wb')",
    },
)
def few_rooms_write_to_disk(files):
    calls = [
        (path, call)
        for path, call in nodes(files, ast.Call)
        if path not in WRITERS and writes(call)
    ]
    return [f"{path}:{call.lineno} writes: {ast.unparse(call)}" for path, call in calls]


@rule(
    broken=[
        {"core/a.py": "import pickle"},
        {"core/data/published_files.py": "def f():\n    from pickle import Unpickler"},
        {"core/a.py": "torch.load(file)"},
        {"core/a.py": "np.load(p, allow_pickle=True)"},
        {"core/a.py": "np.load(p, allow_pickle=flag)"},
    ],
    sound={"core/a.py": "np.load(p, allow_pickle=False)"},
)
def no_pickle_is_read(files):
    picklers = [
        f"{i.place} imports {i.name}" for _, i in imports(files) if within(i.name, PICKLERS)
    ]
    calls = [
        (path, call)
        for path, call in nodes(files, ast.Call)
        if ast.unparse(call.func) in PICKLE_CALLS
    ]
    allowed = [
        (path, k)
        for path, k in nodes(files, ast.keyword)
        if k.arg == "allow_pickle" and ast.unparse(k.value) != "False"
    ]
    return picklers + [
        f"{path}:{node.lineno} reads pickles: {ast.unparse(node)}" for path, node in calls + allowed
    ]


@rule(
    broken=[
        {"core/a.py": "x = 1"},
        {"core/a.py": "'''A.'''\ndef f(): pass"},
        {"core/a.py": "'''A.'''\nclass A: pass"},
    ],
    sound={
        "core/a.py": "'''A.'''\ndef _f(): pass\ndef f():\n    '''F.'''",
        "pages/a.py": "def f(): pass",
    },
)
def core_explains_itself(files):
    trees = {path: ast.parse(text) for path, text in files.items() if path.startswith("core/")}
    public = [
        (path, node)
        for path, parsed in trees.items()
        for node in parsed.body
        if not getattr(node, "name", "_").startswith("_")
    ]
    silent = [
        f"{path}: the module has no docstring"
        for path, parsed in trees.items()
        if not ast.get_docstring(parsed)
    ]
    return silent + [
        f"{path}:{node.lineno} {node.name} has no docstring"
        for path, node in public
        if not ast.get_docstring(node)
    ]


@rule(
    broken=[{"README.md": f"see {word}x"} for word in UNSPOKEN],
    sound={"README.md": "see docs/work and www.python.org"},
    reads=tree,
)
def no_machine_and_no_registry_is_named(files):
    lines = [
        (f"{path}:{number}", line)
        for path, text in files.items()
        for number, line in enumerate(text.splitlines(), 1)
    ]
    return [f"{place} holds {word}" for place, line in lines for word in UNSPOKEN if word in line]


@rule(
    broken=[{"assets/net.pth": ""}, {"a/B.PKL": ""}],
    sound={"assets/net.safetensors": "", "core/pt.py": ""},
    reads=tree,
)
def no_pickle_is_kept(files):
    return [path for path in files if path.lower().endswith(PICKLES)]


@pytest.mark.parametrize("name", RULES)
def test_the_rule_tells_broken_from_sound(name):
    for house in RULES[name].broken:
        assert RULES[name].check(house), f"{name} sees nothing wrong with {house}"
    assert RULES[name].check(RULES[name].sound) == []


@pytest.mark.parametrize("name", RULES)
def test_the_house_keeps_the_rule(name):
    files = RULES[name].reads()
    assert "core/types.py" in files, "the rule has nothing to read"
    assert RULES[name].check(files) == []


def test_the_checkout_stays_small():
    size = sum(file.stat().st_size for file in tracked()) / 1e6
    assert 0 < size < TREE_MB, f"{size:.0f} MB"


def test_the_web_process_stays_light():
    modules = [
        module_name(path) for path in code() if any(fnmatch(path, pattern) for pattern in WEB)
    ]
    assert {"core.types", "core.strategy"} <= set(modules)
    assert loaded_by("".join(f"import {module}\n" for module in modules), HEAVY) == []


FIRST_SCREEN = """
import psutil
from streamlit.testing.v1 import AppTest
at = AppTest.from_file("app.py", default_timeout=600).run()
assert at.title[0].value == "Which data points matter?" and not at.exception
assert psutil.Process().memory_info().rss < 300 * 2**20, psutil.Process().memory_info().rss
"""


def test_the_first_screen_is_drawn_without_them_in_300_megabytes(tmp_path):
    script = tmp_path / "first_screen.py"
    script.write_text(FIRST_SCREEN.replace('"app.py"', repr(str(ROOT / "app.py"))))
    assert loaded_by(f"exec(open({str(script)!r}).read())\n", HEAVY) == []


def test_a_loaded_module_is_noticed():
    assert loaded_by("import colorsys\n", ("colorsys", "umap")) == ["colorsys"]
    assert loaded_by("import json\n", ("colorsys",)) == []


def loaded_by(script: str, watched: tuple[str, ...]) -> list[str]:
    """Which of the watched modules a fresh Python has really run after this script."""
    report = f"import sys\nprint([m for m in {watched} if m in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", script + report],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return ast.literal_eval(run.stdout.splitlines()[-1])

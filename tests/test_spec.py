"""Is a Spec canonical, does it survive its link, and do keys differ just where the meaning does?"""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as draw

from core import datasets, embeddings, pipeline, strategy
from core.data.dataset_info import Info
from core.plugins import menu
from core.runtime.code_version import code_version
from core.spec import (
    Spec,
    embedding_key,
    first_look,
    from_query,
    head_key,
    record_key,
    resolve,
    scores_key,
    textbook_key,
)
from core.strategies.leverage import leverage
from core.types import UserError

DATA = "0123456789abcdef"


def test_the_first_screen_has_an_empty_link():
    assert Spec().to_query() == {} and from_query({}) == (Spec(), [])
    assert Spec().title() == "MNIST, Raw pixels, Leverage"


SAME = [
    ({}, {"n": 70_000}),
    ({}, {"n": "70000"}),
    ({}, {"n": None, "subset": 5}),
    ({}, {"n": ""}),
    ({}, {"seed": 9}),
    ({}, {"draw": 3}),
    ({}, {"strategy_knobs": (("ridge", 0.0),)}),
    ({}, {"strategy_knobs": (("ridge", "0"), ("rank", "None"))}),
    ({"embedding": "pca"}, {"embedding": "pca", "embedding_knobs": (("k", 50),), "seed": 4}),
    ({"n": 500}, {"n": "5e2", "subset": "0"}),
    (
        {"strategy_knobs": (("ridge", 0.1), ("rank", 5))},
        {"strategy_knobs": (("rank", "5"), ("ridge", "0.1"))},
    ),
    ({"strategy_knobs": (("ridge", 0.5),)}, {"strategy_knobs": (("ridge", 0.1), ("ridge", 0.5))}),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_specs_that_mean_the_same_are_equal_and_so_are_their_links_and_keys(one, other):
    one, other = Spec().with_(**one), Spec().with_(**other)
    assert one == other and hash(one) == hash(other) and one.to_query() == other.to_query()
    assert scores_key(one, DATA) == scores_key(other, DATA)


CHANGES = [
    {"n": 500},
    {"n": 500, "subset": 1},
    {"n": 501},
    {"dataset": "digits"},
    {"embedding": "projection"},
    {"embedding": "projection", "seed": 2},
    {"embedding": "projection", "embedding_knobs": (("k", 100),)},
    {"embedding": "random_relu"},
    {"strategy": "random"},
    {"strategy": "random", "draw": 1},
    {"strategy_knobs": (("ridge", 0.1),)},
    {"strategy_knobs": (("ridge", 0.2),)},
    {"strategy_knobs": (("rank", 5),)},
    {"strategy_knobs": (("rank", 5), ("ridge", 0.1))},
]


def test_every_field_makes_another_spec_and_another_link():
    specs = [Spec(), *(Spec().with_(**change) for change in CHANGES)]
    assert (
        len(set(specs))
        == len({tuple(sorted(spec.to_query().items())) for spec in specs})
        == len(specs)
    )
    assert {name for change in CHANGES for name in change} == {
        field.name for field in dataclasses.fields(Spec)
    }, "no field is forgotten"


def test_every_field_that_decides_the_scores_is_in_their_key():
    specs = [
        Spec(),
        *(
            Spec().with_(**change)
            for change in CHANGES
            if not {"n", "subset", "dataset"} & set(change)
        ),
    ]
    keys = {scores_key(spec, DATA) for spec in specs}
    assert len(keys) == len(specs), "the points themselves come into the key by their fingerprint:"
    assert scores_key(Spec(), DATA) != scores_key(Spec(), DATA[::-1]) and scores_key(
        Spec(), DATA
    ) == scores_key(Spec(), DATA)


def test_the_embedding_key_knows_nothing_of_the_strategy():
    raw = Spec()
    others = [raw.with_(strategy="random", draw=3), raw.with_(strategy_knobs=(("ridge", 1.0),))]
    assert {embedding_key(spec, DATA) for spec in others} == {embedding_key(raw, DATA)}
    wide = raw.with_(embedding="projection")
    seen = [raw, wide, wide.with_(seed=2), wide.with_(embedding_knobs=(("k", 9),))]
    assert len({embedding_key(spec, data) for spec in seen for data in (DATA, DATA[::-1])}) == 8
    assert (
        textbook_key(raw, DATA)
        == textbook_key(raw.with_(strategy="random"), DATA)
        != textbook_key(wide, DATA)
    )
    assert {
        key(raw, DATA).rpartition("-")[0] for key in (embedding_key, scores_key, textbook_key)
    } == {"embedding", "scores", "textbook"}


def test_a_change_of_code_changes_the_keys(monkeypatch):
    before = [key(Spec(), DATA) for key in (embedding_key, scores_key, textbook_key)]
    monkeypatch.setattr("core.spec.code_version", lambda module: "another version")
    assert not set(before) & {
        key(Spec(), DATA) for key in (embedding_key, scores_key, textbook_key)
    }


MADE = {"validation": "fi_util", "member_probs": "bald", "record": "forgetting"}


def test_scores_are_as_new_as_what_makes_their_inputs(monkeypatch):
    code = code_version
    before = {
        name: scores_key(Spec().with_(strategy=name), DATA)
        for name in (*MADE.values(), "knn_shapley", "entropy", "leverage")
    }
    monkeypatch.setattr(
        "core.spec.code_version",
        lambda module: "changed" if module == "core.strategy_inputs" else code(module),
    )
    changed = {
        name for name, key in before.items() if scores_key(Spec().with_(strategy=name), DATA) != key
    }
    assert changed == {*MADE.values(), "knn_shapley"}


@pytest.mark.parametrize(
    "module",
    [
        "core.data.splits",
        "core.models.ensembles",
        "core.models.training_record",
        "core.softmax_head",
        "core.models.training",
    ],
)
def test_what_makes_inputs_is_read_through_to_its_modules(module):
    from core.runtime import code_version as versions

    assert module in versions.reached("core.strategy_inputs")


def test_heads_of_sittings_and_records_have_keys_of_their_own():
    keys = [
        head_key(Spec(), DATA),
        head_key(Spec(), DATA, 0),
        head_key(Spec(), DATA, 1),
        record_key(Spec(), DATA),
    ]
    assert len(set(keys)) == 4 and record_key(Spec().with_(strategy="forgetting"), DATA) == keys[3]
    assert record_key(Spec(embedding="pca"), DATA) != keys[3] != record_key(Spec(), DATA[::-1])


def test_names_are_looked_up_once(monkeypatch):
    first = resolve(Spec())
    monkeypatch.setattr("core.spec._look_up", lambda *_: pytest.fail("looked up again"))
    again = resolve(Spec(n=100, seed=2))
    assert (again.about, again.embedder, again.strategy) == (
        first.about,
        first.embedder,
        first.strategy,
    )
    assert again.rows == 100 and first.rows == 70_000 and resolve(again) is again


def test_a_strategy_that_is_registered_anew_is_looked_up_anew(monkeypatch):
    old = resolve(Spec()).strategy
    changed = dataclasses.replace(old, label="Another label")
    monkeypatch.setattr(strategy, "_registry", strategy.registered() | {"leverage": changed})
    assert resolve(Spec()).strategy is changed and "Another label" in Spec().title()
    monkeypatch.undo()
    assert resolve(Spec()).strategy is old


def test_knobs_go_with_their_embedding_and_strategy():
    spec = Spec().with_(
        embedding="projection",
        embedding_knobs=(("k", 10),),
        strategy_knobs=(("ridge", 1.0),),
        seed=3,
    )
    assert spec.with_(strategy="random").strategy_knobs == () and spec.with_(
        strategy="random"
    ).embedding_knobs == (("k", 10),)
    assert (
        spec.with_(embedding="random_relu").embedding_knobs == ()
        and spec.with_(embedding="random_relu").seed == 3
    )
    assert spec.with_(embedding="projection") == spec == spec.with_()


def test_the_title_says_what_is_not_at_its_default():
    knobs = {"embedding_knobs": (("k", 20),), "strategy_knobs": (("ridge", 0.1),)}
    spec = Spec().with_(dataset="digits", n=500, embedding="projection", seed=3, **knobs)
    assert (
        spec.title() == "Digits 8 x 8, Random projection, Leverage (n 500, k 20, ridge 0.1, seed 3)"
    )


BAD = [
    ({"dataset": "mnits"}, "Dataset: found 'mnits', expected one of mnist"),
    ({"embedding": "umap"}, "Embedding: found 'umap', expected one of raw"),
    ({"strategy": "luck"}, "Strategy: found 'luck', expected one of leverage"),
    ({"n": "many"}, "n: found 'many', expected a whole number from 1 to 1797"),
    ({"n": "nan"}, "n: found 'nan', expected a whole number"),
    ({"n": "1798"}, "n: found 1798, expected a number from 1 to 1797"),
    ({"n": "0"}, "n: found 0, expected a number from 1 to 1797"),
    ({"n": "9" * 40}, "expected a number from 1 to 1797"),
    ({"seed": "-1"}, "seed: found -1, expected a number from 0"),
    ({"seed": "x"}, "seed: found 'x', expected a whole number"),
    ({"draw": "inf", "strategy": "random"}, "draw: found 'inf', expected a whole number"),
    ({"subset": "1.5", "n": "500"}, "subset: found '1.5', expected a whole number"),
    ({"e.k": "0"}, "k: found 0, expected a number from 1 to 16384"),
    ({"e.width": "3"}, "Random projection has no setting width; it has k"),
    (
        {"s.ridge": "nan", "strategy": "leverage"},
        "ridge: found nan, expected a number from 0 to 1e+12",
    ),
    ({"s.rank": "-3", "strategy": "leverage"}, "rank: found -3, expected a number from 1 to 16384"),
    ({"s.power": "2", "strategy": "leverage"}, "Leverage has no setting power; it has ridge, rank"),
]
REST = {
    "dataset": "digits",
    "embedding": "projection",
    "e.k": "20",
    "seed": "7",
    "strategy": "random",
    "draw": "4",
}


@pytest.mark.parametrize(("bad", "message"), BAD)
def test_a_bad_part_of_a_link_gives_one_message_and_the_rest_is_kept(bad, message):
    rest = {
        name: value
        for name, value in REST.items()
        if name not in bad and not (name == "draw" and bad.get("strategy") == "leverage")
    }
    spec, problems = from_query(rest | bad)
    assert len(problems) == (2 if "embedding" in bad else 1), (
        problems
    )  # another embedding has no setting k
    assert message in problems[0]
    good = {
        name: value
        for name, value in (rest | bad).items()
        if name not in bad or (name in ("strategy", "n") and len(bad) > 1)
    }
    if "embedding" in bad:
        good = {name: value for name, value in good.items() if name != "e.k"}
    assert spec == from_query(good)[0] and from_query(good)[1] == []
    with pytest.raises(UserError):
        Spec().with_(**{"dataset": "digits"} | as_fields(bad))


def as_fields(query: dict) -> dict:
    """The same as with_() takes it."""
    prefixes = {"e.": ("projection", "embedding"), "s.": ("leverage", "strategy")}
    fields = {}
    for name, value in query.items():
        owner, field = prefixes.get(name[:2], (None, name))
        fields |= (
            {field: owner, f"{field}_knobs": ((name[2:], value),)} if owner else {field: value}
        )
    if "seed" in fields:
        fields["embedding"] = "projection"
    return fields


def test_several_bad_parts_give_a_message_each():
    spec, problems = from_query(
        {"dataset": "x", "n": "y", "seed": "3", "strategy": "z", "s.ridge": "1"}
    )
    assert len(problems) == 3 and spec == Spec().with_(strategy_knobs=(("ridge", 1.0),))


def test_a_size_above_another_dataset_is_refused_where_it_is_asked_for():
    assert Spec().with_(n=50_000).with_(dataset="fashion_mnist").n == 50_000
    with pytest.raises(UserError, match="n: found 50000, expected a number from 1 to 1797"):
        Spec().with_(n=50_000).with_(dataset="digits")


def knob_values(knobs):
    """Mappings from some of the knobs to values in their ranges."""

    def values(knob):
        low, high = (
            knob.low if knob.low is not None else -1e6,
            knob.high if knob.high is not None else 1e6,
        )
        numbers = draw.integers(int(low), int(high)) if knob.kind is int else draw.floats(low, high)
        plain = {bool: draw.booleans(), str: draw.sampled_from(knob.choices or ("",))}.get(
            knob.kind, numbers
        )
        return plain | draw.none() if knob.optional else plain

    return draw.fixed_dictionaries(
        {}, optional={name: values(knob) for name, knob in knobs.items()}
    )


@draw.composite
def specs(choose):
    labeled = [name for name in datasets.names() if datasets.info(name).labeled]
    dataset, seeds = choose(draw.sampled_from(labeled)), draw.integers(0, 2**31 - 1)
    images = datasets.info(dataset).is_images
    fitting = [
        name for name, entry in embeddings.embedders().items() if images or not entry.images_only
    ]
    embedder = embeddings.find(choose(draw.sampled_from(fitting)))
    chosen = menu.find(choose(draw.sampled_from(list(menu.strategies()))))
    return Spec().with_(
        dataset=dataset,
        n=choose(draw.none() | draw.integers(1, datasets.info(dataset).n)),
        subset=choose(seeds),
        embedding=embedder.name,
        seed=choose(seeds),
        embedding_knobs=tuple(choose(knob_values(embedder.knobs)).items()),
        strategy=chosen.name,
        strategy_knobs=tuple(choose(knob_values(chosen.knobs)).items()),
        draw=choose(seeds),
    )


@settings(max_examples=200)
@given(specs())
def test_the_link_brings_every_spec_back(spec):
    query = spec.to_query()
    assert all(isinstance(value, str) for value in query.values())
    assert from_query(query) == (spec, []) and from_query(dict(reversed(query.items()))) == (
        spec,
        [],
    )
    assert scores_key(from_query(query)[0], DATA) == scores_key(spec, DATA)


@settings(max_examples=200)
@given(
    draw.dictionaries(
        draw.sampled_from(
            [*"dataset n subset embedding seed strategy draw e.k s.ridge s.rank x".split()]
        ),
        draw.text(max_size=12),
    )
)
def test_no_link_whatever_it_says_raises_anything(query):
    spec, problems = from_query(query)
    assert from_query(spec.to_query()) == (spec, []) and all(problems)


# ---- what a dataset opens on ----


OWN = "own_0123456789abcdef"


def about(n, *shape):
    return Info(OWN, "X", n, n, shape, (), "", "")


@pytest.mark.parametrize(
    ("n", "shape", "k"),
    [
        (120, (64, 64), 10),
        (300, (64, 64, 3), 20),
        (784, (28, 28), 50),
        (60, (28, 28), 6),
        (3, (5,), 2),
        (40, (40,), 4),
    ],
)
def test_few_points_open_on_few_components(n, shape, k, monkeypatch):
    monkeypatch.setattr(datasets, "info", lambda name: about(n, *shape))
    look = first_look(about(n, *shape))
    assert look.spec.embedding == "pca" and look.spec.strategy == "leverage"
    assert dict(look.spec.embedding_knobs).get("k", 50) == k < n
    assert f"This opens on {k} principal components." in look.why


@pytest.mark.parametrize(
    ("n", "shape"), [(785, (28, 28)), (41, (40,)), (1, (9,)), (70000, (28, 28))]
)
def test_other_data_open_on_their_raw_points(n, shape, monkeypatch):
    monkeypatch.setattr(datasets, "info", lambda name: about(n, *shape))
    look = first_look(about(n, *shape))
    assert look == (Spec(dataset=OWN), "")


def test_the_first_look_says_what_it_counted(monkeypatch):
    monkeypatch.setattr(datasets, "info", lambda name: about(40, 60))
    assert first_look(about(40, 60)).why == (
        "There are no more rows (40) than features (60), so under raw features every leverage is"
        " 1. This opens on 4 principal components."
    )


def test_a_few_points_of_many_have_their_first_look_too():
    spec = first_look(datasets.info("digits"), n=50, subset=3).spec
    assert (spec.n, spec.subset, spec.embedding, spec.embedding_knobs) == (
        50,
        3,
        "pca",
        (("k", 5),),
    )


def test_what_a_few_points_open_on_ranks_them():
    """120 points of 784 pixels: raw leverages are all 1, and those that it opens on are not."""
    raw = Spec().with_(dataset="mnist", n=120)
    look = first_look(datasets.info("mnist"), n=120)
    found = [leverage(pipeline.embedding(spec).embedding) for spec in (raw, look.spec)]
    assert (found[0] == 1).all()
    assert found[1].sum() == pytest.approx(10) and found[1].max() < 0.9 and np.ptp(found[1]) > 0.05

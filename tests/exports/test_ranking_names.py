"""Is every ranking called by a word of its own, the same in every file, and does the command line
understand the words it is told?
"""

import re

import pytest

from core import embeddings
from core.exports.ranking_names import column_names, parse_ranking
from core.plugins import menu
from core.spec import Spec
from core.types import UserError

POINTS = Spec().with_(dataset="digits", n=500, subset=3)


def ranking(**changes) -> Spec:
    return POINTS.with_(**changes)


def test_by_hand():
    deep = Spec().with_(embedding="cnn_classification", seed=2, strategy_knobs=(("ridge", 0.1),))
    assert column_names([Spec(), deep]) == [
        "raw_leverage",
        "cnn_classification_seed2_leverage_ridge0.1",
    ]
    drawn = ranking(embedding="pca", embedding_knobs=(("k", 20),), strategy="random", draw=4)
    assert column_names([drawn]) == ["pca_k20_random_draw4"]
    assert column_names([ranking(strategy_knobs=(("ridge", 10.0), ("rank", 15)))]) == [
        "raw_leverage_ridge10_rank15"
    ]


def every_ranking() -> list[Spec]:
    """Each scorer under each embedding, with every step of every knob, other seeds and draws."""
    found = []
    for name, seen in embeddings.embedders().items():
        settings = [
            (),
            *(((knob.name, value),) for knob in seen.knobs.values() for value in knob.choices),
        ]
        found += [
            Spec().with_(embedding=name, seed=seed, embedding_knobs=given)
            for given in settings
            for seed in (1, 2, 12)
        ]
        for chosen in menu.rankers():
            ranked = menu.find(chosen).knobs
            steps = [
                ((knob.name, value),)
                for knob in ranked.values()
                for value in (*knob.choices, knob.default)
            ]
            found += [
                Spec().with_(embedding=name, strategy=chosen, strategy_knobs=given, draw=draw)
                for given in ((), *steps)
                for draw in (0, 3)
            ]
    return list(dict.fromkeys(found))


def test_no_two_rankings_share_a_name():
    specs = every_ranking()
    names = column_names(specs)
    assert len(specs) > 500 and len(set(names)) == len(specs)
    assert all(re.fullmatch(r"[\w.+-]+", name) for name in names)


def test_a_name_does_not_depend_on_its_neighbours():
    specs = every_ranking()
    assert column_names(specs) == [column_names([spec])[0] for spec in specs]


def test_two_that_would_share_a_name_are_told_apart(monkeypatch):
    """An embedding "raw_x" under strategy "y" reads like "raw" under "x_y": both carry a digest of
    their link, whatever their order.
    """
    one, other = Spec(embedding="raw", strategy="x_y"), Spec(embedding="raw_x", strategy="y")
    names = column_names([one, Spec(), other])
    assert names[1] == "raw_leverage" and names[0] != names[2]
    assert all(re.fullmatch(r"raw_x_y_[0-9a-f]{8}", name) for name in (names[0], names[2]))
    assert column_names([other, one]) == [names[2], names[0]]


WORDS = {
    "raw": {},
    "leverage": {},
    "raw:leverage": {},
    "random": {"strategy": "random"},
    "random:4": {"strategy": "random", "draw": 4},
    "cnn_classification:2": {"embedding": "cnn_classification", "seed": 2},
    "projection:3:entropy": {"embedding": "projection", "seed": 3, "strategy": "entropy"},
    "pca:k=20:leverage:ridge=0.1": {
        "embedding": "pca",
        "embedding_knobs": (("k", 20),),
        "strategy_knobs": (("ridge", 0.1),),
    },
    "projection:2:k=50:random:5": {
        "embedding": "projection",
        "seed": 2,
        "embedding_knobs": (("k", 50),),
        "strategy": "random",
        "draw": 5,
    },
}


@pytest.mark.parametrize("word", WORDS)
def test_a_word_says_which_ranking(word):
    data = Spec().with_(dataset="mnist", n=500, subset=3, strategy="entropy", embedding="pca")
    assert parse_ranking(word, data) == Spec().with_(
        dataset="mnist", n=500, subset=3, **WORDS[word]
    )


BAD = {
    "": "Ranking '': found '', expected embedding:seed:strategy:draw",
    "luck": (
        "found 'luck', expected embedding:seed:strategy:draw, parts left out at will and settings"
        " behind their owner"
    ),
    "raw:luck": "Ranking 'raw:luck': found 'luck', expected",
    "2:raw": "found '2', expected",
    "raw:leverage:entropy": "found 'entropy', expected",
    "raw:-1:leverage": "found '-1', expected",
    "ridge=0.1": "found 'ridge=0.1', expected",
    "raw:power=2": "Raw pixels has no setting power; it has none",
    "raw:leverage:ridge=nan": "ridge: found nan, expected a number from 0 to 1e+12",
    "projection:99999999999": "seed: found 99999999999, expected a number from 0",
    "raw:badge": (
        "Ranking 'raw:badge': BADGE picks a batch and has no score per point. Choose another"
        " strategy."
    ),
}


@pytest.mark.parametrize("word", BAD)
def test_a_word_that_ranks_nothing_is_told(word):
    with pytest.raises(UserError) as told:
        parse_ranking(word, POINTS)
    assert BAD[word] in str(told.value)


def test_a_strategy_that_lacks_an_input_of_whole_datasets_is_told():
    lacking, reason = next((name, reason) for name, reason in menu.rankers().items() if reason)
    with pytest.raises(
        UserError, match=re.escape(f"{menu.find(lacking).label} {reason}. Choose another")
    ):
        parse_ranking(lacking, POINTS)

"""Do a Spec's results equal a direct computation, come back from the cache, and survive damage to
it?
"""

import dataclasses

import numpy as np
import pytest

from core import (
    agreement,
    datasets,
    embeddings,
    lesson,
    pipeline,
    softmax_head,
    strategy,
    strategy_inputs,
)
from core.commands.bundled import first_screens
from core.linalg import row_blocks
from core.models import shipped_networks, training_record
from core.plugins import menu
from core.runtime import cache, progress
from core.spec import (
    Spec,
    comparison_key,
    embedding_key,
    favourites_key,
    map_key,
    plane_key,
    scores_key,
    textbook_key,
)
from core.strategies import leverage, textbook_qr
from core.strategies.dynamics import forgetting
from core.types import UserError

DIGITS = Spec().with_(dataset="digits")
pytestmark = pytest.mark.usefixtures("own_cache")
PROJECTED = DIGITS.with_(embedding="projection", embedding_knobs=(("k", 20),), seed=3)


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


def place(key):
    return cache.folder() / key.rpartition("-")[0] / key


def forbid(monkeypatch, owner, name):
    monkeypatch.setattr(owner, name, lambda *_, **__: pytest.fail(f"{name} was called again"))


def slow_leverage(x, ridge=0.0):
    x = x.astype(np.float64)
    return np.einsum(
        "ij,jk,ik->i",
        x,
        np.linalg.pinv(x.T @ x + ridge * np.eye(x.shape[1]), rcond=1e-10, hermitian=True),
        x,
    )


def test_scores_equal_the_definition_and_the_facts_are_true(digits):
    entry = pipeline.scores(DIGITS)
    x = digits.points.reshape(1797, 64) / 255
    assert np.allclose(entry.arrays["scores"], slow_leverage(x), atol=1e-8)
    facts = entry.facts
    assert (facts["n"], facts["d"], facts["rank"], facts["dead"]) == (
        1797,
        64,
        np.linalg.matrix_rank(x),
        int((x == 0).all(axis=0).sum()),
    )
    assert facts["sum"] == pytest.approx(facts["rank"], abs=1e-6) and facts["spec"] == {
        "dataset": "digits"
    }
    scaled = x[:, ~(x == 0).all(axis=0)]
    assert facts["condition"] == pytest.approx(
        np.linalg.cond(scaled / np.linalg.norm(scaled, axis=0)), rel=1e-4
    )
    assert (
        facts["device"] in ("CPU", "GPU")
        and facts["seconds"] > 0
        and facts["data"] == digits.fingerprint
        and entry.notes == ()
    )


def test_knobs_seed_and_draw_reach_the_computation(digits):
    embedded = embeddings.embed(digits, "projection", seed=3, k=20)
    ridged = pipeline.scores(PROJECTED.with_(strategy_knobs=(("ridge", 10.0),)))
    assert np.allclose(ridged.arrays["scores"], slow_leverage(embedded.embedding, 10.0), atol=1e-7)
    drawn = pipeline.scores(PROJECTED.with_(strategy="random", draw=6)).arrays["scores"]
    assert np.array_equal(drawn, np.random.default_rng(6).random(1797))


def test_a_subset_is_scored_among_itself():
    entry = pipeline.scores(DIGITS.with_(n=300, subset=2))
    x = datasets.load("digits", n=300, seed=2).points.reshape(300, 64) / 255
    assert (
        np.allclose(entry.arrays["scores"], slow_leverage(x), atol=1e-8) and entry.facts["n"] == 300
    )


def test_the_second_call_comes_from_the_cache(monkeypatch):
    first = pipeline.scores(PROJECTED)
    forbid(monkeypatch, strategy, "score")
    forbid(monkeypatch, embeddings, "embed")
    pipeline._embedding.cache_clear()
    again = pipeline.scores(PROJECTED)
    assert (
        np.array_equal(again.arrays["scores"], first.arrays["scores"])
        and again.facts == first.facts
    )
    assert (
        first.key == again.key == scores_key(PROJECTED, first.facts["data"])
        and cache.get(first.key) is not None
    )


def test_another_strategy_takes_the_embedding_from_the_cache(monkeypatch):
    pipeline.scores(PROJECTED)
    pipeline._embedding.cache_clear()
    forbid(monkeypatch, embeddings, "embed")
    ridged = pipeline.scores(PROJECTED.with_(strategy_knobs=(("ridge", 1.0),)))
    assert ridged.facts["sum"] < 20 and not pipeline.embedding(PROJECTED).embedding.flags.writeable


def test_a_moved_knob_costs_no_second_spectrum(monkeypatch):
    pipeline.scores(DIGITS.with_(strategy_knobs=(("ridge", 1.0),)))
    forbid(monkeypatch, row_blocks, "gram")
    assert pipeline.scores(DIGITS.with_(strategy_knobs=(("ridge", 2.0),))).facts["sum"] < 61


@pytest.mark.parametrize("step", ["scores", "embedding"])
def test_a_damaged_file_is_noticed_recomputed_and_told(step, digits):
    whole = pipeline.scores(PROJECTED)
    key = whole.key if step == "scores" else embedding_key(PROJECTED, digits.fingerprint)
    expected = np.array(whole.arrays["scores"])
    spoil(place(key).with_suffix(".entry") if step == "scores" else place(key) / f"{step}.npy")
    if step == "embedding":
        pipeline._embedding.cache_clear()
        assert np.array_equal(
            pipeline.embedding(PROJECTED).embedding,
            embeddings.embed(digits, "projection", seed=3, k=20).embedding,
        )
        mended = cache.get(key)
    else:
        mended = pipeline.scores(PROJECTED)
        assert np.array_equal(mended.arrays["scores"], expected)
    assert (
        len(mended.notes) == 1
        and "was damaged" in mended.notes[0]
        and "checksum" in mended.notes[0]
    )


def spoil(file):
    """One bit of the last number, written to a new file, so that nothing mapped changes."""
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.unlink()
    file.write_bytes(content)


def test_a_folder_that_cannot_be_written_costs_a_note_and_no_scores(tmp_path, monkeypatch, digits):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LEVERAGE_LAB_CACHE", str(tmp_path / "file" / "cache"))
    entry = pipeline.scores(DIGITS)
    assert entry.facts["sum"] == pytest.approx(61, abs=1e-6)
    assert "could not be stored" in entry.notes[0] and "LEVERAGE_LAB_CACHE" in entry.notes[0]


def test_it_says_how_far_it_is(monkeypatch):
    said = []
    monkeypatch.setattr(progress, "report", lambda fraction, text="": said.append(text))
    pipeline.dataset.cache_clear()
    pipeline.scores(PROJECTED)
    assert said == ["Loading Digits 8 x 8", "Computing random projection", "Scoring 1,797 points"]


@pytest.mark.parametrize("spec", [DIGITS, PROJECTED], ids=["raw", "projection"])
@pytest.mark.parametrize("index", [0, 1000, 1796])
def test_the_dossier_equals_brute_force(spec, index, digits):
    found = pipeline.dossier(spec, index)
    x = embeddings.embed(
        digits, spec.embedding, **({"seed": 3, "k": 20} if spec is PROJECTED else {})
    ).embedding.astype(np.float64)
    distances = np.linalg.norm(x - x[index], axis=1)
    distances[index] = np.inf
    expected = np.sort(distances)[:12]
    assert np.allclose(found["distances"], expected, rtol=1e-5) and np.allclose(
        distances[found["neighbours"]], expected, rtol=1e-5
    )
    assert len(set(found["neighbours"])) == 12 and index not in found["neighbours"]


def test_the_dossier_counts_copies_of_a_point_as_neighbours(monkeypatch, digits):
    twins = np.array(digits.points[:40])
    twins[30] = twins[5]
    copy = type(digits)("twins", twins, digits.labels[:40], digits.class_names, digits.test[:40])
    monkeypatch.setattr(pipeline, "dataset", lambda name, n, seed: copy)
    for index, twin in ((5, 30), (30, 5)):
        found = pipeline.dossier(DIGITS, index)
        assert (
            found["neighbours"][0] == twin
            and found["distances"][0] == 0
            and index not in found["neighbours"]
        )


@pytest.mark.parametrize("index", [0, 1000])
def test_the_dossiers_shares_are_parts_of_the_leverage(index, digits):
    found = pipeline.dossier(DIGITS, index)
    x = embeddings.embed(digits, "raw").embedding
    whitening = leverage.whiten(x)
    parts = leverage.shares(x, index, whitening)
    assert parts.sum() == pytest.approx(slow_leverage(x)[index], rel=1e-6)
    assert (
        np.allclose(found["shares"], np.sort(parts)[::-1][:6] / parts.sum())
        and (np.diff(found["shares"]) <= 0).all()
    )
    assert found["axes"].shape == (6, 64) and np.allclose(np.linalg.norm(found["axes"], axis=1), 1)
    assert np.allclose(found["axes"], whitening.axes[:, np.argsort(-parts, kind="stable")[:6]].T)


@pytest.mark.parametrize("index", [-1, 1797])
def test_a_dossier_outside_the_dataset_is_refused(index):
    with pytest.raises(UserError, match=r"Point: found .*, expected a number from 0 to 1,796"):
        pipeline.dossier(DIGITS, index)


def test_the_exhibit_marks_rows_whose_number_is_a_dead_column(digits):
    entry = pipeline.textbook_scores(DIGITS)
    x = digits.points.reshape(1797, 64) / 255
    dead, scores = np.flatnonzero((x == 0).all(axis=0)), entry.arrays["scores"]
    assert (
        entry.facts["sum"] == pytest.approx(64)
        and entry.facts["rank"] == 61
        and entry.key == textbook_key(DIGITS, digits.fingerprint)
    )
    artefacts = entry.arrays["artefacts"].tolist()
    assert (
        set(artefacts) >= {j for j in dead if scores[j] > 1 - 1e-9}
        and artefacts == np.flatnonzero(scores - slow_leverage(x) > 0.5).tolist()
        and 0 in artefacts
        and slow_leverage(x)[0] < 0.1
    )
    assert np.allclose(scores, (np.linalg.qr(x)[0] ** 2).sum(axis=1))


@pytest.mark.parametrize("n", [20, 64, 80])
def test_the_exhibit_of_fewer_points_than_pixels_still_arrives(n):
    entry = pipeline.textbook_scores(DIGITS.with_(n=n))
    assert len(entry.arrays["scores"]) == n and (entry.arrays["artefacts"] < n).all()


# the head


def test_the_head_of_any_embedding_is_fitted_once_and_gives_probabilities(monkeypatch):
    fitted = pipeline.head(DIGITS)
    data = datasets.load("digits")
    x = embeddings.embed(data, "raw").embedding
    direct = softmax_head.fit(x, data.labels, l2=strategy_inputs.HEAD_L2)
    assert (
        np.abs(fitted.weights - direct.weights).max() < 1e-4
        and fitted.l2 == strategy_inputs.HEAD_L2
    )
    monkeypatch.setattr(softmax_head, "fit", None)  # the second time it comes from the cache
    again = pipeline.head(DIGITS)
    assert np.array_equal(again.weights, fitted.weights) and len(again.fitted_on) == 1797


def test_a_strategy_that_asks_for_probabilities_gets_them(monkeypatch):
    monkeypatch.setattr(strategy, "_registry", dict(menu.strategies()))

    @strategy.scorer("Doubt")
    def doubt(embedding, probs):
        """1 - max p. Higher = picked first."""
        return 1 - probs.max(axis=1)

    scores = pipeline.scores(DIGITS.with_(strategy="doubt")).arrays["scores"]
    x = embeddings.embed(datasets.load("digits"), "raw").embedding
    probs = softmax_head.probabilities(
        x, softmax_head.fit(x, datasets.load("digits").labels, l2=strategy_inputs.HEAD_L2)
    )
    assert np.allclose(scores, 1 - probs.max(axis=1), atol=1e-6)


# inputs that are made


@pytest.fixture
def small(digits):
    return DIGITS.with_(n=300), datasets.load("digits", n=300)


@pytest.mark.parametrize(
    "name", ["forgetting", "bald", "influence_value", "knn_shapley", "entropy"]
)
def test_scores_are_those_of_a_scene_without_a_cache(name, small):
    spec, data = small
    problem = strategy_inputs.LearningProblem(
        embeddings.embed(data, "raw"), data.test, 10, "digits"
    )
    direct = strategy_inputs.scores(menu.find(name), problem, rng=np.random.default_rng(0))
    entry = pipeline.scores(spec.with_(strategy=name))
    assert np.allclose(entry.arrays["scores"], direct, atol=1e-6) and entry.facts[
        "made_of"
    ] == strategy_inputs.explained(menu.find(name), problem)


def test_a_record_is_trained_once(small, monkeypatch):
    spec, _ = small
    first = pipeline.record(spec)
    assert (
        first.arrays["record"].shape == (training_record.PASSES, 300, 10)
        and first.facts["seconds"] > 0
    )
    forbid(monkeypatch, training_record, "train")
    scores = pipeline.scores(spec.with_(strategy="forgetting")).arrays["scores"]
    assert np.array_equal(scores, forgetting(first.arrays["record"], small[1].labels))
    assert pipeline.record(spec.with_(strategy="leverage")).key == first.key


def test_the_heads_of_both_sittings_are_fitted_once_whatever_judges(small, monkeypatch):
    spec, _ = small
    pipeline.scores(spec.with_(strategy="influence_value"))
    forbid(monkeypatch, softmax_head, "fit")
    pipeline.scores(spec.with_(strategy="fi_util"))
    heads = [pipeline.head(spec, fold) for fold in (0, 1)]
    assert [len(head.fitted_on) for head in heads] == [240, 240] and np.abs(
        heads[0].weights - heads[1].weights
    ).max() > 1e-3


def test_a_published_test_part_is_the_first_validation_set_and_the_first_head_is_the_usual_one(
    monkeypatch, digits
):
    tested = dataclasses.replace(digits, test=np.arange(1797) >= 1500)
    monkeypatch.setattr(pipeline, "dataset", lambda name, n, seed: tested)
    usual = pipeline.head(DIGITS)
    forbid(monkeypatch, softmax_head, "fit")
    assert (
        np.array_equal(pipeline.head(DIGITS, 0).weights, usual.weights)
        and len(usual.fitted_on) == 1500
    )
    problem = pipeline.learning_problem(DIGITS)
    assert (
        problem.folds[0].validation.tolist()
        == problem.folds[1].scored.tolist()
        == list(range(1500, 1797))
    )


def test_under_a_networks_own_head_judges_get_a_fitted_one(small, monkeypatch):
    spec = small[0].with_(embedding="cnn_classification")
    monkeypatch.setattr(shipped_networks, "RECIPE", shipped_networks.RECIPE | {"epochs": 1})
    assert (
        pipeline.head(spec).l2 == 0
        and pipeline.head(spec, 0).l2 == pipeline.head(spec, 1).l2 == strategy_inputs.HEAD_L2
    )
    assert np.isfinite(
        pipeline.scores(spec.with_(strategy="influence_value")).arrays["scores"]
    ).all()


@pytest.mark.parametrize(
    "name", ["entropy", "influence_harm", "knn_shapley", "bald", "forgetting", "leverage"]
)
def test_scores_of_some_rows_see_nothing_of_the_others(name, digits, monkeypatch):
    spec, rows = DIGITS.with_(strategy=name), np.arange(0, 1797, 6)
    before = pipeline.scores_of(spec, rows)
    labels = np.array(digits.labels)
    others = np.setdiff1d(np.arange(1797), rows)
    labels[others] = labels[others][::-1]
    monkeypatch.setattr(
        pipeline, "dataset", lambda name, n, seed: dataclasses.replace(digits, labels=labels)
    )
    pipeline._embedding.cache_clear()
    assert np.array_equal(pipeline.scores_of(spec, rows), before)


# what comes with the program


def is_bundled(key):
    step = key.rpartition("-")[0]
    return (cache.BUNDLED / step / cache.bundled_key(key) / "entry.json").exists()


def bundled(key):
    assert is_bundled(key), f"{cache.bundled_key(key)} is not bundled; run python -m core warm"
    return cache.get(key)


@pytest.fixture(scope="module")
def mnist():
    return datasets.load("mnist")


def test_the_bundled_scores_equal_a_fresh_computation(mnist):
    entry = bundled(scores_key(Spec(), mnist.fingerprint))
    fresh = leverage.leverage(embeddings.embed(mnist, "raw").embedding)
    assert np.abs(entry.arrays["scores"] - fresh).max() < 1e-9, (
        "the code has moved on; run python -m core warm"
    )
    tau = agreement.kendall([entry.arrays["scores"], fresh])[0, 1]
    assert tau > 1 - 1e-8, "the ranking has changed beyond its ties"
    facts = entry.facts
    assert (facts["n"], facts["d"], facts["rank"], facts["dead"], facts["spec"]) == (
        70_000,
        784,
        713,
        65,
        {},
    )
    assert facts["data"] == mnist.fingerprint
    assert facts["sum"] == pytest.approx(713, abs=1e-6) and entry.notes == ()


def test_the_bundled_exhibit_marks_what_stands_above_the_bundled_leverage(mnist):
    """The QR itself is computed anew in tests/benchmarks/bundled_in_full.py."""
    entry = bundled(textbook_key(Spec(), mnist.fingerprint))
    found = textbook_qr.artefacts(
        entry.arrays["scores"], bundled(scores_key(Spec(), mnist.fingerprint)).arrays["scores"]
    )
    assert np.array_equal(entry.arrays["artefacts"], found) and len(found) == 71
    assert entry.facts["sum"] == pytest.approx(784) == entry.arrays["scores"].sum()
    top = strategy.top_k(entry.arrays["scores"], 60).indices
    assert np.isin(top, found).sum() == 43


def test_the_bundled_plane_equals_a_fresh_computation(mnist):
    ((_, spec),) = [found for found in lesson.results() if found[0] == "plane_of"]
    entry = bundled(plane_key(spec, mnist.fingerprint))
    x = embeddings.embed(mnist, "pca", k=2).embedding.astype(np.float64)
    points, scores = entry.arrays["points"], leverage.leverage(x)
    assert np.array_equal(points, lesson.spread(x.astype(np.float32), scores)), (
        "the code has moved on; run python -m core warm"
    )
    assert np.allclose(entry.arrays["coordinates"], x[points], atol=1e-4) and np.allclose(
        entry.arrays["scores"], scores[points], atol=1e-9
    )
    assert (
        np.allclose(entry.facts["spreads"], np.sqrt((x**2).mean(axis=0)), rtol=1e-6)
        and entry.facts["n"] == 70_000
    )


def same_favourites(spec, pool, points, others):
    """The same rows or, of a scorer, others of the same scores: rounding, which differs between
    processors, orders equal scores.
    """
    if np.array_equal(points, others) or menu.find(spec.strategy).kind != "scorer":
        return np.array_equal(points, others)
    scores, place = pipeline.scores(spec).arrays["scores"], {r: i for i, r in enumerate(pool.index)}
    mine, theirs = (scores[[place[row] for row in rows]] for rows in (points, others))
    return len(set(points)) == len(points) and np.allclose(mine, theirs, rtol=1e-4, atol=1e-9)


def test_every_bundled_favourite_is_what_the_strategy_picks_today():
    pool, ready = datasets.load("mnist", n=lesson.POOL), 0
    for function, spec in lesson.results():
        if function != "favourites_of" or not is_bundled(favourites_key(spec, pool.fingerprint)):
            continue  # the lesson says of a new strategy that it has not been asked yet
        entry = bundled(favourites_key(spec, pool.fingerprint))
        with cache.without_bundle():
            fresh = pipeline.favourites_of(spec)
        assert entry.facts["missing"] == fresh.facts["missing"], (
            f"{spec.strategy}: run python -m core warm --only favourites_of"
        )
        assert entry.arrays["gains"] == pytest.approx(fresh.arrays["gains"], rel=1e-4, abs=1e-9), (
            f"{spec.strategy}: run python -m core warm --only favourites_of"
        )
        assert same_favourites(spec, pool, entry.arrays["points"], fresh.arrays["points"]), (
            f"{spec.strategy}: run python -m core warm --only favourites_of"
        )
        assert entry.facts["n"] == len(pool) and len(entry.arrays["gains"]) == len(
            entry.arrays["points"]
        )
        ready += entry.facts["missing"] is None
    assert ready >= 15


def test_favourites_are_the_first_picks_as_rows_of_the_full_dataset():
    small = DIGITS.with_(n=300, subset=2)
    data, found = datasets.load("digits", n=300, seed=2), pipeline.favourites_of(small)
    scores = slow_leverage(data.points.reshape(300, 64) / 255)
    place = np.array([int(np.flatnonzero(data.index == row)[0]) for row in found.arrays["points"]])
    assert len(set(place)) == 10 and np.allclose(scores[place], np.sort(scores)[::-1][:10]), (
        "several have leverage 1: any order of those"
    )
    assert (
        np.allclose(found.arrays["gains"], np.sort(scores)[::-1][:10])
        and found.facts["missing"] is None
    )


def test_a_strategy_that_lacks_an_input_has_no_favourites_but_a_reason(monkeypatch):
    monkeypatch.setattr(strategy, "_registry", dict(menu.strategies()))

    @strategy.scorer("Committee")
    def committee(embedding, member_probs):
        """Needs several networks. Higher = picked first."""
        raise AssertionError("asked without its inputs")

    found = pipeline.favourites_of(DIGITS.with_(strategy="committee"))
    assert len(found.arrays["points"]) == len(found.arrays["gains"]) == 0
    assert found.facts["missing"] == "needs probabilities of several networks"


KEYS = {
    "scores": scores_key,
    "textbook_scores": textbook_key,
    "map_of": map_key,
    "agreement_of": comparison_key,
    "plane_of": plane_key,
    "favourites_of": favourites_key,
}


def test_every_first_screen_is_bundled_and_nothing_else(mnist):
    experiments = ("pack", "plane_trimmed", "trim_table")  # see test_presets.py
    kept = {
        folder.name for folder in cache.BUNDLED.glob("*/*") if folder.parent.name not in experiments
    }
    pool = datasets.load("mnist", n=lesson.POOL)
    prints = {None: mnist.fingerprint, lesson.POOL: pool.fingerprint}
    wanted = {
        cache.bundled_key(KEYS[function](spec, prints[spec.n]))
        for function, spec in first_screens()
    }
    assert ("scores", Spec()) in first_screens() and ("textbook_scores", Spec()) in first_screens()
    assert wanted <= kept, "run python -m core warm"
    assert kept <= wanted, "delete assets/results and run python -m core warm"

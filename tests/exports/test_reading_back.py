"""Does a file of scores come back as it left, and is everything that is wrong with one told in a
sentence?
"""

import dataclasses
import io
import json
import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as draw

from core import datasets
from core.exports import column_file, reading_back
from core.exports.reading_back import Exported, other_points, read_back
from core.exports.score_table import METADATA, Column, Projection, encode, manifest, table
from core.spec import Spec
from core.types import Dataset, UserError

POINTS = Spec().with_(dataset="digits", n=40, subset=2)
DATA = datasets.load("digits", n=40, seed=2)
RNG = np.random.default_rng(0)
SPECS = (
    POINTS,
    POINTS.with_(
        embedding="projection",
        seed=7,
        embedding_knobs=(("k", 20),),
        strategy_knobs=(("ridge", 0.1),),
    ),
)
SPECS += (POINTS.with_(strategy="random", draw=3),)
# What text keeps badly: minus zero, the smallest and the largest numbers, a column of whole
# numbers, a third, ties, single precision.
SCORES = np.stack(
    [
        RNG.standard_normal(40),
        RNG.integers(-3, 4, 40).astype(float),
        RNG.random(40).astype(np.float32),
    ]
)
SCORES[0, :6] = [-0.0, 5e-324, 1.7976931348623157e308, 1 / 3, 0.1 + 0.2, -1e-300]
SCORES[1, :2] = [-0.0, 1e17]
COLUMNS = [
    Column(spec, scores, {"rank": 61, "made_of": None})
    for spec, scores in zip(SPECS, SCORES, strict=True)
]
MAP = Projection(
    POINTS.with_(embedding="pca"),
    RNG.standard_normal((40, 2)).astype(np.float32),
    {"trustworthiness": 0.9},
)
FRAME, SAID = table(DATA, COLUMNS, MAP), manifest(DATA, COLUMNS, MAP)
NAMES = {"parquet": "scores.parquet", "csv": "scores.csv"}
FIRST, RANK = "score_raw_leverage", "rank_raw_leverage"


def written(kind: str = "parquet", frame: pd.DataFrame = FRAME, said: str | None = SAID) -> bytes:
    return encode(frame, kind, said)


def read(kind: str = "parquet", frame: pd.DataFrame = FRAME, said: str = SAID, **more) -> Exported:
    """The file of this table and this manifest, read back."""
    beside = said.encode() if kind == "csv" else None
    return read_back(written(kind, frame, said), NAMES[kind], beside, **more)


def changed(path: str, value) -> str:
    """The manifest with one part changed ("rankings.0.score"), or without it if None."""
    said = json.loads(SAID)
    *way, last = [int(step) if step.isdecimal() else step for step in path.split(".")]
    place = said
    for step in way:
        place = place[step]
    if value is None and isinstance(place, dict):
        place.pop(last, None)
    else:
        place[last] = value
    return json.dumps(said)


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


# ---- the round trip ----


@pytest.mark.parametrize("kind", NAMES)
def test_scores_specs_and_map_come_back_bit_by_bit(kind):
    found = read(kind)
    assert found.faults == () and tuple(column.spec for column in found.columns) == SPECS
    assert all(
        same_bits(column.scores, scores)
        for column, scores in zip(found.columns, SCORES, strict=True)
    )
    assert found.columns[0].facts == {"rank": 61, "made_of": None}
    assert found.projection.spec == MAP.spec and same_bits(
        found.projection.coordinates.astype(np.float32), MAP.coordinates
    )
    assert (found.points, found.fingerprint) == (POINTS, DATA.fingerprint)
    assert other_points(found, DATA) is None and np.array_equal(found.index, DATA.index)
    pd.testing.assert_frame_equal(
        found.frame, FRAME.astype({"projection_x": float, "projection_y": float}), check_exact=True
    )


@settings(max_examples=60)
@given(
    draw.lists(draw.floats(allow_nan=False, allow_infinity=False), min_size=40, max_size=40),
    draw.sampled_from(sorted(NAMES)),
)
def test_any_finite_scores_come_back_bit_by_bit(values, kind):
    column = Column(POINTS, np.array(values))
    found = read(kind, table(DATA, [column]), manifest(DATA, [column]))
    assert (
        same_bits(found.columns[0].scores, column.scores)
        and found.faults == ()
        and found.projection is None
    )


# Before Python 3.13 a carriage return alone does not put a text of a CSV file into quotes.
ID = draw.text(draw.characters(codec="utf-8", exclude_characters="\r"), max_size=8)


@settings(max_examples=60)
@given(draw.lists(ID, min_size=40, max_size=40), draw.sampled_from(sorted(NAMES)))
def test_any_ids_come_back(texts, kind):
    named = dataclasses.replace(DATA, ids=np.array(texts, dtype=object))
    found = read(kind, table(named, COLUMNS))
    assert found.frame["id"].tolist() == named.ids.tolist()


@pytest.mark.parametrize("kind", NAMES)
def test_rows_and_columns_in_another_order_and_columns_of_others_do_not_matter(kind):
    shuffled = FRAME.assign(note="mine", extra=1.5).iloc[
        RNG.permutation(40), RNG.permutation(FRAME.shape[1] + 2)
    ]
    found = read(kind, shuffled)
    assert (
        found.faults == ()
        and list(found.frame) == list(FRAME)
        and np.array_equal(found.index, DATA.index)
    )
    assert all(
        same_bits(column.scores, scores)
        for column, scores in zip(found.columns, SCORES, strict=True)
    )


def test_another_program_may_write_the_file_anew():
    """pandas drops the manifest from a Parquet file: then the manifest file is handed in beside it.

    Capitals do not matter.
    """
    buffer = io.BytesIO()
    FRAME.to_parquet(buffer)
    with pytest.raises(
        UserError,
        match=r"Scores.PARQUET: found no manifest in it, expected one: .* Hand in the manifest",
    ):
        read_back(buffer.getvalue(), "Scores.PARQUET")
    found = read_back(buffer.getvalue(), "Scores.PARQUET", SAID.encode())
    assert found.faults == () and same_bits(found.columns[0].scores, SCORES[0])


def test_a_byte_order_mark_and_windows_lines_do_not_matter():
    content = b"\xef\xbb\xbf" + written("csv").replace(b"\n", b"\r\n")
    assert same_bits(read_back(content, "scores.csv", SAID.encode()).columns[1].scores, SCORES[1])


def test_a_csv_file_without_its_manifest_is_told():
    with pytest.raises(
        UserError,
        match=(
            r"scores.csv: found no manifest in it, .* Hand in the manifest that was written with"
            r" the file."
        ),
    ):
        read_back(written("csv"), "scores.csv")


def test_only_score_columns_are_needed_beside_the_index():
    found = read("csv", FRAME.drop(columns=["id", "split", "label"]))
    assert found.faults == () and list(found.frame)[:2] == ["index", FIRST]


def test_reading_leaves_no_trace_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LEVERAGE_LAB_CACHE", str(tmp_path))
    read()
    assert list(tmp_path.iterdir()) == []


# ---- which points ----


def test_other_points_are_told():
    found = read()
    assert "its points are not the ones here" in other_points(
        found, datasets.load("digits", n=40, seed=3)
    )
    moved = Dataset(
        "digits", DATA.points, DATA.labels, DATA.class_names, DATA.test, DATA.index[::-1]
    )
    assert "they have changed since" in other_points(found, moved)
    same = dataclasses.replace(found, frame=found.frame.assign(index=found.index + 1))
    assert "its index names other rows than these 40 points" in other_points(same, DATA)


def test_points_at_hand_are_known_by_their_fingerprint_whatever_their_name():
    foreign = changed("data.name", "own_0123456789abcdef")
    with pytest.raises(
        UserError, match=r"its points, 'Digits 8 x 8', are not here. Open the same points first"
    ):
        read(said=foreign)
    found = read(said=foreign, at_hand=(POINTS.with_(embedding="pca"), DATA.fingerprint))
    assert found.points == POINTS and tuple(column.spec for column in found.columns) == SPECS
    with pytest.raises(UserError, match="are not here"):
        read(said=foreign, at_hand=(POINTS, "0" * 16))


# ---- what is odd is told, and the rest is used ----


def test_edited_scores_are_noticed_by_their_ranks():
    edited = FRAME.copy()
    edited.loc[5, FIRST] = 1.7e308
    found = read("csv", edited)
    (fault,) = found.faults
    assert (
        fault.startswith(f"{FIRST}: ")
        and "ranks do not follow from the scores: the file was edited" in fault
    )
    assert found.columns[0].scores[5] == 1.7e308, "the file's scores are shown as the file's"


def test_ranks_of_equal_scores_may_stand_in_any_order():
    """As older files have them; a rank that is there twice is odd."""
    older = FRAME.copy()
    older[RANK] = np.argsort(np.argsort(-FRAME[FIRST], kind="stable")) + 1
    assert (older[RANK] != FRAME[RANK]).any() and read("csv", older).faults == ()
    older.loc[3, RANK] = older.loc[4, RANK]
    (fault,) = read("csv", older).faults
    assert "1 ranks do not follow" in fault


def test_rounded_scores_are_noticed_by_their_checksum():
    rounded = FRAME.assign(**{FIRST: [*FRAME[FIRST][:-1], np.nextafter(FRAME[FIRST].iloc[-1], 2)]})
    (fault,) = read("csv", rounded).faults
    assert (
        fault
        == f"{FIRST}: these are not exactly the scores that were written: the file was edited, or"
        " another program rounded them."
    )


def test_a_ranking_of_another_version_is_left_out():
    spec = json.loads(SAID)["rankings"][0]["spec"]
    for other, why in (
        ({"strategy": "luck"}, "Strategy: found 'luck'"),
        ({"embedding": "umap"}, "Embedding: found 'umap'"),
    ):
        found = read(said=changed("rankings.0.spec", spec | other))
        (fault,) = found.faults
        assert fault.startswith(f"'{FIRST}': {why}") and fault.endswith("It is left out.")
        assert tuple(column.spec for column in found.columns) == SPECS[1:]
    assert (
        "BADGE picks batches and gives no scores"
        in read(said=changed("rankings.0.spec", spec | {"strategy": "badge"})).faults[0]
    )
    assert (
        "found no link"
        in read(said=changed("rankings.0.spec", {"strategy": ["leverage"]})).faults[0]
    )
    assert "found no link" in read(said=changed("rankings.0.spec", None)).faults[0]
    assert "listed twice" in read(said=changed("rankings.1.spec", spec)).faults[0]


def test_without_any_known_ranking_the_file_is_refused():
    said = json.loads(SAID)
    for entry in said["rankings"]:
        entry["spec"]["strategy"] = "luck"
    with pytest.raises(
        UserError,
        match=r"found no ranking that is known here. 'score_raw_leverage': Strategy: found 'luck'",
    ):
        read(said=json.dumps(said))


def test_a_map_that_cannot_be_used_is_left_out():
    assert read(frame=FRAME.drop(columns="projection_x")).faults == (
        "The map of the file is left out: its columns are not there.",
    )
    assert read(said=changed("projection.y", ["projection_y"])).projection is None
    assert (
        "Embedding: found 'umap'"
        in read(said=changed("projection.spec", {"embedding": "umap"})).faults[0]
    )
    found = read(said=changed("projection", None))
    assert found.projection is None and found.faults == ()


# ---- what is wrong is told, and nothing is shown ----


FLAWS = {
    "a column is missing": (
        FRAME.drop(columns=[RANK]),
        f"found no column '{RANK}', expected each column of its manifest once",
    ),
    "columns are missing": (FRAME[["index"]], f"found no column '{RANK}' (and 5 more like it)"),
    "the index is missing": (FRAME.drop(columns=["index"]), "found no column 'index'"),
    "rows are missing": (FRAME.iloc[1:], "found 39 rows, but 40 were written"),
    "no rows": (FRAME.iloc[:0], "found 0 rows, "),
    "a row is there twice": (
        FRAME.iloc[[0, *range(39)]],
        "column 'index': expected different row numbers from 0 to 1,796",
    ),
    "an index is too high": (
        FRAME.assign(index=FRAME["index"] + 1000),
        "column 'index': expected different row numbers",
    ),
    "an index is negative": (
        FRAME.assign(index=FRAME["index"] - 1000),
        "column 'index': expected different row numbers",
    ),
    "a score is missing": (
        FRAME.assign(**{FIRST: FRAME[FIRST].where(FRAME.index > 2)}),
        f"'{FIRST}': 3 of 40 values are missing or not",
    ),
    "a score is infinite": (
        FRAME.assign(**{FIRST: [math.inf, *FRAME[FIRST][1:]]}),
        f"'{FIRST}': 1 of 40 values are missing or not finite",
    ),
    "a place is not finite": (
        FRAME.assign(projection_x=np.nan),
        "'projection_x': 40 of 40 values are missing or not finite",
    ),
}


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flaw_of_the_table_is_told(flaw, kind):
    frame, message = FLAWS[flaw]
    with pytest.raises(UserError) as told:
        read(kind, frame)
    assert message in str(told.value) and str(told.value).startswith(f"{NAMES[kind]}: ")


def test_words_among_the_scores_are_told():
    words = FRAME.assign(**{FIRST: ["high", *map(str, FRAME[FIRST][1:])]})
    with pytest.raises(
        UserError,
        match=rf"scores.parquet: column '{FIRST}': found values of type \w+, expected numbers",
    ):
        read("parquet", words)
    with pytest.raises(
        UserError,
        match=rf"scores.csv: could not be read \(column '{FIRST}': .*invalid value 'high'\)",
    ):
        read("csv", words)
    with pytest.raises(UserError, match="column 'id': found values of type int64, expected texts"):
        read("parquet", FRAME.assign(id=1))
    with pytest.raises(
        UserError, match=r"found values of type list<\w+: double>, expected numbers"
    ):
        read("parquet", FRAME.assign(**{FIRST: [[1.0]] * 40}))


def test_ranks_that_are_no_whole_numbers_are_told():
    with pytest.raises(
        UserError,
        match=(
            r"scores.csv: could not be read \(column 'rank_raw_leverage': .*invalid value '0.5'\)"
        ),
    ):
        read("csv", FRAME.assign(**{RANK: 0.5}))
    with pytest.raises(
        UserError, match=r"scores.parquet: could not be read \(Float value 0.5\d* was truncated"
    ):
        read("parquet", FRAME.assign(**{RANK: 0.5}))


def test_a_column_that_is_there_twice_is_told():
    content = written("csv").replace(b",split,", b",index,", 1)
    with pytest.raises(UserError, match="found more than one column 'index'"):
        read_back(content, "scores.csv", SAID.encode())


MANIFESTS = {
    "not JSON": (b"\xff\xfe{", "found a manifest that is not JSON"),
    "nested without end": (b"[" * 100_000, "found a manifest that is not JSON"),
    "a list": (b"[]", "found a manifest that does not describe scores"),
    "of a run": (
        b'{"title": "MNIST", "plan": {}}',
        "found a manifest that does not describe scores",
    ),
    "too long": (
        b" " * 5_000_001,
        "found a manifest of 5,000,001 bytes, expected at most 5,000,000",
    ),
    "another version's": (
        changed("leverage_lab", 2).encode(),
        "found format 2, expected 1: another version of the app wrote it",
    ),
    "without data": (
        changed("data", None).encode(),
        "its manifest says None for 'data', expected an object",
    ),
    "without a name": (
        changed("data.name", None).encode(),
        "its manifest says None for 'name', expected a text",
    ),
    "of a strange size": (
        changed("data.points", True).encode(),
        "its manifest says True for 'points', expected a whole number",
    ),
    "of a strange subset": (
        changed("data.n", [40]).encode(),
        "n: found [40], expected a whole number",
    ),
    "of too large a subset": (
        changed("data.n", 10**6).encode(),
        "n: found 1000000, expected a number from 1 to 1797",
    ),
    "without a fingerprint": (
        changed("data.fingerprint", 3).encode(),
        "its manifest says 3 for 'fingerprint', expected a text",
    ),
    "without rankings": (
        changed("rankings", {}).encode(),
        "its manifest says {} for 'rankings', expected a list",
    ),
    "with too many rankings": (
        changed("rankings", [1] * 501).encode(),
        "lists 501 rankings, expected at most 500",
    ),
    "with a number for a ranking": (
        changed("rankings.0", 3).encode(),
        "its manifest says None for 'score', expected a text",
    ),
    "with one column for two": (
        changed("rankings.0.rank", FIRST).encode(),
        "its manifest names the same column for two things",
    ),
}


@pytest.mark.parametrize("flaw", MANIFESTS)
def test_a_flaw_of_the_manifest_is_told(flaw):
    content, message = MANIFESTS[flaw]
    with pytest.raises(UserError) as told:
        read_back(written("csv"), "scores.csv", content)
    assert message in str(told.value)


FILES = {
    "another ending": (b"", "scores.pkl", "File format: found 'pkl', expected csv or parquet."),
    "no ending": (b"", "scores", "File format: found '', expected csv or parquet."),
    "an empty Parquet file": (b"", "scores.parquet", "scores.parquet: found a damaged file"),
    "an empty CSV file": (b"", "scores.csv", "found no column 'index'"),
    "a pickle": (b"\x80\x04K\x01.", "scores.parquet", "scores.parquet: found a damaged file"),
    "half a file": (written()[:2000], "scores.parquet", "scores.parquet: found a damaged file"),
    "other separators": (
        written("csv").replace(b",", b";"),
        "scores.csv",
        "found no column 'index'",
    ),
    "a short line": (
        written("csv") + b"1,2\n",
        "scores.csv",
        "scores.csv: could not be read (CSV parse error: Expected 12 columns, got 2",
    ),
    "a text that is not UTF-8": (
        written("csv").replace(b"train", b"tr\xffin"),
        "scores.csv",
        "scores.csv: could not be read",
    ),
}


@pytest.mark.parametrize("flaw", FILES)
def test_a_file_that_cannot_be_read_is_told(flaw):
    content, name, message = FILES[flaw]
    with pytest.raises(UserError) as told:
        read_back(content, name, SAID.encode())
    assert message in str(told.value) and "\n" not in str(told.value)


# ---- bounds ----


def test_size_and_values_are_bounded_before_they_are_decoded(monkeypatch):
    limits = column_file.LIMITS
    monkeypatch.setattr(column_file, "LIMITS", dataclasses.replace(limits, file_bytes=1000))
    with pytest.raises(
        UserError,
        match=r"found [\d,]+ bytes, expected at most 1,000. Export fewer rankings at once",
    ):
        read()
    monkeypatch.setattr(pq.ParquetFile, "read", None)
    monkeypatch.setattr(column_file, "LIMITS", dataclasses.replace(limits, unpacked_bytes=3000))
    with pytest.raises(
        UserError, match=r"scores.parquet: found more than 3,000 bytes when unpacked"
    ):
        read()
    monkeypatch.setattr(column_file, "LIMITS", dataclasses.replace(limits, values=400))
    for kind in NAMES:
        with pytest.raises(
            UserError, match=r"found 4\d rows of 12 columns, expected at most 400 values"
        ):
            read(kind)


def repacked(**how) -> bytes:
    buffer, content = io.BytesIO(), pq.read_table(io.BytesIO(written()))
    pq.write_table(content, buffer, **how)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "how",
    [
        {"compression": "zstd"},
        {"compression": "none"},
        {"row_group_size": 7},
        {"data_page_version": "2.0"},
    ],
)
def test_another_way_of_packing_does_not_matter(how):
    found = read_back(repacked(**how), "scores.parquet")
    assert found.faults == () and all(
        same_bits(column.scores, scores)
        for column, scores in zip(found.columns, SCORES, strict=True)
    )


def test_a_text_that_repeats_is_kept_once():
    """A dictionary of one long text and a million rows that point at it is small in the file, and
    must stay small.
    """
    column = pa.chunked_array(
        [pa.DictionaryArray.from_arrays(pa.array([0] * 1000), pa.array(["x" * 10_000]))]
    )
    texts = column_file._texts(column)
    assert len({id(text) for text in texts}) == 1


def test_a_damaged_page_is_noticed():
    """Every page has a checksum: a flipped bit is not taken for another score."""
    content = bytearray(written())
    place = content.find(np.float64(SCORES[0, 7]).tobytes())
    assert place > 0
    content[place] ^= 1
    with pytest.raises(UserError, match="found a damaged file that cannot be read"):
        read_back(bytes(content), "scores.parquet")


# ---- fuzz ----


SMALL = {kind: (written(kind), name) for kind, name in NAMES.items()}


@draw.composite
def mutated(pick, content: bytes) -> bytes:
    """The content cut, with bytes changed, doubled, dropped or swapped."""
    made = bytearray(content)
    for _ in range(pick(draw.integers(1, 4))):
        place = pick(draw.integers(0, max(0, len(made) - 1)))
        how = pick(draw.sampled_from(["set", "cut", "drop", "double", "insert"]))
        if how == "set" and made:
            made[place] = pick(draw.integers(0, 255))
        elif how == "cut":
            del made[place:]
        elif how == "drop":
            del made[place : place + pick(draw.integers(1, 64))]
        elif how == "double":
            made[place:place] = made[place : place + pick(draw.integers(1, 256))]
        else:
            made[place:place] = pick(draw.binary(max_size=16))
    return bytes(made)


def read_or_told(content: bytes, name: str, said: bytes | None) -> None:
    try:
        found = read_back(content, name, said)
    except UserError as error:
        assert str(error) and "Traceback" not in str(error)
        str(error).encode()
        return
    assert isinstance(found, Exported) and all(
        np.isfinite(column.scores).all() and len(column.scores) == 40 for column in found.columns
    )
    "".join(found.faults).encode()


@settings(max_examples=400)
@given(draw.data(), draw.sampled_from(sorted(NAMES)))
def test_a_damaged_file_is_read_or_told(data, kind):
    content, name = SMALL[kind]
    read_or_told(data.draw(mutated(content)), name, SAID.encode())


@settings(max_examples=200)
@given(draw.data())
def test_a_damaged_footer_is_read_or_told(data):
    """A Parquet file's last bytes say where everything lies: damage done there goes furthest."""
    content = SMALL["parquet"][0]
    foot = int.from_bytes(content[-8:-4], "little") + 8
    read_or_told(
        content[:-foot] + data.draw(mutated(content[-foot:])), "scores.parquet", SAID.encode()
    )


ODD = draw.recursive(
    draw.none() | draw.booleans() | draw.integers() | draw.floats() | draw.text(max_size=20),
    lambda inner: (
        draw.lists(inner, max_size=3) | draw.dictionaries(draw.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
PLACES = [
    "leverage_lab",
    "data",
    "rankings",
    "projection",
    "rankings.0",
    "rankings.1.spec",
    "rankings.0.score",
    "rankings.2.rank",
]
PLACES += [
    "rankings.0.facts",
    "rankings.0.checksum",
    "projection.x",
    "projection.spec",
    "rankings.0.spec.n",
    "rankings.0.spec.embedding",
]
PLACES += [f"data.{part}" for part in ("name", "n", "subset", "points", "fingerprint", "title")]


@settings(max_examples=400)
@given(draw.sampled_from(PLACES), ODD, draw.sampled_from(sorted(NAMES)))
def test_an_odd_manifest_is_read_or_told(place, value, kind):
    read_or_told(encode(FRAME, kind), NAMES[kind], changed(place, value).encode())


@settings(max_examples=200)
@given(draw.data())
def test_a_damaged_manifest_is_read_or_told(data):
    read_or_told(encode(FRAME, "csv"), "scores.csv", data.draw(mutated(SAID.encode())))


def test_a_manifest_inside_goes_before_one_beside():
    assert read_back(written(), "scores.parquet", b"nonsense").faults == ()
    assert METADATA in pq.read_schema(io.BytesIO(written())).metadata and reading_back.VERSION == 1

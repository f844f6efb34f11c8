"""Points that a strategy has no score for: empty in files, last in ranks, out of comparisons."""

from __future__ import annotations

import numpy as np
import pytest

from core import agreement, datasets, pipeline
from core.data import own
from core.exports import reading_back, score_table
from core.linalg.ties import gaps
from core.spec import Comparison, Spec
from core.types import UserError
from tests.tools.partly_labeled import made

pytestmark = [pytest.mark.usefixtures("own_folder"), pytest.mark.usefixtures("own_cache")]


@pytest.fixture
def spec():
    data = made("table", "partly")
    return Spec().with_(dataset=own.accept(data, "Mine"), strategy="class_leverage")


def column_of(spec):
    entry = pipeline.scores(spec)
    return score_table.Column(
        spec, gaps(entry.arrays["scores"], entry.arrays["unscored"]), entry.facts
    )


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_has_an_empty_cell_and_comes_back_as_it_was(spec, kind):
    data = datasets.load(spec.dataset)
    column = column_of(spec)
    frame = score_table.table(data, [column])
    unlabeled = data.labels < 0
    assert (frame["label"][unlabeled] == "").all()
    score, rank = (next(c for c in frame if c.startswith(what)) for what in ("score_", "rank_"))
    assert np.array_equal(frame[score].isna(), unlabeled)
    assert sorted(frame[rank][unlabeled]) == list(range(23, 31))
    manifest = score_table.manifest(data, [column])
    content = score_table.encode(frame, kind, manifest)
    back = reading_back.read_back(content, f"s.{kind}", manifest.encode())
    assert back.faults == () and back.columns[0].spec == spec
    assert np.array_equal(back.columns[0].scores, column.scores, equal_nan=True)


def test_more_empty_cells_than_were_written_are_refused(spec):
    data = datasets.load(spec.dataset)
    column = column_of(spec)
    frame = score_table.table(data, [column])
    frame.iloc[0, [c.startswith("score_") for c in frame].index(True)] = np.nan
    manifest = score_table.manifest(data, [column])
    with pytest.raises(UserError, match="9 of 30 values are missing or not finite"):
        reading_back.read_back(score_table.encode(frame, "csv"), "s.csv", manifest.encode())


def test_rankings_are_compared_on_the_points_that_each_scores(spec):
    other = spec.with_(strategy="leverage")
    found = pipeline.agreement_of(Comparison((spec, other), 5))
    labeled = datasets.load(spec.dataset).labels >= 0
    rows = np.array([pipeline.scores(one).arrays["scores"][labeled] for one in (spec, other)])
    assert found.arrays["kendall"] == pytest.approx(agreement.kendall(rows))
    assert found.facts["n"] == 22 and found.arrays["scores"].shape == (2, 30)
    assert np.array_equal(found.arrays["unscored"][0], ~labeled)
    assert not found.arrays["unscored"][1].any()

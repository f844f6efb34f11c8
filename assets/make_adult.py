"""Draws the sample of the adult census table that comes with the program.

    python assets/make_adult.py adult.csv.gz          writes assets/adult/adult.csv.gz

adult.csv.gz: the published table with one-hot columns, six numbers first, the two columns of the
label last. 5,000 rows for the training part, then 4,200 for the test part, drawn with seed 0, each
with the table's share of both classes.
"""

import csv
import gzip
import sys
from pathlib import Path

import numpy as np

PARTS = (5_000, 4_200)


def sample(labels: np.ndarray) -> np.ndarray:
    """Rows of both parts, no row twice, each part with the classes' shares."""
    rng = np.random.default_rng(0)
    orders = [rng.permutation(np.flatnonzero(labels == c)) for c in (0, 1)]
    rows = []
    used = [0, 0]
    for size in PARTS:
        above = round(size * labels.mean())
        for c, count in enumerate((size - above, above)):
            rows.append(orders[c][used[c] : used[c] + count])
            used[c] += count
        rows[-2:] = [rng.permutation(np.concatenate(rows[-2:]))]
    return np.concatenate(rows)


def main(source: str) -> None:
    """Read the table, write the sample; the same bytes every time."""
    with gzip.open(source, "rt", newline="") as stream:
        header, *table = csv.reader(stream)
    chosen = sample(np.array([int(float(row[-1])) for row in table]))
    target = Path(__file__).with_name("adult") / "adult.csv.gz"
    text = "\n".join(",".join(line) for line in [header, *(table[i] for i in chosen)]) + "\n"
    target.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main(sys.argv[1])

"""The same data written in 2,000 ways: which of them are read otherwise?

python -m tests.benchmarks.meaning [--count 2000]
"""

from __future__ import annotations

import argparse
from collections import Counter

from tests.tools.meaning import differences, written


def main() -> None:
    """Prints every way that changes what is read, and how many were tried."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--count", type=int, default=2000)
    count = asked.parse_args().count
    wrong = Counter()
    for seed in range(count):
        case = written(seed)
        if found := differences(case):
            wrong[case.kind] += 1
            print(f"{seed}: {case.how}: {found}")
    print(f"{count:,} ways, read otherwise: {sum(wrong.values())} {dict(wrong) or ''}")
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()

"""python -m core check my_scorer.py      does an own strategy keep the contract?"""

from __future__ import annotations

import argparse

from core.plugins import loading


def add(commands) -> None:
    """Put the command into the parser."""
    checking = commands.add_parser("check", help="does an own strategy keep the contract?")
    checking.add_argument("file", help="a Python file with functions under @scorer or @selector")
    checking.set_defaults(run=check)


def check(options: argparse.Namespace) -> int:
    """Every strategy of a file against the contract; 1 if a promise is broken, advice aside."""
    from core.plugins import contract

    broken = 0
    for entry in loading.load_file(options.file):
        print(f"{entry.label} ({entry.name}, a {entry.kind})")
        for found in contract.findings(entry):
            print(f"  {found}", flush=True)
            broken += found.broken
    count = f"{broken} {'promise is' if broken == 1 else 'promises are'}"
    print(f"{count} broken." if broken else "Every promise is kept.")
    return int(broken > 0)

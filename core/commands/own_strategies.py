"""python -m core check my_scorer.py      do an own file's strategies and embeddings keep the
contract?
"""

from __future__ import annotations

import argparse

from core.embeddings import Embedder
from core.plugins import loading


def add(commands) -> None:
    """Put the command into the parser."""
    checking = commands.add_parser(
        "check", help="do own strategies and embeddings keep the contract?"
    )
    checking.add_argument(
        "file", help="a Python file with functions under @scorer, @selector or @embedder"
    )
    checking.set_defaults(run=check)


def check(options: argparse.Namespace) -> int:
    """Everything that a file registers against its contract; 1 if a promise is broken, advice
    aside.
    """
    from core.plugins import contract, embedding_contract

    broken = 0
    for entry in loading.load_file(options.file):
        embeds = isinstance(entry, Embedder)
        kind = "an embedding" if embeds else f"a {entry.kind}"
        print(f"{entry.label} ({entry.name}, {kind})")
        found = embedding_contract.findings(entry) if embeds else contract.findings(entry)
        for finding in found:
            print(f"  {finding}", flush=True)
            broken += finding.broken
    count = f"{broken} {'promise is' if broken == 1 else 'promises are'}"
    print(f"{count} broken." if broken else "Every promise is kept.")
    return int(broken > 0)

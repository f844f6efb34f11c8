"""The same without a screen.

python -m core score | export | leverage    scores into files         core/commands/scores.py
python -m core fetch | bring | join | own   datasets and embeddings   core/commands/data.py
python -m core check                        own strategies   core/commands/own_strategies.py
python -m core retrain                      trainings on selections   core/commands/retrain.py
python -m core sampling | buy               which labels to buy      core/commands/sampling.py
python -m core active                       who beats whom in rounds  core/commands/active.py
python -m core warm | networks | experiments | index
                                            what comes with the app   core/commands/bundled.py
"""

from __future__ import annotations

import argparse
import sys

from core.commands import active, bundled, data, own_strategies, retrain, sampling, scores
from core.plugins import loading
from core.types import UserError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status is 0, or 2 with a message for what the user can mend.

    `check` also knows 1.
    """
    options = _parser().parse_args(arguments)
    for problem in loading.problems():
        print(f"Warning: {problem}", file=sys.stderr)
    try:
        return options.run(options) or 0
    except UserError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m core", description="Leverage Lab without a screen."
    )
    commands = parser.add_subparsers(required=True)
    for subject in (scores, data, own_strategies, retrain, sampling, active, bundled):
        subject.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())

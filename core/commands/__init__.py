"""Commands of `python -m core`, one file per subject; each `add` puts them into the parser."""

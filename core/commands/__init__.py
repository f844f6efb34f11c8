"""Commands of `python -m core`, one file per subject; each file's `add` puts its commands into the
parser.
"""

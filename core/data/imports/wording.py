"""How what was found in a file is put into a sentence, whatever it is called and whatever is wrong
with it.

What is refused is not quoted. At home a path may lead to any file, and one that is no table (a list
of passwords, a key, a diary) must not be read out in an error: its lines are numbered and its cells
and columns counted. What is taken for a table is shown to whoever brings it, and so its remarks
(`Fault`) name columns, classes, and cells that stand out. A file of somebody's own strategies is
another matter: whoever names one has it run, and its errors (core/plugins) quote what Python says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from core.types import UserError

MILLION = 1_000_000
LONGEST_WORD = 200  # characters of a class name or an id


@contextmanager
def damage_reported(what: str, mend: str) -> Iterator[None]:
    """Damaged files fail in more ways than can be listed: each becomes a UserError that says what
    could not be read.
    """
    try:
        yield
    except UserError:
        raise
    except MemoryError as error:
        raise UserError(
            f"{what}: found more than fits into memory, expected a smaller file. Bring fewer rows"
            " or columns."
        ) from error
    except Exception as error:
        raise UserError(f"{what}: found a damaged file that cannot be read. {mend}") from error


def one_line(text: str) -> str:
    """The text on one line, trimmed; what cannot be printed becomes a question mark."""
    line = " ".join(text[: 10 * LONGEST_WORD].split())
    return "".join(letter if letter.isprintable() else "?" for letter in line)


def word(text: str) -> str:
    """A name of a file's own, such as a class or an id: ends trimmed, line breaks are blanks, what
    cannot be printed is a question mark. Blanks inside stay: "a b" and "a  b" are two names.
    """
    text = re.sub("[\u00a0\u2007\u2009\u202f]", " ", text[: 10 * LONGEST_WORD])
    text = re.sub(r"[\t\r\n\f\v]+", " ", text).strip()
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def as_word(value: object) -> str:
    """A label or an id as text: 3.0 is "3"; NaN and nothing are blank."""
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bytes):
        return word(value.decode(errors="replace"))
    return word(str(value))


def as_class(text: str) -> str:
    """A class as it is compared: 001 and 1 are the same."""
    return str(int(text)) if re.fullmatch(r"\d{1,15}", text) else text


def some(names: Iterable[object], most: int = 3) -> str:
    """ "a, b, c and 9 more", each shortened to what fits in a sentence."""
    names = list(names)
    shown = ", ".join(_short(one_line(str(name))) for name in names[:most])
    return shown + (f" and {len(names) - most:,} more" if len(names) > most else "")


def last_faults(faults: Iterable[object], last: int = 2) -> str:
    """The last faults as sentences, for the message that nothing could be used."""
    return " ".join(map(str, [*faults][-last:]))


def size(amount: int) -> str:
    """A number of bytes or pixels in a sentence: 30 million, or 12,345."""
    return f"{amount / MILLION:,.3g} million" if amount >= MILLION else f"{amount:,}"


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[: most - 20]}...{text[-17:]}"

"""How numbers are written as text, and which number a word stands for.

    is_plain(word), may_be_number(word)     as a float writes it; in any way below
    style_of(words) -> style                the one way in which all of them are written
    value_of(word, style) -> float
    marks_of(words)                         percent signs, brackets, for the sentence on them
    unit_of(words) -> (unit, bare)          words that all have one currency sign or one unit

Commas are decimal or part thousands, which a style says; a leading zero ("007") makes a name, not
a number; brackets are a minus, as in accounting: (10) is -10.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

MISSING = frozenset(
    {"", "?", "-", "--", ".", "nan", "none", "null", "nil", "na", "n/a", "#n/a", "missing"}
    | {"#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!"}  # what Excel writes
    | {"n.a.", "n. a.", "k.a.", "k. a.", "unknown"}
)
PLAIN = re.compile(r"[-+]?(?!0\d)(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?inf(inity)?", re.I)
DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+([eE][-+]?\d+)?")
THOUSANDS = re.compile(r"[-+]?(\d{1,3}(,\d{3})+|\d{1,2}(,\d{2})+,\d{3})(\.\d+)?")  # also 1,10,100
POINTED = re.compile(r"[-+]?\d{1,3}(\.\d{3})+(,\d+)?")  # 1.234,5
SPACED = re.compile("[-+]?(?!0\\d)\\d{1,3}([ '\u2019\u00a0\u202f]\\d{3})+([.,]\\d+)?")
WAYS = (PLAIN, DECIMAL_COMMA, THOUSANDS, POINTED, SPACED)
SAID = {
    "thousands": "commas between thousands",
    "comma": "decimal commas",
    "pointed": "points between thousands",
    "mixed": "decimal commas beside decimal points",
    "spaced": "numbers in groups of three digits",
}
CURRENCY = "[€$£¥₹₽₩₺₫฿]|US\\$|Rs\\.?|EUR|USD|GBP|CHF|JPY|INR|PLN|SEK|NOK|DKK|CNY|CZK|AUD|CAD"
UNIT = re.compile(
    rf"(?P<sign>[-+]?)(?:(?P<before>{CURRENCY}) ?)?(?P<number>[-+]?[\d.,](?:[\d.,' ]*\d)?)"
    r" ?(?P<behind>[^\d\s.,;:+()\[\]{}'\"_/\\-][^\d_]{0,11}[23]?)?"
)


def tidy(word: str) -> str:
    """With a plain minus sign, and without blanks at its ends."""
    return word.strip().replace("\u2212", "-")


def is_missing(word: str) -> bool:
    """Does the cell stand for none?"""
    return tidy(word).lower() in MISSING


def is_plain(word: str) -> bool:
    """A number as a float writes it, or a word for a missing one."""
    return is_missing(word) or PLAIN.fullmatch(tidy(word)) is not None


def bare(word: str) -> str:
    """The number's own signs: 5 of 5%, -10 of (10)."""
    word = tidy(word)
    if inside := re.fullmatch(r"\(([^()+-]+)\)", word):
        word = f"-{inside[1]}"
    return word.removesuffix("%").rstrip()


def may_be_number(word: str) -> bool:
    """Is the word a number in any way, or missing?"""
    return is_missing(word) or any(way.fullmatch(bare(word)) for way in WAYS)


def marks_of(words: Iterable[str]) -> list[str]:
    """What stands around the numbers."""
    words = [tidy(word) for word in words]
    percent = any(word.endswith("%") for word in words)
    brackets = any(word.startswith("(") for word in words)
    return ["percent signs"] * percent + ["numbers in brackets"] * brackets


def style_of(words: Collection[str]) -> str:
    """How these numbers are written: plain, thousands, comma, pointed, either of commas' two
    meanings, mixed (decimal commas beside decimal points), spaced; "" for none that fits all.
    """
    odd = [word for word in map(bare, words) if not PLAIN.fullmatch(word)]
    if not odd:
        return "plain"
    if all(map(THOUSANDS.fullmatch, odd)):
        return "either" if all(map(DECIMAL_COMMA.fullmatch, odd)) else "thousands"
    if all(DECIMAL_COMMA.fullmatch(word) or POINTED.fullmatch(word) for word in odd):
        if not any("," in word for word in odd):
            return "pointed"
        pointed = [word for word in map(bare, words) if "." in word]
        return "comma" if all(map(POINTED.fullmatch, pointed)) else "mixed"
    if all(SPACED.fullmatch(word) or DECIMAL_COMMA.fullmatch(word) for word in odd):
        return "spaced"
    return ""


def value_of(word: str, style: str) -> float:
    """The number that a word of this style stands for."""
    word = bare(word)
    if style == "thousands":
        word = word.replace(",", "")
    if style in ("comma", "pointed") and POINTED.fullmatch(word):
        word = word.replace(".", "")
    if style in ("comma", "mixed"):
        word = word.replace(",", ".")
    if style == "spaced" and not PLAIN.fullmatch(word):
        word = re.sub("[ '\u2019\u00a0\u202f]", "", word).replace(",", ".")
    return float(word)


def unit_of(words: Collection[str]) -> tuple[str, dict[str, str]]:
    """(the currency sign or the unit that each of the words has, {word: its number}); "" if they
    have none, or different ones.
    """
    numbers = {}
    units = set()
    for word in words:
        found = UNIT.fullmatch(re.sub("[\u00a0\u202f\u2019]", " ", bare(word)))
        if not found or bool(found["before"]) == bool(found["behind"]):
            return "", {}
        units.add((found["before"] or found["behind"]).strip().casefold())
        numbers[word] = found["sign"] + found["number"]
        if len(units) > 1 or not may_be_number(numbers[word]):
            return "", {}
    unit = next(iter(words), "")
    found = UNIT.fullmatch(re.sub("[\u00a0\u202f\u2019]", " ", bare(unit)))
    return ((found["before"] or found["behind"]).strip(), numbers) if found else ("", {})

"""What people wrote, made fit for a picture: harmless, in one direction, broken to its place. Pure."""

import unicodedata
from collections.abc import Mapping

_MASKS = {"erased": "〔已抹除〕", "sealed": "〔已封存〕"}
MASKS = frozenset(_MASKS.values())
"""What stands in the place of a text."""
_LONGEST = 400  # characters of a text anybody looks at
_WIDE = frozenset("mwMW@%&")
_OPENING = frozenset("（《〈「『【〔“‘([{")
_CLOSING = frozenset("，。、；：！？”’）》〉」』】〕…,.;:!?)]}")


def clean(text: str) -> str:
    """A text in one line, without what XML 1.0 cannot hold, hidden characters and changes of direction."""
    kept: list[str] = []
    marks = 0
    for char in unicodedata.normalize("NFC", text[:_LONGEST]):
        kind = unicodedata.category(char)
        marks = marks + 1 if kind in {"Mn", "Me"} else 0
        if kind in {"Cc", "Zl", "Zp", "Zs"}:
            kept.append(" ")
        elif kind[0] != "C" and marks <= 2:  # noqa: PLR2004 -- no script stacks more
            kept.append(char)
    return " ".join("".join(kept).split())


def width(text: str) -> float:
    """How wide a text is, in its own height: what is Chinese takes 1, other letters about 0.6."""
    return sum(map(_width, text))


def _width(char: str) -> float:
    if unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    if unicodedata.east_asian_width(char) in "WFA" or char > "\u0250" or char in _WIDE:
        return 1
    return 0.72 if char.isupper() else 0.6


def wrapped(text: str, room: float, most: int) -> list[str]:
    """A text in at most so many lines of so much room; what does not fit is an ellipsis."""
    lines: list[str] = []
    rest = text
    while rest and len(lines) < most:
        at = _fitting(rest, room)
        if at < len(rest) and len(lines) == most - 1:
            end = "…”" if rest.endswith("”") else "…"
            rest = f"{rest[: _fitting(rest, room - len(end))].rstrip()}{end}"
            at = len(rest)
        elif at < len(rest):
            at = _break(rest, at)
        lines.append(rest[:at].strip())
        rest = rest[at:].strip()
    return [_isolated(line) for line in lines]


def _fitting(text: str, room: float) -> int:
    """How many characters of a text fit, at least one."""
    used = 0.0
    for at, char in enumerate(text):
        used += _width(char)
        if used > room:
            return max(at, 1)
    return len(text)


def _break(text: str, at: int) -> int:
    """Where a line is broken at `at` the latest: not in a word or date, not before what closes."""
    if text[at] in _CLOSING:
        return at + 1
    start = at
    while (
        start
        and text[start].isascii()
        and not text[start - 1].isspace()
        and text[start - 1].isascii()
    ):
        start -= 1
    at = start if start > at // 2 else at
    return at - 1 if at > 1 and text[at - 1] in _OPENING else at


def _isolated(line: str) -> str:
    """A line whose direction, where it is not ours, stays its own (U+2068, U+2069)."""
    foreign = any(unicodedata.bidirectional(char) in {"R", "AL", "AN"} for char in line)
    return f"\u2068{line}\u2069" if foreign else line


def words(value: object) -> str:
    """What somebody wrote, or the mask in its place."""
    if isinstance(value, Mapping):
        return _MASKS.get(str(value.get("masked")), "")
    return clean(value) if isinstance(value, str) else ""


def quoted(value: object) -> str:
    """What somebody said, in quotation marks; a mask has none."""
    return f"“{clean(value)}”" if isinstance(value, str) else words(value)


def joined(between: str, *parts: str) -> str:
    """Those of some texts that say anything, in one."""
    return between.join(filter(None, parts))

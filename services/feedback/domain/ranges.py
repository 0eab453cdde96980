"""Ranges of characters in a verbatim text: Unicode code points, the end not included."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Annotated

from pydantic import ConfigDict, Field

from services.feedback.events import TextRange
from shared.decider import Rejected

BLOCK = "■"

Offset = Annotated[int, Field(ge=0)]


class RangeAsked(TextRange):
    """A range as a sender gives it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    start: Offset
    end: Offset


class RangeOutsideText(Rejected):
    """A range must begin before it ends and lie within the text."""

    zh = "所选范围超出原文"


class OverlappingRanges(Rejected):
    """Ranges of the same text must not overlap, and cuts must ascend."""

    zh = "所选范围重叠或次序有误"


def checked(ranges: Iterable[TextRange], length: int) -> tuple[TextRange, ...]:
    """The ranges in the order of the text, if they lie in it and do not overlap.

    Raises:
        RangeOutsideText, OverlappingRanges: as their names say.
    """
    found = sorted((TextRange(start=r.start, end=r.end) for r in ranges), key=_place)
    for r in found:
        if not 0 <= r.start < r.end <= length:
            raise RangeOutsideText(_text(r))
    for one, next_ in pairwise(found):
        if one.end > next_.start:
            raise OverlappingRanges(_text(next_))
    return tuple(found)


def joined(*many: Iterable[TextRange]) -> tuple[TextRange, ...]:
    """All characters of several sets of ranges as the fewest ranges, in the order of the text."""
    found: list[TextRange] = []
    for r in sorted((r for ranges in many for r in ranges), key=_place):
        if found and r.start <= found[-1].end:
            found[-1] = TextRange(start=found[-1].start, end=max(found[-1].end, r.end))
        else:
            found.append(r)
    return tuple(found)


def without(ranges: Iterable[TextRange], removed: Iterable[TextRange]) -> tuple[TextRange, ...]:
    """The characters of some ranges that are in none of the others, as the fewest ranges."""
    left = joined(ranges)
    for gap in removed:
        left = tuple(
            TextRange(start=start, end=end)
            for r in left
            for start, end in ((r.start, min(r.end, gap.start)), (max(r.start, gap.end), r.end))
            if start < end
        )
    return left


def overlap(one: TextRange, other: TextRange) -> bool:
    """Whether two ranges share a character."""
    return one.start < other.end and other.start < one.end


def segments(cuts: Iterable[int], length: int) -> tuple[TextRange, ...]:
    """The pieces a text falls into when it is cut before the given characters.

    Raises:
        RangeOutsideText: a cut at or beyond an end of the text.
        OverlappingRanges: cuts that do not ascend.
    """
    cuts = tuple(cuts)
    for cut in cuts:
        if not 0 < cut < length:
            raise RangeOutsideText(str(cut))
    for one, next_ in pairwise(cuts):
        if one >= next_:
            raise OverlappingRanges(str(next_))
    return tuple(TextRange(start=a, end=b) for a, b in pairwise((0, *cuts, length)))


def masked(text: str, hidden: Iterable[TextRange]) -> str:
    """The text with a block for every hidden character; ranges count in the text as it was said."""
    for r in hidden:
        end = min(r.end, len(text))
        text = text[: r.start] + BLOCK * max(0, end - r.start) + text[end:]
    return text


def _text(r: TextRange) -> str:
    return f"{r.start}-{r.end}"


def _place(r: TextRange) -> tuple[int, int]:
    return r.start, r.end

"""Ranges of characters behave like the sets of characters they stand for."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.feedback.domain.ranges import (
    BLOCK,
    OverlappingRanges,
    RangeOutsideText,
    checked,
    joined,
    masked,
    overlap,
    segments,
    without,
)
from services.feedback.events import TextRange

pytestmark = pytest.mark.thorough

LENGTH = 40


@st.composite
def one_range(draw: st.DrawFn) -> TextRange:
    start = draw(st.integers(0, LENGTH - 1))
    return TextRange(start=start, end=draw(st.integers(start + 1, LENGTH)))


some_ranges = st.lists(one_range(), max_size=6)


def characters(ranges: list[TextRange] | tuple[TextRange, ...]) -> set[int]:
    return {n for r in ranges for n in range(r.start, r.end)}


@settings(deadline=None)
@given(some_ranges, some_ranges)
def test_joining_keeps_every_character_in_the_fewest_ranges(
    one: list[TextRange], other: list[TextRange]
) -> None:
    found = joined(one, other)
    assert characters(found) == characters(one) | characters(other)
    assert all(a.end < b.start for a, b in pairwise(found))


@settings(deadline=None)
@given(some_ranges, some_ranges)
def test_taking_away_leaves_the_other_characters_in_the_fewest_ranges(
    one: list[TextRange], other: list[TextRange]
) -> None:
    found = without(one, other)
    assert characters(found) == characters(one) - characters(other)
    assert all(a.end < b.start for a, b in pairwise(found))


@settings(deadline=None)
@given(some_ranges)
def test_hiding_twice_and_showing_again_are_exact(ranges: list[TextRange]) -> None:
    assert joined(joined(ranges), ranges) == joined(ranges)
    assert without(joined(ranges), ranges) == ()


@settings(deadline=None)
@given(one_range(), one_range())
def test_overlapping_is_sharing_a_character(one: TextRange, other: TextRange) -> None:
    assert overlap(one, other) == bool(characters([one]) & characters([other]))


@settings(deadline=None)
@given(some_ranges)
def test_accepted_ranges_are_in_order_and_do_not_overlap(ranges: list[TextRange]) -> None:
    sizes = sum(r.end - r.start for r in ranges)
    if len(characters(ranges)) < sizes:
        with pytest.raises(OverlappingRanges):
            checked(ranges, LENGTH)
    else:
        found = checked(ranges, LENGTH)
        assert list(found) == sorted(found, key=lambda r: r.start)
        assert characters(found) == characters(ranges)


@settings(deadline=None)
@given(one_range(), st.integers(0, LENGTH))
def test_a_range_must_lie_in_the_text(r: TextRange, length: int) -> None:
    if r.end <= length:
        assert checked([r], length) == (r,)
    else:
        with pytest.raises(RangeOutsideText):
            checked([r], length)


@settings(deadline=None)
@given(st.integers(1, LENGTH), st.sets(st.integers(-1, LENGTH + 1), max_size=8))
def test_the_pieces_of_a_cut_text_are_the_text(length: int, cuts: set[int]) -> None:
    inside = sorted(c for c in cuts if 0 < c < length)
    pieces = segments(inside, length)
    text = "".join(chr(0x4E00 + n) for n in range(length))
    assert "".join(text[p.start : p.end] for p in pieces) == text
    assert len(pieces) == len(inside) + 1
    assert all(p.start < p.end for p in pieces)
    if set(inside) != cuts:
        with pytest.raises(RangeOutsideText):
            segments(sorted(cuts), length)


@settings(deadline=None)
@given(st.lists(st.integers(1, LENGTH - 1), min_size=2, max_size=6))
def test_cuts_ascend(cuts: list[int]) -> None:
    if cuts == sorted(set(cuts)):
        assert segments(cuts, LENGTH)
    else:
        with pytest.raises(OverlappingRanges):
            segments(cuts, LENGTH)


@settings(deadline=None)
@given(st.text(min_size=1, max_size=LENGTH), some_ranges)
def test_a_block_stands_for_every_hidden_character_and_for_no_other(
    text: str, ranges: list[TextRange]
) -> None:
    hidden = characters(ranges)
    assert masked(text, joined(ranges)) == "".join(
        BLOCK if n in hidden else character for n, character in enumerate(text)
    )


def test_a_character_is_a_code_point() -> None:
    assert masked("点赞👍好", [TextRange(start=2, end=3)]) == "点赞■好"

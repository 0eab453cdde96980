"""Near-duplicates: a hint that finds every pair it promises, and no other."""

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.likeness import Alike, alike, clusters, grams

MATERIAL = Path(__file__).parents[2] / "services" / "demo" / "material" / "opinions.csv"


def by_hand(texts: dict[str, str], at_least: float) -> dict[tuple[str, str], float]:
    found = {}
    for one, other in combinations(sorted(texts), 2):
        a, b = grams(texts[one]), grams(texts[other])
        if a and b and len(a & b) / len(a | b) >= at_least:
            found[one, other] = len(a & b) / len(a | b)
    return found


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text("abcdefgh", min_size=1, max_size=2),
        st.text("食堂涨价排队", max_size=12),
        max_size=12,
    ),
    st.sampled_from([0.1, 0.25, 1 / 3, 0.5, 0.9, 1.0]),
)
def test_the_quick_way_finds_what_the_slow_way_finds(
    texts: dict[str, str], at_least: float
) -> None:
    found = {(pair.one, pair.other): pair.likeness for pair in alike(texts, at_least)}
    assert found == by_hand(texts, at_least)


def test_case_width_spaces_and_punctuation_make_no_difference() -> None:
    (pair,) = alike({"a": "食堂ＡＢＣ，太贵！", "b": "食堂abc 太 贵"}, 0.9)
    assert pair == Alike("a", "b", 1.0)


@pytest.mark.parametrize("text", ["", "，。！", "👍👍👍"])
def test_a_text_without_a_letter_is_like_nothing(text: str) -> None:
    assert alike({"a": text, "b": text}, 0.1) == []


def test_short_texts_are_alike_when_they_are_equal() -> None:
    assert [pair.likeness for pair in alike({"a": "太贵", "b": "太贵。", "c": "太吵"}, 0.1)] == [
        1.0
    ]


def test_the_most_alike_come_first() -> None:
    texts = {"a": "食堂饭菜太贵了", "b": "食堂饭菜太贵了吧", "c": "食堂饭菜不错"}
    first, *_ = alike(texts, 0.1)
    assert (first.one, first.other) == ("a", "b")


def test_pairs_hang_together_in_clusters() -> None:
    pairs = [Alike("a", "b", 0.9), Alike("d", "e", 0.8), Alike("b", "c", 0.7)]
    assert clusters(pairs) == [("a", "b", "c"), ("d", "e")]
    assert clusters([]) == []


def test_only_so_much_of_a_text_is_looked_at() -> None:
    end = "学习体会深刻" * 10
    texts = {"a": "甲" * 50 + end, "b": "乙" * 50 + end}
    assert not alike(texts, 0.4, longest=50)
    assert alike(texts, 0.4, longest=200)

"""The balance rule on batches of any shape: nothing is lost, nothing is counted that is not there."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.feedback.domain.collation import (
    CloseCollation,
    Facts,
    Known,
    Open,
    UnbalancedCollation,
    decide,
    waiting,
)
from services.feedback.domain.ranges import segments
from services.feedback.events import (
    Addressee,
    CollationClosed,
    Discovery,
    OpinionPart,
    PartSetAside,
    ProposedIssue,
    RefusalCode,
    Wind,
)
from tests.feedback.school import COLLATOR, NOON, SCHOOL

pytestmark = pytest.mark.thorough


@dataclass(frozen=True)
class Batch:
    """A batch with cut opinions, where every piece went (groups, aside, nowhere), and who took back."""

    state: Open
    went: dict[OpinionPart, str]
    excused: frozenset[str]


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    lengths = {f"o{n}": draw(st.integers(2, 30)) for n in range(draw(st.integers(1, 5)))}
    cuts: dict[str, tuple[int, ...]] = {}
    went: dict[OpinionPart, str] = {}
    for opinion, length in lengths.items():
        inside = st.sets(st.integers(1, length - 1), max_size=4)
        cuts[opinion] = tuple(sorted(draw(inside)))
        for piece in segments(cuts[opinion], length):
            part = OpinionPart(opinion=opinion, start=piece.start, end=piece.end)
            went[part] = draw(st.sampled_from(["a", "b", "a and b", "aside", ""]))
    groups = {key: _group(key, [p for p, to in went.items() if key in to.split()]) for key in "ab"}
    aside = tuple(
        PartSetAside(part=part, code=RefusalCode.other, reason="~")
        for part, to in went.items()
        if to == "aside"
    )
    excused = frozenset(draw(st.sets(st.sampled_from(sorted(lengths)))))
    full = {key: group for key, group in groups.items() if group.parts}
    return Batch(Open(lengths, COLLATOR, cuts=cuts, groups=full, aside=aside), went, excused)


def _group(key: str, parts: list[OpinionPart]) -> ProposedIssue:
    return ProposedIssue(
        key=key,
        title="~",
        parts=tuple(parts),
        addressee=Addressee.team,
        person=None,
        winds=(Wind.formalism,),
        not_four_winds=False,
        topics=(),
        discovery=Discovery.raised_by_public,
        key_issue=False,
        strongly_reflected=False,
    )


def lost(batch: Batch) -> set[str]:
    """The opinions somebody would miss: worked out character by character."""
    missing = set()
    for opinion, length in batch.state.lengths.items():
        if opinion in batch.excused:
            continue
        own = {part: to for part, to in batch.went.items() if part.opinion == opinion}
        settled = {
            n for part, to in own.items() if to for n in range(part.start or 0, part.end or 0)
        }
        in_an_issue = any(to not in {"", "aside"} for to in own.values())
        if not in_an_issue or settled != set(range(length)):
            missing.add(opinion)
    return missing


@settings(deadline=None)
@given(batches())
def test_what_waits_is_exactly_what_would_be_lost(batch: Batch) -> None:
    assert {part.opinion for part in waiting(batch.state, batch.excused)} == lost(batch)


@settings(deadline=None)
@given(batches())
def test_every_piece_that_waits_is_named(batch: Batch) -> None:
    for part in waiting(batch.state, batch.excused):
        if part.start is not None:
            assert batch.went[part] == ""
        else:
            own = [to for other, to in batch.went.items() if other.opinion == part.opinion]
            assert set(own) <= {"", "aside"}


@settings(deadline=None)
@given(batches())
def test_a_batch_closes_if_and_only_if_nothing_would_be_lost(batch: Batch) -> None:
    known = {
        opinion: Known(length, standing=opinion not in batch.excused)
        for opinion, length in batch.state.lengths.items()
    }
    facts = Facts(SCHOOL, known)
    heard = {
        key: group
        for key, group in batch.state.groups.items()
        if any(p.opinion not in batch.excused for p in group.parts)
    }
    state = Open(
        batch.state.lengths,
        COLLATOR,
        cuts=batch.state.cuts,
        groups=heard,
        aside=batch.state.aside,
    )
    try:
        event = decide(CloseCollation(by=COLLATOR, at=NOON), state, facts)
    except UnbalancedCollation:
        assert lost(batch)
    else:
        assert not lost(batch)
        assert isinstance(event, CollationClosed)
        grouped = {part.opinion for issue in event.issues for part in issue.parts}
        assert grouped | set(event.not_collated) == set(batch.state.lengths)
        assert not grouped & set(event.not_collated)

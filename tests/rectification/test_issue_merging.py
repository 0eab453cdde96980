"""Two issues that are the same become one; whoever speaks to the first is sent to the second."""

from dataclasses import replace
from typing import Any

import pytest

from services.rectification.domain.issue import (
    ClaimIssue,
    FourEyes,
    MergedElsewhere,
    MergedInACircle,
    MergedIntoItself,
    MergeIssue,
    NoSuchIssue,
    decider,
)
from services.rectification.events import IssueMerged
from shared.decider import Event, OutOfOrder
from tests.rectification.cast import (
    AWAITING,
    COLLATOR,
    FACTS,
    LONG_TERM,
    MERGED,
    OPEN,
    OWNED,
    OWNER,
    PLANNED,
    STRUCK_OFF,
    UNDERWAY,
    by,
    claimed,
)
from tests.scenario import Scenario

issue = Scenario(decider, FACTS)
known = issue.knowing(replace(FACTS, other="open"))

merged = IssueMerged(into="issue-2", reason="与另一条热水问题相同")


def merge(into: str = "issue-2", reason: str = merged.reason) -> MergeIssue:
    return by(COLLATOR, MergeIssue, into=into, reason=reason)


@pytest.mark.parametrize("past", [OPEN, OWNED, PLANNED, UNDERWAY])
def test_an_issue_is_merged_into_an_open_one(past: tuple[Event, ...]) -> None:
    known.given(*past).when(merge()).then(merged)


@pytest.mark.parametrize("other", ["closed", "missing"])
def test_an_issue_is_merged_into_nothing_else(other: Any) -> None:
    facts = replace(FACTS, other=other)
    issue.knowing(facts).given(*OPEN).when(merge()).then_rejected(NoSuchIssue)


def test_an_issue_is_not_merged_into_itself() -> None:
    known.given(*OPEN).when(merge("issue-1")).then_rejected(MergedIntoItself)


def test_merging_again_records_nothing() -> None:
    known.given(*MERGED).when(merge()).then_nothing()


def test_a_merged_issue_is_merged_nowhere_else_and_for_no_other_reason() -> None:
    known.given(*MERGED).when(merge("issue-3")).then_rejected(MergedElsewhere)
    known.given(*MERGED).when(merge(reason="重复")).then_rejected(MergedElsewhere)


@pytest.mark.parametrize("past", [AWAITING, STRUCK_OFF, LONG_TERM])
def test_what_is_being_checked_or_has_ended_is_not_merged(past: tuple[Event, ...]) -> None:
    known.given(*past).when(merge()).then_rejected(OutOfOrder)


def test_whoever_speaks_to_a_merged_issue_is_told_where_it_went() -> None:
    with pytest.raises(MergedElsewhere, match=r"^issue-2$"):
        known.given(*MERGED).when(by(OWNER, ClaimIssue)).decided()


# -- Two clerks at the same moment ----------------------------------------------------------------

circular = issue.knowing(replace(FACTS, other="open", circle=True))


def test_issues_merged_into_each_other_are_no_answer_to_anybody() -> None:
    with pytest.raises(MergedInACircle, match=r"^issue-2$"):
        circular.given(*MERGED).when(by(OWNER, ClaimIssue)).decided()


def test_one_of_them_is_merged_into_an_open_issue() -> None:
    onward = IssueMerged(into="issue-3", reason="互相并入,改并入此项")
    circular.given(*MERGED).when(merge(onward.into, onward.reason)).then(onward)
    issue.given(*MERGED, onward).when(merge(onward.into, onward.reason)).then_nothing()
    issue.given(*MERGED, onward).when(by(OWNER, ClaimIssue)).then_rejected(MergedElsewhere)


def test_nobody_leaves_a_circle_by_a_way_that_is_no_way() -> None:
    circular.given(*MERGED).when(merge()).then_nothing()
    circular.given(*MERGED).when(merge("issue-1")).then_rejected(MergedIntoItself)
    closed = issue.knowing(replace(FACTS, other="closed", circle=True))
    closed.given(*MERGED).when(merge("issue-3")).then_rejected(NoSuchIssue)
    held = (*OWNED[:-1], claimed.model_copy(update={"owner": COLLATOR}), merged)
    circular.given(*held).when(merge("issue-3")).then_rejected(FourEyes)

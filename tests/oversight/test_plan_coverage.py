"""The plan covers the team's issues, whoever raised them, until they have ended (R90)."""

import pytest

from services.oversight.rules.catalogue import BY_ID
from services.oversight.rules.engine import obligations
from services.rectification.events import (
    ExplainedNotPossible,
    IssueMerged,
    PlanLineRemoved,
    RectificationPlanVoided,
    SourceKind,
)
from shared.decider import Event
from tests.oversight.deeds import TEXT, claimed, closed, opened, plan, watch
from tests.oversight.histories import said
from tests.oversight.town import JUNE, ZHOU, Entry, world

NOT_POSSIBLE = ExplainedNotPossible(explanation=TEXT, verdicts_until=watch(JUNE).due)


def covered(*entries: Entry) -> dict[str, str]:
    """How it stands with the plan's lines, by issue."""
    return {one.subject[0]: one.state for one in obligations(BY_ID["R90"], world(*entries))}


@pytest.mark.parametrize("kind", SourceKind)
def test_an_issue_of_the_team_is_owed_a_line_wherever_it_comes_from(kind: SourceKind) -> None:
    raised = opened("i1", kind=kind, source="somewhere")
    assert covered(raised) == {"i1": "missing"}
    assert covered(raised, *plan("p1", "i1")) == {"i1": "done"}


def test_what_was_said_and_what_came_out_at_the_meeting_are_covered_each_by_itself() -> None:
    both = [opened("i1", opinions=("o1",)), opened("i2", kind=SourceKind.meeting, source="m1")]
    assert covered(*both, *plan("p1", "i1")) == {"i1": "done", "i2": "missing"}
    assert covered(*both, *plan("p1", "i2")) == {"i1": "missing", "i2": "done"}


def test_what_is_one_members_to_answer_is_not_in_the_teams_plan() -> None:
    assert covered(opened("i1", member=ZHOU, kind=SourceKind.meeting)) == {}


def test_what_was_struck_off_before_is_owed_no_line_and_what_was_covered_stays_so() -> None:
    assert covered(*closed("i1")) == {}
    assert covered(*plan("p1", "i1"), *closed("i1")) == {"i1": "done"}


@pytest.mark.parametrize(
    ("ending", "with_a_line"),
    [(NOT_POSSIBLE, {"i1": "done"}), (IssueMerged(into="i2", reason=TEXT), {})],
    ids=["not possible", "merged"],
)
def test_what_ended_otherwise_is_owed_no_line(ending: Event, with_a_line: dict[str, str]) -> None:
    past = [opened("i1"), claimed("i1")]
    assert covered(*past, said("i1", ending)) == {}
    assert covered(*past, *plan("p1", "i1"), said("i1", ending)) == with_a_line


def test_a_line_taken_out_or_a_voided_plan_covers_nothing() -> None:
    past = [opened("i1"), *plan("p1", "i1")]
    for undone in (
        PlanLineRemoved(issue="i1", reason=TEXT),
        RectificationPlanVoided(reason=TEXT),
    ):
        assert covered(*past, said("p1", undone)) == {"i1": "missing"}

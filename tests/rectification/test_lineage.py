"""An issue is followed both ways: back to where it was raised, on to the lines of plans it stands in."""

import pytest

from services.campaign.events import InspectionVoided
from services.meetings.events import (
    MeetingEntry,
    MeetingEntryVoided,
    MeetingProblemCorrected,
    MeetingVoided,
)
from services.rectification import queries as q
from services.rectification.events import (
    PlanLine,
    PlanLineRemoved,
    PlanLineSet,
    RectificationPlanAdopted,
    RectificationPlanDrafted,
    RegulationAdopted,
    RegulationDrafted,
    SourceCorrected,
    SourceKind,
    SourceVoided,
)
from services.rectification.policy import opening
from services.study.events import ActivityVoided
from services.talks.events import TalkVoided
from shared.decider import Event
from tests.memory import TOWN, record
from tests.rectification.cast import (
    COLLATOR,
    LEADER,
    MEMBER,
    MERGED,
    NOON,
    OPEN,
    OWNED,
    OWNER,
    RECEIPT,
    STRANGER,
    TODAY,
    VOIDED,
    opened,
)
from tests.rectification.memory import after, caller, lived
from tests.rectification.test_raising import RAISED, SAID, raised

DRAFTED = RectificationPlanDrafted(campaign="campaign-1", title="~", drafted_by=MEMBER)
ADOPTED = RectificationPlanAdopted(revision=1, uncovered=())


def line(issue: str, task: str = "更换增压泵") -> PlanLine:
    return PlanLine(issue=issue, task=task, owner=OWNER, begins_on=TODAY, due_on=TODAY)


def sets(issue: str, task: str = "更换增压泵") -> PlanLineSet:
    return PlanLineSet(line=line(issue, task))


# -- On to the plan --------------------------------------------------------------------------------

REMOVED = PlanLineRemoved(issue="issue-1", reason="~")
PLAN = lived("plan-1", DRAFTED, sets("issue-1"), sets("issue-2"), ADOPTED)


async def test_its_biography_tells_of_its_lines_in_plans_and_of_no_others() -> None:
    desk = await after(*lived("issue-1", *OPEN), *lived("issue-2", *OPEN), *PLAN)
    told = await q.biography(q.IssueBiography(id="issue-1"), desk, caller(STRANGER))
    assert [item["type"] for item in told["items"]] == [opened.TYPE, PlanLineSet.TYPE]
    assert told["items"][1]["stream"] == "plan.plan-1"
    standing = {"plan": "plan-1", "stage": "adopted"}
    assert told["lines"] == [standing | line("issue-1").model_dump(mode="json")]


async def test_a_line_that_was_taken_out_is_history_and_no_longer_stands() -> None:
    past = lived("plan-1", DRAFTED, sets("issue-1"), REMOVED, sets("issue-2"))
    desk = await after(*lived("issue-1", *OPEN), *past)
    told = await q.biography(q.IssueBiography(id="issue-1"), desk, caller(STRANGER))
    types = [opened.TYPE, PlanLineSet.TYPE, PlanLineRemoved.TYPE]
    assert ([item["type"] for item in told["items"]], told["lines"]) == (types, [])


async def test_the_lines_of_what_was_merged_into_it_are_its_own() -> None:
    desk = await after(*lived("issue-1", *MERGED), *lived("issue-2", *OPEN), *PLAN)
    told = await q.biography(q.IssueBiography(id="issue-2"), desk, caller(STRANGER))
    assert {found["issue"] for found in told["lines"]} == {"issue-1", "issue-2"}


async def test_who_may_not_see_the_plan_sees_none_of_it_here() -> None:
    desk = await after(*lived("issue-1", *OPEN), *PLAN)
    told = await q.biography(q.IssueBiography(id="issue-1"), desk, caller(RECEIPT))
    assert ([item["type"] for item in told["items"]], told["lines"]) == ([opened.TYPE], [])


# -- On to the regulations, and to other issues ----------------------------------------------------


def drafted(*issues: str) -> RegulationDrafted:
    return RegulationDrafted(title="热水供应办法", text="~", answers=issues, drafted_by=MEMBER)


RULES = (
    *lived("rule-1", drafted("issue-1"), RegulationAdopted(in_force_on=TODAY)),
    *lived("rule-2", drafted("issue-2")),
)


async def test_its_biography_tells_of_the_regulations_that_answer_it_and_of_no_others() -> None:
    desk = await after(*lived("issue-1", *OPEN), *lived("issue-2", *OPEN), *RULES)
    told = await q.biography(q.IssueBiography(id="issue-1"), desk, caller(STRANGER))
    types = [opened.TYPE, RegulationDrafted.TYPE, RegulationAdopted.TYPE]
    assert [item["type"] for item in told["items"]] == types
    (rule,) = told["regulations"]
    assert (rule["id"], rule["stage"], rule["in_force_on"]) == ("rule-1", "adopted", str(TODAY))
    outside = await q.biography(q.IssueBiography(id="issue-1"), desk, caller(RECEIPT))
    assert [item["type"] for item in outside["items"]] == [opened.TYPE]
    assert outside["regulations"] == []


async def test_its_biography_names_what_it_is_a_part_of_its_parts_and_what_went_into_it() -> None:
    part = opened.model_copy(update={"parent": "issue-2", "title": "四楼水压不足"})
    other = (*lived("issue-1", *MERGED), *lived("issue-3", part))
    desk = await after(*lived("issue-2", *OPEN), *other)
    told = await q.biography(q.IssueBiography(id="issue-2"), desk, caller(STRANGER))
    assert [each["id"] for each in told["children"]] == ["issue-3"]
    assert [(each["id"], each["stage"]) for each in told["merged"]] == [("issue-1", "merged")]
    below = await q.biography(q.IssueBiography(id="issue-3"), desk, caller(STRANGER))
    assert below["parent"] == {"id": "issue-2", "title": opened.title, "stage": "open"}
    outside = await q.biography(q.IssueBiography(id="issue-2"), desk, caller(RECEIPT))
    assert (outside["children"], outside["merged"], outside["parent"]) == ([], [], None)


async def test_its_biography_says_what_those_are_called_who_are_told_of_and_nobody_else() -> None:
    desk = await after(*lived("issue-1", *OWNED))
    told = await q.biography(q.IssueBiography(id="issue-1"), desk, caller(STRANGER))
    assert told["names"] == {COLLATOR: COLLATOR, OWNER: OWNER}
    assert told["zone"] == "Asia/Shanghai"
    outside = await q.biography(q.IssueBiography(id="issue-1"), desk, caller(RECEIPT))
    assert outside["names"] == {}


# -- Back to where it was raised -------------------------------------------------------------------

CORRECTED = MeetingProblemCorrected.model_validate({**SAID, "title": "~", "reason": "~"})
VOIDED_THERE: dict[SourceKind, Event] = {
    kind: event.model_validate({"reason": "~", "problems": [SAID["key"]]})
    for kind, event in (
        (SourceKind.talk, TalkVoided),
        (SourceKind.meeting, MeetingVoided),
        (SourceKind.visit, ActivityVoided),
        (SourceKind.inspection, InspectionVoided),
    )
}
ENTRY_VOIDED = MeetingEntryVoided(entry=MeetingEntry.problem, key=SAID["key"], reason="~")


@pytest.mark.parametrize("kind", RAISED)
async def test_it_is_found_by_where_it_was_raised_and_says_where_that_was(
    kind: SourceKind,
) -> None:
    at, issue = await raised(RAISED[kind])
    desk = at.runtime.desk(TOWN, NOON)
    for where, found in (("stream-1", [issue]), ("stream-2", [])):
        page = await q.ledger_lines(q.Issues(source=where), desk, caller(OWNER))
        assert [item["id"] for item in page["items"]] == found
    told = await q.biography(q.IssueBiography(id=issue), desk, caller(OWNER))
    assert told["sources"] == [{"kind": kind, "id": "stream-1"}]


@pytest.mark.parametrize(
    ("kind", "event", "noted", "types"),
    [
        (SourceKind.meeting, CORRECTED, SourceCorrected, [CORRECTED.TYPE, SourceCorrected.TYPE]),
        (SourceKind.meeting, ENTRY_VOIDED, SourceVoided, [SourceVoided.TYPE]),
        *((k, event, SourceVoided, [SourceVoided.TYPE]) for k, event in VOIDED_THERE.items()),
    ],
    ids=range(6),
)
@pytest.mark.parametrize("past", [(), OWNED[1:], VOIDED[1:]], ids=["open", "owned", "voided"])
async def test_what_became_of_it_there_is_told_once_and_the_issue_stands(
    kind: SourceKind,
    event: Event,
    noted: type[Event],
    types: list[str],
    past: tuple[Event, ...],
) -> None:
    at, issue = await raised(RAISED[kind])
    for version, then in enumerate(past, start=2):
        at.pages.log.append(
            record(then, issue, version + 1, by=COLLATOR, noon=NOON, version=version)
        )
    there = record(event, "stream-1", len(at.pages.log) + 1, by=LEADER, noon=NOON, version=2)
    at.pages.log.append(there)
    await at.look()
    before = await q.ledger_line(q.Issue(id=issue), at.runtime.desk(TOWN, NOON), caller(OWNER))

    for _ in range(2):
        await at.runtime._react(opening, there)
    await at.look()

    assert at.kept("parked") == {}
    desk = at.runtime.desk(TOWN, NOON)
    line_ = await q.ledger_line(q.Issue(id=issue), desk, caller(OWNER))
    assert (line_["stage"], line_["owner"]) == (before["stage"], before["owner"])
    told = await q.biography(q.IssueBiography(id=issue), desk, caller(OWNER))
    later = [item["type"] for item in told["items"][2 + len(past) :]]
    if before["stage"] == "voided":
        assert noted.TYPE not in later
        return
    assert later == types
    (notice,) = line_["notices"]
    assert (notice["voided"], notice["event"]) == (noted is SourceVoided, str(there.id))
    assert told["items"][-1]["on_behalf_of"] == LEADER


async def test_who_follows_it_by_receipt_is_not_told_the_words_it_was_put_right_in_there() -> None:
    at, issue = await raised(RAISED[SourceKind.meeting])
    merged = MERGED[-1].model_copy(update={"into": issue})
    for version, then in enumerate((*MERGED[:-1], merged), start=1):
        place = len(at.pages.log) + 1
        at.pages.log.append(record(then, "i-1", place, by=COLLATOR, noon=NOON, version=version))
    there = record(CORRECTED, "stream-1", len(at.pages.log) + 1, by=LEADER, noon=NOON, version=2)
    at.pages.log.append(there)
    await at.look()
    await at.runtime._react(opening, there)
    await at.look()

    desk = at.runtime.desk(TOWN, NOON)
    types: dict[str, list[str]] = {}
    for who in (OWNER, RECEIPT):
        told = await q.biography(q.IssueBiography(id=issue), desk, caller(who))
        types[who] = [item["type"] for item in told["items"]]
    assert types[OWNER].count(CORRECTED.TYPE) == 1
    assert types[RECEIPT] == [each for each in types[OWNER] if each != CORRECTED.TYPE]

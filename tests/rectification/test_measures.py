"""What meetings resolved and self-examinations promised, and the lines of a plan that carry it out."""

from typing import Any

import pytest

from services.feedback.events import Addressee
from services.meetings import queries as meetings
from services.meetings.events import (
    ExaminationAdopted,
    ExaminationCorrected,
    ExaminationDrafted,
    ExaminationRevised,
    ExaminationSentBack,
    ExaminationSubject,
    ExaminationSubmitted,
    ExaminationVoided,
    ImprovementMeasure,
    MeasureCorrected,
    MeasureResolved,
    MeetingEntry,
    MeetingEntryVoided,
    MeetingKind,
    MeetingPlanned,
    MeetingPlanRevised,
    MeetingVoided,
    MinutesCorrected,
    Paper,
)
from services.meetings.queries import meeting as minutes
from services.rectification import queries as q
from services.rectification.domain.plan import OriginAsked, SetPlanLine
from services.rectification.events import (
    Origin,
    OriginKind,
    PlanLine,
    PlanLineRemoved,
    PlanLineSet,
    RectificationPlanAdopted,
    RectificationPlanDrafted,
    RectificationPlanReopened,
    RectificationPlanVoided,
    Source,
    SourceKind,
)
from services.rectification.projection import Measures, measures, measures_taken
from shared.callers import UnknownSchool
from shared.decider import Event, PersonId
from shared.marks import TOKEN_PREFIX
from shared.privacy import SEALED
from shared.runtime import Desk
from tests.rectification.cast import (
    COLLATOR,
    HELPER,
    LATER,
    LEADER,
    MEMBER,
    MERGED,
    NOON,
    OPEN,
    OWNER,
    PLANNED,
    STRANGER,
    SUPERVISOR,
    TODAY,
    VOIDED,
    by,
    opened,
)
from tests.rectification.memory import after as desk_after
from tests.rectification.memory import caller, lived, log

OPERATOR = PersonId("operator:deployment")


def sealed(name: str, stream: str = "meeting.meeting-1") -> str:
    """A text as the log holds it: nobody here has its key."""
    return f"{TOKEN_PREFIX}{stream}~{name}~box"


called = MeetingPlanned(
    kind=MeetingKind.democratic_life,
    campaign="campaign-1",
    title="专题民主生活会",
    place="会议室",
    chair=LEADER,
    planned_by=COLLATOR,
)
resolved = MeasureResolved(
    key="m-1",
    text=sealed("text"),
    owner=OWNER,
    due_on=TODAY,
    deliverable=sealed("deliverable"),
    issues=("issue-1",),
)
second = resolved.model_copy(update={"key": "m-2"})
struck = MeetingEntryVoided(entry=MeetingEntry.measure, key="m-1", reason="~")


def paper(*keys: str) -> Paper:
    text = sealed("text", "examination.examination-1")
    return Paper(measures=tuple(ImprovementMeasure(text=text, key=key) for key in keys))


def examined(person: PersonId | None = None, *keys: str) -> ExaminationDrafted:
    return ExaminationDrafted(
        campaign="campaign-1",
        subject=ExaminationSubject.person if person else ExaminationSubject.team,
        person=person,
        to_be_adopted=person is None,
        paper=paper(*keys or ("pump",)),
    )


handed_in = ExaminationSubmitted()
adopted = ExaminationAdopted(meeting="meeting-9")
sent_back = ExaminationSentBack(remarks="~", rewrite_by=TODAY, rounds=1)

MEETING: list[tuple[str, Event]] = lived("meeting-1", called, resolved, second)  # type: ignore[assignment]  # pairs
EXAMINATION: list[tuple[str, Event]] = lived("examination-1", examined(), handed_in, adopted)  # type: ignore[assignment]  # pairs


def origin(kind: str, stream: str, key: str) -> Origin:
    return Origin(kind=OriginKind(kind), id=stream, key=key)


RESOLVED = origin("meeting", "meeting-1", "m-1")
SECOND = origin("meeting", "meeting-1", "m-2")
PROMISED = origin("examination", "examination-1", "pump")

# -- On record -------------------------------------------------------------------------------------


def taken(*past: Event, stream: str = "meeting-1") -> Measures:
    found: Measures | None = None
    for one in log(*((stream, event) for event in past)):
        found = measures_taken(found, one)
    assert found is not None
    return found


def test_a_meeting_keeps_its_measures_as_they_were_last_worded() -> None:
    changed = MeasureCorrected(**{**dict(resolved), "owner": HELPER}, reason="~")
    found = taken(called, resolved, second, changed)
    assert found.counts
    assert [(m.key, m.owner, m.issues) for m in found.measures] == [
        ("m-1", HELPER, ("issue-1",)),
        ("m-2", OWNER, ("issue-1",)),
    ]


def test_a_voided_measure_stays_and_does_not_count_and_other_entries_do_not_touch_it() -> None:
    problem = MeetingEntryVoided(entry=MeetingEntry.problem, key="m-1", reason="~")
    assert taken(called, resolved, problem) == taken(called, resolved)
    found = taken(called, resolved, second, struck)
    assert [(m.key, m.voided) for m in found.measures] == [("m-1", True), ("m-2", False)]
    assert not taken(called, resolved, MeetingVoided(reason="~")).counts


def test_a_meeting_is_called_what_it_was_last_called() -> None:
    shared: dict[str, Any] = {"place": "~", "chair": LEADER, "reason": "~"}
    revised = MeetingPlanRevised(revision=2, branch="liberal", title="改期", **shared)
    assert (taken(called, revised).title, taken(called, revised).branch) == ("改期", "liberal")
    corrected = MinutesCorrected(
        title="更正", recorder=COLLATOR, on=TODAY, began_at=NOON, ended_at=LATER, **shared
    )
    assert taken(called, corrected).title == "更正"


@pytest.mark.parametrize(
    ("past", "counts", "passed"),
    [
        ((), False, False),
        ((handed_in,), True, False),
        ((handed_in, adopted), True, True),
        ((handed_in, adopted, sent_back), False, False),
        ((handed_in, adopted, sent_back, handed_in), True, False),
        ((handed_in, adopted, ExaminationVoided(reason="~")), False, False),
        ((handed_in, ExaminationVoided(reason="~"), examined()), False, False),
    ],
    ids=["drafted", "handed in", "adopted", "sent back", "again", "voided", "begun anew"],
)
def test_what_a_self_examination_promises_counts_once_it_was_handed_in(
    past: tuple[Event, ...], *, counts: bool, passed: bool
) -> None:
    found = taken(examined(), *past, stream="examination-1")
    assert (found.counts, found.adopted) == (counts, passed)


@pytest.mark.parametrize(
    "rewritten",
    [ExaminationRevised(paper=paper("a", "b")), ExaminationCorrected(paper=paper("a", "b"), reason="~")],
    ids=["revised", "corrected"],
)  # fmt: skip
def test_a_paper_written_anew_promises_what_it_says_now(rewritten: Event) -> None:
    found = taken(examined(), rewritten)
    assert [m.key for m in found.measures] == ["a", "b"]


def test_a_measure_from_before_measures_had_keys_goes_by_its_number() -> None:
    found = taken(examined(None, "", ""))
    assert [m.key for m in found.measures] == ["1", "2"]


def test_what_is_no_meeting_nor_self_examination_yet_has_no_measures() -> None:
    assert {event.TYPE.split(".")[0] for event in measures.follows} == {"meetings"}
    (told,) = log(("meeting-1", resolved))
    assert measures_taken(None, told) is None


# -- What a line may name --------------------------------------------------------------------------


async def known(desk: Desk, *named: Origin) -> frozenset[Origin]:
    asked = tuple(OriginAsked.model_validate(dict(one)) for one in named)
    command = by(
        MEMBER,
        SetPlanLine,
        issue="issue-1",
        task="~",
        owner=OWNER,
        division=(HELPER,),
        begins_on=TODAY,
        due_on=TODAY,
        origins=asked,
    )
    return (await q.plan_facts(command, desk)).measures


async def test_a_line_is_told_which_of_the_measures_it_names_count() -> None:
    wrong = origin("examination", "meeting-1", "m-1"), origin("meeting", "meeting-1", "m-9")
    desk = await desk_after(*MEETING, *EXAMINATION)
    assert await known(desk, RESOLVED, PROMISED, *wrong) == {RESOLVED, PROMISED}
    assert await known(desk) == frozenset()
    desk = await desk_after(*MEETING, ("meeting-1", struck), *EXAMINATION[:1])
    assert await known(desk, RESOLVED, SECOND, PROMISED) == {SECOND}
    desk = await desk_after(*MEETING, ("meeting-1", MeetingVoided(reason="~")))
    assert await known(desk, RESOLVED, SECOND) == frozenset()


@pytest.mark.parametrize("over", [MERGED[-1], VOIDED[-1]], ids=["merged", "voided"])
async def test_a_measure_of_an_issue_goes_by_its_number_while_the_issue_counts(over: Event) -> None:
    first, next_one = origin("issue", "issue-1", "1"), origin("issue", "issue-1", "2")
    assert await known(await desk_after(*lived("issue-1", *OPEN)), first) == frozenset()
    desk = await desk_after(*lived("issue-1", *PLANNED))
    assert await known(desk, first, next_one) == {first}
    assert await known(await desk_after(*lived("issue-1", *PLANNED, over)), first) == frozenset()


# -- What a plan shows -----------------------------------------------------------------------------

DRAFTED = RectificationPlanDrafted(campaign="campaign-1", title="方案", drafted_by=MEMBER)
IN_FORCE = RectificationPlanAdopted(revision=1, uncovered=())


def line(issue: str, *origins: Origin) -> PlanLineSet:
    return PlanLineSet(
        line=PlanLine(
            issue=issue,
            task="更换",
            owner=OWNER,
            begins_on=TODAY,
            due_on=TODAY,
            origins=origins,
        )
    )


async def test_a_plan_shows_of_every_line_its_measures_and_whether_they_still_count() -> None:
    lines = lived("plan-1", DRAFTED, line("issue-1", RESOLVED, PROMISED), line("issue-2"))
    desk = await desk_after(*MEETING, *EXAMINATION, *lines, ("meeting-1", struck))
    (plan,) = (await q.all_plans(q.RectificationPlans(), desk, caller(STRANGER)))["items"]
    assert [(one["issue"], one["origins"]) for one in plan["lines"]] == [
        (
            "issue-1",
            [
                {"kind": "meeting", "id": "meeting-1", "key": "m-1", "counts": False},
                {"kind": "examination", "id": "examination-1", "key": "pump", "counts": True},
            ],
        ),
        ("issue-2", []),
    ]


@pytest.mark.parametrize("kind", [k for k in SourceKind if k is not SourceKind.issue])
async def test_a_plan_has_to_cover_the_teams_issues_from_every_source(kind: SourceKind) -> None:
    source = (Source(kind=kind, id="somewhere"),)
    raised = opened.model_copy(update={"sources": source, "addressee": Addressee.team})
    desk = await desk_after(("issue-7", raised), ("plan-1", DRAFTED))
    (plan,) = (await q.all_plans(q.RectificationPlans(), desk, caller(STRANGER)))["items"]
    assert plan["uncovered_now"] == ["issue-7"]
    assert (await q.plan_facts(by(LEADER, SetPlanLine, **line_fields()), desk)).team_issues == {
        "issue-7"
    }
    desk = await desk_after(("issue-7", raised), *lived("plan-1", DRAFTED, line("issue-7")))
    (plan,) = (await q.all_plans(q.RectificationPlans(), desk, caller(STRANGER)))["items"]
    assert plan["uncovered_now"] == []


def line_fields() -> dict[str, Any]:
    told = dict(line("issue-7").line)
    return {**told, "division": (HELPER,), "origins": ()}


# -- What is still to be covered -------------------------------------------------------------------


async def listed(desk: Desk, person: PersonId = LEADER, **asked: Any) -> dict[str, list[str]]:
    found = await q.all_measures(q.Measures(**asked), desk, caller(person))
    return {item["id"]: [m["key"] for m in item["measures"]] for item in found["items"]}


async def test_what_no_plan_in_force_has_a_line_for_is_listed() -> None:
    both = [*MEETING, *EXAMINATION]
    every = {"meeting-1": ["m-1", "m-2"], "examination-1": ["pump"]}
    carrying = lived("plan-1", DRAFTED, line("issue-1", RESOLVED, PROMISED))
    assert await listed(await desk_after(*both), covered=False) == every
    assert await listed(await desk_after(*both, *carrying), covered=False) == every
    desk = await desk_after(*both, *carrying, ("plan-1", IN_FORCE))
    assert await listed(desk, covered=False) == {"meeting-1": ["m-2"]}
    assert await listed(desk, covered=True) == {"meeting-1": ["m-1"], "examination-1": ["pump"]}
    assert await listed(desk) == every
    found = await q.all_measures(q.Measures(kind="examination"), desk, caller(LEADER))
    (item,) = found["items"]
    assert item["measures"][0]["lines"] == [{"plan": "plan-1", "issue": "issue-1"}]


@pytest.mark.parametrize(
    "then",
    [
        (RectificationPlanReopened(revision=2, reason="~"),),
        (RectificationPlanVoided(reason="~"),),
        (
            RectificationPlanReopened(revision=2, reason="~"),
            PlanLineRemoved(issue="issue-1", reason="~"),
            line("issue-2"),
            IN_FORCE,
        ),
    ],
    ids=["reopened", "voided", "taken out"],
)
async def test_what_is_no_longer_in_force_covers_nothing(then: tuple[Event, ...]) -> None:
    carrying = lived("plan-1", DRAFTED, line("issue-1", RESOLVED, SECOND), IN_FORCE, *then)
    desk = await desk_after(*MEETING, *carrying)
    assert await listed(desk, covered=False) == {"meeting-1": ["m-1", "m-2"]}


async def test_nobody_has_to_cover_what_does_not_count() -> None:
    desk = await desk_after(*MEETING, ("meeting-1", struck), *EXAMINATION[:1])
    assert await listed(desk, covered=False) == {"meeting-1": ["m-2"]}
    assert await listed(desk) == {"meeting-1": ["m-1", "m-2"]}
    desk = await desk_after(*MEETING, ("meeting-1", MeetingVoided(reason="~")), ("m-9", called))
    assert await listed(desk) == {}


async def test_measures_are_listed_by_where_they_were_taken_and_by_whom() -> None:
    branch = called.model_copy(
        update={"kind": MeetingKind.organisational_life, "branch": "liberal"}
    )
    own = lived("examination-2", examined(MEMBER), handed_in)
    desk = await desk_after(*MEETING, *EXAMINATION, *lived("meeting-2", branch, resolved), *own)
    assert list(await listed(desk, kind="meeting")) == ["meeting-1", "meeting-2"]
    assert list(await listed(desk, team=True)) == ["meeting-1", "examination-1"]
    assert list(await listed(desk, team=False)) == ["meeting-2", "examination-2"]
    assert list(await listed(desk, kind="examination", team=False)) == ["examination-2"]


async def test_measures_are_given_in_pages_that_are_full() -> None:
    desk = await desk_after(
        *lived("meeting-1", called, resolved, struck), *EXAMINATION, *lived("m-2", called, second)
    )
    first = await q.all_measures(q.Measures(covered=False, limit=1), desk, caller(LEADER))
    assert [item["id"] for item in first["items"]] == ["examination-1"]
    rest = q.Measures(covered=False, limit=1, after=first["next"])
    last = await q.all_measures(rest, desk, caller(LEADER))
    assert [item["id"] for item in last["items"]] == ["m-2"]
    assert last["next"] is None


@pytest.mark.parametrize(
    ("person", "meeting", "draft_of_team", "of_team", "of_member"),
    [
        (LEADER, True, True, True, True),
        (SUPERVISOR, True, True, True, True),
        (MEMBER, False, True, True, True),
        (OWNER, False, False, True, False),
        (STRANGER, False, False, True, False),
        (OPERATOR, False, False, False, False),
    ],
)
async def test_the_words_of_a_measure_are_for_those_who_may_read_them_in_meetings(
    person: PersonId, *, meeting: bool, draft_of_team: bool, of_team: bool, of_member: bool
) -> None:
    desk = await desk_after(
        *MEETING,
        *lived("draft", examined(), handed_in),
        *EXAMINATION,
        *lived("own", examined(MEMBER), handed_in),
    )
    found = await q.all_measures(q.Measures(), desk, caller(person))
    read = {item["id"]: item["measures"][0]["text"] != SEALED for item in found["items"]}
    assert read == {
        "meeting-1": meeting,
        "draft": draft_of_team,
        "examination-1": of_team,
        "own": of_member,
    }
    first = found["items"][0]
    assert (first["title"], first["measures"][0]["owner"]) == (called.title, OWNER)
    assert (first["measures"][0]["deliverable"] != SEALED) is meeting


def test_who_reads_every_measure_reads_every_self_examination_and_all_minutes() -> None:
    assert q.READERS == meetings.CONFIDANTS == minutes.READERS


async def test_a_school_nobody_enrolled_has_no_measures() -> None:
    desk = await desk_after(directory=None)
    with pytest.raises(UnknownSchool):
        await q.all_measures(q.Measures(), desk, caller(LEADER))

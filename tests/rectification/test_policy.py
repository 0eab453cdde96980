"""What rectification does of its own accord: the issues it opens, the timers it sets and drops."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest
from pydantic import BaseModel

from services.campaign.defaults import MOST_PERIODS
from services.campaign.events import InspectionFindingRaised, InspectionVoided
from services.feedback.events import (
    Addressee,
    CollationClosed,
    Discovery,
    OpinionPart,
    Problem,
    ProposedIssue,
    Topic,
    Wind,
)
from services.meetings.events import (
    MeetingEntry,
    MeetingEntryVoided,
    MeetingProblemCorrected,
    MeetingProblemRaised,
    MeetingVoided,
)
from services.rectification.domain.issue import (
    CallToAccount,
    NoteSourceCorrected,
    NoteSourceVoided,
    OpenIssue,
    RemindIssue,
    SuperviseIssue,
    UrgeIssue,
)
from services.rectification.events import (
    Concern,
    IssueOpened,
    IssueReturned,
    ObjectionUpheld,
    ProgressReported,
    ReturnReason,
    Source,
    SourceKind,
    Watch,
)
from services.rectification.policy import FOUND_IN, issue_of, open_issues, opening, timers
from services.study.events import ActivityProblemRaised, ActivityVoided
from services.talks.events import TalkProblemRaised, TalkVoided
from shared.decider import Command, Event, Remind, Send, wire
from shared.envelope import GENESIS, Provenance, Record, Subject, draft
from tests import memory
from tests.rectification.cast import (
    FACTS,
    MEMBER,
    NOON,
    OWNER,
    REVIEWER,
    claimed,
    objected,
    opened,
    planned,
    strike_off_requested,
    struck_off,
)
from tests.rectification.test_issue_opening import issue

WATCH = planned.watch
NAMES = {*(f"remind-{n}" for n in range(MOST_PERIODS)), "urge", "supervise", "account"}
SECOND = timedelta(seconds=1)


def recorded(event: Event, at: datetime = NOON) -> Record:
    place = Subject("wangxi", "rectification", "issue", "issue-1")
    provenance = Provenance(OWNER, at, at, UUID(int=1), "0" * 64, UUID(int=1))
    new = draft(place, event, provenance, version=1, previous=GENESIS)
    return Record(1, new.subject, new.headers, new.body)


def returned(climbed: int = 0) -> IssueReturned:
    watch = WATCH.model_copy(update={"climbed": climbed})
    return IssueReturned(
        verifier=REVIEWER, code=ReturnReason.not_solved, reason="…", times=1, watch=watch
    )


def armed(event: Event, at: datetime = NOON) -> dict[str, Remind]:
    """The timers an event sets; every other one of the issue is dropped."""
    asked = list(timers(recorded(event, at)))
    assert {timer.name for timer in asked} == NAMES
    assert len(asked) == len(NAMES)
    return {timer.name: timer for timer in asked if isinstance(timer, Remind)}


LADDER = ["urge", "supervise", "account"]
LATE: list[tuple[datetime, int, list[str]]] = [
    (WATCH.remind_at[-1] - SECOND, 0, ["remind-3", *LADDER]),
    (WATCH.remind_at[-1], 0, LADDER),
    (WATCH.urge_at - SECOND, 0, LADDER),
    (WATCH.urge_at, 0, LADDER),
    (WATCH.urge_at, 1, ["supervise", "account"]),
    (WATCH.supervise_at, 0, ["supervise", "account"]),
    (WATCH.supervise_at, 1, ["supervise", "account"]),
    (WATCH.supervise_at, 2, ["account"]),
    (WATCH.account_at, 0, ["account"]),
    (WATCH.account_at, 2, ["account"]),
    (WATCH.account_at, 3, []),
]
"""When an issue comes back, how far its ladder was climbed, and what is then still to be said."""


def test_a_deadline_is_reminded_of_before_and_the_ladder_follows() -> None:
    body = {"concern": "rectification", "due_at": WATCH.due.at.isoformat()}
    expected = [
        *(Remind(f"remind-{n}", at, RemindIssue, body) for n, at in enumerate(WATCH.remind_at)),
        Remind("urge", WATCH.urge_at, UrgeIssue, body),
        Remind("supervise", WATCH.supervise_at, SuperviseIssue, body),
        Remind("account", WATCH.account_at, CallToAccount, body),
    ]
    assert list(armed(planned).values()) == expected


@pytest.mark.parametrize(("at", "climbed", "names"), LATE)
def test_what_comes_back_late_is_not_reminded_of_the_past_and_its_ladder_goes_on(
    at: datetime, climbed: int, names: list[str]
) -> None:
    watch = returned(climbed).watch
    for event in (
        returned(climbed),
        ObjectionUpheld(answer="…", times=1, watch=watch),
        planned.model_copy(update={"watch": watch}),
    ):
        assert list(armed(event, at)) == names


@pytest.mark.parametrize(
    ("event", "concern"),
    [
        (opened, Concern.claim),
        (claimed, Concern.plan),
        (planned, Concern.rectification),
        (objected, Concern.objection),
    ],
    ids=lambda value: getattr(value, "TYPE", ""),
)
def test_every_timer_says_which_deadline_it_is_of(event: Event, concern: Concern) -> None:
    watch: Watch = event.watch  # type: ignore[attr-defined]  # all of these have one
    for timer in armed(event).values():
        assert timer.body == {"concern": concern.value, "due_at": watch.due.at.isoformat()}


@pytest.mark.parametrize(
    "event", [strike_off_requested, struck_off, ObjectionUpheld(answer="…", times=0)]
)
def test_what_waits_or_has_ended_has_no_timer(event: Event) -> None:
    assert armed(event) == {}


def test_what_moves_no_deadline_moves_no_timer() -> None:
    assert list(timers(recorded(ProgressReported(text="…")))) == []


# -- Issues it opens -------------------------------------------------------------------------------

SAID: dict[str, Any] = {
    "title": "宿舍热水供应时间与晚自习脱节",
    "addressee": Addressee.member,
    "person": MEMBER,
    "winds": (Wind.bureaucratism,),
    "not_four_winds": False,
    "topics": (Topic.dormitory,),
    "discovery": Discovery.self_found,
    "key_issue": True,
    "strongly_reflected": True,
}
SOURCES: dict[type[Event], SourceKind] = {
    TalkProblemRaised: SourceKind.talk,
    MeetingProblemRaised: SourceKind.meeting,
    ActivityProblemRaised: SourceKind.visit,
    InspectionFindingRaised: SourceKind.inspection,
}
"""What a problem somebody raised was found in."""


def recorded_elsewhere(event: Event, stream: str = "stream-1") -> Record:
    return memory.record(event, stream, 1, by=MEMBER, noon=NOON)


def carried_out(send: Send) -> IssueOpened:
    """What a command of the policy leads to, as the runtime hands it to the domain."""
    body = wire(send.command).model_validate_json(json.dumps(send.body)).model_dump()
    asked = {**body, "by": "service:rectification", "at": NOON, "stream": send.stream}
    event = issue.knowing(FACTS).when(OpenIssue.model_validate(asked)).decided()
    assert isinstance(event, IssueOpened)
    return event


@pytest.mark.parametrize(("kind", "source"), SOURCES.items(), ids=lambda v: getattr(v, "TYPE", v))
@pytest.mark.parametrize("description", [None, "报修无人答复"])
def test_a_problem_raised_elsewhere_becomes_an_issue_that_says_where_it_comes_from(
    kind: type[Event], source: SourceKind, description: str | None
) -> None:
    problem = kind.model_validate({**SAID, "key": "hot-water", "description": description})
    (send,) = open_issues(recorded_elsewhere(problem))

    event = carried_out(send)

    assert send.stream == issue_of("stream-1", "hot-water", source)
    assert event.sources == (Source(kind=source, id="stream-1"),)
    said = SAID.keys() - {"not_four_winds"}
    assert {name: getattr(event, name) for name in said} == {name: SAID[name] for name in said}
    assert event.description == description


def test_every_group_of_a_closed_collation_becomes_one_with_its_opinions() -> None:
    pieces = (("opinion-2", 0, 5), ("opinion-1", None, None), ("opinion-2", 5, 9))
    parts = tuple(OpinionPart(opinion=o, start=start, end=end) for o, start, end in pieces)
    groups = tuple(ProposedIssue(**SAID, key=key, parts=parts) for key in ("water", "power"))

    sends = list(open_issues(recorded_elsewhere(CollationClosed(issues=groups))))

    assert [send.stream for send in sends] == [issue_of("stream-1", k) for k in ("water", "power")]
    source = Source(kind=SourceKind.collation, id="stream-1", opinions=("opinion-2", "opinion-1"))
    assert [carried_out(send).sources for send in sends] == [(source,)] * 2


def test_an_issue_is_known_by_where_it_was_found_and_its_key_there() -> None:
    found = [
        issue_of(stream, key, kind)
        for stream in ("stream-1", "stream-2")
        for key in ("water", "power")
        for kind in SourceKind
    ]
    assert len(set(found)) == len(found)
    known_for_ever = uuid5(NAMESPACE_URL, "taizhang:collation/stream-1/water")
    assert issue_of("stream-1", "water") == str(known_for_ever)


# -- Put right or voided there ----------------------------------------------------------------------

TOLD: list[tuple[Event, tuple[str, ...], type[Command]]] = [
    (
        MeetingProblemCorrected.model_validate({**SAID, "key": "water", "reason": "…"}),
        ("water",),
        NoteSourceCorrected,
    ),
    (
        MeetingEntryVoided(entry=MeetingEntry.problem, key="water", reason="…"),
        ("water",),
        NoteSourceVoided,
    ),
    (MeetingEntryVoided(entry=MeetingEntry.measure, key="water", reason="…"), (), OpenIssue),
    *(
        (kind.model_validate({"reason": "…", "problems": keys}), keys, NoteSourceVoided)
        for kind in (TalkVoided, MeetingVoided, ActivityVoided, InspectionVoided)
        for keys in ((), ("water", "power"))
    ),
]
"""What is said of problems where they were raised, which it concerns, and what their issues hear."""


@pytest.mark.parametrize(("event", "keys", "command"), TOLD, ids=map(str, range(len(TOLD))))
def test_the_issue_of_a_problem_hears_what_became_of_it_there(
    event: Event, keys: tuple[str, ...], command: type[Command]
) -> None:
    record = recorded_elsewhere(event)

    sends = list(open_issues(record))

    kind = FOUND_IN[type(event)]
    assert [send.stream for send in sends] == [issue_of("stream-1", key, kind) for key in keys]
    for send, key in zip(sends, keys, strict=True):
        assert send.command is command
        assert send.body == {
            "source": {"kind": kind.value, "id": "stream-1"},
            "key": key,
            "event": str(record.id),
        }
        wire(command).model_validate_json(json.dumps(send.body))


def test_what_was_voided_before_it_said_what_it_had_raised_is_read_as_having_raised_nothing() -> (
    None
):
    for kind in (TalkVoided, MeetingVoided, ActivityVoided, InspectionVoided):
        assert list(open_issues(recorded_elsewhere(kind.model_validate({"reason": "…"})))) == []


def test_what_is_raised_says_all_an_issue_begins_with_and_no_more() -> None:
    asked = wire(OpenIssue).model_fields.keys() - {"sources", "parent", "occurred_at"}
    kinds: tuple[type[BaseModel], ...] = (ProposedIssue, Problem, *SOURCES)
    for kind in kinds:
        assert kind.model_fields.keys() - {"key", "parts", "description"} == asked - {"description"}


def test_the_policy_is_shown_what_it_opens_issues_of_and_what_becomes_of_it() -> None:
    shown = {type(event) for event, *_ in TOLD}
    assert set(opening.follows) == {CollationClosed, *SOURCES, *shown}
    assert list(open_issues(recorded(ProgressReported(text="…")))) == []

"""A problem raised in a talk, at a meeting, on a visit, by an inspection becomes an issue that knows it."""

from dataclasses import replace
from typing import Any, cast

import pytest

from services.campaign.events import InspectionFindingRaised
from services.feedback.events import CollationClosed, ProposedIssue
from services.meetings.events import MeetingProblemRaised
from services.rectification import queries as q
from services.rectification.app import service
from services.rectification.domain.issue import SourceAsked, VoidIssue, decider
from services.rectification.events import SourceKind
from services.rectification.policy import opening
from services.rectification.queries import issue_facts
from services.study.events import ActivityProblemRaised
from services.talks.events import TalkProblemRaised
from shared.decider import Event, PersonId
from tests.memory import TOWN, Works, record, works
from tests.rectification.cast import COLLATOR, NOON, ORIGINATOR, OWNER, SUPERVISOR, by, opened
from tests.rectification.memory import caller
from tests.rectification.test_facts import AGAIN, WITH_A_DUPLICATE, facts, open_issue

SAID: dict[str, Any] = {
    "key": "hot-water",
    "title": opened.title,
    "addressee": "team",
    "person": None,
    "winds": ["bureaucratism"],
    "not_four_winds": False,
    "topics": [],
    "discovery": "peer_raised",
    "key_issue": False,
    "strongly_reflected": False,
}
RAISED: dict[SourceKind, Event] = {
    SourceKind.talk: TalkProblemRaised.model_validate(SAID),
    SourceKind.meeting: MeetingProblemRaised.model_validate(SAID),
    SourceKind.visit: ActivityProblemRaised.model_validate(SAID),
    SourceKind.inspection: InspectionFindingRaised.model_validate(SAID),
}
COLLATED = CollationClosed(issues=(ProposedIssue.model_validate({**SAID, "parts": []}),))


async def raised(event: Event, who: PersonId = OWNER) -> tuple[Works, str]:
    """The service after it has seen an event and opened the issue of it, and that issue."""
    at = await works(service, WITH_A_DUPLICATE)
    at.runtime._commands = service.commands()
    at.pages.log.append(record(event, "stream-1", 1, by=who, noon=NOON))
    await at.look()
    await at.runtime._react(opening, at.pages.log[0])
    await at.look()
    assert at.kept("parked") == {}
    return at, at.pages.log[1].stream


@pytest.mark.parametrize("event", [COLLATED, *RAISED.values()], ids=lambda event: event.TYPE)
@pytest.mark.parametrize(("who", "entry"), [(SUPERVISOR, SUPERVISOR), (ORIGINATOR, AGAIN)])
async def test_whoever_raised_it_is_behind_what_a_service_opened(
    event: Event, who: PersonId, entry: PersonId
) -> None:
    at, issue = await raised(event, entry)
    state = decider.fold(cast("Any", r.event) for r in at.pages.log[1:])
    void = by(COLLATOR, VoidIssue, reason="重复录入", stream=issue)
    found = await issue_facts(void, replace(at.runtime.desk(TOWN, NOON), state=state))
    assert found.behind == who


@pytest.mark.parametrize("kind", RAISED)
async def test_its_biography_begins_where_it_was_raised_and_tells_nothing_else_of_there(
    kind: SourceKind,
) -> None:
    at, issue = await raised(RAISED[kind])
    other = RAISED[kind].model_copy(update={"key": "power"})
    at.pages.log.append(record(other, "stream-1", 3, by=OWNER, noon=NOON, version=2))
    query = q.IssueBiography(id=issue)
    told = await q.biography(query, at.runtime.desk(TOWN, NOON), caller(OWNER))
    assert [(item["type"], item["actor"]) for item in told["items"]] == [
        (RAISED[kind].TYPE, OWNER),
        (opened.TYPE, "service:rectification"),
    ]
    assert told["items"][1]["on_behalf_of"] == OWNER


@pytest.mark.parametrize("kind", [*RAISED, SourceKind.issue])
async def test_nobody_can_say_it_comes_from_what_is_not_in_the_log(kind: SourceKind) -> None:
    of_it = open_issue(SourceAsked(kind=kind, id="stream-1"), who=OWNER)
    assert (await facts(of_it)).unknown == {"stream-1"}
    for other, event in {**RAISED, SourceKind.issue: opened}.items():
        unknown = set() if other is kind else {"stream-1"}
        assert (await facts(of_it, unseen=(("stream-1", event),))).unknown == unknown


async def test_what_comes_from_above_is_in_no_log() -> None:
    letter = open_issue(SourceAsked(kind=SourceKind.superior, id="letter-1"), who=OWNER)
    assert (await facts(letter)).unknown == frozenset()

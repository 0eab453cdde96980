"""What the rules of an issue are told of the world, from views and log."""

from dataclasses import replace
from typing import Any, cast

from services.campaign.roster import Roster
from services.feedback.events import (
    Channel,
    CollatedOpinion,
    CollationOpened,
    OpinionSubmitted,
)
from services.rectification.app import service
from services.rectification.domain.issue import (
    ClaimIssue,
    Facts,
    MergeIssue,
    OpenIssue,
    RecordVerdict,
    SourceAsked,
    VoidIssue,
    decider,
)
from services.rectification.events import IssueMerged, Satisfied, Solved, SourceKind
from services.rectification.queries import issue_facts
from shared.decider import Command, Event, PersonId
from tests.memory import TOWN, log, works
from tests.rectification.cast import (
    COLLATOR,
    NOON,
    ORIGINATOR,
    OWNER,
    SCHOOL,
    by,
    opened,
)

SERVICE = PersonId("service:rectification")
AGAIN = PersonId(f"{ORIGINATOR}-2")
TWICE = SCHOOL.roster.people[ORIGINATOR].model_copy(update={"merged_into": ORIGINATOR})
WITH_A_DUPLICATE = SCHOOL.model_copy(
    update={"roster": Roster(people={**SCHOOL.roster.people, AGAIN: TWICE})}
)

said = OpinionSubmitted(
    verbatim_text="四楼没有热水",
    salt="…",
    verbatim_sha256="0" * 64,
    length=6,
    channel=Channel.wechat,
    submitted_by=AGAIN,
)
collating = CollationOpened(
    opinions=(CollatedOpinion(opinion="opinion-1", length=6),), collator=COLLATOR
)
FEEDBACK = (("opinion-1", said), ("opinion-2", said), ("collation-1", collating))


async def facts(command: Command, *entries: Any, unseen: tuple[Any, ...] = ()) -> Facts:
    """The facts of a command after a log, the last entries of which the views have not seen."""
    at = await works(service, WITH_A_DUPLICATE)
    past = log(*entries, *unseen, by=COLLATOR, noon=NOON)
    at.pages.log.extend(past[: len(entries)])
    await at.look()
    at.pages.log.extend(past[len(entries) :])
    state = decider.fold(cast("Any", r.event) for r in past if r.stream == command.stream)
    return await issue_facts(
        cast("Any", command), replace(at.runtime.desk(TOWN, NOON), state=state)
    )


def open_issue(*sources: SourceAsked, who: PersonId = COLLATOR) -> OpenIssue:
    said = {name: getattr(opened, name) for name in ("title", "addressee", "winds", "discovery")}
    return by(who, OpenIssue, **said, sources=sources)


# -- What an issue is made of ---------------------------------------------------------------------


async def test_opinions_and_collations_are_known_once_feedback_told_of_them() -> None:
    known = SourceAsked(kind=SourceKind.collation, id="collation-1", opinions=("opinion-1",))
    strange = SourceAsked(kind=SourceKind.collation, id="collation-9", opinions=("opinion-9",))
    above = SourceAsked(kind=SourceKind.superior, id="letter", opinions=("opinion-2", "opinion-8"))
    assert (await facts(open_issue(known), *FEEDBACK)).unknown == frozenset()
    found = await facts(open_issue(known, strange, above), *FEEDBACK)
    assert found.unknown == {"collation-9", "opinion-9", "opinion-8"}


async def test_what_a_service_read_in_the_log_is_not_asked_of_views_that_come_later() -> None:
    source = SourceAsked(kind=SourceKind.collation, id="collation-1", opinions=("opinion-1",))
    found = await facts(open_issue(source, who=SERVICE), unseen=FEEDBACK)
    assert found.unknown == frozenset()


async def test_nobody_else_is_behind_what_a_person_opened() -> None:
    void = by(OWNER, VoidIssue, reason="重复录入")
    assert (await facts(void, *FEEDBACK, ("issue-1", opened))).behind is None


async def test_what_somebody_said_under_a_duplicate_entry_was_said_by_them() -> None:
    judge = by(ORIGINATOR, RecordVerdict, solved=Solved.solved, satisfied=Satisfied.satisfied)
    assert (await facts(judge, *FEEDBACK, ("issue-1", opened))).voiced == {"opinion-1", "opinion-2"}


# -- Where an issue is merged to ------------------------------------------------------------------


def merged(issue: str, into: str) -> tuple[str, Event]:
    return issue, IssueMerged(into=into, reason="相同")


ISSUES = tuple((f"issue-{n}", opened) for n in (1, 2, 3, 4))


async def test_an_issue_merged_a_moment_ago_takes_no_other_whatever_the_views_say() -> None:
    merge = by(COLLATOR, MergeIssue, into="issue-2", reason="相同")
    assert (await facts(merge, *ISSUES)).other == "open"
    assert (await facts(merge, *ISSUES, merged("issue-2", "issue-3"))).other == "closed"
    assert (await facts(merge, *ISSUES, unseen=(merged("issue-2", "issue-1"),))).other == "closed"


async def test_a_circle_is_one_of_two_or_more_that_leads_back() -> None:
    claim, merge = by(OWNER, ClaimIssue), by(COLLATOR, MergeIssue, into="issue-4", reason="相同")
    chain = (*ISSUES, merged("issue-1", "issue-2"), merged("issue-2", "issue-3"))
    for command in (claim, merge):
        assert not (await facts(command, *ISSUES)).circle
        assert not (await facts(command, *chain)).circle
        assert (await facts(command, *chain, merged("issue-3", "issue-1"))).circle
        beside = (*chain, merged("issue-3", "issue-2"))
        assert not (await facts(command, *beside)).circle
        left = (*chain, merged("issue-3", "issue-1"), merged("issue-3", "issue-4"))
        assert not (await facts(command, *left)).circle

"""Who sees how much of an issue, page by page; and the facts the rules are given."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from services.campaign.events import Role
from services.feedback import queries as feedback
from services.feedback.events import (
    CollatedOpinion,
    CollationClosed,
    CollationOpened,
    CollationVoided,
    MessageSent,
    OpinionAcknowledged,
    OpinionCorrected,
    OpinionPart,
    OpinionRedacted,
    OpinionSubmitted,
    OpinionWithdrawn,
    ProposedIssue,
    RedactionMode,
    TargetKind,
    TextRange,
)
from services.rectification import queries as q
from services.rectification.app import service
from services.rectification.domain.issue import (
    DESK,
    ClaimIssue,
    MergeIssue,
    OpenIssue,
    RaiseObjection,
    RecordVerdict,
    StrikeOff,
    decider,
)
from services.rectification.domain.plan import AdoptRectificationPlan
from services.rectification.domain.regulation import DraftRegulation
from services.rectification.events import (
    IssueMerged,
    IssueOpened,
    PlanLine,
    PlanLineSet,
    RectificationPlanDrafted,
    RegulationDrafted,
    Satisfied,
    Solved,
    Source,
    SourceKind,
    VerdictRecorded,
)
from shared.callers import UnknownSchool
from shared.decider import Command, Event, NotFound, PersonId
from shared.marks import TOKEN_PREFIX
from shared.privacy import SEALED
from shared.runtime import Desk, Invalid, _page
from tests.rectification.cast import (
    COLLATOR,
    LEADER,
    MEMBER,
    ON_NOTICE,
    ORIGINATOR,
    OWNED,
    OWNER,
    RECEIPT,
    REVIEWER,
    SCHOOL,
    STAGES,
    STRANGER,
    STRUCK_OFF,
    SUPERVISOR,
    TODAY,
    about_member,
    after,
    by,
    objected,
    opened,
    opened_about_member,
)
from tests.rectification.everything import ISSUE_COMMANDS, PLAN_COMMANDS, REGULATION_COMMANDS
from tests.rectification.memory import after as desk_after
from tests.rectification.memory import caller, lived

TEACHER = STRANGER
ANOTHER = PersonId("xie-fang")
OPERATOR = PersonId("operator:deployment")
OTHER_RECEIPT = PersonId("originator:opinion-2")


def sealed(name: str) -> str:
    """A text as the log holds it: nobody here has its key."""
    return f"{TOKEN_PREFIX}opinion.opinion-1~{name}~box"


def said(person: PersonId | None = ORIGINATOR, **more: Any) -> OpinionSubmitted:
    fields: dict[str, Any] = {
        "verbatim_text": sealed("verbatim_text"),
        "salt": sealed("salt"),
        "verbatim_sha256": "8a" * 32,
        "length": 20,
        "channel": "suggestion_box",
        "sitting": sealed("sitting"),
        "voiced_by": sealed("voiced_by"),
        "contact": sealed("contact"),
        "submitted_by": person,
    }
    return OpinionSubmitted.model_validate({**fields, **more})


def made_of(*opinions: str, base: IssueOpened = opened, collation: str = "collation-1") -> Event:
    source = Source(kind=SourceKind.collation, id=collation, opinions=opinions)
    return base.model_copy(update={"sources": (source,)})


verdict = VerdictRecorded(
    originator=ORIGINATOR,
    solved=Solved.unsolved,
    satisfied=Satisfied.dissatisfied,
    comment=sealed("comment"),
)
objection = objected.model_copy(update={"objector": ORIGINATOR, "text": sealed("text")})


def hidden(mode: RedactionMode) -> OpinionRedacted:
    return OpinionRedacted(ranges=(TextRange(start=0, end=3),), mode=mode, reason=sealed("reason"))


# -- The ledger ------------------------------------------------------------------------------------

JUDGED = lived("issue-1", *STRUCK_OFF[:-1], objection, STRUCK_OFF[-1], verdict)
JUDGED_PERSONAL = lived("issue-1", *about_member((*STRUCK_OFF, verdict, objection)))


async def verdict_seen(desk: Desk, person: PersonId) -> tuple[Any, Any, Any]:
    line = await q.ledger_line(q.Issue(id="issue-1"), desk, caller(person))
    (one,) = line["verdicts"]
    return one["originator"], one["comment"], line["objection"]


@pytest.mark.parametrize(
    ("person", "name", "words"),
    [
        (COLLATOR, True, True),
        (REVIEWER, True, True),
        (SUPERVISOR, True, True),
        (LEADER, False, True),
        (OWNER, False, True),
        (MEMBER, False, False),
        (TEACHER, False, False),
        (OPERATOR, False, False),
        (OTHER_RECEIPT, False, False),
    ],
)
async def test_who_judged_is_for_confidants_and_what_they_wrote_for_desk_and_owner(
    person: PersonId, *, name: bool, words: bool
) -> None:
    desk = await desk_after(*JUDGED, ("issue-1", objection))
    who, comment, objecting = await verdict_seen(desk, person)
    assert who == (ORIGINATOR if name else None)
    assert comment == (verdict.comment if words else SEALED)
    assert objecting == (objection.text if words else SEALED)


async def test_everybody_sees_their_own_verdict() -> None:
    desk = await desk_after(*JUDGED)
    assert (await verdict_seen(desk, ORIGINATOR))[:2] == (ORIGINATOR, verdict.comment)


@pytest.mark.parametrize("person", [MEMBER, OWNER, TEACHER])
async def test_whom_an_issue_is_about_learns_neither_who_judged_it_nor_what_they_wrote(
    person: PersonId,
) -> None:
    desk = await desk_after(*JUDGED_PERSONAL)
    assert await verdict_seen(desk, person) == (None, SEALED, SEALED)


@pytest.mark.parametrize("person", [LEADER, REVIEWER])
async def test_not_even_when_they_are_of_the_desk(person: PersonId) -> None:
    about_them = made_of(
        "opinion-1", base=opened_about_member.model_copy(update={"person": person})
    )
    desk = await desk_after(*lived("issue-1", about_them, *STRUCK_OFF[1:], verdict, objection))
    assert await verdict_seen(desk, person) == (None, SEALED, SEALED)
    assert await verdict_seen(desk, COLLATOR) == (ORIGINATOR, verdict.comment, objection.text)


async def listed(desk: Desk, **filters: Any) -> list[str]:
    found = await q.ledger_lines(q.Issues(**filters), desk, caller(COLLATOR))
    return [item["id"] for item in found["items"]]


EVERY_STAGE = [e for name, past in STAGES.items() for e in lived(name.replace(" ", "-"), *past)]


async def much_later() -> Desk:
    """Every stage once, long after every deadline."""
    desk = await desk_after(*EVERY_STAGE)
    return replace(desk, at=datetime(2030, 1, 1, tzinfo=UTC))


async def test_what_is_overdue_is_what_the_ladder_climbs_for() -> None:
    desk = await much_later()
    late = ["open", "owned", "planned", "underway", "long-term"]
    assert await listed(desk, overdue=True) == late
    assert (await q.summary(q.IssueSummary(), desk, caller(COLLATOR)))["overdue"] == late
    assert not set(await listed(desk, overdue=False)) & set(late)
    assert len(await listed(desk, overdue=False)) == len(STAGES) - 1 - len(late)


async def test_overdue_goes_with_any_other_filter() -> None:
    desk = await much_later()
    assert await listed(desk, overdue=True, stage="long_term") == ["long-term"]
    assert await listed(desk, overdue=True, stage="verified") == []
    assert await listed(desk, overdue=False, stage="verified") == ["verified"]
    assert await listed(desk, overdue=True, live=True) == ["open", "owned", "planned", "underway"]
    assert await listed(desk, overdue=True, live=False) == ["long-term"]


async def test_nothing_is_overdue_before_its_deadline() -> None:
    desk = await desk_after(*EVERY_STAGE)
    assert await listed(desk, overdue=True) == []
    assert (await q.summary(q.IssueSummary(), desk, caller(COLLATOR)))["overdue"] == []


async def test_the_ledger_is_given_in_pages_and_by_its_columns() -> None:
    desk = await desk_after(*EVERY_STAGE)
    first = await q.ledger_lines(q.Issues(limit=2), desk, caller(TEACHER))
    assert [item["id"] for item in first["items"]] == ["open", "owned"]
    rest = await q.ledger_lines(q.Issues(after=first["next"]), desk, caller(TEACHER))
    assert rest["items"][0]["id"] == "planned"
    assert rest["next"] is None
    assert await listed(desk, stage="merged") == ["merged"]
    assert len(await listed(desk, live=True)) == 7
    assert len(await listed(desk, owner=OWNER, live=True)) == 6


@pytest.mark.parametrize("column", q.SORTS)
@pytest.mark.parametrize("way", ["", "-"])
async def test_the_ledger_is_put_in_order_by_a_column_page_by_page(column: str, way: str) -> None:
    desk = await desk_after(*EVERY_STAGE)
    pages: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        asked = q.Issues(sort=f"{way}{column}", limit=3, after=after)
        found = await q.ledger_lines(asked, desk, caller(COLLATOR))
        pages += found["items"]
        after = found["next"]
    whole = await q.ledger_lines(q.Issues(sort=f"{way}{column}"), desk, caller(COLLATOR))
    assert pages == whole["items"]
    assert sorted(line["opened"] for line in pages) == sorted(
        line["opened"]
        for line in (await q.ledger_lines(q.Issues(), desk, caller(COLLATOR)))["items"]
    )
    values = [_value(line, q.SORTS[column]) for line in pages]
    assert values == sorted(values, key=lambda v: (v is not None, v), reverse=bool(way))


def _value(line: Any, path: str) -> Any:
    for part in path.split("."):
        line = line[part] if line else None
    return line


async def test_a_place_in_an_order_is_a_line_of_the_ledger() -> None:
    desk = await desk_after(*EVERY_STAGE)
    with pytest.raises(Invalid):
        await q.ledger_lines(q.Issues(sort="due", after=10**9), desk, caller(COLLATOR))
    with pytest.raises(ValidationError):
        q.Issues(sort="title")


async def test_every_column_of_the_ledger_is_a_filter() -> None:
    desk = await desk_after(*EVERY_STAGE)
    lines = (await q.ledger_lines(q.Issues(), desk, caller(COLLATOR)))["items"]

    async def same(wanted: Callable[[Any], bool], **filters: Any) -> None:
        expected = [line["id"] for line in lines if wanted(line)]
        assert 0 < len(expected) < len(lines) or filters.keys() & {"discovery", "topic", "origin"}
        assert await listed(desk, **filters) == expected, filters

    one = lines[0]
    await same(lambda d: d["discovery"] == one["discovery"], discovery=one["discovery"])
    await same(lambda d: one["topics"][0] in d["topics"], topic=one["topics"][0])
    kind = one["sources"][0]["kind"]
    await same(lambda d: kind in [s["kind"] for s in d["sources"]], origin=kind)
    leader = next(d["accountable_leader"] for d in lines if d["accountable_leader"])
    await same(lambda d: d["accountable_leader"] == leader, leader=leader)
    await same(lambda d: d["verified_at"], verified_since=TODAY)
    await same(lambda d: d["struck_off_at"], struck_off_until=TODAY + timedelta(days=90))
    due = sorted(d["due"]["on"] for d in lines if d["due"])
    await same(lambda d: d["due"] and d["due"]["on"] <= due[0], due_until=due[0])
    await same(lambda d: d["due"] and d["due"]["on"] >= due[-1], due_since=due[-1])
    assert await listed(desk, discovery="self_found", topic="finance") == []
    assert await listed(desk, extended=True) == [d["id"] for d in lines if d["extensions"]]
    assert await listed(desk, returned=False) == [d["id"] for d in lines if not d["returned"]]


async def test_a_day_of_the_ledger_is_the_schools_day() -> None:
    desk = await desk_after(("a", opened))
    [line] = (await q.ledger_lines(q.Issues(), desk, caller(COLLATOR)))["items"]
    day = SCHOOL.day(datetime.fromisoformat(line["found_at"]))
    midnight = q._midnight(TODAY, SCHOOL)
    assert midnight == "2023-05-08T16:00:00"
    assert midnight < "2023-05-08T16:00:00.000001Z"
    assert midnight > "2023-05-08T15:59:59.999999Z"
    for since, until, found in ((0, 0, ["a"]), (1, 1, []), (-1, -1, []), (-1, 1, ["a"])):
        span = {
            "found_since": day + timedelta(days=since),
            "found_until": day + timedelta(days=until),
        }
        assert await listed(desk, **span) == found


async def test_people_and_units_of_the_ledger_are_named() -> None:
    desk = await desk_after(*EVERY_STAGE)
    found = await q.ledger_lines(q.Issues(), desk, caller(TEACHER))
    assert found["names"][OWNER] == SCHOOL.roster.people[OWNER].name
    departments = {d["responsible_department"] for d in found["items"]} - {None}
    assert departments & SCHOOL.units.keys() <= found["names"].keys()


async def test_the_sums_say_what_somebody_has_to_look_at() -> None:
    desk = await desk_after(*EVERY_STAGE, ("struck-off", verdict))
    found = await q.summary(q.IssueSummary(), desk, caller(TEACHER))
    assert found["total"] == len(STAGES) - 1
    assert found["by_stage"]["long_term"] == 1
    assert found["unclaimed"] == ["open"]
    assert found["solved_not_struck_off"] == ["verified", "on-notice"]
    assert found["verdicts"] == {"unsolved": 1}


# -- Merged on and on ------------------------------------------------------------------------------


def merged(into: str) -> IssueMerged:
    return IssueMerged(into=into, reason="~")


CHAIN = [
    ("opinion-1", said(None, anonymous=True)),
    ("opinion-2", said(ORIGINATOR)),
    ("issue-a", made_of("opinion-1")),
    ("issue-b", made_of("opinion-2")),
    ("issue-a", merged("issue-b")),
    ("issue-b", merged("issue-c")),
    *lived("issue-c", made_of("opinion-3"), *STRUCK_OFF[1:]),
]
"""A into B into C; C is struck off."""


@pytest.mark.parametrize("person", [RECEIPT, OTHER_RECEIPT])
async def test_an_originator_follows_their_issue_wherever_it_was_merged(person: PersonId) -> None:
    desk = await desk_after(*CHAIN)
    line = await q.ledger_line(q.Issue(id="issue-c"), desk, caller(person))
    assert line["stage"] == "struck_off"
    told = await q.biography(q.IssueBiography(id="issue-c", limit=200), desk, caller(person))
    assert {item["stream"] for item in told["items"]} == {
        "issue.issue-a", "issue.issue-b", "issue.issue-c", f"opinion.{told['opinions'][0]}",
    }  # fmt: skip
    assert told["opinions"] == [person.removeprefix("originator:")]


async def test_who_said_nothing_about_it_does_not_see_it_with_a_receipt() -> None:
    desk = await desk_after(*CHAIN)
    for query in (q.Issue(id="issue-a"), q.Issue(id="issue-9")):
        with pytest.raises(NotFound):
            await q.ledger_line(query, desk, caller(OTHER_RECEIPT))


async def test_issues_merged_in_a_circle_are_told_once() -> None:
    circle = [*CHAIN[:4], ("issue-a", merged("issue-b")), ("issue-b", merged("issue-a"))]
    desk = await desk_after(*circle)
    told = await q.biography(q.IssueBiography(id="issue-a"), desk, caller(COLLATOR))
    assert [item["position"] for item in told["items"]] == [1, 2, 3, 4, 5, 6]
    found = await q.became(q.OpinionIssues(id="opinion-1"), desk, caller(RECEIPT))
    assert [line["id"] for line in found["items"]] == ["issue-a", "issue-b"]


async def test_an_opinion_leads_to_every_issue_it_went_on_to() -> None:
    desk = await desk_after(*CHAIN)
    found = await q.became(q.OpinionIssues(id="opinion-1"), desk, caller(RECEIPT))
    assert [line["id"] for line in found["items"]] == ["issue-a", "issue-b", "issue-c"]
    for opinion, person in (("opinion-1", OTHER_RECEIPT), ("opinion-9", COLLATOR)):
        with pytest.raises(NotFound):
            await q.became(q.OpinionIssues(id=opinion), desk, caller(person))


@pytest.mark.parametrize("person", [RECEIPT, ORIGINATOR])
async def test_whoever_spoke_up_judges_the_issue_theirs_was_merged_into(person: PersonId) -> None:
    desk = await desk_after(*CHAIN)
    judge = by(
        person,
        RecordVerdict,
        stream="issue-c",
        solved=Solved.solved,
        satisfied=Satisfied.satisfied,
    )
    facts = await q.issue_facts(judge, desk)
    assert facts.inherited == {"opinion-1", "opinion-2"}
    assert isinstance(decider.decide(judge, after(*STRUCK_OFF), facts), VerdictRecorded)


# -- Biography -------------------------------------------------------------------------------------

COLLATED = CollationClosed(
    issues=(
        ProposedIssue.model_validate(
            {
                "key": "k",
                "title": sealed("title"),
                "parts": (OpinionPart(opinion="opinion-1"),),
                "addressee": "member",
                "person": MEMBER,
                "winds": (),
                "not_four_winds": True,
                "topics": (),
                "discovery": "raised_by_public",
                "key_issue": False,
                "strongly_reflected": False,
            }
        ),
    )
)


def life(*more: tuple[Any, ...], target: PersonId | None = None, **what: Any) -> list[Any]:
    """A personal issue from the spoken word to the verdict, told by two people."""
    aimed: dict[str, Any] = {"target_kind": TargetKind.member, "target": target} if target else {}
    base = opened_about_member.model_copy(update=what)
    return [
        ("opinion-1", said(**aimed), ORIGINATOR),
        ("opinion-2", said(ANOTHER), ANOTHER),
        ("opinion-1", OpinionAcknowledged(text=sealed("ack")), COLLATOR),
        ("opinion-1", MessageSent(text=sealed("text"), from_originator=True), ORIGINATOR),
        *more,
        ("collation-1", COLLATED),
        ("issue-1", made_of("opinion-1", "opinion-2", base=base)),
        *lived("issue-1", *ON_NOTICE[1:]),
        ("issue-1", objection, ORIGINATOR),
        ("issue-1", STRUCK_OFF[-1]),
        ("issue-1", verdict, ORIGINATOR),
    ]


async def told_to(person: PersonId, entries: list[Any]) -> dict[str, Any]:
    desk = await desk_after(*entries)
    query = q.IssueBiography(id="issue-1", limit=200)
    told = await q.biography(query, desk, caller(person))
    json.dumps(told)
    return told


def of(told: dict[str, Any], type_: str, stream: str = "") -> dict[str, Any]:
    return next(
        item for item in told["items"] if type_ in item["type"] and item["stream"].endswith(stream)
    )


async def test_everybody_learns_what_happened_when_and_by_whom_but_not_who_spoke_up() -> None:
    told = await told_to(TEACHER, life())
    assert [item["position"] for item in told["items"]] == list(range(1, len(life()) + 1))
    assert told["items"][0]["type"] == "feedback.opinion.submitted.v1"
    assert told["items"][-1]["type"] == "rectification.issue.verdict-recorded.v1"
    assert all(item["at"] and item["hash"] and item["actor"] for item in told["items"])
    claimed = of(told, "issue.claimed")
    assert (claimed["actor"], claimed["event"]["owner"]) == (COLLATOR, OWNER)


@pytest.mark.parametrize("person", [TEACHER, MEMBER, OWNER])
async def test_of_what_was_said_outsiders_learn_only_that_it_was(person: PersonId) -> None:
    told = await told_to(person, life(target=MEMBER))
    for item in told["items"]:
        if item["type"].startswith("feedback."):
            assert item["event"] == SEALED
    text = json.dumps(told)
    assert ORIGINATOR not in text
    assert ANOTHER not in text
    assert TOKEN_PREFIX not in text
    assert of(told, "opinion.submitted")["actor"] == "originator"
    assert of(told, "opinion.acknowledged")["actor"] == COLLATOR
    assert of(told, "message-sent")["actor"] == "originator"
    judged, objecting = of(told, "verdict-recorded"), of(told, "objection-raised")
    assert (judged["actor"], judged["event"]["originator"]) == ("originator", None)
    assert (objecting["actor"], objecting["event"]["objector"]) == ("objector", None)
    assert judged["event"]["comment"] == objecting["event"]["text"] == SEALED
    assert judged["event"]["solved"] == "unsolved"


@pytest.mark.parametrize("person", [COLLATOR, REVIEWER, SUPERVISOR])
async def test_confidants_learn_who_said_what(person: PersonId) -> None:
    told = await told_to(person, life(target=MEMBER))
    spoken = of(told, "opinion.submitted", "opinion-1")
    assert spoken["actor"] == spoken["event"]["submitted_by"] == ORIGINATOR
    assert spoken["event"]["verbatim_text"] == sealed("verbatim_text")
    assert spoken["event"]["voiced_by"] == sealed("voiced_by")
    assert of(told, "verdict-recorded")["event"]["originator"] == ORIGINATOR
    assert of(told, "objection-raised")["actor"] == ORIGINATOR


async def test_nobody_at_all_is_given_the_salt() -> None:
    for person in (COLLATOR, ORIGINATOR, TEACHER):
        told = await told_to(person, life())
        assert sealed("salt") not in json.dumps(told)


async def assert_words_without_names(person: PersonId, entries: list[Any]) -> dict[str, Any]:
    told = await told_to(person, entries)
    spoken = of(told, "opinion.submitted", "opinion-1")
    assert spoken["event"]["verbatim_text"] == sealed("verbatim_text")
    assert (spoken["event"]["submitted_by"], spoken["actor"]) == (None, "originator")
    assert spoken["event"]["voiced_by"] == spoken["event"]["contact"] == SEALED
    assert of(told, "message-sent")["actor"] == "originator"
    assert ORIGINATOR not in json.dumps(told)
    return told


async def test_a_principal_leader_reads_the_words_and_not_who_said_them() -> None:
    told = await assert_words_without_names(LEADER, life())
    assert of(told, "verdict-recorded")["event"]["comment"] == verdict.comment


async def test_a_clerk_whom_it_is_about_learns_no_names_and_no_judgement() -> None:
    told = await assert_words_without_names(REVIEWER, life(person=REVIEWER))
    assert of(told, "verdict-recorded")["event"]["comment"] == SEALED
    assert of(told, "objection-raised")["event"]["text"] == SEALED


async def test_a_clerk_whom_an_opinion_was_aimed_at_learns_no_names() -> None:
    entries = life(target=REVIEWER)
    told = await told_to(REVIEWER, entries)
    spoken = of(told, "opinion.submitted", "opinion-1")
    assert (spoken["event"]["submitted_by"], spoken["actor"]) == (None, "originator")
    assert spoken["event"]["voiced_by"] == SEALED
    corrected = OpinionCorrected.model_validate(
        {"channel": "wechat", "target_kind": "member", "target": REVIEWER, "reason": "~"}
    )
    told = await told_to(REVIEWER, life(("opinion-1", corrected)))
    assert of(told, "opinion.submitted", "opinion-1")["actor"] == "originator"


async def test_merging_does_not_tell_them_either() -> None:
    entries = [
        *life(person=REVIEWER)[:7],
        ("issue-1", merged("issue-2")),
        *lived("issue-2", made_of("opinion-3"), *STRUCK_OFF[1:], verdict),
    ]
    desk = await desk_after(*entries)
    query = q.IssueBiography(id="issue-2", limit=200)
    assert ORIGINATOR not in json.dumps(await q.biography(query, desk, caller(REVIEWER)))
    assert ORIGINATOR in json.dumps(await q.biography(query, desk, caller(COLLATOR)))


async def test_which_clerk_wrote_it_down_is_no_secret_and_whom_they_heard_is() -> None:
    written = ("opinion-1", said(COLLATOR, recorded_by_clerk=True), COLLATOR)
    told = await told_to(LEADER, [written, *life()[5:]])
    spoken = of(told, "opinion.submitted", "opinion-1")
    assert spoken["actor"] == spoken["event"]["submitted_by"] == COLLATOR
    assert spoken["event"]["voiced_by"] == SEALED
    assert (
        of(await told_to(TEACHER, [written, *life()[5:]]), "opinion.submitted")["event"] == SEALED
    )


async def test_an_originator_reads_their_own_words_and_nobody_elses() -> None:
    told = await told_to(ORIGINATOR, life())
    own, other = (of(told, "opinion.submitted", f"opinion-{n}") for n in (1, 2))
    assert own["event"]["verbatim_text"] == sealed("verbatim_text")
    assert own["event"]["voiced_by"] == sealed("voiced_by")
    assert own["actor"] == ORIGINATOR
    assert (other["event"], other["actor"]) == (SEALED, "originator")
    assert of(told, "verdict-recorded")["event"]["comment"] == verdict.comment
    assert of(told, "objection-raised")["event"]["objector"] == ORIGINATOR
    assert of(told, "collation.closed")["event"] == SEALED
    another = await told_to(ANOTHER, life())
    assert of(another, "opinion.submitted", "opinion-1")["event"] == SEALED
    assert of(another, "verdict-recorded")["event"]["comment"] == SEALED


async def test_with_a_receipt_one_reads_ones_own_words_and_verdict_only() -> None:
    own_verdict = verdict.model_copy(update={"originator": RECEIPT, "comment": sealed("own")})
    entries = life()
    entries[0] = ("opinion-1", said(None, anonymous=True), PersonId("anonymous"))
    told = await told_to(RECEIPT, [*entries, ("issue-1", own_verdict, RECEIPT)])
    assert told["opinions"] == ["opinion-1"]
    assert [i["stream"] for i in told["items"] if "submitted" in i["type"]] == ["opinion.opinion-1"]
    assert of(told, "opinion.submitted")["event"]["verbatim_text"] == sealed("verbatim_text")
    others, own = (i["event"] for i in told["items"] if "verdict" in i["type"])
    assert (others["originator"], others["comment"]) == (None, SEALED)
    assert (own["originator"], own["comment"]) == (RECEIPT, sealed("own"))


@pytest.mark.parametrize("mode", RedactionMode)
@pytest.mark.parametrize("person", [COLLATOR, LEADER, SUPERVISOR, ORIGINATOR])
async def test_words_of_which_something_was_hidden_are_read_in_feedback_only(
    person: PersonId, mode: RedactionMode
) -> None:
    told = await told_to(person, life(("opinion-1", hidden(mode))))
    assert of(told, "opinion.submitted", "opinion-1")["event"]["verbatim_text"] == SEALED
    assert sealed("verbatim_text") not in json.dumps(
        [i for i in told["items"] if "-1" in i["stream"]]
    )


async def test_a_withdrawn_word_is_not_told_to_everybody() -> None:
    withdrawn = OpinionWithdrawn(reason=sealed("reason"))
    entries = life(("opinion-1", withdrawn, ORIGINATOR))
    assert of(await told_to(TEACHER, entries), "withdrawn")["event"] == SEALED
    assert of(await told_to(LEADER, entries), "withdrawn")["actor"] == "originator"


async def test_a_biography_is_not_for_the_operator() -> None:
    assert "operator" not in q.IssueBiography.allowed


async def test_the_desk_sees_of_a_collation_what_concerns_the_issue() -> None:
    begun = CollationOpened(
        opinions=tuple(CollatedOpinion(opinion=f"opinion-{n}", length=9) for n in (1, 2, 7)),
        collator=COLLATOR,
    )
    other = COLLATED.issues[0].model_copy(update={"parts": (OpinionPart(opinion="opinion-7"),)})
    closed = CollationClosed(issues=(*COLLATED.issues, other))
    told = await told_to(LEADER, [("collation-1", begun), ("collation-1", closed), *life()])
    assert [o["opinion"] for o in of(told, "collation.opened")["event"]["opinions"]] == [
        "opinion-1", "opinion-2",
    ]  # fmt: skip
    assert len(of(told, "collation.closed")["event"]["issues"]) == 1


@pytest.mark.parametrize("person", [COLLATOR, TEACHER, RECEIPT])
async def test_a_life_whose_collation_was_voided_is_told_all_the_same(person: PersonId) -> None:
    voided = CollationVoided(opinions=("opinion-1", "opinion-7"), reason=sealed("reason"))
    told = await told_to(person, [*life(), ("collation-1", voided)])
    event = of(told, "collation.voided")["event"]
    assert event == (
        {"opinions": ["opinion-1"], "reason": voided.reason} if person == COLLATOR else SEALED
    )


async def test_a_long_life_is_told_page_by_page() -> None:
    desk = await desk_after(*life())
    whole: list[int] = []
    cursor: int | None = 0
    while cursor is not None:
        query = q.IssueBiography(id="issue-1", after=cursor, limit=4)
        page = await q.biography(query, desk, caller(COLLATOR))
        assert len(page["items"]) <= 4
        whole += [item["position"] for item in page["items"]]
        cursor = page["next"]
    assert whole == list(range(1, len(life()) + 1))


async def test_a_page_with_long_texts_is_cut_to_fit_one_message_and_goes_on_from_there() -> None:
    long = MessageSent(text="长" * 20_000, from_originator=False)
    desk = await desk_after(*life(*(("opinion-1", long, COLLATOR) for _ in range(20))))
    query = q.IssueBiography(id="issue-1", limit=200)
    page = _page(await q.biography(query, desk, caller(COLLATOR)))
    assert len(json.dumps(page, ensure_ascii=False).encode()) < 300 * 1024
    rest = await q.biography(
        q.IssueBiography(id="issue-1", after=page["next"], limit=200), desk, caller(COLLATOR)
    )
    assert rest["items"][0]["position"] == page["items"][-1]["position"] + 1


def test_the_desk_reads_and_the_confidants_know_what_they_do_in_feedback() -> None:
    assert feedback.READERS == DESK
    assert feedback.CONFIDANTS == q.CONFIDANTS
    assert Role.principal_leader not in q.CONFIDANTS


# -- Plans, regulations ----------------------------------------------------------------------------

DRAFTED = RectificationPlanDrafted(campaign="campaign-1", title="方案", drafted_by=MEMBER)
LINE = PlanLine(issue="open", task="更换", owner=OWNER, begins_on=TODAY, due_on=TODAY)
UNCOVERED = [
    "awaiting-verification", "long-term", "on-notice", "owned", "planned", "underway", "verified",
]  # fmt: skip
"""Every team issue that has not ended, but the one the plan has a line for."""


async def test_a_plan_lists_the_team_issues_it_still_has_to_cover() -> None:
    plan_ = [("plan-1", DRAFTED), ("plan-1", PlanLineSet(line=LINE))]
    desk = await desk_after(*EVERY_STAGE, *plan_, *lived("personal", *about_member(OWNED)))
    found = await q.all_plans(q.RectificationPlans(), desk, caller(TEACHER))
    (item,) = found["items"]
    assert (item["id"], item["title"], item["version"]) == ("plan-1", "方案", 2)
    assert item["uncovered_now"] == UNCOVERED


async def test_what_a_plan_is_told_to_cover_is_what_it_is_shown_not_to_cover() -> None:
    desk = await desk_after(*EVERY_STAGE, *lived("personal", *about_member(OWNED)))
    facts = await q.plan_facts(by(LEADER, AdoptRectificationPlan, stream="plan-1"), desk)
    assert facts.team_issues == {*UNCOVERED, "open"}
    assert facts.issues == {*UNCOVERED, "open", "personal"}


async def test_regulations_are_listed_by_stage() -> None:
    written = RegulationDrafted(title="办法", text="第一条", answers=(), drafted_by=OWNER)
    desk = await desk_after(("regulation-1", written))
    found = await q.all_regulations(q.Regulations(stage="drafted"), desk, caller(TEACHER))
    assert [item["id"] for item in found["items"]] == ["regulation-1"]
    found = await q.all_regulations(q.Regulations(stage="adopted"), desk, caller(TEACHER))
    assert found == {"items": [], "next": None}


@pytest.mark.parametrize("kind", SourceKind)
async def test_a_regulation_answers_issues_of_every_source_and_shows_where_they_came_from(
    kind: SourceKind,
) -> None:
    source = Source(kind=kind, id="somewhere", opinions=("opinion-1",))
    found_there = opened.model_copy(update={"sources": (source,)})
    draft = by(OWNER, DraftRegulation, title="~", text="~", answers=("issue-1",))
    desk = await desk_after(*lived("issue-1", found_there, *STRUCK_OFF[1:]))
    assert (await q.regulation_facts(draft, desk)).issues == {"issue-1"}
    written = RegulationDrafted(
        title="办法", text="第一条", answers=("issue-1", "issue-9"), drafted_by=OWNER
    )
    desk = await desk_after(*lived("issue-1", found_there, *STRUCK_OFF[1:]), ("r-1", written))
    (item,) = (await q.all_regulations(q.Regulations(), desk, caller(TEACHER)))["items"]
    assert item["issues"] == [
        {
            "id": "issue-1",
            "title": opened.title,
            "addressee": "team",
            "person": None,
            "stage": "struck_off",
            "merged_into": None,
            "sources": [{"kind": kind, "id": "somewhere"}],
        }
    ]


async def test_a_regulation_shows_where_an_issue_it_answers_was_merged() -> None:
    written = RegulationDrafted(title="办法", text="~", answers=("issue-a",), drafted_by=OWNER)
    desk = await desk_after(*CHAIN, ("regulation-1", written))
    (item,) = (await q.all_regulations(q.Regulations(), desk, caller(TEACHER)))["items"]
    assert [(i["stage"], i["merged_into"]) for i in item["issues"]] == [("merged", "issue-b")]


# -- Facts -----------------------------------------------------------------------------------------


async def test_a_strike_off_is_told_which_sub_issues_are_still_open() -> None:
    part = opened.model_copy(update={"parent": "issue-1"})
    desk = await desk_after(
        *lived("issue-1", *ON_NOTICE),
        ("issue-2", part),
        *lived("issue-3", part, *STRUCK_OFF[1:]),
    )
    facts = await q.issue_facts(by(LEADER, StrikeOff), desk)
    assert facts.children == ("issue-2",)


async def test_a_claim_is_told_which_collations_are_not_closed() -> None:
    begun = CollationOpened(opinions=(), collator=COLLATOR)
    desk = replace(await desk_after(("collation-1", begun)), state=after(*OWNED[:1]))
    assert (await q.issue_facts(by(OWNER, ClaimIssue), desk)).open_collations == {"collation-1"}
    closed = await desk_after(("collation-1", begun), ("collation-1", COLLATED))
    desk = replace(closed, state=after(*OWNED[:1]))
    assert not (await q.issue_facts(by(OWNER, ClaimIssue), desk)).open_collations


async def test_who_judges_or_objects_is_told_what_they_said_in_person() -> None:
    written = said(ORIGINATOR, recorded_by_clerk=True)
    desk = await desk_after(("opinion-1", said()), ("opinion-2", written))
    judge = by(ORIGINATOR, RecordVerdict, solved=Solved.solved, satisfied=Satisfied.satisfied)
    assert (await q.issue_facts(judge, desk)).voiced == {"opinion-1"}
    assert (await q.issue_facts(by(TEACHER, RaiseObjection, text="~"), desk)).voiced == set()


async def test_a_command_that_points_to_an_issue_is_told_whether_it_can_take_it() -> None:
    desk = await desk_after(*EVERY_STAGE)
    for into, standing in (("verified", "open"), ("merged", "closed"), ("issue-9", "missing")):
        merge = by(COLLATOR, MergeIssue, into=into, reason="~")
        assert (await q.issue_facts(merge, desk)).other == standing
    opening = next(c for c in ISSUE_COMMANDS if isinstance(c, OpenIssue))
    part = opening.model_copy(update={"parent": "verified"})
    assert (await q.issue_facts(part, desk)).other == "open"


async def test_a_regulation_is_told_which_issues_count() -> None:
    desk = await desk_after(*EVERY_STAGE)
    draft = by(
        OWNER, DraftRegulation, title="~", text="~", answers=("struck-off", "merged", "issue-9")
    )
    assert (await q.regulation_facts(draft, desk)).issues == {"struck-off"}


async def test_a_school_nobody_enrolled_has_no_facts() -> None:
    desk = await desk_after(directory=None)
    every: list[tuple[Any, Command]] = [
        (q.issue_facts, ISSUE_COMMANDS[0]),
        (q.plan_facts, PLAN_COMMANDS[0]),
        (q.regulation_facts, REGULATION_COMMANDS[0]),
    ]
    for facts, command in every:
        with pytest.raises(UnknownSchool):
            await facts(command, desk)


def test_every_query_has_a_chinese_name_an_english_sentence_and_somebody_who_may() -> None:
    for query in service.queries:
        assert query.zh
        assert query.__doc__
        assert query.allowed
    assert len({query.path for query in service.queries}) == len(service.queries)

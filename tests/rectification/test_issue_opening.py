"""An issue comes on the ledger with where it comes from; a mistake is corrected or voided."""

from dataclasses import replace
from typing import Any

import pytest

from services.feedback.events import Addressee, Discovery, Topic, Wind
from services.rectification.domain.issue import (
    AddresseeUnclear,
    CorrectIssue,
    FourEyes,
    MergedElsewhere,
    NobodyThere,
    NoSuchIssue,
    OpenIssue,
    PartyToTheMatter,
    SourceAsked,
    SourcesOfTheDesk,
    UnknownSource,
    VoidIssue,
    WindsUnclear,
    decider,
)
from services.rectification.events import (
    IssueCorrected,
    IssueOpened,
    IssueVoided,
    Source,
    SourceKind,
)
from shared.decider import Event, OutOfOrder, PersonId
from tests.rectification.cast import (
    COLLATOR,
    FACTS,
    GONE,
    LATER,
    LEADER,
    LONG_TERM,
    MEMBER,
    MERGED,
    NOT_POSSIBLE,
    OPEN,
    OWNED,
    OWNER,
    PLANNED,
    REVIEWER,
    STAGES,
    SUPERVISOR,
    UNDERWAY,
    about_member,
    after,
    by,
    due,
    opened,
    opened_about_member,
    watch,
)
from tests.scenario import Scenario

issue = Scenario(decider, FACTS)

LIVING = sorted(STAGES.keys() - {"unopened", "merged", "voided"})


def open_issue(who: PersonId = COLLATOR, **changes: Any) -> OpenIssue:
    said = {
        "title": opened.title,
        "description": opened.description,
        "addressee": Addressee.team,
        "winds": opened.winds,
        "topics": opened.topics,
        "discovery": opened.discovery,
        "strongly_reflected": True,
        "sources": (
            SourceAsked(
                kind=SourceKind.collation, id="collation-1", opinions=("opinion-1", "opinion-2")
            ),
        ),
    }
    return by(who, OpenIssue, **{**said, **changes})


def correct(**changes: Any) -> CorrectIssue:
    said = {
        "title": "宿舍热水供应时间与晚自习脱节,报修无人答复",
        "description": opened.description,
        "winds": opened.winds,
        "topics": opened.topics,
        "strongly_reflected": True,
        "reason": "标题漏了后半句",
    }
    return by(COLLATOR, CorrectIssue, **{**said, **changes})


# -- Opening --------------------------------------------------------------------------------------


def test_an_issue_is_opened_with_its_sources_and_the_day_by_which_it_must_be_claimed() -> None:
    issue.given().when(open_issue()).then(opened)


def test_what_a_service_opened_was_raised_by_that_service() -> None:
    service = PersonId("service:rectification")
    issue.given().when(open_issue(service)).then(opened.model_copy(update={"raised_by": service}))


def test_a_personal_issue_names_its_person() -> None:
    issue.given().when(
        open_issue(title=opened_about_member.title, addressee=Addressee.member, person=MEMBER)
    ).then(opened_about_member)


def test_an_issue_of_none_of_the_four_winds_says_so() -> None:
    issue.given().when(open_issue(winds=(), not_four_winds=True)).then(
        opened.model_copy(update={"winds": ()})
    )


def test_a_sub_issue_points_to_its_open_parent() -> None:
    issue.knowing(replace(FACTS, other="open")).when(open_issue(parent="issue-7")).then(
        opened.model_copy(update={"parent": "issue-7"})
    )


@pytest.mark.parametrize("other", ["missing", "closed"])
def test_a_sub_issue_needs_an_open_parent(other: Any) -> None:
    facts = replace(FACTS, other=other)
    issue.knowing(facts).when(open_issue(parent="issue-7")).then_rejected(NoSuchIssue)


def test_a_personal_issue_without_a_person_is_refused() -> None:
    issue.given().when(open_issue(addressee=Addressee.member)).then_rejected(AddresseeUnclear)


def test_an_issue_of_the_team_with_a_person_is_refused() -> None:
    issue.given().when(open_issue(person=MEMBER)).then_rejected(AddresseeUnclear)


def test_an_issue_without_a_wind_that_does_not_say_so_is_refused() -> None:
    issue.given().when(open_issue(winds=())).then_rejected(WindsUnclear)


def test_an_issue_with_a_wind_that_denies_it_is_refused() -> None:
    issue.given().when(open_issue(not_four_winds=True)).then_rejected(WindsUnclear)


def test_a_personal_issue_of_somebody_who_has_left_is_refused() -> None:
    issue.given().when(open_issue(addressee=Addressee.member, person=GONE)).then_rejected(
        NobodyThere
    )


@pytest.mark.parametrize("person", [COLLATOR, LEADER, SUPERVISOR, REVIEWER])
def test_the_desk_says_which_opinions_an_issue_comes_from(person: PersonId) -> None:
    issue.given().when(open_issue(person)).then(opened.model_copy(update={"raised_by": person}))


@pytest.mark.parametrize(
    "source",
    [
        SourceAsked(kind=SourceKind.collation, id="collation-1"),
        SourceAsked(kind=SourceKind.talk, id="talk-1", opinions=("opinion-1",)),
    ],
    ids=["a collation", "an opinion"],
)
def test_nobody_else_puts_themselves_behind_an_opinion(source: SourceAsked) -> None:
    issue.given().when(open_issue(MEMBER, sources=(source,))).then_rejected(SourcesOfTheDesk)


def test_a_member_of_the_team_opens_what_was_heard_elsewhere() -> None:
    source = SourceAsked(kind=SourceKind.talk, id="talk-1")
    event = issue.given().when(open_issue(MEMBER, sources=(source,))).decided()
    assert isinstance(event, IssueOpened)
    assert event.sources == (Source(kind=SourceKind.talk, id="talk-1"),)


def test_nobody_opens_an_issue_of_what_there_is_not() -> None:
    source = SourceAsked(kind=SourceKind.talk, id="talk-1")
    facts = replace(FACTS, unknown=frozenset({"talk-1"}))
    issue.knowing(facts).when(open_issue(MEMBER, sources=(source,))).then_rejected(UnknownSource)


def test_an_issue_is_not_made_of_what_nobody_said() -> None:
    facts = replace(FACTS, unknown=frozenset({f"opinion-{n:02}" for n in range(30)}))
    issue.knowing(facts).when(open_issue()).then_rejected(UnknownSource)
    with pytest.raises(UnknownSource, match=r"^opinion-00 .* opinion-19$"):
        issue.knowing(facts).when(open_issue()).decided()


def test_opening_again_records_nothing() -> None:
    issue.given(*OPEN).when(open_issue()).then_nothing()


@pytest.mark.parametrize(
    "other",
    [
        {"title": "热水"},
        {"description": None},
        {"addressee": Addressee.member, "person": MEMBER},
        {"winds": (Wind.formalism,)},
        {"topics": (Topic.dormitory,)},
        {"discovery": Discovery.self_found},
        {"key_issue": True},
        {"strongly_reflected": False},
        {"sources": (SourceAsked(kind=SourceKind.talk, id="talk-1"),)},
        {"parent": "issue-7"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_opening_again_with_other_words_is_not_taken_for_the_same(other: dict[str, Any]) -> None:
    issue.given(*OPEN).when(open_issue(**other)).then_rejected(OutOfOrder)


def test_an_issue_already_claimed_is_not_opened_again() -> None:
    issue.given(*OWNED).when(open_issue()).then_rejected(OutOfOrder)


# -- Correcting -----------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", LIVING)
def test_a_mistake_is_corrected_at_any_stage_and_nothing_else_changes(stage: str) -> None:
    past = STAGES[stage]
    corrected = IssueCorrected(
        title="宿舍热水供应时间与晚自习脱节,报修无人答复",
        description=opened.description,
        winds=opened.winds,
        topics=opened.topics,
        strongly_reflected=True,
        reason="标题漏了后半句",
    )
    issue.given(*past).when(correct()).then(corrected)
    before, now = after(*past), after(*past, corrected)
    assert now == replace(before, case=replace(before.case, title=corrected.title))


def test_correcting_nothing_records_nothing() -> None:
    issue.given(*OPEN).when(correct(title=opened.title)).then_nothing()


def test_a_correction_says_which_wind_or_none() -> None:
    issue.given(*OPEN).when(correct(winds=())).then_rejected(WindsUnclear)
    issue.given(*OPEN).when(correct(not_four_winds=True)).then_rejected(WindsUnclear)


def test_a_correction_may_say_that_it_is_none_of_the_winds() -> None:
    event = issue.given(*OPEN).when(correct(winds=(), not_four_winds=True)).decided()
    assert isinstance(event, IssueCorrected)
    assert event.winds == ()


def test_what_is_not_on_the_ledger_is_not_corrected() -> None:
    issue.given().when(correct()).then_rejected(OutOfOrder)
    issue.given(*STAGES["voided"]).when(correct()).then_rejected(OutOfOrder)
    issue.given(*MERGED).when(correct()).then_rejected(MergedElsewhere)


# -- Voiding --------------------------------------------------------------------------------------


@pytest.mark.parametrize("past", [OPEN, OWNED, PLANNED, UNDERWAY])
def test_a_second_person_voids_an_issue(past: tuple[Event, ...]) -> None:
    issue.given(*past).when(by(SUPERVISOR, VoidIssue, reason="重复录入")).then(
        IssueVoided(reason="重复录入")
    )


def test_whoever_raised_an_issue_does_not_void_it() -> None:
    issue.given(*OPEN).when(by(COLLATOR, VoidIssue, reason="重复录入")).then_rejected(FourEyes)


def test_on_whose_behalf_a_service_opened_it_does_not_void_it() -> None:
    past = opened.model_copy(update={"raised_by": PersonId("service:rectification")})
    collated = issue.knowing(replace(FACTS, behind=COLLATOR)).given(past)
    collated.when(by(COLLATOR, VoidIssue, reason="重复录入")).then_rejected(FourEyes)
    collated.when(by(SUPERVISOR, VoidIssue, reason="重复录入")).then(IssueVoided(reason="重复录入"))


def test_whoever_holds_an_issue_does_not_void_it() -> None:
    issue.given(*OWNED).when(by(OWNER, VoidIssue, reason="不存在")).then_rejected(FourEyes)


def test_the_person_an_issue_is_about_does_not_void_it() -> None:
    issue.given(opened_about_member).when(by(MEMBER, VoidIssue, reason="不存在")).then_rejected(
        PartyToTheMatter
    )
    issue.given(*about_member(UNDERWAY)).when(by(MEMBER, VoidIssue, reason="不存在")).then_rejected(
        PartyToTheMatter
    )


@pytest.mark.parametrize(
    "stage", ["awaiting verification", "verified", "on notice", "struck off", "voided"]
)
def test_what_has_come_to_be_checked_is_not_voided_any_more(stage: str) -> None:
    issue.given(*STAGES[stage]).when(by(SUPERVISOR, VoidIssue, reason="重复")).then_rejected(
        OutOfOrder
    )


@pytest.mark.parametrize("past", [LONG_TERM, NOT_POSSIBLE], ids=["long term", "not possible"])
def test_what_ended_otherwise_is_not_voided(past: tuple[Event, ...]) -> None:
    issue.given(*past).when(by(LEADER, VoidIssue, reason="重复")).then_rejected(OutOfOrder)


def test_the_watch_of_an_opened_issue_begins_when_it_is_recorded() -> None:
    event = issue.when(by(COLLATOR, OpenIssue, at=LATER, **_said())).decided()
    assert isinstance(event, IssueOpened)
    assert event.watch == watch(due("claim_within", LATER), LATER)


def _said() -> dict[str, Any]:
    return {
        name: getattr(open_issue(), name)
        for name in ("title", "addressee", "winds", "discovery", "sources")
    }

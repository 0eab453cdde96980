"""Who said something is told to who asked, once another has approved, and never to whom it is about."""

from dataclasses import replace

import pytest

from services.feedback import queries as q
from services.feedback.domain import FourEyes, InOwnCause, UnknownOpinion
from services.feedback.domain.disclosure import (
    ApproveDisclosure,
    Facts,
    NobodyNamed,
    RequestDisclosure,
    Requested,
    WithdrawDisclosure,
    decider,
)
from services.feedback.events import (
    Addressee,
    DisclosureRequested,
    DisclosureWithdrawn,
    IdentityDisclosed,
    TargetKind,
)
from services.rectification.events import IssueMerged
from shared.decider import OutOfOrder, PersonId
from shared.marks import TOKEN_PREFIX
from shared.privacy import SEALED
from tests.feedback import test_opinion as o
from tests.feedback.memory import after
from tests.feedback.school import (
    ANONYMOUS,
    COLLATOR,
    DUPLICATE,
    LEADER,
    MEMBER,
    NOON,
    SCHOOL,
    SUPERVISOR,
    TEACHER,
    caller,
    with_duplicate,
)
from tests.feedback.test_projection import opened
from tests.scenario import Laws, Scenario

facts = Facts(SCHOOL, there=True, named=True, about=frozenset({MEMBER}))
disclosure = Scenario(decider, facts)
requested = DisclosureRequested(opinion="o1", reason="当面答谢", requested_by=LEADER)
disclosed = IdentityDisclosed(reason="本人同意")
withdrawn = DisclosureWithdrawn(reason="不需要了")


def ask(by: PersonId = LEADER, reason: str = "当面答谢") -> RequestDisclosure:
    return RequestDisclosure(by=by, at=NOON, opinion="o1", reason=reason)


def approve(by: PersonId = SUPERVISOR, reason: str = "本人同意") -> ApproveDisclosure:
    return ApproveDisclosure(by=by, at=NOON, reason=reason)


def withdraw(reason: str = "不需要了") -> WithdrawDisclosure:
    return WithdrawDisclosure(by=SUPERVISOR, at=NOON, reason=reason)


def test_one_asks_and_another_approves() -> None:
    disclosure.given().when(ask()).then(requested)
    disclosure.given(requested).when(ask()).then_nothing()
    disclosure.given(requested).when(ask(reason="另")).then_rejected(OutOfOrder)
    disclosure.given(requested).when(approve()).then(disclosed)
    disclosure.given(requested, disclosed).when(approve()).then_nothing()
    disclosure.given(requested, disclosed).when(approve(reason="另")).then_rejected(OutOfOrder)
    disclosure.given(requested, disclosed).when(ask()).then_rejected(OutOfOrder)
    assert ask().unique() != ask(SUPERVISOR).unique()


def test_nobody_approves_their_own_request_under_whatever_entry() -> None:
    disclosure.given(requested).when(approve(LEADER)).then_rejected(FourEyes)
    twice = disclosure.knowing(Facts(with_duplicate(LEADER), there=True, named=True))
    by_twin = requested.model_copy(update={"requested_by": DUPLICATE})
    twice.given(by_twin).when(approve(LEADER)).then_rejected(FourEyes)


def test_whom_it_is_about_neither_learns_nor_decides() -> None:
    disclosure.given().when(ask(MEMBER)).then_rejected(InOwnCause)
    disclosure.given(requested).when(approve(MEMBER)).then_rejected(InOwnCause)
    theirs = requested.model_copy(update={"requested_by": MEMBER})
    disclosure.given(theirs).when(approve()).then_rejected(InOwnCause)
    twice = disclosure.knowing(replace(facts, directory=with_duplicate(MEMBER)))
    by_twin = requested.model_copy(update={"requested_by": DUPLICATE})
    twice.given(by_twin).when(approve()).then_rejected(InOwnCause)


def test_there_must_be_an_opinion_and_somebody_to_name() -> None:
    disclosure.knowing(Facts(SCHOOL)).given().when(ask()).then_rejected(UnknownOpinion)
    unnamed = disclosure.knowing(Facts(SCHOOL, there=True))
    unnamed.given().when(ask()).then_rejected(NobodyNamed)


def test_it_is_turned_down_or_ended_and_may_be_asked_again() -> None:
    disclosure.given(requested).when(withdraw()).then(withdrawn)
    disclosure.given(requested, disclosed).when(withdraw()).then(withdrawn)
    disclosure.given(requested, withdrawn).when(withdraw()).then_nothing()
    disclosure.given(requested, withdrawn).when(withdraw("另")).then_rejected(OutOfOrder)
    disclosure.given(requested, withdrawn).when(approve()).then_rejected(OutOfOrder)
    disclosure.given(requested, withdrawn).when(ask()).then(requested)


def test_what_nobody_asked_for_is_neither_approved_nor_ended() -> None:
    disclosure.given().when(approve()).then_rejected(OutOfOrder)
    disclosure.given().when(withdraw()).then_rejected(OutOfOrder)


# -- Who sees it -----------------------------------------------------------------------------------

NAME, CONTACT = f"{TOKEN_PREFIX}a~b~c", f"{TOKEN_PREFIX}a~b~d"
said = o.submitted(voiced_by=NAME, contact=CONTACT)


async def test_only_who_asked_is_shown_it_and_only_while_it_stands() -> None:
    history = (requested, SEALED), (disclosed, NAME), (withdrawn, SEALED)
    events = []
    for event, seen in history:
        events.append(("d1", event, SUPERVISOR))
        desk = await after(("o1", said), *events)
        found = await q.one_opinion(q.Opinion(id="o1"), desk, caller(LEADER))
        assert found["voiced_by"] == seen
        assert found["submitted_by"] == (TEACHER if seen is NAME else None)
        assert "disclosures" not in found
    others = await after(
        ("o1", said),
        ("d1", requested.model_copy(update={"requested_by": COLLATOR})),
        ("d1", disclosed),
    )
    found = await q.one_opinion(q.Opinion(id="o1"), others, caller(LEADER))
    assert found["voiced_by"] == SEALED


async def test_what_came_to_be_about_who_asked_is_shown_them_no_more() -> None:
    about = o.submitted(voiced_by=NAME, target_kind=TargetKind.member, target=LEADER)
    desk = await after(("o1", about), ("d1", requested), ("d1", disclosed))
    found = await q.one_opinion(q.Opinion(id="o1"), desk, caller(LEADER))
    assert found["voiced_by"] == SEALED


@pytest.mark.parametrize("past", [(requested,), (requested, disclosed), (requested, withdrawn)])
async def test_whoever_said_it_sees_who_asked_and_why(past: tuple[object, ...]) -> None:
    nameless = o.submitted(None, anonymous=True, voiced_by=NAME)
    desk = await after(
        ("o1", nameless, ANONYMOUS), ("o2", said), *[("d1", event, SUPERVISOR) for event in past]
    )
    found = await q.receipt(q.Receipt(), desk, caller(PersonId("originator:o1")))
    [told] = found["disclosures"]
    assert (told["requested_by"], told["reason"]) == (LEADER, past[-1].reason)  # type: ignore[attr-defined]  # all have one
    assert NAME not in str(found)
    own = await q.one_opinion(q.Opinion(id="o2"), desk, caller(TEACHER))
    assert own["disclosures"] == []


async def test_the_list_tells_of_every_request_and_no_identity() -> None:
    desk = await after(("o1", said), ("d1", requested), ("d1", disclosed, SUPERVISOR))
    found = await q.all_disclosures(q.Disclosures(opinion="o1"), desk, caller(SUPERVISOR))
    [item] = found["items"]
    assert (item["state"], item["requested_by"], item["approved_by"]) == (
        "disclosed",
        LEADER,
        SUPERVISOR,
    )
    assert NAME not in str(found)


async def test_the_rules_are_given_whom_it_is_about_and_whether_anybody_is_named() -> None:
    about = o.submitted(None, anonymous=True, target_kind=TargetKind.member, target=MEMBER)
    desk = await after(("o1", about))
    assert await q.disclosure_facts(ask(), desk) == Facts(
        SCHOOL, there=True, named=False, about=frozenset({MEMBER})
    )
    assert await q.disclosure_facts(approve(), desk) == Facts(SCHOOL)
    pending = Requested("o2", "当面答谢", LEADER)
    desk = await after(("o2", said))
    decided = await q.disclosure_facts(approve(), replace(desk, state=pending))
    assert decided == Facts(SCHOOL, there=True, named=True)


@pytest.mark.parametrize("known", ["submitted_by", "voiced_by", "contact"])
async def test_whatever_is_known_of_whoever_said_it_can_be_disclosed(known: str) -> None:
    nobody = dict.fromkeys(("submitted_by", "voiced_by", "contact"))
    desk = await after(("o1", said.model_copy(update={**nobody, known: NAME})))
    assert (await q.disclosure_facts(ask(), desk)).named


async def test_whom_the_issue_it_was_merged_into_is_about_neither_learns_nor_decides() -> None:
    personal = {"addressee": Addressee.member, "person": MEMBER}
    desk = await after(
        ("o1", said),
        ("i1", opened("o1")),
        ("i2", opened(**personal)),
        ("i1", IssueMerged(into="i2", reason="同一件事")),
    )
    assert (await q.disclosure_facts(ask(), desk)).about == {MEMBER}


laws = Laws(decider, facts, (ask(), approve(), withdraw()))

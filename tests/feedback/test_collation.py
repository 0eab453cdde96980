"""Collating: every opinion of a batch ends in an issue or is left out with a reason."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from services.feedback.domain import InOwnCause, UnknownOpinion, UnknownSolicitation
from services.feedback.domain import collation as domain
from services.feedback.domain.collation import (
    AddresseeUnclear,
    AsideAlready,
    BatchTooLarge,
    CloseCollation,
    CollationCommand,
    Facts,
    GroupedAlready,
    GroupOpinions,
    GroupWithoutOpinions,
    InAnotherCollation,
    KeyTaken,
    Known,
    NothingToCollate,
    NotInThisCollation,
    NotStanding,
    OfAnotherSolicitation,
    OpenCollation,
    PartAsked,
    PartNotCut,
    PartsInUse,
    PersonNotHere,
    RegroupOpinions,
    SetPartAside,
    SplitOpinion,
    TakePartBack,
    UnbalancedCollation,
    UngroupOpinions,
    UnknownGroup,
    VoidCollation,
    WholeOpinion,
    WindsUnclear,
    decider,
)
from services.feedback.domain.ranges import OverlappingRanges, RangeOutsideText
from services.feedback.events import (
    Addressee,
    CollatedOpinion,
    CollationClosed,
    CollationOpened,
    CollationVoided,
    Discovery,
    OpinionPart,
    OpinionsGrouped,
    OpinionSplit,
    OpinionsRegrouped,
    OpinionsUngrouped,
    PartSetAside,
    PartTakenBack,
    ProposedIssue,
    RefusalCode,
    Topic,
    Wind,
)
from shared.decider import Event, OutOfOrder
from tests.feedback.school import COLLATOR, FORMER_MEMBER, MEMBER, NOON, SCHOOL
from tests.scenario import Laws, Scenario

O1, O2, O3 = "o1", "o2", "o3"
facts = Facts(SCHOOL, {O1: Known(20), O2: Known(30)})
collation = Scenario(decider, facts)

begun = CollationOpened(
    opinions=(CollatedOpinion(opinion=O1, length=20), CollatedOpinion(opinion=O2, length=30)),
    collator=COLLATOR,
)
split = OpinionSplit(opinion=O1, cuts=(8,))
HEAD, REST = PartAsked(opinion=O1, start=0, end=8), PartAsked(opinion=O1, start=8, end=20)
ONE, TWO = PartAsked(opinion=O1), PartAsked(opinion=O2)


def proposed(
    *parts: PartAsked, key: str = "forms", title: str = "评价表重复", **more: object
) -> ProposedIssue:
    fields: dict[str, object] = {
        "key": key,
        "title": title,
        "parts": tuple(OpinionPart(**part.model_dump()) for part in parts or (ONE, TWO)),
        "addressee": Addressee.team,
        "person": None,
        "winds": (Wind.formalism,),
        "not_four_winds": False,
        "topics": (Topic.teaching, Topic.other),
        "discovery": Discovery.raised_by_public,
        "key_issue": True,
        "strongly_reflected": False,
    }
    return ProposedIssue.model_validate({**fields, **more})


def _fields(parts: tuple[PartAsked, ...], key: str, title: str) -> dict[str, object]:
    return {
        "by": COLLATOR,
        "at": NOON,
        "key": key,
        "title": title,
        "parts": parts or (ONE, TWO),
        "addressee": Addressee.team,
        "winds": (Wind.formalism,),
        "topics": (Topic.other, Topic.teaching, Topic.other),
        "discovery": Discovery.raised_by_public,
        "key_issue": True,
    }


def group(
    *parts: PartAsked, key: str = "forms", title: str = "评价表重复", **more: object
) -> GroupOpinions:
    return GroupOpinions.model_validate({**_fields(parts, key, title), **more})


def regroup(
    *parts: PartAsked, key: str = "forms", title: str = "评价表重复", **more: object
) -> RegroupOpinions:
    return RegroupOpinions.model_validate({**_fields(parts, key, title), **more})


def begin(*opinions: str, solicitation: str | None = None) -> OpenCollation:
    return OpenCollation(by=COLLATOR, at=NOON, opinions=opinions or None, solicitation=solicitation)


def cut(*cuts: int, opinion: str = O1) -> SplitOpinion:
    return SplitOpinion(by=COLLATOR, at=NOON, opinion=opinion, cuts=cuts)


def set_aside(part: PartAsked, reason: str = "只是问候") -> SetPartAside:
    code = RefusalCode.no_request
    return SetPartAside(by=COLLATOR, at=NOON, part=part, code=code, reason=reason)


def aside(part: PartAsked) -> PartSetAside:
    stored = OpinionPart(**part.model_dump())
    return PartSetAside(part=stored, code=RefusalCode.no_request, reason="只是问候")


def take_back(part: PartAsked) -> TakePartBack:
    return TakePartBack(by=COLLATOR, at=NOON, part=part)


def taken_back(part: PartAsked) -> PartTakenBack:
    return PartTakenBack(part=OpinionPart(**part.model_dump()))


def ungroup(key: str = "forms") -> UngroupOpinions:
    return UngroupOpinions(by=COLLATOR, at=NOON, key=key)


def void(reason: str = "批次选错") -> VoidCollation:
    return VoidCollation(by=COLLATOR, at=NOON, reason=reason)


close = CloseCollation(by=COLLATOR, at=NOON)
grouped = OpinionsGrouped(issue=proposed())
ungrouped = OpinionsUngrouped(key="forms")
closed = CollationClosed(issues=(proposed(),))
voided = CollationVoided(opinions=(O1, O2), reason="批次选错")


def knowing(opinions: Mapping[str, Known], *, solicited: bool = False) -> Scenario:
    return collation.knowing(Facts(SCHOOL, opinions, solicited))


# -- Beginning -------------------------------------------------------------------------------------


def test_a_batch_takes_all_that_nobody_has_taken_up() -> None:
    mixed = {
        O1: Known(20),
        "refused": Known(9, standing=False),
        "elsewhere": Known(9, taken=True),
        O2: Known(30),
    }
    knowing(mixed).given().when(begin()).then(begun)


def test_a_batch_takes_the_opinions_named_each_once() -> None:
    collation.given().when(begin(O1, O2, O1)).then(begun)


def test_a_batch_may_be_that_of_a_solicitation() -> None:
    of = {O1: Known(20, solicitation="s1"), O2: Known(30, solicitation="s1")}
    expected = begun.model_copy(update={"solicitation": "s1"})
    knowing(of, solicited=True).given().when(begin(solicitation="s1")).then(expected)


def test_a_batch_has_room_for_two_thousand() -> None:
    many = {f"o{n}": Known(5) for n in range(domain.LARGEST_BATCH + 1)}
    event = knowing(many).given().when(begin()).decided()
    assert isinstance(event, CollationOpened)
    assert len(event.opinions) == domain.LARGEST_BATCH


def test_there_must_be_something_to_collate() -> None:
    knowing({}).given().when(begin()).then_rejected(NothingToCollate)
    knowing({O1: Known(20, taken=True)}).given().when(begin()).then_rejected(NothingToCollate)


def test_named_opinions_must_exist_stand_and_be_free() -> None:
    collation.given().when(begin(O3)).then_rejected(UnknownOpinion)
    knowing({O1: Known(20, standing=False)}).given().when(begin(O1)).then_rejected(NotStanding)
    knowing({O1: Known(20, taken=True)}).given().when(begin(O1)).then_rejected(InAnotherCollation)


def test_named_opinions_must_be_of_the_solicitation() -> None:
    knowing({O1: Known(20, solicitation="s2")}, solicited=True).given().when(
        begin(O1, solicitation="s1")
    ).then_rejected(OfAnotherSolicitation)


def test_the_solicitation_must_exist() -> None:
    collation.given().when(begin(solicitation="none")).then_rejected(UnknownSolicitation)


def test_beginning_the_same_batch_again_records_nothing() -> None:
    collation.given(begun).when(begin()).then_nothing()
    collation.given(begun).when(begin(O2, O1)).then_nothing()
    collation.given(begun).when(begin(O1)).then_rejected(OutOfOrder)


# -- Splitting -------------------------------------------------------------------------------------


def test_an_opinion_about_two_things_is_split() -> None:
    collation.given(begun).when(cut(8)).then(split)


def test_the_same_cuts_count_once() -> None:
    collation.given(begun, split).when(cut(8)).then_nothing()
    collation.given(begun).when(cut()).then_nothing()


def test_without_cuts_it_is_whole_again() -> None:
    collation.given(begun, split).when(cut()).then(OpinionSplit(opinion=O1, cuts=()))


@pytest.mark.parametrize("cuts", [(0,), (20,), (99,)])
def test_cuts_lie_inside_the_text(cuts: tuple[int, ...]) -> None:
    collation.given(begun).when(cut(*cuts)).then_rejected(RangeOutsideText)


def test_cuts_ascend() -> None:
    collation.given(begun).when(cut(8, 8)).then_rejected(OverlappingRanges)
    collation.given(begun).when(cut(9, 8)).then_rejected(OverlappingRanges)


def test_only_opinions_of_the_batch_are_split() -> None:
    collation.given(begun).when(cut(3, opinion=O3)).then_rejected(NotInThisCollation)


def test_cuts_do_not_go_through_what_is_in_use() -> None:
    used = OpinionsGrouped(issue=proposed(HEAD))
    collation.given(begun, split, used).when(cut(4)).then_rejected(PartsInUse)
    collation.given(begun, split, used).when(cut()).then_rejected(PartsInUse)
    collation.given(begun, split, aside(REST)).when(cut(4)).then_rejected(PartsInUse)


def test_finer_cuts_leave_what_is_in_use_whole() -> None:
    used = OpinionsGrouped(issue=proposed(HEAD))
    collation.given(begun, split, used).when(cut(4, 8)).then(OpinionSplit(opinion=O1, cuts=(4, 8)))


# -- Grouping --------------------------------------------------------------------------------------


def test_opinions_that_say_the_same_become_one_proposed_issue() -> None:
    collation.given(begun).when(group()).then(grouped)


def test_one_opinion_may_go_into_several_issues() -> None:
    other = proposed(TWO, key="canteen", title="食堂涨价")
    collation.given(begun, grouped).when(group(TWO, key="canteen", title="食堂涨价")).then(
        OpinionsGrouped(issue=other)
    )


def test_pieces_go_different_ways() -> None:
    collation.given(begun, split).when(group(HEAD, TWO)).then(
        OpinionsGrouped(issue=proposed(HEAD, TWO))
    )


def test_a_range_of_all_characters_is_the_whole() -> None:
    everything = PartAsked(opinion=O1, start=0, end=20)
    collation.given(begun).when(group(everything, TWO)).then(grouped)


def test_a_piece_begins_and_ends_at_a_cut() -> None:
    collation.given(begun).when(group(HEAD)).then_rejected(PartNotCut)
    wrong = PartAsked(opinion=O1, start=0, end=9)
    collation.given(begun, split).when(group(wrong)).then_rejected(PartNotCut)


@pytest.mark.parametrize(
    ("start", "end"), [(8, 8), (9, 8), (8, 21), (None, 8), (8, None), (20, 21)]
)
def test_a_piece_lies_in_the_text(start: int | None, end: int | None) -> None:
    part = PartAsked(opinion=O1, start=start, end=end)
    collation.given(begun, split).when(group(part)).then_rejected(RangeOutsideText)


def test_a_group_has_each_piece_once() -> None:
    collation.given(begun).when(group(ONE, ONE)).then_rejected(OverlappingRanges)
    collation.given(begun, split).when(group(ONE, HEAD)).then_rejected(OverlappingRanges)


def test_only_opinions_of_the_batch_are_grouped() -> None:
    collation.given(begun).when(group(PartAsked(opinion=O3))).then_rejected(NotInThisCollation)


def test_what_was_refused_meanwhile_is_not_grouped() -> None:
    knowing({O1: Known(20, standing=False), O2: Known(30)}).given(begun).when(
        group()
    ).then_rejected(NotStanding)


def test_an_issue_has_a_wind_or_is_marked_as_none() -> None:
    collation.given(begun).when(group(winds=())).then_rejected(WindsUnclear)
    collation.given(begun).when(group(not_four_winds=True)).then_rejected(WindsUnclear)
    collation.given(begun).when(group(winds=(), not_four_winds=True)).then(
        OpinionsGrouped(issue=proposed(winds=(), not_four_winds=True))
    )


def test_winds_and_topics_are_kept_once_in_their_order() -> None:
    winds = (Wind.extravagance, Wind.formalism, Wind.extravagance)
    collation.given(begun).when(group(winds=winds)).then(
        OpinionsGrouped(issue=proposed(winds=(Wind.formalism, Wind.extravagance)))
    )


def test_a_personal_issue_names_the_person_and_a_teams_does_not() -> None:
    personal = {"addressee": Addressee.member, "person": MEMBER}
    collation.given(begun).when(group(**personal)).then(OpinionsGrouped(issue=proposed(**personal)))
    collation.given(begun).when(group(addressee=Addressee.member)).then_rejected(AddresseeUnclear)
    collation.given(begun).when(group(person=MEMBER)).then_rejected(AddresseeUnclear)


@pytest.mark.parametrize("person", [FORMER_MEMBER, "nobody"])
def test_a_personal_issue_needs_somebody_who_is_here(person: str) -> None:
    collation.given(begun).when(group(addressee=Addressee.member, person=person)).then_rejected(
        PersonNotHere
    )


def test_grouping_the_same_again_records_nothing() -> None:
    collation.given(begun, grouped).when(group()).then_nothing()


def test_a_key_names_one_proposed_issue() -> None:
    collation.given(begun, grouped).when(group(TWO)).then_rejected(KeyTaken)


def test_a_proposed_issue_is_changed_as_a_whole() -> None:
    changed = OpinionsRegrouped(issue=proposed(TWO, title="评价表太多"))
    collation.given(begun, grouped).when(regroup(TWO, title="评价表太多")).then(changed)
    collation.given(begun, grouped, changed).when(regroup(TWO, title="评价表太多")).then_nothing()


def test_what_was_never_proposed_cannot_be_changed_or_dropped() -> None:
    collation.given(begun).when(regroup()).then_rejected(UnknownGroup)
    collation.given(begun).when(ungroup()).then_rejected(UnknownGroup)


def test_a_proposed_issue_is_dropped_once() -> None:
    collation.given(begun, grouped).when(ungroup()).then(ungrouped)
    collation.given(begun, grouped, ungrouped).when(ungroup()).then_nothing()
    collation.given(begun, grouped, ungrouped).when(group()).then(grouped)


def test_a_batch_does_not_outgrow_the_message_that_closes_it() -> None:
    state = decider.fold((begun,))
    assert isinstance(state, domain.Open)
    long = {f"k{n}": proposed(key=f"k{n}", title="题" * 400) for n in range(420)}
    with pytest.raises(BatchTooLarge):
        decider.decide(group(), replace(state, groups=long), facts)


# -- Setting aside ---------------------------------------------------------------------------------


def test_a_piece_that_asks_nothing_is_set_aside_with_a_reason() -> None:
    collation.given(begun, split).when(set_aside(HEAD)).then(aside(HEAD))
    collation.given(begun, split, aside(HEAD)).when(set_aside(HEAD)).then_nothing()


def test_a_piece_is_set_aside_for_one_reason() -> None:
    collation.given(begun, split, aside(HEAD)).when(set_aside(HEAD, "其他")).then_rejected(
        AsideAlready
    )


def test_a_whole_opinion_is_refused_and_not_set_aside() -> None:
    collation.given(begun).when(set_aside(ONE)).then_rejected(WholeOpinion)


def test_a_piece_is_grouped_or_set_aside_not_both() -> None:
    used = OpinionsGrouped(issue=proposed(HEAD))
    collation.given(begun, split, used).when(set_aside(HEAD)).then_rejected(GroupedAlready)
    collation.given(begun, split, aside(HEAD)).when(group(HEAD)).then_rejected(AsideAlready)
    collation.given(begun, split, aside(HEAD)).when(group(ONE)).then_rejected(AsideAlready)


def test_nothing_is_set_aside_of_what_was_refused_meanwhile() -> None:
    knowing({O1: Known(20, standing=False)}).given(begun, split).when(
        set_aside(HEAD)
    ).then_rejected(NotStanding)


@pytest.mark.parametrize("command", [set_aside(REST), group(HEAD), regroup(ONE)])
def test_nobody_decides_what_becomes_of_what_was_said_about_themselves(
    command: CollationCommand,
) -> None:
    about = knowing({O1: Known(20, target=COLLATOR)}).given(begun, split, grouped)
    about.when(command).then_rejected(InOwnCause)
    about.when(regroup(TWO)).then(OpinionsRegrouped(issue=proposed(TWO)))


def test_a_piece_set_aside_can_be_taken_back() -> None:
    collation.given(begun, split, aside(HEAD)).when(take_back(HEAD)).then(taken_back(HEAD))
    collation.given(begun, split, aside(HEAD), taken_back(HEAD)).when(
        take_back(HEAD)
    ).then_nothing()
    collation.given(begun, split).when(take_back(HEAD)).then_rejected(OutOfOrder)


# -- Closing ---------------------------------------------------------------------------------------


def test_a_balanced_batch_is_settled() -> None:
    collation.given(begun, grouped).when(close).then(closed)
    collation.given(begun, grouped, closed).when(close).then_nothing()


def test_the_solicitation_goes_with_it() -> None:
    of = begun.model_copy(update={"solicitation": "s1"})
    collation.given(of, grouped).when(close).then(closed.model_copy(update={"solicitation": "s1"}))


@pytest.mark.parametrize(
    "past",
    [
        (begun,),
        (begun, OpinionsGrouped(issue=proposed(ONE))),
        (begun, grouped, ungrouped),
        (begun, split, OpinionsGrouped(issue=proposed(HEAD, TWO))),
        (begun, split, OpinionsGrouped(issue=proposed(TWO)), aside(HEAD), aside(REST)),
        (begun, split, OpinionsGrouped(issue=proposed(HEAD, TWO)), aside(REST), taken_back(REST)),
    ],
)
def test_it_is_not_settled_while_anything_is_left(past: tuple[Event, ...]) -> None:
    collation.given(*past).when(close).then_rejected(UnbalancedCollation)


def test_the_refusal_names_what_is_left() -> None:
    with pytest.raises(UnbalancedCollation) as refusal:
        collation.given(begun).when(close).decided()
    assert refusal.value.detail == "2: o1 o2"


def test_a_piece_set_aside_is_no_longer_left() -> None:
    issue = proposed(HEAD, TWO)
    collation.given(begun, split, OpinionsGrouped(issue=issue), aside(REST)).when(close).then(
        CollationClosed(issues=(issue,))
    )


def test_what_was_refused_or_taken_back_needs_no_issue() -> None:
    knowing({O1: Known(20, standing=False), O2: Known(30)}).given(
        begun, OpinionsGrouped(issue=proposed(TWO))
    ).when(close).then(CollationClosed(issues=(proposed(TWO),), not_collated=(O1,)))


def test_what_was_refused_after_it_was_grouped_leaves_the_issue() -> None:
    knowing({O1: Known(20, standing=False)}).given(begun, grouped).when(close).then(
        CollationClosed(issues=(proposed(TWO),), not_collated=(O1,))
    )


def test_an_issue_nobody_speaks_of_any_more_must_be_dropped_first() -> None:
    nobody = {O1: Known(20, standing=False), O2: Known(30, standing=False)}
    knowing(nobody).given(begun, grouped).when(close).then_rejected(GroupWithoutOpinions)
    knowing(nobody).given(begun, grouped, ungrouped).when(close).then(
        CollationClosed(issues=(), not_collated=(O1, O2))
    )


def test_it_is_not_settled_while_a_personal_issue_is_that_of_somebody_who_has_left() -> None:
    personal = OpinionsGrouped(issue=proposed(addressee=Addressee.member, person=FORMER_MEMBER))
    collation.given(begun, personal).when(close).then_rejected(PersonNotHere)
    with_the_team = OpinionsRegrouped(issue=proposed())
    collation.given(begun, personal, with_the_team).when(close).then(closed)


def test_a_batch_is_dropped_before_it_is_settled() -> None:
    collation.given(begun, grouped).when(void()).then(voided)
    collation.given(begun, voided).when(void()).then_nothing()
    collation.given(begun, voided).when(void("其他")).then_rejected(OutOfOrder)


@pytest.mark.parametrize(
    "command",
    [
        begin(),
        cut(8),
        group(),
        regroup(),
        ungroup(),
        set_aside(HEAD),
        take_back(HEAD),
        void("晚了"),
    ],
)
@pytest.mark.parametrize("end", [closed, voided])
def test_what_is_settled_or_dropped_stays_so(command: CollationCommand, end: Event) -> None:
    collation.given(begun, grouped, end).when(command).then_rejected(OutOfOrder)


def test_nothing_happens_before_a_batch_begins() -> None:
    collation.given().when(close).then_rejected(OutOfOrder)
    collation.given().when(group()).then_rejected(OutOfOrder)


laws = Laws(
    decider,
    facts,
    (
        begin(),
        cut(8),
        cut(),
        group(),
        group(HEAD, TWO, key="head"),
        regroup(TWO, title="评价表太多"),
        regroup(ONE, title="只此一条"),
        ungroup(),
        set_aside(REST),
        take_back(REST),
        close,
        void(),
    ),
)

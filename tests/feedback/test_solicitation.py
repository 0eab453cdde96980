"""Asking for opinions: who may ask, in whose name, and only once for the organisation."""

from datetime import date

import pytest

from services.feedback.domain import DateInTheFuture, FourEyes
from services.feedback.domain.solicitation import (
    AlreadySolicited,
    CloseSolicitation,
    CorrectSolicitation,
    NotATeamMember,
    NotTheOrganisation,
    NotYourSolicitation,
    OpenSolicitation,
    UnknownCampaign,
    VoidSolicitation,
    WindowReversed,
    decider,
)
from services.feedback.events import (
    Channel,
    InNameOf,
    SolicitationClosed,
    SolicitationCorrected,
    SolicitationOpened,
    SolicitationSubject,
    SolicitationVoided,
)
from shared.decider import OutOfOrder, PersonId
from tests.feedback.school import (
    ADMINISTRATOR,
    CAMPAIGN,
    COLLATOR,
    DUPLICATE,
    LEADER,
    MEMBER,
    NOON,
    SCHOOL,
    TODAY,
    TOMORROW,
    with_duplicate,
    without_post,
)
from tests.scenario import Laws, Scenario

solicitation = Scenario(decider, SCHOOL)

FEBRUARY, APRIL = date(2023, 2, 1), date(2023, 4, 30)
SCOPE = "全体教职工、学生和家长代表"


def ask(
    person: PersonId = LEADER,
    name: InNameOf = InNameOf.organisation,
    campaign: str = CAMPAIGN,
    scope: str = SCOPE,
    opens_on: date = FEBRUARY,
    closes_on: date = APRIL,
) -> OpenSolicitation:
    return OpenSolicitation(
        by=person,
        at=NOON,
        in_name_of=name,
        campaign=campaign,
        subject=SolicitationSubject.four_winds,
        scope=scope,
        channels=(Channel.suggestion_box, Channel.symposium, Channel.suggestion_box),
        opens_on=opens_on,
        closes_on=closes_on,
    )


def opened(person: PersonId = LEADER, name: InNameOf = InNameOf.organisation) -> SolicitationOpened:
    return SolicitationOpened(
        in_name_of=name,
        issuer=person,
        campaign=CAMPAIGN,
        subject=SolicitationSubject.four_winds,
        scope=SCOPE,
        channels=(Channel.symposium, Channel.suggestion_box),
        opens_on=FEBRUARY,
        closes_on=APRIL,
    )


own = opened(MEMBER, InNameOf.individual)
closed = SolicitationClosed(on=TODAY)
voided = SolicitationVoided(reason="活动方案未获批准")
corrected = SolicitationCorrected(
    scope="全体教职工",
    channels=(Channel.symposium,),
    opens_on=FEBRUARY,
    closes_on=TODAY,
    reason="学生另行征求",
)


def correct(
    person: PersonId = COLLATOR, closes_on: date = TODAY, reason: str = "学生另行征求"
) -> CorrectSolicitation:
    return CorrectSolicitation(
        by=person,
        at=NOON,
        scope="全体教职工",
        channels=(Channel.symposium,),
        opens_on=FEBRUARY,
        closes_on=closes_on,
        reason=reason,
    )


def close(person: PersonId = LEADER, on: date = TODAY) -> CloseSolicitation:
    return CloseSolicitation(by=person, at=NOON, on=on)


def void(person: PersonId = ADMINISTRATOR, reason: str = "活动方案未获批准") -> VoidSolicitation:
    return VoidSolicitation(by=person, at=NOON, reason=reason)


@pytest.mark.parametrize("person", [LEADER, ADMINISTRATOR, COLLATOR])
def test_the_organisation_asks_through_those_who_act_for_it(person: PersonId) -> None:
    solicitation.given().when(ask(person)).then(opened(person))


@pytest.mark.parametrize("person", [MEMBER, LEADER])
def test_a_member_of_the_team_asks_in_their_own_name(person: PersonId) -> None:
    solicitation.given().when(ask(person, InNameOf.individual)).then(
        opened(person, InNameOf.individual)
    )


def test_a_member_of_the_team_cannot_ask_in_the_organisations_name() -> None:
    solicitation.given().when(ask(MEMBER)).then_rejected(NotTheOrganisation)


def test_only_members_of_the_team_ask_in_their_own_name() -> None:
    solicitation.given().when(ask(COLLATOR, InNameOf.individual)).then_rejected(NotATeamMember)


def test_a_post_that_was_lost_no_longer_counts() -> None:
    solicitation.knowing(without_post(MEMBER)).when(ask(MEMBER, InNameOf.individual)).then_rejected(
        NotATeamMember
    )


def test_the_organisations_solicitations_share_one_stream_per_campaign_and_subject() -> None:
    assert ask(LEADER).unique() == ("organisation", CAMPAIGN, "four_winds")
    assert ask(LEADER).unique() == ask(COLLATOR).unique()


def test_everybodys_own_solicitations_have_streams_of_their_own() -> None:
    assert ask(MEMBER, InNameOf.individual).unique() is None


def test_asking_again_in_the_same_words_records_nothing() -> None:
    solicitation.given(opened()).when(ask()).then_nothing()


def test_a_second_solicitation_of_the_organisation_is_refused() -> None:
    solicitation.given(opened()).when(ask(COLLATOR)).then_rejected(AlreadySolicited)
    solicitation.given(opened()).when(ask(scope="全体学生")).then_rejected(AlreadySolicited)


def test_a_closed_solicitation_is_not_asked_again() -> None:
    solicitation.given(opened(), closed).when(ask()).then_rejected(AlreadySolicited)


def test_what_was_voided_may_be_asked_anew() -> None:
    solicitation.given(opened(), voided).when(ask(COLLATOR)).then(opened(COLLATOR))


def test_there_must_be_such_a_campaign() -> None:
    solicitation.given().when(ask(campaign="none")).then_rejected(UnknownCampaign)


def test_it_cannot_end_before_it_begins() -> None:
    solicitation.given().when(ask(opens_on=APRIL, closes_on=FEBRUARY)).then_rejected(WindowReversed)


def test_a_single_day_is_long_enough() -> None:
    event = solicitation.given().when(ask(opens_on=APRIL, closes_on=APRIL)).decided()
    assert isinstance(event, SolicitationOpened)


def test_a_mistake_in_the_announcement_is_put_right() -> None:
    solicitation.given(opened()).when(correct()).then(corrected)
    solicitation.given(opened(), closed).when(correct()).then(corrected)


def test_the_same_correction_is_recorded_once() -> None:
    solicitation.given(opened(), corrected).when(correct()).then_nothing()
    solicitation.given(opened(), corrected, closed).when(correct()).then_nothing()


def test_a_correction_for_another_reason_is_another_one() -> None:
    event = solicitation.given(opened(), corrected).when(correct(reason="日期有误")).decided()
    assert event is not None


def test_a_correction_cannot_turn_the_window_round() -> None:
    solicitation.given(opened()).when(correct(closes_on=date(2023, 1, 1))).then_rejected(
        WindowReversed
    )


def test_after_a_correction_the_first_words_are_no_longer_what_is_asked() -> None:
    solicitation.given(opened(), corrected).when(ask()).then_rejected(AlreadySolicited)


def test_a_members_own_solicitation_is_theirs_to_change() -> None:
    solicitation.given(own).when(correct(MEMBER)).then(corrected)
    solicitation.given(own).when(correct(ADMINISTRATOR)).then(corrected)
    solicitation.given(own).when(correct(COLLATOR)).then_rejected(NotYourSolicitation)
    solicitation.given(own).when(close(LEADER)).then_rejected(NotYourSolicitation)


def test_a_member_cannot_change_the_organisations() -> None:
    solicitation.given(opened()).when(close(MEMBER)).then_rejected(NotYourSolicitation)


def test_a_solicitation_ends_on_a_day() -> None:
    solicitation.given(opened()).when(close()).then(closed)


def test_it_cannot_have_ended_tomorrow() -> None:
    solicitation.given(opened()).when(close(on=TOMORROW)).then_rejected(DateInTheFuture)


def test_it_cannot_have_ended_before_it_began() -> None:
    solicitation.given(opened()).when(close(on=date(2023, 1, 31))).then_rejected(WindowReversed)


def test_ending_it_again_records_nothing() -> None:
    solicitation.given(opened(), closed).when(close()).then_nothing()
    solicitation.given(opened(), closed).when(close(on=FEBRUARY)).then_rejected(OutOfOrder)


def test_a_second_person_declares_it_void() -> None:
    solicitation.given(opened()).when(void()).then(voided)
    solicitation.given(opened(), closed).when(void()).then(voided)


def test_whoever_asked_cannot_declare_it_void() -> None:
    solicitation.given(opened()).when(void(LEADER)).then_rejected(FourEyes)


def test_whoever_was_in_the_roster_twice_asked_once() -> None:
    merged = solicitation.knowing(with_duplicate(MEMBER))
    theirs = opened(DUPLICATE, InNameOf.individual)
    merged.given(theirs).when(correct(MEMBER)).then(corrected)
    merged.given(theirs).when(void(MEMBER)).then_rejected(FourEyes)


def test_voiding_again_records_nothing() -> None:
    solicitation.given(opened(), voided).when(void()).then_nothing()
    solicitation.given(opened(), voided).when(void(reason="其他")).then_rejected(OutOfOrder)


def test_what_nobody_asked_cannot_be_closed() -> None:
    solicitation.given().when(close()).then_rejected(OutOfOrder)
    solicitation.given(opened(), voided).when(close()).then_rejected(OutOfOrder)


laws = Laws(
    decider,
    SCHOOL,
    (
        ask(),
        ask(COLLATOR),
        ask(MEMBER, InNameOf.individual),
        correct(LEADER),
        correct(MEMBER),
        close(LEADER),
        close(MEMBER),
        void(),
        void(ADMINISTRATOR, "重复"),
        void(LEADER),
    ),
)

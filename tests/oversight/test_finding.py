"""Findings are acknowledged, let pass by the supervision group, and taken up again."""

import pytest

from services.campaign.events import Role
from services.oversight.domain import (
    READERS,
    AcknowledgeFinding,
    AlreadyFulfilled,
    CorrectAcknowledgement,
    CorrectWaiver,
    Facts,
    LiftWaiver,
    NothingFound,
    SecondSupervisor,
    VoidAcknowledgement,
    VoidWaiver,
    WaiveObligation,
    decider,
)
from services.oversight.events import (
    AcknowledgementCorrected,
    AcknowledgementVoided,
    FindingAcknowledged,
    ObligationWaived,
    WaiverCorrected,
    WaiverLifted,
    WaiverVoided,
)
from shared.decider import Command, OutOfOrder, PersonId, wire
from tests.oversight.deeds import at
from tests.oversight.town import INSPECTOR, LEADER, MARCH, SCHOOL, SUPERVISOR, WU, ZHOU
from tests.scenario import Laws, Scenario

NOON = at(MARCH)
MISSING, DONE, NOTHING = Facts(SCHOOL, "missing"), Facts(SCHOOL, "done"), Facts(SCHOOL)

acknowledged = FindingAcknowledged(
    rule="R47", subject=(WU, ZHOU), period="campaign", acknowledged_by=LEADER, remark="下周谈"
)
waived = ObligationWaived(
    rule="R47", subject=(WU, ZHOU), period="campaign", waived_by=SUPERVISOR, reason="病假"
)
finding = Scenario(decider, MISSING)


def acknowledge(by: PersonId = LEADER, remark: str | None = "下周谈") -> AcknowledgeFinding:
    return AcknowledgeFinding(
        by=by, at=NOON, rule="R47", subject=(WU, ZHOU), period="campaign", remark=remark
    )


def correct(remark: str = "本周谈") -> CorrectAcknowledgement:
    return CorrectAcknowledgement(by=LEADER, at=NOON, remark=remark, reason="笔误")


def void(reason: str = "点错") -> VoidAcknowledgement:
    return VoidAcknowledgement(by=LEADER, at=NOON, reason=reason)


def waive(by: PersonId = SUPERVISOR, reason: str = "病假") -> WaiveObligation:
    return WaiveObligation(by=by, at=NOON, reason=reason)


def correct_waiver(told: str = "长期病假") -> CorrectWaiver:
    return CorrectWaiver(by=SUPERVISOR, at=NOON, waiver_reason=told, reason="不完整")


def lift(reason: str = "已返岗") -> LiftWaiver:
    return LiftWaiver(by=SUPERVISOR, at=NOON, reason=reason)


def void_waiver(by: PersonId = INSPECTOR, reason: str = "点错") -> VoidWaiver:
    return VoidWaiver(by=by, at=NOON, reason=reason)


def test_what_is_missing_is_acknowledged() -> None:
    finding.given().when(acknowledge()).then(acknowledged)


def test_what_is_done_is_no_finding() -> None:
    finding.knowing(DONE).when(acknowledge()).then_rejected(AlreadyFulfilled)


def test_what_nobody_owes_is_no_finding() -> None:
    finding.knowing(NOTHING).when(acknowledge()).then_rejected(NothingFound)
    finding.knowing(Facts(SCHOOL, "shown")).when(acknowledge()).then_rejected(NothingFound)


def test_the_same_acknowledgement_again_is_nothing_new() -> None:
    finding.given(acknowledged).when(acknowledge()).then_nothing()
    finding.given(acknowledged, waived).when(acknowledge()).then_nothing()


def test_another_acknowledgement_of_the_same_is_out_of_order() -> None:
    finding.given(acknowledged).when(acknowledge(ZHOU)).then_rejected(OutOfOrder)
    finding.given(acknowledged).when(acknowledge(remark="再说")).then_rejected(OutOfOrder)


def test_a_remark_is_put_right() -> None:
    corrected = AcknowledgementCorrected(remark="本周谈", reason="笔误")
    finding.given(acknowledged).when(correct()).then(corrected)
    finding.given(acknowledged, corrected).when(correct()).then_nothing()
    finding.given().when(correct()).then_rejected(OutOfOrder)


def test_an_acknowledgement_is_taken_back_and_may_be_given_again() -> None:
    voided = AcknowledgementVoided(reason="点错")
    finding.given(acknowledged).when(void()).then(voided)
    finding.given(acknowledged, voided).when(void()).then_nothing()
    finding.given(acknowledged, voided).when(acknowledge()).then(acknowledged)
    finding.given(acknowledged, waived).when(void()).then_rejected(OutOfOrder)


def test_what_was_seen_is_waived() -> None:
    finding.given(acknowledged).when(waive()).then(waived)


def test_what_nobody_has_seen_is_not_waived() -> None:
    finding.given().when(waive()).then_rejected(OutOfOrder)


def test_what_was_done_meanwhile_needs_no_waiver() -> None:
    finding.given(acknowledged).knowing(DONE).when(waive()).then_rejected(AlreadyFulfilled)


def test_the_same_waiver_again_is_nothing_new_and_another_is_refused() -> None:
    finding.given(acknowledged, waived).when(waive()).then_nothing()
    finding.given(acknowledged, waived).when(waive(INSPECTOR)).then_rejected(OutOfOrder)
    finding.given(acknowledged, waived).when(waive(reason="出差")).then_rejected(OutOfOrder)


def test_the_reason_of_a_waiver_is_put_right() -> None:
    corrected = WaiverCorrected(waiver_reason="长期病假", reason="不完整")
    finding.given(acknowledged, waived).when(correct_waiver()).then(corrected)
    finding.given(acknowledged, waived, corrected).when(correct_waiver()).then_nothing()
    finding.given(acknowledged, waived, corrected).when(waive(reason="长期病假")).then_nothing()


def test_a_waiver_is_lifted_and_may_be_given_again() -> None:
    lifted = WaiverLifted(reason="已返岗")
    finding.given(acknowledged, waived).when(lift()).then(lifted)
    finding.given(acknowledged, waived, lifted).when(lift()).then_nothing()
    finding.given(acknowledged, waived, lifted).when(lift("另一理由")).then_rejected(OutOfOrder)
    finding.given(acknowledged, waived, lifted).when(waive()).then(waived)


def test_a_waiver_is_voided_by_a_second_supervisor() -> None:
    voided = WaiverVoided(reason="点错")
    finding.given(acknowledged, waived).when(void_waiver()).then(voided)
    finding.given(acknowledged, waived).when(void_waiver(SUPERVISOR)).then_rejected(
        SecondSupervisor
    )
    finding.given(acknowledged, waived, voided).when(void_waiver()).then_nothing()


def test_one_finding_has_one_history() -> None:
    assert acknowledge().unique() == ("finding", "R47", "wu|zhou", "campaign")
    assert acknowledge(ZHOU, None).unique() == acknowledge().unique()


@pytest.mark.parametrize("command", [WaiveObligation, CorrectWaiver, LiftWaiver, VoidWaiver])
def test_only_the_supervision_group_waives(command: type[Command]) -> None:
    assert command.allowed == {Role.supervisor}
    assert Role.supervisor in READERS


@pytest.mark.parametrize(
    "fields",
    [
        {"rule": "r47", "subject": ["wu"], "period": "campaign"},
        {"rule": "R47", "subject": [], "period": "campaign"},
        {"rule": "R47", "subject": ["WU"], "period": "campaign"},
        {"rule": "R47", "subject": ["a", "b", "c", "d"], "period": "campaign"},
        {"rule": "R47", "subject": ["wu"], "period": ""},
        {"rule": "R47", "subject": ["wu"], "period": "campaign", "remark": " "},
    ],
)
def test_a_finding_is_named_as_the_list_names_it(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        wire(AcknowledgeFinding).model_validate(fields)


COMMANDS: tuple[Command, ...] = (
    acknowledge(),
    correct(),
    correct("下周谈"),
    void(),
    waive(),
    correct_waiver(),
    correct_waiver("病假"),
    lift(),
    void_waiver(),
)
LAWS = Laws(decider, MISSING, COMMANDS)


def test_the_laws_of_every_reachable_state() -> None:
    states = LAWS.reachable()
    LAWS.check_every_command_is_tried()
    LAWS.check_every_command_is_accepted_somewhere(states)
    LAWS.check_every_event_happens(states)
    LAWS.check_twice_counts_once(states)
    LAWS.check_it_ends_where_its_events_say(states)

"""The thematic report lists every opinion and says by which way and about whom it was heard."""

from dataclasses import replace

import pytest

from services.feedback.domain import FourEyes, UnknownSolicitation
from services.feedback.domain.report import (
    CompileReport,
    CorrectReport,
    Counted,
    Facts,
    NotYourReport,
    UnknownMember,
    VoidReport,
    decider,
)
from services.feedback.events import (
    Channel,
    Heard,
    ReportCompiled,
    ReportCorrected,
    ReportVoided,
    TargetKind,
)
from shared.decider import OutOfOrder, PersonId
from tests.feedback.school import (
    ADMINISTRATOR,
    COLLATOR,
    DUPLICATE,
    FORMER_MEMBER,
    LEADER,
    MEMBER,
    NOON,
    SCHOOL,
    TEACHER,
    with_duplicate,
)
from tests.scenario import Laws, Scenario

OPINIONS = {
    "o1": Counted(Channel.wechat, TargetKind.team),
    "o2": Counted(Channel.symposium, TargetKind.member, MEMBER),
    "o3": Counted(Channel.wechat, TargetKind.team),
    "o4": Counted(Channel.symposium, TargetKind.unknown),
}
facts = Facts(SCHOOL, OPINIONS, position=77, solicited=True)
report = Scenario(decider, facts)


def compile_(
    person: PersonId = COLLATOR, member: str | None = None, thinking: str = "先易后难"
) -> CompileReport:
    return CompileReport(
        by=person,
        at=NOON,
        solicitation="s1",
        member=member,
        responsibility="主要领导负总责",
        thinking=thinking,
        measures="逐条列入台账",
    )


def compiled(person: PersonId = COLLATOR) -> ReportCompiled:
    return ReportCompiled(
        solicitation="s1",
        opinions=("o1", "o2", "o3", "o4"),
        heard=(
            Heard(
                channel=Channel.symposium,
                target_kind=TargetKind.member,
                target=MEMBER,
                opinions=1,
            ),
            Heard(channel=Channel.symposium, target_kind=TargetKind.unknown, opinions=1),
            Heard(channel=Channel.wechat, target_kind=TargetKind.team, opinions=2),
        ),
        responsibility="主要领导负总责",
        thinking="先易后难",
        measures="逐条列入台账",
        compiled_at=77,
        compiler=person,
    )


def on_member(person: PersonId = MEMBER) -> ReportCompiled:
    return compiled(person).model_copy(
        update={
            "member": MEMBER,
            "opinions": ("o2",),
            "heard": compiled(person).heard[:1],
        }
    )


def correct(person: PersonId = COLLATOR, reason: str = "措施有遗漏") -> CorrectReport:
    return CorrectReport(
        by=person,
        at=NOON,
        responsibility="主要领导负总责",
        thinking="先急后缓",
        measures="逐条列入台账并公示",
        reason=reason,
    )


def void(person: PersonId = ADMINISTRATOR, reason: str = "选错征求意见") -> VoidReport:
    return VoidReport(by=person, at=NOON, reason=reason)


corrected = ReportCorrected(
    responsibility="主要领导负总责",
    thinking="先急后缓",
    measures="逐条列入台账并公示",
    reason="措施有遗漏",
)
voided = ReportVoided(reason="选错征求意见")


def test_it_lists_every_opinion_and_counts_them_by_channel_and_target() -> None:
    report.given().when(compile_()).then(compiled())


def test_it_counts_every_member_apart() -> None:
    both = {
        "o1": OPINIONS["o2"],
        "o2": replace(OPINIONS["o2"], target=LEADER),
        "o3": OPINIONS["o2"],
    }
    event = report.knowing(replace(facts, opinions=both)).given().when(compile_()).decided()
    assert isinstance(event, ReportCompiled)
    assert [(h.target, h.opinions) for h in event.heard] == [(LEADER, 1), (MEMBER, 2)]


def test_what_was_said_to_no_solicitation_has_a_report_too() -> None:
    unasked = report.knowing(replace(facts, solicited=False))
    command = compile_().model_copy(update={"solicitation": None})
    expected = compiled().model_copy(update={"solicitation": None})
    unasked.given().when(command).then(expected)
    unasked.given(expected).when(command).then_nothing()
    unasked.given(compiled()).when(command).then_rejected(OutOfOrder)


def test_a_members_report_is_on_what_was_said_about_them() -> None:
    report.given().when(compile_(MEMBER, MEMBER)).then(on_member())
    report.given().when(compile_(COLLATOR, MEMBER)).then(on_member(COLLATOR))


def test_a_member_who_was_in_the_roster_twice_has_one_report() -> None:
    merged = report.knowing(replace(facts, directory=with_duplicate(MEMBER)))
    merged.given().when(compile_(MEMBER, DUPLICATE)).then(on_member())
    merged.given(on_member()).when(compile_(MEMBER, DUPLICATE)).then_nothing()
    of_the_duplicate = on_member(DUPLICATE).model_copy(update={"member": DUPLICATE})
    merged.given(of_the_duplicate).when(correct(MEMBER)).then(corrected)
    merged.given(of_the_duplicate).when(void(MEMBER)).then_rejected(FourEyes)


def test_that_nothing_was_said_can_be_reported_too() -> None:
    event = report.given().when(compile_(LEADER, LEADER)).decided()
    assert isinstance(event, ReportCompiled)
    assert (event.opinions, event.heard) == ((), ())


@pytest.mark.parametrize("member", [None, LEADER])
def test_a_member_writes_on_nobody_else(member: str | None) -> None:
    report.given().when(compile_(MEMBER, member)).then_rejected(NotYourReport)


def test_there_must_be_such_a_solicitation() -> None:
    report.knowing(replace(facts, solicited=False)).given().when(compile_()).then_rejected(
        UnknownSolicitation
    )


@pytest.mark.parametrize("member", [TEACHER, "nobody"])
def test_there_must_be_such_a_member(member: str) -> None:
    report.given().when(compile_(COLLATOR, member)).then_rejected(UnknownMember)


def test_a_former_member_can_be_reported_on() -> None:
    event = report.given().when(compile_(COLLATOR, FORMER_MEMBER)).decided()
    assert event is not None


def test_compiling_the_same_again_records_nothing() -> None:
    report.given(compiled()).when(compile_()).then_nothing()
    report.given(compiled()).when(compile_(thinking="另议")).then_rejected(OutOfOrder)


def test_the_analysis_is_put_right_and_the_counts_stay() -> None:
    report.given(compiled()).when(correct()).then(corrected)
    report.given(compiled(), corrected).when(correct()).then_nothing()
    event = report.given(compiled(), corrected).when(correct(reason="另有遗漏")).decided()
    assert event is not None


def test_a_member_puts_their_own_report_right() -> None:
    report.given(on_member()).when(correct(MEMBER)).then(corrected)
    report.given(compiled()).when(correct(MEMBER)).then_rejected(NotYourReport)


def test_a_second_person_declares_it_void() -> None:
    report.given(compiled()).when(void()).then(voided)
    report.given(compiled(), voided).when(void()).then_nothing()
    report.given(compiled(), voided).when(void(reason="其他")).then_rejected(OutOfOrder)


def test_whoever_compiled_it_cannot_declare_it_void() -> None:
    report.given(compiled()).when(void(COLLATOR)).then_rejected(FourEyes)


def test_what_is_void_or_unwritten_is_not_corrected() -> None:
    report.given(compiled(), voided).when(correct()).then_rejected(OutOfOrder)
    report.given().when(correct()).then_rejected(OutOfOrder)


laws = Laws(
    decider,
    facts,
    (compile_(), compile_(MEMBER, MEMBER), correct(), correct(reason="二稿"), void()),
)

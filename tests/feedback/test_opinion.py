"""One opinion: said once, never rewritten, answered, refused with a reason, taken back by its owner."""

from dataclasses import replace

import pytest

from services.feedback.domain import FourEyes, InOwnCause, UnknownSolicitation
from services.feedback.domain.opinion import (
    MOST_MESSAGES,
    MOST_WRITTEN,
    AcknowledgeOpinion,
    AlreadyCollated,
    AttachmentAsked,
    ChannelUnnamed,
    ConversationFull,
    CorrectOpinion,
    Facts,
    LiftMasking,
    NotAClerksEntry,
    NotAParty,
    NotMasked,
    NotTheOriginator,
    NotYourEntry,
    OnlyWithAName,
    OpinionCommand,
    ReconsiderOpinion,
    RedactOpinion,
    RefuseOpinion,
    SendMessage,
    SubmitOpinion,
    TargetUnclear,
    UnknownTarget,
    VoidOpinion,
    WithdrawOpinion,
    decider,
)
from services.feedback.domain.ranges import OverlappingRanges, RangeAsked, RangeOutsideText
from services.feedback.events import (
    Attachment,
    Channel,
    MaskingLifted,
    MessageSent,
    OpinionAcknowledged,
    OpinionCorrected,
    OpinionReconsidered,
    OpinionRedacted,
    OpinionRefused,
    OpinionSubmitted,
    OpinionVoided,
    OpinionWithdrawn,
    RedactionMode,
    RefusalCode,
    TargetKind,
    TextRange,
)
from shared.decider import Event, OutOfOrder, PersonId
from tests.feedback.school import (
    ADMINISTRATOR,
    ANONYMOUS,
    BRANCH,
    CANTEEN,
    COLLATOR,
    DUPLICATE,
    FORMER_MEMBER,
    LEADER,
    MEMBER,
    NOON,
    OTHER_TEACHER,
    SCHOOL,
    SUPERVISOR,
    TEACHER,
    with_duplicate,
)
from tests.scenario import Laws, Scenario

facts = Facts(SCHOOL)
opinion = Scenario(decider, facts)

STREAM = "o1"
ORIGINATOR = PersonId("originator:o1")
STRANGER = PersonId("originator:o2")
WORDS = "教研组一学期要填四张评价表，填完也没人看。"
HASH = "8a" * 32
SALT = "27" * 16
FILE = "5e" * 32


def submit(person: PersonId = TEACHER, **more: object) -> SubmitOpinion:
    fields: dict[str, object] = {
        "by": person,
        "at": NOON,
        "stream": STREAM,
        "verbatim_text": WORDS,
        "salt": SALT,
        "verbatim_sha256": HASH,
        "length": len(WORDS),
        "channel": Channel.suggestion_box,
    }
    return SubmitOpinion.model_validate({**fields, **more})


def submitted(person: PersonId | None = TEACHER, **more: object) -> OpinionSubmitted:
    fields: dict[str, object] = {
        "verbatim_text": WORDS,
        "salt": SALT,
        "verbatim_sha256": HASH,
        "length": len(WORDS),
        "channel": Channel.suggestion_box,
        "submitted_by": person,
    }
    return OpinionSubmitted.model_validate({**fields, **more})


said = submitted()
by_clerk = submitted(TEACHER, recorded_by_clerk=True)
nameless = submitted(None, anonymous=True)
about_leader = submitted(target_kind=TargetKind.member, target=LEADER)
acknowledged = OpinionAcknowledged(text="已收到，谢谢。")
refused = OpinionRefused(code=RefusalCode.out_of_scope, reason="由上级主管部门决定")
reconsidered = OpinionReconsidered(reason="学校可以先行试点")
withdrawn = OpinionWithdrawn(reason="已经解决")
voided = OpinionVoided(reason="同一张纸条登记了两次")
NAME, TAIL = TextRange(start=0, end=3), TextRange(start=10, end=14)
masked = OpinionRedacted(ranges=(NAME, TAIL), mode=RedactionMode.masking, reason="提到了学生姓名")
erased = OpinionRedacted(ranges=(NAME,), mode=RedactionMode.final, reason="提到了学生姓名")
lifted = MaskingLifted(ranges=(NAME,), reason="不是姓名")
corrected = OpinionCorrected(
    channel=Channel.symposium,
    target_kind=TargetKind.department,
    target=CANTEEN,
    sitting="2月21日教师座谈会",
    reason="登记时选错渠道",
)


def acknowledge(text: str | None = "已收到，谢谢。") -> AcknowledgeOpinion:
    return AcknowledgeOpinion(by=COLLATOR, at=NOON, stream=STREAM, text=text)


def refuse(person: PersonId = COLLATOR, reason: str = "由上级主管部门决定") -> RefuseOpinion:
    code = RefusalCode.out_of_scope
    return RefuseOpinion(by=person, at=NOON, stream=STREAM, code=code, reason=reason)


def reconsider(reason: str = "学校可以先行试点") -> ReconsiderOpinion:
    return ReconsiderOpinion(by=SUPERVISOR, at=NOON, stream=STREAM, reason=reason)


def message(person: PersonId) -> SendMessage:
    return SendMessage(by=person, at=NOON, stream=STREAM, text="请问是哪个年级？")


def withdraw(person: PersonId = TEACHER, reason: str | None = "已经解决") -> WithdrawOpinion:
    return WithdrawOpinion(by=person, at=NOON, stream=STREAM, reason=reason)


def redact(
    *ranges: tuple[int, int],
    person: PersonId = COLLATOR,
    mode: RedactionMode = RedactionMode.masking,
    reason: str = "提到了学生姓名",
) -> RedactOpinion:
    asked = tuple(RangeAsked(start=a, end=b) for a, b in ranges)
    return RedactOpinion(by=person, at=NOON, stream=STREAM, ranges=asked, mode=mode, reason=reason)


def lift(*ranges: tuple[int, int], person: PersonId = COLLATOR) -> LiftMasking:
    asked = tuple(RangeAsked(start=a, end=b) for a, b in ranges)
    return LiftMasking(by=person, at=NOON, stream=STREAM, ranges=asked, reason="不是姓名")


def correct(person: PersonId = TEACHER, **more: object) -> CorrectOpinion:
    fields: dict[str, object] = {
        "by": person,
        "at": NOON,
        "stream": STREAM,
        "channel": Channel.symposium,
        "target_kind": TargetKind.department,
        "target": CANTEEN,
        "sitting": "2月21日教师座谈会",
        "reason": "登记时选错渠道",
    }
    return CorrectOpinion.model_validate({**fields, **more})


def void(person: PersonId = COLLATOR, reason: str = "同一张纸条登记了两次") -> VoidOpinion:
    return VoidOpinion(by=person, at=NOON, stream=STREAM, reason=reason)


# -- Submitting ------------------------------------------------------------------------------------


def test_what_somebody_says_is_recorded_with_its_hash() -> None:
    opinion.given().when(submit()).then(said)


def test_without_a_login_nobody_is_named() -> None:
    opinion.given().when(submit(ANONYMOUS)).then(nameless)


def test_a_clerk_writes_down_what_somebody_else_said() -> None:
    opinion.given().when(submit(recorded_by_clerk=True, voiced_by="退休教师")).then(
        submitted(recorded_by_clerk=True, voiced_by="退休教师")
    )


def test_another_system_may_pass_an_opinion_on() -> None:
    service = PersonId("service:gateway")
    opinion.given().when(submit(service)).then(submitted(service))


def test_attachments_are_named_by_the_hash_of_their_content() -> None:
    asked = AttachmentAsked(sha256=FILE, media_type="image/jpeg", size=1)
    kept = Attachment(sha256=FILE, media_type="image/jpeg", size=1)
    event = opinion.given().when(submit(attachments=(asked,))).decided()
    assert event == submitted(attachments=(kept,))


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (TargetKind.team, None),
        (TargetKind.unknown, None),
        (TargetKind.member, MEMBER),
        (TargetKind.member, FORMER_MEMBER),
        (TargetKind.department, CANTEEN),
        (TargetKind.branch, BRANCH),
    ],
)
def test_it_may_be_about_whom_the_school_knows(kind: TargetKind, target: str | None) -> None:
    opinion.given().when(submit(target_kind=kind, target=target)).then(
        submitted(target_kind=kind, target=target)
    )


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (TargetKind.member, TEACHER),
        (TargetKind.member, "nobody"),
        (TargetKind.department, BRANCH),
        (TargetKind.branch, "none"),
    ],
)
def test_it_cannot_be_about_whom_nobody_knows(kind: TargetKind, target: str) -> None:
    opinion.given().when(submit(target_kind=kind, target=target)).then_rejected(UnknownTarget)


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (TargetKind.member, None),
        (TargetKind.department, None),
        (TargetKind.team, MEMBER),
        (TargetKind.unknown, CANTEEN),
    ],
)
def test_a_target_is_named_where_there_is_one(kind: TargetKind, target: str | None) -> None:
    opinion.given().when(submit(target_kind=kind, target=target)).then_rejected(TargetUnclear)


def test_another_channel_must_be_named() -> None:
    opinion.given().when(submit(channel=Channel.other)).then_rejected(ChannelUnnamed)
    opinion.given().when(submit(channel=Channel.other, channel_text="校长信箱")).then(
        submitted(channel=Channel.other, channel_text="校长信箱")
    )


def test_a_solicitation_it_answers_must_exist() -> None:
    asked = submit(solicitation="s1")
    opinion.given().when(asked).then_rejected(UnknownSolicitation)
    opinion.knowing(replace(facts, solicited=True)).when(asked).then(submitted(solicitation="s1"))


def test_without_a_name_nobody_writes_down_for_others_or_gives_a_time() -> None:
    opinion.given().when(submit(ANONYMOUS, recorded_by_clerk=True)).then_rejected(OnlyWithAName)
    opinion.given().when(submit(ANONYMOUS, occurred_at=NOON)).then_rejected(OnlyWithAName)


def test_saying_the_same_again_records_nothing() -> None:
    opinion.given(said).when(submit()).then_nothing()


@pytest.mark.parametrize(
    "other",
    [
        submit(verbatim_text="别的话", verbatim_sha256="00" * 32),
        submit(OTHER_TEACHER),
        submit(channel=Channel.weibo),
    ],
)
def test_what_was_said_is_never_replaced(other: SubmitOpinion) -> None:
    opinion.given(said).when(other).then_rejected(OutOfOrder)


def test_no_other_command_carries_the_words() -> None:
    commands = decider.members(decider.commands)
    assert [c for c in commands if "verbatim_text" in c.__annotations__] == [SubmitOpinion]
    events = decider.members(decider.events)
    assert [e for e in events if "verbatim_text" in e.__annotations__] == [OpinionSubmitted]


# -- Answering -------------------------------------------------------------------------------------


def test_the_originator_learns_that_it_was_read() -> None:
    opinion.given(said).when(acknowledge()).then(acknowledged)


def test_it_is_acknowledged_once() -> None:
    opinion.given(said, acknowledged).when(acknowledge()).then_nothing()
    opinion.given(said, acknowledged).when(acknowledge("收到")).then_rejected(OutOfOrder)


def test_an_opinion_is_refused_with_a_reason() -> None:
    opinion.given(said).when(refuse()).then(refused)
    opinion.given(said, acknowledged).when(refuse()).then(refused)


def test_it_is_refused_once() -> None:
    opinion.given(said, refused).when(refuse()).then_nothing()
    opinion.given(said, refused).when(refuse(reason="其他")).then_rejected(OutOfOrder)


def test_what_became_an_issue_is_not_refused_any_more() -> None:
    opinion.knowing(replace(facts, collated=True)).given(said).when(refuse()).then_rejected(
        AlreadyCollated
    )


def test_nobody_refuses_an_opinion_about_themselves() -> None:
    opinion.given(about_leader).when(refuse(LEADER)).then_rejected(InOwnCause)
    opinion.given(about_leader).when(refuse(ADMINISTRATOR)).then(refused)


def test_a_refusal_can_be_taken_back() -> None:
    opinion.given(said, refused).when(reconsider()).then(reconsidered)
    opinion.given(said, refused, reconsidered).when(reconsider()).then_nothing()
    opinion.given(said, refused, reconsidered).when(refuse()).then(refused)


def test_what_was_not_refused_needs_no_reconsidering() -> None:
    opinion.given(said).when(reconsider()).then_rejected(OutOfOrder)
    opinion.given(said, refused, reconsidered).when(reconsider("另议")).then_rejected(OutOfOrder)


@pytest.mark.parametrize("person", [TEACHER, ORIGINATOR])
def test_the_originator_writes_with_or_without_a_name(person: PersonId) -> None:
    sent = MessageSent(text="请问是哪个年级？", from_originator=True)
    opinion.given(said).when(message(person)).then(sent)


@pytest.mark.parametrize("person", [COLLATOR, ADMINISTRATOR, LEADER])
def test_the_staff_writes_back(person: PersonId) -> None:
    sent = MessageSent(text="请问是哪个年级？", from_originator=False)
    opinion.given(nameless).when(message(person)).then(sent)


def test_who_works_on_the_issue_writes_too() -> None:
    sent = MessageSent(text="请问是哪个年级？", from_originator=False)
    knowing = opinion.knowing(replace(facts, owners=frozenset({OTHER_TEACHER})))
    knowing.given(nameless).when(message(OTHER_TEACHER)).then(sent)


@pytest.mark.parametrize("person", [OTHER_TEACHER, STRANGER, SUPERVISOR])
def test_nobody_else_writes(person: PersonId) -> None:
    opinion.given(said).when(message(person)).then_rejected(NotAParty)


def test_the_clerk_who_wrote_it_down_is_not_its_originator() -> None:
    opinion.given(by_clerk).when(message(TEACHER)).then_rejected(NotAParty)
    opinion.given(by_clerk).when(withdraw(TEACHER)).then_rejected(NotTheOriginator)


@pytest.mark.parametrize("past", [(said, refused), (said, withdrawn)])
def test_the_conversation_goes_on_after_a_refusal_and_a_withdrawal(
    past: tuple[Event, ...],
) -> None:
    sent = MessageSent(text="请问是哪个年级？", from_originator=True)
    opinion.given(*past).when(message(TEACHER)).then(sent)


def test_a_conversation_has_so_many_messages_and_no_more() -> None:
    sent = MessageSent(text="请问是哪个年级？", from_originator=True)
    most = (sent,) * MOST_MESSAGES
    opinion.given(said, *most[1:]).when(message(TEACHER)).then(sent)
    opinion.given(said, *most).when(message(TEACHER)).then_rejected(ConversationFull)
    opinion.given(said, *most, refused).when(message(COLLATOR)).then_rejected(ConversationFull)


def test_a_conversation_is_so_long_and_no_longer() -> None:
    sent = MessageSent(text="请问是哪个年级？", from_originator=True)
    rest = MOST_WRITTEN - len(sent.text)
    fits, too_long = (MessageSent(text="长" * n, from_originator=True) for n in (rest, rest + 1))
    opinion.given(said, fits).when(message(TEACHER)).then(sent)
    opinion.given(said, too_long).when(message(TEACHER)).then_rejected(ConversationFull)


def test_who_may_not_write_is_not_told_how_much_was_written() -> None:
    full = (MessageSent(text="请问是哪个年级？", from_originator=True),) * MOST_MESSAGES
    opinion.given(said, *full).when(message(STRANGER)).then_rejected(NotAParty)


# -- Taking back -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("past", "person"),
    [((said,), TEACHER), ((nameless,), ORIGINATOR), ((said, refused), TEACHER)],
)
def test_the_originator_takes_it_back(past: tuple[Event, ...], person: PersonId) -> None:
    opinion.given(*past).when(withdraw(person)).then(withdrawn)


@pytest.mark.parametrize("person", [COLLATOR, OTHER_TEACHER, STRANGER])
def test_nobody_else_takes_it_back(person: PersonId) -> None:
    opinion.given(said).when(withdraw(person)).then_rejected(NotTheOriginator)
    opinion.given(nameless).when(withdraw(person)).then_rejected(NotTheOriginator)


def test_it_is_taken_back_once() -> None:
    opinion.given(said, withdrawn).when(withdraw()).then_nothing()
    opinion.given(said, withdrawn).when(withdraw(reason=None)).then_rejected(OutOfOrder)
    opinion.given(said, withdrawn).when(refuse()).then_rejected(OutOfOrder)


# -- Hiding ----------------------------------------------------------------------------------------


def test_passages_are_hidden_in_the_order_of_the_text() -> None:
    opinion.given(said).when(redact((10, 14), (0, 3))).then(masked)


def test_the_same_passages_are_hidden_once() -> None:
    opinion.given(said, masked).when(redact((0, 3), (10, 14))).then_nothing()


def test_hiding_for_another_reason_is_another_act() -> None:
    event = opinion.given(said, masked).when(redact((0, 3), (10, 14), reason="其他")).decided()
    assert event is not None


def test_hiding_and_erasing_are_told_apart() -> None:
    opinion.given(said, masked).when(redact((0, 3), mode=RedactionMode.final)).then(erased)


def test_what_was_shown_again_can_be_hidden_again() -> None:
    opinion.given(said, masked, lifted).when(redact((0, 3), (10, 14))).then(masked)


@pytest.mark.parametrize("past", [(said, refused), (said, withdrawn), (by_clerk, voided)])
def test_passages_are_hidden_at_any_time(past: tuple[Event, ...]) -> None:
    opinion.given(*past).when(redact((0, 3), (10, 14))).then(masked)


@pytest.mark.parametrize("wrong", [(3, 3), (4, 2), (0, len(WORDS) + 1), (len(WORDS), 99)])
def test_a_passage_lies_within_the_text(wrong: tuple[int, int]) -> None:
    opinion.given(said).when(redact(wrong)).then_rejected(RangeOutsideText)
    opinion.given(said, masked).when(lift(wrong)).then_rejected(RangeOutsideText)


def test_passages_do_not_overlap() -> None:
    opinion.given(said).when(redact((0, 3), (2, 4))).then_rejected(OverlappingRanges)


def test_nobody_hides_what_was_said_about_themselves() -> None:
    opinion.given(submitted(target_kind=TargetKind.member, target=COLLATOR)).when(
        redact((0, 3))
    ).then_rejected(InOwnCause)
    opinion.given(submitted(target_kind=TargetKind.member, target=COLLATOR)).when(
        lift((0, 3))
    ).then_rejected(InOwnCause)


def test_what_was_hidden_by_mistake_is_shown_again() -> None:
    opinion.given(said, masked).when(lift((0, 3))).then(lifted)
    opinion.given(said, masked, lifted).when(lift((0, 3))).then_nothing()


def test_only_what_is_hidden_can_be_shown_again() -> None:
    opinion.given(said).when(lift((0, 3))).then_rejected(NotMasked)
    opinion.given(said, masked).when(lift((0, 4))).then_rejected(NotMasked)


def test_what_is_to_be_erased_stays_hidden() -> None:
    opinion.given(said, masked, erased).when(lift((0, 3))).then_rejected(NotMasked)


# -- Putting right ---------------------------------------------------------------------------------


@pytest.mark.parametrize("person", [TEACHER, COLLATOR, ADMINISTRATOR])
def test_whoever_entered_it_or_a_clerk_puts_the_circumstances_right(person: PersonId) -> None:
    opinion.given(said).when(correct(person)).then(corrected)


@pytest.mark.parametrize("person", [OTHER_TEACHER, LEADER, MEMBER])
def test_nobody_else_puts_it_right(person: PersonId) -> None:
    opinion.given(said).when(correct(person)).then_rejected(NotYourEntry)


def test_the_same_correction_counts_once() -> None:
    opinion.given(said, corrected).when(correct()).then_nothing()
    event = opinion.given(said, corrected).when(correct(reason="另有其因")).decided()
    assert event is not None


def test_a_correction_obeys_the_rules_of_a_submission() -> None:
    opinion.given(said).when(correct(target=None)).then_rejected(TargetUnclear)
    opinion.given(said).when(correct(target="none")).then_rejected(UnknownTarget)
    opinion.given(said).when(correct(channel=Channel.other)).then_rejected(ChannelUnnamed)
    opinion.given(said).when(correct(solicitation="s9")).then_rejected(UnknownSolicitation)


def test_nobody_corrects_away_that_it_is_about_themselves() -> None:
    about_clerk = submitted(target_kind=TargetKind.member, target=COLLATOR)
    opinion.given(about_clerk).when(correct(COLLATOR)).then_rejected(InOwnCause)


def test_whom_it_is_about_follows_the_correction() -> None:
    to_leader = corrected.model_copy(update={"target_kind": TargetKind.member, "target": LEADER})
    opinion.given(said, to_leader).when(refuse(LEADER)).then_rejected(InOwnCause)


def test_a_second_person_voids_a_clerks_mistake() -> None:
    opinion.given(by_clerk).when(void()).then(voided)
    opinion.given(by_clerk, refused).when(void()).then(voided)
    opinion.given(by_clerk, voided).when(void()).then_nothing()
    opinion.given(by_clerk, voided).when(void(reason="其他")).then_rejected(OutOfOrder)


def test_the_clerk_alone_cannot_void_it() -> None:
    opinion.given(by_clerk).when(void(TEACHER)).then_rejected(FourEyes)


def test_what_somebody_said_themselves_cannot_be_voided() -> None:
    opinion.given(said).when(void()).then_rejected(NotAClerksEntry)
    opinion.given(nameless).when(void()).then_rejected(NotAClerksEntry)


def test_who_was_in_the_roster_twice_is_still_the_one_it_is_about() -> None:
    about = submitted(target_kind=TargetKind.member, target=DUPLICATE, recorded_by_clerk=True)
    merged = opinion.knowing(Facts(with_duplicate(COLLATOR))).given(about, masked)
    for command in (refuse(), void(), correct(COLLATOR), redact((4, 6)), lift((0, 3))):
        merged.when(command).then_rejected(InOwnCause)
    merged.when(refuse(ADMINISTRATOR)).then(refused)


def test_who_was_in_the_roster_twice_is_still_the_one_who_said_it() -> None:
    merged = opinion.knowing(Facts(with_duplicate(TEACHER)))
    sent = MessageSent(text="请问是哪个年级？", from_originator=True)
    merged.given(submitted(DUPLICATE)).when(withdraw(TEACHER)).then(withdrawn)
    merged.given(submitted(DUPLICATE)).when(message(TEACHER)).then(sent)
    merged.given(submitted(DUPLICATE)).when(correct(TEACHER)).then(corrected)
    merged.given(submitted(DUPLICATE, recorded_by_clerk=True)).when(void(TEACHER)).then_rejected(
        FourEyes
    )


def test_nobody_voids_what_was_said_about_themselves() -> None:
    about = submitted(TEACHER, recorded_by_clerk=True, target_kind=TargetKind.member, target=LEADER)
    opinion.given(about).when(void(LEADER)).then_rejected(InOwnCause)


@pytest.mark.parametrize(
    "command",
    [acknowledge(), refuse(), message(TEACHER), withdraw(), correct(), reconsider()],
)
def test_a_voided_opinion_is_only_kept(command: OpinionCommand) -> None:
    opinion.given(by_clerk, voided).when(command).then_rejected(OutOfOrder)


@pytest.mark.parametrize("command", [acknowledge(), refuse(), message(TEACHER), withdraw(), void()])
def test_what_nobody_said_has_no_life(command: OpinionCommand) -> None:
    opinion.given().when(command).then_rejected(OutOfOrder)


laws = Laws(
    decider,
    facts,
    (
        submit(),
        submit(ANONYMOUS),
        submit(recorded_by_clerk=True),
        acknowledge(),
        refuse(),
        refuse(reason="其他"),
        reconsider(),
        message(ORIGINATOR),
        withdraw(ORIGINATOR),
        lift((10, 14)),
        redact((0, 3), (10, 14)),
        redact((0, 3), mode=RedactionMode.final),
        correct(COLLATOR),
        void(),
    ),
)

"""The life of one opinion: said once, never rewritten, answered, maybe taken back (R35, R36)."""

from dataclasses import dataclass, replace
from typing import Annotated, assert_never

from pydantic import ConfigDict, Field

from services.campaign.directory import Directory
from services.campaign.events import Role, UnitKind
from services.feedback.domain import (
    CLERKS,
    ORGANISATION,
    TEAM,
    FourEyes,
    InOwnCause,
    UnknownSolicitation,
    known_as,
    roles,
)
from services.feedback.domain.ranges import RangeAsked, checked, joined, without
from services.feedback.events import (
    Attachment,
    Channel,
    MaskingLifted,
    MessageSent,
    OpinionAcknowledged,
    OpinionCorrected,
    OpinionEvent,
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
from shared.decider import Command, Decider, Instant, OutOfOrder, PersonId, Rejected
from shared.marks import (
    Id,
    Length,
    Line,
    Occurred,
    PlainLine,
    Prose,
    Salt,
    SaltedHash,
    Sealed,
    Sha256,
)

ANONYMOUS = PersonId("anonymous")
LARGEST_ATTACHMENT = 200 * 1024 * 1024  # bytes
MOST_MESSAGES = 200
MOST_WRITTEN = 1024 * 1024
"""Characters of all messages of one opinion as stored (sealed): some 260,000 Chinese ones."""

# -- Facts ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Facts:
    """What a decision on an opinion looks at beside the opinion.

    `solicited` says whether the solicitation a command names exists and counts, `collated` whether
    a closed collation made an issue of the opinion, `owners` who works on such issues.
    """

    directory: Directory
    solicited: bool = False
    collated: bool = False
    owners: frozenset[PersonId] = frozenset()


# -- Commands ------------------------------------------------------------------------------------


class AttachmentAsked(Attachment):
    """A file as a sender names it: uploaded before, by the hash of its stored bytes."""

    model_config = ConfigDict(extra="forbid", strict=True)
    sha256: Sha256
    media_type: Annotated[str, Field(pattern=r"^[a-z]{1,40}/[a-z0-9.+-]{1,80}$")]
    size: Annotated[int, Field(ge=1, le=LARGEST_ATTACHMENT)]


Ranges = Annotated[tuple[RangeAsked, ...], Field(min_length=1, max_length=200)]


class SubmitOpinion(Command):
    """Say something, or write down word for word what somebody said. No command edits it (R36)."""

    zh = "提交意见"
    allowed = frozenset({"person", "anonymous", "service"})
    creates = True
    verbatim_text: Prose
    salt: Annotated[str | None, Salt(of="verbatim_text"), Sealed()] = None
    verbatim_sha256: Annotated[str | None, SaltedHash(of="verbatim_text")] = None
    length: Annotated[int | None, Length(of="verbatim_text")] = None
    channel: Channel
    channel_text: Line | None = None
    solicitation: Id | None = None
    target_kind: TargetKind = TargetKind.unknown
    target: Id | None = None
    sitting: Line | None = None
    voiced_by: Annotated[PlainLine | None, Sealed(part="originator")] = None
    contact: Annotated[PlainLine | None, Sealed(part="originator")] = None
    recorded_by_clerk: bool = False
    attachments: Annotated[tuple[AttachmentAsked, ...], Field(max_length=20)] = ()
    occurred_at: Annotated[Instant | None, Occurred()] = None


class AcknowledgeOpinion(Command):
    """Tell whoever said it that it was read."""

    zh = "确认收到意见"
    allowed = ORGANISATION
    text: Prose | None = None


class RefuseOpinion(Command):
    """Say why it will not become an issue (R38)."""

    zh = "不受理意见"
    allowed = ORGANISATION
    code: RefusalCode
    reason: Prose


class ReconsiderOpinion(Command):
    """Take a refusal back."""

    zh = "重新受理意见"
    allowed = ORGANISATION | {Role.supervisor}
    reason: Prose


class SendMessage(Command):
    """Ask or answer, from either side; the originator need not have a name."""

    zh = "留言"
    allowed = frozenset({"person", "originator"})
    text: Prose


class WithdrawOpinion(Command):
    """Take back what one has said oneself."""

    zh = "撤回意见"
    allowed = frozenset({"person", "originator"})
    reason: Prose | None = None


class RedactOpinion(Command):
    """Hide passages from readers, or mark them to be erased for good."""

    zh = "遮盖意见内容"
    allowed = CLERKS
    ranges: Ranges
    mode: RedactionMode
    reason: Prose


class LiftMasking(Command):
    """Show passages again that were hidden by mistake; what is to be erased stays hidden."""

    zh = "取消遮盖"
    allowed = CLERKS
    ranges: Ranges
    reason: Prose


class CorrectOpinion(Command):
    """Put right by which way it came and whom it is about, all of it anew; the words stay."""

    zh = "更正意见登记信息"
    allowed = frozenset({"person"})
    channel: Channel
    channel_text: Line | None = None
    solicitation: Id | None = None
    target_kind: TargetKind = TargetKind.unknown
    target: Id | None = None
    sitting: Line | None = None
    reason: Prose


class VoidOpinion(Command):
    """Declare that a clerk's entry was a mistake; it counts nowhere and stays visible."""

    zh = "作废意见"
    allowed = ORGANISATION
    reason: Prose


type OpinionCommand = (
    SubmitOpinion
    | AcknowledgeOpinion
    | RefuseOpinion
    | ReconsiderOpinion
    | SendMessage
    | WithdrawOpinion
    | RedactOpinion
    | LiftMasking
    | CorrectOpinion
    | VoidOpinion
)

# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """What was said, how it came as far as known today, what of it is hidden, how much was written."""

    said: OpinionSubmitted
    acknowledged: OpinionAcknowledged | None = None
    corrected: OpinionCorrected | None = None
    redacted: OpinionRedacted | None = None
    lifted: MaskingLifted | None = None
    masked: tuple[TextRange, ...] = ()
    erased: tuple[TextRange, ...] = ()
    messages: int = 0
    written: int = 0


@dataclass(frozen=True)
class Unsaid:
    """Nothing was said."""


@dataclass(frozen=True)
class Heard:
    """Said, and on its way to becoming an issue."""

    entry: Entry
    reconsidered: OpinionReconsidered | None = None


@dataclass(frozen=True)
class Refused:
    """It will not become an issue, and the originator knows why."""

    entry: Entry
    refusal: OpinionRefused


@dataclass(frozen=True)
class Withdrawn:
    """Taken back by whoever said it."""

    entry: Entry
    withdrawal: OpinionWithdrawn


@dataclass(frozen=True)
class Voided:
    """A clerk's mistake."""

    entry: Entry
    voiding: OpinionVoided


type Opinion = Unsaid | Heard | Refused | Withdrawn | Voided

# -- Rules ---------------------------------------------------------------------------------------


class AlreadyCollated(Rejected):
    """The opinion has been collated into an issue; what becomes of it is decided there."""

    zh = "该意见已归入问题，不能再不受理"


class ChannelUnnamed(Rejected):
    """Another channel than the plan's seven must be named (R35)."""

    zh = "选择其他渠道须注明渠道名称"


class TargetUnclear(Rejected):
    """A member, department or branch is named by its id; a team and an unknown target are not."""

    zh = "须写明所指的班子成员、部门或支部；领导班子或不清楚的不必填写"


class UnknownTarget(Rejected):
    """There is no such team member, department or branch."""

    zh = "没有这位班子成员、这个部门或支部"


class OnlyWithAName(Rejected):
    """Who does not say who they are can neither write down for others nor give a time."""

    zh = "匿名提交不能代人登记，也不记录时间"


class NotTheOriginator(Rejected):
    """Only whoever said it may take it back."""

    zh = "只有意见人本人可以撤回"


class NotAParty(Rejected):
    """Only the originator, the staff and who works on the issues may write here."""

    zh = "只有意见人、工作人员和承办人可以留言"


class ConversationFull(Rejected):
    """As much has been written to this opinion as may be; please say more in a new one."""

    zh = "该意见的留言已达上限，请另行提交意见"


class NotYourEntry(Rejected):
    """Only whoever entered it or a clerk may put it right."""

    zh = "只有登记人或工作人员可以更正"


class NotAClerksEntry(Rejected):
    """What somebody said themselves cannot be voided, only refused with a reason."""

    zh = "意见人本人提交的意见不能作废，只能说明理由后不受理"


class NotMasked(Rejected):
    """That passage is not hidden, or is to be erased."""

    zh = "该内容没有遮盖，或已定为永久删除"


def decide(command: OpinionCommand, opinion: Opinion, facts: Facts) -> OpinionEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    match command, opinion:
        case SubmitOpinion(), Unsaid():
            return _submitted(command, facts)
        case SubmitOpinion(), Heard(entry) if _submitted(command, facts) == entry.said:
            return None

        case AcknowledgeOpinion(text=text), Heard(Entry(acknowledged=None)):
            return OpinionAcknowledged(text=text)
        case AcknowledgeOpinion(text=text), Heard(
            Entry(acknowledged=OpinionAcknowledged(text=was))
        ) if text == was:
            return None

        case RefuseOpinion(code=code, reason=reason), Heard(entry):
            _not_in_own_cause(command, entry, facts)
            if facts.collated:
                raise AlreadyCollated
            return OpinionRefused(code=code, reason=reason)
        case RefuseOpinion(code=code, reason=reason), Refused(_, refusal) if (
            refusal == OpinionRefused(code=code, reason=reason)
        ):
            return None

        case ReconsiderOpinion(reason=reason), Refused():
            return OpinionReconsidered(reason=reason)
        case ReconsiderOpinion(reason=reason), Heard(_, OpinionReconsidered(reason=was)) if (
            reason == was
        ):
            return None

        case SendMessage(text=text), Heard(entry) | Refused(entry) | Withdrawn(entry):
            theirs = _from_originator(command, entry, facts)
            if entry.messages >= MOST_MESSAGES or entry.written + len(text) > MOST_WRITTEN:
                raise ConversationFull
            return MessageSent(text=text, from_originator=theirs)

        case WithdrawOpinion(reason=reason), Heard(entry) | Refused(entry):
            if not _originated(command, entry, facts):
                raise NotTheOriginator
            return OpinionWithdrawn(reason=reason)
        case WithdrawOpinion(reason=reason), Withdrawn(_, withdrawal) if (
            reason == withdrawal.reason
        ):
            return None

        case RedactOpinion(), Heard(entry) | Refused(entry) | Withdrawn(entry) | Voided(entry):
            return _redacted(command, entry, facts)
        case LiftMasking(), Heard(entry) | Refused(entry) | Withdrawn(entry) | Voided(entry):
            return _lifted(command, entry, facts)

        case CorrectOpinion(), Heard(entry) | Refused(entry) | Withdrawn(entry):
            return _corrected(command, entry, facts)

        case VoidOpinion(reason=reason), Heard(entry) | Refused(entry) | Withdrawn(entry):
            _not_in_own_cause(command, entry, facts)
            if not entry.said.recorded_by_clerk:
                raise NotAClerksEntry
            if _entered(command, entry, facts):
                raise FourEyes
            return OpinionVoided(reason=reason)
        case VoidOpinion(reason=reason), Voided(_, voiding) if reason == voiding.reason:
            return None

        case _:
            raise OutOfOrder


def admit(command: SubmitOpinion, facts: Facts) -> None:
    """Check what can be checked of a submission before anything of it is kept.

    Raises:
        ChannelUnnamed, OnlyWithAName, TargetUnclear, UnknownSolicitation, UnknownTarget: as named.
    """
    if command.by == ANONYMOUS and (command.recorded_by_clerk or command.occurred_at):
        raise OnlyWithAName
    _placed(command, facts)


def _originated(command: Command, entry: Entry, facts: Facts) -> bool:
    """Whether the sender said this themselves, known by name or by the receipt."""
    if command.by == f"originator:{command.stream}":
        return True
    return _entered(command, entry, facts) and not entry.said.recorded_by_clerk


def _entered(command: Command, entry: Entry, facts: Facts) -> bool:
    return command.by == known_as(facts.directory, entry.said.submitted_by)


def _submitted(command: SubmitOpinion, facts: Facts) -> OpinionSubmitted:
    admit(command, facts)
    anonymous = command.by == ANONYMOUS
    return OpinionSubmitted(
        verbatim_text=command.verbatim_text,
        salt=command.salt or "",  # these three are never missing at run time
        verbatim_sha256=command.verbatim_sha256 or "",
        length=command.length or 0,
        channel=command.channel,
        channel_text=command.channel_text,
        solicitation=command.solicitation,
        target_kind=command.target_kind,
        target=command.target,
        sitting=command.sitting,
        voiced_by=command.voiced_by,
        contact=command.contact,
        submitted_by=None if anonymous else command.by,
        recorded_by_clerk=command.recorded_by_clerk,
        anonymous=anonymous,
        attachments=tuple(
            Attachment(sha256=a.sha256, media_type=a.media_type, size=a.size)
            for a in command.attachments
        ),
    )


def _placed(command: SubmitOpinion | CorrectOpinion, facts: Facts) -> None:
    """Channel, solicitation and target must make sense together."""
    if command.channel is Channel.other and command.channel_text is None:
        raise ChannelUnnamed
    if command.solicitation and not facts.solicited:
        raise UnknownSolicitation(command.solicitation)
    named = command.target_kind not in {TargetKind.team, TargetKind.unknown}
    if named is not (command.target is not None):
        raise TargetUnclear
    if command.target and not _exists(command.target_kind, command.target, facts.directory):
        raise UnknownTarget(command.target)


def _exists(kind: TargetKind, target: str, directory: Directory) -> bool:
    """Whether the target exists or did: people speak of those who have left, too."""
    if kind is TargetKind.member:
        person = directory.roster.people.get(PersonId(target))
        return (
            person is not None and not person.voided and any(p.role in TEAM for p in person.posts)
        )
    unit = directory.units.get(target)
    return unit is not None and unit.kind is UnitKind(kind.value)


def _not_in_own_cause(command: Command, entry: Entry, facts: Facts) -> None:
    if command.by == known_as(facts.directory, entry.said.target):
        raise InOwnCause


def _from_originator(command: SendMessage, entry: Entry, facts: Facts) -> bool:
    if _originated(command, entry, facts):
        return True
    staff = roles(facts.directory, command.by, command.at) & ORGANISATION
    if staff or command.by in facts.owners:
        return False
    raise NotAParty


def _redacted(command: RedactOpinion, entry: Entry, facts: Facts) -> OpinionRedacted | None:
    _not_in_own_cause(command, entry, facts)
    ranges = checked(command.ranges, entry.said.length)
    event = OpinionRedacted(ranges=ranges, mode=command.mode, reason=command.reason)
    hidden = entry.erased if command.mode is RedactionMode.final else entry.masked
    if event == entry.redacted and not without(ranges, hidden):
        return None
    return event


def _lifted(command: LiftMasking, entry: Entry, facts: Facts) -> MaskingLifted | None:
    _not_in_own_cause(command, entry, facts)
    ranges = checked(command.ranges, entry.said.length)
    event = MaskingLifted(ranges=ranges, reason=command.reason)
    if without(ranges, without(entry.masked, entry.erased)):
        if event == entry.lifted and without(ranges, entry.masked) == joined(ranges):
            return None
        raise NotMasked
    return event


def _corrected(command: CorrectOpinion, entry: Entry, facts: Facts) -> OpinionCorrected | None:
    clerk = roles(facts.directory, command.by, command.at) & CLERKS
    if not clerk and not _entered(command, entry, facts):
        raise NotYourEntry
    _not_in_own_cause(command, entry, facts)
    _placed(command, facts)
    event = OpinionCorrected(
        channel=command.channel,
        channel_text=command.channel_text,
        solicitation=command.solicitation,
        target_kind=command.target_kind,
        target=command.target,
        sitting=command.sitting,
        reason=command.reason,
    )
    return None if event == entry.corrected else event


def evolve(opinion: Opinion, event: OpinionEvent) -> Opinion:
    """What happened, happened: no rules here."""
    match event, opinion:
        case OpinionSubmitted(), _:
            return Heard(Entry(event))
        case _, Unsaid():
            return opinion
        case OpinionAcknowledged(), _:
            return replace(opinion, entry=replace(opinion.entry, acknowledged=event))
        case OpinionRefused(), _:
            return Refused(opinion.entry, event)
        case OpinionReconsidered(), _:
            return Heard(opinion.entry, event)
        case MessageSent(text=text), _:
            entry = opinion.entry
            count, written = entry.messages + 1, entry.written + len(text)
            return replace(opinion, entry=replace(entry, messages=count, written=written))
        case OpinionWithdrawn(), _:
            return Withdrawn(opinion.entry, event)
        case OpinionRedacted(), _:
            return replace(opinion, entry=_hidden(opinion.entry, event))
        case MaskingLifted(), _:
            shown = without(opinion.entry.masked, event.ranges)
            return replace(opinion, entry=replace(opinion.entry, masked=shown, lifted=event))
        case OpinionCorrected(), _:
            names = ("channel", "channel_text", "solicitation", "target_kind", "target", "sitting")
            said = opinion.entry.said.model_copy(update={n: getattr(event, n) for n in names})
            return replace(opinion, entry=replace(opinion.entry, said=said, corrected=event))
        case OpinionVoided(), _:
            return Voided(opinion.entry, event)
        case _:
            assert_never(event)


def _hidden(entry: Entry, event: OpinionRedacted) -> Entry:
    if event.mode is RedactionMode.final:
        return replace(entry, erased=joined(entry.erased, event.ranges), redacted=event)
    return replace(entry, masked=joined(entry.masked, event.ranges), redacted=event)


decider: Decider[OpinionCommand, OpinionEvent, Opinion, Facts] = Decider(
    "opinion",
    Unsaid(),
    decide,
    evolve,
    commands=OpinionCommand,
    events=OpinionEvent,
    states=Opinion,
)

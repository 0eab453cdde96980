"""What people look at: every opinion and what became of it, solicitations, collations, reports."""

from collections.abc import Iterable
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from services.campaign.directory import FOLLOWS, Directory, fold
from services.feedback.domain.ranges import joined, without
from services.feedback.events import (
    Addressee,
    Attachment,
    Channel,
    CollationClosed,
    CollationEvent,
    CollationOpened,
    CollationVoided,
    DisclosureEvent,
    DisclosureRequested,
    DisclosureWithdrawn,
    Heard,
    IdentityDisclosed,
    InNameOf,
    MaskingLifted,
    MessageSent,
    OpinionAcknowledged,
    OpinionCorrected,
    OpinionEvent,
    OpinionReconsidered,
    OpinionRedacted,
    OpinionRefused,
    OpinionsGrouped,
    OpinionSplit,
    OpinionsRegrouped,
    OpinionSubmitted,
    OpinionsUngrouped,
    OpinionVoided,
    OpinionWithdrawn,
    PartSetAside,
    PartTakenBack,
    ProposedIssue,
    RedactionMode,
    RefusalCode,
    ReportCompiled,
    ReportCorrected,
    ReportEvent,
    ReportVoided,
    SolicitationClosed,
    SolicitationCorrected,
    SolicitationEvent,
    SolicitationOpened,
    SolicitationSubject,
    SolicitationVoided,
    TargetKind,
    TextRange,
    Topic,
    Wind,
)
from services.rectification.events import (
    ConvertedToLongTerm,
    ExplainedNotPossible,
    IssueAssigned,
    IssueClaimed,
    IssueCorrected,
    IssueDeclined,
    IssueMerged,
    IssueOpened,
    IssueReopened,
    IssueReturned,
    IssueStruckOff,
    IssueTransferred,
    IssueVerified,
    IssueVoided,
    MeasuresPlanned,
    NoticePublished,
    ObjectionDismissed,
    ObjectionRaised,
    ObjectionUpheld,
    RectificationStarted,
    SourceKind,
    Stage,
    StrikeOffRequested,
)
from shared.decider import Event, Instant, PersonId
from shared.envelope import Record
from shared.views import View, ledger

directory = ledger("directory", Directory, fold, FOLLOWS)


class _Document(BaseModel):
    """A document, or a part of one."""

    model_config = ConfigDict(frozen=True)


# -- solicitations ---------------------------------------------------------------------------------


class SolicitationCard(_Document):
    """Who asks about what, by which channels, from when until when."""

    state: Literal["open", "closed", "voided"]
    in_name_of: InNameOf
    issuer: PersonId
    campaign: str
    subject: SolicitationSubject
    scope: str
    channels: tuple[Channel, ...]
    opens_on: date
    closes_on: date
    opened_at: Instant
    closed_on: date | None = None
    corrected: str | None = None
    voided: str | None = None


def solicitation_card(card: SolicitationCard | None, record: Record) -> SolicitationCard | None:
    """The solicitation after one more event."""
    event = record.event
    if isinstance(event, SolicitationOpened):
        return SolicitationCard(
            state="open",
            in_name_of=event.in_name_of,
            issuer=event.issuer,
            campaign=event.campaign,
            subject=event.subject,
            scope=event.scope,
            channels=event.channels,
            opens_on=event.opens_on,
            closes_on=event.closes_on,
            opened_at=record.at,
        )
    if card is None:
        return None
    match event:
        case SolicitationCorrected():
            names = ("scope", "channels", "opens_on", "closes_on")
            changes = {name: getattr(event, name) for name in names}
            return card.model_copy(update={**changes, "corrected": event.reason})
        case SolicitationClosed(on=day):
            return card.model_copy(update={"state": "closed", "closed_on": day})
        case SolicitationVoided(reason=reason):
            return card.model_copy(update={"state": "voided", "voided": reason})
        case _:
            return card


solicitations = View(
    "solicitations",
    SolicitationCard,
    solicitation_card,
    SolicitationEvent.__value__.__args__,
)


# -- opinions --------------------------------------------------------------------------------------


class Message(_Document):
    """One line of the conversation with an originator; `by` only where a member of staff wrote it."""

    text: str
    from_originator: bool
    at: Instant
    by: PersonId | None = None


class Note(_Document):
    """That something was done to an opinion: by whom, when, why."""

    what: Literal["acknowledged", "refused", "reconsidered", "redacted", "lifted", "corrected"]
    at: Instant
    by: PersonId
    text: str | None = None
    code: RefusalCode | None = None
    ranges: tuple[TextRange, ...] = ()


class OpinionCard(_Document):
    """One opinion: the words as they were said, how they came, and what became of them.

    `stage` says how far collating has come, `collation` which batch has it or had it, `issues` what
    was opened for it. `standing` is false once it was refused, withdrawn or voided. `own_version` is
    that of the opinion's stream, whatever else the document has seen.
    """

    id: str
    own_version: int
    state: Literal["submitted", "acknowledged", "refused", "withdrawn", "voided"]
    standing: bool
    stage: Literal["waiting", "collating", "collated"] = "waiting"
    verbatim_text: str
    verbatim_sha256: str
    length: int
    channel: Channel
    channel_text: str | None
    solicitation: str | None
    target_kind: TargetKind
    target: str | None
    sitting: str | None
    voiced_by: str | None
    contact: str | None
    submitted_by: PersonId | None
    recorded_by_clerk: bool
    anonymous: bool
    attachments: tuple[Attachment, ...]
    submitted_at: Instant
    heard_at: Instant
    masked: tuple[TextRange, ...] = ()
    erased: tuple[TextRange, ...] = ()
    acknowledgement: str | None = None
    refusal_code: RefusalCode | None = None
    refusal: str | None = None
    withdrawal: str | None = None
    voided: str | None = None
    messages: tuple[Message, ...] = ()
    notes: tuple[Note, ...] = ()
    collation: str | None = None
    issues: tuple[str, ...] = ()


def opinion_card(card: OpinionCard | None, record: Record) -> OpinionCard | None:
    """The opinion after one more event of its own, of a collation, or of an issue it became."""
    event = record.event
    if isinstance(event, OpinionSubmitted):
        return _submitted(event, record)
    if card is None:
        return None
    if changes := _of_its_own(card, event, record):
        return card.model_copy(update={**changes, "own_version": record.version})
    return card.model_copy(update=_elsewhere(card, record))


def _submitted(event: OpinionSubmitted, record: Record) -> OpinionCard:
    return OpinionCard(
        id=record.stream,
        own_version=record.version,
        state="submitted",
        standing=True,
        submitted_at=record.at,
        heard_at=record.occurred,
        **{name: getattr(event, name) for name in OpinionSubmitted.model_fields if name != "salt"},
    )


def _of_its_own(card: OpinionCard, event: Event, record: Record) -> dict[str, object]:
    match event:
        case OpinionAcknowledged(text=text):
            note = _note(card, record, "acknowledged", text)
            return {"state": "acknowledged", "acknowledgement": text, **note}
        case OpinionRefused(code=code, reason=reason):
            return {
                "state": "refused",
                "standing": False,
                "refusal_code": code,
                "refusal": reason,
                **_note(card, record, "refused", reason, code=code),
            }
        case OpinionReconsidered(reason=reason):
            heard = any(note.what == "acknowledged" for note in card.notes)
            state = "acknowledged" if heard else "submitted"
            note = _note(card, record, "reconsidered", reason)
            refused: dict[str, object] = {"refusal_code": None, "refusal": None}
            return {"state": state, "standing": True, **refused, **note}
        case MessageSent(text=text, from_originator=theirs):
            by = None if theirs else record.actor
            message = Message(text=text, from_originator=theirs, at=record.at, by=by)
            return {"messages": (*card.messages, message)}
        case OpinionWithdrawn(reason=reason):
            return {"state": "withdrawn", "standing": False, "withdrawal": reason}
        case OpinionRedacted(ranges=ranges, mode=mode, reason=reason):
            where = "erased" if mode is RedactionMode.final else "masked"
            note = _note(card, record, "redacted", reason, ranges=ranges)
            return {where: joined(getattr(card, where), ranges), **note}
        case MaskingLifted(ranges=ranges, reason=reason):
            note = _note(card, record, "lifted", reason, ranges=ranges)
            return {"masked": without(card.masked, ranges), **note}
        case OpinionCorrected(reason=reason):
            names = OpinionCorrected.model_fields.keys() - {"reason"}
            changes = {name: getattr(event, name) for name in names}
            return {**changes, **_note(card, record, "corrected", reason)}
        case OpinionVoided(reason=reason):
            return {"state": "voided", "standing": False, "voided": reason}
        case _:
            return {}


def _note(
    card: OpinionCard,
    record: Record,
    what: Literal["acknowledged", "refused", "reconsidered", "redacted", "lifted", "corrected"],
    text: str | None,
    *,
    code: RefusalCode | None = None,
    ranges: tuple[TextRange, ...] = (),
) -> dict[str, object]:
    note = Note(what=what, at=record.at, by=record.actor, text=text, code=code, ranges=ranges)
    return {"notes": (*card.notes, note)}


def _elsewhere(card: OpinionCard, record: Record) -> dict[str, object]:
    match record.event:
        case CollationOpened():
            return {"stage": "collating", "collation": record.stream}
        case CollationClosed(not_collated=left_out) if card.id in left_out:
            return {"stage": "waiting", "collation": None}
        case CollationClosed():
            return {"stage": "collated", "collation": record.stream}
        case CollationVoided() if card.collation == record.stream:
            return {"stage": "waiting", "collation": None}
        case IssueOpened() if record.stream not in card.issues:
            return {"issues": (*card.issues, record.stream)}
        case _:
            return {}


def _opinions_of(record: Record) -> Iterable[str]:
    match record.event:
        case CollationOpened(opinions=taken):
            return tuple(entry.opinion for entry in taken)
        case CollationClosed(issues=proposed, not_collated=left_out):
            parts = (part.opinion for issue in proposed for part in issue.parts)
            return tuple(dict.fromkeys((*parts, *left_out)))
        case CollationVoided(opinions=freed):
            return freed
        case IssueOpened(sources=sources):
            return tuple(dict.fromkeys(o for source in sources for o in source.opinions))
        case _:
            return (record.stream,)


opinions = View(
    "opinions",
    OpinionCard,
    opinion_card,
    (
        *OpinionEvent.__value__.__args__,
        CollationOpened,
        CollationClosed,
        CollationVoided,
        IssueOpened,
    ),
    kind="index",
    keys=_opinions_of,
)


# -- disclosures -----------------------------------------------------------------------------------


class DisclosureCard(_Document):
    """Who wants to know who said something, how that stands, and the last reason given."""

    opinion: str
    state: Literal["requested", "disclosed", "withdrawn"] = "requested"
    reason: str
    requested_by: PersonId
    approved_by: PersonId | None = None
    changed_at: Instant


def disclosure_card(card: DisclosureCard | None, record: Record) -> DisclosureCard | None:
    """A disclosure after one more event."""
    match card, record.event:
        case _, DisclosureRequested() as event:
            return DisclosureCard(**dict(event), changed_at=record.at)
        case DisclosureCard(), IdentityDisclosed(reason=reason):
            changes = {"state": "disclosed", "reason": reason, "approved_by": record.actor}
            return card.model_copy(update={**changes, "changed_at": record.at})
        case DisclosureCard(), DisclosureWithdrawn(reason=reason):
            changes = {"state": "withdrawn", "reason": reason}
            return card.model_copy(update={**changes, "changed_at": record.at})
        case _:
            return card


disclosures = View(
    "disclosures", DisclosureCard, disclosure_card, DisclosureEvent.__value__.__args__
)


# -- collations ------------------------------------------------------------------------------------


class CollationCard(_Document):
    """A batch: the opinions in it with their lengths, how they were cut, grouped and set aside."""

    state: Literal["open", "closed", "voided"]
    solicitation: str | None
    collator: PersonId
    lengths: dict[str, int]
    cuts: dict[str, tuple[int, ...]] = {}
    groups: tuple[ProposedIssue, ...] = ()
    aside: tuple[PartSetAside, ...] = ()
    not_collated: tuple[str, ...] = ()
    opened_at: Instant
    ended_at: Instant | None = None
    voided: str | None = None


def collation_card(card: CollationCard | None, record: Record) -> CollationCard | None:
    """The batch after one more event."""
    event = record.event
    if isinstance(event, CollationOpened):
        return CollationCard(
            state="open",
            solicitation=event.solicitation,
            collator=event.collator,
            lengths={entry.opinion: entry.length for entry in event.opinions},
            opened_at=record.at,
        )
    return card and card.model_copy(update=_collating(card, event, record))


def _collating(card: CollationCard, event: Event, record: Record) -> dict[str, object]:
    match event:
        case OpinionSplit(opinion=opinion, cuts=cuts):
            return {"cuts": {**card.cuts, opinion: cuts}}
        case OpinionsGrouped(issue=issue):
            return {"groups": (*card.groups, issue)}
        case OpinionsRegrouped(issue=issue):
            return {"groups": tuple(issue if g.key == issue.key else g for g in card.groups)}
        case OpinionsUngrouped(key=key):
            return {"groups": tuple(group for group in card.groups if group.key != key)}
        case PartSetAside():
            return {"aside": (*card.aside, event)}
        case PartTakenBack(part=part):
            return {"aside": tuple(entry for entry in card.aside if entry.part != part)}
        case CollationClosed(issues=issues, not_collated=left_out):
            ended = {"state": "closed", "ended_at": record.at}
            return {**ended, "groups": issues, "not_collated": left_out}
        case CollationVoided(reason=reason):
            return {"state": "voided", "ended_at": record.at, "voided": reason}
        case _:
            return {}


collations = View(
    "collations",
    CollationCard,
    collation_card,
    CollationEvent.__value__.__args__,
)


# -- reports ---------------------------------------------------------------------------------------


class ReportCard(_Document):
    """A thematic report: what was heard, counted when it was compiled, and what follows from it."""

    state: Literal["compiled", "voided"]
    solicitation: str | None
    member: PersonId | None
    opinions: tuple[str, ...]
    heard: tuple[Heard, ...]
    responsibility: str
    thinking: str
    measures: str
    compiled_at: int
    compiler: PersonId
    written_at: Instant
    corrected: str | None = None
    voided: str | None = None


def report_card(card: ReportCard | None, record: Record) -> ReportCard | None:
    """The report after one more event."""
    event = record.event
    match event:
        case ReportCompiled():
            said = {name: getattr(event, name) for name in ReportCompiled.model_fields}
            return ReportCard(state="compiled", written_at=record.at, **said)
        case ReportCorrected(reason=reason) if card:
            names = ("responsibility", "thinking", "measures")
            said = {name: getattr(event, name) for name in names}
            return card.model_copy(update={**said, "corrected": reason})
        case ReportVoided(reason=reason) if card:
            return card.model_copy(update={"state": "voided", "voided": reason})
        case _:
            return card


reports = View(
    "reports",
    ReportCard,
    report_card,
    ReportEvent.__value__.__args__,
)


# -- issues ----------------------------------------------------------------------------------------

_REACHED: dict[type[Event], Stage] = {
    IssueClaimed: "owned",
    IssueAssigned: "owned",
    IssueDeclined: "open",
    MeasuresPlanned: "planned",
    RectificationStarted: "underway",
    StrikeOffRequested: "awaiting_verification",
    IssueVerified: "verified",
    IssueReturned: "underway",
    NoticePublished: "on_notice",
    IssueStruckOff: "struck_off",
    IssueReopened: "owned",
    ConvertedToLongTerm: "long_term",
    ExplainedNotPossible: "not_possible",
    IssueMerged: "merged",
    IssueVoided: "voided",
}
"""Where an event of rectification leaves an issue."""


class Step(_Document):
    """A stage an issue reached, and when."""

    stage: Stage
    at: Instant


class IssueCard(_Document):
    """An issue as those who spoke up may follow it: where it stands and what they were told."""

    title: str
    stage: Stage
    addressee: Addressee
    person: PersonId | None = None
    winds: tuple[Wind, ...]
    topics: tuple[Topic, ...]
    opinions: tuple[str, ...]
    collations: tuple[str, ...]
    steps: tuple[Step, ...]
    owner: PersonId | None = None
    responsible_department: str | None = None
    notice: str | None = None
    notice_until: Instant | None = None
    objected: bool = False
    objection_answer: str | None = None
    ending: str | None = None
    verdicts_until: Instant | None = None
    merged_into: str | None = None


def issue_card(card: IssueCard | None, record: Record) -> IssueCard | None:
    """The issue after one more event of rectification."""
    event = record.event
    if isinstance(event, IssueOpened):
        sources = event.sources
        return IssueCard(
            title=event.title,
            stage="open",
            addressee=event.addressee,
            person=event.person,
            winds=event.winds,
            topics=event.topics,
            opinions=tuple(dict.fromkeys(o for source in sources for o in source.opinions)),
            collations=tuple(s.id for s in sources if s.kind is SourceKind.collation),
            steps=(Step(stage="open", at=record.at),),
        )
    if card is None:
        return None
    changes = _told(event)
    stage = _stage(card, event)
    if stage and stage != card.stage:
        changes |= {"stage": stage, "steps": (*card.steps, Step(stage=stage, at=record.at))}
    return card.model_copy(update=changes)


def _stage(card: IssueCard, event: Event) -> Stage | None:
    match event:
        case MeasuresPlanned() if card.stage == "underway":
            return None
        case ObjectionUpheld():
            return "underway" if card.stage == "on_notice" else None
        case _:
            return _REACHED.get(type(event))


def _told(event: Event) -> dict[str, object]:
    match event:
        case IssueCorrected(title=title, winds=winds, topics=topics):
            return {"title": title, "winds": winds, "topics": topics}
        case IssueClaimed(owner=owner) | IssueAssigned(owner=owner) | IssueTransferred(owner=owner):
            return {"owner": owner}
        case IssueDeclined():
            return {"owner": None}
        case MeasuresPlanned(responsible_department=department):
            return {"responsible_department": department}
        case NoticePublished(text=text, until=until):
            return {"notice": text, "notice_until": until.at, "objection_answer": None}
        case ObjectionRaised():
            return {"objected": True}
        case ObjectionUpheld(answer=answer):
            return {"objected": False, "objection_answer": answer}
        case ObjectionDismissed(answer=answer, until=until):
            later = {"notice_until": until.at} if until else {}
            return {"objected": False, "objection_answer": answer, **later}
        case IssueStruckOff(verdicts_until=until):
            return {"verdicts_until": until.at}
        case IssueReopened(owner=owner):
            return {"owner": owner, "verdicts_until": None, "ending": None}
        case ConvertedToLongTerm(reason=reason):
            return {"ending": reason}
        case ExplainedNotPossible(explanation=explanation, verdicts_until=until):
            return {"ending": explanation, "verdicts_until": until.at}
        case IssueMerged(into=into, reason=reason):
            return {"merged_into": into, "ending": reason}
        case IssueVoided(reason=reason):
            return {"ending": reason}
        case _:
            return {}


issues = View(
    "issues",
    IssueCard,
    issue_card,
    (
        IssueOpened,
        IssueCorrected,
        IssueTransferred,
        ObjectionRaised,
        ObjectionUpheld,
        ObjectionDismissed,
        *_REACHED,
    ),
    version=2,
)

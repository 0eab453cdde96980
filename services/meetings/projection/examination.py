"""A card per self-examination, its words apart, and which issues it has to answer."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Literal

from services.campaign.events import Role
from services.campaign.roster import Roster
from services.feedback.events import Addressee
from services.meetings.events import (
    Aspect,
    ExaminationAdopted,
    ExaminationAdoptionCorrected,
    ExaminationConsultationCorrected,
    ExaminationConsulted,
    ExaminationCorrected,
    ExaminationDrafted,
    ExaminationEvent,
    ExaminationGate,
    ExaminationGateRestored,
    ExaminationGateWaived,
    ExaminationReviewed,
    ExaminationRevised,
    ExaminationSentBack,
    ExaminationSubject,
    ExaminationSubmitted,
    Paper,
    SectionLengths,
)
from services.meetings.projection import Document
from services.rectification.events import (
    ExplainedNotPossible,
    IssueAssigned,
    IssueClaimed,
    IssueDeclined,
    IssueMerged,
    IssueOpened,
    IssueReopened,
    IssueTransferred,
    IssueVoided,
)
from shared.decider import Instant, PersonId
from shared.envelope import Record
from shared.views import View

# -- Issues, as far as a self-examination has to answer them ----------------------------------------


class Claim(Document):
    """An issue: whom it is addressed to, who holds it, whether it still counts and waits to be claimed."""

    addressee: Addressee
    person: PersonId | None = None
    owner: PersonId | None = None
    counts: bool = True
    waits: bool = True


def claim(known: Claim | None, record: Record) -> Claim | None:
    """Who holds an issue after one more event."""
    event = record.event
    if isinstance(event, IssueOpened):
        return Claim(addressee=event.addressee, person=event.person)
    return known and known.model_copy(update=_claimed(event))


def _claimed(event: object) -> dict[str, object]:
    match event:
        case (
            IssueClaimed(owner=owner)
            | IssueAssigned(owner=owner)
            | IssueTransferred(owner=owner)
            | IssueReopened(owner=owner)
        ):
            return {"owner": owner, "waits": False}
        case IssueDeclined():
            return {"owner": None, "waits": True}
        case ExplainedNotPossible():
            return {"waits": False}
        case _:  # merged or voided
            return {"counts": False, "waits": False}


claims = View(
    "claims",
    Claim,
    claim,
    (
        IssueOpened,
        IssueClaimed,
        IssueAssigned,
        IssueTransferred,
        IssueReopened,
        IssueDeclined,
        ExplainedNotPossible,
        IssueMerged,
        IssueVoided,
    ),
)


type ExaminationStage = Literal[
    "drafted", "submitted", "adopted", "consulted", "reviewed", "voided"
]
HANDED_IN: tuple[ExaminationStage, ...] = ("submitted", "adopted", "consulted", "reviewed")
"""Stages in which a self-examination counts as written (R59)."""


class ExaminationCard(Document):
    """Where a self-examination stands; not a word of it.

    `sections` are those written, `lengths` their characters (R61), `aspects` those its causes are
    tagged with and `untagged` its causes without one (R62), `vague` its measures without owner,
    deadline or deliverable (R64).
    """

    campaign: str
    subject: ExaminationSubject
    person: PersonId | None
    presided_by: PersonId | None
    to_be_adopted: bool
    stage: ExaminationStage = "drafted"
    sections: tuple[str, ...] = ()
    lengths: SectionLengths = SectionLengths()
    aspects: tuple[Aspect, ...] = ()
    causes: int = 0
    untagged: int = 0
    measures: int = 0
    vague: int = 0
    answers: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()
    waived: tuple[ExaminationGate, ...] = ()
    rounds: int = 0
    rewrite_by: date | None = None
    meeting: str | None = None
    replies: int | None = None
    solicitation: str | None = None
    drafted_at: Instant
    submitted_at: Instant | None = None
    adopted_at: Instant | None = None
    consulted_at: Instant | None = None
    reviewed_at: Instant | None = None
    corrected: int = 0


def examination_card(card: ExaminationCard | None, record: Record) -> ExaminationCard | None:
    """Where it stands after one more event."""
    event = record.event
    if isinstance(event, ExaminationDrafted):
        return ExaminationCard(
            campaign=event.campaign,
            subject=event.subject,
            person=event.person,
            presided_by=event.presided_by,
            to_be_adopted=event.to_be_adopted,
            drafted_at=record.occurred,
            **_measured(event.paper),
        )
    return card and card.model_copy(update=_moved(card, event, record.occurred))


def _measured(paper: Paper) -> dict[str, Any]:
    """What can be said of a paper without reading it."""
    lengths = paper.lengths
    tagged = {aspect for cause in paper.causes for aspect in cause.aspects}
    return {
        "sections": tuple(n for n in type(lengths).model_fields if getattr(paper, n) is not None),
        "lengths": lengths,
        "aspects": tuple(aspect for aspect in Aspect if aspect in tagged),
        "causes": len(paper.causes),
        "untagged": sum(not cause.aspects for cause in paper.causes),
        "measures": len(paper.measures),
        "vague": sum(not (m.owner and m.due_on and m.deliverable) for m in paper.measures),
        "answers": paper.answers,
    }


def _moved(card: ExaminationCard, event: object, at: Instant) -> dict[str, object]:
    match event:
        case ExaminationRevised(paper=paper):
            return _measured(paper)
        case ExaminationCorrected(paper=paper):
            return {**_measured(paper), "corrected": card.corrected + 1}
        case ExaminationGateWaived(gate=gate):
            return {"waived": (*card.waived, gate)}
        case ExaminationGateRestored(gate=gate):
            return {"waived": tuple(w for w in card.waived if w is not gate)}
        case ExaminationSubmitted(unanswered=missing):
            return {"stage": "submitted", "submitted_at": at, "unanswered": missing}
        case ExaminationAdopted(meeting=meeting):
            return {"stage": "adopted", "adopted_at": at, "meeting": meeting}
        case ExaminationAdoptionCorrected(meeting=meeting):
            return {"meeting": meeting}
        case ExaminationConsulted(replies=replies, solicitation=solicitation):
            told = {"replies": replies, "solicitation": solicitation}
            return {"stage": "consulted", "consulted_at": at, **told}
        case ExaminationConsultationCorrected(replies=replies, solicitation=solicitation):
            return {"replies": replies, "solicitation": solicitation}
        case ExaminationReviewed():
            return {"stage": "reviewed", "reviewed_at": at}
        case ExaminationSentBack(rewrite_by=day, rounds=rounds):
            anew = dict.fromkeys(
                (
                    "submitted_at",
                    "adopted_at",
                    "consulted_at",
                    "reviewed_at",
                    "meeting",
                    "replies",
                    "solicitation",
                )
            )
            back = {"stage": "drafted", "rewrite_by": day, "rounds": rounds, "unanswered": ()}
            return {**anew, **back}
        case _:  # voided
            return {"stage": "voided"}


examinations = View(
    "examinations", ExaminationCard, examination_card, ExaminationEvent.__value__.__args__
)


class Writing(Document):
    """What a self-examination says, and what was said of it; every text sealed."""

    paper: Paper
    scope: str | None = None
    remarks: str | None = None


def writing(known: Writing | None, record: Record) -> Writing | None:
    """The words after one more event."""
    match record.event:
        case ExaminationDrafted(paper=paper):
            return Writing(paper=paper)
        case ExaminationRevised(paper=paper) | ExaminationCorrected(paper=paper):
            return known and known.model_copy(update={"paper": paper})
        case ExaminationConsulted(scope=scope) | ExaminationConsultationCorrected(scope=scope):
            return known and known.model_copy(update={"scope": scope})
        case ExaminationReviewed(remarks=remarks):
            return known and known.model_copy(update={"remarks": remarks})
        case ExaminationSentBack(remarks=remarks):
            return known and known.model_copy(update={"remarks": remarks, "scope": None})
        case _:
            return known


writings = View(
    "writings",
    Writing,
    writing,
    (
        ExaminationDrafted,
        ExaminationRevised,
        ExaminationCorrected,
        ExaminationConsulted,
        ExaminationConsultationCorrected,
        ExaminationReviewed,
        ExaminationSentBack,
    ),
)


def share_of_part_1(lengths: SectionLengths) -> float | None:
    """How much of the text is about the basic situation; the weight lies on the other three (R61)."""
    total = sum(getattr(lengths, name) for name in type(lengths).model_fields)
    return lengths.basic_situation / total if total else None


class Owing(Document):
    """Who has not handed in a self-examination: the team, and which party cadres (R59)."""

    team: bool
    persons: tuple[PersonId, ...]


def owing(cards: Iterable[ExaminationCard], roster: Roster, day: date) -> Owing:
    """Whose self-examination is missing among the team and the party cadres of a day (R59)."""
    handed_in = [card for card in cards if card.stage in HANDED_IN]
    written = {roster.identity(card.person) for card in handed_in if card.person}
    return Owing(
        team=not any(card.subject is ExaminationSubject.team for card in handed_in),
        persons=tuple(sorted(roster.holders(Role.party_cadre, day) - written)),
    )

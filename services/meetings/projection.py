"""What people look at: self-examinations, appraisals, ballots; and which issues they have to answer."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from services.campaign.directory import FOLLOWS, Directory, fold
from services.campaign.events import Role
from services.campaign.roster import Roster
from services.feedback.events import Addressee
from services.meetings.events import (
    AppraisalCorrected,
    AppraisalEntry,
    AppraisalEntryVoided,
    AppraisalEvent,
    AppraisalOpened,
    AppraisalVoided,
    Aspect,
    BallotOpened,
    BallotSlip,
    BallotsOpened,
    BallotVoided,
    Disposition,
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
    Grade,
    MemberAppraised,
    MemberCommentedOn,
    MemberDisposed,
    MemberEducated,
    MemberRecommended,
    Paper,
    ResultRecorded,
    SectionLengths,
    SelfAppraised,
)
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
from shared.views import View, ledger

directory = ledger("directory", Directory, fold, FOLLOWS)


class _Document(BaseModel):
    """A part of a document."""

    model_config = ConfigDict(frozen=True)


# -- Issues, as far as a self-examination has to answer them ----------------------------------------


class Claim(_Document):
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


# -- examination -----------------------------------------------------------------------------------

type ExaminationStage = Literal[
    "drafted", "submitted", "adopted", "consulted", "reviewed", "voided"
]
HANDED_IN: tuple[ExaminationStage, ...] = ("submitted", "adopted", "consulted", "reviewed")
"""Stages in which a self-examination counts as written (R59)."""


class ExaminationCard(_Document):
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


class Writing(_Document):
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


class Owing(_Document):
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


# -- appraisal -------------------------------------------------------------------------------------

type AppraisalStage = Literal["opened", "balloting", "counted", "voided"]


class Pair(_Document):
    """Who spoke of whom."""

    giver: PersonId
    member: PersonId


class MemberGrade(_Document):
    """The result of a member."""

    member: PersonId
    grade: Grade


class MemberTally(_Document):
    """How many ballots gave a member which grade, from the best grade down."""

    member: PersonId
    counts: tuple[int, ...]


class MemberDisposition(_Document):
    """How an unqualified member is dealt with."""

    member: PersonId
    disposition: Disposition


class AppraisalCard(_Document):
    """Where a branch's appraisal stands: who did what for whom, results and tallies, not a word said."""

    campaign: str
    branch: str
    on: date
    meeting: str | None
    members: tuple[PersonId, ...]
    principals: tuple[PersonId, ...]
    scale: tuple[Grade, ...]
    stage: AppraisalStage = "opened"
    selves: tuple[PersonId, ...] = ()
    appraised: tuple[Pair, ...] = ()
    commented: tuple[Pair, ...] = ()
    ballot: int = 0
    code_hashes: tuple[str, ...] = ()
    secret: bool | None = None
    slips_cast: int | None = None
    tallies: tuple[MemberTally, ...] = ()
    results: tuple[MemberGrade, ...] = ()
    recommended: tuple[PersonId, ...] = ()
    educated: tuple[PersonId, ...] = ()
    disposed: tuple[MemberDisposition, ...] = ()
    opened_at: Instant
    counted_at: Instant | None = None


def appraisal_card(card: AppraisalCard | None, record: Record) -> AppraisalCard | None:
    """Where it stands after one more event."""
    event = record.event
    if isinstance(event, AppraisalOpened):
        return AppraisalCard(
            campaign=event.campaign,
            branch=event.branch,
            on=event.on,
            meeting=event.meeting,
            members=event.members,
            principals=event.principals,
            scale=event.scale,
            opened_at=record.occurred,
        )
    return card and card.model_copy(update=_happened(card, event, record.occurred))


NO_BALLOT: dict[str, object] = {
    "code_hashes": (),
    "secret": None,
    "slips_cast": None,
    "tallies": (),
    "counted_at": None,
}


def _happened(card: AppraisalCard, event: object, at: Instant) -> dict[str, object]:
    match event:
        case AppraisalCorrected(on=on, meeting=meeting, members=members, principals=principals):
            return {"on": on, "meeting": meeting, "members": members, "principals": principals}
        case SelfAppraised(member=member):
            return {"selves": (*card.selves, member)}
        case MemberAppraised(giver=giver, member=member):
            return {"appraised": (*card.appraised, Pair(giver=giver, member=member))}
        case MemberCommentedOn(principal=giver, member=member):
            return {"commented": (*card.commented, Pair(giver=giver, member=member))}
        case BallotOpened(round=number, code_hashes=hashes, secret=secret):
            ballot = {"ballot": number, "code_hashes": hashes, "secret": secret}
            return {"stage": "balloting", **ballot}
        case BallotVoided():
            return {"stage": "opened", **NO_BALLOT}
        case BallotsOpened(slips=slips):
            counted = {"slips_cast": len(slips), "tallies": _tallies(card, slips)}
            return {"stage": "counted", "counted_at": at, **counted}
        case ResultRecorded(member=member, grade=grade):
            return {"results": (*card.results, MemberGrade(member=member, grade=grade))}
        case MemberRecommended(member=member):
            return {"recommended": (*card.recommended, member)}
        case MemberEducated(member=member):
            return {"educated": (*card.educated, member)}
        case MemberDisposed(member=member, disposition=how):
            told = MemberDisposition(member=member, disposition=how)
            return {"disposed": (*card.disposed, told)}
        case AppraisalEntryVoided():
            return _without(card, event)
        case _:  # voided
            return {"stage": "voided"}


def _tallies(card: AppraisalCard, slips: Iterable[BallotSlip]) -> tuple[MemberTally, ...]:
    counts: Counter[tuple[PersonId, Grade]] = Counter()
    for slip in slips:
        counts.update(slip.marks.items())
    return tuple(
        MemberTally(member=member, counts=tuple(counts[member, grade] for grade in card.scale))
        for member in card.members
    )


def _without(card: AppraisalCard, event: AppraisalEntryVoided) -> dict[str, object]:
    """The list an entry stood in, without it."""
    name = _LISTS[event.entry]
    entries = getattr(card, name)
    wanted = (event.member, event.giver)
    return {name: tuple(entry for entry in entries if _place(entry) != wanted)}


def _place(entry: Any) -> tuple[PersonId, PersonId | None]:  # noqa: ANN401 -- a line of any list
    if isinstance(entry, str):
        return PersonId(entry), None
    return entry.member, getattr(entry, "giver", None)


_LISTS: dict[AppraisalEntry, str] = {
    AppraisalEntry.self_appraisal: "selves",
    AppraisalEntry.appraisal: "appraised",
    AppraisalEntry.comment: "commented",
    AppraisalEntry.result: "results",
    AppraisalEntry.recommendation: "recommended",
    AppraisalEntry.education: "educated",
    AppraisalEntry.disposition: "disposed",
}

appraisals = View("appraisals", AppraisalCard, appraisal_card, AppraisalEvent.__value__.__args__)


class Missing(_Document):
    """What an appraisal still lacks, by rule; each list is of members."""

    self_appraisals: tuple[PersonId, ...]
    appraisals_given: tuple[PersonId, ...]
    appraisals_received: tuple[PersonId, ...]
    comments: tuple[PersonId, ...]
    results: tuple[PersonId, ...]
    educations: tuple[PersonId, ...]
    dispositions: tuple[PersonId, ...]

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return not any(getattr(self, name) for name in type(self).model_fields)


def missing(card: AppraisalCard, roster: Roster) -> Missing:
    """Who still owes or lacks what: R82 self, R83 mutual, R84 comment, R86 education and disposition.

    Nobody comments on themselves, so a single principal needs no comment; a branch of one member
    has no mutual appraisal.
    """
    card = roster.settled(card)
    alone = len(set(card.members)) == 1
    unqualified = [r.member for r in card.results if r.grade is card.scale[-1]]

    def lacking(members: Iterable[PersonId], done: Iterable[PersonId]) -> tuple[PersonId, ...]:
        return tuple(sorted(set(members) - set(done)))

    commentable = [m for m in card.members if set(card.principals) - {m}]
    return Missing(
        self_appraisals=lacking(card.members, card.selves),
        appraisals_given=lacking(() if alone else card.members, (p.giver for p in card.appraised)),
        appraisals_received=lacking(
            () if alone else card.members, (p.member for p in card.appraised)
        ),
        comments=lacking(commentable, (p.member for p in card.commented)),
        results=lacking(card.members, (r.member for r in card.results)),
        educations=lacking(unqualified, card.educated),
        dispositions=lacking(unqualified, (d.member for d in card.disposed)),
    )


def unappraised(cards: Iterable[AppraisalCard], known: Directory, day: date) -> tuple[str, ...]:
    """The branches that have party members on a day and no counted appraisal (R78)."""
    done = {card.branch for card in cards if card.stage == "counted"}
    members = known.roster.holders(Role.party_member, day)
    living = {known.roster.people[person].branch(day) for person in members}
    return tuple(sorted(branch for branch in living if branch and branch not in done))


def share_of_best(card: AppraisalCard) -> float | None:
    """How many of the results are the best grade; usually no more than a third."""
    if not card.results:
        return None
    return sum(r.grade is card.scale[0] for r in card.results) / len(card.results)


class Said(_Document):
    """Sealed words about a member: by whom, and which."""

    entry: AppraisalEntry
    giver: PersonId | None = None
    texts: dict[str, str]


class AppraisedMember(_Document):
    """Everything said about one member in one appraisal."""

    appraisal: str
    member: PersonId
    said: tuple[Said, ...] = ()


KINDS_WITH_WORDS: dict[type, AppraisalEntry] = {
    SelfAppraised: AppraisalEntry.self_appraisal,
    MemberAppraised: AppraisalEntry.appraisal,
    MemberCommentedOn: AppraisalEntry.comment,
    MemberRecommended: AppraisalEntry.recommendation,
    MemberEducated: AppraisalEntry.education,
    MemberDisposed: AppraisalEntry.disposition,
}
_NO_WORDS = frozenset({"member", "giver", "principal", "recorded_by", "disposition"})


def appraised_member(known: AppraisedMember | None, record: Record) -> AppraisedMember | None:
    """The words about a member after one more event."""
    event: Any = record.event
    document = known or AppraisedMember(appraisal=record.stream, member=event.member)
    if isinstance(event, AppraisalEntryVoided):
        left = tuple(s for s in document.said if (s.entry, s.giver) != (event.entry, event.giver))
        return document.model_copy(update={"said": left})
    texts = {n: getattr(event, n) for n in type(event).model_fields if n not in _NO_WORDS}
    giver = getattr(event, "giver", None) or getattr(event, "principal", None)
    new = Said(entry=KINDS_WITH_WORDS[type(event)], giver=giver, texts=texts)
    return document.model_copy(update={"said": (*document.said, new)})


def _member_of(record: Record) -> tuple[str, ...]:
    event: Any = record.event
    return (f"{record.stream}/{event.member}",)


appraised_members = View(
    "appraised-members",
    AppraisedMember,
    appraised_member,
    (*KINDS_WITH_WORDS, AppraisalEntryVoided),
    kind="index",
    keys=_member_of,
)


class Ballots(_Document):
    """The slips of a ballot that was opened, sorted by code hash."""

    slips: tuple[BallotSlip, ...] = ()


def opened_ballots(known: Ballots | None, record: Record) -> Ballots | None:
    """The slips after one more event; those of a void ballot count nowhere."""
    match record.event:
        case BallotsOpened(slips=slips):
            return Ballots(slips=slips)
        case BallotVoided() | AppraisalVoided():
            return known and Ballots()
        case _:
            return known


ballots = View("ballots", Ballots, opened_ballots, (BallotsOpened, BallotVoided, AppraisalVoided))

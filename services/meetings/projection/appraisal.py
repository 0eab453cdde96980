"""A card per appraisal, what was said of each member apart, and the ballots that were opened."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any, Literal

from services.campaign.directory import Directory
from services.campaign.events import Role
from services.campaign.roster import Roster
from services.meetings.events import (
    AppraisalCorrected,
    AppraisalEntry,
    AppraisalEntryVoided,
    AppraisalEvent,
    AppraisalOpened,
    AppraisalVoided,
    BallotOpened,
    BallotSlip,
    BallotsOpened,
    BallotVoided,
    Disposition,
    Grade,
    MemberAppraised,
    MemberCommentedOn,
    MemberDisposed,
    MemberEducated,
    MemberRecommended,
    ResultRecorded,
    SelfAppraised,
)
from services.meetings.projection import Document
from shared.decider import Instant, PersonId
from shared.envelope import Record
from shared.views import View

type AppraisalStage = Literal["opened", "balloting", "counted", "voided"]


class Pair(Document):
    """Who spoke of whom."""

    giver: PersonId
    member: PersonId


class MemberGrade(Document):
    """The result of a member."""

    member: PersonId
    grade: Grade


class MemberTally(Document):
    """How many ballots gave a member which grade, from the best grade down."""

    member: PersonId
    counts: tuple[int, ...]


class MemberDisposition(Document):
    """How an unqualified member is dealt with."""

    member: PersonId
    disposition: Disposition


class AppraisalCard(Document):
    """Where a branch's appraisal stands: who did what for whom, results and tallies, not a word said."""

    campaign: str
    branch: str
    on: date
    meeting: str | None
    members: tuple[PersonId, ...]
    principals: tuple[PersonId, ...]
    scale: tuple[Grade, ...]
    probationary: tuple[PersonId, ...] = ()
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

    @property
    def graded(self) -> tuple[PersonId, ...]:
        """The members who get a grade: all but those on probation."""
        return tuple(member for member in self.members if member not in self.probationary)


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
            probationary=event.probationary,
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
        case AppraisalCorrected():
            names = ("on", "meeting", "members", "probationary", "principals")
            return {name: getattr(event, name) for name in names}
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
        for member in card.graded
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


class Missing(Document):
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
        results=lacking(card.graded, (r.member for r in card.results)),
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


class Said(Document):
    """Sealed words about a member: by whom, and which."""

    entry: AppraisalEntry
    giver: PersonId | None = None
    texts: dict[str, str]


class AppraisedMember(Document):
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


class Ballots(Document):
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

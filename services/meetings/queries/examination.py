"""What may be asked of self-examinations, and the facts their rules look at."""

from datetime import date
from typing import Any

from pydantic import Field

from services.campaign.directory import Directory
from services.campaign.events import Role
from services.meetings.domain import examination as examination_domain
from services.meetings.domain.examination import (
    AdoptExamination,
    CorrectExamination,
    CorrectExaminationAdoption,
    DraftExamination,
    ExaminationCommand,
    ReviseExamination,
    SubmitExamination,
    Undrafted,
    unanswered,
)
from services.meetings.domain.examination import Voided as VoidedExamination
from services.meetings.events import Aspect, ExaminationSubject, MeetingKind
from services.meetings.projection.examination import (
    HANDED_IN,
    Claim,
    ExaminationCard,
    ExaminationStage,
    claims,
    examinations,
    owing,
    share_of_part_1,
    writings,
)
from services.meetings.projection.meeting import meetings
from services.meetings.queries import CONFIDANTS, PEOPLE, known_to
from shared.callers import Caller
from shared.decider import NotFound, PersonId
from shared.marks import Id
from shared.mongo import Document
from shared.privacy import masked
from shared.runtime import Cursor, Desk, Query
from shared.views import content, shown

# -- Facts: examination ----------------------------------------------------------------------------


async def examination_facts(command: ExaminationCommand, desk: Desk) -> examination_domain.Facts:
    """What a decision on a self-examination looks at: the issues it names, answers, or waits for."""
    known = known_to(desk)
    match command:
        case DraftExamination() | ReviseExamination() | CorrectExamination():
            found = await desk.find(claims, {"key": {"$in": sorted(command.issues)}})
            counting = frozenset(d["key"] for d in found if d["counts"])
            return examination_domain.Facts(known, issues=counting)
        case SubmitExamination() if not isinstance(desk.state, Undrafted | VoidedExamination):
            held = await _issues(desk)
            return examination_domain.Facts(
                known,
                unclaimed=_unclaimed(desk.state.frame.person, held, known),
                to_answer=_to_answer(desk.state.frame.person, held, known),
            )
        case AdoptExamination(meeting=meeting) | CorrectExaminationAdoption(meeting=meeting):
            return examination_domain.Facts(known, held=await _was_held(meeting, desk))
        case _:
            return examination_domain.Facts(known)


async def _was_held(meeting: str, desk: Desk) -> bool:
    """Whether a meeting is one of the leadership, and took place."""
    card = await desk.card(meetings, meeting)
    return (
        card is not None
        and card.kind is MeetingKind.leadership
        and card.stage in {"held", "closed"}
    )


async def _issues(desk: Desk) -> dict[str, Claim]:
    """Every issue that counts."""
    found = await desk.find(claims, {"counts": True})
    return {d["key"]: Claim.model_validate(content(d)) for d in found}


def _unclaimed(person: PersonId | None, held: dict[str, Claim], known: Directory) -> frozenset[str]:
    """The issues addressed to somebody that nobody has claimed yet (R33); the team waits for none."""
    if person is None:
        return frozenset()
    theirs = known.roster.aliases(known.roster.identity(person))
    return frozenset(i for i, claim in held.items() if claim.waits and claim.person in theirs)


def _to_answer(person: PersonId | None, held: dict[str, Claim], known: Directory) -> frozenset[str]:
    """The issues somebody holds; for the team, those of the team that somebody holds (R63)."""
    if person is None:
        return frozenset(i for i, c in held.items() if c.owner and c.addressee == "team")
    theirs = known.roster.aliases(known.roster.identity(person))
    return frozenset(i for i, claim in held.items() if claim.owner in theirs)


# -- Examinations ----------------------------------------------------------------------------------


class Examinations(Query):
    """Every self-examination, in the order they were begun; not a word of them."""

    zh = "对照检查材料"
    path = "examinations"
    allowed = PEOPLE
    campaign: Id | None = None
    subject: ExaminationSubject | None = None
    person: Id | None = None
    stage: ExaminationStage | None = None
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def all_examinations(query: Examinations, desk: Desk, _: Caller) -> dict[str, Any]:
    """One page of cards, with what can be computed of each as of now."""
    where: dict[str, Any] = {
        name: value
        for name in ("campaign", "subject", "stage")
        if (value := getattr(query, name)) is not None
    }
    if query.person:
        where["person"] = {"$in": list(known_to(desk).roster.aliases(PersonId(query.person)))}
    found = await desk.find(examinations, where, after=query.after, limit=query.limit)
    held = await _issues(desk)
    items = [_examined(document, held, known_to(desk)) for document in found]
    return {"items": items, "next": items[-1]["opened"] if len(items) == query.limit else None}


def _examined(document: Document, held: dict[str, Claim], known: Directory) -> dict[str, Any]:
    """A card with R61 (share of part 1), R62 (aspects missing), R63 (issues unanswered as of now)."""
    card = ExaminationCard.model_validate(content(document))
    return {
        **shown(document),
        "share_of_part_1": share_of_part_1(card.lengths),
        "aspects_missing": [aspect for aspect in Aspect if aspect not in card.aspects],
        "unanswered_now": unanswered(_to_answer(card.person, held, known), card.answers),
    }


class Examination(Query):
    """One self-examination; its words for its author, the leaders and the supervision group."""

    zh = "对照检查材料详情"
    path = "examinations/{id}"
    allowed = PEOPLE
    id: Id


async def one_examination(query: Examination, desk: Desk, caller: Caller) -> dict[str, Any]:
    """The card and the words; the team's are for the team too, once adopted for everybody."""
    document = await desk.document(examinations, query.id)
    written = await desk.document(writings, query.id)
    if document is None or written is None:
        raise NotFound
    words = content(written)
    desk.words_of(words, document["person"])
    if not _reads_paper(caller, document, known_to(desk)):
        words = masked(words)
    return {**_examined(document, await _issues(desk), known_to(desk)), **words}


def _reads_paper(caller: Caller, document: Document, known: Directory) -> bool:
    if caller.roles & CONFIDANTS:
        return True
    if document["person"]:
        return known.roster.identity(PersonId(document["person"])) == caller.id
    adopted = document["stage"] in {"adopted", "consulted", "reviewed"}
    return Role.team_member in caller.roles or (adopted and "person" in caller.roles)


class ExaminationsOwed(Query):
    """Who has not handed in a self-examination: the team, and party cadres of a day (R59)."""

    zh = "未提交对照检查材料名单"
    path = "examinations-owed"
    allowed = PEOPLE
    campaign: Id | None = None
    day: date | None = None


async def examinations_owed(query: ExaminationsOwed, desk: Desk, _: Caller) -> dict[str, Any]:
    """As of a day, today where none is given; of the campaign that counts where none is named."""
    known = known_to(desk)
    campaign = query.campaign or known.current
    day = query.day or known.day(desk.at)
    found = await desk.find(examinations, {"campaign": campaign, "stage": {"$in": list(HANDED_IN)}})
    cards = [ExaminationCard.model_validate(content(document)) for document in found]
    owed = owing(cards, known.roster, day)
    return {"campaign": campaign, "day": day.isoformat(), **owed.model_dump(mode="json")}

"""What may be asked of meetings, and the facts its rules look at."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from pydantic import Field

from services.campaign.directory import Directory
from services.campaign.events import Role
from services.meetings.domain import appraisal as appraisal_domain
from services.meetings.domain import examination as examination_domain
from services.meetings.domain.examination import (
    CorrectExamination,
    DraftExamination,
    ExaminationCommand,
    ReviseExamination,
    SubmitExamination,
    Undrafted,
    unanswered,
)
from services.meetings.domain.examination import Voided as VoidedExamination
from services.meetings.events import Aspect, ExaminationSubject
from services.meetings.projection import (
    HANDED_IN,
    AppraisalCard,
    AppraisalStage,
    Claim,
    ExaminationCard,
    ExaminationStage,
    appraisals,
    appraised_members,
    ballots,
    claims,
    directory,
    examinations,
    missing,
    owing,
    share_of_best,
    share_of_part_1,
    unappraised,
    writings,
)
from shared.callers import Caller, UnknownSchool
from shared.decider import NotFound, PersonId
from shared.marks import Id
from shared.mongo import Document
from shared.privacy import masked
from shared.runtime import Cursor, Desk, Query
from shared.views import content, shown

PEOPLE = frozenset({"person", "operator"})
CONFIDANTS = frozenset({Role.principal_leader, Role.supervisor})
"""Who reads every self-examination and everything said in appraisals."""


def _known(desk: Desk) -> Directory:
    known = desk.ledger(directory)
    if known is None:
        raise UnknownSchool
    return known


# -- Facts: examination ----------------------------------------------------------------------------


async def examination_facts(command: ExaminationCommand, desk: Desk) -> examination_domain.Facts:
    """What a decision on a self-examination looks at: the issues it names, answers, or waits for."""
    known = _known(desk)
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
        case _:
            return examination_domain.Facts(known)


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
        where["person"] = {"$in": list(_known(desk).roster.aliases(PersonId(query.person)))}
    found = await desk.find(examinations, where, after=query.after, limit=query.limit)
    held = await _issues(desk)
    items = [_examined(document, held, _known(desk)) for document in found]
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
    if not _reads_paper(caller, document, _known(desk)):
        words = masked(words)
    return {**_examined(document, await _issues(desk), _known(desk)), **words}


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
    known = _known(desk)
    campaign = query.campaign or known.current
    day = query.day or known.day(desk.at)
    found = await desk.find(examinations, {"campaign": campaign, "stage": {"$in": list(HANDED_IN)}})
    cards = [ExaminationCard.model_validate(content(document)) for document in found]
    owed = owing(cards, known.roster, day)
    return {"campaign": campaign, "day": day.isoformat(), **owed.model_dump(mode="json")}


# -- Appraisals ------------------------------------------------------------------------------------


class Appraisals(Query):
    """The appraisals of all branches: results and tallies, and what is missing."""

    zh = "民主评议党员"
    path = "appraisals"
    allowed = PEOPLE
    campaign: Id | None = None
    branch: Id | None = None
    stage: AppraisalStage | None = None
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def all_appraisals(query: Appraisals, desk: Desk, _: Caller) -> dict[str, Any]:
    """One page of appraisals."""
    where = {
        name: value
        for name in ("campaign", "branch", "stage")
        if (value := getattr(query, name)) is not None
    }
    found = await desk.find(appraisals, where, after=query.after, limit=query.limit)
    items = [_appraised(document, _known(desk)) for document in found]
    return {"items": items, "next": items[-1]["opened"] if len(items) == query.limit else None}


class Appraisal(Query):
    """One branch's appraisal."""

    zh = "民主评议详情"
    path = "appraisals/{id}"
    allowed = PEOPLE
    id: Id


async def one_appraisal(query: Appraisal, desk: Desk, _: Caller) -> dict[str, Any]:
    """Who did what for whom, tallies, results, and what is missing (R82-R84, R86).

    `appraised` lists by giver whom they appraised; `code_hashes` those of the latest ballot's slips.
    """
    document = await desk.document(appraisals, query.id)
    if document is None:
        raise NotFound
    appraised: dict[str, list[str]] = {}
    for pair in document["appraised"]:
        appraised.setdefault(pair["giver"], []).append(pair["member"])
    more = {"appraised": appraised, "code_hashes": document["code_hashes"]}
    return {**_appraised(document, _known(desk)), **more}


def _appraised(document: Document, known: Directory) -> dict[str, Any]:
    """An appraisal as it stands in a list: without what grows with the square of its members."""
    card = AppraisalCard.model_validate(content(document))
    told = {n: v for n, v in shown(document).items() if n not in {"appraised", "code_hashes"}}
    return {
        **told,
        "appraisals": len(card.appraised),
        "missing": missing(card, known.roster).model_dump(mode="json"),
        "share_of_best": share_of_best(card),
    }


class AppraisalsOwed(Query):
    """Which branches have appraised nobody yet (R78)."""

    zh = "未开展民主评议的支部"
    path = "appraisals-owed"
    allowed = PEOPLE
    campaign: Id | None = None
    day: date | None = None


async def appraisals_owed(query: AppraisalsOwed, desk: Desk, _: Caller) -> dict[str, Any]:
    """As of a day, today where none is given; of the campaign that counts where none is named."""
    known = _known(desk)
    campaign = query.campaign or known.current
    day = query.day or known.day(desk.at)
    found = await desk.find(appraisals, {"campaign": campaign})
    cards = [AppraisalCard.model_validate(content(document)) for document in found]
    owed = unappraised(cards, known, day)
    return {"campaign": campaign, "day": day.isoformat(), "branches": owed}


class AppraisedMember(Query):
    """What was said about one member: for that member, who leads the branch, and the supervision group."""

    zh = "党员评议内容"
    path = "appraisals/{id}/members/{member}"
    allowed = PEOPLE
    id: Id
    member: Id


async def appraised_member(query: AppraisedMember, desk: Desk, caller: Caller) -> dict[str, Any]:
    """Everything said; others see only their own words, the rest is masked."""
    known = _known(desk)
    card = await desk.card(appraisals, query.id)
    if card is None or query.member not in card.members:
        raise NotFound
    found = await desk.document(appraised_members, f"{query.id}/{query.member}")
    said = found["said"] if found else []
    leads = appraisal_domain.Facts(known).hosts(caller.id, card.branch, desk.at)
    if not (caller.roles & CONFIDANTS or leads or _is(query.member, caller, known)):
        said = [s if _is(s["giver"], caller, known) else masked(s) for s in said]
    return {"id": query.id, "member": query.member, "said": said}


def _is(person: str | None, caller: Caller, known: Directory) -> bool:
    return person is not None and known.roster.identity(PersonId(person)) == caller.id


class AppraisalBallots(Query):
    """The slips of a ballot that was opened, sorted by code hash: a voter finds their own there."""

    zh = "开箱选票"
    path = "appraisals/{id}/ballots"
    allowed = PEOPLE
    id: Id
    after: Cursor = 0
    limit: int = Field(100, ge=1, le=500)


async def opened_ballots(query: AppraisalBallots, desk: Desk, _: Caller) -> dict[str, Any]:
    """One page of slips; `opened` counts them from 1."""
    found = await desk.document(ballots, query.id)
    if found is None:
        raise NotFound
    slips: Iterable[dict[str, Any]] = found["slips"]
    items = [{**slip, "opened": n} for n, slip in enumerate(slips, start=1) if n > query.after]
    page = items[: query.limit]
    return {
        "total": len(found["slips"]),
        "items": page,
        "next": page[-1]["opened"] if len(items) > query.limit else None,
    }

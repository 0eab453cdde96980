"""What may be asked of appraisals and opened ballots."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from pydantic import Field

from services.campaign.directory import Directory
from services.meetings.domain import appraisal as appraisal_domain
from services.meetings.projection.appraisal import (
    AppraisalCard,
    AppraisalStage,
    appraisals,
    appraised_members,
    ballots,
    missing,
    share_of_best,
    unappraised,
)
from services.meetings.queries import CONFIDANTS, PEOPLE, known_to
from shared.callers import Caller
from shared.decider import NotFound, PersonId
from shared.marks import Id
from shared.mongo import Document
from shared.privacy import masked
from shared.runtime import Cursor, Desk, Query
from shared.views import content, shown


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
    items = [_appraised(document, known_to(desk)) for document in found]
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
    return {**_appraised(document, known_to(desk)), **more}


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
    known = known_to(desk)
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
    known = known_to(desk)
    card = await desk.card(appraisals, query.id)
    if card is None or query.member not in card.members:
        raise NotFound
    found = await desk.document(appraised_members, f"{query.id}/{query.member}")
    said = found["said"] if found else []
    for words in said:
        desk.words_of(words, words["giver"], query.member)
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

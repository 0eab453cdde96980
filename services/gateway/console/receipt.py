"""The receipt: what became of an opinion, and what its originator may do; a code stands in bodies only."""

import asyncio
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from services.gateway.console.acts import Act, Field, problems_of
from services.gateway.console.asking import Found
from services.gateway.console.door import Door, Form, Visit, form_of, one
from services.gateway.console.look import say
from services.gateway.console.pages import steps
from services.gateway.console.session import Session
from services.gateway.life import SATISFIED, SOLVED
from services.gateway.problems import STATUS, answer_of
from services.gateway.receipts import Refused
from shared.decider import NotFound, Unavailable

BY_RECEIPT: dict[str, Act] = {
    act.path: act
    for act in (
        Act(
            "record-verdict",
            "record-verdict",
            (
                Field("solved", "choice", "receipt.solved"),
                Field("satisfied", "choice", "receipt.satisfied"),
                Field("comment", "text", "receipt.comment"),
            ),
            trial={"solved": "solved", "satisfied": "satisfied"},
        ),
        Act("raise-objection", "raise-objection",
            (Field("text", "text", "receipt.objection", "receipt.objection_help"),),
            trial={"text": "—"}, seldom=True),
        Act("send-message", "send-message", (Field("text", "text", "receipt.text"),),
            trial={"text": "—"}),
        Act("withdraw", "withdraw-opinion", (Field("reason", "text", "receipt.reason"),),
            seldom=True),
    )
}  # fmt: skip
"""What can be done with a receipt, in the order it is offered; what is seldom done is folded."""
OF_AN_ISSUE = frozenset({"record-verdict", "raise-objection"})
OPTIONS = {"solved": [*SOLVED.items()], "satisfied": [*SATISFIED.items()]}


@dataclass(frozen=True)
class Sheet:
    """A form on the page: an act, the issue it is about if it is about one, and what it says by now."""

    act: Act
    issue: str
    about: str
    said: Form
    key: str
    problems: list[dict[str, str]]
    folded: bool = False

    @property
    def at(self) -> str:
        """What its controls are called by on the page."""
        return f"{self.act.path}.{self.issue}" if self.issue else self.act.path


@dataclass(frozen=True)
class Holder:
    """Whoever holds a receipt: its code, the opinion, and the session they ask with."""

    code: str
    opinion: str
    session: Session


class Receipts:
    """The page of a receipt."""

    def __init__(self, door: Door) -> None:
        """The door lets anybody in."""
        self.door = door

    async def ask(self, request: Request) -> Response:
        """The form that takes a code."""
        return _page(await self.door.anybody(request))

    async def look(self, request: Request) -> Response:
        """What became of the opinion of a code."""
        form = await form_of(request)
        visit = await self.door.anybody(request)
        if not visit.session.vouches(one(form, "form")):
            return _not_found(visit, {"title": {"zh": say("act.again_text")}}, 403)
        try:
            return await self._told(visit, await self._holder(visit, one(form, "code")))
        except Refused as refusal:
            return _not_found(visit, refusal.error)

    async def take(self, request: Request) -> Response:
        """Do what a form says; the page again, with the reason and every word of it if it was not done."""
        form = await form_of(request)
        visit = await self.door.anybody(request)
        act = BY_RECEIPT.get(request.path_params["act"])
        if act is None:
            raise NotFound
        if not visit.session.vouches(one(form, "form")):
            return await self._kept(visit, act, form, None)
        try:
            holder = await self._holder(visit, one(form, "code"))
            target = one(form, "issue") if act.path in OF_AN_ISSUE else holder.opinion
            reply = await self.door.asking.do(
                holder.session, act.command, act.body(form), key=one(form, "key"), target=target
            )
        except Refused as refusal:
            return await self._kept(visit, act, form, refusal.error)
        except Unavailable as trouble:
            return await self._kept(visit, act, form, answer_of(trouble))
        visit = replace(visit, session=visit.session.seen(reply["position"]))
        holder = replace(holder, session=holder.session.seen(reply["position"]))
        try:
            return await self._told(visit, holder, done=act.path)
        except (Refused, Unavailable):  # it is done; the views show it later
            return _page(visit, done=act.path)

    async def _holder(self, visit: Visit, code: str) -> Holder:
        """Who holds a code; that somebody is signed in is not told.

        Raises:
            Refused: nobody has been given such a code.
        """
        nobody = visit.session.model_copy(update={"token": ""})
        known = await self.door.asking.find(nobody, "receipt-token", code=code)
        session = nobody.model_copy(update={"token": known["token"]})
        return Holder(code, known["opinion"], session)

    async def _kept(
        self, visit: Visit, act: Act, form: Form, error: Mapping[str, Any] | None
    ) -> Response:
        """The page after something was not done: what was written stands in its form."""
        key = one(form, "key") or secrets.token_hex(16)
        kept = Sheet(act, one(form, "issue"), one(form, "about"), form, key, [])
        status = STATUS.get(error["code"], 409) if error else 403
        found = (
            problems_of(act, error) if error else [{"field": "", "words": say("act.again_text")}]
        )
        problems = [{**p, "field": f"{kept.at}.{p['field']}" if p["field"] else ""} for p in found]
        kept = replace(kept, problems=problems)
        try:
            holder = await self._holder(visit, one(form, "code"))
            return await self._told(visit, holder, kept=kept, status=status)
        except (Refused, Unavailable):
            return _page(
                visit, status, code=one(form, "code"), sheets=[kept], problems=problems,
                tried=act.path,
            )  # fmt: skip

    async def _told(
        self,
        visit: Visit,
        holder: Holder,
        *,
        done: str = "",
        kept: Sheet | None = None,
        status: int = 200,
    ) -> Response:
        """All that a receipt tells and lets do."""
        found = await visit.asking.find(holder.session, "receipt")
        sheets, later = await self._possible(holder, found)
        if kept:
            sheets = [kept, *(s for s in sheets if s.at != kept.at)]
        return _page(
            visit, status, found["position"], code=holder.code, found=found, sheets=sheets,
            later=later, done=done, problems=kept.problems if kept else [],
            tried=kept.act.path if kept else "",
            walks={b["id"]: steps(b["stage"]) for b in found["became"]},
        )  # fmt: skip

    async def _possible(
        self, holder: Holder, found: Found
    ) -> tuple[list[Sheet], list[tuple[str, str]]]:
        """The forms of what can be done now, and of the rest why not; the rules themselves are asked."""
        if found["state"] == "received":
            return [], []
        none = {"id": "", "title": "", "stage": ""}
        wanted = [
            (act, b)
            for act in BY_RECEIPT.values()
            for b in (found["became"] if act.path in OF_AN_ISSUE else [none])
        ]
        answers = await asyncio.gather(*(self._tried(holder, act, b["id"]) for act, b in wanted))
        known = [*zip(wanted, answers, strict=True)]
        sheets = [sheet(act, b) for (act, b), why in known if why == ""]
        later = [*dict.fromkeys((act.path, why) for (act, _), why in known if why)]
        return sorted(sheets, key=lambda s: s.folded), later

    async def _tried(self, holder: Holder, act: Act, issue: str) -> str | None:
        """Why an act cannot be done now: nothing if it can, none if it would change nothing."""
        try:
            reply = await self.door.asking.do(
                holder.session, act.command, act.trial, key=secrets.token_hex(16),
                target=issue or holder.opinion, rehearse=True,
            )  # fmt: skip
        except Refused as refusal:
            early = refusal.error["code"] == "out-of-order"
            return say(f"by_receipt.{act.path}_early") if early else refusal.error["title"]["zh"]
        return "" if reply.get("type") else None


def sheet(act: Act, became: Mapping[str, Any]) -> Sheet:
    """An empty form; what is seldom done is folded, but people are asked whether a notice is true."""
    folded = act.seldom and became["stage"] != "on_notice"
    return Sheet(act, became["id"], became["title"], {}, secrets.token_hex(16), [], folded)


def _page(
    visit: Visit,
    status: int = 200,
    position: int = 0,
    *,
    code: str = "",
    found: Found | None = None,
    sheets: Iterable[Sheet] = (),
    **told: object,
) -> Response:
    nothing = {"later": [], "done": "", "tried": "", "walks": {}}
    return visit.page(
        "receipt.html", position, "receipt", status, code=code, found=found, sheets=[*sheets],
        options=OPTIONS, **{**nothing, **told},
    )  # fmt: skip


def _not_found(visit: Visit, error: Mapping[str, Any], status: int = 0) -> Response:
    """The form that takes a code again, with what was wrong."""
    problems = [{"field": "code", "words": str(error["title"]["zh"])}]
    return _page(visit, status or STATUS.get(error["code"], 409), problems=problems)

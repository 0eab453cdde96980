"""The pages that are read: today's list, the ledger, an issue, the rules, who is missing, the proof."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Literal
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from services.gateway.console.acts import ACTS, possible
from services.gateway.console.door import Door
from services.gateway.console.life import told
from services.gateway.console.look import Due, due, say
from services.gateway.doors import SHEET, SVG
from services.gateway.life import STAGES
from services.gateway.picture import picture
from services.gateway.receipts import Refused

type Item = dict[str, Any]

WALK = (
    ("open", "opened"),
    ("owned", "owned"),
    ("planned", "planned"),
    ("underway", "underway"),
    ("awaiting_verification", "awaiting"),
    ("verified", "verified"),
    ("on_notice", "notice"),
    ("struck_off", "struck"),
)
"""The stages of an issue that all goes well with, and the step each of them has reached."""
WINDS = ("formalism", "bureaucratism", "hedonism", "extravagance")
FILTERS = ("stage", "wind", "addressee", "owner", "overdue", "key_issue")
LONGEST = 64
"""Characters of the value of a filter."""


class Pages:
    """What a member of the school can look at."""

    def __init__(self, door: Door) -> None:
        """The door lets people in."""
        self.door = door

    async def today(self, request: Request) -> Response:
        """What waits for me, by deadline."""
        visit = await self.door.member(request)
        assert visit.me  # noqa: S101 -- a member is somebody
        me = visit.me["id"]
        mine, reviews, free, summary = await asyncio.gather(
            visit.find("issues", owner=me, live=True, limit=200),
            visit.find("issues", reviewer=me, stage="awaiting_verification", limit=200),
            visit.find("issues", stage="open", limit=200),
            visit.find("issue-summary"),
        )
        items = [*_waiting("verify", reviews["items"], visit.today)]
        items += _waiting("own", (i for i in mine["items"] if i["stage"] in _OWNERS), visit.today)
        claimable = (i for i in free["items"] if i["person"] in {None, me})
        if "team_member" in visit.me["as_of"]["roles"]:
            items += _waiting("claim", claimable, visit.today)
        return visit.page(
            "today.html", min(f["position"] for f in (mine, reviews, free, summary)), "today",
            lists=[(c, [i for i in items if i["due"].colour == c]) for c in _COLOURS],
            summary=summary,
        )  # fmt: skip

    async def ledger(self, request: Request) -> Response:
        """The board with its columns, filters and pages."""
        visit = await self.door.member(request)
        given = request.query_params
        asked = {name: given[name][:LONGEST] for name in FILTERS if given.get(name)}
        after = given.get("after", "0")
        found, summary, names, departments = await asyncio.gather(
            visit.find("issues", **asked, after=after),
            visit.find("issue-summary"),
            visit.names(),
            visit.departments(),
        )
        more = urlencode({**asked, "after": found["next"]}) if found["next"] else ""
        return visit.page(
            "ledger.html", min(found["position"], summary["position"]), "ledger",
            items=found["items"], summary=summary, names=names, departments=departments,
            asked=asked, later=after != "0",
            next_page=f"{visit.base}/ledger?{more}" if more else "",
            stages=[(s, STAGES[s]) for s in summary["by_stage"]],
            winds=[(w, say(f"wind.{w}")) for w in WINDS],
            addressees=[(a, say(f"addressee.{a}")) for a in ("team", "member")],
            people=[*names.items()],
            yes_no=[("true", say("page.yes")), ("false", say("page.no"))],
        )  # fmt: skip

    async def issue(self, request: Request) -> Response:
        """One issue: how it stands, what can be done, all that happened."""
        visit = await self.door.member(request)
        issue_id = request.path_params["id"]
        issue, biography, names, departments = await asyncio.gather(
            visit.find("issue", id=issue_id),
            visit.asking.all(visit.session, "issue-biography", id=issue_id),
            visit.names(),
            visit.departments(),
        )
        now, later = await possible(visit, issue)
        done = request.query_params.get("done")
        return visit.page(
            "issue.html", min(issue["position"], biography["position"]), "ledger",
            issue=issue, names=names, departments=departments,
            steps=steps(issue["stage"]), possible=now, not_yet=later,
            done=done if done in ACTS else "",
            life=told(biography, visit.school["zone"]),
        )  # fmt: skip

    async def picture(self, request: Request) -> Response:
        """The issue's life as a picture, of what this person may know."""
        visit = await self.door.member(request)
        asked = request.path_params["id"]
        biography = await visit.asking.all(visit.session, "issue-biography", id=asked)
        drawn = await asyncio.to_thread(picture, biography)
        return Response(drawn, 200, {**SHEET, "Cache-Control": "no-store"}, media_type=SVG)

    async def rules(self, request: Request) -> Response:
        """How every rule stands, what is missing first."""
        visit = await self.door.member(request)
        board = await visit.find("board")
        return visit.page(
            "rules.html", board["position"], "rules", rules=board["rules"], as_of=board["as_of"]
        )

    async def outstanding(self, request: Request) -> Response:
        """Who a rule still waits for."""
        visit = await self.door.member(request)
        rule = request.query_params.get("rule", "")[:LONGEST]
        after = request.query_params.get("after", "0")
        found, names, departments = await asyncio.gather(
            visit.find("outstanding", rule=rule, after=after), visit.names(), visit.departments()
        )
        more = urlencode({"rule": rule, "after": found["next"]}) if found["next"] else ""
        return visit.page(
            "outstanding.html", found["position"], "rules",
            rule=rule, items=found["items"], total=found["total"], as_of=found["as_of"],
            names=names, departments=departments,
            next_page=f"{visit.base}/outstanding?{more}" if more else "",
        )  # fmt: skip

    async def audit(self, request: Request) -> Response:
        """The newest checkpoint and the key it is signed with."""
        visit = await self.door.member(request)
        try:
            sealed = await visit.find("newest-checkpoint")
        except Refused as refusal:
            if refusal.error["code"] != "not-found":
                raise
            sealed = None
        position = sealed["position"] or sealed["size"] if sealed else 0
        return visit.page("audit.html", position, "audit", sealed=sealed)


_OWNERS = ("owned", "planned", "underway")
_COLOURS = ("over", "soon", "ok", "none")


def _waiting(why: str, issues: Iterable[Mapping[str, Any]], today: str) -> Iterable[Item]:
    for issue in issues:
        when: Due = due(issue["due"], issue["stage"], today)
        yield {"why": why, "issue": issue, "due": when}


def steps(stage: str) -> list[tuple[str, Literal["past", "now", "later"]]]:
    """How far an issue has come on its way; one that left the way has no step that is now."""
    here = next((n for n, (name, _) in enumerate(WALK) if name == stage), -1)
    return [
        (step, "past" if n < here else "now" if n == here else "later")
        for n, (_, step) in enumerate(WALK)
    ]

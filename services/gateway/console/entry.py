"""Signing in with a token, and out again."""

import re

from starlette.requests import Request
from starlette.responses import Response

from services.gateway.console.acts import Acts
from services.gateway.console.desk import Desk
from services.gateway.console.door import Door, Form, Visit, form_of, one
from services.gateway.console.look import say
from services.gateway.console.session import LONGEST_TOKEN
from services.gateway.receipts import Refused
from shared.callers import Unauthenticated

_PAGE = re.compile(r"[a-z0-9-]{1,40}(?:/[a-z0-9-]{1,40}){0,2}")
"""The only places that signing in leads to: pages of the school, by our own names and ids."""


class Entry:
    """The pages to sign in and out on."""

    def __init__(self, door: Door, acts: Acts, desk: Desk) -> None:
        """`acts` and `desk` show a form again that was sent without a session."""
        self.door = door
        self.forms = {"issues": acts.form, "collate": desk.form}

    async def ask(self, request: Request) -> Response:
        """The page that asks for a token."""
        visit = await self.door.nobody(request, self.door.cookies.read(request))
        out = "out" in request.query_params
        return visit.page("sign-in.html", 0, kept=[], to="today", signed_out=out)

    async def sign_in(self, request: Request) -> Response:
        """Take a token; go where the person wanted to, with the form they had filled in."""
        form = await form_of(request)
        to = one(form, "to") if _PAGE.fullmatch(one(form, "to")) else "today"
        kept = {n.removeprefix("kept."): v for n, v in form.items() if n.startswith("kept.")}
        before = self.door.cookies.read(request)
        token = one(form, "token").strip()
        nobody = await self.door.nobody(request, before)
        if before is None or not before.vouches(one(form, "form")):
            return self._again(nobody, to, kept, say("act.again_text"))
        if not token:
            return self._again(nobody, to, kept, say("sign_in.empty"))
        try:
            visit = await self._known(request, token)
        except (Refused, Unauthenticated):
            return self._again(nobody, to, kept, say("sign_in.wrong"))
        place = to.split("/")
        if kept and place[0] in self.forms and place[2:]:
            return await self.forms[place[0]](visit, place[1], place[2], kept, again=True)
        return visit.go(to)

    async def _known(self, request: Request, token: str) -> Visit:
        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise Unauthenticated
        claims = self.door.asking.doors.verifier.claims(f"Bearer {token}")
        school = str(request.path_params["school"])
        return await self.door.known(request, self.door.session(school, token, claims.expires))

    def _again(self, visit: Visit, to: str, kept: Form, why: str) -> Response:
        fields = [(name, value) for name, values in kept.items() for value in values]
        problems = [{"field": "token", "words": why}]
        return visit.page(
            "sign-in.html", 0, status=403, kept=fields, to=to, signed_out=False, problems=problems
        )

    async def sign_out(self, request: Request) -> Response:
        """Forget who it was."""
        form = await form_of(request)
        visit = await self.door.anybody(request)
        if not visit.session.vouches(one(form, "form")):
            return visit.go("today")
        return visit.go("sign-in?out=1", self.door.session(visit.session.school))

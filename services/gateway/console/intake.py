"""The intake box: for anybody, without a name."""

import secrets
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from services.gateway.console.door import Door, Form, Visit, form_of, one
from services.gateway.console.look import say
from services.gateway.problems import STATUS
from services.gateway.receipts import Refused

SAID = ("verbatim_text", "target_kind", "voiced_by", "contact")
CHANNEL = "suggestion_box"


class Intake:
    """Leaving an opinion."""

    def __init__(self, door: Door) -> None:
        """The door lets anybody in."""
        self.door = door

    async def ask(self, request: Request) -> Response:
        """The empty form."""
        return self._form(await self.door.anybody(request), {})

    async def take(self, request: Request) -> Response:
        """Put an opinion into the box; the code is shown this once. Who is signed in is not told."""
        form = await form_of(request)
        visit = await self.door.anybody(request)
        if not visit.session.vouches(one(form, "form")):
            return self._form(visit, form, problem=say("act.again_text"), status=403)
        body = {name: text for name in SAID if (text := one(form, name).strip())}
        nobody = visit.session.model_copy(update={"token": ""})
        try:
            reply = await self.door.asking.do(
                nobody, "submit-opinion", {**body, "channel": CHANNEL}, key=one(form, "key")
            )
        except Refused as refusal:
            status = STATUS.get(refusal.error["code"], 409)
            return self._form(visit, form, problem=_why(refusal.error), status=status)
        return visit.page("intake-done.html", reply["position"], "intake", code=reply["receipt"])

    def _form(self, visit: Visit, said: Form, *, problem: str = "", status: int = 200) -> Response:
        problems = [{"field": "verbatim_text", "words": problem}] if problem else []
        key = one(said, "key") or secrets.token_hex(16)
        return visit.page("intake.html", 0, "intake", status, said=said, key=key, problems=problems)


def _why(error: Mapping[str, Any]) -> str:
    """Why an opinion was not taken; that nothing was written is the usual reason."""
    fields = {wrong["field"] for wrong in error.get("fields", ())}
    if "verbatim_text" in fields:
        return say("wrong.missing", field=say("intake.text"))
    return str(error["title"]["zh"])

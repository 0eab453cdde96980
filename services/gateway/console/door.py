"""The console's door: who comes in, who has to sign in first, and what a refusal looks like to a person."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from services.gateway.console.asking import Asking, Found
from services.gateway.console.look import HEADERS, page
from services.gateway.console.session import LIFETIME, Cookies, Session
from services.gateway.doors import Doors, limited, school_of
from services.gateway.problems import STATUS, Malformed, answer_of
from services.gateway.receipts import Refused
from shared import metrics
from shared.callers import NotAllowed
from shared.decider import Rejected, Unavailable
from shared.runtime import now

MOST_FIELDS = 500
"""Fields of one form."""
DOORKEEPER = "gateway"
"""On whose behalf a school's name is looked up for people who have not signed in."""

type Form = dict[str, list[str]]
type Answer = Callable[[Request], Awaitable[Response]]


class SignInFirst(Exception):  # noqa: N818 -- an answer on its way out
    """Nobody is signed in; what was `kept` of a form comes back once somebody is."""

    def __init__(self, kept: Form | None = None) -> None:
        """`kept` is the form that was sent."""
        self.kept = kept or {}


@dataclass(frozen=True)
class Visit:
    """One request of somebody: their session, their school, and who they are (none: not signed in)."""

    asking: Asking
    cookies: Cookies
    request: Request
    session: Session
    school: Found
    me: Found | None = None

    @property
    def base(self) -> str:
        """Where the school's pages are."""
        return f"/console/{self.session.school}"

    @property
    def today(self) -> str:
        """What day it is at the school."""
        return str(self.school["today"])

    def may(self, command: str) -> bool:
        """Whether a command is this person's to give at all, by what they are."""
        roles = {"person", *self.me["as_of"]["roles"]} if self.me else set()
        return not roles.isdisjoint(self.asking.allowed[command])

    async def find(self, view: str, **asked: object) -> Found:
        """Ask a query as this person."""
        return await self.asking.find(self.session, view, **asked)

    async def names(self) -> dict[str, str]:
        """What everybody on the roster is called, by id."""
        people = await self.asking.all(self.session, "people")
        return {person["id"]: person["name"] for person in people["items"]}

    async def departments(self) -> dict[str, str]:
        """What every unit is called, by id."""
        units = await self.asking.all(self.session, "units")
        return {unit["id"]: unit["name"] for unit in units["items"]}

    def page(
        self, template: str, position: int, here: str = "", status: int = 200, **told: object
    ) -> Response:
        """A page in the frame of the console, true at a position."""
        response = page(
            template,
            status,
            **{
                "base": self.base,
                "school": self.school,
                "me": self.me,
                "here": here,
                "position": position,
                "today": self.today,
                "form_token": self.session.form,
                "problems": [],
                "collates": self.may("group-opinions"),
                **told,
            },
        )
        self.cookies.write(response, self.session, self.request)
        return response

    def go(self, path: str, session: Session | None = None) -> Response:
        """Send the browser on to another page of the school (RFC 9110, 303)."""
        response = RedirectResponse(f"{self.base}/{path}", 303, HEADERS)
        self.cookies.write(response, session or self.session, self.request)
        return response


@dataclass(frozen=True)
class Door:
    """Lets people in."""

    asking: Asking
    cookies: Cookies

    @classmethod
    def of(cls, doors: Doors, asking: Asking) -> "Door":
        """With the seal of this deployment."""
        return cls(asking, Cookies.of(doors.verifier.issuer))

    async def member(self, request: Request) -> Visit:
        """A visit of somebody who has signed in.

        Raises:
            SignInFirst: nobody has, or no longer.
        """
        session = self.cookies.read(request)
        if session is None or not session.token:
            raise SignInFirst
        return await self.known(request, session)

    async def known(self, request: Request, session: Session) -> Visit:
        """A visit with a session that has a token.

        Raises:
            Refused: the token proves nothing, or is nobody's at this school.
        """
        school, me = await self.asking.at_once(session, school={}, me={})
        return Visit(self.asking, self.cookies, request, session, school, me)

    async def anybody(self, request: Request) -> Visit:
        """A visit of anybody; who has signed in stays so."""
        session = self.cookies.read(request)
        if session and session.token:
            try:
                return await self.known(request, session)
            except Refused as refusal:
                if refusal.error["code"] != "unauthenticated":
                    raise
        return await self.nobody(request, session)

    async def nobody(self, request: Request, session: Session | None = None) -> Visit:
        """A visit of somebody of whom nothing is known but the school they look at."""
        fresh = session or self.session(school_of(request))
        own = self.asking.doors.verifier.issuer.service_token(DOORKEEPER)
        asker = fresh.model_copy(update={"token": own})
        school = await self.asking.find(asker, "school")
        nameless = fresh.model_copy(update={"token": ""})
        return Visit(self.asking, self.cookies, request, nameless, school)

    def session(self, school: str, token: str = "", until: float = 0.0) -> Session:
        """A session that begins now, for eight hours or until the token ends."""
        latest = now().timestamp() + LIFETIME
        ends = min(until, latest) if until else latest
        return Session(school=school, form=secrets.token_urlsafe(16), until=ends, token=token)

    def guarded(self, path: str, answer: Answer) -> Answer:
        """A page whose every refusal is a page, counted by route."""

        async def endpoint(request: Request) -> Response:
            try:
                response = await self._answered(request, answer)
            except ClientDisconnect:
                response = Response(status_code=400)
            metrics.HTTP_REQUESTS.labels(path, str(response.status_code)).inc()
            return response

        return endpoint

    async def _answered(self, request: Request, answer: Answer) -> Response:
        try:
            school_of(request)
            try:
                return await answer(request)
            except SignInFirst as first:
                return await self.sign_in_first(request, first.kept)
            except Refused as refusal:
                if refusal.error["code"] != "unauthenticated":
                    raise
                return await self.sign_in_first(request, {})
        except Refused as refusal:
            return await self.refused(request, refusal.error)
        except (Rejected, Unavailable) as trouble:
            return await self.refused(request, answer_of(trouble))

    async def sign_in_first(self, request: Request, kept: Form) -> Response:
        """The page to sign in on, with the form that was sent kept in it."""
        visit = await self.nobody(request)
        to = request.url.path.removeprefix(f"{visit.base}/")
        fields = [(name, value) for name, values in kept.items() for value in values]
        return visit.page("sign-in.html", 0, status=401, kept=fields, to=to, signed_out=False)

    async def refused(self, request: Request, error: Mapping[str, Any]) -> Response:
        """The page that says what was not done, and why."""
        status = STATUS.get(error["code"], 409)
        told = {"words": error["title"]["zh"], "code": error["code"]}
        try:
            visit = await self.anybody(request)
        except (Refused, Rejected, Unavailable):
            school = {"name": "", "today": ""}
            nobody = {"me": None, "collates": False}
            frame = {"base": "/console", "school": school, "here": "", "position": 0, **nobody}
            return page("refusal.html", status, **frame, **told)
        return visit.page("refusal.html", 0, status=status, **told)


async def form_of(request: Request) -> Form:
    """What a form says, as browsers send one.

    Raises:
        NotAllowed: another site sent it.
        Malformed: it is no form.
        TooLarge: as it says.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise NotAllowed
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Malformed
    text = (await limited(request)).decode("utf-8", "replace")
    told: Form = {}
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Malformed from None
    for name, value in pairs:
        told.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return told


async def sent_by(door: Door, request: Request) -> tuple[Form, Visit]:
    """A form, and who sent it.

    Raises:
        SignInFirst: nobody has signed in, or no longer; the form is kept.
    """
    form = await form_of(request)
    try:
        return form, await door.member(request)
    except SignInFirst:
        raise SignInFirst(form) from None
    except Refused as refusal:
        if refusal.error["code"] == "unauthenticated":
            raise SignInFirst(form) from None
        raise


def one(form: Form, name: str) -> str:
    """The last thing a form says under a name; nothing is an empty text."""
    return form.get(name, [""])[-1]

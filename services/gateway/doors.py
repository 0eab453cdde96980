"""The routes, derived from the same commands and queries the services take on NATS."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from services.campaign.queries import School
from services.gateway.forms import PICTURED, SHEET, SVG, form_of, forms_of, held_still, whole
from services.gateway.ledger import LEDGER
from services.gateway.problems import Malformed, answer_of, invalid, problem
from services.gateway.sheets import (
    WRITERS,
    Layout,
    as_found,
    as_imported,
    lines,
)
from shared import metrics
from shared.broker import Answer, Broker, TooLarge
from shared.callers import Claims, NotAllowed, Unauthenticated, UnknownSchool
from shared.decider import Command, Rejected, Unavailable, kebab, wire
from shared.runtime import (
    EXPORT,
    MIN_POSITION_WAIT,
    Invalid,
    Query,
    Service,
    Stream,
    problems,
    traced,
)
from shared.security import Verifier

MAX_BODY = 1024 * 1024
"""Bytes of a request's body."""

_APART = {"issues": LEDGER}
"""Lists with columns of their own, by the query's name."""

_TOKEN = re.compile(r"[a-z0-9-]{1,36}")
_WAIT = re.compile(r"(?:^|,)\s*wait\s*=\s*(\d{1,4})\s*(?:[,;]|$)")
_KEY = re.compile(r"[\x21-\x7e]{1,128}")

type Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Route:
    """One door: method, path template, what it takes, what it is called, and who answers.

    `forms` are the formats its answer may be had as instead of JSON.
    """

    method: str
    path: str
    name: str
    kind: type[Command] | type[Query]
    body: type[BaseModel] | None
    answer: Endpoint
    forms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Doors:
    """Makes an endpoint of every command and query of the services."""

    broker: Broker
    verifier: Verifier

    def of(self, services: Iterable[Service]) -> list[Route]:
        """Every route, fixed paths before those with a parameter."""
        routes = [
            self._command(service, stream, command)
            for service in services
            for stream, command in service.commands().values()
            if command.allowed != {"service"}
        ]
        layouts = {
            command_path(service.commands()[kebab(table.command.__name__)][0], table.command): (
                as_imported(table)
            )
            for service in services
            for table in service.tables
        }
        routes += [
            self._query(service, query, layouts)
            for service in services
            for query in service.queries
            if query.method
        ]
        return sorted(routes, key=lambda route: "{id}" in route.path)

    def _command(self, service: Service, stream: Stream, command: type[Command]) -> Route:
        name = kebab(command.__name__)
        body = wire(command)

        async def answer(request: Request) -> Response:
            self.admit(request, command.allowed)
            asked = await parsed(request, body)
            raw = asked.model_dump_json(exclude_unset=True).encode()
            return await self.command(
                request, service.name, name, raw, request.path_params.get("id"), command
            )

        path = command_path(stream, command)
        return Route("POST", path, name, command, body, self.guarded(path, answer))

    def _query(self, service: Service, query: type[Query], layouts: Mapping[str, Layout]) -> Route:
        path = f"/v1/{{school}}/{query.path}"
        forms = forms_of(query)
        layout = _APART.get(query.view()) or layouts.get(path)

        async def asked(request: Request) -> BaseModel:
            if query.method == "POST":
                return await parsed(request, query)
            fields = {**request.query_params, **request.path_params}
            del fields["school"]
            if forms:
                fields.pop("format", None)
            try:
                return query.model_validate(fields)
            except ValidationError as error:
                raise Invalid(problems(error)) from None

        async def answer(request: Request) -> Response:
            self.admit(request, query.allowed)
            question = await asked(request)
            form = form_of(request, forms)
            if form == "svg":
                return await self.picture(request, service.name, query, question)
            if form:
                return await self.table(request, service.name, query, question, form, layout)
            raw = question.model_dump_json().encode()
            told = await self.query(request, service.name, query, raw, school_of(request))
            if forms:
                told.headers["Vary"] = SHEET["Vary"]
            return told

        body = query if query.method == "POST" else None
        endpoint = self.guarded(path, answer)
        return Route(query.method, path, query.view(), query, body, endpoint, forms)

    # -- Asking ----------------------------------------------------------------

    async def command(
        self,
        request: Request,
        service: str,
        name: str,
        raw: bytes,
        target: str | None,
        command: type[Command],
        authorization: str | None = None,
    ) -> Response:
        """Send a command; answer with its reply, `ETag` and `Taizhang-Position`."""
        school = school_of(request)
        headers = self.headers(request, authorization)
        claims = self.verifier.claims(headers.get("Authorization"))
        identity = command_id(request.headers.get("idempotency-key"), claims)
        headers["Taizhang-Command-Id"] = str(identity)
        if "if-match" in request.headers:
            headers["Taizhang-Expected-Version"] = version_of(request.headers["if-match"])
        if target is not None:
            headers["Taizhang-Stream"] = token(target, "id")
        answer = await self.broker.ask(
            f"cmd.{school}.{service}.{name}", raw, headers, within=MIN_POSITION_WAIT + 10
        )
        reply = reply_of(answer)
        if "error" in reply:
            return problem(reply["error"])
        response = Response(
            answer.body,
            201 if command.creates and reply["event"] else 200,
            positions(reply),
            media_type="application/json",
        )
        response.headers["ETag"] = f'"{reply["version"]}"'
        return response

    async def query(
        self,
        request: Request,
        service: str,
        query: type[Query],
        raw: bytes,
        school: str,
        authorization: str | None = None,
    ) -> Response:
        """Ask a query; answer with what was found and `Taizhang-Position`."""
        subject = f"qry.{token(school, 'school')}.{service}.{query.view()}"
        headers = self.headers(request, authorization)
        answer = await self.broker.ask(subject, raw, headers, within=MIN_POSITION_WAIT + 10)
        reply = reply_of(answer)
        if "error" in reply:
            return problem(reply["error"])
        found = reply["found"]
        response = Response(
            json.dumps(found, ensure_ascii=False),
            200,
            positions(reply),
            media_type="application/json",
        )
        if isinstance(found, dict) and "version" in found:
            response.headers["ETag"] = f'"{found["version"]}"'
        return response

    async def picture(
        self, request: Request, service: str, query: type[Query], question: BaseModel
    ) -> Response:
        """Ask a query for all its pages; answer with the picture of what this caller was told."""
        subject = f"qry.{school_of(request)}.{service}.{query.view()}"
        headers = self.headers(request)

        async def page(after: int) -> dict[str, Any]:
            asked = question.model_copy(update={"after": after, "limit": 200})
            raw = asked.model_dump_json().encode()
            answer = await self.broker.ask(subject, raw, headers, within=MIN_POSITION_WAIT + 10)
            return reply_of(answer)

        reply = await whole(page)
        if "error" in reply:
            return problem(reply["error"])
        drawn = await asyncio.to_thread(PICTURED[query.view()], reply["found"])
        return Response(drawn, 200, {**positions(reply), **SHEET}, media_type=SVG)

    async def table(
        self,
        request: Request,
        service: str,
        query: type[Query],
        question: BaseModel,
        form: str,
        layout: Layout | None,
    ) -> Response:
        """Ask a query for all its pages; answer with them as a table somebody takes away.

        That they do, and how many rows of each page, is on record before a page is answered.
        """
        school = school_of(request)
        subject = f"qry.{school}.{service}.{query.view()}"
        headers = self.headers(request)
        limit = query.model_json_schema()["properties"]["limit"]["maximum"]
        start: int = getattr(question, "after", 0)

        async def page(after: int) -> Answer:
            asked = question.model_copy(update={"after": after, "limit": limit})
            raw = asked.model_dump_json().encode()
            taken = {**headers, EXPORT: form}
            return await self.broker.ask(subject, raw, taken, within=MIN_POSITION_WAIT + 10)

        zone = await self._zone(school, headers)
        list_ = await held_still(page, start)
        if list_.error:
            return problem(list_.error)
        media_type, write = WRITERS[form]
        name = f"{school}-{query.view()}-{list_.position}.{form}"
        return StreamingResponse(
            write(lines(list_.items(zone), layout or as_found(list_.fields))),
            200,
            {
                "Taizhang-Position": str(list_.position),
                "Content-Disposition": f'attachment; filename="{name}"',
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
                "Vary": SHEET["Vary"],
            },
            media_type=media_type,
        )

    async def _zone(self, school: str, headers: Mapping[str, str]) -> str:
        """The zone of a school; UTC for who may not ask about the school."""
        subject = f"qry.{school}.campaign.{School.view()}"
        reply = reply_of(await self.broker.ask(subject, b"{}", headers))
        return str(reply["found"]["zone"]) if "found" in reply else "UTC"

    def admit(self, request: Request, allowed: frozenset[str]) -> None:
        """Send away who has no valid token where one is needed, before anything is read.

        Raises:
            Unauthenticated: as it says.
        """
        claims = self.verifier.claims(request.headers.get("authorization"))
        if "anonymous" in claims.roles - allowed:
            raise Unauthenticated

    def headers(self, request: Request, authorization: str | None = None) -> dict[str, str]:
        """What is passed on: who asks (checked here already), and what they must have seen."""
        authorization = authorization or request.headers.get("authorization")
        claims = self.verifier.claims(authorization)
        if "service" in claims.roles:
            raise NotAllowed  # services have their own door
        headers = {"Authorization": authorization} if authorization else {}
        if minimum := request.headers.get("taizhang-min-position"):
            if not (minimum.isascii() and minimum.isdecimal() and len(minimum) < 19):  # noqa: PLR2004 -- 63 bits
                raise invalid("Taizhang-Min-Position", "number")
            headers["Taizhang-Min-Position"] = minimum
        if wait := _WAIT.search(request.headers.get("prefer", "")):  # RFC 7240
            headers["Taizhang-Wait"] = wait[1]
        if request.query_params.get("dry_run", "").lower() in {"1", "true"}:
            headers["Taizhang-Dry-Run"] = "1"
        if trace := traced(request.headers.get("traceparent")):
            headers["traceparent"] = trace
        return headers

    def guarded(self, path: str, answer: Endpoint) -> Endpoint:
        """An endpoint whose every refusal is a problem answer, counted by route."""

        async def endpoint(request: Request) -> Response:
            try:
                school_of(request)
                response = await answer(request)
            except (Rejected, Unavailable) as trouble:
                response = problem(answer_of(trouble))
            except ClientDisconnect:
                response = Response(status_code=400)
            metrics.HTTP_REQUESTS.labels(path, str(response.status_code)).inc()
            return response

        return endpoint


def command_path(stream: Stream, command: type[Command]) -> str:
    """`/v1/{school}/issues` for what creates, `/v1/{school}/issues/{id}/claim` for the rest.

    Where a stream can begin in several ways, the others are `/v1/{school}/talks/record`.
    """
    base = f"/v1/{{school}}/{stream.plural}"
    members = stream.decider.members(stream.decider.commands)
    if command is next(c for c in members if issubclass(c, Command) and c.creates):
        return base
    service = command.__module__.split(".")[1]
    category = stream.decider.category
    name = kebab(command.__name__)
    verb = name.removesuffix(f"-{service}-{category}").removesuffix(f"-{category}")
    return f"{base}/{verb}" if command.creates else f"{base}/{{id}}/{verb}"


async def limited(request: Request, most: int = MAX_BODY) -> bytes:
    """The request's body, refused as soon as it is longer than so many bytes."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise TooLarge
        chunks.append(chunk)
    return b"".join(chunks)


async def parsed[M: BaseModel](request: Request, model: type[M]) -> M:
    """What the body says; an empty one is an empty object.

    Raises:
        Malformed: it is not JSON.
        Invalid: it is JSON of another form.
    """
    try:
        return model.model_validate_json(await limited(request) or b"{}")
    except ValidationError as error:
        if any(problem["type"] == "json_invalid" for problem in error.errors(include_input=False)):
            raise Malformed from None
        raise Invalid(problems(error)) from None


def school_of(request: Request) -> str:
    """The school of the path.

    Raises:
        UnknownSchool: it cannot be one.
    """
    school = str(request.path_params["school"])
    if not _TOKEN.fullmatch(school):
        raise UnknownSchool
    return school


def token(text: str, field: str) -> str:
    """An id that may stand in a subject."""
    if not _TOKEN.fullmatch(text):
        raise invalid(field, "pattern")
    return text


def command_id(key: str | None, claims: Claims) -> UUID:
    """The command id of an `Idempotency-Key`: itself if it is a UUID, else one made of it.

    What is made of a key is the sender's own: two people may both count from 1.
    """
    if key is None:
        return uuid4()
    if not _KEY.fullmatch(key):
        raise invalid("Idempotency-Key", "pattern")
    try:
        return UUID(key)
    except ValueError:
        name = f"taizhang:idempotency/{claims.issuer} {claims.subject} {key}"
        return uuid5(NAMESPACE_URL, name)


def version_of(etag: str) -> str:
    """The version an `If-Match` names."""
    found = re.fullmatch(r'(?:W/)?"(\d{1,9})"|(\d{1,9})', etag.strip())
    if not found:
        raise invalid("If-Match", "etag")
    return found[1] or found[2]


def reply_of(answer: Answer) -> dict[str, Any]:
    """A service's answer as data."""
    reply: dict[str, Any] = json.loads(answer.body)
    return reply


def positions(reply: Mapping[str, Any]) -> dict[str, str]:
    """The headers that say up to which position an answer is true."""
    return {"Taizhang-Position": str(reply["position"])} if reply.get("position") else {}

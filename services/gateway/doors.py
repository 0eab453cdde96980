"""The routes, derived from the same commands and queries the services take on NATS."""

import asyncio
import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from pydantic import BaseModel, ValidationError
from pydantic.json_schema import models_json_schema
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from services.campaign.directory import AUDITOR
from services.campaign.queries import School
from services.gateway.ledger import LEDGER
from services.gateway.picture import STYLE_HASH, picture
from services.gateway.problems import ListTooLong, Malformed, answer_of, invalid, problem
from services.gateway.sheets import (
    CSV,
    WRITERS,
    XLSX,
    Around,
    Item,
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
    AcrossSchools,
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

TABLES = (CSV, XLSX)
"""What an import takes, and a list is had as."""

SVG = "image/svg+xml"
PICTURED = {"issue-biography": picture}
"""What may be had as a picture as well, by the query's name, and who draws it."""
SHEET = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept, Authorization",
}
"""A picture opened by itself runs nothing and fetches nothing."""
_MOST = 5_000
"""A picture is made of no more than about so many events."""
ALTERNATIVES = {"csv": CSV, "xlsx": XLSX, "svg": SVG}
"""The media types of what an answer may be had as instead of JSON, by `format`."""
MOST_ROWS = 10_000
"""Rows of a list that is taken away as a table."""
_MOST_BYTES = 64 * 1024 * 1024  # of the pages of such a list
_PASSES = 5  # over a list that changes while it is read
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


async def whole(page: Callable[[int], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """The pages of a list in one reply, or the refusal of one of them; `next` stays if there are too many.

    `page` asks for the one behind a place. What it gives beside its items is the last page's, but people
    are named on the page they stand in.
    """
    items: list[Any] = []
    names: dict[str, Any] = {}
    after: int | None = 0
    reply: dict[str, Any] = {}
    while after is not None and len(items) < _MOST:
        reply = await page(after)
        if "error" in reply:
            return reply
        found = reply["found"]
        items += found["items"]
        names |= found["names"]
        after = found["next"]
    return {**reply, "found": {**reply["found"], "items": items, "names": names}}


@dataclass
class Listed:
    """A list as it was at one position, page by page as answered, and the fields its items have."""

    pages: list[bytes] = field(default_factory=list)
    fields: dict[str, None] = field(default_factory=dict)
    position: int = 0
    error: dict[str, Any] | None = None

    def items(self, zone: str) -> Iterator[tuple[Item, Around]]:
        """The items, each with what people and units on its page are called."""
        for page in self.pages:
            found = json.loads(page)["found"]
            around = Around(found.get("names", {}), zone)
            yield from ((item, around) for item in found["items"])


async def held_still(page: Callable[[int], Awaitable[Answer]], start: int = 0) -> Listed:
    """All pages of a list as they were at one position, or the refusal of one of them.

    `page` asks for the one behind a place. Pages of several positions are asked for again: what two
    passes found alike is what there was between them, whatever else was recorded meanwhile.

    Raises:
        ListTooLong: there are more than `MOST_ROWS` rows.
        Unavailable: it changed in every pass.
    """
    before = b""
    for _ in range(_PASSES):
        listed, content, positions, rows, size = Listed(), hashlib.sha256(), set[int](), 0, 0
        after: int | None = start
        while after is not None:
            answer = await page(after)
            reply = reply_of(answer)
            if "error" in reply:
                return Listed(error=reply["error"])
            found = reply["found"]
            rows, size = rows + len(found["items"]), size + len(answer.body)
            if rows > MOST_ROWS or size > _MOST_BYTES:
                raise ListTooLong
            content.update(json.dumps([found["items"], found.get("names")]).encode())
            listed.pages.append(answer.body)
            listed.fields.update(dict.fromkeys(name for item in found["items"] for name in item))
            listed.position = listed.position or reply["position"]
            positions.add(reply["position"])
            after = found["next"]
        if len(positions) == 1 or content.digest() == before:
            return listed
        before = content.digest()
    raise Unavailable("a list that keeps changing")


def forms_of(query: type[Query]) -> tuple[str, ...]:
    """What an answer may be had as instead of JSON: lists by pages as tables, some things as a picture."""
    pages = query.method == "GET" and {"after", "limit"} <= query.model_fields.keys()
    tables = ("csv", "xlsx") if pages and not issubclass(query, AcrossSchools) else ()
    return (*tables, *(("svg",) if query.view() in PICTURED else ()))


def form_of(request: Request, forms: tuple[str, ...]) -> str | None:
    """Which of some forms an answer is asked for in: by `format`, else by the `Accept` header, else none."""
    if not forms:
        return None
    form = request.query_params.get("format")
    if form is None:
        accept = request.headers.get("accept", "").lower().split(",")
        kinds = {kind.partition(";")[0].strip() for kind in accept}
        if "application/json" in kinds:
            return None
        return next((one for one in forms if ALTERNATIVES[one] in kinds), None)
    if form not in {"json", *forms}:
        raise invalid("format", "literal_error")
    return None if form == "json" else form


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


def openapi(routes: Iterable[Route], title: str, version: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the routes."""
    routes = list(routes)
    bodies = {route.body for route in routes if route.body}
    schemas, definitions = models_json_schema(
        [(body, "validation") for body in bodies], ref_template="#/components/schemas/{model}"
    )
    paths: dict[str, Any] = {}
    for route in routes:
        operation: dict[str, Any] = {
            "operationId": route.name,
            "summary": f"{route.kind.zh} / {(route.kind.__doc__ or '').strip().splitlines()[0]}",
            "tags": [route.path.split("/")[3]],
            "parameters": list(_parameters(route)),
            "responses": _RESPONSES if route.body else {**_RESPONSES, "201": None},
            "x-allowed": sorted(route.kind.allowed),
        }
        operation["responses"] = {k: v for k, v in operation["responses"].items() if v}
        if route.forms:
            text, binary = {"type": "string"}, {"type": "string", "format": "binary"}
            content: dict[str, Any] = {"application/json": {"schema": {}}} | {
                ALTERNATIVES[form]: {"schema": binary if form == "xlsx" else text}
                for form in route.forms
            }
            operation["responses"]["200"] = {"description": "Found", "content": content}
        if route.body:
            operation["requestBody"] = {
                "required": True,
                "content": {"application/json": {"schema": schemas[route.body, "validation"]}},
            }
        elif route.method == "POST":
            operation["requestBody"] = {"required": True, "content": {kind: {} for kind in TABLES}}
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": paths,
        "components": {
            "schemas": {**definitions.get("$defs", {}), "Problem": _PROBLEM},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"bearer": []}],
    }


def _parameters(route: Route) -> Iterable[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", route.path):
        yield {"name": name, "in": "path", "required": True, "schema": _TOKEN_SCHEMA}
    if route.method == "GET":
        schema: dict[str, Any] = route.kind.model_json_schema()
        inner: dict[str, Any] = schema.get("$defs", {})
        for name, field in schema["properties"].items():
            if f"{{{name}}}" not in route.path:
                yield {"name": name, "in": "query", "schema": _inlined(field, inner)}
        if route.forms:
            form = {"type": "string", "enum": ["json", *route.forms], "default": "json"}
            yield {"name": "format", "in": "query", "schema": form}
    elif issubclass(route.kind, Command):
        dry_run = "Only say what would come of it; nothing is recorded."
        yield _asked("dry_run", "boolean", dry_run, place="query")
        if route.body is not None:
            text = {"type": "string"}
            yield {"name": "Idempotency-Key", "in": "header", "schema": {**text, "maxLength": 128}}
            yield {"name": "If-Match", "in": "header", "schema": text}
    seen = "Answer from views that have come this far in the log, or with 503."
    yield _asked("Taizhang-Min-Position", "integer", seen)
    yield _asked("Prefer", "string", "`wait=2`: wait 2 seconds for that position, not 5.")


def _asked(name: str, kind: str, description: str, *, place: str = "header") -> dict[str, Any]:
    return {"name": name, "in": place, "description": description, "schema": {"type": kind}}


def _inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:  # noqa: ANN401 -- JSON Schema
    if isinstance(schema, dict):
        if "$ref" in schema:
            return _inlined(definitions[schema["$ref"].rpartition("/")[2]], definitions)
        return {key: _inlined(value, definitions) for key, value in schema.items()}
    if isinstance(schema, list):
        return [_inlined(value, definitions) for value in schema]
    return schema


def rights(routes: Iterable[Route]) -> str:
    """The table of who may do and see what, as Markdown, derived from the routes."""
    lines = [
        "# Who may do and see what",
        "",
        "Derived from the commands and queries (`make rights`); a relation to the matter (own issue, own",
        "words, four eyes) is decided by the rules on top of it. An `auditor` reads with every sealed text",
        "sealed, and changes nothing.",
        "",
        "| door | 名称 | allowed |",
        "|---|---|---|",
    ]
    for route in sorted(routes, key=lambda r: (r.path, r.method)):
        allowed = ", ".join(sorted({*map(str, route.kind.allowed), *_audited(route)}))
        lines.append(f"| `{route.method} {route.path}` | {route.kind.zh} | {allowed} |")
    return "\n".join(lines) + "\n"


def _audited(route: Route) -> frozenset[str]:
    asks = issubclass(route.kind, Query) and route.method == "GET"
    return frozenset({"auditor"}) if asks and route.kind.allowed & AUDITOR else frozenset()


_TOKEN_SCHEMA = {"type": "string", "pattern": "^[a-z0-9-]{1,36}$"}
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details; `code` is stable, the titles are for people.",
    "required": ["type", "title", "status", "code", "title_zh"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "title_zh": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "fields": {"type": "array", "items": {"type": "object"}},
    },
}
_MEANINGS = {
    "400": "Not JSON",
    "401": "No valid token",
    "403": "Not this caller",
    "404": "Not there",
    "409": "A rule said no",
    "412": "Changed since it was read",
    "413": "Too large",
    "422": "Not of the required form",
    "429": "Too many attempts",
    "503": "Not available now, repeat",
}
_RESPONSES: dict[str, Any] = {
    "200": {"description": "Done, or found", "content": {"application/json": {"schema": {}}}},
    "201": {"description": "Recorded", "content": {"application/json": {"schema": {}}}},
    **{
        status: {
            "description": meaning,
            "content": {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            },
        }
        for status, meaning in _MEANINGS.items()
    },
}

"""The doors described: the OpenAPI document, and the table of who may use which. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic.json_schema import models_json_schema

from services.campaign.directory import AUDITOR
from services.gateway.doors import Route
from services.gateway.forms import ALTERNATIVES, TABLES
from shared.decider import Command
from shared.runtime import Query


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

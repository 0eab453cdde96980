"""Tables over HTTP: a CSV or XLSX file, one command a row, a result a row, a dry run first."""

import asyncio
import csv
import io
import json
import zipfile
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import date, time
from functools import partial
from itertools import islice
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.gateway.doors import Doors, Route, command_path, limited, reply_of, school_of
from services.gateway.lettering import MASKS
from services.gateway.problems import answer_of, invalid, problem
from services.gateway.sheets import plain, unescaped
from shared.broker import Answer, TooLarge
from shared.decider import Rejected, Unavailable, kebab, wire
from shared.runtime import Invalid, Service, TableOf, problems, unavailable

MAX_FILE = 10 * 1024 * 1024
"""Bytes of a table's file."""
MAX_ROWS = 10_000
_LAST_LINE = 1_048_576  # of a worksheet
_LAST_COLUMN = 256  # further right nobody looks
AT_ONCE = 16  # rows being carried out at the same time

type Asking = Callable[[], Awaitable[Answer]]
"""One command of many, ready to be sent."""


class NotATable(Rejected):
    """This file is no table that can be read: CSV in UTF-8 or GB18030, or XLSX."""

    zh = "无法读取该表格,请使用 UTF-8 或 GB18030 编码的 CSV,或 XLSX"


class EmptyTable(Rejected):
    """There is nothing in this table."""

    zh = "表格里没有内容"


class TooManyRows(Rejected):
    """The table has more than 10,000 rows."""

    zh = "表格超过一万行,请分几次导入"


class UnknownColumns(Rejected):
    """The table's first line has columns that mean nothing here."""

    zh = "表格第一行应为表头,其中有不认识的列"


class RepeatedColumn(Rejected):
    """Two columns of the table mean the same."""

    zh = "表头有重复的列"


def import_routes(doors: Doors, services: Iterable[Service]) -> list[Route]:
    """`POST /v1/{school}/<plural>/import` for every table of the services."""
    return [_route(doors, service, table) for service in services for table in service.tables]


def _route(doors: Doors, service: Service, table: TableOf) -> Route:
    name = kebab(table.command.__name__)
    stream = service.commands()[name][0]
    path = f"{command_path(stream, table.command)}/import"

    async def answer(request: Request) -> Response:
        doors.admit(request, table.command.allowed - {"anonymous"})
        headers = doors.headers(request)
        school = school_of(request)
        subject = f"cmd.{school}.{service.name}.{name}"
        nothing = await doors.broker.ask(subject, b"", {**headers, "Taizhang-Dry-Run": "1"})
        refusal = reply_of(nothing)["error"]
        if refusal["code"] != "invalid":  # whoever may is told that nothing is no command
            return problem(refusal)
        rows = await asyncio.to_thread(read_table, await limited(request, MAX_FILE), table)
        results: dict[int, dict[str, Any]] = {}
        work: dict[int, Asking] = {}
        seen: dict[str, int] = {}
        taken: set[tuple[str, ...]] = set()
        for number, cells in rows:
            if hidden := [name for name, cell in cells.items() if cell in MASKS]:
                results[number] = {"ok": False, **answer_of(invalid(hidden[0], "masked"))}
                continue
            fields = {k: v for k, v in table.shape(cells).items() if v not in (None, "")}
            unique = tuple(str(fields.get(name, "")).casefold() for name in table.unique)
            if unique and all(unique) and unique in taken:
                twice = invalid(table.unique[-1], "twice_in_table")
                results[number] = {"ok": False, **answer_of(twice)}
                continue
            taken.add(unique)
            try:
                said = wire(table.command).model_validate_json(json.dumps(fields, default=str))
            except ValidationError as error:
                results[number] = {"ok": False, **answer_of(Invalid(problems(error)))}
                continue
            body = said.model_dump_json(exclude_defaults=True)  # the same, however it was written
            seen[body] = seen.get(body, 0) + 1
            identity = doors.verifier.issuer.keyed(f"row/{school}/{name}/{seen[body]}/{body}")
            work[number] = partial(
                doors.broker.ask,
                subject,
                body.encode(),
                {**headers, "Taizhang-Command-Id": str(identity)},
                within=30,
            )
        for number, answered in zip(work, await all_answered(work.values()), strict=True):
            outcome = outcome_of(answered)
            if (
                outcome.get("code") == "key-reused"
            ):  # the key is the row: a colleague had it entered
                outcome = {"ok": True, "repeated": True, "position": 0}
            results[number] = outcome
        return answer_by_row([{"row": n, **results[n]} for n, _ in rows], headers)

    return Route(
        "POST", path, f"import-{stream.plural}", table.command, None, doors.guarded(path, answer)
    )


async def all_answered(work: Iterable[Asking]) -> list[Answer]:
    """Ask for many commands, some at a time; gives the answers in order.

    Once nobody answers the rest is not asked any more: all of these are `unavailable`, what was answered
    before keeps its answer, and the same again does what is left.
    """
    tries = asyncio.Semaphore(AT_ONCE)
    silence: list[Answer] = []

    async def one(ask: Asking) -> Answer:
        async with tries:
            try:
                return silence[0] if silence else await ask()
            except Unavailable as trouble:
                silence.append(unavailable(trouble))
                return silence[0]

    return await asyncio.gather(*map(one, work))


def outcome_of(answered: Answer) -> dict[str, Any]:
    """What a service said to one command of many: its reply with `ok`, or its refusal without."""
    reply = reply_of(answered)
    return {"ok": False, **reply["error"]} if "error" in reply else {**reply, "ok": True}


def answer_by_row(rows: list[dict[str, Any]], headers: Mapping[str, str]) -> Response:
    """The answer to many commands at once: a result each, how many went well, up to which position."""
    good = sum(row["ok"] for row in rows)
    last = max((row["position"] for row in rows if row["ok"]), default=0)
    return JSONResponse(
        {
            "rows": rows,
            "accepted": good,
            "refused": len(rows) - good,
            "dry_run": "Taizhang-Dry-Run" in headers,
        },
        headers={"Taizhang-Position": str(last)},
    )


def read_table(raw: bytes, table: TableOf) -> list[tuple[int, dict[str, str]]]:
    """The rows of a file as field → cell, with their numbers in the file; empty rows are left out.

    Raises:
        NotATable: neither CSV nor XLSX.
        EmptyTable, TooManyRows: no row below the heading, or more than `MAX_ROWS`.
        UnknownColumns, RepeatedColumn: a heading that is no column of this table, or comes again.
    """
    lines = _xlsx(raw) if raw.startswith(b"PK") else _filled(_csv(raw))
    if len(lines) <= 1:
        raise EmptyTable
    if len(lines) > MAX_ROWS + 1:
        raise TooManyRows
    heading = lines[0][1]
    while not heading[-1]:
        heading.pop()
    known = {**table.columns, **{field: field for field in table.columns.values()}}
    if unknown := [n for n, cell in enumerate(heading, start=1) if cell not in known]:
        raise UnknownColumns(f"columns {', '.join(map(str, unknown))}")
    fields = [known[cell] for cell in heading]
    if twice := [n for n, field in enumerate(fields, start=1) if field in fields[: n - 1]]:
        raise RepeatedColumn(f"columns {', '.join(map(str, twice))}")
    return [(n, _named(line, fields)) for n, line in lines[1:]]


def _named(line: list[str], fields: list[str]) -> dict[str, str]:
    """A line's cells by field; what stands right of the heading is no field, and the row says so."""
    names = [*fields, *(f"column_{n}" for n in range(len(fields) + 1, len(line) + 1))]
    return {name: cell for name, cell in zip(names, line, strict=False) if cell}


def _filled(lines: Iterable[Iterable[object]]) -> list[tuple[int, list[str]]]:
    """The lines with something in them, numbered as in the file; no more than tell of too many."""
    numbered = ((n, [_cell(cell) for cell in line]) for n, line in enumerate(lines, start=1))
    return list(islice(((n, line) for n, line in numbered if any(line)), MAX_ROWS + 2))


def _csv(raw: bytes) -> list[list[str]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            if _meant_as_utf8(raw):
                break
            continue
        if "\0" in text:
            break
        try:
            return list(csv.reader(io.StringIO(text, newline=""), strict=True))
        except csv.Error:
            break
    raise NotATable


def _meant_as_utf8(raw: bytes) -> bool:
    """Whether a text is UTF-8 that was cut or damaged: read as GB18030 it would say something else.

    Chinese in UTF-8 is three bytes a character; GB18030 hardly ever has such three in a row.
    """
    read = raw.decode("utf-8", "replace")
    return sum(c > "\u07ff" for c in read) > 2 * read.count("\ufffd")


def _xlsx(raw: bytes) -> list[tuple[int, list[str]]]:
    from openpyxl import load_workbook  # noqa: PLC0415 -- half a second that no other start needs

    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked <= 6 * MAX_FILE:  # it takes ten times that to read it
            sheet = load_workbook(io.BytesIO(raw), read_only=True, data_only=True).worksheets[0]
            sheet.reset_dimensions()  # some programs write a wrong size into the file
            lines = sheet.iter_rows(max_row=_LAST_LINE, values_only=True)
            return _filled([*map(_unescaped, line[:_LAST_COLUMN])] for line in lines)
    except Exception as error:  # whatever openpyxl stumbles over is no table
        raise NotATable from error
    raise TooLarge


def _unescaped(value: object) -> object:
    return unescaped(value) if isinstance(value, str) else value


def _cell(value: object) -> str:
    """A cell's text; a date as its ISO form without a time of day, a whole number without a point."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = value.isoformat() if isinstance(value, date | time) else str(value)
    return plain(text.removesuffix("T00:00:00").strip())

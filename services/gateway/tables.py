"""Tables over HTTP: a CSV or XLSX file, one command a row, a result a row, a dry run first."""

import asyncio
import csv
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.gateway.doors import Doors, Route, command_path, reply_of, school_of
from shared.decider import Rejected, kebab, wire
from shared.journal import TooLarge
from shared.runtime import Service, TableOf, problems

MAX_FILE = 10 * 1024 * 1024
"""Bytes of a table's file."""
MAX_ROWS = 10_000
AT_ONCE = 16  # rows being carried out at the same time


class NotATable(Rejected):
    """This file is no table that can be read: CSV in UTF-8 or GB18030, or XLSX."""

    zh = "无法读取该表格,请使用 UTF-8 或 GB18030 编码的 CSV,或 XLSX"


class UnknownColumns(Rejected):
    """The table has columns that mean nothing here, or lacks all that do."""

    zh = "表头不符合要求"


def import_routes(doors: Doors, services: Iterable[Service]) -> list[Route]:
    """`POST /v1/{school}/<plural>/import` for every table of the services."""
    return [_route(doors, service, table) for service in services for table in service.tables]


def _route(doors: Doors, service: Service, table: TableOf) -> Route:
    name = kebab(table.command.__name__)
    stream = service.commands()[name][0]
    path = f"{command_path(stream, table.command)}/import"

    async def answer(request: Request) -> Response:
        doors.admit(request, table.command.allowed)
        rows = read_table(await _file(request), table)
        headers = doors.headers(request)
        school = school_of(request)
        tries = asyncio.Semaphore(AT_ONCE)
        seen: dict[str, int] = {}

        async def row(number: int, cells: Mapping[str, str], twice: int) -> dict[str, Any]:
            fields = {k: v for k, v in table.shape(cells).items() if v not in (None, "")}
            body = json.dumps(fields, ensure_ascii=False, sort_keys=True, default=str)
            try:
                wire(table.command).model_validate_json(body)
            except ValidationError as error:
                return {"row": number, "ok": False, "code": "invalid", "fields": problems(error)}
            identity = uuid5(NAMESPACE_URL, f"taizhang:row/{school}/{name}/{twice}/{body}")
            async with tries:
                answered = await doors.broker.ask(
                    f"cmd.{school}.{service.name}.{name}",
                    body.encode(),
                    {**headers, "Taizhang-Command-Id": str(identity)},
                    within=30,
                )
            reply = reply_of(answered)
            if "error" in reply:
                return {"row": number, "ok": False, **reply["error"]}
            return {"row": number, "ok": True, **reply}

        work = []
        taken: set[str] = set()
        for number, cells in rows:
            key = json.dumps(cells, sort_keys=True)
            seen[key] = seen.get(key, 0) + 1
            unique = cells.get(table.unique or "", "")
            if unique and unique in taken:
                work.append(_twice(number, table.unique or ""))
                continue
            taken.add(unique)
            work.append(row(number, cells, seen[key]))
        results = await asyncio.gather(*work)
        good = sum(result["ok"] for result in results)
        positions = [result["position"] for result in results if result["ok"]]
        return JSONResponse(
            {
                "rows": results,
                "accepted": good,
                "refused": len(results) - good,
                "dry_run": "Taizhang-Dry-Run" in headers,
            },
            headers={"Taizhang-Position": str(max(positions, default=0))},
        )

    return Route(
        "POST", path, f"import-{stream.plural}", table.command, None, doors.guarded(path, answer)
    )


async def _twice(number: int, field: str) -> dict[str, Any]:
    fields = [{"field": field, "problem": "twice_in_table"}]
    return {"row": number, "ok": False, "code": "invalid", "fields": fields}


async def _file(request: Request) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_FILE:
            raise TooLarge
        chunks.append(chunk)
    return b"".join(chunks)


def read_table(raw: bytes, table: TableOf) -> list[tuple[int, dict[str, str]]]:
    """The rows of a file as field → cell, with their numbers in the file; empty rows are left out.

    Raises:
        NotATable: neither CSV nor XLSX, or more than `MAX_ROWS` rows.
        UnknownColumns: a heading that is no column of this table.
    """
    lines = _xlsx(raw) if raw.startswith(b"PK") else _csv(raw)
    numbered = [(n, [c.strip() for c in line]) for n, line in enumerate(lines, start=1)]
    numbered = [(n, line) for n, line in numbered if any(line)]
    if not numbered or len(numbered) > MAX_ROWS + 1:
        raise NotATable(f"{len(numbered)} rows")
    heading = numbered[0][1]
    while heading and not heading[-1]:
        heading.pop()
    known = {**table.columns, **{field: field for field in table.columns.values()}}
    if unknown := [n for n, cell in enumerate(heading, start=1) if cell not in known]:
        raise UnknownColumns(f"columns {', '.join(map(str, unknown))}")
    fields = [known[cell] for cell in heading]
    return [
        (n, {f: cell for f, cell in zip(fields, line, strict=False) if cell})
        for n, line in numbered[1:]
    ]


def _csv(raw: bytes) -> list[list[str]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        try:
            return list(csv.reader(io.StringIO(text, newline=""), strict=True))
        except csv.Error:
            break
    raise NotATable


def _xlsx(raw: bytes) -> list[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > 20 * MAX_FILE:
                raise TooLarge
        sheet = load_workbook(io.BytesIO(raw), read_only=True, data_only=True).worksheets[0]
        rows = sheet.iter_rows(max_row=MAX_ROWS + 2, values_only=True)
        return [["" if c is None else _cell(c) for c in row] for row in rows]
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, IndexError) as error:
        raise NotATable from error


def _cell(value: object) -> str:
    """A cell's text; a date as its ISO form without a time of day that is none."""
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return text.removesuffix("T00:00:00")

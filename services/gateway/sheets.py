"""Lists as tables that people take away: CSV and XLSX, page by page, with nothing in them that runs. Pure."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from services.gateway.lettering import words
from shared.runtime import TableOf

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGEST = 32_767
"""UTF-16 units of a cell; a spreadsheet program calls a file with more than that in one cell broken."""
_EXACT = 2**53  # further a spreadsheet does not count

_UNSPEAKABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]"
)
_FORMULA = re.compile(r"'*(?:\s*[=+\-@＝＋－＠]|[\t\r\n])")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_MOMENT = re.compile("(?:.*_)?at|since|occurred")  # a field of that name holds no text of people

type Item = Mapping[str, Any]
type Cell = str | int | float
type Line = Sequence[Cell]


@dataclass(frozen=True)
class Around:
    """What a list is told with: what people and units are called, and the school's zone."""

    names: Mapping[str, Any] = field(default_factory=dict)
    zone: str = "UTC"

    def name(self, one: str | None) -> str:
        """What somebody or some unit is called; their id where nobody says so."""
        return words(self.names[one]) if one and one in self.names else one or ""

    def moment(self, instant: str | None) -> str:
        """A moment as ISO text in the school's zone."""
        if not instant or "T" not in instant:
            return instant or ""
        try:
            return datetime.fromisoformat(instant).astimezone(ZoneInfo(self.zone)).isoformat()
        except (OverflowError, ValueError):  # at the ends of the calendar
            return instant

    def day(self, instant: str | None) -> str:
        """The day of a moment at the school."""
        return self.moment(instant)[:10]


@dataclass(frozen=True)
class Layout:
    """The columns of a table, and what stands in them for the item of a number.

    `named` says whether ids give way to names; an import reads ids.
    """

    heading: Sequence[str]
    cells: Callable[[int, Item, Around], Iterable[Any]]
    named: bool = True


def as_imported(table: TableOf) -> Layout:
    """The columns an import takes: what is written into them is what it would read."""
    headings: dict[str, str] = {}
    for heading, name in table.columns.items():
        headings.setdefault(name, heading)

    def cells(_: int, item: Item, around: Around) -> Iterable[Any]:
        row = table.row(item)
        return [_moment(name, row.get(name), around) for name in headings]

    return Layout([*headings.values()], cells, named=False)


def as_found(names: Iterable[str]) -> Layout:
    """A column for every field that the items of a list have."""
    columns = [*names]

    def cells(_: int, item: Item, around: Around) -> Iterable[Any]:
        return [_moment(name, item.get(name), around) for name in columns]

    return Layout(columns, cells)


def _moment(name: str, value: Any, around: Around) -> Any:  # noqa: ANN401 -- JSON
    """A value, as a moment of the school where its field holds one."""
    moment = isinstance(value, str) and _MOMENT.fullmatch(name)
    return around.moment(value) if moment else value


def lines(items: Iterable[tuple[Item, Around]], layout: Layout) -> Iterator[Line]:
    """The table's lines, the heading first, every cell harmless."""
    yield [harmless(heading) for heading in layout.heading]
    for number, (item, told) in enumerate(items, start=1):
        around = told if layout.named else Around(zone=told.zone)
        yield [cell(value, around) for value in layout.cells(number, item, around)]


def cell(value: Any, around: Around) -> Cell:  # noqa: ANN401 -- JSON
    """A value as it stands in a cell: text, but for numbers."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int | float) and abs(value) < _EXACT:
        return value
    return harmless(_text(value, around))


def _text(value: Any, around: Around) -> str:  # noqa: ANN401 -- JSON
    match value:
        case str():
            return around.name(value)
        case None | {"masked": _}:
            return words(value)
        case {"at": str(), "on": str(day), **rest} if not rest:
            return day  # a deadline
        case list() if not any(isinstance(one, list | dict) for one in value):
            return "|".join(_text(one, around) for one in value)
        case list() | dict():
            return json.dumps(_told(value, around), ensure_ascii=False)
        case _:
            return str(value)


def _told(value: Any, around: Around) -> Any:  # noqa: ANN401 -- JSON
    """Something with parts: its masks are words, its moments the school's."""
    if isinstance(value, dict) and "masked" not in value:
        return {n: _told(_moment(n, part, around), around) for n, part in value.items()}
    if isinstance(value, list):
        return [_told(part, around) for part in value]
    return _text(value, around) if isinstance(value, str | dict) else value


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula, or stumbles over: `plain` gives it back.

    What would run, or already stands behind an apostrophe before something that would, gets one more.
    """
    text = _UNSPEAKABLE.sub("", text)
    if _FORMULA.match(text):
        text = f"'{text}"
    if len(text) > LONGEST // 2 and len(wide := text.encode("utf-16-le")) > 2 * LONGEST:
        text = wide[: 2 * LONGEST - 2].decode("utf-16-le", "ignore") + "…"
    return text


def plain(text: str) -> str:
    """The text of a cell as it was before it was made `harmless`."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text[1:]) else text


def unescaped(text: str) -> str:
    """What a workbook says with `_x000D_` for a character that XML would lose."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


# -- Files ---------------------------------------------------------------------------------------


def csv_file(table: Iterable[Line]) -> Iterator[bytes]:
    """The lines as CSV in UTF-8 with a byte order mark, without which Excel reads another encoding."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    text.write("\ufeff")
    for line in table:
        writer.writerow(line)
        if text.tell() > _CHUNK:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def xlsx_file(table: Iterable[Line]) -> Iterator[bytes]:
    """The lines as the one sheet of a workbook. It is written as it goes out, and nowhere else."""
    written = _Outlet()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in _PARTS.items():
            archive.writestr(_entry(name), part)
        with archive.open(_entry("xl/worksheets/sheet1.xml"), "w") as sheet:
            sheet.write(_SHEET.encode())
            for line in table:
                row = "".join(map(_cell_of, line))
                sheet.write(f"<row>{row}</row>".encode())
                if written.size > _CHUNK:
                    yield written.taken()
            sheet.write(b"</sheetData></worksheet>")
    yield written.taken()


def _cell_of(value: Cell) -> str:
    if isinstance(value, str):
        text = _ESCAPED.sub(lambda found: f"_x005F{found[0]}", value).replace("\r", "_x000D_")
        inner = escape(text, quote=False)
        return (
            f'<c t="inlineStr"><is><t xml:space="preserve">{inner}</t></is></c>'
            if value
            else "<c/>"
        )
    return f"<c><v>{value}</v></c>"


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)  # of 1980: when it was asked for is told by the answer
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


class _Outlet(io.RawIOBase):
    """Where an archive is written that is taken away piece by piece; it cannot be sought in."""

    def __init__(self) -> None:
        super().__init__()
        self._held = bytearray()

    @property
    def size(self) -> int:
        return len(self._held)

    def writable(self) -> bool:
        return True

    def write(self, more: Any) -> int:  # noqa: ANN401 -- anything of bytes
        self._held += more
        return len(more)

    def taken(self) -> bytes:
        out, self._held = bytes(self._held), bytearray()
        return out


WRITERS: Mapping[str, tuple[str, Callable[[Iterable[Line]], Iterator[bytes]]]] = {
    "csv": (CSV, csv_file),
    "xlsx": (XLSX, xlsx_file),
}
"""Media type and writer by format."""

_CHUNK = 64 * 1024
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": (
        f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/>'
        "</Types>"
    ),
    "_rels/.rels": (
        f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>"
    ),
    "xl/workbook.xml": (
        f'{_HEAD}<workbook {_MAIN} xmlns:r="{_OFFICE}">'
        '<sheets><sheet name="台账" sheetId="1" r:id="r1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>"
    ),
}
_SHEET = (
    f'{_HEAD}<worksheet {_MAIN}><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    "</sheetView></sheetViews><sheetData>"
)

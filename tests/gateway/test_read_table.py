"""A file becomes rows, however a spreadsheet program wrote it; anything else is refused in clear words."""

import csv
import io
import json
import zipfile
from collections.abc import Iterable
from datetime import date, datetime, time

import pytest
from openpyxl import Workbook
from pydantic import ValidationError

from services.campaign.tables import roster
from services.gateway import tables
from services.gateway.problems import STATUS
from services.gateway.tables import (
    MAX_ROWS,
    EmptyTable,
    NotATable,
    RepeatedColumn,
    TooManyRows,
    UnknownColumns,
    read_table,
)
from shared.broker import TooLarge
from shared.decider import Rejected, wire
from shared.runtime import problems

HEADING = ["姓名", "编号", "到校日期"]
ROW = ["赖国栋", "T9", "2023-01-01"]
READ = {"name": "赖国栋", "number": "T9", "joined_on": "2023-01-01"}


def text(*lines: Iterable[object]) -> str:
    file = io.StringIO(newline="")
    csv.writer(file).writerows(lines)
    return file.getvalue()


def workbook(*lines: Iterable[object]) -> bytes:
    book = Workbook()
    for line in lines:
        book.worksheets[0].append(list(line))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def changed(raw: bytes, part: str, old: bytes, new: bytes) -> bytes:
    """A workbook in which a part of the archive says something else."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as read, zipfile.ZipFile(file, "w") as written:
        for name in read.namelist():
            content = read.read(name)
            if name == part:
                assert old in content
                content = content.replace(old, new)
            written.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    "raw",
    [
        text(HEADING, ROW).encode(),
        text(HEADING, ROW).encode("utf-8-sig"),
        text(HEADING, ROW).encode("gb18030"),
        text(HEADING, ROW).replace("\r\n", "\n").encode(),
        text(HEADING, [f" {cell}\u3000" for cell in ROW]).encode(),
        text([*HEADING, ""], [*ROW, ""]).encode(),
        text(["name", "工号", "joined_on"], ROW).encode(),
        workbook(HEADING, ROW),
        workbook(HEADING, ["赖国栋", "T9", date(2023, 1, 1)]),
        workbook(HEADING, ["赖国栋", "T9", datetime(2023, 1, 1)]),  # noqa: DTZ001 -- a cell has no zone
    ],
    ids=["utf-8", "bom", "gb18030", "lf", "spaces", "empty column", "names", "xlsx", "date", "day"],
)
def test_a_row_is_read(raw: bytes) -> None:
    assert read_table(raw, roster) == [(2, READ)]


@pytest.mark.parametrize(
    ("cell", "read"),
    [(1007, "1007"), (1007.0, "1007"), (13.5, "13.5"), ("007", "007"), (time(8, 30), "08:30:00")],
)
def test_a_cell_of_a_workbook_reads_as_it_looks(cell: object, read: str) -> None:
    ((_, fields),) = read_table(workbook(HEADING, ["赖国栋", cell]), roster)
    assert fields["number"] == read


def test_blank_rows_count_for_nothing_but_keep_the_numbers() -> None:
    lines: list[list[str]] = [[], HEADING, ["", "  "], ROW, *[[]] * 30]
    for raw in (text(*lines).encode(), workbook(*lines)):
        assert read_table(raw, roster) == [(4, READ)]


def test_what_stands_right_of_the_heading_is_not_lost() -> None:
    for raw in (text(HEADING, [*ROW, "", "党员"]).encode(), workbook(HEADING, [*ROW, "", "党员"])):
        assert read_table(raw, roster) == [(2, {**READ, "column_5": "党员"})]


@pytest.mark.parametrize("name", ["赖国栋", "苏小梅", "方一鸣", "乐天", "欧阳娜娜", "尹", "镕"])
def test_gb18030_is_not_taken_for_damaged_utf8(name: str) -> None:
    assert read_table(text(["name"], [name]).encode("gb18030"), roster) == [(2, {"name": name})]


def test_a_workbook_that_lies_about_its_size_is_read_whole() -> None:
    raw = workbook(HEADING, ROW, ROW)
    small = changed(raw, "xl/worksheets/sheet1.xml", b'ref="A1:C3"', b'ref="A1:A1"')
    assert len(read_table(small, roster)) == 2


@pytest.mark.parametrize("blank", [0, 3])
def test_no_row_is_left_out_silently(blank: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_ROWS", 20)
    most: list[list[str]] = [HEADING, *[[]] * blank, *[["赖国栋"]] * 20]
    for raw in (text(*most).encode(), workbook(*most)):
        assert len(read_table(raw, roster)) == 20
    for raw in (text(*most, ROW).encode(), workbook(*most, ROW)):
        with pytest.raises(TooManyRows):
            read_table(raw, roster)


def test_of_ten_thousand_rows_only_the_bad_one_is_not_understood() -> None:
    rows = [[f"某{n}", f"T{n}", "2023-01-01"] for n in range(MAX_ROWS)]
    rows[4_321][2] = "2023-02-29"
    enter, bad = wire(roster.command), []
    read = read_table(text(HEADING, *rows).encode("gb18030"), roster)
    for number, cells in read:
        try:
            enter.model_validate_json(json.dumps(roster.shape(cells)))
        except ValidationError as error:
            bad.append((number, [problem["field"] for problem in problems(error)]))
    assert len(read) == MAX_ROWS
    assert bad == [(4_323, ["joined_on"])]


def test_a_line_far_below_everything_is_no_reason_to_wait() -> None:
    raw = workbook(HEADING, ROW)
    far = changed(raw, "xl/worksheets/sheet1.xml", b'<row r="2"', b'<row r="99999999999999"')
    with pytest.raises(EmptyTable):
        read_table(far, roster)


@pytest.mark.parametrize(
    ("raw", "refusal", "detail"),
    [
        (b"", EmptyTable, ""),
        (b"\xef\xbb\xbf \r\n,,\r\n", EmptyTable, ""),
        (text(HEADING).encode(), EmptyTable, ""),
        (workbook(), EmptyTable, ""),
        (workbook(HEADING, []), EmptyTable, ""),
        (text(HEADING, ROW).encode("utf-16"), NotATable, ""),
        (text(HEADING, ROW).encode("utf-16-le"), NotATable, ""),
        (text(HEADING, ROW).encode("utf-16-be"), NotATable, ""),
        (text(HEADING, ["赖国栋"]).encode()[:-4], NotATable, ""),
        (text(["name"], ["赖国栋"], ["苏小梅"]).encode()[:-3], NotATable, ""),
        (
            text(["name"], ["赖国栋"], ["苏小梅"]).encode().replace(b"\xe5\x9b\xbd", b"\xe5\x9b"),
            NotATable,
            "",
        ),
        (text(HEADING, ["赖国栋"]).encode("gb18030")[:-3], NotATable, ""),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504), NotATable, ""),
        (text(HEADING, ["赖\0"]).encode(), NotATable, ""),
        (b'a,"b\n', NotATable, ""),
        (b"\xff\xd8\xff\xe0 a picture", NotATable, ""),
        (b"PK\x03\x04 not an archive", NotATable, ""),
        (workbook(HEADING, ROW)[:-200], NotATable, ""),
        (workbook(HEADING, ROW)[:1_000], NotATable, ""),
        (
            changed(workbook(HEADING, ROW), "xl/worksheets/sheet1.xml", b"</row>", b"<row>"),
            NotATable,
            "",
        ),
        (changed(workbook(HEADING, ROW), "xl/workbook.xml", b"<sheets>", b"<"), NotATable, ""),
        (text(["2026年教职工名册"], HEADING, ROW).encode(), UnknownColumns, "columns 1"),
        (text([*HEADING, "", "备注"], ROW).encode(), UnknownColumns, "columns 4, 5"),
        (text([*HEADING, "上级"], [*ROW, "赖国栋"]).encode(), UnknownColumns, "columns 4"),
        (text(["姓名", "编号", "姓名", "工号"], ROW).encode(), RepeatedColumn, "columns 3, 4"),
    ],
    ids=range(25),  # the files hold the time they were made at
)
def test_what_is_no_table_of_people(raw: bytes, refusal: type[Rejected], detail: str) -> None:
    with pytest.raises(refusal) as caught:
        read_table(raw, roster)
    assert caught.value.detail == detail
    assert STATUS[refusal.code] in {413, 422}


def test_an_archive_that_would_unpack_to_more_than_is_sane(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tables, "MAX_FILE", 10_000)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"\0" * 200_001)
    with pytest.raises(TooLarge):
        read_table(file.getvalue(), roster)

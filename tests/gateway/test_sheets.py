"""Lists are written as tables that open everywhere, run nothing, and are read again as they were."""

import csv
import io
import json
import zipfile
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import load_workbook
from starlette.requests import Request

from services.campaign.tables import roster, units
from services.feedback.tables import opinions
from services.gateway import forms
from services.gateway.forms import MOST_ROWS, Listed, form_of, held_still
from services.gateway.ledger import LEDGER
from services.gateway.problems import STATUS, ListTooLong
from services.gateway.sheets import (
    LONGEST,
    WRITERS,
    Around,
    Cell,
    Line,
    as_found,
    as_imported,
    cell,
    harmless,
    lines,
    plain,
)
from services.gateway.tables import read_table
from shared.broker import Answer
from shared.decider import Unavailable

HERE = Around({"p1": "赖国栋", "u1": "总务处", "gone": {"masked": "erased"}}, "Asia/Shanghai")


def written(form: str, table: Iterable[Line]) -> bytes:
    return b"".join(WRITERS[form][1](table))


def read(form: str, raw: bytes) -> list[list[str]]:
    """What a spreadsheet program finds in a file, as text."""
    if form == "csv":
        return [*csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""))]
    sheet = load_workbook(io.BytesIO(raw)).worksheets[0]
    assert all(cell.data_type != "f" for row in sheet.rows for cell in row)
    return [
        ["" if value is None else str(value) for value in row]
        for row in sheet.iter_rows(values_only=True)
    ]


@pytest.mark.parametrize("form", WRITERS)
def test_a_table_opens_with_its_cells(form: str) -> None:
    table: list[list[Cell]] = [["序号", "问题"], [1, "灯坏了\n两盏 <b>&"], [2, ""]]
    raw = written(form, table)
    assert read(form, raw) == [["序号", "问题"], ["1", "灯坏了\n两盏 <b>&"], ["2", ""]]
    assert raw.startswith(b"\xef\xbb\xbf" if form == "csv" else b"PK")


@pytest.mark.parametrize("form", WRITERS)
def test_a_table_is_given_out_piece_by_piece(form: str) -> None:
    taken: list[int] = []

    def rows() -> Iterable[Line]:
        for n in range(3_000):
            taken.append(n)
            yield [json.dumps([n * 7919 % 1_000_003, n**5])] * 20

    first = next(iter(WRITERS[form][1](rows())))
    assert first
    assert len(taken) < 3_000


def test_a_workbook_says_nothing_of_when_it_was_made() -> None:
    raw = written("xlsx", [["序号"]])
    assert raw == written("xlsx", [["序号"]])
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[0] == "[Content_Types].xml"
        assert not [name for name in archive.namelist() if "vba" in name or "external" in name]


RUNS = [
    "=1+1",
    "+86 10",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n-1",
    " =1",
    "＝1",
    "'=1",
    "''@x",
    "\t",
]


@pytest.mark.parametrize("text", RUNS)
def test_what_would_run_stands_behind_an_apostrophe_and_comes_back_as_it_was(text: str) -> None:
    shown = harmless(text)
    assert shown == f"'{text}"
    assert plain(shown) == text


@pytest.mark.parametrize("text", ["", "1", "'", "'tis", "a=1", "食堂", "'a=1"])
def test_what_would_not_run_stays_as_it_is(text: str) -> None:
    assert harmless(text) == plain(text) == text


@given(st.text(alphabet=st.sampled_from("'=+-@ \t\r\na1＝食"), max_size=8))
def test_no_text_runs_and_every_text_comes_back(text: str) -> None:
    shown = harmless(text)
    assert shown.lstrip()[:1] not in {*"=+-@＝＋－＠"}
    assert shown[:1] not in {"\t", "\r", "\n"}
    assert plain(shown) == text


@given(st.text(alphabet=st.characters(), max_size=60))
@example("\ud800\x00\x0b\x1b\u202e\u2066\ufffe\uffff")
@example("_x000D_ _x0041_\r\n")
@example("</t></is></c> ]]> &amp; \x85")
def test_no_text_breaks_a_file(text: str) -> None:
    for form in WRITERS:
        raw = written(form, [["意见原文"], [harmless(text) or "空"]])
        [[_], [found]] = read(form, raw)
        assert not {*found} & {*"\x00\x1b\u202e\u2066"}
        if text.isprintable() and text.strip():
            assert read_table(raw, opinions) == [(2, {"verbatim_text": text.strip()})]


def test_a_cell_holds_no_more_than_a_spreadsheet_takes() -> None:
    whole = "长" * LONGEST
    assert harmless(whole) == whole
    for long in ("长" * (LONGEST + 1), "😀" * 20_000, "=" + "1" * 40_000):
        shown = harmless(long)
        assert len(shown.encode("utf-16-le")) <= 2 * LONGEST
        assert shown.endswith("…")
        assert read("xlsx", written("xlsx", [[shown]])) == [[shown]]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (True, "是"),
        (3, 3),
        (-3, -3),
        (2**60, str(2**60)),
        ("open", "open"),
        ("2026-03-01T16:30:00Z", "2026-03-01T16:30:00Z"),
        ("2026-03-01", "2026-03-01"),
        ({"masked": "sealed"}, "〔已封存〕"),
        ({"masked": "erased"}, "〔已抹除〕"),
        ({"at": "2026-03-01T16:00:00Z", "on": "2026-03-01"}, "2026-03-01"),
        (["a", {"masked": "erased"}], '["a", "〔已抹除〕"]'),
        (["a", "p1"], "a|赖国栋"),
        ("gone", "〔已抹除〕"),
        ([], ""),
        ([{"at": "2026-03-01T16:30:00Z"}], '[{"at": "2026-03-02T00:30:00+08:00"}]'),
        ([{"by": "p1"}], '[{"by": "赖国栋"}]'),
        (["=1"], "'=1"),
    ],
    ids=str,
)  # fmt: skip
def test_a_value_stands_in_a_cell_as_people_read_it(value: object, shown: object) -> None:
    assert cell(value, HERE) == shown


def test_a_list_without_columns_of_its_own_has_its_fields() -> None:
    said = "2026-03-01T16:30:00Z"
    items: list[dict[str, Any]] = [{"id": "a", "said": said}, {"id": "b", "said_at": said}]
    table = lines(((item, HERE) for item in items), as_found(["id", "said", "said_at"]))
    assert [*table] == [
        ["id", "said", "said_at"],
        ["a", said, ""],
        ["b", "", "2026-03-02T00:30:00+08:00"],
    ]


@pytest.mark.parametrize("odd", ["9999-12-31T23:59:59Z", "2026-99-01T00:00:00Z", "T", "2026-03-01"])
def test_a_moment_that_no_calendar_has_stays_as_it_is(odd: str) -> None:
    assert HERE.moment(odd) == odd


ISSUE: dict[str, Any] = {
    "id": "i1",
    "title": "=灯坏了",
    "description": {"masked": "erased"},
    "sources": [{"kind": "collation", "id": "c"}, {"kind": "talk", "id": "t"}],
    "discovery": "raised_by_public",
    "winds": ["formalism", "hedonism"],
    "key_issue": True,
    "found_at": "2026-03-01T16:30:00Z",
    "accountable_leader": "gone",
    "responsible_department": "u1",
    "owner": "p1",
    "reviewer": "p2",
    "measures": [{"text": "换灯", "owner": "p1", "due_on": "2026-04-01"}],
    "due": {"at": "2026-04-02T15:59:59Z", "on": "2026-04-02"},
    "first_due": {"at": "2026-04-01T15:59:59Z", "on": "2026-04-01"},
    "extensions": 1,
    "extension_asked": "2026-05-01",
    "progress": {"text": "买了灯", "at": "2026-03-09T16:30:00Z", "by": "p1"},
    "evidence": [{"phase": "before"}, {"phase": "after"}, {"phase": "after"}],
    "stage": "struck_off",
    "finding": {"masked": "sealed"},
    "returned": 2,
    "notice_until": {"at": "2026-04-20T15:59:59Z", "on": "2026-04-20"},
    "objection": {"masked": "sealed"},
    "verdicts": [{"satisfied": "satisfied"}, {"satisfied": "dissatisfied"}],
    "verified_at": "2026-04-10T02:00:00Z",
    "struck_off_at": "2026-04-21T02:00:00Z",
    "struck_off_by": "p1",
}


def test_the_ledger_has_its_columns_with_names_words_and_days_of_the_school() -> None:
    heading, told = lines([(ISSUE, HERE)], LEDGER)
    assert dict(zip(heading, told, strict=True)) == {
        "序号": 1,
        "问题编号": "i1",
        "问题": "'=灯坏了\n〔已抹除〕",
        "来源与发现方式": "征求意见、谈心谈话 / 群众提",
        "四风类别": "形式主义、享乐主义",
        "是否重点": "是",
        "发现时间": "2026-03-02",
        "责任领导": "〔已抹除〕",
        "责任部门": "总务处",
        "责任人": "赖国栋",
        "复核人": "p2",
        "整改措施": "1. 换灯（赖国栋，2026-04-01）",
        "完成时限": "2026-04-02",
        "延期情况": "延期1次，原定2026-04-01；申请延至2026-05-01",
        "整改情况": "买了灯（2026-03-10）",
        "佐证材料": "整改前1件，整改后2件",
        "状态": "已销号",
        "验收意见": "〔已封存〕",
        "驳回次数": 2,
        "公示情况": "公示至2026-04-20；异议：〔已封存〕",
        "满意度": "满意1人，不满意1人",
        "完成时间": "2026-04-10",
        "销号情况": "2026-04-21，赖国栋",
    }


PERSON = {
    "name": "-赖国栋",
    "number": "007",
    "joined_on": "2023-01-01",
    "posts": [
        {"role": "department_head", "unit": "u1", "since": "2023-01-01", "until": None},
        {"role": "party_member", "unit": None, "since": "2024-01-01", "until": "2026-01-01"},
        {"role": "collator", "unit": None, "since": "2024-01-01", "until": "2025-01-01"},
    ],
    "as_of": {"on": "2025-06-01", "branch": "science", "oversees": ["u1", "u2"]},
}
READ = {
    "name": "-赖国栋",
    "number": "007",
    "joined_on": "2023-01-01",
    "posts": [
        {"role": "department_head", "unit": "u1", "since": "2023-01-01"},
        {"role": "party_member", "since": "2024-01-01"},
    ],
    "branch": "science",
    "oversees": ["u1", "u2"],
}


@pytest.mark.parametrize("form", WRITERS)
def test_an_import_reads_what_was_taken_away(form: str) -> None:
    raw = written(form, lines([(PERSON, HERE)], as_imported(roster)))
    [(_, cells)] = read_table(raw, roster)
    assert roster.shape(cells) == READ
    unit = {"kind": "branch", "name": "理科支部", "state": "open"}
    raw = written(form, lines([(unit, HERE)], as_imported(units)))
    assert read(form, raw)[0] == ["类别", "名称"]
    [(_, cells)] = read_table(raw, units)
    assert units.shape(cells) == {"kind": "branch", "name": "理科支部"}


# -- Pages ---------------------------------------------------------------------------------------


def page(
    position: int, *items: dict[str, Any], following: int | None = None, **more: object
) -> Answer:
    found = {"items": list(items), "next": following, **more}
    return Answer(json.dumps({"ok": True, "position": position, "found": found}).encode())


async def gathered(*answers: Answer) -> Listed:
    left = [*answers]

    async def ask(_: int) -> Answer:
        return left.pop(0)

    listed = await held_still(ask)
    assert not left
    return listed


async def test_pages_of_one_position_are_a_list() -> None:
    listed = await gathered(
        page(7, {"id": 1}, following=1, names={"p": "甲"}), page(7, {"x": 2}, names={"p": "乙"})
    )
    assert (listed.position, [*listed.fields]) == (7, ["id", "x"])
    told = [(item, around.name("p")) for item, around in listed.items("UTC")]
    assert told == [({"id": 1}, "甲"), ({"x": 2}, "乙")]


async def test_a_list_that_changed_while_it_was_read_is_read_again() -> None:
    listed = await gathered(
        page(7, {"id": 1}, following=1),
        page(8, {"id": 2}),
        page(8, {"id": 9}, following=1),
        page(8, {"id": 2}),
    )
    assert [item["id"] for item, _ in listed.items("UTC")] == [9, 2]
    assert listed.position == 8


async def test_what_two_passes_found_alike_was_there_whatever_else_was_recorded() -> None:
    listed = await gathered(
        page(7, {"id": 1}, following=1),
        page(8, {"id": 2}),
        page(9, {"id": 1}, following=1),
        page(10, {"id": 2}),
    )
    assert (listed.position, len(listed.pages)) == (9, 2)


async def test_a_list_that_never_rests_is_not_given() -> None:
    seen: list[int] = []

    async def ask(after: int) -> Answer:
        seen.append(after)
        return page(len(seen), {"id": len(seen)}, following=None if after else 1)

    with pytest.raises(Unavailable):
        await held_still(ask)
    assert len(seen) < 20


async def test_a_refused_page_is_the_refusal() -> None:
    broken = Answer(json.dumps({"error": {"code": "not-there-yet"}}).encode())
    listed = await gathered(page(7, {"id": 1}, following=1), broken)
    assert (listed.error, listed.pages) == ({"code": "not-there-yet"}, [])


async def test_a_list_of_more_than_ten_thousand_is_refused_before_more_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exact = page(1, *[{"id": 1}] * MOST_ROWS)
    assert len([*(await gathered(exact)).items("UTC")]) == MOST_ROWS
    with pytest.raises(ListTooLong):
        await gathered(page(1, *[{"id": 1}] * MOST_ROWS, following=1), page(1, {"id": 2}))
    assert STATUS["list-too-long"] == 413
    monkeypatch.setattr(forms, "_MOST_BYTES", 100)
    with pytest.raises(ListTooLong):
        await gathered(page(1, {"id": "x" * 100}))


@pytest.mark.parametrize(
    ("asked", "accept", "form"),
    [
        ("format=csv", "", "csv"),
        ("format=xlsx", "text/csv", "xlsx"),
        ("format=json", "text/csv", None),
        ("", "text/csv;q=0.9", "csv"),
        ("", WRITERS["xlsx"][0], "xlsx"),
        ("", "text/csv, application/json", None),
        ("", "*/*", None),
    ],
)
def test_a_table_is_had_by_its_format_or_by_what_is_accepted(
    asked: str, accept: str, form: str | None
) -> None:
    headers = [(b"accept", accept.encode())]
    scope = {"type": "http", "query_string": asked.encode(), "headers": headers}
    assert form_of(Request(scope), ("csv", "xlsx")) == form

"""Tables through the HTTP door: a row is a command, its result says what became of it."""

import csv
import io
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from openpyxl import Workbook

from services.stack import SERVICES
from shared.broker import EVENTS
from shared.runtime import now
from tests.live.school import School
from tests.live.test_bad_input import Kept

pytestmark = pytest.mark.live

PEOPLE = [
    ["姓名", "编号", "到校日期", "职务"],
    ["赖国栋", "T1", "2023-01-01", "党员|汇总员:2024-09-01"],
    ["苏小梅", "T2", "2020-09-01", ""],
]
UNITS = [["类别", "名称"], ["部门", "总务处"], ["支部", "理科支部"]]
OPINIONS = [["意见原文", "渠道"], ["食堂的菜是凉的", "座谈会"], ["操场的灯坏了", "意见箱"]]


def as_csv(lines: Iterable[Iterable[object]]) -> str:
    file = io.StringIO(newline="")
    csv.writer(file).writerows(lines)
    return file.getvalue()


def as_xlsx(lines: Iterable[Iterable[object]]) -> bytes:
    book = Workbook()
    for line in lines:
        cells = [date.fromisoformat(str(c)) if str(c)[4:5] == "-" else c for c in line]
        book.worksheets[0].append(cells)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


async def send(
    school: School, who: str, plural: str, raw: bytes, query: str = ""
) -> httpx.Response:
    """Upload a file."""
    answer = await school.client.post(
        f"/v1/{school.id}/{plural}/import{query}",
        content=raw,
        headers={
            "Authorization": f"Bearer {school.tokens[who]}",
            "Taizhang-Min-Position": str(school.position),
        },
        timeout=30,
    )
    school.position = max(school.position, int(answer.headers.get("Taizhang-Position", 0)))
    return answer


async def imported(
    school: School, plural: str, lines: Iterable[Iterable[object]], query: str = ""
) -> Any:
    """Upload a table as the clerk."""
    answer = await send(school, "clerk", plural, as_csv(lines).encode(), query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def events(school: School) -> int:
    """How many events the log has of this school."""
    broker = school.stack.runtimes["campaign"].broker
    found = await broker.api(f"STREAM.INFO.{EVENTS}", {"subjects_filter": f"evt.{school.id}.>"})
    return sum((found["state"].get("subjects") or {}).values())


async def names(school: School) -> list[str]:
    return [person["name"] for person in (await school.get("clerk", "/people"))["items"]]


@pytest.mark.parametrize(
    "raw",
    [
        as_csv(PEOPLE).encode(),
        as_csv(PEOPLE).encode("utf-8-sig"),
        as_csv(PEOPLE).encode("gb18030"),
        as_xlsx(PEOPLE),
        as_xlsx([*PEOPLE, *[[]] * 20, [None, " "]]),
    ],
    ids=["utf-8", "bom", "gb18030", "xlsx", "blank rows below"],
)
async def test_people_come_from_whatever_a_spreadsheet_writes(school: School, raw: bytes) -> None:
    answer = await send(school, "clerk", "people", raw)

    told = answer.json()
    assert (answer.status_code, told["accepted"], told["refused"]) == (200, 2, 0), told
    assert [row["row"] for row in told["rows"]] == [2, 3]
    assert (await names(school))[-2:] in (["赖国栋", "苏小梅"], ["苏小梅", "赖国栋"])
    lai = await school.get("clerk", f"/people/{told['rows'][0]['id']}")
    assert (lai["number"], lai["joined_on"]) == ("T1", "2023-01-01")
    assert {(post["role"], post["since"]) for post in lai["posts"]} == {
        ("party_member", "2023-01-01"),
        ("collator", "2024-09-01"),
    }


@pytest.mark.parametrize(("plural", "lines"), [("units", UNITS), ("opinions", OPINIONS)])
async def test_every_other_table_is_taken_too(
    school: School, plural: str, lines: list[list[str]]
) -> None:
    told = await imported(school, plural, lines)

    assert (told["accepted"], told["refused"]) == (2, 0), told
    items = (await school.get("clerk", f"/{plural}"))["items"]
    words = {item["name"] if plural == "units" else item["verbatim_text"] for item in items}
    assert words == {line[lines is UNITS] for line in lines[1:]}


async def test_activities_come_as_a_table_too(school: School) -> None:
    await in_a_school_year(school)
    member, other, today = school.people["member"], school.people["other"], now().date().isoformat()
    heading = ["类别", "人员", "日期", "金额", "学生代号", "走访对象"]
    lines = [
        heading,
        ["捐资", member, today, "500.00", "pupil-7", ""],
        ["捐资", member, today, "-1", "pupil-7", ""],
        ["走访教职工", member, today, "", "", other],
    ]

    told = await imported(school, "activities", lines)

    assert [(row["ok"], row.get("code")) for row in told["rows"]] == [
        (True, None), (False, "not-a-positive-amount"), (True, None),
    ]  # fmt: skip
    items = (await school.get("member", "/activities"))["items"]
    assert {item["kind"] for item in items} == {"donation", "staff_visit"}


async def in_a_school_year(school: School) -> None:
    """Give the school a school year that today is in."""
    today = now().date()
    begins, ends = today - timedelta(days=200), today + timedelta(days=100)
    term = {"number": 1, "begins_on": begins.isoformat(), "ends_on": ends.isoformat()}
    year = {"begins_on": begins.isoformat(), "ends_on": ends.isoformat(), "terms": [term]}
    await school.do("operator", "/calendars", year)


async def test_there_is_a_test_for_every_table() -> None:
    tables = {table.command.__name__ for service in SERVICES for table in service.tables}
    assert tables == {"EnterPerson", "EnterUnit", "RecordActivity", "SubmitOpinion"}


async def test_a_dry_run_tells_everything_and_stores_nothing(school: School) -> None:
    before = await events(school)
    bad = [*PEOPLE, ["无名", "T3", "昨天", ""]]

    dry = await imported(school, "people", bad, "?dry_run=1")

    assert (dry["dry_run"], dry["accepted"], dry["refused"]) == (True, 2, 1)
    assert await events(school) == before
    real = await imported(school, "people", bad)
    assert (real["dry_run"], real["accepted"], real["refused"]) == (False, 2, 1)
    assert await events(school) == before + 2


async def test_a_bad_row_says_what_is_wrong_and_stores_nothing(school: School) -> None:
    before = await events(school)

    told = await imported(
        school,
        "people",
        [
            [*PEOPLE[0], "所在支部"],
            ["", "T1", "2023-01-01", "", ""],
            ["赖国栋", "T2", "1月1日", "", ""],
            ["苏小梅", "T3", "2023-01-01", "校长", ""],
            ["方一鸣", "T4", "2023-01-01", "部门负责人@no-such-unit", ""],
            ["谭小雨", "T6", "2023-01-01", "", "no-such-branch"],
            ["乐天", "T5", "2023-01-01", "", ""],
        ],
    )

    assert (told["accepted"], told["refused"]) == (1, 5), told
    assert [(row["row"], row["ok"]) for row in told["rows"]] == [
        (2, False), (3, False), (4, False), (5, False), (6, False), (7, True),
    ]  # fmt: skip
    assert [row["code"] for row in told["rows"][3:5]] == ["unknown-unit"] * 2
    for row, field in zip(told["rows"], ("name", "joined_on", "posts.0.role"), strict=False):
        assert (row["code"], row["fields"][0]["field"]) == ("invalid", field)
    refused = [row for row in told["rows"] if not row["ok"]]
    assert all(row["title"]["zh"] and row["title"]["en"] for row in refused)
    assert all("赖国栋" not in str(row) for row in refused)
    assert await events(school) == before + 1


async def test_the_same_upload_again_gives_the_same_result_and_no_second_events(
    school: School,
) -> None:
    lines = [*OPINIONS, OPINIONS[1]]
    first = await imported(school, "opinions", lines)
    before = await events(school)

    again = await imported(school, "opinions", lines)

    assert first["accepted"] == 3
    assert len({row["id"] for row in first["rows"]}) == 3
    assert again["rows"] == [{**row, "repeated": True} for row in first["rows"]]
    assert await events(school) == before


def results(told: Any) -> list[Any]:
    """Row by row: what is wrong with it, if anything."""
    return [row.get("fields", [{}])[0].get("problem") or row.get("code") for row in told["rows"]]


async def test_what_is_there_already_or_comes_twice_is_not_entered_again(school: School) -> None:
    stored = [*PEOPLE, ["别人", "t1", "2021-01-01", ""]]
    units = [*UNITS, ["department", "总务处"], ["支部", "总务处"]]
    for plural, lines, again in (
        ("people", stored, [None, None, "twice_in_table"]),
        ("units", units, [None, None, "twice_in_table", None]),
    ):
        dry = await imported(school, plural, lines, "?dry_run=1")
        real = await imported(school, plural, lines)
        assert (results(dry), results(real)) == (again, again)
    before = await events(school)

    other = [PEOPLE[0], ["别人", "T1", "2021-01-01", ""], PEOPLE[2]]
    for query in ("?dry_run=1", ""):
        told = await imported(school, "people", other, query)
        assert results(told) == ["number-taken", None]
        assert [row.get("repeated") for row in told["rows"]] == [None, True]
    assert "别人" not in await names(school)
    assert await events(school) == before


async def test_a_dry_run_finds_what_the_real_one_refuses_and_nothing_of_it_is_stored(
    school: School,
) -> None:
    rows = [
        ["赖国栋", "N0", "2023-01-01", "党员", "no-such-branch", ""],
        ["苏小梅", "N1", "2023-01-01", "党员:2022-01-01", "", ""],
        ["方一鸣", "N2", "2023-01-01", "党员|党员", "", ""],
        ["乐天", "N3", "2023-01-01", "", "", "no-such-unit"],
        ["高山", "N4", "2023-02-29", "", "", ""],
        ["林静", "N5", "2023-01-01", "", "", "", "多出一格"],
        *([f"某{n}", f"M{n}", "2023-01-01", "党员", "", ""] for n in range(200)),
    ]
    heading = ["姓名", "编号", "到校日期", "职务", "支部", "分管部门"]
    before = await Kept(school).count()

    dry = await imported(school, "people", [heading, *rows], "?dry_run=1")
    assert await Kept(school).count() == before
    stored = await events(school)
    real = await imported(school, "people", [heading, *rows])

    wrong = ["unknown-unit", "not-present", "duplicate-post", "unknown-unit",
             "date_parsing", "extra_forbidden"]  # fmt: skip
    assert results(dry) == results(real) == [*wrong, *[None] * 200]
    assert (dry["accepted"], real["accepted"], await events(school)) == (200, 200, stored + 200)
    assert not {row[0] for row in rows[:6]} & {*await names(school)}


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"", 422, "empty-table"),
        (as_csv(PEOPLE[:1]).encode(), 422, "empty-table"),
        (as_xlsx(PEOPLE)[:2_000], 422, "not-a-table"),
        (b"\xff\xd8\xff\xe0 a picture", 422, "not-a-table"),
        (as_xlsx([["2026年名册"], *PEOPLE]), 422, "unknown-columns"),
        (as_csv([["姓名", "姓名"], PEOPLE[1]]).encode(), 422, "repeated-column"),
        (as_csv([PEOPLE[0], *[["某"]] * 10_001]).encode(), 413, "too-many-rows"),
        (b"x" * (10 * 1024 * 1024 + 1), 413, "too-large"),
    ],
    ids=["nothing", "heading", "cut", "picture", "title", "twice", "rows", "bytes"],
)
async def test_a_file_that_is_no_table_is_a_clear_problem(
    school: School, raw: bytes, status: int, code: str
) -> None:
    before = await events(school)

    answer = await send(school, "clerk", "people", raw)

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["title"]
    assert problem["title_zh"]
    assert await events(school) == before


async def test_who_may_not_enter_people_may_not_do_it_by_table_either(school: School) -> None:
    before = await events(school)
    raw = as_csv(PEOPLE).encode()

    nobody = await school.client.post(f"/v1/{school.id}/people/import", content=raw)
    teacher = await send(school, "teacher", "people", raw)

    assert (nobody.status_code, nobody.json()["code"]) == (401, "unauthenticated")
    assert (teacher.status_code, teacher.json()["code"]) == (403, "not-allowed")
    assert await events(school) == before

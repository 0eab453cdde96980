"""Lists as tables through the HTTP door: the same rows, no more than the caller may see, on record."""

import csv
import io
import re
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook

from services.gateway.ledger import LEDGER
from tests.live.school import ISSUE, School, set_policy
from tests.live.test_looks import SECRET, doors, looks, told
from tests.live.test_tables import (
    OPINIONS,
    PEOPLE,
    UNITS,
    events,
    imported,
    in_a_school_year,
    results,
    send,
)

pytestmark = pytest.mark.live

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def rows(answer: httpx.Response) -> list[list[str]]:
    """The lines of a table, the heading first."""
    assert answer.status_code == 200, answer.text
    if answer.headers["Content-Type"].startswith("text/csv"):
        return [*csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))]
    sheet = load_workbook(io.BytesIO(answer.content)).worksheets[0]
    return [
        ["" if c is None else str(c) for c in line] for line in sheet.iter_rows(values_only=True)
    ]


async def table(school: School, who: str, path: str, form: str = "csv") -> httpx.Response:
    """A list as a table."""
    return await school.ask(who, "GET", f"{path}{'&' if '?' in path else '?'}format={form}")


async def test_the_ledger_is_taken_away_with_its_columns_names_and_filters(school: School) -> None:
    issue = (await school.do("clerk", "/issues", {**ISSUE, "title": "=HYPERLINK(1)"}))["id"]
    await school.do("clerk", "/issues", {**ISSUE, "key_issue": True})
    await school.do("member", f"/issues/{issue}/claim")

    whole = await table(school, "member", "/issues")
    book = await school.ask("member", "GET", "/issues", None, Accept=XLSX)
    part = rows(await table(school, "member", "/issues?key_issue=true", "xlsx"))

    heading, first, second = rows(whole)
    assert heading == LEDGER.heading
    line = dict(zip(heading, first, strict=True))
    assert (line["序号"], line["问题编号"], line["状态"]) == ("1", issue, "已认领")
    assert (line["问题"], line["责任人"]) == ("'=HYPERLINK(1)", "某member")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", line["发现时间"])
    assert rows(book) == [heading, first, second]
    assert [line[2] for line in part] == ["问题", ISSUE["title"]]
    for answer, form in ((whole, "csv"), (book, "xlsx")):
        position = int(answer.headers["Taizhang-Position"])
        assert position >= school.position
        name = f'attachment; filename="{school.id}-issues-{position}.{form}"'
        assert answer.headers["Content-Disposition"] == name
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Vary"] == "Accept, Authorization"
    wrong = await table(school, "member", "/issues", "pdf")
    assert (wrong.status_code, wrong.json()["fields"][0]["field"]) == (422, "format")


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_what_was_imported_is_taken_away_and_imported_again_without_a_change(
    school: School, form: str
) -> None:
    await in_a_school_year(school)
    today = (await school.get("member", "/school"))["today"]
    sheet = [
        ["类别", "人员", "日期", "金额", "学生代号"],
        ["捐资", school.people["member"], today, "500.00", "pupil-7"],
    ]
    words = [
        *OPINIONS,
        ["=1+1\n不是公式", "座谈会"],
        ["'@原样", "微信"],
        ["_x000D_ 和\r\n换行", "微博"],
    ]
    given: dict[str, list[list[str]]] = {
        "people": [*PEOPLE, ["-减号", "+86", "2023-01-01", "党员"]],
        "units": UNITS,
        "activities": sheet,
        "opinions": [[*line, "=2" if n else "反映人"] for n, line in enumerate(words)],
    }
    for plural, lines in given.items():
        first = await imported(school, plural, lines)
        assert first["refused"] == 0, first
        before = await events(school)

        who = "operator" if plural == "people" else "clerk"  # who may appoint supervisors
        taken = await table(school, who, f"/{plural}", form)
        dry = (await send(school, who, plural, taken.content, "?dry_run=1")).json()

        again = [row for row in dry["rows"] if row.get("repeated")]
        assert len(again) == len(first["rows"]), plural
        assert (len(dry["rows"]), dry["refused"]) == (len(rows(taken)) - 1, 0), dry
        assert await events(school) == before
    mask = await imported(school, "opinions", [OPINIONS[0], ["〔已封存〕", "座谈会"]], "?dry_run=1")
    assert results(mask) == ["masked"]


async def test_a_table_shows_nobody_more_than_the_list_and_leaves_its_record(
    school: School,
) -> None:
    ids = await told(school)
    school.tokens["auditor"] = school.token("auditor:firm", roles=frozenset({"auditor"}))
    lists = {
        path: view
        for path, view in doors(school, ids).items()
        if "format" in formats(school, view) and view not in {"issue-biography", "looks"}
    }
    assert len(lists) > 35
    sealed = [path for path, view in lists.items() if view in {"opinions", "gaps", "issues"}]
    for who, asked in (("supervisor", lists), ("teacher", lists), ("auditor", sealed)):
        shown = 0
        for path in asked:
            separator = "&" if path[-1] != "?" else ""
            listed = await school.ask(who, "GET", f"{path}{separator}limit=100")
            taken = await school.ask(who, "GET", f"{path}{separator}format=csv")
            assert taken.status_code == listed.status_code, (who, path, taken.text)
            if listed.status_code != 200:
                assert taken.json() == listed.json(), path
                continue
            items = listed.json()["items"]
            assert len(rows(taken)) == len(items) + 1 or not items, path
            assert (SECRET in taken.text) <= (SECRET in listed.text), (who, path)
            assert ("〔已封存〕" in taken.text) == ('{"masked": "sealed"}' in listed.text), path
            shown += SECRET in taken.text
        assert (shown > 2) == (who == "supervisor"), who

    me = school.people["supervisor"]
    taken = await table(school, "supervisor", "/opinions")
    latest = (await looks(school, asked=f"&by={me}"))[-1]
    assert (latest["query"], latest["export"]) == ("opinions", "csv")
    assert latest["rows"] == len(rows(taken)) - 1 == 2
    everyone = (await looks(school, asked=f"&by={school.people['teacher']}"))[-1]
    assert (everyone["export"], everyone["rows"] >= 0) == ("csv", True)


def formats(school: School, view: str) -> set[str]:
    """The parameters of a question, as the OpenAPI document names them."""
    paths: dict[str, Any] = school.stack.gateway.app.document["paths"]
    operations = (operation for path in paths.values() for operation in path.values())
    [operation] = [o for o in operations if o["operationId"] == view]
    return {parameter["name"] for parameter in operation["parameters"]}


async def test_who_is_missing_is_taken_away_over_all_pages(school: School) -> None:
    await set_policy(school)
    for n in range(3):
        await school.do("clerk", "/issues", {**ISSUE, "title": f"第{n}个"})
    await school.settle()
    for path in ("/outstanding?rule=R14", "/people", "/issues"):
        separator = "&" if "?" in path else "?"
        ids: list[Any] = []
        after: int | None = 0
        while after is not None:
            page = await school.get("leader", f"{path}{separator}limit=2&after={after}")
            ids += page["items"]
            after = page["next"]
        taken = rows(await table(school, "leader", f"{path}{separator}limit=2"))
        assert len(taken) == len(ids) + 1 > 3, path
    heading, *missing = rows(await table(school, "leader", "/outstanding?rule=R14"))
    assert {"某member", "某other"} <= {line[heading.index("subject")] for line in missing}


async def test_the_ledger_is_put_in_order_as_the_database_does_it(school: School) -> None:
    first = (await school.do("clerk", "/issues", ISSUE))["id"]
    await school.do("member", f"/issues/{first}/claim")
    second = (await school.do("clerk", "/issues", {**ISSUE, "key_issue": True}))["id"]
    third = (await school.do("clerk", "/issues", ISSUE))["id"]
    orders = {
        "owner": [second, third, first],
        "-owner": [first, second, third],
        "-key_issue": [second, first, third],
        "since": [first, second, third],
        "-found": [third, second, first],
        "due": None,
        "-verified": [first, second, third],
    }
    for sort, order in orders.items():
        whole = [i["id"] for i in (await school.get("clerk", f"/issues?sort={sort}"))["items"]]
        paged: list[str] = []
        after: int | None = 0
        while after is not None:
            page = await school.get("clerk", f"/issues?sort={sort}&limit=1&after={after}")
            paged += [item["id"] for item in page["items"]]
            after = page["next"]
        taken = rows(await table(school, "clerk", f"/issues?sort={sort}"))
        assert whole == paged == [line[1] for line in taken[1:]] == (order or whole), sort
    today = (await school.get("clerk", "/school"))["today"]
    for span in ("since", "until"):
        found = await school.get("clerk", f"/issues?found_{span}={today}&due_since={today}")
        assert len(found["items"]) == 3
    assert (await school.get("clerk", f"/issues?struck_off_since={today}"))["items"] == []

"""A bureau over two schools, through the HTTP door: one question, sums of each, and nothing else opens."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from services.stack import Stack
from shared.security import LOCAL_ISSUER
from tests.live.command import taizhang
from tests.live.school import ISSUE, School, enrolled, set_policy

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("quiet")]


@pytest_asyncio.fixture
async def neighbour(stack: Stack) -> AsyncIterator[School]:
    """Another school, without campaign and data."""
    async with enrolled(stack) as other:
        yield other


def named() -> str:
    """The subject of a bureau of the test's own."""
    return f"bureau-{uuid4().hex[:8]}"


async def admitted(school: School, subject: str) -> str:
    """Admit the bureau, give it a token in the test; its id."""
    asked = {"issuer": LOCAL_ISSUER, "subject": subject, "name": "市委教育工委"}
    school.tokens["bureau"] = school.token(subject)
    bureau = str((await school.do("clerk", "/bureaus", asked))["id"])
    await school.settle()
    return bureau


async def over_all(school: School, who: str | None, query: str = "") -> httpx.Response:
    """The one question over all schools."""
    token = {"Authorization": f"Bearer {school.tokens[who]}"} if who else {}
    seen = {"Taizhang-Min-Position": str(school.position)}
    return await school.client.get(
        f"/v1/any/overview{query}", headers={**token, **seen}, timeout=30
    )


async def test_one_question_gives_the_sums_of_every_school_that_admitted_it(
    school: School, neighbour: School
) -> None:
    subject = named()
    await set_policy(school)
    await school.do("clerk", "/issues", ISSUE)
    for one in (neighbour, school):
        await admitted(one, subject)

    answer = await over_all(school, "bureau")

    told = {item["school"]: item for item in answer.json()["items"]}
    assert told.keys() == {school.id, neighbour.id}
    assert answer.json()["total"] == 2
    mine, other = told[school.id], told[neighbour.id]
    assert mine["name"] == other["name"] == "示范中学"
    board = await school.get("teacher", "/board")
    rules = [line for line in board["rules"] if line["computed"]]
    assert mine["board"]["missing"] == sum(line["missing"] for line in rules) > 0
    assert mine["issues"]["by_stage"]["open"] == 1
    assert (mine["plan"]["revision"], mine["plan"]["filed"]) == (1, False)
    assert (other["plan"], other["issues"]["total"], other["board"]["numerator"]) == (None, 0, 0)
    assert other["three_rates"]["groups"] == []
    page = (await over_all(school, "bureau", "?limit=1")).json()
    rest = (await over_all(school, "bureau", f"?after={page['next']}")).json()
    assert sorted(i["school"] for i in (*page["items"], *rest["items"])) == sorted(told)
    assert rest["next"] is None
    printed = await taizhang(
        school.stack.settings, "overview", "--url", school.stack.url,
        TAIZHANG_TOKEN=school.tokens["bureau"],
    )  # fmt: skip
    assert (printed.code, printed.err, "共 2 校" in printed.out) == (0, "", True)

    bureau = (await neighbour.get("teacher", "/bureaus"))["items"][0]["id"]
    await neighbour.do("clerk", f"/bureaus/{bureau}/dismiss", {"reason": "改隶"})
    school.position = await neighbour.settle()
    left = (await over_all(school, "bureau")).json()
    assert [item["school"] for item in left["items"]] == [school.id]
    gone = await neighbour.ask("bureau", "GET", "/overview")
    assert (gone.status_code, gone.json()["code"]) == (403, "unknown-person")


async def test_who_is_let_in_nowhere_gets_an_empty_page_and_who_is_nobody_none(
    school: School,
) -> None:
    school.tokens["bureau"] = school.token(named())
    nobody = await over_all(school, "bureau")
    assert (nobody.status_code, nobody.json()["items"], nobody.json()["total"]) == (200, [], 0)
    assert (await over_all(school, None)).status_code == 401
    school.tokens["here"] = school.token("somebody", school=school.id)
    assert (await over_all(school, "here")).json()["code"] == "foreign-school"
    own = (await over_all(school, "teacher")).json()
    assert [item["school"] for item in own["items"]] == [school.id]
    unknown = await school.client.get(
        "/v1/nowhere/overview", headers={"Authorization": f"Bearer {school.tokens['bureau']}"}
    )
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown-school")


async def test_no_school_is_called_any(school: School) -> None:
    operator = {"Authorization": f"Bearer {school.tokens['operator']}"}
    body = {"name": "任意中学", "zone": "Asia/Shanghai"}
    refused = await school.client.post("/v1/any/schools", json=body, headers=operator)
    assert refused.json()["code"] == "unknown-school"
    board = await school.client.get("/v1/any/board", headers=operator)
    assert board.json()["code"] == "unknown-school"


async def test_nothing_else_opens_but_what_the_school_grants_and_every_look_is_told(
    school: School,
) -> None:
    await set_policy(school)
    bureau = await admitted(school, named())
    doors = ("/board", "/outstanding?rule=R14", "/findings", "/rates", "/looks", "/people",
             "/issues", "/issues-summary", "/opinions", "/talks", "/meetings", "/bureaus", "/school",
             f"/people/{school.people['teacher']}", "/rules", "/accounts", "/campaigns")  # fmt: skip
    closed = {door: (await school.ask("bureau", "GET", door)).status_code for door in doors}
    assert closed == dict.fromkeys(doors, 403)
    assert (await school.refused("bureau", "/issues", ISSUE))["code"] == "not-allowed"
    path, why = f"/bureaus/{bureau}/grant-drill-down", {"reason": "专项督导"}
    for who in ("bureau", "clerk", "operator", "supervisor"):
        assert (await school.refused(who, path, why))["code"] == "not-allowed"

    await school.do("leader", path, why)
    found = await school.get("bureau", "/outstanding?rule=R14")
    assert {name for item in found["items"] for name in item["names"]} == {
        "某leader", "某member", "某other",
    }  # fmt: skip
    await school.get("bureau", "/board")
    open_now = {d: (await school.ask("bureau", "GET", d)).status_code for d in doors}
    assert {door for door, status in open_now.items() if status == 200} == set(doors[:2])

    await school.do("leader", f"/bureaus/{bureau}/withdraw-drill-down", {"reason": "督导结束"})
    assert (await school.ask("bureau", "GET", "/board")).status_code == 403
    looks = (await school.get("leader", "/looks"))["items"]
    assert {look["by"] for look in looks} == {f"bureau:{bureau}"}
    assert [look["query"] for look in looks] == ["outstanding", "board", "board", "outstanding"]
    assert looks[0]["asked"] == {"rule": "R14"}
    assert (await school.get("teacher", "/looks"))["items"] == []


def told_of(school: School, text: str) -> dict[str, float]:
    """The samples of one school."""
    mine = (line for line in text.splitlines() if f'school="{school.id}"' in line)
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in mine)}


async def test_metrics_tell_of_a_school_what_its_board_says(school: School) -> None:
    await set_policy(school)
    await school.do("clerk", "/issues", ISSUE)
    await school.settle()

    text: Any = (await school.client.get("/metrics", timeout=60)).text

    told = told_of(school, text)
    here = f'school="{school.id}"'
    assert told[f'taizhang_issues{{{here},stage="open"}}'] == 1
    assert told[f"taizhang_issues_unclaimed{{{here}}}"] == 1
    assert told[f'taizhang_obligations{{rule="R14",{here},state="missing"}}'] == 3
    assert not [name for name in told if name.startswith("taizhang_rate")]

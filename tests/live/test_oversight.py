"""What the plan asks of whom, over HTTP and at the terminal: owed, done, let pass, found, compared."""

import asyncio
import json
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.cli.ask import PAGE
from shared.runtime import now
from tests.live.command import Ended, taizhang
from tests.live.school import ISSUE, School, set_policy

pytestmark = pytest.mark.live

STAGE = "study-and-listening"


def today() -> date:
    return now().astimezone(ZoneInfo("Asia/Shanghai")).date()


def ages_ago() -> date:
    """Before the campaign of `set_policy` began."""
    return today() - timedelta(days=7)


async def figures(school: School, rule: str) -> tuple[int, int, int]:
    """Done, owed, waived: as the board says."""
    board = await school.get("teacher", "/board")
    line = next(line for line in board["rules"] if line["rule"] == rule)
    return line["numerator"], line["denominator"], line["waived"]


async def owing(school: School, rule: str) -> list[list[str]]:
    """Who still owes it, by their names in the test."""
    keys = {person: key for key, person in school.people.items()}
    found = await school.get("leader", f"/outstanding?rule={rule}")
    return sorted(sorted(keys[person] for person in item["subject"]) for item in found["items"])


async def reflected(school: School, who: str) -> str:
    """A reflection so short that it is a finding; gives its id."""
    words = {"title": "学习心得", "text": "深受教育。", "written_on": now().date().isoformat()}
    said = await school.do(who, "/reflections", {**words, "author": school.people[who]})
    return str(said["id"])


async def seen(school: School, who: str, rule: str, subject: list[str], period: str) -> str:
    """Somebody acknowledges what is missing or found; gives the finding's id."""
    asked = {"rule": rule, "subject": subject, "period": period, "remark": "已了解"}
    return str((await school.do(who, "/findings", asked))["id"])


async def test_what_is_owed_is_done_or_let_pass_and_the_board_says_so(school: School) -> None:
    await set_policy(school)
    assert await figures(school, "R14") == (0, 3, 0)
    assert await owing(school, "R14") == [["leader"], ["member"], ["other"]]

    await reflected(school, "member")
    assert await figures(school, "R14") == (1, 3, 0)
    assert await owing(school, "R14") == [["leader"], ["other"]]

    finding = await seen(school, "leader", "R14", [school.people["other"]], STAGE)
    assert await figures(school, "R14") == (1, 3, 0)
    path, why = f"/findings/{finding}/waive-obligation", {"reason": "长期病假"}
    for who in ("leader", "member", "other", "clerk", "teacher", "operator"):
        assert (await school.refused(who, path, why))["code"] == "not-allowed"
    assert (await school.refused("supervisor", path))["code"] == "invalid"
    await school.do("supervisor", path, why)

    assert await figures(school, "R14") == (1, 2, 1)
    assert await owing(school, "R14") == [["leader"]]
    remarks = (await school.get("leader", "/remarks?rule=R14"))["items"]
    assert [(r["stage"], r["waived"]["text"]) for r in remarks] == [("waived", "长期病假")]
    done = {"rule": "R14", "subject": [school.people["member"]], "period": STAGE}
    assert (await school.refused("leader", "/findings", done))["code"] == "already-fulfilled"


async def test_a_talk_of_two_is_evidence_down_to_its_event(school: School) -> None:
    await set_policy(school)
    assert await owing(school, "R46") == [["leader", "member"], ["leader", "other"]]

    pair = sorted(school.people[key] for key in ("leader", "member"))
    begun = now() - timedelta(minutes=40)
    talk = {
        "kind": "one_by_one",
        "parties": pair,
        "place": "三楼小会议室",
        "begun_at": begun.isoformat(),
        "ended_at": now().isoformat(),
    }
    recorded = await school.do("leader", "/talks/record", talk)

    assert await figures(school, "R46") == (1, 2, 0)
    assert await owing(school, "R46") == [["leader", "other"]]
    asked = f"rule=R46&subject={','.join(pair)}&period=campaign"
    one = await school.get("leader", f"/obligation?{asked}")
    assert one["state"] == "done"
    assert [(e["type"], e["position"]) for e in one["events"]] == [
        ("talks.talk.held.v1", recorded["position"])
    ]


async def test_a_finding_is_seen_by_who_leads_and_goes_on_being_found(school: School) -> None:
    await set_policy(school)
    reflection = await reflected(school, "member")

    found = (await school.get("leader", "/findings?rule=R15.too-short"))["items"]
    assert [(f["rule"], f["subject"], f["acknowledged"]) for f in found] == [
        ("R15.too-short", [reflection], None)
    ]
    subject, period = found[0]["subject"], found[0]["period"]
    asked = {"rule": "R15.too-short", "subject": subject, "period": period}
    assert (await school.refused("teacher", "/findings", asked))["code"] == "not-allowed"
    assert (await school.ask("teacher", "GET", "/findings")).status_code == 403
    await seen(school, "leader", "R15.too-short", subject, period)

    again = (await school.get("leader", "/findings?rule=R15.too-short"))["items"]
    assert [(f["subject"], f["state"]) for f in again] == [([reflection], "missing")]
    assert again[0]["acknowledged"] is not None
    nothing = {"rule": "R15.too-short", "subject": ["nothing"], "period": period}
    assert (await school.refused("leader", "/findings", nothing))["code"] == "nothing-found"


async def test_two_days_are_compared_by_issue_and_by_rule(school: School) -> None:
    await set_policy(school)
    issue = str((await school.do("clerk", "/issues", ISSUE))["id"])
    await reflected(school, "member")

    days = f"since={ages_ago()}&until={today()}"
    told = await school.get("teacher", f"/difference?{days}")

    assert told["ledger"] == {"opened": [issue], "moved": [], "struck_off": []}
    change = next(rule for rule in told["rules"] if rule["rule"] == "R14")
    assert (change["newly_owed"], change["newly_done"]) == (3, 1)
    assert (change["numerators"], change["denominators"]) == ([0, 1], [0, 3])
    turned = await school.ask("teacher", "GET", f"/difference?since={today()}&until={ages_ago()}")
    assert turned.json()["code"] == "back-to-front"


async def told(school: School, *arguments: str, who: str = "clerk", url: str = "") -> Ended:
    """What the command says to somebody."""
    place = ("--school", school.id, "--url", url or school.stack.url)
    token = school.tokens[who]
    return await taizhang(school.stack.settings, *arguments, *place, TAIZHANG_TOKEN=token)


async def test_the_board_is_printed_rule_by_rule(school: School) -> None:
    await set_policy(school)
    await reflected(school, "member")
    await school.settle()

    table = await told(school, "rules")
    data = json.loads((await told(school, "rules", "--json")).out)

    assert (table.code, table.err) == (0, "")
    assert table.out.startswith("规则总览")
    assert f"位置 {data['position']}" in table.out
    assert [line["rule"] for line in data["rules"]][:3] == ["R01", "R02", "R03"]
    assert len(data["rules"]) == 88
    row = next(line for line in table.out.splitlines() if "R14" in line)
    assert "COVER" in row
    assert "「每个" in row
    assert "1/3" in row


async def test_who_still_owes_what_is_listed_by_name_and_told_by_the_exit_code(
    school: School,
) -> None:
    await set_policy(school)
    await reflected(school, "member")
    await school.settle()

    table = await told(school, "outstanding", "R14")
    data = await told(school, "outstanding", "--json")
    none = await told(school, "outstanding", "R14", "--period", "never", "--as-of", f"{today()}")
    odd = await told(school, "outstanding", "R99")
    wrong = await told(school, "outstanding", "R14", "--as-of", "tomorrow")
    away = await told(school, "outstanding", "R14", url="http://127.0.0.1:1")

    assert (table.code, table.err) == (1, "")
    assert [name in table.out for name in ("某leader", "某member", "某other")] == [
        True,
        False,
        True,
    ]
    everything: dict[str, Any] = json.loads(data.out)
    assert (data.code, everything["total"]) == (1, len(everything["items"]))
    owed = {(i["rule"], *i["names"]) for i in everything["items"]}
    assert {("R14", "某leader"), ("R14", "某other")} <= owed
    assert ("R14", "某member") not in owed
    assert (none.code, none.err) == (0, "")
    assert "共 0 项" in none.out
    assert (odd.code, odd.out, odd.err.endswith("(not-found)\n")) == (2, "", True)
    assert (wrong.code, wrong.err.endswith("(invalid: as_of)\n")) == (2, True)
    assert (away.code, away.out, away.err.count("\n")) == (2, "", 1)
    assert away.err.startswith("taizhang: http://127.0.0.1:1 does not answer")


async def test_what_changed_between_two_days_is_printed_as_the_weekly_table(school: School) -> None:
    await set_policy(school)
    opening = (school.do("clerk", "/issues", ISSUE) for _ in range(PAGE + 1))
    issues = {str(opened["id"]) for opened in await asyncio.gather(*opening)}
    await reflected(school, "member")
    await school.settle()

    table = await told(school, "diff", f"{ages_ago()}", f"{today()}")
    turned = await told(school, "diff", f"{today()}", f"{ages_ago()}")

    assert (table.code, table.err) == (0, "")
    assert f"新增 {PAGE + 1} 推进 0 办结 0" in table.out
    rows = [line for line in table.out.splitlines() if str(ISSUE["title"]) in line]
    assert {row.split("│")[3].strip() for row in rows} == issues
    assert all("新增" in row for row in rows)
    assert "0/0 → 1/3" in next(line for line in table.out.splitlines() if "R14" in line)
    assert (turned.code, turned.out) == (2, "")
    assert turned.err.endswith("(back-to-front)\n")

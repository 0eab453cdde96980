"""The console over real HTTP: who comes in, what they read, what they do, and what is said when it fails."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from services.gateway.console.look import HEADERS, SHEET_PATH
from services.gateway.console.session import COOKIE
from shared.runtime import now
from tests.live.browser import Form, Person
from tests.live.school import ISSUE, School, set_policy
from tests.live.test_journey import PHOTO, measures, on_notice, struck_off
from tests.live.test_receipts import dropped, in_the_log
from tests.live.test_talks import SAID as OF_THE_TALK
from tests.live.test_talks import held as talk_held

pytestmark = pytest.mark.live

type Arrive = Callable[[], Person]


@pytest_asyncio.fixture
async def arrive(school: School) -> AsyncIterator[Arrive]:
    """Lets another person sit down at a browser of their own."""
    async with AsyncExitStack() as browsers:
        clients: list[httpx.AsyncClient] = []

        def one() -> Person:
            clients.append(httpx.AsyncClient(base_url=school.stack.url, timeout=30))
            browsers.push_async_callback(clients[-1].aclose)
            return Person(school, clients[-1])

        yield one


async def opened(school: School) -> str:
    issue = (await school.do("clerk", "/issues", ISSUE))["id"]
    await school.settle()
    return str(issue)


async def test_nobody_reads_without_signing_in_and_a_token_of_nobody_opens_nothing(
    school: School, arrive: Arrive
) -> None:
    person = arrive()
    for page in ("today", "ledger", "issues/x", "collate", "talks", "rules", "audit"):
        assert "登录凭证" in await person.open(page, 401)
    await person.open("sign-in")
    assert "凭证无效" in await person.send("sign-in", 403, token="nonsense")
    stranger = school.token(f"{school.id}-stranger")
    assert "凭证无效" in await person.send("sign-in", 403, token=stranger)
    await person.open("today", 401)


async def test_pages_are_true_at_a_position_and_let_nothing_in(
    school: School, arrive: Arrive
) -> None:
    issue = await opened(school)
    person = arrive()
    await person.sign_in("member")
    for page in (
        "today",
        "ledger",
        f"issues/{issue}",
        "talks",
        "rules",
        "outstanding?rule=R14",
        "audit",
    ):
        text = await person.open(page)
        assert "数据截至第" in text, page
        assert "数据截至第0号" not in text, page
        assert person.last
        assert {n: person.last.headers[n] for n in HEADERS} == HEADERS
    sheet = await person.http.get(SHEET_PATH)
    assert sheet.headers["content-type"].startswith("text/css")
    drawn = await person.http.get(f"/console/{school.id}/issues/{issue}/picture.svg")
    assert (drawn.status_code, str(ISSUE["title"]) in drawn.text) == (200, True)


async def test_the_session_is_kept_from_scripts_and_other_sites_and_ends(
    school: School, arrive: Arrive
) -> None:
    person = arrive()
    assert "某member" in await person.sign_in("member")
    assert person.last
    cookie = person.last.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", f"Path=/console/{school.id}"} <= {*cookie.split("; ")}
    assert school.tokens["member"] not in cookie
    await person.send("sign-out")
    await person.open("today", 401)


async def test_a_form_of_another_site_or_session_does_nothing(
    school: School, arrive: Arrive
) -> None:
    issue = await opened(school)
    person = arrive()
    await person.sign_in("member")
    await person.open(f"issues/{issue}/claim")
    assert "请再确认一次" in await person.send(f"issues/{issue}/claim", 403, form="guessed")
    person.http.headers["Sec-Fetch-Site"] = "cross-site"
    await person.open(f"issues/{issue}/claim")
    await person.send(f"issues/{issue}/claim", 403)
    assert (await school.get("member", f"/issues/{issue}"))["stage"] == "open"


async def test_an_issue_is_put_right_at_the_console_from_claim_to_strike_off(
    school: School, arrive: Arrive
) -> None:
    await set_policy(school, public_notice="PT0S")
    issue = await opened(school)
    member, other, clerk, supervisor = (arrive() for _ in range(4))
    for person, who in zip(
        (member, other, clerk, supervisor), ("member", "other", "clerk", "supervisor"), strict=True
    ):
        await person.sign_in(who)
    path = f"issues/{issue}"

    async def act(person: Person, doing: str, **said: Any) -> str:
        await person.open(f"{path}/{doing}")
        text = await person.send(f"{path}/{doing}", **said)
        assert "已登记" in text
        return text

    assert "开始整改：尚未制定整改任务书" in await member.open(path)
    assert "某member" in await act(member, "claim")
    plan = measures(school)
    row = {f"{name}__1": value for name, value in plan["measures"][0].items()}
    await act(member, "plan-measures", **row, **{n: plan[n] for n in plan if n != "measures"})
    await act(member, "start-rectification")
    assert "设备已到货" in await act(member, "report-progress", text="设备已到货")
    await act(
        member, "add-evidence",
        name="整改后.jpg", sha256=PHOTO, phase="after", media_type="image/jpeg",
    )  # fmt: skip
    await act(member, "request-strike-off", statement="灯已修好", evidence=PHOTO)
    assert "验收“操场的灯坏了”" in await other.open("today")
    await act(other, "verify", finding="现场查看属实")
    await act(clerk, "publish-notice", text="拟销号公示")
    await act(supervisor, "strike-off")
    assert "已销号" in await member.open(path)
    assert (await school.get("member", f"/issues/{issue}"))["stage"] == "struck_off"


async def test_what_goes_otherwise_is_done_at_the_console_as_well(
    school: School, arrive: Arrive
) -> None:
    issue, same, whole = await opened(school), await opened(school), await opened(school)
    leader, member, clerk, supervisor = (arrive() for _ in range(4))
    for person, who in zip(
        (leader, member, clerk, supervisor), ("leader", "member", "clerk", "supervisor"),
        strict=True,
    ):  # fmt: skip
        await person.sign_in(who)

    async def act(person: Person, which: str, doing: str, status: int = 200, **said: Any) -> str:
        await person.open(f"issues/{which}/{doing}")
        return await person.send(f"issues/{which}/{doing}", status, **said)

    why = "总务归他管<b>"
    text = await act(leader, issue, "assign", 422, reason=why)
    assert "请选择“责任人”" in text
    assert "总务归他管&lt;b&gt;" in text
    for reason in (why, "再请他办"):
        owner = school.people["member"]
        assert "已登记：指派" in await act(leader, issue, "assign", owner=owner, reason=reason)
        if reason == why:
            assert "已登记：退回认领" in await act(member, issue, "decline", reason="不归我管")
    await school.do("member", f"/issues/{issue}/plan-measures", measures(school))
    await school.do("member", f"/issues/{issue}/start-rectification")
    await school.settle()
    later = (now() + timedelta(days=40)).date().isoformat()
    await act(member, issue, "request-extension", until=later, reason="设备未到")
    await school.settle()
    assert "批复延期：“操场的灯坏了”" in await leader.open("today")
    assert f"申请延到{later}" in await leader.open(f"issues/{issue}/grant-extension")
    assert "已登记：同意延期" in await act(leader, issue, "grant-extension")
    assert (await school.get("member", f"/issues/{issue}"))["due"]["on"] == later
    assert "批复延期" not in await leader.open("today")
    gone = await act(
        leader, issue, "convert-to-long-term", reason="要改线路", stage_goal="先修两盏"
    )
    assert "已登记：转为长期推进" in gone
    assert "已登记：并入另一问题" in await act(clerk, same, "merge", into=whole, reason="同一件事")
    told = await act(leader, whole, "explain-not-possible", explanation="场地不归学校")
    assert "已登记：说明无法解决" in told
    assert "指派" not in await member.open(f"issues/{whole}")


async def test_an_objection_to_a_notice_waits_for_a_leader_and_is_answered(
    school: School, arrive: Arrive
) -> None:
    issue = await opened(school)
    await on_notice(school, issue)
    await school.settle()
    teacher, supervisor = arrive(), arrive()
    await teacher.sign_in("teacher")
    await supervisor.sign_in("supervisor")
    path = f"issues/{issue}"
    assert "批准销号：公示期未满" in await supervisor.open(path)
    await teacher.open(f"{path}/raise-objection")
    assert "已登记：提出异议" in await teacher.send(f"{path}/raise-objection", text="只修了一盏")
    await school.settle()
    assert "答复异议：“操场的灯坏了”" in await supervisor.open("today")
    assert "只修了一盏" in await supervisor.open(f"{path}/uphold-objection")
    await supervisor.send(f"{path}/uphold-objection", answer="属实，接着修")
    assert (await school.get("clerk", f"/issues/{issue}"))["stage"] == "underway"
    assert "答复异议" not in await supervisor.open("today")


async def test_who_was_slower_is_told_kindly_what_changed(school: School, arrive: Arrive) -> None:
    issue = await opened(school)
    quick, slow = arrive(), arrive()
    await quick.sign_in("member")
    await slow.sign_in("other")
    await slow.open(f"issues/{issue}/claim")
    await quick.open(f"issues/{issue}/claim")
    await quick.send(f"issues/{issue}/claim")
    text = await slow.send(f"issues/{issue}/claim", 412)
    assert "别人已经办理了" in text
    assert "某member 认领" in text


async def test_the_text_of_a_form_outlives_its_session(school: School, arrive: Arrive) -> None:
    issue = await opened(school)
    for path, body in (("claim", {}), ("plan-measures", measures(school))):
        await school.do("member", f"/issues/{issue}/{path}", body)
    await school.do("member", f"/issues/{issue}/start-rectification")
    await school.settle()
    person, words = arrive(), '写了半天的"进展"<b>&'
    await person.sign_in("member")
    await person.open(f"issues/{issue}/report-progress")
    person.forget()
    assert "还没有提交" in await person.send(f"issues/{issue}/report-progress", 401, text=words)
    text = await person.send("sign-in", 403, token=school.tokens["member"])
    assert "请再确认一次" in text
    assert "写了半天的&#34;进展&#34;&lt;b&gt;&amp;" in text
    assert "已登记" in await person.send(f"issues/{issue}/report-progress", text=words)
    line = await school.get("member", f"/issues/{issue}")
    assert line["progress"]["text"] == words


async def test_a_refusal_names_the_field_and_keeps_the_words(
    school: School, arrive: Arrive
) -> None:
    issue = await opened(school)
    person = arrive()
    await person.sign_in("member")
    await person.open(f"issues/{issue}/report-progress")
    assert "请填写“进展情况”" in await person.send(f"issues/{issue}/report-progress", 422)
    text = await person.send(f"issues/{issue}/report-progress", 409, text="已经在做")
    assert "当前阶段不能进行这一操作" in text
    assert "已经在做" in text
    await person.open("issues/nowhere/claim", 404)
    await person.open(f"issues/{issue}/no-such-act", 404)


async def test_an_opinion_is_left_without_a_name_and_followed_by_its_code(
    school: School, arrive: Arrive
) -> None:
    person = arrive()
    await person.sign_in("teacher")
    await person.open("intake")
    assert "请填写“您的意见”" in await person.send("intake", 422)
    text = await person.send("intake", verbatim_text="<script>热水</script>经常停")
    code = text.partition('class="code">')[2].partition("<")[0]
    await person.open("receipt")
    words = Form(await person.send("receipt", code=code)).words
    assert code not in "".join(words)
    assert "您的意见" in words
    assert "<script>" not in person.text
    assert "没有查到" in await person.send("receipt", 404, code="0000-0000-0000-0000")
    async with asyncio.timeout(60):
        while not (spoken := (await school.get("clerk", "/opinions"))["items"]):
            await asyncio.sleep(0.05)  # the box empties by the wall clock
    told = json.dumps(spoken, ensure_ascii=False)
    assert "热水" in told
    assert school.people["teacher"] not in told


async def test_who_holds_a_receipt_writes_judges_objects_and_takes_it_back(
    school: School, arrive: Arrive, caplog: pytest.LogCaptureFixture
) -> None:
    await set_policy(school, public_notice="PT0S")
    given = await dropped(school, str(uuid4()))
    await in_the_log(school, given["id"])
    issue = await school.collated(given["id"])
    person, code, words = arrive(), given["receipt"], '周末也停"<b>'

    async def act(name: str, status: int = 200, **said: str) -> str:
        fields = {"key": str(uuid4()), "issue": issue, "code": code, **said}
        text = await person.send(f"receipt/{name}", status, **fields)
        assert person.last
        assert code not in str(person.last.url)
        return text

    await person.open("receipt")
    assert "问题销号以后" in await person.send("receipt", code=code)
    assert "请填写“留言”" in await act("send-message", 422)
    assert "周末也停" in await act("send-message", text="周末也停")
    await struck_off(school, issue)
    await school.settle()
    await person.open("receipt")
    assert "请您评价" in await person.send("receipt", code=code)
    assert "请选择“您满意吗”" in await act("record-verdict", 422, solved="unsolved", comment=words)
    verdict: dict[str, Any] = {
        "solved": "unsolved", "satisfied": "dissatisfied", "comment": words,
    }  # fmt: skip
    kept = "周末也停&#34;&lt;b&gt;"
    assert kept in person.text
    assert kept in await act("record-verdict", 403, form="guessed", **verdict)
    assert kept in await act("record-verdict", 404, code="0000-0000-0000-0000", **verdict)
    person.forget()
    assert kept in await act("record-verdict", 403, **verdict)
    assert (await school.get("clerk", f"/issues/{issue}"))["verdicts"] == []
    assert "已收到您的评价" in await act("record-verdict", **verdict)
    again = await act("record-verdict", 409, **{**verdict, "solved": "solved"})
    assert "每位反映人只能评判一次" in again
    assert "异议已提交" in await act("raise-objection", text="灯还是坏的")
    assert "有异议尚未答复" in await act("raise-objection", 409, text="另一处也坏")
    assert "意见已撤回" in await act("withdraw", reason="")
    await school.settle()
    line = await school.get("clerk", f"/issues/{issue}")
    assert [(v["solved"], v["comment"]) for v in line["verdicts"]] == [("unsolved", words)]
    assert line["objection"] == "灯还是坏的"
    assert "没有查到" in await person.send("receipt", 404, code="0000-0000-0000-0000")
    await act("no-such-act", 404)
    assert code not in caplog.text


async def test_opinions_are_collated_at_the_desk_until_the_balance_comes_out(
    school: School, arrive: Arrive
) -> None:
    texts = ("食堂的菜到我们手里都凉了", "食堂的菜到我们手里全凉了，排队太久", "今天天气不错")
    for text in texts:
        said = {"verbatim_text": text, "channel": "symposium"}
        await school.do("teacher", "/opinions", said)
    clerk, teacher = arrive(), arrive()
    await clerk.sign_in("clerk")
    await teacher.sign_in("teacher")
    await teacher.open("collate", 403)
    assert texts[2] in await clerk.open("collate")
    assert "还没有办成" in await clerk.send("collate", 403, form="guessed")
    text = await clerk.send("collate")
    assert "<b>3</b> 条收到" in text
    assert "第1组，共1组" in text
    assert "还有3条未处理，暂不能结束本批" in text
    assert clerk.last
    batch = clerk.last.url.path.partition("/collate/")[2]
    path, at = f"collate/{batch}", f"/collations/{batch}/opinions"
    alike = [
        o["id"] for o in (await school.get("clerk", at))["items"] if o["verbatim_text"] != texts[2]
    ]
    [idle] = [o["id"] for o in (await school.get("clerk", at))["items"] if o["id"] not in alike]

    form = f"{path}/group-opinions"
    both = "&".join(f"parts={o}" for o in alike)
    assert texts[0] in await clerk.open(f"{form}?{both}")
    title = '打饭排队"太久"<b>'
    told: dict[str, Any] = {"parts": alike, "offered": alike, "title": title}
    told |= {"winds": "formalism", "discovery": "raised_by_public", "addressee": "team"}
    kept = "打饭排队&#34;太久&#34;&lt;b&gt;"
    assert "请选择“由哪些意见归成”" in await clerk.send(form, 422, **{**told, "parts": []})
    assert kept in await clerk.send(form, 409, **{**told, "winds": []})
    assert "须选择四风类别" in clerk.text
    assert kept in await clerk.send(form, 403, **told, form="guessed")
    clerk.forget()
    await clerk.send(form, 401, **told)
    assert kept in await clerk.send("sign-in", 403, token=school.tokens["clerk"])
    assert "已登记：提出问题" in await clerk.send(form, **told)
    assert "<b>1</b> 条未处理" in clerk.text
    await clerk.open(f"{path}/close")
    assert "不能结束本批" in await clerk.send(f"{path}/close", 409)
    assert texts[2] in await clerk.open(f"{path}/refuse?opinion={idle}")
    assert "已登记：不受理" in await clerk.send(
        f"{path}/refuse", code="no_request", reason="没有提出要求"
    )
    assert "收支相符" in await clerk.open(path)
    await clerk.open(f"{path}/close")
    assert "已登记：结束本批" in await clerk.send(f"{path}/close")
    await school.settle()
    assert kept in await clerk.open(path)
    assert title in {i["title"] for i in (await school.get("clerk", "/issues"))["items"]}
    await clerk.open(f"{path}/no-such-act", 404)
    await clerk.open("collate/nowhere", 404)


async def test_a_proposed_issue_is_dropped_again(school: School, arrive: Arrive) -> None:
    said = {"verbatim_text": "路灯坏了", "channel": "symposium"}
    opinion = (await school.do("teacher", "/opinions", said))["id"]
    batch = (await school.do("clerk", "/collations", {"opinions": [opinion]}))["id"]
    clerk = arrive()
    await clerk.sign_in("clerk")
    form = f"collate/{batch}/group-opinions"
    await clerk.open(f"{form}?parts={opinion}")
    await clerk.send(
        form, parts=opinion, title="路灯不亮", winds="none", discovery="self_found",
        addressee="team",
    )  # fmt: skip
    [group] = (await school.get("clerk", f"/collations/{batch}/groups"))["items"]
    await clerk.open(f"collate/{batch}/ungroup-opinions?group={group['key']}")
    assert "已登记：取消归并" in await clerk.send(f"collate/{batch}/ungroup-opinions")
    assert "还没有拟提问题" in clerk.text


async def test_the_matrix_tells_who_has_talked_and_nothing_of_what_was_said(
    school: School, arrive: Arrive
) -> None:
    teacher = arrive()
    await teacher.sign_in("teacher")
    assert "0 <small>/ 2对</small>" in await teacher.open("talks")
    talk = (await school.do("leader", "/talks/record", talk_held(school)))["id"]
    await school.settle()
    text = await teacher.open("talks")
    assert "1 <small>/ 2对</small>" in text
    assert ">待确认<" in text
    assert OF_THE_TALK not in text
    for who in ("leader", "member"):
        await school.do(who, f"/talks/{talk}/confirm")
    await school.settle()
    assert ">待确认<" not in await teacher.open("talks")
    missing = teacher.text.partition("还缺：")[2].partition("</p>")[0]
    assert {*missing.split("与")} == {"某leader", "某other"}


async def test_what_is_asked_amiss_gets_a_page_and_leads_nowhere_else(
    school: School, arrive: Arrive
) -> None:
    person = arrive()
    await school.settle()
    await person.open("today", 401)
    await person.send("sign-in", 200, token=school.tokens["member"], to="//elsewhere.example/x")
    assert person.last
    assert person.last.url.path == f"/console/{school.id}/today"
    for page in ("ledger?after=x", "ledger?stage=%3Cb%3E", "outstanding", "outstanding?after=-1"):
        assert "没有办成" in await person.open(page, 422), page
    assert "没有办成" in await person.open("issues/%2e%2e%3b", 422)
    await person.open("ledger?owner=&wind=&overdue=")
    for kind in ("application/json", "multipart/form-data; boundary=x", "text/plain"):
        sent = await person.http.post(
            f"/console/{school.id}/intake", content=b"{}", headers={"Content-Type": kind}
        )
        assert sent.status_code == 400, kind
    many = {f"f{n}": "x" for n in range(501)}
    assert (await person.http.post(f"/console/{school.id}/intake", data=many)).status_code == 400
    large = await person.http.post(f"/console/{school.id}/intake", data={"x": "y" * 2**20})
    assert large.status_code == 413


async def test_a_session_is_of_one_school_and_cannot_be_forged(
    school: School, arrive: Arrive
) -> None:
    person = arrive()
    await person.sign_in("member")
    mine = person.http.cookies[COOKIE]
    for school_id, cookie in (("no-such-school", mine), (school.id, mine[:-2] + "AA")):
        sent = {"Cookie": f"{COOKIE}={cookie}"}
        async with httpx.AsyncClient(base_url=school.stack.url) as other:
            answer = await other.get(f"/console/{school_id}/today", headers=sent)
        assert answer.status_code in {401, 404}
        assert "某member" not in answer.text

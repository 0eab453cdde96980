"""People at a browser: an opinion becomes an issue, is put right, struck off, and the proof is read."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from shared.runtime import now
from tests.live.school import School, set_policy
from tests.live.test_journey import PHOTO, measures
from tests.live.test_receipts import in_the_log

pytestmark = pytest.mark.browser

COMPLAINTS: list[str] = []
"""What browsers had to say about our pages, such as what the content security policy kept out."""
SAID = "早饭排队要二十多分钟，高三的孩子端着碗跑去早读，天天如此。"
ALIKE = "食堂早饭排队要二十多分钟，孩子端着碗跑去早读。"


async def looked_at(page: Page, shots: Path, name: str) -> None:
    """Keep pictures of a page on a telephone and a large screen; it never scrolls sideways."""
    for width in (360, 1440, 1920):
        await page.set_viewport_size({"width": width, "height": 900})
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{name} at {width} px is {wide} px wide"
        await page.screenshot(path=shots / f"{name}-{width}.png", full_page=True)


async def arrive(chromium: Browser, school: School, who: str = "") -> Page:
    """Somebody opens a browser of their own, without scripts, and signs in."""
    context = await chromium.new_context(
        base_url=f"{school.stack.url}/console/{school.id}/",
        java_script_enabled=True,
        locale="zh-CN",
    )
    page = await context.new_page()
    page.on("console", lambda said: COMPLAINTS.append(said.text))
    if who:
        await school.settle()
        await page.goto("sign-in")
        await page.get_by_label("登录凭证").fill(school.tokens[who])
        await page.get_by_role("button", name="登录").click()
        await page.get_by_role("heading", name="今日待办").wait_for()
    return page


async def act(page: Page, issue: str, name: str, **said: str) -> None:
    """Open the issue, choose an act, fill in its form, confirm."""
    await page.goto(f"issues/{issue}")
    await page.get_by_role("link", name=name, exact=True).click()
    for label, words in said.items():
        await page.get_by_label(label).fill(words)
    await page.get_by_role("button", name="确认").click()
    await page.get_by_role("heading", name=f"已登记：{name}").wait_for()


async def collated(page: Page, shots: Path) -> str:
    """What was said twice becomes one issue at the collation desk; gives its id."""
    await page.goto("collate")
    await looked_at(page, shots, "collate-list")
    await page.get_by_role("button", name="开始汇总梳理").click()
    await page.get_by_role("heading", name="可能说的是同一件事").wait_for()
    await looked_at(page, shots, "collate")
    await page.get_by_role("link", name="归为同一问题").click()
    await page.get_by_label("问题", exact=True).fill("早餐窗口排队太久")
    await page.get_by_role("button", name="确认").click()
    await page.get_by_role("heading", name="还没有办成").wait_for()
    await looked_at(page, shots, "collate-group")
    await page.get_by_label("官僚主义").check()
    await page.get_by_role("button", name="确认").click()
    await page.get_by_role("heading", name="已登记：提出问题").wait_for()
    await page.get_by_role("link", name="结束本批").click()
    await page.get_by_role("button", name="确认").click()
    await page.get_by_role("heading", name="已登记：结束本批").wait_for()
    opened = page.get_by_role("link", name="早餐窗口排队太久")
    async with asyncio.timeout(60):
        while not await opened.count():
            await page.reload()  # issues are opened from a batch once it is closed
    await looked_at(page, shots, "collate-closed")
    return str(await opened.get_attribute("href")).rpartition("/")[2]


async def test_an_opinion_is_put_right_before_everybodys_eyes(
    chromium: Browser, school: School, shots: Path
) -> None:
    await set_policy(school, public_notice="PT0S")

    public = await arrive(chromium, school)
    await public.goto("intake")
    await looked_at(public, shots, "intake")
    await public.get_by_label("您的意见").fill(SAID)
    await public.get_by_role("button", name="提交并取得回执码").click()
    code = await public.locator(".code").inner_text()
    await looked_at(public, shots, "intake-done")
    opinion = (await school.ask(None, "POST", "/receipts", {"code": code})).json()["id"]
    await in_the_log(school, opinion)
    again = await school.do("teacher", "/opinions", {"verbatim_text": ALIKE, "channel": "wechat"})
    await in_the_log(school, again["id"])
    issue = await collated(await arrive(chromium, school, "clerk"), shots)

    member = await arrive(chromium, school, "member")
    await looked_at(member, shots, "today-claim")
    await act(member, issue, "认领")
    plan = measures(school)
    await member.get_by_role("link", name="制定措施").click()
    await looked_at(member, shots, "plan")
    await member.get_by_label("立行立改").check()
    await member.get_by_label("复核人").select_option(plan["reviewer"])
    await member.get_by_label("责任领导").select_option(plan["accountable_leader"])
    await member.get_by_label("全部完成的时限").fill(plan["due_on"])
    await member.get_by_label("做什么").fill("增开两个早餐窗口")
    await member.get_by_label("谁来做").select_option(school.people["member"])
    await member.get_by_label("从哪天").fill(now().date().isoformat())
    await member.get_by_label("到哪天").fill(plan["due_on"])
    await member.get_by_label("拿什么证明").fill("窗口启用照片")
    await member.get_by_role("button", name="确认").click()
    await member.get_by_role("heading", name="已登记：制定措施").wait_for()
    await act(member, issue, "开始整改")
    await act(member, issue, "反馈进展", 进展情况="三、四号窗口已启用，高峰等候九分钟")
    await member.get_by_role("link", name="登记佐证").click()
    await member.get_by_label("材料名称").fill("窗口启用照片.jpg")
    await member.get_by_label("文件指纹").fill(PHOTO)
    await member.get_by_label("整改后").check()
    await member.get_by_label("材料种类").select_option("照片")
    await member.get_by_role("button", name="确认").click()
    await member.get_by_role("link", name="申请销号").click()
    await member.get_by_label("完成情况说明").fill("增开两个窗口，等候降到九分钟")
    await member.get_by_role("button", name="确认").click()
    await member.get_by_role("heading", name="还没有办成").wait_for()
    await looked_at(member, shots, "refused")
    await member.get_by_label("窗口启用照片.jpg").check()
    await member.get_by_role("button", name="确认").click()
    await member.get_by_role("heading", name="已登记：申请销号").wait_for()

    reviewer = await arrive(chromium, school, "other")
    await looked_at(reviewer, shots, "today-verify")
    await act(reviewer, issue, "验收：已解决", 验收意见="现场查看，等候九分钟，属实")
    await looked_at(reviewer, shots, "issue")
    clerk = await arrive(chromium, school, "clerk")
    await act(clerk, issue, "公示", 公示内容="早餐窗口问题拟销号，现予公示")
    supervisor = await arrive(chromium, school, "supervisor")
    await supervisor.get_by_role("link", name="批准销号").first.wait_for()
    await looked_at(supervisor, shots, "today-strike")
    await supervisor.goto(f"issues/{issue}")
    await looked_at(supervisor, shots, "issue-on-notice")
    await act(supervisor, issue, "批准销号")
    for page in ("ledger", "talks", "rules", "outstanding?rule=R14"):
        await supervisor.goto(page)
        await looked_at(supervisor, shots, page.partition("?")[0])
    await supervisor.goto(f"issues/{issue}")
    await supervisor.pdf(path=shots / "issue.pdf", prefer_css_page_size=True)

    await public.goto("receipt")
    await public.get_by_label("16位回执码").fill(code)
    await public.get_by_role("button", name="查询").click()
    await public.get_by_text("已销号", exact=True).wait_for()
    assert SAID in await public.locator("main").inner_text()
    await public.get_by_label("已解决").check()
    await public.get_by_label("还想说的").fill("三楼窗口还是挤，别的都好了")
    await public.get_by_role("button", name="提交评价").click()
    await public.get_by_role("heading", name="评价还没有提交").wait_for()
    await looked_at(public, shots, "receipt")
    await public.get_by_label("满意", exact=True).check()
    await public.get_by_role("button", name="提交评价").click()
    await public.get_by_role("heading", name="已收到您的评价").wait_for()
    await looked_at(public, shots, "receipt-judged")

    auditor = await arrive(chromium, school, "supervisor")
    await auditor.goto(f"issues/{issue}")
    await auditor.get_by_text("三楼窗口还是挤").wait_for()
    await auditor.goto("audit")
    await auditor.get_by_role("heading", name="审计与存证").wait_for()
    await looked_at(auditor, shots, "audit")
    assert [
        said for said in COMPLAINTS if "status of 4" not in said
    ] == []  # a refusal is an answer

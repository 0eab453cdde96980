"""An issue's life as a picture: legible, honest, bounded, and a text is never anything but a text."""

import asyncio
from functools import cache
from itertools import combinations
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from services.feedback import events as feedback
from services.gateway.forms import form_of, whole
from services.gateway.lettering import clean, width, wrapped
from services.gateway.life import FIRST, LAST, SHOWN, STEPS
from services.gateway.picture import picture
from services.rectification import queries as q
from services.rectification.events import (
    IssueEvent,
    IssueReopened,
    IssueReturned,
    ProgressReported,
    RegulationDrafted,
    ReopenCause,
    ReturnReason,
    Satisfied,
    Solved,
    VerdictRecorded,
)
from shared.decider import PersonId
from shared.marks import TOKEN_PREFIX
from shared.privacy import ERASED, SEALED
from tests.rectification.cast import (
    AWAITING,
    COLLATOR,
    LEADER,
    MEMBER,
    ORIGINATOR,
    OWNER,
    REVIEWER,
    STAGES,
    STRANGER,
    STRUCK_OFF,
    TODAY,
    due,
    opened,
    planned,
    started,
    strike_off_requested,
    watch,
)
from tests.rectification.memory import after, caller, lived

SVG = "{http://www.w3.org/2000/svg}"
NAMES = {
    COLLATOR: "叶亭", OWNER: "韩朴", REVIEWER: "苏砚秋", LEADER: "顾清禾", ORIGINATOR: "章远",
}  # fmt: skip
SAID = "热水九点以后就没了"

spoken = feedback.OpinionSubmitted(
    verbatim_text=SAID, salt="~", verbatim_sha256="8a" * 32, length=9,
    channel=feedback.Channel.suggestion_box, submitted_by=ORIGINATOR,
)  # fmt: skip
returned = IssueReturned(
    verifier=REVIEWER, code=ReturnReason.not_solved, reason="四楼仍无热水", times=2,
    watch=watch(due("time_limited_within")),
)  # fmt: skip
unsolved = VerdictRecorded(
    originator=ORIGINATOR,
    solved=Solved.unsolved,
    satisfied=Satisfied.dissatisfied,
    comment="又停了",
)
solved = VerdictRecorded(
    originator=ORIGINATOR, solved=Solved.solved, satisfied=Satisfied.satisfied, comment="好了"
)
reopened = IssueReopened(
    cause=ReopenCause.verdict_unsolved, reason="意见人反映又停热水", owner=OWNER, times=1,
    watch=watch(due("time_limited_within")),
)  # fmt: skip
again = (planned, started, strike_off_requested, *STRUCK_OFF[-3:])
WHOLE = (
    *AWAITING, returned, strike_off_requested, *STRUCK_OFF[-3:], unsolved, reopened, *again, solved,
)  # fmt: skip
rule = RegulationDrafted(title="热水供应办法", text="~", answers=("issue-1",), drafted_by=MEMBER)


async def life(*past: Any, person: PersonId = COLLATOR) -> dict[str, Any]:
    """The biography of an issue after these events, as a reader is given it."""
    before = [("opinion-1", spoken, ORIGINATOR), ("opinion-2", spoken, ORIGINATOR)]
    desk = await after(*before, *lived("issue-1", *past), ("rule-1", rule))
    told = await q.biography(q.IssueBiography(id="issue-1", limit=200), desk, caller(person))
    return {**told, "names": {p: NAMES.get(p, p) for p in told["names"]}}


@cache
def whole_life() -> dict[str, Any]:
    return asyncio.run(life(*WHOLE))


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 -- what we just drew


def lines(svg: str) -> list[str]:
    """Every line of writing, from the top down as drawn."""
    return ["".join(text.itertext()) for text in parsed(svg).iter(f"{SVG}text")]


def frames(svg: str) -> list[ET.Element]:
    """The frames writing stands in."""
    return [frame for frame in parsed(svg).iter(f"{SVG}svg") if "x" in frame.attrib]


def assert_legible(svg: str) -> None:
    """No frame lies over another, and what is written in one fits it."""
    sizes = {"h1": 22, "h": 18, "t": 16, "q": 16, "s": 15, "k": 15}
    places = []
    for frame in frames(svg):
        x, y, wide, high = (float(frame.attrib[name]) for name in ("x", "y", "width", "height"))
        places.append((x, y, x + wide, y + high))
        for text in frame:
            size = sizes[text.attrib["class"].split()[0]]
            written = width("".join(text.itertext())) * size
            start = float(text.attrib["x"]) - (written if "end" in text.attrib["class"] else 0)
            assert -1 <= start <= start + written <= wide + 8, text.text  # 8: a hanging mark
            assert float(text.attrib["y"]) < high
    for (left, top, right, bottom), (left_, top_, right_, bottom_) in combinations(places, 2):
        assert right <= left_ or right_ <= left or bottom <= top_ or bottom_ <= top
    _, _, wide, high = map(float, parsed(svg).attrib["viewBox"].split())
    assert max(right for _, _, right, _ in places) <= wide
    assert max(bottom for _, _, _, bottom in places) <= high


async def test_who_said_it_who_put_it_right_and_who_judged_it_stand_at_the_top() -> None:
    said, mended, judged = (
        list(frame.itertext()) for frame in frames(picture(await life(*WHOLE)))[:3]
    )
    assert said == ["谁说的", "2 条意见", "意见箱"]
    assert mended == ["谁改的", "责任人 韩朴", "责任领导 顾清禾"]
    assert judged[:3] == ["谁评的", "验收 苏砚秋", "销号 叶亭"]
    assert judged[3:] == ["退回 1 次", "重新整改 1 次", "群众：已解决 1 人"]


async def test_every_step_is_told_in_its_order_and_a_way_back_as_often_as_it_was_gone() -> None:
    svg = picture(await life(*WHOLE))
    told = [line for line in lines(svg) if line in {*STEPS.values()} - {"群众评判"}]
    once = ["立项", "认领", "制定措施", "开始整改"]
    mended = ["验收通过", "公示", "销号"]
    assert told == [
        *once, "申请销号", "验收退回", "申请销号", *mended,
        "重新整改", *once[2:], "申请销号", *mended,
    ]  # fmt: skip
    assert svg.count('class="back"') == 2
    assert "上传佐证 2 次" in lines(svg)
    assert_legible(svg)


async def test_each_round_of_verdicts_stands_where_it_was_given_and_the_regulation_beside() -> None:
    written = lines(picture(await life(*WHOLE)))
    assert written.count("群众评判") == 2
    first, second, written_down = (
        written.index(line) for line in ("未解决，不满意", "已解决，满意", "热水供应办法")
    )
    assert first < second < written_down
    assert ("“又停了”" in written, "“好了”" in written) == (True, True)


@pytest.mark.parametrize("stage", sorted(set(STAGES) - {"unopened"}))
async def test_an_issue_is_drawn_at_every_stage_and_says_how_it_stands(stage: str) -> None:
    told = await life(*STAGES[stage])
    svg = picture(told)
    assert_legible(svg)
    ended = told["stage"] in {"struck_off", "not_possible", "merged", "voided"}
    assert ("现在：" in "".join(lines(svg))) is not ended
    timed = told["stage"] in {"open", "owned", "planned", "underway", "long_term"}
    assert ("期限" in "".join(lines(svg)[7:])) is timed


async def test_the_same_is_told_to_who_cannot_see_it() -> None:
    svg = picture(await life(*WHOLE))
    root = parsed(svg)
    assert (root.attrib["role"], root.attrib["lang"]) == ("img", "zh-CN")
    named = [root.find(f"{SVG}{part}") for part in ("title", "desc")]
    ids = [part.attrib["id"] for part in named if part is not None]
    assert root.attrib["aria-labelledby"].split() == ids
    story = root.findtext(f"{SVG}desc") or ""
    for told in (
        SAID,
        "韩朴",
        "验收退回，叶亭，第 2 次 · 问题未解决：四楼仍无热水",
        "“又停了”",
        "热水供应办法",
    ):
        assert told in story


async def test_it_shows_nobody_more_than_the_biography_does() -> None:
    token = f"{TOKEN_PREFIX}issue.issue-1~comment~box"
    judged = unsolved.model_copy(update={"comment": token})
    assert "~comment~box" in picture(await life(*STRUCK_OFF, judged))
    svg = picture(await life(*STRUCK_OFF, judged, person=STRANGER))
    assert (SAID in svg, "章远" in svg, "~comment~" in svg) == (False, False, False)
    assert "〔已封存〕" in lines(svg)
    outside = picture(await life(*WHOLE, person=PersonId("originator:opinion-1")))
    assert SAID in outside
    assert [name for name in NAMES.values() if name in outside] == []


async def test_what_was_erased_is_a_mask_and_so_is_what_is_sealed() -> None:
    told = await life(*WHOLE)
    told["title"], told["names"][OWNER] = SEALED, ERASED
    svg = picture(told)
    assert parsed(svg).findtext(f"{SVG}title") == "〔已封存〕：来龙去脉"
    assert "责任人 〔已抹除〕" in lines(svg)
    assert "〔已抹除〕为已依规抹除的文字" in lines(svg)[-1]


HOSTILE = (
    "</text><script>alert(1)</script>]]>&amp;&#0;\x00\x0b\u202e\u2067\u200b\ufeff\ud800\ufffe"
    + "ا" * 40
)


async def test_a_text_is_a_text_whatever_stands_in_it() -> None:
    event = VerdictRecorded.model_construct(
        originator=ORIGINATOR, solved=Solved.solved, satisfied=Satisfied.satisfied, comment="~"
    )
    told = await life(*STRUCK_OFF, event)
    told["title"] = HOSTILE
    told["names"] = dict.fromkeys(told["names"], HOSTILE)
    for item in told["items"]:
        for name in ("comment", "finding", "statement", "verbatim_text"):
            if name in item["event"]:
                item["event"][name] = HOSTILE
    told["regulations"][0]["title"] = HOSTILE
    svg = picture(told)
    assert svg.encode()
    drawn = {element.tag.removeprefix(SVG) for element in parsed(svg).iter()}
    assert drawn == {"svg", "title", "desc", "style", "rect", "text", "path", "circle"}
    attributes = {name for element in parsed(svg).iter() for name in element.attrib}
    assert {n for n in attributes if n.startswith("on") or "href" in n or n == "style"} == set()
    assert "<script>alert(1)</script>]]>&amp;" in "".join(parsed(svg).itertext())
    assert not {*"\x00\x0b\u202e\u2067\u200b\ufeff\ud800\ufffe"} & {*svg}
    assert_legible(svg)


def everywhere(told: Any, text: str) -> Any:
    """A biography in which this stands in place of everything people wrote."""
    written = {
        "title", "comment", "finding", "statement", "verbatim_text", "reason", "task", "text",
    }  # fmt: skip
    if isinstance(told, dict):
        return {k: text if k in written else everywhere(v, text) for k, v in told.items()}
    return [everywhere(part, text) for part in told] if isinstance(told, list) else told


@settings(max_examples=30, deadline=None)
@given(st.text())
def test_whatever_is_written_it_stays_legible(text: str) -> None:
    svg = picture(everywhere(whole_life(), text))
    assert svg.encode()
    assert_legible(svg)


@given(st.text(), st.floats(2, 40), st.integers(1, 4))
def test_no_line_is_wider_than_its_place_or_without_an_ellipsis_where_it_is_cut(
    text: str, room: float, most: int
) -> None:
    said = clean(text)
    written = wrapped(said, room, most)
    assert len(written) <= most
    assert all(width(line.strip("\u2068\u2069")) <= room + 1 for line in written)
    bare = "".join(written).translate({0x2068: None, 0x2069: None})
    if bare.replace(" ", "") != said.replace(" ", ""):
        assert bare.rstrip("”").endswith("…")
    ET.fromstring(f"<text>{bare.replace('&', '').replace('<', '')}</text>")  # noqa: S314 -- ours


def test_a_word_or_a_date_is_not_broken_where_it_could_be_carried_over() -> None:
    assert wrapped("限期整改 1 项措施，2023-05-26 前完成", 14, 2) == [
        "限期整改 1 项措施，",
        "2023-05-26 前完成",
    ]
    assert wrapped("按校历（一）计", 4, 2) == ["按校历", "（一）计"]
    assert wrapped("按校历算。再计", 4, 2) == ["按校历算。", "再计"]


async def test_the_same_biography_gives_the_same_bytes() -> None:
    assert picture(await life(*WHOLE)) == picture(await life(*WHOLE))


def test_an_empty_biography_is_a_picture_too() -> None:
    svg = picture({"id": "issue-1", "items": []})
    assert lines(svg).count("尚无记录") == 2
    assert_legible(svg)


async def test_a_huge_life_is_counted_where_it_is_not_drawn() -> None:
    round_ = (strike_off_requested, returned, ProgressReported(text="~"))
    told = await life(*AWAITING, *round_ * 60)
    opinions = [item for item in told["items"] if item["stream"].startswith("opinion.")]
    more = [{**opinions[0], "stream": f"opinion.{n}"} for n in range(200)]
    told["items"] = [*more, *told["items"]]
    told["opinions"] = [f"opinion-{n}" for n in range(202)]
    told["lines"] = [{"task": "长" * 20_000, "owner": OWNER, "due_on": f"{TODAY}"}] * 300
    svg = picture(told)
    written = lines(svg)
    assert f"另有 {202 - SHOWN} 条意见" in written
    assert f"另有 {300 - SHOWN} 项任务" in written
    assert "其间另有" in "".join(written)
    assert svg.count('<circle class="turn"') + svg.count('class="back"') <= FIRST + LAST
    assert len(svg.encode()) < 40_000
    assert float(parsed(svg).attrib["viewBox"].split()[-1]) < 3_500
    assert_legible(svg)


async def test_days_are_the_schools_own() -> None:
    told = await life(opened)
    told["items"] = [{**item, "at": "2023-05-08T17:30:00+00:00"} for item in told["items"]]
    assert "2023-05-09" in lines(picture(told))
    assert "2023-05-08" in lines(picture({**told, "zone": "Europe/Berlin"}))


async def test_a_picture_is_made_of_all_pages_or_is_refused_with_any_of_them() -> None:
    desk = await after(*lived("issue-1", *WHOLE))

    async def page(behind: int) -> dict[str, Any]:
        query = q.IssueBiography(id="issue-1", after=behind, limit=3)
        found = await q.biography(query, desk, caller(COLLATOR))
        return {"position": behind, "found": found}

    async def broken(behind: int) -> dict[str, Any]:
        return {"error": {"code": "not-there-yet"}} if behind else await page(behind)

    query = q.IssueBiography(id="issue-1", limit=200)
    told = await whole(page)
    assert told["found"] == await q.biography(query, desk, caller(COLLATOR))
    assert await whole(broken) == {"error": {"code": "not-there-yet"}}


@pytest.mark.parametrize(
    ("asked", "accept", "drawn"),
    [
        ("format=svg", "application/json", True),
        ("format=json", "image/svg+xml", False),
        ("", "image/svg+xml", True),
        ("", "text/html, Image/SVG+XML;q=0.9", True),
        ("", "image/svg+xml, application/json;q=0.9", False),
        ("", "*/*", False),
        ("", "", False),
    ],
)
def test_it_is_had_by_its_format_or_by_what_is_accepted(
    asked: str, accept: str, *, drawn: bool
) -> None:
    headers = [(b"accept", accept.encode())]
    scope = {"type": "http", "query_string": asked.encode(), "headers": headers}
    assert (form_of(Request(scope), ("svg",)) == "svg") is drawn


def test_every_event_of_an_issue_has_a_word() -> None:
    types = {event.TYPE.split(".")[2] for event in IssueEvent.__value__.__args__}
    assert set(STEPS) == types

"""What cannot be right: each a clear problem in both languages, nothing stored, no error logged."""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from services.stack import Stack
from shared.runtime import now
from tests.live.school import School, enrolled

pytestmark = pytest.mark.live


@pytest_asyncio.fixture(scope="module")
async def school(stack: Stack) -> AsyncIterator[School]:
    """One school for all of it: nothing may be stored anyway."""
    async with enrolled(stack) as mine:
        yield mine


GOOD: dict[str, Any] = {"verbatim_text": "食堂的菜是凉的", "channel": "wechat"}


async def stored(school: School) -> int:
    """How many events there are."""
    return await school.stack.runtimes["feedback"].broker.last_position()


async def assert_refused(
    school: School, status: int, code: str, body: object, path: str = "/opinions", **headers: str
) -> Any:
    await school.settle()
    before = await stored(school)
    answer = await school.ask("teacher", "POST", path, body, **headers)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["title"].isascii()
    assert not problem["title_zh"].isascii()
    assert await stored(school) == before
    return problem


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("nonsense", 1),
        ("verbatim_text", 7),
        ("verbatim_text", None),
        ("verbatim_text", ""),
        ("verbatim_text", " \u3000\n"),
        ("verbatim_text", "字" * 20_001),
        ("verbatim_text", "空\x00字符"),
        ("verbatim_text", "控制\x07字符"),
        ("channel", "telepathy"),
        ("solicitation", "a.b"),
        ("solicitation", "*"),
        ("solicitation", "a b"),
        ("solicitation", "../etc"),
        ("occurred_at", "2026-01-01T08:00:00"),
        ("occurred_at", "yesterday"),
        ("verbatim_sha256", "0" * 64),
        ("by", "somebody-else"),
        ("attachments", "none"),
    ],
    ids=str,
)
async def test_a_field_that_does_not_fit(school: School, field: str, value: object) -> None:
    problem = await assert_refused(school, 422, "invalid", {**GOOD, field: value})

    assert problem["fields"][0]["field"] == field
    assert all(set(f) == {"field", "problem", "message"} for f in problem["fields"])


async def test_a_lone_surrogate_is_no_text(school: School) -> None:
    raw = b'{"verbatim_text": "\\ud800", "channel": "wechat"}'

    answer = await school.client.post(
        f"/v1/{school.id}/opinions",
        content=raw,
        headers={"Authorization": f"Bearer {school.tokens['teacher']}"},
    )

    assert answer.status_code == 400
    assert answer.json()["code"] == "malformed"


@pytest.mark.parametrize("raw", [b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b"1", b"{}x"])
async def test_a_body_that_is_no_object(school: School, raw: bytes) -> None:
    answer = await school.client.post(
        f"/v1/{school.id}/opinions",
        content=raw,
        headers={"Authorization": f"Bearer {school.tokens['teacher']}"},
    )

    assert answer.status_code in {400, 422}
    assert answer.json()["code"] in {"malformed", "invalid"}


async def test_something_that_has_not_happened_yet(school: School) -> None:
    tomorrow = now().replace(year=now().year + 1).isoformat()

    await assert_refused(school, 422, "occurred-in-the-future", {**GOOD, "occurred_at": tomorrow})


async def test_a_body_of_more_than_a_megabyte(school: School) -> None:
    await assert_refused(school, 413, "too-large", {"verbatim_text": "x" * 1_100_000})


@pytest.mark.parametrize("id", ["a.b", "a*", "A", "a%20b", "%2e%2e%2fx", "x" * 37, "é"])
async def test_an_id_that_is_none(school: School, id: str) -> None:  # noqa: A002 -- what it is
    answer = await school.ask("teacher", "POST", f"/issues/{id}/claim", {})

    assert answer.status_code in {404, 422}
    assert answer.json()["code"] in {"invalid", "not-found"}


async def test_an_id_of_nothing(school: School) -> None:
    await assert_refused(school, 404, "not-found", {}, f"/issues/{uuid4()}/claim")


async def test_a_school_that_is_not_enrolled(school: School) -> None:
    answer = await school.client.post(
        "/v1/nowhere/opinions",
        json=GOOD,
        headers={"Authorization": f"Bearer {school.tokens['teacher']}"},
    )

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-school")


async def test_of_a_school_that_is_not_enrolled_nothing_is_stored_not_even_a_key(
    school: School,
) -> None:
    keys = school.stack.runtimes["rectification"].mongo.keep("keys")
    broker, before = school.stack.gateway.broker, await keys.count({})
    enrolment = b'{"name": "x", "zone": "Asia/Shanghai"}'

    codes = []
    for who in ("teacher", "operator"):
        headers = {"Authorization": f"Bearer {school.tokens[who]}"}
        for service, nobody in (("issues", "aaaa"), ("opinions", "aaab"), ("people", "aaac")):
            answer = await school.client.get(f"/v1/{nobody}/{service}", headers=headers)
            codes.append((answer.status_code, answer.json().get("code")))
        for subject in ("cmd.S_1.campaign.enrol-school", "qry.S_1.rectification.issues"):
            answered = json.loads((await broker.ask(subject, enrolment, headers)).body)
            codes.append((404, answered["error"]["code"]))

    assert set(codes) == {(404, "unknown-school")}
    assert await keys.count({}) == before


async def test_somebody_of_another_school(school: School) -> None:
    async with enrolled(school.stack) as other:
        token = other.tokens["teacher"]

    await assert_refused(school, 403, "unknown-person", GOOD, Authorization=f"Bearer {token}")


async def test_a_token_for_another_school(school: School) -> None:
    token = school.token(f"{school.id}-teacher", school="another")

    await assert_refused(school, 403, "foreign-school", GOOD, Authorization=f"Bearer {token}")


async def test_a_token_that_has_expired(school: School) -> None:
    token = school.token(f"{school.id}-teacher", lifetime=-1)

    await assert_refused(school, 401, "unauthenticated", GOOD, Authorization=f"Bearer {token}")


async def test_a_token_nobody_signed(school: School) -> None:
    head, body, _ = school.tokens["teacher"].split(".")

    for token in (f"{head}.{body}.", f"{head}.{body}.AAAA", "nonsense"):
        await assert_refused(school, 401, "unauthenticated", GOOD, Authorization=f"Bearer {token}")


async def test_no_token_where_one_is_needed(school: School) -> None:
    answer = await school.ask(None, "POST", f"/issues/{uuid4()}/claim", {})

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_somebody_who_may_not(school: School) -> None:
    body = {"name": "新人", "joined_on": "2020-01-01"}

    await assert_refused(school, 403, "not-allowed", body, "/people")


async def test_a_version_that_is_not_the_one_there(school: School) -> None:
    opinion = (await school.do("teacher", "/opinions", GOOD))["id"]
    message = {"text": "补充一句"}

    path = f"/opinions/{opinion}/send-message"
    stale = await school.ask("teacher", "POST", path, message, If_Match='"9"')
    nonsense = await school.ask("teacher", "POST", path, message, If_Match="latest")
    right = await school.ask("teacher", "POST", path, message, If_Match='"1"')

    assert (stale.status_code, stale.json()["code"]) == (412, "version-mismatch")
    assert nonsense.status_code == 422
    assert (right.status_code, right.headers["ETag"]) == (200, '"2"')


async def test_an_idempotency_key_that_is_none(school: School) -> None:
    await assert_refused(school, 422, "invalid", GOOD, Idempotency_Key="a b")


async def test_a_command_there_is_not(school: School) -> None:
    answer = await school.ask("teacher", "POST", f"/issues/{uuid4()}/explode", {})

    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


async def test_nothing_of_it_is_logged_as_an_error(
    school: School, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        for body in ({}, {"verbatim_text": 1}, {**GOOD, "x": "y"}):
            await school.ask("teacher", "POST", "/opinions", body)
        await school.ask(None, "POST", "/people", {})

    assert caplog.records == []


@pytest.mark.parametrize(
    ("subject", "body", "headers"),
    [
        ("cmd.{school}.feedback.submit-opinion", b"", {}),
        ("cmd.{school}.feedback.submit-opinion", b"\xff\x00", {}),
        ("cmd.{school}.feedback.submit-opinion", b"[1", {"Authorization": "Bearer x"}),
        ("cmd.{school}.feedback.submit-opinion", b"{}", {"Authorization": "Basic x"}),
        ("cmd.{school}.feedback.no-such-thing", b"{}", {}),
        ("cmd.{school}.rectification.claim-issue", b"{}", {"Taizhang-Stream": "a.b"}),
        ("cmd.{school}.rectification.claim-issue", b"{}", {"Taizhang-Command-Id": "x"}),
        ("cmd.{school}.rectification.claim-issue", b"{}", {"Taizhang-Expected-Version": "-1"}),
        ("cmd.{school}.rectification.claim-issue", b"{}", {"Taizhang-Min-Position": "x"}),
        ("cmd.{school}.rectification.claim-issue", b"{}", {"Taizhang-Correlation-Id": "x"}),
        ("qry.{school}.feedback.no-such-view", b"{}", {}),
        ("qry.{school}.feedback.opinions", b"{", {}),
        ("qry.{school}.feedback.opinions", b'{"limit": 100000}', {}),
    ],
    ids=str,
)
async def test_a_malformed_message_on_nats_is_answered_and_the_service_lives_on(
    school: School, subject: str, body: bytes, headers: dict[str, str]
) -> None:
    token = {"Authorization": f"Bearer {school.tokens['teacher']}"}
    broker = school.stack.gateway.broker

    answer = await broker.ask(subject.format(school=school.id), body, {**token, **headers})

    error = json.loads(answer.body)["error"]
    assert answer.headers["Nats-Service-Error-Code"] == error["code"] != "internal"
    assert (await school.ask("teacher", "POST", "/opinions", GOOD)).status_code == 201

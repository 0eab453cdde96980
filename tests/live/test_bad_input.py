"""What cannot be right: each a clear problem in both languages, nothing stored, no error logged."""

import io
import json
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from openpyxl import Workbook

from services.stack import Stack
from shared.runtime import MIN_POSITION_WAIT, now
from tests.live.school import School, enrolled

pytestmark = pytest.mark.live


@pytest_asyncio.fixture(scope="module")
async def school(stack: Stack) -> AsyncIterator[School]:
    """One school for all of it: nothing may be stored anyway."""
    async with enrolled(stack) as mine:
        yield mine


GOOD: dict[str, Any] = {"verbatim_text": "食堂的菜是凉的", "channel": "wechat"}


@dataclass
class Kept:
    """What exists nowhere but here: the log, and the database of what is no view."""

    school: School
    before: dict[str, int] = field(default_factory=dict)

    async def count(self) -> dict[str, int]:
        """How much there is of everything."""
        runtime = self.school.stack.runtimes["feedback"]
        names = await runtime.mongo._keep.list_collection_names()
        kept = {name: await runtime.mongo.keep(name).count({}) for name in sorted(names)}
        return {"log": await runtime.broker.last_position(), **kept}

    async def take_stock(self) -> None:
        """From here on nothing may be stored."""
        await self.school.settle()
        self.before = await self.count()


@pytest_asyncio.fixture(autouse=True)
async def kept(school: School, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Kept]:
    """Nothing is stored by any of it, and nothing is logged as an error."""
    stock = Kept(school)
    await stock.take_stock()
    assert {"log", "keys"} <= stock.before.keys()
    yield stock
    assert await stock.count() == stock.before
    records = caplog.get_records("call")
    assert [r for r in records if r.levelno >= logging.ERROR or r.exc_info] == []


def assert_problem(answer: httpx.Response, status: int, code: str) -> Any:
    """A problem answer in both languages."""
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["title"].isascii()
    assert not problem["title_zh"].isascii()
    return problem


async def assert_refused(
    school: School, status: int, code: str, body: object, path: str = "/opinions", **headers: str
) -> Any:
    answer = await school.ask("teacher", "POST", path, body, **headers)
    return assert_problem(answer, status, code)


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

    assert_problem(answer, 400, "malformed")


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        *((raw, 400, "malformed") for raw in (b"{", b"\xff\xfe", b"{}x")),
        *((raw, 422, "invalid") for raw in (b"", b"[]", b"null", b'"text"', b"1")),
    ],
)
async def test_a_body_that_is_no_object(school: School, raw: bytes, status: int, code: str) -> None:
    answer = await school.client.post(
        f"/v1/{school.id}/opinions",
        content=raw,
        headers={"Authorization": f"Bearer {school.tokens['teacher']}"},
    )

    assert_problem(answer, status, code)


async def test_something_that_has_not_happened_yet(school: School) -> None:
    tomorrow = now().replace(year=now().year + 1).isoformat()

    await assert_refused(school, 422, "occurred-in-the-future", {**GOOD, "occurred_at": tomorrow})


async def test_a_body_of_more_than_a_megabyte(school: School) -> None:
    await assert_refused(school, 413, "too-large", {"verbatim_text": "x" * 1_100_000})


@pytest.mark.parametrize("id", ["a.b", "a*", "A", "a%20b", "x" * 37, "é"])
async def test_an_id_that_is_none(school: School, id: str) -> None:  # noqa: A002 -- what it is
    await assert_refused(school, 422, "invalid", {}, f"/issues/{id}/claim")


async def test_an_id_with_a_slash_is_another_place(school: School) -> None:
    await assert_refused(school, 404, "not-found", {}, "/issues/%2e%2e%2fx/claim")


async def test_an_id_of_nothing(school: School) -> None:
    await assert_refused(school, 404, "not-found", {}, f"/issues/{uuid4()}/claim")


async def test_a_school_that_is_not_enrolled(school: School) -> None:
    answer = await school.client.post(
        "/v1/nowhere/opinions",
        json=GOOD,
        headers={"Authorization": f"Bearer {school.tokens['teacher']}"},
    )

    assert_problem(answer, 404, "unknown-school")


async def test_of_a_school_that_is_not_enrolled_nothing_is_stored_not_even_a_key(
    school: School,
) -> None:
    broker = school.stack.gateway.broker
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


async def test_a_school_that_is_not_enrolled_hears_nothing_anonymous_either(
    school: School,
) -> None:
    answer = await school.client.post("/v1/nowhere-at-all/opinions", json=GOOD)

    assert_problem(answer, 404, "unknown-school")


@pytest_asyncio.fixture(scope="module")
async def foreigner(school: School) -> str:
    """The token of a teacher of another school."""
    async with enrolled(school.stack) as other:
        return other.tokens["teacher"]


async def test_somebody_of_another_school(school: School, foreigner: str) -> None:
    token = foreigner
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

    assert_problem(answer, 401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_somebody_who_may_not(school: School) -> None:
    body = {"name": "新人", "joined_on": "2020-01-01"}

    await assert_refused(school, 403, "not-allowed", body, "/people")


@pytest_asyncio.fixture(scope="module")
async def opinion(school: School) -> str:
    """An opinion there is."""
    return str((await school.do("teacher", "/opinions", GOOD))["id"])


async def test_a_version_that_is_not_the_one_there(
    school: School, opinion: str, kept: Kept
) -> None:
    await kept.take_stock()
    message = {"text": "补充一句"}

    path = f"/opinions/{opinion}/send-message"
    stale = await school.ask("teacher", "POST", path, message, If_Match='"9"')
    nonsense = await school.ask("teacher", "POST", path, message, If_Match="latest")
    assert await kept.count() == kept.before
    right = await school.ask("teacher", "POST", path, message, If_Match='"1"')
    await kept.take_stock()

    assert_problem(stale, 412, "version-mismatch")
    assert_problem(nonsense, 422, "invalid")
    assert (right.status_code, right.headers["ETag"]) == (200, '"2"')


async def test_an_idempotency_key_that_is_none(school: School) -> None:
    await assert_refused(school, 422, "invalid", GOOD, Idempotency_Key="a b")


async def test_a_command_there_is_not(school: School) -> None:
    await assert_refused(school, 404, "not-found", {}, f"/issues/{uuid4()}/explode")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/v1/{school}/issues", "GET, HEAD, POST"),
        ("PUT", "/v1/{school}/issues/x/claim", "POST"),
        ("POST", "/v1/{school}/issues-summary", "GET, HEAD"),
        ("POST", "/healthz", "GET, HEAD"),
    ],
)
async def test_a_method_there_is_not(school: School, method: str, path: str, allow: str) -> None:
    answer = await school.client.request(method, path.format(school=school.id))

    assert_problem(answer, 405, "method-not-allowed")
    assert answer.headers["Allow"] == allow


@pytest.mark.parametrize("path", ["/issues/", "/issues/x/claim/", "/opinions//", "/nonsense"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_place_there_is_not(school: School, method: str, path: str) -> None:
    assert_problem(await school.ask("teacher", method, path), 404, "not-found")


@pytest.mark.parametrize("after", ["-1", str(2**63), "9" * 20, "1e3", "x"])
@pytest.mark.parametrize("path", ["/issues", "/opinions", "/people", "/unheard"])
async def test_a_cursor_that_is_none(school: School, path: str, after: str) -> None:
    answer = await school.ask("clerk", "GET", f"{path}?after={after}")

    assert assert_problem(answer, 422, "invalid")["fields"][0]["field"] == "after"


@pytest.mark.parametrize("path", ["/issues", "/opinions", "/people", "/unheard"])
async def test_the_last_cursor_there_is_finds_nothing(school: School, path: str) -> None:
    assert (await school.get("clerk", f"{path}?after={2**63 - 1}"))["items"] == []


@pytest.mark.parametrize("wait", ["wait=0", "respond-async, wait=0", "wait=0; x=y"])
async def test_a_position_there_is_not_yet_is_not_waited_for_longer_than_asked(
    school: School, wait: str
) -> None:
    begun = time.perf_counter()
    answer = await school.ask(
        "clerk", "GET", "/opinions", Taizhang_Min_Position=str(10**9), Prefer=wait
    )

    assert_problem(answer, 503, "not-there-yet")
    assert answer.headers["Retry-After"]
    assert time.perf_counter() - begun < MIN_POSITION_WAIT / 2


@pytest.mark.parametrize("prefer", ["wait=x", "wait=-1", "wait=", "await=0", "return=minimal"])
async def test_a_preference_that_means_nothing_is_no_reason_to_refuse(
    school: School, prefer: str
) -> None:
    answer = await school.ask("clerk", "GET", "/solicitations", Prefer=prefer)

    assert answer.status_code == 200


def damaged() -> bytes:
    """A workbook whose compressed sheet is spoilt."""
    file = io.BytesIO()
    Workbook().save(file)
    raw = bytearray(file.getvalue())
    sheet = raw.index(b"xl/worksheets/sheet1.xml")
    raw[sheet + 24 : sheet + 60] = bytes(36)
    return bytes(raw)


@pytest.mark.parametrize("raw", [damaged(), b"PK", b"PK\x05\x06" + bytes(18), b"\0"])
async def test_a_file_that_is_no_table(school: School, raw: bytes) -> None:
    answer = await school.client.post(
        f"/v1/{school.id}/people/import",
        content=raw,
        headers={"Authorization": f"Bearer {school.tokens['clerk']}"},
    )

    assert_problem(answer, 422, "not-a-table")


@pytest.mark.parametrize(
    ("who", "plural", "status", "code"),
    [
        (None, "people", 401, "unauthenticated"),
        (None, "opinions", 401, "unauthenticated"),
        ("teacher", "people", 403, "not-allowed"),
    ],
)
async def test_a_table_of_somebody_who_may_not_is_not_even_read(
    school: School, who: str | None, plural: str, status: int, code: str
) -> None:
    token = {"Authorization": f"Bearer {school.tokens[who]}"} if who else {}

    answer = await school.client.post(
        f"/v1/{school.id}/{plural}/import", content=damaged(), headers=token
    )

    assert_problem(answer, status, code)


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
    assert (await school.ask("clerk", "GET", "/solicitations")).status_code == 200
    assert (await school.ask("clerk", "GET", "/issues")).status_code == 200

"""How a refusal looks over HTTP: RFC 9457 problem details with the stable code and both languages."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from shared.broker import Answer
from shared.decider import Rejected, Unavailable
from shared.runtime import Invalid, refused, unavailable

STATUS: Mapping[str, int] = {
    "malformed": 400,
    "unauthenticated": 401,
    "not-allowed": 403,
    "foreign-school": 403,
    "unknown-person": 403,
    "not-found": 404,
    "unknown-receipt": 404,
    "unknown-school": 404,
    "unknown-command": 404,
    "unknown-query": 404,
    "method-not-allowed": 405,
    "version-mismatch": 412,
    "too-large": 413,
    "too-many-rows": 413,
    "list-too-long": 413,
    "not-a-table": 422,
    "empty-table": 422,
    "unknown-columns": 422,
    "repeated-column": 422,
    "invalid": 422,
    "key-reused": 422,
    "occurred-in-the-future": 422,
    "too-many-attempts": 429,
    "unavailable": 503,
    "not-there-yet": 503,
    "internal": 500,
}
"""HTTP status by code; a rule of the domain that said no is 409."""

RETRY_AFTER = {429: "60", 503: "1"}  # seconds


class Malformed(Rejected):
    """The body is not JSON."""

    zh = "提交的内容不是有效的 JSON"


class MethodNotAllowed(Rejected):
    """This is not done here in this way; `Allow` says how."""

    zh = "此地址不支持这种请求方法"


class ListTooLong(Rejected):
    """The list has more than 10,000 rows, too many for one table; ask for a part of it by its filters."""

    zh = "名单超过一万行,一张表放不下,请用筛选条件分几次导出"


def problem(error: Mapping[str, Any]) -> Response:
    """The problem answer for a service's error (`code`, `title`, `detail`, `fields`)."""
    status = STATUS.get(error["code"], 409)
    body = {
        "type": f"/problems/{error['code']}",
        "title": error["title"]["en"],
        "status": status,
        "code": error["code"],
        "title_zh": error["title"]["zh"],
        **{name: error[name] for name in ("detail", "fields") if name in error},
    }
    headers = {"Retry-After": RETRY_AFTER[status]} if status in RETRY_AFTER else {}
    if status == 401:  # noqa: PLR2004 -- RFC 9110 asks for it there
        headers["WWW-Authenticate"] = "Bearer"
    text = json.dumps(body, ensure_ascii=False)
    return Response(text, status, headers, media_type="application/problem+json")


def answer_of(trouble: Rejected | Unavailable) -> Mapping[str, Any]:
    """What a service would have answered to this."""
    answer: Answer = refused(trouble) if isinstance(trouble, Rejected) else unavailable(trouble)
    error: Mapping[str, Any] = json.loads(answer.body)["error"]
    return error


def invalid(field: str, kind: str) -> Invalid:
    """One thing that is wrong with a request."""
    return Invalid([{"field": field, "problem": kind}])

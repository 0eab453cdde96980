"""A refusal through the HTTP door: it has the code of its rule, and nothing is stored."""

from typing import Any

from tests.live.school import School
from tests.live.test_bad_input import Kept


async def assert_refused(
    school: School, code: str, who: str | None, path: str, body: object = None
) -> Any:
    """Ask for what must be refused; gives the problem, which is in both languages."""
    kept = Kept(school)
    await kept.take_stock()
    answer = await school.ask(who, "POST", path, body or {})
    problem = answer.json()
    assert not answer.is_success, answer.text
    assert problem["code"] == code, answer.text
    assert problem["title"].isascii()
    assert not problem["title_zh"].isascii()
    assert await kept.count() == kept.before, "something was stored"
    return problem

"""Who asks is remembered for a while, and yet a post counts from its first day to its last."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from shared.runtime import now
from tests.live.school import ISSUE, School

pytestmark = pytest.mark.live
HERE = ZoneInfo("Asia/Shanghai")  # where the school is


async def test_a_post_counts_as_soon_as_it_is_taken(school: School) -> None:
    teacher = school.people["teacher"]
    today = now().date().isoformat()

    before = await school.refused("teacher", "/issues", ISSUE)
    await school.do(
        "operator", f"/people/{teacher}/take-post", {"role": "collator", "since": today}
    )
    await school.do("teacher", "/issues", ISSUE)
    left = {"role": "collator", "since": today, "reason": "录入错误"}
    await school.do("operator", f"/people/{teacher}/void-post", left)
    after = await school.refused("teacher", "/issues", ISSUE)

    assert (before["code"], after["code"]) == ("not-allowed", "not-allowed")


async def test_a_post_counts_no_more_when_its_last_day_is_over(school: School) -> None:
    clerk, today = school.people["clerk"], now()
    last = {"role": "collator", "until": today.astimezone(HERE).date().isoformat()}
    await school.do("operator", f"/people/{clerk}/leave-post", last)
    await school.settle()
    runtime = school.stack.runtimes["rectification"]
    directory = runtime.projector.ledger(runtime.service.directory, school.id)
    claims = runtime._verifier.claims(f"Bearer {school.tokens['clerk']}")

    async def roles(days: int) -> set[str]:
        day = today + timedelta(days=days)
        caller = await runtime._caller(claims, school.id, directory, day)
        return {str(role) for role in caller.roles}

    assert "collator" in await roles(0)
    assert "collator" not in await roles(2)
    assert "collator" in await roles(0)

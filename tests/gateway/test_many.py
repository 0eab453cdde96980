"""Many commands in one request: each has its answer, also when the services fall silent in between."""

from functools import partial

from services.gateway.tables import AT_ONCE, all_answered, outcome_of
from shared.broker import Answer
from shared.decider import Unavailable

ROWS = 10_000


async def test_when_nobody_answers_any_more_the_rest_is_told_so_and_not_asked() -> None:
    asked: list[int] = []

    async def ask(number: int) -> Answer:
        asked.append(number)
        if number >= ROWS // 2:
            raise Unavailable("log")
        return Answer(b'{"ok":true,"position":%d}' % number)

    answers = await all_answered([partial(ask, n) for n in range(ROWS)])

    told = [outcome_of(answer) for answer in answers]
    assert [row.get("position", row.get("code")) for row in told] == [
        *range(ROWS // 2),
        *["unavailable"] * (ROWS // 2),
    ]
    assert len(asked) <= ROWS // 2 + AT_ONCE

"""The plot: a campaign of an invented school, from its plan to the last verdict and the audit, in acts."""

import time
from itertools import count

import httpx

from services.demo import cast as casting
from services.demo.appraising import appraise
from services.demo.auditing import check, knock_wrongly, look_and_replay
from services.demo.cast import OPERATOR, Cast
from services.demo.door import Door, Line, Note, Unexpected
from services.demo.founding import enrol, plan_the_campaign
from services.demo.listening import collate, listen
from services.demo.meeting import examine, meet
from services.demo.rectifying import rectify
from services.demo.stage import Act, Play
from services.demo.studying import study
from services.demo.surveying import survey
from services.demo.talking import talk
from services.demo.telling import Check, Result, Tell, act, ending, opening
from services.stack import Stack

TIMEOUT = 120.0  # seconds for one answer

ACTS: tuple[tuple[str, Act], ...] = (
    ("登记学校人员", enrol),
    ("方案审核报备", plan_the_campaign),
    ("学习教育", study),
    ("听取意见", listen),
    ("汇总梳理", collate),
    ("整改台账", rectify),
    ("谈心谈话", talk),
    ("对照检查", examine),
    ("民主生活会", meet),
    ("民主评议党员", appraise),
    ("门口的拒绝", knock_wrongly),
    ("规则总览", survey),
    ("回看和重放", look_and_replay),
    ("核对", check),
)


async def play(
    product: Stack, *, opinions: list[str] | None, tell: Tell, note: Note = lambda _: None
) -> Result:
    """Play the whole campaign in a school of its own, with given texts instead of the invented ones.

    `tell` gets every line and table as soon as there is one, `note` every command and what came of
    it. What goes wrong is in the result.
    """
    began = time.perf_counter()
    async with httpx.AsyncClient(base_url=product.url, timeout=TIMEOUT) as client:
        performance = await _prepared(product, client, opinions, note)
        result, door = performance.result, performance.line.door
        tell(opening(result))
        try:
            for title, work in ACTS:
                since = time.perf_counter()
                facts = await work(performance)
                result.acts.append((title, facts, time.perf_counter() - since))
                tell(act(*result.acts[-1]))
        except* (Unexpected, TimeoutError) as trouble:
            why = "; ".join(_reasons(trouble))
            result.checks.append(Check("按剧本演完", good=False, detail=why))
    result.requests, result.commands = door.requests, door.commands
    result.refusals = sorted(door.refusals, key=lambda r: (r.rule or "~", r.what))
    result.seconds = time.perf_counter() - began
    for part in ending(result):
        tell(part)
    return result


async def _prepared(
    product: Stack, client: httpx.AsyncClient, texts: list[str] | None, note: Note
) -> Play:
    """Find a school that is not enrolled yet."""
    invented = texts is None
    sayings = casting.sayings() if texts is None else casting.foreign(texts)
    for n in count(1):
        cast = Cast(f"demo-{n}", product.gateway.issuer, casting.roster())
        cast.admit(OPERATOR)
        line = Line(Door(client, cast.school, cast.tokens, note))
        known = await line.ask(OPERATOR, "GET", "school")
        if known.status_code == httpx.codes.NOT_FOUND:
            break
    return Play(product, cast, line, sayings, invented, Result(cast.school, invented=invented))


def _reasons(trouble: BaseException) -> list[str]:
    """What went wrong, in as many words as there are troubles."""
    if isinstance(trouble, BaseExceptionGroup):
        return [reason for one in trouble.exceptions for reason in _reasons(one)]
    return [str(trouble) or type(trouble).__name__]

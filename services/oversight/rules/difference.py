"""What changed between the ends of two days: per rule, and on the ledger (新增, 推进, 办结). Pure."""

from typing import Any

from services.oversight.rules.catalogue import RULES, Rule
from services.oversight.rules.engine import Obligation, obligations
from services.oversight.rules.figures import three_rates
from services.oversight.rules.world import World


def between(earlier: World, later: World, by: str, today: Any) -> dict[str, Any]:  # noqa: ANN401 -- a date
    """The weekly tables and the change of every rule, behind the first day up to and with the last."""
    return {
        "from": earlier.day,
        "to": later.day,
        "positions": [earlier.position, later.position],
        "ledger": ledger(earlier, later),
        "rules": [change for rule in RULES if (change := _change(rule, earlier, later))],
        "three_rates": {
            "from": three_rates(earlier, by, today),
            "to": three_rates(later, by, today),
        },
    }


def ledger(earlier: World, later: World) -> dict[str, list[str]]:
    """Issues that are new, those that moved, those that were struck off; by id."""
    new, moved, closed = [], [], []
    for i, issue in later.issues.items():
        before = earlier.issues.get(i)
        ended = issue.struck_off is not None
        if before is None:
            new.append(i)
        if ended and (before is None or before.struck_off is None):
            closed.append(i)
        elif before and issue.moved and before.moved and issue.moved.id != before.moved.id:
            moved.append(i)
    return {"opened": new, "moved": moved, "struck_off": closed}


def _change(rule: Rule, earlier: World, later: World) -> dict[str, Any] | None:
    """How a rule's figures changed; nothing where they did not."""
    was, now = _by_key(rule, earlier), _by_key(rule, later)
    if was == now:
        return None
    done = {key for key, state in now.items() if state == "done"}
    return {
        "rule": rule.id,
        "newly_owed": len(now.keys() - was.keys()),
        "no_longer_owed": len(was.keys() - now.keys()),
        "newly_done": sum(was.get(key) != "done" for key in done),
        "no_longer_done": sum(
            state == "done" and now.get(key) not in {None, "done"} for key, state in was.items()
        ),
        "numerators": [_count(was, "done"), _count(now, "done")],
        "denominators": [_owed(was), _owed(now)],
    }


def _by_key(rule: Rule, w: World) -> dict[tuple[object, str], str]:
    some: tuple[Obligation, ...] = obligations(rule, w)
    return {(one.subject, one.period): one.state for one in some}


def _count(states: dict[tuple[object, str], str], state: str) -> int:
    return sum(one == state for one in states.values())


def _owed(states: dict[tuple[object, str], str]) -> int:
    return _count(states, "done") + _count(states, "missing")

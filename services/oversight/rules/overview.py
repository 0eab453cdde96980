"""One school in sums: for its bureau, and for who watches figures. Nobody's name, nobody's words. Pure.

It holds nothing finer than what the school shows to each of its people: the board's figures, the ledger's
sums, and of verdicts only what `figures` lets be published.
"""

from collections import Counter
from typing import Any, get_args

from services.campaign.events import (
    PlanApproved,
    PlanDrafted,
    PlanFiled,
    PlanRevised,
)
from services.feedback.events import Wind
from services.oversight.rules.catalogue import RULES
from services.oversight.rules.engine import FORMULA, row
from services.oversight.rules.figures import three_rates
from services.oversight.rules.lines import Issue
from services.oversight.rules.world import World
from services.rectification.events import Stage

STAGES: tuple[str, ...] = tuple(s for s in get_args(Stage.__value__) if s != "voided")
WINDS = (*(wind.value for wind in Wind), "not_four_winds")
TIMED = frozenset({"open", "owned", "planned", "underway", "long_term"})
"""Stages in which a deadline can pass; in the others it is for somebody else to act."""
SUMS = ("numerator", "denominator", "missing", "overdue", "waived")


def overview(w: World, today: Any) -> dict[str, Any]:  # noqa: ANN401 -- a date
    """Filings of the plan, rules, issues and the three rates, at one log position."""
    rules = [row(rule, w) for rule in RULES if rule.population]
    whole = {name: sum(line[name] for line in rules) for name in SUMS}
    owed = whole["denominator"]
    return {
        "as_of": w.day,
        "position": w.position,
        "plan": plan(w),
        "board": {
            "formula": FORMULA,
            **whole,
            "share": round(whole["numerator"] / owed, 4) if owed else None,
            "rules": [{name: line[name] for name in ("rule", *SUMS)} for line in rules],
        },
        "issues": issues(w),
        "three_rates": three_rates(w, "all", today),
    }


def plan(w: World) -> dict[str, Any] | None:
    """The campaign that counts and its plan's filings (R02); none where nothing was drafted by that day.

    `filed` is whether the wording that counts now was filed: a revised one has to be filed again.
    """
    current = w.directory.current
    life = w.lives.get("campaign.campaign", {}).get(current or "")
    if life is None or life.voided:
        return None
    wording = life.latest(PlanDrafted, PlanRevised)
    revision = wording.event.revision if wording and isinstance(wording.event, PlanRevised) else 1
    approved, filed = life.latest(PlanApproved), life.all(PlanFiled)
    return {
        "campaign": current,
        "revision": revision,
        "approved": approved is not None and approved.event.revision == revision,
        "filed": bool(filed) and filed[-1].event.revision == revision,
        "filings": [{"revision": f.event.revision, "on": w.on(f.at)} for f in filed],
    }


def issues(w: World) -> dict[str, Any]:
    """The ledger by stage and wind, what is overdue, what nobody has taken on."""
    every = [*w.issues.values()]
    stages = Counter(issue.stage for issue in every)
    winds = Counter((wind, issue.stage) for issue in every for wind in _winds(issue))
    return {
        "total": len(every),
        "by_stage": {stage: stages[stage] for stage in STAGES},
        "by_wind": {wind: {stage: winds[wind, stage] for stage in STAGES} for wind in WINDS},
        "overdue": sum(
            issue.stage in TIMED and issue.due_on is not None and issue.due_on < w.day
            for issue in every
        ),
        "unclaimed": stages["open"],
    }


def _winds(issue: Issue) -> list[str]:
    return [wind.value for wind in issue.what.winds] or ["not_four_winds"]

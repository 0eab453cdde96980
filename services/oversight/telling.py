"""What `/metrics` tells of the schools: worked out when it is read, and only if something moved since.

Rule by rule, so that commands get their turn between two; what no stream has moved of is taken over.
"""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import Gauge

from services.oversight.projection import directory
from services.oversight.rules.catalogue import RULES
from services.oversight.rules.engine import row
from services.oversight.rules.overview import overview
from services.oversight.shelf import today, world
from shared import metrics
from shared.runtime import Runtime, now

GAUGES = (
    metrics.ISSUES,
    metrics.ISSUE_WINDS,
    metrics.ISSUES_OVERDUE,
    metrics.ISSUES_UNCLAIMED,
    metrics.OBLIGATIONS,
    metrics.OBLIGATIONS_OVERDUE,
    metrics.RATES,
    metrics.VERDICTS,
)

type Sample = tuple[Gauge, tuple[str, ...], float]


_TOLD: list[object] = []
"""Whose figures are told, as of which position and days."""


async def figures(runtime: Runtime) -> None:
    """Bring the figures of every school up to date; all of them appear at once."""
    projector, moment = runtime.projector, now()
    desks = [runtime.desk(school, moment) for school, _ in projector.ledgers(directory)]
    position = projector.position
    seen = [id(projector), position, *((desk.school, today(desk)) for desk in desks)]
    if seen == _TOLD:
        return
    samples: list[Sample] = []
    for desk in desks:
        for rule in RULES:
            row(rule, await world(desk))
            await asyncio.sleep(0)
        samples += told_of(desk.school, overview(await world(desk), today(desk)))
    for gauge in GAUGES:
        gauge.clear()
    for gauge, labels, value in samples:
        gauge.labels(*labels).set(value)
    metrics.FIGURES_POSITION.labels(runtime.service.name).set(position)
    _TOLD[:] = seen


def told_of(school: str, sums: Mapping[str, Any]) -> Iterator[Sample]:
    """One school's overview as samples; a rate that may not be published is none."""
    ledger = sums["issues"]
    for stage, count in ledger["by_stage"].items():
        yield metrics.ISSUES, (school, stage), count
    for wind, stages in ledger["by_wind"].items():
        for stage, count in stages.items():
            yield metrics.ISSUE_WINDS, (school, wind, stage), count
    yield metrics.ISSUES_OVERDUE, (school,), ledger["overdue"]
    yield metrics.ISSUES_UNCLAIMED, (school,), ledger["unclaimed"]
    for line in sums["board"]["rules"]:
        for state, name in (("done", "numerator"), ("missing", "missing"), ("waived", "waived")):
            yield metrics.OBLIGATIONS, (school, line["rule"], state), line[name]
        yield metrics.OBLIGATIONS_OVERDUE, (school, line["rule"]), line["overdue"]
    for group in sums["three_rates"]["groups"]:
        for rate, figure in (group["rates"] or {}).items():
            if figure["value"] is not None:
                yield metrics.RATES, (school, rate), figure["value"]
                if rate == "response_rate":
                    yield metrics.VERDICTS, (school,), figure["denominator"]

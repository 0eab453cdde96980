"""Oversight, assembled."""

from services.campaign.directory import erased, who
from services.oversight import domain, projection, queries, shelf, telling
from shared.runtime import Service, Stream

service = Service(
    name="oversight",
    directory=projection.directory,
    who=who,
    erased=erased,
    streams=(Stream(domain.decider, "findings", queries.finding_facts),),
    views=(projection.traces, projection.findings),
    queries={
        queries.Rules: queries.all_rules,
        queries.Board: queries.all_rows,
        queries.Outstanding: queries.outstanding,
        queries.ObligationEvidence: queries.drill_down,
        queries.Matrix: queries.one_matrix,
        queries.Rates: queries.all_rates,
        queries.Difference: queries.changes,
        queries.Findings: queries.all_findings,
        queries.Remarks: queries.all_remarks,
        queries.Overview: queries.in_sums,
        queries.Looks: queries.all_looks,
        queries.Retention: queries.retention,
    },
    chores=(shelf.take_down, shelf.let_looks_go),
    figures=telling.figures,
)

"""Rectification, assembled."""

from services.campaign.directory import erased, who
from services.rectification import policy, projection, queries
from services.rectification.domain import issue, plan, regulation
from shared.runtime import Service, Stream

service = Service(
    name="rectification",
    directory=projection.directory,
    who=who,
    erased=erased,
    streams=(
        Stream(issue.decider, "issues", queries.issue_facts),
        Stream(plan.decider, "plans", queries.plan_facts),
        Stream(regulation.decider, "regulations", queries.regulation_facts),
    ),
    views=(
        projection.issues,
        projection.opinions,
        projection.collations,
        projection.measures,
        projection.plans,
        projection.regulations,
    ),
    queries={
        queries.Issues: queries.ledger_lines,
        queries.Issue: queries.ledger_line,
        queries.IssueSummary: queries.summary,
        queries.IssueBiography: queries.biography,
        queries.OpinionIssues: queries.became,
        queries.RectificationPlans: queries.all_plans,
        queries.Measures: queries.all_measures,
        queries.Regulations: queries.all_regulations,
    },
    policies=(policy.opening,),
    timers=policy.timers,
)

"""Feedback, assembled."""

from services.campaign.directory import erased, who
from services.feedback import box, projection, queries, tables
from services.feedback.domain import collation, disclosure, opinion, report, solicitation
from shared.runtime import Service, Stream

service = Service(
    name="feedback",
    directory=projection.directory,
    who=who,
    erased=erased,
    streams=(
        Stream(solicitation.decider, "solicitations", queries.solicitation_facts),
        Stream(opinion.decider, "opinions", queries.opinion_facts),
        Stream(disclosure.decider, "disclosures", queries.disclosure_facts),
        Stream(collation.decider, "collations", queries.collation_facts),
        Stream(report.decider, "reports", queries.report_facts),
    ),
    views=(
        projection.solicitations,
        projection.opinions,
        projection.disclosures,
        projection.collations,
        projection.reports,
        projection.issues,
    ),
    queries={
        queries.Solicitations: queries.all_solicitations,
        queries.Solicitation: queries.one_solicitation,
        queries.Opinions: queries.all_opinions,
        queries.Opinion: queries.one_opinion,
        queries.Disclosures: queries.all_disclosures,
        queries.Receipt: queries.receipt,
        queries.Unheard: queries.unheard,
        queries.IssueOpinions: queries.issue_opinions,
        queries.Collations: queries.all_collations,
        queries.Collation: queries.one_collation,
        queries.CollationGroups: queries.collation_groups,
        queries.CollationOpinions: queries.collation_opinions,
        queries.Suggestions: queries.suggestions,
        queries.Reports: queries.all_reports,
        queries.Report: queries.one_report,
        box.ReceiptToken: box.Receipts().exchange,
    },
    detours={opinion.SubmitOpinion: box.into_the_box},
    chores=(box.empty_the_box,),
    tables=(tables.opinions,),
)

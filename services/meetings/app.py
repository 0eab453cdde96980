"""Meetings, assembled."""

from services.campaign.directory import who
from services.meetings import box, projection, queries
from services.meetings.domain import appraisal, examination
from shared.runtime import Service, Stream

service = Service(
    name="meetings",
    directory=projection.directory,
    who=who,
    streams=(
        Stream(examination.decider, "examinations", queries.examination_facts),
        Stream(appraisal.decider, "appraisals", box.appraisal_facts),
    ),
    views=(
        projection.claims,
        projection.examinations,
        projection.writings,
        projection.appraisals,
        projection.appraised_members,
        projection.ballots,
    ),
    queries={
        queries.Examinations: queries.all_examinations,
        queries.Examination: queries.one_examination,
        queries.ExaminationsOwed: queries.examinations_owed,
        queries.Appraisals: queries.all_appraisals,
        queries.Appraisal: queries.one_appraisal,
        queries.AppraisalsOwed: queries.appraisals_owed,
        queries.AppraisedMember: queries.appraised_member,
        queries.AppraisalBallots: queries.opened_ballots,
        box.CastBallot: box.cast,
        box.FindBallot: box.find,
    },
    detours={
        appraisal.OpenBallot: box.print_slips,
        appraisal.CloseBallot: box.count,
        appraisal.VoidBallot: box.discard,
        appraisal.VoidAppraisal: box.discard,
    },
)

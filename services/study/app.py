"""Study, assembled."""

from services.campaign.directory import erased, who
from services.study import projection, queries, tables
from services.study.domain import (
    activity,
    catalogue,
    gap,
    reading,
    reflection,
    self_rating,
    session,
    tie,
)
from shared.runtime import Service, Stream

service = Service(
    name="study",
    directory=projection.directory,
    who=who,
    erased=erased,
    streams=(
        Stream(session.decider, "sessions", queries.session_facts),
        Stream(catalogue.decider, "catalogue", queries.directory_facts),
        Stream(reading.decider, "readings", queries.reading_facts),
        Stream(reflection.decider, "reflections", queries.directory_facts),
        Stream(gap.decider, "gaps", queries.directory_facts),
        Stream(self_rating.decider, "self-ratings", queries.directory_facts),
        Stream(activity.decider, "activities", queries.directory_facts),
        Stream(tie.decider, "ties", queries.directory_facts),
    ),
    views=(
        projection.sessions,
        projection.items,
        projection.readings,
        projection.reflections,
        projection.gaps,
        projection.self_ratings,
        projection.activities,
        projection.ties,
    ),
    tables=(tables.activities,),
    queries={
        queries.StudySessions: queries.all_sessions,
        queries.StudyCatalogue: queries.catalogue,
        queries.Readings: queries.all_readings,
        queries.ReadingMatrix: queries.reading_matrix,
        queries.Reflections: queries.all_reflections,
        queries.Reflection: queries.reflection,
        queries.ReflectionSubmissions: queries.reflection_submissions,
        queries.ReflectionFindings: queries.reflection_findings,
        queries.Gaps: queries.all_gaps,
        queries.GapMatrix: queries.gap_matrix,
        queries.SelfRatings: queries.all_self_ratings,
        queries.Activities: queries.all_activities,
        queries.Activity: queries.activity,
        queries.ActivityTally: queries.activity_tally,
        queries.LeaderSixOnes: queries.leader_six_ones,
        queries.MemberSixOnes: queries.member_six_ones,
        queries.Ties: queries.all_ties,
    },
)

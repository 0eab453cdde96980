"""Talks, assembled."""

from services.campaign.directory import erased, who
from services.talks import policy, projection, queries
from services.talks.domain import request, talk
from shared.runtime import Service, Stream

service = Service(
    name="talks",
    directory=projection.directory,
    who=who,
    erased=erased,
    streams=(
        Stream(talk.decider, "talks", queries.talk_facts),
        Stream(request.decider, "talk-requests", queries.request_facts),
    ),
    views=(projection.talks, projection.requests, projection.facts),
    queries={
        queries.Talks: queries.all_talks,
        queries.Talk: queries.one_talk,
        queries.TalkRequests: queries.all_requests,
        queries.TalkRequest: queries.one_request,
        queries.TalkCoverage: queries.matrix,
    },
    policies=(policy.answering,),
)

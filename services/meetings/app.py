"""Meetings, assembled."""

from services.campaign.directory import who
from services.meetings import projection, queries
from services.meetings.domain import meeting
from shared.runtime import Service, Stream

service = Service(
    name="meetings",
    directory=projection.directory,
    who=who,
    streams=(Stream(meeting.decider, "meetings", queries.meeting_facts),),
    views=(
        projection.meetings,
        projection.speeches,
        projection.gatherings,
        projection.papers,
    ),
    queries={
        queries.Meetings: queries.all_meetings,
        queries.Meeting: queries.one_meeting,
        queries.MeetingMinutes: queries.minutes,
        queries.MeetingCriticism: queries.meeting_criticism,
        queries.CampaignCriticism: queries.campaign_criticism,
        queries.MeetingAttendance: queries.attendance,
    },
)

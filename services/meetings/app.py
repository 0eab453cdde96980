"""Meetings, assembled."""

from services.campaign.directory import erased, who
from services.meetings import box
from services.meetings.domain import appraisal, examination, meeting
from services.meetings.projection import appraisal as appraised
from services.meetings.projection import directory
from services.meetings.projection import examination as examined
from services.meetings.projection import meeting as met
from services.meetings.queries import appraisal as of_appraisals
from services.meetings.queries import examination as of_examinations
from services.meetings.queries import meeting as of_meetings
from shared.runtime import Service, Stream

service = Service(
    name="meetings",
    directory=directory,
    who=who,
    erased=erased,
    streams=(
        Stream(meeting.decider, "meetings", of_meetings.meeting_facts),
        Stream(examination.decider, "examinations", of_examinations.examination_facts),
        Stream(appraisal.decider, "appraisals", box.appraisal_facts),
    ),
    views=(
        met.meetings,
        met.speeches,
        met.gatherings,
        met.papers,
        examined.claims,
        examined.examinations,
        examined.writings,
        appraised.appraisals,
        appraised.appraised_members,
        appraised.ballots,
    ),
    queries={
        of_meetings.Meetings: of_meetings.all_meetings,
        of_meetings.Meeting: of_meetings.one_meeting,
        of_meetings.MeetingMinutes: of_meetings.minutes,
        of_meetings.MeetingCriticism: of_meetings.meeting_criticism,
        of_meetings.CampaignCriticism: of_meetings.campaign_criticism,
        of_meetings.MeetingAttendance: of_meetings.attendance,
        of_examinations.Examinations: of_examinations.all_examinations,
        of_examinations.Examination: of_examinations.one_examination,
        of_examinations.ExaminationsOwed: of_examinations.examinations_owed,
        of_appraisals.Appraisals: of_appraisals.all_appraisals,
        of_appraisals.Appraisal: of_appraisals.one_appraisal,
        of_appraisals.AppraisalsOwed: of_appraisals.appraisals_owed,
        of_appraisals.AppraisedMember: of_appraisals.appraised_member,
        of_appraisals.AppraisalBallots: of_appraisals.opened_ballots,
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

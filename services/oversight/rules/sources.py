"""The published events that oversight reads, of every service. Pure."""

from services.campaign.events import CampaignEvent, InspectionEvent
from services.feedback.events import (
    CollationEvent,
    OpinionEvent,
    OpinionsGrouped,
    OpinionSplit,
    OpinionsRegrouped,
    OpinionsUngrouped,
    ReportEvent,
    SolicitationEvent,
)
from services.meetings.events import (
    AppraisalEvent,
    BallotOpened,
    BallotsOpened,
    ExaminationEvent,
    MeetingEvent,
)
from services.oversight.events import FindingEvent
from services.rectification.events import (
    IssueCalledToAccount,
    IssueEvent,
    IssueReminded,
    IssueSupervised,
    IssueUrged,
    PlanEvent,
    SourceCorrected,
)
from services.study.events import (
    ActivityEvent,
    CatalogueEvent,
    GapEvent,
    ReadingEvent,
    ReflectionEvent,
    SessionEvent,
    TieEvent,
)
from services.talks.events import RequestEvent, TalkEvent
from shared.decider import Event

_NOTHING_TO_COUNT = (
    IssueReminded,
    IssueUrged,
    IssueSupervised,
    IssueCalledToAccount,
    SourceCorrected,
    BallotOpened,
    BallotsOpened,
    OpinionSplit,
    OpinionsGrouped,
    OpinionsRegrouped,
    OpinionsUngrouped,
)
"""Reminders are the clock's doing and move nothing, no more than a correction elsewhere does; what is on
a ballot is nobody's to count again; what a collation amounts to is said when it is closed."""

FOLLOWS: tuple[type[Event], ...] = tuple(
    event
    for alias in (
        CampaignEvent,
        InspectionEvent,
        SolicitationEvent,
        OpinionEvent,
        CollationEvent,
        ReportEvent,
        IssueEvent,
        PlanEvent,
        TalkEvent,
        RequestEvent,
        MeetingEvent,
        ExaminationEvent,
        AppraisalEvent,
        SessionEvent,
        CatalogueEvent,
        ReadingEvent,
        ReflectionEvent,
        GapEvent,
        ActivityEvent,
        TieEvent,
        FindingEvent,
    )
    for event in alias.__value__.__args__
    if event not in _NOTHING_TO_COUNT
)

"""The published events that oversight reads, of every service. Pure."""

from services.campaign.events import CampaignEvent, InspectionEvent
from services.feedback.events import CollationEvent, OpinionEvent, ReportEvent, SolicitationEvent
from services.oversight.events import FindingEvent
from services.rectification.events import (
    IssueCalledToAccount,
    IssueEvent,
    IssueReminded,
    IssueSupervised,
    IssueUrged,
    PlanEvent,
)
from shared.decider import Event

_SPOKEN = (IssueReminded, IssueUrged, IssueSupervised, IssueCalledToAccount)
"""Reminders are the clock's doing: they move nothing."""

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
        FindingEvent,
    )
    for event in alias.__value__.__args__
    if event not in _SPOKEN
)

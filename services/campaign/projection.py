"""What people look at: school, units, people, accounts, calendar, campaigns, inspections."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from services.campaign import roster as rosters
from services.campaign.calendar import Calendar, SchoolYear, Span
from services.campaign.calendar import evolve as calendar_after
from services.campaign.directory import FOLLOWS, Directory, fold
from services.campaign.events import (
    AccountClosed,
    AccountEvent,
    AccountHandedOver,
    AccountOpened,
    BureauAdmitted,
    BureauCorrected,
    BureauDismissed,
    BureauEvent,
    CalendarEvent,
    CampaignConcluded,
    CampaignEvent,
    CampaignResumed,
    CampaignStarted,
    CampaignVoided,
    DrillDownGranted,
    DrillDownWithdrawn,
    ErasureEvent,
    ErasureRequested,
    ErasureWithdrawn,
    HolidayCancelled,
    HolidayDeclared,
    InspectionCorrected,
    InspectionEvent,
    InspectionFindingRaised,
    InspectionKind,
    InspectionRecorded,
    InspectionVoided,
    LeavingVoided,
    MembershipVoided,
    MergeVoided,
    OversightVoided,
    PersonCorrected,
    PersonEntered,
    PersonErased,
    PersonEvent,
    PersonMerged,
    PersonVoided,
    PlanApproved,
    PlanDrafted,
    PlanFiled,
    PlanRevised,
    PlanSentBack,
    PolicySet,
    PostVoided,
    RejoiningVoided,
    SchoolCorrected,
    SchoolEnrolled,
    SchoolEvent,
    SettingUnit,
    Stage,
    StartCorrected,
    TextErasureRequested,
    TextKind,
    TextsErased,
    UnitClosed,
    UnitCorrected,
    UnitEntered,
    UnitEvent,
    UnitKind,
    UnitReopened,
    UnitVoided,
)
from shared.decider import Event, Instant, PersonId
from shared.envelope import Record
from shared.views import View, ledger

directory = ledger("directory", Directory, fold, FOLLOWS)
"""The school as rules see it."""


class Card(BaseModel):
    """What every card shows: when it last changed."""

    model_config = ConfigDict(frozen=True)
    changed_at: Instant


def _changed[C: Card](card: C, record: Record, **changes: object) -> C:
    return card.model_copy(update={**changes, "changed_at": record.at})


# -- School --------------------------------------------------------------------------------------


class SchoolCard(Card):
    """A school's entry, and why it was last corrected."""

    name: str
    zone: str
    language: str
    reason: str | None = None


def school_card(card: SchoolCard | None, record: Record) -> SchoolCard | None:
    """A school's entry after one more event."""
    match card, record.event:
        case _, SchoolEnrolled(name=name, zone=zone, language=language):
            return SchoolCard(name=name, zone=zone, language=language, changed_at=record.at)
        case SchoolCard(), SchoolCorrected(name=name, zone=zone, language=language, reason=reason):
            return _changed(card, record, name=name, zone=zone, language=language, reason=reason)
        case _:
            return card


schools = View("schools", SchoolCard, school_card, SchoolEvent.__value__.__args__)

# -- Units ---------------------------------------------------------------------------------------


class UnitCard(Card):
    """A department, branch, grade or subject group; a voided one stays visible."""

    kind: UnitKind
    name: str
    state: Literal["open", "closed", "voided"] = "open"
    closed_on: date | None = None
    reason: str | None = None


def unit_card(card: UnitCard | None, record: Record) -> UnitCard | None:
    """A unit after one more event."""
    match card, record.event:
        case _, UnitEntered(kind=kind, name=name):
            return UnitCard(kind=kind, name=name, changed_at=record.at)
        case UnitCard(), UnitCorrected(kind=kind, name=name, reason=reason):
            return _changed(card, record, kind=kind, name=name, reason=reason)
        case UnitCard(), UnitClosed(on=day):
            return _changed(card, record, state="closed", closed_on=day)
        case UnitCard(), UnitReopened(reason=reason):
            return _changed(card, record, state="open", closed_on=None, reason=reason)
        case UnitCard(), UnitVoided(reason=reason):
            return _changed(card, record, state="voided", reason=reason)
        case _:
            return card


units = View("units", UnitCard, unit_card, UnitEvent.__value__.__args__)

# -- Accounts ------------------------------------------------------------------------------------


class AccountCard(Card):
    """Whose an account is. By what tokens it is known stays out of sight."""

    person: PersonId
    state: Literal["open", "closed"] = "open"
    reason: str | None = None


def account_card(card: AccountCard | None, record: Record) -> AccountCard | None:
    """An account after one more event."""
    match card, record.event:
        case _, AccountOpened(person=person):
            return AccountCard(person=person, changed_at=record.at)
        case AccountCard(), AccountHandedOver(person=person, reason=reason):
            return _changed(card, record, person=person, reason=reason)
        case AccountCard(), AccountClosed(reason=reason):
            return _changed(card, record, state="closed", reason=reason)
        case _:
            return card


accounts = View("accounts", AccountCard, account_card, AccountEvent.__value__.__args__)

# -- Bureaus -------------------------------------------------------------------------------------


class BureauCard(Card):
    """A bureau that sees the school's sums, whether it sees more, and the last reason given."""

    name: str
    state: Literal["admitted", "granted", "dismissed"] = "admitted"
    reason: str | None = None


def bureau_card(card: BureauCard | None, record: Record) -> BureauCard | None:
    """A bureau after one more event."""
    match card, record.event:
        case _, BureauAdmitted(name=name):
            return BureauCard(name=name, changed_at=record.at)
        case BureauCard(), BureauCorrected(name=name, reason=reason):
            return _changed(card, record, name=name, reason=reason)
        case BureauCard(), DrillDownGranted(reason=reason):
            return _changed(card, record, state="granted", reason=reason)
        case BureauCard(), DrillDownWithdrawn(reason=reason):
            return _changed(card, record, state="admitted", reason=reason)
        case BureauCard(), BureauDismissed(reason=reason):
            return _changed(card, record, state="dismissed", reason=reason)
        case _:
            return card


bureaus = View("bureaus", BureauCard, bureau_card, BureauEvent.__value__.__args__)

# -- Campaigns -----------------------------------------------------------------------------------


class _Part(BaseModel):
    """A part of a card."""

    model_config = ConfigDict(frozen=True)


class Review(_Part):
    """What the supervision group said of a revision."""

    approved: bool
    remarks: str | None
    by: PersonId
    at: Instant


class Filing(_Part):
    """With whom a revision was filed."""

    filed_with: str
    by: PersonId
    at: Instant


class Revision(_Part):
    """A revision of the plan and what became of it."""

    revision: int
    title: str
    begins_on: date
    ends_on: date
    stages: tuple[Stage, ...]
    by: PersonId
    at: Instant
    reason: str | None = None
    reviews: tuple[Review, ...] = ()
    filing: Filing | None = None

    @property
    def standing(self) -> Literal["drafted", "sent_back", "approved", "filed"]:
        """How far it has come."""
        if self.filing:
            return "filed"
        if not self.reviews:
            return "drafted"
        return "approved" if self.reviews[-1].approved else "sent_back"


class SettingChange(_Part):
    """A policy setting as it was set."""

    setting: str
    value: str
    unit: SettingUnit
    reason: str
    by: PersonId
    at: Instant


class CampaignCard(Card):
    """A campaign: every revision of its plan, every change of its settings, its course."""

    title: str
    begins_on: date
    ends_on: date
    stages: tuple[Stage, ...]
    follows_on: str | None = None
    state: Literal["planned", "running", "concluded", "voided"] = "planned"
    plan: Literal["drafted", "sent_back", "approved", "filed"] = "drafted"
    revisions: tuple[Revision, ...]
    settings: tuple[SettingChange, ...] = ()
    started_on: date | None = None
    concluded_on: date | None = None
    summary: str | None = None
    reason: str | None = None


def campaign_card(card: CampaignCard | None, record: Record) -> CampaignCard | None:
    """A campaign after one more event."""
    event = record.event
    if isinstance(event, PlanDrafted):
        first = _revision(event, 1, record)
        return CampaignCard(
            title=event.title,
            begins_on=event.begins_on,
            ends_on=event.ends_on,
            stages=event.stages,
            follows_on=event.follows_on,
            revisions=(first,),
            changed_at=record.at,
        )
    if card is None:
        return None
    return _changed(card, record, **_planning(card, record), **_course(event))


def _planning(card: CampaignCard, record: Record) -> dict[str, object]:
    """What an event changes in the plan and its settings."""
    match record.event:
        case PlanRevised() as event:
            return {
                "title": event.title,
                "begins_on": event.begins_on,
                "ends_on": event.ends_on,
                "stages": event.stages,
                "plan": "drafted",
                "revisions": (*card.revisions, _revision(event, event.revision, record)),
            }
        case PlanApproved() | PlanSentBack() as event:
            approved = isinstance(event, PlanApproved)
            said = Review(approved=approved, remarks=event.remarks, by=record.actor, at=record.at)
            return _judged(card, reviews=(*card.revisions[-1].reviews, said))
        case PlanFiled(filed_with=filed_with):
            filing = Filing(filed_with=filed_with, by=record.actor, at=record.at)
            return _judged(card, filing=filing)
        case PolicySet() as event:
            change = SettingChange(**dict(event), by=record.actor, at=record.at)
            return {"settings": (*card.settings, change)}
        case _:
            return {}


def _judged(card: CampaignCard, **changes: object) -> dict[str, object]:
    """The last revision with what became of it."""
    *earlier, last = card.revisions
    last = last.model_copy(update=changes)
    return {"plan": last.standing, "revisions": (*earlier, last)}


def _course(event: Event) -> dict[str, object]:
    """What an event changes in the course of a campaign."""
    match event:
        case CampaignStarted(on=day):
            return {"state": "running", "started_on": day}
        case StartCorrected(on=day, reason=reason):
            return {"started_on": day, "reason": reason}
        case CampaignConcluded(on=day, summary=summary):
            return {"state": "concluded", "concluded_on": day, "summary": summary}
        case CampaignResumed(reason=reason):
            return {"state": "running", "concluded_on": None, "summary": None, "reason": reason}
        case CampaignVoided(reason=reason):
            return {"state": "voided", "reason": reason}
        case _:
            return {}


def _revision(event: PlanDrafted | PlanRevised, number: int, record: Record) -> Revision:
    return Revision(
        revision=number,
        title=event.title,
        begins_on=event.begins_on,
        ends_on=event.ends_on,
        stages=event.stages,
        by=record.actor,
        at=record.at,
        reason=event.reason if isinstance(event, PlanRevised) else None,
    )


campaigns = View("campaigns", CampaignCard, campaign_card, CampaignEvent.__value__.__args__)

# -- People --------------------------------------------------------------------------------------


class PersonCard(rosters.Person):
    """A roster entry, when it last changed, and why it was last put right."""

    changed_at: Instant
    reason: str | None = None


def person_card(card: PersonCard | None, record: Record) -> PersonCard | None:
    """A roster entry after one more event."""
    event = record.event
    if isinstance(event, PersonEntered):
        entry = dict(rosters.entered(event))
        return PersonCard(**entry, changed_at=record.at)
    if card is None:
        return None
    update: dict[str, object] = {"changed_at": record.at}
    match event:
        case (
            PersonCorrected(reason=reason)
            | PostVoided(reason=reason)
            | MembershipVoided(reason=reason)
            | OversightVoided(reason=reason)
            | LeavingVoided(reason=reason)
            | RejoiningVoided(reason=reason)
            | PersonMerged(reason=reason)
            | MergeVoided(reason=reason)
            | PersonVoided(reason=reason)
        ):
            update["reason"] = reason
        case _:
            pass
    return rosters.changed(card, event).model_copy(update=update)


people = View("people", PersonCard, person_card, PersonEvent.__value__.__args__)

# -- Erasures ------------------------------------------------------------------------------------


class ErasureCard(Card):
    """Whom or what somebody asked to erase, who asked and who approved, and the last reason given."""

    person: PersonId | None = None
    kind: TextKind | None = None
    record: str | None = None
    state: Literal["requested", "withdrawn", "erased"] = "requested"
    reason: str
    requested_by: PersonId
    approved_by: PersonId | None = None


def erasure_card(card: ErasureCard | None, record: Record) -> ErasureCard | None:
    """An erasure after one more event."""
    match card, record.event:
        case _, ErasureRequested() | TextErasureRequested() as event:
            return ErasureCard(**dict(event), changed_at=record.at)
        case ErasureCard(), ErasureWithdrawn(reason=reason):
            return _changed(card, record, state="withdrawn", reason=reason)
        case ErasureCard(), PersonErased(reason=reason) | TextsErased(reason=reason):
            done = {"state": "erased", "reason": reason, "approved_by": record.actor}
            return _changed(card, record, **done)
        case _:
            return card


erasures = View("erasures", ErasureCard, erasure_card, ErasureEvent.__value__.__args__)

# -- Calendar ------------------------------------------------------------------------------------


class Holiday(Span):
    """Days without school, and what they are called."""

    name: str


class CalendarCard(Card):
    """A school's calendar, in the order of its days."""

    years: tuple[SchoolYear, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    make_up_days: tuple[date, ...] = ()

    def days(self) -> Calendar:
        """The calendar to count with."""
        return Calendar(
            years=self.years,
            holidays=tuple(Span(begins_on=h.begins_on, ends_on=h.ends_on) for h in self.holidays),
            make_up_days=frozenset(self.make_up_days),
        )


def calendar_card(card: CalendarCard | None, record: Record) -> CalendarCard | None:
    """The calendar after one more event."""
    event = record.event
    card = card or CalendarCard(changed_at=record.at)
    after = calendar_after(card.days(), event)
    named = card.holidays
    match event:
        case HolidayDeclared(begins_on=begin, ends_on=end, name=name):
            named = (*_without(named, begin, end), Holiday(begins_on=begin, ends_on=end, name=name))
        case HolidayCancelled(begins_on=begin, ends_on=end):
            named = _without(named, begin, end)
        case _:
            pass
    return _changed(
        card,
        record,
        years=after.years,
        holidays=tuple(sorted(named, key=lambda h: (h.begins_on, h.ends_on))),
        make_up_days=tuple(sorted(after.make_up_days)),
    )


def _without(holidays: tuple[Holiday, ...], begins_on: date, ends_on: date) -> tuple[Holiday, ...]:
    return tuple(h for h in holidays if (h.begins_on, h.ends_on) != (begins_on, ends_on))


calendars = View("calendars", CalendarCard, calendar_card, CalendarEvent.__value__.__args__)

# -- Inspections ---------------------------------------------------------------------------------


class InspectionCard(Card):
    """An inspection, what it found, the keys of what was raised; a voided one stays visible."""

    kind: InspectionKind
    held_on: date
    scope: str
    found: str
    recorded_by: PersonId
    by_supervision: bool = False
    state: Literal["recorded", "voided"] = "recorded"
    reason: str | None = None
    raised: tuple[str, ...] = ()


def inspection_card(card: InspectionCard | None, record: Record) -> InspectionCard | None:
    """An inspection after one more event."""
    match card, record.event:
        case _, InspectionRecorded() as event:
            said = {**dict(event), "recorded_by": record.actor}
            return InspectionCard(**said, changed_at=record.at)
        case InspectionCard(), InspectionCorrected() as event:
            return _changed(card, record, **dict(event))
        case InspectionCard(), InspectionFindingRaised(key=key):
            return _changed(card, record, raised=(*card.raised, key))
        case InspectionCard(), InspectionVoided(reason=reason):
            return _changed(card, record, state="voided", reason=reason)
        case _:
            return card


inspections = View(
    "inspections",
    InspectionCard,
    inspection_card,
    InspectionEvent.__value__.__args__,
    version=2,
)

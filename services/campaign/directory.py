"""One school at a glance: name, people, units, accounts, calendar and policy, as rules need them.

Every service keeps this ledger for itself, folded from campaign's events. Pure.
"""

from datetime import UTC, date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from services.campaign import calendar as calendars
from services.campaign import roster as rosters
from services.campaign.calendar import Calendar, Deadline, Period
from services.campaign.defaults import Policy, periods
from services.campaign.events import (
    AccountClosed,
    AccountEvent,
    AccountHandedOver,
    AccountOpened,
    BureauAdmitted,
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
    PersonErased,
    PersonEvent,
    PlanApproved,
    PlanDrafted,
    PlanFiled,
    PlanRevised,
    PlanSentBack,
    PolicySet,
    SchoolCorrected,
    SchoolEnrolled,
    SchoolEvent,
    Stage,
    StartCorrected,
    TextsErased,
    UnitClosed,
    UnitCorrected,
    UnitEntered,
    UnitEvent,
    UnitKind,
    UnitReopened,
    UnitVoided,
)
from services.campaign.roster import Roster
from shared.callers import Caller, Claims, Unauthenticated, UnknownPerson, UnknownSchool
from shared.decider import Event, PersonId
from shared.envelope import Record

FOLLOWS: tuple[type[Event], ...] = (
    PersonErased,
    TextsErased,
    *(
        event
        for alias in (
            SchoolEvent,
            UnitEvent,
            AccountEvent,
            BureauEvent,
            CampaignEvent,
            PersonEvent,
            CalendarEvent,
        )
        for event in alias.__value__.__args__
    ),
)
"""The events a directory is made of."""


class School(BaseModel):
    """Name (sealed), IANA time zone, language."""

    model_config = ConfigDict(frozen=True)
    name: str
    zone: str
    language: str


class Unit(BaseModel):
    """A department, branch, grade or subject group; its name stays sealed."""

    model_config = ConfigDict(frozen=True)
    kind: UnitKind
    name: str
    closed_on: date | None = None


class Bureau(BaseModel):
    """A bureau that sees the school's sums: by what its tokens are known, whether it sees more."""

    model_config = ConfigDict(frozen=True)
    account: str
    granted: bool = False


class Campaign(BaseModel):
    """A campaign as far as the others need it.

    Until it runs `state` is that of its plan; while it runs a revised plan changes only its dates.
    """

    model_config = ConfigDict(frozen=True)
    title: str
    begins_on: date
    ends_on: date
    stages: tuple[Stage, ...]
    follows_on: str | None = None
    state: Literal["drafted", "approved", "filed", "running", "concluded"] = "drafted"
    started_on: date | None = None
    concluded_on: date | None = None
    policy: Policy = Policy()


class Directory(BaseModel):
    """Everything of a school that rules look at; the same whoever folds it."""

    model_config = ConfigDict(frozen=True, validate_by_name=True, serialize_by_alias=True)
    school: School = Field(alias="enrolled_as")  # a stored view keeps `school` for the token
    units: dict[str, Unit] = {}
    roster: Roster = Roster()
    erased: tuple[PersonId, ...] = ()
    erased_texts: tuple[str, ...] = ()
    accounts: dict[str, PersonId] = {}
    bureaus: dict[str, Bureau] = {}
    calendar: Calendar = Calendar()
    campaigns: dict[str, Campaign] = {}

    @property
    def current(self) -> str | None:
        """The campaign that counts: one that runs, else the last one not over, else the last."""
        running = [c for c, entry in self.campaigns.items() if entry.state == "running"]
        going = [c for c, entry in self.campaigns.items() if entry.state != "concluded"]
        candidates = running or going or [*self.campaigns]
        return candidates[-1] if candidates else None

    @property
    def policy(self) -> Policy:
        """The settings of the campaign that counts."""
        return self.campaigns[self.current].policy if self.current else Policy()

    def day(self, at: datetime) -> date:
        """The date of an instant in the school's zone."""
        return at.astimezone(ZoneInfo(self.school.zone)).date()

    def has_unit(self, unit: str, kind: UnitKind, day: date) -> bool:
        """Whether a unit of that kind exists on a day."""
        entry = self.units.get(unit)
        return (
            entry is not None
            and entry.kind is kind
            and (entry.closed_on is None or day <= entry.closed_on)
        )

    # -- Deadlines -----------------------------------------------------------

    def due(self, at: datetime, setting: str) -> Deadline:
        """The deadline that a policy setting gives from an instant on."""
        return self.calendar.due(at, self.policy.setting(setting), self.school.zone)

    def reminders(self, due: Deadline, at: datetime) -> tuple[datetime, ...]:
        """When to remind of a deadline, earliest first; what is past or not before it is left out."""
        wanted = periods(self.policy.setting("remind_before").value)
        moments = (self.calendar.before(due, p, self.school.zone) for p in wanted)
        return tuple(sorted(m.astimezone(UTC) for m in moments if at < m < due.at))

    def escalations(self, due: Deadline) -> tuple[datetime, datetime, datetime]:
        """When to urge, to supervise, and to call to account."""
        urge, supervise, account = (
            self.calendar.beyond(due, self.policy.setting(name), self.school.zone).astimezone(UTC)
            for name in ("urge_after", "supervise_after", "accountability_after")
        )
        return urge, supervise, account

    def on_day(self, day: date) -> Deadline:
        """The deadline that is the end of a day."""
        return Deadline(at=calendars.end_of_day(day, self.school.zone), on=day)

    def period(self, setting: str) -> Period:
        """A policy setting's value and unit."""
        return self.policy.setting(setting)

    # -- People --------------------------------------------------------------

    def caller(self, account: str, at: datetime) -> Caller:
        """Who the holder of an account is here today, and the roles that count.

        A bureau is that and nothing else, and its every look is put on record.

        Raises:
            UnknownPerson: the account belongs to nobody who is here.
        """
        for bureau, entry in self.bureaus.items():
            if entry.account == account:
                roles = {"bureau", "granted_bureau"} if entry.granted else {"bureau"}
                return Caller(PersonId(f"bureau:{bureau}"), frozenset(roles), on_record=True)
        if account not in self.accounts:
            raise UnknownPerson
        person = self.roster.identity(self.accounts[account])
        if not self.roster.present(person, self.day(at)):
            raise UnknownPerson
        held = self.roster.roles(person, self.day(at))
        return Caller(person, frozenset({"person", *(role.value for role in held)}))


AUDITOR = frozenset({"auditor", "person", "operator", "supervisor"})
"""What an auditor asks as: the widest view there is, with nothing opened and nothing changed."""


def who(directory: Directory | None, claims: Claims, account: str, at: datetime) -> Caller:
    """Who asks. Operators, services, originators, auditors and anonymous callers are in no roster.

    Raises:
        Unauthenticated, UnknownPerson, UnknownSchool: as their names say.
    """
    vouched = claims.roles & {"operator", "service", "originator", "auditor", "anonymous"}
    if directory is None and not vouched & {"operator", "service"}:
        raise UnknownSchool
    if "anonymous" in vouched:
        return Caller(PersonId("anonymous"), frozenset({"anonymous"}))
    if vouched:
        role = min(vouched)
        name = claims.subject.removeprefix(f"{role}:")
        if not name or not all(c.isascii() and (c.isalnum() or c == "-") for c in name):
            raise Unauthenticated
        if "auditor" in vouched:
            return Caller(PersonId(f"auditor:{name}"), AUDITOR, on_record=True, sealed=True)
        return Caller(PersonId(f"{role}:{name}"), vouched)
    if directory is None:
        raise UnknownSchool
    return directory.caller(account, at)


def erased(directory: Directory) -> tuple[str, ...]:
    """The scopes whose keys are destroyed for good: people, and texts that were erased alone."""
    return (*(f"person.{person}" for person in directory.erased), *directory.erased_texts)


def fold(directory: Directory | None, record: Record) -> Directory | None:
    """The directory after one more event."""
    event = record.event
    if isinstance(event, SchoolEnrolled):
        school = School(name=event.name, zone=event.zone, language=event.language)
        return Directory(school=school)
    return directory and directory.model_copy(update=_changes(directory, record, event))


def _changes(directory: Directory, record: Record, event: Event) -> dict[str, object]:  # noqa: PLR0911 -- a table
    """What an event changes: each kind of stream has its own part."""
    match record.category:
        case "school":
            return {"school": _corrected(directory.school, event)}
        case "unit":
            return {"units": _units(directory.units, record.stream, event)}
        case "account":
            return {"accounts": _accounts(directory.accounts, event)}
        case "bureau":
            return {"bureaus": _bureaus(directory.bureaus, record.stream, event)}
        case "campaign":
            return {"campaigns": _campaigns(directory.campaigns, record.stream, event)}
        case "person":
            person = PersonId(record.stream)
            return {"roster": rosters.evolve(directory.roster, person, event)}
        case "erasure":
            return _erasing(directory, event)
        case _:
            return {"calendar": calendars.evolve(directory.calendar, event)}


def _corrected(school: School, event: Event) -> School:
    if not isinstance(event, SchoolCorrected):
        return school
    return School(name=event.name, zone=event.zone, language=event.language)


def _erasing(directory: Directory, event: Event) -> dict[str, object]:
    """Who is erased stays in the roster; their number is free for whoever comes back."""
    if isinstance(event, TextsErased):
        return {"erased_texts": (*directory.erased_texts, *event.scopes)}
    if not isinstance(event, PersonErased):
        return {}
    people = directory.roster.people
    unnumbered = {
        person: people[person].model_copy(update={"number_index": None})
        for person in event.people
        if person in people
    }
    return {
        "erased": (*directory.erased, *event.people),
        "roster": Roster(people={**people, **unnumbered}),
    }


def _units(units: dict[str, Unit], unit: str, event: Event) -> dict[str, Unit]:
    match event:
        case UnitEntered(kind=kind, name=name):
            return {**units, unit: Unit(kind=kind, name=name)}
        case UnitCorrected(kind=kind, name=name):
            return {**units, unit: units[unit].model_copy(update={"kind": kind, "name": name})}
        case UnitClosed(on=day):
            return {**units, unit: units[unit].model_copy(update={"closed_on": day})}
        case UnitReopened():
            return {**units, unit: units[unit].model_copy(update={"closed_on": None})}
        case UnitVoided():
            return {key: value for key, value in units.items() if key != unit}
        case _:
            return units


def _accounts(accounts: dict[str, PersonId], event: Event) -> dict[str, PersonId]:
    match event:
        case (
            AccountOpened(account=account, person=person)
            | AccountHandedOver(account=account, person=person)
        ):
            return {**accounts, account: person}
        case AccountClosed(account=account):
            return {key: value for key, value in accounts.items() if key != account}
        case _:
            return accounts


def _bureaus(bureaus: dict[str, Bureau], bureau: str, event: Event) -> dict[str, Bureau]:
    match event:
        case BureauAdmitted(account=account):
            return {**bureaus, bureau: Bureau(account=account)}
        case DrillDownGranted() | DrillDownWithdrawn():
            granted = isinstance(event, DrillDownGranted)
            return {**bureaus, bureau: bureaus[bureau].model_copy(update={"granted": granted})}
        case BureauDismissed():
            return {key: value for key, value in bureaus.items() if key != bureau}
        case _:
            return bureaus


def _campaigns(campaigns: dict[str, Campaign], campaign: str, event: Event) -> dict[str, Campaign]:
    entry = campaigns.get(campaign)
    match event:
        case PlanDrafted():
            new = Campaign(
                title=event.title,
                begins_on=event.begins_on,
                ends_on=event.ends_on,
                stages=event.stages,
                follows_on=event.follows_on,
                policy=campaigns[event.follows_on].policy
                if event.follows_on in campaigns
                else Policy(),
            )
            return {**campaigns, campaign: new}
        case CampaignVoided():
            return {key: value for key, value in campaigns.items() if key != campaign}
        case _ if entry:
            return {**campaigns, campaign: entry.model_copy(update=_progress(entry, event))}
        case _:
            return campaigns


def _progress(entry: Campaign, event: Event) -> dict[str, object]:  # noqa: PLR0911 -- a table
    match event:
        case PlanRevised(title=title, begins_on=begin, ends_on=end, stages=stages):
            plan = {"title": title, "begins_on": begin, "ends_on": end, "stages": stages}
            return plan | _reviewed(entry, "drafted")
        case PlanApproved():
            return _reviewed(entry, "approved")
        case PlanSentBack():
            return _reviewed(entry, "drafted")
        case PlanFiled():
            return _reviewed(entry, "filed")
        case PolicySet(setting=setting, value=value, unit=unit):
            period = Period(value=value, unit=unit)
            return {"policy": Policy(values={**entry.policy.values, setting: period})}
        case CampaignStarted(on=day):
            return {"state": "running", "started_on": day}
        case StartCorrected(on=day):
            return {"started_on": day}
        case CampaignConcluded(on=day):
            return {"state": "concluded", "concluded_on": day}
        case CampaignResumed():
            return {"state": "running", "concluded_on": None}
        case _:
            return {}


def _reviewed(entry: Campaign, state: str) -> dict[str, object]:
    """A campaign that runs goes on running while its changed plan is approved and filed again."""
    return {} if entry.state == "running" else {"state": state}

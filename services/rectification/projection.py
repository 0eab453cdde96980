"""What people look at: the ledger, a card per issue; plans and the measures behind them; regulations."""

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from services.campaign.calendar import Deadline
from services.campaign.directory import FOLLOWS, Directory, fold
from services.feedback.events import (
    Addressee,
    CollationClosed,
    CollationOpened,
    CollationVoided,
    Discovery,
    OpinionSubmitted,
    Topic,
    Wind,
)
from services.meetings.events import (
    ExaminationAdopted,
    ExaminationCorrected,
    ExaminationDrafted,
    ExaminationRevised,
    ExaminationSentBack,
    ExaminationSubmitted,
    ExaminationVoided,
    MeasureCorrected,
    MeasureResolved,
    MeetingEntry,
    MeetingEntryVoided,
    MeetingKind,
    MeetingPlanned,
    MeetingPlanRevised,
    MeetingVoided,
    MinutesCorrected,
    Paper,
)
from services.rectification.events import (
    Concern,
    ConvertedToLongTerm,
    Evidence,
    EvidenceAdded,
    ExplainedNotPossible,
    ExtensionGranted,
    ExtensionRefused,
    ExtensionRequested,
    IssueAssigned,
    IssueCalledToAccount,
    IssueClaimed,
    IssueCorrected,
    IssueDeclined,
    IssueEvent,
    IssueMerged,
    IssueOpened,
    IssueReminded,
    IssueReopened,
    IssueReturned,
    IssueStruckOff,
    IssueSupervised,
    IssueTransferred,
    IssueUrged,
    IssueVerified,
    IssueVoided,
    LookedBack,
    Measure,
    MeasuresPlanned,
    Mode,
    NoticePublished,
    ObjectionDismissed,
    ObjectionRaised,
    ObjectionUpheld,
    OriginKind,
    PlanEvent,
    PlanLine,
    PlanLineRemoved,
    PlanLineSet,
    ProgressReported,
    RectificationPlanAdopted,
    RectificationPlanCorrected,
    RectificationPlanDrafted,
    RectificationPlanReopened,
    RectificationPlanVoided,
    RectificationStarted,
    RegulationAbolished,
    RegulationAdopted,
    RegulationCorrected,
    RegulationDrafted,
    RegulationEvent,
    RegulationRevised,
    RegulationVoided,
    Satisfied,
    Solved,
    Source,
    SourceCorrected,
    SourceVoided,
    Stage,
    StrikeOffRequested,
    VerdictRecorded,
)
from shared.decider import Event, Instant, PersonId
from shared.envelope import Record
from shared.views import View, ledger

directory = ledger("directory", Directory, fold, FOLLOWS)

LIVE: tuple[Stage, ...] = (
    "open",
    "owned",
    "planned",
    "underway",
    "awaiting_verification",
    "verified",
    "on_notice",
)
TIMED: tuple[Stage, ...] = ("open", "owned", "planned", "underway", "long_term")
"""Stages with a deadline that can pass: its reminders and its ladder are set (`policy.timers`)."""
NOT_ENDED: tuple[Stage, ...] = (*LIVE, "long_term")
"""Stages in which somebody still has to see to the issue."""


class _Document(BaseModel):
    """A part of a document."""

    model_config = ConfigDict(frozen=True)


class Progress(_Document):
    """The latest word on how it goes."""

    text: str
    at: Instant
    by: PersonId


class OpinionVerdict(_Document):
    """What one originator said of the outcome."""

    originator: PersonId
    solved: Solved
    satisfied: Satisfied
    comment: str | None
    at: Instant


class Rung(_Document):
    """A time a deadline was spoken of, and who was told."""

    rung: Literal["remind", "urge", "supervise", "account"]
    concern: Concern
    at: Instant
    told: tuple[PersonId, ...]


class Notice(_Document):
    """What was heard of where an issue comes from: put right there, or voided, and by which event."""

    source: Source
    key: str
    event: str
    voided: bool
    at: Instant


class IssueCard(BaseModel):
    """One line of the ledger, with every column of a 整改台账 and its lineage."""

    model_config = ConfigDict(frozen=True)
    title: str
    description: str | None
    stage: Stage
    addressee: Addressee
    person: PersonId | None
    winds: tuple[Wind, ...]
    topics: tuple[Topic, ...]
    discovery: Discovery
    key_issue: bool
    strongly_reflected: bool
    sources: tuple[Source, ...]
    opinions: tuple[str, ...]
    parent: str | None
    raised_by: PersonId
    opened_at: Instant
    found_at: Instant
    since: Instant
    owner: PersonId | None = None
    claimed: bool | None = None
    accountable_leader: PersonId | None = None
    responsible_department: str | None = None
    reviewer: PersonId | None = None
    mode: Mode | None = None
    measures: tuple[Measure, ...] = ()
    due: Deadline | None = None
    first_due: Deadline | None = None
    extensions: int = 0
    extension_asked: date | None = None
    progress: Progress | None = None
    evidence: tuple[Evidence, ...] = ()
    statement: str | None = None
    finding: str | None = None
    verified_at: Instant | None = None
    returned: int = 0
    declined: int = 0
    reopened: int = 0
    notice_until: Deadline | None = None
    objection: str | None = None
    struck_off_at: Instant | None = None
    struck_off_by: PersonId | None = None
    verdicts_until: Deadline | None = None
    verdicts: tuple[OpinionVerdict, ...] = ()
    rungs: tuple[Rung, ...] = ()
    looked_back: Instant | None = None
    relapse: bool | None = None
    merged_into: str | None = None
    ending: str | None = None
    notices: tuple[Notice, ...] = ()


def issue_card(card: IssueCard | None, record: Record) -> IssueCard | None:
    """Where the line stands after one more event."""
    event = record.event
    if isinstance(event, IssueOpened):
        return _opened(event, record)
    if card is None:
        return None
    return card.model_copy(update=_change(card, event, record))


def _opened(event: IssueOpened, record: Record) -> IssueCard:
    return IssueCard(
        title=event.title,
        description=event.description,
        stage="open",
        addressee=event.addressee,
        person=event.person,
        winds=event.winds,
        topics=event.topics,
        discovery=event.discovery,
        key_issue=event.key_issue,
        strongly_reflected=event.strongly_reflected,
        sources=event.sources,
        opinions=tuple(o for source in event.sources for o in source.opinions),
        parent=event.parent,
        raised_by=event.raised_by,
        opened_at=record.at,
        found_at=record.occurred,
        since=record.at,
        due=event.watch.due,
    )


def _change(card: IssueCard, event: Any, record: Record) -> dict[str, object]:  # noqa: ANN401 -- a table over all events
    at = record.at
    match event:
        case IssueCorrected():
            return {n: getattr(event, n) for n in type(event).model_fields if n != "reason"}
        case IssueVoided():
            return {**_ended("voided", at), "ending": event.reason}
        case SourceCorrected() | SourceVoided():
            voided = isinstance(event, SourceVoided)
            return {"notices": (*card.notices, Notice(**dict(event), voided=voided, at=at))}
        case IssueClaimed(owner=owner, watch=watch) | IssueAssigned(owner=owner, watch=watch):
            claimed = isinstance(event, IssueClaimed)
            return {
                "stage": "owned",
                "since": at,
                "owner": owner,
                "claimed": claimed,
                "due": watch.due,
            }
        case IssueDeclined(watch=watch):
            declined = card.declined + 1
            return {
                "stage": "open",
                "since": at,
                "owner": None,
                "claimed": None,
                "due": watch.due,
                "declined": declined,
            }
        case IssueTransferred(owner=owner):
            return {"owner": owner}
        case MeasuresPlanned():
            again = card.stage in {"planned", "underway"}
            return {
                "stage": card.stage if again else "planned",
                "since": card.since if again else at,
                "mode": event.mode,
                "measures": event.measures,
                "reviewer": event.reviewer,
                "accountable_leader": event.accountable_leader,
                "responsible_department": event.responsible_department,
                "due": event.watch.due,
                "first_due": card.first_due or event.watch.due,
            }
        case RectificationStarted():
            return {"stage": "underway", "since": at}
        case ProgressReported(text=text):
            return {"progress": Progress(text=text, at=record.occurred, by=record.actor)}
        case EvidenceAdded(evidence=evidence):
            return {"evidence": (*card.evidence, evidence)}
        case ExtensionRequested(until=until):
            return {"extension_asked": until}
        case ExtensionGranted(watch=watch):
            return {"due": watch.due, "extensions": card.extensions + 1, "extension_asked": None}
        case ExtensionRefused():
            return {"extension_asked": None}
        case StrikeOffRequested(statement=statement):
            return {
                "stage": "awaiting_verification",
                "since": at,
                "statement": statement,
                "extension_asked": None,
            }
        case IssueVerified(finding=finding):
            return {"stage": "verified", "since": at, "finding": finding, "verified_at": at}
        case IssueReturned(reason=reason, times=times, watch=watch):
            told = {"finding": reason, "returned": times, "due": watch.due}
            return {"stage": "underway", "since": at, **told}
        case NoticePublished(until=until):
            return {"stage": "on_notice", "since": at, "notice_until": until}
        case ObjectionRaised(text=text):
            return {"objection": text}
        case ObjectionUpheld(times=times) if card.stage == "on_notice":
            return {
                "stage": "underway",
                "since": at,
                "objection": None,
                "returned": times,
                "notice_until": None,
                "verified_at": None,
            }
        case ObjectionUpheld():
            return {"objection": None}
        case ObjectionDismissed(until=until):
            return {"objection": None, "notice_until": until or card.notice_until}
        case IssueStruckOff(verdicts_until=until):
            return {
                "stage": "struck_off",
                "since": at,
                "struck_off_at": at,
                "struck_off_by": record.actor,
                "verdicts_until": until,
                "due": None,
            }
        case VerdictRecorded():
            verdict = OpinionVerdict(
                originator=event.originator,
                solved=event.solved,
                satisfied=event.satisfied,
                comment=event.comment,
                at=at,
            )
            return {"verdicts": (*card.verdicts, verdict)}
        case IssueReopened(owner=owner, times=times, watch=watch):
            return {
                "stage": "owned",
                "since": at,
                "owner": owner,
                "claimed": False,
                "reopened": times,
                "due": watch.due,
                "struck_off_at": None,
                "struck_off_by": None,
                "looked_back": None,
                "relapse": None,
                "verified_at": None,
                "notice_until": None,
                "verdicts_until": None,
                "verdicts": (),
                "evidence": (),
                "ending": None,
                "first_due": None,
            }
        case LookedBack(relapse=relapse):
            return {"looked_back": at, "relapse": relapse}
        case ConvertedToLongTerm(reason=reason, watch=watch):
            return {
                "stage": "long_term",
                "since": at,
                "due": watch.due,
                "ending": reason,
                "mode": Mode.long_term,
                "extension_asked": None,
            }
        case ExplainedNotPossible(explanation=explanation, verdicts_until=until):
            return {
                **_ended("not_possible", at),
                "ending": explanation,
                "verdicts_until": until,
            }
        case IssueMerged(into=into, reason=reason):
            return {**_ended("merged", at), "merged_into": into, "ending": reason}
        case IssueReminded() | IssueUrged() | IssueSupervised() | IssueCalledToAccount():
            rung = Rung(rung=_RUNGS[type(event)], concern=event.concern, at=at, told=event.told)
            return {"rungs": (*card.rungs, rung)}
        case _:
            return {}


def _ended(stage: Stage, at: Instant) -> dict[str, object]:
    """What ends with an issue: no deadline counts any more, no request waits."""
    return {"stage": stage, "since": at, "due": None, "extension_asked": None}


_RUNGS: dict[type, Literal["remind", "urge", "supervise", "account"]] = {
    IssueReminded: "remind",
    IssueUrged: "urge",
    IssueSupervised: "supervise",
    IssueCalledToAccount: "account",
}

issues = View(
    "issues",
    IssueCard,
    issue_card,
    IssueEvent.__value__.__args__,
    version=2,
)


# -- lineage ---------------------------------------------------------------------------------------


class Heard(BaseModel):
    """An opinion as rectification knows it: who submitted it in person, which issues it became."""

    model_config = ConfigDict(frozen=True)
    submitted_by: PersonId | None = None
    issues: tuple[str, ...] = ()


def heard(document: Heard | None, record: Record) -> Heard | None:
    """What is known of an opinion after one more event."""
    known = document or Heard()
    match record.event:
        case OpinionSubmitted(submitted_by=person, recorded_by_clerk=False):
            return known.model_copy(update={"submitted_by": person})
        case OpinionSubmitted():
            return known
        case IssueOpened() if record.stream not in known.issues:
            return known.model_copy(update={"issues": (*known.issues, record.stream)})
        case _:
            return document


def _opinions_of(record: Record) -> tuple[str, ...]:
    match record.event:
        case IssueOpened(sources=sources):
            return tuple(dict.fromkeys(o for source in sources for o in source.opinions))
        case _:
            return (record.stream,)


opinions = View(
    "opinions",
    Heard,
    heard,
    (OpinionSubmitted, IssueOpened),
    kind="index",
    keys=_opinions_of,
)


class Collation(BaseModel):
    """Whether a collation is still open."""

    model_config = ConfigDict(frozen=True)
    open: bool


def collation(_: Collation | None, record: Record) -> Collation:
    """Where the collation stands."""
    return Collation(open=isinstance(record.event, CollationOpened))


collations = View(
    "collations",
    Collation,
    collation,
    (CollationOpened, CollationClosed, CollationVoided),
    version=3,
)


# -- measures of other services --------------------------------------------------------------------


class Taken(_Document):
    """A measure as it was taken; its words stay sealed under the meeting or self-examination."""

    key: str
    text: str
    owner: PersonId | None
    due_on: date | None
    deliverable: str | None
    issues: tuple[str, ...]
    voided: bool = False


class Measures(BaseModel):
    """The measures of one meeting, or of one self-examination, that lines of a plan may carry out.

    Those of a self-examination count once it was handed in, until it is sent back; what was voided
    counts no more. `person` is whose self-examination it is, the team's having none; `adopted` whether
    a leadership meeting passed it.
    """

    model_config = ConfigDict(frozen=True)
    kind: OriginKind
    campaign: str | None
    title: str | None = None
    meeting: MeetingKind | None = None
    branch: str | None = None
    person: PersonId | None = None
    counts: bool = False
    adopted: bool = False
    measures: tuple[Taken, ...] = ()


def measures_taken(known: Measures | None, record: Record) -> Measures | None:
    """The measures of a meeting or self-examination after one more event."""
    match record.event:
        case MeetingPlanned() as event:
            return Measures(
                kind=OriginKind.meeting,
                campaign=event.campaign,
                title=event.title,
                meeting=event.kind,
                branch=event.branch,
                counts=True,
            )
        case ExaminationDrafted() as event:
            return Measures(
                kind=OriginKind.examination,
                campaign=event.campaign,
                person=event.person,
                measures=_promised(event.paper),
            )
        case event:
            return known and known.model_copy(update=_measured(known, event))


def _measured(known: Measures, event: object) -> dict[str, object]:
    match event:
        case MeetingPlanRevised(title=title, branch=branch):
            return {"title": title, "branch": branch}
        case MinutesCorrected(title=title):
            return {"title": title}
        case MeasureResolved():
            return {"measures": (*known.measures, _taken(event))}
        case MeasureCorrected(key=key):
            changed = (_taken(event) if m.key == key else m for m in known.measures)
            return {"measures": tuple(changed)}
        case MeetingEntryVoided(entry=MeetingEntry.measure, key=key):
            gone = {"voided": True}
            left = (m.model_copy(update=gone) if m.key == key else m for m in known.measures)
            return {"measures": tuple(left)}
        case ExaminationRevised(paper=paper) | ExaminationCorrected(paper=paper):
            return {"measures": _promised(paper)}
        case ExaminationSubmitted():
            return {"counts": True}
        case ExaminationAdopted():
            return {"adopted": True}
        case ExaminationSentBack() | ExaminationVoided() | MeetingVoided():
            return {"counts": False, "adopted": False}
        case _:  # another entry of the minutes
            return {}


def _taken(event: MeasureResolved | MeasureCorrected) -> Taken:
    return Taken(**{name: value for name, value in event if name != "reason"})


def _promised(paper: Paper) -> tuple[Taken, ...]:
    """The measures of a paper; one from before they had keys goes by its number."""
    return tuple(
        Taken(**{**dict(measure), "key": measure.key or str(number)})
        for number, measure in enumerate(paper.measures, start=1)
    )


measures = View(
    "measures",
    Measures,
    measures_taken,
    (
        MeetingPlanned,
        MeetingPlanRevised,
        MinutesCorrected,
        MeasureResolved,
        MeasureCorrected,
        MeetingEntryVoided,
        MeetingVoided,
        ExaminationDrafted,
        ExaminationRevised,
        ExaminationCorrected,
        ExaminationSubmitted,
        ExaminationAdopted,
        ExaminationSentBack,
        ExaminationVoided,
    ),
)


# -- plan and regulation ---------------------------------------------------------------------------


class PlanCard(BaseModel):
    """A rectification plan: its lines by issue, and what it did not cover when it was adopted.

    `planned` are the issues it has, or once had, a line for.
    """

    model_config = ConfigDict(frozen=True)
    campaign: str
    title: str
    stage: Literal["drafted", "adopted", "voided"] = "drafted"
    revision: int = 1
    lines: tuple[PlanLine, ...] = ()
    planned: tuple[str, ...] = ()
    uncovered: tuple[str, ...] = ()
    drafted_at: Instant
    adopted_at: Instant | None = None


def line_of(event: Event | None) -> str | None:
    """The issue whose line an event of a plan sets or removes."""
    match event:
        case PlanLineSet(line=line):
            return line.issue
        case PlanLineRemoved(issue=issue):
            return issue
        case _:
            return None


def plan_card(card: PlanCard | None, record: Record) -> PlanCard | None:
    """The plan after one more event."""
    event = record.event
    match event:
        case RectificationPlanDrafted(campaign=campaign, title=title):
            return PlanCard(campaign=campaign, title=title, drafted_at=record.at)
        case _ if card is None:
            return None
        case RectificationPlanCorrected(title=title):
            return card.model_copy(update={"title": title})
        case PlanLineSet(line=line):
            others = tuple(known for known in card.lines if known.issue != line.issue)
            planned = tuple(dict.fromkeys((*card.planned, line.issue)))
            return card.model_copy(update={"lines": (*others, line), "planned": planned})
        case PlanLineRemoved(issue=issue):
            lines = tuple(line for line in card.lines if line.issue != issue)
            return card.model_copy(update={"lines": lines})
        case RectificationPlanAdopted(revision=revision, uncovered=uncovered):
            return card.model_copy(
                update={
                    "stage": "adopted",
                    "revision": revision,
                    "uncovered": uncovered,
                    "adopted_at": record.at,
                }
            )
        case RectificationPlanReopened(revision=revision):
            return card.model_copy(update={"stage": "drafted", "revision": revision})
        case RectificationPlanVoided():
            return card.model_copy(update={"stage": "voided"})
        case _:
            return card


plans = View("plans", PlanCard, plan_card, PlanEvent.__value__.__args__, version=3)


class RegulationCard(BaseModel):
    """A regulation: its text, whether it is in force, and the issues it answers."""

    model_config = ConfigDict(frozen=True)
    title: str
    text: str
    answers: tuple[str, ...]
    stage: Literal["drafted", "adopted", "abolished", "voided"] = "drafted"
    revision: int = 1
    drafted_at: Instant
    in_force_on: date | None = None
    abolished_on: date | None = None


def regulation_card(card: RegulationCard | None, record: Record) -> RegulationCard | None:
    """The regulation after one more event."""
    match record.event:
        case RegulationDrafted(title=title, text=text, answers=answers):
            return RegulationCard(title=title, text=text, answers=answers, drafted_at=record.at)
        case _ if card is None:
            return None
        case RegulationCorrected() as event:
            corrected = {
                n: getattr(event, n)
                for n in ("title", "text", "answers", "in_force_on", "abolished_on")
            }
            return card.model_copy(update=corrected)
        case RegulationAdopted(in_force_on=day):
            return card.model_copy(update={"stage": "adopted", "in_force_on": day})
        case RegulationRevised() as event:
            names = ("revision", "title", "text", "answers")
            return card.model_copy(update={name: getattr(event, name) for name in names})
        case RegulationAbolished(on=day):
            return card.model_copy(update={"stage": "abolished", "abolished_on": day})
        case RegulationVoided():
            return card.model_copy(update={"stage": "voided"})
        case _:
            return card


regulations = View(
    "regulations", RegulationCard, regulation_card, RegulationEvent.__value__.__args__
)

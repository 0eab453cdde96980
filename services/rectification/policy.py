"""What rectification does of its own accord: it opens issues, and lets the clock speak of deadlines."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from services.campaign.defaults import MOST_PERIODS
from services.campaign.events import InspectionFindingRaised, InspectionVoided
from services.feedback.events import CollationClosed, Problem, ProposedIssue
from services.meetings.events import (
    MeetingEntry,
    MeetingEntryVoided,
    MeetingProblemCorrected,
    MeetingProblemRaised,
    MeetingVoided,
)
from services.rectification.domain.issue import (
    CallToAccount,
    NoteSourceCorrected,
    NoteSourceVoided,
    OpenIssue,
    RemindIssue,
    SuperviseIssue,
    UrgeIssue,
)
from services.rectification.events import (
    Concern,
    ConvertedToLongTerm,
    ExplainedNotPossible,
    ExtensionGranted,
    IssueAssigned,
    IssueClaimed,
    IssueDeclined,
    IssueMerged,
    IssueOpened,
    IssueReopened,
    IssueReturned,
    IssueStruckOff,
    IssueVoided,
    MeasuresPlanned,
    ObjectionDismissed,
    ObjectionRaised,
    ObjectionUpheld,
    SourceKind,
    StrikeOffRequested,
    Watch,
)
from services.study.events import ActivityProblemRaised, ActivityVoided
from services.talks.events import TalkProblemRaised, TalkVoided
from shared.decider import Command, Event, Forget, Policy, Remind, Send
from shared.envelope import Record

FOUND_IN: dict[type[Event], SourceKind] = {
    TalkProblemRaised: SourceKind.talk,
    TalkVoided: SourceKind.talk,
    MeetingProblemRaised: SourceKind.meeting,
    MeetingProblemCorrected: SourceKind.meeting,
    MeetingEntryVoided: SourceKind.meeting,
    MeetingVoided: SourceKind.meeting,
    ActivityProblemRaised: SourceKind.visit,
    ActivityVoided: SourceKind.visit,
    InspectionFindingRaised: SourceKind.inspection,
    InspectionVoided: SourceKind.inspection,
}
"""What is said of problems somebody raised, and what they were found in."""


def issue_of(stream: str, key: str, kind: SourceKind = SourceKind.collation) -> str:
    """The id of the issue that a group of a collation, or a problem of a talk, meeting …, becomes."""
    return str(uuid5(NAMESPACE_URL, f"taizhang:{kind}/{stream}/{key}"))


def open_issues(record: Record) -> Iterator[Send]:
    """What was collated or found elsewhere becomes an issue somebody must claim (R07, R22, R33, R41).

    What is put right or voided there later is noted on that issue, wherever it stands by then. It
    never voids the issue: whoever may void a talk may be the one the issue is about.
    """
    kind = FOUND_IN.get(type(record.event), SourceKind.collation)
    match record.event:
        case CollationClosed(issues=groups):
            for group in groups:
                yield _opening(record, kind, group)
        case MeetingProblemCorrected(key=key):
            yield _notice(record, kind, key, NoteSourceCorrected)
        case MeetingEntryVoided(entry=MeetingEntry.problem, key=key):
            yield _notice(record, kind, key, NoteSourceVoided)
        case (
            TalkVoided(problems=keys)
            | MeetingVoided(problems=keys)
            | ActivityVoided(problems=keys)
            | InspectionVoided(problems=keys)
        ):
            for key in keys:
                yield _notice(record, kind, key, NoteSourceVoided)
        case Problem() as problem:
            yield _opening(record, kind, problem)
        case _:
            return


def _opening(record: Record, kind: SourceKind, problem: ProposedIssue | Problem) -> Send:
    parts = problem.parts if isinstance(problem, ProposedIssue) else ()
    opinions = list(dict.fromkeys(part.opinion for part in parts))
    source = {"kind": kind.value, "id": record.stream, "opinions": opinions}
    asked = problem.model_dump(mode="json", exclude={"key", "parts"})
    to = issue_of(record.stream, problem.key, kind)
    return Send(to, OpenIssue, {**asked, "sources": [source]})


def _notice(record: Record, kind: SourceKind, key: str, command: type[Command]) -> Send:
    source = {"kind": kind.value, "id": record.stream}
    body = {"source": source, "key": key, "event": str(record.id)}
    return Send(issue_of(record.stream, key, kind), command, body)


def timers(record: Record) -> Iterable[Remind | Forget]:
    """The timers an event sets and drops. An issue has one deadline that counts at a time."""
    at = record.at
    match record.event:
        case IssueOpened(watch=watch) | IssueDeclined(watch=watch):
            return _set(Concern.claim, watch, at)
        case IssueClaimed(watch=watch) | IssueAssigned(watch=watch) | IssueReopened(watch=watch):
            return _set(Concern.plan, watch, at)
        case (
            MeasuresPlanned(watch=watch)
            | ExtensionGranted(watch=watch)
            | IssueReturned(watch=watch)
            | ConvertedToLongTerm(watch=watch)
            | ObjectionUpheld(watch=Watch() as watch)
        ):
            return _set(Concern.rectification, watch, at)
        case ObjectionRaised(watch=watch):
            return _set(Concern.objection, watch, at)
        case (
            StrikeOffRequested()
            | ObjectionDismissed()
            | ObjectionUpheld()
            | IssueStruckOff()
            | ExplainedNotPossible()
            | IssueMerged()
            | IssueVoided()
        ):
            return _drop()
        case _:
            return ()


def _set(concern: Concern, watch: Watch, now: datetime) -> Iterator[Remind | Forget]:
    """The timers of a deadline, which may be taken up again late.

    What is past is not made up for, but for the highest rung that ought to have been reached and was
    not: it is climbed at once.
    """
    body = {"concern": concern.value, "due_at": watch.due.at.isoformat()}
    for n, name in enumerate(_REMINDERS):
        if n < len(watch.remind_at) and watch.remind_at[n] > now:
            yield Remind(name, watch.remind_at[n], RemindIssue, body)
        else:
            yield Forget(name)
    moments = dict(zip(_LADDER, (watch.urge_at, watch.supervise_at, watch.account_at), strict=True))
    overdue = [name for name, at in moments.items() if at <= now]
    for rung, (name, at) in enumerate(moments.items(), start=1):
        if rung > watch.climbed and (at > now or name == overdue[-1]):
            yield Remind(name, at, _LADDER[name], body)
        else:
            yield Forget(name)


def _drop() -> Iterator[Forget]:
    for name in (*_REMINDERS, *_LADDER):
        yield Forget(name)


_REMINDERS = tuple(f"remind-{n}" for n in range(MOST_PERIODS))
_LADDER = {"urge": UrgeIssue, "supervise": SuperviseIssue, "account": CallToAccount}

opening = Policy("open-issues", open_issues, follows=(CollationClosed, *FOUND_IN))

"""What rectification does of its own accord: it opens issues, and lets the clock speak of deadlines."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from services.campaign.defaults import MOST_PERIODS
from services.campaign.events import InspectionFindingRaised
from services.feedback.events import CollationClosed, ProposedIssue
from services.meetings.events import MeetingProblemRaised
from services.rectification.domain.issue import (
    CallToAccount,
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
from services.study.events import ActivityProblemRaised
from services.talks.events import TalkProblemRaised
from shared.decider import Forget, Policy, Remind, Send
from shared.envelope import Record

type Problem = (
    ProposedIssue
    | TalkProblemRaised
    | MeetingProblemRaised
    | ActivityProblemRaised
    | InspectionFindingRaised
)
"""What says all an issue begins with; `key` is its name within the stream it was found in."""


def issue_of(stream: str, key: str, kind: SourceKind = SourceKind.collation) -> str:
    """The id of the issue that a group of a collation, or a problem of a talk, meeting …, becomes."""
    return str(uuid5(NAMESPACE_URL, f"taizhang:{kind}/{stream}/{key}"))


def open_issues(record: Record) -> Iterator[Send]:
    """What was collated or found elsewhere becomes an issue somebody must claim (R07, R22, R33, R41)."""
    match record.event:
        case CollationClosed(issues=groups):
            for group in groups:
                yield _opening(record, SourceKind.collation, group)
        case TalkProblemRaised() as problem:
            yield _opening(record, SourceKind.talk, problem)
        case MeetingProblemRaised() as problem:
            yield _opening(record, SourceKind.meeting, problem)
        case ActivityProblemRaised() as problem:
            yield _opening(record, SourceKind.visit, problem)
        case InspectionFindingRaised() as problem:
            yield _opening(record, SourceKind.inspection, problem)
        case _:
            return


def _opening(record: Record, kind: SourceKind, problem: Problem) -> Send:
    parts = problem.parts if isinstance(problem, ProposedIssue) else ()
    opinions = list(dict.fromkeys(part.opinion for part in parts))
    source = {"kind": kind.value, "id": record.stream, "opinions": opinions}
    asked = problem.model_dump(mode="json", exclude={"key", "parts"})
    to = issue_of(record.stream, problem.key, kind)
    return Send(to, OpenIssue, {**asked, "sources": [source]})


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

opening = Policy(
    "open-issues",
    open_issues,
    follows=(
        CollationClosed,
        TalkProblemRaised,
        MeetingProblemRaised,
        ActivityProblemRaised,
        InspectionFindingRaised,
    ),
)

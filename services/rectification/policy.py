"""What rectification does of its own accord: it opens issues, and lets the clock speak of deadlines."""

from collections.abc import Iterable, Iterator
from uuid import NAMESPACE_URL, uuid5

from services.feedback.events import CollationClosed, ProposedIssue
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
from shared.decider import Forget, Policy, Remind, Send
from shared.envelope import Record

REMINDERS = 8
"""Reminders one deadline may have; more are not set."""


def issue_of(collation: str, key: str) -> str:
    """The id of the issue that a group of a collation becomes."""
    return str(uuid5(NAMESPACE_URL, f"taizhang:collation/{collation}/{key}"))


def open_issues(record: Record) -> Iterator[Send]:
    """Every group of a closed collation becomes an issue that somebody must claim (R33, R41)."""
    if isinstance(record.event, CollationClosed):
        for proposed in record.event.issues:
            to = issue_of(record.stream, proposed.key)
            yield Send(to, OpenIssue, _opening(record.stream, proposed))


def _opening(collation: str, proposed: ProposedIssue) -> dict[str, object]:
    opinions = list(dict.fromkeys(part.opinion for part in proposed.parts))
    asked = proposed.model_dump(mode="json", exclude={"key", "parts"})
    source = {"kind": SourceKind.collation.value, "id": collation, "opinions": opinions}
    return {**asked, "sources": [source]}


def timers(record: Record) -> Iterable[Remind | Forget]:
    """The timers an event sets and drops. An issue has one deadline that counts at a time."""
    match record.event:
        case IssueOpened(watch=watch) | IssueDeclined(watch=watch):
            return _set(Concern.claim, watch)
        case IssueClaimed(watch=watch) | IssueAssigned(watch=watch) | IssueReopened(watch=watch):
            return _set(Concern.plan, watch)
        case (
            MeasuresPlanned(watch=watch)
            | ExtensionGranted(watch=watch)
            | IssueReturned(watch=watch)
            | ConvertedToLongTerm(watch=watch)
            | ObjectionUpheld(watch=Watch() as watch)
        ):
            return _set(Concern.rectification, watch)
        case ObjectionRaised(watch=watch):
            return _set(Concern.objection, watch)
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


def _set(concern: Concern, watch: Watch) -> Iterator[Remind | Forget]:
    body = {"concern": concern.value, "due_at": watch.due.at.isoformat()}
    for n in range(REMINDERS):
        if n < len(watch.remind_at):
            yield Remind(f"remind-{n}", watch.remind_at[n], RemindIssue, body)
        else:
            yield Forget(f"remind-{n}")
    yield Remind("urge", watch.urge_at, UrgeIssue, body)
    yield Remind("supervise", watch.supervise_at, SuperviseIssue, body)
    yield Remind("account", watch.account_at, CallToAccount, body)


def _drop() -> Iterator[Forget]:
    for name in (*(f"remind-{n}" for n in range(REMINDERS)), "urge", "supervise", "account"):
        yield Forget(name)


opening = Policy("open-issues", open_issues, follows=(CollationClosed,))
